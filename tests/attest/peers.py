#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gets and builds the other verifiers that tests/attest/agree.py compares ours with.

Each is a small program of ours around a published package, in tests/attest/peers/<name>: a crate
(packages.lock pins every crate by hash) or a Go module (go.sum does the same). They are built once,
by `tools/bootstrap full` or the first test of ./check full that needs them, and kept in
~/.cache/alcove/peers (or below XDG_CACHE_HOME) under a hash of their sources.
"""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE / "peers"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "alcove"
BUILD_SECONDS_MAX = 1200


class Missing(Exception):
    """A peer that is not there, with the reason."""


def digest_of(name):
    digest = hashlib.sha256()
    for path in sorted(path for path in (SOURCES / name).rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(SOURCES)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def environment_with(tool):
    """The environment in which `tool` is found: as it is, or with what tools/bootstrap fetched."""
    rust = CACHE / "rust"
    go_folders = sorted(CACHE.glob("go1.*/bin"))
    path = os.environ.get("PATH", os.defpath)
    if shutil.which(tool, path=path):
        return dict(os.environ)
    for folder in [rust / "usr/bin", *go_folders]:
        if (folder / tool).exists():
            libraries = ":".join(str(rust / part / "x86_64-linux-gnu")
                                 for part in ("usr/lib", "lib"))
            return {**os.environ, "PATH": f"{folder}:{path}", "LD_LIBRARY_PATH": libraries}
    raise Missing(f"no {tool}")


def cargo(folder, *words):
    subprocess.run(["cargo", *words, "--quiet"], cwd=folder, check=True, text=True,
                   capture_output=True, timeout=BUILD_SECONDS_MAX, env=environment_with("cargo"))


def write_lock(crate):
    """Cargo.lock out of packages.lock, with the registry that cargo itself takes for this crate."""
    cargo(crate, "generate-lockfile")
    lock = crate / "Cargo.lock"
    registry = re.search(r"^source = .*\n", lock.read_text(), re.MULTILINE).group()
    packages = (crate / "packages.lock").read_text()
    lock.write_text(packages.replace("\nchecksum = ", f"\n{registry}checksum = "))


def build_crate(source, target):
    crate = target.parent / "crate"
    shutil.copytree(source, crate)
    write_lock(crate)
    cargo(crate, "build", "--release", "--locked")
    (crate / "target" / "release" / f"{source.name}_peer").rename(target)


def build_go(source, target):
    environment = environment_with("go")
    environment["GOFLAGS"] = "-mod=readonly"
    subprocess.run(["go", "build", "-o", target, "."], cwd=source, check=True, text=True,
                   capture_output=True, timeout=BUILD_SECONDS_MAX, env=environment)


def find(name, may_build=False):
    """The program of a peer. Building takes minutes and needs the packages' registries."""
    target = CACHE / "peers" / f"{name}-{digest_of(name)}"
    if target.exists():
        return target
    if not may_build:
        raise Missing(f"{name} was not built (tools/bootstrap full does it)")
    source = SOURCES / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="new.") as work:
        program = pathlib.Path(work) / name
        try:
            (build_crate if (source / "Cargo.toml").exists() else build_go)(source, program)
        except subprocess.CalledProcessError as error:
            last = (error.stderr or "").strip().splitlines()[-1:] or ["no reason given"]
            raise Missing(f"{name} cannot be built: {last[0]}") from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Missing(f"{name} cannot be built: {error}") from error
        program.rename(target)
    return target


def main():
    good = True
    for source in sorted(path for path in SOURCES.iterdir() if path.is_dir()):
        try:
            print(f"{source.name}: {find(source.name, may_build=True)}")
        except Missing as reason:
            print(f"{source.name}: {reason}; comparisons with it will be skipped")
            good = False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
