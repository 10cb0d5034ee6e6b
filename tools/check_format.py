#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that C files look as clang-format 19 writes them (`--fix` rewrites them).

Tables stand between `clang-format off` and `on`. Ends with status 77 where clang-format-19 is absent.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = "clang-format-19"
SKIPPED = 77


def is_formatted(tool, path, style):
    return subprocess.run([tool, f"--style=file:{style}", "--dry-run", "-Werror", str(path)],
                          check=False, capture_output=True).returncode == 0


def self_test(tool):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "a.c"
        path.write_text("int f(void){return 0;}\n", encoding="utf-8")
        assert not is_formatted(tool, path, ROOT / ".clang-format")
        path.write_text("int f(void)\n{\n    return 0;\n}\n", encoding="utf-8")
        assert is_formatted(tool, path, ROOT / ".clang-format")
    print("check_format: self-test passed, it can fail")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--fix", action="store_true")
    arguments = parser.parse_args()
    tool = shutil.which(TOOL)
    if tool is None:
        print(f"{TOOL} is not installed (tools/bootstrap test installs it)")
        return SKIPPED
    if arguments.self_test:
        self_test(tool)
        return 0
    text = subprocess.run(["git", "ls-files", "-z", "*.c", "*.h"], cwd=ROOT, check=True,
                          capture_output=True, text=True).stdout
    files = [name for name in text.split("\0") if name and (ROOT / name).is_file()]
    if arguments.fix:
        return subprocess.run([tool, "-i", *files], cwd=ROOT, check=False).returncode
    bad = [name for name in files if not is_formatted(tool, ROOT / name, ROOT / ".clang-format")]
    for name in bad:
        print(f"{name}: not formatted (tools/check_format.py --fix)")
    print(f"check_format: {len(files)} files: {'ok' if not bad else f'{len(bad)} problems'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
