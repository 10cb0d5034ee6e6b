/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of the kernel's vDSO by name. The vDSO is the kernel's, and the kernel is trusted by
 * the process outside as always.
 */
#ifndef ALC_SGX_VDSO_H
#define ALC_SGX_VDSO_H

#include "sgx/backend.h"

/* Address of a function of the vDSO, 0 when there is none of this name. */
uintptr_t alc_vdso_find(const char *name);

/* Calls `function` (__vdso_sgx_enter_enclave) as the backend's `enter` promises. In vdso_enter.S.
 */
int alc_vdso_enter(uint64_t rdi, uint64_t rsi, uint64_t rdx, uint32_t leaf, uint64_t r8,
                   uint64_t r9, struct alc_sgx_run *run, uintptr_t function);

#endif
