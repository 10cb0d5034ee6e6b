# SPDX-License-Identifier: Apache-2.0
"""The table of workloads: one row each, grouped as results are printed.

Columns: name, file in kernels/ (without its ending), rounds. The rounds make a native run take
some 20 ms, so that an interpreter takes a quarter of a second. A kernel's function has the name of
its row. Groups marked required are the ones whose geometric mean the project promises.
"""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    group: str
    source: str
    rounds: int
    is_text: bool = False       # kernels/<source>.wat, with a native twin in C
    flags: tuple = ()           # for the compiler, beyond the common ones
    package: str = ""           # programs/<source>.c with this package's sources (packages.py)


REQUIRED = ("coremark", "polybench", "crypto", "compression", "interpreter")
GROUPS = REQUIRED + ("application", "micro", "simd", "proposal")

KERNELS = {
    "coremark": [("core", "core", 250)],
    "polybench": [
        ("gemm", "linear", 250), ("two_mm", "linear", 65), ("lu", "linear", 400),
        ("cholesky", "linear", 650), ("atax", "linear", 4500), ("jacobi_2d", "stencil", 4000),
        ("seidel_2d", "stencil", 600), ("floyd_warshall", "stencil", 120),
    ],
    "crypto": [
        ("sha256", "sha256", 1200), ("chacha20", "chacha20", 2400), ("aes_ctr", "aes_ctr", 1600),
        ("x25519", "x25519", 40),
    ],
    "compression": [("lz", "lz", 300), ("huffman", "huffman", 45)],
    "interpreter": [("machine", "machine", 180), ("pattern", "pattern", 150)],
    "micro": [
        ("integer_mix", "integer", 22), ("integer_divide", "integer", 64), ("sieve", "integer", 75),
        ("mandelbrot", "floating", 55), ("nbody", "floating", 300), ("convert", "floating", 500),
        ("memory_stream", "memory", 900), ("memory_bulk", "memory", 40000),
        ("memory_chase", "memory", 150), ("fibonacci", "calls", 500), ("tak", "calls", 30),
        ("indirect_calls", "calls", 40), ("quicksort", "branches", 100),
        ("queens", "branches", 400), ("scanner", "branches", 4000),
    ],
}

SIMD = ("-msimd128",)
PACKAGES = {
    "compression": [("zlib", 6), ("zstd", 9)],
    "interpreter": [("lua", 24), ("quickjs", 12)],
    "application": [("sqlite", 3), ("json", 28)],
}


def all_workloads():
    table = []
    for group in GROUPS:
        table += [Workload(name, group, source, rounds)
                  for name, source, rounds in KERNELS.get(group, ())]
        table += [Workload(name, group, name, rounds, package=name)
                  for name, rounds in PACKAGES.get(group, ())]
    table += [Workload("simd_matrix", "simd", "simd", 500, flags=SIMD),
              Workload("simd_bytes", "simd", "simd", 20000, flags=SIMD),
              Workload("gc_trees", "proposal", "gc_trees", 2000, is_text=True),
              Workload("exceptions", "proposal", "exceptions", 400000, is_text=True)]
    return table
