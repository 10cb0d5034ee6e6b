#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sealed directories whose key is the processor's, from one version of a program to another: seal
export, seal import and their like in the emulated enclave, with a broker that gives the transfer
key on proof. Exported containers that were cut, changed, exchanged or used already are refused, by
a reason that has a name; and the witness's line goes on through all of it.
Usage: transfer.py ALCOVE FILES.wasm
"""
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile

from broker import expect, expect_in, run_cases
from enclave import (NAME, OTHER_NAME, RUN_S, Setup, expect_refusal, measure, name_of, rule,
                     witness)

BLOCK = 4096
FAILED = 1


class Version:
    """One workload, with a directory of its own; the container in it."""

    def __init__(self, setup, name, *words, guest="/data", broker=None, more=()):
        self.setup, self.words = setup, [str(word) for word in words]
        self.disk = setup.folder / name
        self.disk.mkdir()
        self.container = self.disk / "alcove.seal"
        self.key, self.place = setup.key, NAME
        self.guest, self.more, self.url = guest, list(more), broker.url if broker else None

    def options(self):
        named = ["--transfer-key", name_of(self.place, self.key)] if self.key else []
        url = ["--key-broker", self.url] if self.url else []
        return ["--tee", "emulated", "--sealed", f"{self.disk}::{self.guest}", *named, *url,
                *self.more]

    def run(self):
        return self.setup.alcove_does("run", *self.options(), *self.words)

    def upkeep(self, action, *words):
        return self.setup.alcove_does("seal", action, *self.options(), *words, *self.words)

    def export(self, name):
        """A new directory with the exported container."""
        away = self.setup.folder / name
        away.mkdir()
        expect_done("export", self.upkeep("export", "--to", away))
        return away

    def take(self, away):
        return self.upkeep("import", "--from", away)

    def count(self, last, turns=3):
        """Counts on from `last` and is killed; what it said last."""
        process = subprocess.Popen(
            [self.setup.alcove, "run", *map(str, self.options()), *self.words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        first = process.stdout.readline()
        if not first:
            process.wait()
            raise ValueError(f"it said {process.stderr.read()!r}")
        expect("goes on", int(first) in (last + 1, last + 2), True)
        last = int(first)
        for _ in range(turns):
            last = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0].split()
        return int(rest[-1]) if rest else last


def expect_done(what, result, said=""):
    expect(what, (result.returncode, result.stdout, result.stderr), (0, said, ""))


@contextlib.contextmanager
def broker_with(setup, enclave, *keys):
    """Gives each key to every workload in this enclave, and in that of native code."""
    enclaves = [enclave, measure(setup.alcove, "--native")]
    with setup.broker([rule(mr_enclave=enclaves)], "--accept-emulated") as broker:
        for place, key in (*keys, (NAME, setup.key)):
            expect("put", broker.run("put", place, str(key))[0], 0)
        yield broker


def versions(setup, broker, old="fill", new="check", more=()):
    """Two of them: another module is another workload, and so is another argument."""
    return (Version(setup, "old", setup.program, old, broker=broker, more=more),
            Version(setup, "new", setup.new_version(), new, broker=broker, more=more))


def case_move(setup, enclave):
    with broker_with(setup, enclave) as broker:
        old, new = versions(setup, broker)
        expect_done("the old version", old.run(), "filled\n")
        before = old.container.read_bytes()
        away = old.export("away")
        expect("the old container", old.container.read_bytes() == before, True)
        expect("names", [path.name for path in away.iterdir()], ["alcove.seal"])
        expect_done("import", new.take(away))
        expect_done("the new version", new.run(), "good\n")
        expect_done("verify", new.upkeep("verify"), "/data: everything is genuine\n")
        move_to_another_image(setup, broker, away)
        expect_refusal("into a place that is taken", new.take(away), "sealed mount there already")
        expect_refusal("export over another", old.upkeep("export", "--to", away),
                       "sealed mount there already")
    # Its owner has the transfer key: a backup, which he can look into.
    outside = ("seal", "--seal-key", setup.key, "--mount")
    expect_done("outside", setup.alcove_does(*outside, "/data", "verify", away),
                f"{away}: everything is genuine\n")
    expect_refusal("of another mount", setup.alcove_does(*outside, "/other", "verify", away),
                   "opens with this key")


def move_to_another_image(setup, broker, away):
    """The one that runs native code has another measurement."""
    image = setup.folder / "files.alc"
    compiled = setup.alcove_does("compile", setup.program, "--output", image)
    if compiled.returncode != 0:
        print(f"SKIPPED another image: {compiled.stderr.strip()}")
        return
    native = Version(setup, "native", image, "check", broker=broker)
    expect_done("import", native.take(away))
    expect_done("another image", native.run(), "good\n")


def case_rekey(setup, enclave):
    """Another KEYID, the same files, where the key is."""
    del enclave
    new = Version(setup, "new", setup.program, "fill")
    new.key = None
    expect_done("fill", new.run(), "filled\n")
    before = new.container.read_bytes()
    expect_done("rekey", new.upkeep("rekey"))
    after = new.container.read_bytes()
    expect("another KEYID", before[16:48] != after[16:48], True)
    expect_done("verify", new.upkeep("verify"), "/data: everything is genuine\n")
    place = 5 * BLOCK + 9
    new.container.write_bytes(after[:place] + bytes([after[place] ^ 1]) + after[place + 1:])
    result = new.upkeep("verify")
    expect("a changed byte", (result.returncode, result.stdout), (FAILED, ""))
    expect_in("the line", "container block 5): not what was written here", result.stderr)
    new.words = [str(setup.new_version()), "fill"]
    expect_refusal("another workload", new.upkeep("verify"), "opens with this key")


def case_who_gets_the_key(setup, enclave):
    """The broker's owner says which version; and a host that names a key of its own has none."""
    mine = setup.folder / "mine"
    mine.write_bytes(os.urandom(32))
    with broker_with(setup, enclave, (OTHER_NAME, mine)) as broker:
        old, new = versions(setup, broker)
        expect_done("the old version", old.run(), "filled\n")
        away = old.export("away")
        old.key, old.place = mine, OTHER_NAME
        expect_refusal("the host's transfer key",
                       old.upkeep("export", "--to", setup.folder), "opens with this key")
        old.place = NAME
        expect_refusal("the host's key in the place of the owner's",
                       old.upkeep("export", "--to", setup.folder), "opens with this key")
        expect("put", broker.run("put", NAME, str(mine))[0], 0)
        expect_refusal("a broker that gives another key", new.take(away), "not authentic")
    with setup.broker([rule(mr_enclave=enclave, workload_id=["00" * 32])],
                      "--accept-emulated") as broker:
        new.url = broker.url
        expect_refusal("a version that the policy does not name", new.take(away),
                       "rule 1 of the policy is not met: workload_id")
    expect("nothing was written", list(new.disk.iterdir()), [])


