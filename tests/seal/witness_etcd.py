#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Witnesses over etcd: `alcove witness --etcd`. Several agree over one cluster, members may die,
and answers that are false, slow, too large or another's are none. `gateway`: against a small
gateway of this test's own, honest and not; `etcd`: against the one that is installed, or exit code
77.
Usage: witness_etcd.py ALCOVE FILES.wasm gateway|etcd
"""
import base64
import contextlib
import http.server
import json
import pathlib
import random
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from witness import REFUSED, RUN_S, Failure, Setup, expect, free_port

DONE, FAILED_VERDICT = 1, 5
COUNTERS = 1 << 20 # ALC_LIMIT_WITNESS_COUNTERS
MEMBERS = 8        # ALC_WITNESS_ETCD_MEMBERS_MAX
ANSWER_SIZE = 16384


# -- a gateway --

class Gateway:
    """One key's ranges and transactions, as etcd answers them; `twist` makes something else of an
    answer: (path, text) to (status, text)."""

    def __init__(self, context=None):
        self.values, self.revision, self.lock = {}, 7, threading.Lock()
        self.count = None
        self.twist = None
        self.drips = False
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gateway.answer(self, json.loads(body))
            def log_message(self, *words):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            def handle_error(self, *words): # a client that went away, or came without a certificate
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        scheme = "http"
        if context is not None:
            # The handshake is the thread's, so that nobody waits for it.
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def header(self):
        return {"cluster_id": "14841639068965178418", "member_id": "1",
                "revision": str(self.revision), "raft_term": "2"}

    def range(self, asked):
        if "count_only" in asked:
            count = len(self.values) if self.count is None else self.count
            return {"header": self.header(), **({"count": str(count)} if count else {})}
        if asked["key"] not in self.values:
            return {"header": self.header()}
        return {"header": self.header(), "count": "1",
                "kvs": [{"key": asked["key"], "mod_revision": "2",
                         "value": self.values[asked["key"]]}]}

    def transact(self, asked):
        compare, put = asked["compare"][0], asked["success"][0]["request_put"]
        expect("the key", compare["key"], put["key"])
        known = self.values.get(compare["key"])
        holds = known is None if compare["target"] == "VERSION" else known == compare["value"]
        if not holds:
            return {"header": self.header()}
        self.revision += 1
        self.values[put["key"]] = put["value"]
        return {"header": self.header(), "succeeded": True,
                "responses": [{"response_put": {"header": {"revision": str(self.revision)}}}]}

    def answer(self, handler, asked):
        path = handler.path.removeprefix("/v3/kv/")
        with self.lock:
            text = json.dumps({"range": self.range, "txn": self.transact}[path](asked))
            status, text = self.twist(path, text) if self.twist else (200, text)
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(text)))
        if status == 302:
            handler.send_header("Location", self.url + "/elsewhere")
        handler.end_headers()
        for letter in text if self.drips else [text]:
            handler.wfile.write(letter.encode())
            time.sleep(0.1 if self.drips else 0)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def gateway(context=None):
    opened = Gateway(context)
    try:
        yield opened
    finally:
        opened.close()


# -- witnesses --

class Cluster(Setup):
    def __init__(self, alcove, wasm, folder):
        super().__init__(alcove, wasm, folder, "none")
        self.said = folder / "said"

    def words_of(self, port, urls, *more):
        known = "--key" if self.witness_key.exists() else "--new-key"
        return [self.alcove, "witness", "--listen", f"127.0.0.1:{port}", "--etcd", urls, *more,
                known, str(self.witness_key), "serve"]

    @contextlib.contextmanager
    def witness(self, urls, *more, port=None):
        with open(self.said, "w", encoding="utf-8") as said:
            process = subprocess.Popen(self.words_of(port or self.port, urls, *more),
                                       stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            expect("the witness", process.stdout.readline(), "ready\n")
            yield process
        finally:
            process.kill()
            process.wait()

    def fails(self, urls, *more):
        """What a witness says that does not begin, and its exit code."""
        done = subprocess.run(self.words_of(free_port(), urls, *more), check=False, timeout=RUN_S,
                              capture_output=True, text=True)
        return done.returncode, done.stderr

    def ask(self, key, port=None):
        """The verdict on a question about a counter, and the mark."""
        with socket.create_connection(("127.0.0.1", port or self.port), timeout=RUN_S) as wire:
            name = base64.b64decode(key).decode().removeprefix("alcove/witness/")
            wire.sendall(b"ALCWITQ1" + bytes([1]) + bytes(7) + random.randbytes(32) +
                         bytes.fromhex(name) + bytes(24 + 24 + 64))
            answer = b""
            while len(answer) < 104:
                answer += wire.recv(104)
            return answer[8], answer[16:40]

    def make(self, name):
        store = self.folder / name
        store.mkdir()
        return store


def replaced(old, new):
    def twist(path, text):
        if old not in text:
            raise Failure(f"{old} is not in {text}")
        return 200, text.replace(old, new, 1)
    return twist


def value_of(generation, size=24):
    return base64.b64encode(generation.to_bytes(8, "little") + bytes(size - 8)).decode()


def lies(value, key):
    """Answers to a question for one key that are none, by name."""
    yield "a member twice", replaced('"count": ', '"count": "1", "count": ')
    yield "something behind", lambda path, text: (200, text + "{}")
    yield "cut", lambda path, text: (200, text[:-1])
    yield "nothing", lambda path, text: (200, "")
    yield "no object", lambda path, text: (200, "[]")
    yield "very deep", lambda path, text: (200, "[" * 5000)
    yield "no UTF-8", replaced('"2"', '"\\ud800"')
    yield "another key", replaced(key, base64.b64encode(b"alcove/witness/other").decode())
    yield "no key", replaced('"key": ', '"kay": ')
    yield "two keys", replaced('"count": "1"', '"count": "2"')
    yield "a number", replaced('"count": "1"', '"count": 1')
    yield "a leading zero", replaced('"count": "1"', '"count": "01"')
    yield "a huge number", replaced('"count": "1"', '"count": "18446744073709551617"')
    yield "a key and no count", replaced('"count": "1", ', "")
    yield "a count and no key", replaced('"kvs"', '"kws"')
    yield "no list", replaced('"kvs": [', '"kvs": "", "k": [')
    yield "more of them", replaced('"count"', '"more": true, "count"')
    yield "a short value", replaced(value, value_of(1, 23))
    yield "a long value", replaced(value, value_of(1, 25))
    yield "generation 0", replaced(value, value_of(0))
    yield "no base64", replaced(value, "!" + value[1:])
    yield "no header", replaced('"header"', '"heather"')
    yield "no revision", replaced('"revision"', '"revisions"')
    yield "an older state", replaced('"revision": "', '"revision": "1", "r": "')
    yield "another cluster", replaced('"cluster_id": "1', '"cluster_id": "')
    yield "too much", lambda path, text: (200, text + " " * (ANSWER_SIZE + 1 - len(text)))
    yield "a refusal", lambda path, text: (503, text)
    yield "a way elsewhere", lambda path, text: (302, text)


def case_lies(setup):
    """None of them is taken, each is reported, and the truth afterwards is."""
    with gateway() as member, setup.witness(member.url):
        setup.count(setup.make("lies"), 0, kill_at=2)
        (key, value), = member.values.items()
        truth = DONE, base64.b64decode(value)
        for name, twist in lies(value, key):
            expect("the truth", setup.ask(key), truth)
            member.twist = twist
            expect(name, setup.ask(key)[0], FAILED_VERDICT)
            member.twist = None
        expect("the truth", setup.ask(key), truth)
        member.twist = lambda path, text: (200, text + " " * (ANSWER_SIZE - len(text)))
        expect("as much as may be", setup.ask(key), truth)
        member.twist = replaced('"kvs"', '"new": {"member": [1.5]}, "kvs"')
        expect("a later version's", setup.ask(key), truth)
    said = setup.said.read_text(encoding="utf-8")
    for wanted in ("not etcd's", "older state", "another cluster", "too large", "answers 503",
                   "answers 302", "answers again"):
        if wanted not in said:
            raise Failure(f"nothing of {wanted!r} in {said!r}")


def case_false_moves(setup):
    """A move that changed nothing is none; one that happened, and was not answered for, is one."""
    store = setup.make("moves")
    with gateway() as member, setup.witness(f"{member.url},{member.url}/"):
        last = setup.count(store, 0, kill_at=2)
        known = dict(member.values)
        def pretend(path, text):
            if path == "txn":
                member.values, member.revision = dict(known), member.revision - 1
                text = json.dumps({"header": member.header(), "succeeded": True})
            return 200, text
        member.twist = pretend
        expect("a move without a change", setup.run(store, "count").returncode != 0, True)
        lost = []
        def lose(path, text):
            if path == "txn" and "succeeded" in text:
                lost.append(text)
                return 500, ""
            return 200, text
        member.twist = lose
        last = setup.count(store, last, kill_at=3)
        expect("answers were lost", len(lost) >= 3, True)
        member.twist = None
        setup.count(store, last, kill_at=1)


def case_counters(setup):
    """As many counters as a witness keeps, and one more."""
    with gateway() as member, setup.witness(member.url):
        member.count = COUNTERS
        expect("one too many", setup.run(setup.make("full"), "fill").returncode != 0, True)
        member.count = COUNTERS - 1
        setup.count(setup.make("last"), 0, kill_at=1)


def case_members(setup):
    """Members that are away or slow are passed over in their part of the time."""
    away = [f"http://127.0.0.1:{free_port()}"] * (MEMBERS - 2)
    with gateway() as slow, gateway() as member:
        expect("too many", setup.fails(",".join([*away, slow.url, slow.url, member.url]))[0], 2)
        with setup.witness(",".join([slow.url, *away, member.url])):
            slow.drips = True
            begun = time.monotonic()
            setup.count(setup.make("members"), 0, kill_at=2)
            if time.monotonic() - begun > 5:
                raise Failure("it waits for a slow member")
            expect("who keeps it", (len(slow.values), len(member.values)), (0, 1))


def agree(setup, urls):
    """Two witnesses with one key: whoever is asked knows what the other one was told."""
    store = setup.make("agree")
    container, kept = store / "alcove.seal", setup.folder / "kept.seal"
    ports = setup.port, free_port()
    with setup.witness(urls), setup.witness(urls, port=ports[1]):
        last = setup.count(store, 0, kill_at=2)
        shutil.copy(container, kept)
        setup.port = ports[1]
        last = setup.count(store, last, kill_at=2)
        newest = container.read_bytes()
        for port in ports:
            setup.port = port
            shutil.copy(kept, container)
            expect("an old disk", setup.run(store, "count").returncode, REFUSED)
        container.write_bytes(newest)
        setup.count(store, last, kill_at=1)
        setup.port = ports[0]


def case_agree(setup):
    with gateway() as member:
        agree(setup, member.url)


def make_certificate(folder, name, *more):
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-days", "2",
                    "-keyout", key, "-out", certificate, *more], check=True, capture_output=True)
    return str(certificate), str(key)


def case_tls(setup):
    """The member's certificate has to hang on the authority, and this side's on the member's."""
    certificate, key = make_certificate(setup.folder, "member", "-addext",
                                        "subjectAltName=IP:127.0.0.1")
    client, client_key = make_certificate(setup.folder, "client")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(client)
    context.verify_mode = ssl.CERT_REQUIRED
    with gateway(context) as member:
        shown = ["--etcd-cert", client, "--etcd-key", client_key]
        for what, more in (("the system's authorities", shown),
                           ("another authority", ["--etcd-ca", client, *shown]),
                           ("no certificate", ["--etcd-ca", certificate]),
                           ("no such file", ["--etcd-ca", str(setup.folder / "none"), *shown])):
            expect(what, setup.fails(member.url, *more)[0], 1)
        with setup.witness(member.url, "--etcd-ca", certificate, *shown):
            setup.count(setup.make("tls"), 0, kill_at=1)


