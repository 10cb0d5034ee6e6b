/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the broker's client over a handle of the os. Memory is the os's, wiped and given back.
 */
#include "broker_keys/broker_keys.h"

#include "base/bytes.h"
#include "base/cbor.h"
#include "broker/relay.h"

enum {
    ANSWER_SIZE_MAX = 128 << 10, /* a token is the largest */
    WORK_SIZE = 4 * ALC_BROKER_EVIDENCE_MAX + 2 * ANSWER_SIZE_MAX,
    REQUEST_SIZE_MAX = 2 * ALC_BROKER_EVIDENCE_MAX + 4096,
};

/* -- settings -- */

void alc_named_key_write(struct alc_writer *writer, const struct alc_named_key *key)
{
    alc_cbor_write_array(writer, 2);
    alc_cbor_write_text(writer, key->resource.bytes, key->resource.size);
    alc_cbor_write_bytes(writer, key->sha256, sizeof key->sha256);
}

static alc_status read_settings(struct alc_reader *reader, struct alc_named_key *out)
{
    struct alc_text text;
    const uint8_t *digest;
    size_t size;
    ALC_TRY(alc_cbor_read_array(reader, 2, &size));
    if (size != 2) {
        return ALC_E_BAD_MANIFEST;
    }
    ALC_TRY(alc_cbor_read_text(reader, &text.bytes, &text.size));
    ALC_TRY(alc_cbor_read_bytes(reader, &digest, &size));
    if (size != sizeof out->sha256 || !alc_reader_at_end(reader)) {
        return ALC_E_BAD_MANIFEST;
    }
    alc_copy(out->sha256, digest, sizeof out->sha256);
    ALC_TRY(alc_broker_resource_read(&text, &out->resource));
    return out->resource.size == text.size ? ALC_OK : ALC_E_BAD_MANIFEST; /* one form */
}

alc_status alc_named_key_read(const struct alc_string *settings, struct alc_named_key *out)
{
    struct alc_reader reader;
    alc_reader_init(&reader, settings->bytes, settings->size, NULL);
    return read_settings(&reader, out) == ALC_OK ? ALC_OK : ALC_E_BAD_MANIFEST;
}

/* -- the stream -- */

static alc_status write_all(const struct alc_os *os, uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        const struct alc_span span = {.bytes = bytes + done, .size = size - done};
        int64_t count = os->operations->write(os->context, ALC_OS_KEY_BROKER, &span, 1);
        if (count == -ALC_OS_BAD_DESCRIPTOR) {
            return ALC_E_NOT_SUPPORTED; /* nobody carries here */
        }
        if (count <= 0 || (uint64_t)count > span.size) {
            return ALC_E_IO_FAILED;
        }
        done += (size_t)count;
    }
    return ALC_OK;
}

static alc_status read_all(const struct alc_os *os, uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        const struct alc_span span = {.bytes = bytes + done, .size = size - done};
        int64_t count = os->operations->read(os->context, ALC_OS_KEY_BROKER, &span, 1);
        if (count <= 0 || (uint64_t)count > span.size) {
            return ALC_E_IO_FAILED;
        }
        done += (size_t)count;
    }
    return ALC_OK;
}

