#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs WASI test programs through `alcove run` and compares what they do.

    run_suite.py --alcove PATH [--tee MODE] [--only TEXT] [--jobs N] DIR...

A test is X.wasm with an optional X.json beside it, the layout of the public wasi-testsuite:
    args [..], env {..}, root FOLDER (or null), exit_code 0, stdout TEXT, stderr TEXT, stdin TEXT
`root` is relative to the json; every test gets a fresh copy of it, preopened as `/`. What the json does
not name is not compared, except the exit code. Own additions:
    listen: true      the program gets a listening socket; `peer` says what a client does with it:
                      a list of ["send", TEXT], ["receive", TEXT], ["end"]
    dirs {GUEST: FOLDER}      further directories; read_only_dirs likewise
Ends with one line of counts, and status 1 unless every test passed.
"""
import argparse
import concurrent.futures
import json
import os
import shutil
import socket
import subprocess
import sys
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


def read_expectations(wasm):
    path = wasm[:-len(".wasm")] + ".json"
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as source:
        return json.load(source)


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


def directories(expected, wasm, scratch):
    """Options for fresh copies of what the test wants to see."""
    beside, options = os.path.dirname(wasm), []
    wanted = {**expected.get("dirs", {}), **expected.get("read_only_dirs", {})}
    if expected.get("root") is not None:
        wanted["/"] = expected["root"]
    for index, (guest, folder) in enumerate(sorted(wanted.items())):
        host = os.path.join(scratch, f"dir{index}")
        copy_folder(os.path.join(beside, folder), host)
        option = "--read-only-dir" if guest in expected.get("read_only_dirs", {}) else "--dir"
        options += [option, f"{host}::{guest}"]
    return options


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


def run_test(arguments, wasm):
    expected, problems, peer = read_expectations(wasm), [], None
    with tempfile.TemporaryDirectory() as scratch:
        command = [arguments.alcove, "run", "--tee", arguments.tee]
        command += directories(expected, wasm, scratch)
        for name, value in expected.get("env", {}).items():
            command += ["--env", f"{name}={value}"]
        if expected.get("listen"):
            port = free_port()
            command += ["--listen", f"127.0.0.1:{port}"]
            peer = threading.Thread(target=play_peer,
                                    args=(port, expected.get("peer", []), problems))
            peer.start()
        command += [wasm, *expected.get("args", [])]
        try:
            done = subprocess.run(command, input=expected.get("stdin", "").encode(),
                                  capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
            if peer:
                peer.join()
            compare(expected, done, problems)
        except subprocess.TimeoutExpired:
            problems.append(f"took longer than {TIMEOUT_SECONDS} s")
    return wasm, problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--alcove", required=True)
    parser.add_argument("--tee", default="none")
    parser.add_argument("--only", default="", help="tests with this text in their path")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("folders", nargs="+", metavar="DIR")
    arguments = parser.parse_args()
    tests = find_tests(arguments.folders, arguments.only)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for wasm, problems in pool.map(lambda test: run_test(arguments, test), tests):
            failed += bool(problems)
            if problems:
                print(f"FAIL {wasm}", *[f"     {p}" for p in problems if p], sep="\n")
    print(f"wasi programs ({arguments.tee}): {len(tests) - failed} of {len(tests)} passed")
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
