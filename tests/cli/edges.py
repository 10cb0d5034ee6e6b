#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line where its surroundings are not as usual: standard streams closed or full, a
deadline after the end, signals, signatures of random bytes. Usage: edges.py ALCOVE
"""
import base64
import fcntl
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

TEES = ("none", "emulated")
RUN_S = 30
SIGSTRUCT_SIZE = 1808
# (module (memory (export "memory") 1) (func (export "_start")))
NOTHING = (
    "AGFzbQEAAAABBAFgAAADAgEABQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAAKBAECAAs=")
# The same with (loop $l (br $l)).
ENDLESS = (
    "AGFzbQEAAAABBAFgAAADAgEABQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAAKCQEHAANADAALCw==")
# fd_read of descriptor 0, whose error number is the exit code.
READ = (
    "AGFzbQEAAAABEANgBH9/f38Bf2ABfwBgAAACRQIWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQdmZF9y"
    "ZWFkAAAWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQlwcm9jX2V4aXQAAQMCAQIFAwEAAQcTAgZtZW1v"
    "cnkCAAZfc3RhcnQAAgoQAQ4AQQBBCEEBQQAQABABCwsOAQBBCAsIIAAAAAYAAAA=")
WASI_BADF = 8


class Failure(Exception):
    pass


def expect(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: got {got!r}, wanted {wanted!r}")


def closing(*streams):
    def close():
        for stream in streams:
            os.close(stream)
    return close


def run(alcove, *words, streams=(), **settings):
    """Exit status of alcove, started without `streams`."""
    return subprocess.run([alcove, *words], check=False, timeout=RUN_S, stdin=subprocess.DEVNULL,
                          preexec_fn=closing(*streams) if streams else None, **settings).returncode


def case_no_streams(alcove, modules):
    """Nothing that alcove opens gets the number of a closed stream: neither what it prints nor what
    the program reads and writes ends up there (the emulator's memory is a file, too)."""
    for tee in TEES:
        for streams in ((2,), (1, 2), (0, 1, 2)):
            expect(f"--report without {streams}, {tee}",
                   run(alcove, "run", "--tee", tee, "--report", modules["nothing"],
                       streams=streams), 0)
        expect(f"a socket instead of stdin, {tee}",
               run(alcove, "run", "--tee", tee, "--listen", "127.0.0.1:0", modules["read"],
                   streams=(0,)), WASI_BADF)


def case_full_output(alcove, modules):
    """What could not be printed was not done."""
    for words in (["--help"], ["run", "--help"], ["--version"], ["measure"],
                  ["inspect", modules["nothing"]], ["validate", modules["nothing"]]):
        with open("/dev/full", "wb") as full:
            expect(f"{words[0]} > /dev/full",
                   run(alcove, *words, stdout=full, stderr=subprocess.DEVNULL), 1)
    with open("/dev/full", "wb") as full:
        expect("run > /dev/full", run(alcove, "run", modules["nothing"], stdout=full,
                                      stderr=subprocess.DEVNULL), 0)


def case_deadline_after_end(alcove, modules):
    """A deadline that passes while the end is being reported changes nothing."""
    for tee in TEES:
        reading, writing = os.pipe()
        room = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
        line_size = len("alcove: enclave EMULATED, MRENCLAVE ") + 64 + 1 if tee != "none" else 0
        os.write(writing, b"x" * (room - line_size - 8))
        with subprocess.Popen([alcove, "run", "--tee", tee, "--report", "--timeout", "1s",
                               modules["nothing"]], stderr=writing) as process:
            os.close(writing)
            time.sleep(2)  # the report waits for room; deadline and grace pass
            expect(f"still reporting, {tee}", process.poll(), None)
            with open(reading, "rb") as pipe:
                pipe.read()
            expect(f"exit status, {tee}", process.wait(RUN_S), 0)


def case_signals(alcove, modules):
    for tee in TEES:
        for name in ("endless", "read"):
            for number in (signal.SIGINT, signal.SIGTERM):
                with subprocess.Popen([alcove, "run", "--tee", tee, modules[name]],
                                      stdin=subprocess.PIPE) as process:
                    time.sleep(0.3)
                    process.send_signal(number)
                    try:
                        expect(f"{number.name}, {name}, {tee}", process.wait(RUN_S), -number)
                    finally:
                        process.kill()


def case_random_signature(alcove, modules):
    """Whatever stands in a signature, it is refused; it is never the machine's fault."""
    source = random.Random(20261124)
    signature = modules["nothing"] + ".sig"
    for _ in range(16):
        pathlib.Path(signature).write_bytes(source.randbytes(SIGSTRUCT_SIZE))
        expect("exit status", run(alcove, "run", "--tee", "emulated", "--signature", signature,
                                  modules["nothing"], stderr=subprocess.DEVNULL), 3)


def main():
    alcove = sys.argv[1]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        modules = {}
        for name, text in (("nothing", NOTHING), ("endless", ENDLESS), ("read", READ)):
            modules[name] = os.path.join(folder, f"{name}.wasm")
            pathlib.Path(modules[name]).write_bytes(base64.b64decode(text))
        for case in (case_no_streams, case_full_output, case_deadline_after_end, case_signals,
                     case_random_signature):
            try:
                case(alcove, modules)
                print(f"ok {case.__name__}")
            except (Failure, subprocess.TimeoutExpired) as error:
                failures += 1
                print(f"FAILED {case.__name__}: {error}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
