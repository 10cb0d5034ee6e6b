#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""alcove listen and connect: with each other, with openssl s_client and s_server, and refused.

    netcat.py ALCOVE [OPENSSL]
"""
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading

RUN_S = 20


class Failure(Exception):
    pass


def expect(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: {got!r} instead of {wanted!r}")


class Program:
    """A child that is killed at the end; its standard error is read in a thread."""

    def __init__(self, words, first_line=None):
        self.child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
        self.errors = []
        self.first = None
        if first_line:
            line = self.child.stderr.readline().decode()
            self.first = re.search(first_line, line)
            if not self.first:
                self.child.kill()
                raise Failure(f"{words[0]} said {line!r}")
        self.thread = threading.Thread(target=self._read_errors, daemon=True)
        self.thread.start()

    def _read_errors(self):
        for line in self.child.stderr:
            self.errors.append(line.decode(errors="replace"))

    def finish(self, data=None):
        """Standard output and exit status, after `data` and the end of the input."""
        try:
            if data is not None:
                self.child.stdin.write(data)
            self.child.stdin.close()
            out = self.child.stdout.read()
            status = self.child.wait(RUN_S)
        finally:
            if self.child.poll() is None:
                self.child.kill()
                self.child.wait()
        self.thread.join(RUN_S)
        return out, status, "".join(self.errors)


def listen(alcove, *options):
    program = Program([alcove, "listen", "--once", *options, "127.0.0.1:0"],
                      r"127\.0\.0\.1:(\d+)")
    return program, f"127.0.0.1:{program.first.group(1)}"


def test_each_other(alcove, _):
    """Bytes both ways, many of them, and the end of the input."""
    data = os.urandom(3_000_000)
    server, address = listen(alcove, "--accept-unattested")
    client = Program([alcove, "connect", "--accept-unattested", address])
    result = {}
    thread = threading.Thread(target=lambda: result.update(server=server.finish(b"")))
    thread.start()
    out, status, errors = client.finish(data[:10])
    thread.join(RUN_S)
    expect("client", (status, errors), (0, ""))
    expect("server", result["server"][1:], (0, ""))

    server, address = listen(alcove, "--accept-unattested")
    client = Program([alcove, "connect", "--accept-unattested", address])
    reader = threading.Thread(
        target=lambda: result.update(out=server.child.stdout.read()))
    reader.start()
    client.child.stdin.write(data)
    client.child.stdin.close()
    reader.join(RUN_S)
    expect("bytes", result["out"] == data, True)
    expect("client's status", client.child.wait(RUN_S), 0)
    expect("server's status", server.child.wait(RUN_S), 0)


def test_refused(alcove, _):
    """Who proves nothing is refused, and both sides say why."""
    server, address = listen(alcove, "--accept-unattested")
    client = Program([alcove, "connect", address])
    out, status, errors = client.finish()
    expect("client", (out, status), (b"", 3))
    expect("client's reason", "(NO_EVIDENCE)" in errors, True)
    out, status, errors = server.finish()
    expect("server", (out, status), (b"", 3))
    expect("server's reason", "the peer's reason: NO_EVIDENCE" in errors, True)


def test_openssl_client(alcove, openssl):
    server, address = listen(alcove, "--accept-unattested")
    client = Program([openssl, "s_client", "-connect", address, "-tls1_3", "-quiet"])
    client.child.stdin.write(b"to the server\n")
    client.child.stdin.flush()
    server.child.stdin.write(b"to the client\n")
    server.child.stdin.flush()
    expect("what came", server.child.stdout.readline(), b"to the server\n")
    out, status, _ = server.finish()
    expect("server", (out, status), (b"", 0))
    out, status, _ = client.finish()
    expect("client", out, b"to the client\n")


def test_openssl_reads_certificate(alcove, openssl):
    server, address = listen(alcove, "--accept-unattested")
    done = subprocess.run([openssl, "s_client", "-connect", address, "-tls1_3"], input=b"",
                          capture_output=True, timeout=RUN_S, check=False)
    text = subprocess.run([openssl, "x509", "-noout", "-text"], input=done.stdout,
                          capture_output=True, timeout=RUN_S, check=True).stdout
    expect("issuer", b"CN = alcove" in text, True)
    expect("version", b"TLSv1.3" in done.stdout, True)
    server.finish()


def test_openssl_server(alcove, openssl):
    with tempfile.TemporaryDirectory(prefix="alcove-netcat-") as folder:
        key, certificate = (str(pathlib.Path(folder) / name) for name in ("key", "certificate"))
        subprocess.run([openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate,
                        "-subj", "/CN=localhost"], capture_output=True, check=True, timeout=RUN_S)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen([openssl, "s_server", "-accept", f"127.0.0.1:{port}", "-key", key,
                                   "-cert", certificate, "-tls1_3", "-rev", "-naccept", "2"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
        try:
            while not server.stdout.readline().startswith(b"ACCEPT"):
                pass
            client = Program([alcove, "connect", "--accept-unattested", f"127.0.0.1:{port}"])
            client.child.stdin.write(b"abc\n")
            client.child.stdin.flush()
            expect("answer", client.child.stdout.readline(), b"cba\n")
            _, status, errors = client.finish()
            expect("client", (status, errors), (0, ""))
            refused = subprocess.run([alcove, "connect", f"127.0.0.1:{port}"], input=b"secret",
                                     capture_output=True, timeout=RUN_S, check=False)
            expect("refused", (refused.returncode, b"(NO_EVIDENCE)" in refused.stderr), (3, True))
        finally:
            server.kill()
            server.wait()


def test_dialect(alcove, openssl):
    """Who asks for TNG's dialect speaks it with those who do, and is refused by all others; nobody
    is led into it."""
    tng = ("--dialect", "tng", "--accept-unattested")
    server, address = listen(alcove, *tng)
    client = Program([alcove, "connect", *tng, address])
    client.child.stdin.write(b"to the server\n")
    client.child.stdin.flush()
    expect("what came", server.child.stdout.readline(), b"to the server\n")
    expect("server", server.finish()[1:], (0, ""))
    expect("client", client.finish()[1:], (0, ""))
    for listens, connects in ((tng, tng[2:]), (tng[2:], tng)):
        server, address = listen(alcove, *listens)
        client = Program([alcove, "connect", *connects, address])
        expect("client of another dialect", client.finish()[:2], (b"", 3))
        _, status, errors = server.finish()
        expect("server of another dialect", (status, "(DIALECT_REFUSED)" in errors), (3, True))
    server, address = listen(alcove, *tng)
    words = [openssl, "s_client", "-connect", address, "-tls1_3", "-alpn", "rats-tls"]
    done = subprocess.run(words, input=b"", capture_output=True, timeout=RUN_S, check=False)
    expect("protocol", b"ALPN protocol: rats-tls" in done.stdout, True)
    server.finish()


def test_cut(alcove, _):
    """A connection that ends without a farewell is told from one with it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client = Program([alcove, "connect", f"127.0.0.1:{listener.getsockname()[1]}"])
        connection, _ = listener.accept()
        connection.recv(10)
        connection.close()
        _, status, errors = client.finish()
    expect("client", (status, "(CONNECTION_CUT)" in errors), (1, True))


