/* SPDX-License-Identifier: Apache-2.0
 *
 * TCB info and QE identity. Members may come in any order, so a level is read whole and then
 * compared.
 */
#include "attest/tcb.h"

#include "attest/time.h"
#include "base/bytes.h"

enum { TCB_INFO_VERSION = 3, QE_IDENTITY_VERSION = 2, TCB_TYPE_ORDINARY = 0 };

static const char *const status_texts[ALC_TCB_STATUSES] = {
#define TCB(ident, text) [ALC_TCB_##ident] = text,
#include "attest/tcb.def"
#undef TCB
};

const char *alc_tcb_status_text(enum alc_tcb_status status)
{
    ALC_ASSERT(status < ALC_TCB_STATUSES);
    return status_texts[status];
}

static alc_status bad(const struct alc_reader *at)
{
    return alc_reader_fail(at, ALC_E_BAD_COLLATERAL);
}

/* -- what both have -- */

static alc_status expect_text(struct alc_reader *reader, const char *wanted)
{
    const struct alc_reader start = *reader;
    struct alc_text text;
    ALC_TRY(alc_json_read_text(reader, &text));
    return alc_text_is(&text, wanted) ? ALC_OK : bad(&start);
}

static alc_status expect_uint(struct alc_reader *reader, uint64_t wanted)
{
    const struct alc_reader start = *reader;
    uint64_t value;
    ALC_TRY(alc_json_read_uint(reader, UINT32_MAX, &value));
    return value == wanted ? ALC_OK : bad(&start);
}

static alc_status read_date(struct alc_reader *reader, int64_t *out_s)
{
    const struct alc_reader start = *reader;
    struct alc_text text;
    ALC_TRY(alc_json_read_text(reader, &text));
    return alc_time_from_rfc3339(text.bytes, text.size, out_s) ? ALC_OK : bad(&start);
}

static alc_status read_evaluation_number(struct alc_reader *reader,
                                         struct alc_collateral_dates *out)
{
    uint64_t value;
    ALC_TRY(alc_json_read_uint(reader, UINT32_MAX, &value));
    out->evaluation_number = (uint32_t)value;
    return ALC_OK;
}

/* -- a level -- */

struct level_reader {
    struct alc_tcb_level level;
    uint8_t components[ALC_TCB_COMPONENTS];
    size_t components_count;
    uint64_t svn; /* PCE's, or the quoting enclave's */
};

static alc_status read_status(struct alc_reader *reader, void *context)
{
    struct level_reader *into = context;
    const struct alc_reader start = *reader;
    struct alc_text text;
    ALC_TRY(alc_json_read_text(reader, &text));
    for (size_t i = 0; i < ALC_TCB_STATUSES; i++) {
        if (alc_text_is(&text, status_texts[i])) {
            into->level.status = (enum alc_tcb_status)i;
            return ALC_OK;
        }
    }
    return bad(&start);
}

static alc_status read_level_date(struct alc_reader *reader, void *context)
{
    return read_date(reader, &((struct level_reader *)context)->level.date_s);
}

static alc_status read_advisory(struct alc_reader *reader, void *context)
{
    struct alc_tcb_level *level = &((struct level_reader *)context)->level;
    if (level->advisories_count == ALC_ADVISORIES_MAX) {
        return bad(reader);
    }
    return alc_json_read_text(reader, &level->advisories[level->advisories_count++]);
}

static alc_status read_advisories(struct alc_reader *reader, void *context)
{
    return alc_json_read_array(reader, read_advisory, context);
}

static alc_status read_svn(struct alc_reader *reader, void *context)
{
    return alc_json_read_uint(reader, UINT16_MAX, &((struct level_reader *)context)->svn);
}

static alc_status read_component_svn(struct alc_reader *reader, void *context)
{
    struct level_reader *into = context;
    uint64_t svn;
    ALC_TRY(alc_json_read_uint(reader, UINT8_MAX, &svn));
    into->components[into->components_count] = (uint8_t)svn;
    return ALC_OK;
}

