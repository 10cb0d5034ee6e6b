/* SPDX-License-Identifier: Apache-2.0
 *
 * The enclave's random generator over a processor that a test makes up: published vectors of the
 * block function, and what becomes of a source that fails, repeats itself or has no keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "enclave/random.h"
#include "enclave/tee.h"

static uint64_t entropy_calls;
static uint64_t entropy_step = 1;
static uint64_t entropy_next;
static bool has_entropy = true;
static bool has_keys = true;

alc_status alc_tee_entropy(uint64_t *out)
{
    entropy_calls++;
    entropy_next += entropy_step;
    *out = entropy_next;
    return has_entropy ? ALC_OK : ALC_E_IO_FAILED;
}

alc_status alc_tee_key(const struct alc_sgx_key_request *request, struct alc_sgx_key *out)
{
    assert_int_equal(request->name, ALC_SGX_KEY_SEAL);
    memset(out, 0x33, sizeof *out);
    return has_keys ? ALC_OK : ALC_E_POLICY_REFUSED;
}

/* RFC 8439, A.1, test vectors 1 and 2. */
static void test_block_vectors(void **state)
{
    static const uint8_t expected[2][64] = {
        {0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53,
         0x86, 0xbd, 0x28, 0xbd, 0xd2, 0x19, 0xb8, 0xa0, 0x8d, 0xed, 0x1a, 0xa8, 0x36,
         0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7, 0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48,
         0x8d, 0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8, 0x4a, 0x37, 0x6a, 0x43, 0xb8, 0xf4,
         0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86},
        {0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73,
         0x2d, 0x08, 0x0d, 0xcb, 0x0f, 0x29, 0xa0, 0x48, 0xe3, 0x65, 0x69, 0x12, 0xc6,
         0x53, 0x3e, 0x32, 0xee, 0x7a, 0xed, 0x29, 0xb7, 0x21, 0x76, 0x9c, 0xe6, 0x4e,
         0x43, 0xd5, 0x71, 0x33, 0xb0, 0x74, 0xd8, 0x39, 0xd5, 0x31, 0xed, 0x1f, 0x28,
         0x51, 0x0a, 0xfb, 0x45, 0xac, 0xe1, 0x0a, 0x1f, 0x4b, 0x79, 0x4d, 0x6f}};
    uint8_t key[ALC_CHACHA20_KEY_SIZE] = {0};
    uint8_t block[ALC_CHACHA20_BLOCK_SIZE];
    (void)state;
    for (uint64_t counter = 0; counter < 2; counter++) {
        alc_chacha20_block(key, counter, block);
        assert_memory_equal(block, expected[counter], sizeof block);
    }
}

/* A failing source is told, hands out nothing, and does not stop the generator for ever. */
static void test_without_entropy(void **state)
{
    uint8_t buf[100];
    (void)state;
    has_entropy = false;
    memset(buf, 0xff, sizeof buf);
    assert_int_equal(alc_enclave_random(buf, sizeof buf), ALC_E_IO_FAILED);
    for (size_t i = 0; i < sizeof buf; i++) {
        assert_int_equal(buf[i], 0);
    }
    has_entropy = true;
    entropy_step = 0; /* the same word again and again */
    assert_int_equal(alc_enclave_random(buf, sizeof buf), ALC_E_IO_FAILED);
    entropy_step = 1;
    assert_int_equal(alc_enclave_random(buf, sizeof buf), ALC_OK);
}

static void test_never_the_same(void **state)
{
    enum { PIECES = 512 };
    static uint8_t pieces[PIECES][16];
    uint64_t before = entropy_calls;
    (void)state;
    has_keys = false;
    for (size_t i = 0; i < PIECES; i++) {
        assert_int_equal(alc_enclave_random(pieces[i], sizeof pieces[i]), ALC_OK);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(pieces[i], pieces[j], sizeof pieces[i]);
        }
    }
    assert_true(entropy_calls > before); /* renewed meanwhile */
    has_keys = true;
}

static void test_all_sizes(void **state)
{
    static uint8_t buf[(3 << 20) + 1];
    (void)state;
    for (size_t size = 0; size < 300; size++) {
        buf[size] = 0x77;
        assert_int_equal(alc_enclave_random(buf, size), ALC_OK);
        assert_int_equal(buf[size], 0x77);
    }
    uint64_t before = entropy_calls;
    assert_int_equal(alc_enclave_random(buf, sizeof buf), ALC_OK);
    assert_true(entropy_calls > before);
    size_t counts[256] = {0};
    for (size_t i = 0; i < sizeof buf; i++) {
        counts[buf[i]]++;
    }
    for (size_t i = 0; i < 256; i++) { /* 12288 on average, deviation 111 */
        assert_in_range(counts[i], 11500, 13100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_vectors),
        cmocka_unit_test(test_without_entropy),
        cmocka_unit_test(test_never_the_same),
        cmocka_unit_test(test_all_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