def case_usage(setup):
    setup.fails("http://127.0.0.1:1") # makes the key
    for urls in ("http://192.0.2.1:2379", "http://127.0.0.1.example:2379", "ftp://127.0.0.1",
                 "127.0.0.1:2379", "", "https://me:secret@127.0.0.1", "https://127.0.0.1/v3",
                 "https://127.0.0.1?a=b", "https://127.0.0.1,", "https://" + "a" * 300):
        code, said = setup.fails(urls)
        expect(f"{urls}: {said}", (code, "https://HOST:PORT" in said), (2, True))
    for more in (["--store", str(setup.folder / "a.db")], ["--etcd-cert", "a"],
                 ["--etcd-key", "a"]):
        expect(" ".join(more), setup.fails("http://127.0.0.1:1", *more)[0], 2)
    code, said = setup.fails("http://127.0.0.1:1")
    expect(said, (code, "no member of the cluster answers" in said), (1, True))


# -- the real one --

def url_of(port):
    return f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def etcd(folder, port, peers=()):
    """etcd on this machine for as long as the block takes, alone or as the first of `peers`' names
    and ports."""
    name, own = peers[0] if peers else ("alone", free_port())
    process = subprocess.Popen(
        ["etcd", "--name", name, "--data-dir", str(folder / name),
         "--listen-client-urls", url_of(port), "--advertise-client-urls", url_of(port),
         "--listen-peer-urls", url_of(own), "--initial-advertise-peer-urls", url_of(own),
         "--initial-cluster", ",".join(f"{peer}={url_of(at)}"
                                       for peer, at in peers or ((name, own),))],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(port, process):
    """Until that member answers, and knows a leader."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + RUN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with opener.open(url_of(port) + "/health", timeout=5) as answer:
                if json.loads(answer.read())["health"] == "true":
                    return
        except (OSError, urllib.error.URLError):
            pass
        time.sleep(0.05)
    raise Failure("etcd does not start")


def case_cluster(setup):
    """Three members: any one of them may die, and its part is taken over; with two nothing goes
    on."""
    store = setup.make("cluster")
    ports = [free_port() for _ in range(3)]
    peers = [(f"member{number}", free_port()) for number in range(3)]
    with contextlib.ExitStack() as running:
        members = [running.enter_context(etcd(setup.folder, port, peers[at:] + peers[:at]))
                   for at, port in enumerate(ports)]
        for port, member in zip(ports, members):
            wait_for(port, member)
        urls = ",".join(map(url_of, ports))
        agree(setup, urls)
        setup.key.write_bytes(random.randbytes(32)) # another mount, another counter
        running.enter_context(setup.witness(urls))
        last = setup.count(store, 0, kill_at=3)
        members[0].kill()
        members[0].wait()
        last = setup.count(store, last, kill_at=3)
        members[1].kill()
        members[1].wait()
        expect("one of three", setup.run(store, "number").returncode != 0, True)


def case_killed(setup):
    """What etcd said is on its disk; without it nothing goes on, and with it again all does."""
    store = setup.make("killed")
    port = free_port()
    with contextlib.ExitStack() as running:
        cluster = contextlib.ExitStack()
        with cluster:
            wait_for(port, cluster.enter_context(etcd(setup.folder, port)))
            running.enter_context(setup.witness(url_of(port)))
            last = setup.count(store, 0, kill_at=5)
            process = subprocess.Popen([*setup.words(store), "count"], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
            for _ in range(5):
                last = int(process.stdout.readline())
        # etcd is killed; the witness and the program go on.
        rest = [word for word in process.stdout.read().split() if word.isdigit()]
        last = int(rest[-1]) if rest else last
        process.wait()
        expect("a program without its witness", process.returncode != 0, True)
        with etcd(setup.folder, port) as member:
            wait_for(port, member)
            setup.count(store, last, kill_at=2)


CASES = {"gateway": (case_usage, case_lies, case_false_moves, case_counters, case_members,
                     case_agree, case_tls),
         "etcd": (case_cluster, case_killed)}


def main():
    alcove, wasm, kind = sys.argv[1:]
    if kind == "etcd" and shutil.which("etcd") is None:
        print("SKIPPED: etcd is not installed (tools/bootstrap full)")
        return 77
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        for case in CASES[kind]:
            folder = pathlib.Path(name) / case.__name__
            folder.mkdir()
            begun = time.monotonic()
            try:
                case(Cluster(alcove, wasm, folder))
                print(f"ok     {case.__name__} {time.monotonic() - begun:.2f} s")
            except (Failure, subprocess.SubprocessError, ValueError, OSError) as failure:
                failed += 1
                print(f"FAILED {case.__name__}: {failure}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
