/* SPDX-License-Identifier: Apache-2.0
 *
 * Runtime images with the interpreter: RUN, which runs one workload once, and THREAD, with which
 * threads come in that the program asked for. An enclave is for one program; a second RUN, from
 * whichever thread, is refused.
 */
#include "enclave/image_kind.h"
#include "enclave/os_enclave.h"
#include "enclave/tee.h"
#include "sgx_arch/entry.h"

const uint64_t alc_enclave_ecalls_count = 2;

uint64_t alc_enclave_main(uint64_t ecall, uint64_t outside_base, uint64_t outside_size)
{
    /* One-shot: set by the first entry, before anything else, and never cleared. */
    static uint64_t is_taken;
    if (ecall == ALC_ENTRY_THREAD) {
        return alc_os_enclave_run_thread() ? ALC_OK : ALC_E_POLICY_REFUSED;
    }
    ALC_ASSERT(ecall == ALC_ENTRY_RUN);
    if (__atomic_exchange_n(&is_taken, 1, __ATOMIC_SEQ_CST) != 0) {
        return ALC_E_POLICY_REFUSED;
    }
    alc_status status = alc_os_enclave_init(outside_base, outside_size);
    if (status != ALC_OK) {
        return status;
    }
    alc_os_enclave_use_processor();
    struct alc_workload_profile profile = alc_workload_interpreted;
    return alc_enclave_serve(alc_os_enclave_get(), &profile, alc_os_enclave_stop_flag());
}
