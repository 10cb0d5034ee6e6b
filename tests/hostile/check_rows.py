#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The generator of the host boundary refuses rows that it could not make safe.

    check_rows.py HOSTCALL.HOST
"""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import host_boundary  # noqa: E402
from host_rows import HostError, Parser  # noqa: E402

HEAD = """boundary test
type size = u64
type thing = extern "struct thing" 16
type odd = extern "struct odd" 12
"""
ENSURE = "-> i64\n    ensure result == 0\n"
RANGE = "range thing.kind <= 3\n"
GOOD = HEAD + RANGE + "call one(a: i32, b: out thing) " + ENSURE
# (what is wrong, rows, words of the refusal)
BAD = [
    ("no ensure", "call one(a: i32) -> i64\n", "has no ensure"),
    ("no result", "call one(a: i32)\n    ensure result == 0\n", "must return i64"),
    ("narrow result", "call one(a: i32) -> i32\n    ensure result == 0\n", "must return i64"),
    ("narrow scalar", "call one(a: u16) " + ENSURE, "4 or 8 bytes"),
    ("scalar both ways", "call one(a: inout u32) " + ENSURE, "cannot pass"),
    ("wide scalar back", "call one(a: out u64) " + ENSURE, "cannot pass"),
    ("structure without range", "call one(a: out thing) " + ENSURE, "has no range"),
    ("array without fields that come back",
     RANGE + "call one(a: inout thing[n], n: size) " + ENSURE, "takes back no field"),
    ("structure of odd size", "call one(a: out odd) " + ENSURE, "cannot pass"),
    ("text into the enclave", "call one(a: out path[n], n: size) " + ENSURE, "cannot pass"),
    ("cut piece in front",
     "call one(a: in spans[n], n: size, b: in path[m], m: size) " + ENSURE,
     "must be the last piece"),
    ("too many scalars", "call one(a: u64, b: u64, c: u64, d: u64, e: u64, f: u32) " + ENSURE,
     "more scalars than a slot holds"),
    ("packed without buffer", "call one(a: i32) " + ENSURE + "    packed a thing.b\n",
     "names no buffer"),
]


def emit(text):
    return host_boundary.emit(Parser("test.host", text).parse(), "test")


def main():
    failures = []
    try:
        emit(GOOD)
    except HostError as error:
        failures.append(f"a good row is refused: {error}")
    for what, rows, words in BAD:
        try:
            emit(HEAD + rows)
            failures.append(f"{what}: not refused")
        except HostError as error:
            if words not in str(error):
                failures.append(f"{what}: refused for another reason: {error}")
    # Every row of the real file loses its ensure in turn.
    real = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    lines = real.split("\n")
    ensures = [i for i, line in enumerate(lines) if line.strip().startswith("ensure ")]
    for i in ensures:
        try:
            emit("\n".join(lines[:i] + lines[i + 1:]))
            failures.append(f"line {i + 1} can be left out")
        except HostError:
            pass
    print("\n".join(failures) or f"{len(BAD)} bad rows and {len(ensures)} missing ensures refused")
    return 1 if failures or not ensures else 0


if __name__ == "__main__":
    sys.exit(main())
