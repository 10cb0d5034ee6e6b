#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs WASI test programs through `alcove run` and compares what they do.

    run_suite.py --alcove PATH [--tee MODE] [--root KIND] [--only TEXT] [--jobs N]
                 [--expectations DIR] DIR...

A test is X.wasm with an optional X.json beside it (or in the folder of --expectations), the layout
of the public wasi-testsuite:
    args [..], env {..}, root FOLDER (or null), exit_code 0, stdout TEXT, stderr TEXT, stdin TEXT
`root` is relative to the json; every test gets a fresh copy of it, preopened as `/`. What the json
does not name is not compared, except the exit code. Own additions:
    listen: true      the program gets a listening socket; `peer` says what a client does with it:
                      a list of ["send", TEXT], ["receive", TEXT], ["end"]
    read_only_dirs {GUEST: FOLDER}   further directories, copied like root
    host_dirs {GUEST: PATH}          directories of this machine, as they are
    outside {NAME: TEXT}             files beside the copied directories, out of the program's reach
    links {NAME: TARGET}             symbolic links to be made in root's copy, and so hard_links
    entries {FOLDER: N}              files entry-NNN to be made there, with hyphens behind the name
    flip NAME                        while the program runs, this directory of root is exchanged
                                     with a link to its parent's parent, again and again
With --root sealed or memory, the tests whose root is the folder `empty`, with such a directory in
its place; with --root archive, those with read_only_dirs, with archives of them in their place.
Ends with one line of counts, and status 1 unless every test passed.
"""
import argparse
import concurrent.futures
import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading

TIMEOUT_SECONDS = 60
CLEANUP = ".cleanup"


def find_tests(folders, only):
    tests = []
    for folder in folders:
        for place, _, names in os.walk(folder):
            tests += [os.path.join(place, name) for name in names if name.endswith(".wasm")]
    return sorted(test for test in tests if not only or only in test)


def read_expectations(wasm, folder):
    """What the json says, and the folder that its paths are relative to."""
    folder = folder or os.path.dirname(wasm)
    path = os.path.join(folder, os.path.basename(wasm)[:-len(".wasm")] + ".json")
    if not os.path.exists(path):
        return {}, folder
    with open(path, encoding="utf-8") as source:
        return json.load(source), folder


def copy_folder(source, target):
    """Without what an earlier run by another program left behind."""
    shutil.copytree(source, target, symlinks=True,
                    ignore=lambda _, names: [n for n in names if n.endswith(CLEANUP)])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(port):
    """The program may not be listening yet."""
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)
        except ConnectionRefusedError:
            threading.Event().wait(0.05)
    raise TimeoutError("nobody listens")


def play_peer(port, steps, problems):
    try:
        with connect(port) as peer:
            for step in steps:
                if step[0] == "send":
                    peer.sendall(step[1].encode())
                elif step[0] == "receive":
                    play_receive(peer, step[1].encode(), problems)
                elif step[0] == "end" and peer.recv(1) != b"":
                    problems.append("peer: more bytes than expected")
    except OSError as error:
        problems.append(f"peer: {error}")


def play_receive(peer, expected, problems):
    received = b""
    while len(received) < len(expected):
        more = peer.recv(len(expected) - len(received))
        if not more:
            break
        received += more
    if received != expected:
        problems.append(f"peer: got {received!r}, not {expected!r}")


def other_root(options, arguments, scratch):
    """The same options with another kind of directory for the plain root."""
    at = options.index("--dir")
    if arguments.root == "memory":
        guest = options[at + 1].split("::")[1]
        options[at:at + 2] = ["--memory-dir", f"16M::{guest}"]
        return options
    options[at] = "--sealed"
    if arguments.tee != "none":
        return options
    key = os.path.join(scratch, "dir-key")
    with open(key, "wb") as out:
        out.write(os.urandom(32))
    return ["--seal-key", key, *options]


def archived(options):
    """The same options with archives of the read-only directories."""
    for at, option in enumerate(options):
        if option == "--read-only-dir":
            host, guest = options[at + 1].split("::")
            with tarfile.open(host + ".tar", "w") as archive:
                archive.add(host, ".")
            options[at:at + 2] = ["--archive", f"{host}.tar::{guest}"]
    return options


def furnish(expected, root):
    """What cannot, or need not, lie in a folder of the source."""
    for name, target in expected.get("links", {}).items():
        os.symlink(target, os.path.join(root, name))
    for name, target in expected.get("hard_links", {}).items():
        os.link(os.path.join(root, target), os.path.join(root, name))
    for name, count in expected.get("entries", {}).items():
        os.mkdir(os.path.join(root, name))
        for i in range(count):
            with open(os.path.join(root, name, f"entry-{i:03}" + "-" * (i % 20)), "x",
                      encoding="utf-8"):
                pass


def directories(expected, folder, scratch):
    """Options for fresh copies of what the test wants to see; root's copy is `dir0`."""
    options, wanted = [], dict(expected.get("read_only_dirs", {}))
    if expected.get("root") is not None:
        wanted["/"] = expected["root"]
    for index, (guest, source) in enumerate(sorted(wanted.items())):
        host = os.path.join(scratch, f"dir{index}")
        copy_folder(os.path.join(folder, source), host)
        option = "--read-only-dir" if guest in expected.get("read_only_dirs", {}) else "--dir"
        options += [option, f"{host}::{guest}"]
    for guest, host in expected.get("host_dirs", {}).items():
        options += ["--dir", f"{host}::{guest}"]
    for name, text in expected.get("outside", {}).items():
        with open(os.path.join(scratch, name), "w", encoding="utf-8") as out:
            out.write(text)
    furnish(expected, os.path.join(scratch, "dir0"))
    return options


