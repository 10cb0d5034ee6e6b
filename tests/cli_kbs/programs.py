#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`alcove kbs` against itself: the broker, its client and its administrator as programs on
loopback. Who may have a secret gets it; everybody else gets a reason. Usage: programs.py ALCOVE
"""
import http.client
import json
import os
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
import time

from broker import Broker, expect, expect_in, run_cases

SECRET = bytes(range(256)) * 3
SAMPLES = [{"resource": "repo/sample/*", "tee": ["sample"], "anybody": True, "emulated": True},
           {"resource": "repo/key/*", "tee": ["sgx"], "claims": {"isv_svn": {"min": 1}}}]
NAME = "kbs:///repo/sample/1"
BODY_MAX = 1 << 20


def make_key(folder, *algorithm):
    """Paths of a private and a public key."""
    private, public = os.path.join(folder, "admin.pem"), os.path.join(folder, "admin.pub")
    subprocess.run(["openssl", "genpkey", *algorithm, "-out", private], check=True,
                   capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    return private, public


def write(folder, name, content, mode=0o644):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)
    return path


def ask(broker, method, path, body=b"", headers=()):
    """Status, headers and body of one plain request."""
    connection = http.client.HTTPConnection("127.0.0.1", broker.port, timeout=30)
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, response.headers, content


def case_secret(alcove):
    with tempfile.TemporaryDirectory() as folder:
        private, public = make_key(folder, "-algorithm", "ed25519")
        secret = write(folder, "secret", SECRET)
        with Broker(alcove, folder, "--admin-key", public, "--accept-emulated",
                    rules=SAMPLES) as broker:
            expect("put", broker.run("put", "--admin-key", private, NAME, secret)[0], 0)
            expect("get", broker.run("get", "--tee", "sample", NAME)[:2], (0, SECRET))
            out = os.path.join(folder, "out")
            expect("get to a file", broker.run("get", "--tee", "sample", "-o", out, NAME)[0], 0)
            with open(out, "rb") as file:
                expect("file", file.read(), SECRET)
            expect("mode of the file", stat.S_IMODE(os.stat(out).st_mode), 0o600)
            expect("mode of the store", stat.S_IMODE(os.stat(broker.store).st_mode), 0o600)
            expect("delete", broker.run("delete", "--admin-key", private, NAME)[0], 0)
            code, _, words = broker.run("get", "--tee", "sample", NAME)
            expect("get what was deleted", code, 3)
            expect_in("its reason", "HTTP 404: there is no such resource", words)
            rows = [line.split("\t")[1:] for line in broker.audit().splitlines()]
        expect_in("row", ["allowed", "put", "127.0.0.1", "repo/sample/1", "-", "-"], rows)
        expect_in("row", ["allowed", "get", "127.0.0.1", "repo/sample/1", "sample (emulated)",
                          "rule 1"], rows)
        expect_in("row", ["refused", "get", "127.0.0.1", "repo/sample/1", "sample (emulated)",
                          "there is no such resource"], rows)
        # What was stored and allowed outlasts the process.
        with Broker(alcove, folder, "--admin-key", public, "--accept-emulated") as broker:
            expect("put", broker.run("put", "--admin-key", private, NAME, secret)[0], 0)
            expect("get", broker.run("get", "--tee", "sample", NAME)[:2], (0, SECRET))


def case_administrator(alcove):
    for algorithm in (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
                      ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
            private, public = make_key(folder, *algorithm)
            stranger, _ = make_key(other, *algorithm)
            secret = write(folder, "secret", SECRET)
            policy = write(folder, "none.json", b'{"rules":[]}')
            wrong = write(folder, "wrong.json", b'{"rules":[{"resource":"a/b/c"}]}')
            with Broker(alcove, folder, "--admin-key", public, "--accept-emulated",
                        rules=SAMPLES) as broker:
                expect("put", broker.run("put", "--admin-key", private, NAME, secret)[0], 0)
                for words in ([], ["--admin-key", stranger]):
                    code, _, why = broker.run("put", *words, NAME, secret)
                    expect("a stranger's put", code, 3)
                    expect_in("why", "HTTP 401", why)
                code, _, why = broker.run("policy", "--admin-key", private, wrong)
                expect("no policy", code, 3)
                expect_in("why", "a rule's tee is not a list", why)
                expect("policy", broker.run("policy", "--admin-key", private, policy)[0], 0)
                code, _, why = broker.run("get", "--tee", "sample", NAME)
                expect("get without a rule", code, 3)
                expect_in("why", "Access denied by policy: no rule", why)
    with tempfile.TemporaryDirectory() as folder:
        secret = write(folder, "secret", SECRET)
        with Broker(alcove, folder, "--admin-loopback", "--accept-emulated",
                    rules=SAMPLES) as broker:
            expect("put without a key", broker.run("put", NAME, secret)[0], 0)


def case_running_broker(alcove):
    """What an administrator sees and changes while it serves."""
    with tempfile.TemporaryDirectory() as folder:
        secret = write(folder, "secret", SECRET)
        appraisal = write(folder, "appraisal.json", b'{"kinds": ["tdx"]}')
        wrong = write(folder, "wrong.json", b'{"kinds": ["tpm"]}')
        with Broker(alcove, folder, "--admin-loopback", "--accept-emulated",
                    rules=SAMPLES) as broker:
            expect("nothing", broker.run("list"), (0, b"", ""))
            for name in ("kbs:///repo/sample/2", NAME):
                expect("put", broker.run("put", name, secret)[0], 0)
            expect("list", broker.run("list"),
                   (0, b"repo/sample/1\t768\nrepo/sample/2\t768\n", ""))
            expect("policy", json.loads(broker.run("policy")[1]), {"rules": SAMPLES})
            expect("appraisal", broker.run("policy", "--appraisal"), (0, b"{}\n", ""))
            code, _, why = broker.run("policy", "--appraisal", wrong)
            expect("no appraisal policy", code, 3)
            expect_in("why", "at byte 11: not an appraisal policy", why)
            expect("appraisal", broker.run("policy", "--appraisal", appraisal), (0, b"", ""))
            expect("appraisal", broker.run("policy", "--appraisal"),
                   (0, b'{"kinds":["tdx"]}\n', ""))
        code, _, why = Broker(alcove, folder).run_alone("--appraisal-policy", wrong)
        expect("a broker with no policy", code, 2)
        expect_in("why", "wrong.json: not an appraisal policy at 0xb", why)


def case_reload(alcove):
    """Files are read again when the process is told so, and a bad one changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        secret = write(folder, "secret", SECRET)
        appraisal = write(folder, "appraisal.json", b"{}")
        amd = write(folder, "amd.json", b'{"chain":"-"}')  # a form; what it says nobody asks yet
        with Broker(alcove, folder, "--admin-loopback", "--accept-emulated", "--appraisal-policy",
                    appraisal, "--collateral", amd, rules=SAMPLES) as broker:
            expect("put", broker.run("put", NAME, secret)[0], 0)
            for content, words, printed in (
                    (b'{"kinds": ["snp"]}', "read again", b'{"kinds":["snp"]}\n'),
                    (b'{"kinds": ', "appraisal.json: ", b'{"kinds":["snp"]}\n'),
                    (b'{"kinds": ["sgx"]}', "read again", b'{"kinds":["sgx"]}\n')):
                write(folder, "appraisal.json", content)
                expect_in("what it says", words, broker.reload())
                expect("in force", broker.run("policy", "--appraisal")[1], printed)
            write(folder, "amd.json", b'{"chain":1}')
            expect_in("no collateral", "amd.json: malformed JSON", broker.reload())
            os.remove(amd)
            expect_in("no file", "amd.json: No such file", broker.reload())
            write(folder, "amd.json", b'{"chain":"-"}')
            write(folder, "policy.json", b'{"rules":[]}')
            expect_in("all", "read again", broker.reload())
            expect("get without a rule", broker.run("get", "--tee", "sample", NAME)[0], 3)


