/* SPDX-License-Identifier: Apache-2.0
 *
 * The smallest image in the emulator: what the builder laid out is what runs, and faults and
 * changed images end in errors of the loader.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sgx/image.h"
#include "sgx/loader.h"
#include "sgx_emu/emu.h"
#include "tests/image/minimal.h"

extern const uint8_t image_minimal_image[];
extern const uint64_t image_minimal_image_size;
extern const struct alc_sgx_sigstruct image_minimal_sigstruct;

static struct alc_sgx_enclave *load(void)
{
    struct alc_sgx_enclave *enclave = NULL;
    struct alc_error error;
    alc_error_clear(&error);
    alc_status status =
        alc_sgx_load(alc_sgx_emu_backend(), image_minimal_image, image_minimal_image_size,
                     &image_minimal_sigstruct, NULL, &enclave, &error);
    if (status != ALC_OK) {
        print_message("%s: %s\n", alc_status_text(status), error.detail);
    }
    assert_int_equal(status, ALC_OK);
    return enclave;
}

static alc_status call(struct alc_sgx_enclave *enclave, int32_t thread, uint64_t ecall, uint64_t a,
                       uint64_t b, uint64_t *value)
{
    const struct alc_sgx_call request = {
        .thread = thread, .ecall = ecall, .region = (void *)(uintptr_t)a, .region_size = b};
    return alc_sgx_call(enclave, &request, value, NULL);
}

static uint64_t good_call(struct alc_sgx_enclave *enclave, int32_t thread, uint64_t ecall,
                          uint64_t a, uint64_t b)
{
    uint64_t value = 0;
    assert_int_equal(call(enclave, thread, ecall, a, b, &value), ALC_OK);
    return value;
}

static void test_code_data_and_stack(void **state)
{
    (void)state;
    struct alc_sgx_enclave *enclave = load();
    struct alc_image image;
    assert_int_equal(alc_image_parse(image_minimal_image, image_minimal_image_size, &image, NULL),
                     ALC_OK);
    assert_int_equal(good_call(enclave, 0, MINIMAL_ADD, 30, 12), 42);
    assert_int_equal(good_call(enclave, 0, MINIMAL_MULTIPLY, 6, 7), 42);
    assert_int_equal(good_call(enclave, 0, MINIMAL_CHOSEN, 3, 5), 15);
    assert_int_equal(good_call(enclave, 0, MINIMAL_CALLS_COUNT, 0, 0), 4);
    assert_int_equal(good_call(enclave, 0, MINIMAL_HEAP_OFFSET, 0, 0), image.dynamic_offset);
    assert_int_equal(good_call(enclave, 0, MINIMAL_STACK, 4095, 0), 0x5A);
    assert_int_equal(good_call(enclave, 0, 99, 0, 0), UINT64_MAX);
    assert_int_equal(alc_sgx_exceptions_count(enclave), 0);
    alc_sgx_close(enclave);
}

static void test_each_thread_has_its_pages(void **state)
{
    (void)state;
    struct alc_sgx_enclave *enclave = load();
    uint64_t value;
    assert_int_equal(alc_sgx_threads_count(enclave), 2);
    assert_int_equal(good_call(enclave, 0, MINIMAL_THREAD_INDEX, 0, 0), 0);
    assert_int_equal(good_call(enclave, 1, MINIMAL_THREAD_INDEX, 0, 0), 1);
    assert_int_equal(call(enclave, 2, MINIMAL_THREAD_INDEX, 0, 0, &value), ALC_E_NOT_FOUND);
    alc_sgx_close(enclave);
}

enum { ROUNDS = 200 };

static void *call_often(void *context)
{
    uint64_t failures = 0;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t value = 0;
        alc_status status = call(context, ALC_SGX_ANY_THREAD, MINIMAL_MULTIPLY, i, 3, &value);
        failures += status != ALC_OK || value != 3 * i ? 1 : 0;
    }
    return (void *)(uintptr_t)failures;
}

static void test_two_at_a_time(void **state)
{
    (void)state;
    struct alc_sgx_enclave *enclave = load();
    pthread_t threads[2];
    void *failures;
    /* One call first: this image relocates itself without a lock. */
    good_call(enclave, 0, MINIMAL_ADD, 0, 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, enclave), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], &failures), 0);
        assert_null(failures);
    }
    alc_sgx_close(enclave);
}

static void expect_lost(uint64_t ecall, uint64_t offset)
{
    struct alc_sgx_enclave *enclave = load();
    uint64_t value = 7;
    assert_int_equal(call(enclave, 0, ecall, offset, 1, &value), ALC_E_ENCLAVE_LOST);
    assert_int_equal(value, 7);
    assert_int_equal(alc_sgx_exceptions_count(enclave), 1);
    assert_int_equal(call(enclave, 1, MINIMAL_ADD, 1, 1, &value), ALC_E_ENCLAVE_LOST);
    alc_sgx_close(enclave);
}

static void test_faults_lose_the_enclave(void **state)
{
    (void)state;
    expect_lost(MINIMAL_WRITE, 0);       /* text */
    expect_lost(MINIMAL_WRITE, 0x11000); /* read-only data */
    expect_lost(MINIMAL_READ, 0xF000);   /* the gap between them */
    struct alc_image image;
    assert_int_equal(alc_image_parse(image_minimal_image, image_minimal_image_size, &image, NULL),
                     ALC_OK);
    expect_lost(MINIMAL_READ, image.dynamic_offset); /* added by the touch, but never accepted */
}

static void test_other_images_are_refused(void **state)
{
    (void)state;
    size_t size = image_minimal_image_size;
    uint8_t *changed = malloc(size);
    struct alc_sgx_enclave *enclave = NULL;
    struct alc_error error;
    memcpy(changed, image_minimal_image, size);
    changed[64 + 64 + 64 + 5] ^= 1; /* one bit of the text */
    alc_error_clear(&error);
    assert_int_equal(alc_sgx_load(alc_sgx_emu_backend(), changed, size, &image_minimal_sigstruct,
                                  NULL, &enclave, &error),
                     ALC_E_LAUNCH_REFUSED);
    free(changed);

    struct alc_sgx_sigstruct forged = image_minimal_sigstruct;
    forged.isv_svn++;
    alc_error_clear(&error);
    assert_int_equal(alc_sgx_load(alc_sgx_emu_backend(), image_minimal_image, size, &forged, NULL,
                                  &enclave, &error),
                     ALC_E_LAUNCH_REFUSED);
    assert_null(enclave);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code_data_and_stack),
        cmocka_unit_test(test_each_thread_has_its_pages),
        cmocka_unit_test(test_two_at_a_time),
        cmocka_unit_test(test_faults_lose_the_enclave),
        cmocka_unit_test(test_other_images_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
