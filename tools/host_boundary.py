# SPDX-License-Identifier: Apache-2.0
"""Emits both sides of the enclave's boundary from its .host file (gen_host.py is the command).

Inside: one stub per `call` row with the type of its function in struct alc_os_operations, and the
rows as data for src/hostcall/invoke.c. Outside:
one serving function per row and their dispatcher. Both are made from the same list of pieces, so
they cannot disagree about the layout of a slot. Every check of what the host answers comes out of
the row: a row without `ensure` is refused here.

As a program, for tests:  host_boundary.py FILE --driver OUT.c
writes functions that drive every stub with made-up arguments (tests/hostile/driver.h).
"""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from host_rows import HostError, read_host_file  # noqa: E402

ARGS_SIZE = 40
NOTE = "/* Generated from {path}; do not edit. */\n"


class Piece:
    """What crosses for one parameter: a scalar, or a piece of the payload and its size."""

    def __init__(self, parameter, kind, size, offset):
        self.parameter, self.name = parameter, parameter.name
        # scalar out_scalar spans_in spans_out path bytes_out struct_out structs
        self.kind = kind
        self.size = size        # bytes in the slot's args; 0: nothing (a single structure)
        self.offset = offset
        self.count = parameter.count


class Row:
    """One call with its pieces laid out."""

    def __init__(self, host_file, function):
        self.file, self.function, self.name = host_file, function, function.name
        self.doc, self.attributes = function.doc, function.attributes
        if "ensure" not in self.attributes:
            self.fail("has no ensure")
        if function.result is None or function.result.name != "i64":
            self.fail("must return i64")
        self.counts = {p.count for p in function.parameters if p.count}
        self.pieces = self.lay_out()
        self.packed = self.read_packed()
        self.check_cutting()

    def fail(self, message):
        raise HostError(f"{self.file.path}:{self.function.line}: {self.name} {message}")

    def kind_of(self, parameter):
        type_, direction = parameter.type, parameter.direction
        if parameter.name in self.counts:
            return None
        if type_.is_value and not parameter.count:
            if type_.size not in (4, 8):
                self.fail(f"{parameter.name}: scalars have 4 or 8 bytes")
            if direction == "inout" or (direction == "out" and type_.size != 4):
                self.fail(f"cannot pass {direction} {type_.name} as {parameter.name}")
            return "out_scalar" if direction == "out" else "scalar"
        kinds = {("spans", "in"): "spans_in", ("spans", "out"): "spans_out",
                 ("path", "in"): "path", ("bytes", "out"): "bytes_out"}
        if (type_.name, direction) in kinds:
            return kinds[type_.name, direction]
        if type_.kind == "extern" and type_.size % 8 == 0:
            if direction == "out" and not parameter.count:
                return "struct_out"
            if direction == "inout" and parameter.count:
                return "structs"
        return self.fail(f"cannot pass {direction} {type_.name} as {parameter.name}")

    def lay_out(self):
        pieces, ends = [], {"args": 0, "out": 0}
        for parameter in self.function.parameters:
            kind = self.kind_of(parameter)
            if kind is None:
                continue
            size = {"scalar": parameter.type.size, "out_scalar": parameter.type.size,
                    "struct_out": 0}.get(kind, 4)
            area = "out" if kind == "out_scalar" else "args"
            offset = -(-ends[area] // size) * size if size else 0
            if size:
                ends[area] = offset + size
            if ends[area] > ARGS_SIZE:
                self.fail("has more scalars than a slot holds")
            pieces.append(Piece(parameter, kind, size, offset))
        return pieces

    def read_packed(self):
        if "packed" not in self.attributes:
            return None
        match = re.fullmatch(r"(\w+) (\w+)\.(\w+)", self.attributes["packed"])
        if not match or match[2] not in self.file.types:
            self.fail("packed must read `PIECE TYPE.FIELD`")
        if not any(p.name == match[1] and p.kind == "bytes_out" for p in self.pieces):
            self.fail(f"packed names no buffer {match[1]}")
        return match[1], self.file.types[match[2]], match[3]

    def check_cutting(self):
        """A piece that takes what the payload has left must be the last one."""
        in_payload = [p for p in self.pieces if p.kind not in ("scalar", "out_scalar")]
        for piece in in_payload[:-1]:
            if piece.kind in ("spans_in", "spans_out", "bytes_out"):
                self.fail(f"{piece.name} can be cut, so it must be the last piece")

    @property
    def op(self):
        return "ALC_HOSTCALL_" + self.name.upper()

    def c_parameters(self):
        texts = ["void *context"]
        for parameter in self.function.parameters:
            type_, name = parameter.type, parameter.name
            if type_.name == "spans":
                texts.append(f"const struct alc_span *{name}")
            elif type_.name == "path":
                texts.append(f"const uint8_t *{name}")
            elif type_.name == "bytes":
                texts.append(f"uint8_t *{name}")
            elif type_.name == "size":
                texts.append(f"size_t {name}")
            elif parameter.direction:
                texts.append(f"{type_.c_type} *{name}")
            else:
                texts.append(f"{type_.c_type} {name}")
        return ", ".join(texts)

    def index(self, name):
        return [parameter.name for parameter in self.function.parameters].index(name)

    def ensure(self):
        """The condition in C, about `answer`."""
        def translate(match):
            sized, word = match.groups()
            if sized:
                return f"answer->rooms[{self.index(sized)}].size"
            if word == "result":
                return "answer->result"
            piece = next((p for p in self.pieces if p.name == word), None)
            if piece is not None and piece.kind == "out_scalar":
                return f"alc_hostcall_get_u32(answer->call, {piece.offset})"
            parameter = self.function.parameter(word)
            if parameter is None:
                return match[0]
            if not parameter.type.is_value:
                self.fail(f"cannot ensure anything about {word}")
            return f"({parameter.type.c_type})answer->values[{self.index(word)}].number"
        return re.sub(r"\bsize\((\w+)\)|\b([a-z]\w*)", translate, self.attributes["ensure"])


def field_rules(host_file, setting):
    """{type name: [text behind the type's name]} of `range` and `back` settings."""
    rules = {}
    for text in host_file.settings.get(setting, []):
        match = re.fullmatch(r"(\w+)\.(\w+)(.*)", text)
        if not match or match[1] not in host_file.types:
            raise HostError(f"{host_file.path}: cannot read `{setting} {text}`")
        rules.setdefault(match[1], []).append((match[2], match[3].strip()))
    return rules


def read_rows(host_file):
    rows = [Row(host_file, function) for function in host_file.functions]
    ranges, back = field_rules(host_file, "range"), field_rules(host_file, "back")
    for row in rows:
        row.ranges, row.back = ranges, back
        for piece in row.pieces:
            if piece.kind in ("struct_out", "structs") and piece.parameter.type.name not in ranges:
                row.fail(f"takes a {piece.parameter.type.name} that has no range")
            if piece.kind == "structs" and piece.parameter.type.name not in back:
                row.fail(f"takes back no field of {piece.parameter.type.name}")
    return rows


def range_condition(row, type_name, variable):
    return " && ".join(f"{variable}.{name} {rule}" for name, rule in row.ranges[type_name])


# -- the inside --

KINDS = {"spans_in": "SPANS_IN", "spans_out": "SPANS_OUT", "path": "PATH",
         "bytes_out": "BYTES_OUT", "struct_out": "STRUCT_OUT", "structs": "STRUCTS",
         "out_scalar": "OUT_SCALAR"}


def piece_bytes(row, piece, numbers):
    """One struct alc_hostcall_piece."""
    kind = KINDS.get(piece.kind, f"SCALAR_{piece.size}")
    count = row.index(piece.count) if piece.count else 0
    type_ = numbers.get(piece.parameter.type.name, 0)
    if row.packed and row.packed[0] == piece.name:
        type_ = numbers[row.packed[1].name]
    return f"{{ALC_HOSTCALL_{kind}, {row.index(piece.name)}, {piece.offset}, {count}, {type_}}}"


def piece_tables(rows, types):
    """What src/hostcall/invoke.h calls generated, but for its functions."""
    numbers = {type_.name: number for number, type_ in enumerate(types, 1)}
    lines, starts = ["/* clang-format off */",
                     "const struct alc_hostcall_piece alc_hostcall_pieces[] = {"], [0]
    for row in rows:
        if len(row.function.parameters) > 8:
            row.fail("has more than 8 parameters")
        lines.append(f"    /* {row.name} */")
        lines += [f"    {piece_bytes(row, piece, numbers)}," for piece in row.pieces]
        starts.append(starts[-1] + len(row.pieces))
    lines += ["};", "const uint8_t alc_hostcall_starts[] = {"]
    lines += ["    " + " ".join(f"{start}," for start in starts[i:i + 16])
              for i in range(0, len(starts), 16)]
    lines += ["};", "const struct alc_hostcall_type alc_hostcall_types[] = {", "    {0},"]
    for type_ in types:
        fields = [field for field, _ in rows[0].back.get(type_.name, [])]
        back = ", ".join(f"{{offsetof({type_.c_type}, {field}), "
                         f"sizeof((({type_.c_type} *)0)->{field})}}" for field in fields)
        if len(fields) > 2:
            raise HostError(f"{type_.name}: more than 2 fields come back")
        lines.append(f"    {{sizeof({type_.c_type}), {len(fields)}, {{{back or '{0}'}}}}},")
    return lines + ["};", "/* clang-format on */", ""]


def judges(rows, types):
    """The conditions: `ensure` of each row, `range` and `packed` of each structure."""
    cases = {}
    for row in rows:
        cases.setdefault(row.ensure(), []).append(row.op)
    lines = ["bool alc_hostcall_is_truthful(uint16_t op, const struct alc_hostcall_answer *answer)",
             "{", "    switch (op) {"]
    for condition, ops in cases.items():
        lines += [f"    case {op}:" for op in ops] + [f"        return {condition};"]
    lines += ["    default:", "        return false;", "    }", "}", "",
              "bool alc_hostcall_is_in_range(uint32_t type, const void *item)", "{",
              "    switch (type) {"]
    for number, type_ in enumerate(types, 1):
        if type_.name in rows[0].ranges:
            condition = range_condition(rows[0], type_.name, f"(*(const {type_.c_type} *)item)")
            lines += [f"    case {number}:", f"        return {condition};"]
    lines += ["    default:", "        return false;", "    }", "}", "",
              "bool alc_hostcall_is_packed(uint32_t type, const uint8_t *bytes, size_t size)", "{"]
    packed = {row.packed[1].name for row in rows if row.packed}
    for number, type_ in enumerate(types, 1):
        if type_.name in packed:
            lines += [f"    if (type == {number}) {{",
                      f"        return is_packed_{type_.name}(bytes, size);", "    }"]
    if not packed:
        lines += ["    (void)type;", "    (void)bytes;", "    (void)size;"]
    return lines + ["    return false;", "}", ""]


def stub_value(parameter):
    type_, name = parameter.type, parameter.name
    if type_.name == "spans":
        return f"{{.spans = {name}}}"
    if type_.name == "path":
        return f"{{.path = {name}}}"
    if parameter.direction:
        return f"{{.out = {name}}}"
    cast = f"(u{type_.c_type})" if type_.c_type.startswith("int") else ""
    return f"{{.number = {cast}{name}}}"


def stub(row):
    values = [stub_value(parameter) for parameter in row.function.parameters]
    if len(values) > 4:
        body = "    const union alc_hostcall_value values[] = {\n"
        body += "".join(f"        {value},\n" for value in values)
        body += "    };\n    return alc_hostcall_invoke(context, values, ALC_ARRAY_COUNT(values),"
        body += f" {row.op});"
    else:
        values += ["{0}"] * (4 - len(values))
        body = "    return alc_hostcall_invoke_4(context,\n"
        body += "".join(f"        (union alc_hostcall_value){value},\n" for value in values)
        body += f"        {row.op});"
    return f"int64_t alc_hostcall_{row.name}({row.c_parameters()})\n{{\n{body}\n}}\n"


def packed_check(row):
    """Whether whole structures, each with its bytes, fill a private buffer exactly."""
    _, type_, field = row.packed
    return f"""static bool is_packed_{type_.name}(const uint8_t *bytes, size_t size)
{{
    size_t pos = 0;
    while (pos < size) {{
        {type_.c_type} item;
        if (size - pos < sizeof item) {{
            return false;
        }}
        alc_copy(&item, bytes + pos, sizeof item);
        pos += sizeof item;
        if (item.{field} > size - pos || !({range_condition(row, type_.name, "item")})) {{
            return false;
        }}
        pos += item.{field};
    }}
    return true;
}}
"""


# -- the outside --

def server(row):
    lines, arguments, after = [], ["request->os->context"], []
    types = {p.name: p.type for p in row.function.parameters}
    for parameter in row.function.parameters:
        name = parameter.name
        piece = next((p for p in row.pieces if p.name == name), None)
        if piece is None:
            continue
        if piece.kind == "scalar":
            bits = piece.size * 8
            lines.append(f"{types[name].c_type} {name} = ({types[name].c_type})"
                         f"alc_hostcall_arg_u{bits}(request, {piece.offset});")
        elif piece.kind == "out_scalar":
            lines.append(f"uint32_t {name} = 0;")
            after.append(f"alc_hostcall_answer_u32(request, {piece.offset}, {name});")
        elif piece.kind == "struct_out":
            c_type = types[name].c_type
            lines.append(f"{c_type} *{name} = (void *)alc_hostcall_piece(request, sizeof *{name});")
        else:
            lines.append(f"uint32_t {name}_size_ = alc_hostcall_arg_u32(request, {piece.offset});")
            made = f"alc_hostcall_piece(request, {name}_size_)"
            if piece.kind in ("spans_in", "spans_out"):
                lines.append(f"struct alc_span {name} = {{.bytes = {made}, .size = {name}_size_}};")
            elif piece.kind == "structs":
                lines.append(f"{types[name].c_type} *{name} = (void *){made};")
            else:
                lines.append(f"uint8_t *{name} = {made};")
    for parameter in row.function.parameters:
        arguments.append(server_argument(row, parameter))
    lines += ["if (request->is_malformed) {", "    return -ALC_OS_INVALID;", "}"]
    call = f"request->os->operations->{row.name}({', '.join(arguments)})"
    if after:
        lines += [f"int64_t result = {call};"] + after + ["return result;"]
    else:
        lines.append(f"return {call};")
    body = "\n".join("    " + line for line in lines)
    return (f"static int64_t serve_{row.name}(struct alc_hostcall_request *request)\n"
            f"{{\n{body}\n}}\n")


def server_argument(row, parameter):
    """The argument of the alc_os function for one parameter of the row."""
    counted = next((p for p in row.pieces if p.count == parameter.name), None)
    if counted is not None:
        if counted.kind in ("spans_in", "spans_out"):
            return "1"
        if counted.kind == "structs":
            return f"{counted.name}_size_ / sizeof *{counted.name}"
        return f"{counted.name}_size_"
    piece = next(p for p in row.pieces if p.name == parameter.name)
    by_address = ("spans_in", "spans_out", "out_scalar")
    return f"&{parameter.name}" if piece.kind in by_address else parameter.name


def emit(host_file, stem):
    rows = read_rows(host_file)
    note = NOTE.format(path=f"{stem}.host")
    guard = f"ALC_GENERATED_{stem.upper()}_HOST_H"
    licence = f"/* SPDX-License-Identifier: Apache-2.0 */\n{note}"
    header = [f"{licence}#ifndef {guard}\n#define {guard}\n",
              '#include "hostcall/dispatch.h"', '#include "hostcall/invoke.h"\n',
              "enum alc_hostcall_op {"]
    header += [f"    {row.op} = {number}," for number, row in enumerate(rows, 1)]
    header += [f"    ALC_HOSTCALL_OPS = {len(rows) + 1},", "};\n",
               "/* Name of a call for messages; \"unknown\" for other numbers. */",
               "const char *alc_hostcall_name(uint32_t op);\n",
               "/* The inside; `context` is the struct alc_hostcall_client. */"]
    header += [f"int64_t alc_hostcall_{row.name}({row.c_parameters()});" for row in rows]
    members = ", \\\n    ".join(f".{row.name} = alc_hostcall_{row.name}" for row in rows)
    header += ["\n/* Initialisers of a struct alc_os_operations for all of them. */",
               f"#define ALC_HOSTCALL_OPERATIONS \\\n    {members}",
               "\n/* The outside: does one request; the result, INVALID when it is malformed. */",
               "int64_t alc_hostcall_dispatch(struct alc_hostcall_request *request, "
               "uint32_t op);\n",
               "#endif\n"]
    source = [licence,
              f'#include "hostcall/{stem}_host.h"\n', '#include "base/bytes.h"\n',
              "const char *alc_hostcall_name(uint32_t op)\n{", "    switch (op) {"]
    source += [f"    case {row.op}:\n        return \"{row.name}\";" for row in rows]
    source += ["    default:\n        return \"unknown\";\n    }\n}\n", "/* -- inside -- */\n"]
    types = [type_ for type_ in host_file.types.values() if type_.kind == "extern"]
    for type_ in types:
        source.append(f"_Static_assert(sizeof({type_.c_type}) == {type_.size} && {type_.size} <= "
                      "ALC_HOSTCALL_STRUCT_SIZE,\n               \"crosses the boundary\");")
    source += piece_tables(rows, types)
    source += [packed_check(row) for row in rows if row.packed]
    source += judges(rows, types)
    source += [stub(row) for row in rows]
    source.append("/* -- outside -- */\n")
    source += [server(row) for row in rows]
    source += ["int64_t alc_hostcall_dispatch(struct alc_hostcall_request *request, "
               "uint32_t op)\n{",
               "    switch (op) {"]
    source += [f"    case {row.op}:\n        return serve_{row.name}(request);" for row in rows]
    source += ["    default:\n        return -ALC_OS_NOT_IMPLEMENTED;\n    }\n}\n"]
    return "\n".join(source), "\n".join(header)


# -- the reference page --

def docs(host_file):
    rows = read_rows(host_file)
    lines = ["# Host calls", "",
             "What an enclave may ask of its host. Generated from `src/hostcall/hostcall.host` by "
             "`tools/gen_host.py --docs`; the protocol around it is `src/hostcall/README.md`.", "",
             "`args` offsets are bytes in the 40-byte field of a slot. A piece lies in the payload "
             "arena; its 32-bit size stands in `args`. *ensure* is what the enclave demands of a "
             "success; every failure must be a number of `src/os/errno.def`. Anything else gives "
             "the caller `IO`.", ""]
    kinds = {"scalar": "{type}", "out_scalar": "{type} back",
             "spans_in": "bytes out of the enclave", "path": "name",
             "spans_out": "room for bytes into the enclave",
             "bytes_out": "room for bytes into the enclave", "struct_out": "room for one {type}",
             "structs": "array of {type}, there and back"}
    for number, row in enumerate(rows, 1):
        lines += [f"## {number} {row.name}", ""]
        if row.doc:
            lines += [row.doc, ""]
        if row.pieces:
            lines += ["| field | crosses as | args |", "|---|---|---|"]
        for piece in row.pieces:
            what = kinds[piece.kind].format(type=f"`{piece.parameter.type.name}`")
            where = f"{piece.offset}..{piece.offset + piece.size - 1}" if piece.size else "-"
            where = f"{where} of the answer" if piece.kind == "out_scalar" else where
            lines.append(f"| {piece.name} | {what} | {where} |")
        lines += ["" if row.pieces else "No arguments.", f"ensure `{row.attributes['ensure']}`"]
        if row.packed:
            lines[-1] += (f"; the buffer holds whole `{row.packed[1].name}` structures, each "
                          f"followed by `{row.packed[2]}` bytes")
        lines.append("")
    lines += ["## Structures", "", "| structure | C | bytes | must satisfy | comes back |",
              "|---|---|--:|---|---|"]
    ranges, back = field_rules(host_file, "range"), field_rules(host_file, "back")
    for name, type_ in host_file.types.items():
        if type_.kind == "extern":
            rules = ", ".join(f"`{field} {rule}`" for field, rule in ranges.get(name, []))
            fields = ", ".join(f"`{field}`" for field, _ in back.get(name, [])) or "whole"
            lines.append(f"| {name} | `{type_.c_type}` | {type_.size} | {rules} | {fields} |")
    return "\n".join(lines) + "\n"


# -- the driver for hostile tests and fuzzing --

def driver(host_file):
    rows = read_rows(host_file)
    lines = ["/* SPDX-License-Identifier: Apache-2.0 */", NOTE.format(path="hostcall.host"),
             '#include "hostile/driver.h"\n', '#include "base/bytes.h"',
             '#include "hostcall/hostcall_host.h"\n']
    lines += [packed_check(row) for row in rows if row.packed]
    for row in rows:
        lines.append(drive_row(row))
    lines += ["const struct hostile_row hostile_rows[] = {"]
    lines += [f"    {{{row.op}, \"{row.name}\", drive_{row.name}}}," for row in rows]
    lines += ["};", f"const size_t hostile_rows_count = {len(rows)};", ""]
    return "\n".join(lines)


def show_secrets(row, piece):
    """What only comes back holds secrets before: they must not leave."""
    name, type_ = piece.name, piece.parameter.type
    return [f"for (size_t i = 0; i < {name}.count; i++) {{", f"    {type_.c_type} item;",
            f"    __builtin_memcpy(&item, {name}.bytes + i * sizeof item, sizeof item);"] + \
           [f"    __builtin_memset(&item.{field}, HOSTILE_SECRET, sizeof item.{field});"
            for field, _ in row.back[type_.name]] + \
           [f"    __builtin_memcpy({name}.bytes + i * sizeof item, &item, sizeof item);",
            f"    __builtin_memcpy({name}.saved + i * sizeof item, &item, sizeof item);", "}"]


def check_items(row, piece):
    """Structures after a call: in range on success; never changed where nothing comes back."""
    name, type_ = piece.name, piece.parameter.type
    lines = [f"for (size_t i = 0; i < {name}.count; i++) {{",
             f"    {type_.c_type} item;", f"    {type_.c_type} saved;",
             f"    __builtin_memcpy(&item, {name}.bytes + i * sizeof item, sizeof item);",
             f"    __builtin_memcpy(&saved, {name}.saved + i * sizeof item, sizeof item);",
             "    hostile_check(driver, result < 0 || "
             f"({range_condition(row, type_.name, 'item')}));"]
    if piece.kind == "structs":
        for field, _ in row.back[type_.name]:
            lines.append(f"    item.{field} = saved.{field};")
        changed = "true"
    else:
        changed = "result < 0"
    lines += [f"    hostile_check(driver, !({changed}) || "
              "__builtin_memcmp(&item, &saved, sizeof item) == 0);", "}"]
    return lines


def drive_row(row):
    before, after, arguments = [], [], ["os->context"]
    types = {p.name: p.type for p in row.function.parameters}
    for parameter in row.function.parameters:
        name = parameter.name
        counted = next((p for p in row.pieces if p.count == name), None)
        piece = next((p for p in row.pieces if p.name == name), None)
        if counted is not None:
            arguments.append(f"{counted.name}.count")
            continue
        kind = piece.kind
        if kind == "scalar":
            before.append(f"{types[name].c_type} {name} = ({types[name].c_type})"
                          "hostile_number(driver);")
            arguments.append(name)
        elif kind in ("spans_in", "spans_out"):
            is_out = "true" if kind == "spans_out" else "false"
            before.append(f"struct hostile_spans {name} = hostile_spans(driver, {is_out});")
            arguments.append(f"{name}.spans")
            after.append(f"hostile_check_spans(driver, &{name}, {is_out}, result);")
        elif kind in ("path", "bytes_out"):
            is_out = "true" if kind == "bytes_out" else "false"
            before.append(f"struct hostile_buffer {name} = hostile_buffer(driver, {is_out});")
            arguments.append(f"{name}.bytes")
            promised = "result" if kind == "bytes_out" else "0"
            wiped = "true" if row.packed and row.packed[0] == name else "false"
            after.append(f"hostile_check_buffer(driver, &{name}, {promised}, {wiped});")
            if wiped == "true":
                after += ["if (driver->failed_check == NULL && result > 0) {",
                          f"    hostile_check(driver, is_packed_{row.packed[1].name}({name}.bytes, "
                          "(size_t)result));", "}"]
        elif kind == "out_scalar":
            before.append(f"{types[name].c_type} {name} = 0x5a5a5a5a;")
            arguments.append(f"&{name}")
            after.append(f"hostile_check(driver, result >= 0 || {name} == 0x5a5a5a5a);")
        else:
            c_type = types[name].c_type
            count = "1" if kind == "struct_out" else "hostile_count(driver)"
            before.append(f"struct hostile_items {name} = hostile_items(driver, {count}, "
                          f"sizeof({c_type}));")
            arguments.append(f"({c_type} *)(void *){name}.bytes")
            if kind == "structs":
                before += show_secrets(row, piece)
            after += check_items(row, piece)
    lines = before + [f"int64_t result = os->operations->{row.name}({', '.join(arguments)});"]
    lines += ["hostile_check(driver, result >= -ALC_OS_ERRNO_MAX);"] + after + ["return result;"]
    body = "\n".join("    " + line for line in lines)
    return (f"static int64_t drive_{row.name}(const struct alc_os *os, "
            f"struct hostile_driver *driver)\n{{\n    (void)driver;\n{body}\n}}\n")


def main():
    if len(sys.argv) != 4 or sys.argv[2] != "--driver":
        sys.exit("usage: host_boundary.py FILE --driver OUT.c")
    try:
        text = driver(read_host_file(sys.argv[1]))
    except HostError as error:
        sys.exit(f"host_boundary: {error}")
    with open(sys.argv[3], "w", encoding="utf-8") as out:
        out.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
