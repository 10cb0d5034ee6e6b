/* SPDX-License-Identifier: Apache-2.0
 *
 * The client of the quoting service, with a service of our own that speaks the same messages: they
 * are exactly those of aesm.proto, and every way in which it may misbehave ends in a status, in
 * bounded time.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "sgx/aesm.h"

enum { QUOTE_SIZE = 1500, QUOTE_DATA_SIZE = 900, TARGET_SIZE = 512 };

/* How the service behaves. */
enum manner {
    GOOD,
    FORGETS_KEY,       /* error 42 until it is asked for InitQuoteEx */
    FORGETS_KEY_AGAIN, /* and always */
    REFUSES,
    CUTS,
    HANGS_UP,
    SAYS_NOTHING,
    TOO_LARGE,
    EMPTY,
    OTHER_MESSAGE,
    OTHER_KIND, /* a number where bytes should be */
    OTHER_SIZE,
    NOT_PROTOBUF,
    LONG_QUOTE, /* that says it is longer than its buffer */
    HUGE_QUOTE, /* whose size makes no sense */
};

static struct {
    char folder[64];
    char path[96];
    int listener;
    pthread_t thread;
    enum manner manner;
    bool has_key;
    int requests;
    uint8_t last[4096];
    size_t last_size;
    uint32_t last_message;
    struct alc_aesm_options options;
} service;

static struct alc_sgx_report report;
static uint8_t quote[64 * 1024];

struct message {
    uint8_t bytes[8192];
    size_t size;
};

