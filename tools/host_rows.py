# SPDX-License-Identifier: Apache-2.0
"""Reads .host files: the one description of functions that cross a trust boundary.

A file opens with `module NAME` (functions that guests import) or `boundary NAME` (calls from an
enclave to its host); both kinds share this grammar. An item starts in column 0; indented lines and
open brackets continue it. `#` starts a comment, `##` lines are documentation of the next item.

    include "os/os.h"                        header for the generated C
    prefix alc_wasi                          names of the generated C (any `word value` setting)
    type stat = extern "struct alc_os_stat" 64
    type iovec = struct { buf: ptr, size: u32, other: u8 @16 }      @: explicit byte offset
    flags lookupflags: u32 { symlink_follow, other = 0x10 }         one bit each, from bit 0
    enum whence: u8 { set, cur, end = 2 }
    handle fd: u32 = "struct alc_wasi_descriptor"
    result errno: u16 { bad_pointer ALC_OS_FAULT, ... }             what failed checks answer
    fn NAME(parameters) -> RESULT  attribute value  attribute value
    call NAME(parameters) -> RESULT  ensure result <= size

A parameter is `name: [in|out|inout] type[count, used]`; count and used name another parameter, are
a number, or `host NAME` (asked of the implementation). Attributes follow the result, two blanks or
a line break between one and the next; an attribute's value is the text behind its first word.
"""
import re
from dataclasses import dataclass, field


class HostError(Exception):
    """A row that cannot be read, with its place."""


@dataclass
class Type:
    name: str
    kind: str                  # scalar struct extern flags enum handle result counted
    size: int = 0              # bytes in guest or wire layout; 0 for counted
    alignment: int = 1
    c_type: str = ""
    base: "Type | None" = None  # scalar that carries flags, enums, handles, results
    fields: list = field(default_factory=list)   # Field of a struct
    values: list = field(default_factory=list)   # (name, number) of flags and enums
    faults: dict = field(default_factory=dict)   # of a result
    doc: str = ""
    line: int = 0

    @property
    def scalar(self):
        return self.base or self

    @property
    def is_value(self):
        return self.kind in ("scalar", "flags", "enum", "handle", "result")


@dataclass
class Field:
    name: str
    type: Type
    offset: int


@dataclass
class Parameter:
    name: str
    direction: str             # "" (by value), in, out, inout
    type: Type
    count: "str | None" = None
    used: "str | None" = None


@dataclass
class Function:
    name: str
    parameters: list
    result: "Type | None"      # None: nothing comes back
    attributes: dict
    doc: str
    line: int
    noreturn: bool = False     # written `-> !`

    def parameter(self, name):
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        return None


@dataclass
class HostFile:
    path: str
    kind: str                  # module or boundary
    name: str
    settings: dict             # word -> list of values, in order
    types: dict
    functions: list
    doc: str

    def setting(self, word):
        values = self.settings.get(word, [])
        if len(values) != 1:
            raise HostError(f"{self.path}: exactly one `{word}` is needed")
        return values[0]


SCALARS = {
    "u8": (1, "uint8_t"), "u16": (2, "uint16_t"), "u32": (4, "uint32_t"), "u64": (8, "uint64_t"),
    "i8": (1, "int8_t"), "i16": (2, "int16_t"), "i32": (4, "int32_t"), "i64": (8, "int64_t"),
    "ptr": (4, "uint32_t"),    # address in the guest's 32-bit memory, as a number
}
# Always with a count (except spans): bytes as they are, UTF-8 text, a path, scattered buffers.
COUNTED = ("bytes", "utf8", "path", "spans")
NAME = r"[a-z][a-z0-9_]*"


def builtin_types():
    types = {name: Type(name, "scalar", size, size, c_type)
             for name, (size, c_type) in SCALARS.items()}
    types.update({name: Type(name, "counted") for name in COUNTED})
    return types


