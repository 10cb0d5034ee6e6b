/* SPDX-License-Identifier: Apache-2.0
 *
 * What evidence costs a TLS connection: handshakes between two sides in one thread, without
 * evidence, with what both remember of each other, and with new evidence each time; and the
 * throughput of what follows. CPU time of both sides together, no network, emulated quotes.
 *
 *   channel_bench [HANDSHAKES] [MEBIBYTES]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "channel/channel.h"
#include "sgx_emu/emu_internal.h"
#include "sgx_emu_quote/quoting.h"

#define NOW_S INT64_C(1751328000)
enum { MEMORY_SIZE = 1 << 20, CHUNK = 16384 };

struct side {
    struct alc_channel_identity identity;
    struct alc_channel_demand demand;
    struct alc_channel_memory memory;
    struct alc_channel_options options;
    struct alc_channel *channel;
    uint8_t bytes[MEMORY_SIZE];
};

static struct side client;
static struct side server;
static struct alc_policy policy;
static struct alc_pcs_collateral collateral;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void check(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "channel_bench: %s failed\n", what);
        exit(1);
    }
}

static alc_status fill(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    check(getrandom(buf, buf_size, 0) == (ssize_t)buf_size, "getrandom");
    return ALC_OK;
}
static const struct alc_random source = {.fill = fill};

static alc_status quote(void *context, const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE],
                        struct alc_writer *out)
{
    static struct alc_sgx_context enclave; /* of it only the SECS matters */
    struct alc_sgx_target_info target;
    struct alc_sgx_report report;
    (void)context;
    enclave.secs.attributes.flags = ALC_SGX_ATTRIBUTE_INIT | ALC_SGX_ATTRIBUTE_MODE64;
    alc_emulated_target_info(&target);
    emu_make_report(&enclave, &target, report_data, &report);
    return alc_emulated_quote(&report, out);
}
static const struct alc_attester attester = {.evidence = quote};

static void side_init(struct side *side, enum alc_channel_role role, bool attests,
                      bool wants_evidence, uint32_t reuse_s)
{
    struct alc_arena arena;
    const struct alc_channel_identity_options options = {
        .random = &source, .attester = attests ? &attester : NULL, .now_s = NOW_S};
    alc_arena_init(&arena, side->bytes, sizeof side->bytes);
    check(alc_channel_identity_init(&side->identity, &arena, &options) == ALC_OK, "identity");
    alc_channel_memory_init(&side->memory);
    side->demand = (struct alc_channel_demand){.policy = &policy,
                                               .collateral.pcs = &collateral,
                                               .root_sha256 = alc_emulated_root_sha256,
                                               .accepts_unattested = !wants_evidence,
                                               .reuse_s = reuse_s,
                                               .memory = &side->memory};
    side->options = (struct alc_channel_options){.role = role,
                                                 .identity = &side->identity,
                                                 .demand = &side->demand,
                                                 .random = &source,
                                                 .now_s = NOW_S};
}

static void side_open(struct side *side)
{
    struct alc_arena arena;
    alc_arena_init(&arena, side->bytes, sizeof side->bytes);
    check(alc_channel_open(&arena, &side->options, &side->channel) == ALC_OK, "open");
}

static size_t carry(struct alc_channel *from, struct alc_channel *to)
{
    static uint8_t bytes[2 * CHUNK];
    size_t room = alc_channel_receive_room(to);
    size_t size = alc_channel_transmit(from, bytes, room < sizeof bytes ? room : sizeof bytes);
    (void)alc_channel_receive(to, bytes, size);
    return size;
}

static void meet(void)
{
    while (carry(client.channel, server.channel) + carry(server.channel, client.channel) != 0) {
    }
    check(alc_channel_state(client.channel) == ALC_CHANNEL_OPEN &&
              alc_channel_state(server.channel) == ALC_CHANNEL_OPEN,
          "handshake");
}

/* Milliseconds for a handshake. */
static double handshakes(int count)
{
    double start = 0;
    for (int i = -1; i < count; i++) { /* the first one makes them know each other */
        start = i == 0 ? now() : start;
        side_open(&client);
        side_open(&server);
        meet();
        alc_channel_fini(client.channel);
        alc_channel_fini(server.channel);
    }
    return (now() - start) * 1e3 / count;
}

static void measure(const char *what, int count, bool client_attests, bool server_attests,
                    uint32_t reuse_s, double *baseline)
{
    side_init(&client, ALC_CHANNEL_CLIENT, client_attests, server_attests, reuse_s);
    side_init(&server, ALC_CHANNEL_SERVER, server_attests, client_attests, reuse_s);
    double time_ms = handshakes(count);
    *baseline = *baseline == 0 ? time_ms : *baseline;
    printf("%-52s %8.2f ms  %5.2fx\n", what, time_ms, time_ms / *baseline);
}

static void throughput(size_t mebibytes)
{
    static uint8_t bytes[CHUNK];
    side_init(&client, ALC_CHANNEL_CLIENT, false, false, 0);
    side_init(&server, ALC_CHANNEL_SERVER, false, false, 0);
    side_open(&client);
    side_open(&server);
    meet();
    double start = now();
    for (size_t done = 0; done < mebibytes << 20;) {
        (void)alc_channel_write(client.channel, bytes, sizeof bytes);
        (void)carry(client.channel, server.channel);
        done += alc_channel_read(server.channel, bytes, sizeof bytes);
    }
    double seconds = now() - start;
    printf("%-52s %8.0f MB/s\n", "one way, both sides' work in one thread",
           (double)(mebibytes << 20) / seconds / 1e6);
}

int main(int argc, char **argv)
{
    static uint8_t text[ALC_EMULATED_COLLATERAL_SIZE_MAX];
    static uint8_t memory[1 << 18];
    int count = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 200;
    size_t mebibytes = argc > 2 ? (size_t)strtol(argv[2], NULL, 10) : 1024;
    struct alc_writer writer;
    struct alc_reader reader;
    struct alc_arena arena;
    double baseline = 0;
    check(count > 0 && mebibytes > 0, "reading the arguments");
    alc_writer_init(&writer, text, sizeof text);
    alc_emulated_collateral(&writer);
    alc_arena_init(&arena, memory, sizeof memory);
    alc_reader_init(&reader, text, writer.pos, NULL);
    check(alc_pcs_collateral_read(&arena, &reader, &collateral) == ALC_OK, "collateral");
    policy = alc_policy_default;
    policy.accepts_debug = true;
    policy.accepts_emulated = true;
    measure("no evidence", count, false, false, 0, &baseline);
    measure("the server's, remembered", count, false, true, 60, &baseline);
    measure("both sides', remembered", count, true, true, 60, &baseline);
    measure("the server's, new each time", count, false, true, 0, &baseline);
    measure("both sides', new each time", count, true, true, 0, &baseline);
    throughput(mebibytes);
    return 0;
}
