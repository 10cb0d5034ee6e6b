#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what is generated from .host rows: the reference page is what the rows say now, and rows
that would be dangerous or mean nothing are refused with their line.

    check_rows.py SOURCE_FOLDER
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True

PAGES = {"src/wasi/wasi_p1.host": "docs/reference/wasi.md"}

HEAD = """module m
title "t"
prefix alc_m
context struct alc_m
result errno: u16 { bad_pointer A, bad_value B, bad_text C, too_long D, no_room E }
flags rights: u64 { go }
handle fd: u32 = "struct alc_m_fd"
type pair = struct { a: u32, b: u32 }
"""
GOOD = ["fn f(fd: fd, x: out u32) -> errno  rights go",
        "fn f(buf: in bytes[n], n: u32, p: out pair[n, m], m: out u32) -> errno",
        "fn f() -> !  may_stop"]
BAD = {
    "fn f(x: u128) -> errno": "unknown type u128",
    "fn f(x: pair) -> errno": "needs a direction",
    "fn f(x: in bytes) -> errno": "needs a count",
    "fn f(x: in bytes[n]) -> errno": "unknown n",
    "fn f(x: out path[n], n: u32) -> errno": "text can only go in",
    "fn f(x: inout u32) -> errno": "not possible in a module",
    "fn f(x: u32, x: u32) -> errno": "share a name",
    "fn f(x: out u32) -> !  may_stop": "bad pointer could not be reported",
    "fn f(x: u32)": "must be `may_stop`",
    "fn f(x: u32) -> u32": "must be of a `result` type",
    "fn f(fd: fd) -> errno  rights fly": "unknown right fly",
    "fn f(a: fd, b: fd) -> errno  rights go": "name the handle",
    "fn f(a: fd) -> errno  rights b: go": "no handle",
    "fn f(a: fd) -> errno  ensure a > 0": "mean nothing here",
    "fn f(a: u32) -> errno  limit b LIMIT": "no number",
    "fn f(a: u32 -> errno": "brackets do not match",
    "call f(a: u32) -> errno": "`call` rows to a boundary",
    "type pair = struct { a: u32 }": "exists already",
    "type empty = struct { }": "has no fields",
    "type odd = struct { a: u8, b: u32 @2 }": "not aligned",
    "enum e: u8 { big = 256 }": "does not fit",
    "fn f(a: u32) -> errno\nfn f(a: u32) -> errno": "exists already",
}


def check_pages(folder, gen_host):
    problems = []
    for rows, page in PAGES.items():
        wanted = subprocess.run([sys.executable, gen_host, os.path.join(folder, rows), "--docs"],
                                capture_output=True, text=True, check=True).stdout
        with open(os.path.join(folder, page), encoding="utf-8") as present:
            if present.read() != wanted:
                problems.append(f"{page} is stale: tools/gen_host.py {rows} --docs > {page}")
    return problems


def check_rows(host_rows, host_guest):
    problems = []

    def emit(text):
        host_guest.emit(host_rows.Parser("x.host", HEAD + text + "\n").parse(), "x")

    for text in GOOD:
        emit(text)
    for text, words in BAD.items():
        try:
            emit(text)
            problems.append(f"not refused: {text}")
        except host_rows.HostError as error:
            place = len(HEAD.split("\n")) + text.count("\n")
            if words not in str(error) or not str(error).startswith(f"x.host:{place}:"):
                problems.append(f"{text!r} was refused with: {error}")
    return problems


def main():
    folder = sys.argv[1]
    tools = os.path.join(folder, "tools")
    sys.path.insert(0, tools)
    import host_guest
    import host_rows
    problems = check_pages(folder, os.path.join(tools, "gen_host.py"))
    problems += check_rows(host_rows, host_guest)
    print(*problems, f"{len(BAD)} bad rows tried, {len(problems)} problems", sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
