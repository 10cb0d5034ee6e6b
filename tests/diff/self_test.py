#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The differential tests can fail: an engine that lies is caught, in each thing it can lie about.

  self_test.py BUILD
"""
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import generate  # noqa: E402
import peers  # noqa: E402
import run  # noqa: E402

# Says everything that a transcript can say.
SUBJECT = b"""(module
  (memory (export "memory") 1 2)
  (table (export "table") 2 2 funcref)
  (global (export "global") (mut i64) (i64.const 5))
  (func (export "add") (param i32 i32) (result i32)
    (i32.store (i32.const 8) (i32.const 7))
    (i32.add (local.get 0) (local.get 1)))
  (func (export "float") (result f64) (f64.const 1.25))
  (func (export "divide") (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 0))))"""
LIES = ("s/^= i32:\\(.*\\).$/= i32:\\1x/", "s/^= f64:3ff4/= f64:3ff5/",
        "s/DIVIDE_BY_ZERO/UNREACHABLE/",
        "s/^\\(memory x[0-9a-f]* 1 .*\\).$/\\1x/", "s/^\\(global.*\\)5$/\\16/",
        "s/^\\(table .*\\) null$/\\1 function/", "s/^= .*/! UNREACHABLE/",
        "s/^! .*/= i32:00000000/",
        "s/^instance$/refused because/", "/^= i32/d", "/^/d")
failures = []


def expect(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: {got!r}, wanted {wanted!r}")


def test_comparison():
    same = ["instance", "call x61 i32:00000001", "= i32:00000002"]
    expect("equal", run.compare(same, same), None)
    expect("other", run.compare(same, same[:2] + ["= i32:00000003"]) is None, False)
    expect("short", run.compare(same, same[:2]) is None, False)
    expect("long", run.compare(same[:2], same) is None, False)
    expect("names of one trap",
           run.compare(["! UNDEFINED_ELEMENT"], ["! TABLE_OUT_OF_BOUNDS"]), None)
    expect("either trap", run.compare(["! MEMORY_OUT_OF_BOUNDS"], ["! UNALIGNED_ATOMIC"]), None)
    expect("not either", run.compare(["! UNREACHABLE"], ["! UNALIGNED_ATOMIC"]) is None, False)
    expect("limits", run.compare(["! OUT_OF_MEMORY"], ["= i32:00000001"]), None)
    expect("verdicts", [run.verdicts_agree(*pair) for pair in (
        ("valid", "valid"), ("type mismatch", "bad"), ("valid", "bad"), ("bad", "valid"),
        ("unsure", "bad"), ("crashed", "bad"))], [True, True, False, False, False, False])


def test_known():
    rows = run.read_known()
    expect("reasons", all(reason for *_, reason in rows), True)
    expect("unknown", run.known_reason(rows, "execute", "= i32:00000001", "= i32:00000002"), None)


def test_damage(module):
    expect("sections", generate.join(generate.sections(module)), module)
    for number, contents in generate.sections(module):
        if number == generate.CODE_SECTION:
            expect("bodies", generate.join_bodies(generate.bodies(contents)), contents)
    expect("same number, same damage", generate.damage(5, module, module),
           generate.damage(5, module, module))
    changed = sum(generate.damage(i, module, module) != module for i in range(100))
    expect("most damage is some", changed > 80, True)
    chance = random.Random(1)
    expect("damage of nothing", isinstance(generate.damage_bytes(chance, b""), bytes), True)


def lying_driver(setting, lie):
    """The driver with its answers changed by sed."""
    script = setting.folder / "liar.sh"
    script.write_text(f"#!/bin/sh\n'{setting.build}/alc_diff_driver' \"$@\" | sed '{lie}'\n",
                      encoding="utf-8")
    script.chmod(0o755)
    return script


def test_lies(setting):
    source, path = setting.folder / "subject.wat", setting.folder / "subject.wasm"
    source.write_bytes(SUBJECT)
    subprocess.run([setting.wasm_tools, "parse", source, "-o", path], check=True)
    oracle = run.Oracle(setting.package)
    expect("an honest engine", setting.run_both(oracle, path, 4), None)
    for lie in LIES:
        setting.driver = lying_driver(setting, lie)
        expect(f"a lie is seen: {lie}", setting.run_both(oracle, path, 4) is None, False)
    setting.driver = setting.build / "alc_diff_driver"
    test_damage(path.read_bytes())
    validator = run.Validator(setting.driver)
    bad = path.read_bytes()[:-1]
    for bytes_, valid in ((path.read_bytes(), True), (bad, False), (b"", False)):
        ours, theirs = validator.ask(bytes_), oracle.ask(["validate", bytes_.hex()])
        expect("verdicts", [ours == "valid", theirs == "valid"], [valid, valid])
    oracle.close()
    validator.close()


def main():
    test_comparison()
    test_known()
    try:
        test_lies(run.Setting(pathlib.Path(sys.argv[1])))
    except peers.Missing as reason:
        print(f"SKIPPED: {reason}")
        return 1 if failures else run.SKIPPED
    for failure in failures:
        print(f"FAILED {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