def case_changed(setup, enclave):
    """Cut, changed and exchanged containers, and one that is not complete."""
    with broker_with(setup, enclave) as broker:
        old, new = versions(setup, broker)
        other = Version(setup, "other", setup.program, "fill", guest="/other", broker=broker)
        expect_done("the old version", old.run(), "filled\n")
        expect_refusal_of_guest(other)
        away, swapped = old.export("away"), other.export("swapped")
        expect_refusal("the export of another mount", new.take(swapped), "opens with this key")
        expect_refusal("a container that is no export", new.take(old.disk), "opens with this key")
        good = (away / "alcove.seal").read_bytes()
        blocks = len(good) // BLOCK
        used = 0
        for seed in range(6):
            generator = random.Random(seed)
            block = generator.randrange(3, blocks)
            changed = bytearray(good)
            changed[block * BLOCK + generator.randrange(BLOCK)] ^= 1 << generator.randrange(8)
            (away / "alcove.seal").write_bytes(changed)
            result = new.take(away)
            if result.returncode != 0: # else the block was free
                used += 1
                expect("the exit code", result.returncode, FAILED)
                expect_in("the line", f"container block {block})", result.stderr)
                expect("no container", new.container.exists(), False)
            else:
                new.container.unlink()
        expect("changes that were noticed", used >= 3, True)
        for size, why in ((0, "header"), (BLOCK, "opens with this key"),
                          (len(good) // 2 // BLOCK * BLOCK, "container block")):
            (away / "alcove.seal").write_bytes(good[:size])
            result = new.take(away)
            expect(f"cut to {size}", result.returncode != 0, True)
            expect_in(f"cut to {size}", why, result.stderr)
            expect("no container", new.container.exists(), False)
        (away / "alcove.seal").write_bytes(good)
        expect_done("as it was", new.take(away))
        expect_done("the new version", new.run(), "good\n")


def expect_refusal_of_guest(version):
    """The program looks for /data and finds none; its sealed directory is there all the same."""
    version.run()
    expect("a container", version.container.exists(), True)


def case_witness(setup, enclave):
    """One line of states through both versions and back; each older export is refused."""
    old_state = "older than its witness says"
    with witness(setup) as more, broker_with(setup, enclave) as broker:
        old, new = versions(setup, broker, "count", "count", more)
        third = Version(setup, "third", setup.program, "count", "3", broker=broker, more=more)
        last = old.count(0)
        too_early = old.export("too_early")
        last = old.count(last)
        expect_refusal("the old version went on", new.take(too_early), old_state)
        kept = old.container.read_bytes()
        away = old.export("away")
        expect_done("import", new.take(away))
        last = new.count(last)
        shutil.copy(new.container, setup.folder / "kept")
        last = new.count(last)
        expect_refusal("the old version, which is over", old.run(), old_state)
        newest = new.container.read_bytes()
        new.container.write_bytes((setup.folder / "kept").read_bytes())
        expect_refusal("an old state of the new version", new.run(), old_state)
        new.container.unlink()
        expect_refusal("the same export again", new.take(away), old_state)
        expect_refusal("and by a third version", third.take(away), old_state)
        expect_refusal("no container", new.run(), "refuses an empty one")
        new.container.write_bytes(newest)
        old.container.unlink()
        back = new.export("back")
        expect_done("back", old.take(back))
        last = old.count(last)
        expect_refusal("the new version, which is over now", new.run(), old_state)
        newest = old.container.read_bytes()
        old.container.write_bytes(kept)
        expect_refusal("what the old version had before", old.run(), old_state)
        old.container.write_bytes(newest)
        last = old.count(last)
        expect_done("rekey", old.upkeep("rekey"))
        expect_done("verify", old.upkeep("verify"), "/data: everything is genuine\n")
        last = old.count(last)
        old.container.write_bytes(newest)
        expect_refusal("before rekey", old.upkeep("verify"), old_state)


def case_levels(setup, enclave):
    """A line goes neither to a mount without a witness, nor to one with files of its own."""
    with witness(setup) as more, broker_with(setup, enclave) as broker:
        old, new = versions(setup, broker, "count", "count", more)
        last = old.count(0)
        away = old.export("away")
        new.more = []
        expect_refusal("without a witness", new.take(away), "has a witness, and this one has none")
        new.more = list(more)
        new.count(0)
        new.container.unlink()
        expect_refusal("files of its own", new.take(away), "with other files than the exported")
        expect("no container", new.container.exists(), False)
        old.count(last)
        # Without a witness there is no line: an export is what it is, and a witness begins with it.
        plain = Version(setup, "plain", setup.program, "count", broker=broker)
        last = plain.count(0)
        away = plain.export("away_plain")
        third = Version(setup, "third", setup.program, "count", "3", broker=broker, more=more)
        expect_done("import", third.take(away))
        third.count(last)
        third.container.unlink()
        expect_refusal("again", third.take(away), "older than its witness says")


def case_usage(setup, enclave):
    del enclave
    old = Version(setup, "old", setup.program, "fill")
    second = ("--sealed", f"{setup.disk}::/second")
    for words in (("export", "--to", setup.folder), ("import", "--from", setup.folder),
                  ("export", "--key-broker", "http://127.0.0.1:1"), ("verify", "--to", "x"),
                  ("verify", "--mount", "/nothing"), ("rekey", *second)):
        expect(str(words), old.upkeep(*words).returncode, 2)
    old.key = None
    expect("no transfer key", old.upkeep("export", "--key-broker", "http://127.0.0.1:1", "--to",
                                         setup.folder).returncode, 2)
    expect("outside", setup.alcove_does("run", "--tee", "none", "--seal-key", setup.key,
                                        "--transfer-key", name_of(NAME, setup.key), "--sealed",
                                        f"{setup.disk}::/data", setup.program).returncode, 2)


def main():
    alcove, program = sys.argv[1:3]
    enclave = measure(alcove)
    with contextlib.ExitStack() as folders:
        return run_cases([
            (case, (Setup(alcove, program, folders.enter_context(tempfile.TemporaryDirectory())),
                    enclave))
            for case in (case_move, case_rekey, case_who_gets_the_key, case_changed, case_witness,
                         case_levels, case_usage)])


if __name__ == "__main__":
    sys.exit(main())
