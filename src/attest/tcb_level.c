/* SPDX-License-Identifier: Apache-2.0
 *
 * Levels of collateral, and what states make together.
 */
#include "attest/tcb_internal.h"

#include "attest/time.h"

static const struct {
    const char *text;
    uint32_t places;
} states[ALC_TCB_STATUSES] = {
#define NONE 0
#define P ALC_TCB_OF_PLATFORM
#define E ALC_TCB_OF_ENCLAVE
#define M ALC_TCB_OF_MODULE
#define TCB(ident, text, where) [ALC_TCB_##ident] = {text, where},
#include "attest/tcb.def"
#undef TCB
#undef M
#undef E
#undef P
#undef NONE
};

const char *alc_tcb_status_text(enum alc_tcb_status status)
{
    ALC_ASSERT(status < ALC_TCB_STATUSES);
    return states[status].text;
}

static alc_status bad(const struct alc_reader *at)
{
    return alc_reader_fail(at, ALC_E_BAD_COLLATERAL);
}

alc_status alc_collateral_expect_text(struct alc_reader *reader, const char *wanted)
{
    const struct alc_reader start = *reader;
    struct alc_text text;
    ALC_TRY(alc_json_read_text(reader, &text));
    return alc_text_is(&text, wanted) ? ALC_OK : bad(&start);
}

alc_status alc_collateral_read_version(struct alc_reader *reader, uint64_t min, uint64_t max)
{
    const struct alc_reader start = *reader;
    uint64_t value;
    ALC_TRY(alc_json_read_uint(reader, UINT32_MAX, &value));
    return value >= min && value <= max ? ALC_OK : bad(&start);
}

alc_status alc_collateral_read_date(struct alc_reader *reader, int64_t *out_s)
{
    const struct alc_reader start = *reader;
    struct alc_text text;
    ALC_TRY(alc_json_read_text(reader, &text));
    return alc_time_from_rfc3339(text.bytes, text.size, out_s) ? ALC_OK : bad(&start);
}

alc_status alc_collateral_read_evaluation(struct alc_reader *reader,
                                          struct alc_collateral_dates *out)
{
    uint64_t value;
    ALC_TRY(alc_json_read_uint(reader, UINT32_MAX, &value));
    out->evaluation_number = (uint32_t)value;
    return ALC_OK;
}

/* -- a level -- */

alc_status alc_level_read_status(struct alc_reader *reader, void *context)
{
    struct alc_level_reader *into = context;
    const struct alc_reader start = *reader;
    struct alc_text text;
    ALC_TRY(alc_json_read_text(reader, &text));
    for (size_t i = 0; i < ALC_TCB_STATUSES; i++) {
        if ((states[i].places & into->place) != 0 && alc_text_is(&text, states[i].text)) {
            into->level.status = (enum alc_tcb_status)i;
            return ALC_OK;
        }
    }
    return bad(&start);
}

alc_status alc_level_read_date(struct alc_reader *reader, void *context)
{
    return alc_collateral_read_date(reader, &((struct alc_level_reader *)context)->level.date_s);
}

static alc_status read_advisory(struct alc_reader *reader, void *context)
{
    struct alc_tcb_level *level = &((struct alc_level_reader *)context)->level;
    if (level->advisories_count == ALC_ADVISORIES_MAX) {
        return bad(reader);
    }
    return alc_json_read_text(reader, &level->advisories[level->advisories_count++]);
}

alc_status alc_level_read_advisories(struct alc_reader *reader, void *context)
{
    return alc_json_read_array(reader, read_advisory, context);
}

alc_status alc_level_read_svn(struct alc_reader *reader, void *context)
{
    return alc_json_read_uint(reader, UINT16_MAX, &((struct alc_level_reader *)context)->svn);
}

static alc_status read_enclave_svn(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member members[] = {{"isvsvn", alc_level_read_svn, true}};
    return alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), context);
}

alc_status alc_enclave_level_read(struct alc_reader *reader, struct alc_level_reader *out)
{
    static const struct alc_json_member members[] = {
        {"tcb", read_enclave_svn, true},
        {"tcbDate", alc_level_read_date, true},
        {"tcbStatus", alc_level_read_status, true},
        {"advisoryIDs", alc_level_read_advisories, false},
    };
    return alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), out);
}

void alc_enclave_match_offer(struct alc_enclave_match *match, const struct alc_level_reader *level,
                             uint64_t svn)
{
    if (svn >= level->svn && (!match->has_level || level->svn > match->svn)) {
        match->has_level = true;
        match->svn = level->svn;
        match->level = level->level;
    }
}

/* -- states together -- */

enum alc_tcb_status alc_tcb_converge(enum alc_tcb_status platform, enum alc_tcb_status part)
{
    if (part == ALC_TCB_REVOKED) {
        return ALC_TCB_REVOKED;
    }
    if (part != ALC_TCB_OUT_OF_DATE) {
        return platform;
    }
    switch (platform) {
    case ALC_TCB_UP_TO_DATE:
    case ALC_TCB_SW_HARDENING_NEEDED:
        return ALC_TCB_OUT_OF_DATE;
    case ALC_TCB_CONFIGURATION_NEEDED:
    case ALC_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
        return ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    case ALC_TCB_TD_RELAUNCH_ADVISED:
    case ALC_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED:
    case ALC_TCB_OUT_OF_DATE:
    case ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED:
    case ALC_TCB_REVOKED:
    case ALC_TCB_STATUSES:
        break;
    }
    return platform;
}

enum alc_tcb_status alc_tcb_relaunch(enum alc_tcb_status launch, enum alc_tcb_status now)
{
    bool needs_configuration = launch == ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    if (now == ALC_TCB_REVOKED) {
        return ALC_TCB_REVOKED; /* Intel's library leaves this to whoever reads the current state */
    }
    if (launch != ALC_TCB_OUT_OF_DATE && launch != ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED) {
        return launch;
    }
    switch (now) {
    case ALC_TCB_CONFIGURATION_NEEDED:
    case ALC_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
        needs_configuration = true;
        break;
    case ALC_TCB_UP_TO_DATE:
    case ALC_TCB_SW_HARDENING_NEEDED:
        break;
    case ALC_TCB_TD_RELAUNCH_ADVISED:
    case ALC_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED:
    case ALC_TCB_OUT_OF_DATE:
    case ALC_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED:
    case ALC_TCB_REVOKED:
    case ALC_TCB_STATUSES:
        return launch;
    }
    return needs_configuration ? ALC_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
                               : ALC_TCB_TD_RELAUNCH_ADVISED;
}
