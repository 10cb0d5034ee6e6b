#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""alcove in a confidential machine, as far as a preloaded configfs-tsm (fake_tsm.c) makes one: run
and attest --tee, the doctor, and that another provider is refused. No hardware is behind it."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

# A module whose _start does nothing.
MODULE = bytes.fromhex("0061736d01000000" "010401600000" "03020100" "0503010001"
                       "071302066d656d6f72790200" "065f73746172740000" "0a040102000b")


class Machine:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.report = folder / "report"
        # The head of a report of version 2; nobody signed it.
        self.report.write_bytes(bytes([2]) + bytes(9) + b"\x03" + bytes(41) + b"\x01" +
                                bytes(1184 - 53))
        self.module = folder / "app.wasm"
        self.module.write_bytes(MODULE)
        self.requests = folder / "requests"
        self.requests.mkdir()

    def run(self, provider, *words):
        done = subprocess.run(
            [self.options.alcove, *map(str, words)], check=False, capture_output=True, text=True,
            timeout=60, cwd=self.folder,
            env={**os.environ, "LD_PRELOAD": self.options.preload, "TSM_PROVIDER": provider,
                 "TSM_FOLDER": str(self.requests), "TSM_REPORT": str(self.report)})
        assert not list(self.requests.iterdir()), "a request was left behind"
        return done

    def listen(self, provider, *words):
        """A server whose certificate the machine proves, for one connection, and its address."""
        child = subprocess.Popen(
            [self.options.alcove, "listen", "--once", "--accept-unattested", *words, "127.0.0.1:0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            cwd=self.folder,
            env={**os.environ, "LD_PRELOAD": self.options.preload, "TSM_PROVIDER": provider,
                 "TSM_FOLDER": str(self.requests), "TSM_REPORT": str(self.report)})
        return child, child.stderr.readline().split()[-1]


def check_channels(machine):
    """What is shown is judged, in the dialect that was asked for and in no other."""
    snp, tdx, tng = ("sev_guest\n", "snp"), ("tdx_guest\n", "tdx"), ("--dialect", "tng")
    rows = ((snp, (), (), "NO_COLLATERAL"), (tdx, tng, tng, "BAD_QUOTE"),
            (tdx, tng, (), "PEER_REFUSED"), (snp, (), tng, "PEER_REFUSED"))
    for (provider, tee), listens, connects, reason in rows:
        child, address = machine.listen(provider, "--tee", tee, *listens)
        try:
            done = machine.run(provider, "connect", "--accept-stale", *connects, address)
            assert done.returncode == 3 and reason in done.stderr, (reason, done)
            _, words = child.communicate(timeout=60)
            assert child.returncode == 3 and ("DIALECT_REFUSED" in words) == (listens != connects)
        finally:
            child.kill()
            child.wait()
    child, address = machine.listen("sev_guest\n", "--tee", "snp", *tng)
    machine.run("sev_guest\n", "connect", "--accept-stale", *tng, address)
    _, words = child.communicate(timeout=60)
    assert child.returncode == 1 and "no certificate" in words, words
    return len(rows) + 1


def check_report(machine, vectors):
    """A published report, with other data in it and so no good signature any more: with AMD's
    collateral a peer who shows it is judged up to there."""
    if not (vectors / "attestation.bin").exists():
        print("SKIPPED: no published report of SEV-SNP")
        return 0
    machine.report.write_bytes((vectors / "attestation.bin").read_bytes())
    collateral = machine.folder / "collateral"
    collateral.write_text(json.dumps({
        "endorsement_key": (vectors / "vcek.testcer").read_bytes().hex(),
        "chain": (vectors / "ask_ark_milan.pem").read_text()}))
    time = ("--time", "2025-07-01T00:00:00Z")
    child, address = machine.listen("sev_guest\n", "--tee", "snp", *time)
    try:
        done = machine.run("sev_guest\n", "connect", *time, "--collateral", collateral, address)
        assert done.returncode == 3 and "BAD_SIGNATURE, SNP_SIGNATURE" in done.stderr, done
        child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    return 1


def check(machine):
    for provider, tee in (("sev_guest\n", "snp"), ("tdx_guest\n", "tdx")):
        done = machine.run(provider, "run", "--tee", tee, "--report", machine.module)
        assert done.returncode == 0 and f"tee {tee}" in done.stderr, done
        done = machine.run(provider, "doctor")
        assert f"run --tee {tee}" in done.stdout, done
        other = "tdx" if tee == "snp" else "snp"
        done = machine.run(provider, "run", "--tee", other, machine.module)
        assert done.returncode == 1 and "this machine is not" in done.stderr, done
    done = machine.run("arm_cca_guest\n", "run", "--tee", "snp", machine.module)
    assert done.returncode == 1 and "unknown kind" in done.stderr, done
    done = machine.run("sev_guest\n", "attest", "--tee", "snp", machine.module)
    assert done.returncode == 0, done
    evidence = pathlib.Path(f"{machine.module}.evidence").read_bytes()
    # Tag 0x1a7504, an array of the report and claims; the data in the report bind the claims.
    assert evidence[:8] == bytes.fromhex("da001a75048259") + b"\x04", evidence[:8]
    report = evidence[9:9 + 1184]
    assert report[:4] == b"\x02\0\0\0" and report[0x50:0x70] != bytes(32), report[:0x90]
    return 8


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--alcove", required=True, type=os.path.abspath)
    parser.add_argument("--preload", required=True, type=os.path.abspath)
    parser.add_argument("--vectors", default="none", type=pathlib.Path)
    with tempfile.TemporaryDirectory(prefix="alcove-cvm-") as folder:
        options = parser.parse_args()
        machine = Machine(options, pathlib.Path(folder))
        passed = check(machine) + check_channels(machine)
        passed += check_report(machine, options.vectors / "snp")
    print(f"{passed} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
