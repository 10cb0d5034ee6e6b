/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads CPUID leaves 7 and 12H.
 */
#include "sgx/cpu.h"

#include <cpuid.h>
#include <sys/auxv.h>

#include "sgx_arch/arch.h"

enum {
    LEAF_FEATURES = 7,
    LEAF_SGX = 0x12,
    EPC_SECTION_FIRST = 2,
    EPC_SECTIONS_MAX = 64, /* far more than any machine has sockets */
    EPC_SECTION_VALID = 1,
    HWCAP2_FSGSBASE_BIT = 1 << 1,
};

/* Sizes are split over two registers: bits 31:12 below, 51:32 above. */
static uint64_t join_size(uint32_t low, uint32_t high)
{
    return ((uint64_t)(high & 0xFFFFF) << 32) | (low & 0xFFFFF000);
}

static void read_sections(struct alc_cpu_sgx *out)
{
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
    for (uint32_t i = 0; i < EPC_SECTIONS_MAX; i++) {
        __cpuid_count(LEAF_SGX, EPC_SECTION_FIRST + i, eax, ebx, ecx, edx);
        if ((eax & 0xF) != EPC_SECTION_VALID) {
            return;
        }
        out->epc_sections++;
        out->epc_size += join_size(ecx, edx);
    }
}

bool alc_cpu_may_set_gs(void)
{
    return (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT) != 0;
}

bool alc_cpu_has_sha(void)
{
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
    return __get_cpuid_count(LEAF_FEATURES, 0, &eax, &ebx, &ecx, &edx) && (ebx & (1u << 29)) != 0;
}

void alc_cpu_read_sgx(struct alc_cpu_sgx *out)
{
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
    *out = (struct alc_cpu_sgx){0};
    if (!__get_cpuid_count(LEAF_FEATURES, 0, &eax, &ebx, &ecx, &edx)) {
        return;
    }
    out->has_fsgsbase = (ebx & (1u << 0)) != 0;
    out->has_sgx = (ebx & (1u << 2)) != 0;
    out->has_flexible_launch = (ecx & (1u << 30)) != 0;
    if (!out->has_sgx || !__get_cpuid_count(LEAF_SGX, 0, &eax, &ebx, &ecx, &edx)) {
        return;
    }
    out->has_sgx1 = (eax & (1u << 0)) != 0;
    out->has_sgx2 = (eax & (1u << 1)) != 0;
    out->has_exinfo = (ebx & (1u << 0)) != 0;
    out->elrange_bits_max = (edx >> 8) & 0xFF;
    read_sections(out);
    /* Which attributes ECREATE takes. */
    __cpuid_count(LEAF_SGX, 1, eax, ebx, ecx, edx);
    out->has_kss = (eax & ALC_SGX_ATTRIBUTE_KSS) != 0;
}
