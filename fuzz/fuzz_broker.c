/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of a key broker as whoever carries them can make them: encrypted messages, challenges,
 * tokens, refusals, and the client as a whole; and what a platform gives as evidence of SEV-SNP.
 * Nothing is read beyond the input, errors lie within it, and no input becomes a secret: that would
 * need the private key. The first byte chooses.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "broker/client.h"
#include "broker/snp_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MEMORY_SIZE = 1 << 19 };
enum target { MESSAGE, CHALLENGE, TOKEN, REASON, RESOURCE, CLIENT, SNP, TARGETS };

static uint8_t memory[MEMORY_SIZE];

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static alc_status fill(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    alc_fill(buf, 0x5a, buf_size);
    return ALC_OK;
}

static const struct alc_random not_random = {.fill = fill};

static alc_status fuzz_message(struct alc_arena *arena, struct alc_reader *reader)
{
    struct alc_ec_private_key key = {.curve = ALC_CURVE_P256};
    struct alc_text secret;
    alc_fill(key.scalar, 1, 32);
    alc_status status = alc_jwe_open(arena, reader, &key, &not_random, &secret);
    demand(status != ALC_OK);
    return status;
}

static void fuzz_reason(const struct alc_text *text)
{
    uint8_t reason[40];
    size_t reason_size = 0;
    alc_broker_read_reason(text, reason, sizeof reason, &reason_size);
    demand(reason_size <= sizeof reason);
    for (size_t i = 0; i < reason_size; i++) {
        demand(reason[i] >= ' ' && reason[i] < 0x7f);
    }
}

static void fuzz_resource(const struct alc_text *text)
{
    struct alc_text resource;
    struct alc_text again;
    if (alc_broker_resource_read(text, &resource) == ALC_OK) {
        demand(resource.size >= 5 && resource.size <= ALC_BROKER_RESOURCE_MAX);
        demand(alc_broker_resource_read(&resource, &again) == ALC_OK);
    }
}

/* One JSON object, of no more than it may have. */
static void fuzz_snp(const struct alc_text *evidence)
{
    struct alc_writer writer;
    struct alc_reader reader;
    static uint8_t out[MEMORY_SIZE];
    if (evidence->size > ALC_BROKER_EVIDENCE_MAX) {
        return;
    }
    alc_writer_init(&writer, out, sizeof out);
    alc_broker_write_snp(&writer, evidence);
    demand(!writer.overflowed && writer.pos <= 4 * evidence->size + 8192);
    alc_reader_init(&reader, out, writer.pos, NULL);
    demand(alc_json_skip(&reader) == ALC_OK && alc_json_end(&reader) == ALC_OK);
}

/* The input is three answers, of a third each. */
static void fuzz_client(struct alc_arena *arena, const struct alc_text *text)
{
    static const char name[] = "a/b/c";
    struct alc_broker_client client;
    struct alc_broker_request request;
    struct alc_text resource = {(const uint8_t *)name, sizeof name - 1};
    struct alc_text secret;
    const size_t part = text->size / 3;
    static const struct alc_broker_client_options options = {.tee = ALC_BROKER_SAMPLE,
                                                             .random = &not_random};
    alc_broker_client_init(&client, &options);
    demand(alc_broker_client_ask(&client, &resource) == ALC_OK);
    for (size_t i = 0; i < 3; i++) {
        const size_t mark = alc_arena_mark(arena);
        demand(alc_broker_client_request(&client, arena, &request) == ALC_OK);
        const struct alc_broker_answer answer = {
            .http_status = 200,
            .session = {text->bytes + i * part, part < 8 ? part : 8},
            .body = {text->bytes + i * part, part},
        };
        (void)!alc_broker_client_answer(&client, arena, &answer, &secret, NULL);
        demand(!alc_broker_client_is_done(&client));
        alc_arena_reset(arena, mark);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct alc_arena arena;
    struct alc_reader reader;
    struct alc_error error;
    struct alc_text text;
    struct alc_broker_challenge challenge;
    if (size == 0) {
        return 0;
    }
    const struct alc_text input = {bytes + 1, size - 1};
    alc_arena_init(&arena, memory, sizeof memory);
    alc_error_clear(&error);
    alc_reader_init(&reader, input.bytes, input.size, &error);
    switch ((enum target)(bytes[0] % TARGETS)) {
    case MESSAGE:
        (void)!fuzz_message(&arena, &reader);
        break;
    case CHALLENGE:
        (void)!alc_broker_read_challenge(&reader, &challenge);
        break;
    case TOKEN:
        (void)!alc_broker_read_token(&reader, &text);
        break;
    case REASON:
        fuzz_reason(&input);
        break;
    case SNP:
        fuzz_snp(&input);
        break;
    case RESOURCE:
        fuzz_resource(&input);
        break;
    case CLIENT:
    case TARGETS:
        fuzz_client(&arena, &input);
        break;
    }
    demand(error.status == ALC_OK || error.offset <= size || error.offset == ALC_NO_OFFSET);
    return 0;
}