def case_samples_need_consent(alcove):
    with tempfile.TemporaryDirectory() as folder:
        with Broker(alcove, folder, rules=SAMPLES) as broker:
            code, _, why = broker.run("get", "--tee", "sample", NAME)
            expect("get", code, 3)
            expect_in("why", "samples prove nothing", why)


def case_attester(alcove):
    with tempfile.TemporaryDirectory() as folder:
        good = write(folder, "good", b"#!/bin/sh\ntest ${#1} = 128 && echo evidence\n", 0o755)
        bad = write(folder, "bad", b"#!/bin/sh\necho evidence; exit 1\n", 0o755)
        endless = write(folder, "endless", b"#!/bin/sh\nexec cat /dev/zero\n", 0o755)
        with Broker(alcove, folder, rules=SAMPLES) as broker:
            code, _, why = broker.run("get", "--tee", "sgx", "--attester", good, "repo/key/1")
            expect("what is no quote", code, 3)
            expect_in("why", "check FORM failed", why)
            for program in (bad, endless, os.path.join(folder, "none")):
                code, _, why = broker.run("get", "--tee", "sgx", "--attester", program,
                                          "repo/key/1")
                expect("no evidence", code, 1)
                expect_in("why", "no evidence", why)


def case_requests(alcove):
    """What no client of ours would send."""
    with tempfile.TemporaryDirectory() as folder:
        with Broker(alcove, folder, "--accept-emulated", rules=SAMPLES) as broker:
            auth = "/kbs/v0/auth"
            good = b'{"version":"0.4.0","tee":"sample","extra-params":{}}'
            status, headers, body = ask(broker, "POST", auth, good)
            expect("auth", status, 200)
            expect("nonce", len(json.loads(body)["nonce"]), 44)
            expect_in("cookie", "kbs-session-id=", headers["Set-Cookie"])
            expect("one byte too many",
                   ask(broker, "POST", auth, good.ljust(BODY_MAX + 1))[0], 413)
            expect("at the limit", ask(broker, "POST", auth, good.ljust(BODY_MAX))[0], 200)
            status, _, body = ask(broker, "POST", auth, good.replace(b"0.4.0", b"0.4.1"))
            expect("other version", status, 401)
            expect_in("why", b"Version Mismatch: expect =0.4.0", body)
            for words in (b"", b"{}", b"[]", good[:-1], good[:-1] + b',"tee":"sample"}',
                          b'{"version":1,"tee":"sample"}', b"\xff" * 40):
                status, _, body = ask(broker, "POST", auth, words)
                expect(f"auth with {words!r}", status, 400)
                expect("its members", sorted(json.loads(body)), ["detail", "type"])
            for method, path in (("GET", auth), ("PUT", "/kbs/v0/resource/a/b/c"),
                                 ("GET", "/"), ("GET", "/kbs/v0/resource/a/b"),
                                 ("GET", "/kbs/v0/resource/a/b/%2e%2e"),
                                 ("GET", "/kbs/v0/resource/a/b/c%00d/e")):
                expect_in(f"{method} {path}", ask(broker, method, path)[0], (401, 404, 405))
            status, _, body = ask(broker, "GET", "/kbs/v0/resource/repo/sample/1")
            expect("without a session", status, 401)
            expect_in("why", b"attest first", body)


