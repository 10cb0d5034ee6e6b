#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sealed directories as a user has them: `alcove run --sealed`, outside an enclave with a key
file and in the emulated enclave with the processor's key. What a program leaves is there again;
changed disks give EIO and a line, killed programs lose nothing that was synced, other keys, other
workloads and images that cannot seal are refused.
Usage: sealed.py ALCOVE FILES.wasm PLAIN_IMAGE PLAIN_SIGNATURE

Inside an enclave the workload, with its arguments, is part of the key: there a program that is to
find its files again is started with the same argument each time. The same is done with the program
as native code, if this alcove can compile.
"""
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile

RUN_S = 60
BLOCK = 4096
REFUSED, FAILED = 3, 1


class Failure(Exception):
    pass


def expect(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: got {got!r}, wanted {wanted!r}")


def words(setup, store, *more):
    alcove, _, _, key, tee = setup
    options = ["--tee", tee, "--sealed", f"{store}::/data"]
    if tee == "none":
        options += ["--seal-key", str(key)]
    return [alcove, "run", *options, *more]


def run(setup, store, argument, *more):
    return subprocess.run([*words(setup, store, *more), setup[1], argument], check=False,
                          timeout=RUN_S, capture_output=True, text=True)


def container(store):
    return store / "alcove.seal"


def new_store(folder, name):
    store = folder / name
    store.mkdir()
    return store


def case_files_stay(setup, folder):
    store = new_store(folder, "stay")
    result = run(setup, store, "fill")
    expect("fill", (result.returncode, result.stdout), (0, "filled\n"))
    result = run(setup, store, "check")
    expect("check", (result.returncode, result.stdout, result.stderr), (0, "good\n", ""))
    content = container(store).read_bytes()
    expect("the host's directory", [path.name for path in store.iterdir()], ["alcove.seal"])
    expect("a name on the disk", content.find(b"file with a name"), -1)
    expect("size in blocks", len(content) % BLOCK, 0)


def case_damage(setup, folder):
    store = new_store(folder, "damage")
    expect("fill", run(setup, store, "fill").returncode, 0)
    content = container(store).read_bytes()
    noticed = 0
    for seed in range(12):
        generator = random.Random(seed)
        changed = bytearray(content)
        block = generator.randrange(3, len(content) // BLOCK)
        changed[block * BLOCK + generator.randrange(BLOCK)] ^= 1 << generator.randrange(8)
        container(store).write_bytes(changed)
        result = run(setup, store, "check")
        if "WRONG" in result.stdout:
            raise Failure(f"block {block}: {result.stdout}")
        if "EIO" in result.stdout or result.returncode != 0:
            noticed += 1
            if f"container block {block})" not in result.stderr:
                raise Failure(f"block {block}: the line is {result.stderr!r}")
        container(store).write_bytes(content)
    if noticed < 6:
        raise Failure(f"only {noticed} of 12 changes were noticed")


def case_killed(setup, folder):
    store = new_store(folder, "killed")
    last = 0
    for _ in range(5):
        process = subprocess.Popen([*words(setup, store), setup[1], "count"],
                                   stdout=subprocess.PIPE, text=True)
        for _ in range(20):
            last = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        last = int(rest[-1]) if rest else last
        process.wait()
    result = run(setup, store, "number")
    number = int(result.stdout)
    if number not in (last, last + 1):
        raise Failure(f"{last} was synced, {number} is there")


def case_two_at_once(setup, folder):
    """While one program has a store open another one is told so, and destroys nothing."""
    store = new_store(folder, "two")
    process = subprocess.Popen([*words(setup, store), setup[1], "count"], stdout=subprocess.PIPE,
                               text=True)
    last = int(process.stdout.readline())
    result = run(setup, store, "count")
    expect("the second one", result.returncode, FAILED)
    if "another process has the sealed mount open" not in result.stderr:
        raise Failure(f"the line is {result.stderr!r}")
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split()
    last = int(rest[-1]) if rest else last
    process.wait()
    process = subprocess.Popen([*words(setup, store), setup[1], "count"], stdout=subprocess.PIPE,
                               text=True)
    first = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.communicate()
    if first not in (last + 1, last + 2):
        raise Failure(f"{last} was synced, and it goes on with {first}")


def case_another_key(setup, folder):
    """Outside: another file. Inside: the same program with another argument."""
    store = new_store(folder, "key")
    alcove, wasm, image, _, tee = setup
    expect("fill", run(setup, store, "fill").returncode, 0)
    before = container(store).read_bytes()
    if tee == "none":
        other = folder / "other_key"
        other.write_bytes(bytes(range(32)))
        setup = (alcove, wasm, image, other, tee)
    result = run(setup, store, "number")
    expect("another key", result.returncode, REFUSED)
    if "opens with this key" not in result.stderr:
        raise Failure(f"the line is {result.stderr!r}")
    expect("what the disk has", container(store).read_bytes() == before, True)


def case_exchanged(setup, folder):
    """A container is of its mount, not only of its program: none goes in another's place."""
    one, other = new_store(folder, "one"), new_store(folder, "other")
    for places, wanted in (((one, other), 0), ((other, one), REFUSED), ((one, other), 0)):
        result = run(setup, places[0], "number", "--sealed", f"{places[1]}::/other")
        expect(f"{places}", result.returncode, wanted)
        expect("the line", "opens with this key" in result.stderr, wanted == REFUSED)


