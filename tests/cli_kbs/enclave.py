#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sealed directories whose key a broker gives to a program in the emulated enclave, on proof: the
right workload gets it, another one does not, and nobody can put another key in its place. So
files move to another version of a program or of the enclave (docs/sealed-storage.md).
Usage: enclave.py ALCOVE FILES.wasm
"""
import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

from broker import Broker, expect, expect_in, run_cases

RUN_S = 60
NAME = "kbs:///shop/disk/1"
OTHER_NAME = "kbs:///shop/disk/2"


def measure(alcove, *kind):
    words = subprocess.run([alcove, "measure", "--complete", *kind], check=True,
                           capture_output=True, text=True, timeout=RUN_S).stdout
    return re.search(r"^mrenclave: ([0-9a-f]{64})$", words, re.M).group(1)


class Setup:
    def __init__(self, alcove, program, folder):
        self.alcove, self.program, self.folder = alcove, program, pathlib.Path(folder)
        self.key = self.folder / "key"
        self.key.write_bytes(os.urandom(32))
        self.disk = self.folder / "disk"
        self.disk.mkdir()

    def name(self):
        return name_of(NAME, self.key)

    def alcove_does(self, *words):
        return subprocess.run([self.alcove, *map(str, words)], check=False, capture_output=True,
                              text=True, timeout=RUN_S)

    def run(self, url, argument, name=None, more=(), program=None):
        """Interpreted, unless `program` is native code."""
        return self.alcove_does("run", "--tee", "emulated", "--sealed", f"{self.disk}::/data",
                                "--seal-key", name or self.name(), "--key-broker", url, *more,
                                program or self.program, argument)

    def new_version(self):
        """The same program in a module with one section more."""
        path = self.folder / "new.wasm"
        path.write_bytes(pathlib.Path(self.program).read_bytes() + b"\0\x08\x07version")
        return path

    def broker(self, rules, *words):
        return Broker(self.alcove, self.folder, "--admin-loopback", *words, rules=rules)


def name_of(place, key):
    return f"{place}#sha256={hashlib.sha256(key.read_bytes()).hexdigest()}"


def rule(**claims):
    return {"resource": "shop/disk/*", "tee": ["sgx"], "emulated": True, "claims": claims}


def expect_run(what, result, said):
    expect(what, (result.returncode, result.stdout, result.stderr), (0, said, ""))


def expect_refusal(what, result, why):
    expect(what, (result.returncode, result.stdout), (3, ""))
    expect_in(what, why, result.stderr)


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
        checked = workload_of(broker)
        expect("another argument, another workload", checked != workload, True)
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
    # The evidence itself says it, also to brokers that are told nothing else.
    with setup.broker([rule(mr_enclave=enclave, config_id=checked + 64 * "0")],
                      "--accept-emulated") as broker:
        result = setup.run(broker.url, "check")
        expect("this workload", (result.returncode, result.stdout), (0, "good\n"))
        result = setup.run(broker.url, "fill")
        expect("another workload", result.returncode, 3)
        expect_in("why", "rule 1 of the policy is not met: config_id", result.stderr)


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


def case_new_version(setup, enclave):
    """The owner says which version gets the key; the files are where they were."""
    new = setup.new_version()
    with setup.broker([rule(mr_enclave=enclave)], "--accept-emulated") as broker:
        expect("put", broker.run("put", NAME, str(setup.key))[0], 0)
        expect_run("the old version", setup.run(broker.url, "fill"), "filled\n")
        old_id = workload_of(broker)
    with setup.broker([rule(mr_enclave=enclave, workload_id=[old_id])],
                      "--accept-emulated") as broker:
        expect_refusal("the new version, too early", setup.run(broker.url, "check", program=new),
                       "rule 1 of the policy is not met: workload_id")
        new_id = workload_of(broker)
        expect("another workload", new_id != old_id, True)
    with setup.broker([rule(mr_enclave=enclave, workload_id=[new_id])],
                      "--accept-emulated") as broker:
        expect_run("the new version", setup.run(broker.url, "check", program=new), "good\n")
        expect_refusal("the old version, too late", setup.run(broker.url, "fill"),
                       "rule 1 of the policy is not met: workload_id")


def case_new_enclave(setup, enclave):
    """Another measurement: the image that runs native code."""
    image = setup.folder / "files.alc"
    compiled = setup.alcove_does("compile", setup.program, "--output", image)
    if compiled.returncode != 0:
        print(f"SKIPPED another image: {compiled.stderr.strip()}")
        return
    native = measure(setup.alcove, "--native")
    expect("another image", native != enclave, True)
    for mrenclave, program, argument, said in ((enclave, setup.program, "fill", "filled\n"),
                                               (native, image, "check", "good\n")):
        with setup.broker([rule(mr_enclave=mrenclave)], "--accept-emulated") as broker:
            expect("put", broker.run("put", NAME, str(setup.key))[0], 0)
            expect_run(argument, setup.run(broker.url, argument, program=program), said)
    with setup.broker([rule(mr_enclave=native)], "--accept-emulated") as broker:
        expect_refusal("the old image", setup.run(broker.url, "check"),
                       "rule 1 of the policy is not met: mr_enclave")


def case_new_key(setup, enclave):
    """From a key file outside to a broker's key: the owner rekeys and hands the new one over."""
    other, stranger = setup.folder / "other", setup.folder / "stranger"
    other.write_bytes(os.urandom(32))
    stranger.write_bytes(os.urandom(32))
    outside = ("run", "--tee", "none", "--sealed", f"{setup.disk}::/data", "--seal-key", setup.key,
               setup.program)
    expect_run("outside", setup.alcove_does(*outside, "fill"), "filled\n")
    rekey = ("--mount", "/data", "--new-key", other, "rekey", setup.disk)
    expect_refusal("a stranger's", setup.alcove_does("seal", "--seal-key", stranger, *rekey),
                   "opens with this key")
    expect("rekey", setup.alcove_does("seal", "--seal-key", setup.key, *rekey).returncode, 0)
    expect_refusal("the old key outside", setup.alcove_does(*outside, "check"),
                   "opens with this key")
    with setup.broker([rule(mr_enclave=enclave)], "--accept-emulated") as broker:
        for place, key in ((NAME, setup.key), (OTHER_NAME, other)):
            expect("put", broker.run("put", place, str(key))[0], 0)
        expect_run("the new key", setup.run(broker.url, "check", name_of(OTHER_NAME, other)),
                   "good\n")
        expect_refusal("the old key", setup.run(broker.url, "check"), "opens with this key")


