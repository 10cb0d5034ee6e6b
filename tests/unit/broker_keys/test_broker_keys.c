/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of mounts from a broker: the whole way over a stream that gives and takes a few bytes at a
 * time, the one key that the manifest names, and a carrier that lies.
 */
#include "unit/broker/server.h"

#include "base/bytes.h"
#include "base/cbor.h"
#include "broker/relay.h"
#include "broker_keys/broker_keys.h"
#include "os_linux/os_linux.h"

enum { STREAM_MAX = 1 << 21, CHUNK = 1000 };

enum fault {
    NO_FAULT,
    OTHER_SERVER, /* one that does not know workloads */
    NOBODY_THERE,
    HANGS_UP,
    TOO_LARGE,
    NOT_CBOR,
    REFUSES,
    OTHER_KEY,
    SHORT_KEY,
    LIES_ABOUT_COUNTS,
};

/* The carrier, and the broker behind it. */
static struct {
    enum fault fault;
    uint8_t in[STREAM_MAX];
    size_t in_size;
    uint8_t out[STREAM_MAX];
    size_t out_size;
    size_t out_pos;
    struct alc_ec_public_key client_key;
    unsigned requests;
    char said[600]; /* on the standard error stream */
} host;

static const uint8_t right_key[ALC_SEAL_KEY_SIZE] = "a key of mounts, 32 random byte";
static const uint8_t workload_id[ALC_SHA256_SIZE] = {0xda};
static struct alc_os_operations operations;
static struct alc_os os;

static void take_coordinate(const char *body, const char *name, uint8_t out[32])
{
    size_t size;
    const char *found = strstr(body, name);
    assert_non_null(found);
    assert_true(alc_base64_read(ALC_BASE64_URL, (const uint8_t *)found + 5, 43, out, 32, &size));
}

static void answer(unsigned http_status, const char *session, const char *body)
{
    struct alc_writer writer;
    const struct alc_broker_answer message = {
        .http_status = http_status, .session = server_text(session), .body = server_text(body)};
    alc_writer_init(&writer, host.out, sizeof host.out);
    alc_relay_write_answer(&writer, &message);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    host.out_size = writer.pos;
    host.out_pos = 0;
}

static void answer_resource(void)
{
    static char body[1 << 16];
    uint8_t key[ALC_SEAL_KEY_SIZE];
    memcpy(key, right_key, sizeof key);
    key[31] ^= host.fault == OTHER_KEY;
    server_seal(&host.client_key, key, host.fault == SHORT_KEY ? 31 : 32,
                &(struct server_message){0}, body, sizeof body);
    answer(200, "", body);
}

static void serve(const struct alc_broker_request *request)
{
    static char body[1 << 18];
    host.requests++;
    snprintf(body, sizeof body, "%.*s", (int)request->body.size, request->body.bytes);
    if (alc_text_is(&request->path, "/kbs/v0/auth")) {
        answer(200, "s1",
               host.fault == OTHER_SERVER
                   ? "{\"nonce\":\"AAEC\",\"extra-params\":\"\"}"
                   : "{\"nonce\":\"AAEC\",\"extra-params\":{\"alcove-workload-id\":true}}");
    } else if (alc_text_is(&request->path, "/kbs/v0/attest")) {
        assert_true(alc_text_is(&request->session, "s1"));
        assert_non_null(strstr(body, host.fault == OTHER_SERVER ? "\"additional_evidence\":\"{}\""
                                                                : "\\\"workload_id\\\":\\\"da00"));
        host.client_key.curve = ALC_CURVE_P256;
        take_coordinate(body, "\"x\":\"", host.client_key.point);
        take_coordinate(body, "\"y\":\"", host.client_key.point + 32);
        if (host.fault == REFUSES) {
            answer(401, "", "{\"type\":\"t\",\"detail\":\"check TCB_STATUS failed\"}");
        } else {
            answer(200, "", "{\"token\":\"a.b.c\"}");
        }
    } else {
        assert_true(alc_text_is(&request->path, "/kbs/v0/resource/repo/key/1"));
        answer_resource();
    }
    if (host.fault == TOO_LARGE) {
        alc_store_u32(host.out, ALC_RELAY_MESSAGE_MAX);
    } else if (host.fault == NOT_CBOR) {
        host.out[ALC_RELAY_HEAD] = 0xff;
    }
}

