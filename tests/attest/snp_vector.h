/* SPDX-License-Identifier: Apache-2.0
 *
 * The real SEV-SNP report, its endorsement key's certificate and AMD's chains, from files.
 */
#ifndef TESTS_ATTEST_SNP_VECTOR_H
#define TESTS_ATTEST_SNP_VECTOR_H

#include <stdio.h>
#include <string.h>

#include "attest/appraise.h"
#include "attest/time.h"

enum { SNP_FILE_MAX = 8192 };

struct snp_vector {
    uint8_t report[SNP_FILE_MAX];
    uint8_t vcek[SNP_FILE_MAX];
    uint8_t chain[SNP_FILE_MAX];
    struct alc_kds_collateral collateral;
    struct alc_policy policy;
    struct alc_appraisal appraisal;
    uint8_t memory[24 << 10];
};

static inline bool snp_file_read(const char *folder, const char *name, uint8_t *out,
                                 struct alc_text *out_text)
{
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    *out_text = (struct alc_text){out, fread(out, 1, SNP_FILE_MAX, file)};
    fclose(file);
    return true;
}

/* A policy that accepts debugging, which this guest allows, and a time within all dates. */
static inline bool snp_vector_read(const char *folder, struct snp_vector *out)
{
    static const char now[] = "2025-07-01T00:00:00Z";
    struct alc_text evidence;
    out->collateral = (struct alc_kds_collateral){0};
    out->policy = alc_policy_default;
    out->policy.accepts_debug = true;
    bool is_read =
        snp_file_read(folder, "attestation.bin", out->report, &evidence) &&
        snp_file_read(folder, "vcek.testcer", out->vcek, &out->collateral.endorsement_key) &&
        snp_file_read(folder, "ask_ark_milan.pem", out->chain, &out->collateral.chain);
    out->appraisal = (struct alc_appraisal){
        .evidence = evidence, .collateral.kds = &out->collateral, .policy = &out->policy};
    return is_read &&
           alc_time_from_rfc3339((const uint8_t *)now, sizeof now - 1, &out->appraisal.now_s);
}

static inline alc_status snp_vector_judge(struct snp_vector *vector, struct alc_verdict *out)
{
    struct alc_arena arena;
    alc_arena_init(&arena, vector->memory, sizeof vector->memory);
    return alc_appraise(&arena, &vector->appraisal, out);
}

#endif
