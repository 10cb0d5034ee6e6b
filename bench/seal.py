#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sealed files against plain ones in the emulated enclave, and a yardstick: 512 MiB through
`openssl enc -aes-256-ctr`, which hides contents and nothing else, and notices no change.
Processor time, the fastest of some rounds. By hand; a folder in memory shows the cost of sealing,
one on a disk that of the disk.

    bench/seal.py ALCOVE FOLDER [ROUNDS]
"""
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SIZE_MIB = 512
NAMES = ("written in order, synced", "read in order", "4 KiB at random, warm")


def run_program(alcove, wasm, kind, folder):
    store = folder / "store"
    store.mkdir()
    out = subprocess.run([alcove, "run", "--tee", "emulated", f"--{kind}", f"{store}::/data", wasm],
                         check=True, capture_output=True, text=True).stdout
    size = sum(path.stat().st_size for path in store.iterdir())
    shutil.rmtree(store)
    return [float(word) for word in out.split()], size


def openssl(folder, source, target, *more):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["openssl", "enc", "-aes-256-ctr", *more, "-K", "11" * 32, "-iv", "22" * 16,
                    "-in", folder / source, "-out", folder / target], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def yardstick(folder):
    with open(folder / "plain", "wb") as file:
        for _ in range(SIZE_MIB):
            file.write(os.urandom(1 << 20))
    times = [openssl(folder, "plain", "secret"), openssl(folder, "secret", "plain", "-d")]
    for name in ("plain", "secret"):
        (folder / name).unlink()
    return times


def main():
    alcove, place = sys.argv[1], sys.argv[2]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = pathlib.Path(name)
        wasm = folder / "files.wasm"
        subprocess.run(["clang-19", "--target=wasm32-wasi", "-O2", HERE / "seal_files.c", "-o",
                        wasm], check=True)
        times = {"dir": [], "sealed": []}
        for _ in range(rounds):
            for kind, found in times.items():
                figures, size = run_program(alcove, wasm, kind, folder)
                found.append(figures)
        best = {kind: [min(column) for column in zip(*rows)] for kind, rows in times.items()}
        stick = [min(column) for column in zip(*(yardstick(folder) for _ in range(2)))]
    print(f"{'seconds':28} {'plain':>8} {'sealed':>8} {'of plain':>9} {'openssl':>8}")
    for at, name in enumerate(NAMES):
        plain, sealed = best["dir"][at], best["sealed"][at]
        other = f"{stick[at]:8.3f}" if at < len(stick) else ""
        print(f"{name:28} {plain:8.3f} {sealed:8.3f} {100 * plain / sealed:7.0f} % {other}")
    print(f"{'on disk':28} {100 * (size / (SIZE_MIB << 20) - 1):26.2f} % more")


if __name__ == "__main__":
    main()
