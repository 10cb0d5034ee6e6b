#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Evidence as a user has it: `alcove attest` and programs that ask for it, judged by attest/.
Usage: evidence.py ALCOVE JUDGE ASK.wasm PLAIN.wasm

Programs as native code are tried if this alcove can compile.
"""
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

RUN_S = 60
NONCE = b"nonce of a verifier"
NOBODY, MANIFEST, KEY = "0", "1", "2"
HOST, PROGRAM = "0", "1"


class Failure(Exception):
    pass


def expect(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: got {got!r}, wanted {wanted!r}")


class Bench:
    def __init__(self, words, folder):
        self.alcove, self.judge_program, self.ask, self.plain = words
        self.folder = folder
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")

    def alcove_run(self, *words, code=0):
        done = subprocess.run([self.alcove, *words], check=False, timeout=RUN_S,
                              capture_output=True)
        expect(f"alcove {' '.join(map(str, words))}: exit code ({done.stderr!r})",
               done.returncode, code)
        return done

    def judge(self, file, *policy):
        """(accepted, what it says as a dictionary)"""
        done = subprocess.run([self.judge_program, file, *policy], check=False, timeout=RUN_S,
                              capture_output=True, text=True)
        return (done.returncode == 0,
                dict(line.partition(" ")[::2] for line in done.stdout.splitlines()))

    def attest(self, *words):
        file = self.folder / "evidence"
        done = self.alcove_run("attest", "--tee", "emulated", "--nonce", NONCE.hex(), "-o", file,
                               *words)
        if b"EMULATED evidence" not in done.stderr:
            raise Failure("nobody says that it is emulated")
        expect("standard output", done.stdout, b"")
        return file

    def measurement(self, *words):
        return self.alcove_run("measure", *words).stdout.decode().splitlines()[0].split()[1]

    def compile(self, name, *options):
        path = self.folder / name
        done = subprocess.run([self.alcove, "compile", self.ask, "-o", path, *options], check=False,
                              timeout=RUN_S, capture_output=True)
        return path if done.returncode == 0 else None


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def check_claims(found, **wanted):
    for name, value in wanted.items():
        expect(name, found.get(name), value)


def case_a_program_that_knows_nothing_of_it(bench):
    """It is proven without being run, and its evidence is what a verifier accepts."""
    file = bench.attest(bench.plain)
    accepted, found = bench.judge(file, "accept=emulated",
                                  f"mrenclave={bench.measurement('--complete')}")
    expect("verdict", (accepted, found["status"]), (True, "OK"))
    check_claims(found, nonce=NONCE.hex(), module=sha256(bench.plain), verified="1",
                 vouched_by=NOBODY, asked_by=HOST, native=None)


def case_refused_by_name(bench):
    file = bench.attest(bench.plain)
    accepted, found = bench.judge(file)
    expect("by default", (accepted, found["failed"]), (False, "NOT_EMULATED"))
    accepted, found = bench.judge(file, "accept=emulated", "mrenclave=" + "00" * 32)
    expect("another measurement", (accepted, found["failed"]), (False, "MRENCLAVE"))
    content = bytearray(file.read_bytes())
    content[content.index(NONCE)] ^= 1
    file.write_bytes(content)
    accepted, found = bench.judge(file, "accept=emulated")
    expect("another nonce", (accepted, found["status"]), (False, "REPORT_MISMATCH"))


def parts_of(file):
    """(quote, claims-buffer, what follows) of an evidence file, each with its head."""
    content = file.read_bytes()
    expect("tag and array", content[:4], b"\xd9\xea\x60\x82")
    ends = [4]
    for _ in range(2):
        start = ends[-1]
        head = {0x58: 1, 0x59: 2}[content[start]]  # bytes of length
        size = int.from_bytes(content[start + 1:start + 1 + head], "big")
        ends.append(start + 1 + head + size)
    return content[4:ends[1]], content[ends[1]:ends[2]], content[ends[2]:]


def case_another_enclaves_quote(bench):
    """A host that gives the quote of another run, or another program, with these claims."""
    quote, claims, rest = parts_of(bench.attest(bench.plain))
    other_quote, other_claims, _ = parts_of(bench.attest(bench.plain, "argument"))
    file = bench.folder / "mixed"
    for parts, wanted in (((quote, claims), "OK"), ((other_quote, claims), "REPORT_MISMATCH"),
                          ((quote, other_claims), "REPORT_MISMATCH"),
                          ((other_quote, other_claims), "OK")):
        file.write_bytes(b"\xd9\xea\x60\x82" + b"".join(parts) + rest)
        expect("verdict", bench.judge(file, "accept=emulated")[1]["status"], wanted)


def case_the_workload_is_bound(bench):
    """The same module with other arguments is another workload; the same again is the same."""
    ids = [bench.judge(bench.attest(bench.plain, *words), "accept=emulated")[1]["workload_id"]
           for words in ((), ("argument",), ())]
    expect("workload ids", (ids[0] == ids[2], ids[0] == ids[1]), (True, False))


def case_sealed_mounts_are_left_alone(bench):
    store = bench.folder / "store"
    store.mkdir()
    file = bench.attest("--sealed", f"{store}::/data", bench.plain)
    expect("verdict", bench.judge(file, "accept=emulated")[0], True)
    expect("the directory", list(store.iterdir()), [])


def case_rollback_levels(bench):
    """What the claims say of sealed mounts, and of a program that has none."""
    store, plain = bench.folder / "levels", bench.folder / "dir"
    store.mkdir()
    plain.mkdir()
    for words, level in (((), "session"), (("--rollback", "session"), "session"),
                         (("--rollback", "none"), "none")):
        file = bench.attest("--sealed", f"{store}::/data", *words, bench.plain)
        check_claims(bench.judge(file, "accept=emulated")[1], rollback=level)
    file = bench.attest("--dir", f"{plain}::/data", bench.plain)
    check_claims(bench.judge(file, "accept=emulated")[1], rollback=None)


def case_a_program_that_asks(bench):
    run = ("run", "--tee", "emulated")
    file = bench.folder / "asked"
    evidence = bench.alcove_run(*run, bench.ask, "evidence", "own nonce").stdout
    _, _, collateral = parts_of(bench.attest(bench.plain))
    file.write_bytes(evidence + collateral)
    accepted, found = bench.judge(file, "accept=emulated")
    expect("verdict", (accepted, found["status"]), (True, "OK"))
    check_claims(found, nonce=b"own nonce".hex(), module=sha256(bench.ask), asked_by=PROGRAM)
    expect("the claims alone", len(bench.alcove_run(*run, bench.ask, "claims").stdout) > 100, True)
    expect("asked badly", bench.alcove_run(*run, bench.ask, "badly").stdout, b"refused\n")


def case_outside_nothing_is_proven(bench):
    done = bench.alcove_run("run", "--tee", "none", bench.ask, "evidence", "x", code=1)
    expect("errno", done.stderr, b"errno 58\n")
    bench.alcove_run("attest", "--tee", "none", bench.plain, code=1)


def case_usage(bench):
    for nonce in ("", "0", "0x", "zz", "00" * 65, "000"):
        bench.alcove_run("attest", "--nonce", nonce, bench.plain, code=2)
    bench.alcove_run("attest", code=2)
    bench.alcove_run("run", "--nonce", "00", bench.plain, code=2)


# -- native code --

def case_confined(bench):
    native = bench.compile("confined.alc")
    accepted, found = bench.judge(bench.attest(native), "accept=emulated",
                                  f"mrenclave={bench.measurement('--complete', '--native')}")
    expect("verdict", (accepted, found["status"]), (True, "OK"))
    check_claims(found, module=sha256(bench.ask), verified="1", vouched_by=NOBODY)
    expect("native code has a hash", len(found["native"]), 64)


def case_vouched(bench):
    native = bench.compile("checked.alc", "--shape", "checked")
    accepted, found = bench.judge(bench.attest("--vouch", native), "accept=emulated")
    expect("verdict", accepted, True)
    check_claims(found, verified="0", vouched_by=MANIFEST, voucher_key=None)
    bench.alcove_run("attest", "--tee", "emulated", native, code=3)
    key = bench.folder / "owner.pem"
    bench.alcove_run("vouch", "--new-key", key, native)
    accepted, found = bench.judge(bench.attest("--owner", key, native), "accept=emulated")
    expect("verdict", accepted, True)
    check_claims(found, verified="0", vouched_by=KEY)
    expect("the key is named", len(found["voucher_key"]), 64)


def case_packed(bench):
    native = bench.compile("packed.alc")
    image, signature = bench.folder / "app.sgxs", bench.folder / "app.sig"
    packed = bench.alcove_run("pack", "--complete", "-o", image, native).stdout.decode().split()[-1]
    bench.alcove_run("sign", "--new-key", bench.folder / "rsa.pem", "-o", signature, image)
    accepted, found = bench.judge(bench.attest("--signature", signature, image), "accept=emulated",
                                  f"mrenclave={packed}")
    expect("verdict", (accepted, found["status"]), (True, "OK"))
    check_claims(found, verified="1", vouched_by=NOBODY, module=sha256(bench.ask))


def case_a_native_program_asks(bench):
    native = bench.compile("asks.alc")
    run = ("run", "--tee", "emulated", native)
    expect("asked badly", bench.alcove_run(*run, "badly").stdout, b"refused\n")


CASES = (case_a_program_that_knows_nothing_of_it, case_refused_by_name,
         case_another_enclaves_quote, case_the_workload_is_bound,
         case_sealed_mounts_are_left_alone, case_rollback_levels, case_a_program_that_asks,
         case_outside_nothing_is_proven, case_usage)
NATIVE_CASES = (case_confined, case_vouched, case_packed, case_a_native_program_asks)


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(sys.argv[1:], pathlib.Path(name))
        cases = CASES
        if bench.compile("try.alc") is None:
            print("SKIPPED native code: this alcove cannot compile")
        else:
            cases += NATIVE_CASES
        for case in cases:
            try:
                case(bench)
                print(f"ok     {case.__name__}")
            except (Failure, subprocess.TimeoutExpired, KeyError, ValueError) as failure:
                failed += 1
                print(f"FAILED {case.__name__}: {failure!r}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
