#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two programs in emulated enclaves talk over attested sockets, each with a policy about the other.

    peers.py ALCOVE ECHO.WASM SAY.WASM
"""
import hashlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

RUN_S = 30
REFUSED = re.compile(r"alcove: attested socket: (.*)")


class Failure(Exception):
    pass


def expect(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: {got!r} instead of {wanted!r}")


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def module_of(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


class Bench:
    def __init__(self, alcove, echo, say, folder):
        self.alcove, self.echo, self.say, self.folder = alcove, echo, say, folder
        text = subprocess.run([alcove, "measure", "--complete"], capture_output=True, check=True,
                              timeout=RUN_S).stdout.decode()
        self.measurement = re.search("[0-9a-f]{64}", text).group()

    def policy(self, name, **members):
        """A policy for enclaves of this emulator, as a file."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps({"accept_emulated": True, "accept_debug": True, **members}))
        return path

    def program(self, wasm):
        """A policy for this program alone, in this runtime alone."""
        return self.policy(pathlib.Path(wasm).stem, sgx={"mrenclave": [self.measurement]},
                           claims={"module": [module_of(wasm)], "verified": True,
                                   "asked_by": ["channel"]})


class Server:
    """A program that listens, killed at the end if it is still there."""

    def __init__(self, bench, words, *options, tee="emulated"):
        self.address = free_address()
        self.child = subprocess.Popen(
            [bench.alcove, "run", "--tee", tee, "--listen-attested", self.address, *options,
             *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # It listens before its enclave is loaded. A connection to try that would be one of those
        # that it serves.
        port = f":{int(self.address.split(':')[1]):04X} 00000000:0000 0A"
        end = time.monotonic() + RUN_S
        while port not in pathlib.Path("/proc/net/tcp").read_text():
            if time.monotonic() > end or self.child.poll() is not None:
                raise Failure("the server does not listen")
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()

    def finish(self):
        """(what became of each connection, what was said about refused ones)"""
        out, errors = self.child.communicate(timeout=RUN_S)
        expect("the server's end", self.child.returncode, 0)
        return out.decode().split("\n")[:-1], REFUSED.findall(errors.decode())


def echo(bench, connections, *options):
    return Server(bench, (bench.echo, str(connections)), *options)


def say(bench, address, data, *options, tee="emulated"):
    """(status, what came back, what was said about a refusal)"""
    done = subprocess.run([bench.alcove, "run", "--tee", tee, "--connect-attested", address,
                           *options, bench.say], input=data, capture_output=True, timeout=RUN_S,
                          check=False)
    return done.returncode, done.stdout, REFUSED.findall(done.stderr.decode())


def test_both_accept(bench):
    """Policies on both sides; and what the peers say is what the programs hear."""
    data = os.urandom(300_000)
    with echo(bench, 1, "--peer-policy", bench.program(bench.say)) as server:
        answer = say(bench, server.address, data, "--peer-policy", bench.program(bench.echo))
        expect("answer", answer == (0, data, []), True)
        expect("server", server.finish(), (["served"], []))


def test_wrong_peers(bench):
    """Each side refuses another program or runtime and stale collateral; both are told."""
    any_policy = bench.policy("any")
    other = bench.policy("other", claims={"module": ["ab" * 32]})
    workload = bench.policy("workload", claims={"workload": ["ab" * 32]})
    runtime = bench.policy("runtime", sgx={"mrenclave": ["ab" * 32]})
    old = bench.policy("old", collateral_age_max_s=1)
    older = bench.policy("older", evaluation_number_min=2)
    for policy, reason in ((other, "POLICY_REFUSED, MODULE"), (workload, "WRONG_WORKLOAD"),
                           (runtime, "POLICY_REFUSED, MRENCLAVE"),
                           (old, "POLICY_REFUSED, COLLATERAL_AGE"),
                           (older, "POLICY_REFUSED, EVALUATION")):
        theirs = f"PEER_REFUSED, the peer's reason: {reason.replace(', ', ':')}"
        with echo(bench, 1, "--peer-policy", any_policy) as server:
            answer = say(bench, server.address, b"x", "--peer-policy", policy)
            expect("the client refuses", answer, (1, b"", [reason]))
            expect("the server hears", server.finish(), (["not served"], [theirs]))
        with echo(bench, 1, "--peer-policy", policy) as server:
            answer = say(bench, server.address, b"x", "--peer-policy", any_policy)
            expect("the client hears", answer, (1, b"", [theirs]))
            expect("the server refuses", server.finish(), (["not served"], [reason]))


def test_defaults(bench):
    """Without a policy clients need prove nothing, and servers cannot be emulated. With one both
    must prove what they are."""
    with echo(bench, 1) as server:
        answer = say(bench, server.address, b"x", "--peer-policy", bench.program(bench.echo),
                     tee="none")
        expect("a client that proves nothing", answer, (0, b"x", []))
        expect("server", server.finish(), (["served"], []))
    with echo(bench, 2, "--peer-policy", bench.policy("any")) as server:
        expect("an emulated server", say(bench, server.address, b"x"),
               (1, b"", ["EMULATED, NOT_EMULATED"]))
        status, out, _ = say(bench, server.address, b"x", "--peer-policy", bench.policy("any"),
                             tee="none")
        expect("a client that must prove", (status, out), (1, b""))
        expect("server", server.finish()[1],
               ["PEER_REFUSED, the peer's reason: EMULATED:NOT_EMULATED", "NO_EVIDENCE"])


def test_policy_is_measured(bench):
    """Another policy is another workload; the same one laid out in another way is not."""
    def workload_of(policy):
        file = bench.folder / "evidence"
        subprocess.run([bench.alcove, "attest", "--tee", "emulated", "-o", file,
                        "--connect-attested", "127.0.0.1:1", "--peer-policy", policy, bench.say],
                       check=True, capture_output=True, timeout=RUN_S)
        done = subprocess.run([bench.alcove, "verify", "--policy", bench.policy("any"), "--json",
                               file], capture_output=True, timeout=RUN_S, check=True)
        return json.loads(done.stdout)["claims"]["workload"]

    one = bench.policy("one", claims={"module": ["ab" * 32]})
    first = workload_of(one)
    one.write_text(one.read_text().replace(",", " ,\n"))
    expect("laid out in another way", workload_of(one), first)
    expect("another policy", workload_of(bench.policy("two", claims={"module": ["ac" * 32]}))
           != first, True)


def test_bad_options(bench):
    good = bench.policy("good")
    bad = bench.policy("bad", claims={"modul": ["ab" * 32]})
    chosen = bench.policy("chosen", report_data="00" * 64)
    address = "127.0.0.1:0"
    for words, text in ((("--peer-policy", good), "are for attested sockets"),
                        (("--listen-attested", address, "--peer-policy", bad), "not known"),
                        (("--listen-attested", address, "--peer-policy", chosen), "report data"),
                        (("--listen-attested", address, "--endorsements", good), "JSON"),
                        (("--listen-attested", address) * 17, "at most 16"),
                        (("--connect-attested", free_address()), "refused")):
        done = subprocess.run([bench.alcove, "run", "--tee", "none", *words, bench.say],
                              input=b"", capture_output=True, timeout=RUN_S, check=False)
        expect(f"{words}: {done.stderr}", (done.returncode in (1, 2), text in str(done.stderr)),
               (True, True))


def run_tests(bench, tests):
    """Those whose names begin with test_; the exit code."""
    failed = 0
    for name, test in tests.items():
        if name.startswith("test_"):
            try:
                test(bench)
                print(f"ok {name}")
            except (Failure, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
                failed += 1
                print(f"FAILED {name}: {error!r}")
    return 1 if failed else 0


def main():
    with tempfile.TemporaryDirectory() as folder:
        return run_tests(Bench(*sys.argv[1:4], pathlib.Path(folder)), dict(globals()))


if __name__ == "__main__":
    sys.exit(main())
