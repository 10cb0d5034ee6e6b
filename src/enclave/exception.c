/* SPDX-License-Identifier: Apache-2.0
 *
 * Level-1 entries (see exception.h). Reads SSA frame 0 of the own thread, which lies in the enclave
 * and was written by the processor; believes nothing else.
 */
#include "enclave/exception.h"

#include "enclave/enclave_start.h"
#include "enclave/tee.h"
#include "enclave/thread.h"

__attribute__((weak)) enum alc_exception_verdict
alc_enclave_handle_exception(const struct alc_exception *exception)
{
    (void)exception;
    return ALC_EXCEPTION_POISON;
}

static void read_frame(struct alc_exception *out)
{
    const struct alc_enclave_thread *thread = alc_enclave_thread_get();
    uint8_t *frame_end =
        alc_enclave_base() + thread->head.ssa_offset + alc_enclave_layout.ssa_frame_size;
    struct alc_sgx_gprs *gprs = (void *)(frame_end - ALC_SGX_SSA_GPRS_FROM_END);
    const struct alc_sgx_exinfo *exinfo = (void *)(frame_end - ALC_SGX_SSA_EXINFO_FROM_END);
    *out = (struct alc_exception){
        .is_valid = (gprs->exit_info & ALC_SGX_EXIT_INFO_VALID) != 0,
        .vector = ALC_SGX_EXIT_INFO_VECTOR(gprs->exit_info),
        .gprs = gprs,
    };
    out->has_fault_addr =
        out->is_valid && (out->vector == ALC_SGX_VECTOR_PF || out->vector == ALC_SGX_VECTOR_GP);
    if (out->has_fault_addr) {
        out->fault_addr = exinfo->fault_addr;
        out->error_code = exinfo->error_code;
    }
}

/* Called by entry.S; returns the exit reason. */
uint64_t alc_enclave_exception(void)
{
    struct alc_exception exception;
    read_frame(&exception);
    if (!alc_tee_is_poisoned() &&
        alc_enclave_handle_exception(&exception) == ALC_EXCEPTION_RESUME) {
        return ALC_EXIT_RESUME;
    }
    /* The host may resume level 0 all the same: it finds nothing to run. */
    alc_enclave_set_poisoned();
    exception.gprs->rip = (uint64_t)(uintptr_t)alc_enclave_stop;
    return ALC_EXIT_REFUSED;
}
