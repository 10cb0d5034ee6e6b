#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A confidential machine, as far as a preloaded configfs-tsm (fake_tsm.c) makes one, and a key
broker in Python that believes it: the evidence has the protocol's form and is bound, and the secret
arrives, alone and as the key of a sealed directory. No hardware is behind it, and nobody signed.
Usage: broker_of_guests.py ALCOVE FAKE_TSM FILES.wasm. Ends with status 77 where the Python package
`cryptography` is missing."""
import base64
import hashlib
import http.server
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli_kbs"))
from broker import expect, run_cases  # noqa: E402
try:
    from protocol import bind, seal_message
except ImportError:
    print("SKIPPED: the Python package cryptography is not installed")
    sys.exit(77)

REPORT_SIZE, DATA_AT = 1184, 0x50
VCEK = uuid.UUID("63da758d-e664-4564-adc5-f4b93be8accd")
OTHER = uuid.UUID("ecae0c0f-9502-43b1-afa2-0ae2e0d565b6")
NAME = "repo/key/1"


class Answers(http.server.BaseHTTPRequestHandler):
    """Keeps what it was shown."""

    def log_message(self, *_):
        pass

    def answer(self, status, value, *headers):
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/kbs/v0/auth":
            server.tee = body["tee"]
            server.nonce = base64.b64encode(os.urandom(32)).decode()
            self.answer(200, {"nonce": server.nonce, "extra-params": ""},
                        ("Set-Cookie", "kbs-session-id=s1"))
            return
        evidence, data = body["tee-evidence"], body["runtime-data"]
        server.evidence = evidence["primary_evidence"]
        server.bound = bind(server.nonce, data["tee-pubkey"], evidence["additional_evidence"])
        server.key = data["tee-pubkey"]
        self.answer(200, {"token": "a.b.c"})

    def do_GET(self):
        if self.path != "/kbs/v0/resource/" + NAME:
            self.answer(404, {})
            return
        self.answer(200, seal_message(self.server.key, self.server.secret))


class Machine:
    def __init__(self, alcove, preload, program, folder):
        self.alcove, self.preload, self.program = alcove, preload, program
        self.folder = pathlib.Path(folder)
        self.requests = self.folder / "requests"
        self.requests.mkdir()
        # The head of a report of version 2; nobody signed it.
        (self.folder / "report").write_bytes(
            (bytes([2]) + bytes(9) + b"\x03" + bytes(41) + b"\x01").ljust(REPORT_SIZE, b"\0"))

    def run(self, provider, *words, table=b""):
        (self.folder / "table").write_bytes(table)
        environment = {**os.environ, "LD_PRELOAD": self.preload, "TSM_PROVIDER": provider,
                       "TSM_FOLDER": str(self.requests), "TSM_REPORT": str(self.folder / "report")}
        if table:
            environment["TSM_AUXILIARY"] = str(self.folder / "table")
        done = subprocess.run([self.alcove, *map(str, words)], check=False, capture_output=True,
                              timeout=60, cwd=self.folder, env=environment)
        expect("requests that were left behind", list(self.requests.iterdir()), [])
        return done.returncode, done.stdout, done.stderr.decode()


def with_machine(program_files, function):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.secret = os.urandom(32)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with tempfile.TemporaryDirectory(prefix="alcove-guest-") as folder:
            function(Machine(*program_files, folder), server,
                     f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def make_table(*entries):
    head, body = b"", b""
    start = 24 * (len(entries) + 1)
    for name, content in entries:
        head += name.bytes + struct.pack("<II", start + len(body), len(content))
        body += content
    return head + bytes(24) + body


def case_snp(*program_files):
    def run(machine, server, url):
        get = ("kbs", "get", "--url", url, "--tee", "snp", NAME)
        expect("get", machine.run("sev_guest\n", *get), (0, server.secret, ""))
        report = server.evidence["attestation_report"]
        expect("tee", server.tee, "snp")
        expect("bound", bytes(report["report_data"]), server.bound + bytes(16))
        expect("version", report["version"], 2)
        expect("chain", server.evidence["cert_chain"], None)
        # With what its platform gives: kinds that no verifier knows stay at home.
        table = make_table((OTHER, b"x" * 9), (VCEK, b"certificate"))
        expect("get", machine.run("sev_guest\n", *get, table=table)[:2], (0, server.secret))
        expect("chain", server.evidence["cert_chain"],
               [{"cert_type": "VCEK", "data": list(b"certificate")}])
        expect("another machine", machine.run("tdx_guest\n", *get)[0], 1)
    with_machine(program_files, run)


def case_tdx(*program_files):
    def run(machine, server, url):
        expect("get", machine.run("tdx_guest\n", "kbs", "get", "--url", url, "--tee", "tdx", NAME),
               (0, server.secret, ""))
        quote = base64.b64decode(server.evidence["quote"])
        expect("members", list(server.evidence), ["quote"])
        expect("bound", quote[DATA_AT:DATA_AT + 64], server.bound + bytes(16))
    with_machine(program_files, run)


def case_sealed(*program_files):
    """The directory is the one that the key opens without a broker."""
    def run(machine, server, url):
        for tee, provider in (("snp", "sev_guest\n"), ("tdx", "tdx_guest\n")):
            disk, key = machine.folder / tee, machine.folder / "key"
            disk.mkdir()
            key.write_bytes(server.secret)
            digest = hashlib.sha256(server.secret).hexdigest()
            sealed = ("--sealed", f"{disk}::/data", "--seal-key")
            code, out, words = machine.run(
                provider, "run", "--tee", tee, *sealed, f"kbs:///{NAME}#sha256={digest}",
                "--key-broker", url, machine.program, "fill")
            expect(tee, (code, out, words), (0, b"filled\n", ""))
            expect("outside", machine.run("", "run", "--tee", "none", *sealed, key,
                                          machine.program, "check")[0], 0)
            code, _, words = machine.run(
                provider, "run", "--tee", tee, *sealed, f"kbs:///{NAME}#sha256={'0' * 64}",
                "--key-broker", url, machine.program, "check")
            expect("another key", code, 3)
    with_machine(program_files, run)


def main():
    program_files = [os.path.abspath(path) for path in sys.argv[1:]]
    return run_cases([(case, program_files) for case in (case_snp, case_tdx, case_sealed)])


sys.exit(main())
