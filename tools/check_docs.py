#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the documents: links between files lead somewhere, the headings they name exist, and
ARCHITECTURE.md has a row for every room of src/layers.txt and for nothing else."""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


def anchors(text):
    """Anchors of headings, as renderers of Markdown make them."""
    found = set()
    for heading in re.findall(r"^#+\s+(.*?)\s*$", FENCE.sub("", text), re.M):
        plain = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(plain.replace(" ", "-"))
    return found


def check_links(root, names):
    problems = []
    for name in names:
        text = (root / name).read_text(encoding="utf-8")
        for target in LINK.findall(FENCE.sub("", text)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (root / name).parent / path if path else root / name
            if not file.exists():
                problems.append(f"{name}: link to {target}, which does not exist")
            elif anchor and file.suffix == ".md" and \
                    anchor not in anchors(file.read_text(encoding="utf-8")):
                problems.append(f"{name}: link to {target}: no such heading")
    return problems


def check_rooms(layers, architecture):
    """`layers`, `architecture`: the texts of the two files."""
    rooms = set(re.findall(r"^([a-z_]+)!? *:", layers, re.M))
    table = architecture.partition("| room | what it is |")[2].partition("\n\n")[0]
    named = {room for cell in re.findall(r"^\| (.*?) \|", table, re.M)
             for room in re.findall(r"`([a-z_]+)`", cell)}
    problems = [f"no row for the room {name}" for name in sorted(rooms - named)]
    problems += [f"a row for {name}, which is no room" for name in sorted(named - rooms)]
    return [f"ARCHITECTURE.md: {problem}" for problem in problems]


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "b.md").write_text("# Some Heading\n", encoding="utf-8")
        (root / "a.md").write_text("[x](b.md#some-heading) [y](gone.md) [z](b.md#no)\n",
                                   encoding="utf-8")
        assert len(check_links(root, ["a.md", "b.md"])) == 2
    rows = "| room | what it is |\n|---|---|\n| `a` ! | x |\n| `b`, `c` | y |\n\n| `d` | z |\n"
    assert check_rooms("a!   :\nb : a\nc : a?\n", rows) == []
    assert len(check_rooms("a!   :\ne : a\n", rows)) == 3
    print("check_docs: self-test passed, every rule can fail")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--self-test", action="store_true")
    if parser.parse_args().self_test:
        self_test()
        return 0
    text = subprocess.run(["git", "ls-files", "-z", "*.md"], cwd=ROOT, check=True,
                          capture_output=True, text=True).stdout
    names = [name for name in text.split("\0") if name and (ROOT / name).is_file()]
    problems = check_links(ROOT, names)
    problems += check_rooms((ROOT / "src/layers.txt").read_text(encoding="utf-8"),
                            (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    for problem in problems:
        print(problem)
    verdict = f"{len(problems)} problems" if problems else "ok"
    print(f"check_docs: {len(names)} documents: {verdict}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
