#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures alcove side by side with other engines; bench/README.md tells what and how.

  bench/run.py                       everything: ten to fifteen minutes on two cores
  bench/run.py --quick               one round
  bench/run.py --only gemm,lua       these workloads, or whole groups
  bench/run.py --engines alcove,wasmi
"""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

import build
import engines as engine_table
import figures
import instructions
import measure
import peers
import report
import startup
import workloads as workload_table

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "bench"
BUDGET_SECONDS = 720


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds over everything (5)")
    parser.add_argument("--quick", action="store_true", help="one round, no start-up figures")
    parser.add_argument("--only", default="", help="workloads or groups, separated by commas")
    parser.add_argument("--engines", default="", help="engines, separated by commas; variants"
                        " (alcove-fuel, alcove-timeout, alcove-emulated, wasmi-fuel) by name only")
    parser.add_argument("--alcove", action="append", default=[], metavar="[LABEL=]PATH",
                        help="build of alcove to measure (build/alcove); repeatable")
    parser.add_argument("--tee", default="none", choices=("none", "emulated"),
                        help="how alcove runs programs (none)")
    parser.add_argument("--memory", action="store_true", help="also print peak memory")
    parser.add_argument("--size", action="store_true", help="also print sizes of modules")
    parser.add_argument("--minimum", action="store_true",
                        help="take the fastest round instead of the median (busy machines)")
    parser.add_argument("--cpu-time", action="store_true",
                        help="count the process's processor time instead of the kernel's wall time")
    parser.add_argument("--instructions", action="store_true",
                        help="count instructions under valgrind instead of time")
    parser.add_argument("--no-startup", action="store_true", help="no start-up figures")
    parser.add_argument("--no-install", action="store_true", help="take only what is here")
    parser.add_argument("--budget", type=int, default=BUDGET_SECONDS,
                        help=f"seconds after which no new round begins ({BUDGET_SECONDS})")
    parser.add_argument("--output", default=str(FOLDER / "results.json"))
    parser.add_argument("--list", action="store_true", help="list workloads and engines")
    parser.add_argument("--self-test", action="store_true", help="test the statistics")
    return parser.parse_args()


def split(text):
    return [word for word in text.split(",") if word]


def select(wanted):
    table = workload_table.all_workloads()
    if not wanted:
        return table
    known = {workload.name for workload in table} | set(workload_table.GROUPS)
    unknown = [word for word in wanted if word not in known]
    if unknown:
        raise SystemExit(f"bench: no workload or group {', '.join(unknown)} (--list shows all)")
    return [workload for workload in table
            if workload.name in wanted or workload.group in wanted]


def commit_of(path):
    """The commit of the source tree that a program was built in, if it is in one."""
    done = subprocess.run(["git", "-C", str(pathlib.Path(path).resolve().parent), "describe",
                           "--always", "--dirty"], check=False, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def alcoves(given):
    """Label -> (path, commit)."""
    found = {}
    for word in given or [str(ROOT / "build" / "alcove")]:
        label, _, path = word.rpartition("=")
        if not os.access(path, os.X_OK):
            raise SystemExit(f"bench: {path} is not a program (make builds build/alcove)")
        found[label or "alcove"] = (path, commit_of(path))
    return found


def machine():
    """What figures depend on; recorded with them."""
    facts = {"system": platform.platform(), "cores": os.cpu_count(),
             "date": time.strftime("%Y-%m-%d %H:%M:%S %z"), "load": os.getloadavg()}
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            facts["processor"] = line.split(":", 1)[1].strip()
            break
    for line in pathlib.Path("/proc/meminfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("MemTotal"):
            facts["memory"] = line.split(":", 1)[1].strip()
    facts["compiler"] = engine_table.version_of([build.CLANG, "--version"])
    return facts


def self_test():
    figures.self_test()
    report.self_test()
    names = [workload.name for workload in workload_table.all_workloads()]
    assert len(names) == len(set(names)), "two workloads of one name"
    for workload in workload_table.all_workloads():
        folder = build.PROGRAMS if workload.package else build.KERNELS
        assert (folder / f"{workload.source}.c").exists(), workload.name
        assert not workload.is_text or (folder / f"{workload.source}.wat").exists(), workload.name
    results = measure.Results()
    results.add("a", "native", measure.Run(kernel=1, checksum="00"))
    results.add("a", "x", measure.Run(kernel=2, checksum="01"))
    assert ("a", "x") in results.wrong() and results.figures("native", "kernel") == {"a": [1]}
    print("bench: self-test passed")


def save(path, document):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"\nAll figures: {path}")


def main():
    options = parse_arguments()
    if options.self_test:
        self_test()
        return 0
    return run(options)


def run(options):
    figures.USE_MINIMUM = options.minimum
    start = time.monotonic()
    chosen = select(split(options.only))
    if not options.no_install and not options.list:
        peers.install_all()
    present = engine_table.all_engines(alcoves(options.alcove), options.tee, FOLDER / "compiled")
    if options.list:
        print("workloads:", ", ".join(workload.name for workload in chosen))
        print("engines:", ", ".join(engine.name for engine in present))
        return 0
    engines = engine_table.chosen(present, split(options.engines))
    launcher = build.build_launcher(FOLDER)
    built, problems = build.build_all(chosen, FOLDER)
    if options.instructions:
        chosen, engines = instructions.countable(chosen, engines)
        counts = instructions.measure_all(chosen, engines, built, peers.say)
        print(instructions.table(chosen, engines, counts))
        return 0
    session = measure.Session(launcher, FOLDER, options.cpu_time)
    results = measure.interleaved(
        chosen, built, engines, 1 if options.quick else options.rounds, session,
        lambda number: (time.monotonic() - start) * (number + 1) / number < options.budget,
        peers.say)
    facts = machine()
    print(report.heading(facts, engines, options, results.rounds))
    print(report.speed(chosen, engines, results))
    if options.memory:
        print(report.memory(chosen, engines, results))
    if options.size:
        print(report.sizes(chosen, built, engines))
    starts = {}
    if not options.quick and not options.no_startup and not options.only:
        starts = startup.measure_all(engines, built, session)
        print(startup.table(engines, starts))
        print(startup.instances(ROOT / "build" / "bench_instances", built), end="")
    for text in [*problems, *report.problems(results)]:
        print(f"left out: {text}")
    save(options.output, report.document(facts, chosen, engines, results, built, starts))
    return 1 if results.wrong() else 0


if __name__ == "__main__":
    sys.exit(main())
