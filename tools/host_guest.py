# SPDX-License-Identifier: Apache-2.0
"""Emits the C of a `module` file: what guests import.

For every row: the core signature that linking compares, a thunk that checks and copies what the
guest points to, one typed call into hand-written semantics, and the storing of results when it
succeeded. Attributes: `rights` (per handle), `limit PARAMETER IDENT` (row of limits.def),
`may_stop` (the program may end in this call).
Settings: prefix, context, title, include (several), lenient (flags whose unknown bits are dropped).
"""
from host_rows import HostError

FAULTS = {"bad_pointer": "POINTER", "bad_value": "VALUE", "bad_text": "TEXT",
          "too_long": "TOO_LONG", "no_room": "NO_ROOM"}
ATTRIBUTES = {"rights", "limit", "may_stop"}


class Emitter:
    def __init__(self, host_file, stem):
        self.file, self.stem = host_file, stem
        self.prefix = host_file.setting("prefix")
        self.context = host_file.setting("context")
        self.lenient = set(host_file.settings.get("lenient", []))
        results = [kind for kind in host_file.types.values() if kind.kind == "result"]
        self.result_type = results[0] if results else None
        for function in host_file.functions:
            self.check(function)

    def fail(self, row, message):
        raise HostError(f"{self.file.path}:{row.line}: {row.name}: {message}")

    def check(self, function):
        unknown = set(function.attributes) - ATTRIBUTES
        if unknown:
            self.fail(function, f"attributes {sorted(unknown)} mean nothing here")
        if function.result is None and "may_stop" not in function.attributes:
            self.fail(function, "a function without a result must be `may_stop`")
        if function.result is not None:
            if function.result.kind != "result":
                self.fail(function, "the result must be of a `result` type")
            if set(function.result.faults) != set(FAULTS):
                self.fail(function, f"result needs the faults {sorted(FAULTS)}")
            if self.result_type is not function.result:
                self.fail(function, "one module, one result type")
        for parameter in function.parameters:
            self.check_parameter(function, parameter)
        self.rights_of(function)
        if "limit" in function.attributes:
            limited = function.parameter(function.attributes["limit"].partition(" ")[0])
            if limited is None or limited.direction:
                self.fail(function, "limit of something that is no number")

    def check_parameter(self, function, parameter):
        kind, direction = parameter.type, parameter.direction
        if direction == "inout" or kind.kind == "extern":
            self.fail(function, f"{parameter.name}: not possible in a module")
        if direction and function.result is None:
            self.fail(function, f"{parameter.name}: a bad pointer could not be reported")
        if kind.name in ("path", "utf8") and direction != "in":
            self.fail(function, f"{parameter.name}: text can only go in")
        if kind.name == "utf8":
            self.fail(function, f"{parameter.name}: use path or bytes")
        if parameter.used and (direction != "out" or kind.kind != "struct"):
            self.fail(function, f"{parameter.name}: only arrays of results are used in part")

    # -- names --

    def macro(self, *words):
        return "_".join((self.prefix,) + words).upper()

    def struct_name(self, kind):
        return f"struct {self.prefix}_{kind.name}"

    @staticmethod
    def slot(function, name):
        for index, parameter in enumerate(function.parameters):
            if parameter.name == name:
                return f"slots[{index}]"
        raise HostError(f"{function.name}: no parameter {name}")

    @staticmethod
    def letter(parameter):
        by_value = not parameter.direction
        return "I" if by_value and parameter.type.size == 8 else "i"

    @staticmethod
    def consumed(function):
        """Counts are part of what they count and are not passed on by themselves."""
        return {parameter.count for parameter in function.parameters}

    def rights_of(self, function):
        """Handle parameter -> expression of the rights it must have."""
        handles = [p.name for p in function.parameters
                   if p.type.kind == "handle" and not p.direction and "struct" in p.type.c_type]
        value = function.attributes.get("rights", "")
        needed = {}
        for part in filter(None, (part.strip() for part in value.split(","))):
            name, colon, rights = part.rpartition(":")
            if not colon and len(handles) != 1:
                self.fail(function, "name the handle of each right")
            names = [right.strip() for right in rights.split("+")]
            known = dict(self.file.types["rights"].values) if "rights" in self.file.types else {}
            for right in names:
                if right not in known:
                    self.fail(function, f"unknown right {right}")
            needed[name.strip() or handles[0]] = " | ".join(
                self.macro("rights", right) for right in names)
        if set(needed) - set(handles):
            self.fail(function, "rights of something that is no handle")
        return {name: needed.get(name, "0") for name in handles}

    def count(self, function, text):
        if text.isdigit():
            return text
        if text.startswith("host "):
            return f"{self.prefix}_{text[5:]}(context)"
        return f"(uint32_t){self.slot(function, text)}"

    # -- header --

    def c_parameter(self, parameter):
        kind, name, direction = parameter.type, parameter.name, parameter.direction
        if not direction:
            if kind.kind == "handle" and "struct" in kind.c_type:
                return f"{kind.c_type} *{name}"
            return f"{kind.scalar.c_type} {name}"
        if kind.name == "spans":
            return f"struct alc_guest_spans {name}"
        if kind.kind == "counted":
            carrier = "buffer" if direction == "out" else "bytes"
            return f"struct alc_guest_{carrier} {name}"
        if kind.kind == "struct":
            const = "const " if direction == "in" else ""
            star = f"{self.struct_name(kind)} *"
            if parameter.count and direction == "in":
                return f"{const}{star}{name}, size_t {name}_count"
            return f"{const}{star}{name if parameter.count else self.local(parameter)}"
        if parameter.count:
            return f"struct alc_guest_buffer {name}"
        return f"{kind.scalar.c_type} *{self.local(parameter)}"

    @staticmethod
    def local(parameter):
        return f"out_{parameter.name}" if parameter.direction == "out" else parameter.name

    def prototype(self, function):
        consumed = self.consumed(function)
        parts = [f"{self.context} *{self.context.split('_')[-1]}"]
        parts += [self.c_parameter(p) for p in function.parameters if p.name not in consumed]
        result = "alc_status"
        if "may_stop" not in function.attributes:
            result = function.result.c_type
        elif function.result is not None:
            parts.append(f"{function.result.c_type} *out_result")
        start = f"ALC_MUST_CHECK {result} {self.prefix}_{function.name}("
        return wrap(start, parts, ");")

    def header(self):
        guard = f"{self.prefix}_{self.stem}_HOST_H".upper()
        lines = [banner(self.file, self.stem, "Types and semantics"), f"#ifndef {guard}",
                 f"#define {guard}", "", '#include "host/host.h"', ""]
        lines += [f"{self.context};"]
        handles = sorted({k.c_type for k in self.file.types.values()
                          if k.kind == "handle" and "struct" in k.c_type})
        lines += [f"{c_type};" for c_type in handles] + [""]
        for kind in self.file.types.values():
            if kind.kind in ("flags", "enum") and kind.values:
                lines += self.constants(kind)
        for kind in self.file.types.values():
            if kind.kind == "struct":
                lines += self.structure(kind)
        for kind in self.file.types.values():
            if kind.kind == "handle" and "struct" in kind.c_type:
                lines += ["/* Finds an open one that has all of `rights`. */",
                          wrap(f"ALC_MUST_CHECK {self.result_type.c_type} "
                               f"{self.prefix}_{kind.name}_get(",
                               [f"{self.context} *{self.context.split('_')[-1]}",
                                f"{kind.scalar.c_type} number",
                                "uint64_t rights", f"{kind.c_type} **out"], ");"), ""]
        hosts = {p.count[5:] for f in self.file.functions for p in f.parameters
                 if p.count and p.count.startswith("host ")}
        lines += [f"uint64_t {self.prefix}_{name}(const {self.context} *context);"
                  for name in sorted(hosts)] + [""]
        for function in self.file.functions:
            lines += [comment(function.doc)] if function.doc else []
            lines += [self.prototype(function)]
        return "\n".join(lines + ["", "#endif", ""])

    def constants(self, kind):
        if kind.size == 8:  # C enumerators are int
            return [f"#define {self.macro(kind.name, name)} UINT64_C({number:#x})"
                    for name, number in kind.values] + [
                        f"#define {self.macro(kind.name, 'all')} UINT64_C({mask(kind):#x})", ""]
        lines = [f"enum {self.prefix}_{kind.name} {{"]
        lines += [f"    {self.macro(kind.name, name)} = {number:#x}," if kind.kind == "flags" else
                  f"    {self.macro(kind.name, name)} = {number}," for name, number in kind.values]
        if kind.kind == "flags":
            lines += [f"    {self.macro(kind.name, 'all')} = {mask(kind):#x},"]
        return lines + ["};", ""]

    def structure(self, kind):
        lines = [f"{self.struct_name(kind)} {{"]
        lines += [f"    {field.type.scalar.c_type} {field.name};" for field in kind.fields]
        return lines + ["};", f"#define {self.macro(kind.name, 'guest_size')} {kind.size}", ""]

    # -- source --

    def source(self):
        lines = [banner(self.file, self.stem, "Thunks and table"),
                 f'#include "{self.prefix.split("_")[1]}/{self.stem}_host.h"', "",
                 '#include "base/bytes.h"', '#include "base/limits.h"']
        lines += [f'#include "{name}"' for name in self.file.settings.get("include", [])] + [""]
        lines += self.fault_table() if self.result_type else []
        for kind in self.file.types.values():
            if kind.kind == "struct":
                lines += self.load_and_store(kind)
        lines += ["static const struct alc_host_module module;", ""]
        for index, function in enumerate(self.file.functions):
            lines += self.thunk(index, function)
        lines += ["/* clang-format off */",
                  "static const struct alc_host_export exports[] = {"]
        for function in self.file.functions:
            letters = "".join(self.letter(p) for p in function.parameters)
            result = "i" if function.result else ""
            lines += [f'    {{"{function.name}", "{letters}", "{result}", call_{function.name}}},']
        lines += ["};", "/* clang-format on */", "",
                  "static const struct alc_host_module module = {",
                  f'    .name = "{self.file.name}",', "    .exports = exports,",
                  "    .exports_count = sizeof exports / sizeof exports[0],", "};", "",
                  f"const struct alc_host_module *{self.prefix}_module(void)", "{",
                  "    return &module;", "}", ""]
        return "\n".join(lines)

    def fault_table(self):
        kind = self.result_type
        lines = ["/* Ends a call whose arguments were refused. */",
                 "static alc_status refuse(struct alc_host_call *call, enum alc_host_fault fault)",
                 "{", f"    static const {kind.c_type} results[] = {{"]
        lines += [f"        [ALC_HOST_FAULT_{FAULTS[name]}] = {value},"
                  for name, value in kind.faults.items()]
        return lines + ["    };", "    call->slots[0] = results[fault];", "    return ALC_OK;", "}",
                        ""]

    def load_and_store(self, kind):
        directions = {p.direction for f in self.file.functions for p in f.parameters
                      if p.type is kind}
        lines = []
        if "in" in directions:
            lines += ["/* Every field is read once. */",
                      f"static void load_{kind.name}({self.struct_name(kind)} *value, "
                      "const uint8_t *src)", "{"]
            lines += [f"    value->{f.name} = {load(f.type.scalar, offset('src', f.offset))};"
                      for f in kind.fields] + ["}", ""]
        if "out" in directions:
            lines += [f"static void store_{kind.name}(uint8_t *dst, "
                      f"const {self.struct_name(kind)} *value)", "{",
                      f"    alc_fill(dst, 0, {kind.size});"]
            lines += [f"    {store(f.type.scalar, offset('dst', f.offset), 'value->' + f.name)};"
                      for f in kind.fields] + ["}", ""]
        return lines

    def thunk(self, index, function):
        lines = [f"static alc_status call_{function.name}(struct alc_host_call *call)", "{",
                 f"    {self.context} *context = call->context;",
                 "    uint64_t *slots = call->slots;",
                 f"    alc_host_begin(call, &context->host, &module, {index});"]
        if any(p.direction or self.has_range(p) for p in function.parameters):
            lines += ["    enum alc_host_fault fault;"]
        arguments, before, after = [], [], []
        consumed = self.consumed(function)
        rights = self.rights_of(function)
        result = self.result_type.c_type if function.result else None
        if rights:
            before += [f"    {result} result;"]
        before += self.check_limit(function)
        for parameter in function.parameters:
            slot = self.slot(function, parameter.name)
            if parameter.name in rights:
                before += self.resolve(parameter, slot, rights[parameter.name])
                arguments += [parameter.name]
            elif not parameter.direction:
                before += self.check_range(parameter, slot)
                if parameter.name not in consumed:
                    arguments += [self.value(parameter, slot)]
            else:
                prepare, store_lines, passed = self.memory(function, parameter, slot)
                before, after, arguments = before + prepare, after + store_lines, arguments + passed
        called = self.typed_call(function, arguments, after, bool(rights))
        return [*lines, *before, *called, "}", ""]

    def has_range(self, parameter):
        """Whether a value is checked at all."""
        kind = parameter.type
        return (not parameter.direction and kind.kind in ("flags", "enum") and
                kind.name not in self.lenient)

    def check_range(self, parameter, slot):
        if not self.has_range(parameter):
            return []
        kind = parameter.type
        if kind.kind == "flags":
            bad = f"(slots_value({slot}, {kind.size}) & ~UINT64_C({mask(kind):#x})) != 0"
        else:
            top = max(number for _, number in kind.values)
            if sorted(number for _, number in kind.values) != list(range(top + 1)):
                raise HostError(f"enum {kind.name} has holes")
            bad = f"slots_value({slot}, {kind.size}) > {top}"
        bad = bad.replace("slots_value(" + slot + f", {kind.size})",
                          slot if kind.size == 8 else f"(uint32_t){slot}")
        return [f"    fault = ({bad}) ? ALC_HOST_FAULT_VALUE : ALC_HOST_FAULT_NONE;",
                *refuse_if_fault()]

    def check_limit(self, function):
        if "limit" not in function.attributes:
            return []
        name, _, ident = function.attributes["limit"].partition(" ")
        slot = f"(uint32_t){self.slot(function, name)}"
        return [f"    if ({slot} > ALC_LIMIT_{ident}) {{",
                "        return refuse(call, ALC_HOST_FAULT_VALUE);", "    }"]

    def value(self, parameter, slot):
        kind = parameter.type
        if kind.name in self.lenient:
            return f"{slot} & {self.macro(kind.name, 'all')}"
        return f"({kind.scalar.c_type}){slot}"

    def resolve(self, parameter, slot, rights):
        kind = parameter.type
        return [f"    {kind.c_type} *{parameter.name};",
                wrap(f"    result = {self.prefix}_{kind.name}_get(",
                     ["context", f"({kind.scalar.c_type}){slot}", rights, f"&{parameter.name}"],
                     ");"),
                "    if (result != 0) {", "        slots[0] = result;", "        return ALC_OK;",
                "    }"]

    def memory(self, function, parameter, slot):
        """Lines before the call, lines after its success, arguments."""
        kind, name, direction = parameter.type, parameter.name, parameter.direction
        addr = f"(uint32_t){slot}"
        count = self.count(function, parameter.count) if parameter.count else "1"
        if kind.name == "spans":
            return self.fetch("spans", "spans", [addr, count], name)
        if kind.name == "path":
            return self.fetch("path", "bytes", [addr, count], name)
        if kind.kind == "counted" and direction == "in":
            return self.fetch(None, "bytes", [addr, count, "1"], name)
        if direction == "out" and (kind.kind == "counted" or (kind.is_value and parameter.count)):
            return borrow(f"{name}", addr, count, max(kind.size, 1)), [], [name]
        if kind.is_value:
            before = borrow(f"at_{name}", addr, "1", kind.size)
            before += [f"    {kind.scalar.c_type} {name} = 0;"]
            after = [f"        {store(kind.scalar, f'at_{name}.bytes', name)};"]
            return before, after, [f"&{name}"]
        return self.structures(function, parameter, addr, count)

    def fetch(self, what, carrier, arguments, name):
        function = "alc_host_copy" + (f"_{what}" if what else "")
        return [f"    struct alc_guest_{carrier} {name};",
                wrap(f"    fault = {function}(", ["call", *arguments, f"&{name}"], ");"),
                *refuse_if_fault()], [], [name]

    def structures(self, function, parameter, addr, count):
        kind, name = parameter.type, parameter.name
        struct = self.struct_name(kind)
        before = borrow(f"at_{name}", addr, count, kind.size)
        if not parameter.count:
            before += [f"    {struct} {name} = {{0}};"]
            if parameter.direction == "in":
                before += [f"    load_{kind.name}(&{name}, at_{name}.bytes);"]
                return before, [], [f"&{name}"]
            return before, [f"        store_{kind.name}(at_{name}.bytes, &{name});"], [f"&{name}"]
        before += ["    void *" + f"room_{name};",
                   wrap("    fault = alc_host_take_results(",
                        ["call", count, f"sizeof({struct})", f"&room_{name}"], ");"),
                   *refuse_if_fault(), f"    {struct} *{name} = room_{name};"]
        if parameter.direction == "in":
            return before + [
                f"    for (uint32_t i = 0; i < {count}; i++) {{",
                f"        load_{kind.name}(&{name}[i], at_{name}.bytes + (size_t)i * {kind.size});",
                "    }"], [], [name, count]
        used = parameter.used or count
        if parameter.used is None:
            raise HostError(f"{function.name}: {name}: say how many results are used")
        return before, [
            f"        ALC_ASSERT({used} <= {count});",
            f"        for (uint32_t i = 0; i < {used}; i++) {{",
            f"            store_{kind.name}(at_{name}.bytes + (size_t)i * {kind.size}, "
            f"&{name}[i]);",
            "        }"], [name]

    def typed_call(self, function, arguments, after, declared):
        name = f"{self.prefix}_{function.name}"
        arguments = ["context", *arguments]
        if "may_stop" in function.attributes:
            if function.result is None:
                return [wrap(f"    return alc_host_stop(call, {name}(", arguments, "));")]
            declare = [] if declared else [f"    {function.result.c_type} result = 0;"]
            lines = declare + [wrap(f"    const alc_status status = {name}(",
                                    [*arguments, "&result"], ");"),
                               "    if (status != ALC_OK) {",
                               "        return alc_host_stop(call, status);", "    }"]
        else:
            declare = "" if declared else f"{function.result.c_type} "
            lines = [wrap(f"    {declare}result = {name}(", arguments, ");")]
        if after:
            lines += ["    if (result == 0) {", *after, "    }"]
        return lines + ["    slots[0] = result;", "    return ALC_OK;"]


