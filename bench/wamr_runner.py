#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a module as WAMR's compiler makes it: compiled once and kept, then run by iwasm.

  wamr_runner.py WAMRC IWASM FOLDER COMPILE-OPTION MODULE [ARGUMENT...]

COMPILE-OPTION is one option of wamrc. Compiling does not count: programs measure themselves.
"""
import hashlib
import os
import pathlib
import subprocess
import sys


def main():
    wamrc, iwasm, folder, option, module, *arguments = sys.argv[1:]
    key = hashlib.sha256(pathlib.Path(module).read_bytes() + option.encode()
                         + pathlib.Path(wamrc).read_bytes()).hexdigest()[:32]
    compiled = pathlib.Path(folder) / f"wamr-{key}.aot"
    if not compiled.exists():
        compiled.parent.mkdir(parents=True, exist_ok=True)
        scratch = compiled.with_suffix(f".{os.getpid()}")
        subprocess.run([wamrc, option, "-o", scratch.name, os.path.abspath(module)],
                       cwd=folder, check=True, stdout=subprocess.DEVNULL)
        scratch.rename(compiled)
    os.execv(iwasm, [iwasm, str(compiled), *arguments])


if __name__ == "__main__":
    main()
