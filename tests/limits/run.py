#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each row of src/base/limits.def, at the limit and one past it, through the alcove program.

A row without a case fails, so a new limit cannot come without one. Rows that a command line cannot
reach stand in ELSEWHERE with the test that has them.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import module_bytes as make

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROW = re.compile(r"^LIMIT\((\w+),\s*([^,]+),\s*(\w+),", re.M)
RUN_S = 120
BAD_MODULE = 2

# Rows that decide whether a module is accepted: maker, words of the refusal.
MODULE_ROWS = {
    "TYPES": (make.types, "too many types"),
    "FUNCTIONS": (make.functions, "too many items"),
    "IMPORTS": (make.imports, "too many items"),
    "EXPORTS": (make.exports, "too many items"),
    "GLOBALS": (make.globals_, "too many items"),
    "TABLES": (make.tables, "too many items"),
    "MEMORIES": (make.memories, "too many items"),
    "TAGS": (make.tags, "too many items"),
    "DATA_SEGMENTS": (make.data_segments, "too many items"),
    "ELEMENT_SEGMENTS": (make.element_segments, "too many items"),
    "TABLE_ELEMENTS": (make.segment_elements, "too many items"),
    "PARAMETERS": (make.parameters, "too many parameters or results"),
    "RESULTS": (make.results, "too many parameters or results"),
    "LOCALS": (make.locals_, "too many locals"),
    "FRAME_SLOTS": (make.frame_slots, "too large a frame"),
    "BODY_SIZE": (make.body_size, "function body too large"),
    "BLOCK_NESTING": (make.block_nesting, "blocks nested too deeply"),
    "BRANCH_TABLE": (make.branch_table, "too many"),
    "FIELDS": (make.fields, "too many"),
    "SUBTYPE_DEPTH": (make.subtype_depth, "too many types"),
    "NAME_SIZE": (make.name_size, "too many items"),
}

# Rows that a command line cannot reach: the test that names the limit, which is looked up.
ELSEWHERE = {
    "ATTESTED_SOCKETS": "tests/unit/attested/test_attested.c",
    "CHANNEL_CERTIFICATE_SIZE": "tests/unit/channel/test_certificate.c",
    "CHANNEL_MESSAGE_SIZE": "tests/unit/channel/test_channel.c",
    "NESTED_CALLS": "tests/unit/exec/test_calls.c",
    "HEAP_MEBIBYTES": "tests/unit/exec/test_heap.c",
    "WASI_DESCRIPTORS": "tests/unit/wasi/test_descriptors.c",
    "HOSTCALL_BUFFER": "tests/hostile/test_hostcall.c",
    "HOSTCALL_LIES": "tests/hostile/test_hostcall.c",
    "MANIFEST_SIZE": "tests/unit/workload/test_manifest_size.c",
    "SEAL_MOUNTS": "tests/unit/seal/test_limits.c",
    "SEAL_HANDLES": "tests/unit/seal/test_files.c",
    "SEAL_NAME_SIZE": "tests/unit/seal/test_files.c",
    "SEAL_SYMBOLIC_LINKS": "tests/unit/seal/test_files.c",
    "SEAL_FILE_LINKS": "tests/unit/seal/test_limits.c",
    "SEAL_TREE_HEIGHT": "tests/unit/seal/test_files.c",
    "SEAL_DIRECTORY_DEPTH": "tests/unit/seal/test_limits.c",
    "SEAL_INODES": "tests/unit/seal/test_limits.c",
    "SEAL_CONTAINER_BLOCKS": "tests/unit/seal/test_limits.c",
    "SEAL_KEY_BLOCKS": "tests/unit/seal/test_limits.c",
    "MEMORY_MOUNT_LEAST": "tests/unit/mounts/test_settings.c",
    "ARCHIVE_MOUNTS": "tests/unit/archive/test_archive.c",
    "ARCHIVE_HANDLES": "tests/unit/archive/test_archive.c",
    "ARCHIVE_NAME_SIZE": "tests/unit/archive/test_archive.c",
    "ARCHIVE_DEPTH": "tests/unit/archive/test_archive.c",
    "ARCHIVE_SYMBOLIC_LINKS": "tests/unit/archive/test_archive.c",
    "ARCHIVE_EXTENSION_SIZE": "tests/unit/archive/test_archive.c",
    "WITNESS_CONNECTIONS": "tests/seal/witness.py",
    "WITNESS_COUNTERS": "tests/seal/witness_etcd.py",
    "POLICY_SIZE": "tests/unit/attest/test_policy.c",
    "POLICY_VALUES": "tests/unit/attest/test_policy.c",
    "VOUCHER_SIZE": "tests/unit/voucher/test_voucher.c",
}

