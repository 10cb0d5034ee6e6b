/* SPDX-License-Identifier: Apache-2.0
 *
 * Judges an evidence file with attest/, for evidence.py: `judge FILE [name=value...]`. Policies:
 * `accept=emulated`, `mrenclave=` hexadecimal. Prints the check that failed, measurement, nonce,
 * claims and status, one a line. Exit code 0 when the verdict is good and the claims are bound to
 * the evidence.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attest/appraise.h"
#include "attest/evidence_file.h"

enum { FILE_MAX = 1 << 20, ARENA_SIZE = 1 << 20 };
#define NOW 1751328000 /* 2025-07-01 */

static uint8_t bytes[FILE_MAX];
static uint8_t memory[ARENA_SIZE];

static void print_hex(const char *name, const uint8_t *from, size_t size)
{
    printf("%s ", name);
    for (size_t i = 0; i < size; i++) {
        printf("%02x", from[i]);
    }
    printf("\n");
}

static void print_claims(const struct alc_text *text)
{
    struct alc_claims claims;
    struct alc_reader reader;
    alc_reader_init(&reader, text->bytes, text->size, NULL);
    if (alc_claims_read(&reader, &claims) != ALC_OK) {
        printf("claims none\n");
        return;
    }
    printf("software %.*s %.*s\n", (int)claims.software.size, (const char *)claims.software.bytes,
           (int)claims.version.size, (const char *)claims.version.bytes);
    print_hex("workload_id", claims.workload_id, 32);
    print_hex("module", claims.module_sha256, 32);
    if (claims.is_compiled) {
        print_hex("native", claims.native_sha256, 32);
    }
    printf("verified %d\nvouched_by %d\nasked_by %d\n", claims.is_verified, claims.vouched_by,
           claims.asked_by);
    if (claims.has_sealed_mounts) {
        printf("rollback %s\n", alc_claimed_rollback_word(claims.rollback));
    }
    if (claims.vouched_by == ALC_CLAIMED_VOUCHER_KEY) {
        print_hex("voucher_key", claims.voucher_key_sha256, 32);
    }
}

static alc_status appraise(const struct alc_evidence_file *file, const struct alc_policy *policy,
                           struct alc_verdict *verdict)
{
    struct alc_arena arena;
    struct alc_reader reader;
    struct alc_pcs_collateral collateral = {0};
    alc_arena_init(&arena, memory, sizeof memory);
    alc_reader_init(&reader, file->collateral.bytes, file->collateral.size, NULL);
    if (alc_pcs_collateral_read(&arena, &reader, &collateral) != ALC_OK) {
        printf("collateral none\n");
    }
    const struct alc_appraisal appraisal = {
        .evidence = file->tagged.evidence,
        .collateral.pcs = &collateral,
        .policy = policy,
        .now_s = NOW,
    };
    return alc_appraise(&arena, &appraisal, verdict);
}

static alc_status judge(const struct alc_evidence_file *file, const struct alc_policy *policy)
{
    struct alc_verdict verdict;
    struct alc_claims_buffer buffer;
    struct alc_reader reader;
    uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE];
    alc_status status = appraise(file, policy, &verdict);
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        if (verdict.results[i] == ALC_CHECK_FAILED) {
            printf("failed %s\n", alc_check_name((enum alc_check)i));
        }
    }
    print_hex("mrenclave", verdict.report.mrenclave, 32);
    alc_reader_init(&reader, file->tagged.claims.bytes, file->tagged.claims.size, NULL);
    if (alc_claims_buffer_read(&reader, &buffer) != ALC_OK) {
        return ALC_E_BAD_CLAIMS;
    }
    print_hex("nonce", buffer.nonce.bytes, buffer.nonce.size);
    print_claims(&buffer.alcove);
    alc_claims_bind(file->tagged.claims.bytes, file->tagged.claims.size, report_data);
    if (status == ALC_OK && memcmp(report_data, verdict.report_data, sizeof report_data) != 0) {
        status = ALC_E_REPORT_MISMATCH;
    }
    return status;
}

int main(int argc, char **argv)
{
    static uint8_t mrenclave[32];
    struct alc_policy policy = alc_policy_default;
    struct alc_evidence_file file;
    struct alc_reader reader;
    FILE *stream = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (stream == NULL) {
        return 2;
    }
    size_t size = fread(bytes, 1, sizeof bytes, stream);
    fclose(stream);
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "accept=emulated") == 0) {
            policy.accepts_emulated = true;
            policy.accepts_debug = true;
        } else if (strncmp(argv[i], "mrenclave=", 10) == 0 &&
                   alc_hex_decode((const uint8_t *)argv[i] + 10, strlen(argv[i]) - 10, mrenclave,
                                  sizeof mrenclave)) {
            policy.mrenclaves = (struct alc_reference_values){mrenclave, 1};
        } else {
            return 2;
        }
    }
    alc_reader_init(&reader, bytes, size, NULL);
    alc_status status = alc_evidence_file_read(&reader, &file);
    if (status == ALC_OK) {
        status = judge(&file, &policy);
    }
    printf("status %s\n", alc_status_name(status));
    return status == ALC_OK ? 0 : 1;
}
