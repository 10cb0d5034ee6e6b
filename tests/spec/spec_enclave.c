/* SPDX-License-Identifier: Apache-2.0
 *
 * Test profile of the enclave: same rooms, entry code and layout as the runtime image, but RUN
 * takes a stream of tests instead of a workload. Relies on the host for nothing but the stream: a
 * lying host can only make tests fail.
 */
#include "enclave/os_enclave.h"
#include "enclave/tee.h"
#include "sgx_arch/entry.h"
#include "spec/spec_core.h"
#include "spec/spec_drive.h"

/* All address space is inside the enclave's range of 16 GiB; the test with the most memories at
 * once has 46 of them. */
static const struct alc_spec_sizes enclave_sizes = {
    .stream_max = 16u << 20,
    .modules_max = 512u << 20,
    .types_max = 64u << 20,
    .memory_reserve_max = 256u << 20,
    .engine = &alc_spec_interpreter,
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
        status = alc_spec_drive(alc_os_enclave_get(), &enclave_sizes);
    }
    return status;
}
