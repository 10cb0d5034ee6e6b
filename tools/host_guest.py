# SPDX-License-Identifier: Apache-2.0
"""Emits the C of a `module` file: what guests import.

For every row: the core signature that linking compares, the steps with which src/host/run.h checks
and copies what the guest points to and stores results, and one typed call into hand-written
semantics. Attributes: `rights` (per handle), `limit PARAMETER IDENT` (row of limits.def),
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
            if function.result.kind != "result" or function.result.c_type != "uint16_t":
                self.fail(function, "the result must be of a `result` type of u16")
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
        if direction == "in" and kind.kind != "counted" and not parameter.count:
            self.fail(function, f"{parameter.name}: a single one goes in by value")
        if parameter.used and (direction != "out" or kind.kind != "struct"):
            self.fail(function, f"{parameter.name}: only arrays of results are used in part")

    # -- names --

    def macro(self, *words):
        return "_".join((self.prefix,) + words).upper()

    def struct_name(self, kind):
        return f"struct {self.prefix}_{kind.name}"

    @staticmethod
    def letter(parameter):
        by_value = not parameter.direction
        return "I" if by_value and parameter.type.size == 8 else "i"

    @staticmethod
    def consumed(function):
        """Counts are part of what they count and are not passed on by themselves."""
        return {parameter.count for parameter in function.parameters}

    def rights_of(self, function):
        """Handle parameter -> numbers of the rights it must have."""
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
            needed[name.strip() or handles[0]] = [known[right].bit_length() - 1 for right in names]
        if set(needed) - set(handles):
            self.fail(function, "rights of something that is no handle")
        return {name: needed.get(name, []) for name in handles}

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
        room = self.prefix.split("_")[1]
        lines = [banner(self.file, self.stem, "Rows and table"),
                 f'#include "{room}/{self.stem}_host.h"', "",
                 '#include "base/limits.h"', '#include "host/run.h"']
        lines += [f'#include "{name}"' for name in self.file.settings.get("include", [])] + [""]
        for function in self.file.functions:
            lines += self.body(function)
        lines += self.row_table()
        lines += ["/* clang-format off */",
                  "static const struct alc_host_export exports[] = {"]
        for function in self.file.functions:
            letters = "".join(self.letter(p) for p in function.parameters)
            letters += ":i" if function.result else ":"
            lines += [f'    {{"{function.name}", "{letters}", run}},']
        lines += ["};", "/* clang-format on */", "",
                  "static const struct alc_host_module module = {",
                  f'    .name = "{self.file.name}",', "    .exports = exports,",
                  "    .exports_count = sizeof exports / sizeof exports[0],", "};", "",
                  f"const struct alc_host_module *{self.prefix}_module(void)", "{",
                  "    return &module;", "}", ""]
        return "\n".join(lines)

    def row_table(self):
        """The constants of struct alc_host_rows."""
        self.layouts, self.asked = {}, {}   # name -> offset, name -> number
        steps, starts, size = [], [], 0
        for function in self.file.functions:
            row = self.steps(function)
            starts.append(size)
            size += len(row)
            steps += [wrap(f"    /* {function.name} */ ", row, ",")]
        kind = self.result_type
        lines = ["/* clang-format off */", *self.layout_table(),
                 "static const uint8_t steps[] = {", *steps, "};",
                 wrap("static const uint16_t starts[] = {", [str(start) for start in starts], "};")]
        refusals = [f"[ALC_HOST_FAULT_{FAULTS[name]}] = {value}"
                    for name, value in kind.faults.items()] if kind else ["0"]
        lines += [wrap("static const uint16_t refusals[] = {", refusals, "};"),
                  "/* clang-format on */", ""]
        lines += self.get_handle() + self.ask()
        bodies = [f"do_{function.name}" for function in self.file.functions]
        return lines + [wrap("static alc_host_body *const bodies[] = {", bodies, "};"), "",
                        "static const struct alc_host_module module;", "",
                        "static const struct alc_host_rows rows = {", "    .module = &module,",
                        "    .bodies = bodies,",
                        "    .steps = steps,", "    .starts = starts,", "    .layouts = layouts,",
                        "    .refusals = refusals,",
                        *(["    .get_handle = get_handle,"] if self.handle_type() else []),
                        *(["    .ask = ask,"] if self.asked else []), "};", "",
                        "static alc_status run(struct alc_host_call *call)",
                        "{", "    return alc_host_run(call, &rows);", "}", ""]

    def layout_table(self):
        lines = ["static const uint8_t layouts[] = {"]
        for name in self.layouts:
            kind = self.file.types[name]
            struct = self.struct_name(kind)
            lines += [f"    {kind.size}, sizeof({struct}), {len(kind.fields)}, /* {name} */"]
            lines += [f"    {f.offset}, offsetof({struct}, {f.name}), {f.type.size},"
                      for f in kind.fields]
        if not self.layouts:
            lines += ["    0,"]
        lines += ["};"]
        return lines + [f"_Static_assert(sizeof({self.struct_name(self.file.types[name])}) <= "
                        'ALC_HOST_STRUCT_SIZE, "room in a frame");' for name in self.layouts]

    def layout(self, function, kind):
        if kind.name not in self.layouts:
            self.layouts[kind.name] = sum(3 + 3 * len(self.file.types[name].fields)
                                          for name in self.layouts)
        if self.layouts[kind.name] > 255 or kind.size > 64:
            self.fail(function, f"{kind.name}: layouts grew too large for a byte")
        return str(self.layouts[kind.name])

    def handle_type(self):
        kinds = [kind for kind in self.file.types.values()
                 if kind.kind == "handle" and "struct" in kind.c_type]
        if len(kinds) > 1:
            self.fail(kinds[1], "one module, one type of handles")
        return kinds[0] if kinds else None

    def get_handle(self):
        kind = self.handle_type()
        if kind is None:
            return []
        return ["static uint16_t get_handle(void *context, uint32_t number, uint64_t rights, "
                "void **out)", "{", f"    {kind.c_type} *found = NULL;",
                f"    const uint16_t result = {self.prefix}_{kind.name}_get(context, number, "
                "rights, &found);", "    *out = found;", "    return result;", "}", ""]

    def ask(self):
        if not self.asked:
            return []
        lines = ["static uint64_t ask(const void *context, uint8_t what)", "{",
                 "    switch (what) {"]
        for name, number in self.asked.items():
            lines += [f"    case {number}:" if number else "    default:",
                      f"        return {self.prefix}_{name}(context);"]
        return lines + ["    }", "}", ""]

    def count_step(self, function, text):
        if text.isdigit():
            if int(text) > 127:
                self.fail(function, "a literal count has 7 bits")
            return f"ALC_HOST_COUNT_LITERAL | {text}"
        if text.startswith("host "):
            return f"ALC_HOST_COUNT_ASK | {self.asked.setdefault(text[5:], len(self.asked))}"
        return str(self.index(function, text))

    @staticmethod
    def index(function, name):
        return [parameter.name for parameter in function.parameters].index(name)

    def steps(self, function):
        """The bytes of a row, as C."""
        if len(function.parameters) > 10:
            self.fail(function, "has more than 10 parameters")
        row, rights = [], self.rights_of(function)
        if "limit" in function.attributes:
            name, _, ident = function.attributes["limit"].partition(" ")
            limit = f"ALC_LIMIT_{ident}"
            row += ["ALC_HOST_LIMIT", str(self.index(function, name)), f"{limit} & 255",
                    f"{limit} / 256"]
        if sum(p.type.kind == "struct" and not p.count for p in function.parameters) > 1:
            self.fail(function, "one single structure comes back at most")
        for parameter in function.parameters:
            if parameter.name in rights:
                numbers = rights[parameter.name]
                row += ["ALC_HOST_HANDLE", str(len(numbers)), *map(str, numbers)]
            elif parameter.direction:
                row += self.memory_step(function, parameter)
            else:
                row += self.number_step(function, parameter.type)
        end = "END"
        if "may_stop" in function.attributes:
            end = "END_STOP" if function.result else "END_VOID"
        return row + [f"ALC_HOST_{end}"]

    def number_step(self, function, kind):
        if kind.kind == "flags":
            bits = mask(kind).bit_length()
            if mask(kind) != (1 << bits) - 1 or bits > 63:
                self.fail(function, f"flags {kind.name} have holes")
            if kind.name in self.lenient:
                return ["ALC_HOST_MASK", str(bits)]
            if kind.size > 4:
                self.fail(function, f"{kind.name}: wide flags must be lenient")
            return ["ALC_HOST_FLAGS", str(bits)]
        if kind.kind == "enum":
            top = max(number for _, number in kind.values)
            if sorted(number for _, number in kind.values) != list(range(top + 1)) or top > 255:
                self.fail(function, f"enum {kind.name} has holes")
            return ["ALC_HOST_ENUM", str(top)]
        return ["ALC_HOST_NUMBER"]

    def memory_step(self, function, parameter):
        kind, direction = parameter.type, parameter.direction
        count = self.count_step(function, parameter.count) if parameter.count else None
        if kind.name in ("spans", "path"):
            return [f"ALC_HOST_{kind.name.upper()}", count]
        if kind.kind == "counted" and direction == "in":
            return ["ALC_HOST_COPY", count]
        if kind.kind == "counted" or (kind.is_value and count):
            if direction == "in":
                self.fail(function, f"{parameter.name}: numbers cannot go in as an array")
            return ["ALC_HOST_BUFFER", count, str(max(kind.size, 1))]
        if kind.is_value:
            return ["ALC_HOST_OUT", str(kind.size)]
        layout = self.layout(function, kind)
        if not count:
            return ["ALC_HOST_STRUCT_OUT", layout]
        if direction == "in":
            return ["ALC_HOST_ITEMS_IN", layout, count]
        if parameter.used is None:
            self.fail(function, f"{parameter.name}: say how many results are used")
        used = function.parameter(parameter.used)
        if used.direction != "out" or used.type.size != 4:
            self.fail(function, f"{parameter.used}: must be an out number of 4 bytes")
        return ["ALC_HOST_ITEMS_OUT", layout, count, str(self.index(function, parameter.used))]

    def argument(self, function, parameter):
        """What semantics gets for one parameter."""
        kind, value = parameter.type, f"values[{self.index(function, parameter.name)}]"
        if kind.name == "spans":
            return [f"{value}.spans"]
        if kind.kind == "counted":
            return [f"{value}.{'bytes' if parameter.direction == 'in' else 'buffer'}"]
        if kind.is_value and parameter.count:
            return [f"{value}.buffer"]
        if kind.kind == "struct":
            counted = parameter.direction == "in"
            return [f"{value}.items.first"] + ([f"{value}.items.count"] if counted else [])
        if kind.kind == "handle" and "struct" in kind.c_type and not parameter.direction:
            return [f"{value}.handle"]
        scalar = kind.scalar
        place = f"{value}.{'number' if scalar.size == 8 else f'u{8 * scalar.size}'}"
        star, address = (" *", "&") if parameter.direction else ("", "")
        cast = f"({scalar.c_type}{star})" if scalar.c_type.startswith("int") else ""
        return [f"{cast}{address}{place}"]

    def body(self, function):
        consumed = self.consumed(function)
        arguments = ["context"]
        for parameter in function.parameters:
            if parameter.direction or parameter.name not in consumed:
                arguments += self.argument(function, parameter)
        call = f"{self.prefix}_{function.name}("
        status = f"values[{len(function.parameters)}].status"
        result = f"values[{len(function.parameters) + 1}].u16"
        if "may_stop" not in function.attributes:
            lines = [wrap(f"    return {call}", arguments, ");")]
        else:
            arguments += [f"&{result}"] if function.result else []
            lines = [wrap(f"    {status} = {call}", arguments, ");"),
                     f"    return {result};"]
        unused = [] if "values" in "".join(lines) else ["    (void)values;"]
        return [f"static uint16_t do_{function.name}(void *context, "
                "union alc_host_value *values)", "{", *unused, *lines, "}", ""]


def mask(kind):
    bits = 0
    for _, number in kind.values:
        bits |= number
    return bits


def wrap(start, parts, end):
    """One call, prototype or list, broken before column 100."""
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
