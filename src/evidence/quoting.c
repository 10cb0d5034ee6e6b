/* SPDX-License-Identifier: Apache-2.0
 *
 * Target info in, report out, quote in.
 */
#include "evidence/quoting.h"

#include "base/bytes.h"

static alc_status read_target(const struct alc_os *os, struct alc_sgx_target_info *out)
{
    const struct alc_span span = {.bytes = (uint8_t *)out, .size = sizeof *out};
    int64_t count =
        os->operations->read_at(os->context, ALC_OS_QUOTING, &span, 1, ALC_QUOTING_TARGET);
    if (count == -ALC_OS_BAD_DESCRIPTOR) {
        return ALC_E_NOT_SUPPORTED; /* nobody quotes here */
    }
    return count == (int64_t)sizeof *out ? ALC_OK : ALC_E_IO_FAILED;
}

static alc_status make_evidence(void *context,
                                const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE],
                                struct alc_writer *out)
{
    const struct alc_quoting *quoting = context;
    const struct alc_os *os = quoting->os;
    struct alc_sgx_target_info target;
    struct alc_sgx_report report;
    ALC_TRY(read_target(os, &target));
    ALC_TRY(quoting->report(&target, report_data, &report));
    struct alc_span span = {.bytes = (uint8_t *)&report, .size = ALC_SGX_REPORT_SIZE};
    if (os->operations->write(os->context, ALC_OS_QUOTING, &span, 1) != ALC_SGX_REPORT_SIZE) {
        return ALC_E_IO_FAILED;
    }
    if (out->overflowed) {
        return ALC_E_OUT_OF_MEMORY;
    }
    size_t room = out->size - out->pos;
    span = (struct alc_span){
        .bytes = out->bytes + out->pos,
        .size = room < ALC_QUOTING_QUOTE_SIZE_MAX ? room : ALC_QUOTING_QUOTE_SIZE_MAX,
    };
    int64_t count =
        os->operations->read_at(os->context, ALC_OS_QUOTING, &span, 1, ALC_QUOTING_QUOTE);
    if (count <= 0 || (uint64_t)count > span.size) {
        return count == -ALC_OS_OVERFLOW ? ALC_E_OUT_OF_MEMORY : ALC_E_IO_FAILED;
    }
    out->pos += (size_t)count;
    return ALC_OK;
}

void alc_quoting_attester(struct alc_quoting *quoting, struct alc_attester *out)
{
    *out = (struct alc_attester){
        .evidence = make_evidence, .context = quoting, .kind = ALC_EVIDENCE_SGX};
}
