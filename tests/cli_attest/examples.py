#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the examples of docs/attestation.md: what stands behind `$` in console blocks, in a folder
that has the files of the page, and compares what comes out. A line `...` stands for any lines."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
TIMEOUT_S = 120
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.M | re.S)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
MARK = "=== next ==="
# A program that does nothing: exports a memory and _start.
PROGRAM = bytes.fromhex("0061736d0100000001040160000003020100050301000107130206"
                        "6d656d6f72790200065f737461727400000a040102000b")
VECTORS = {"sgx_quote": "sgx_quote", "collateral.json": "sgx_quote_collateral.json"}


def split(block):
    """Commands with what they are expected to print."""
    steps = []
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return steps


def execute(steps, folder, program):
    """The outputs of all commands of a block, which run in one shell: `$?` is the one before."""
    script = "code=0\n"
    for command, _ in steps:
        script += f"(exit $code); {command}\ncode=$?\necho '{MARK}'\n"
    path = f"{pathlib.Path(program).resolve().parent}:/usr/bin:/bin"
    done = subprocess.run(["sh", "-c", script], cwd=folder, check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S,
                          env={"PATH": path, "LC_ALL": "C"})
    return done.stdout.split(MARK + "\n")[:-1]


def matches(expected, output):
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line + "\n")
                      for line in expected)
    return re.fullmatch(pattern, output) is not None


def run_page(page, folder, program):
    problems = []
    count = 0
    for name, content in FILE.findall(page):
        (folder / name).write_text(content, encoding="utf-8")
    for block in CONSOLE.findall(page):
        steps = split(block)
        outputs = execute(steps, folder, program)
        for (command, expected), output in zip(steps, outputs, strict=True):
            count += 1
            if not matches(expected, output):
                wanted = "\n".join(expected)
                problems.append(f"$ {command}\nexpected\n{wanted}\ngot\n{output}")
    return count, problems


def main():
    program, vectors, page = sys.argv[1], pathlib.Path(sys.argv[2]) / "sgx-tdx", sys.argv[3]
    if not vectors.is_dir():
        print("SKIPPED: no published quotes here")
        return SKIPPED
    text = pathlib.Path(page).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="alcove-examples-") as name:
        folder = pathlib.Path(name)
        for target, source in VECTORS.items():
            shutil.copy(vectors / source, folder / target)
        (folder / "exit.wasm").write_bytes(PROGRAM)
        assert run_page("```console\n$ echo a\nb\n```\n", folder, program)[1], "cannot fail"
        count, problems = run_page(text, folder, program)
    print("\n".join(problems) or f"{count} passed, 0 failed")
    return 1 if problems or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
