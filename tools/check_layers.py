#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that rooms use only the rooms that src/layers.txt allows them.

Includes: `"x/y.h"` is written from src/, x must be allowed, `*_internal.h` stays in its room, and a
freestanding room (`!`) includes only six standard headers. Generated headers count like others.
Symbols (--libraries BUILD): what a room's library leaves undefined must be defined in an allowed
room; in freestanding rooms only memory functions and the assertion's exit may come from outside.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FREESTANDING_HEADERS = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "limits.h", "stdalign.h"}
# Processor intrinsics are compiler headers without library code.
INTRINSICS = {"immintrin.h", "nmmintrin.h", "smmintrin.h", "tmmintrin.h", "wmmintrin.h",
              "emmintrin.h", "cpuid.h"}
# The one library that a freestanding room stands on: built for it, from mbedtls.cmake.
LIBRARIES = {"crypto": ("mbedtls/", "psa/")}
MEMORY_SYMBOLS = {"memcpy", "memmove", "memset", "memcmp",
                  "__udivti3"}  # libgcc's, which every image links
# base/compiler.h: provided once per program or image.
PROVIDED_SYMBOLS = {"alc_abort", "alc_abort_enclave", "_GLOBAL_OFFSET_TABLE_"}
SANITIZER = re.compile(r"^__(asan|ubsan|msan|sanitizer|sancov|lsan|gcov|llvm)_")
LAYER = re.compile(r"^([a-z_]+)(!?)\s*:\s*(.*)$")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


class Room:
    def __init__(self, name, freestanding, uses):
        self.name, self.freestanding, self.uses = name, freestanding, uses


def read_layers(path, problems):
    """Rooms by name, `uses` closed transitively."""
    rooms = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match = LAYER.match(line)
        if match is None:
            problems.append(f"{path}:{number}: cannot read this line")
            continue
        name, mark, words = match.groups()
        uses = {name}
        for word in words.split():
            used = word.removesuffix("?")
            if used not in rooms:
                problems.append(f"{path}:{number}: {used}, used by {name}, is not listed above")
                continue
            uses |= rooms[used].uses
        rooms[name] = Room(name, mark == "!", uses)
    return rooms


def check_include(room, rooms, where, bracket, header, problems):
    if bracket == "<":
        allowed = header in FREESTANDING_HEADERS or header in INTRINSICS
        allowed |= room.name in LIBRARIES and header.startswith(LIBRARIES[room.name])
        if room.freestanding and not allowed:
            problems.append(f"{where}: {room.name} is freestanding and includes <{header}>")
        return
    folder, _, name = header.rpartition("/")
    if folder == "" or folder.split("/")[0] not in rooms:
        problems.append(f'{where}: "{header}" is not written from src/ (room/file.h)')
        return
    used = folder.split("/")[0]
    if used not in room.uses:
        problems.append(f"{where}: {room.name} may not use {used}")
    elif name.endswith("_internal.h") and used != room.name:
        problems.append(f"{where}: {header} is internal to {used}")


def check_includes(root, rooms, problems):
    folders = sorted(path for path in (root / "src").iterdir() if path.is_dir())
    for folder in folders:
        room = rooms.get(folder.name)
        if room is None:
            problems.append(f"{folder}: not a room of src/layers.txt")
            continue
        for file in sorted(folder.rglob("*")):
            if file.suffix not in (".c", ".h", ".S", ".def"):
                continue
            text = file.read_text(encoding="utf-8", errors="replace")
            for number, line in enumerate(text.splitlines(), 1):
                match = INCLUDE.match(line)
                if match:
                    check_include(room, rooms, f"{file.relative_to(root)}:{number}",
                                  match.group(1), match.group(2), problems)


def read_symbols(library):
    """(defined, undefined: symbol -> object) of a static library."""
    text = subprocess.run(["nm", "--extern-only", "--format=posix", "-A", str(library)],
                          check=True, capture_output=True, text=True).stdout
    defined, undefined = set(), {}
    for line in text.splitlines():
        member, _, rest = line.rpartition(": ")
        words = rest.split()
        if len(words) < 2:
            continue
        if words[1] in ("U", "w", "v"):
            undefined[words[0]] = member.rpartition("[")[2].rstrip("]")
        else:
            defined.add(words[0])
    return defined, undefined


def check_symbols(symbols, rooms, problems):
    """`symbols`: room name -> (defined, undefined)."""
    owner = {}
    for name, (defined, _) in symbols.items():
        for symbol in defined:
            owner.setdefault(symbol, name)
    for name, (defined, undefined) in symbols.items():
        room = rooms[name]
        for symbol, member in sorted(undefined.items()):
            if symbol in defined or symbol in PROVIDED_SYMBOLS or SANITIZER.match(symbol):
                continue
            home = owner.get(symbol)
            if home is not None and home not in room.uses:
                problems.append(f"{name} ({member}): uses {symbol} of {home}, which it may not")
            elif home is None and room.freestanding and symbol not in MEMORY_SYMBOLS:
                problems.append(f"{name} ({member}): freestanding, but needs {symbol}")


def check_libraries(build, rooms, problems):
    symbols = {}
    for name in rooms:
        library = next(build.rglob(f"libalc_{name}.a"), None)
        if library is not None:
            symbols[name] = read_symbols(library)
    if not symbols:
        problems.append(f"{build}: no libraries of rooms; build first")
    check_symbols(symbols, rooms, problems)
    return len(symbols)


# -- self-test: each rule is seen to fail --

def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        layers = root / "layers.txt"
        layers.write_text("base! :\nwasm! : base\ncli : wasm\nlow! : late\n", encoding="utf-8")
        problems = []
        rooms = read_layers(layers, problems)
        assert len(problems) == 1 and "late" in problems[0], problems
        for name in ("base", "wasm", "cli"):
            (root / "src" / name).mkdir(parents=True)
        (root / "src" / "base" / "up.c").write_text(
            '#include "wasm/module.h"\n#include <stdio.h>\n#include "plain.h"\n', encoding="utf-8")
        (root / "src" / "cli" / "in.c").write_text(
            '#include "wasm/decode_internal.h"\n#include <stdio.h>\n#include "wasm/module.h"\n',
            encoding="utf-8")
        (root / "src" / "stray").mkdir()
        problems = []
        check_includes(root, rooms, problems)
        assert len(problems) == 5, problems
        symbols = {
            "base": ({"alc_reader_init"},
                     {"puts": "a.o", "memcpy": "a.o", "alc_module_load": "a.o"}),
            "wasm": ({"alc_module_load"}, {"alc_reader_init": "b.o", "alc_abort": "b.o"}),
            "cli": ({"main"}, {"puts": "c.o", "alc_module_load": "c.o"}),
        }
        problems = []
        check_symbols(symbols, rooms, problems)
        assert len(problems) == 2, problems
    print("check_layers: self-test passed, every rule can fail")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--libraries", type=pathlib.Path, metavar="BUILD")
    arguments = parser.parse_args()
    if arguments.self_test:
        self_test()
        return 0
    problems = []
    rooms = read_layers(ROOT / "src" / "layers.txt", problems)
    check_includes(ROOT, rooms, problems)
    looked_at = f"{len(rooms)} rooms"
    if arguments.libraries:
        looked_at += f", {check_libraries(arguments.libraries, rooms, problems)} libraries"
    for problem in problems:
        print(problem)
    print(f"check_layers: {looked_at}: {'ok' if not problems else f'{len(problems)} problems'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