def case_plain_image(setup, folder):
    """An image that cannot seal does not write plain what is to be sealed."""
    store = new_store(folder, "plain")
    image, signature = setup[2]
    result = run(setup, store, "fill", "--image", image, "--signature", signature)
    if result.returncode == 0 or list(store.iterdir()):
        raise Failure(f"exit code {result.returncode}, {list(store.iterdir())}")
    if "not supported" not in result.stderr:
        raise Failure(f"the line is {result.stderr!r}")


def case_four_images(setup, folder):
    """Two executors, plain or complete: each can be measured, and signed by somebody else."""
    found = set()
    for kind in ([], ["--native"], ["--complete"], ["--native", "--complete"]):
        signing = ["sign", "--new-key", folder / f"rsa{len(found)}", "--output", folder / "sig"]
        measured, signed = (subprocess.run([setup[0], *command, *kind], check=True, timeout=RUN_S,
                                           capture_output=True, text=True).stdout.splitlines()[0]
                            for command in (["measure"], signing))
        expect(f"what was signed with {kind}", signed, measured)
        found.add(measured)
    expect("measurements", len(found), 4)


def case_policy(setup, folder):
    """Whose key it is: the image's, whoever signed it, or the signer's; never both."""
    signatures = []
    for name in ("one", "another"):
        signatures.append(folder / f"{name}.sig")
        subprocess.run([setup[0], "sign", "--complete", "--new-key", folder / f"{name}.rsa",
                        "--output", signatures[-1]], check=True, timeout=RUN_S,
                       capture_output=True)
    for policy, wanted in (("mrenclave", 0), ("mrsigner", REFUSED)):
        store = new_store(folder, policy)
        options = ("--seal-policy", policy, "--signature")
        expect("fill", run(setup, store, "number", *options, signatures[0]).returncode, 0)
        expect(f"{policy}, the same signer",
               run(setup, store, "number", *options, signatures[0]).returncode, 0)
        result = run(setup, store, "number", *options, signatures[1])
        expect(f"{policy}, another signer", result.returncode, wanted)
        expect(f"{policy}, a refusal", "opens with this key" in result.stderr, wanted == REFUSED)
    store = new_store(folder, "default")
    expect("fill", run(setup, store, "number").returncode, 0)
    result = run(setup, store, "number", "--seal-policy", "mrsigner")
    expect("another policy", result.returncode, REFUSED)