/* Whether a whole request is there; then it is served. */
static void look(void)
{
    struct alc_reader reader;
    struct alc_broker_request request;
    if (host.in_size < ALC_RELAY_HEAD ||
        host.in_size < ALC_RELAY_HEAD + alc_relay_message_size(host.in)) {
        return;
    }
    alc_reader_init(&reader, host.in + ALC_RELAY_HEAD, host.in_size - ALC_RELAY_HEAD, NULL);
    assert_int_equal(alc_relay_read_request(&reader, &request), ALC_OK);
    serve(&request);
    host.in_size = 0;
}

static int64_t write_handle(void *context, int32_t handle, const struct alc_span *spans,
                            size_t spans_count)
{
    (void)context;
    assert_int_equal(spans_count, 1);
    size_t size = spans[0].size < CHUNK ? spans[0].size : CHUNK;
    if (handle == ALC_OS_STDERR) {
        snprintf(host.said, sizeof host.said, "%.*s", (int)spans[0].size, spans[0].bytes);
        return (int64_t)spans[0].size;
    }
    assert_int_equal(handle, ALC_OS_KEY_BROKER);
    if (host.fault == NOBODY_THERE) {
        return -ALC_OS_BAD_DESCRIPTOR;
    }
    memcpy(host.in + host.in_size, spans[0].bytes, size);
    host.in_size += size;
    look();
    return (int64_t)size;
}

static int64_t read_handle(void *context, int32_t handle, const struct alc_span *spans,
                           size_t spans_count)
{
    (void)context;
    assert_true(handle == ALC_OS_KEY_BROKER && spans_count == 1);
    if (host.fault == HANGS_UP || host.fault == LIES_ABOUT_COUNTS) {
        return host.fault == HANGS_UP ? 0 : (int64_t)spans[0].size + 1;
    }
    size_t size = host.out_size - host.out_pos;
    size = size < spans[0].size ? size : spans[0].size;
    size = size < CHUNK ? size : CHUNK;
    memcpy(spans[0].bytes, host.out + host.out_pos, size);
    host.out_pos += size;
    return (int64_t)size;
}

static alc_status show(void *context, const uint8_t report_data[64], struct alc_writer *out)
{
    (void)context;
    for (int i = 0; i < 100; i++) {
        alc_write_bytes(out, report_data, 64);
    }
    return ALC_OK;
}

static alc_status get(enum fault fault, uint8_t key[ALC_SEAL_KEY_SIZE])
{
    static const struct alc_attester attester = {.evidence = show, .kind = ALC_EVIDENCE_SGX};
    uint8_t settings[100];
    struct alc_writer writer;
    struct alc_named_key named = {.resource = server_text("repo/key/1")};
    alc_sha256(right_key, sizeof right_key, named.sha256);
    alc_writer_init(&writer, settings, sizeof settings);
    alc_named_key_write(&writer, &named);
    memset(&host, 0, sizeof host);
    host.fault = fault;
    memset(key, 0, ALC_SEAL_KEY_SIZE);
    struct alc_broker_keys keys = {.os = &os, .attester = &attester};
    const struct alc_string string = {settings, writer.pos};
    return alc_broker_keys_get(&keys, workload_id, &string, key);
}

static void test_key(void **state)
{
    uint8_t key[ALC_SEAL_KEY_SIZE];
    (void)state;
    assert_int_equal(get(NO_FAULT, key), ALC_OK);
    assert_memory_equal(key, right_key, sizeof key);
    assert_int_equal(host.requests, 3);
    assert_int_equal(get(OTHER_SERVER, key), ALC_OK);
    assert_memory_equal(key, right_key, sizeof key);
}

static void test_refusals(void **state)
{
    static const struct {
        enum fault fault;
        alc_status status;
    } rows[] = {
        {NOBODY_THERE, ALC_E_NOT_SUPPORTED},  {HANGS_UP, ALC_E_IO_FAILED},
        {TOO_LARGE, ALC_E_BAD_BROKER_ANSWER}, {NOT_CBOR, ALC_E_BAD_BROKER_ANSWER},
        {REFUSES, ALC_E_BROKER_REFUSED},      {OTHER_KEY, ALC_E_NOT_AUTHENTIC},
        {SHORT_KEY, ALC_E_NOT_AUTHENTIC},     {LIES_ABOUT_COUNTS, ALC_E_IO_FAILED},
    };
    static const uint8_t zeros[ALC_SEAL_KEY_SIZE];
    uint8_t key[ALC_SEAL_KEY_SIZE];
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        assert_int_equal(get(rows[i].fault, key), rows[i].status);
        assert_memory_equal(key, zeros, sizeof key);
    }
    assert_int_equal(get(REFUSES, key), ALC_E_BROKER_REFUSED);
    assert_string_equal(host.said, "alcove: key broker: check TCB_STATUS failed\n");
    struct alc_broker_keys keys = {.os = &os};
    assert_int_equal(alc_broker_keys_get(&keys, workload_id, NULL, key), ALC_E_NOT_SUPPORTED);
}