static void put_varint(struct message *message, uint64_t value)
{
    while (value >= 0x80) {
        message->bytes[message->size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    message->bytes[message->size++] = (uint8_t)value;
}

static void put_number(struct message *message, uint32_t field, uint64_t value)
{
    put_varint(message, field << 3);
    put_varint(message, value);
}

static void put_bytes(struct message *message, uint32_t field, const void *bytes, size_t size)
{
    put_varint(message, field << 3 | 2);
    put_varint(message, size);
    memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

/* What the answer is about: target info, size, or quote. */
static void put_value(struct message *body, uint32_t kind)
{
    uint8_t bytes[4096];
    uint32_t data_size = service.manner == LONG_QUOTE ? QUOTE_SIZE - 435 : QUOTE_DATA_SIZE;
    size_t size = kind == 15 ? TARGET_SIZE : QUOTE_SIZE;
    memset(bytes, 'Q', sizeof bytes);
    memcpy(bytes + 432, &data_size, 4);
    if (service.manner == OTHER_SIZE) {
        size--;
    }
    if (kind == 16) {
        put_number(body, 2, service.manner == HUGE_QUOTE ? 1 << 20 : QUOTE_SIZE);
    } else if (service.manner == OTHER_KIND) {
        put_number(body, 2, 7);
    } else {
        put_bytes(body, 2, bytes, size);
    }
}

static void make_answer(uint32_t kind, struct message *out)
{
    struct message body = {.size = 0};
    uint64_t error = service.manner == REFUSES ? 12 : 0;
    if (kind == 15) {
        service.has_key = service.manner != FORGETS_KEY_AGAIN;
    } else if (!service.has_key) {
        error = 42;
    }
    put_number(&body, 1, error);
    if (error == 0) {
        put_value(&body, kind);
    }
    if (kind == 15) {
        put_number(&body, 3, 32);
        put_bytes(&body, 4, "01234567890123456789012345678901", 32);
    }
    out->size = 0;
    put_bytes(out, service.manner == OTHER_MESSAGE ? kind + 1 : kind, body.bytes, body.size);
    if (service.manner == NOT_PROTOBUF) {
        memset(out->bytes, 0xff, out->size);
    }
}

static bool receive(int fd, void *to, size_t size)
{
    return recv(fd, to, size, MSG_WAITALL) == (ssize_t)size;
}

static void serve_one(int fd)
{
    uint32_t size;
    struct message answer;
    service.requests++;
    if (!receive(fd, &size, sizeof size) || size > sizeof service.last ||
        !receive(fd, service.last, size)) {
        return;
    }
    service.last_size = size;
    service.last_message = (uint32_t)(service.last[0] & 0x7f) >> 3;
    if ((service.last[0] & 0x80) != 0) {
        service.last_message |= (uint32_t)service.last[1] << 4;
    }
    make_answer(service.last_message, &answer);
    uint32_t head = (uint32_t)answer.size;
    if (service.manner == TOO_LARGE) {
        head = UINT32_MAX;
    } else if (service.manner == EMPTY) {
        head = 0;
    } else if (service.manner == SAYS_NOTHING) {
        uint8_t byte;
        (void)!recv(fd, &byte, 1, 0); /* until the client gives up */
        return;
    } else if (service.manner == HANGS_UP) {
        return;
    }
    (void)!send(fd, &head, sizeof head, MSG_NOSIGNAL);
    size_t sent = service.manner == CUTS ? answer.size / 2 : answer.size;
    for (size_t done = 0; done < sent; done += 100) { /* in pieces */
        size_t part = sent - done < 100 ? sent - done : 100;
        (void)!send(fd, answer.bytes + done, part, MSG_NOSIGNAL);
    }
}

static void *serve(void *argument)
{
    (void)argument;
    for (;;) {
        int fd = accept(service.listener, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        serve_one(fd);
        close(fd);
    }
}

static int setup(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;
    memset(&service, 0, sizeof service);
    service.has_key = true;
    snprintf(service.folder, sizeof service.folder, "/tmp/alcove_aesm_XXXXXX");
    assert_non_null(mkdtemp(service.folder));
    snprintf(service.path, sizeof service.path, "%s/socket", service.folder);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", service.path);
    service.listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(service.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(service.listener, 8), 0);
    assert_int_equal(pthread_create(&service.thread, NULL, serve, NULL), 0);
    service.options = (struct alc_aesm_options){.socket_path = service.path, .timeout_ms = 2000};
    memset(&report, 'R', ALC_SGX_REPORT_SIZE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    shutdown(service.listener, SHUT_RDWR);
    pthread_join(service.thread, NULL);
    close(service.listener);
    unlink(service.path);
    rmdir(service.folder);
    return 0;
}

static alc_status get_quote(size_t room, size_t *out_size, struct alc_error *error)
{
    struct alc_writer writer;
    alc_error_clear(error);
    alc_writer_init(&writer, quote, room);
    alc_status status = alc_aesm_quote(&service.options, &report, &writer, error);
    *out_size = writer.pos;
    return status;
}

static void a_good_service_gives_both(void **state)
{
    (void)state;
    struct alc_sgx_target_info target;
    struct alc_error error;
    size_t size;
    alc_error_clear(&error);
    assert_int_equal(alc_aesm_target_info(&service.options, &target, &error), ALC_OK);
    assert_int_equal(((uint8_t *)&target)[511], 'Q');
    assert_int_equal(get_quote(sizeof quote, &size, &error), ALC_OK);
    assert_int_equal(size, 436 + QUOTE_DATA_SIZE); /* not the whole buffer */
    assert_int_equal(service.requests, 3);
    assert_int_equal(get_quote(size - 1, &size, &error), ALC_E_OUT_OF_MEMORY);
}

/* Field by field: Request { 15: { 1: key id, 3: true, 4: 32, 9: microseconds } }. */
static void messages_are_those_of_the_protocol(void **state)
{
    (void)state;
    static const uint8_t key_id_head[] = {0x0a, 0x80, 0x02, 0, 0, 0, 0, 32, 0, 0x8c, 0x4f};
    static const uint8_t tail[] = {0x18, 0x01, 0x20, 0x20, 0x48, 0x80, 0x89, 0x7a};
    struct alc_sgx_target_info target;
    struct alc_error error;
    size_t size;
    alc_error_clear(&error);
    assert_int_equal(alc_aesm_target_info(&service.options, &target, &error), ALC_OK);
    assert_int_equal(service.last[0], 15 << 3 | 2);
    size_t body = 259 + sizeof tail;
    assert_int_equal(service.last_size, 3 + body);
    assert_int_equal(service.last[1], 0x80 | (body & 0x7f));
    assert_int_equal(service.last[2], body >> 7);
    assert_memory_equal(service.last + 3, key_id_head, sizeof key_id_head);
    assert_memory_equal(service.last + 3 + 259, tail, sizeof tail);
    assert_int_equal(service.last[3 + 3 + 54], 1);          /* product */
    assert_int_equal(service.last[3 + 3 + 54 + 4 + 96], 2); /* algorithm */
    assert_int_equal(get_quote(sizeof quote, &size, &error), ALC_OK);
    assert_int_equal(service.last[0], 0x8a); /* field 17 has two bytes */
    assert_int_equal(service.last[1], 0x01);
    assert_int_equal(service.last[4], 0x0a); /* report */
    assert_int_equal(service.last[5] | service.last[6] << 8, 0xb0 | 3 << 8);
    assert_int_equal(service.last[7], 'R');
    assert_int_equal(service.last[7 + 432], 0x12); /* key id */
}

static void a_lost_key_is_made_again(void **state)
{
    (void)state;
    struct alc_error error;
    size_t size;
    service.manner = FORGETS_KEY;
    service.has_key = false;
    assert_int_equal(get_quote(sizeof quote, &size, &error), ALC_OK);
    assert_int_equal(service.requests, 4); /* size, init, size, quote */
    service.manner = FORGETS_KEY_AGAIN;
    service.has_key = false;
    service.requests = 0;
    assert_int_equal(get_quote(sizeof quote, &size, &error), ALC_E_IO_FAILED);
    assert_int_equal(service.requests, 6);
}

static void misbehaviour_is_a_status(void **state)
{
    (void)state;
    struct alc_sgx_target_info target;
    struct alc_error error;
    size_t size;
    service.options.timeout_ms = 200;
    for (int manner = REFUSES; manner <= HUGE_QUOTE; manner++) {
        service.manner = (enum manner)manner;
        assert_int_equal(get_quote(sizeof quote, &size, &error), ALC_E_IO_FAILED);
        assert_int_equal(size, 0);
        assert_int_not_equal(error.detail[0], '\0');
        alc_error_clear(&error);
        alc_status status = alc_aesm_target_info(&service.options, &target, &error);
        bool is_about_quotes = manner == LONG_QUOTE || manner == HUGE_QUOTE;
        assert_int_equal(status, is_about_quotes ? ALC_OK : ALC_E_IO_FAILED);
    }
}

static void nobody_listens(void **state)
{
    (void)state;
    struct alc_sgx_target_info target;
    struct alc_error error;
    const struct alc_aesm_options options = {.socket_path = "/nonexistent/socket"};
    alc_error_clear(&error);
    assert_int_equal(alc_aesm_target_info(&options, &target, &error), ALC_E_NOT_SUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_service_gives_both, setup, teardown),
        cmocka_unit_test_setup_teardown(messages_are_those_of_the_protocol, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_key_is_made_again, setup, teardown),
        cmocka_unit_test_setup_teardown(misbehaviour_is_a_status, setup, teardown),
        cmocka_unit_test(nobody_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
