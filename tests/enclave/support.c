/* SPDX-License-Identifier: Apache-2.0
 *
 * See support.h.
 */
#include "tests/enclave/support.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PLAIN_ROUNDS = 3 };

static void find_layout(struct alc_enclave_layout *out)
{
    struct alc_image image;
    struct alc_image_page page;
    uint8_t bytes[ALC_SGX_PAGE_SIZE];
    size_t position = 0;
    const uint64_t magic = ALC_LAYOUT_MAGIC;
    assert_int_equal(alc_image_parse(enclave_test_image, enclave_test_image_size, &image, NULL),
                     ALC_OK);
    while (alc_image_next_page(&image, &position, &page)) {
        alc_image_copy_page(&page, bytes);
        if (memcmp(bytes, &magic, sizeof magic) == 0) {
            memcpy(out, bytes, sizeof *out);
            return;
        }
    }
    fail_msg("no layout in the image");
}

void test_open(struct test_enclave *out, const struct alc_sgx_emu_options *options)
{
    struct alc_error error;
    memset(out, 0, sizeof *out);
    alc_error_clear(&error);
    if (options != NULL) {
        out->options = *options;
    }
    find_layout(&out->layout);
    out->backend = alc_sgx_emu_backend_with(&out->options);
    if (alc_sgx_load(&out->backend, enclave_test_image, enclave_test_image_size,
                     &enclave_test_sigstruct, NULL, &out->enclave, &error) != ALC_OK) {
        fail_msg("load: %s: %s", alc_status_text(error.status), error.detail);
    }
    out->context = alc_sgx_context(out->enclave);
    out->base = alc_sgx_base(out->enclave);
    out->pages = mmap(NULL, TEST_THREADS * sizeof *out->pages, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(out->pages, MAP_FAILED);
    assert_int_equal(alc_sgx_threads_count(out->enclave), TEST_THREADS);
}

void test_close(struct test_enclave *test)
{
    alc_sgx_close(test->enclave);
    munmap(test->pages, TEST_THREADS * sizeof *test->pages);
}

alc_status test_try(struct test_enclave *test, enum test_ecall ecall, uint64_t first,
                    uint64_t second, uint64_t *value)
{
    struct alc_error error;
    const struct alc_sgx_call call = {
        .thread = 0,
        .ecall = ecall,
        .region = &test->pages[0],
        .region_size = sizeof test->pages[0],
        .serve = test->serve,
        .context = test->serve_context,
    };
    alc_error_clear(&error);
    test->pages[0].args[0] = first;
    test->pages[0].args[1] = second;
    alc_status status = alc_sgx_call(test->enclave, &call, value, &error);
    if (status != ALC_OK && status != ALC_E_ENCLAVE_LOST) {
        print_message("call %d: %s: %s\n", (int)ecall, alc_status_text(status), error.detail);
    }
    return status;
}

uint64_t test_call(struct test_enclave *test, enum test_ecall ecall, uint64_t first,
                   uint64_t second)
{
    uint64_t value = 0;
    assert_int_equal(test_try(test, ecall, first, second, &value), ALC_OK);
    return value;
}

uint64_t test_tcs(const struct test_enclave *test, uint32_t thread)
{
    return test->base + alc_layout_tcs_offset(&test->layout, thread);
}

static int note_exit(long rdi, long rsi, long rdx, long rsp, long r8, long r9,
                     struct alc_sgx_run *run)
{
    (void)rdx;
    (void)rsp;
    (void)r8;
    (void)r9;
    struct test_exit *out = (struct test_exit *)(uintptr_t)run->user_data;
    out->reason = (uint64_t)rdi;
    out->value = (uint64_t)rsi;
    return 0;
}

int test_enter(const struct test_enclave *test, uint32_t thread, uint32_t leaf,
               const uint64_t registers[3], struct test_exit *out)
{
    struct alc_sgx_run run = {
        .tcs = test_tcs(test, thread),
        .user_handler = (uint64_t)(uintptr_t)note_exit,
        .user_data = (uint64_t)(uintptr_t)out,
    };
    memset(out, 0, sizeof *out);
    int result = test->backend.enter(test->context, registers[0], registers[1], registers[2], leaf,
                                     0, 0, &run);
    out->function = run.function;
    out->vector = run.exception_vector;
    out->addr = run.exception_addr;
    return result;
}

struct test_exit test_eenter(const struct test_enclave *test, uint32_t thread, uint64_t rdi,
                             uint64_t rsi, uint64_t rdx)
{
    struct test_exit out;
    const uint64_t registers[3] = {rdi, rsi, rdx};
    assert_int_equal(test_enter(test, thread, ALC_SGX_EENTER, registers, &out), 0);
    assert_int_equal(out.function, ALC_SGX_EEXIT);
    return out;
}

struct test_exit test_ecall_raw(const struct test_enclave *test, uint32_t thread,
                                enum test_ecall ecall, uint64_t first, uint64_t second)
{
    struct test_page *page = &test->pages[thread];
    page->args[0] = first;
    page->args[1] = second;
    return test_eenter(test, thread, ecall, (uint64_t)(uintptr_t)page, sizeof *page);
}

void test_still_works(struct test_enclave *test)
{
    uint64_t once = test_call(test, TEST_COMPUTE, PLAIN_ROUNDS, 0);
    assert_int_equal(test_call(test, TEST_COMPUTE, PLAIN_ROUNDS, 0), once);
}
