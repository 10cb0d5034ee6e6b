#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`alcove collateral fetch`: what it asks for, what it makes of good answers, that the cache holds
as long as its dates, and that every bad answer ends in a message and leaves nothing behind."""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

from service import Answer, Service, make_certificate, make_list

SKIPPED = 77
SIZE_MAX = 1 << 20
ROOT_LIST = "/sgx/certification/v4/rootcacrl"
PCK_LIST = "/sgx/certification/v4/pckcrl?ca=processor&encoding=der"
TCB = "/sgx/certification/v4/tcb?fmspc=00a067110000"
QE = "/sgx/certification/v4/qe/identity"
TCB_CHAIN = "TCB-Info-Issuer-Chain"
QE_CHAIN = "SGX-Enclave-Identity-Issuer-Chain"
CHIP = ("3ac3fe21e13fb0990eb28a802e3fb6a29483a6b0753590c951bdd3b8e5378618"
        "4ca39e359669a2b76a1936776b564ea464cdce40c05f63c9b610c5068b006b5d")
VCEK = f"/vcek/v1/Milan/{CHIP}?blSPL=2&teeSPL=0&snpSPL=5&ucodeSPL=68"
CHAIN = "/vcek/v1/Milan/cert_chain"
LIST = "/vcek/v1/Milan/crl"


def signed(member, text, signature, more=""):
    return f'{{"{member}":{text},"signature":"{signature}"{more}}}'.encode()


class Tests:
    def __init__(self, alcove, vectors):
        self.alcove, self.vectors = alcove, vectors
        self.quote = vectors / "sgx-tdx" / "sgx_quote"
        self.collateral = json.loads(
            (vectors / "sgx-tdx" / "sgx_quote_collateral.json").read_text())
        self.report = vectors / "snp" / "attestation.bin"
        self.vcek = (vectors / "snp" / "vcek.testcer").read_bytes()
        self.chain = (vectors / "snp" / "ask_ark_milan.pem").read_bytes()
        self.folder = None
        self.made = pathlib.Path(tempfile.mkdtemp(prefix="alcove-collateral-"))
        ec = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        self.new_list = make_list(self.made, "ec", ec, "sha256")
        self.amd_list = make_list(
            self.made, "rsa", ("rsa:4096",), "sha384",
            ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:48"))

    # -- answers of a good service --

    def pcs_answers(self, is_new=False):
        text, qe = self.collateral["tcb_info"], self.collateral["qe_identity"]
        lists = [bytes.fromhex(self.collateral[name]) for name in ("root_ca_crl", "pck_crl")]
        if is_new:
            text, qe = (re.sub(r'"nextUpdate":"[^"]*"', '"nextUpdate":"2090-01-01T00:00:00Z"',
                               document) for document in (text, qe))
            lists = [self.new_list, self.new_list]
        chains = [((name, urllib.parse.quote(self.collateral[member])),) for name, member in
                  ((TCB_CHAIN, "tcb_info_issuer_chain"), (QE_CHAIN, "qe_identity_issuer_chain"))]
        return {
            ROOT_LIST: Answer(lists[0]),
            PCK_LIST: Answer(lists[1]),
            TCB: Answer(signed("tcbInfo", text, self.collateral["tcb_info_signature"]), chains[0]),
            QE: Answer(signed("enclaveIdentity", qe, self.collateral["qe_identity_signature"]),
                       chains[1]),
        }

    def kds_answers(self):
        return {VCEK: Answer(self.vcek), CHAIN: Answer(self.chain), LIST: Answer(self.amd_list)}

    # -- running --

    def run(self, *words):
        return subprocess.run([self.alcove, "collateral", *map(str, words)], check=False,
                              capture_output=True, text=True, timeout=60, cwd=self.folder,
                              env={**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache"),
                                   "no_proxy": "*"})

    def cached(self):
        return sorted(self.folder.glob("cache/alcove/collateral/*"))

    @contextlib.contextmanager
    def service(self, answers):
        with Service() as service:
            service.answers = answers
            yield service

    def good(self, service, option, evidence, *words):
        done = self.run("fetch", option, service.url, *words, evidence)
        assert done.returncode == 0, done.stderr
        return done

    # -- tests: each in a folder of its own --

    def test_sgx(self):
        with self.service(self.pcs_answers()) as service:
            done = self.good(service, "--pcs", self.quote)
            assert sorted(service.asked) == sorted([ROOT_LIST, PCK_LIST, TCB, QE]), service.asked
            made = json.loads(done.stdout)
            for member in ("root_ca_crl", "pck_crl", "tcb_info", "tcb_info_signature",
                           "tcb_info_issuer_chain", "qe_identity", "qe_identity_signature",
                           "qe_identity_issuer_chain"):
                assert made[member] == self.collateral[member], member
            assert "past its date" in done.stderr, done.stderr

    def test_tdx(self):
        folder = self.vectors / "sgx-tdx"
        collateral = json.loads((folder / "tdx_quote_collateral.json").read_text())
        chain = [((name, urllib.parse.quote(collateral[member])),) for name, member in
                 ((TCB_CHAIN, "tcb_info_issuer_chain"), (QE_CHAIN, "qe_identity_issuer_chain"))]
        answers = {
            ROOT_LIST: Answer(bytes.fromhex(collateral["root_ca_crl"])),
            PCK_LIST.replace("processor", "platform"): Answer(bytes.fromhex(collateral["pck_crl"])),
            "/tdx/certification/v4/tcb?fmspc=b0c06f000000": Answer(
                signed("tcbInfo", collateral["tcb_info"], collateral["tcb_info_signature"]),
                chain[0]),
            "/tdx/certification/v4/qe/identity": Answer(
                signed("enclaveIdentity", collateral["qe_identity"],
                       collateral["qe_identity_signature"]), chain[1])}
        with self.service(answers) as service:
            made = json.loads(self.good(service, "--pcs", folder / "tdx_quote").stdout)
            assert service.asked == list(answers), service.asked
            assert all(made[member] == collateral[member] for member in made)

    def test_verdicts(self):
        """What was fetched is what evidence is judged with."""
        policy = self.folder / "policy"
        policy.write_text('{"tcb": ["ConfigurationAndSWHardeningNeeded"], "accept_debug": true}')
        output = self.folder / "collateral.json"
        with self.service({**self.pcs_answers(), **self.kds_answers()}) as service:
            for option, evidence, more in (("--pcs", self.quote, ()),
                                           ("--kds", self.report, ("--product", "Milan"))):
                self.good(service, option, evidence, *more, "--output", output)
                if option == "--kds":  # the list is of a root of our own
                    made = json.loads(output.read_text())
                    del made["revocation_list"]
                    output.write_text(json.dumps(made))
                done = subprocess.run(
                    [self.alcove, "verify", "--policy", policy, "--collateral", output, "--time",
                     "2025-07-01T00:00:00Z", evidence], check=False, capture_output=True,
                    text=True, timeout=60)
                assert done.returncode == 0, done.stdout + done.stderr

    def test_evidence_file(self):
        """Tag 60000, an array of two byte strings: the quote, and claims."""
        quote = self.quote.read_bytes()
        path = self.folder / "evidence"
        path.write_bytes(b"\xd9\xea\x60\x82\x59" + len(quote).to_bytes(2, "big") + quote + b"\x40")
        with self.service(self.pcs_answers()) as service:
            assert self.good(service, "--pcs", path).stdout
            path.write_bytes(path.read_bytes()[:-1])
            assert self.run("fetch", "--pcs", service.url, path).returncode == 2

    def test_forms_of_lists(self):
        answers = self.pcs_answers(is_new=True)
        pem = pathlib.Path(self.made / "ec.crl").read_bytes()
        for body in (self.new_list.hex().encode(), self.new_list.hex().upper().encode() + b"\n",
                     pem):
            answers[ROOT_LIST] = Answer(body)
            with self.service(answers) as service:
                made = json.loads(self.good(service, "--pcs", self.quote, "--refresh").stdout)
                assert made["root_ca_crl"] == self.new_list.hex()

    def test_cache(self):
        with self.service(self.pcs_answers(is_new=True)) as service:
            first = self.good(service, "--pcs", self.quote)
            assert first.stderr == "" and len(service.asked) == 4
            assert [path.name[:32] for path in self.cached()] == ["sgx-00a067110000-processor-" +
                                                                  self.cached()[0].name[27:32]]
            assert self.good(service, "--pcs", self.quote).stdout == first.stdout
            assert len(service.asked) == 4
            self.good(service, "--pcs", self.quote, "--refresh")
            assert len(service.asked) == 8
            self.cached()[0].write_bytes(b"{}")
            assert self.good(service, "--pcs", self.quote).stdout == first.stdout
            assert len(service.asked) == 12
            output = self.folder / "collateral.json"
            done = self.good(service, "--pcs", self.quote, "--output", output)
            assert done.stdout == "" and output.read_text() == first.stdout[:-1]
            with self.service(self.pcs_answers(is_new=True)) as other:
                self.good(other, "--pcs", self.quote)  # another service has a file of its own
                assert len(other.asked) == 4 and len(self.cached()) == 2

    def test_cache_past_its_date(self):
        with self.service(self.pcs_answers()) as service:
            self.good(service, "--pcs", self.quote)
            self.good(service, "--pcs", self.quote)
            assert len(service.asked) == 8

    def test_each_date(self):
        new, old = self.pcs_answers(is_new=True), self.pcs_answers()
        for path in new:
            with self.service({**new, path: old[path]}) as service:
                assert "past its date" in self.good(service, "--pcs", self.quote).stderr, path

    def test_snp(self):
        with self.service(self.kds_answers()) as service:
            done = self.good(service, "--kds", self.report, "--product", "Milan")
            assert service.asked == [VCEK, CHAIN, LIST], service.asked
            assert json.loads(done.stdout) == {"endorsement_key": self.vcek.hex(),
                                               "chain": self.chain.decode(),
                                               "revocation_list": self.amd_list.hex()}
            again = self.good(service, "--kds", self.report, "--product", "Milan")
            assert again.stdout == done.stdout and len(service.asked) == 3

    def changed_report(self, *changes):
        report = bytearray(self.report.read_bytes())
        for offset, values in changes:
            report[offset:offset + len(values)] = bytes(values)
        path = self.folder / "report"
        path.write_bytes(report)
        return path

    def test_turin(self):
        report = self.changed_report((0, [5]), (0x188, [0x1a, 2, 1]),
                                     (0x180, [1, 2, 3, 4, 0, 0, 0, 99]))
        url = f"/vcek/v1/Turin/{CHIP[:16]}?fmcSPL=1&blSPL=2&teeSPL=3&snpSPL=4&ucodeSPL=99"
        answers = {url: Answer(self.vcek), "/vcek/v1/Turin/cert_chain": Answer(self.chain),
                   "/vcek/v1/Turin/crl": Answer(self.amd_list)}
        with self.service(answers) as service:
            self.good(service, "--kds", report)
            assert service.asked == list(answers), service.asked

    def test_vlek(self):
        """The provider's certificate comes from a file, chain and list from the service."""
        report = self.changed_report((0x48, [4]))
        key = self.folder / "key"
        key.write_bytes(self.vcek)
        answers = {"/vlek/v1/Milan/cert_chain": Answer(self.chain),
                   "/vlek/v1/Milan/crl": Answer(self.amd_list)}
        words = ("--product", "Milan", "--vlek", key)
        with self.service(answers) as service:
            done = self.good(service, "--kds", report, *words)
            assert service.asked == list(answers), service.asked
            assert json.loads(done.stdout) == {"endorsement_key": self.vcek.hex(),
                                               "chain": self.chain.decode(),
                                               "revocation_list": self.amd_list.hex()}
            assert self.good(service, "--kds", report, *words).stdout == done.stdout
            assert len(service.asked) == 2 and "vlek" in self.cached()[0].name
            for word, evidence, contents in (("not signed by a provider", self.report, self.vcek),
                                             ("no certificate in DER", report, self.vcek[:-1]),
                                             ("no certificate in DER", report, b"")):
                key.write_bytes(contents)
                done = self.run("fetch", "--kds", service.url, *words, evidence)
                assert done.returncode == 2 and word in done.stderr, (word, done)

    def test_reports_without_certificate(self):
        for word, arguments, changes in (
                ("provider has", ("--product", "Milan"), (0x48, [4])),
                ("name its chip", ("--product", "Milan"), (0x48, [2])),
                ("--product", (), (0, [2])),
                ("--product", ("--product", "Venus"), (0, [2])),
                ("not supported", ("--product", "Milan"), (0, [9])),
                ("not one of Turin", ("--product", "Turin"), (0x185, [1]))):
            with self.service({}) as service:
                done = self.run("fetch", "--kds", service.url, *arguments,
                                self.changed_report(changes))
                assert done.returncode != 0 and word in done.stderr, (word, done.stderr)
                assert not service.asked and not done.stdout

    def bad_pcs_answers(self):
        """(words of the message, path, answer)"""
        good = self.pcs_answers(is_new=True)
        tcb, qe = good[TCB], good[QE]
        text, signature = self.collateral["tcb_info"], self.collateral["tcb_info_signature"]
        chain = tcb.headers[0][1]
        first = urllib.parse.quote(self.collateral["tcb_info_issuer_chain"].split("-----END")[0])
        yield from (("answers 404", path, Answer(status=404)) for path in good)
        yield from (("answers 500", path, Answer(status=500)) for path in good)
        for path in good:
            where = (("Location", "/elsewhere"),)
            yield "not followed", path, dataclass_like(good[path], status=302, headers=where)
            yield "too large", path, dataclass_like(good[path], body=b"0" * (SIZE_MAX + 1))
            yield ("partial file", path,
                   dataclass_like(good[path], size=len(good[path].body) + 1))
        for path in (ROOT_LIST, PCK_LIST):
            for body in (b"", b"0", b"00", self.new_list[:-1], self.new_list + b"0",
                         self.amd_list, self.new_list.hex().encode()[:-1], b"-----BEGIN"):
                yield "no revocation list", path, Answer(body)
        for body in (b"", b"[]", b"{}", b"null", tcb.body[:-1], tcb.body + b"x", qe.body,
                     b'{"tcbInfo":"text","signature":"' + signature.encode() + b'"}',
                     signed("tcbInfo", text, signature, f',"signature":"{signature}"'),
                     signed("tcbInfo", text, signature, ',"other":1,"other":1'),
                     signed("tcbInfo", text.replace("{", '{"a":1,"a":1,', 1), signature),
                     signed("tcbInfo", text, signature[:-1]),
                     signed("tcbInfo", text, signature + "00"),
                     signed("tcbInfo", text, "g" * 128),
                     signed("tcbInfo", "[" * 100 + "]" * 100, signature),
                     tcb.body.replace(b"SGX", b"S\xffX", 1)):
            yield "not an object", TCB, dataclass_like(tcb, body=body)
        no_date = text.replace("nextUpdate", "lastUpdate")
        yield ("no collateral", TCB,
               dataclass_like(tcb, body=signed("tcbInfo", no_date, signature)))
        for path, name in ((TCB, TCB_CHAIN), (QE, QE_CHAIN)):
            yield f"no header {name}", path, dataclass_like(good[path], headers=())
            yield "there twice", path, dataclass_like(good[path], headers=((name, chain),) * 2)
            yield "too large", path, dataclass_like(good[path], headers=((name, "a" * 20000),))
            yield f"no header {name}", path, dataclass_like(good[path], headers=((name, "%00"),))
            for value in ("", "none", first, chain[:-40], chain + chain):
                yield "no chain", path, dataclass_like(good[path], headers=((name, value),))

    def test_bad_pcs_answers(self):
        good = self.pcs_answers(is_new=True)
        for words, path, answer in self.bad_pcs_answers():
            self.expect_bad(words, "--pcs", self.quote, path, {**good, path: answer})

    def test_bad_kds_answers(self):
        good = self.kds_answers()
        report = self.changed_report((0, [3]), (0x188, [0x19, 1, 1]))
        for words, path, answer in (
                ("answers 429", VCEK, Answer(status=429)),
                ("no certificate", VCEK, Answer(b"")),
                ("no certificate", VCEK, Answer(self.vcek[:-1])),
                ("no certificate", VCEK, Answer(self.vcek + b"0")),
                ("too large", CHAIN, Answer(b"0" * (SIZE_MAX + 1))),
                ("not UTF-8", CHAIN, Answer(b"\xff")),
                ("no collateral", CHAIN, Answer(b"")),
                ("no collateral", CHAIN, Answer(self.chain[:2400])),
                ("no collateral", CHAIN, Answer(self.chain + self.chain)),
                ("no revocation list", LIST, Answer(self.new_list)),
                ("not followed", LIST, Answer(status=301, headers=(("Location", "/elsewhere"),)))):
            self.expect_bad(words, "--kds", report, path, {**good, path: answer})

    def expect_bad(self, words, option, evidence, path, answers):
        output = self.folder / "output"
        with self.service(answers) as service:
            done = self.run("fetch", option, service.url, "--output", output, evidence)
            about = (words, path, done.returncode, done.stderr)
            assert done.returncode == 1 and words in done.stderr, about
            assert not done.stdout and not output.exists() and not self.cached(), about
            assert "/elsewhere" not in service.asked, about

    def test_unknown_authority_of_service(self):
        certificate = make_certificate(self.folder, "localhost", ("rsa:2048",))
        with Service(certificate) as service:
            service.answers = self.pcs_answers()
            done = self.run("fetch", "--pcs", service.url, self.quote)
            assert done.returncode == 1 and "certificate" in done.stderr, done.stderr
            assert not service.asked

    def test_usage(self):
        cut = self.folder / "cut"
        cut.write_bytes(self.quote.read_bytes()[:-100])
        large = self.folder / "large"
        large.write_bytes(bytes(SIZE_MAX + 1))
        for code, words in ((2, ()), (2, ("get", self.quote)), (2, ("fetch",)),
                            (2, ("fetch", self.quote, self.quote)),
                            (2, ("fetch", "--pcs", "file:///etc", self.quote)),
                            (2, ("fetch", "--pcs", "ftp://127.0.0.1", self.quote)),
                            (2, ("fetch", "--pcs", "http://h/?a=b", self.quote)),
                            (2, ("fetch", "--pcs", "http://" + "a" * 300, self.quote)),
                            (2, ("fetch", "--kds", "127.0.0.1", self.report)),
                            (2, ("fetch", self.folder / "missing")),
                            (2, ("fetch", cut)), (1, ("fetch", large))):
            done = self.run(*words)
            assert done.returncode == code and done.stderr and not done.stdout, (words, done)
        done = self.run("fetch", "--pcs", "http://127.0.0.1:1", self.quote)
        assert done.returncode == 1 and "connect" in done.stderr, done.stderr

    def test_slashes(self):
        with self.service(self.pcs_answers()) as service:
            done = self.run("fetch", "--pcs", service.url + "//", self.quote)
            assert done.returncode == 0 and ROOT_LIST in service.asked, done.stderr


def dataclass_like(answer, **changes):
    return Answer(**{**answer.__dict__, **changes})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--alcove", required=True)
    parser.add_argument("--vectors", required=True, type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if not (options.vectors / "sgx-tdx" / "sgx_quote").exists():
        print(f"SKIPPED: no quotes in {options.vectors}")
        return SKIPPED
    if shutil.which("openssl") is None:
        print("SKIPPED: no openssl program to make revocation lists with")
        return SKIPPED
    tests = Tests(os.path.abspath(options.alcove), options.vectors.resolve())
    names = options.names or sorted(name for name in dir(tests) if name.startswith("test_"))
    failed = 0
    for name in names:
        with tempfile.TemporaryDirectory(prefix="alcove-collateral-") as folder:
            tests.folder = pathlib.Path(folder)
            try:
                getattr(tests, name)()
            except AssertionError as error:
                failed += 1
                print(f"{name}: {error or 'failed'} (line {error.__traceback__.tb_next.tb_lineno})")
    shutil.rmtree(tests.made)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
