# SPDX-License-Identifier: Apache-2.0
"""A service on the loopback interface that answers what a test says, and writes down what it was
asked; and the openssl program, which makes keys, certificates and revocation lists."""
import contextlib
import dataclasses
import http.server
import ssl
import subprocess
import threading

CONFIG = """
[ca]
default_ca = own
[own]
database = {folder}/index
crlnumber = {folder}/number
default_md = {digest}
"""


@dataclasses.dataclass
class Answer:
    body: bytes = b""
    headers: tuple = ()
    status: int = 200
    size: int | None = None  # Content-Length when it is not that of the body


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        answer = self.server.answers.get(self.path, Answer(status=404))
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) if answer.size is None
                                               else answer.size))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # a client may have had enough
            self.wfile.write(answer.body)

    def log_message(self, *_):
        pass


class Service(http.server.ThreadingHTTPServer):
    """`with Service() as service:` runs it; answers by path, and paths in `asked`."""
    daemon_threads = True

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked = {}, []
        self.scheme = "http" if certificate is None else "https"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_):
        pass  # a refused handshake

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02},
                         daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def openssl(*words):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True).stdout


def make_certificate(folder, name, key):
    """(certificate, key) files; `key`: words that say of which kind."""
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    openssl("req", "-x509", "-newkey", *key, "-nodes", "-subj", f"/CN={name}", "-days", 3,
            "-out", paths[0], "-keyout", paths[1])
    return paths


def make_list(folder, name, key, digest, options=()):
    """A revocation list that holds for a month, in DER."""
    certificate, private = make_certificate(folder, name, key)
    (folder / "index").write_text("")
    (folder / "number").write_text("01\n")
    (folder / "config").write_text(CONFIG.format(folder=folder, digest=digest))
    pem = folder / f"{name}.crl"
    openssl("ca", "-config", folder / "config", "-gencrl", "-crldays", 30, "-cert", certificate,
            "-keyfile", private, "-out", pem, *options)
    return openssl("crl", "-in", pem, "-outform", "DER")
