/* SPDX-License-Identifier: Apache-2.0
 *
 * The codec of the protocol. Both sides read what the other one sent as hostile bytes, of a size
 * that is fixed.
 */
#include "witness/protocol.h"

#include "base/bytes.h"
#include "base/reader.h"
#include "base/writer.h"

static const uint8_t request_magic[8] = {'A', 'L', 'C', 'W', 'I', 'T', 'Q', '1'};
static const uint8_t answer_magic[8] = {'A', 'L', 'C', 'W', 'I', 'T', 'A', '1'};
static const char request_label[] = "alcove witness advance";
static const char answer_label[] = "alcove witness answer";
enum { WORD_SIZE = 8 };

static void write_head(struct alc_writer *writer, const uint8_t magic[8], uint8_t word)
{
    alc_write_bytes(writer, magic, WORD_SIZE);
    alc_write_u64(writer, word);
}

/* The small number behind the magic, 0 when there is none. */
static uint64_t read_head(struct alc_reader *reader, const uint8_t magic[8])
{
    const uint8_t *found;
    uint64_t word;
    if (alc_read_bytes(reader, WORD_SIZE, &found) != ALC_OK ||
        alc_read_u64(reader, &word) != ALC_OK || !alc_equal(found, magic, WORD_SIZE)) {
        return 0;
    }
    return word;
}

static void write_mark(struct alc_writer *writer, const struct alc_seal_mark *mark)
{
    alc_write_u64(writer, mark->generation);
    alc_write_bytes(writer, mark->digest, sizeof mark->digest);
}

static bool read_array(struct alc_reader *reader, uint8_t *out, size_t size)
{
    const uint8_t *found;
    if (alc_read_bytes(reader, size, &found) != ALC_OK) {
        return false;
    }
    alc_copy(out, found, size);
    return true;
}

static bool read_mark(struct alc_reader *reader, struct alc_seal_mark *out)
{
    return alc_read_u64(reader, &out->generation) == ALC_OK &&
           read_array(reader, out->digest, sizeof out->digest);
}

void alc_witness_request_encode(const struct alc_witness_request *request,
                                uint8_t bytes[ALC_WITNESS_REQUEST_SIZE])
{
    struct alc_writer writer;
    alc_writer_init(&writer, bytes, ALC_WITNESS_REQUEST_SIZE);
    write_head(&writer, request_magic, (uint8_t)request->kind);
    alc_write_bytes(&writer, request->nonce, sizeof request->nonce);
    alc_write_bytes(&writer, request->counter, sizeof request->counter);
    write_mark(&writer, &request->from);
    write_mark(&writer, &request->to);
    alc_write_bytes(&writer, request->signature, sizeof request->signature);
    ALC_ASSERT(!writer.overflowed && writer.pos == ALC_WITNESS_REQUEST_SIZE);
}

bool alc_witness_request_decode(const uint8_t bytes[ALC_WITNESS_REQUEST_SIZE],
                                struct alc_witness_request *out)
{
    struct alc_reader reader;
    alc_reader_init(&reader, bytes, ALC_WITNESS_REQUEST_SIZE, NULL);
    uint64_t kind = read_head(&reader, request_magic);
    out->kind = (enum alc_witness_kind)kind;
    return (kind == ALC_WITNESS_READ || kind == ALC_WITNESS_ADVANCE) &&
           read_array(&reader, out->nonce, sizeof out->nonce) &&
           read_array(&reader, out->counter, sizeof out->counter) &&
           read_mark(&reader, &out->from) && read_mark(&reader, &out->to) &&
           read_array(&reader, out->signature, sizeof out->signature);
}

void alc_witness_reply_encode(const struct alc_witness_reply *reply,
                              uint8_t bytes[ALC_WITNESS_ANSWER_SIZE])
{
    struct alc_writer writer;
    alc_writer_init(&writer, bytes, ALC_WITNESS_ANSWER_SIZE);
    write_head(&writer, answer_magic, (uint8_t)reply->verdict);
    write_mark(&writer, &reply->mark);
    alc_write_bytes(&writer, reply->signature, sizeof reply->signature);
    ALC_ASSERT(!writer.overflowed && writer.pos == ALC_WITNESS_ANSWER_SIZE);
}

bool alc_witness_reply_decode(const uint8_t bytes[ALC_WITNESS_ANSWER_SIZE],
                              struct alc_witness_reply *out)
{
    struct alc_reader reader;
    alc_reader_init(&reader, bytes, ALC_WITNESS_ANSWER_SIZE, NULL);
    uint64_t verdict = read_head(&reader, answer_magic);
    out->verdict = (enum alc_witness_verdict)verdict;
    return verdict >= ALC_WITNESS_DONE && verdict <= ALC_WITNESS_FAILED &&
           read_mark(&reader, &out->mark) &&
           read_array(&reader, out->signature, sizeof out->signature);
}

void alc_witness_request_digest(const uint8_t bytes[ALC_WITNESS_REQUEST_SIZE],
                                uint8_t digest[ALC_SHA256_SIZE])
{
    struct alc_hash hash;
    alc_hash_init(&hash, ALC_HASH_SHA256);
    alc_hash_update(&hash, request_label, sizeof request_label - 1);
    alc_hash_update(&hash, bytes, ALC_WITNESS_REQUEST_SIGNED_SIZE);
    alc_hash_finish(&hash, digest);
}

void alc_witness_reply_digest(const uint8_t request[ALC_WITNESS_REQUEST_SIZE],
                              const uint8_t bytes[ALC_WITNESS_ANSWER_SIZE],
                              uint8_t digest[ALC_SHA256_SIZE])
{
    struct alc_hash hash;
    uint8_t of_request[ALC_SHA256_SIZE];
    alc_hash_bytes(ALC_HASH_SHA256, request, ALC_WITNESS_REQUEST_SIZE, of_request);
    alc_hash_init(&hash, ALC_HASH_SHA256);
    alc_hash_update(&hash, answer_label, sizeof answer_label - 1);
    alc_hash_update(&hash, of_request, sizeof of_request);
    alc_hash_update(&hash, bytes, ALC_WITNESS_ANSWER_SIGNED_SIZE);
    alc_hash_finish(&hash, digest);
}
