/* SPDX-License-Identifier: Apache-2.0
 *
 * The three requests that quotes need, in the fields of aesm.proto: InitQuoteEx (15),
 * GetQuoteSizeEx (16), GetQuoteEx (17) in both wrappers.
 */
#include "sgx/aesm.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/reader.h"

enum {
    MESSAGE_INIT_QUOTE = 15,
    MESSAGE_QUOTE_SIZE = 16,
    MESSAGE_QUOTE = 17,

    FIELD_ERROR_CODE = 1, /* of every answer; what it is about is 2 */
    FIELD_ANSWER = 2,
    FIELD_BUF_SIZE = 4,
    FIELD_TIMEOUT = 9,

    ERROR_NO_KEY = 42, /* the attestation key is not there (any more): InitQuoteEx again */

    ANSWER_SIZE_MAX = 1 << 20,
    QUOTE_SIZE_MAX = 64 * 1024,
    KEY_ID_SIZE = 256,
    PUBLIC_KEY_ID_SIZE = 32,
    REQUEST_SIZE_MAX = 2048,
    DEFAULT_TIMEOUT_MS = 10000,
    ATTEMPTS = 3,
};

/* Offsets in a quote: its signature data's size, behind header and report. */
enum { QUOTE_DATA_SIZE_OFFSET = 432, QUOTE_DATA_OFFSET = 436 };

static const char default_path[] = "/var/run/aesmd/aesm.socket";
static const char abstract_name[] = "\0sgx_aesm_socket_base"; /* filled up with NULs */

struct exchange {
    const struct alc_aesm_options *options;
    struct alc_error *error;
    int64_t deadline_ms;
    int fd;
};

static alc_status fail(const struct exchange *exchange, alc_status status, const char *detail)
{
    return alc_fail_with(exchange->error, status, ALC_NO_OFFSET, detail);
}

/* -- Protocol Buffers, as far as these messages need it -- */

enum wire { WIRE_VARINT = 0, WIRE_BYTES = 2 };

