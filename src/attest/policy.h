/* SPDX-License-Identifier: Apache-2.0
 *
 * What somebody asks of evidence: reference values and bounds. A policy is trusted.
 */
#ifndef ALC_ATTEST_POLICY_H
#define ALC_ATTEST_POLICY_H

#include "attest/json.h"
#include "attest/tcb.h"

enum alc_evidence_kind {
    ALC_EVIDENCE_SGX = 1 << 0,     /* quote of an enclave */
    ALC_EVIDENCE_TDX = 1 << 1,     /* quote of a trust domain */
    ALC_EVIDENCE_SEV_SNP = 1 << 2, /* report of a guest */
};

enum {
    ALC_EVIDENCE_REPORT_DATA_SIZE = 64,
    ALC_SGX_MEASUREMENT_SIZE = 32,
    ALC_CVM_MEASUREMENT_SIZE = 48 /* of TDX and SEV-SNP */
};

/* `count` values of one size, behind each other; none: all are accepted, unless it says otherwise.
 */
struct alc_reference_values {
    const uint8_t *bytes;
    size_t count;
};

struct alc_policy {
    uint32_t kinds; /* enum alc_evidence_kind, those accepted; 0: all */
    bool accepts_debug;
    bool accepts_emulated; /* evidence under the emulator's root, which anybody can make */
    /* -- platform -- */
    uint32_t accepted_tcb; /* 1 << enum alc_tcb_status, those accepted */
    bool limits_advisories;
    const struct alc_text *advisories; /* those accepted, when they are limited */
    size_t advisories_count;
    uint32_t evaluation_number_min; /* of the collateral: refuses older collateral */
    /* -- SGX -- */
    struct alc_reference_values mrenclaves; /* 32 bytes each; so the next */
    struct alc_reference_values mrsigners;
    bool has_product_id;
    uint16_t product_id;
    uint16_t svn_min;
    /* -- TDX -- */
    struct alc_reference_values mrtds; /* ALC_TD_MEASUREMENT_SIZE bytes each; so the next */
    struct alc_reference_values rtmrs[ALC_TD_RTMRS];
    struct alc_reference_values mrconfigids;
    struct alc_reference_values mrowners;
    struct alc_reference_values mrownerconfigs;
    struct alc_reference_values mrseams; /* of the TDX module */
    /* Of service domains, which can move or change a trust domain; none: no such domain is
     * accepted. A trust domain that can be migrated has one. */
    struct alc_reference_values mrservicetds;
    const uint8_t *td_svn_min; /* ALC_TD_SVN_SIZE bytes, minima for tee_tcb_svn; NULL: none */
    /* -- any -- */
    const uint8_t *report_data; /* 64 bytes; NULL: any */
};

/* Accepts UpToDate alone, of any kind, neither debug nor emulated. */
extern const struct alc_policy alc_policy_default;

#endif
