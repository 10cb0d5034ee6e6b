/* SPDX-License-Identifier: Apache-2.0
 *
 * Code that is not confined, vouched for by a key that the manifest names: it runs in the enclave
 * with a good voucher, within its limits, and with no other.
 */
#include "native/support.h"

#include <stdlib.h>
#include <string.h>

#include "keys/keys.h"
#include "voucher/voucher.h"

static const char *g_module_path;
static struct alc_ec_private_key private_key;
static uint8_t key_sha256[32];

static const struct alc_compile_options checked = {.shape = ALC_COMPILE_CHECKED, .threads = 1};

static int make_key(void **state)
{
    (void)state;
    struct alc_ec_public_key public_key;
    if (alc_ec_generate(ALC_CURVE_P256, &alc_keys_random, &private_key, &public_key) != ALC_OK) {
        return -1;
    }
    alc_voucher_key_sha256(&public_key, key_sha256);
    return 0;
}

/* Writes the image again with a voucher in it. */
static void vouch(struct native_program *program, const struct alc_voucher_statement *statement)
{
    static uint8_t voucher[1000];
    size_t voucher_size;
    struct alc_error error;
    assert_int_equal(alc_voucher_sign(statement, &private_key, &alc_keys_random, voucher,
                                      sizeof voucher, &voucher_size),
                     ALC_OK);
    struct alc_native_image image = program->image;
    image.voucher = voucher;
    image.voucher_size = (uint32_t)voucher_size;
    size_t size = (size_t)alc_native_image_file_size(&image);
    uint8_t *file = malloc(size);
    alc_error_clear(&error);
    assert_int_equal(alc_native_image_write(&image, file, size, &error), ALC_OK);
    free(program->file);
    program->file = file;
    program->file_size = size;
    assert_int_equal(alc_native_image_read(file, size, &program->image, &error), ALC_OK);
}

static struct alc_voucher_statement statement_for(const struct native_program *program)
{
    struct alc_voucher_statement statement = {0};
    memcpy(statement.module_sha256, program->image.module_sha256, 32);
    memcpy(statement.native_sha256, program->image.native_sha256, 32);
    return statement;
}

/* "r": the program returns. */
static struct native_run run_with_key(const struct native_program *program)
{
    struct native_run run = {.argument = "r", .native_flags = ALC_NATIVE_VOUCHED_BY_KEY};
    memcpy(run.voucher_key_sha256, key_sha256, 32);
    assert_int_equal(native_run(program, &run), ALC_OK);
    return run;
}

static void test_good_voucher(void **state)
{
    (void)state;
    struct native_program program;
    native_compile(g_module_path, &checked, &program);
    const struct alc_voucher_statement statement = statement_for(&program);
    vouch(&program, &statement);
    struct native_run run = run_with_key(&program);
    assert_int_equal(run.outcome.status, ALC_OK);
    assert_int_equal(run.outcome.phase, ALC_PHASE_DONE);
    assert_int_equal(run.outcome.code.is_verified, 0);
    assert_int_equal(run.outcome.code.vouched_by, ALC_VOUCHED_BY_KEY);
    native_free(&program);
}

static void expect_refusal(const struct native_program *program, alc_status status)
{
    struct native_run run = run_with_key(program);
    assert_int_equal(run.outcome.status, status);
    assert_int_equal(run.outcome.phase, ALC_PHASE_LOAD);
}

static void test_refused(void **state)
{
    (void)state;
    struct native_program program;
    native_compile(g_module_path, &checked, &program);
    expect_refusal(&program, ALC_E_NATIVE_NOT_VOUCHED);
    struct alc_voucher_statement statement = statement_for(&program);
    statement.module_sha256[0] ^= 1;
    vouch(&program, &statement);
    expect_refusal(&program, ALC_E_VOUCHER_FOR_OTHER_MODULE);
    statement = statement_for(&program);
    statement.native_sha256[0] ^= 1;
    vouch(&program, &statement);
    expect_refusal(&program, ALC_E_VOUCHER_FOR_OTHER_CODE);
    statement = statement_for(&program);
    vouch(&program, &statement);
    key_sha256[0] ^= 1; /* the manifest trusts somebody else */
    expect_refusal(&program, ALC_E_NATIVE_NOT_VOUCHED);
    key_sha256[0] ^= 1;
    native_free(&program);
}

/* The owner's limit is the run's: code that counts no fuel may not run under one. */
static void test_limits(void **state)
{
    (void)state;
    struct native_program program;
    native_compile(g_module_path, &checked, &program);
    struct alc_voucher_statement statement = statement_for(&program);
    statement.limits.fuel = 1000;
    vouch(&program, &statement);
    struct native_run run = run_with_key(&program);
    assert_int_equal(run.outcome.status, ALC_E_POLICY_REFUSED);
    assert_string_equal(run.outcome.detail, "the code counts no fuel");
    native_free(&program);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_voucher),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
    };
    g_module_path = argc > 1 ? argv[1] : "traps.wasm";
    return cmocka_run_group_tests(tests, make_key, NULL);
}
