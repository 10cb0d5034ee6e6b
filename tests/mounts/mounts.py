#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Directories out of archives and in memory, as a user has them: `alcove run --archive` and
`--memory-dir`, outside an enclave and in the emulated one. What a program sees of an archive is
what another reader sees; changed archives give EIO and a line; memory is forgotten.
Usage: mounts.py ALCOVE WALK.wasm PLAIN_IMAGE PLAIN_SIGNATURE
"""
import io
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile

RUN_S = 60
TIME = 1_700_000_000
FORMATS = {"ustar": tarfile.USTAR_FORMAT, "pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT}


class Failure(Exception):
    pass


def expect(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: got {got!r}, wanted {wanted!r}")


def run(setup, tee, *words):
    return subprocess.run([setup[0], "run", "--tee", tee, *words], check=False, timeout=RUN_S,
                          capture_output=True, text=True)


def checksum(content):
    total = 1
    for byte in content:
        total = (total * 31 + byte) & 0xffffffff
    return f"{total:08x}"


def add(archive, name, content=None, **fields):
    info = tarfile.TarInfo(name)
    info.mtime = TIME
    for field, value in fields.items():
        setattr(info, field, value)
    if content is not None:
        info.size = len(content)
    archive.addfile(info, io.BytesIO(content) if content is not None else None)


def make_archive(path, kind):
    """An archive, and the lines that walking it gives."""
    generator = random.Random(kind)
    lines = []
    with tarfile.open(path, "w", format=FORMATS[kind]) as archive:
        add(archive, "etc", type=tarfile.DIRTYPE, mode=0o755)
        lines.append(f"d {TIME} /x/etc")
        long_name = "n" * (90 if kind == "ustar" else 200)
        for name, size in (("etc/small", 5), (f"etc/{long_name}", 4096), ("etc/big", 300_000),
                           ("etc/none", 0)):
            content = generator.randbytes(size)
            add(archive, name, content)
            links = 2 if name == "etc/small" else 1
            lines.append(f"f {size} {TIME} {links} /x/{name} {checksum(content)}")
            if name == "etc/small":
                small = content
        add(archive, "link", type=tarfile.SYMTYPE, linkname="etc/small")
        lines.append("l /x/link etc/small")
        add(archive, "again", type=tarfile.LNKTYPE, linkname="etc/small")
        lines.append(f"f 5 {TIME} 2 /x/again {checksum(small)}")
        add(archive, "a/b/c", b"deep")
        lines += ["d 0 /x/a", "d 0 /x/a/b", f"f 4 {TIME} 1 /x/a/b/c {checksum(b'deep')}"]
    return lines


def case_archives(setup, folder, tee):
    for kind in FORMATS:
        path = folder / kind
        lines = make_archive(path, kind)
        done = run(setup, tee, "--archive", f"{path}::/x", setup[1], "/x", "/x/new")
        expect(f"{kind}: exit code", (done.returncode, done.stderr), (0, ""))
        expect(kind, done.stdout.splitlines(), ["/x/new: Read-only file system", *lines])


def case_tar(setup, folder, tee):
    """What GNU tar writes of a real directory."""
    tree = folder / "tree"
    shutil.copytree(pathlib.Path(__file__).parent.parent / "golden", tree, symlinks=True)
    plain = run(setup, tee, "--dir", f"{tree}::/x", setup[1], "/x").stdout.splitlines()
    archive = folder / "tree.tar"
    subprocess.run(["tar", "-C", tree, "-cf", archive, "."], check=True, timeout=RUN_S)
    done = run(setup, tee, "--archive", f"{archive}::/x", setup[1], "/x")
    expect("exit code", (done.returncode, done.stderr), (0, ""))
    expect("the tree", sorted(done.stdout.splitlines()), sorted(plain))
    if len(plain) < 50:
        raise Failure(f"a tree of {len(plain)} names shows little")


def case_changed(setup, folder, tee):
    """The host changes a block after it was measured: no byte of it is ever seen."""
    path = folder / "changed"
    lines = make_archive(path, "pax")
    content = path.read_bytes()
    for at in (100_000, 200_000, len(content) - 30_000):
        path.write_bytes(content)
        process = subprocess.Popen(
            [setup[0], "run", "--tee", tee, "--archive", f"{path}::/x", setup[1], "/x", "-"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        expect("the program waits", process.stdout.readline(), "ready\n")
        changed = bytearray(content)
        changed[at] ^= 1
        path.write_bytes(changed)
        out, err = process.communicate("\n", timeout=RUN_S)
        bad = [line for line in out.splitlines() if line not in lines]
        expect("lines that differ", [line.rsplit(" ", 2)[1:] for line in bad], [["I/O", "error"]])
        line = f"alcove: archive: block {at // 4096} is not the one that the digest names"
        expect("the line", set(err.splitlines()), {line})
    path.write_bytes(content)
    expect("not changed", run(setup, tee, "--archive", f"{path}::/x", setup[1], "/x").stdout,
           "\n".join(lines) + "\n")


def case_memory(setup, folder, tee):
    words = ("--memory-dir", "8M::/m", setup[1], "/m", "/m/new")
    for _ in range(2):
        done = run(setup, tee, *words)
        expect("a file in memory", (done.returncode, done.stderr), (0, ""))
        line = done.stdout.split()
        expect("the file", (line[0], line[1], line[4:]),
               ("f", "4", ["/m/new", checksum(b"new\n")]))
    expect("forgotten", run(setup, tee, "--memory-dir", "8M::/m", setup[1], "/m").stdout, "")
    expect("the host's directory", os.listdir(folder), [])


def case_all_kinds(setup, folder, tee):
    """Mounts of all kinds beside each other, each with its own files."""
    (folder / "plain").mkdir()
    (folder / "plain" / "p").write_text("p")
    lines = make_archive(folder / "archive", "pax")
    key = folder / "key"
    key.write_bytes(random.randbytes(32))
    for guest in ("/x", "/s", "/m", "/p"):
        sealed = folder / f"sealed{guest[1:]}" # other arguments are another workload
        sealed.mkdir()
        words = ["--sealed", f"{sealed}::/s", "--memory-dir", "8M::/m",
                 "--archive", f"{folder}/archive::/x", "--dir", f"{folder}/plain::/p"]
        if tee == "none":
            words += ["--seal-key", str(key)]
        if guest == "/x":
            expect("/x", run(setup, tee, *words, setup[1], "/x").stdout.splitlines(), lines)
            continue
        done = run(setup, tee, *words, setup[1], guest, f"{guest}/new")
        line = f" {guest}/new {checksum(b'new' + bytes([10]))}"
        expect(f"{guest}/new", line in done.stdout, True)


def case_refused(setup, folder, tee):
    """What makes no sense, and images without services."""
    path = folder / "no-archive"
    path.write_text("this is no archive at all, but long enough for a header\n" * 20)
    done = run(setup, tee, "--archive", f"{path}::/x", setup[1], "/x")
    expect("no archive", done.returncode, 2)
    expect("the line", "not a header of a tar archive" in done.stderr, True)
    done = run(setup, tee, "--archive", f"{folder}/missing::/x", setup[1], "/x")
    expect("no file", done.returncode, 2)
    for words in (("--memory-dir", "/m"), ("--memory-dir", "1M::/m"), ("--archive", "::/x")):
        expect(" ".join(words), run(setup, tee, *words, setup[1], "/m").returncode, 2)
    if tee == "none":
        return
    for words in (("--memory-dir", "8M::/m"), ("--archive", f"{setup[0]}::/x")):
        done = run(setup, tee, *words, "--image", setup[2], "--signature", setup[3], setup[1], "/m")
        expect(f"plain image, {words[0]}", done.returncode != 0 and done.stdout == "", True)


CASES = (case_archives, case_tar, case_changed, case_memory, case_all_kinds, case_refused)


def main():
    setup = sys.argv[1:]
    failed = 0
    for tee in ("none", "emulated"):
        for case in CASES:
            with tempfile.TemporaryDirectory() as name:
                try:
                    case(setup, pathlib.Path(name), tee)
                    print(f"ok     {tee} {case.__name__}")
                except (Failure, subprocess.TimeoutExpired, OSError) as failure:
                    failed += 1
                    print(f"FAILED {tee} {case.__name__}: {failure}")
    print(f"{2 * len(CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
