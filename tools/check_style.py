#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the rules of style that need no compiler.

Banned calls, lengths (function 70 lines, file 800, line 100 columns), file headers (licence, then
a paragraph), words that mark unfinished work, density of #if, README.md and tests of each room.
Exceptions are data (tools/style_exceptions.txt), with reasons; one that excuses nothing fails.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUNCTION_LINES, FILE_LINES, COLUMNS = 70, 800, 100
CONDITIONALS_PER_1000 = 5.0
SOURCE_FOLDERS = ("src", "tests", "tools", "fuzz", "bench", "examples", "include")
NEVER = {
    "strcpy": "alc_copy with a checked size", "strcat": "struct alc_writer",
    "sprintf": "snprintf", "vsprintf": "vsnprintf", "gets": "fgets", "atoi": "strtol with checks",
    "atol": "strtol with checks", "alloca": "an arena", "strtok": "strtok_r", "tmpnam": "mkstemp",
    "mktemp": "mkstemp", "strncpy": "alc_copy with a checked size",
}
RAW_MEMORY = ("memcpy", "memmove", "memset", "memcmp")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
CALL = re.compile(r"(?<![\w.>])(\w+)\s*\(")
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
HEADER_BLOCK = re.compile(r"/\* SPDX-License-Identifier: [\w.-]+\n \*\n \* \S")
HEADER_LINES = re.compile(r"(#!.*\n)?(#|//) SPDX-License-Identifier: [\w.-]+\n")
ROOM_TEST_FOLDERS = ("unit/{room}", "{room}")


def blank(match):
    """Comments and strings become blanks; line breaks stay."""
    return re.sub(r"[^\n]", " ", match.group(0))


