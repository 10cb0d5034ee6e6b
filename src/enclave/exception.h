/* SPDX-License-Identifier: Apache-2.0
 *
 * Level 1: what happens when the host enters a thread that was interrupted. The host may do that
 * after every instruction, and may claim anything; only what the processor saved in the SSA frame
 * counts (Sigy). The default is to poison the enclave.
 */
#ifndef ALC_ENCLAVE_EXCEPTION_H
#define ALC_ENCLAVE_EXCEPTION_H

#include "sgx_arch/arch.h"

struct alc_exception {
    bool is_valid;       /* the processor reported an exception; false: an interrupt, or nothing */
    uint32_t vector;     /* enum alc_sgx_vector */
    bool has_fault_addr; /* #PF or #GP with EXINFO: the two below are the processor's words */
    uint64_t fault_addr;
    uint32_t error_code;
    struct alc_sgx_gprs *gprs; /* level 0, may be changed */
};

enum alc_exception_verdict {
    ALC_EXCEPTION_POISON,
    ALC_EXCEPTION_RESUME, /* level 0 goes on with the registers in the SSA frame */
};

/* The image's own handler. Weak: poisons. Runs on the exception stack (16 KiB), possibly before the
 * image is relocated (then constants that hold addresses may not be used) and at any point of level
 * 0, so it MUST NOT touch state that level 0 changes without atomics. */
enum alc_exception_verdict alc_enclave_handle_exception(const struct alc_exception *exception);

#endif
