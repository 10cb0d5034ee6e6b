/* SPDX-License-Identifier: Apache-2.0
 *
 * TCB info: levels of platforms, and TDX modules.
 */
#include "attest/tcb.h"

#include "attest/tcb_internal.h"
#include "base/bytes.h"

enum { TCB_INFO_VERSION = 3, TCB_TYPE_ORDINARY = 0 };
enum { TD_SVN_MODULE = 0, TD_SVN_MODULE_VERSION = 1 }; /* of the array of TDX SVNs */

struct tcb_info_reader {
    struct alc_tcb_info *out;
    const struct alc_platform_svns *svns;
    struct alc_level_reader best_launch; /* the highest level so far that holds */
    struct alc_level_reader best_now;
};

static alc_status bad(const struct alc_reader *at)
{
    return alc_reader_fail(at, ALC_E_BAD_COLLATERAL);
}

/* -- a level of platforms -- */

struct component_reader {
    uint8_t *svns; /* ALC_TCB_COMPONENTS */
    size_t count;
};

static alc_status read_component_svn(struct alc_reader *reader, void *context)
{
    struct component_reader *into = context;
    uint64_t svn;
    ALC_TRY(alc_json_read_uint(reader, UINT8_MAX, &svn));
    into->svns[into->count] = (uint8_t)svn;
    return ALC_OK;
}

static alc_status read_component(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member members[] = {{"svn", read_component_svn, true}};
    struct component_reader *into = context;
    if (into->count == ALC_TCB_COMPONENTS) {
        return bad(reader);
    }
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), context));
    into->count++;
    return ALC_OK;
}

static alc_status read_components(struct alc_reader *reader, uint8_t *out_svns)
{
    _Static_assert((int)ALC_TD_SVN_SIZE == (int)ALC_TCB_COMPONENTS, "both arrays have one form");
    const struct alc_reader start = *reader;
    struct component_reader into = {.svns = out_svns};
    ALC_TRY(alc_json_read_array(reader, read_component, &into));
    return into.count == ALC_TCB_COMPONENTS ? ALC_OK : bad(&start);
}

static alc_status read_sgx_components(struct alc_reader *reader, void *context)
{
    return read_components(reader, ((struct alc_level_reader *)context)->sgx_svns);
}

static alc_status read_tdx_components(struct alc_reader *reader, void *context)
{
    return read_components(reader, ((struct alc_level_reader *)context)->tdx_svns);
}

static alc_status read_sgx_svns(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member members[] = {
        {"sgxtcbcomponents", read_sgx_components, true},
        {"pcesvn", alc_level_read_svn, true},
    };
    return alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), context);
}

static alc_status read_tdx_svns(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member members[] = {
        {"sgxtcbcomponents", read_sgx_components, true},
        {"pcesvn", alc_level_read_svn, true},
        {"tdxtcbcomponents", read_tdx_components, true},
    };
    return alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), context);
}

static bool reaches(const uint8_t *svns, const uint8_t *wanted, size_t first)
{
    for (size_t i = first; i < ALC_TCB_COMPONENTS; i++) {
        if (svns[i] < wanted[i]) {
            return false;
        }
    }
    return true;
}

/* Two of the TDX SVNs are the module's. Where they name a version, its identity judges them. */
static bool holds(const struct alc_level_reader *level, const struct alc_pck *pck,
                  const uint8_t *td_svns)
{
    return reaches(pck->components, level->sgx_svns, 0) && pck->pce_svn >= level->svn &&
           (td_svns == NULL ||
            reaches(td_svns, level->tdx_svns, td_svns[TD_SVN_MODULE_VERSION] > 0 ? 2 : 0));
}

/* -1, 0 or 1. */
static int compare_svns(const uint8_t *a, const uint8_t *b)
{
    for (size_t i = 0; i < ALC_TCB_COMPONENTS; i++) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }
    return 0;
}

/* The order of levels: by SGX's SVNs, then PCE's, then TDX's. The service writes them in this
 * order, but nothing says that it must. */
static bool is_higher(const struct alc_level_reader *a, const struct alc_level_reader *b)
{
    int order = compare_svns(a->sgx_svns, b->sgx_svns);
    if (order != 0) {
        return order > 0;
    }
    return a->svn != b->svn ? a->svn > b->svn : compare_svns(a->tdx_svns, b->tdx_svns) > 0;
}

static void offer(struct alc_tcb_match *match, struct alc_level_reader *best,
                  const struct alc_level_reader *level)
{
    if (!match->has_level || is_higher(level, best)) {
        match->has_level = true;
        match->level = level->level;
        *best = *level;
    }
}

