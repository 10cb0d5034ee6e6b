/* SPDX-License-Identifier: Apache-2.0
 *
 * Identities of quoting enclaves.
 */
#include "attest/tcb.h"

#include "attest/tcb_internal.h"
#include "base/bytes.h"

enum { QE_IDENTITY_VERSION = 2, TD_QE_IDENTITY_VERSION_MAX = 3 };

struct qe_identity_reader {
    struct alc_qe_identity *out;
    bool is_tdx;
    uint16_t svn;
    struct alc_enclave_match match;
};

static struct alc_qe_identity *identity_of(void *context)
{
    return ((struct qe_identity_reader *)context)->out;
}

static alc_status read_level(struct alc_reader *reader, void *context)
{
    struct qe_identity_reader *into = context;
    struct alc_level_reader level = {.place = ALC_TCB_OF_ENCLAVE};
    ALC_TRY(alc_enclave_level_read(reader, &level));
    alc_enclave_match_offer(&into->match, &level, into->svn);
    return ALC_OK;
}

static alc_status read_levels(struct alc_reader *reader, void *context)
{
    return alc_json_read_array(reader, read_level, context);
}

static alc_status read_id(struct alc_reader *reader, void *context)
{
    bool is_tdx = ((struct qe_identity_reader *)context)->is_tdx;
    return alc_collateral_expect_text(reader, is_tdx ? "TD_QE" : "QE");
}

static alc_status read_version(struct alc_reader *reader, void *context)
{
    bool is_tdx = ((struct qe_identity_reader *)context)->is_tdx;
    return alc_collateral_read_version(reader, QE_IDENTITY_VERSION,
                                       is_tdx ? TD_QE_IDENTITY_VERSION_MAX : QE_IDENTITY_VERSION);
}

static alc_status read_issue(struct alc_reader *reader, void *context)
{
    return alc_collateral_read_date(reader, &identity_of(context)->dates.issue_s);
}

static alc_status read_next(struct alc_reader *reader, void *context)
{
    return alc_collateral_read_date(reader, &identity_of(context)->dates.next_update_s);
}

static alc_status read_evaluation(struct alc_reader *reader, void *context)
{
    return alc_collateral_read_evaluation(reader, &identity_of(context)->dates);
}

/* MISCSELECT is written with its first byte first, as it lies in a report. */
static alc_status read_misc_word(struct alc_reader *reader, uint32_t *out)
{
    uint8_t bytes[4];
    ALC_TRY(alc_json_read_hex(reader, bytes, sizeof bytes));
    *out = alc_load_u32(bytes);
    return ALC_OK;
}

static alc_status read_miscselect(struct alc_reader *reader, void *context)
{
    return read_misc_word(reader, &identity_of(context)->miscselect);
}

static alc_status read_miscselect_mask(struct alc_reader *reader, void *context)
{
    return read_misc_word(reader, &identity_of(context)->miscselect_mask);
}

static alc_status read_attributes(struct alc_reader *reader, void *context)
{
    struct alc_qe_identity *out = identity_of(context);
    return alc_json_read_hex(reader, out->attributes, sizeof out->attributes);
}

static alc_status read_attributes_mask(struct alc_reader *reader, void *context)
{
    struct alc_qe_identity *out = identity_of(context);
    return alc_json_read_hex(reader, out->attributes_mask, sizeof out->attributes_mask);
}

static alc_status read_mrsigner(struct alc_reader *reader, void *context)
{
    struct alc_qe_identity *out = identity_of(context);
    return alc_json_read_hex(reader, out->mrsigner, sizeof out->mrsigner);
}

static alc_status read_product_id(struct alc_reader *reader, void *context)
{
    uint64_t value;
    ALC_TRY(alc_json_read_uint(reader, UINT16_MAX, &value));
    identity_of(context)->isv_product_id = (uint16_t)value;
    return ALC_OK;
}

alc_status alc_qe_identity_read(struct alc_reader *reader, bool is_tdx, uint16_t qe_svn,
                                struct alc_qe_identity *out)
{
    static const struct alc_json_member members[] = {
        {"id", read_id, true},
        {"version", read_version, true},
        {"issueDate", read_issue, true},
        {"nextUpdate", read_next, true},
        {"tcbEvaluationDataNumber", read_evaluation, true},
        {"miscselect", read_miscselect, true},
        {"miscselectMask", read_miscselect_mask, true},
        {"attributes", read_attributes, true},
        {"attributesMask", read_attributes_mask, true},
        {"mrsigner", read_mrsigner, true},
        {"isvprodid", read_product_id, true},
        {"tcbLevels", read_levels, true},
    };
    struct qe_identity_reader into = {.out = out, .is_tdx = is_tdx, .svn = qe_svn};
    alc_fill(out, 0, sizeof *out);
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), &into));
    out->has_level = into.match.has_level;
    out->level = into.match.level;
    return alc_json_end(reader);
}

bool alc_qe_identity_fits(const struct alc_qe_identity *identity,
                          const struct alc_sgx_report_body *report)
{
    uint8_t attributes[16];
    _Static_assert(sizeof report->attributes == sizeof attributes, "flags and XFRM");
    alc_copy(attributes, &report->attributes, sizeof attributes);
    bool fits = (report->miscselect & identity->miscselect_mask) == identity->miscselect &&
                report->isv_product_id == identity->isv_product_id &&
                alc_equal(report->mrsigner, identity->mrsigner, sizeof identity->mrsigner);
    for (size_t i = 0; i < sizeof attributes; i++) {
        fits = fits && (attributes[i] & identity->attributes_mask[i]) == identity->attributes[i];
    }
    return fits;
}