def split_items(text, path):
    """Yields (line number, documentation, text of the item)."""
    doc, item, start, open_brackets = [], [], 0, 0
    for number, raw_line in enumerate(text.split("\n"), 1):
        if raw_line.startswith("##"):
            doc.append(raw_line[2:].strip())
            continue
        line = re.sub(r"(^|\s)#.*$", "", raw_line).rstrip()
        if not line.strip():
            continue
        continues = line[0].isspace() or open_brackets > 0
        if not continues:
            if item:
                yield start, item[0], "\n".join(item[1:])
            item, start, doc = [" ".join(doc), line], number, []
        elif not item:
            raise HostError(f"{path}:{number}: an indented line continues nothing")
        else:
            item.append(line.strip() if open_brackets else "\n" + line.strip())
        open_brackets += sum(line.count(c) for c in "({[") - sum(line.count(c) for c in ")}]")
    if open_brackets:
        raise HostError(f"{path}:{start}: brackets do not match")
    if item:
        yield start, item[0], "\n".join(item[1:])


class Parser:
    def __init__(self, path, text):
        self.path, self.text, self.line = path, text, 0
        self.file = None

    def fail(self, message):
        raise HostError(f"{self.path}:{self.line}: {message}")

    def find_type(self, name):
        found = self.file.types.get(name)
        if found is None:
            self.fail(f"unknown type {name}")
        return found

    def value_type(self, name):
        found = self.find_type(name)
        if found.kind != "scalar":
            self.fail(f"{name} is not a number type")
        return found

    def parse(self):
        for self.line, doc, item in split_items(self.text, self.path):
            word, _, rest = item.partition(" ")
            if self.file is None:
                if word not in ("module", "boundary") or not re.fullmatch(r"\w+", rest.strip()):
                    self.fail("the first item must be `module NAME` or `boundary NAME`")
                self.file = HostFile(self.path, word, rest.strip(), {}, builtin_types(), [], doc)
                continue
            read = getattr(self, "read_" + word, None)
            if read is None:
                self.file.settings.setdefault(word, []).append(rest.strip().strip('"'))
            else:
                read(rest.strip(), doc)
        if self.file is None:
            raise HostError(f"{self.path}: empty file")
        return self.file

    def add_type(self, added, doc):
        if added.name in self.file.types:
            self.fail(f"type {added.name} exists already")
        added.doc, added.line = doc, self.line
        self.file.types[added.name] = added

    def read_type(self, text, doc):
        match = re.fullmatch(rf"({NAME})\s*=\s*(.*)", text, re.S)
        if not match:
            self.fail("expected `type NAME = …`")
        name, body = match[1], match[2].strip()
        if match := re.fullmatch(r'extern\s+"([^"]+)"\s+(\d+)', body):
            size = int(match[2])
            self.add_type(Type(name, "extern", size, min(8, size & -size), match[1]), doc)
        elif match := re.fullmatch(r"struct\s*\{(.*)\}", body, re.S):
            self.add_type(self.read_struct(name, match[1]), doc)
        else:
            base = self.find_type(body)
            self.add_type(Type(name, base.kind, base.size, base.alignment, base.c_type,
                               base.base, base.fields, base.values), doc)

    def read_struct(self, name, body):
        fields, end, alignment = [], 0, 1
        for part in filter(None, (p.strip() for p in body.split(","))):
            match = re.fullmatch(rf"({NAME})\s*:\s*({NAME})(?:\s*@(\d+))?", part)
            if not match:
                self.fail(f"cannot read field `{part}`")
            kind = self.find_type(match[2])
            if not kind.is_value:
                self.fail(f"field {match[1]} must be a number")
            offset = -(-end // kind.alignment) * kind.alignment
            if match[3] is not None:
                offset = int(match[3])
                if offset % kind.alignment:
                    self.fail(f"field {match[1]} is not aligned")
            fields.append(Field(match[1], kind, offset))
            end, alignment = max(end, offset + kind.size), max(alignment, kind.alignment)
        if not fields:
            self.fail(f"structure {name} has no fields")
        size = -(-end // alignment) * alignment
        return Type(name, "struct", size, alignment, fields=fields)

    def read_numbered(self, text, kind, doc):
        match = re.fullmatch(rf"({NAME})\s*:\s*({NAME})\s*\{{(.*)\}}", text, re.S)
        if not match:
            self.fail(f"expected `{kind} NAME: TYPE {{ … }}`")
        base, values = self.value_type(match[2]), []
        number = 1 if kind == "flags" else 0
        for part in filter(None, (p.strip() for p in match[3].split(","))):
            value = re.fullmatch(rf"({NAME})(?:\s*=\s*(\w+))?", part)
            if not value:
                self.fail(f"cannot read value `{part}`")
            number = int(value[2], 0) if value[2] else number
            if number >> (8 * base.size):
                self.fail(f"{value[1]} does not fit {base.name}")
            values.append((value[1], number))
            number = number << 1 if kind == "flags" else number + 1
        self.add_type(Type(match[1], kind, base.size, base.alignment, base.c_type, base,
                           values=values), doc)

    def read_flags(self, text, doc):
        self.read_numbered(text, "flags", doc)

    def read_enum(self, text, doc):
        self.read_numbered(text, "enum", doc)

    def read_handle(self, text, doc):
        match = re.fullmatch(rf'({NAME})\s*:\s*({NAME})(?:\s*=\s*"([^"]+)")?', text)
        if not match:
            self.fail('expected `handle NAME: TYPE [= "struct …"]`')
        base = self.value_type(match[2])
        self.add_type(Type(match[1], "handle", base.size, base.alignment, match[3] or base.c_type,
                           base), doc)

    def read_result(self, text, doc):
        match = re.fullmatch(rf"({NAME})\s*:\s*({NAME})\s*\{{(.*)\}}", text, re.S)
        if not match:
            self.fail("expected `result NAME: TYPE { fault CONSTANT, … }`")
        base = self.value_type(match[2])
        faults = dict(part.split() for part in match[3].split(",") if part.strip())
        self.add_type(Type(match[1], "result", base.size, base.alignment, base.c_type, base,
                           faults=faults), doc)

    def read_fn(self, text, doc):
        self.read_function(text, doc, "module")

    def read_call(self, text, doc):
        self.read_function(text, doc, "boundary")

    def read_function(self, text, doc, kind):
        if self.file.kind != kind:
            self.fail("`fn` rows belong to a module, `call` rows to a boundary")
        match = re.match(rf"({NAME})\s*\(", text)
        if not match:
            self.fail("expected NAME(")
        close = text.find(")", match.end())
        parameters = [self.read_parameter(part) for part in
                      self.split_parameters(text[match.end():close])]
        names = [parameter.name for parameter in parameters]
        if len(set(names)) != len(names):
            self.fail("two parameters share a name")
        if any(function.name == match[1] for function in self.file.functions):
            self.fail(f"{match[1]} exists already")
        rest = re.match(rf"\s*(?:->\s*(!|{NAME}))?(.*)", text[close + 1:], re.S)
        result = self.find_type(rest[1]) if rest[1] not in (None, "!") else None
        function = Function(match[1], parameters, result, self.read_attributes(rest[2]), doc,
                            self.line, rest[1] == "!")
        self.check_counts(function)
        self.file.functions.append(function)

    @staticmethod
    def split_parameters(text):
        parts = re.split(r",(?![^\[]*\])", text)
        return [part.strip() for part in parts if part.strip()]

    def read_parameter(self, text):
        match = re.fullmatch(rf"({NAME})\s*:\s*(?:(in|out|inout)\s+)?({NAME})"
                             rf"(?:\[([^\],]+)(?:,\s*({NAME}))?\])?", text)
        if not match:
            self.fail(f"cannot read parameter `{text}`")
        kind = self.find_type(match[3])
        direction = match[2] or ""
        if not direction and (not kind.is_value or match[4]):
            self.fail(f"parameter {match[1]} needs a direction")
        if kind.kind == "counted" and kind.name != "spans" and not match[4]:
            self.fail(f"parameter {match[1]} needs a count")
        return Parameter(match[1], direction, kind, match[4] and match[4].strip(), match[5])

    def read_attributes(self, text):
        attributes = {}
        for part in filter(None, (p.strip() for p in re.split(r"\s{2,}|\n", text))):
            word, _, value = part.partition(" ")
            if word in attributes:
                self.fail(f"attribute {word} is given twice")
            attributes[word] = value.strip()
        return attributes

    def check_counts(self, function):
        for parameter in function.parameters:
            for name in (parameter.count, parameter.used):
                if name is None or name.isdigit() or re.fullmatch(rf"host {NAME}", name):
                    continue
                if function.parameter(name) is None:
                    self.fail(f"{parameter.name} is counted by an unknown {name}")


def read_host_file(path):
    with open(path, encoding="utf-8") as source:
        return Parser(path, source.read()).parse()