static alc_status read_component(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member members[] = {{"svn", read_component_svn, true}};
    struct level_reader *into = context;
    if (into->components_count == ALC_TCB_COMPONENTS) {
        return bad(reader);
    }
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), context));
    into->components_count++;
    return ALC_OK;
}

static alc_status read_components(struct alc_reader *reader, void *context)
{
    const struct alc_reader start = *reader;
    ALC_TRY(alc_json_read_array(reader, read_component, context));
    return ((struct level_reader *)context)->components_count == ALC_TCB_COMPONENTS ? ALC_OK
                                                                                    : bad(&start);
}

static alc_status read_platform_svns(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member members[] = {
        {"sgxtcbcomponents", read_components, true},
        {"pcesvn", read_svn, true},
    };
    return alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), context);
}

static alc_status read_enclave_svn(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member members[] = {{"isvsvn", read_svn, true}};
    return alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), context);
}

/* -- TCB info -- */

struct tcb_info_reader {
    struct alc_tcb_info *out;
    const struct alc_pck *pck;
};

static alc_status read_platform_level(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member members[] = {
        {"tcb", read_platform_svns, true},
        {"tcbDate", read_level_date, true},
        {"tcbStatus", read_status, true},
        {"advisoryIDs", read_advisories, false},
    };
    struct tcb_info_reader *into = context;
    struct level_reader level = {0};
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), &level));
    bool holds = into->pck->pce_svn >= level.svn;
    for (size_t i = 0; i < ALC_TCB_COMPONENTS; i++) {
        holds = holds && into->pck->components[i] >= level.components[i];
    }
    if (holds && !into->out->has_level) {
        into->out->has_level = true;
        into->out->level = level.level;
    }
    return ALC_OK;
}

static alc_status read_platform_levels(struct alc_reader *reader, void *context)
{
    return alc_json_read_array(reader, read_platform_level, context);
}

static alc_status read_tcb_id(struct alc_reader *reader, void *context)
{
    (void)context;
    return expect_text(reader, "SGX");
}

static alc_status read_tcb_version(struct alc_reader *reader, void *context)
{
    (void)context;
    return expect_uint(reader, TCB_INFO_VERSION);
}

static alc_status read_tcb_type(struct alc_reader *reader, void *context)
{
    (void)context;
    return expect_uint(reader, TCB_TYPE_ORDINARY);
}

static alc_status read_tcb_issue(struct alc_reader *reader, void *context)
{
    return read_date(reader, &((struct tcb_info_reader *)context)->out->dates.issue_s);
}

static alc_status read_tcb_next(struct alc_reader *reader, void *context)
{
    return read_date(reader, &((struct tcb_info_reader *)context)->out->dates.next_update_s);
}

static alc_status read_tcb_evaluation(struct alc_reader *reader, void *context)
{
    return read_evaluation_number(reader, &((struct tcb_info_reader *)context)->out->dates);
}

static alc_status read_fmspc(struct alc_reader *reader, void *context)
{
    return alc_json_read_hex(reader, ((struct tcb_info_reader *)context)->out->fmspc,
                             ALC_FMSPC_SIZE);
}

static alc_status read_pce_id(struct alc_reader *reader, void *context)
{
    return alc_json_read_hex(reader, ((struct tcb_info_reader *)context)->out->pce_id,
                             ALC_PCE_ID_SIZE);
}

alc_status alc_tcb_info_read(struct alc_reader *reader, const struct alc_pck *pck,
                             struct alc_tcb_info *out)
{
    static const struct alc_json_member members[] = {
        {"id", read_tcb_id, true},
        {"version", read_tcb_version, true},
        {"issueDate", read_tcb_issue, true},
        {"nextUpdate", read_tcb_next, true},
        {"fmspc", read_fmspc, true},
        {"pceId", read_pce_id, true},
        {"tcbType", read_tcb_type, true},
        {"tcbEvaluationDataNumber", read_tcb_evaluation, true},
        {"tcbLevels", read_platform_levels, true},
    };
    struct tcb_info_reader into = {.out = out, .pck = pck};
    alc_fill(out, 0, sizeof *out);
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), &into));
    return alc_json_end(reader);
}

