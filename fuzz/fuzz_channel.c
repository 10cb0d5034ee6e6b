/* SPDX-License-Identifier: Apache-2.0
 *
 * What the network sends to an attested channel: certificates, endorsements, and bytes for a client
 * or a server that has just begun. Nothing is read beyond the input, errors lie within it, and a
 * side that heard nonsense has a reason for its failure. The first byte chooses. Randomness is the
 * same each time; what comes behind TLS has a target of its own (fuzz_exchange.c).
 */
#include <stdlib.h>

#include "channel/channel.h"
#include "channel/endorsements.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MEMORY_SIZE = 1 << 20, NOW_S = 1751328000 };
enum target { CERTIFICATE, ENDORSEMENTS, CLIENT, SERVER, TARGETS };

static uint8_t memory[MEMORY_SIZE];
static struct alc_channel_identity identity;

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static alc_status fill(void *context, uint8_t *buf, size_t buf_size)
{
    static uint8_t next;
    (void)context;
    for (size_t i = 0; i < buf_size; i++) {
        buf[i] = (uint8_t)(next++ * 167 + 13);
    }
    return ALC_OK;
}
static const struct alc_random source = {.fill = fill};

static void make_identity(void)
{
    static bool is_made;
    struct alc_arena arena;
    const struct alc_channel_identity_options options = {.random = &source, .now_s = NOW_S};
    if (!is_made) {
        alc_arena_init(&arena, memory, sizeof memory);
        demand(alc_channel_identity_init(&identity, &arena, &options) == ALC_OK);
        is_made = true;
    }
}

static void fuzz_certificate(const uint8_t *bytes, size_t size)
{
    static const struct alc_channel_demand everything = {.accepts_stale = true,
                                                         .accepts_legacy = true};
    struct alc_error error;
    struct alc_reader reader;
    struct alc_own_certificate certificate;
    struct alc_channel_proof proof;
    struct alc_channel_peer peer;
    struct alc_arena arena;
    alc_error_clear(&error);
    alc_reader_init(&reader, bytes, size, &error);
    alc_status status = alc_own_certificate_read(&reader, &certificate);
    demand(error.status == ALC_OK || error.offset <= size);
    /* A signature is never right here; what was read before it can be judged. */
    if ((status == ALC_OK || status == ALC_E_BAD_SIGNATURE || status == ALC_E_BAD_KEY) &&
        certificate.spki.bytes != NULL &&
        alc_channel_proof_of(&certificate, &everything, &proof) == ALC_OK) {
        alc_arena_init(&arena, memory, sizeof memory);
        (void)alc_channel_judge(&arena, &everything, &proof, NOW_S, &peer);
    }
}

static void fuzz_endorsements(const uint8_t *bytes, size_t size)
{
    struct alc_error error;
    struct alc_reader reader;
    struct alc_pcs_collateral collateral;
    alc_error_clear(&error);
    alc_reader_init(&reader, bytes, size, &error);
    (void)!alc_endorsements_read(&reader, &collateral);
    demand(error.status == ALC_OK || error.offset <= size);
}

static void fuzz_engine(enum alc_channel_role role, const uint8_t *bytes, size_t size)
{
    static const struct alc_channel_demand anybody = {.accepts_unattested = true};
    const struct alc_channel_options options = {
        .role = role, .identity = &identity, .demand = &anybody, .random = &source, .now_s = NOW_S};
    uint8_t sent[4096];
    struct alc_arena arena;
    struct alc_channel *channel;
    make_identity();
    alc_arena_init(&arena, memory, sizeof memory);
    demand(alc_channel_open(&arena, &options, &channel) == ALC_OK);
    while (size != 0) {
        size_t taken = alc_channel_receive(channel, bytes, size < 600 ? size : 600);
        while (alc_channel_transmit(channel, sent, sizeof sent) != 0) {
        }
        if (taken == 0) {
            break;
        }
        bytes += taken;
        size -= taken;
    }
    alc_channel_receive_end(channel);
    demand(alc_channel_state(channel) == ALC_CHANNEL_FAILED);
    demand(alc_channel_status(channel) != ALC_OK);
    alc_channel_fini(channel);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    switch ((enum target)(bytes[0] % TARGETS)) {
    case CERTIFICATE:
        fuzz_certificate(bytes + 1, size - 1);
        break;
    case ENDORSEMENTS:
        fuzz_endorsements(bytes + 1, size - 1);
        break;
    case CLIENT:
        fuzz_engine(ALC_CHANNEL_CLIENT, bytes + 1, size - 1);
        break;
    case SERVER:
        fuzz_engine(ALC_CHANNEL_SERVER, bytes + 1, size - 1);
        break;
    case TARGETS:
        break;
    }
    return 0;
}
