# SPDX-License-Identifier: Apache-2.0
"""Puts measurements into tables and into the document that is saved."""
import os

import figures
import workloads as workload_table

NATIVE = "native"
# Engines that interpret: the ones that an interpreter is held against.
INTERPRETERS = ("wasmi", "wasm3", "iwasm")


def heading(facts, engines, options, rounds):
    lines = ["", f"{facts.get('processor', '?')}, {facts['cores']} cores, {facts.get('memory')}",
             f"{facts['system']}; {facts['compiler']}", f"{facts['date']}, load "
             + " ".join(f"{value:.2f}" for value in facts["load"])]
    lines += [f"  {engine.name}: {engine.version}" for engine in engines]
    clock = "wall time of the kernel"
    if options.cpu_time:
        clock = ("processor time of the process, less that of a run without work (wasmtime, Node:"
                 " wall time)")
    lines.append("clock: " + clock
                 + ("; fastest round" if options.minimum else "; median of rounds")
                 + f"; {rounds} of {1 if options.quick else options.rounds} rounds")
    return "\n".join(lines)


def cell(values, base):
    """A ratio of medians with its spread."""
    if not values or not base:
        return "-"
    ratio = figures.figure(values) / figures.figure(base)
    return f"{ratio:.2f} ±{100 * figures.spread(values):.0f}%"


def mean_cell(measured, base, names):
    found = figures.ratios(measured, base, names)
    if not found:
        return "-"
    part = "" if len(found) == len(names) else f" ({len(found)}/{len(names)})"
    return f"{figures.geometric_mean(found.values()):.2f}{part}"


def group_rows(chosen, label, groups, times, names):
    members = [workload.name for workload in chosen if workload.group in groups]
    row = [f"= {label}", ""]
    base = times.get(NATIVE, {})
    return [row + [mean_cell(times[name], base, members) for name in names]] if members else []


def speed(chosen, engines, results):
    """Times over native, then alcove's speed over each peer's."""
    names = [engine.name for engine in engines if not engine.is_native]
    times = {engine.name: results.figures(engine.name, "kernel", 1e-6) for engine in engines}
    base = times.get(NATIVE, {})
    rows = []
    for group in workload_table.GROUPS:
        for workload in chosen:
            if workload.group == group:
                native = base.get(workload.name)
                rows.append([workload.name, figures.number(figures.figure(native), 1)
                             if native else "-"]
                            + [cell(times[name].get(workload.name), native) for name in names])
        rows += group_rows(chosen, group, (group,), times, names)
    rows += group_rows(chosen, "required groups", workload_table.REQUIRED, times, names)
    rows += group_rows(chosen, "all", workload_table.GROUPS, times, names)
    text = "\nTime over native (± spread; lower is better)\n"
    text += figures.table(["workload", "native ms", *names], rows)
    return text + speed_over_peers(chosen, names, times)


def speed_over_peers(chosen, names, times):
    ours = [name for name in names if name.startswith("alcove") or "alcove" in name]
    text = ""
    for own in ours[:1] if ours else names[:1]:
        others = [name for name in names if name != own]
        rows = []
        for label, groups in [*((group, (group,)) for group in workload_table.GROUPS),
                              ("required groups", workload_table.REQUIRED),
                              ("all", workload_table.GROUPS)]:
            members = [one.name for one in chosen if one.group in groups]
            if members:
                rows.append([label] + [mean_cell(times[other], times[own], members)
                                       for other in others])
        text += f"\n\nSpeed of {own} over others (geometric mean; higher is better for {own})\n"
        text += figures.table(["group", *others], rows)
        text += worst(chosen, own, others, times)
    return text


def worst(chosen, own, others, times):
    """Workloads where the fastest other interpreter is ahead."""
    lines = []
    for workload in chosen:
        rivals = {name: figures.figure(times[name][workload.name]) for name in others
                  if name in INTERPRETERS and times[name].get(workload.name)}
        if not rivals or not times[own].get(workload.name):
            continue
        best = min(rivals, key=rivals.get)
        ratio = rivals[best] / figures.figure(times[own][workload.name])
        lines.append((ratio, f"{workload.name} {ratio:.2f} ({best})"))
    lines.sort()
    behind = [text for ratio, text in lines if ratio < 0.9]
    if not lines:
        return ""
    return (f"\n{own} below 0.9 of the best other interpreter: " + (", ".join(behind) or "none")
            + "\nleast: " + ", ".join(text for _, text in lines[:5])
            + "; most: " + ", ".join(text for _, text in lines[-3:]))


def memory(chosen, engines, results):
    names = [engine.name for engine in engines]
    peaks = {name: results.figures(name, "peak", 1 / 1024) for name in names}
    rows = [[workload.name] + [figures.number(figures.figure(peaks[name][workload.name]), 1)
                               if peaks[name].get(workload.name) else "-" for name in names]
            for workload in chosen]
    return "\nPeak memory of the process, MiB\n" + figures.table(["workload", *names], rows)


def sizes(chosen, built, engines):
    rows = []
    for workload in chosen:
        paths = built[workload.name]
        rows.append([workload.name] + [os.path.getsize(path) if path else "-" for path in paths])
    text = "\nSize in bytes\n" + figures.table(["workload", "module", "native"], rows) + "\n"
    return text + figures.table(["engine", "program"],
                                [[engine.name, os.path.getsize(engine.file)]
                                 for engine in engines if engine.file])


def problems(results):
    return [f"{workload} on {engine}: {text}"
            for (workload, engine), text in sorted(results.problems.items())]


def document(facts, chosen, engines, results, built, starts):
    """Everything, for programs that compare runs."""
    table = []
    for workload in chosen:
        module = built[workload.name][0]
        entry = {"name": workload.name, "group": workload.group,
                 "checksum": results.checksums.get(workload.name),
                 "module_bytes": os.path.getsize(module) if module else None, "engines": {}}
        for engine in engines:
            runs = results.runs.get((workload.name, engine.name))
            if runs:
                entry["engines"][engine.name] = {
                    "kernel_ns": [run.kernel for run in runs],
                    "wall_ns": [run.wall for run in runs], "peak_kib": [run.peak for run in runs]}
            elif (workload.name, engine.name) in results.problems:
                entry["engines"][engine.name] = {
                    "problem": results.problems[(workload.name, engine.name)]}
        table.append(entry)
    return {"machine": facts, "engines": {engine.name: engine.version for engine in engines},
            "workloads": table, "starts": starts}


def self_test():
    assert cell([20.0, 20.0, 22.0], [2.0]) == "10.00 ±0%" and cell([], [1.0]) == "-"
    assert mean_cell({"a": [8.0], "b": [2.0]}, {"a": [1.0], "b": [1.0]}, ["a", "b"]) == "4.00"
    assert mean_cell({"a": [8.0]}, {"a": [1.0]}, ["a", "b"]) == "8.00 (1/2)"
