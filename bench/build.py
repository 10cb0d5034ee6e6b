# SPDX-License-Identifier: Apache-2.0
"""Compiles workloads: each to a WebAssembly module and to a native program from the same source.

The native program is compiled without vectorisers: it is the measure, and a vectorised loop would
measure the compiler. Results stand in build/bench; what has not changed is not compiled again.
"""
import concurrent.futures
import hashlib
import os
import pathlib
import shutil
import subprocess

import packages
import peers

HERE = pathlib.Path(__file__).resolve().parent
KERNELS = HERE / "kernels"
PROGRAMS = HERE / "programs"
CLANG = "clang-19"
COMMON = ("-O3", "-std=gnu11", "-ffp-contract=off", "-fno-math-errno")
# After -O3, which would switch them on again.
NATIVE = ("-fno-vectorize", "-fno-slp-vectorize")
# What later versions of clang take as the default.
WASM = ("--target=wasm32-wasi", "-mbulk-memory", "-msign-ext", "-mnontrapping-fptoint",
        "-mmutable-globals")
STAMPS = "stamps"


def content_hash(command, files):
    """What a result depends on: the command, and the content of the files."""
    state = hashlib.sha256("\0".join(str(word) for word in command).encode())
    for file in sorted(files):
        state.update(file.read_bytes())
    return state.hexdigest()


def compile_once(output, command, files):
    """Runs the command unless its result is here. Returns None, or why it failed."""
    stamp = output.parent / STAMPS / output.name
    wanted = content_hash(command, files)
    if output.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return None
    stamp.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([str(word) for word in command], check=False, capture_output=True,
                          text=True)
    if done.returncode != 0:
        return "\n".join(done.stderr.splitlines()[:4])
    stamp.write_text(wanted, encoding="utf-8")
    return None


def sources_of(workload):
    """(C files, include folders, flags, more flags for WASI); None if a package cannot be had."""
    shared = [KERNELS / "harness.c"]
    if not workload.package:
        return [*shared, KERNELS / f"{workload.source}.c"], [KERNELS], (), ()
    package = packages.PACKAGES[workload.package]
    folder = peers.fetch_crate(package.crate, package.version, package.sha256)
    if folder is None:
        return None
    folder /= package.folder
    files = [file for pattern in package.sources for file in sorted(folder.glob(pattern))
             if file.name not in package.without]
    return ([*shared, PROGRAMS / f"{workload.source}.c", *files],
            [KERNELS, folder, PROGRAMS / "include"], package.flags, package.wasm_flags)


def compile_c(workload, output, target):
    found = sources_of(workload)
    if found is None:
        return "its sources cannot be had"
    files, includes, flags, wasm_flags = found
    if target is WASM:
        flags = (*flags, *wasm_flags, *workload.flags)
    command = [CLANG, *COMMON, *target, *flags,
               f"-DBENCH_KERNEL={workload.name}", f"-DBENCH_ROUNDS={workload.rounds}",
               *(f"-I{folder}" for folder in includes), *files, "-o", output]
    if workload.package:
        command += ["-w"]
    command += ["-lm"]
    headers = [file for folder in (KERNELS, PROGRAMS) for file in folder.rglob("*.h")]
    return compile_once(output, command, [*files, *headers])


def translate(workload, output):
    """Text to binary: the shared prelude, then the kernel with its number of rounds."""
    prelude = (KERNELS / "prelude.wat").read_text(encoding="utf-8")
    text = (KERNELS / f"{workload.source}.wat").read_text(encoding="utf-8")
    whole = output.with_suffix(".wat")
    content = f"(module\n{prelude}{text.replace('ROUNDS', str(workload.rounds))})\n"
    if not whole.exists() or whole.read_text(encoding="utf-8") != content:
        whole.write_text(content, encoding="utf-8")
    python = peers.wasmtime_python()
    if python is None:
        return "needs the wasmtime package to translate its text"
    return compile_once(output, [*python, HERE / "wasmtime_runner.py", "translate", whole, output],
                        [whole])


def build(workload, folder):
    """Builds both; returns (module or None, native program or None, problems)."""
    module = folder / "wasm" / f"{workload.name}.wasm"
    native = folder / "native" / workload.name
    problems = []
    outcomes = {module: translate(workload, module) if workload.is_text
                else compile_c(workload, module, WASM),
                native: compile_c(workload, native, NATIVE)}
    for output, problem in outcomes.items():
        if problem is not None:
            problems.append(f"{workload.name}: {output.name}: {problem}")
    return (module if outcomes[module] is None else None,
            native if outcomes[native] is None else None, problems)


def build_all(workloads, folder):
    """Workload name -> (module, native program); and a list of problems."""
    if shutil.which(CLANG) is None:
        raise SystemExit(f"bench: no {CLANG} (tools/bootstrap bench)")
    for part in ("wasm", "native"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    built, problems = {}, []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for workload, result in zip(workloads, pool.map(lambda one: build(one, folder), workloads)):
            built[workload.name] = result[:2]
            problems += result[2]
    return built, problems


def build_launcher(folder):
    folder.mkdir(parents=True, exist_ok=True)
    launcher = folder / "launch"
    source = HERE / "launch.c"
    problem = compile_once(launcher, [CLANG, "-O2", "-Wall", source, "-o", launcher], [source])
    if problem is not None:
        raise SystemExit(f"bench: {problem}")
    return launcher
