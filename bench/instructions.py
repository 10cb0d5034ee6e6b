# SPDX-License-Identifier: Apache-2.0
"""Counts executed instructions under valgrind: the same on a busy machine as on a quiet one.

Counted is a part of a workload's rounds, less a run that does no work. Instructions are not time (a
processor overlaps them), but two builds of one engine compare well by them.
"""
import re
import shutil
import subprocess

import figures
import measure
import workloads as workload_table

COUNT = re.compile(r"I\s+refs:\s+([\d,]+)")
PART = 10           # of the rounds
RUN_SECONDS = 600
TOOL = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")


def count(command):
    """Instructions of a command that must end well; None if they cannot be counted."""
    try:
        done = subprocess.run([*TOOL, *map(str, command)], check=False, capture_output=True,
                              text=True, errors="replace", stdin=subprocess.DEVNULL,
                              timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        return None
    found = COUNT.search(done.stderr)
    return int(found.group(1).replace(",", "")) if found and done.returncode == 0 else None


def of_workload(workload, engine, built):
    """Instructions of one round, on average; None if they cannot be had."""
    rounds = max(workload.rounds // PART, 1)
    counts = []
    for number in (rounds, 0):
        command = measure.command_of(engine, *built[workload.name], [str(number)])
        counts.append(None if command is None else count(command))
    return None if None in counts else max(counts[0] - counts[1], 1) / rounds


def countable(workloads, engines):
    """Text kernels take no number of rounds; wasmtime and Node do not run under valgrind."""
    return ([workload for workload in workloads if not workload.is_text],
            [engine for engine in engines if engine.has_cpu_clock])


def measure_all(workloads, engines, built, progress):
    """Engine name -> workload name -> instructions of a round."""
    if shutil.which(TOOL[0]) is None:
        raise SystemExit("bench: counting instructions needs valgrind on PATH")
    found = {engine.name: {} for engine in engines}
    for workload in workloads:
        progress(f"counting {workload.name}")
        for engine in engines:
            value = of_workload(workload, engine, built)
            if value is not None:
                found[engine.name][workload.name] = value
    return found


def mean(counts, name, base, members):
    shared = [member for member in members if member in counts[name] and member in counts[base]]
    return figures.number(figures.geometric_mean([counts[name][member] / counts[base][member]
                                                  for member in shared]))


def table(workloads, engines, counts):
    """The first engine's instructions, and the others as multiples of them."""
    base, *others = [engine.name for engine in engines]
    rows = []
    for workload in workloads:
        own = counts[base].get(workload.name)
        rows.append([workload.name, figures.number(own and own / 1e3, 1)]
                    + [figures.number(own and counts[name].get(workload.name)
                                      and counts[name][workload.name] / own) for name in others])
    for label, groups in (("= required groups", workload_table.REQUIRED),
                          ("= all", workload_table.GROUPS)):
        members = [workload.name for workload in workloads if workload.group in groups]
        rows.append([label, ""] + [mean(counts, name, base, members) for name in others])
    return (f"\nInstructions of one round (thousands on {base}; others as multiples)\n"
            + figures.table(["workload", base, *others], rows))
