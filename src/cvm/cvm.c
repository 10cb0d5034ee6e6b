/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports as evidence.
 */
#include "cvm/cvm.h"

#include <stdlib.h>

_Static_assert((int)ALC_TSM_DATA_SIZE == (int)ALC_EVIDENCE_REPORT_DATA_SIZE, "both are 64 bytes");

static alc_status evidence(void *context, const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE],
                           struct alc_writer *out)
{
    const struct alc_tsm_request request = {.data = report_data, .privilege = ALC_TSM_NO_PRIVILEGE};
    return alc_tsm_report(context, &request, out, NULL);
}

static alc_status
evidence_with_certificates(void *context, const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE],
                           struct alc_writer *out)
{
    const struct alc_tsm_request request = {.data = report_data, .privilege = ALC_TSM_NO_PRIVILEGE};
    uint8_t *bytes = malloc(ALC_TSM_REPORT_SIZE_MAX);
    struct alc_writer table;
    if (bytes == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_writer_init(&table, bytes, ALC_TSM_REPORT_SIZE_MAX);
    alc_status status = alc_tsm_report(context, &request, out, &table);
    if (status == ALC_OK) {
        alc_write_bytes(out, bytes, table.pos);
        status = out->overflowed ? ALC_E_OUT_OF_MEMORY : ALC_OK;
    }
    free(bytes);
    return status;
}

void alc_cvm_attester_add_certificates(struct alc_attester *attester)
{
    if (attester->kind == ALC_EVIDENCE_SEV_SNP) {
        attester->evidence = evidence_with_certificates;
    }
}

void alc_cvm_attester_init(struct alc_attester *attester, const struct alc_tsm_files *files,
                           enum alc_tsm_provider provider)
{
    ALC_ASSERT(provider == ALC_TSM_TDX || provider == ALC_TSM_SEV_SNP);
    *attester = (struct alc_attester){
        .evidence = evidence,
        .context = (void *)(uintptr_t)files,
        .kind = provider == ALC_TSM_TDX ? ALC_EVIDENCE_TDX : ALC_EVIDENCE_SEV_SNP,
    };
}
