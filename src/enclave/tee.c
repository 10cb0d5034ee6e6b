/* SPDX-License-Identifier: Apache-2.0
 *
 * The ENCLU leaves that enclave code uses. Operands are copied into aligned memory of the enclave
 * first, because the processor wants it so and because a caller's memory may be changed by another
 * thread meanwhile.
 */
#include "enclave/tee.h"

#include "base/bytes.h"

enum { ENTROPY_RETRIES = 16 };

/* `leaf` with RBX, RCX, RDX; returns what is left in RAX (the leaf's error code where it has one).
 */
static uint64_t enclu(enum alc_sgx_enclu leaf, const void *rbx, void *rcx, void *rdx)
{
    uint64_t rax = leaf;
    __asm__ volatile("enclu" : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx) : : "memory", "cc");
    return rax;
}

void alc_tee_report(const struct alc_sgx_target_info *target, const uint8_t data[64],
                    struct alc_sgx_report *out)
{
    struct alc_sgx_target_info aligned_target = {0};
    struct alc_sgx_report_data aligned_data;
    struct alc_sgx_report report;
    alc_copy(aligned_data.bytes, data, sizeof aligned_data.bytes);
    if (target == NULL) {
        /* For itself: who that is, a first report tells. */
        (void)enclu(ALC_SGX_EREPORT, &aligned_target, &aligned_data, &report);
        alc_copy(aligned_target.measurement, report.body.mrenclave, 32);
        aligned_target.attributes = report.body.attributes;
        aligned_target.cet_attributes = report.body.cet_attributes;
        aligned_target.config_svn = report.body.config_svn;
        aligned_target.miscselect = report.body.miscselect;
        alc_copy(aligned_target.config_id, report.body.config_id, 64);
    } else {
        alc_copy(&aligned_target, target, sizeof aligned_target);
    }
    (void)enclu(ALC_SGX_EREPORT, &aligned_target, &aligned_data, &report);
    alc_copy(out, &report, sizeof report);
}

alc_status alc_tee_key(const struct alc_sgx_key_request *request, struct alc_sgx_key *out)
{
    struct alc_sgx_key_request aligned_request;
    struct alc_sgx_key key = {{0}};
    alc_copy(&aligned_request, request, sizeof aligned_request);
    uint64_t error = enclu(ALC_SGX_EGETKEY, &aligned_request, &key, NULL);
    if (error != ALC_SGX_SUCCESS) {
        alc_fill(out, 0, sizeof *out);
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

alc_status alc_tee_page_accept(void *page, uint64_t flags)
{
    struct alc_sgx_secinfo secinfo = {.flags = flags};
    uint64_t error = enclu(ALC_SGX_EACCEPT, &secinfo, page, NULL);
    return error == ALC_SGX_SUCCESS ? ALC_OK : ALC_E_POLICY_REFUSED;
}

void alc_tee_page_extend(void *page, uint64_t permissions)
{
    struct alc_sgx_secinfo secinfo = {.flags =
                                          permissions | ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_REGULAR)};
    (void)enclu(ALC_SGX_EMODPE, &secinfo, page, NULL);
}
