/* SPDX-License-Identifier: Apache-2.0
 *
 * Level 1: what happens when the host enters a thread that was interrupted. The host may do that
 * after every instruction, and may claim anything; only what the processor saved in the SSA frame
 * counts (Sigy). Without an exception in the frame nothing changes. With one, the handler of the
 * code that raised it decides; there being none, the enclave is poisoned.
 */
#ifndef ALC_ENCLAVE_EXCEPTION_H
#define ALC_ENCLAVE_EXCEPTION_H

#include "base/status.h"
#include "sgx_arch/arch.h"

struct alc_exception {
    uint32_t vector;     /* enum alc_sgx_vector */
    bool has_fault_addr; /* #PF or #GP: the two below are the processor's words */
    uint64_t fault_addr;
    uint32_t error_code;
    struct alc_sgx_gprs *gprs; /* level 0, may be changed */
};

/* Whether level 0 may go on with the registers as they are now in `gprs`; false poisons the
 * enclave. Runs on the exception stack (16 KiB), with level 0 frozen at the instruction that raised
 * the exception. It MUST NOT take a lock or leave for the host. An exception in here is the end. */
typedef bool alc_exception_handler(const struct alc_exception *exception, void *context);

/* Exceptions raised by instructions in [code_start, code_start + code_size) go to `handler`. */
struct alc_exception_range {
    uint64_t code_start; /* address */
    uint64_t code_size;
    alc_exception_handler *handler;
    void *context;
};

enum { ALC_EXCEPTION_RANGES_MAX = 16 };

/* `range` is copied. ALC_E_BAD_ARGUMENT when it is empty, wraps or lies outside the enclave,
 * ALC_E_OUT_OF_MEMORY beyond ALC_EXCEPTION_RANGES_MAX. From several threads. */
ALC_MUST_CHECK alc_status alc_enclave_exception_register(const struct alc_exception_range *range);
/* Forgets the range that starts at `code_start`. No thread may be running its code. */
void alc_enclave_exception_unregister(uint64_t code_start);

#endif