/* -- QE identity -- */

struct qe_identity_reader {
    struct alc_qe_identity *out;
    uint16_t svn;
};

static struct alc_qe_identity *identity_of(void *context)
{
    return ((struct qe_identity_reader *)context)->out;
}

static alc_status read_enclave_level(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member members[] = {
        {"tcb", read_enclave_svn, true},
        {"tcbDate", read_level_date, true},
        {"tcbStatus", read_status, true},
        {"advisoryIDs", read_advisories, false},
    };
    struct qe_identity_reader *into = context;
    struct level_reader level = {0};
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), &level));
    if (into->svn >= level.svn && !into->out->has_level) {
        into->out->has_level = true;
        into->out->level = level.level;
    }
    return ALC_OK;
}

static alc_status read_enclave_levels(struct alc_reader *reader, void *context)
{
    return alc_json_read_array(reader, read_enclave_level, context);
}

static alc_status read_identity_id(struct alc_reader *reader, void *context)
{
    (void)context;
    return expect_text(reader, "QE");
}

static alc_status read_identity_version(struct alc_reader *reader, void *context)
{
    (void)context;
    return expect_uint(reader, QE_IDENTITY_VERSION);
}

static alc_status read_identity_issue(struct alc_reader *reader, void *context)
{
    return read_date(reader, &identity_of(context)->dates.issue_s);
}

static alc_status read_identity_next(struct alc_reader *reader, void *context)
{
    return read_date(reader, &identity_of(context)->dates.next_update_s);
}

static alc_status read_identity_evaluation(struct alc_reader *reader, void *context)
{
    return read_evaluation_number(reader, &identity_of(context)->dates);
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

alc_status alc_qe_identity_read(struct alc_reader *reader, uint16_t qe_svn,
                                struct alc_qe_identity *out)
{
    static const struct alc_json_member members[] = {
        {"id", read_identity_id, true},
        {"version", read_identity_version, true},
        {"issueDate", read_identity_issue, true},
        {"nextUpdate", read_identity_next, true},
        {"tcbEvaluationDataNumber", read_identity_evaluation, true},
        {"miscselect", read_miscselect, true},
        {"miscselectMask", read_miscselect_mask, true},
        {"attributes", read_attributes, true},
        {"attributesMask", read_attributes_mask, true},
        {"mrsigner", read_mrsigner, true},
        {"isvprodid", read_product_id, true},
        {"tcbLevels", read_enclave_levels, true},
    };
    struct qe_identity_reader into = {.out = out, .svn = qe_svn};
    alc_fill(out, 0, sizeof *out);
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), &into));
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

/* Intel's rule: a quoting enclave that is out of date makes the platform so; one that is revoked
 * revokes it; nothing else about it counts. */
enum alc_tcb_status alc_tcb_converge(enum alc_tcb_status platform, enum alc_tcb_status qe)
{
    if (qe == ALC_TCB_REVOKED) {
        return ALC_TCB_REVOKED;
    }
    if (qe != ALC_TCB_OUT_OF_DATE) {
        return platform;
    }
    switch (platform) {
    case ALC_TCB_UP_TO_DATE:
    case ALC_TCB_SW_HARDENING_NEEDED:
        return ALC_TCB_OUT_OF_DATE;
    case ALC_TCB_CONFIGURATION_NEEDED:
    case ALC_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
        return ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    case ALC_TCB_OUT_OF_DATE:
    case ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED:
    case ALC_TCB_REVOKED:
    case ALC_TCB_STATUSES:
        break;
    }
    return platform;
}