def test_usage(alcove, _):
    for words in (["connect"], ["connect", "127.0.0.1"],
                  ["connect", "--policy", "/dev/null", "127.0.0.1:1"],
                  ["listen", "--legacy", "127.0.0.1:0"], ["connect", "--dialect", "tng", "a:1"],
                  ["connect", "--dialect", "other", "--accept-stale", "a:1"],
                  ["connect", "--dialect", "tng", "--accept-stale", "--legacy", "a:1"],
                  ["connect", "--tee", "sgx", "a:1"], ["connect", "--time", "now", "a:1"],
                  ["listen", "--collateral", "/dev/null", "127.0.0.1:0"]):
        done = subprocess.run([alcove, *words], capture_output=True, timeout=RUN_S, check=False)
        expect(" ".join(words), (done.returncode, len(done.stderr) > 10), (2, True))


def test_report_data(alcove, _):
    """What no peer could meet is refused before any connection, not passed over."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write('{"report_data": "' + 64 * "00" + '"}')
        file.flush()
        done = subprocess.run([alcove, "connect", "--policy", file.name, "127.0.0.1:1"],
                              capture_output=True, timeout=RUN_S, check=False)
    expect("report data", (done.returncode, b"report data" in done.stderr), (2, True))


def main():
    if len(sys.argv) < 3:
        print("SKIPPED: openssl is not installed")
        return 77
    failed = 0
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            try:
                test(sys.argv[1], sys.argv[2])
                print(f"ok {name}")
            except (Failure, OSError, subprocess.SubprocessError) as error:
                failed += 1
                print(f"FAILED {name}: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
