#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A witness as users have it: `alcove witness serve`, asked by `alcove run --sealed --witness`
outside an enclave and in the emulated one. Old disks are refused, killed programs and a killed
witness lose nothing, and who only connects is in nobody's way.
Usage: witness.py ALCOVE FILES.wasm
"""
import contextlib
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

RUN_S = 60
REFUSED, FAILED = 3, 1
REQUEST = 224
CONNECTIONS = 64 # ALC_LIMIT_WITNESS_CONNECTIONS


class Failure(Exception):
    pass


def expect(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: got {got!r}, wanted {wanted!r}")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Setup:
    def __init__(self, alcove, wasm, folder, tee):
        self.alcove, self.wasm, self.folder, self.tee = alcove, wasm, folder, tee
        self.key = folder / "key"
        self.key.write_bytes(random.randbytes(32))
        self.port = free_port()
        self.witness_key, self.public = folder / "witness.pem", folder / "witness.pem"
        self.store = folder / "witness.db"

    @contextlib.contextmanager
    def witness(self):
        known = "--key" if self.witness_key.exists() else "--new-key"
        process = subprocess.Popen(
            [self.alcove, "witness", "--listen", f"127.0.0.1:{self.port}", "--store",
             str(self.store), known, str(self.witness_key), "serve"],
            stdout=subprocess.PIPE, text=True)
        try:
            expect("the witness", process.stdout.readline(), "ready\n")
            yield process
        finally:
            process.kill()
            process.wait()

    def words(self, store, *more):
        key = ["--seal-key", str(self.key)] if self.tee == "none" else []
        return [self.alcove, "run", "--tee", self.tee, "--sealed", f"{store}::/data", *key,
                "--witness", f"127.0.0.1:{self.port}", "--witness-key", str(self.public), *more,
                self.wasm]

    def run(self, store, argument):
        return subprocess.run([*self.words(store), argument], check=False, timeout=RUN_S,
                              capture_output=True, text=True)

    def count(self, store, last, kill_at=20):
        """Counts on from `last`, is killed; what it said last."""
        process = subprocess.Popen([*self.words(store), "count"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        first = process.stdout.readline()
        if not first:
            raise Failure(f"it said {process.stderr.read()!r}")
        if int(first) not in (last + 1, last + 2):
            raise Failure(f"{last} was synced, and it goes on with {first}")
        last = int(first)
        for _ in range(kill_at):
            last = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        process.wait()
        return int(rest[-1]) if rest else last


def case_rollback(setup):
    """One workload, killed again and again; each older disk is refused, the newest one is not."""
    store = setup.folder / "rollback"
    store.mkdir()
    container, kept = store / "alcove.seal", setup.folder / "kept.seal"
    last = 0
    with setup.witness():
        for turn in range(3):
            last = setup.count(store, last, kill_at=5 + turn)
            shutil.copy(container, kept)
            last = setup.count(store, last)
            newest = container.read_bytes()
            shutil.copy(kept, container)
            result = setup.run(store, "count")
            expect("an old disk", result.returncode, REFUSED)
            for wanted in ("older than its witness says", "older state than the witness knows"):
                if wanted not in result.stderr:
                    raise Failure(f"the line is {result.stderr!r}")
            container.unlink()
            result = setup.run(store, "count")
            expect("no disk", result.returncode, REFUSED)
            container.unlink(missing_ok=True)
            container.write_bytes(newest)
        setup.count(store, last)


def case_rekey(setup):
    """The counter is found by the key: another key has another one, which then holds as well."""
    store, before, old = (setup.folder / name for name in ("rekey", "before", "old"))
    first, other = setup.key, setup.folder / "other"
    other.write_bytes(random.randbytes(32))
    store.mkdir()
    rekey = [setup.alcove, "seal", "--seal-key", str(first), "--mount", "/data", "--new-key",
             str(other), "rekey"]
    with setup.witness():
        last = setup.count(store, 0, kill_at=2)
        shutil.copytree(store, old)
        last = setup.count(store, last, kill_at=2)
        shutil.copytree(store, before)
        for folder in (store, old):
            expect("rekey", subprocess.run([*rekey, str(folder)], check=False, timeout=RUN_S,
                                           capture_output=True).returncode, 0)
        setup.key = other
        last_other = setup.count(store, last, kill_at=2)
        expect("an old state under the new key", setup.run(old, "count").returncode, REFUSED)
        setup.count(store, last_other, kill_at=2)
        setup.key = first
        setup.count(before, last, kill_at=2)


def case_witness_killed(setup):
    """It says yes only to what its disk has; without it nothing begins."""
    store = setup.folder / "killed"
    store.mkdir()
    last = 0
    for _ in range(3):
        with setup.witness() as witness:
            last = setup.count(store, last, kill_at=3)
            process = subprocess.Popen([*setup.words(store), "count"], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
            for _ in range(5):
                last = int(process.stdout.readline())
            witness.kill()
            # It ends by itself: fsync fails, and that is its last word.
            rest = [word for word in process.stdout.read().split() if word.isdigit()]
            last = int(rest[-1]) if rest else last
            process.wait()
            if process.returncode == 0:
                raise Failure("a program went on without its witness")
    result = setup.run(store, "count")
    expect("without a witness", result.returncode, FAILED)
    with setup.witness():
        setup.count(store, last)


def case_another_witness(setup):
    """One with another key is none; and the key is part of the workload."""
    store = setup.folder / "another"
    store.mkdir()
    with setup.witness():
        setup.count(store, 0)
        setup.public = setup.folder / "other.pem"
        subprocess.run([setup.alcove, "vouch", "--new-key", str(setup.public), "/dev/null"],
                       check=False, capture_output=True)
        if not setup.public.exists():
            subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                            "ec_paramgen_curve:P-256", "-out", str(setup.public)], check=True,
                           capture_output=True)
        result = setup.run(store, "count")
        expect("another key", result.returncode, REFUSED)
        setup.public = setup.witness_key


def case_evidence(setup):
    """The level is a claim of the enclave's evidence, and a policy can ask for it."""
    store, policy = setup.folder / "evidence", setup.folder / "policy.json"
    store.mkdir()
    policy.write_text('{"accept_emulated": true, "accept_debug": true,'
                      ' "claims": {"rollback": "witness"}}', encoding="utf-8")
    with setup.witness():
        options = ["--tee", setup.tee, "--sealed", f"{store}::/data"]
        witness = ["--witness", f"127.0.0.1:{setup.port}", "--witness-key", str(setup.public)]
        for more, wanted in ((witness, 0), ([], REFUSED)):
            file = setup.folder / f"evidence{wanted}"
            for words, code in ((["attest", *options, *more, "-o", str(file), setup.wasm], 0),
                                (["verify", "--policy", str(policy), str(file)], wanted)):
                result = subprocess.run([setup.alcove, *words], check=False, timeout=RUN_S,
                                        capture_output=True, text=True)
                expect(words[0], result.returncode, code)
        if "refused by ROLLBACK" not in result.stdout:
            raise Failure(f"it said {result.stdout!r}")


