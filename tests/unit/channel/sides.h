/* SPDX-License-Identifier: Apache-2.0
 *
 * Two sides of a channel in one program: machines that make evidence (unit/attest/platform.h), what
 * each asks of the other, and the wire between them, on which tests do what adversaries do.
 * Included by the one test program that needs it.
 */
#ifndef TESTS_UNIT_CHANNEL_SIDES_H
#define TESTS_UNIT_CHANNEL_SIDES_H

#include "unit/attest/platform_make.h"

#include <openssl/rand.h>

#include "channel/channel.h"

static alc_status fill_random(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    assert_int_equal(RAND_bytes(buf, (int)buf_size), 1);
    return ALC_OK;
}
static const struct alc_random openssl_random = {.fill = fill_random};

/* -- a machine -- */

enum { QUOTE_SIGNED_SIZE = 48 + 384, QUOTE_MRENCLAVE = 48 + 64, QUOTE_REPORT_DATA = 48 + 320 };

struct machine {
    struct platform platform;
    struct alc_attester attester;
    uint8_t mrenclave; /* first byte */
    int quotes_count;
};

static alc_status quote(void *context, const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE],
                        struct alc_writer *out)
{
    struct machine *machine = context;
    uint8_t *bytes = machine->platform.quote;
    machine->quotes_count++;
    bytes[QUOTE_MRENCLAVE] = machine->mrenclave;
    memcpy(bytes + QUOTE_REPORT_DATA, report_data, ALC_EVIDENCE_REPORT_DATA_SIZE);
    sign_raw(machine->platform.attestation_key, bytes, QUOTE_SIGNED_SIZE,
             bytes + QUOTE_SIGNED_SIZE + 4);
    alc_write_bytes(out, bytes, machine->platform.appraisal.evidence.size);
    return ALC_OK;
}

static void machine_make(struct machine *out, uint8_t mrenclave)
{
    memset(out, 0, sizeof *out);
    platform_make(&out->platform, &platform_options_default);
    out->attester = (struct alc_attester){.evidence = quote, .context = out};
    out->mrenclave = mrenclave;
}

/* -- a side -- */

struct side {
    struct alc_channel_identity identity;
    struct alc_channel_demand demand;
    struct alc_policy policy;
    struct alc_channel_memory memory;
    struct alc_channel_options options;
    struct alc_channel *channel;
    struct alc_arena arena;
    uint8_t bytes[1 << 20];
};

/* `machine` may be NULL: a side that proves nothing. It accepts enclaves of `peer`. */
static void side_init(struct side *side, enum alc_channel_role role, struct machine *machine,
                      const struct machine *peer)
{
    memset(side, 0, offsetof(struct side, bytes));
    alc_channel_memory_init(&side->memory);
    side->policy = alc_policy_default;
    side->demand.policy = &side->policy;
    if (peer != NULL) {
        side->demand.collateral.pcs = &peer->platform.collateral;
        side->demand.root_sha256 = peer->platform.root_sha256;
    } else {
        side->demand.accepts_unattested = true;
    }
    alc_arena_init(&side->arena, side->bytes, sizeof side->bytes);
    const struct alc_channel_identity_options options = {
        .random = &openssl_random,
        .attester = machine != NULL ? &machine->attester : NULL,
        .now_s = PLATFORM_NOW,
    };
    assert_int_equal(alc_channel_identity_init(&side->identity, &side->arena, &options), ALC_OK);
    side->options = (struct alc_channel_options){
        .role = role,
        .identity = &side->identity,
        .demand = &side->demand,
        .random = &openssl_random,
        .now_s = PLATFORM_NOW,
    };
}

static __attribute__((unused)) void side_open(struct side *side)
{
    alc_arena_fini(&side->arena);
    memset(side->bytes, 0, sizeof side->bytes);
    alc_arena_init(&side->arena, side->bytes, sizeof side->bytes);
    assert_int_equal(alc_channel_open(&side->arena, &side->options, &side->channel), ALC_OK);
}

static __attribute__((unused)) void side_close(struct side *side)
{
    alc_channel_fini(side->channel);
    side->channel = NULL;
}

/* -- the wire -- */

/* Carries at most `step` bytes at a time from one to the other; gives how many. */
static size_t carry(struct alc_channel *from, struct alc_channel *to, size_t step)
{
    uint8_t bytes[40000];
    size_t carried = 0;
    assert_true(step <= sizeof bytes);
    for (;;) {
        size_t room = alc_channel_receive_room(to);
        size_t size = alc_channel_transmit(from, bytes, step < room ? step : room);
        if (size == 0) {
            return carried;
        }
        carried += size;
        if (alc_channel_receive(to, bytes, size) != size) {
            assert_int_equal(alc_channel_state(to), ALC_CHANNEL_FAILED);
            return carried;
        }
    }
}

/* Until nothing moves any more. */
static __attribute__((unused)) void meet(struct alc_channel *a, struct alc_channel *b, size_t step)
{
    while (carry(a, b, step) + carry(b, a, step) != 0) {
    }
}

#endif
