/* SPDX-License-Identifier: Apache-2.0
 *
 * What Intel says about platforms and quoting enclaves: TCB info (version 3) and QE identity
 * (version 2), as signed JSON. Their signatures are the caller's to verify first; form is checked
 * here.
 */
#ifndef ALC_ATTEST_TCB_H
#define ALC_ATTEST_TCB_H

#include "attest/json.h"
#include "attest/pck.h"
#include "sgx_arch/arch.h"

enum alc_tcb_status {
#define TCB(ident, text) ALC_TCB_##ident,
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

struct alc_tcb_info {
    struct alc_collateral_dates dates;
    uint8_t fmspc[ALC_FMSPC_SIZE];
    uint8_t pce_id[ALC_PCE_ID_SIZE];
    bool has_level; /* one of the levels holds for the platform */
    struct alc_tcb_level level;
};

/* Reads TCB info of SGX and takes the first level whose SVNs the platform has all reached.
 * ALC_E_BAD_COLLATERAL or ALC_E_BAD_JSON. Advisories are borrowed. */
ALC_MUST_CHECK alc_status alc_tcb_info_read(struct alc_reader *reader, const struct alc_pck *pck,
                                            struct alc_tcb_info *out);

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

/* Reads the identity of SGX's quoting enclave and takes the first level that `qe_svn` has reached.
 */
ALC_MUST_CHECK alc_status alc_qe_identity_read(struct alc_reader *reader, uint16_t qe_svn,
                                               struct alc_qe_identity *out);
/* Whether the report is one of that enclave: all but its level. */
bool alc_qe_identity_fits(const struct alc_qe_identity *identity,
                          const struct alc_sgx_report_body *report);

/* The state of a platform whose quoting enclave has a state of its own. */
enum alc_tcb_status alc_tcb_converge(enum alc_tcb_status platform, enum alc_tcb_status qe);

#endif