static alc_status read_level(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member sgx_members[] = {
        {"tcb", read_sgx_svns, true},
        {"tcbDate", alc_level_read_date, true},
        {"tcbStatus", alc_level_read_status, true},
        {"advisoryIDs", alc_level_read_advisories, false},
    };
    static const struct alc_json_member tdx_members[] = {
        {"tcb", read_tdx_svns, true},
        {"tcbDate", alc_level_read_date, true},
        {"tcbStatus", alc_level_read_status, true},
        {"advisoryIDs", alc_level_read_advisories, false},
    };
    struct tcb_info_reader *into = context;
    const struct alc_platform_svns *svns = into->svns;
    struct alc_level_reader level = {.place = ALC_TCB_OF_PLATFORM};
    ALC_TRY(alc_json_read_object(reader, svns->td_launch != NULL ? tdx_members : sgx_members,
                                 ALC_ARRAY_COUNT(sgx_members), &level));
    if (holds(&level, svns->pck, svns->td_launch)) {
        offer(&into->out->launch, &into->best_launch, &level);
    }
    if (svns->td_now != NULL && holds(&level, svns->pck, svns->td_now)) {
        offer(&into->out->now, &into->best_now, &level);
    }
    return ALC_OK;
}

static alc_status read_levels(struct alc_reader *reader, void *context)
{
    return alc_json_read_array(reader, read_level, context);
}

/* -- TDX modules -- */

/* An identity being read; SVNs at launch and now may both be its. */
struct module_reader {
    const struct alc_platform_svns *svns;
    struct alc_text id;
    struct alc_tdx_module module;
    struct alc_enclave_match launch;
    struct alc_enclave_match now;
};

static struct alc_tdx_module *module_of(void *context)
{
    return &((struct module_reader *)context)->module;
}

static alc_status read_module_signer(struct alc_reader *reader, void *context)
{
    struct alc_tdx_module *out = module_of(context);
    return alc_json_read_hex(reader, out->mrsigner, sizeof out->mrsigner);
}

static alc_status read_module_attributes(struct alc_reader *reader, void *context)
{
    struct alc_tdx_module *out = module_of(context);
    return alc_json_read_hex(reader, out->attributes, sizeof out->attributes);
}

static alc_status read_module_mask(struct alc_reader *reader, void *context)
{
    struct alc_tdx_module *out = module_of(context);
    return alc_json_read_hex(reader, out->attributes_mask, sizeof out->attributes_mask);
}

static alc_status read_module_id(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, &((struct module_reader *)context)->id);
}

static alc_status read_module_level(struct alc_reader *reader, void *context)
{
    struct module_reader *into = context;
    struct alc_level_reader level = {.place = ALC_TCB_OF_MODULE};
    ALC_TRY(alc_enclave_level_read(reader, &level));
    if (into->svns->td_launch != NULL) {
        alc_enclave_match_offer(&into->launch, &level, into->svns->td_launch[TD_SVN_MODULE]);
    }
    if (into->svns->td_now != NULL) {
        alc_enclave_match_offer(&into->now, &level, into->svns->td_now[TD_SVN_MODULE]);
    }
    return ALC_OK;
}

static alc_status read_module_levels(struct alc_reader *reader, void *context)
{
    return alc_json_read_array(reader, read_module_level, context);
}

/* "TDX_" and the version in two hexadecimal digits, in letters of any case. */
static bool is_module_version(const struct alc_text *id, uint8_t version)
{
    uint8_t found;
    return id->size == 6 && (id->bytes[0] | 0x20) == 't' && (id->bytes[1] | 0x20) == 'd' &&
           (id->bytes[2] | 0x20) == 'x' && id->bytes[3] == '_' &&
           alc_hex_decode(id->bytes + 4, 2, &found, 1) && found == version;
}

/* The first identity of a version is the one that counts. */
static void take_module(struct alc_tcb_match *match, const uint8_t *td_svns,
                        const struct module_reader *found, const struct alc_enclave_match *level)
{
    if (td_svns != NULL && td_svns[TD_SVN_MODULE_VERSION] > 0 && !match->has_module &&
        is_module_version(&found->id, td_svns[TD_SVN_MODULE_VERSION])) {
        match->has_module = true;
        match->module = found->module;
        match->has_module_level = level->has_level;
        match->module_level = level->level;
    }
}

