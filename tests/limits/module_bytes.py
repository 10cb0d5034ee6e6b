# SPDX-License-Identifier: Apache-2.0
"""Makes WebAssembly binaries at a limit and one past it: plain functions from counts to bytes."""

HEADER = b"\0asm\1\0\0\0"
I32, FUNC, STRUCT, SUB = 0x7f, 0x60, 0x5f, 0x50
END = b"\x0b"


def leb(value):
    out = bytearray()
    while True:
        byte = value & 127
        value >>= 7
        if value == 0:
            out.append(byte)
            return bytes(out)
        out.append(byte | 128)


def section(number, body):
    return bytes([number]) + leb(len(body)) + body


def vector(count, item):
    return leb(count) + item * count


def module(*sections):
    return HEADER + b"".join(section(number, body) for number, body in sections)


TYPE_EMPTY = bytes([FUNC, 0, 0])
ONE_TYPE = (1, leb(1) + TYPE_EMPTY)
ONE_FUNCTION = (3, b"\1\0")


def body(code, local_groups=b"\0"):
    contents = local_groups + code + END
    return leb(len(contents)) + contents


def with_code(code, local_groups=b"\0", function_type=TYPE_EMPTY):
    return module((1, leb(1) + function_type), ONE_FUNCTION, (10, b"\1" + body(code, local_groups)))


def types(count):
    return module((1, vector(count, TYPE_EMPTY)))


def functions(count):
    return module(ONE_TYPE, (3, vector(count, b"\0")), (10, vector(count, body(b""))))


def imports(count):
    return module(ONE_TYPE, (2, vector(count, b"\0\0\0\0")))


def exports(count):
    names = b"".join(b"\x06%06x\0\0" % index for index in range(count))
    return module(ONE_TYPE, ONE_FUNCTION, (7, leb(count) + names), (10, b"\1" + body(b"")))


def globals_(count):
    return module((6, vector(count, bytes([I32, 0, 0x41, 0]) + END)))


def tables(count):
    return module((4, vector(count, b"\x70\0\0")))


def memories(count):
    return module((5, vector(count, b"\0\0")))


def tags(count):
    return module(ONE_TYPE, (13, vector(count, b"\0\0")))


def data_segments(count):
    return module((11, vector(count, b"\1\0")))


def element_segments(count):
    return module((9, vector(count, b"\1\0\0")))


def segment_elements(count):
    return module(ONE_TYPE, ONE_FUNCTION, (9, b"\1" + b"\1\0" + vector(count, b"\0")),
                  (10, b"\1" + body(b"")))


def parameters(count):
    return module((1, b"\1" + bytes([FUNC]) + vector(count, bytes([I32])) + b"\0"))


def results(count):
    return module((1, b"\1" + bytes([FUNC]) + b"\0" + vector(count, bytes([I32]))))


def locals_(count):
    """Parameters count, too: one of them is one."""
    return with_code(b"", b"\1" + leb(count - 1) + bytes([I32]),
                     bytes([FUNC, 1, I32, 0]))


def frame_slots(count):
    """Locals, a slot of the engine's own, and operands, dropped again."""
    in_locals = 40000
    operands = count - in_locals - 1
    code = b"\x20\0" * operands + b"\x1a" * operands
    return with_code(code, b"\1" + leb(in_locals) + bytes([I32]))


def body_size(count):
    """The size counts what follows it: no locals, `nop`s, `end`."""
    return with_code(b"\1" * (count - 2))


def block_nesting(count):
    """The function's own block is one."""
    return with_code(b"\2\x40" * (count - 1) + END * (count - 1))


def branch_table(count):
    return with_code(b"\x41\0\x0e" + vector(count, b"\0") + b"\0")


def fields(count):
    return module((1, b"\1" + bytes([STRUCT]) + vector(count, bytes([I32, 0]))))


def subtype_depth(count):
    """A chain: a root without supertype, then `count` subtypes below it."""
    rows = bytes([SUB, 0, STRUCT, 0])
    for index in range(count):
        rows += bytes([SUB, 1]) + leb(index) + bytes([STRUCT, 0])
    return module((1, leb(count + 1) + rows))


def name_size(count):
    return module(ONE_TYPE, ONE_FUNCTION, (7, b"\1" + vector(count, b"x") + b"\0\0"),
                  (10, b"\1" + body(b"")))
