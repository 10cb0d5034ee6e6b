# SPDX-License-Identifier: Apache-2.0
"""Modules for differential tests: each follows from a profile, a number, and the pinned versions.

A profile is a choice of features and sizes for `wasm-tools smith`. Valid modules are also damaged
here, byte by byte and with their section and body sizes set right again, so that the damage reaches
the code behind the first check.
"""
import hashlib
import random
import subprocess

SEED_SIZES = (300, 2000, 6000, 16000)
GENERATE_S = 20
# Everything off that no profile asks for; sizes that keep a run short.
BASE = {
    "canonicalize-nans": "true", "export-everything": "true", "max-imports": 0, "max-funcs": 12,
    "max-globals": 8, "max-instructions": 120, "max-memories": 1, "max-tables": 2, "max-tags": 0,
    "max-types": 20, "max-type-size": 200, "max-data-segments": 4, "max-element-segments": 4,
    "max-elements": 10, "min-funcs": 3, "min-memories": 0, "memory-max-size-required": "true",
    "table-max-size-required": "true", "max-memory32-bytes": 262144, "max-memory64-bytes": 262144,
    "max-table-elements": 40, "max-nesting-depth": 60, "allow-start-export": "true",
    "generate-custom-sections": "false", "limit-arrays-in-const-exprs": "true",
    "bulk-memory-enabled": "true", "multi-value-enabled": "true", "reference-types-enabled": "true",
    "saturating-float-to-int-enabled": "true", "sign-extension-ops-enabled": "true",
    "extended-const-enabled": "true", "simd-enabled": "false", "relaxed-simd-enabled": "false",
    "tail-call-enabled": "false", "memory64-enabled": "false", "exceptions-enabled": "false",
    "gc-enabled": "false", "threads-enabled": "false", "wide-arithmetic-enabled": "false",
    "custom-page-sizes-enabled": "false", "compact-imports-enabled": "false",
    "custom-descriptors-enabled": "false", "shared-everything-threads-enabled": "false",
    "acquire-release-atomics-enabled": "false", "multibyte-array-access-enabled": "false",
}
SIMD = {"simd-enabled": "true", "relaxed-simd-enabled": "true"}
EXCEPTIONS = {"exceptions-enabled": "true", "max-tags": 4}
MEMORIES = {"max-memories": 4, "memory64-enabled": "true", "custom-page-sizes-enabled": "true"}
MORE = {"tail-call-enabled": "true", "wide-arithmetic-enabled": "true"}
GC = {"gc-enabled": "true", "max-types": 30}
BIG = {"max-instructions": 600, "max-funcs": 30}
IMPORTS = {"max-imports": 14, "max-tables": 3, "max-globals": 14, "max-funcs": 20,
           "max-types": 60, "max-type-size": 1000}
PROFILES = {
    "plain": {},
    "integers": {"allow-floats": "false", "max-instructions": 300, **MORE},
    "simd": SIMD,
    "memories": {"min-memories": 1, **MEMORIES, **SIMD},
    "exceptions": {**EXCEPTIONS, **MORE},
    "gc": {**GC, **MORE},
    "everything": {**SIMD, **EXCEPTIONS, **MEMORIES, **MORE, **GC},
    "big": {**SIMD, **EXCEPTIONS, **MEMORIES, **MORE, **GC, **BIG},
    "imports": {**SIMD, **EXCEPTIONS, **MEMORIES, **MORE, **GC, **IMPORTS},
    "threads": {"threads-enabled": "true", "min-memories": 1, **MORE, "max-memories": 2,
                "memory64-enabled": "true"},
}
# memory.atomic.wait32 and wait64: a module with such bytes may sleep for ever.
WAITS = (b"\xfe\x01", b"\xfe\x02")
FUELS = (10, 100, 1000)


class NoModule(Exception):
    """The generator made nothing of this seed."""


def may_sleep(module):
    return any(wait in module for wait in WAITS)


def seed_bytes(profile, number):
    size = SEED_SIZES[number % len(SEED_SIZES)]
    return hashlib.shake_256(f"{profile} {number}".encode()).digest(size)