def mask(kind):
    bits = 0
    for _, number in kind.values:
        bits |= number
    return bits


def offset(base, value):
    return f"{base} + {value}" if value else base


def load(scalar, place):
    if scalar.size == 1:
        return f"({place})[0]" if "+" in place else f"{place}[0]"
    return f"alc_load_u{8 * scalar.size}({place})"


def store(scalar, place, value):
    if scalar.size == 1:
        return f"({place})[0] = {value}" if "+" in place else f"{place}[0] = {value}"
    return f"alc_store_u{8 * scalar.size}({place}, {value})"


def refuse_if_fault():
    return ["    if (fault != ALC_HOST_FAULT_NONE) {",
            "        return refuse(call, fault);", "    }"]


def borrow(name, addr, count, size):
    return [f"    struct alc_guest_buffer {name};",
            wrap("    fault = alc_host_borrow(",
                 ["call", addr, count, str(size), f"&{name}"], ");"),
            *refuse_if_fault()]


def wrap(start, parts, end):
    """One call or prototype, broken before column 100."""
    indent = " " * (len(start) if len(start) < 60 else 8)
    lines, line = [], start
    for index, part in enumerate(parts):
        piece = part + (", " if index + 1 < len(parts) else end)
        if len(line) + len(piece.rstrip()) > 100 and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += piece
    return "\n".join(lines + [line])


