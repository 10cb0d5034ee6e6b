/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages between a client and whoever carries for it.
 */
#include "broker/relay.h"

#include "base/bytes.h"
#include "base/cbor.h"

enum { REQUEST_ITEMS = 4, ANSWER_ITEMS = 3 };

/* The size goes in front when it is known. */
static size_t begin(struct alc_writer *writer)
{
    alc_write_u32(writer, 0);
    return writer->pos;
}

static void finish(struct alc_writer *writer, size_t start)
{
    if (!writer->overflowed) {
        alc_store_u32(writer->bytes + start - ALC_RELAY_HEAD, (uint32_t)(writer->pos - start));
    }
}

static void write_text(struct alc_writer *writer, const struct alc_text *text)
{
    alc_cbor_write_text(writer, text->bytes, text->size);
}

void alc_relay_write_request(struct alc_writer *writer, const struct alc_broker_request *request)
{
    const size_t start = begin(writer);
    alc_cbor_write_array(writer, REQUEST_ITEMS);
    alc_cbor_write_uint(writer, request->is_post);
    write_text(writer, &request->path);
    write_text(writer, &request->session);
    alc_cbor_write_bytes(writer, request->body.bytes, request->body.size);
    finish(writer, start);
}

void alc_relay_write_answer(struct alc_writer *writer, const struct alc_broker_answer *answer)
{
    const size_t start = begin(writer);
    alc_cbor_write_array(writer, ANSWER_ITEMS);
    alc_cbor_write_uint(writer, answer->http_status);
    write_text(writer, &answer->session);
    alc_cbor_write_bytes(writer, answer->body.bytes, answer->body.size);
    finish(writer, start);
}

size_t alc_relay_message_size(const uint8_t head[ALC_RELAY_HEAD])
{
    const size_t size = alc_load_u32(head);
    return size <= ALC_RELAY_MESSAGE_MAX ? size : 0;
}

static alc_status read_text(struct alc_reader *reader, struct alc_text *out)
{
    return alc_cbor_read_text(reader, &out->bytes, &out->size);
}

static alc_status read_number(struct alc_reader *reader, uint64_t max, uint64_t *out)
{
    const struct alc_reader start = *reader;
    ALC_TRY(alc_cbor_read_uint(reader, out));
    return *out <= max ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_CBOR);
}

static alc_status read_start(struct alc_reader *reader, size_t items_count)
{
    const struct alc_reader start = *reader;
    size_t count;
    ALC_TRY(alc_cbor_read_array(reader, items_count, &count));
    return count == items_count ? ALC_OK : alc_reader_fail(&start, ALC_E_BAD_CBOR);
}

static alc_status read_body(struct alc_reader *reader, struct alc_text *out)
{
    ALC_TRY(alc_cbor_read_bytes(reader, &out->bytes, &out->size));
    return alc_reader_at_end(reader) ? ALC_OK : alc_reader_fail(reader, ALC_E_BAD_CBOR);
}

/* "/kbs/v0/" and names with slashes between them: nothing that a URL has another meaning for. */
static bool is_path(const struct alc_text *path)
{
    static const char prefix[] = ALC_BROKER_PREFIX;
    const size_t prefix_size = sizeof prefix - 1;
    bool is_first = true; /* of a name */
    if (path->size <= prefix_size || path->size > prefix_size + 16 + ALC_BROKER_RESOURCE_MAX ||
        !alc_equal(path->bytes, prefix, prefix_size)) {
        return false;
    }
    for (size_t i = prefix_size; i < path->size; i++) {
        const uint8_t character = path->bytes[i];
        if (character == '/' ? is_first : !alc_broker_is_name_character(character, is_first)) {
            return false;
        }
        is_first = character == '/';
    }
    return !is_first;
}

alc_status alc_relay_read_request(struct alc_reader *reader, struct alc_broker_request *out)
{
    uint64_t is_post;
    ALC_TRY(read_start(reader, REQUEST_ITEMS));
    ALC_TRY(read_number(reader, 1, &is_post));
    out->is_post = is_post == 1;
    ALC_TRY(read_text(reader, &out->path));
    ALC_TRY(read_text(reader, &out->session));
    ALC_TRY(read_body(reader, &out->body));
    return is_path(&out->path) && (out->session.size == 0 || alc_broker_is_session(&out->session))
               ? ALC_OK
               : alc_reader_fail(reader, ALC_E_BAD_ARGUMENT);
}

alc_status alc_relay_read_answer(struct alc_reader *reader, struct alc_broker_answer *out)
{
    uint64_t http_status;
    ALC_TRY(read_start(reader, ANSWER_ITEMS));
    ALC_TRY(read_number(reader, 999, &http_status));
    out->http_status = (unsigned)http_status;
    ALC_TRY(read_text(reader, &out->session));
    return read_body(reader, &out->body);
}
