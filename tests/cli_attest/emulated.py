#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From alcove attest to alcove verify, with evidence of the emulator: refused by name, and when it
is accepted judged like any other, claims and nonce included."""
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile

TIMEOUT_S = 60
# Exports a memory and _start, which does nothing.
PROGRAM = bytes.fromhex("0061736d0100000001040160000003020100050301000107130206"
                        "6d656d6f72790200065f737461727400000a040102000b")
BASE = {"accept_emulated": True, "accept_debug": True}
OTHER = "00" * 32


class Fixture:
    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)
        (self.folder / "app.wasm").write_bytes(PROGRAM)

    def run(self, *arguments):
        return subprocess.run([self.program, *arguments], cwd=self.folder, check=False, text=True,
                              capture_output=True, timeout=TIMEOUT_S)

    def verify(self, policy, *arguments):
        (self.folder / "policy.json").write_text(json.dumps(policy), encoding="utf-8")
        done = self.run("verify", "--policy", "policy.json", *arguments, "evidence")
        return done.returncode, done.stdout, done.stderr


def test_refused(fixture):
    done = fixture.run("verify", "evidence")
    assert done.returncode == 3 and "refused by NOT_EMULATED" in done.stdout, done
    assert "measurement of the enclave" not in done.stdout, "shows what nobody proved"
    done = fixture.run("verify", "--accept-emulated", "evidence")
    assert done.returncode == 3 and "refused by NOT_DEBUG" in done.stdout, done


def test_accepted(fixture):
    code, text, warning = fixture.verify(BASE, "--nonce", "0102", "--json")
    verdict = json.loads(text)
    claims = verdict["claims"]
    assert code == 0 and verdict["emulated"] and "EMULATED" in warning, (code, text, warning)
    assert claims["module"] == hashlib.sha256(PROGRAM).hexdigest() and claims["verified"]
    assert verdict["trust"]["status"] == "contraindicated" and verdict["trust"]["hardware"] == 97
    recognized = {**BASE, "sgx": {"mrenclave": [verdict["evidence"]["mr_enclave"]]},
                  "claims": {"workload": [claims["workload"]], "module": [OTHER, claims["module"]],
                             "native": [OTHER], "vouched_by": [OTHER], "verified": True,
                             "asked_by": ["host"]}}
    code, text, _ = fixture.verify(recognized)
    assert code == 0 and text.endswith("\naccepted\n"), text


def test_policies(fixture):
    """Each member refuses what it is for; the program is interpreted, so some hold for nothing."""
    for claims, rule in (({"workload": [OTHER]}, "WORKLOAD"), ({"module": [OTHER]}, "MODULE"),
                         ({"asked_by": ["program", "channel"]}, "ASKED_BY")):
        code, text, _ = fixture.verify({**BASE, "claims": claims})
        assert code == 3 and f"refused by {rule};" in text, (rule, text)
    for nonce in ("0103", "01", "010200"):
        code, text, _ = fixture.verify(BASE, "--nonce", nonce)
        assert code == 3 and "refused by NONCE;" in text, text


def test_configured(fixture):
    """The enclave was configured for its workload, and a policy can ask for that alone."""
    _, text, _ = fixture.verify(BASE, "--json")
    workload = json.loads(text)["claims"]["workload"]
    wanted = {"need_config_id": True, "config_id": [workload + OTHER]}
    code, text, _ = fixture.verify({**BASE, "sgx": wanted})
    assert code == 0 and "\naccepted" in text, text
    code, text, _ = fixture.verify({**BASE, "sgx": {**wanted, "config_id": [OTHER + OTHER]}})
    assert code == 3 and "refused by CONFIGID;" in text and f"it is {workload}" in text, text


def test_rollback(fixture):
    """The level of sealed mounts, as verify shows it and a policy can ask for it."""
    asks = {level: {**BASE, "claims": {"rollback": level}}
            for level in ("none", "session", "witness")}
    for level in asks:
        code, text, _ = fixture.verify(asks[level])
        assert code == 3 and "refused by ROLLBACK;" in text, text
        assert "refused by policy: the program has no sealed mounts\n" in text, text
    (fixture.folder / "store").mkdir()
    keep = (fixture.folder / "evidence").read_bytes()
    for words, level, accepts in (((), "session", ("none", "session")),
                                  (("--rollback", "none"), "none", ("none",))):
        done = fixture.run("attest", "--tee", "emulated", "--sealed", "store::/data", *words,
                           "--output", "evidence", "app.wasm")
        assert done.returncode == 0, done
        for least, policy in asks.items():
            code, text, _ = fixture.verify(policy)
            assert code == (0 if least in accepts else 3), (level, least, text)
            if code == 0:
                assert re.search(rf"rollback level +{level}\n", text), text
            else:
                assert "refused by ROLLBACK;" in text, text
                assert f"policy: level {level}; the policy asks for {least}\n" in text, text
        assert json.loads(fixture.verify(BASE, "--json")[1])["claims"]["rollback"] == level
    (fixture.folder / "evidence").write_bytes(keep)
    for words in (("--rollback", "some"), ("--rollback", "witness")):
        done = fixture.run("run", "--sealed", "store::/data", *words, "app.wasm")
        assert done.returncode == 2 and "--rollback" in done.stderr, done
    done = fixture.run("run", "--rollback", "none", "app.wasm")
    assert done.returncode == 2, done


def test_changed(fixture):
    """A byte of the nonce within the claims, where it first stands."""
    path = fixture.folder / "evidence"
    good = path.read_bytes()
    place = good.index(b"nonce") + len(b"nonce") + 1
    path.write_bytes(good[:place] + b"\xff" + good[place + 1:])
    code, text, _ = fixture.verify(BASE)
    assert code == 3 and "refused by CLAIMS;" in text, text
    path.write_bytes(good)


def main():
    with tempfile.TemporaryDirectory(prefix="alcove-emulated-") as folder:
        fixture = Fixture(str(pathlib.Path(sys.argv[1]).resolve()), folder)
        done = fixture.run("attest", "--tee", "emulated", "--nonce", "0102", "--output", "evidence",
                           "app.wasm")
        if done.returncode == 1 and "built without" in done.stderr:
            print("SKIPPED: this alcove was built without evidence")
            return 77
        assert done.returncode == 0, done
        for test in (test_refused, test_accepted, test_policies, test_configured,
                     test_rollback, test_changed):
            test(fixture)
    print("emulated evidence, from making to judging: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