def case_processors_key(setup, _):
    """Nothing takes files out of an enclave whose processor has the key."""
    inside = ("run", "--tee", "emulated", "--sealed", f"{setup.disk}::/data")
    away, other = setup.folder / "away", setup.folder / "other"
    away.mkdir()
    other.write_bytes(os.urandom(32))
    expect_run("fill", setup.alcove_does(*inside, setup.program, "fill"), "filled\n")
    before = (setup.disk / "alcove.seal").read_bytes()
    for words in (("rekey", setup.disk), ("export", setup.disk, away)):
        expect_refusal(words[0], setup.alcove_does("seal", "--seal-key", setup.key, "--mount",
                                                   "/data", "--new-key", other, *words),
                       "opens with this key")
    expect_refusal("a new version", setup.alcove_does(*inside, setup.new_version(), "fill"),
                   "opens with this key")
    expect("what the disk has", (setup.disk / "alcove.seal").read_bytes() == before, True)


@contextlib.contextmanager
def witness(setup):
    """The words for `alcove run`."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    key = setup.folder / "witness.pem"
    process = subprocess.Popen([setup.alcove, "witness", "--listen", address, "--store",
                                setup.folder / "witness.db", "--new-key", key, "serve"],
                               stdout=subprocess.PIPE, text=True)
    try:
        expect("the witness", process.stdout.readline(), "ready\n")
        yield ("--witness", address, "--witness-key", key)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def case_witness(setup, enclave):
    """The counter belongs to the key: what the old version left is what the new one has to find."""
    new = setup.new_version()
    old_disk = setup.folder / "old.seal"
    container = setup.disk / "alcove.seal"
    with witness(setup) as more, setup.broker([rule(mr_enclave=enclave)],
                                              "--accept-emulated") as broker:
        expect("put", broker.run("put", NAME, str(setup.key))[0], 0)
        expect_run("number", setup.run(broker.url, "number", more=more), "0\n")
        shutil.copy(container, old_disk)
        expect_run("fill", setup.run(broker.url, "fill", more=more), "filled\n")
        newest = container.read_bytes()
        shutil.copy(old_disk, container)
        expect_refusal("an old disk", setup.run(broker.url, "check", more=more, program=new),
                       "older than its witness says")
        container.write_bytes(newest)
        result = setup.run(broker.url, "check", more=("--report", *more), program=new)
        expect("the newest disk", (result.returncode, result.stdout), (0, "good\n"))
        expect_in("the level", "alcove: sealed mount /data, rollback level witness\n",
                  result.stderr)
        result = setup.run(broker.url, "number", more=("--report",))
        expect_in("without", "alcove: sealed mount /data, rollback level session\n",
                  result.stderr)


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
    for case in (case_key, case_refusals, case_other_key, case_nobody_there, case_new_version,
                 case_new_enclave, case_new_key, case_processors_key, case_witness, case_usage):
        folders.append(tempfile.TemporaryDirectory())
        cases.append((case, (Setup(alcove, program, folders[-1].name), enclave)))
    result = run_cases(cases)
    for folder in folders:
        folder.cleanup()
    return result


if __name__ == "__main__":
    sys.exit(main())