static void write_varint(struct alc_writer *writer, uint64_t value)
{
    while (value >= 0x80) {
        alc_write_u8(writer, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    alc_write_u8(writer, (uint8_t)value);
}

static void write_number(struct alc_writer *writer, uint32_t field, uint64_t value)
{
    write_varint(writer, field << 3 | WIRE_VARINT);
    write_varint(writer, value);
}

static void write_bytes(struct alc_writer *writer, uint32_t field, const void *bytes, size_t size)
{
    write_varint(writer, field << 3 | WIRE_BYTES);
    write_varint(writer, size);
    alc_write_bytes(writer, bytes, size);
}

/* One field: a number, or bytes. Other kinds occur in none of these messages. */
struct field {
    uint64_t number; /* of the field */
    uint64_t value;
    const uint8_t *bytes; /* NULL: a number */
    size_t size;
};

static alc_status read_field(struct alc_reader *reader, struct field *out)
{
    uint64_t key;
    *out = (struct field){0};
    ALC_TRY(alc_read_leb_u64(reader, &key));
    out->number = key >> 3;
    ALC_TRY(alc_read_leb_u64(reader, &out->value));
    if ((key & 7) == WIRE_VARINT) {
        return ALC_OK;
    }
    if ((key & 7) != WIRE_BYTES || out->value > alc_reader_remaining(reader)) {
        return ALC_E_IO_FAILED;
    }
    out->size = (size_t)out->value;
    return alc_read_bytes(reader, out->size, &out->bytes);
}

/* Intel's ECDSA attestation key on P-256, by its quoting enclave's signer. */
static void make_key_id(uint8_t out[KEY_ID_SIZE])
{
    static const uint8_t mrsigner[32] = {0x8c, 0x4f, 0x57, 0x75, 0xd7, 0x96, 0x50, 0x3e,
                                         0x96, 0x13, 0x7f, 0x77, 0xc6, 0x8a, 0x82, 0x9a,
                                         0x00, 0x56, 0xac, 0x8d, 0xed, 0x70, 0x14, 0x0b,
                                         0x08, 0x1b, 0x09, 0x44, 0x90, 0xc5, 0x7b, 0xff};
    struct alc_writer writer;
    alc_fill(out, 0, KEY_ID_SIZE);
    alc_writer_init(&writer, out, KEY_ID_SIZE);
    alc_write_u16(&writer, 0); /* id */
    alc_write_u16(&writer, 0); /* version */
    alc_write_u16(&writer, sizeof mrsigner);
    alc_write_bytes(&writer, mrsigner, sizeof mrsigner);
    alc_write_zeros(&writer, 48 - sizeof mrsigner);
    alc_write_u32(&writer, 1);              /* product */
    alc_write_zeros(&writer, 16 + 64 + 16); /* extended product, config and family id */
    alc_write_u32(&writer, 2);              /* ECDSA, P-256 */
}

/* -- the socket -- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int connect_to(const char *path, const void *name, size_t name_size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = path != NULL ? alc_string_length(path) : name_size;
    if (size >= sizeof address.sun_path) {
        return -1;
    }
    alc_copy(address.sun_path, path != NULL ? path : name, size);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static alc_status open_socket(struct exchange *exchange)
{
    const char *path = exchange->options->socket_path;
    exchange->fd = connect_to(path != NULL ? path : default_path, NULL, 0);
    if (exchange->fd < 0 && path == NULL) {
        exchange->fd = connect_to(NULL, abstract_name, sizeof abstract_name - 1);
    }
    return exchange->fd >= 0
               ? ALC_OK
               : fail(exchange, ALC_E_NOT_SUPPORTED, "no quoting service (AESM) listens here");
}

static alc_status wait_for(const struct exchange *exchange, short events)
{
    struct pollfd entry = {.fd = exchange->fd, .events = events};
    for (;;) {
        int64_t left_ms = exchange->deadline_ms - now_ms();
        int count = left_ms <= 0 ? 0 : poll(&entry, 1, (int)left_ms);
        if (count > 0) {
            return ALC_OK;
        }
        if (count == 0) {
            return fail(exchange, ALC_E_IO_FAILED, "the quoting service does not answer");
        }
        if (errno != EINTR) {
            return fail(exchange, ALC_E_IO_FAILED, "the quoting service's socket fails");
        }
    }
}

static alc_status send_all(const struct exchange *exchange, const uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ALC_TRY(wait_for(exchange, POLLOUT));
        ssize_t count = send(exchange->fd, bytes + done, size - done, MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN && errno != EINTR) {
            return fail(exchange, ALC_E_IO_FAILED, "the quoting service hung up");
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return ALC_OK;
}

static alc_status receive_all(const struct exchange *exchange, uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ALC_TRY(wait_for(exchange, POLLIN));
        ssize_t count = recv(exchange->fd, bytes + done, size - done, 0);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
            return fail(exchange, ALC_E_IO_FAILED, "the quoting service hung up");
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return ALC_OK;
}

/* Sends the message and receives the answer, which is the caller's to free. */
static alc_status talk(struct exchange *exchange, uint32_t message, const struct alc_writer *body,
                       uint8_t **out, size_t *out_size)
{
    uint8_t request[REQUEST_SIZE_MAX + 16];
    uint8_t head[4];
    struct alc_writer writer;
    alc_writer_init(&writer, request + 4, sizeof request - 4);
    write_bytes(&writer, message, body->bytes, body->pos);
    ALC_ASSERT(!writer.overflowed);
    alc_store_u32(request, (uint32_t)writer.pos);
    ALC_TRY(send_all(exchange, request, 4 + writer.pos));
    ALC_TRY(receive_all(exchange, head, sizeof head));
    uint32_t size = alc_load_u32(head);
    if (size == 0 || size > ANSWER_SIZE_MAX) {
        return fail(exchange, ALC_E_IO_FAILED, "the quoting service's answer has no sensible size");
    }
    uint8_t *bytes = malloc(size);
    if (bytes == NULL) {
        return fail(exchange, ALC_E_OUT_OF_MEMORY, "");
    }
    alc_status status = receive_all(exchange, bytes, size);
    if (status != ALC_OK) {
        free(bytes);
        return status;
    }
    *out = bytes;
    *out_size = size;
    return ALC_OK;
}

/* -- requests -- */

/* What an answer says. */
struct answer {
    uint8_t *memory; /* to be freed */
    uint64_t error_code;
    bool has_value;
    struct field value; /* FIELD_ANSWER */
};

static alc_status read_answer(uint32_t message, size_t size, struct answer *out)
{
    struct alc_reader reader;
    struct field field;
    alc_reader_init(&reader, out->memory, size, NULL);
    ALC_TRY(read_field(&reader, &field));
    if (field.number != message || field.bytes == NULL || !alc_reader_at_end(&reader)) {
        return ALC_E_IO_FAILED;
    }
    alc_reader_init(&reader, field.bytes, field.size, NULL);
    while (!alc_reader_at_end(&reader)) {
        ALC_TRY(read_field(&reader, &field));
        if (field.number == FIELD_ERROR_CODE && field.bytes == NULL) {
            out->error_code = field.value;
        } else if (field.number == FIELD_ANSWER) {
            out->has_value = true;
            out->value = field;
        }
    }
    return ALC_OK;
}

/* One request on a connection of its own. The caller frees out->memory, also after a failure. */
static alc_status ask(const struct alc_aesm_options *options, uint32_t message,
                      const struct alc_writer *body, struct answer *out, struct alc_error *error)
{
    static const struct alc_aesm_options defaults;
    struct exchange exchange = {.options = options != NULL ? options : &defaults, .error = error};
    uint32_t timeout_ms = exchange.options->timeout_ms;
    size_t size = 0;
    exchange.deadline_ms = now_ms() + (timeout_ms != 0 ? timeout_ms : DEFAULT_TIMEOUT_MS);
    *out = (struct answer){0};
    ALC_TRY(open_socket(&exchange));
    alc_status status = talk(&exchange, message, body, &out->memory, &size);
    close(exchange.fd);
    ALC_TRY(status);
    return read_answer(message, size, out) == ALC_OK
               ? ALC_OK
               : fail(&exchange, ALC_E_IO_FAILED, "the quoting service's answer is malformed");
}

static void write_timeout(struct alc_writer *writer, const struct alc_aesm_options *options)
{
    uint32_t timeout_ms = options != NULL ? options->timeout_ms : 0;
    write_number(writer, FIELD_TIMEOUT,
                 (uint64_t)(timeout_ms != 0 ? timeout_ms : DEFAULT_TIMEOUT_MS) * 1000); /* us */
}

/* An answer that must be of `size` bytes, or a number when that is 0. */
static alc_status expect(const struct answer *answer, size_t size, struct alc_error *error)
{
    char text[64];
    if (answer->error_code != 0) {
        (void)snprintf(text, sizeof text, "the quoting service refuses: error %llu",
                       (unsigned long long)answer->error_code);
        return alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET, text);
    }
    bool is_right = answer->has_value && (answer->value.bytes != NULL) == (size != 0) &&
                    answer->value.size == size;
    return is_right ? ALC_OK
                    : alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                                    "the quoting service's answer has another size");
}

