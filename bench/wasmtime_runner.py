#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Uses wasmtime through its Python interface, in a process of its own.

  wasmtime_runner.py run program.wasm CACHE [ARGUMENT...]    runs a WASI program; compiled code is
                                                             kept in the folder CACHE
  wasmtime_runner.py validate program.wasm        prints how long decoding and validating takes
  wasmtime_runner.py translate input.wat output   text to binary
"""
import hashlib
import pathlib
import sys
import time

import wasmtime


def configuration():
    config = wasmtime.Config()
    for feature in ("wasm_gc", "wasm_exceptions", "wasm_function_references", "wasm_tail_call",
                    "wasm_memory64", "wasm_multi_memory", "wasm_relaxed_simd"):
        try:
            setattr(config, feature, True)
        except (AttributeError, wasmtime.WasmtimeError):
            pass  # a feature that this version does not name
    return config


def load(engine, path, cache):
    data = path.read_bytes()
    if cache is None:
        return wasmtime.Module(engine, data)
    kept = pathlib.Path(cache) / (hashlib.sha256(data).hexdigest()[:32] + ".cwasm")
    if kept.exists():
        return wasmtime.Module.deserialize_file(engine, str(kept))
    module = wasmtime.Module(engine, data)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(module.serialize())
    return module


def run(engine, path, cache, *arguments):
    module = load(engine, path, cache)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    store = wasmtime.Store(engine)
    wasi = wasmtime.WasiConfig()
    wasi.argv = ["program", *arguments]
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    store.set_wasi(wasi)
    instance = linker.instantiate(store, module)
    try:
        instance.exports(store)["_start"](store)
    except wasmtime.ExitTrap as end:
        return end.code
    return 0


def main():
    command, path, *rest = sys.argv[1:]
    path = pathlib.Path(path)
    if command == "translate":
        pathlib.Path(rest[0]).write_bytes(wasmtime.wat2wasm(path.read_text(encoding="utf-8")))
        return 0
    engine = wasmtime.Engine(configuration())
    if command == "run":
        return run(engine, path, *rest)
    data = path.read_bytes()
    start = time.perf_counter_ns()
    wasmtime.Module.validate(engine, data)
    print("load", time.perf_counter_ns() - start)
    return 0


if __name__ == "__main__":
    sys.exit(main())
