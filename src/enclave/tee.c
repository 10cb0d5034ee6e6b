/* SPDX-License-Identifier: Apache-2.0
 *
 * The ENCLU leaves that enclave code uses. Operands are copied into aligned memory of the enclave
 * first, because the processor wants it so and because a caller's memory may be changed by another
 * thread meanwhile.
 */
#include "enclave/tee.h"

#include "base/bytes.h"
#include "enclave/enclave_start.h"

enum { ENTROPY_RETRIES = 16 };

/* `leaf` with RBX, RCX, RDX; returns what is left in RAX (the leaf's error code where it has one).
 */
static uint64_t enclu(enum alc_sgx_enclu leaf, const void *rbx, const void *rcx, void *rdx)
{
    uint64_t rax = leaf;
    __asm__ volatile("enclu" : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx) : : "memory", "cc");
    return rax;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

/* Who this is: a first report tells. */
static void describe_self(struct alc_sgx_target_info *out)
{
    const struct alc_sgx_target_info nobody = {0};
    const struct alc_sgx_report_data nothing = {{0}};
    struct alc_sgx_report report;
    (void)enclu(ALC_SGX_EREPORT, &nobody, &nothing, &report);
    alc_copy(out->measurement, report.body.mrenclave, sizeof out->measurement);
    out->attributes = report.body.attributes;
    out->cet_attributes = report.body.cet_attributes;
    out->config_svn = report.body.config_svn;
    out->miscselect = report.body.miscselect;
    alc_copy(out->config_id, report.body.config_id, sizeof out->config_id);
}

alc_status alc_tee_report(const struct alc_sgx_target_info *target, const uint8_t data[64],
                          struct alc_sgx_report *out)
{
    struct alc_sgx_target_info aligned_target = {0};
    struct alc_sgx_report_data aligned_data;
    struct alc_sgx_report report = {0};
    alc_copy(aligned_data.bytes, data, sizeof aligned_data.bytes);
    if (target == NULL) {
        describe_self(&aligned_target);
    } else {
        alc_copy(&aligned_target, target, sizeof aligned_target);
    }
    /* The processor would raise #GP. */
    if (aligned_target.reserved_49 != 0 ||
        !is_zero(aligned_target.reserved_56, sizeof aligned_target.reserved_56) ||
        !is_zero(aligned_target.reserved_128, sizeof aligned_target.reserved_128)) {
        alc_fill(out, 0, sizeof *out);
        return ALC_E_BAD_ARGUMENT;
    }
    (void)enclu(ALC_SGX_EREPORT, &aligned_target, &aligned_data, &report);
    alc_copy(out, &report, sizeof report);
    return ALC_OK;
}

alc_status alc_tee_key(const struct alc_sgx_key_request *request, struct alc_sgx_key *out)
{
    /* Without KSS, which not every processor has, the other policies raise #GP. */
    const uint16_t policies = ALC_SGX_POLICY_MRENCLAVE | ALC_SGX_POLICY_MRSIGNER;
    struct alc_sgx_key_request aligned_request;
    struct alc_sgx_key key = {{0}};
    alc_copy(&aligned_request, request, sizeof aligned_request);
    alc_fill(out, 0, sizeof *out);
    if ((aligned_request.policy & ~policies) != 0 || aligned_request.reserved_7 != 0 ||
        aligned_request.cet_attributes_mask != 0 || aligned_request.config_svn != 0 ||
        !is_zero(aligned_request.reserved_78, sizeof aligned_request.reserved_78)) {
        return ALC_E_BAD_ARGUMENT;
    }
    if (enclu(ALC_SGX_EGETKEY, &aligned_request, &key, NULL) != ALC_SGX_SUCCESS) {
        return ALC_E_POLICY_REFUSED;
    }
    alc_copy(out, &key, sizeof key);
    alc_wipe(&key, sizeof key);
    return ALC_OK;
}

alc_status alc_tee_entropy(uint64_t *out)
{
    for (int i = 0; i < ENTROPY_RETRIES; i++) {
        uint64_t first, second;
        uint8_t first_ok, second_ok;
        __asm__ volatile("rdrand %0; setc %1" : "=r"(first), "=qm"(first_ok) : : "cc");
        __asm__ volatile("rdrand %0; setc %1" : "=r"(second), "=qm"(second_ok) : : "cc");
        /* Some processors gave the same word, or all ones, for ever after a resume. */
        bool healthy = first_ok && second_ok && first != second && first != 0 && second != 0 &&
                       first != UINT64_MAX && second != UINT64_MAX;
        if (healthy) {
            *out = first ^ ((second << 32) | (second >> 32));
            return ALC_OK;
        }
    }
    *out = 0;
    return ALC_E_IO_FAILED;
}

alc_status alc_tee_pages_accept(void *first, uint64_t size, uint64_t flags, uint64_t *out_accepted)
{
    const struct alc_sgx_secinfo secinfo = {.flags = flags};
    const uint64_t start = (uint64_t)(uintptr_t)first;
    uint64_t error;
    uint64_t next = alc_enclave_accept(&secinfo, start, start + size, &error);
    *out_accepted = next - start;
    switch (error) {
    case ALC_SGX_SUCCESS:
        return ALC_OK;
    case UINT64_MAX:
        return ALC_E_OUT_OF_MEMORY;
    default:
        return ALC_E_POLICY_REFUSED;
    }
}

void alc_tee_page_extend(void *page, uint64_t permissions)
{
    struct alc_sgx_secinfo secinfo = {.flags =
                                          permissions | ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_REGULAR)};
    (void)enclu(ALC_SGX_EMODPE, &secinfo, page, NULL);
}
