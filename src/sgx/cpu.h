/* SPDX-License-Identifier: Apache-2.0
 *
 * What CPUID says about SGX (SDM 3D 34.7), for the hardware backend and the doctor, and about what
 * makes programs faster. Outside enclaves only; a hypervisor may hide or invent any of it.
 */
#ifndef ALC_SGX_CPU_H
#define ALC_SGX_CPU_H

#include "base/compiler.h"

#define ALC_SGX_ENCLAVE_DEVICE "/dev/sgx_enclave"
#define ALC_SGX_PROVISION_DEVICE "/dev/sgx_provision"

struct alc_cpu_sgx {
    bool has_sgx; /* leaf 7 */
    bool has_flexible_launch;
    bool has_sgx1; /* leaf 12H and below */
    bool has_sgx2;
    bool has_exinfo;
    bool has_kss; /* an enclave can be given a CONFIGID */
    bool has_fsgsbase;
    uint32_t elrange_bits_max; /* 64-bit mode */
    uint64_t epc_size;         /* bytes over all sections */
    uint32_t epc_sections;
};

void alc_cpu_read_sgx(struct alc_cpu_sgx *out);

/* Whether there are instructions for SHA-256 (and those of SSE4.1). */
bool alc_cpu_has_sha(void);
/* Whether programs may set FS and GS by themselves (FSGSBASE): the kernel's word. */
bool alc_cpu_may_set_gs(void);

#endif