alc_status alc_aesm_target_info(const struct alc_aesm_options *options,
                                struct alc_sgx_target_info *out, struct alc_error *error)
{
    enum { FIELD_KEY_ID = 1, FIELD_WANTS_PUBLIC_KEY_ID = 3 };
    uint8_t bytes[REQUEST_SIZE_MAX];
    uint8_t key_id[KEY_ID_SIZE];
    struct alc_writer writer;
    struct answer answer;
    make_key_id(key_id);
    alc_writer_init(&writer, bytes, sizeof bytes);
    write_bytes(&writer, FIELD_KEY_ID, key_id, sizeof key_id);
    write_number(&writer, FIELD_WANTS_PUBLIC_KEY_ID, 1);
    write_number(&writer, FIELD_BUF_SIZE, PUBLIC_KEY_ID_SIZE);
    write_timeout(&writer, options);
    alc_status status = ask(options, MESSAGE_INIT_QUOTE, &writer, &answer, error);
    if (status == ALC_OK) {
        status = expect(&answer, sizeof *out, error);
    }
    if (status == ALC_OK) {
        alc_copy(out, answer.value.bytes, sizeof *out);
    }
    free(answer.memory);
    return status;
}

static alc_status get_size(const struct alc_aesm_options *options, struct answer *answer,
                           struct alc_error *error)
{
    enum { FIELD_KEY_ID = 1 };
    uint8_t bytes[REQUEST_SIZE_MAX];
    uint8_t key_id[KEY_ID_SIZE];
    struct alc_writer writer;
    make_key_id(key_id);
    alc_writer_init(&writer, bytes, sizeof bytes);
    write_bytes(&writer, FIELD_KEY_ID, key_id, sizeof key_id);
    write_timeout(&writer, options);
    return ask(options, MESSAGE_QUOTE_SIZE, &writer, answer, error);
}

