#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that the spec runner can fail: a script of true assertions must pass, and each lie in it
must be seen. Lists with a skip that excuses nothing must fail, too.
"""
import argparse
import copy
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MODULE = """(module
  (global (export "g") i64 (i64.const -5))
  (func (export "seven") (result i32) (i32.const 7))
  (func (export "same") (param i32) (result i32) (local.get 0))
  (func (export "trap") (unreachable))
  (func (export "deep") (call 3))
  (func (export "nan") (result f32) (f32.const nan:0x200000))
  (func (export "canonical") (result f64) (f64.const nan))
  (func (export "vector") (result v128) (v128.const f32x4 1 nan 0 -1))
  (func (export "null") (result externref) (ref.null extern))
  (func (export "ref") (param externref) (result externref) (local.get 0)))
"""
MALFORMED = bytes.fromhex("0061736d02000000")
INVALID = bytes.fromhex("0061736d01000000010501600001 7f030201000a040102000b".replace(" ", ""))


def invoke(field, *args):
    return {"type": "invoke", "field": field, "args": list(args)}


def value(kind, text):
    return {"type": kind, "value": text}


def returns(action, *expected):
    return {"type": "assert_return", "line": 2, "action": action, "expected": list(expected)}


def refused(kind, name, text):
    return {"type": kind, "line": 3, "filename": name, "module_type": "binary", "text": text}


VECTOR = {"type": "v128", "lane_type": "f32",
          "value": ["1065353216", "nan:canonical", "0", "3212836864"]}
TRUE = [
    returns(invoke("seven"), value("i32", "7")),
    returns(invoke("same", value("i32", "-1")), value("i32", "4294967295")),
    returns({"type": "get", "field": "g"}, value("i64", "-5")),
    returns(invoke("nan"), value("f32", "2141192192")),
    returns(invoke("canonical"), value("f64", "nan:canonical")),
    returns(invoke("canonical"), value("f64", "nan:arithmetic")),
    returns(invoke("vector"), VECTOR),
    returns(invoke("vector"), {"type": "either", "values": [value("i32", "0"), VECTOR]}),
    returns(invoke("null"), {"type": "refnull"}),
    returns(invoke("null"), value("externref", "null")),
    returns(invoke("ref", value("externref", "9")), value("externref", "9")),
    returns(invoke("ref", value("externref", "9")), {"type": "externref"}),
    {"type": "assert_trap", "line": 4, "action": invoke("trap"), "text": "unreachable"},
    {"type": "assert_exhaustion", "line": 5, "action": invoke("deep"),
     "text": "call stack exhausted"},
    refused("assert_malformed", "malformed.wasm", "unknown binary version"),
    refused("assert_invalid", "invalid.wasm", "type mismatch"),
]
# Index of a true assertion, and what is changed to make it a lie.
LIES = [
    (0, {"expected": [value("i32", "8")]}),
    (0, {"expected": [value("i64", "7")]}),
    (0, {"expected": []}),
    (0, {"action": invoke("absent")}),
    (0, {"action": invoke("seven", value("i32", "1"))}),
    (0, {"action": invoke("trap")}),
    (1, {"action": invoke("same", value("i64", "-1"))}),
    (2, {"expected": [value("i64", "5")]}),
    (3, {"expected": [value("f32", "nan:canonical")]}),
    (3, {"expected": [value("f32", "nan:arithmetic")]}),
    (4, {"expected": [value("f64", "0")]}),
    (6, {"expected": [{**VECTOR, "value": ["1065353216", "nan:canonical", "0", "0"]}]}),
    (6, {"expected": [{**VECTOR, "value": ["nan:canonical", "0", "0", "0"]}]}),
    (7, {"expected": [{"type": "either", "values": [value("i32", "0"), value("i32", "1")]}]}),
    (8, {"expected": [value("funcref", "null")]}),
    (9, {"expected": [{"type": "externref"}]}),
    (10, {"expected": [value("externref", "8")]}),
    (11, {"expected": [{"type": "refnull"}]}),
    (12, {"action": invoke("seven")}),
    (12, {"text": "integer divide by zero"}),
    (12, {"type": "assert_exhaustion"}),
    (13, {"type": "assert_trap"}),
    (14, {"type": "assert_invalid"}),
    (14, {"filename": "good.wasm"}),
    (15, {"type": "assert_malformed"}),
    (15, {"filename": "good.wasm"}),
]


class Bench:
    def __init__(self, runner, folder):
        self.runner, self.folder = runner, folder
        self.data = folder / "data"
        test = self.data / "core" / "small"
        test.mkdir(parents=True)
        subprocess.run(["wat2wasm", "--enable-all", "-o", test / "good.wasm", "-"], check=True,
                       input=MODULE.encode())
        (test / "malformed.wasm").write_bytes(MALFORMED)
        (test / "invalid.wasm").write_bytes(INVALID)
        (folder / "groups.txt").write_text("core required 3.0\n", encoding="utf-8")
        self.script = test / "small.json"

    def run(self, commands, skips=""):
        module = {"type": "module", "line": 1, "filename": "good.wasm", "module_type": "binary"}
        self.script.write_text(json.dumps({"commands": [module, *commands]}), encoding="utf-8")
        (self.folder / "skip.txt").write_text(skips, encoding="utf-8")
        done = subprocess.run([self.runner, "--data", self.data, "--lists", self.folder],
                              check=False, capture_output=True, text=True)
        counts = re.search(r"spec: (\d+) passed, (\d+) failed", done.stdout)
        assert counts is not None, done.stdout + done.stderr
        return done.returncode, int(counts.group(1)), int(counts.group(2)), done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("runner", help="alc_spec_run")
    arguments = parser.parse_args()
    if shutil.which("wat2wasm") is None:
        print("SKIPPED: wat2wasm is not installed (tools/bootstrap test)")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments.runner, pathlib.Path(folder))
        code, passed, failed, output = bench.run(TRUE)
        assert (code, passed, failed) == (0, len(TRUE), 0), output
        for index, change in LIES:
            lying = copy.deepcopy(TRUE)
            lying[index] |= change
            code, passed, failed, output = bench.run(lying)
            assert (code, passed, failed) == (1, len(TRUE) - 1, 1), (index, change, output)
        lying = copy.deepcopy(TRUE)
        lying[0] |= LIES[0][1]
        assert bench.run(lying, "core/small:2 issue-1 because\n")[0] == 0
        assert bench.run(TRUE, "core/small issue-1 because\n")[0] == 1, "an idle skip passed"
        assert bench.run([{"type": "assert_something", "line": 1}])[0] == 1, "unknown command"
    print(f"{len(TRUE) + len(LIES) + 3} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
