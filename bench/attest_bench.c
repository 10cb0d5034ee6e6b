/* SPDX-License-Identifier: Apache-2.0
 *
 * How long a core needs to judge evidence: attest_bench FOLDER, where the published quotes and
 * their collateral lie. Each line is the best of several runs, in processor time: a whole appraisal
 * (form, five chains and lists, collateral, levels, policy), reading the collateral's JSON, and one
 * verification over each curve.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attest/appraise.h"
#include "attest/time.h"

enum { FILE_MAX = 1 << 16, RUNS = 5, TURNS = 200 };

static uint8_t quote_bytes[FILE_MAX];
static uint8_t collateral_bytes[FILE_MAX];
static uint8_t collateral_memory[FILE_MAX];
static uint8_t memory[FILE_MAX];

static size_t read_file(const char *folder, const char *name, uint8_t *out)
{
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t size = fread(out, 1, FILE_MAX, file);
    fclose(file);
    return size;
}

static double now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static double best_us(void (*run)(void *), void *context)
{
    double best = 1e12;
    for (int i = 0; i < RUNS; i++) {
        double start = now_us();
        for (int turn = 0; turn < TURNS; turn++) {
            run(context);
        }
        double each = (now_us() - start) / TURNS;
        best = each < best ? each : best;
    }
    return best;
}

struct quote_case {
    struct alc_appraisal appraisal;
    struct alc_pcs_collateral collateral;
    size_t collateral_size;
    alc_status status;
};

static void run_collateral(void *context)
{
    struct quote_case *quote = context;
    struct alc_arena arena;
    struct alc_reader reader;
    alc_arena_init(&arena, collateral_memory, sizeof collateral_memory);
    alc_reader_init(&reader, collateral_bytes, quote->collateral_size, NULL);
    quote->status = alc_pcs_collateral_read(&arena, &reader, &quote->collateral);
}

static void run_appraisal(void *context)
{
    struct quote_case *quote = context;
    struct alc_arena arena;
    struct alc_verdict verdict;
    alc_arena_init(&arena, memory, sizeof memory);
    quote->status = alc_appraise(&arena, &quote->appraisal, &verdict);
}

static void bench_quote(const char *folder, const char *name, const char *now)
{
    struct alc_policy policy = alc_policy_default;
    struct quote_case quote = {0};
    char collateral_name[200];
    snprintf(collateral_name, sizeof collateral_name, "%s_collateral.json", name);
    policy.accepted_tcb = ~0u;
    quote.collateral_size = read_file(folder, collateral_name, collateral_bytes);
    quote.appraisal = (struct alc_appraisal){
        .evidence = {quote_bytes, read_file(folder, name, quote_bytes)},
        .collateral.pcs = &quote.collateral,
        .policy = &policy,
    };
    if (!alc_time_from_rfc3339((const uint8_t *)now, strlen(now), &quote.appraisal.now_s)) {
        exit(1);
    }
    double collateral_us = best_us(run_collateral, &quote);
    if (quote.status != ALC_OK) {
        exit(1);
    }
    double appraisal_us = best_us(run_appraisal, &quote);
    printf("%-20s %8.0f us, collateral's JSON %4.0f us: %s\n", name, appraisal_us, collateral_us,
           alc_status_text(quote.status));
}

struct signature_case {
    struct alc_ec_public_key key;
    struct alc_ecdsa_signature signature;
    uint8_t digest[ALC_SHA384_SIZE];
    alc_status status;
};

static void run_verification(void *context)
{
    struct signature_case *signed_by = context;
    signed_by->status =
        alc_ecdsa_verify(&signed_by->key, signed_by->digest, alc_curve_size(signed_by->key.curve),
                         &signed_by->signature);
}

static alc_status fill(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    memset(buf, 7, buf_size);
    return ALC_OK;
}

static void bench_curve(enum alc_curve curve, enum alc_hash_kind hash, const char *name)
{
    const struct alc_random random = {.fill = fill};
    struct alc_ec_private_key key = {.curve = curve, .scalar = {1, 2, 3}};
    struct signature_case signed_by = {.digest = {4, 5, 6}};
    if (alc_ec_derive_public(&key, &random, &signed_by.key) != ALC_OK ||
        alc_ecdsa_sign(&key, hash, signed_by.digest, &random, &signed_by.signature) != ALC_OK) {
        exit(1);
    }
    double us = best_us(run_verification, &signed_by);
    printf("%-20s %8.0f us: %s\n", name, us, alc_status_text(signed_by.status));
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    bench_quote(folder, "sgx_quote", "2025-07-01T00:00:00Z");
    bench_quote(folder, "tdx_quote", "2025-07-01T00:00:00Z");
    bench_quote(folder, "tdx_quote_outdated", "2026-03-01T00:00:00Z");
    bench_curve(ALC_CURVE_P256, ALC_HASH_SHA256, "P-256 verification");
    bench_curve(ALC_CURVE_P384, ALC_HASH_SHA384, "P-384 verification");
    return 0;
}
