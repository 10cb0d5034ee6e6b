/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages of the exchange of proofs as a peer sends them through TLS, which is taken away here
 * (fuzz/CMakeLists.txt: --wrap): the handshake is over at once, records are the input's bytes. The
 * first byte says who we are and how large records are.
 */
#include <stdlib.h>
#include <string.h>

#include "channel/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MEMORY_SIZE = 1 << 20, NOW_S = 1751328000 };
enum { DONE, WAITS }; /* of enum alc_tls_result */

static uint8_t memory[MEMORY_SIZE];
static struct alc_channel_identity identity;
static const uint8_t *input;
static size_t input_size;
static size_t record_size;

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* -- TLS -- */

int __wrap_alc_tls_handshake_step(struct alc_channel *channel, bool *is_over);
bool __wrap_alc_tls_exchanges(const struct alc_channel *channel);
int __wrap_alc_tls_read(struct alc_channel *channel, uint8_t *buf, size_t buf_size,
                        size_t *out_size);
int __wrap_alc_tls_write(struct alc_channel *channel, const uint8_t *bytes, size_t size,
                         size_t *out_size);
alc_status __wrap_alc_tls_export(struct alc_channel *channel, const char *label,
                                 const uint8_t *context, size_t context_size, uint8_t *out,
                                 size_t out_size);

int __wrap_alc_tls_handshake_step(struct alc_channel *channel, bool *is_over)
{
    (void)channel;
    *is_over = true;
    return DONE;
}

bool __wrap_alc_tls_exchanges(const struct alc_channel *channel)
{
    (void)channel;
    return true;
}

int __wrap_alc_tls_read(struct alc_channel *channel, uint8_t *buf, size_t buf_size,
                        size_t *out_size)
{
    (void)channel;
    size_t size = buf_size < record_size ? buf_size : record_size;
    *out_size = size < input_size ? size : input_size;
    if (*out_size == 0) {
        return WAITS;
    }
    memcpy(buf, input, *out_size);
    input += *out_size;
    input_size -= *out_size;
    return DONE;
}

int __wrap_alc_tls_write(struct alc_channel *channel, const uint8_t *bytes, size_t size,
                         size_t *out_size)
{
    (void)channel;
    (void)bytes;
    *out_size = size < record_size ? size : record_size;
    return DONE;
}

alc_status __wrap_alc_tls_export(struct alc_channel *channel, const char *label,
                                 const uint8_t *context, size_t context_size, uint8_t *out,
                                 size_t out_size)
{
    (void)channel;
    (void)label;
    (void)context;
    (void)context_size;
    memset(out, 7, out_size);
    return ALC_OK;
}

/* -- a side -- */

static alc_status fill(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    memset(buf, 0x35, buf_size);
    return ALC_OK;
}
static const struct alc_random source = {.fill = fill};

static alc_status quote(void *context, const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE],
                        struct alc_writer *out)
{
    (void)context;
    alc_write_bytes(out, report_data, ALC_EVIDENCE_REPORT_DATA_SIZE);
    return ALC_OK;
}
static const struct alc_attester attester = {.evidence = quote};

static void make_identity(void)
{
    static bool is_made;
    struct alc_arena arena;
    const struct alc_channel_identity_options options = {
        .random = &source, .attester = &attester, .now_s = NOW_S};
    if (!is_made) {
        alc_arena_init(&arena, memory, sizeof memory);
        demand(alc_channel_identity_init(&identity, &arena, &options) == ALC_OK);
        is_made = true;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct alc_channel_demand demand_of_all = {0};
    struct alc_arena arena;
    struct alc_channel *channel;
    if (size == 0) {
        return 0;
    }
    make_identity();
    demand_of_all.accepts_unattested = (bytes[0] & 2) != 0;
    record_size = (bytes[0] & 4) != 0 ? 3 : 500;
    input = bytes + 1;
    input_size = size - 1;
    const struct alc_channel_options options = {.role = (bytes[0] & 1) != 0 ? ALC_CHANNEL_SERVER
                                                                            : ALC_CHANNEL_CLIENT,
                                                .identity = &identity,
                                                .demand = &demand_of_all,
                                                .random = &source,
                                                .now_s = NOW_S};
    alc_arena_init(&arena, memory, sizeof memory);
    demand(alc_channel_open(&arena, &options, &channel) == ALC_OK);
    /* Nobody here has shown a certificate, so nobody is believed to be anything. */
    demand(!alc_channel_get_peer(channel)->is_attested);
    demand(alc_channel_state(channel) != ALC_CHANNEL_OPEN || demand_of_all.accepts_unattested);
    demand((alc_channel_state(channel) == ALC_CHANNEL_FAILED) ==
           (alc_channel_status(channel) != ALC_OK));
    alc_channel_fini(channel);
    return 0;
}
