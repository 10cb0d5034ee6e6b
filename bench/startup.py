# SPDX-License-Identifier: Apache-2.0
"""Start-up figures: a whole process with an empty program, and loading of large modules."""
import os
import re

import figures
import measure

LOAD = re.compile(r"^load (\d+)$", re.M)
RUNS = 15
LARGE = ("sqlite", "quickjs")
# A memory, exported, and an empty function _start.
EMPTY = bytes.fromhex("0061736d0100000001040160000003020100050301000107130206" + b"memory".hex()
                      + "0200" + "06" + b"_start".hex() + "0000" + "0a040102000b")


def write_empty(folder):
    path = folder / "empty.wasm"
    path.write_bytes(EMPTY)
    return path


def time_of(engine, command, launcher, folder, is_load):
    """Nanoseconds of one start, or None."""
    run = measure.launch(launcher, folder, command)
    if run.problem:
        return None
    if is_load and engine.load_prints:
        found = LOAD.search(run.output)
        return int(found.group(1)) if found else None
    return run.wall


def sample(engines, command_for, launcher, folder, is_load=False):
    """Engine name -> nanoseconds of each run, interleaved."""
    times = {}
    for _ in range(RUNS):
        for engine in engines:
            command = command_for(engine)
            if command is None:
                continue
            value = time_of(engine, command, launcher, folder, is_load)
            if value is not None:
                times.setdefault(engine.name, []).append(value)
    return times


def measure_all(engines, built, launcher, folder):
    """What was started -> engine -> list of nanoseconds."""
    empty = write_empty(folder)
    found = {"process, empty program": sample(
        [engine for engine in engines if not engine.is_native],
        lambda engine: [*engine.run, empty, *engine.after], launcher, folder)}
    loaders = [engine for engine in engines if engine.load]
    base = sample(loaders, lambda engine: [*engine.load, empty], launcher, folder, True)
    for name in LARGE:
        module = built.get(name, (None, None))[0]
        if module is None:
            continue
        times = sample(loaders, lambda engine, path=module: [*engine.load, path], launcher, folder,
                       True)
        for engine in loaders:
            # Where the whole process is timed, its start without a module's load is taken off.
            if engine.name in times and not engine.load_prints:
                start = figures.figure(base[engine.name])
                times[engine.name] = [max(value - start, 1) for value in times[engine.name]]
        found[f"load {name}, {os.path.getsize(module) / 1e6:.2f} MB"] = times
    return found
