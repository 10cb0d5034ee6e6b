/* SPDX-License-Identifier: Apache-2.0
 *
 * Main function of an image with channel/: a server that echoes.
 */
#include "tests/inside/channel_calls.h"

#include "base/bytes.h"
#include "channel/channel.h"
#include "enclave/random.h"
#include "enclave/tee.h"

#define NOW_S INT64_C(1751328000)

const uint64_t alc_enclave_ecalls_count = CHANNEL_ECALLS_COUNT;

static struct channel_page page;
static struct alc_channel *channel;

static alc_status fill(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    return alc_enclave_random(buf, buf_size);
}
static const struct alc_random source = {.fill = fill};

static alc_status start(void)
{
    static ALC_ALIGNED(4096) uint8_t memory[512 * 1024];
    static struct alc_channel_identity identity;
    static const struct alc_channel_demand anybody = {.accepts_unattested = true};
    const struct alc_channel_identity_options who = {.random = &source, .now_s = NOW_S};
    const struct alc_channel_options options = {.role = ALC_CHANNEL_SERVER,
                                                .identity = &identity,
                                                .demand = &anybody,
                                                .random = &source,
                                                .now_s = NOW_S};
    struct alc_arena arena;
    alc_arena_init(&arena, memory, sizeof memory);
    ALC_TRY(alc_channel_identity_init(&identity, &arena, &who));
    return alc_channel_open(&arena, &options, &channel);
}

static void pump(void)
{
    static uint8_t text[2048];
    size_t taken = alc_channel_receive(channel, page.in, page.in_size);
    page.in_size -= taken;
    alc_move(page.in, page.in + taken, page.in_size);
    size_t size = alc_channel_read(channel, text, sizeof text);
    (void)alc_channel_write(channel, text, size);
    page.out_size = alc_channel_transmit(channel, page.out, sizeof page.out);
    page.state = alc_channel_state(channel);
    page.status = alc_channel_status(channel);
}

static void copy_words(volatile void *to, const volatile void *from)
{
    volatile uint64_t *words_to = to;
    const volatile uint64_t *words_from = from;
    for (size_t i = 0; i < sizeof page / sizeof *words_to; i++) {
        words_to[i] = words_from[i];
    }
}

uint64_t alc_enclave_main(uint64_t ecall, uint64_t outside_base, uint64_t outside_size)
{
    if (outside_size < sizeof page) {
        return 1;
    }
    copy_words(&page, (void *)(uintptr_t)outside_base);
    if (page.in_size > sizeof page.in) {
        return 1;
    }
    if (ecall == CHANNEL_START) {
        page.status = start();
    } else if (ecall == CHANNEL_PUMP) {
        pump();
    } else {
        alc_channel_fini(channel);
    }
    copy_words((void *)(uintptr_t)outside_base, &page);
    return 0;
}