class Checker:
    def __init__(self, root, exceptions):
        self.root, self.problems = root, []
        self.exceptions = {key: [reason, 0] for key, reason in exceptions.items()}

    def complain(self, rule, place, text, line=None):
        """`place` is what an exception names: "file" or "file:function"."""
        excuse = self.exceptions.get((rule, place))
        if excuse is not None:
            excuse[1] += 1
            return
        where = place if line is None else f"{place.split(':')[0]}:{line}"
        self.problems.append(f"{where}: {text} [{rule}]")

    def check_lines(self, name, text):
        lines = text.splitlines()
        if len(lines) > FILE_LINES:
            self.complain("file-length", name, f"{len(lines)} lines, at most {FILE_LINES}")
        is_table = name.endswith((".def", ".host"))
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS and not is_table and "clang-format off" not in line:
                self.complain("line-length", name, f"{len(line)} columns", number)
            if UNFINISHED.search(line) and name != "tools/check_style.py":
                self.complain("unfinished", name, "marks something unfinished", number)

    def check_header(self, name, text):
        if name.endswith((".c", ".h")):
            good = HEADER_BLOCK.match(text)
        elif name.endswith((".S", ".def", ".host", ".in", ".ld", ".md", ".txt", ".json")):
            return
        else:
            good = HEADER_LINES.match(text)
        if not good:
            self.complain("header", name, "begins without licence line and paragraph", 1)

    def check_calls(self, name, code):
        for number, line in enumerate(code.splitlines(), 1):
            for word in CALL.findall(line):
                word = word.removeprefix("__builtin_")
                # Examples are strangers' programs: plain C, as anybody writes it.
                if word in NEVER and not name.startswith("examples/"):
                    self.complain("banned", name, f"{word}: use {NEVER[word]}", number)
                if word in RAW_MEMORY and name.startswith("src/") and name != "src/base/bytes.h":
                    self.complain("raw-memory", name, f"{word}: use base/bytes.h", number)

    def check_functions(self, name, code):
        """A function's body is what stands between a brace in column 0 and its twin."""
        lines = code.splitlines()
        start = None
        for number, line in enumerate(lines):
            if line.rstrip() == "{":
                start = number
            elif line.startswith("}") and start is not None:
                length = number - start + 1
                if length > FUNCTION_LINES:
                    function = function_name(lines, start)
                    self.complain("function-length", f"{name}:{function}",
                                  f"{function} has {length} lines, at most {FUNCTION_LINES}",
                                  start + 1)
                start = None

    def check_file(self, name, text):
        self.check_header(name, text)
        self.check_lines(name, text)
        if name.endswith((".c", ".h")):
            code = COMMENT.sub(blank, text)
            self.check_calls(name, code)
            self.check_functions(name, code)

    def check_density(self, files):
        """#if per 1000 lines of each room; include guards do not count."""
        lines, conditionals = {}, {}
        for name, text in files.items():
            if not name.startswith("src/") or not name.endswith((".c", ".h")):
                continue
            room = name.split("/")[1]
            guards = 1 if name.endswith(".h") else 0
            found = len(re.findall(r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b", text, re.M)) - guards
            lines[room] = lines.get(room, 0) + text.count("\n")
            conditionals[room] = conditionals.get(room, 0) + found
        for room, count in conditionals.items():
            # One island in a small room is no density.
            if count > 2 and count * 1000 > CONDITIONALS_PER_1000 * lines[room]:
                self.complain("conditionals", f"src/{room}",
                              f"{count} #if in {lines[room]} lines, at most 5 in 1000")

    def check_rooms(self):
        for room in sorted(path for path in (self.root / "src").iterdir() if path.is_dir()):
            if not any(path.suffix in (".c", ".h", ".S") for path in room.iterdir()):
                continue
            name = f"src/{room.name}"
            if not (room / "README.md").exists():
                self.complain("readme", name, "has no README.md")
            folders = [self.root / "tests" / pattern.format(room=room.name)
                       for pattern in ROOM_TEST_FOLDERS]
            if not any(folder.is_dir() and any(folder.rglob("*.c")) for folder in folders):
                self.complain("room-tests", name, "has no tests of its own (tests/unit/<room>)")

    def finish(self):
        for (rule, place), (_, used) in self.exceptions.items():
            if used == 0:
                self.problems.append(f"tools/style_exceptions.txt: {rule} {place} excuses nothing")
        return self.problems


def function_name(lines, brace):
    """The name before the parameter list that ends above the brace."""
    text = ""
    for line in reversed(lines[max(0, brace - 12):brace]):
        text = line + "\n" + text
        if line and not line[0].isspace():
            break
    match = re.search(r"(\w+)\s*\(", text)
    return match.group(1) if match else "?"


def read_exceptions(path):
    exceptions = {}
    if not path.exists():
        return exceptions
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            rule, place, reason = line.split(None, 2)
            exceptions[(rule, place)] = reason
    return exceptions


def tracked_files(root):
    """Files that git knows or would take, so that half-made scratch folders do not count."""
    text = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                          cwd=root, check=True, capture_output=True, text=True).stdout
    return sorted(set(name for name in text.split("\0") if name and (root / name).is_file()))


def is_checked(name):
    if name.startswith("LICENSE"):
        return False
    if name in ("check", "Makefile", "tools/bootstrap", ".ci/run", "CMakeLists.txt"):
        return True
    return name.startswith(SOURCE_FOLDERS) and name.endswith(
        (".c", ".h", ".S", ".def", ".host", ".py", ".cmake"))


def check_tree(root, exceptions):
    files = {name: (root / name).read_text(encoding="utf-8", errors="replace")
             for name in tracked_files(root) if is_checked(name)}
    checker = Checker(root, exceptions)
    for name, text in files.items():
        checker.check_file(name, text)
    checker.check_density(files)
    checker.check_rooms()
    return checker.finish(), len(files)


# -- self-test: each rule is seen to fail, and a good file to pass --

GOOD = ("/* SPDX-License-Identifier: Apache-2.0\n *\n * Good: memcpy( in a comment is fine.\n */\n"
        "int f(void)\n{\n    return 0;\n}\n")


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "src" / "base").mkdir(parents=True)
        (root / "src" / "base" / "a.c").touch()
        body = "    f();\n" * (FUNCTION_LINES + 1)
        cases = {
            "header": "int f(void);\n",
            "banned": GOOD + "void g(void)\n{\n    strcpy(a, b);\n}\n",
            "raw-memory": GOOD + "void g(void)\n{\n    __builtin_memcpy(a, b, 1);\n}\n",
            "line-length": GOOD + "int " + "x" * COLUMNS + ";\n",
            "file-length": GOOD + "\n" * FILE_LINES,
            "unfinished": GOOD + "/* TO" + "DO: more */\n",
            "function-length": GOOD + "void long_one(int a,\n    int b)\n{\n" + body + "}\n",
        }
        for rule, text in cases.items():
            checker = Checker(root, {})
            checker.check_file("src/base/a.c", text)
            assert any(f"[{rule}]" in problem for problem in checker.problems), rule
        checker = Checker(root, {("function-length", "src/base/a.c:long_one"): "a table"})
        checker.check_file("src/base/a.c", cases["function-length"])
        assert not checker.finish(), checker.problems
        assert Checker(root, {("banned", "src/base/a.c"): "unused"}).finish()
        checker = Checker(root, {})
        checker.check_file("src/base/a.c", GOOD)
        assert not checker.finish(), checker.problems
        checker.check_density({"src/base/a.c": GOOD + "#if A\n#endif\n" * 3})
        assert any("[conditionals]" in problem for problem in checker.problems)
        checker.check_rooms()
        assert any("[readme]" in problem for problem in checker.problems)
        assert any("[room-tests]" in problem for problem in checker.problems)
    print("check_style: self-test passed, every rule can fail")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--self-test", action="store_true")
    if parser.parse_args().self_test:
        self_test()
        return 0
    exceptions = read_exceptions(ROOT / "tools" / "style_exceptions.txt")
    problems, count = check_tree(ROOT, exceptions)
    for problem in problems:
        print(problem)
    print(f"check_style: {count} files, {len(exceptions)} exceptions: "
          f"{'ok' if not problems else f'{len(problems)} problems'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
