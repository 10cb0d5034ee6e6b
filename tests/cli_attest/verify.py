#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""alcove verify with what golden files cannot hold: the service's separate answers in a folder, and
tokens, whose signature an independent program verifies."""
import base64
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

SKIPPED = 77
TIME = "2025-07-01T00:00:00Z"
POLICY = {"tcb": ["ConfigurationAndSWHardeningNeeded"]}
TIMEOUT_S = 60
SPKI_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
SPKI_P384 = bytes.fromhex("3076301006072a8648ce3d020106052b81040022036200" "04")


class Fixture:
    def __init__(self, program, vectors, folder):
        self.program, self.folder = program, pathlib.Path(folder)
        self.quote = vectors / "sgx_quote"
        self.collateral = vectors / "sgx_quote_collateral.json"
        self.policy = self.folder / "policy.json"
        self.policy.write_text(json.dumps(POLICY), encoding="utf-8")

    def run(self, *arguments, evidence=None):
        done = subprocess.run([self.program, "verify", "--policy", self.policy, "--time", TIME,
                               *arguments, evidence or self.quote], check=False,
                              capture_output=True, text=True, timeout=TIMEOUT_S)
        return done.returncode, done.stdout, done.stderr


def write_answers(folder, collateral):
    """What the service says to each question, as its endpoints and headers are called."""
    folder.mkdir()
    tcb = f'{{"tcbInfo":{collateral["tcb_info"]},"signature":"{collateral["tcb_info_signature"]}"}}'
    identity = (f'{{"enclaveIdentity":{collateral["qe_identity"]},\n'
                f'"signature":"{collateral["qe_identity_signature"]}"}}\n')
    (folder / "tcb").write_text(tcb, encoding="utf-8")
    (folder / "identity").write_text(identity, encoding="utf-8")
    (folder / "TCB-Info-Issuer-Chain").write_text(
        urllib.parse.quote(collateral["tcb_info_issuer_chain"]), encoding="utf-8")
    (folder / "SGX-Enclave-Identity-Issuer-Chain").write_text(
        collateral["qe_identity_issuer_chain"], encoding="utf-8")
    (folder / "rootcacrl").write_text(collateral["root_ca_crl"] + "\n", encoding="utf-8")
    (folder / "pckcrl").write_bytes(bytes.fromhex(collateral["pck_crl"]))


def pem_of(der):
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN X509 CRL-----\n{text}-----END X509 CRL-----\n"


def test_answers(fixture):
    collateral = json.loads(fixture.collateral.read_text(encoding="utf-8"))
    answers = fixture.folder / "answers"
    write_answers(answers, collateral)
    expected = fixture.run("--json", "--collateral", fixture.collateral)
    assert expected[0] == 0, expected
    assert fixture.run("--json", "--collateral", answers) == expected
    (answers / "pckcrl").write_text(pem_of(bytes.fromhex(collateral["pck_crl"])), encoding="utf-8")
    assert fixture.run("--json", "--collateral", answers) == expected
    test_bad_answers(fixture, answers)


def test_bad_answers(fixture, answers):
    """One file after another is damaged, missing, or of another kind."""
    cases = {
        "tcb": [(b'{"tcbInfo":1}', 2), (b'{"tcbInfo":{},"signature":"00"}', 2)],
        "identity": [(b"", 2), (b'{"enclaveIdentity":{},"enclaveIdentity":{},"signature":""}', 2)],
        "TCB-Info-Issuer-Chain": [(b"%4", 2), (b"%zz", 2), (b"none", 3)],
        "SGX-Enclave-Identity-Issuer-Chain": [(None, 3)],
        "rootcacrl": [(b"00", 3), (None, 3)],
        "pckcrl": [(b"-----BEGIN X509 CRL-----\n?", 2), (b"\x30", 3)],
    }
    for name, changes in cases.items():
        good = (answers / name).read_bytes()
        for content, code in changes:
            (answers / name).unlink()
            if content is not None:
                (answers / name).write_bytes(content)
            found = fixture.run("--collateral", answers)
            assert found[0] == code, (name, content, found)
            (answers / name).write_bytes(good)
    assert fixture.run("--collateral", answers)[0] == 0


def head(major, value):
    """The head of a CBOR item (RFC 8949, 3), in its shortest form."""
    if value < 24:
        return bytes([major << 5 | value])
    code = 24 + (value > 0xFF) + (value > 0xFFFF)
    return bytes([major << 5 | code]) + value.to_bytes(1 << (code - 24), "big")


def tagged(tag, quote, claims, collateral=None):
    content = head(6, tag) + head(4, 2)
    for part in (quote, claims) if collateral is None else (quote, claims, collateral):
        content += head(2, len(part)) + part
    return content


def test_evidence_files(fixture):
    """Evidence with claims: here with such that the quote does not bind."""
    quote, collateral = fixture.quote.read_bytes(), fixture.collateral.read_bytes()
    claims = head(5, 1) + head(3, 5) + b"nonce" + head(2, 2) + b"\1\2"
    whole = tagged(60000, quote, claims, collateral)
    cases = [
        (whole, 3, "refused by CLAIMS"),
        (tagged(60000, quote, claims), 3, "refused by ROOT_LIST"),
        (tagged(60000, quote, b"", collateral), 0, "accepted"),
        (tagged(60000, quote[:500], claims, collateral), 3, "refused by FORM"),
        (tagged(0x1a7504, quote[:500], claims, collateral), 3, "refused by FORM"),
        (tagged(60002, quote, claims), 3, "evidence of kind 60002"),
        (whole[:-1], 2, "unexpected end"),
        (whole + b"\0", 2, "not deterministic CBOR"),
        (tagged(60000, quote, claims, b"{}"), 2, "a member is missing"),
    ]
    path = fixture.folder / "evidence"
    for content, code, words in cases:
        path.write_bytes(content)
        found = fixture.run(evidence=path)
        assert found[0] == code and words in found[1] + found[2], (code, words, found)
    path.write_bytes(whole)
    code, text, _ = fixture.run("--json", evidence=path)
    assert code == 3 and "claims" not in json.loads(text), "what is not bound is not shown"


def decode(text):
    assert "=" not in text
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def der_integer(number):
    content = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes([2, len(content)]) + content


def der_signature(raw):
    half = len(raw) // 2
    body = der_integer(int.from_bytes(raw[:half], "big"))
    body += der_integer(int.from_bytes(raw[half:], "big"))
    return bytes([0x30, len(body)]) + body


def verify_signature(openssl, fixture, header, signed, signature):
    jwk = header["jwk"]
    prefix, digest = (SPKI_P256, "-sha256") if jwk["crv"] == "P-256" else (SPKI_P384, "-sha384")
    spki = prefix + decode(jwk["x"]) + decode(jwk["y"])
    (fixture.folder / "key.der").write_bytes(spki)
    (fixture.folder / "signed").write_bytes(signed)
    (fixture.folder / "signature").write_bytes(der_signature(signature))
    return subprocess.run([openssl, "dgst", digest, "-keyform", "DER", "-verify",
                           fixture.folder / "key.der", "-signature", fixture.folder / "signature",
                           fixture.folder / "signed"], check=False,
                          capture_output=True, timeout=TIMEOUT_S).returncode == 0


def once(pairs):
    """An object, in which each member is there once."""
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), names
    return dict(pairs)


def read_token(openssl, fixture, text):
    """Header and claims of a token whose signature is good, and bad for other bytes."""
    first, second, third = text.strip().split(".")
    header, claims = (json.loads(decode(part), object_pairs_hook=once) for part in (first, second))
    signed = f"{first}.{second}".encode()
    assert verify_signature(openssl, fixture, header, signed, decode(third))
    assert not verify_signature(openssl, fixture, header, signed + b"A", decode(third))
    return header, claims


def make_key(openssl, path, curve):
    subprocess.run([openssl, "ecparam", "-name", curve, "-genkey", "-noout", "-out", path],
                   check=True, timeout=TIMEOUT_S)
    text = subprocess.run([openssl, "ec", "-in", path, "-pubout", "-outform", "DER"], check=True,
                          capture_output=True, timeout=TIMEOUT_S).stdout
    return text[-64 if curve == "prime256v1" else -96:]


def test_tokens(openssl, fixture):
    for curve, algorithm in (("prime256v1", "ES256"), ("secp384r1", "ES384")):
        key = fixture.folder / f"{curve}.pem"
        point = make_key(openssl, key, curve)
        code, text, _ = fixture.run("--collateral", fixture.collateral, "--ear", key)
        assert code == 0
        header, claims = read_token(openssl, fixture, text)
        assert header["alg"] == algorithm and header["typ"] == "JWT"
        assert decode(header["jwk"]["x"]) + decode(header["jwk"]["y"]) == point
        check_claims(claims)
    code, text, _ = fixture.run("--ear", key)
    assert code == 3, "a refusal is a token, too"
    appraisal = read_token(openssl, fixture, text)[1]["submods"]["cpu0"]
    assert appraisal["ear.status"] == "contraindicated"
    assert appraisal["alcove.failed-check"] == "ROOT_LIST"
    assert "ear.veraison.annotated-evidence" not in appraisal
    test_tokens_of_machines(openssl, fixture, key)
    code, text, _ = fixture.run("--collateral", fixture.collateral, "--ear", key,
                                "--ear-dialect", "ietf")
    claims = read_token(openssl, fixture, text)[1]
    assert claims["eat_profile"].startswith("tag:ietf.org,")
    assert claims["submods"]["cpu0"]["ear_status"] == "warning"


def test_tokens_of_machines(openssl, fixture, key):
    """The other kinds of evidence; the guest of SEV-SNP can be debugged."""
    vectors = fixture.quote.parent
    code, text, _ = fixture.run("--collateral", vectors / "tdx_quote_collateral.json", "--ear", key,
                                evidence=vectors / "tdx_quote")
    evidence = read_token(openssl, fixture, text)[1]["submods"]["cpu0"][
        "ear.veraison.annotated-evidence"]["tdx"]
    assert code == 3 and evidence["quote"]["body"]["mr_td"].startswith("91eb2b44")
    folder = fixture.folder / "amd"
    folder.mkdir()
    shutil.copy(vectors.parent / "snp/vcek.testcer", folder / "vcek")
    shutil.copy(vectors.parent / "snp/ask_ark_milan.pem", folder / "cert_chain")
    code, text, _ = fixture.run("--collateral", folder, "--ear", key,
                                evidence=vectors.parent / "snp/attestation.bin")
    appraisal = read_token(openssl, fixture, text)[1]["submods"]["cpu0"]
    evidence = appraisal["ear.veraison.annotated-evidence"]["snp"]
    assert code == 3 and appraisal["alcove.failed-check"] == "NOT_DEBUG"
    assert evidence["measurement"].startswith("b07af962")


def check_claims(claims):
    assert claims["eat_profile"] == "tag:github.com,2024:confidential-containers/Trustee"
    assert claims["iat"] == 1751328000 and claims["exp"] == 1752919278
    appraisal = claims["submods"]["cpu0"]
    assert appraisal["ear.status"] == "warning"
    assert appraisal["ear.trustworthiness-vector"] == {
        "configuration": 32, "executables": 33, "hardware": 32, "runtime-opaque": 2}
    assert appraisal["ear.appraisal-policy-id"].startswith("sha256:")
    evidence = appraisal["ear.veraison.annotated-evidence"]["sgx"]
    assert evidence["body"]["mr_enclave"].startswith("33d8736d")
    assert evidence["tcb_status"] == "ConfigurationAndSWHardeningNeeded"
    assert evidence["advisory_ids"] == ["INTEL-SA-00289", "INTEL-SA-00615"]


def main():
    program, vectors = sys.argv[1], pathlib.Path(sys.argv[2]) / "sgx-tdx"
    if not vectors.is_dir():
        print("SKIPPED: no published quotes here")
        return SKIPPED
    openssl = shutil.which("openssl")
    with tempfile.TemporaryDirectory(prefix="alcove-verify-") as folder:
        fixture = Fixture(program, vectors, folder)
        test_answers(fixture)
        test_evidence_files(fixture)
        if openssl is None:
            print("SKIPPED: tokens: no openssl")
        else:
            test_tokens(openssl, fixture)
    print("verify: folders of answers and tokens: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
