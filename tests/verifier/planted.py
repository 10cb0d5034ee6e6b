#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants faults in copies of the verifier, one at a time, and sees them found.

Each fault of planted.txt opens a hole or tells a lie. The rows of attacks.def are asked,
and the program that is named beside the fault. A fault that these do not find is a gap in the tests
and fails, and so does one that no longer fits the source. What others find is counted.

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
SKIPPED = 77
CASES = {"differential": 2000000, "mutation": 2000000, "processor": 300000, "walks": 4}
# What programs are linked of. PLANTED is compiled anew for each fault, out of the copy; in front of
# the others stands the folder that they are in.
PLANTED = ("src/native/verifier.c", "src/native/x86_decode.c")
FRAME = ("src/native/image_format.c", "src/base/reader.c", "src/base/writer.c",
         "src/base/sha256.c", "src/base/status.c", "tests/support/abort.c")
PARTS = {"differential": tuple(f"tests/verifier/{name}.c" for name in (
             "differential", "generate", "enumerate", "zydis_oracle", "llvm_oracle")),
         "mutation": tuple(f"tests/verifier/{name}.c" for name in (
             "mutation", "generate", "zydis_oracle", "oracle_verifier")),
         "processor": tuple(f"tests/verifier/{name}.c" for name in ("processor", "generate")),
         "walks": ("tests/verifier/walks.c",)}
# Asked as well, and counted: by file of the fault.
MORE = {"x86.def": "processor", "x86_decode.c": "processor", "verifier.c": "walks"}
# Unit tests: one is linked with PLANTED, the other has it inside, compiled as for an enclave.
ROWS = ("tests/unit/native/test_verifier.c", "tests/unit/native/test_inside.c")


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
        include = [f"-I{ROOT / 'src'}", "-isystem", llvm("includedir")]
        for source in sorted({*FRAME, *(source for part in PARTS.values() for source in part)}):
            self.compile(ROOT / source, include)

    def object(self, source):
        return self.folder / f"{pathlib.Path(source).stem}.o"

    def compile(self, source, arguments):
        must([self.options.compiler, *FLAGS, *arguments, "-c", source, "-o", self.object(source)])

    def link(self, program, inputs, arguments):
        target = self.folder / program
        objects = [self.object(source) for source in (*inputs, *FRAME)]
        must([self.options.compiler, *objects, *arguments, "-o", target])
        return target

    def plant(self, name, old, new):
        """Compiles the verifier with one change; False when there is no one place for it."""
        copy = self.folder / "src" / "native"
        copy.mkdir(parents=True, exist_ok=True)
        for path in (ROOT / "src" / "native").iterdir():
            text = path.read_text()
            if path.name == name:
                if text.count(old) != 1:
                    return False
                text = text.replace(old, new)
            (copy / path.name).write_text(text)
        self.include = [f"-I{self.folder / 'src'}", f"-I{ROOT / 'src'}"]
        for source in PLANTED:
            self.compile(self.folder / source, self.include)
        return True

    def is_found_by_rows(self):
        found = False
        for source in ROWS:
            self.compile(ROOT / source, self.include)
            name = pathlib.Path(source).stem
            inputs = (source, *(PLANTED if source == ROWS[0] else ()))
            found |= run([self.link(name, inputs, ["-lcmocka"])]).returncode != 0
        return found

    def is_found_by_program(self, name):
        program = self.link(name, (*PARTS[name], *PLANTED), self.libraries)
        return run([program, CASES[name], 7]).returncode not in (0, SKIPPED)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", default="clang-19")
    parser.add_argument("numbers", nargs="*", type=int)
    options = parser.parse_args()
    faults = read_faults(pathlib.Path(__file__).with_name("planted.txt"))
    counts = {"passed": 0, "failed": 0, "by rows": 0, "by program": 0, "processor": 0, "walks": 0}
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
            counts[MORE[name]] += laboratory.is_found_by_program(MORE[name])
            counts["by rows"] += by_rows
            counts["by program"] += by_program
            is_right = by_rows if program == "rows" else by_program
            counts["passed" if is_right else "failed"] += 1
            if not is_right:
                print(f"{number}: not found by {program} in {name}:\n{old}\n=>\n{new}")
    print(f"{len(faults)} faults: {counts['by program']} found by comparison, "
          f"{counts['by rows']} by rows of attacks.def, {counts['processor']} by the processor, "
          f"{counts['walks']} by walks")
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return 0 if counts["failed"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