def case_visitors(setup):
    """Garbage, half requests and silence, more of them than there are places."""
    store = setup.folder / "visitors"
    store.mkdir()
    with setup.witness():
        address = ("127.0.0.1", setup.port)
        visitors = [socket.create_connection(address) for _ in range(CONNECTIONS - 2)]
        for number, visitor in enumerate(visitors):
            visitor.settimeout(10)
            visitor.sendall(random.randbytes(REQUEST if number % 2 else REQUEST // 2))
        for visitor in visitors[1::2]:
            answer = b""
            while len(answer) < 104:
                answer += visitor.recv(104)
            expect("an answer to garbage", (answer[:8], answer[8]), (b"ALCWITA1", 3))
        last = setup.count(store, 0, kill_at=3)
        for visitor in visitors:
            visitor.close()
        for _ in range(3 * CONNECTIONS):
            socket.create_connection(address).close()
        setup.count(store, last, kill_at=2)


def case_full(setup):
    """One visitor more than there are places waits for a place."""
    with setup.witness():
        address = ("127.0.0.1", setup.port)
        visitors = [socket.create_connection(address) for _ in range(CONNECTIONS + 1)]
        for visitor in (visitors[-2], visitors[-1]):
            visitor.settimeout(10)
            visitor.sendall(random.randbytes(REQUEST))
        expect("the last place", len(visitors[-2].recv(1)), 1)
        visitors[-1].settimeout(0.5)
        try:
            raise Failure(f"{len(visitors[-1].recv(1))} bytes for one too many")
        except TimeoutError:
            pass
        visitors[0].close()
        visitors[-1].settimeout(10)
        expect("a place that became free", len(visitors[-1].recv(1)), 1)
        for visitor in visitors[1:]:
            visitor.close()


def case_usage(setup):
    store = setup.folder / "usage"
    store.mkdir()
    serve = ["witness", "--listen", f"127.0.0.1:{setup.port}", "--store", str(setup.store)]
    sealed = ["run", "--tee", setup.tee, "--sealed", f"{store}::/data"]
    for words in (["witness", "serve"], [*serve, "serve"],
                  [*serve, "--key", str(setup.key), "serve"],
                  [*sealed, "--witness-key", str(setup.key), setup.wasm],
                  ["run", "--seal-policy", "mrsigner", setup.wasm],
                  [*sealed, "--seal-policy", "nobody", setup.wasm]):
        result = subprocess.run([setup.alcove, *words], check=False, timeout=RUN_S,
                                capture_output=True, text=True)
        expect(" ".join(words), result.returncode, 2)
    with setup.witness(): # one database, one witness
        port = setup.port
        setup.port = free_port()
        try:
            with setup.witness():
                raise Failure("two witnesses share a database")
        except Failure as failure:
            if "share" in str(failure):
                raise
        setup.port = port


CASES = (case_usage, case_rollback, case_rekey, case_witness_killed, case_another_witness,
         case_visitors, case_full)


def main():
    alcove, wasm = sys.argv[1:]
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        for tee in ("none", "emulated"):
            inside = (case_rollback, case_another_witness, case_evidence)
            for case in CASES if tee == "none" else inside:
                folder = pathlib.Path(name) / f"{tee}_{case.__name__}"
                folder.mkdir()
                try:
                    case(Setup(alcove, wasm, folder, tee))
                    print(f"ok     {tee} {case.__name__}")
                except (Failure, subprocess.TimeoutExpired, ValueError, OSError) as failure:
                    failed += 1
                    print(f"FAILED {tee} {case.__name__}: {failure}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
