#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A program in an emulated enclave whose socket is attested, and clients that ask for proof.

    programs.py ALCOVE ECHO.WASM ...
"""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

RUN_S = 30


class Failure(Exception):
    pass


def expect(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: {got!r} instead of {wanted!r}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """The program, killed at the end if it is still there."""

    def __init__(self, alcove, wasm, connections, *options):
        self.address = f"127.0.0.1:{free_port()}"
        self.child = subprocess.Popen(
            [alcove, "run", *options, "--listen-attested", self.address, wasm, str(connections)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()

    def finish(self):
        out, errors = self.child.communicate(timeout=RUN_S)
        return self.child.returncode, out.decode().split("\n")[:-1], errors.decode()


def connect(alcove, address, data, *options):
    """Status, output and messages of a client, which is tried again until somebody listens."""
    end = time.monotonic() + RUN_S
    while True:
        done = subprocess.run([alcove, "connect", *options, address], input=data,
                              capture_output=True, timeout=RUN_S, check=False)
        if b"refused\n" not in done.stderr or time.monotonic() > end:
            return done.returncode, done.stdout, done.stderr.decode()
        time.sleep(0.05)


def measurement(alcove):
    text = subprocess.run([alcove, "measure", "--complete"], capture_output=True, check=True,
                          timeout=RUN_S).stdout.decode()
    return re.search("[0-9a-f]{64}", text).group()


def test_proof(alcove, wasm):
    """The right enclave is believed, a wrong one and a wrong workload are not."""
    data = os.urandom(300_000)
    right = measurement(alcove)
    wrong = "ab" * 32

    def judge(policy):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(policy, file)
            file.flush()
            return connect(alcove, server.address, data, "--policy", file.name,
                           "--accept-emulated")

    with Server(alcove, wasm, 5, "--tee", "emulated") as server:
        answer = judge({"sgx": {"mrenclave": [right]},
                        "claims": {"verified": True, "asked_by": ["channel"]}})
        expect("answer", answer == (0, data, ""), True)
        status, out, errors = judge({"sgx": {"mrenclave": [wrong]}})
        expect("wrong enclave", (status, out, "POLICY_REFUSED, MRENCLAVE" in errors),
               (3, b"", True))
        status, out, errors = judge({"claims": {"workload": [wrong]}})
        expect("wrong workload", (status, out, "(WRONG_WORKLOAD)" in errors), (3, b"", True))
        status, out, errors = judge({"claims": {"module": [wrong]}})
        expect("wrong module", (status, out, "POLICY_REFUSED, MODULE" in errors), (3, b"", True))
        status, out, errors = connect(alcove, server.address, data)
        expect("emulated evidence", (status, out), (3, b""))
        status, words, _ = server.finish()
        expect("server", (status, words), (0, ["served"] + 4 * ["not served"]))


def test_dialect(alcove, wasm):
    """A program in an enclave whose sockets speak as TNG does: believed by those who ask for that,
    also about its workload, and refused by those who do not."""
    data = os.urandom(300_000)
    tng = ("--dialect", "tng", "--accept-stale")
    right, wrong = measurement(alcove), "ab" * 32

    def judge(policy, *options):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(policy, file)
            file.flush()
            return connect(alcove, server.address, data, "--policy", file.name,
                           "--accept-emulated", *options)

    with Server(alcove, wasm, 4, "--tee", "emulated", "--dialect", "tng") as server:
        answer = judge({"sgx": {"mrenclave": [right], "need_config_id": True},
                        "claims": {"verified": True, "asked_by": ["channel"]}}, *tng)
        expect("answer", answer == (0, data, ""), True)
        status, out, errors = judge({"claims": {"workload": [wrong]}}, *tng)
        expect("wrong workload", (status, out, "(WRONG_WORKLOAD)" in errors), (3, b"", True))
        status, out, errors = judge({"sgx": {"mrenclave": [wrong]}}, *tng)
        expect("wrong enclave", (status, out, "POLICY_REFUSED, MRENCLAVE" in errors),
               (3, b"", True))
        status, out, errors = judge({}, "--accept-stale")
        expect("nobody asked for it", (status, out, "(PEER_REFUSED)" in errors), (3, b"", True))
        expect("server", server.finish()[0], 0)
    for words in (("--dialect", "other", "--listen-attested", "127.0.0.1:0"), ("--dialect", "tng"),
                  ("--dialect", "tng", "--listen-attested", "127.0.0.1:0", "--peer-policy", "x")):
        done = subprocess.run([alcove, "run", *words, wasm], capture_output=True, timeout=RUN_S,
                              check=False)
        expect("usage", (done.returncode, b"dialect" in done.stderr), (2, True))


def test_nothing_to_prove(alcove, wasm):
    """Outside an enclave the same program proves nothing."""
    with Server(alcove, wasm, 2, "--tee", "none") as server:
        status, out, errors = connect(alcove, server.address, b"x")
        expect("refused", (status, out, "(NO_EVIDENCE)" in errors), (3, b"", True))
        expect("accepted", connect(alcove, server.address, b"x", "--accept-unattested"),
               (0, b"x", ""))
        expect("server", server.finish()[:2], (0, ["not served", "served"]))


def carry(source, target, change):
    """Bytes of one direction, with what `change` makes of them."""
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(change(data))
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def through(alcove, address, data, change):
    """A client whose connection leads through somebody else."""
    host, port = address.split(":")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        def relay():
            client, _ = listener.accept()
            with client, socket.create_connection((host, int(port))) as server:
                other = threading.Thread(target=carry, args=(client, server, lambda some: some))
                other.start()
                carry(server, client, change)
                other.join()
        thread = threading.Thread(target=relay)
        thread.start()
        answer = connect(alcove, f"127.0.0.1:{listener.getsockname()[1]}", data,
                         "--accept-emulated")
        thread.join(RUN_S)
        return answer


def test_relay(alcove, wasm):
    """Whoever carries the bytes may carry them, and nothing else."""
    seen = []

    def watch(data):
        seen.append(data)
        return data

    count = [0]

    def spoil(data):
        count[0] += len(data)
        if count[0] - len(data) <= 3000 < count[0]: # in the encrypted part of the handshake
            place = 3000 - (count[0] - len(data))
            data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1:]
        return data

    with Server(alcove, wasm, 3, "--tee", "emulated") as server:
        expect("first", connect(alcove, server.address, b"x", "--accept-emulated"), (0, b"x", ""))
        secret = b"a secret of sixteen" * 50
        expect("carried", through(alcove, server.address, secret, watch), (0, secret, ""))
        expect("seen", secret[:19] in b"".join(seen), False)
        status, out, _ = through(alcove, server.address, secret, spoil)
        expect("changed", (status != 0, out), (True, b""))
        expect("server", server.finish()[1], ["served", "served", "not served"])


def main():
    failed = 0
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            try:
                test(sys.argv[1], sys.argv[2])
                print(f"ok {name}")
            except (Failure, OSError, subprocess.SubprocessError) as error:
                failed += 1
                print(f"FAILED {name}: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
