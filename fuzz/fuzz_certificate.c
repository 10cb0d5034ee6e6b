/* SPDX-License-Identifier: Apache-2.0
 *
 * Chains of certificates and revocation lists as an adversary sends them; the first byte chooses.
 * Nothing is read beyond the input, errors lie within it, and what was read can be used. Signatures
 * are not verified: no fuzzer gets past them.
 */
#include <stdlib.h>

#include "attest/pck.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t memory[1 << 17];
    struct alc_arena arena;
    struct alc_reader reader;
    struct alc_error error;
    if (size == 0) {
        return 0;
    }
    alc_arena_init(&arena, memory, sizeof memory);
    alc_error_clear(&error);
    alc_reader_init(&reader, bytes + 1, size - 1, &error);
    (void)!(bytes[0] % 2 == 0 ? fuzz_chain(&arena, &reader) : fuzz_list(&reader));
    demand(error.status == ALC_OK || error.offset <= size);
    return 0;
}
