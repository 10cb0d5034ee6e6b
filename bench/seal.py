#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sealed files against plain ones in the emulated enclave: a large file, and SQLite. And yardsticks
for the file: the same program over plain files of gocryptfs, where that is installed and can be
mounted, which notices changed blocks but no older ones, and whose keys the host has; and 512 MiB
through `openssl enc -aes-256-ctr`, which hides contents and nothing else, and notices no change.
Processor time of all processes that take part, the fastest of some rounds, and between which
shares of plain the rounds lay. By hand; a folder in memory shows the cost of sealing, one on a disk
that of the disk.

    bench/seal.py ALCOVE FOLDER [ROUNDS]
"""
import contextlib
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import packages
import peers

HERE = pathlib.Path(__file__).resolve().parent
SIZE_MIB = 512
NAMES = ("written in order, synced", "read in order", "4 KiB at random, warm")
DATABASE_NAMES = ("SQLite, 500 transactions", "SQLite, 200,000 rows in one",
                  "SQLite, 20,000 searches")


class Missing(Exception):
    pass


def spent(pid):
    """Seconds of processor time of a process."""
    if pid is None:
        return 0
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    ticks = stat.rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def compile_database(wasm):
    """SQLite as its makers give it, files of WASI beneath it."""
    package = packages.PACKAGES["sqlite"]
    folder = peers.fetch_crate(package.crate, package.version, package.sha256)
    if folder is None:
        raise Missing("its sources cannot be had")
    folder /= package.folder
    flags = [flag for flag in package.flags if not flag.startswith("-DSQLITE_OS_OTHER")]
    subprocess.run(["clang-19", "--target=wasm32-wasi", "-O2", "-w", *flags, f"-I{folder}",
                    HERE / "seal_database.c", folder / "sqlite3.c", "-o", wasm], check=True)


def run_program(alcove, wasm, kind, folder, helper=None):
    """What the program says of its phases, with what the process `helper` spent in each."""
    store = folder / "store"
    store.mkdir()
    figures, before = [], spent(helper)
    with subprocess.Popen([alcove, "run", "--tee", "emulated", f"--{kind}", f"{store}::/data",
                           wasm], stdout=subprocess.PIPE, text=True) as program:
        for line in program.stdout:
            now = spent(helper)
            figures.append(float(line) + now - before)
            before = now
    if program.returncode != 0:
        raise subprocess.CalledProcessError(program.returncode, program.args)
    size = sum(path.stat().st_size for path in store.iterdir())
    shutil.rmtree(store)
    return figures, size


@contextlib.contextmanager
def gocryptfs(folder):
    """A mount of it whose files are in `folder`, and its process."""
    if shutil.which("gocryptfs") is None:
        raise Missing("it is not installed (tools/bootstrap bench)")
    cipher, plain, password = folder / "cipher", folder / "gocryptfs", folder / "password"
    cipher.mkdir()
    plain.mkdir()
    password.write_text("of no account", encoding="ascii")
    subprocess.run(["gocryptfs", "-init", "-q", "-scryptn", "10", "-passfile", password, cipher],
                   check=True)
    process = subprocess.Popen(["gocryptfs", "-fg", "-q", "-passfile", password, cipher, plain],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not plain.is_mount():
            if process.poll() is not None:
                raise Missing("it cannot mount here (FUSE?)")
            time.sleep(0.05)
        yield plain, process.pid
    finally:
        process.terminate() # it unmounts
        process.wait()


def measure_gocryptfs(alcove, wasm, folder, rounds):
    with gocryptfs(folder) as (plain, helper):
        rows = [run_program(alcove, wasm, "dir", plain, helper)[0] for _ in range(rounds)]
    return [min(column) for column in zip(*rows)]


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


def measure(alcove, wasm, folder, rounds):
    """Kind -> the figures of each round; and how much larger a sealed directory is."""
    times, sizes = {"dir": [], "sealed": []}, {}
    for _ in range(rounds):
        for kind, found in times.items():
            figures, sizes[kind] = run_program(alcove, wasm, kind, folder)
            found.append(figures)
    return times, sizes["sealed"] / sizes["dir"] - 1


def print_rows(names, times, others=()):
    for at, name in enumerate(names):
        plain, sealed = ([figures[at] for figures in times[kind]] for kind in ("dir", "sealed"))
        shares = [100 * one / other for one, other in zip(plain, sealed)]
        more = [f"{figures[at]:{width}.3f}" if at < len(figures) else " " * width
                for figures, width in others]
        print(f"{name:28} {min(plain):8.3f} {min(sealed):8.3f} "
              f"{100 * min(plain) / min(sealed):7.0f} % {min(shares):7.0f} to {max(shares):.0f} %"
              f" {' '.join(more)}".rstrip())


def main():
    alcove, place = sys.argv[1], sys.argv[2]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = pathlib.Path(name)
        wasm = folder / "files.wasm"
        subprocess.run(["clang-19", "--target=wasm32-wasi", "-O2", HERE / "seal_files.c", "-o",
                        wasm], check=True)
        times, larger = measure(alcove, wasm, folder, rounds)
        stick = [min(column) for column in zip(*(yardstick(folder) for _ in range(2)))]
        try:
            peer = measure_gocryptfs(alcove, wasm, folder, rounds)
        except Missing as missing:
            print(f"gocryptfs: SKIPPED: {missing}")
            peer = []
        print(f"{'seconds':28} {'plain':>8} {'sealed':>8} {'of plain':>9} {'rounds':>16} "
              f"{'gocryptfs':>9} {'openssl':>8}")
        print_rows(NAMES, times, ((peer, 10), (stick, 8)))
        print(f"{'on disk':28} {100 * larger:26.2f} % more")
        try:
            compile_database(wasm)
        except Missing as missing:
            print(f"SQLite: SKIPPED: {missing}")
            return
        times, larger = measure(alcove, wasm, folder, rounds)
        print_rows(DATABASE_NAMES, times)
        print(f"{'on disk':28} {100 * larger:26.2f} % more")


if __name__ == "__main__":
    main()
