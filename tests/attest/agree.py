#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our verifier against others, verdict by verdict: on published evidence, on it with every single
byte changed, once in one bit and once in all, and on platforms of our own (make_platforms.c) in
every state.

    agree.py --build BUILD --vectors FOLDER          every 61st byte, of peers that are built
    agree.py --build BUILD --vectors FOLDER --all    every byte; builds missing peers first

A verifier is a program (tests/attest/judge.c, tests/attest/peers) that is called with a file of
collateral, a time in seconds since 1970, and the DER of a root to trust when it asks for one. Its
input has evidence, each behind its size as a u32 in little-endian; it answers with a line for each:
the state that it accepts, or "refused" and why. Differences are data: excused.txt.
"""
import argparse
import collections
import datetime
import pathlib
import struct
import subprocess
import sys
import tempfile

import peers

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
SAMPLE_STEP = 61
SECONDS_MAX = 1500
EXAMPLES_MAX = 20
PLATFORMS, PLATFORMS_OF_ALL = 40, 2000
PLATFORMS_SEED = 7
PLATFORMS_TIME = 1751328000  # 2025-07-01
PLATFORMS_PEER = "dcap_qvl"
# What so many platforms must have shown, so that the comparison says something.
STATES_OF_ALL = {"UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "OutOfDate",
                 "ConfigurationAndSWHardeningNeeded", "OutOfDateConfigurationNeeded",
                 "TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded", "refused"}

# Evidence, collateral, time, what everybody says about it, and who can read it.
VECTORS = [
    ("sgx_quote", "sgx_quote_collateral.json", "2025-07-01T00:00:00Z",
     "ConfigurationAndSWHardeningNeeded", ["dcap_qvl"]),
    ("tdx_quote", "tdx_quote_collateral.json", "2025-07-01T00:00:00Z", "UpToDate",
     ["dcap_qvl", "go_tdx_guest"]),
    ("tdx_quote_outdated", "tdx_quote_outdated_collateral.json", "2026-03-01T00:00:00Z", "refused",
     ["dcap_qvl"]),
    # Without collateral of their own: a debug enclave, and the same with a damaged signature.
    ("quote_pck_cert_chain.bin", "sgx_quote_collateral.json", "2025-07-01T00:00:00Z", "refused",
     ["dcap_qvl"]),
    ("quote_pck_cert_chain_corrupted.bin", "sgx_quote_collateral.json", "2025-07-01T00:00:00Z",
     "refused", ["dcap_qvl"]),
]
NEED_ROOT = {"go_tdx_guest"}  # says on standard output when it uses its own
ROOT = "TrustedRootCA.der"


def answers_of(program, collateral, seconds, root, evidence):
    frames = b"".join(struct.pack("<I", len(bytes_)) + bytes_ for bytes_ in evidence)
    arguments = [program, collateral, str(seconds)] + ([root] if root else [])
    done = subprocess.run(arguments, input=frames, stdout=subprocess.PIPE, timeout=SECONDS_MAX,
                          check=True)
    lines = done.stdout.decode("utf-8", "replace").split("\n")[:-1]
    if len(lines) != len(evidence):
        raise SystemExit(f"{program}: {len(lines)} answers to {len(evidence)} questions")
    return lines


def changes_of(original, step):
    """The whole, then with one byte changed: (offset, mask, bytes)."""
    yield None, 0, original
    for offset in range(0, len(original), step):
        for mask in (1 << offset % 8, 0xFF):
            changed = bytearray(original)
            changed[offset] ^= mask
            yield offset, mask, bytes(changed)


def places_of(quote):
    """The parts of a quote by name, for excuses: ranges of bytes, the first that fits counts."""
    version, _, tee = struct.unpack_from("<HHI", quote)
    body = struct.unpack_from("<I", quote, 50)[0] + 6 if version == 5 else 384 if tee == 0 else 584
    data = 48 + body + 4
    end = data + struct.unpack_from("<I", quote, data - 4)[0]
    begins = [at for at in range(data, end) if quote.startswith(b"-----BEGIN ", at)]
    return [("signature-size", range(data - 4, data)),
            ("wrapper", range(data + 128, data + 134 if version > 3 else 0)),
            ("certificates-size", range(begins[0] - 4, begins[0])),
            ("line-end", [at for at in range(begins[0], end) if quote[at] in b"\n\0"]),
            ("root-certificate", range(begins[2], end)),
            ("behind", range(end, len(quote)))]


def places_at(places, offset):
    return [name for name, offsets in places if offset in offsets]


def kind_of(answer):
    return answer.split(" ")[0]


class Excuses:
    def __init__(self, path):
        self.rows = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                peer, where, ours, theirs, reason = line.split(" ", 4)
                self.rows[peer, where, ours, theirs] = [reason, 0]

    def cover(self, peer, places, ours, theirs):
        words = [kind if kind == "refused" else "accepted" for kind in (ours, theirs)]
        for place in places:
            row = self.rows.get((peer, place, *words))
            if row is not None:
                row[1] += 1
                return True
        return False

    def unused(self, compared):
        return [key for key, row in self.rows.items() if row[1] == 0 and key[0] in compared]


def compare(args, vector, found, excuses):
    """How many answers differ without an excuse."""
    name, collateral_name, time, expected, names = vector
    folder = args.vectors
    original = (folder / name).read_bytes()
    seconds = int(datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp())
    changes = list(changes_of(original, 1 if args.all else SAMPLE_STEP))
    evidence = [bytes_ for _, _, bytes_ in changes]
    ask = lambda program, root: answers_of(program, folder / collateral_name, seconds, root,
                                           evidence)
    parts = places_of(original)
    ours = ask(args.build / "attest_judge", None)
    bad = 0
    if kind_of(ours[0]) != expected:
        print(f"{name}: {ours[0]}, expected {expected}")
        bad += 1
    for peer in (peer for peer in names if peer in found):
        theirs = ask(found[peer], folder / ROOT if peer in NEED_ROOT else None)
        differing = excused = 0
        for (offset, mask, _), our, their in zip(changes, ours, theirs):
            if kind_of(our) == kind_of(their):
                continue
            places = [name] + places_at(parts, offset)
            if excuses.cover(peer, places, kind_of(our), kind_of(their)):
                excused += 1
                continue
            differing += 1
            if differing <= EXAMPLES_MAX:
                print(f"{name}: byte {offset} ^ {mask:#x}: ours {our!r}, {peer} {their!r}")
        print(f"{name}: {len(evidence)} answers of {peer}: {differing} differ, {excused} excused")
        bad += differing
    return bad


def compare_platforms(args, program, excuses):
    """The same for platforms made with known faults and in known states."""
    count, bad, excused = (PLATFORMS_OF_ALL if args.all else PLATFORMS), 0, 0
    seen = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([args.build / "attest_platforms", folder, str(count), str(PLATFORMS_SEED)],
                       check=True)
        for i in range(count):
            files = folder / f"{i}.json", PLATFORMS_TIME, folder / f"{i}.der"
            evidence = [(folder / f"{i}.quote").read_bytes()]
            our = answers_of(args.build / "attest_judge", *files, evidence)[0]
            their = answers_of(program, *files, evidence)[0]
            seen[kind_of(our)] += 1
            if kind_of(our) == kind_of(their):
                continue
            if excuses.cover(PLATFORMS_PEER, ["platforms"], kind_of(our), kind_of(their)):
                excused += 1
                continue
            bad += 1
            if bad <= EXAMPLES_MAX:
                print(f"platform {i}: ours {our!r}, {PLATFORMS_PEER} {their!r}")
    states = ", ".join(f"{state} {times}" for state, times in sorted(seen.items()))
    print(f"{count} platforms: {bad} differ from {PLATFORMS_PEER}, {excused} excused ({states})")
    if args.all and set(seen) != STATES_OF_ALL:
        print(f"platforms: not seen: {STATES_OF_ALL - set(seen)}")
        bad += 1
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, required=True)
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    if not (args.vectors / VECTORS[0][0]).exists():
        print(f"SKIPPED: no quotes in {args.vectors}")
        return SKIPPED
    found, missing = {}, []
    for peer in sorted({peer for vector in VECTORS for peer in vector[4]}):
        try:
            found[peer] = peers.find(peer, may_build=args.all)
        except peers.Missing as reason:
            missing.append(str(reason))
    excuses = Excuses(HERE / "excused.txt")
    bad = sum(compare(args, vector, found, excuses) for vector in VECTORS)
    if PLATFORMS_PEER in found:
        bad += compare_platforms(args, found[PLATFORMS_PEER], excuses)
    for key in excuses.unused(found) if args.all else []:
        print(f"excused.txt: nothing needed {' '.join(key)}")
        bad += 1
    for reason in missing:
        print(f"SKIPPED: {reason}")
    return 1 if bad else SKIPPED if not found else 0


if __name__ == "__main__":
    sys.exit(main())
