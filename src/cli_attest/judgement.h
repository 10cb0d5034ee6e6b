/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of `alcove verify` share: what was judged, by what, and what came of it.
 */
#ifndef ALC_CLI_ATTEST_JUDGEMENT_H
#define ALC_CLI_ATTEST_JUDGEMENT_H

#include <stdio.h>

#include "attest/appraise.h"
#include "attest/ear.h"
#include "attest/verdict.h"
#include "cli/cli.h"

enum { JUDGEMENT_REASON_SIZE = 1024 };

struct judgement {
    const char *evidence_path;
    size_t evidence_size;
    const char *policy_path; /* NULL: the default policy */
    struct alc_policy policy;
    char policy_id[ALC_POLICY_NAME_SIZE];
    struct alc_appraisal appraisal;
    struct alc_verdict verdict;
};

/* -- inputs.c: each ends the process with CLI_USAGE and words when a file is no good -- */

/* Sets evidence, borrowed for the rest of the process. */
void judgement_read_evidence(struct judgement *judgement, const char *path);
void judgement_read_policy(struct judgement *judgement, const char *path);
/* A file with one JSON object, or a folder. */
void judgement_read_collateral(struct judgement *judgement, const char *path);
/* Memory for the rest of the process: what was read lies in it. */
struct alc_arena *judgement_arena(void);

/* -- report.c, reason.c, verdict_json.c, token.c -- */

/* Why it failed: words without a line break, as printable ASCII. */
void judgement_reason(const struct judgement *judgement, char out[JUDGEMENT_REASON_SIZE]);
/* What the evidence is: "quote of an SGX enclave". */
const char *judgement_kind_text(enum alc_evidence_kind kind);
/* A stranger's text, of which only printable ASCII reaches the terminal. */
void judgement_print_text(const struct alc_text *text, FILE *out);
void judgement_print(const struct judgement *judgement, FILE *out);
void judgement_print_json(const struct judgement *judgement, FILE *out);
/* Signed with the key in the file; ends the process with CLI_USAGE when that is none. */
void judgement_print_token(const struct judgement *judgement, const char *key_path,
                           enum alc_ear_dialect dialect, FILE *out);

/* -- explain.c -- */

int explain_run(struct cli_arguments *arguments);

#endif
