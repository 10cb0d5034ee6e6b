#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that tools/check_image.py finds what it is there to find: for each rule a small program
that breaks it, and one that breaks none.

arguments: C compiler, tools/check_image.py, a folder for the programs
"""
import os
import subprocess
import sys

CLEAN = "nop\n ud2\n rep movsb\n lock addq $1, (%rdi)\n xorps %xmm0, %xmm0\n" \
        " .byte 0x0f,0x01,0xd7\n movq %fs:0x28, %rax\n movl %ds, %eax\n lfence\n" \
        " rdrand %rax\n pushfq\n popfq\n"
BAD_CODE = {
    "syscall": "syscall", "sysenter": "sysenter", "int": "int $0x80", "cpuid": "cpuid",
    "rdpmc": "rdpmc", "rdtsc": "rdtsc", "in": "inb %dx, %al", "out": "outl %eax, $0x10",
    "string out": "rep outsb", "far jump": "ljmpl *(%rax)", "far call": "lcall *(%rax)",
    "far return": "lretq", "iret": "iretq", "VEX": "vpxor %xmm0, %xmm0, %xmm0",
    "VEX general": "andn %rax, %rbx, %rcx", "EVEX": "vpxorq %zmm0, %zmm1, %zmm2",
    "segment load": "movl %eax, %es", "segment pop": "popq %fs", "sgdt": "sgdt (%rax)",
    "hlt": "hlt", "behind a prefix": ".byte 0xf3\n syscall",
}
BAD_DATA = {
    "undefined symbol": "call missing",
    "libc": ".globl malloc\nmalloc: ret",
    "constructor": ".section .init_array,\"aw\"\n .quad 0",
}


def build(compiler, folder, name, code, options=(), shape="-static-pie"):
    source, program = os.path.join(folder, name + ".s"), os.path.join(folder, name)
    with open(source, "w") as file:
        file.write(f".text\n.globl _entry\n_entry:\n {code}\n"
                   " .section .note.GNU-stack,\"\",@progbits\n")
    subprocess.run([compiler, "-nostdlib", shape, "-Wl,-e,_entry", "-Wl,--build-id=none",
                    "-Wl,--no-dynamic-linker", "-Wl,-Map=" + program + ".map", *options,
                    "-o", program, source], check=True)
    return program


def check(checker, program, *options):
    return subprocess.run([sys.executable, checker, program, *options], capture_output=True,
                          text=True)


def main():
    compiler, checker, folder = sys.argv[1:4]
    os.makedirs(folder, exist_ok=True)
    failures = []

    def expect(name, result, finding):
        good = result.returncode == (1 if finding else 0) and finding in result.stderr
        print(f"{'ok' if good else 'NOT OK'}: {name}: {result.stderr.strip() or 'clean'}")
        if not good:
            failures.append(name)

    clean = build(compiler, folder, "clean", CLEAN)
    expect("clean", check(checker, clean), "")
    expect("budget kept", check(checker, clean, "--map", clean + ".map", "--budget", "100000"), "")
    expect("budget exceeded", check(checker, clean, "--map", clean + ".map", "--budget", "10"),
           "over budget")
    for name, code in BAD_CODE.items():
        program = build(compiler, folder, "bad_" + name.replace(" ", "_"), code)
        word = "VEX" if "VEX" in name else "segment" if "segment" in name else "forbidden"
        expect(name, check(checker, program), word)
    for name, code in BAD_DATA.items():
        program = build(compiler, folder, "bad_" + name.replace(" ", "_"), code,
                        shape="-shared" if name == "undefined symbol" else "-static-pie")
        expect(name, check(checker, program),
               {"undefined symbol": "undefined symbol missing", "libc": "C library",
                "constructor": ".init_array"}[name])
    relocation = build(compiler, folder, "bad_relocation", ".data\n .quad _entry\n .text")
    expect("relocation", check(checker, relocation), "not RELR")
    writable = build(compiler, folder, "bad_writable", "ret", ["-Wl,-N"])
    expect("writable code", check(checker, writable), "writable and executable")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