def comment(text):
    lines, line = [], "/*"
    for word in (text + " */").split():
        if len(line) + 1 + len(word) > 100:
            lines.append(line)
            line = " *"
        line += " " + word
    return "\n".join(lines + [line])


def banner(host_file, stem, what):
    return (f"/* SPDX-License-Identifier: Apache-2.0\n *\n * {what} of module {host_file.name}, "
            f"generated from {stem}.host.\n * The guest is hostile; see host/host.h.\n */")


def emit(host_file, stem):
    emitter = Emitter(host_file, stem)
    return emitter.source(), emitter.header()


# -- reference page --

def docs(host_file):
    emitter = Emitter(host_file, "")
    lines = ["<!-- Generated by tools/gen_host.py from the .host rows; do not edit. -->",
             f"# {host_file.setting('title')}", "", host_file.doc, "",
             f"Import module: `{host_file.name}`. Functions: {len(host_file.functions)}.", "",
             "## Functions", ""]
    for function in host_file.functions:
        lines += function_docs(emitter, function)
    lines += ["## Types", ""]
    for kind in host_file.types.values():
        lines += type_docs(kind)
    return "\n".join(lines).rstrip() + "\n"


def describe(parameter):
    text = f"{parameter.direction} {parameter.type.name}".strip()
    if parameter.count:
        text += f"[{parameter.count.removeprefix('host ')}]"
    return text