def case_expiry(alcove):
    with tempfile.TemporaryDirectory() as folder:
        with Broker(alcove, folder, "--accept-emulated", "--session", "1s",
                    rules=SAMPLES) as broker:
            _, headers, _ = ask(broker, "POST", "/kbs/v0/auth",
                                b'{"version":"0.4.0","tee":"sample"}')
            cookie = headers["Set-Cookie"].partition(";")[0]
            time.sleep(2.1)
            body = {"runtime-data": {"nonce": "AA==", "tee-pubkey": {"kty": "EC"}},
                    "tee-evidence": {"primary_evidence": {}, "additional_evidence": "{}"}}
            status, _, answer = ask(broker, "POST", "/kbs/v0/attest", json.dumps(body).encode(),
                                    {"Cookie": cookie})
            expect("attest too late", status, 401)
            expect_in("why", b"no such session, or it expired", answer)


def make_certificate(folder):
    """Paths of a key and a certificate for this machine."""
    key, certificate = os.path.join(folder, "tls.pem"), os.path.join(folder, "tls.crt")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=broker", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", key, "-out",
                    certificate], check=True, capture_output=True)
    return key, certificate


def case_tls(alcove):
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = make_certificate(folder)
        secret = write(folder, "secret", SECRET)
        with Broker(alcove, folder, "--admin-loopback", "--accept-emulated", "--certificate",
                    certificate, "--key", key, rules=SAMPLES) as broker:
            expect("scheme", broker.url.partition(":")[0], "https")
            expect("put", broker.run("put", "--ca", certificate, NAME, secret)[0], 0)
            expect("get", broker.run("get", "--ca", certificate, "--tee", "sample", NAME)[:2],
                   (0, SECRET))
            code, _, why = broker.run("get", "--tee", "sample", NAME)
            expect("a server that nobody vouches for", code, 1)
            expect_in("why", "certificate", why)
            # Another certificate, while it serves; one that is none changes nothing.
            get = ("get", "--tee", "sample", "--ca")
            old = shutil.copy(certificate, os.path.join(folder, "old.crt"))
            make_certificate(folder)
            expect_in("new certificate", "read again", broker.reload())
            expect("get", broker.run(*get, certificate, NAME)[:2], (0, SECRET))
            expect("get by the old one", broker.run(*get, old, NAME)[0], 1)
            good = shutil.copy(certificate, os.path.join(folder, "good.crt"))
            write(folder, "tls.crt", b"no certificate")
            expect_in("no certificate", "tls.crt: ", broker.reload())
            expect("get", broker.run(*get, good, NAME)[:2], (0, SECRET))