def case_usage(setup, folder):
    alcove, wasm, _, key, _ = setup
    short = folder / "short"
    short.write_bytes(b"too short")
    for options in (["--tee", "none", "--sealed", f"{folder}::/data"],
                    ["--tee", "none", "--sealed", f"{folder}::/data", "--seal-key", str(short)],
                    ["--tee", "none", "--seal-key", str(key)],
                    ["--tee", "emulated", "--sealed", f"{folder}::/data", "--seal-key", str(key)]):
        result = subprocess.run([alcove, "run", *options, wasm, "check"], check=False,
                                timeout=RUN_S, capture_output=True, text=True)
        expect(" ".join(options), result.returncode, 2)


def seal(setup, *more):
    return subprocess.run([setup[0], "seal", "--mount", "/data", *map(str, more)], check=False,
                          timeout=RUN_S, capture_output=True, text=True)


def case_verify(setup, folder):
    """Says that all is genuine, or which block is not; also of data that no program asked for."""
    store = new_store(folder, "verify")
    key = ("--seal-key", setup[3])
    expect("fill", run(setup, store, "fill").returncode, 0)
    result = seal(setup, *key, "verify", store)
    expect("verify", (result.returncode, result.stdout), (0, f"{store}: everything is genuine\n"))
    result = seal(setup, *key, "--mount", "/other", "verify", store)
    expect("by another name", result.returncode, REFUSED)
    result = seal(setup, *key, "info", store)
    expect("info", (result.returncode, result.stdout.split()[:2]), (0, ["key", "id"]))
    content = container(store).read_bytes()
    if content[16:48].hex() not in result.stdout or "files       43\n" not in result.stdout:
        raise Failure(f"info is {result.stdout!r}")
    noticed = 0
    for block in range(3, len(content) // BLOCK, 37):
        changed = bytearray(content)
        changed[block * BLOCK + 1000] ^= 4
        container(store).write_bytes(changed)
        result = seal(setup, *key, "verify", store)
        if result.returncode != 0:
            noticed += 1
            expect("exit code", result.returncode, FAILED)
            if f"container block {block})" not in result.stderr:
                raise Failure(f"block {block}: the line is {result.stderr!r}")
    if noticed < len(content) // BLOCK // 37 * 3 // 4:
        raise Failure(f"only {noticed} blocks were noticed")


def case_rekey(setup, folder):
    """The same files under another key, in the same place; the old key opens nothing."""
    store = new_store(folder, "rekey")
    other = folder / "rekey_key"
    other.write_bytes(random.randbytes(32))
    keys = ("--seal-key", setup[3], "--new-key", other)
    expect("fill", run(setup, store, "fill").returncode, 0)
    (store / "alcove.seal.new").write_bytes(b"left behind by a crash" * 1000)
    expect("rekey", seal(setup, *keys, "rekey", store).returncode, 0)
    expect("the host's directory", [path.name for path in store.iterdir()], ["alcove.seal"])
    expect("the old key", run(setup, store, "check").returncode, REFUSED)
    expect("the old key again", seal(setup, *keys, "rekey", store).returncode, REFUSED)
    result = run((*setup[:3], other, setup[4]), store, "check")
    expect("the new key", (result.returncode, result.stdout), (0, "good\n"))


def case_export(setup, folder):
    """A copy in another directory under another key, and back."""
    store, away, back = (new_store(folder, name) for name in ("export", "away", "back"))
    other = folder / "export_key"
    other.write_bytes(random.randbytes(32))
    expect("fill", run(setup, store, "fill").returncode, 0)
    keys = ("--seal-key", setup[3], "--new-key", other)
    expect("export", seal(setup, *keys, "export", store, away).returncode, 0)
    expect("onto something", seal(setup, *keys, "export", store, away).returncode, FAILED)
    result = run((*setup[:3], other, setup[4]), away, "check")
    expect("the copy", (result.returncode, result.stdout), (0, "good\n"))
    keys = ("--seal-key", other, "--new-key", setup[3])
    expect("back", seal(setup, *keys, "export", away, back).returncode, 0)
    for place in (store, back):
        result = run(setup, place, "check")
        expect("files", (result.returncode, result.stdout), (0, "good\n"))


def case_seal_usage(setup, folder):
    key = ("--seal-key", setup[3])
    nameless = [setup[0], "seal", *map(str, key), "verify", str(folder)]
    expect("no mount", subprocess.run(nameless, check=False, timeout=RUN_S,
                                      capture_output=True).returncode, 2)
    for words_given in ((), ("verify", folder), (*key, "verify"), (*key, "destroy", folder),
                        (*key, "rekey", folder), (*key, "--new-key", setup[3], "export", folder),
                        (*key, "--new-key", setup[3], "verify", folder)):
        expect(f"seal {words_given}", seal(setup, *words_given).returncode, 2)
    expect("no store", seal(setup, *key, "verify", folder).returncode, 2)


def count_on(setup, store, last):
    """Counts some numbers on from `last`, which was synced, and is killed; the last one synced."""
    process = subprocess.Popen([*words(setup, store), setup[1], "count"], stdout=subprocess.PIPE,
                               text=True)
    first = int(process.stdout.readline())
    if first not in (last + 1, last + 2):
        raise Failure(f"{last} was synced, and it goes on with {first}")
    for _ in range(20):
        last = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split()
    process.wait()
    return int(rest[-1]) if rest else last


def same_workload(setup, folder):
    """In the enclave: one manifest, run again and again."""
    store = new_store(folder, "same")
    last = 0
    for _ in range(3):
        last = count_on(setup, store, last)
    content = bytearray(container(store).read_bytes())
    for block in range(1, len(content) // BLOCK):
        content[block * BLOCK + 100] ^= 1
    container(store).write_bytes(content)
    result = run(setup, store, "count")
    expect("a changed disk", result.returncode, REFUSED)


def kept_code_changes_nothing(setup, folder):
    """Code in the cache is not taken by itself: it would make another workload of the program."""
    store = new_store(folder, "kept")
    alcove, wasm, _, _, _ = setup
    last = count_on(setup, store, 0)
    plain = [alcove, "run", "--tee", "none", "--report"]
    for more in (["--compile"], []):
        done = subprocess.run([*plain, *more, wasm, "none"], check=False, timeout=RUN_S,
                              capture_output=True, text=True)
        expect("native code runs", "native code verified" in done.stderr, True)
    count_on(setup, store, last)


# In an enclave, programs that are told different things are different workloads.
CASES = {
    "none": ("none", (case_files_stay, case_damage, case_killed, case_two_at_once,
                      case_another_key, case_exchanged, case_usage, case_verify, case_rekey,
                      case_export, case_seal_usage)),
    "interpreted": ("emulated",
                    (case_another_key, case_exchanged, case_two_at_once, case_plain_image,
                     case_four_images, case_policy, same_workload)),
    "native": ("emulated", (case_another_key, same_workload)),
    "cached": ("emulated", (kept_code_changes_nothing,)),
}
COMPILED = ("native", "cached")


def compiled(alcove, wasm, folder):
    """The program as native code, None where there is no compiler."""
    path = folder / "files.alc"
    done = subprocess.run([alcove, "compile", wasm, "--output", path], check=False, timeout=RUN_S,
                          capture_output=True, text=True)
    if done.returncode != 0:
        print(f"SKIPPED native code: {done.stderr.strip()}")
        return None
    return str(path)


def main():
    alcove, wasm, image, signature = sys.argv[1:]
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_CACHE_HOME"] = f"{name}/cache"
        key = pathlib.Path(name) / "key"
        key.write_bytes(random.randbytes(32))
        native = compiled(alcove, wasm, pathlib.Path(name))
        for kind, (tee, cases) in CASES.items():
            folder = pathlib.Path(name) / kind
            folder.mkdir()
            program = native if kind == "native" else wasm
            setup = (alcove, program, (image, signature), key, tee)
            for case in cases if native is not None or kind not in COMPILED else ():
                try:
                    case(setup, folder)
                    print(f"ok     {kind} {case.__name__}")
                except (Failure, subprocess.TimeoutExpired, ValueError) as failure:
                    failed += 1
                    print(f"FAILED {kind} {case.__name__}: {failure}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
