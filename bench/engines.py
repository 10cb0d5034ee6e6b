# SPDX-License-Identifier: Apache-2.0
"""The engines that are compared: where each is found, and how it runs a program.

Each finder returns a list of engines, empty if there is none on this machine. Engines are named by
what users type; several builds of alcove can stand side by side (--alcove LABEL=PATH).
"""
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

import peers

HERE = pathlib.Path(__file__).resolve().parent
ENOUGH_FUEL = "1000000000000000"


@dataclasses.dataclass(frozen=True)
class Engine:
    name: str
    version: str
    run: tuple              # command before the module's path
    after: tuple = ()       # arguments after it
    load: tuple = ()        # command that only loads (decodes, validates) a module
    load_prints: bool = False   # whether it prints "load <ns>" itself; else the process is timed
    file: str = ""          # whose size counts
    is_native: bool = False
    has_cpu_clock: bool = True  # whether its processor time is its program's: not where starting
                                # takes longer than the work, or threads compile meanwhile


def version_of(command, environment=None):
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60,
                              env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = (done.stdout or done.stderr).strip()
    return text.splitlines()[0] if text else "unknown"


def alcove(path, label, tee, commit):
    modes = {"": ("--interpret",), "-fuel": ("--interpret", "--fuel", ENOUGH_FUEL),
             "-timeout": ("--interpret", "--timeout", "1h")}
    if os.access(path + "-compiler", os.X_OK):
        modes["-compiled"] = ("--compile", "--vouch") # what cannot be confined, too
    found = []
    for suffix, options in modes.items():
        found.append(Engine(label + suffix, commit, (path, "run", "--tee", tee, *options),
                            load=(path, "validate"), file=path))
    if tee == "none":
        modes = {suffix: modes[suffix] for suffix in ("", "-compiled") if suffix in modes}
        found += [Engine(label + suffix + "-emulated", commit,
                         (path, "run", "--tee", "emulated", *options), file=path)
                  for suffix, options in modes.items()]
    return found


def wasmi():
    path = peers.wasmi_path()
    if path is None:
        return []
    return [Engine("wasmi", version_of([path, "--version"]), (path,), file=path),
            Engine("wasmi-fuel", version_of([path, "--version"]), (path, "--fuel", ENOUGH_FUEL),
                   file=path)]


def wasmtime(cache):
    python = peers.wasmtime_python()
    if python is None:
        return []
    runner = str(HERE / "wasmtime_runner.py")
    return [Engine("wasmtime", "wasmtime " + peers.WASMTIME_VERSION, (*python, runner, "run"),
                   (str(cache),), load=(*python, runner, "validate"), load_prints=True,
                   has_cpu_clock=False)]


def node():
    path = shutil.which("node")
    if path is None:
        return []
    runner = str(HERE / "node_runner.mjs")
    return [Engine("node", "Node " + version_of([path, "--version"]),
                   (path, "--no-warnings", runner),
                   load=(path, "--no-warnings", runner, "--load"), load_prints=True, file=path,
                   has_cpu_clock=False)]


def by_path(name, variable, options=()):
    path = os.environ.get(variable)
    if not path:
        return []
    if not os.access(path, os.X_OK):
        raise SystemExit(f"bench: {variable}={path} is not a program")
    return [Engine(name, version_of([path, "--version"]), (path, *options), file=path)]


def wamr(cache):
    """WAMR's compiler, by default with guard pages, and with the compares that it needs in SGX."""
    wamrc, iwasm = os.environ.get("ALCOVE_BENCH_WAMRC"), os.environ.get("ALCOVE_BENCH_IWASM")
    if not wamrc or not iwasm:
        return []
    runner = str(HERE / "wamr_runner.py")
    return [Engine(name, "WAMR's compiler, " + version_of([wamrc, "--version"]),
                   (sys.executable, runner, wamrc, iwasm, str(cache), option))
            for name, option in (("wamr", "--bounds-checks=0"),
                                 ("wamr-compares", "--bounds-checks=1"))]


def all_engines(alcoves, tee, cache):
    """All that are here, in the order of the columns. `alcoves`: label -> (path, commit)."""
    found = [Engine("native", "clang -O3, not vectorised", (), is_native=True)]
    for label, (path, commit) in alcoves.items():
        found += alcove(path, label, tee, commit)
    found += wasmi() + by_path("wasm3", "ALCOVE_BENCH_WASM3") + by_path("iwasm",
                                                                        "ALCOVE_BENCH_IWASM")
    return found + wamr(cache) + wasmtime(cache) + node()


# What is not asked for by name does not run: variants of engines, and slow ways to run.
OPTIONAL = ("-fuel", "-timeout", "-emulated")


def chosen(engines, wanted):
    if not wanted:
        return [engine for engine in engines if not engine.name.endswith(OPTIONAL)]
    names = {engine.name for engine in engines}
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise SystemExit(f"bench: no engine {', '.join(unknown)} here; there are: "
                         + ", ".join(sorted(names)))
    return [engine for engine in engines if engine.name in wanted]