static alc_status read_settings(const void *bytes, size_t size)
{
    struct alc_named_key named;
    const struct alc_string settings = {bytes, size};
    return alc_named_key_read(&settings, &named);
}

static void test_settings(void **state)
{
    uint8_t bytes[400];
    struct alc_writer writer;
    struct alc_named_key named = {.resource = server_text("a/b/c"), .sha256 = {1, 2}};
    struct alc_named_key back;
    (void)state;
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_named_key_write(&writer, &named);
    const struct alc_string settings = {bytes, writer.pos};
    assert_int_equal(alc_named_key_read(&settings, &back), ALC_OK);
    assert_true(alc_text_is(&back.resource, "a/b/c"));
    assert_memory_equal(back.sha256, named.sha256, sizeof back.sha256);
    for (size_t size = 0; size < writer.pos; size++) {
        assert_int_equal(read_settings(bytes, size), ALC_E_BAD_MANIFEST);
    }
    bytes[writer.pos] = 0;
    assert_int_equal(read_settings(bytes, writer.pos + 1), ALC_E_BAD_MANIFEST);
    named.resource = server_text("kbs:///a/b/c"); /* one form for each key */
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_named_key_write(&writer, &named);
    assert_int_equal(read_settings(bytes, writer.pos), ALC_E_BAD_MANIFEST);
    assert_int_equal(read_settings("\x81\x61"
                                   "a",
                                   3),
                     ALC_E_BAD_MANIFEST);
    assert_int_equal(read_settings("\x82\x65"
                                   "a/b/c\x41x",
                                   9),
                     ALC_E_BAD_MANIFEST);
}

/* What an enclave may have carried. */
static void test_requests(void **state)
{
    static const char *const bad[] = {
        "/",         "/kbs/v0/",      "/kbs/v0//auth", "/kbs/v0/../x",      "/kbs/v0/auth?x",
        "/kbs/v1/a", "/kbs/v0/auth/", "/kbs/v0/a%2fb", "http://x/kbs/v0/a", "/kbs/v0/a b",
    };
    uint8_t bytes[600];
    struct alc_reader reader;
    struct alc_writer writer;
    struct alc_broker_request request = {.is_post = true};
    struct alc_broker_request back;
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(bad); i++) {
        request.path = server_text(bad[i]);
        alc_writer_init(&writer, bytes, sizeof bytes);
        alc_relay_write_request(&writer, &request);
        alc_reader_init(&reader, bytes + ALC_RELAY_HEAD, writer.pos - ALC_RELAY_HEAD, NULL);
        assert_int_equal(alc_relay_read_request(&reader, &back), ALC_E_BAD_ARGUMENT);
    }
    request.path = server_text("/kbs/v0/resource/a/b/c");
    request.session = server_text("a\r\nb");
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_relay_write_request(&writer, &request);
    alc_reader_init(&reader, bytes + ALC_RELAY_HEAD, writer.pos - ALC_RELAY_HEAD, NULL);
    assert_int_equal(alc_relay_read_request(&reader, &back), ALC_E_BAD_ARGUMENT);
    request.session = server_text("ab");
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_relay_write_request(&writer, &request);
    for (size_t size = 0; size < writer.pos - ALC_RELAY_HEAD; size++) {
        alc_reader_init(&reader, bytes + ALC_RELAY_HEAD, size, NULL);
        assert_int_not_equal(alc_relay_read_request(&reader, &back), ALC_OK);
    }
    alc_reader_init(&reader, bytes + ALC_RELAY_HEAD, writer.pos - ALC_RELAY_HEAD, NULL);
    assert_int_equal(alc_relay_read_request(&reader, &back), ALC_OK);
    assert_true(back.is_post && alc_text_is(&back.path, "/kbs/v0/resource/a/b/c") &&
                alc_text_is(&back.session, "ab") && back.body.size == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_requests),
    };
    struct alc_os_linux *system;
    if (alc_os_linux_new(NULL, &system) != ALC_OK) {
        return 1;
    }
    os = *alc_os_linux_get_os(system);
    operations = *os.operations;
    operations.write = write_handle;
    operations.read = read_handle;
    os.operations = &operations;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    alc_os_linux_free(system);
    return failed;
}