def flip(root, name, stop, problems):
    """Exchanges root/NAME with a link to the folder around root, atomically, until told to stop."""
    exchange = 2  # RENAME_EXCHANGE
    os.symlink("..", os.path.join(root, "flip-link"))
    rename = ctypes.CDLL(None, use_errno=True).renameat2
    paths = [os.path.join(root, part).encode() for part in (name, "flip-link")]
    while not stop.is_set():
        if rename(-100, paths[0], -100, paths[1], exchange) != 0:
            problems.append(f"flip: {os.strerror(ctypes.get_errno())}")
            return


def compare(expected, done, problems):
    wanted_code = expected.get("exit_code", 0)
    if done.returncode != wanted_code:
        problems.append(f"exit code {done.returncode}, not {wanted_code}")
    for name, output in (("stdout", done.stdout), ("stderr", done.stderr)):
        if name in expected and output.decode(errors="replace") != expected[name]:
            problems.append(f"{name}: {output[:400]!r}, not {expected[name]!r}")
    if problems:
        problems.append(done.stdout.decode(errors="replace")[-1500:])
        problems.append(done.stderr.decode(errors="replace")[-1500:])


def check_outside(expected, scratch, problems):
    """Nothing beside the directories may have changed."""
    outside = expected.get("outside", {})
    found = {name for name in os.listdir(scratch) if not name.startswith("dir")}
    if found != set(outside):
        problems.append(f"outside now holds {sorted(found)}")
    for name in found & set(outside):
        with open(os.path.join(scratch, name), encoding="utf-8") as present:
            if present.read() != outside[name]:
                problems.append(f"outside: {name} was changed")


def helpers(expected, scratch, problems, stop):
    """Threads that act on the program from outside, and the options that they need."""
    threads, options = [], []
    if expected.get("listen"):
        port = free_port()
        options = ["--listen", f"127.0.0.1:{port}"]
        steps = expected.get("peer", [])
        threads.append(threading.Thread(target=play_peer, args=(port, steps, problems)))
    if "flip" in expected:
        root = os.path.join(scratch, "dir0")
        threads.append(threading.Thread(target=flip, args=(root, expected["flip"], stop, problems)))
    return threads, options


def run_test(arguments, wasm):
    expected, folder = read_expectations(wasm, arguments.expectations)
    problems, stop = [], threading.Event()
    with tempfile.TemporaryDirectory() as scratch:
        command = [arguments.alcove, "run", "--tee", arguments.tee]
        options = directories(expected, folder, scratch)
        if arguments.root == "archive":
            options = archived(options)
        elif arguments.root != "plain":
            options = other_root(options, arguments, scratch)
        command += options
        for name, value in expected.get("env", {}).items():
            command += ["--env", f"{name}={value}"]
        threads, options = helpers(expected, scratch, problems, stop)
        command += [*options, wasm, *expected.get("args", [])]
        for thread in threads:
            thread.start()
        try:
            done = subprocess.run(command, input=expected.get("stdin", "").encode(),
                                  capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            problems.append(f"took longer than {TIMEOUT_SECONDS} s")
            done = None
        stop.set()
        for thread in threads:
            thread.join()
        check_outside(expected, scratch, problems)
        if done:
            compare(expected, done, problems)
    return wasm, problems


def fits(expected, root):
    return "read_only_dirs" in expected if root == "archive" else expected.get("root") == "empty"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--alcove", required=True)
    parser.add_argument("--tee", default="none")
    parser.add_argument("--root", default="plain", choices=("plain", "sealed", "memory", "archive"))
    parser.add_argument("--only", default="", help="tests with this text in their path")
    parser.add_argument("--expectations", help="folder of the json files and their folders")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("folders", nargs="+", metavar="DIR")
    arguments = parser.parse_args()
    tests = find_tests(arguments.folders, arguments.only)
    if arguments.root != "plain":
        tests = [test for test in tests
                 if fits(read_expectations(test, arguments.expectations)[0], arguments.root)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for wasm, problems in pool.map(lambda test: run_test(arguments, test), tests):
            failed += bool(problems)
            if problems:
                print(f"FAIL {wasm}", *[f"     {p}" for p in problems if p], sep="\n")
    where = f"{arguments.tee}, {arguments.root}"
    print(f"wasi programs ({where}): {len(tests) - failed} of {len(tests)} passed")
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
