/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence and collateral as an adversary sends them: quotes, chains of certificates, revocation
 * lists, collateral, TCB info and identities. Nothing is read beyond the input, errors lie within
 * it, and what was read can be used. The first byte chooses. Signatures are not verified: no
 * fuzzer gets past them, and what stands behind them is reached here without.
 */
#include <stdlib.h>

#include "attest/appraise.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MEMORY_SIZE = 1 << 17 };
enum target { QUOTE, CHAIN, LIST, COLLATERAL, TCB_INFO, QE_IDENTITY, SKIP, TARGETS };

static uint8_t memory[MEMORY_SIZE];

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static alc_status fuzz_chain(struct alc_arena *arena, struct alc_reader *reader)
{
    struct alc_chain chain;
    struct alc_pck pck;
    ALC_TRY(alc_chain_read(arena, reader, &chain));
    demand(chain.count >= 2 && chain.count <= ALC_CHAIN_CERTIFICATES_MAX);
    demand(!chain.certificates[0].is_authority);
    return alc_pck_read(&chain.certificates[0], &pck);
}

static alc_status fuzz_list(struct alc_reader *reader)
{
    static const struct alc_certificate none;
    struct alc_revocation_list list;
    ALC_TRY(alc_revocation_list_read(reader, &list));
    (void)!alc_revocation_list_has(&list, &none);
    return ALC_OK;
}

static alc_status fuzz_quote(struct alc_arena *arena, struct alc_reader *reader)
{
    struct alc_quote quote;
    ALC_TRY(alc_quote_read(reader, &quote));
    demand(quote.signed_size == 432);
    return fuzz_chain(arena, &quote.certificates);
}

static alc_status fuzz_one(enum target target, struct alc_arena *arena, struct alc_reader *reader)
{
    static const struct alc_pck pck = {.pce_svn = 13, .components = {11, 11, 2, 2, 255, 1}};
    struct alc_pcs_collateral collateral;
    struct alc_tcb_info tcb_info;
    struct alc_qe_identity qe_identity;
    switch (target) {
    case QUOTE:
        return fuzz_quote(arena, reader);
    case CHAIN:
        return fuzz_chain(arena, reader);
    case LIST:
        return fuzz_list(reader);
    case COLLATERAL:
        return alc_pcs_collateral_read(arena, reader, &collateral);
    case TCB_INFO:
        return alc_tcb_info_read(reader, &pck, &tcb_info);
    case QE_IDENTITY:
        return alc_qe_identity_read(reader, 6, &qe_identity);
    case SKIP:
    case TARGETS:
        break;
    }
    return alc_json_skip(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct alc_arena arena;
    struct alc_reader reader;
    struct alc_error error;
    if (size == 0) {
        return 0;
    }
    alc_arena_init(&arena, memory, sizeof memory);
    alc_error_clear(&error);
    alc_reader_init(&reader, bytes + 1, size - 1, &error);
    (void)!fuzz_one((enum target)(bytes[0] % TARGETS), &arena, &reader);
    demand(error.status == ALC_OK || error.offset <= size);
    return 0;
}
