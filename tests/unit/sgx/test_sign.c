/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing round trip, and every way in which EINIT would refuse a SIGSTRUCT. Signatures of other
 * signers are checked by tests/image/test_sigstruct_vectors.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "sgx/sign.h"

static char *g_pem;
static size_t g_pem_size;
static struct alc_sgx_sigstruct g_good;
static const uint8_t mrenclave[32] = {1, 2, 3, 4, 5, 6, 7, 8};
static const struct alc_sign_options options = {
    .product_id = 0x1234, .svn = 7, .date = 0x20261124, .debug = false};

static int make_key(void **state)
{
    (void)state;
    struct alc_error error;
    alc_error_clear(&error);
    if (alc_sign_generate_key(&g_pem, &g_pem_size, &error) != ALC_OK) {
        return -1;
    }
    return alc_sign(mrenclave, &options, g_pem, g_pem_size, &g_good, &error) == ALC_OK ? 0 : -1;
}

static int drop_key(void **state)
{
    (void)state;
    free(g_pem);
    return 0;
}

static void test_fields(void **state)
{
    (void)state;
    assert_int_equal(g_good.exponent, 3);
    assert_int_equal(g_good.vendor, 0);
    assert_int_equal(g_good.date, 0x20261124);
    assert_int_equal(g_good.isv_product_id, 0x1234);
    assert_int_equal(g_good.isv_svn, 7);
    assert_memory_equal(g_good.enclave_hash, mrenclave, 32);
    assert_int_equal(g_good.attributes.flags, ALC_SGX_ATTRIBUTE_MODE64);
    assert_int_equal(g_good.attributes.xfrm, 3);
    assert_int_equal(g_good.attributes_mask.flags & ALC_SGX_ATTRIBUTE_DEBUG,
                     ALC_SGX_ATTRIBUTE_DEBUG);
    /* The same image runs on processors with and without KSS. */
    assert_int_equal(g_good.attributes_mask.flags & ALC_SGX_ATTRIBUTE_KSS, 0);
    assert_int_equal(g_good.miscselect, ALC_SGX_MISC_EXINFO);
}

static void test_signing_is_deterministic(void **state)
{
    (void)state;
    struct alc_sgx_sigstruct again;
    assert_int_equal(alc_sign(mrenclave, &options, g_pem, g_pem_size, &again, NULL), ALC_OK);
    assert_memory_equal(&again, &g_good, sizeof again);
}

static void test_debug_is_a_choice(void **state)
{
    (void)state;
    struct alc_sign_options debug = options;
    struct alc_sgx_sigstruct sigstruct;
    debug.debug = true;
    assert_int_equal(alc_sign(mrenclave, &debug, g_pem, g_pem_size, &sigstruct, NULL), ALC_OK);
    assert_int_equal(sigstruct.attributes.flags,
                     ALC_SGX_ATTRIBUTE_MODE64 | ALC_SGX_ATTRIBUTE_DEBUG);
}

static void test_every_changed_byte_is_noticed(void **state)
{
    (void)state;
    const char *detail;
    for (size_t i = 0; i < sizeof g_good; i++) {
        struct alc_sgx_sigstruct changed = g_good;
        ((uint8_t *)&changed)[i] ^= 0x40;
        enum alc_sgx_error verdict = alc_sigstruct_judge(&changed, &detail);
        assert_int_not_equal(verdict, ALC_SGX_SUCCESS);
        assert_int_equal(alc_sigstruct_verify(&changed, NULL), ALC_E_BAD_SIGSTRUCT);
    }
}

static void test_verdicts(void **state)
{
    (void)state;
    const char *detail;
    struct alc_sgx_sigstruct changed = g_good;
    changed.vendor = 1;
    assert_int_equal(alc_sigstruct_judge(&changed, &detail), ALC_SGX_INVALID_SIG_STRUCT);
    changed = g_good;
    changed.exponent = 65537;
    assert_int_equal(alc_sigstruct_judge(&changed, &detail), ALC_SGX_INVALID_SIG_STRUCT);
    changed = g_good;
    changed.reserved_1028[11] = 1;
    assert_int_equal(alc_sigstruct_judge(&changed, &detail), ALC_SGX_INVALID_SIG_STRUCT);
    changed = g_good;
    changed.isv_svn++;
    assert_int_equal(alc_sigstruct_judge(&changed, &detail), ALC_SGX_INVALID_SIGNATURE);
    changed = g_good;
    changed.q1[0] ^= 1;
    assert_int_equal(alc_sigstruct_judge(&changed, &detail), ALC_SGX_INVALID_SIGNATURE);
    changed = g_good;
    memset(changed.modulus, 0, sizeof changed.modulus);
    assert_int_equal(alc_sigstruct_judge(&changed, &detail), ALC_SGX_INVALID_SIGNATURE);
    changed = g_good;
    memset(changed.signature, 0xFF, sizeof changed.signature);
    assert_int_equal(alc_sigstruct_judge(&changed, &detail), ALC_SGX_INVALID_SIGNATURE);
}

static void test_bad_keys_are_refused(void **state)
{
    (void)state;
    struct alc_sgx_sigstruct sigstruct;
    struct alc_error error;
    /* An RSA-512 key with exponent 3 would do no harm, but it is not what EINIT takes. */
    static const char text[] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    alc_error_clear(&error);
    assert_int_equal(alc_sign(mrenclave, &options, text, sizeof text - 1, &sigstruct, &error),
                     ALC_E_BAD_ARGUMENT);
    alc_error_clear(&error);
    assert_int_equal(alc_sign(mrenclave, &options, "", 0, &sigstruct, &error), ALC_E_BAD_ARGUMENT);
    /* A cut key. */
    alc_error_clear(&error);
    assert_int_equal(alc_sign(mrenclave, &options, g_pem, g_pem_size / 2, &sigstruct, &error),
                     ALC_E_BAD_ARGUMENT);
}

static void test_mrsigner_depends_on_the_key_only(void **state)
{
    (void)state;
    struct alc_sgx_sigstruct other = g_good;
    uint8_t a[32];
    uint8_t b[32];
    other.isv_svn = 99;
    alc_mrsigner(&g_good, a);
    alc_mrsigner(&other, b);
    assert_memory_equal(a, b, 32);
    other.modulus[7] ^= 1;
    alc_mrsigner(&other, b);
    assert_memory_not_equal(a, b, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_signing_is_deterministic),
        cmocka_unit_test(test_debug_is_a_choice),
        cmocka_unit_test(test_every_changed_byte_is_noticed),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_bad_keys_are_refused),
        cmocka_unit_test(test_mrsigner_depends_on_the_key_only),
    };
    return cmocka_run_group_tests(tests, make_key, drop_key);
}
