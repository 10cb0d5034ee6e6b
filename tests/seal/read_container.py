#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A second reader of sealed containers, written from docs/sealed-storage.md and from nothing else.

    read_container.py CONTAINER KEYFILE GUEST    lists files with sizes and SHA-256; GUEST is what
                                                 the program calls the directory
    read_container.py --test ALCOVE FILES.wasm   a container that alcove made, read and compared

Ends with status 77 where the Python package `cryptography` is missing.
"""
import hashlib
import hmac
import pathlib
import struct
import subprocess
import sys
import tempfile

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:
    sys.exit(77)

BLOCK, FANOUT, HEADER_AAD = 4096, 85, 64
PARTIAL = 2 # flag of a root: of a copy that was not completed
MAGIC = bytes.fromhex("414c435345414c01")
FREE, DIRECTORY, FILE, LINK = 0, 3, 4, 7
ROOT_ID, TABLE_ID, ROOT_INODE = 0, 1, 1


def hkdf(salt, secret, info):
    """RFC 5869 with SHA-256, one block."""
    key = hmac.new(salt or bytes(32), secret, hashlib.sha256).digest()
    return hmac.new(key, info + b"\1", hashlib.sha256).digest()


class Pointer:
    def __init__(self, data):
        self.address, self.counter = struct.unpack_from("<QQ", data)
        self.epoch, self.tag = data[16:32], data[32:48]


class Container:
    def __init__(self, data, key, guest_path):
        self.data = data
        header = data[:BLOCK]
        version, block_size = struct.unpack_from("<II", header, 8)
        assert (header[:8], version, block_size) == (MAGIC, 2, BLOCK), "header"
        secret = hkdf(b"", key, b"alcove sealed mount " + hashlib.sha256(guest_path).digest())
        self.mount_key = hkdf(header[16:48], secret, b"alcove seal mount")
        self.names_key = hkdf(b"", self.mount_key, b"alcove seal names")
        roots = [root for root in map(self.read_root, (1, 2))
                 if root is not None and not root[8] & PARTIAL]
        root = max(roots, key=lambda record: struct.unpack_from("<Q", record)[0])
        self.generation, self.flags = struct.unpack_from("<QQ", root)
        self.table = (TABLE_ID, Pointer(root[24:72]), struct.unpack_from("<I", root, 72)[0])
        self.inodes_count = struct.unpack_from("<Q", root, 80)[0]

    def open(self, file_id, pointer, sealed, data):
        info = b"alcove seal block" + struct.pack("<Q", file_id) + pointer.epoch
        nonce = struct.pack("<QI", pointer.counter, 0)
        key = AESGCM(hkdf(b"", self.mount_key, info))
        return key.decrypt(nonce, sealed + pointer.tag, data)

    def block(self, address):
        return self.data[address * BLOCK:(address + 1) * BLOCK]

    def read_root(self, place):
        block = self.block(place)
        pointer = Pointer(struct.pack("<Q", 0) + block[16:24] + block[:16] + block[32:48])
        try:
            return self.open(ROOT_ID, pointer, block[48:], self.data[:HEADER_AAD])
        except InvalidTag:
            return None

    def read_block(self, tree, index, level=0):
        """Block `index` of `level`; None for a hole."""
        file_id, pointer, height = tree
        if index >= FANOUT ** (height - level):
            return None
        if level < height:
            node = self.read_block(tree, index // FANOUT, level + 1)
            if node is None:
                return None
            pointer = Pointer(node[index % FANOUT * 48:][:48])
        if pointer.address == 0:
            return None
        data = struct.pack("<QII", file_id, level, index)
        return self.open(file_id, pointer, self.block(pointer.address), data)

    def inode(self, number):
        """Type, size and tree."""
        block = self.read_block(self.table, number // 16) or bytes(BLOCK)
        record = block[number % 16 * 256:][:256]
        kind = struct.unpack_from("<I", record)[0]
        file_id, size = struct.unpack_from("<QQ", record, 8)
        height = struct.unpack_from("<I", record, 104)[0]
        return kind, size, (file_id, Pointer(record[56:104]), height)

    def content(self, number):
        _, size, tree = self.inode(number)
        blocks = (self.read_block(tree, index) or bytes(BLOCK)
                  for index in range((size + BLOCK - 1) // BLOCK))
        return b"".join(blocks)[:size]

    def bucket(self, tree, bucket=1, depth=0):
        """(name, inode, type) of all entries, in the order of their hashes."""
        block = self.read_block(tree, bucket - 1)
        if block is None:
            return
        kind, used = struct.unpack_from("<II", block)
        if kind == 1:
            yield from self.bucket(tree, 2 * bucket, depth + 1)
            yield from self.bucket(tree, 2 * bucket + 1, depth + 1)
            return
        at = 16
        while at < 16 + used:
            found, inode, kind, size = struct.unpack_from("<QQBB", block, at)
            name = block[at + 18:at + 18 + size]
            at += 18 + size
            code = hmac.new(self.names_key, struct.pack("<Q", tree[0]) + name, hashlib.sha256)
            wanted = int.from_bytes(code.digest()[:8], "little") | 3
            place = bucket ^ 1 << depth
            assert found == wanted and place == found >> 64 - depth, "place of a name"
            yield name, inode, kind

    def walk(self, number=ROOT_INODE, path=b""):
        for name, inode, kind in self.bucket(self.inode(number)[2]):
            assert self.inode(inode)[0] == kind, "type in a directory"
            yield path + b"/" + name, inode, kind
            if kind == DIRECTORY:
                yield from self.walk(inode, path + b"/" + name)


def expected(number):
    """What tests/seal/guests/files.c writes to its file `number`."""
    size = 3000000 if number == 0 else number * 1234
    return bytes((number * 31 + at * 7 + (at >> 9)) & 255 for at in range(size))


def test(alcove, wasm):
    with tempfile.TemporaryDirectory() as folder:
        key = pathlib.Path(folder) / "key"
        key.write_bytes(bytes(range(32)))
        words = ["--tee", "none", "--sealed", f"{folder}::/data", "--seal-key", str(key)]
        subprocess.run([alcove, "run", *words, wasm, "fill"], check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
        data = (pathlib.Path(folder) / "alcove.seal").read_bytes()
        container = Container(data, key.read_bytes(), b"/data")
        found = {path: (inode, kind) for path, inode, kind in container.walk()}
        for number in range(40):
            path = f"/{'inner/' if number % 2 == 0 else ''}file with a name {number}".encode()
            inode, kind = found.pop(path)
            assert kind == FILE and container.content(inode) == expected(number), path
        link = found.pop(b"/link")
        assert container.content(link[0]) == b"inner"
        assert found.pop(b"/inner")[1] == DIRECTORY and not found, found
        assert container.flags == 1, "closed in order"
        # And it sees what it should: one bit changed is one file that does not open.
        changed = bytearray(data)
        pointer = container.inode(ROOT_INODE)[2][1]
        changed[pointer.address * BLOCK + 7] ^= 1
        try:
            list(Container(bytes(changed), key.read_bytes(), b"/data").walk())
            raise AssertionError("a changed block was not noticed")
        except InvalidTag:
            pass
    print("read_container: 40 files as they were written")


def main():
    if sys.argv[1] == "--test":
        test(*sys.argv[2:])
        return
    data, key = (pathlib.Path(path).read_bytes() for path in sys.argv[1:3])
    container = Container(data, key, sys.argv[3].encode())
    for path, inode, kind in container.walk():
        content = b"" if kind == DIRECTORY else container.content(inode)
        digest = hashlib.sha256(content).hexdigest()
        print(kind, len(content), digest, path.decode(errors="replace"))


if __name__ == "__main__":
    main()
