#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden tests of the command line: one file holds the input, the arguments and what must come out.

A file is a list of sections; each begins with a line `;;; NAME: value` and goes on to the next one.
  ABOUT     what the test shows (required)
  FILE      `name wat`, `name hex` or `name text`: a file to make; the lines are its content;
            `name zeros` makes as many zero bytes as the line says; `name vector path` copies a
            file of --vectors, changed as the lines say: `at OFFSET HEX`, `cut SIZE`; the case is
            skipped where there is none
  NEEDS     `no-sgx`, `no-cvm`: skipped on machines with SGX, in confidential machines;
            `attestation`: skipped when the program was built without
  TEE       words: the test runs once for each, `{tee}` in ARGS stands for it
  ARGS      arguments, split as a shell would
  STDIN     the lines are standard input
  ENV       KEY=VALUE for the program's own environment
  EXIT      expected exit status
  STDOUT    the lines are the expected output
  STDERR    the lines are the expected error output
The program runs in a fresh folder that holds the FILEs. `{*}` in an expected line stands for any
text in that line, a line `{...}` for any number of lines. `--update` rewrites EXIT, STDOUT and
STDERR with what came out; look at the difference before you commit it.
"""
import argparse
import concurrent.futures
import difflib
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SECTION = re.compile(r"^;;; ([A-Z]+): ?(.*)$")
KNOWN = {"ABOUT", "NEEDS", "FILE", "TEE", "ARGS", "STDIN", "ENV", "EXIT", "STDOUT", "STDERR"}
TIMEOUT_S = 60


class Skip(Exception):
    pass


class Section:
    def __init__(self, name, value):
        self.name, self.value, self.lines = name, value, []

    def text(self):
        return "".join(line + "\n" for line in self.lines)


def parse(path):
    sections = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        match = SECTION.match(line)
        if match:
            if match.group(1) not in KNOWN:
                raise ValueError(f"{path}:{number}: unknown section {match.group(1)}")
            sections.append(Section(*match.groups()))
        elif sections:
            sections[-1].lines.append(line)
        elif line:
            raise ValueError(f"{path}:{number}: text before the first section")
    if sections and sections[-1].lines and sections[-1].lines[-1] == "":
        sections[-1].lines.pop()  # the file's last line break
    for name in ("ABOUT", "ARGS", "EXIT"):
        if not any(section.name == name for section in sections):
            raise ValueError(f"{path}: no {name}")
    return sections


def find(sections, name):
    return next((section for section in sections if section.name == name), None)


def copy_vector(target, vectors, path, changes):
    if vectors is None or not (vectors / path).is_file():
        raise Skip(f"no {path} among the published vectors")
    content = bytearray((vectors / path).read_bytes())
    for change in changes:
        word, *numbers = change.split()
        if word == "at":
            offset, patch = int(numbers[0]), bytes.fromhex(numbers[1])
            content[offset:offset + len(patch)] = patch
        elif word == "cut":
            del content[int(numbers[0]):]
        else:
            raise ValueError(f"{change}: at or cut")
    target.write_bytes(content)


def make_file(folder, section, vectors):
    name, kind, *path = section.value.split()
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if kind == "text":
        target.write_text(section.text(), encoding="utf-8")
    elif kind == "hex":
        digits = "".join(line.split("#")[0] for line in section.lines)
        target.write_bytes(bytes.fromhex(digits))
    elif kind == "zeros":
        target.write_bytes(bytes(int(section.text())))
    elif kind == "vector":
        copy_vector(target, vectors, path[0], section.lines)
    elif kind == "wat":
        tool = shutil.which("wat2wasm")
        if tool is None:
            raise Skip("wat2wasm is not installed (tools/bootstrap test)")
        subprocess.run([tool, "--enable-exceptions", "--debug-names", "--no-check", "-o",
                        str(target), "-"], check=True, input=section.text(), text=True)
    else:
        raise ValueError(f"FILE {section.value}: wat, hex, text, zeros or vector")


def matches(expected, actual):
    """Whole outputs; `{...}` lines and `{*}` are the only wildcards."""
    pattern = ""
    for line in expected.splitlines(keepends=True):
        if line == "{...}\n":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.split("{*}"))
    return re.fullmatch(pattern, actual) is not None


def check_needs(sections, program):
    needs = find(sections, "NEEDS")
    if needs is None:
        return
    if needs.value == "no-sgx":
        if os.path.exists("/dev/sgx_enclave"):
            raise Skip("this machine has SGX")
    elif needs.value == "no-cvm":
        if os.path.exists("/sys/kernel/config/tsm/report"):
            raise Skip("this may be a confidential machine")
    elif needs.value == "attestation":
        probe = subprocess.run([program, "explain"], check=False, capture_output=True,
                               timeout=TIMEOUT_S)
        if probe.returncode != 0:
            raise Skip("the program was built without attestation")
    else:
        raise ValueError(f"NEEDS {needs.value}: unknown")


def printable(output):
    """Output as text that a golden file can hold."""
    return output.decode("utf-8", "backslashreplace").replace("\0", "\\0")


def execute(sections, program, vectors, tee):
    with tempfile.TemporaryDirectory(prefix="alcove-golden-") as name:
        folder = pathlib.Path(name)
        for section in sections:
            if section.name == "FILE":
                make_file(folder, section, vectors)
        stdin = find(sections, "STDIN")
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
        for section in sections:
            if section.name == "ENV":
                key, _, value = section.value.partition("=")
                environment[key] = value
        arguments = shlex.split(find(sections, "ARGS").value.replace("{tee}", tee))
        done = subprocess.run([program, *arguments], cwd=folder, env=environment, check=False,
                              input=(stdin.text() if stdin else "").encode(), timeout=TIMEOUT_S,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return {"EXIT": str(done.returncode),
                "STDOUT": printable(done.stdout),
                "STDERR": printable(done.stderr)}


def expected_of(sections):
    texts = {"EXIT": find(sections, "EXIT").value.strip()}
    for name in ("STDOUT", "STDERR"):
        section = find(sections, name)
        texts[name] = section.text() if section else ""
    return texts


def compare(expected, actual):
    """Differences as text, "" when there are none."""
    report = []
    if expected["EXIT"] != actual["EXIT"]:
        report.append(f"exit status {actual['EXIT']}, expected {expected['EXIT']}\n")
    for name in ("STDOUT", "STDERR"):
        if not matches(expected[name], actual[name]):
            report += difflib.unified_diff(expected[name].splitlines(keepends=True),
                                           actual[name].splitlines(keepends=True),
                                           f"expected {name}", f"actual {name}")
    return "".join(report)


def render(sections):
    text = ""
    for section in sections:
        text += f";;; {section.name}: {section.value}".rstrip() + "\n" + section.text()
    return text


def update(path, sections, actual):
    find(sections, "EXIT").value = actual["EXIT"]
    for name in ("STDOUT", "STDERR"):
        section = find(sections, name)
        if section is None and actual[name]:
            section = Section(name, "")
            sections.append(section)
        if section is not None and not matches(section.text(), actual[name]):
            section.lines = actual[name].split("\n")
            if section.lines[-1] == "":
                section.lines.pop()
    path.write_text(render(sections), encoding="utf-8")


def run_case(path, program, vectors, do_update):
    """(name, verdict, details) for each mode of one file."""
    results = []
    name = str(path.relative_to(HERE))
    try:
        sections = parse(path)
        check_needs(sections, program)
        tee = find(sections, "TEE")
        for mode in (tee.value.split() if tee else [""]):
            actual = execute(sections, program, vectors, mode)
            if do_update and not results:
                update(path, sections, actual)
            difference = compare(expected_of(sections), actual)
            case = f"{name} ({mode})" if mode else name
            results.append((case, "failed" if difference else "passed", difference))
    except Skip as reason:
        results.append((name, "skipped", str(reason)))
    except (ValueError, OSError, subprocess.SubprocessError) as error:
        results.append((name, "failed", f"{error}\n"))
    return results


def self_test(program_folder):
    """The runner must see a wrong status, wrong output and missing output."""
    fake = pathlib.Path(program_folder) / "fake"
    fake.write_text("#!/bin/sh\necho out\necho err >&2\nexit 3\n", encoding="utf-8")
    fake.chmod(0o755)
    good = ";;; ABOUT: x\n;;; ARGS:\n;;; EXIT: 3\n;;; STDOUT:\no{*}\n;;; STDERR:\n{...}\nerr\n"
    case = HERE / ".self-test.txt"
    verdicts = []
    try:
        for text in (good, good.replace("EXIT: 3", "EXIT: 0"), good.replace("o{*}", "x"),
                     good.replace("\nerr", ""), good.replace("STDERR:\n{...}\nerr", "STDERR:\nE")):
            case.write_text(text, encoding="utf-8")
            verdicts.append(run_case(case, str(fake), None, False)[0][1])
    finally:
        case.unlink(missing_ok=True)
    assert verdicts == ["passed", "failed", "failed", "passed", "failed"], verdicts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--alcove", required=True, help="the program under test")
    parser.add_argument("--vectors", type=pathlib.Path, help="folder with published evidence")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("cases", nargs="*", type=pathlib.Path, help="files (default: all)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        self_test(folder)
    program = str(pathlib.Path(arguments.alcove).resolve())
    paths = [path.resolve() for path in arguments.cases] or sorted(HERE.glob("*/*.txt"))
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for results in pool.map(lambda path: run_case(path, program, arguments.vectors,
                                                          arguments.update), paths):
            for name, verdict, details in results:
                counts[verdict] += 1
                if verdict == "failed":
                    print(f"FAILED {name}\n{details}")
                elif verdict == "skipped":
                    print(f"SKIPPED: {name}: {details}")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
