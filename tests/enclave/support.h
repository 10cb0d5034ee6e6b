/* SPDX-License-Identifier: Apache-2.0
 *
 * A loaded test image on the emulator, and ways to enter it: politely through the loader, or as a
 * hostile host does, register by register.
 */
#ifndef ALC_TESTS_ENCLAVE_SUPPORT_H
#define ALC_TESTS_ENCLAVE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sgx/image.h"
#include "sgx/loader.h"
#include "sgx_arch/layout.h"
#include "sgx_emu/emu.h"
#include "tests/enclave/calls.h"

enum { TEST_THREADS = 4 };

/* The image, made by the build. */
extern const uint8_t enclave_test_image[];
extern const uint64_t enclave_test_image_size;
extern const struct alc_sgx_sigstruct enclave_test_sigstruct;

struct test_enclave {
    struct alc_sgx_emu_options options;
    struct alc_sgx_backend backend;
    struct alc_sgx_enclave *enclave;
    struct alc_sgx_context *context;
    uint64_t base;
    struct alc_enclave_layout layout;
    struct test_page *pages; /* one for each thread */
    alc_sgx_serve_function *serve;
    void *serve_context;
};

/* How a raw entry ended. */
struct test_exit {
    uint32_t function; /* EEXIT, or the leaf that an exception ended */
    uint16_t vector;
    uint64_t addr;
    uint64_t reason; /* RDI, RSI of EEXIT */
    uint64_t value;
};

/* Loads the image; every failure fails the test. `options` may be NULL. */
void test_open(struct test_enclave *out, const struct alc_sgx_emu_options *options);
void test_close(struct test_enclave *test);
/* An ecall on thread 0 with two parameters in its page, through the loader. */
alc_status test_try(struct test_enclave *test, enum test_ecall ecall, uint64_t first,
                    uint64_t second, uint64_t *value);
/* The same, and it MUST succeed. */
uint64_t test_call(struct test_enclave *test, enum test_ecall ecall, uint64_t first,
                   uint64_t second);
uint64_t test_tcs(const struct test_enclave *test, uint32_t thread);
/* One EENTER or ERESUME with the given registers; what `enter` returned. */
int test_enter(const struct test_enclave *test, uint32_t thread, uint32_t leaf,
               const uint64_t registers[3], struct test_exit *out);
/* EENTER that MUST end with EEXIT. */
struct test_exit test_eenter(const struct test_enclave *test, uint32_t thread, uint64_t rdi,
                             uint64_t rsi, uint64_t rdx);
/* An ecall with the thread's page, which MUST end with EEXIT. */
struct test_exit test_ecall_raw(const struct test_enclave *test, uint32_t thread,
                                enum test_ecall ecall, uint64_t first, uint64_t second);
/* Thread 0 is as good as new: a plain call works. */
void test_still_works(struct test_enclave *test);

#endif