/* Sends one request and takes the answer, in memory of the arena. */
static alc_status carry(const struct alc_os *os, struct alc_arena *arena,
                        const struct alc_broker_request *request, struct alc_broker_answer *out)
{
    uint8_t head[ALC_RELAY_HEAD];
    struct alc_writer writer;
    struct alc_reader reader;
    uint8_t *message = alc_arena_take(arena, REQUEST_SIZE_MAX, 1);
    if (message == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_writer_init(&writer, message, REQUEST_SIZE_MAX);
    alc_relay_write_request(&writer, request);
    ALC_TRY(alc_writer_finish(&writer));
    ALC_TRY(write_all(os, message, writer.pos));
    ALC_TRY(read_all(os, head, sizeof head));
    const size_t size = alc_relay_message_size(head);
    uint8_t *answer = size != 0 && size <= ANSWER_SIZE_MAX ? alc_arena_take(arena, size, 1) : NULL;
    if (answer == NULL) {
        return ALC_E_BAD_BROKER_ANSWER;
    }
    ALC_TRY(read_all(os, answer, size));
    alc_reader_init(&reader, answer, size, NULL);
    return alc_relay_read_answer(&reader, out) == ALC_OK ? ALC_OK : ALC_E_BAD_BROKER_ANSWER;
}

/* -- asking -- */

static alc_status fill_random(void *context, uint8_t *buf, size_t buf_size)
{
    const struct alc_os *os = context;
    return os->operations->random(os->context, buf, buf_size) < 0 ? ALC_E_IO_FAILED : ALC_OK;
}

/* One line on the standard error stream. */
static void report(const struct alc_os *os, const struct alc_broker_client *client)
{
    uint8_t line[ALC_BROKER_REASON_MAX + 40];
    struct alc_writer writer;
    if (client->reason_size == 0) {
        return;
    }
    alc_writer_init(&writer, line, sizeof line);
    alc_write_string(&writer, "alcove: key broker: ");
    alc_write_bytes(&writer, client->reason, client->reason_size);
    alc_write_u8(&writer, '\n');
    const struct alc_span span = {.bytes = line, .size = writer.pos};
    (void)os->operations->write(os->context, ALC_OS_STDERR, &span, 1);
}

static alc_status take_key(const struct alc_named_key *named, const struct alc_text *secret,
                           uint8_t key[ALC_SEAL_KEY_SIZE])
{
    uint8_t digest[ALC_SHA256_SIZE];
    struct alc_hash hash;
    if (secret->size != ALC_SEAL_KEY_SIZE) {
        return ALC_E_NOT_AUTHENTIC;
    }
    alc_hash_init(&hash, ALC_HASH_SHA256);
    alc_hash_update(&hash, secret->bytes, secret->size);
    alc_hash_finish(&hash, digest);
    if (!alc_equal(digest, named->sha256, sizeof digest)) {
        return ALC_E_NOT_AUTHENTIC;
    }
    alc_copy(key, secret->bytes, ALC_SEAL_KEY_SIZE);
    return ALC_OK;
}

/* Step by step. A first refusal is final: what would be different the second time? */
static alc_status run(const struct alc_os *os, struct alc_broker_client *client,
                      struct alc_arena *arena, const struct alc_named_key *named,
                      uint8_t key[ALC_SEAL_KEY_SIZE])
{
    struct alc_text secret = {NULL, 0};
    ALC_TRY(alc_broker_client_ask(client, &named->resource));
    while (!alc_broker_client_is_done(client)) {
        const size_t mark = alc_arena_mark(arena);
        struct alc_broker_request request;
        struct alc_broker_answer answer;
        ALC_TRY(alc_broker_client_request(client, arena, &request));
        ALC_TRY(carry(os, arena, &request, &answer));
        alc_status status = alc_broker_client_answer(client, arena, &answer, &secret, NULL);
        if (status != ALC_OK) {
            report(os, client);
            return status;
        }
        if (!alc_broker_client_is_done(client)) { /* else the secret stands in it */
            alc_arena_reset(arena, mark);
        }
    }
    return take_key(named, &secret, key);
}

/* By what the attester makes; ALC_BROKER_TEES where nothing is made. */
static enum alc_broker_tee tee_of(const struct alc_attester *attester)
{
    if (attester == NULL) {
        return ALC_BROKER_TEES;
    }
    return attester->kind == ALC_EVIDENCE_SGX   ? ALC_BROKER_SGX
           : attester->kind == ALC_EVIDENCE_TDX ? ALC_BROKER_TDX
                                                : ALC_BROKER_SNP;
}

/* Quotes need none. */
static alc_broker_evidence_form *form_of(const struct alc_broker_keys *keys)
{
    return tee_of(keys->attester) == ALC_BROKER_SNP ? keys->form : NULL;
}

alc_status alc_broker_keys_get(void *context, const uint8_t workload_id[ALC_SHA256_SIZE],
                               const struct alc_string *settings, uint8_t key[ALC_SEAL_KEY_SIZE])
{
    const struct alc_broker_keys *keys = context;
    struct alc_os *os = keys->os;
    const size_t size = WORK_SIZE + REQUEST_SIZE_MAX;
    const struct alc_random random = {.fill = fill_random, .context = os};
    const struct alc_broker_client_options options = {.tee = tee_of(keys->attester),
                                                      .attester = keys->attester,
                                                      .random = &random,
                                                      .form = form_of(keys),
                                                      .workload_id = workload_id};
    struct alc_broker_client client;
    struct alc_named_key named;
    struct alc_arena arena;
    _Static_assert((WORK_SIZE + REQUEST_SIZE_MAX) % 4096 == 0, "whole pages");
    if (options.tee == ALC_BROKER_TEES) {
        return ALC_E_NOT_SUPPORTED;
    }
    ALC_TRY(alc_named_key_read(settings, &named));
    void *memory = os->operations->pages_reserve(os->context, size);
    if (memory == NULL || os->operations->pages_commit(os->context, memory, size) != 0) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_arena_init(&arena, memory, size);
    alc_broker_client_init(&client, &options);
    alc_status status = run(os, &client, &arena, &named, key);
    alc_broker_client_fini(&client);
    alc_arena_fini(&arena);
    alc_wipe(memory, size);
    os->operations->pages_release(os->context, memory, size);
    return status;
}