static alc_status get_quote(const struct alc_aesm_options *options,
                            const struct alc_sgx_report *report, uint64_t size,
                            struct answer *answer, struct alc_error *error)
{
    enum { FIELD_REPORT = 1, FIELD_KEY_ID = 2 };
    uint8_t bytes[REQUEST_SIZE_MAX];
    uint8_t key_id[KEY_ID_SIZE];
    struct alc_writer writer;
    make_key_id(key_id);
    alc_writer_init(&writer, bytes, sizeof bytes);
    write_bytes(&writer, FIELD_REPORT, report, ALC_SGX_REPORT_SIZE);
    write_bytes(&writer, FIELD_KEY_ID, key_id, sizeof key_id);
    write_number(&writer, FIELD_BUF_SIZE, size);
    write_timeout(&writer, options);
    return ask(options, MESSAGE_QUOTE, &writer, answer, error);
}

/* The buffer's size is asked for, the quote's own says where it ends. */
static alc_status take_quote(const struct answer *answer, uint64_t size, struct alc_writer *out,
                             struct alc_error *error)
{
    const uint8_t *quote = answer->value.bytes;
    ALC_TRY(expect(answer, (size_t)size, error));
    uint64_t used = size >= QUOTE_DATA_OFFSET
                        ? QUOTE_DATA_OFFSET + (uint64_t)alc_load_u32(quote + QUOTE_DATA_SIZE_OFFSET)
                        : UINT64_MAX;
    if (used > size) {
        return alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                             "the quoting service's quote is longer than itself");
    }
    alc_write_bytes(out, quote, (size_t)used);
    return out->overflowed ? ALC_E_OUT_OF_MEMORY : ALC_OK;
}

/* Size, then quote; *out_code is the service's error code. */
static alc_status try_quote(const struct alc_aesm_options *options,
                            const struct alc_sgx_report *report, struct alc_writer *out,
                            uint64_t *out_code, struct alc_error *error)
{
    struct answer answer;
    uint64_t size = 0;
    alc_status status = get_size(options, &answer, error);
    *out_code = answer.error_code;
    if (status == ALC_OK && *out_code != ERROR_NO_KEY) {
        status = expect(&answer, 0, error);
        size = answer.value.value;
    }
    free(answer.memory);
    if (status != ALC_OK || *out_code == ERROR_NO_KEY) {
        return status;
    }
    if (size == 0 || size > QUOTE_SIZE_MAX) {
        return alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                             "the quoting service's quotes have no sensible size");
    }
    status = get_quote(options, report, size, &answer, error);
    *out_code = answer.error_code;
    if (status == ALC_OK && *out_code != ERROR_NO_KEY) {
        status = take_quote(&answer, size, out, error);
    }
    free(answer.memory);
    return status;
}

alc_status alc_aesm_quote(const struct alc_aesm_options *options,
                          const struct alc_sgx_report *report, struct alc_writer *out,
                          struct alc_error *error)
{
    uint64_t code = ERROR_NO_KEY;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct alc_sgx_target_info target;
        ALC_TRY(try_quote(options, report, out, &code, error));
        if (code != ERROR_NO_KEY) {
            return ALC_OK;
        }
        ALC_TRY(alc_aesm_target_info(options, &target, error)); /* makes the key */
    }
    return alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                         "the quoting service does not keep its key");
}
