#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/reference/claims.md is what the rows of src/attest/claims.def say.
Usage: check_claims.py [--write] CLAIMS.def CLAIMS.md
"""
import difflib
import pathlib
import re
import sys

ROW = re.compile(r'^CLAIM\((\w+), +(-?\d+), +(\w), (\w+), +"(.*)"\)$', re.MULTILINE)
FORMS = {"T": "tstr", "V": "[tstr]", "H": "bstr .size 32", "U": "uint", "B": "bool"}
HEAD = """# Claims

What the runtime says about the program that it runs: the member `alcove` of the claims-buffer, a
claims set of CBOR (RFC 8392, RFC 9711) in deterministic encoding. Rows of `src/attest/claims.def`;
`src/attest/claims.h` says how they are bound to evidence.

| label | name | value | present | what it says |
|---:|---|---|---|---|
"""


def page(text):
    rows = ROW.findall(text)
    if len(rows) != text.count("\nCLAIM("):
        raise SystemExit("a row cannot be read")
    return HEAD + "".join(f"| {label} | `{name}` | {FORMS[form]} | {presence.lower()} | {what} |\n"
                          for name, label, form, presence, what in rows)


def main():
    write = "--write" in sys.argv
    table, document = (pathlib.Path(word) for word in sys.argv[1:] if word != "--write")
    wanted = page(table.read_text(encoding="utf-8"))
    if write:
        document.write_text(wanted, encoding="utf-8")
    found = document.read_text(encoding="utf-8")
    sys.stdout.writelines(difflib.unified_diff(found.splitlines(True), wanted.splitlines(True),
                                               str(document), str(table)))
    return found != wanted


if __name__ == "__main__":
    sys.exit(main())
