/* SPDX-License-Identifier: Apache-2.0
 *
 * The judgement about an SGX quote, as a pure function of the quote, Intel's collateral, a time and
 * a policy: a verdict that says for each rule of checks.def whether it holds. Runs inside the
 * enclave and outside; all of its input but policy and time is hostile.
 *
 * What is believed at the end hangs on one SHA-256, that of the trusted root's certificate. Order
 * and rules: Intel's DCAP quote verification library and its collateral formats, version 4 of the
 * provisioning service.
 */
#ifndef ALC_ATTEST_QUOTE_VERIFY_H
#define ALC_ATTEST_QUOTE_VERIFY_H

#include "attest/quote.h"
#include "attest/tcb.h"

enum alc_check {
#define CHECK(ident, text) ALC_CHECK_##ident,
#include "attest/checks.def"
#undef CHECK
    ALC_CHECKS
};

/* What a check stands for, when it passed. */
const char *alc_check_text(enum alc_check check);

enum alc_check_result { ALC_CHECK_NOT_REACHED, ALC_CHECK_PASSED, ALC_CHECK_FAILED };

/* What Intel's provisioning service says, as it says it. All is borrowed. */
struct alc_collateral {
    struct alc_text root_list;      /* DER */
    struct alc_text pck_list;       /* DER */
    struct alc_text tcb_info_chain; /* PEM */
    struct alc_text tcb_info;       /* JSON, exactly the bytes that are signed */
    uint8_t tcb_info_signature[64]; /* r || s */
    struct alc_text qe_identity_chain;
    struct alc_text qe_identity;
    uint8_t qe_identity_signature[64];
};

/* Reads collateral from one JSON object with the members root_ca_crl, pck_crl (hexadecimal DER),
 * tcb_info_issuer_chain, tcb_info, tcb_info_signature (hexadecimal), qe_identity_issuer_chain,
 * qe_identity, qe_identity_signature; others are skipped. Decoded texts come from `arena`.
 * ALC_E_BAD_JSON at the offset of what is wrong. */
ALC_MUST_CHECK alc_status alc_collateral_read(struct alc_arena *arena, struct alc_reader *reader,
                                              struct alc_collateral *out);

/* What somebody asks of an enclave. Zeroed but for accepted_tcb it accepts every enclave that is
 * not a debug one. */
struct alc_quote_policy {
    uint32_t accepted_tcb; /* 1 << enum alc_tcb_status, those accepted */
    bool limits_advisories;
    const struct alc_text *advisories; /* those accepted, when they are limited */
    size_t advisories_count;
    const uint8_t (*mrenclaves)[32]; /* one of them, when there are any; so below */
    size_t mrenclaves_count;
    const uint8_t (*mrsigners)[32];
    size_t mrsigners_count;
    bool has_product_id;
    uint16_t product_id;
    uint16_t svn_min;
    const uint8_t *report_data; /* 64 bytes; NULL: any */
    bool accepts_debug;
};

/* Accepts UpToDate alone. */
extern const struct alc_quote_policy alc_quote_policy_default;

struct alc_quote_question {
    struct alc_text quote;
    const struct alc_collateral *collateral;
    const struct alc_quote_policy *policy;
    int64_t now_s;              /* since 1970, UTC */
    const uint8_t *root_sha256; /* of the trusted root's certificate; NULL: Intel's */
};

struct alc_verdict {
    alc_status status; /* ALC_OK: accepted; else why not */
    enum alc_check_result results[ALC_CHECKS];
    /* Below: meaningful once TCB_LEVEL passed. */
    enum alc_tcb_status tcb; /* of platform and quoting enclave together */
    enum alc_tcb_status platform_tcb;
    enum alc_tcb_status qe_tcb;
    struct alc_text advisories[2 * ALC_ADVISORIES_MAX]; /* borrowed from the collateral */
    size_t advisories_count;
    uint32_t evaluation_number;
    uint8_t fmspc[ALC_FMSPC_SIZE];
    int64_t valid_from_s;              /* the verdict holds at every time from here … */
    int64_t valid_until_s;             /* … to here */
    struct alc_sgx_report_body report; /* meaningful once QUOTE_SIGNATURE passed */
};

/* Fills *out whatever happens and returns out->status, the status of the first check that failed:
 * those of the formats, ALC_E_BAD_SIGNATURE, ALC_E_UNTRUSTED_ROOT, ALC_E_REVOKED, ALC_E_NOT_CURRENT
 * (dates), ALC_E_WRONG_PLATFORM, ALC_E_NO_TCB_LEVEL, ALC_E_POLICY_REFUSED. `arena` needs about 16
 * KiB and is only used during the call. */
alc_status alc_quote_verify(struct alc_arena *arena, const struct alc_quote_question *question,
                            struct alc_verdict *out);

#endif
