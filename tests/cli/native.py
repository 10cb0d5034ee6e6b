#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Native code from the command line: compile, run, the cache, what is refused, pack.
Usage: native.py ALCOVE
"""
import base64
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

TEES = ("none", "emulated")
RUN_S = 60
REFUSED, USAGE, DEADLINE, FUEL = 3, 2, 142, 152
# (module (memory (export "memory") 1) (func (export "_start")))
NOTHING = base64.b64decode(
    "AGFzbQEAAAABBAFgAAADAgEABQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAAKBAECAAs=")
# The same with (loop $l (br $l)).
ENDLESS = base64.b64decode(
    "AGFzbQEAAAABBAFgAAADAgEABQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAAKCQEHAANADAALCw==")
# The first with a 64-bit memory, which cannot be confined.
WIDE = NOTHING.replace(b"\x05\x03\x01\x00\x01", b"\x05\x03\x01\x04\x01")


class Failure(Exception):
    pass


def expect(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: got {got!r}, wanted {wanted!r}")


class Bench:
    """A folder with the modules, and alcove with a cache of its own."""

    def __init__(self, alcove, folder):
        self.alcove, self.folder = alcove, folder
        self.cache = folder / "cache" / "alcove" / "native"
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        for name, module in (("nothing", NOTHING), ("endless", ENDLESS), ("wide", WIDE)):
            (folder / f"{name}.wasm").write_bytes(module)

    def run(self, *words):
        return subprocess.run([self.alcove, *words], check=False, timeout=RUN_S, cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", env=self.environment)

    def expect(self, code, *words):
        done = self.run(*words)
        expect(f"{' '.join(words)} ({done.stderr.strip()})", done.returncode, code)
        return done

    def compile(self, name, *options):
        self.expect(0, "compile", f"{name}.wasm", "-o", f"{name}.alc", *options)


def case_images_run(bench):
    bench.compile("nothing")
    for tee in TEES:
        done = bench.expect(0, "run", "--tee", tee, "--report", "nothing.alc")
        if "native code verified, vouched for by nobody" not in done.stderr:
            raise Failure(f"{tee} does not say that it verified: {done.stderr}")
    done = bench.expect(0, "run", "--tee", "none", "--interpret", "--report", "nothing.alc")
    if "native code" in done.stderr:
        raise Failure("--interpret runs native code")


def case_compiling_is_deterministic(bench):
    bench.compile("endless")
    first = (bench.folder / "endless.alc").read_bytes()
    bench.compile("endless", "--jobs", "1")
    expect("compiled twice", (bench.folder / "endless.alc").read_bytes() == first, True)
    done = bench.expect(0, "compile", "endless.wasm", "--emit", "asm")
    if "jmp" not in done.stdout:
        raise Failure("--emit asm prints no assembly")


def case_outputs(bench):
    done = bench.expect(1, "compile", "nothing.wasm", "-o", "missing/image")
    expect("no folder for the image", done.stderr,
           "alcove: missing/image: No such file or directory\n")
    pipe = bench.folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        bench.expect(0, "compile", "nothing.wasm", "-o", "pipe")
        expect("what came through the pipe", os.read(reader, 4), b"\0alc")
    finally:
        os.close(reader)
    expect("a pipe is still one", pipe.is_fifo(), True)


def case_no_byte_may_change(bench):
    bench.compile("nothing")
    image = (bench.folder / "nothing.alc").read_bytes()
    for offset in range(0, len(image), max(1, len(image) // 97)):
        spoilt = bytearray(image)
        spoilt[offset] ^= 1 << offset % 8
        (bench.folder / "spoilt.alc").write_bytes(spoilt)
        done = bench.run("run", "--tee", "none", "spoilt.alc")
        if done.returncode not in (USAGE, REFUSED) or not done.stderr:
            raise Failure(f"byte {offset} changed: exit {done.returncode}, {done.stderr!r}")
    (bench.folder / "cut.alc").write_bytes(image[:-1])
    bench.expect(REFUSED, "run", "--tee", "none", "cut.alc")


def case_unconfined_code_needs_a_word(bench):
    bench.expect(REFUSED, "compile", "wide.wasm", "--shape", "confined")
    bench.compile("wide")
    for tee in TEES:
        bench.expect(REFUSED, "run", "--tee", tee, "wide.alc")
        done = bench.expect(0, "run", "--tee", tee, "--vouch", "--report", "wide.alc")
        if "not verified, vouched for by the manifest" not in done.stderr:
            raise Failure(f"{tee} does not say who vouches: {done.stderr}")


def case_limits_need_code_that_keeps_them(bench):
    bench.compile("endless")
    for tee in TEES:
        bench.expect(REFUSED, "run", "--tee", tee, "--timeout", "1s", "endless.alc")
        bench.expect(REFUSED, "run", "--tee", tee, "--fuel", "1000", "endless.alc")
        bench.expect(DEADLINE, "run", "--tee", tee, "--compile", "--timeout", "200ms",
                     "endless.wasm")
        bench.expect(FUEL, "run", "--tee", tee, "--compile", "--fuel", "100000", "endless.wasm")


def case_cache(bench):
    def says_native(*words):
        return "native code" in bench.expect(0, "run", "--tee", "none", "--report", *words,
                                             "nothing.wasm").stderr
    expect("native before it was compiled", says_native(), False)
    expect("native with --compile", says_native("--compile"), True)
    expect("native afterwards", says_native(), True)
    expect("native with --interpret", says_native("--interpret"), False)
    for entry in bench.cache.iterdir():
        entry.write_bytes(entry.read_bytes()[:-9])
    expect("native from a damaged cache", says_native(), False)
    expect("native with --compile, repaired", says_native("--compile"), True)
    expect("native from the repaired cache", says_native(), True)
    expect("both ways", bench.run("run", "--compile", "--interpret", "nothing.wasm").returncode,
           USAGE)


def case_vouchers(bench):
    """Code that is not confined runs for the key that signed it, and for no other."""
    bench.compile("wide")
    bench.compile("endless", "--fuel")
    if bench.run("vouch", "--new-key", "owner.pem", "wide.alc").returncode == 1:
        print("SKIPPED: vouchers: built without mbedTLS")
        return
    bench.expect(0, "vouch", "--key", "owner.pem", "--fuel", "5000", "endless.alc")
    bench.compile("nothing")
    bench.expect(0, "vouch", "--new-key", "other.pem", "-o", "other.alc", "nothing.alc")
    for tee in TEES:
        run = ("run", "--tee", tee, "--report")
        done = bench.expect(0, *run, "--owner", "owner.pem", "wide.alc")
        if "vouched for by the key" not in done.stderr:
            raise Failure(f"{tee} does not say who vouches: {done.stderr}")
        bench.expect(REFUSED, *run, "wide.alc")
        bench.expect(REFUSED, *run, "--owner", "other.pem", "wide.alc")
        bench.expect(REFUSED, *run, "--owner", "owner.pem", "nothing.alc")
        bench.expect(0, *run, "--owner", "other.pem", "other.alc")
        bench.expect(FUEL, *run, "--owner", "owner.pem", "endless.alc")
        bench.expect(0, *run, "--compile", "nothing.wasm")
        bench.expect(0, *run, "--owner", "owner.pem", "nothing.wasm") # not what is in the cache
    bench.expect(USAGE, "run", "--vouch", "--owner", "owner.pem", "wide.alc")


def case_pack(bench):
    bench.compile("nothing")
    bench.expect(0, "pack", "--output", "nothing.sgxs", "--dir", "/data", "nothing.alc", "one")
    bench.expect(0, "sign", "--new-key", "key.pem", "--output", "nothing.sig", "nothing.sgxs")
    digest = hashlib.sha256((bench.folder / "nothing.sgxs").read_bytes()).hexdigest()
    done = bench.expect(0, "measure", "nothing.sgxs")
    if f"mrenclave: {digest}" not in done.stdout:
        raise Failure("the measurement is not the file's hash")
    (bench.folder / "data").mkdir(exist_ok=True)
    signed = ("run", "--tee", "emulated", "--signature", "nothing.sig")
    bench.expect(0, *signed, "--dir", "data::/data", "nothing.sgxs")
    bench.expect(0, "run", "--tee", "none", "--dir", "data::/data", "nothing.sgxs")
    bench.expect(USAGE, *signed, "nothing.sgxs")
    bench.expect(USAGE, *signed, "--dir", "data::/data", "nothing.sgxs", "more")
    bench.expect(USAGE, *signed, "--dir", "data::/data", "--fuel", "9", "nothing.sgxs")
    bench.expect(USAGE, "run", "--tee", "emulated", "--dir", "data::/data", "nothing.sgxs")
    bench.compile("wide")
    bench.expect(REFUSED, "pack", "--output", "wide.sgxs", "wide.alc")
    bench.expect(0, "pack", "--output", "wide.sgxs", "--vouch", "wide.alc")
    bench.expect(0, "sign", "--key", "key.pem", "--output", "wide.sig", "wide.sgxs")
    for words in (("none",), ("emulated", "--signature", "wide.sig")):
        done = bench.expect(0, "run", "--report", "--tee", *words, "wide.sgxs")
        if "vouched for by the manifest" not in done.stderr:
            raise Failure(f"a packed voucher, {words[0]}: {done.stderr}")
    spoilt = bytearray((bench.folder / "nothing.sgxs").read_bytes())
    spoilt[-300] ^= 1
    (bench.folder / "spoilt.sgxs").write_bytes(spoilt)
    done = bench.run(*signed, "--dir", "data::/data", "spoilt.sgxs")
    if done.returncode == 0:
        raise Failure("a changed packed image runs")


def main():
    cases = [(name[5:], case) for name, case in globals().items() if name.startswith("case_")]
    failed = 0
    for name, case in cases:
        with tempfile.TemporaryDirectory() as folder:
            try:
                case(Bench(sys.argv[1], pathlib.Path(folder)))
            except (Failure, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"FAILED {name}: {error}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
