#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs and validates generated modules in alcove and in wasmtime and compares what both say.

  run.py --build build execute [--seconds 20] [--first 0]     results, traps, memories, globals
  run.py --build build validate [--seconds 20] [--first 0]    valid or not
  run.py --build build repeat FILE [--number N]               one module that was kept
  run.py --build build shrink FILE [--number N]               a smaller one that differs, too

A module that shows a difference is kept below BUILD/diff, and the command to repeat it is printed.
known.txt lists differences that are not alcove's faults.
"""
import argparse
import json
import os
import pathlib
import queue
import re
import select
import shlex
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import generate  # noqa: E402
import peers  # noqa: E402

SKIPPED = 77
ANSWER_S = 60
DRIVER_S = 180
WORKERS = os.cpu_count() or 1
FAILURES_MAX = 20
DAMAGED_EACH = 40
# Statuses of the engines' own limits: what happens behind them cannot be compared.
LIMITS = {"CALL_STACK_EXHAUSTED", "OUT_OF_MEMORY", "OUT_OF_FUEL", "DEADLINE"}
# Statuses that the other engine does not tell apart.
SAME_TRAPS = {"UNDEFINED_ELEMENT": "TABLE_OUT_OF_BOUNDS", "NULL_FUNCTION": "NULL_REFERENCE",
              "NULL_STRUCTURE": "NULL_REFERENCE", "NULL_ARRAY": "NULL_REFERENCE",
              "NULL_I31": "NULL_REFERENCE", "NULL_EXCEPTION": "NULL_REFERENCE"}


# An address that is out of bounds and unaligned: nobody says which is looked at first.
EITHER_TRAP = {("! MEMORY_OUT_OF_BOUNDS", "! UNALIGNED_ATOMIC")}
# Vector instructions whose NaNs the generator does not make canonical, with others of their type.
OPEN_NANS = [(rb"[fi](32x4|64x2)\.relaxed_(min|max)", rb"i\1.add"),
             (rb"f(32x4|64x2)\.relaxed_n?madd", rb"v128.bitselect"),
             (rb"f64x2\.promote_low_f32x4|f32x4\.demote_f64x2_zero", rb"v128.not")]
EXCUSED_MAX = 0.002  # of all modules may be excused for one reason: more would hide something else


class Timeout(Exception):
    """The other engine did not answer in time."""


class Oracle:
    """The process of the other engine; started again when it has hung or died."""

    def __init__(self, package):
        self.package, self.process = package, None

    def ask(self, request):
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-B", HERE / "oracle.py", self.package], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], ANSWER_S)
            line = self.process.stdout.readline() if ready else ""
        except BrokenPipeError:
            line = ""
        if line:
            return json.loads(line)
        ended = self.process.poll()
        self.close()
        raise Timeout("no answer" if ended is None else f"ended with {ended}")

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


class Validator:
    """alc_diff_driver validate, as a process that is asked again and again."""

    def __init__(self, driver):
        self.driver, self.process = driver, None

    def ask(self, module):
        if self.process is None:
            self.process = subprocess.Popen([self.driver, "validate"], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            self.process.stdin.write(len(module).to_bytes(4, "little") + module)
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if line.endswith(b"\n") and self.process.poll() is None:
            return line.decode(errors="replace").strip()
        self.process.stdin.close()
        ended = self.process.wait()
        rest = (line + self.process.stdout.read()).decode(errors="replace")
        self.process = None
        return f"crashed, exit status {ended}: {rest[:4000]}"

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


# -- comparing --

def read_known(path=HERE / "known.txt"):
    """[(kind, alcove's pattern, wasmtime's pattern, reason)]"""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, ours, theirs, reason = (word.strip() for word in line.split("|"))
            rows.append((kind, re.compile(ours), re.compile(theirs), reason))
    return rows


def known_reason(known, kind, ours, theirs):
    for row_kind, our_pattern, their_pattern, reason in known:
        if row_kind == kind and our_pattern.search(ours) and their_pattern.search(theirs):
            return reason
    return None


def normal(line):
    words = line.split()
    if words[:1] == ["!"] and len(words) == 2:
        return "! " + SAME_TRAPS.get(words[1], words[1])
    return line


def is_limit(line):
    return line.startswith("! ") and line[2:] in LIMITS


def compare(ours, theirs):
    """None, or (alcove's line, wasmtime's) of the first difference."""
    for i, our_line in enumerate(ours):
        their_line = theirs[i] if i < len(theirs) else "nothing"
        if is_limit(our_line) or is_limit(their_line):
            return None
        same = normal(our_line) == normal(their_line)
        if not same and (our_line, their_line) not in EITHER_TRAP:
            return our_line, their_line
    return None if len(theirs) <= len(ours) else ("nothing", theirs[len(ours)])


def verdicts_agree(ours, theirs):
    return not ours.startswith(("unsure", "crashed")) and (ours == "valid") == (theirs == "valid")


# -- one module in both engines --

def driver_options(number):
    """Every kind of emitted code gets its turn."""
    words = ("--metered", "--interruptible", "--eager", "--collecting")
    return [word for bit, word in enumerate(words) if number // len(generate.PROFILES) >> bit & 1]


class Setting:
    """What a run needs: programs, folders, what is known."""

    def __init__(self, build, is_native=False):
        self.native = ["--native"] if is_native else []
        self.build = build.resolve()
        self.folder = self.build / "diff"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.driver = self.build / "alc_diff_driver"
        if not self.driver.exists():
            raise peers.Missing(f"{self.driver} is not built")
        self.package = str(peers.wasmtime())
        self.wasm_tools = peers.wasm_tools()
        self.provider = self.parse("provider")
        self.generator = generate.Generator(self.wasm_tools, self.parse("imports"))
        self.known = read_known()

    def parse(self, name):
        target = self.folder / f"{name}.wasm"
        scratch = self.folder / f"{name}.{os.getpid()}"
        subprocess.run([self.wasm_tools, "parse", HERE / f"{name}.wat", "-o", scratch], check=True)
        scratch.rename(target)
        return target

    def transcript(self, path, number, more):
        command = [self.driver, "run", path, str(number), *driver_options(number), *more,
                   "--import", "p", self.provider]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                                  check=False, timeout=DRIVER_S)
        except subprocess.TimeoutExpired:
            return ["crashed: it does not end"]
        lines = done.stdout.splitlines()
        if done.returncode != 0:
            why = " ".join(done.stderr[:4000].split())
            lines.append(f"crashed, exit status {done.returncode}: {why}")
        return lines or ["crashed: it says nothing"]

    def compare_fuel(self, path, number):
        """Compiled and interpreted code cost the same, call by call."""
        return compare(self.transcript(path, number, ["--fuel", *self.native]),
                       self.transcript(path, number, ["--fuel"]))

    def run_both(self, oracle, path, number):
        """None, or the two lines that differ."""
        ours = self.transcript(path, number, self.native)
        if self.native and "--metered" in driver_options(number):
            difference = self.compare_fuel(path, number)
            if difference is not None:
                return difference
        crash = [line for line in ours if line.startswith("crashed")]
        if crash:
            return crash[0], "does not crash"
        theirs = oracle.ask(["run", str(path), ours, "p", str(self.provider)])
        if ours[0].startswith("refused") and theirs[0].startswith("refused"):
            return None
        return compare(ours, theirs)


def differs_by_open_nans(setting, oracle, path, number):
    """Whether the difference goes away with the instructions of OPEN_NANS."""
    text = subprocess.run([setting.wasm_tools, "print", path], capture_output=True,
                          check=True).stdout
    changed = text
    for pattern, other in OPEN_NANS:
        changed = re.sub(pattern, other, changed)
    if changed == text:
        return False
    other_path = path.with_suffix(".nans.wasm")
    subprocess.run([setting.wasm_tools, "parse", "-", "-o", other_path], input=changed, check=True)
    is_gone = setting.run_both(oracle, other_path, number) is None
    other_path.unlink()
    return is_gone


class Tally:
    """Counts and messages of all workers."""

    def __init__(self):
        self.lock = threading.Lock()
        self.passed = self.failed = 0
        self.reasons = {}

    def good(self, count=1):
        with self.lock:
            self.passed += count

    def excuse(self, reason):
        with self.lock:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def bad(self, message):
        with self.lock:
            self.failed += 1
            print(message, flush=True)

    def is_full(self):
        return self.failed >= FAILURES_MAX


def keep(setting, module, name):
    path = setting.folder / name
    path.write_bytes(module)
    return path


def report(setting, tally, kind, path, number, difference):
    ours, theirs = difference
    reason = known_reason(setting.known, kind, ours, theirs)
    if reason is not None:
        path.unlink()
        tally.excuse(reason)
        return
    again = shlex.join([sys.executable, str(HERE / "run.py"), "--build", str(setting.build),
                        "repeat", str(path), "--number", str(number)])
    tally.bad(f"DIFFERENT {path.name}\n  alcove:   {ours[:2000]}\n  wasmtime: {theirs[:2000]}\n"
              f"  again:    {again}")


# -- the two comparisons --

def is_open_nans(setting, oracle, path, number):
    """The same where wasmtime may give no answer: then the difference is reported."""
    try:
        return differs_by_open_nans(setting, oracle, path, number)
    except Timeout:
        return False


def execute_one(setting, oracle, tally, number):
    profiles = list(generate.PROFILES)
    profile = profiles[number % len(profiles)]
    try:
        module = setting.generator.module(profile, number)
        if profile == "threads" and generate.may_sleep(module):
            return
    except (generate.NoModule, subprocess.TimeoutExpired):
        tally.excuse("the generator made no module of its seed")
        return
    path = keep(setting, module, f"{profile}-{number}.wasm")
    try:
        difference = setting.run_both(oracle, path, number)
    except Timeout as error:
        tally.excuse(f"wasmtime: {error}")
        path.unlink()
        return
    if difference is None:
        path.unlink()
        tally.good()
    elif is_open_nans(setting, oracle, path, number):
        path.unlink()
        tally.excuse("bits of NaNs that the specification leaves open")
    else:
        report(setting, tally, "execute", path, number, difference)


def validate_one(setting, oracle, tally, number, validator, last):
    """A module, one with arbitrary bodies, and damaged copies of it."""
    profiles = list(generate.PROFILES)
    profile = profiles[number % len(profiles)]
    try:
        module = setting.generator.module(profile, number)
        modules = [module, setting.generator.module_with_bad_code(profile, number)]
    except (generate.NoModule, subprocess.TimeoutExpired):
        tally.excuse("the generator made no module of its seed")
        return
    donor = last.get("module", module)
    last["module"] = module
    modules += [generate.damage(number * DAMAGED_EACH + i, module, donor)
                for i in range(DAMAGED_EACH)]
    for i, bytes_ in enumerate(modules):
        ours = validator.ask(bytes_)
        theirs = oracle.ask(["validate", bytes_.hex()])
        if verdicts_agree(ours, theirs):
            tally.good()
        else:
            path = keep(setting, bytes_, f"{profile}-{number}-{i}.wasm")
            report(setting, tally, "validate", path, number, (ours, theirs))


def work(setting, tally, numbers, kind, deadline):
    oracle, validator, last = Oracle(setting.package), Validator(setting.driver), {}
    try:
        while time.monotonic() < deadline and not tally.is_full():
            number = numbers.get()
            if kind == "execute":
                execute_one(setting, oracle, tally, number)
            else:
                validate_one(setting, oracle, tally, number, validator, last)
    except Exception as error:  # a broken harness is a failure, not silence
        tally.bad(f"FAILED {kind}: {type(error).__name__}: {error}")
    finally:
        oracle.close()
        validator.close()


class Numbers:
    def __init__(self, first):
        self.queue, self.next, self.lock = queue.Queue(), first, threading.Lock()

    def get(self):
        with self.lock:
            self.next += 1
            return self.next - 1


def run_many(setting, kind, seconds, first):
    tally = Tally()
    deadline = time.monotonic() + seconds
    numbers = Numbers(first)
    threads = [threading.Thread(target=work, args=(setting, tally, numbers, kind, deadline))
               for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for reason, count in sorted(tally.reasons.items()):
        print(f"not compared: {count} ({reason})")
        if count > 2 + EXCUSED_MAX * tally.passed:
            tally.bad(f"too many are not compared: {reason}")
    print(f"{kind}: modules {first} to {numbers.next - 1}")
    print(f"{tally.passed} agree, {tally.failed} differ")
    return 1 if tally.failed or not tally.passed else 0


# -- one module --

def differs(setting, path, number):
    """Both comparisons of one file: (kind, lines) or None."""
    oracle, validator = Oracle(setting.package), Validator(setting.driver)
    try:
        module = path.read_bytes()
        ours, theirs = validator.ask(module), oracle.ask(["validate", module.hex()])
        if not verdicts_agree(ours, theirs):
            return "validate", (ours, theirs)
        if ours != "valid":
            return None
        difference = setting.run_both(oracle, path, number)
        return None if difference is None else ("execute", difference)
    finally:
        oracle.close()
        validator.close()


def repeat(setting, path, number):
    found = differs(setting, path, number)
    if found is None:
        print("no difference")
        return 0
    kind, (ours, theirs) = found
    print(f"{kind}\n  alcove:   {ours}\n  wasmtime: {theirs}")
    return 1


def shrink(setting, path, number):
    script = setting.folder / "still_different.sh"
    command = shlex.join([sys.executable, str(HERE / "run.py"), "--build", str(setting.build),
                          "repeat", "--number", str(number), *setting.native])
    script.write_text(f'#!/bin/sh\n! {command} "$1"\n', encoding="utf-8")
    script.chmod(0o755)
    target = path.with_suffix(".small.wasm")
    done = subprocess.run([setting.wasm_tools, "shrink", "--output", target, script, path],
                          check=False)
    print(f"{target}: {target.stat().st_size if target.exists() else 0} bytes")
    return done.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("what", choices=("execute", "validate", "repeat", "shrink"))
    parser.add_argument("file", nargs="?", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first module")
    parser.add_argument("--number", type=int, default=0, help="of the module in FILE")
    parser.add_argument("--native", action="store_true", help="alcove compiles the modules")
    arguments = parser.parse_args()
    try:
        setting = Setting(arguments.build, arguments.native)
    except peers.Missing as reason:
        print(f"SKIPPED: {reason}")
        return SKIPPED
    if arguments.what in ("execute", "validate"):
        return run_many(setting, arguments.what, arguments.seconds, arguments.first)
    if arguments.file is None:
        parser.error("which file?")
    action = repeat if arguments.what == "repeat" else shrink
    return action(setting, arguments.file, arguments.number)


if __name__ == "__main__":
    sys.exit(main())
