# SPDX-License-Identifier: Apache-2.0
"""The programs that differential tests compare with, pinned; and where they are.

  python3 tests/diff/peers.py    installs what is missing into ~/.cache/alcove (or XDG_CACHE_HOME)

wasmtime comes from PyPI with pip, wasm-tools from crates.io with cargo. A wasm-tools elsewhere is
named by WASM_TOOLS.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "alcove"
WASMTIME = "50.0.1"
WASMTIME_SHA256 = "cc14c3a17654e0394e0225b11813532ef0cd7bd1e222a0c5494cdedaabeddac4"
WASM_TOOLS = "1.263.0"
WASM_TOOLS_FEATURES = "smith,parse,print,shrink,validate"
CARGO_MIN = (1, 88)
HOW = "tools/bootstrap full"


class Missing(Exception):
    """Why a peer cannot be used."""


def wasmtime_folder():
    return CACHE / f"wasmtime-{WASMTIME}"


def wasmtime():
    """Folder to import the package from."""
    folder = wasmtime_folder()
    if not (folder / "wasmtime" / "_ffi.py").exists():
        raise Missing(f"wasmtime {WASMTIME} for Python is not installed ({HOW})")
    return folder


def cached_wasm_tools():
    return CACHE / f"wasm-tools-{WASM_TOOLS}" / "bin" / "wasm-tools"


def wasm_tools():
    """Path of the program, in exactly the pinned version: its modules follow from their seeds."""
    for path in (os.environ.get("WASM_TOOLS"), cached_wasm_tools(), shutil.which("wasm-tools")):
        if not path or not os.access(path, os.X_OK):
            continue
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if done.stdout.split()[:2] == ["wasm-tools", WASM_TOOLS]:
            return str(path)
    raise Missing(f"wasm-tools {WASM_TOOLS} is not installed ({HOW})")


def install_wasmtime(work):
    requirement = work / "requirements.txt"
    requirement.write_text(f"wasmtime=={WASMTIME} --hash=sha256:{WASMTIME_SHA256}\n")
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
                    "--root-user-action=ignore", "--require-hashes", "--target",
                    work / "package", "-r", requirement],
                   check=True, timeout=300)
    (work / "package").rename(wasmtime_folder())


def cargo_environments():
    """As it is, and with what tools/bootstrap fetched where Debian's cargo is too old."""
    root = CACHE / "rust"
    libraries = [str(root / folder / "x86_64-linux-gnu") for folder in ("usr/lib", "lib")]
    return [dict(os.environ),
            {**os.environ, "PATH": f"{root}/usr/bin:{os.environ.get('PATH', os.defpath)}",
             "LD_LIBRARY_PATH": ":".join(libraries)}]


def new_cargo():
    """The environment in which `cargo` is new enough."""
    for environment in cargo_environments():
        cargo = shutil.which("cargo", path=environment["PATH"])
        if cargo is None:
            continue
        words = subprocess.run([cargo, "--version"], check=False, capture_output=True, text=True,
                               env=environment).stdout.split()
        if len(words) > 1 and tuple(map(int, words[1].split(".")[:2])) >= CARGO_MIN:
            return environment
    raise OSError("no cargo " + ".".join(map(str, CARGO_MIN)) + " or newer")


def install_wasm_tools(work):
    """cargo checks what it gets against the lock file in the crate."""
    subprocess.run(["cargo", "install", "--quiet", "--locked", f"wasm-tools@{WASM_TOOLS}",
                    "--no-default-features", "--features", WASM_TOOLS_FEATURES, "--root",
                    work / "root", "--target-dir", work / "target"], check=True, timeout=1800,
                   env=new_cargo())
    target = cached_wasm_tools()
    target.parent.mkdir(parents=True, exist_ok=True)
    (work / "root" / "bin" / "wasm-tools").rename(target)


def install():
    CACHE.mkdir(parents=True, exist_ok=True)
    good = True
    for name, find, get in (("wasmtime", wasmtime, install_wasmtime),
                            ("wasm-tools", wasm_tools, install_wasm_tools)):
        try:
            print(f"{name}: {find()}")
            continue
        except Missing:
            print(f"{name}: getting it", flush=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="new.") as work:
            try:
                get(pathlib.Path(work))
            except (OSError, subprocess.SubprocessError) as error:
                print(f"{name}: {error}; differential tests will be skipped")
                good = False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(install())
