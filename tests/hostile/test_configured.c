/* SPDX-License-Identifier: Apache-2.0
 *
 * A complete image in the emulator, by a host that says in CONFIGID what it pleases: where reports
 * can name what an enclave was configured for, the enclave runs that and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "hostile/busy.h"
#include "sgx/loader.h"
#include "sgx_emu/emu.h"

extern const uint8_t alc_complete_image[];
extern const uint64_t alc_complete_image_size;
extern const struct alc_sgx_sigstruct alc_complete_sigstruct;

static struct busy busy;

/* Loads and runs; what the image's main function returned. */
static uint64_t run(const struct alc_sgx_backend *backend, const uint8_t *config_id)
{
    struct alc_sgx_enclave *enclave;
    struct alc_error error;
    uint64_t value = UINT64_MAX;
    alc_error_clear(&error);
    if (alc_sgx_load(backend, alc_complete_image, alc_complete_image_size, &alc_complete_sigstruct,
                     config_id, &enclave, &error) != ALC_OK) {
        fail_msg("%s: %s", alc_status_name(error.status), error.detail);
    }
    busy_begin(&busy);
    const struct alc_sgx_call call = {.thread = 0,
                                      .ecall = ALC_ENTRY_RUN,
                                      .region = busy.region,
                                      .region_size = ALC_RING_REGION_SIZE,
                                      .serve = busy_serve,
                                      .context = &busy};
    assert_int_equal(alc_sgx_call(enclave, &call, &value, &error), ALC_OK);
    assert_int_equal(busy.outcome_size, sizeof busy.outcome);
    busy_end(&busy);
    alc_sgx_close(enclave);
    return value;
}

static void runs(const struct alc_sgx_backend *backend, const uint8_t *config_id)
{
    (void)run(backend, config_id);
    assert_int_equal(busy.outcome.status, ALC_OK);
    assert_int_equal(busy.outcome.phase, ALC_PHASE_DONE);
    assert_true(busy_is_copied(&busy));
}

static int setup(void **state)
{
    (void)state;
    busy_init(&busy);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    busy_fini(&busy);
    return 0;
}

static void its_own_workload_runs(void **state)
{
    (void)state;
    uint8_t config_id[ALC_SGX_CONFIG_ID_SIZE] = {0};
    busy_workload_id(config_id);
    runs(alc_sgx_emu_backend(), config_id);
}

static void without_the_feature_it_runs_as_well(void **state)
{
    (void)state;
    static const struct alc_sgx_emu_options options = {.without_kss = true};
    const struct alc_sgx_backend backend = alc_sgx_emu_backend_with(&options);
    const uint8_t another[ALC_SGX_CONFIG_ID_SIZE] = {1}; /* is said nowhere */
    runs(&backend, another);
    runs(alc_sgx_emu_backend(), NULL);
}

static void another_workload_is_refused(void **state)
{
    (void)state;
    static const size_t changed[] = {0, 31, 32, 63};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(changed); i++) {
        uint8_t config_id[ALC_SGX_CONFIG_ID_SIZE] = {0};
        busy_workload_id(config_id);
        config_id[changed[i]] ^= 1;
        assert_int_equal(run(alc_sgx_emu_backend(), config_id), ALC_E_HOST_LIED);
        assert_int_equal(busy.outcome.status, ALC_E_HOST_LIED);
        assert_false(busy_is_copied(&busy));
    }
    const uint8_t nothing[ALC_SGX_CONFIG_ID_SIZE] = {0};
    assert_int_equal(run(alc_sgx_emu_backend(), nothing), ALC_E_HOST_LIED);
}

/* A hypervisor may hide the feature, or a machine learn it. */
static void sealed_files_open_with_and_without(void **state)
{
    (void)state;
    static const struct alc_sgx_emu_options options = {.without_kss = true};
    const struct alc_sgx_backend without = alc_sgx_emu_backend_with(&options);
    uint8_t config_id[ALC_SGX_CONFIG_ID_SIZE] = {0};
    busy_seal(true);
    busy_workload_id(config_id);
    runs(alc_sgx_emu_backend(), config_id); /* makes the container */
    runs(&without, config_id);
    runs(alc_sgx_emu_backend(), config_id);
    /* Nobody's mounts are opened for somebody else. */
    config_id[0] ^= 1;
    assert_int_equal(run(alc_sgx_emu_backend(), config_id), ALC_E_HOST_LIED);
    assert_int_equal(busy.outcome.phase, ALC_PHASE_MANIFEST);
    busy_seal(false);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_own_workload_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(without_the_feature_it_runs_as_well, setup, teardown),
        cmocka_unit_test_setup_teardown(another_workload_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(sealed_files_open_with_and_without, setup, teardown),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: hostile_configured busy.wasm\n");
        return 2;
    }
    busy_load(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