def case_version_of_http(alcove):
    """The same as without TLS: a server that finds its paths in requests finds others in HTTP/2."""
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = make_certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["h2", "http/1.1"])
        chosen = []

        def serve(listener):
            peer = listener.accept()[0]
            peer.settimeout(30)
            with context.wrap_socket(peer, server_side=True) as channel:
                chosen.append(channel.selected_alpn_protocol())

        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(30)
            thread = threading.Thread(target=serve, args=(listener,), daemon=True)
            thread.start()
            subprocess.run([alcove, "kbs", "get", "--url",
                            f"https://127.0.0.1:{listener.getsockname()[1]}", "--ca", certificate,
                            "--tee", "sample", NAME], check=False, capture_output=True, timeout=60)
            thread.join(30)
        expect("protocol", chosen, ["http/1.1"])


def case_usage(alcove):
    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "store.db")
        junk = write(folder, "junk", b"junk")
        url = ["--url", "http://127.0.0.1:1"]
        for words, wanted in (
                (["serve"], 2),
                (["serve", "--store", store, "--listen", "0.0.0.0:0"], 2),
                (["serve", "--store", store, "--listen", "127.0.0.1"], 2),
                (["serve", "--store", store, "--certificate", junk], 2),
                (["serve", "--store", store, "--session", "2s", "x"], 2),
                (["serve", "--store", store, "--policy", junk], 2),
                (["serve", "--store", store, "--admin-key", junk], 3),
                (["serve", "--store", store, "--collateral", junk], 2),
                (["serve", "--store", junk], 1),
                (["audit", junk], 1),
                (["audit"], 2),
                (["get", *url, NAME], 2),
                (["get", *url, "--tee", "tpm", NAME], 2),
                (["get", *url, "--tee", "sgx", NAME], 2),
                (["get", *url, "--tee", "sample", "kbs://host/a/b/c"], 2),
                (["get", *url, "--tee", "sample", NAME], 1),
                (["get", "--url", "file:///", "--tee", "sample", NAME], 1),
                (["put", *url, "--admin-key", junk, NAME, junk], 2),
                (["put", *url, NAME], 2)):
            done = subprocess.run([alcove, "kbs", *words], check=False, capture_output=True,
                                  timeout=60)
            expect(" ".join(words), done.returncode, wanted)
            if not done.stderr.startswith(b"alcove"):
                expect(" ".join(words), done.stderr, b"alcove: ...")


def main():
    alcove = sys.argv[1]
    cases = (case_secret, case_administrator, case_running_broker, case_reload,
             case_samples_need_consent, case_attester, case_requests, case_expiry, case_tls,
             case_version_of_http, case_usage)
    return run_cases([(case, (alcove,)) for case in cases])


sys.exit(main())
