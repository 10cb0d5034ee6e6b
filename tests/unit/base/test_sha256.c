/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256: published vectors (FIPS 180-4's examples), and the processor's instructions against the
 * portable code, for every size around the edges of blocks and in pieces.
 */
#include <cpuid.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha256.h"

enum { SIZES = 400, PIECES = 3 };

static void check_sha256(const char *text, size_t size, const char *hex)
{
    uint8_t digest[ALC_SHA256_SIZE];
    alc_sha256(text, size, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        assert_int_equal(digest[i], strtoul(pair, NULL, 16));
    }
}

static void test_vectors(void **state)
{
    (void)state;
    check_sha256("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_sha256("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    check_sha256(two, 56, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    check_sha256(million, 1000000,
                 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

/* Digests of all sizes, of other bytes each, in pieces of other sizes. */
static void hash_all(uint8_t digests[SIZES][PIECES][ALC_SHA256_SIZE])
{
    static const size_t pieces[PIECES] = {SIZES, 1, 67};
    uint8_t bytes[SIZES];
    for (size_t size = 0; size < SIZES; size++) {
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (uint8_t)(i * 167 + size * 13 + (i >> 3));
        }
        for (size_t i = 0; i < PIECES; i++) {
            struct alc_sha256 hash;
            alc_sha256_init(&hash);
            for (size_t at = 0; at < size; at += pieces[i]) {
                alc_sha256_update(&hash, bytes + at, size - at < pieces[i] ? size - at : pieces[i]);
            }
            alc_sha256_finish(&hash, digests[size][i]);
        }
    }
}

/* The last test: there is no way back. */
static void test_instructions(void **state)
{
    static uint8_t portable[SIZES][PIECES][ALC_SHA256_SIZE];
    static uint8_t found[SIZES][PIECES][ALC_SHA256_SIZE];
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (ebx & bit_SHA) == 0) {
        print_message("SKIPPED: the processor has no instructions for SHA-256\n");
        skip();
    }
    hash_all(portable);
    alc_sha256_use_instructions();
    hash_all(found);
    assert_memory_equal(found, portable, sizeof found);
    for (size_t size = 0; size < SIZES; size++) {
        assert_memory_equal(found[size][1], found[size][0], ALC_SHA256_SIZE);
        assert_memory_equal(found[size][2], found[size][0], ALC_SHA256_SIZE);
    }
    test_vectors(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_instructions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
