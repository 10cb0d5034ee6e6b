#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks an enclave's ELF file and shows how large it is, room by room.

What an enclave may not contain cannot be left to habit: undefined symbols, relocations other than
RELR, writable code, objects from anywhere but alcove's rooms and libgcc, and instructions that
fault inside an enclave or need state that it does not own (SDM 34.6.1; VEX and EVEX need more than
XFRM=3). Exit code 0 when all is well, 1 with one line per finding otherwise.
"""
import argparse
import re
import struct
import subprocess
import sys

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_TLS = 1, 2, 3, 7
PF_X, PF_W = 1, 2
SHT_SYMTAB, SHT_RELA, SHT_REL, SHT_NOBITS, SHT_DYNSYM = 2, 4, 9, 8, 11
SHF_ALLOC = 2
ET_DYN = 3

# Faulting inside an enclave, or leaving it by another door than EEXIT.
FORBIDDEN = re.compile(
    r"^(syscall|sysenter|sysexit[lq]?|sysret[lq]?|int|int1|into|icebp|iret[lqw]?|cpuid"
    r"|rdpmc|rdtscp?|in|inb|inw|inl|out|outb|outw|outl|insb|insw|insl|ins|outsb|outsw|outsl|outs"
    r"|lcall[lqw]?|ljmp[lqw]?|lret[lqw]?|retf|hlt|cli|sti|clts|lgdt|lidt|lldt|ltr|lmsw|sgdt|sidt"
    r"|sldt|smsw|str|invd|wbinvd|invlpg|invpcid|rdmsr|wrmsr|swapgs|vmcall|vmfunc|vmmcall|getsec|rsm"
    r"|lds|les|lfs|lgs|lss|xsetbv|encls|monitor|mwait|xbegin)$")
SEGMENT = r"%(es|cs|ss|ds|fs|gs)"
LOADS_SEGMENT = re.compile(rf"^(mov[wlq]?\s+[^,]+,\s*{SEGMENT}|pop[wlq]?\s+{SEGMENT})\s*$")
LEGACY_PREFIXES = {0x66, 0xF2, 0xF3, 0xF0, 0x2E, 0x36, 0x3E, 0x26, 0x64, 0x65, 0x67}
PREFIX_WORDS = {"rep", "repz", "repnz", "repe", "repne", "lock", "bnd", "notrack", "data16",
                "addr32", "cs", "ds", "es", "ss", "fs", "gs", "rex.W", "rex"}
# Names that only a C library defines.
LIBC = re.compile(r"^(malloc|calloc|realloc|free|printf|fprintf|snprintf|puts|abort|exit|_exit"
                  r"|errno|__errno_location|__libc_\w+|_IO_\w+|__stdio_\w+|_start|pthread_\w+"
                  r"|dlopen|open|read|write|mmap|strcmp|strcpy)$")


class Elf:
    """Headers, sections and symbols of a little-endian ELF64 file."""

    def __init__(self, path):
        self.bytes = open(path, "rb").read()
        if self.bytes[:6] != b"\x7fELF\x02\x01":
            raise SystemExit(f"{path}: not a little-endian ELF64 file")
        (self.type, _, _, _, phoff, shoff, _, _, phsize, phcount, shsize, shcount, names) = \
            struct.unpack_from("<HHIQQQIHHHHHH", self.bytes, 16)
        self.segments = [struct.unpack_from("<IIQQQQQQ", self.bytes, phoff + i * phsize)
                         for i in range(phcount)]
        raw = [struct.unpack_from("<IIQQQQIIQQ", self.bytes, shoff + i * shsize)
               for i in range(shcount)]
        self.sections = [(self.text(raw[names][4] + s[0]),) + s[1:] for s in raw]

    def text(self, offset):
        return self.bytes[offset:self.bytes.index(b"\0", offset)].decode()

    def symbols(self):
        for section in self.sections:
            if section[1] not in (SHT_SYMTAB, SHT_DYNSYM):
                continue
            strings = self.sections[section[6]][4]
            for offset in range(section[4], section[4] + section[5], 24):
                name, info, _, index, value, size = struct.unpack_from(
                    "<IBBHQQ", self.bytes, offset)
                if name:
                    yield self.text(strings + name), info, index, value, size


def check_file(elf):
    if elf.type != ET_DYN:
        yield "is not position-independent (ET_DYN)"
    for kind, flags, *_ in elf.segments:
        if kind == PT_LOAD and flags & PF_X and flags & PF_W:
            yield "has a segment that is writable and executable"
        if kind in (PT_INTERP, PT_TLS):
            yield "has an interpreter or thread-local storage"
    for name, kind, _, _, _, size, *_ in elf.sections:
        if kind in (SHT_RELA, SHT_REL) and size:
            yield f"has relocations that are not RELR ({name}, {size} bytes)"
        if name.startswith((".init_array", ".fini_array", ".ctors", ".eh_frame")) and size:
            yield f"has a section that nobody runs or reads ({name})"
    for name, _, index, _, _ in elf.symbols():
        if index == 0:
            yield f"undefined symbol {name}"
        elif LIBC.match(name):
            yield f"defines {name}: a C library got in"


def is_vector_extended(code):
    """Whether the instruction bytes are VEX, EVEX or XOP encoded (64-bit mode)."""
    i = 0
    while i < len(code) and code[i] in LEGACY_PREFIXES:
        i += 1
    if i >= len(code):
        return False
    return code[i] in (0xC4, 0xC5, 0x62) or (
        code[i] == 0x8F and i + 1 < len(code) and code[i + 1] & 0x38 != 0)


def judge_instruction(code, text):
    """Why this instruction may not stand in an enclave, or None."""
    words = text.split()
    while words and words[0] in PREFIX_WORDS:
        words = words[1:]
    if not words:
        return None
    if FORBIDDEN.match(words[0]):
        return f"forbidden instruction {words[0]}"
    if LOADS_SEGMENT.match(" ".join(words)):
        return "loads a segment register"
    if words[0] == "(bad)":
        return "bytes that are no instruction"
    if is_vector_extended(code):
        return f"VEX, EVEX or XOP encoded instruction {words[0]}"
    return None


def check_code(path, objdump):
    listing = subprocess.run([objdump, "-d", "-w", "-M", "att", path],
                             check=True, capture_output=True, text=True).stdout
    function = "?"
    count = 0
    line_form = re.compile(r"^\s*([0-9a-f]+):\s+((?:[0-9a-f]{2} )+)\s*(.*)$")
    for line in listing.splitlines():
        label = re.match(r"^[0-9a-f]+ <(.+)>:$", line)
        if label:
            function = label.group(1)
            continue
        found = line_form.match(line)
        if not found:
            continue
        count += 1
        text = found.group(3).split("#")[0].strip()
        reason = judge_instruction(bytes.fromhex(found.group(2).replace(" ", "")), text)
        if reason:
            yield f"{reason} at {found.group(1)} in {function}: {text}"
    if count == 0:
        yield f"{objdump} found no instructions"


# -- sizes --

def kind_of(section):
    for prefix, kind in ((".text", "text"), (".data.rel.ro", "data"), (".data", "data"),
                         (".got", "data"), (".dynamic", "data"), (".bss", "bss")):
        if section == prefix or section.startswith(prefix + "."):
            return kind
    return "rodata"


def room_of(path):
    if "libgcc" in path:
        return "libgcc"
    if path.startswith("<internal>"):
        return "(linker)"
    if "_mbedtls.dir" in path:
        return "mbedtls"
    for form in (r"/src/([a-z_0-9]+)/", r"generated/([a-z_0-9]+)/"):
        found = re.search(form, path)
        if found:
            return found.group(1)
    return "(main)"


def read_lld_map(lines):
    """Yields output section, input file, size."""
    output = ""
    form = re.compile(r"^\s*[0-9a-f]+\s+[0-9a-f]+\s+([0-9a-f]+)\s+\d+ (\S.*)?$")
    indented = re.compile(r"^\s*[0-9a-f]+\s+[0-9a-f]+\s+([0-9a-f]+)\s+\d+ {9}(\S.*):\((.+)\)$")
    for line in lines:
        inner = indented.match(line)
        if inner:
            yield output, inner.group(2), int(inner.group(1), 16)
            continue
        outer = form.match(line)
        if outer and outer.group(2) and outer.group(2).startswith("."):
            output = outer.group(2).split()[0]


def read_bfd_map(lines):
    output = ""
    pending = None
    started = False
    for line in lines:
        started = started or line.startswith("Linker script and memory map")
        if not started:
            continue
        name = re.match(r"^(\.[\w.]+)", line)
        if name:
            output = name.group(1)
        found = re.match(r"^ (\.[\w.$]+|COMMON)?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$", line)
        if found and (found.group(1) or pending):
            yield output, found.group(4), int(found.group(3), 16)
        alone = re.match(r"^ (\.[\w.$]+)$", line)
        pending = alone.group(1) if alone else None


def read_map(path):
    lines = open(path).read().splitlines()
    reader = read_lld_map if "VMA" in lines[0] else read_bfd_map
    kept = {".text", ".rodata", ".data", ".bss", ".data.rel.ro", ".got", ".dynamic",
            ".alcove.layout", ".relr.dyn", ".dynsym", ".dynstr", ".gnu.hash", ".hash"}
    made_by_linker = {".dynamic", ".relr.dyn", ".dynsym", ".dynstr", ".gnu.hash", ".hash"}
    return [(section, "<internal>" if section in made_by_linker else file, size)
            for section, file, size in reader(lines) if section in kept]


def print_table(rows, elf):
    kinds = ("text", "rodata", "data", "bss")
    sizes = {}
    for section, file, size in rows:
        sizes.setdefault(room_of(file), dict.fromkeys(kinds, 0))[kind_of(section)] += size
    print(f"{'who uses it':<16}" + "".join(f"{kind:>10}" for kind in kinds))
    for room in sorted(sizes, key=lambda r: -sum(sizes[r][k] for k in kinds)):
        print(f"{room:<16}" + "".join(f"{sizes[room][kind]:>10}" for kind in kinds))
    totals = dict.fromkeys(kinds, 0)
    for name, kind, flags, _, _, size, *_ in elf.sections:
        if flags & SHF_ALLOC:
            totals["bss" if kind == SHT_NOBITS else kind_of(name)] += size
    print(f"{'sections':<16}" + "".join(f"{totals[kind]:>10}" for kind in kinds))
    return totals["text"] + totals["rodata"] + totals["data"]


def check_origins(rows):
    for file in sorted({file for _, file, size in rows if size}):
        if room_of(file) == "(linker)" or "libgcc" in file or file.endswith(".o"):
            continue
        yield f"linked from a place that is not known: {file}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("elf")
    parser.add_argument("--map", help="link map, for the table of sizes")
    parser.add_argument("--budget", type=int,
                        help="bytes allowed for text, rodata and data together")
    parser.add_argument("--objdump", default="objdump")
    arguments = parser.parse_args()
    elf = Elf(arguments.elf)
    findings = list(check_file(elf)) + list(check_code(arguments.elf, arguments.objdump))
    if arguments.map:
        rows = read_map(arguments.map)
        findings += check_origins(rows)
        total = print_table(rows, elf)
        if arguments.budget is not None:
            print(f"{total} bytes of {arguments.budget} allowed for text, rodata and data")
            if total > arguments.budget:
                findings.append(f"over budget by {total - arguments.budget} bytes")
    for finding in findings:
        print(f"{arguments.elf}: {finding}", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
