/* SPDX-License-Identifier: Apache-2.0
 *
 * Test profile of the enclave for compiled code: as spec_enclave.c, with modules that were compiled
 * outside. What comes as a module is one that cannot be compiled: it has to fail here as well.
 */
#include "base/bytes.h"
#include "enclave/native.h"
#include "enclave/os_enclave.h"
#include "enclave/tee.h"
#include "native/image_format.h"
#include "native_exec/native_exec.h"
#include "sgx_arch/entry.h"
#include "spec/spec_core.h"
#include "spec/spec_drive.h"

static alc_status load_module(struct alc_spec_run *run, struct alc_name bytes,
                              struct alc_error *error)
{
    const struct alc_load_options options = {.features = run->test->features};
    struct alc_module *module;
    ALC_TRY(
        alc_module_load(&run->space->modules, bytes.bytes, bytes.size, &options, &module, error));
    return alc_fail_with(error, ALC_E_NOT_SUPPORTED, ALC_NO_OFFSET, "was not compiled");
}

static alc_status load(struct alc_spec_run *run, struct alc_name bytes, struct alc_module **out,
                       struct alc_error *error)
{
    const struct alc_native_load_options options = {.features = run->test->features,
                                                    .is_vouched = true};
    struct alc_native_image image;
    if (!alc_native_image_is(bytes.bytes, bytes.size)) {
        return load_module(run, bytes, error);
    }
    uint8_t *copy = alc_arena_take(&run->space->modules, bytes.size, 8);
    if (copy == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    alc_copy(copy, bytes.bytes, bytes.size);
    ALC_TRY(alc_native_image_read(copy, bytes.size, &image, error));
    return alc_native_load(&run->store, &run->space->modules, &image, &options, out, error);
}

static const struct alc_spec_engine engine = {
    .executor = &alc_native_executor,
    .native = &alc_enclave_native_support,
    .load = load,
};

/* Windows are 4 GiB each, so the range of this image is 256 GiB; the test with the most memories at
 * once has 46 of them. */
static const struct alc_spec_sizes enclave_sizes = {
    .stream_max = 64u << 20,
    .modules_max = 512u << 20,
    .types_max = 64u << 20,
    .memory_reserve_max = UINT64_C(1) << 30,
    .engine = &engine,
};

/* RUN and THREAD. */
const uint64_t alc_enclave_ecalls_count = 2;

uint64_t alc_enclave_main(uint64_t ecall, uint64_t outside_base, uint64_t outside_size)
{
    if (ecall == ALC_ENTRY_THREAD) {
        return alc_os_enclave_run_thread() ? ALC_OK : ALC_E_POLICY_REFUSED;
    }
    alc_status status = alc_os_enclave_init(outside_base, outside_size);
    if (status == ALC_OK) {
        status = alc_enclave_native_init();
    }
    if (status == ALC_OK) {
        status = alc_spec_drive(alc_os_enclave_get_for_code(), &enclave_sizes);
    }
    return status;
}