def function_docs(emitter, function):
    words = {"i": "i32", "I": "i64"}
    core = " ".join(words[emitter.letter(p)] for p in function.parameters)
    lines = [f"### {function.name}", "", function.doc, "",
             f"Core type: `({core}) -> ({'i32' if function.result else ''})`", ""]
    if function.parameters:
        lines += ["| parameter | type |", "|---|---|"]
        lines += [f"| `{p.name}` | `{describe(p)}` |" for p in function.parameters] + [""]
    if "rights" in function.attributes:
        lines += [f"Rights: `{function.attributes['rights']}`", ""]
    if "limit" in function.attributes:
        name, _, ident = function.attributes["limit"].partition(" ")
        lines += [f"At most `{ident}` of src/base/limits.def: `{name}`.", ""]
    if "may_stop" in function.attributes:
        lines += ["The program may end in this call.", ""]
    return lines


def type_docs(kind):
    if not kind.line:
        return []
    lines = [f"### {kind.name}", ""]
    lines += [kind.doc, ""] if kind.doc else []
    if kind.kind == "struct":
        lines += [f"Structure of {kind.size} bytes, aligned to {kind.alignment}.", "",
                  "| offset | field | type |", "|--:|---|---|"]
        lines += [f"| {f.offset} | `{f.name}` | `{f.type.name}` |" for f in kind.fields] + [""]
    elif kind.kind in ("flags", "enum"):
        word = "Flags" if kind.kind == "flags" else "Enumeration"
        lines += [f"{word} in a `{kind.base.name}`.", ""]
        if kind.values:
            lines += ["| value | name |", "|--:|---|"]
            lines += [f"| {number:#x} | `{name}` |" if kind.kind == "flags" else
                      f"| {number} | `{name}` |" for name, number in kind.values] + [""]
    else:
        lines += [f"Carried in a `{kind.scalar.name}`.", ""]
    return lines
