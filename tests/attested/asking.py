#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What programs can ask of `alcove:attest` about others: who their peers are, and what to think of
evidence. By the interpreter, and as native code where this alcove can compile.

    asking.py ALCOVE ECHO.WASM SAY.WASM ASK.WASM VERIFY.WASM VECTORS
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from peers import Bench, Failure, RUN_S, Server, echo, expect, module_of, run_tests

NO_ENTRY, ABORTED = 44, 13
ACCEPTED, REFUSED = 0, 2


class Asking(Bench):
    def __init__(self, alcove, echo_wasm, say, ask, verify, vectors, folder):
        super().__init__(alcove, echo_wasm, say, folder)
        self.ask, self.verify, self.vectors = ask, verify, pathlib.Path(vectors)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")

    def run(self, *words):
        return subprocess.run([self.alcove, "run", *words], capture_output=True, timeout=RUN_S,
                              check=False)

    def can_compile(self):
        return self.run("--tee", "none", "--compile", self.say).returncode == 1

    def judge(self, evidence, policy="", collateral="", seconds="0", nonce="", tee="emulated"):
        """(result, verdict) of the program that judges; files are in the bench's folder."""
        names = [str(name and pathlib.Path(name).name) for name in (evidence, policy, collateral)]
        done = subprocess.run([self.alcove, "run", "--tee", tee, "--read-only-dir", ".",
                               self.verify, *names, seconds, nonce], cwd=self.folder,
                              capture_output=True, timeout=RUN_S, check=False)
        expect(f"a verdict ({done.stderr})", done.returncode in (ACCEPTED, REFUSED), True)
        verdict = json.loads(done.stdout)
        expect("result and verdict", done.returncode == ACCEPTED,
               verdict["verdict"] == "accepted")
        return done.returncode, verdict

    def attest(self, name, *words):
        file = self.folder / name
        subprocess.run([self.alcove, "attest", "--tee", "emulated", "-o", file, *words, self.say],
                       check=True, capture_output=True, timeout=RUN_S)
        return file


def asked(text):
    """Verdict and claims out of what the program prints: (result, value) each."""
    lines = dict(line.split(" ", 1) for line in text.decode().split("\n")[:2])
    verdict = lines["verdict"].split(" ", 1)
    claims = lines["claims"].split(" ", 1)
    return ((int(verdict[0]), json.loads(verdict[1]) if verdict[1] else None),
            (int(claims[0]), claims[1]))


def ask_peers(bench, *how):
    """Both sides of a connection between two programs, each with the words `how`."""
    policy = bench.policy("any")
    with Server(bench, (bench.ask, "listen"), "--peer-policy", policy, *how) as server:
        client = bench.run("--tee", "emulated", "--connect-attested", server.address,
                           "--peer-policy", policy, *how, bench.ask, "connect")
        out, _ = server.child.communicate(timeout=RUN_S)
    expect(f"client {client.stderr}", client.returncode, 0)
    workloads = set()
    for side in (client.stdout, out):
        (result, verdict), (claims_result, claims) = asked(side)
        expect("results", (result, claims_result), (0, 0))
        expect("verdict", (verdict["verdict"], verdict["status"], verdict["fresh"]),
               ("accepted", "OK", True))
        expect("module", verdict["claims"]["module"], module_of(bench.ask))
        expect("asked by", verdict["claims"]["asked_by"], "channel")
        expect("software", verdict["claims"]["software"], "alcove")
        expect("claims set", verdict["claims"]["workload"] in claims, True)
        expect("emulated", (verdict["emulated"], verdict["debug"]), (True, True))
        expect("advisories", "advisories" in verdict["tcb"], False)
        workloads.add(verdict["claims"]["workload"])
    expect("each is told about the other", len(workloads), 2)
    return verdict


def test_peers(bench):
    verdict = ask_peers(bench)
    expect("runtime", verdict["evidence"]["mr_enclave"], bench.measurement)
    expect("interpreted", verdict["claims"]["verified"], True)


def test_peers_as_native_code(bench):
    if not bench.can_compile():
        print("SKIPPED test_peers_as_native_code: this alcove cannot compile")
        return
    verdict = ask_peers(bench, "--compile")
    expect("another runtime", verdict["evidence"]["mr_enclave"] != bench.measurement, True)
    expect("compiled", "native" in verdict["claims"], True)


