/* SPDX-License-Identifier: Apache-2.0
 *
 * Runtime images for compiled code: RUN and THREAD as in main.c, and STOP, since compiled code does
 * not look at what the host writes.
 */
#include "enclave/image_kind.h"
#include "enclave/native.h"
#include "enclave/os_enclave.h"
#include "enclave/tee.h"
#include "sgx_arch/entry.h"

const uint64_t alc_enclave_ecalls_count = 3;

static alc_status run(uint64_t outside_base, uint64_t outside_size)
{
    struct alc_workload_compiled compiled;
    ALC_TRY(alc_os_enclave_init(outside_base, outside_size));
    ALC_TRY(alc_enclave_native_init());
    alc_workload_compiled_init(&compiled, &alc_enclave_native_support);
    alc_enclave_equip(&compiled);
    return alc_enclave_serve(alc_os_enclave_get_for_code(), &compiled.profile,
                             alc_os_enclave_stop_flag());
}

uint64_t alc_enclave_main(uint64_t ecall, uint64_t outside_base, uint64_t outside_size)
{
    /* One-shot: set by the first entry, before anything else, and never cleared. */
    static uint64_t is_taken;
    switch (ecall) {
    case ALC_ENTRY_THREAD:
        return alc_os_enclave_run_thread() ? ALC_OK : ALC_E_POLICY_REFUSED;
    case ALC_ENTRY_STOP:
        alc_enclave_native_stop();
        return ALC_OK;
    default:
        ALC_ASSERT(ecall == ALC_ENTRY_RUN);
        break;
    }
    if (__atomic_exchange_n(&is_taken, 1, __ATOMIC_SEQ_CST) != 0) {
        return ALC_E_POLICY_REFUSED;
    }
    return run(outside_base, outside_size);
}
