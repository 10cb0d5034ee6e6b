#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds src/one.c as an embedder would, and checks that it is complete and self-contained."""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("wasm", "exec")
ALLOWED = {"memcpy", "memmove", "memset", "memcmp", "strlen", "alc_abort"}


def missing_files():
    included = set(re.findall(r'#include "([a-z_0-9/]+\.c)"', (ROOT / "src/one.c").read_text()))
    files = {path.relative_to(ROOT / "src").as_posix()
             for room in ROOMS for path in (ROOT / "src" / room).glob("*.c")}
    return sorted(files - included)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    missing = missing_files()
    for name in missing:
        print(f"src/one.c: does not include {name}")
    subprocess.run([options.compiler, "-std=gnu11", "-Os", "-ffreestanding", "-march=x86-64-v2",
                    "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'src'}", "-c",
                    str(ROOT / "src/one.c"), "-o", options.output], check=True)
    symbols = subprocess.run(["nm", "--undefined-only", "--format=just-symbols", options.output],
                             check=True, capture_output=True, text=True).stdout.split()
    foreign = sorted(set(symbols) - ALLOWED)
    for name in foreign:
        print(f"src/one.c: needs {name}")
    sizes = subprocess.run(["size", options.output], check=True, capture_output=True,
                           text=True).stdout
    print(sizes, end="")
    return 1 if missing or foreign else 0


sys.exit(main())
