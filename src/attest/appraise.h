/* SPDX-License-Identifier: Apache-2.0
 *
 * The judgement about evidence, as a pure function of evidence, collateral, policy and a time: a
 * verdict that says for each rule of checks.def whether it holds. Runs inside the enclave and
 * outside; all of its input but policy and time is hostile.
 *
 * What is believed at the end hangs on the SHA-256 of a maker's root certificate. Order and rules:
 * Intel's DCAP quote verification library and its collateral formats, version 4 of the provisioning
 * service; AMD's SEV-SNP ABI specification (56860) and key distribution service (57230).
 */
#ifndef ALC_ATTEST_APPRAISE_H
#define ALC_ATTEST_APPRAISE_H

#include "attest/claims.h"
#include "attest/collateral.h"
#include "attest/policy.h"
#include "attest/quote.h"
#include "attest/snp.h"

enum alc_check {
#define CHECK(ident, kinds, text) ALC_CHECK_##ident,
#include "attest/checks.def"
#undef CHECK
    ALC_CHECKS
};

/* What a check stands for, when it passed. */
const char *alc_check_text(enum alc_check check);
/* Its name, as rules are called in verdicts. */
const char *alc_check_name(enum alc_check check);

/* Whether it is for this kind of evidence; the others stay ALC_CHECK_NOT_REACHED. */
bool alc_check_is_for(enum alc_check check, enum alc_evidence_kind kind);

enum alc_check_result {
    ALC_CHECK_NOT_REACHED, /* because one before it failed, or it is for other kinds of evidence */
    ALC_CHECK_PASSED,
    ALC_CHECK_FAILED,
};

/* SHA-256 of the root certificate under which the emulator makes evidence: its key is public. What
 * leads to it is refused by NOT_EMULATED unless the policy says otherwise, whatever root is
 * trusted.
 */
extern const uint8_t alc_emulated_root_sha256[ALC_SHA256_SIZE];

struct alc_appraisal {
    struct alc_text evidence;      /* a quote or a report; its kind is found out */
    struct alc_text claims_buffer; /* that came with it (claims.h); empty: none */
    /* The report data of evidence that binds the claims-buffer, where others bind it in another way
     * than alc_claims_bind; trusted. NULL: that. */
    const uint8_t *claims_report_data;
    struct alc_text nonce; /* for which it must have been made; empty: any */
    struct alc_collateral collateral;
    const struct alc_policy *policy;
    int64_t now_s; /* since 1970, UTC */
    /* SHA-256 of a trusted root's certificate instead of the makers'; NULL: theirs. */
    const uint8_t *root_sha256;
    /* Signatures of certificates and collateral that were found good before, or NULL: a verifier of
     * much evidence saves most of its time. That of the evidence itself is always verified. */
    const struct alc_known_signatures *known;
};

struct alc_verdict {
    alc_status status;           /* ALC_OK: accepted; else why not */
    uint64_t offset;             /* in the evidence, of what FORM refused; ALC_NO_OFFSET */
    enum alc_evidence_kind kind; /* 0: was not found out */
    enum alc_check_result results[ALC_CHECKS];
    bool is_emulated; /* leads to the emulator's root */
    /* Below: meaningful once TCB_LEVEL passed. */
    enum alc_tcb_status tcb;          /* of all together */
    enum alc_tcb_status platform_tcb; /* with the TDX module, if any, as the domain was launched */
    enum alc_tcb_status qe_tcb;
    struct alc_text advisories[3 * ALC_ADVISORIES_MAX]; /* borrowed from the collateral */
    size_t advisories_count;
    uint32_t evaluation_number;
    uint8_t fmspc[ALC_FMSPC_SIZE];
    int64_t collateral_issued_s; /* when the oldest part was, of those that are issued monthly */
    int64_t valid_from_s;        /* the verdict holds at every time from here … */
    int64_t valid_until_s;       /* … to here */
    /* Meaningful once the evidence's signature passed. */
    bool is_debug; /* its host can read and change its memory */
    uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE];
    enum alc_quote_body body;          /* of quotes: which of these two, and how much of it */
    struct alc_sgx_report_body report; /* of SGX; else zeros */
    struct alc_td_report td;           /* of TDX; else zeros */
    struct alc_snp_verdict snp;        /* of SEV-SNP; else zeros */
    /* Meaningful once CLAIMS passed; texts are borrowed from the claims-buffer. */
    bool has_claims; /* alcove's runtime made it: */
    struct alc_claims claims;
    struct alc_text nonce;
};

enum { ALC_APPRAISE_ARENA_SIZE = 32 * 1024 };

/* Whether the evidence is what it says, as far as its kind is proven: no check failed but one of
 * the policy's. What a verdict has about other evidence nobody signed. */
bool alc_verdict_is_genuine(const struct alc_verdict *verdict);

/* Fills *out whatever happens and returns out->status, the status of the first check that failed:
 * those of the formats, ALC_E_NO_COLLATERAL, ALC_E_BAD_SIGNATURE,
 * ALC_E_UNTRUSTED_ROOT, ALC_E_REVOKED, ALC_E_NOT_CURRENT (dates), ALC_E_EMULATED,
 * ALC_E_WRONG_PLATFORM, ALC_E_NO_TCB_LEVEL, ALC_E_POLICY_REFUSED. `arena` is only used
 * during the call; ALC_APPRAISE_ARENA_SIZE bytes are enough for every chain that is accepted. */
alc_status alc_appraise(struct alc_arena *arena, const struct alc_appraisal *appraisal,
                        struct alc_verdict *out);

#endif
