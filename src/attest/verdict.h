/* SPDX-License-Identifier: Apache-2.0
 *
 * A verdict as JSON, for machines: what `alcove verify --json` prints, and what a program gets of
 * verify() and peer_verdict(). Names are a promise: docs/reference/attestation.md lists them.
 */
#ifndef ALC_ATTEST_VERDICT_H
#define ALC_ATTEST_VERDICT_H

#include "attest/appraise.h"
#include "attest/json_write.h"

/* What is said beside the verdict's own. */
struct alc_verdict_form {
    int64_t now_s;       /* when it was judged; below 0: not said */
    bool has_advisories; /* texts that the verdict borrows are still there */
    /* What a check stands for, alc_check_text; NULL: not said. */
    const char *(*text_of)(enum alc_check check);
};

/* The check that failed, ALC_CHECKS when none did. */
enum alc_check alc_verdict_failed_check(const struct alc_verdict *verdict);

/* Both write members of the object that is open. The first: "verdict", "status", and
 * "failed_check" if one did. */
void alc_verdict_write_outcome(struct alc_json_writer *json, const struct alc_verdict *verdict);
/* The second: what the evidence is, when the verdict holds, what was signed, claims, the platform,
 * and each check. */
void alc_verdict_write_findings(struct alc_json_writer *json, const struct alc_verdict *verdict,
                                const struct alc_verdict_form *form);

#endif
