/* SPDX-License-Identifier: Apache-2.0
 *
 * A verdict as an attestation result that others understand: the claims of an EAR token
 * (draft-ietf-rats-ear) with a trustworthiness vector (draft-ietf-rats-ar4si), for somebody who
 * relies on the verifier instead of judging evidence himself. jwt.h signs them.
 */
#ifndef ALC_ATTEST_EAR_H
#define ALC_ATTEST_EAR_H

#include "attest/appraise.h"
#include "base/writer.h"

enum alc_ear_dialect {
    ALC_EAR_TRUSTEE, /* as Trustee issues and reads them */
    ALC_EAR_IETF,    /* as the draft is now */
};

/* What a token tells about one aspect of the attester. Aspects that nothing is known about are left
 * out: the instance's identity, file system, storage and data from elsewhere. */
struct alc_trust_vector {
    int8_t configuration;
    int8_t executables;
    int8_t hardware;
    int8_t runtime_opaque;
};

/* Tiers of AR4SI, better ones first. */
enum alc_trust_tier {
    ALC_TRUST_NONE,
    ALC_TRUST_AFFIRMING,
    ALC_TRUST_WARNING,
    ALC_TRUST_CONTRAINDICATED,
};

struct alc_ear {
    enum alc_ear_dialect dialect;
    const struct alc_verdict *verdict;
    const struct alc_policy *policy; /* by which it was made */
    const char *policy_id;           /* what the policy is called, ASCII */
    const char *build;               /* what of alcove judged; NULL: "alcove verify" */
    bool is_sample;                  /* of the key broker protocol, which nobody signed: the
                                      * verdict is of no kind, what it is made for is told anyway */
    int64_t now_s;                   /* when the token is issued */
    int64_t expires_s;               /* 0: does not say */
    struct alc_text nonce;           /* eat_nonce, 8 to 88 characters; empty: none */
    struct alc_text runtime_data;    /* JSON that the evidence binds, as runtime_data_claims within
                                      * the annotated evidence; empty: none */
};

/* Whether the policy names what runs there by its measurement or its signer, and for a runtime of
 * alcove the program, too: if not, any program is accepted. */
bool alc_ear_is_recognized(const struct alc_verdict *verdict, const struct alc_policy *policy);

/* How far what a value says is to be trusted. */
enum alc_trust_tier alc_trust_tier_of(int8_t value);

/* What the verdict comes to. */
void alc_ear_vector(const struct alc_verdict *verdict, const struct alc_policy *policy,
                    struct alc_trust_vector *out);
/* The overall status: ALC_TRUST_CONTRAINDICATED unless the verdict accepts, else the worst of the
 * vector. */
enum alc_trust_tier alc_ear_status(const struct alc_verdict *verdict,
                                   const struct alc_policy *policy);
/* Its word in tokens: "affirming". */
const char *alc_trust_tier_word(enum alc_trust_tier tier);

/* Writes the claims as one JSON object without line breaks. About 4 KiB, plus advisories and
 * runtime data; the writer says whether they fitted. */
void alc_ear_write(struct alc_writer *writer, const struct alc_ear *ear);

#endif
