#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sealed directories whose key a broker gives to a program in the emulated enclave, on proof: the
right workload gets it, another one does not, and nobody can put another key in its place.
Usage: enclave.py ALCOVE FILES.wasm
"""
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from broker import Broker, expect, expect_in, run_cases

RUN_S = 60
NAME = "kbs:///shop/disk/1"


def measure(alcove):
    words = subprocess.run([alcove, "measure", "--complete"], check=True, capture_output=True,
                           text=True, timeout=RUN_S).stdout
    return re.search(r"^mrenclave: ([0-9a-f]{64})$", words, re.M).group(1)


class Setup:
    def __init__(self, alcove, program, folder):
        self.alcove, self.program, self.folder = alcove, program, pathlib.Path(folder)
        self.key = self.folder / "key"
        self.key.write_bytes(os.urandom(32))
        self.disk = self.folder / "disk"
        self.disk.mkdir()

    def name(self):
        return f"{NAME}#sha256={hashlib.sha256(self.key.read_bytes()).hexdigest()}"

    def run(self, url, argument, name=None):
        return subprocess.run(
            [self.alcove, "run", "--tee", "emulated", "--interpret", "--sealed",
             f"{self.disk}::/data", "--seal-key", name or self.name(), "--key-broker", url,
             self.program, argument], check=False, capture_output=True, text=True, timeout=RUN_S)

    def broker(self, rules, *words):
        return Broker(self.alcove, self.folder, "--admin-loopback", *words, rules=rules)


def rule(**claims):
    return {"resource": "shop/disk/1", "tee": ["sgx"], "emulated": True, "claims": claims}


def workload_of(broker):
    return re.findall(r"workload ([0-9a-f]{64})", broker.audit())[-1]


def case_key(setup, enclave):
    with setup.broker([rule(mr_enclave=enclave)], "--accept-emulated") as broker:
        expect("put", broker.run("put", NAME, str(setup.key))[0], 0)
        result = setup.run(broker.url, "fill")
        expect("fill", (result.returncode, result.stdout), (0, "filled\n"))
        workload = workload_of(broker)
        result = setup.run(broker.url, "check")
        expect("check", (result.returncode, result.stdout), (0, "good\n"))
        expect("another argument, another workload", workload_of(broker) != workload, True)
    # Whoever has the key opens it without an enclave.
    result = subprocess.run(
        [setup.alcove, "run", "--tee", "none", "--sealed", f"{setup.disk}::/data", "--seal-key",
         str(setup.key), setup.program, "check"], check=False, capture_output=True, text=True,
        timeout=RUN_S)
    expect("outside", (result.returncode, result.stdout), (0, "good\n"))
    # Only that workload, once the rule says so.
    with setup.broker([rule(mr_enclave=enclave, workload_id=workload)],
                      "--accept-emulated") as broker:
        result = setup.run(broker.url, "check")
        expect("another workload", result.returncode, 3)
        expect_in("why", "Access denied by policy: rule 1 of the policy is not met: workload_id",
                  result.stderr)


def case_refusals(setup, enclave):
    with setup.broker([rule(mr_enclave="00" * 32)], "--accept-emulated") as broker:
        expect("put", broker.run("put", NAME, str(setup.key))[0], 0)
        result = setup.run(broker.url, "fill")
        expect("another enclave", result.returncode, 3)
        expect_in("why", "rule 1 of the policy is not met: mr_enclave", result.stderr)
    with setup.broker([rule(mr_enclave=enclave)]) as broker:
        result = setup.run(broker.url, "fill")
        expect("a broker that takes no emulated evidence", result.returncode, 3)
        expect_in("why", "check ", result.stderr)
        expect_in("row", "refused\tattest", broker.audit())
    expect("nothing was written", [path.stat().st_size for path in setup.disk.iterdir()], [0])


def case_other_key(setup, enclave):
    """A broker that gives a key which it knows itself: not the one that was meant."""
    other = setup.folder / "other"
    other.write_bytes(os.urandom(32))
    with setup.broker([rule(mr_enclave=enclave)], "--accept-emulated") as broker:
        expect("put", broker.run("put", NAME, str(other))[0], 0)
        result = setup.run(broker.url, "fill")
        expect("another key", result.returncode, 3)
        expect_in("why", "not authentic", result.stderr)
    expect("nothing was written", [path.stat().st_size for path in setup.disk.iterdir()], [0])


def case_nobody_there(setup, _):
    result = setup.run("http://127.0.0.1:1", "fill")
    expect("no broker", result.returncode != 0, True)
    expect_in("why", "key broker: Failed to connect", result.stderr)


def case_usage(setup, _):
    for words in (["--seal-key", setup.name()], ["--key-broker", "http://127.0.0.1:1"],
                  ["--key-broker", "http://127.0.0.1:1", "--seal-key", setup.name(), "--tee",
                   "none"],
                  ["--key-broker", "http://127.0.0.1:1", "--seal-key", NAME],
                  ["--key-broker", "http://127.0.0.1:1", "--seal-key", "kbs:///a/b#sha256=00"]):
        done = subprocess.run([setup.alcove, "run", "--sealed", f"{setup.disk}::/data", *words,
                               setup.program], check=False, capture_output=True, timeout=RUN_S)
        expect(" ".join(words), done.returncode, 2)


def main():
    alcove, program = sys.argv[1:3]
    enclave = measure(alcove)
    cases = []
    folders = []
    for case in (case_key, case_refusals, case_other_key, case_nobody_there, case_usage):
        folders.append(tempfile.TemporaryDirectory())
        cases.append((case, (Setup(alcove, program, folders[-1].name), enclave)))
    result = run_cases(cases)
    for folder in folders:
        folder.cleanup()
    return result


sys.exit(main())
