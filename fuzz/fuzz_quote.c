/* SPDX-License-Identifier: Apache-2.0
 *
 * Quotes of every version as an adversary sends them. Nothing is read beyond the input, errors lie
 * within it, and what was read can be used. Signatures are not verified: no fuzzer gets past them,
 * and what stands behind them is reached here and in fuzz_certificate.c without.
 */
#include <stdlib.h>

#include "attest/appraise.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static size_t signed_size_of(const struct alc_quote *quote)
{
    const size_t header_size = quote->version < 5 ? 48 : 54;
    switch (quote->body) {
    case ALC_QUOTE_SGX:
        return header_size + 384;
    case ALC_QUOTE_TD_10:
        return header_size + ALC_TD_REPORT_10_SIZE;
    case ALC_QUOTE_TD_15:
        return header_size + ALC_TD_REPORT_15_SIZE;
    case ALC_QUOTE_TD_15EX:
        return header_size + ALC_TD_REPORT_15EX_SIZE;
    }
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t memory[1 << 17];
    static struct alc_verdict verdict;
    const struct alc_appraisal appraisal = {.evidence = {bytes, size},
                                            .policy = &alc_policy_default};
    struct alc_arena arena;
    struct alc_reader reader;
    struct alc_error error;
    struct alc_quote quote;
    alc_error_clear(&error);
    alc_reader_init(&reader, bytes, size, &error);
    if (alc_quote_read(&reader, &quote) != ALC_OK) {
        demand(error.status == ALC_OK || error.offset <= size);
        return 0;
    }
    demand(quote.signed_bytes == bytes && quote.signed_size == signed_size_of(&quote));
    demand(quote.certificates.bytes >= bytes && quote.certificates.pos == 0);
    demand((size_t)(quote.certificates.bytes - bytes) + quote.certificates.size <= size);
    alc_arena_init(&arena, memory, sizeof memory);
    demand(alc_appraise(&arena, &appraisal, &verdict) != ALC_OK);
    demand(verdict.results[ALC_CHECK_FORM] == ALC_CHECK_PASSED);
    return 0;
}
