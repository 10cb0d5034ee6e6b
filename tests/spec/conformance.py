#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps the table of docs/conformance.md true: runs the test suite outside and in the emulated
enclave, and compares what came out with what is written there.

    tests/spec/conformance.py --build build             # ends with 1 when they differ
    tests/spec/conformance.py --build build --update    # rewrites the table

Only the whole suite counts: where it comes from the Rust registry, which lacks files, it says so
and ends with 77.
"""
import argparse
import pathlib
import re
import subprocess
import sys

import run as suite

DOCUMENT = suite.ROOT / "docs" / "conformance.md"
BEGIN = "<!-- table: tests/spec/conformance.py --update -->"
END = "<!-- end of table -->"
ROW = re.compile(r"^(\S+) +(required|reported) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$")
HEAD = ("| group | passed | failed | excused | text | other words | duty |\n"
        "|---|--:|--:|--:|--:|--:|---|\n")


def measure(data, build, options):
    """Rows of one run: group -> (duty, passed, failed, excused, skipped, words)."""
    command = [build / "alc_spec_run", "--data", data, "--lists", suite.HERE, *options]
    done = subprocess.run([str(word) for word in command], check=False, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL)
    rows = {}
    for line in done.stdout.splitlines():
        match = ROW.match(line)
        if match:
            rows[match[1]] = (match[2], *map(int, match.groups()[4:]))
    return rows


def table(rows):
    text = HEAD
    total = [0] * 5
    for group, (duty, *counts) in rows.items():
        if sum(counts[:4]) == 0:
            continue
        total = [a + b for a, b in zip(total, counts)]
        cells = " | ".join(f"{count:,}" for count in counts)
        text += f"| {group} | {cells} | {duty} |\n"
    cells = " | ".join(f"{count:,}" for count in total)
    return text + f"| all | {cells} | |\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True, type=pathlib.Path, help="build folder")
    parser.add_argument("--update", action="store_true", help="rewrite the table")
    arguments = parser.parse_args()
    if suite.find_source() is None:
        print("SKIPPED: only the whole test suite can say what is written in docs/conformance.md")
        return suite.SKIPPED
    data = suite.prepare(arguments.build)
    outside = measure(data, arguments.build, [])
    image = arguments.build / "alcove_spec"
    inside = measure(data, arguments.build, ["--tee", "emulated", "--image", f"{image}.sgxs",
                                             "--signature", f"{image}.sig"])
    if outside != inside or not outside:
        print(f"FAILED: outside and inside the enclave differ:\n{outside}\n{inside}")
        return 1
    document = DOCUMENT.read_text(encoding="utf-8")
    before, rest = document.split(BEGIN + "\n")
    fresh = before + BEGIN + "\n" + table(outside) + END + rest.split(END)[1]
    if arguments.update:
        DOCUMENT.write_text(fresh, encoding="utf-8")
    elif fresh != document:
        print("FAILED: docs/conformance.md is not what the suite says now; "
              "tests/spec/conformance.py --build build --update\n" + table(outside))
        return 1
    print(f"{len(outside)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