def test_peers_that_prove_nothing(bench):
    with Server(bench, (bench.ask, "listen")) as server:
        client = bench.run("--tee", "none", "--connect-attested", server.address, "--peer-policy",
                           bench.policy("any"), bench.ask, "connect")
        expect("client", (client.returncode, asked(client.stdout)[0][0]), (0, 0))
        out, _ = server.child.communicate(timeout=RUN_S)
        expect("server", asked(out), ((NO_ENTRY, None), (NO_ENTRY, "")))


def test_peers_that_are_refused(bench):
    """Nothing is said about them, not even that their evidence was genuine."""
    other = bench.policy("other", claims={"module": ["ab" * 32]})
    with Server(bench, (bench.ask, "listen"), "--peer-policy", bench.policy("any")) as server:
        client = bench.run("--tee", "emulated", "--connect-attested", server.address,
                           "--peer-policy", other, bench.ask, "connect")
        expect("client", (client.returncode, asked(client.stdout)),
               (1, ((ABORTED, None), (ABORTED, ""))))
        out, _ = server.child.communicate(timeout=RUN_S)
        expect("server", asked(out), ((ABORTED, None), (ABORTED, "")))


def test_asking_badly(bench):
    policy = bench.policy("any")
    with echo(bench, 1, "--peer-policy", policy) as server:
        client = bench.run("--tee", "emulated", "--connect-attested", server.address,
                           "--peer-policy", policy, bench.ask, "badly")
        expect("client", client.stdout, b"refused\n")
        expect("server", server.finish(), (["served"], []))


def test_judging(bench):
    """The verdict of a program is that of `alcove verify`, whatever the evidence."""
    evidence = bench.attest("evidence", "--nonce", b"nonce".hex())
    policy = bench.policy("good", claims={"module": [module_of(bench.say)]})
    result, verdict = bench.judge(evidence, policy, nonce="nonce")
    expect("accepted", (result, verdict["claims"]["asked_by"]), (ACCEPTED, "host"))
    for reason, words in {
            "NOT_EMULATED": {},
            "MODULE": {"policy": bench.policy("bad", claims={"module": ["ab" * 32]})},
            "NONCE": {"policy": policy, "nonce": "another"},
            "DATES": {"policy": policy, "seconds": "4000000000"}}.items():
        result, verdict = bench.judge(evidence, **words)
        expect(reason, (result, verdict["failed_check"]), (REFUSED, reason))
        expect("outside", bench.judge(evidence, **words, tee="none")[1]["failed_check"], reason)


def test_judging_what_cannot_be_read(bench):
    evidence = bench.attest("evidence")
    policy = bench.policy("good")
    broken = bench.folder / "broken"
    broken.write_bytes(b'{"kinds": ["sgx"], ]')
    for name, status, words in (("policy", "BAD_JSON", (evidence, broken)),
                                ("collateral", "BAD_JSON", (evidence, policy, broken))):
        _, verdict = bench.judge(*words)
        expect(name, (verdict["status"], verdict["input"], "offset" in verdict),
               (status, name, True))
    broken.write_bytes(evidence.read_bytes()[:-1])
    _, verdict = bench.judge(broken, policy)
    expect("evidence", (verdict["input"], verdict["verdict"]), ("evidence", "refused"))
    broken.write_bytes(b"")
    expect("nothing", bench.judge(broken, policy)[1]["failed_check"], "FORM")


def test_published_evidence(bench):
    """Of real machines: every check ends as outside."""
    folder = bench.vectors / "sgx-tdx"
    if not folder.is_dir():
        print(f"SKIPPED test_published_evidence: no {folder}")
        return
    seconds = 1751328000  # 2025-07-01
    for kind in ("sgx", "tdx"):
        for name in (f"{kind}_quote", f"{kind}_quote_collateral.json"):
            (bench.folder / name).write_bytes((folder / name).read_bytes())
        quote, collateral = f"{kind}_quote", f"{kind}_quote_collateral.json"
        _, inside = bench.judge(quote, "", collateral, str(seconds))
        done = subprocess.run([bench.alcove, "verify", "--json", "--collateral", collateral,
                               "--time", "2025-07-01T00:00:00Z", quote], cwd=bench.folder,
                              capture_output=True, timeout=RUN_S, check=False)
        outside = json.loads(done.stdout)
        for check in outside["checks"]:
            del check["text"]
        for member in ("verdict", "status", "kind", "time", "valid_from", "valid_until",
                       "evidence", "debug", "emulated", "tcb", "checks"):
            expect(f"{kind} {member}", inside.get(member), outside.get(member))


def main():
    with tempfile.TemporaryDirectory() as folder:
        return run_tests(Asking(*sys.argv[1:7], pathlib.Path(folder)), dict(globals()))


if __name__ == "__main__":
    sys.exit(main())
