/* SPDX-License-Identifier: Apache-2.0
 *
 * SIGSTRUCTs and a bare signature made by other people's signers (tests/image/CMakeLists.txt says
 * where they come from): RSA, Q1 and Q2 are reproduced from modulus and signature. argument: the
 * folder; exit code 77 when it is not there.
 */
#include <openssl/bn.h>
#include <stdio.h>
#include <string.h>

#include "sgx/sign.h"

enum { SKIPPED = 77, FILE_MAX = 4096 };

static size_t read_file(const char *folder, const char *name, uint8_t out[FILE_MAX])
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        return 0;
    }
    size_t size = fread(out, 1, FILE_MAX, stream);
    fclose(stream);
    return size;
}

static void print_hex(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        printf("%02x", bytes[i]);
    }
}

/* `hash_start` is what the package says about ENCLAVEHASH, NULL when it says nothing. */
static bool check_file(const char *folder, const char *name, const char *hash_start)
{
    uint8_t bytes[FILE_MAX];
    struct alc_sgx_sigstruct sigstruct;
    const char *detail = "wrong size";
    size_t size = read_file(folder, name, bytes);
    bool good = size == sizeof sigstruct;
    if (good) {
        memcpy(&sigstruct, bytes, sizeof sigstruct);
        good = alc_sigstruct_judge(&sigstruct, &detail) == ALC_SGX_SUCCESS;
    }
    printf("%s: %s", name, detail);
    if (good) {
        char hash[65];
        uint8_t mrsigner[32];
        for (size_t i = 0; i < 32; i++) {
            snprintf(hash + 2 * i, 3, "%02x", sigstruct.enclave_hash[i]);
        }
        alc_mrsigner(&sigstruct, mrsigner);
        printf(", date %08x, enclave %s, signer ", sigstruct.date, hash);
        print_hex(mrsigner, sizeof mrsigner);
        good = hash_start == NULL || strncmp(hash, hash_start, strlen(hash_start)) == 0;
        sigstruct.q1[5] ^= 1;
        good = good && alc_sigstruct_judge(&sigstruct, &detail) == ALC_SGX_INVALID_SIGNATURE;
    }
    printf("\n");
    return good;
}

/* S^3 mod N is the PKCS #1 padding, the ASN.1 name of SHA-256 and the digest (RFC 8017, 9.2). */
static bool opens_to_digest(const uint8_t *n_bytes, const uint8_t *s_bytes, const uint8_t *digest)
{
    static const uint8_t name[] = {0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                   0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    enum { TAIL = sizeof name + 32, SIZE = ALC_SGX_RSA_SIZE };
    uint8_t expected[SIZE];
    uint8_t found[SIZE];
    memset(expected, 0xFF, sizeof expected);
    expected[0] = 0;
    expected[1] = 1;
    expected[SIZE - TAIL - 1] = 0;
    memcpy(expected + SIZE - TAIL, name, sizeof name);
    memcpy(expected + SIZE - 32, digest, 32);
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_lebin2bn(n_bytes, SIZE, NULL);
    BIGNUM *s = BN_lebin2bn(s_bytes, SIZE, NULL);
    BIGNUM *cube = BN_new();
    bool good = BN_mod_sqr(cube, s, n, ctx) && BN_mod_mul(cube, cube, s, n, ctx) &&
                BN_bn2binpad(cube, found, SIZE) == SIZE && memcmp(found, expected, SIZE) == 0;
    BN_free(cube);
    BN_free(s);
    BN_free(n);
    BN_CTX_free(ctx);
    return good;
}

static bool check_bare(const char *folder)
{
    uint8_t n[FILE_MAX];
    uint8_t s[FILE_MAX];
    uint8_t expected[FILE_MAX];
    uint8_t q1[ALC_SGX_RSA_SIZE];
    uint8_t q2[ALC_SGX_RSA_SIZE];
    bool good = read_file(folder, "sig1.key_n.bin", n) == sizeof q1 &&
                read_file(folder, "sig1.sig.bin", s) == sizeof q1 &&
                alc_sign_quotients(n, s, q1, q2) == ALC_OK &&
                read_file(folder, "sig1.q1.bin", expected) == sizeof q1 &&
                memcmp(expected, q1, sizeof q1) == 0 &&
                read_file(folder, "sig1.q2.bin", expected) == sizeof q2 &&
                memcmp(expected, q2, sizeof q2) == 0 &&
                read_file(folder, "sig1.data.bin", expected) == 32 &&
                opens_to_digest(n, s, expected);
    printf("sig1.*: %s\n", good ? "RSA good, Q1 and Q2 reproduced" : "RSA, Q1 or Q2 differs");
    return good;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        const char *hash_start;
    } files[] = {
        {"test_enclave.sig", "784acfd7d5096a8f0fbd3265760bff21b120f62407a9a9e5ba31aa3c8ed198fc"},
        {"sig1.sigstruct.bin", NULL},
        {"enarx-encl.ss", "b9995362"},
        {"inclavare-hello-world.sig", NULL},
    };
    uint8_t probe[FILE_MAX];
    if (argc != 2 || read_file(argv[1], files[0].name, probe) == 0) {
        printf("SKIP: no vectors in %s (they come from public packages, see the README of the "
               "shared data)\n",
               argc == 2 ? argv[1] : "(no folder)");
        return SKIPPED;
    }
    bool good = check_bare(argv[1]);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(files); i++) {
        good = check_file(argv[1], files[i].name, files[i].hash_start) && good;
    }
    return good ? 0 : 1;
}
