#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants faults in copies of the verifier, one at a time, and sees them found.

Each fault of planted.txt opens a hole or tells a lie. The rows of attacks.def are asked,
and the program over independent decoders that is named beside the fault. A fault that nobody finds
is a gap in the tests and fails, and so does one that no longer fits the source.

  planted.py [--compiler CC] [NUMBER...]
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FLAGS = ["-std=gnu11", "-O1", "-march=x86-64-v2", "-D_GNU_SOURCE", "-w", f"-I{ROOT / 'tests'}"]
SOURCES = ("verifier.c", "x86_decode.c")
CASES = {"differential": 2000000, "mutation": 2000000}
PARTS = {"differential": ["differential", "generate", "enumerate", "zydis_oracle", "llvm_oracle"],
         "mutation": ["mutation", "generate", "zydis_oracle", "oracle_verifier"]}


def read_faults(path):
    """[(file, program, old, new)]: entries are separated by blank lines."""
    faults = []
    for entry in re.split(r"\n\n+", re.sub(r"^#.*\n", "", path.read_text(), flags=re.M).strip()):
        head, change = entry.split("\n", 1)
        name, program = head.split()
        old, new = re.fullmatch(r"(.*?)\n=>\n?(.*)", change, re.S).groups()
        faults.append((name, program, old, new))
    return faults


def run(command):
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def must(command):
    done = run(command)
    if done.returncode != 0:
        sys.exit(done.stdout[-4000:])


def llvm(what):
    return run(["llvm-config-19", f"--{what}"]).stdout.strip()


class Laboratory:
    def __init__(self, folder, options):
        self.folder, self.options = folder, options
        self.libraries = ["-lZydis", f"-L{llvm('libdir')}", "-lLLVM-19"]
        include = ["-isystem", llvm("includedir")]
        for part in sorted(set(PARTS["differential"] + PARTS["mutation"])):
            self.compile(ROOT / "tests" / "verifier" / f"{part}.c", part,
                         [f"-I{ROOT / 'src'}", *include])
        self.compile(ROOT / "tests" / "support" / "abort.c", "abort", [f"-I{ROOT / 'src'}"])

    def object(self, name):
        return self.folder / f"{name}.o"

    def compile(self, source, name, arguments):
        must([self.options.compiler, *FLAGS, *arguments, "-c", source, "-o", self.object(name)])

    def plant(self, name, old, new):
        """Compiles the verifier with one change; False when there is no place for it."""
        copy = self.folder / "src" / "native"
        copy.mkdir(parents=True, exist_ok=True)
        for path in (ROOT / "src" / "native").iterdir():
            text = path.read_text()
            if path.name == name:
                if text.count(old) == 0:
                    return False
                text = text.replace(old, new, 1)
            (copy / path.name).write_text(text)
        for source in SOURCES:
            self.compile(copy / source, source.removesuffix(".c"),
                         [f"-I{self.folder / 'src'}", f"-I{ROOT / 'src'}"])
        return True

    def is_found_by_rows(self):
        program = self.folder / "rows"
        must([self.options.compiler, *FLAGS, f"-I{ROOT / 'src'}",
              ROOT / "tests" / "unit" / "native" / "test_verifier.c", self.object("verifier"),
              self.object("x86_decode"), self.object("abort"), "-lcmocka", "-o", program])
        return run([program]).returncode != 0

    def is_found_by_program(self, name):
        program = self.folder / name
        parts = [self.object(part) for part in PARTS[name]]
        must([self.options.compiler, *parts, self.object("verifier"), self.object("x86_decode"),
              self.object("abort"), *self.libraries, "-o", program])
        return run([program, CASES[name], 7]).returncode != 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", default="clang-19")
    parser.add_argument("numbers", nargs="*", type=int)
    options = parser.parse_args()
    faults = read_faults(pathlib.Path(__file__).with_name("planted.txt"))
    counts = {"passed": 0, "failed": 0, "by rows": 0, "by program": 0}
    with tempfile.TemporaryDirectory() as folder:
        laboratory = Laboratory(pathlib.Path(folder), options)
        for number, (name, program, old, new) in enumerate(faults):
            if options.numbers and number not in options.numbers:
                continue
            if not laboratory.plant(name, old, new):
                counts["failed"] += 1
                print(f"{number}: does not fit {name}:\n{old}")
                continue
            by_rows = laboratory.is_found_by_rows()
            by_program = program != "rows" and laboratory.is_found_by_program(program)
            counts["by rows"] += by_rows
            counts["by program"] += by_program
            is_right = by_rows if program == "rows" else by_program
            counts["passed" if is_right else "failed"] += 1
            if not is_right:
                print(f"{number}: not found by {program} in {name}:\n{old}\n=>\n{new}")
    print(f"{len(faults)} faults: {counts['by program']} found by comparison, "
          f"{counts['by rows']} by rows of attacks.def")
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return 0 if counts["failed"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
