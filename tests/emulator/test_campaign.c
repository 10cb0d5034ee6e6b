/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole workload in the runtime image, left after every instruction, with level 1 entered each
 * time and with none, and with ENCLU that raises #GP: the program's output stays what it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/bytes.h"
#include "hostile/busy.h"
#include "hostile/intruder.h"
#include "sgx/loader.h"
#include "sgx_emu/emu.h"

/* String instructions are left after every byte, so the input is short. */
enum { INPUT_SIZE = 777 };

extern const uint8_t alc_runtime_image[];
extern const uint64_t alc_runtime_image_size;
extern const struct alc_sgx_sigstruct alc_runtime_sigstruct;

static struct busy busy;

static int count(void *context, struct alc_sgx_context *enclave, uint64_t tcs, uint64_t rip_offset)
{
    struct intruder *intruder = context;
    (void)enclave;
    (void)tcs;
    (void)rip_offset;
    intruder->exits_count++;
    return 0;
}

/* The first bytes of the input, and nothing else. */
static bool is_copied(void)
{
    uint8_t output[INPUT_SIZE + 1];
    ssize_t size = pread(busy.output_fd, output, sizeof output, 0);
    return size == INPUT_SIZE && alc_equal(output, busy.input, INPUT_SIZE);
}

static void run_workload(const struct alc_sgx_emu_options *options, struct intruder *intruder)
{
    struct alc_sgx_backend backend = alc_sgx_emu_backend_with(options);
    struct alc_sgx_enclave *enclave;
    struct alc_error error;
    uint64_t value = UINT64_MAX;
    intruder->backend = &backend;
    alc_error_clear(&error);
    busy_init(&busy);
    assert_int_equal(ftruncate(busy.input_fd, INPUT_SIZE), 0);
    busy_begin(&busy);
    assert_int_equal(alc_sgx_load(&backend, alc_runtime_image, alc_runtime_image_size,
                                  &alc_runtime_sigstruct, NULL, &enclave, &error),
                     ALC_OK);
    const struct alc_sgx_call call = {.ecall = ALC_ENTRY_RUN,
                                      .region = busy.region,
                                      .region_size = ALC_RING_REGION_SIZE,
                                      .serve = busy_serve,
                                      .context = &busy};
    alc_status status = alc_sgx_call(enclave, &call, &value, &error);
    print_message("%lu steps, %lu host calls\n", (unsigned long)intruder->exits_count,
                  (unsigned long)busy.leaves_count);
    if (status != ALC_OK) {
        fail_msg("%s: %s", alc_status_name(status), error.detail);
    }
    assert_true(value == ALC_OK || value == ALC_E_EXIT);
    assert_int_equal(busy.outcome.exit_code, 0);
    assert_true(is_copied());
    assert_false(busy.has_leaked);
    assert_int_equal(intruder->refused_count, 0);
    alc_sgx_close(enclave);
    busy_end(&busy);
    busy_fini(&busy);
}

static void test_by_general_protection(void **state)
{
    (void)state;
    struct intruder intruder = {0};
    const struct alc_sgx_emu_options options = {.trap_by_gp = true};
    run_workload(&options, &intruder);
}

static void test_every_step(void **state)
{
    (void)state;
    struct intruder intruder = {0};
    const struct alc_sgx_emu_options options = {.step = true,
                                                .hiding = ALC_SGX_EMU_HIDE_NEVER,
                                                .hook_context = &intruder,
                                                .interrupted = count};
    run_workload(&options, &intruder);
    assert_true(intruder.exits_count > 100000);
}

static void test_level_1_after_every_step(void **state)
{
    (void)state;
    struct intruder intruder = {0};
    const struct alc_sgx_emu_options options = {.step = true,
                                                .step_level_0_only = true,
                                                .hiding = ALC_SGX_EMU_HIDE_NEVER,
                                                .hook_context = &intruder,
                                                .interrupted = intruder_enter};
    run_workload(&options, &intruder);
    assert_true(intruder.exits_count > 100000);
}

int main(int arguments_count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_general_protection),
        cmocka_unit_test(test_every_step),
        cmocka_unit_test(test_level_1_after_every_step),
    };
    if (arguments_count != 2) {
        fprintf(stderr, "usage: emulator_campaign busy.wasm\n");
        return 2;
    }
    busy_load(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
