# SPDX-License-Identifier: Apache-2.0
"""Runs programs on engines and keeps what each run took."""
import dataclasses
import os
import re
import subprocess

REPORT = re.compile(r"^bench (\d+) ([0-9a-f]{16})$", re.M)
RUN_SECONDS = 120


@dataclasses.dataclass
class Run:
    """One run: times in nanoseconds, memory in KiB."""
    problem: str = ""       # why there are no figures
    kernel: int = 0         # as the program measured it
    checksum: str = ""
    wall: int = 0           # the whole process
    cpu: int = 0            # of the whole process, user and system
    peak: int = 0
    output: str = ""


def first_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if "not an enclave" not in line] or lines
    return lines[-1][:160] if lines else "no output"


def launch(launcher, folder, command):
    """Runs a command to its end and returns a Run without kernel time."""
    report = folder / f"launch-report-{os.getpid()}"
    try:
        done = subprocess.run([str(word) for word in (launcher, report, *command)], check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        return Run(problem=f"took more than {RUN_SECONDS} s")
    if done.returncode != 0:
        return Run(problem=first_line(done.stderr))
    wall, user, system, peak, status = map(int, report.read_text(encoding="utf-8").split())
    report.unlink()
    run = Run(wall=wall, cpu=(user + system) * 1000, peak=peak, output=done.stdout)
    if status != 0:
        run.problem = f"status {status}: {first_line(done.stderr or done.stdout)}"
    return run


def run_kernel(launcher, folder, command):
    run = launch(launcher, folder, command)
    if run.problem:
        return run
    found = REPORT.search(run.output)
    if found is None:
        run.problem = "printed no result"
        return run
    run.kernel, run.checksum = int(found.group(1)), found.group(2)
    return run


def command_of(engine, module, native, arguments=()):
    """None if the engine has no program to run."""
    if engine.is_native:
        return None if native is None else [native, *arguments]
    return None if module is None else [*engine.run, module, *engine.after, *arguments]


class Results:
    """All runs by workload and engine; the first problem of a pair ends its measuring."""

    def __init__(self):
        self.runs, self.problems, self.checksums, self.rounds = {}, {}, {}, 0

    def add(self, workload, engine, run):
        pair = (workload, engine)
        if run.problem:
            self.problems[pair] = run.problem
            return
        expected = self.checksums.setdefault(workload, run.checksum)
        if run.checksum != expected:
            self.problems[pair] = f"WRONG: checksum {run.checksum}, expected {expected}"
            self.runs.pop(pair, None)
            return
        self.runs.setdefault(pair, []).append(run)

    def figures(self, engine, field, scale=1.0):
        """Workload -> list of one field of all runs."""
        return {workload: [getattr(run, field) * scale for run in runs]
                for (workload, name), runs in self.runs.items() if name == engine}

    def wrong(self):
        return {pair: text for pair, text in self.problems.items() if text.startswith("WRONG")}


class Session:
    """How programs are run: with what launcher, where, and which clock counts."""

    def __init__(self, launcher, folder, use_cpu_time=False):
        self.launcher, self.folder, self.use_cpu_time = launcher, folder, use_cpu_time

    def run(self, workload, engine, built):
        """One measurement; None if the engine has nothing to run."""
        module, native = built[workload.name]
        command = command_of(engine, module, native)
        if command is None:
            return None
        run = run_kernel(self.launcher, self.folder, command)
        # Text kernels take no arguments: their own clock has to do.
        uses_cpu_time = self.use_cpu_time and engine.has_cpu_clock and not workload.is_text
        if uses_cpu_time and not run.problem:
            idle = run_kernel(self.launcher, self.folder,
                              command_of(engine, module, native, ["0"]))
            run.kernel = max(run.cpu - idle.cpu, 1)
        return run


def interleaved(workloads, built, engines, rounds, session, may_go_on, progress):
    """Rounds over all workloads and engines, so that a slow minute of the machine hits all alike.

    The native program runs first: its checksum is the one that all others must have. `may_go_on`
    is asked before each round but the first.
    """
    results = Results()
    for number in range(rounds):
        if number > 0 and not may_go_on(number):
            break
        progress(f"round {number + 1} of {rounds}")
        for workload in workloads:
            for engine in engines:
                if (workload.name, engine.name) in results.problems:
                    continue
                run = session.run(workload, engine, built)
                if run is not None:
                    results.add(workload.name, engine.name, run)
        results.rounds += 1
    return results