class Generator:
    def __init__(self, wasm_tools, imports):
        self.wasm_tools, self.imports = wasm_tools, imports

    def options(self, profile, number, more=()):
        settings = {**BASE, **PROFILES[profile], **dict(more)}
        # Few accesses of random addresses do not trap: half of all modules avoid it.
        settings["disallow-traps"] = "true" if number // len(PROFILES) % 2 else "false"
        words = []
        for name, value in settings.items():
            words += [f"--{name}", str(value)]
        if profile == "imports":
            words += ["--available-imports", str(self.imports)]
        return words

    def module(self, profile, number):
        """Valid, and ends by itself."""
        fuel = FUELS[number // len(SEED_SIZES) % len(FUELS)]
        return self.make(profile, number, ["--ensure-termination", "--fuel", str(fuel)])

    def module_with_bad_code(self, profile, number):
        """Function bodies are what the seed says, valid or not."""
        return self.make(profile, number, [], {"allow-invalid-funcs": "true"})

    def make(self, profile, number, words, more=()):
        done = subprocess.run([self.wasm_tools, "smith", *self.options(profile, number, more),
                               *words], input=seed_bytes(profile, number), capture_output=True,
                              check=False, timeout=GENERATE_S)
        if done.returncode != 0 or not done.stdout:
            raise NoModule(done.stderr.decode(errors="replace")[:500])
        return done.stdout


# -- damage --

CODE_SECTION = 10
INTERESTING = (0, 1, 0x0b, 0x40, 0x41, 0x5e, 0x5f, 0x63, 0x64, 0x6e, 0x70, 0x7b, 0x7f, 0x80, 0xfb,
               0xfc, 0xfd, 0xfe, 0xff)


def leb(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_leb(data, at):
    """(value, where it ends); IndexError at the end of the data."""
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def sections(module):
    """[(id, contents)] of a well-formed module."""
    found, at = [], 8
    while at < len(module):
        number = module[at]
        size, at = read_leb(module, at + 1)
        found.append((number, module[at:at + size]))
        at += size
    return found


def join(parts):
    return b"\0asm\1\0\0\0" + b"".join(bytes([number]) + leb(len(body)) + body
                                      for number, body in parts)


def bodies(contents):
    count, at = read_leb(contents, 0)
    found = []
    for _ in range(count):
        size, at = read_leb(contents, at)
        found.append(contents[at:at + size])
        at += size
    return found


def join_bodies(found):
    return leb(len(found)) + b"".join(leb(len(body)) + body for body in found)


def damage_bytes(chance, data):
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(7)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << chance.randrange(8)
        elif kind == 1 and data:
            data[at % len(data)] = chance.choice(INTERESTING)
        elif kind == 2 and data:
            data[at % len(data)] = chance.randrange(256)
        elif kind == 3:
            data[at:at] = bytes(chance.choice(INTERESTING) for _ in range(chance.randrange(1, 5)))
        elif kind == 4:
            del data[at:at + chance.randrange(1, 8)]
        elif kind == 5:
            source = chance.randrange(len(data) + 1)
            data[at:at] = data[source:source + chance.randrange(1, 24)]
        elif data:
            at %= len(data)
            data[at] = (data[at] + chance.choice((1, -1))) & 0xff
    return bytes(data)


def damage_code(chance, contents, donor):
    """Changes one body, or puts one of the donor in its place."""
    found = bodies(contents)
    if not found:
        return contents
    at = chance.randrange(len(found))
    others = [body for number, part in donor if number == CODE_SECTION for body in bodies(part)]
    if others and chance.randrange(5) == 0:
        found[at] = chance.choice(others)
    else:
        found[at] = damage_bytes(chance, found[at])
    return join_bodies(found)


def damage(number, module, donor):
    """A changed copy of a well-formed module; `donor` is another one."""
    chance = random.Random(number)
    if chance.randrange(8) == 0:
        return damage_bytes(chance, module)
    parts, others = sections(module), sections(donor)
    if not parts:
        return damage_bytes(chance, module)
    at = chance.randrange(len(parts))
    code = [i for i, part in enumerate(parts) if part[0] == CODE_SECTION]
    kind = chance.randrange(12)
    if kind == 0:
        del parts[at]
    elif kind == 1:
        parts.insert(chance.randrange(len(parts) + 1), parts[at])
    elif kind == 2 and others:
        parts[at] = chance.choice(others)
    elif kind < 8 and code:
        at = code[0]
        parts[at] = (CODE_SECTION, damage_code(chance, parts[at][1], others))
    else:
        parts[at] = (parts[at][0], damage_bytes(chance, parts[at][1]))
    return join(parts)
