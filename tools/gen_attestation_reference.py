#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/reference/attestation.md from the tables of src/attest and src/cli_attest.

  tools/gen_attestation_reference.py           prints the page
  tools/gen_attestation_reference.py --check   says whether the page is what the tables say, every
                                               rule is explained, and docs/attestation.md names
                                               every member of a verdict's JSON
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/reference/attestation.md"
GUIDE = ROOT / "docs/attestation.md"
ATTEST, CLI = ROOT / "src/attest", ROOT / "src/cli_attest"
TEXT = r'"((?:[^"\\]|\\.)*)"'
KINDS = {"A": "all", "Q": "SGX, TDX", "E": "SGX", "T": "TDX", "S": "SEV-SNP"}
# Errors of the class ATTEST that no verdict has.
NOT_IN_VERDICTS = {"NOT_AUTHENTIC", "BAD_BROKER_ANSWER"}
HEADER = """# Reference: rules, policies and verdicts of `alcove verify`

Made from `src/attest/*.def` and `src/cli_attest/explained.def` by
`tools/gen_attestation_reference.py`; a test fails when it is stale.
[The guide](../attestation.md) says how to use them.
"""


def read(path):
    return path.read_text(encoding="utf-8")


def rows(text, name, columns):
    """Rows of an X-macro table. `columns`: one letter each, s for a string, w for words."""
    patterns = [TEXT if column == "s" else r"([^,()\"]+(?:\[\d\])?)" for column in columns]
    pattern = r"^%s\(%s\)" % (name, r",\s*".join(patterns))
    return [tuple(part.strip().replace('\\"', '"') for part in match)
            for match in re.findall(pattern, text, re.M)]


def cell(text):
    return text.replace("|", "\\|")


def table(heads, lines):
    out = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(out + ["| " + " | ".join(cell(part) for part in line) + " |"
                            for line in lines]) + "\n"


def load():
    checks = rows(read(ATTEST / "checks.def"), "CHECK", "wws")
    explained = rows(read(CLI / "explained.def"), "EXPLAIN_CHECK", "wss")
    statuses = rows(read(CLI / "explained.def"), "EXPLAIN_STATUS", "wss")
    errors = rows(read(ROOT / "src/base/errors.def"), "ERR", "wws")
    policy = read(ATTEST / "policy.def")
    return {
        "checks": checks,
        "explained": explained,
        "statuses": statuses,
        "errors": errors,
        "groups": rows(policy, "GROUP", "wws"),
        "members": rows(policy, "MEMBER", "wwwws"),
        "evidence": rows(read(ATTEST / "evidence.def"), "EVIDENCE", "wsswws"),
        "states": re.findall(r'^TCB\(\w+,\s*"(\w+)"', read(ATTEST / "tcb.def"), re.M),
    }


def rules_section(tables):
    explained = {ident: texts for ident, *texts in tables["explained"]}
    lines = [(f"`{ident}`", KINDS[kinds], text, *explained.get(ident, ("", "")))
             for ident, kinds, text in tables["checks"]]
    return ("## Rules\n\nIn their order; the first that fails ends the judgement.\n\n"
            + table(["rule", "evidence", "demands", "fails when", "what to do"], lines))


def status_section(tables):
    texts = {ident: text for ident, _, text in tables["errors"]}
    lines = [(f"`{ident}`", texts[ident], meaning, remedy)
             for ident, meaning, remedy in tables["statuses"]]
    return "## Statuses\n\n" + table(["status", "words", "means", "what to do"], lines)


FORMS = {
    "SWITCH": "`true` or `false`", "NUMBER16": "number", "NUMBER32": "number",
    "SECONDS": "number of seconds", "KINDS": "list of words", "STATES": "list of words",
    "TEXTS": "list of texts", "PRODUCT": "number", "ASKERS": "list of words",
    "TCB": "object of numbers",
}


def form_text(form):
    if form in FORMS:
        return FORMS[form]
    match = re.fullmatch(r"(HASHES|BYTES)(\d+)", form)
    if match:
        one = f"hexadecimal, {match.group(2)} bytes"
        return f"list of {one}" if match.group(1) == "HASHES" else one
    return "list of words" if form.endswith("BITS") else form.lower()


def policy_section(tables):
    groups = {"TOP": ("", "")}
    groups.update({ident: (name, text) for ident, name, text in tables["groups"]})
    states = ", ".join(f"`{word}`" for word in tables["states"])
    out = ["## Members of a policy\n", "What a policy does not have is not asked for, or as it says"
           f" here. Words of `tcb`: {states}.\n"]
    for group, (name, text) in groups.items():
        lines = [(f"`{member}`", form_text(form), asks) for of, member, form, _, asks
                 in tables["members"] if of == group]
        if name:
            out.append(f"`{name}`, an object: what is asked {text}.\n")
        out.append(table(["member", "value", "asks that"], lines))
    return "\n".join(out)


def evidence_section(tables):
    kinds = {"SGX": "sgx", "TDX": "tdx", "SEV_SNP": "snp"}
    lines = [(kinds[kind], f"`{name}`", f"`{kinds[kind]}.{group}.{name}`" if group
              else f"`{kinds[kind]}.{name}`", "number" if form == "NUMBER" else "hexadecimal",
              text) for kind, group, name, form, _, text in tables["evidence"]]
    return ("## Fields of evidence\n\nIn the member `evidence` of a verdict's JSON, and within the "
            "annotated evidence of a token, where all\nof a quote are hexadecimal in the "
            "order of memory.\n\n"
            + table(["kind", "verdict", "token", "form", "what"], lines))


def render(tables):
    sections = [HEADER, rules_section(tables), status_section(tables), policy_section(tables),
                evidence_section(tables)]
    return "\n".join(sections)


def check(tables, page, guide, verdict_source):
    """What is wrong, as lines."""
    problems = []
    if page != render(tables):
        problems.append("docs/reference/attestation.md is stale: run "
                        "tools/gen_attestation_reference.py > docs/reference/attestation.md")
    ruled = [ident for ident, _, _ in tables["checks"]]
    explained = [ident for ident, _, _ in tables["explained"]]
    if ruled != explained:
        problems.append("explained.def and checks.def differ, or their orders: "
                        f"{sorted(set(ruled) ^ set(explained))}")
    told = {ident for ident, _, _ in tables["statuses"]} | NOT_IN_VERDICTS
    problems += [f"explained.def has no status {ident}" for ident, kind, _ in tables["errors"]
                 if kind == "ATTEST" and ident not in told]
    names = set(re.findall(r'alc_json_\w+\(\s*&?\w+,\s*"(\w+)"', verdict_source))
    problems += [f"docs/attestation.md does not name `{name}` of a verdict's JSON"
                 for name in sorted(names) if f"`{name}`" not in guide]
    return problems


def main():
    tables = load()
    if sys.argv[1:] != ["--check"]:
        print(render(tables), end="")
        return 0
    verdict_source = read(ATTEST / "verdict.c") + read(CLI / "verdict_json.c")
    # The check must be able to fail, in each of its ways.
    assert len(check(tables, "", "", verdict_source)) > 5
    assert check({**tables, "explained": tables["explained"][1:]}, read(PAGE), read(GUIDE),
                 verdict_source)
    assert check({**tables, "statuses": []}, read(PAGE), read(GUIDE), verdict_source)
    problems = check(tables, read(PAGE), read(GUIDE), verdict_source)
    print("\n".join(problems) or "attestation reference: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
