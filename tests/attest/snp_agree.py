#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares alcove's verdicts about the real SEV-SNP report, and about it and its certificate with
single bits changed, with those of the Go module go-sev-guest (snp_peer). Where both differ, a row
of snp_excuses.txt must say why; a row that excuses nothing is an error when everything was tried.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "alcove"
UNREACHABLE = r"dial tcp|no such host|proxyconnect|i/o timeout|connection refused"
SKIPPED = 77
NOW = "2025-07-01T00:00:00Z"


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIPPED)


def build_peer(folder):
    cached = sorted(map(str, CACHE.glob("go*/bin/go")))
    tool = next(filter(None, [shutil.which("go"), *cached]), None)
    if tool is None:
        skip("go is not installed (tools/bootstrap test)")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder.resolve() / "snp_peer"
    done = subprocess.run(
        [tool, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-o", target, "."],
        check=False, capture_output=True, text=True, cwd=HERE / "snp_peer",
        env={**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""})
    if done.returncode != 0 and re.search(UNREACHABLE, done.stderr):
        skip("the Go module proxy cannot be reached to build snp_peer")
    if done.returncode != 0:
        sys.exit(f"snp_peer does not build:\n{done.stderr}")
    return target


def verdicts(command):
    """{case: verdict} from lines "case… verdict"."""
    done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())


def read_excuses():
    """{case: (our verdict, reason)} from rows "case… | our verdict | reason"."""
    rows = (HERE / "snp_excuses.txt").read_text(encoding="utf-8").splitlines()
    split = [[part.strip() for part in row.split("|")] for row in rows if row and row[0] != "#"]
    return {case: (verdict, reason) for case, verdict, reason in split}


def compare(ours, theirs, excuses, is_complete):
    """Texts of what is wrong."""
    wrong = [f"{case}: judged by one side only" for case in sorted(ours.keys() ^ theirs.keys())]
    used = set()
    for case in sorted(ours.keys() & theirs.keys()):
        if ours[case] == theirs[case]:
            continue
        if excuses.get(case, (None, ""))[0] == ours[case]:
            used.add(case)
        else:
            wrong.append(f"{case}: {ours[case]} here, {theirs[case]} there")
    if is_complete:
        wrong += [f"{case}: excused, but both agree" for case in sorted(excuses.keys() - used)]
    return wrong


def self_test():
    ours = {"a": "refused", "b": "accepted", "c": "refused"}
    theirs = {"a": "refused", "b": "refused", "c": "accepted"}
    excuses = {"b": ("accepted", "why"), "d": ("refused", "why")}
    assert len(compare(ours, theirs, excuses, False)) == 1
    assert len(compare(ours, theirs, excuses, True)) == 2
    assert len(compare(ours, {}, {}, False)) == 3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--verdicts", required=True, help="the program snp_verdicts")
    parser.add_argument("--vectors", required=True, type=pathlib.Path)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--step", type=int, default=1, help="every how manieth byte")
    parser.add_argument("--bits", type=int, default=8, help="how many bits of it")
    options = parser.parse_args()
    self_test()
    if not (options.vectors / "attestation.bin").exists():
        skip(f"no report in {options.vectors}")
    peer = build_peer(options.build)
    amount = [options.step, options.bits]
    ours = verdicts([options.verdicts, options.vectors, *amount])
    theirs = verdicts([peer, options.vectors / "attestation.bin", options.vectors / "vcek.testcer",
                       NOW, *amount])
    wrong = compare(ours, theirs, read_excuses(), amount == [1, 8])
    if ours.get("debug") != "accepted" or ours.get("no-debug") != "refused":
        wrong.append("the report itself is judged wrongly")
    print("\n".join(wrong))
    print(f"{len(ours) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