# Rows without a test, and why.
UNTESTED = {
    "SEAL_BUCKET_DEPTH": "would take a hundred names whose keyed hashes share 31 bits",
    "ARCHIVE_ENTRIES": "would take an archive of 512 MiB, headers alone",
    "ENCLAVE_RESERVATIONS": "no program comes near: at most 100 memories and 100 tables",
}


class Failure(Exception):
    pass


def expect(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: got {got!r:.500}, wanted {wanted!r:.500}")


class Bench:
    def __init__(self, build, limits, folder):
        self.build, self.limits, self.folder = build, limits, folder
        self.alcove = build / "alcove"

    def alcove_run(self, *arguments, stdin=b""):
        return subprocess.run([self.alcove, *map(str, arguments)], check=False, input=stdin,
                              capture_output=True, timeout=RUN_S, cwd=self.folder)

    def write(self, contents, name="m.wasm"):
        (self.folder / name).write_bytes(contents)
        return name

    def assemble(self, text):
        done = subprocess.run(["wat2wasm", "--enable-all", "-o", self.folder / "m.wasm", "-"],
                              check=False, input=text.encode(), capture_output=True)
        if done.returncode != 0:
            raise Failure(done.stderr.decode())
        return "m.wasm"

    def exit_of(self, text, *arguments):
        """Exit status of a program in text format, run outside an enclave."""
        return self.alcove_run("run", "--tee", "none", self.assemble(text), *arguments).returncode


def check_module_row(bench, name):
    maker, words = MODULE_ROWS[name]
    limit = bench.limits[name]
    done = bench.alcove_run("validate", bench.write(maker(limit)))
    expect(f"{limit} are accepted", (done.returncode, done.stderr), (0, b""))
    done = bench.alcove_run("validate", bench.write(maker(limit + 1)))
    expect(f"exit status for {limit + 1}", done.returncode, BAD_MODULE)
    expect(f"message for {limit + 1}", words in done.stderr.decode() or done.stderr, True)


PROGRAM = """(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get"
    (func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 64)
  %s
  (func (export "_start") %s))
"""


def check_call_depth(bench):
    """The depth is kept without counting: a frame takes at least so many slots that the stack ends
    before the limit. The innermost frame leaves room for one more. `_start` is one call."""
    recursion = """(func $down (param i32)
      (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))"""
    frame = -(-bench.limits["STACK_SLOTS"] // bench.limits["CALL_DEPTH"])
    deepest = bench.limits["STACK_SLOTS"] // frame - 1
    expect("deepest is within the limit", deepest <= bench.limits["CALL_DEPTH"], True)
    at = bench.exit_of(PROGRAM % (recursion, f"(call $down (i32.const {deepest - 2}))"))
    expect(f"{deepest} calls in flight", at, 0)
    past = bench.exit_of(PROGRAM % (recursion, f"(call $down (i32.const {deepest - 1}))"))
    expect(f"{deepest + 1} calls in flight", past, 139)


def check_backtrace_frames(bench):
    """A trap under as many calls as are kept, and under one more."""
    limit = bench.limits["BACKTRACE_FRAMES"]
    recursion = """(func $down (param i32)
      (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))
        (else unreachable)))"""
    for frames, wanted in ((limit, limit), (limit + 1, limit)):
        bench.assemble(PROGRAM % (recursion, f"(call $down (i32.const {frames - 2}))"))
        done = bench.alcove_run("run", "--tee", "none", "m.wasm")
        expect("exit status", done.returncode, 132)
        found = len(re.findall(rb"^ +\d+: 0x", done.stderr, re.M))
        expect(f"frames shown of {frames}", found, wanted)


def check_errno(bench, code, wanted):
    """Runs code that leaves an errno, which becomes the exit status."""
    expect("errno", bench.exit_of(PROGRAM % ("", f"(call $exit {code})"), "x"), wanted)


ERRNO_INVALID = 28


def check_iovecs(bench):
    limit = bench.limits["WASI_IOVECS"]
    call = "(call $fd_write (i32.const 1) (i32.const 1024) (i32.const {}) (i32.const 0))"
    check_errno(bench, call.format(limit), 0)
    check_errno(bench, call.format(limit + 1), ERRNO_INVALID)


def check_subscriptions(bench):
    """Zeroed subscriptions: clocks that have run out already."""
    limit = bench.limits["WASI_SUBSCRIPTIONS"]
    call = "(call $poll_oneoff (i32.const 1024) (i32.const 1048576) (i32.const {}) (i32.const 0))"
    check_errno(bench, call.format(limit), 0)
    check_errno(bench, call.format(limit + 1), ERRNO_INVALID)


def check_path_size(bench):
    """A path of `./././…` names the directory itself; one byte more is refused as too long."""
    limit = bench.limits["WASI_PATH_SIZE"]
    call = ("(call $path_filestat_get (i32.const 3) (i32.const 0) (i32.const 1024)"
            " (i32.const {}) (i32.const 0))")
    data = '(data (i32.const 1024) "%s")' % ("./" * limit)
    for size, wanted in ((limit, 0), (limit + 1, 37)):
        bench.assemble(PROGRAM % (data, f"(call $exit {call.format(size)})"))
        done = bench.alcove_run("run", "--tee", "none", "--dir", ".::/", "m.wasm")
        expect(f"errno for a path of {size} bytes", done.returncode, wanted)


def check_arguments_size(bench):
    """Arguments with their NULs; the kernel takes no single one above 128 KiB, so in pieces."""
    limit = bench.limits["WASI_ARGUMENTS_SIZE"]
    module = bench.assemble(PROGRAM % ("", ""))
    pieces = ["x" * 65535] * (limit // 65536 - 1)
    rest = limit - len(pieces) * 65536 - (len(module) + 1)
    for extra, is_accepted in ((0, True), (1, False)):
        done = bench.alcove_run("run", "--tee", "none", module, *pieces, "y" * (rest - 1 + extra))
        expect(f"{limit + extra} bytes of arguments", done.returncode == 0, is_accepted)


def check_module_size(bench):
    """A module of the largest size is one custom section; its file is sparse."""
    limit = bench.limits["MODULE_SIZE"]
    path = bench.folder / "large.wasm"
    for size, wanted in ((limit, 0), (limit + 1, BAD_MODULE)):
        # Header, section id, five bytes of size, empty name, zeros.
        contents = size - len(make.HEADER) - 6
        encoded = bytes((contents >> shift & 127) | (128 if shift < 28 else 0)
                        for shift in range(0, 35, 7))
        with open(path, "wb") as file:
            file.write(make.HEADER + b"\0" + encoded + b"\0")
            file.truncate(size)
        done = bench.alcove_run("validate", path.name)
        expect(f"exit status for {size} bytes ({done.stderr.decode()})", done.returncode, wanted)
    path.unlink()


def check_enclave_threads(bench):
    limit = bench.limits["ENCLAVE_THREADS"]
    for threads, wanted in ((limit, 0), (limit + 1, 1)):
        done = subprocess.run([bench.build / "alcove-image", "build",
                               bench.build / "alcove_runtime.elf", "-o", "image.sgxs",
                               "--threads", str(threads)], check=False, capture_output=True,
                              timeout=RUN_S, cwd=bench.folder)
        expect(f"exit status for {threads} threads", done.returncode, wanted)


OTHER_ROWS = {
    "ENCLAVE_THREADS": check_enclave_threads,
    "CALL_DEPTH": check_call_depth,
    "STACK_SLOTS": check_call_depth,
    "BACKTRACE_FRAMES": check_backtrace_frames,
    "WASI_IOVECS": check_iovecs,
    "WASI_SUBSCRIPTIONS": check_subscriptions,
    "WASI_PATH_SIZE": check_path_size,
    "WASI_ARGUMENTS_SIZE": check_arguments_size,
    "MODULE_SIZE": check_module_size,
}


def read_limits():
    """Rows of limits.def; values are C constants made of digits, `u` and `<<`."""
    text = (ROOT / "src" / "base" / "limits.def").read_text(encoding="utf-8")
    limits = {}
    for name, value, _ in ROW.findall(text):
        words = value.replace("u", "").split("<<")
        limits[name] = int(words[0]) << (int(words[1]) if len(words) > 1 else 0)
    return limits


def check_row(bench, name):
    if name in MODULE_ROWS:
        check_module_row(bench, name)
    elif name in OTHER_ROWS:
        OTHER_ROWS[name](bench)
    elif name in ELSEWHERE:
        text = (ROOT / ELSEWHERE[name]).read_text(encoding="utf-8")
        expect(f"ALC_LIMIT_{name} in {ELSEWHERE[name]}", f"ALC_LIMIT_{name}" in text, True)
    else:
        raise Failure("no case for this row (tests/limits/run.py)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True, type=pathlib.Path, help="build folder")
    parser.add_argument("rows", nargs="*")
    arguments = parser.parse_args()
    if shutil.which("wat2wasm") is None:
        print("SKIPPED: wat2wasm is not installed (tools/bootstrap test)")
        return 77
    limits = read_limits()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with tempfile.TemporaryDirectory(prefix="alcove-limits-") as folder:
        bench = Bench(arguments.build.resolve(), limits, pathlib.Path(folder))
        for name in arguments.rows or limits:
            if name in UNTESTED:
                counts["skipped"] += 1
                print(f"SKIPPED: {name}: {UNTESTED[name]}")
                continue
            try:
                check_row(bench, name)
                counts["passed"] += 1
            except (Failure, OSError, subprocess.SubprocessError) as error:
                counts["failed"] += 1
                print(f"FAILED {name}: {error}")
    for name in sorted({*MODULE_ROWS, *OTHER_ROWS, *ELSEWHERE, *UNTESTED} - set(limits)):
        counts["failed"] += 1
        print(f"FAILED {name}: limits.def has no such row")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
