#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`alcove kbs` against another implementation of the protocol, in Python: its client against our
broker, with every kind of key, and our client against its server, also when that misbehaves.
Usage: others.py ALCOVE. Ends with status 77 where the Python package `cryptography` is missing.
"""
import base64
import hashlib
import http.client
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading

from broker import Broker, Failure, expect, expect_in, run_cases

try:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    from protocol import (CURVES, EcKey, RsaKey, bind, canonical, decode, encode, open_message,
                          seal_message)
except ImportError:
    print("SKIPPED: the Python package cryptography is not installed")
    sys.exit(77)

SECRET = b"a secret\0of any bytes\xff" * 50
NAME = "kbs:///repo/sample/1"
RULES = [{"resource": "repo/sample/1", "tee": ["sample"], "anybody": True, "emulated": True}]


# -- a client --

class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookie = self.token = None

    def ask(self, method, path, body=None, headers=()):
        self.connection.request(method, "/kbs/v0/" + path,
                                None if body is None else json.dumps(body), dict(headers))
        response = self.connection.getresponse()
        content = response.read()
        if response.headers["Set-Cookie"]:
            self.cookie = response.headers["Set-Cookie"].partition(";")[0]
        return response.status, json.loads(content)

    def authenticate(self):
        status, challenge = self.ask("POST", "auth", {
            "version": "0.4.0", "tee": "sample",
            "extra-params": {"supported-hash-algorithms": ["sha256", "sha384", "sha512"]}})
        expect("auth", status, 200)
        return challenge["nonce"]

    def attest(self, nonce, jwk, bound, additional="{}"):
        return self.ask("POST", "attest", {
            "init-data": None, "runtime-data": {"nonce": nonce, "tee-pubkey": jwk},
            "tee-evidence": {"primary_evidence": {
                "svn": "1", "report_data": base64.b64encode(bound).decode()},
                             "additional_evidence": additional}}, {"Cookie": self.cookie})


def with_broker(alcove, function):
    with tempfile.TemporaryDirectory() as folder:
        secret = os.path.join(folder, "secret")
        with open(secret, "wb") as file:
            file.write(SECRET)
        with Broker(alcove, folder, "--admin-loopback", "--accept-emulated",
                    rules=RULES) as broker:
            expect("put", broker.run("put", NAME, secret)[0], 0)
            function(broker)


def case_every_key(alcove):
    def run(broker):
        for key in [EcKey(curve) for curve in CURVES] + [RsaKey(2048), RsaKey(4096)]:
            for additional in ("{}", "", '{"nvidia":{"a":"\\\\"}}'):
                client = Client(broker.port)
                nonce = client.authenticate()
                status, answer = client.attest(nonce, key.jwk,
                                               bind(nonce, key.jwk, additional), additional)
                expect("attest", status, 200)
                path = "resource/repo/sample/1"
                for headers in ({"Cookie": client.cookie},
                                {"Authorization": "Bearer " + answer["token"]}):
                    status, message = client.ask("GET", path, None, headers)
                    expect("get", status, 200)
                    expect("secret", open_message(key, message), SECRET)
    with_broker(alcove, run)


def verify_token(token):
    """By the key in its header, as verifiers do that were told to trust it."""
    header, claims, signature = token.split(".")
    jwk, raw = json.loads(decode(header))["jwk"], decode(signature)
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(decode(jwk["x"]), "big"),
                                            int.from_bytes(decode(jwk["y"]), "big"),
                                            CURVES[jwk["crv"]])
    numbers.public_key().verify(
        encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")),
        f"{header}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))


def case_token(alcove):
    """What others read in it."""
    def run(broker):
        client, key = Client(broker.port), EcKey("P-256")
        nonce = client.authenticate()
        _, answer = client.attest(nonce, key.jwk, bind(nonce, key.jwk, "{}"))
        header, claims, _ = answer["token"].split(".")
        verify_token(answer["token"])
        expect("header", json.loads(decode(header))["jwk"]["alg"], "ES256")
        claims = json.loads(decode(claims))
        appraisal = claims["submods"]["cpu0"]
        expect("life", claims["exp"] - claims["iat"], 300)
        expect("status", appraisal["ear.status"], "contraindicated")
        evidence = appraisal["ear.veraison.annotated-evidence"]
        expect("what is bound", evidence["runtime_data_claims"],
               {"additional-evidence": "{}", "nonce": nonce, "tee-pubkey": key.jwk})
        expect("report data", evidence["report_data"],
               bind(nonce, key.jwk, "{}").hex() + 32 * "0")
        expect("sample", evidence["sample"], {"debug": True, "emulated": True})
    with_broker(alcove, run)


def case_wrong_clients(alcove):
    def run(broker):
        key, other = EcKey("P-256"), EcKey("P-256")
        for what, attest, wanted in (
                ("another nonce", lambda client, nonce: client.attest(
                    "AAAA", key.jwk, bind("AAAA", key.jwk, "{}")), "nonce is another one"),
                ("another key", lambda client, nonce: client.attest(
                    nonce, other.jwk, bind(nonce, key.jwk, "{}")), "REPORT_DATA failed"),
                ("additional evidence that is not bound", lambda client, nonce: client.attest(
                    nonce, key.jwk, bind(nonce, key.jwk, "{}"), '{"sampledevice":{}}'),
                 "REPORT_DATA failed"),
                ("the binding of older versions", lambda client, nonce: client.attest(
                    nonce, key.jwk, hashlib.sha384(canonical(
                        {"nonce": nonce, "tee-pubkey": key.jwk})).digest()),
                 "REPORT_DATA failed"),
                ("no point", lambda client, nonce: client.attest(
                    nonce, {**key.jwk, "y": key.jwk["x"]}, b""), "not a valid key"),
                ("a short modulus", lambda client, nonce: client.attest(
                    nonce, {"kty": "RSA", "alg": "RSA-OAEP-256", "e": "AQAB",
                            "n": encode(b"\xff" * 128)}, b""), "not a valid key"),
                ("another padding", lambda client, nonce: client.attest(
                    nonce, {**RsaKey(2048).jwk, "alg": "RSA1_5"}, b""), "RSA-OAEP-256")):
            client = Client(broker.port)
            status, answer = attest(client, client.authenticate())
            expect(what, status, 401)
            expect_in(what, wanted, answer["detail"])
            # And the nonce is gone.
            nonce = "x"
            status, answer = client.attest(nonce, key.jwk, bind(nonce, key.jwk, "{}"))
            expect_in(what, "used before", answer["detail"])
    with_broker(alcove, run)


# -- a server --

class Answers(http.server.BaseHTTPRequestHandler):
    """A broker for samples; `server.fault` says how it misbehaves."""

    def log_message(self, *_):
        pass

    def answer(self, status, body, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = self.server.fault
        if self.path == "/base/kbs/v0/auth":
            if fault == "redirect":
                return self.answer(302, b"", ("Location", "http://127.0.0.1:1/"))
            if body["version"] != "0.4.0" or body["tee"] != "sample":
                raise Failure(f"not a request: {body}")
            cookies = [("set-cookie", "other=1"),
                       ("SET-COOKIE", "kbs-session-id=s1; Path=/; HttpOnly")]
            if fault == "no cookie":
                cookies = []
            if fault == "large":
                return self.answer(200, b" " * ((1 << 20) + 1), *cookies)
            if fault == "not JSON":
                return self.answer(200, b"<html>", *cookies)
            self.server.nonce = base64.b64encode(os.urandom(32)).decode()
            return self.answer(200, json.dumps({"nonce": self.server.nonce, "extra-params": {
                "selected-hash-algorithm": "sha384"}}).encode(), *cookies)
        data = body["runtime-data"]
        bound = bind(self.server.nonce, data["tee-pubkey"],
                     body["tee-evidence"]["additional_evidence"])
        shown = base64.b64decode(body["tee-evidence"]["primary_evidence"]["report_data"])
        if self.headers["Cookie"] != "kbs-session-id=s1" or shown != bound or \
                data["nonce"] != self.server.nonce:
            return self.answer(401, b'{"type":"t","detail":"not bound"}')
        self.server.key = data["tee-pubkey"]
        return self.answer(200, b'{"token":"a.b.c"}')

    def do_GET(self):
        fault = self.server.fault
        if fault == "denied":
            return self.answer(403, b'{"type":"t","detail":"no \\u001b[31m\\nway"}')
        if self.path != "/base/kbs/v0/resource/repo/sample/1":
            return self.answer(404, b"{}")
        message = seal_message(self.server.key if fault != "other key" else EcKey("P-256").jwk,
                               SECRET)
        if fault == "changed":
            message["ciphertext"] = encode(b"\0" + decode(message["ciphertext"])[1:])
        return self.answer(200, json.dumps(message, indent=1).encode())


def case_server(alcove):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        for fault, code, words in (
                ("", 0, ""),
                ("redirect", 3, "not in its protocol"),
                ("no cookie", 3, "not in its protocol (no session)"),
                ("large", 1, "the answer is too large"),
                ("not JSON", 2, "malformed JSON"),
                ("denied", 3, "HTTP 403: no ?001b[31m?way"),
                ("other key", 3, "not authentic"),
                ("changed", 3, "not authentic")):
            server.fault = fault
            done = subprocess.run(
                [alcove, "kbs", "get", "--url",
                 f"http://127.0.0.1:{server.server_address[1]}/base/", "--tee", "sample", NAME],
                check=False, capture_output=True, timeout=60)
            expect_in(fault or "no fault", words, done.stderr.decode())
            expect(fault or "no fault", done.returncode, code)
            expect(fault or "no fault", done.stdout, SECRET if code == 0 else b"")
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def main():
    alcove = sys.argv[1]
    cases = (case_every_key, case_token, case_wrong_clients, case_server)
    return run_cases([(case, (alcove,)) for case in cases])


sys.exit(main())
