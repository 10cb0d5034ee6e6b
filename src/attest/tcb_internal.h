/* SPDX-License-Identifier: Apache-2.0
 *
 * What TCB info and identities have in common: dates, and levels. A level is read whole and then
 * compared, since members may come in any order.
 */
#ifndef ALC_ATTEST_TCB_INTERNAL_H
#define ALC_ATTEST_TCB_INTERNAL_H

#include "attest/tcb.h"

/* Where a level stands: which states it may have. */
enum alc_tcb_place {
    ALC_TCB_OF_PLATFORM = 1 << 0,
    ALC_TCB_OF_ENCLAVE = 1 << 1,
    ALC_TCB_OF_MODULE = 1 << 2,
};

/* A level being read: `place` is the caller's to set. */
struct alc_level_reader {
    enum alc_tcb_place place;
    struct alc_tcb_level level;
    uint8_t sgx_svns[ALC_TCB_COMPONENTS];
    uint8_t tdx_svns[ALC_TD_SVN_SIZE];
    uint64_t svn; /* PCE's, or the enclave's or module's */
};

/* Functions for struct alc_json_member whose context is a struct alc_level_reader. */
alc_json_value_function alc_level_read_status, alc_level_read_date, alc_level_read_advisories,
    alc_level_read_svn;

/* Reads a level of an enclave or a module: its SVN is "isvsvn". */
ALC_MUST_CHECK alc_status alc_enclave_level_read(struct alc_reader *reader,
                                                 struct alc_level_reader *out);

/* The best level so far of those that hold. */
struct alc_enclave_match {
    bool has_level;
    uint64_t svn;
    struct alc_tcb_level level;
};
/* Takes the level when `svn` has reached it and no higher one was taken. */
void alc_enclave_match_offer(struct alc_enclave_match *match, const struct alc_level_reader *level,
                             uint64_t svn);

/* Values that must be exactly these: ALC_E_BAD_COLLATERAL. */
ALC_MUST_CHECK alc_status alc_collateral_expect_text(struct alc_reader *reader, const char *wanted);
ALC_MUST_CHECK alc_status alc_collateral_read_version(struct alc_reader *reader, uint64_t min,
                                                      uint64_t max);
ALC_MUST_CHECK alc_status alc_collateral_read_date(struct alc_reader *reader, int64_t *out_s);
ALC_MUST_CHECK alc_status alc_collateral_read_evaluation(struct alc_reader *reader,
                                                         struct alc_collateral_dates *out);

#endif
