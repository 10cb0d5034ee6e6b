/* SPDX-License-Identifier: Apache-2.0
 *
 * Our verifier for tests/attest/agree.py: attest_judge COLLATERAL SECONDS [ROOT]. Standard input
 * has quotes, each behind its size as a u32 in little-endian; standard output gets a line for each:
 * the state of the platform, or "refused", the row of checks.def that failed, and why. The policy
 * accepts every state but Revoked, as the other verifiers do.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "attest/appraise.h"

enum { EVIDENCE_MAX = 1 << 16 };

struct judge {
    uint8_t collateral_bytes[1 << 16];
    uint8_t collateral_memory[1 << 16];
    uint8_t memory[1 << 16];
    uint8_t root_bytes[4096];
    uint8_t root_sha256[ALC_SHA256_SIZE];
    uint8_t evidence[EVIDENCE_MAX];
    struct alc_pcs_collateral collateral;
    struct alc_policy policy;
    struct alc_appraisal appraisal;
};

static size_t read_file(const char *path, uint8_t *out, size_t out_max)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    size_t size = fread(out, 1, out_max, file);
    fclose(file);
    return size;
}

static void judge_one(struct judge *judge, size_t size)
{
    struct alc_verdict verdict;
    struct alc_arena arena;
    alc_arena_init(&arena, judge->memory, sizeof judge->memory);
    judge->appraisal.evidence = (struct alc_text){judge->evidence, size};
    alc_status status = alc_appraise(&arena, &judge->appraisal, &verdict);
    if (status == ALC_OK) {
        printf("%s\n", alc_tcb_status_text(verdict.tcb));
        return;
    }
    size_t failed = 0;
    while (failed < ALC_CHECKS - 1 && verdict.results[failed] != ALC_CHECK_FAILED) {
        failed++;
    }
    printf("refused %s: %s\n", alc_check_name((enum alc_check)failed), alc_status_text(status));
}

static void set_up(struct judge *judge, int argc, char **argv)
{
    struct alc_arena arena;
    struct alc_reader reader;
    size_t size = read_file(argv[1], judge->collateral_bytes, sizeof judge->collateral_bytes);
    alc_arena_init(&arena, judge->collateral_memory, sizeof judge->collateral_memory);
    alc_reader_init(&reader, judge->collateral_bytes, size, NULL);
    if (alc_pcs_collateral_read(&arena, &reader, &judge->collateral) != ALC_OK) {
        fprintf(stderr, "%s: malformed collateral\n", argv[1]);
        exit(2);
    }
    judge->policy = alc_policy_default;
    judge->policy.accepted_tcb = ~(1u << ALC_TCB_REVOKED);
    judge->appraisal = (struct alc_appraisal){
        .collateral.pcs = &judge->collateral,
        .policy = &judge->policy,
        .now_s = strtoll(argv[2], NULL, 10),
    };
    if (argc > 3) {
        alc_sha256(judge->root_bytes,
                   read_file(argv[3], judge->root_bytes, sizeof judge->root_bytes),
                   judge->root_sha256);
        judge->appraisal.root_sha256 = judge->root_sha256;
    }
}

int main(int argc, char **argv)
{
    static struct judge judge;
    uint32_t size;
    if (argc < 3) {
        fprintf(stderr, "usage: %s COLLATERAL SECONDS [ROOT] <QUOTES\n", argv[0]);
        return 2;
    }
    set_up(&judge, argc, argv);
    while (fread(&size, sizeof size, 1, stdin) == 1) {
        if (size > EVIDENCE_MAX || fread(judge.evidence, 1, size, stdin) != size) {
            fprintf(stderr, "a quote of %" PRIu32 " bytes is too long or cut\n", size);
            return 2;
        }
        judge_one(&judge, size);
    }
    return 0;
}