static alc_status read_identity(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member members[] = {
        {"id", read_module_id, true},
        {"mrsigner", read_module_signer, true},
        {"attributes", read_module_attributes, true},
        {"attributesMask", read_module_mask, true},
        {"tcbLevels", read_module_levels, true},
    };
    struct tcb_info_reader *into = context;
    struct module_reader found = {.svns = into->svns};
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), &found));
    take_module(&into->out->launch, into->svns->td_launch, &found, &found.launch);
    take_module(&into->out->now, into->svns->td_now, &found, &found.now);
    return ALC_OK;
}

static alc_status read_identities(struct alc_reader *reader, void *context)
{
    return alc_json_read_array(reader, read_identity, context);
}

static alc_status read_module(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member members[] = {
        {"mrsigner", read_module_signer, true},
        {"attributes", read_module_attributes, true},
        {"attributesMask", read_module_mask, true},
    };
    struct tcb_info_reader *into = context;
    struct module_reader found = {.svns = into->svns};
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), &found));
    into->out->module = found.module;
    return ALC_OK;
}

/* -- the whole -- */

static alc_status read_id(struct alc_reader *reader, void *context)
{
    const struct alc_platform_svns *svns = ((struct tcb_info_reader *)context)->svns;
    return alc_collateral_expect_text(reader, svns->td_launch != NULL ? "TDX" : "SGX");
}

static alc_status read_version(struct alc_reader *reader, void *context)
{
    (void)context;
    return alc_collateral_read_version(reader, TCB_INFO_VERSION, TCB_INFO_VERSION);
}

static alc_status read_type(struct alc_reader *reader, void *context)
{
    (void)context;
    return alc_collateral_read_version(reader, TCB_TYPE_ORDINARY, TCB_TYPE_ORDINARY);
}

static alc_status read_issue(struct alc_reader *reader, void *context)
{
    return alc_collateral_read_date(reader,
                                    &((struct tcb_info_reader *)context)->out->dates.issue_s);
}

static alc_status read_next(struct alc_reader *reader, void *context)
{
    return alc_collateral_read_date(reader,
                                    &((struct tcb_info_reader *)context)->out->dates.next_update_s);
}

static alc_status read_evaluation(struct alc_reader *reader, void *context)
{
    return alc_collateral_read_evaluation(reader, &((struct tcb_info_reader *)context)->out->dates);
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

alc_status alc_tcb_info_read(struct alc_reader *reader, const struct alc_platform_svns *svns,
                             struct alc_tcb_info *out)
{
    enum { SGX_MEMBERS = 9 }; /* the others are TDX's */
    static const struct alc_json_member members[] = {
        {"id", read_id, true},
        {"version", read_version, true},
        {"issueDate", read_issue, true},
        {"nextUpdate", read_next, true},
        {"fmspc", read_fmspc, true},
        {"pceId", read_pce_id, true},
        {"tcbType", read_type, true},
        {"tcbEvaluationDataNumber", read_evaluation, true},
        {"tcbLevels", read_levels, true},
        {"tdxModule", read_module, true},
        {"tdxModuleIdentities", read_identities, false},
    };
    const bool is_tdx = svns->td_launch != NULL;
    struct tcb_info_reader into = {.out = out, .svns = svns};
    ALC_ASSERT(svns->td_now == NULL || is_tdx);
    alc_fill(out, 0, sizeof *out);
    out->launch.names_module = is_tdx && svns->td_launch[TD_SVN_MODULE_VERSION] > 0;
    out->now.names_module = svns->td_now != NULL && svns->td_now[TD_SVN_MODULE_VERSION] > 0;
    ALC_TRY(alc_json_read_object(reader, members, is_tdx ? ALC_ARRAY_COUNT(members) : SGX_MEMBERS,
                                 &into));
    return alc_json_end(reader);
}

bool alc_tdx_module_fits(const struct alc_tcb_info *info, const struct alc_td_report *td)
{
    const struct alc_tcb_match *launch = &info->launch;
    const struct alc_tdx_module *module = launch->names_module ? &launch->module : &info->module;
    bool fits = (!launch->names_module || launch->has_module) &&
                alc_equal(td->mrsignerseam, module->mrsigner, sizeof module->mrsigner);
    for (size_t i = 0; i < sizeof module->attributes; i++) {
        uint8_t mask = module->attributes_mask[i];
        fits = fits && td->seam_attributes[i] == (module->attributes[i] & mask);
    }
    return fits;
}

bool alc_tcb_match_is_known(const struct alc_tcb_match *match)
{
    return match->has_level && (!match->names_module || match->has_module_level);
}
