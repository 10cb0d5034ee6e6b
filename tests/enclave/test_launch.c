/* SPDX-License-Identifier: Apache-2.0
 *
 * What EINIT refuses: every change to the image or its signature, each with the processor's error
 * code. (The refusals of EENTER and ERESUME are in test_calls.c.)
 */
#include "tests/enclave/support.h"

#include <stdlib.h>
#include <string.h>

static uint8_t *g_image;

struct attempt {
    struct alc_sgx_sigstruct sigstruct;
    const char *expected; /* beginning of the error's detail */
};

static void begin(struct attempt *attempt, const char *expected)
{
    attempt->sigstruct = enclave_test_sigstruct;
    attempt->expected = expected;
    memcpy(g_image, enclave_test_image, enclave_test_image_size);
}

static void refuse(const struct attempt *attempt)
{
    struct alc_sgx_enclave *enclave = NULL;
    struct alc_error error;
    alc_error_clear(&error);
    alc_status status = alc_sgx_load(alc_sgx_emu_backend(), g_image, enclave_test_image_size,
                                     &attempt->sigstruct, NULL, &enclave, &error);
    assert_int_equal(status, ALC_E_LAUNCH_REFUSED);
    if (strncmp(error.detail, attempt->expected, strlen(attempt->expected)) != 0) {
        fail_msg("%s instead of %s", error.detail, attempt->expected);
    }
}

/* First byte of measured data of the last page that has some. */
static size_t data_position(void)
{
    struct alc_image image;
    struct alc_image_page page;
    size_t position = 0;
    size_t found = 0;
    assert_int_equal(alc_image_parse(g_image, enclave_test_image_size, &image, NULL), ALC_OK);
    while (alc_image_next_page(&image, &position, &page)) {
        if (page.chunks != NULL) {
            found = (size_t)(page.chunks - g_image) + 64;
        }
    }
    assert_int_not_equal(found, 0);
    return found;
}

static void test_a_changed_image_is_refused(void **state)
{
    (void)state;
    struct attempt attempt;
    begin(&attempt, "EINIT 4");
    g_image[data_position()] ^= 1;
    refuse(&attempt);
    begin(&attempt, "EINIT 4"); /* and its first bytes of code */
    g_image[64 + 64 + 64] ^= 0x80;
    refuse(&attempt);
}

static void test_a_changed_signature_is_refused(void **state)
{
    (void)state;
    struct attempt attempt;
    begin(&attempt, "EINIT 8");
    attempt.sigstruct.signature[5] ^= 1;
    refuse(&attempt);
    begin(&attempt, "EINIT 8");
    attempt.sigstruct.isv_svn++;
    refuse(&attempt);
    begin(&attempt, "EINIT 8");
    attempt.sigstruct.q1[0] ^= 1;
    refuse(&attempt);
    begin(&attempt, "EINIT 8");
    attempt.sigstruct.q2[200] ^= 0x10;
    refuse(&attempt);
    begin(&attempt, "EINIT 8");
    attempt.sigstruct.modulus[10] ^= 4;
    refuse(&attempt);
    begin(&attempt, "EINIT 8");
    attempt.sigstruct.enclave_hash[0] ^= 1;
    refuse(&attempt);
}

static void test_a_malformed_sigstruct_is_refused(void **state)
{
    (void)state;
    struct attempt attempt;
    begin(&attempt, "EINIT 1");
    attempt.sigstruct.header[0] ^= 1;
    refuse(&attempt);
    begin(&attempt, "EINIT 1");
    attempt.sigstruct.header2[4] ^= 1;
    refuse(&attempt);
    begin(&attempt, "EINIT 1");
    attempt.sigstruct.reserved_44[0] = 1;
    refuse(&attempt);
    begin(&attempt, "EINIT 1");
    attempt.sigstruct.exponent = 65537;
    refuse(&attempt);
}

/* The loader asks for what the SIGSTRUCT says, so changing one breaks the signature too; the order
 * of EINIT's checks decides. What matters: it does not start. */
static void test_unsigned_attributes_are_refused(void **state)
{
    (void)state;
    struct attempt attempt;
    begin(&attempt, "");
    attempt.sigstruct.attributes.flags |= ALC_SGX_ATTRIBUTE_PROVISION;
    struct alc_sgx_enclave *enclave = NULL;
    assert_int_not_equal(alc_sgx_load(alc_sgx_emu_backend(), g_image, enclave_test_image_size,
                                      &attempt.sigstruct, NULL, &enclave, NULL),
                         ALC_OK);
    attempt.sigstruct = enclave_test_sigstruct;
    attempt.sigstruct.attributes.flags |= ALC_SGX_ATTRIBUTE_DEBUG;
    refuse(&attempt);
    attempt.sigstruct = enclave_test_sigstruct;
    attempt.sigstruct.attributes_mask.flags = 0;
    refuse(&attempt);
    attempt.sigstruct = enclave_test_sigstruct;
    attempt.sigstruct.miscselect = 0;
    refuse(&attempt);
}

/* -- a host that creates something else than what was signed -- */

static struct alc_sgx_secs g_changes; /* bits to be flipped at ECREATE */

static int create_changed(struct alc_sgx_context *context, const struct alc_sgx_secs *secs)
{
    struct alc_sgx_secs changed = *secs;
    changed.attributes.flags ^= g_changes.attributes.flags;
    changed.attributes.xfrm ^= g_changes.attributes.xfrm;
    changed.miscselect ^= g_changes.miscselect;
    return alc_sgx_emu_backend()->create(context, &changed);
}

static void test_other_attributes_than_signed_are_refused(void **state)
{
    (void)state;
    static const struct alc_sgx_secs changes[] = {
        {.attributes = {.flags = ALC_SGX_ATTRIBUTE_DEBUG}},
        {.attributes = {.xfrm = ALC_SGX_XFRM_AVX}},
        {.miscselect = ALC_SGX_MISC_EXINFO},
    };
    struct alc_sgx_backend backend = *alc_sgx_emu_backend();
    backend.create = create_changed;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(changes); i++) {
        struct alc_sgx_enclave *enclave = NULL;
        struct alc_error error;
        alc_error_clear(&error);
        g_changes = changes[i];
        assert_int_equal(alc_sgx_load(&backend, enclave_test_image, enclave_test_image_size,
                                      &enclave_test_sigstruct, NULL, &enclave, &error),
                         ALC_E_LAUNCH_REFUSED);
        if (strncmp(error.detail, "EINIT 2", 7) != 0) {
            fail_msg("change %d: %s", (int)i, error.detail);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_changed_image_is_refused),
        cmocka_unit_test(test_a_changed_signature_is_refused),
        cmocka_unit_test(test_a_malformed_sigstruct_is_refused),
        cmocka_unit_test(test_unsigned_attributes_are_refused),
        cmocka_unit_test(test_other_attributes_than_signed_are_refused),
    };
    g_image = malloc(enclave_test_image_size);
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    free(g_image);
    return result;
}
