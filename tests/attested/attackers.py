#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two programs in emulated enclaves talk over attested sockets, and somebody on the way between
them tries all that can be tried without a key of theirs. Each refusal has its name.

    attackers.py ALCOVE ECHO.WASM SAY.WASM

What a stolen key would do, and evidence that is shown for another connection, are in
tests/unit/channel/test_channel.c.
"""
import pathlib
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

from peers import RUN_S, Bench, Failure, echo, expect, run_tests, say

EVIDENCE, QUOTE = "2.23.133.5.4.9", "1.2.840.113741.1337.6"
EVIDENCE_DER = bytes.fromhex("0606678105050409") # its object identifier
CURRENT = ("20200101000000Z", "20491231235959Z")
PAST = ("20200101000000Z", "20210101000000Z")
QUOTE_TAG = bytes.fromhex("d9ea6082") # tag 60000 of an array of two: the quote, the claims
CONFIGURATION = """
[ca]
default_ca = impostor
[impostor]
database = index
new_certs_dir = .
serial = serial
default_md = sha256
unique_subject = no
policy = names
x509_extensions = extensions
[names]
commonName = supplied
[extensions]
basicConstraints = CA:FALSE
"""


def octets(der):
    """What an OCTET STRING or a CBOR byte string with two bytes of size holds."""
    if der[:2] != b"\x04\x82" and der[:1] != b"\x59":
        raise Failure(f"no long string: {der[:4].hex()}")
    start = 2 if der[0] == 4 else 1
    return der[start + 2:start + 2 + int.from_bytes(der[start:start + 2], "big")]


def trusting(purpose):
    context = ssl.SSLContext(purpose)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def evidence_of(address):
    """The evidence in the certificate that somebody shows, as its extension has it."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), RUN_S) as plain:
        with trusting(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(plain) as channel:
            certificate = channel.getpeercert(binary_form=True)
    return octets(certificate[certificate.index(EVIDENCE_DER) + len(EVIDENCE_DER):])


def make_certificate(folder, extensions, dates):
    """Self-signed, of a new key; the files of both."""
    text = "".join(f"{name} = DER:{value.hex()}\n" for name, value in extensions.items())
    (folder / "configuration").write_text(CONFIGURATION + text)
    (folder / "index").write_text("")
    for words in (("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                   "-subj", "/CN=impostor", "-keyout", "key", "-out", "request"),
                  ("ca", "-batch", "-selfsign", "-config", "configuration", "-create_serial",
                   "-startdate", dates[0], "-enddate", dates[1], "-keyfile", "key", "-in",
                   "request", "-notext", "-out", "certificate")):
        done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, timeout=RUN_S,
                              check=False)
        if done.returncode != 0:
            raise Failure(done.stderr.decode()[-500:])
    return folder / "certificate", folder / "key"


class Impostor:
    """Listens with a key of its own, for one connection, and with extensions of its choice. With
    the address of somebody genuine it says what he says, as long as that is clear to it."""

    def __init__(self, bench, extensions, dates=CURRENT, version=ssl.TLSVersion.TLSv1_3,
                 genuine=None):
        context = trusting(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = version
        if genuine is not None:
            context.set_alpn_protocols(["alcove/1"])
        self.genuine = genuine
        context.load_cert_chain(*make_certificate(bench.folder, extensions, dates))
        self.context = context
        self.heard = b""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(RUN_S)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def serve(self):
        try:
            plain, _ = self.listener.accept()
            plain.settimeout(RUN_S)
            with self.context.wrap_socket(plain, server_side=True) as channel:
                if self.genuine is not None:
                    self.relay(channel)
                self.hear(channel)
        except OSError:
            pass

    def hear(self, channel):
        """Whatever else is said: a socket that is closed before takes back what it said last."""
        while data := channel.recv(65536):
            self.heard += data

    def relay(self, channel):
        """By one thread, since TLS connections are for one at a time; until one side ends."""
        host, port = self.genuine.split(":")
        context = trusting(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["alcove/1"])
        with socket.create_connection((host, int(port)), RUN_S) as plain:
            with context.wrap_socket(plain) as genuine:
                try:
                    while self.carry(channel, genuine):
                        pass
                except OSError:
                    pass

    def carry(self, channel, genuine):
        """What either has to say now; False when one of them said all, or nothing for long."""
        sides = (channel, genuine)
        ready = ([side for side in sides if side.pending()] or
                 select.select(sides, [], [], RUN_S)[0])
        if not ready:
            return False
        for source in ready:
            source.setblocking(False)
            try:
                data = source.recv(65536)
            except ssl.SSLWantReadError:
                continue
            finally:
                source.settimeout(RUN_S)
            if source is channel:
                self.heard += data
            if not data:
                return False
            (genuine if source is channel else channel).sendall(data)
        return True

    def __exit__(self, *_):
        self.thread.join(RUN_S)
        self.listener.close()


def record(address, client):
    """What `client`, a function of an address, sends to `address`."""
    sent = []
    host, port = address.split(":")

    def carry(source, target, keep):
        try:
            while data := source.recv(65536):
                keep(data)
                target.sendall(data)
        except OSError:
            pass
        try:
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def relay(listener):
        near, _ = listener.accept()
        with near, socket.create_connection((host, int(port)), RUN_S) as far:
            back = threading.Thread(target=carry, args=(far, near, lambda _: None))
            back.start()
            carry(near, far, sent.append)
            back.join(RUN_S)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=relay, args=(listener,))
        thread.start()
        answer = client("127.0.0.1:%d" % listener.getsockname()[1])
        thread.join(RUN_S)
    return answer, b"".join(sent)


def test_impostors(bench):
    """With the evidence of the program that is wanted, and everything else right."""
    policy = bench.program(bench.echo)

    def refused(what, reason, impostor):
        with impostor:
            answer = say(bench, impostor.address, b"a secret", "--peer-policy", policy)
        expect(what, answer, (1, b"", [reason]))
        expect(f"what {what} heard", b"a secret" in impostor.heard, False)

    with echo(bench, 2) as server:
        evidence = evidence_of(server.address)
        refused("a relay", "EVIDENCE_FOR_OTHER_KEY",
                Impostor(bench, {EVIDENCE: evidence}, genuine=server.address))
        expect("the genuine server", server.finish()[0], ["not served"] * 2)
    expect("the form of evidence", evidence[:len(QUOTE_TAG)], QUOTE_TAG)
    quote = octets(evidence[len(QUOTE_TAG):])
    for what, reason, extensions, how in (
            ("no proof for this connection", "NOT_FRESH", {EVIDENCE: evidence}, {}),
            ("no evidence", "NO_EVIDENCE", {}, {}),
            ("an older dialect", "DIALECT_REFUSED", {QUOTE: quote}, {}),
            ("a stale certificate", "NOT_CURRENT", {EVIDENCE: evidence}, {"dates": PAST}),
            ("an older TLS", "PEER_REFUSED", {EVIDENCE: evidence},
             {"version": ssl.TLSVersion.TLSv1_2})):
        refused(what, reason, Impostor(bench, extensions, **how))


def test_replay(bench):
    """What a client sent once gets nobody a second answer."""
    options = ("--peer-policy", bench.program(bench.echo))
    with echo(bench, 2, "--peer-policy", bench.program(bench.say)) as server:
        answer, sent = record(server.address,
                              lambda address: say(bench, address, b"once", *options))
        expect("carried", answer, (0, b"once", []))
        host, port = server.address.split(":")
        with socket.create_connection((host, int(port)), RUN_S) as again:
            again.settimeout(RUN_S)
            try:
                again.sendall(sent)
                again.shutdown(socket.SHUT_WR)
                while again.recv(65536):
                    pass
            except OSError:
                pass
        expect("the server", server.finish(), (["served", "not served"], ["TLS_FAILED"]))


def main():
    with tempfile.TemporaryDirectory() as folder:
        return run_tests(Bench(*sys.argv[1:4], pathlib.Path(folder)), dict(globals()))


if __name__ == "__main__":
    sys.exit(main())
