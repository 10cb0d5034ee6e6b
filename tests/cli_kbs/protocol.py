# SPDX-License-Identifier: Apache-2.0
"""Another implementation of what the key broker protocol binds and encrypts, in Python, for tests.
Needs the package `cryptography`."""
import base64
import hashlib
import json
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from broker import expect

CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


def encode(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def canonical(value):
    """JSON as RFC 8785 has it, for values without fractions."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def derive_wrapping_key(secret):
    info = b"\0\0\0\x0eECDH-ES+A256KW" + bytes(8) + (256).to_bytes(4, "big")
    return ConcatKDFHash(hashes.SHA256(), 32, info).derive(secret)


class EcKey:
    """A client's key of one of the curves."""

    def __init__(self, curve):
        self.key = ec.generate_private_key(CURVES[curve])
        numbers = self.key.public_key().public_numbers()
        size = (self.key.key_size + 7) // 8
        self.jwk = {"kty": "EC", "crv": curve, "alg": "ECDH-ES+A256KW",
                    "x": encode(numbers.x.to_bytes(size, "big")),
                    "y": encode(numbers.y.to_bytes(size, "big"))}

    def unwrap(self, header, wrapped):
        expect("header", list(header), ["alg", "enc", "epk"])
        expect("ephemeral key", list(header["epk"]), ["crv", "kty", "x", "y"])
        epk = header["epk"]
        peer = ec.EllipticCurvePublicNumbers(int.from_bytes(decode(epk["x"]), "big"),
                                             int.from_bytes(decode(epk["y"]), "big"),
                                             CURVES[epk["crv"]]).public_key()
        secret = self.key.exchange(ec.ECDH(), peer)
        return aes_key_unwrap(derive_wrapping_key(secret), wrapped)


class RsaKey:
    def __init__(self, bits):
        self.key = rsa.generate_private_key(65537, bits)
        modulus = self.key.public_key().public_numbers().n
        self.jwk = {"kty": "RSA", "alg": "RSA-OAEP-256", "e": "AQAB",
                    "n": encode(modulus.to_bytes(bits // 8, "big"))}

    def unwrap(self, header, wrapped):
        expect("header", list(header), ["alg", "enc"])
        return self.key.decrypt(wrapped, padding.OAEP(padding.MGF1(hashes.SHA256()),
                                                      hashes.SHA256(), None))


def open_message(key, message):
    header = json.loads(decode(message["protected"]))
    # Clients write the header anew before they use it as authenticated data.
    expect("header's form", message["protected"],
           encode(json.dumps(header, separators=(",", ":")).encode()))
    content_key = key.unwrap(header, decode(message["encrypted_key"]))
    return AESGCM(content_key).decrypt(decode(message["iv"]),
                                       decode(message["ciphertext"]) + decode(message["tag"]),
                                       message["protected"].encode())


def seal_message(jwk, content):
    epk = EcKey("P-256")
    peer = ec.EllipticCurvePublicNumbers(int.from_bytes(decode(jwk["x"]), "big"),
                                         int.from_bytes(decode(jwk["y"]), "big"),
                                         ec.SECP256R1()).public_key()
    content_key, iv = os.urandom(32), os.urandom(12)
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM",
              "epk": {name: epk.jwk[name] for name in ("crv", "kty", "x", "y")}}
    protected = encode(json.dumps(header).encode())
    sealed = AESGCM(content_key).encrypt(iv, content, protected.encode())
    wrapped = aes_key_wrap(derive_wrapping_key(epk.key.exchange(ec.ECDH(), peer)), content_key)
    return {"protected": protected, "encrypted_key": encode(wrapped), "iv": encode(iv),
            "ciphertext": encode(sealed[:-16]), "tag": encode(sealed[-16:])}


def bind(nonce, jwk, additional):
    return hashlib.sha384(canonical({"additional-evidence": additional, "nonce": nonce,
                                     "tee-pubkey": jwk})).digest()
