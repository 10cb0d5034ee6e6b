/* SPDX-License-Identifier: Apache-2.0
 *
 * What Intel says about platforms, TDX modules and quoting enclaves: TCB info (version 3) and
 * quoting enclaves' identities (versions 2 and 3), as signed JSON. Their signatures are the
 * caller's to verify first; form is checked here. Which level holds, and what several states make
 * together, is as in Intel's quote verification library (its TCB evaluation, 4.1.2.5 of its
 * documentation).
 */
#ifndef ALC_ATTEST_TCB_H
#define ALC_ATTEST_TCB_H

#include "attest/json.h"
#include "attest/pck.h"
#include "attest/td.h"
#include "sgx_arch/arch.h"

enum alc_tcb_status {
#define TCB(ident, text, where) ALC_TCB_##ident,
#include "attest/tcb.def"
#undef TCB
    ALC_TCB_STATUSES
};

/* Intel's word for a state. */
const char *alc_tcb_status_text(enum alc_tcb_status status);

enum { ALC_ADVISORIES_MAX = 32 };

/* The level that holds, and what is known about it. */
struct alc_tcb_level {
    enum alc_tcb_status status;
    int64_t date_s;
    struct alc_text advisories[ALC_ADVISORIES_MAX];
    size_t advisories_count;
};

/* What every piece of collateral says about itself. */
struct alc_collateral_dates {
    int64_t issue_s;
    int64_t next_update_s;
    uint32_t evaluation_number; /* tcbEvaluationDataNumber */
};

/* -- TCB info -- */

/* Who made a TDX module, and its attributes. */
struct alc_tdx_module {
    uint8_t mrsigner[ALC_TD_MEASUREMENT_SIZE];
    uint8_t attributes[8];
    uint8_t attributes_mask[8];
};

/* What a platform says that it is. */
struct alc_platform_svns {
    const struct alc_pck *pck;
    const uint8_t *td_launch; /* tee_tcb_svn, ALC_TD_SVN_SIZE bytes; NULL for SGX */
    const uint8_t *td_now;    /* tee_tcb_svn2; NULL for SGX and before TDX 1.5 */
};

/* What it reaches with one array of TDX SVNs, or with none. Where those name a version of the
 * module other than 0, the module is judged by the identity of that version. */
struct alc_tcb_match {
    bool has_level; /* one of the levels holds for the platform */
    bool names_module;
    bool has_module; /* the version has an identity */
    bool has_module_level;
    struct alc_tcb_level level;
    struct alc_tdx_module module;
    struct alc_tcb_level module_level;
};

struct alc_tcb_info {
    struct alc_collateral_dates dates;
    uint8_t fmspc[ALC_FMSPC_SIZE];
    uint8_t pce_id[ALC_PCE_ID_SIZE];
    struct alc_tdx_module module; /* of TDX: version 0 */
    struct alc_tcb_match launch;  /* of SGX too */
    struct alc_tcb_match now;
};

/* Reads TCB info of SGX, or of TDX when there are TDX SVNs, and takes the highest level whose SVNs
 * the platform has all reached. ALC_E_BAD_COLLATERAL or ALC_E_BAD_JSON. Advisories are borrowed. */
ALC_MUST_CHECK alc_status alc_tcb_info_read(struct alc_reader *reader,
                                            const struct alc_platform_svns *svns,
                                            struct alc_tcb_info *out);

/* Whether the domain runs on the module that the TCB info describes for its version: the signer,
 * and the attributes under the mask; no attribute outside the mask may be set. */
bool alc_tdx_module_fits(const struct alc_tcb_info *info, const struct alc_td_report *td);
/* Whether there is a level for everything that the match is about. */
bool alc_tcb_match_is_known(const struct alc_tcb_match *match);

/* -- quoting enclaves -- */

struct alc_qe_identity {
    struct alc_collateral_dates dates;
    uint32_t miscselect;
    uint32_t miscselect_mask;
    uint8_t attributes[16];
    uint8_t attributes_mask[16];
    uint8_t mrsigner[32];
    uint16_t isv_product_id;
    bool has_level; /* one of the levels holds for the enclave */
    struct alc_tcb_level level;
};

/* Reads the identity of the quoting enclave of SGX or TDX and takes the highest level that `qe_svn`
 * has reached. ALC_E_BAD_COLLATERAL or ALC_E_BAD_JSON. */
ALC_MUST_CHECK alc_status alc_qe_identity_read(struct alc_reader *reader, bool is_tdx,
                                               uint16_t qe_svn, struct alc_qe_identity *out);
/* Whether the report is one of that enclave: all but its level. */
bool alc_qe_identity_fits(const struct alc_qe_identity *identity,
                          const struct alc_sgx_report_body *report);

/* -- states together -- */

/* The state of a platform one of whose parts (module, quoting enclave) has a state of its own: a
 * part that is out of date makes the platform so, one that is revoked revokes it, nothing else
 * about it counts. */
enum alc_tcb_status alc_tcb_converge(enum alc_tcb_status platform, enum alc_tcb_status part);
/* The state of a trust domain that was launched in one state and runs in another: when only the
 * launch was out of date, launching it again helps. What is revoked now is revoked. */
enum alc_tcb_status alc_tcb_relaunch(enum alc_tcb_status launch, enum alc_tcb_status now);

#endif
