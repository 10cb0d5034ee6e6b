/* SPDX-License-Identifier: Apache-2.0
 *
 * The client against answers that a server, or whoever carries them, can think of: the whole way to
 * a secret and to a second one, the binding of evidence, refusals with their reasons, and
 * everything malformed.
 */
#include "unit/broker/server.h"

static uint8_t memory[4 << 20];
static char body[3 << 20];
static uint8_t shown_report_data[64];
static alc_status attester_status;

static alc_status show(void *context, const uint8_t report_data[64], struct alc_writer *out)
{
    (void)context;
    memcpy(shown_report_data, report_data, 64);
    alc_write_bytes(out, "evidence", 8);
    return attester_status;
}

static const struct alc_attester attester = {.evidence = show};

struct run {
    struct alc_broker_client client;
    struct alc_arena arena;
    struct alc_broker_request request;
    struct alc_text secret;
    struct alc_error error;
};

static struct run start(enum alc_broker_tee tee, const char *resource)
{
    static struct alc_broker_client_options options[ALC_BROKER_TEES];
    struct run run;
    struct alc_text text = server_text(resource);
    attester_status = ALC_OK;
    options[tee] = (struct alc_broker_client_options){
        .tee = tee, .attester = &attester, .random = &oracle_random};
    alc_broker_client_init(&run.client, &options[tee]);
    assert_int_equal(alc_broker_client_ask(&run.client, &text), ALC_OK);
    return run;
}

static void request(struct run *run, bool is_post, const char *path, const char *session)
{
    alc_arena_init(&run->arena, memory, sizeof memory);
    assert_false(alc_broker_client_is_done(&run->client));
    assert_int_equal(alc_broker_client_request(&run->client, &run->arena, &run->request), ALC_OK);
    assert_int_equal(run->request.is_post, is_post);
    assert_true(alc_text_is(&run->request.path, path));
    assert_true(alc_text_is(&run->request.session, session));
    assert_int_equal(run->request.body.size != 0, is_post);
}

static alc_status answer(struct run *run, unsigned http_status, const char *session,
                         const char *text)
{
    const struct alc_broker_answer answer = {
        .http_status = http_status, .session = server_text(session), .body = server_text(text)};
    alc_error_clear(&run->error);
    alc_status status =
        alc_broker_client_answer(&run->client, &run->arena, &answer, &run->secret, &run->error);
    assert_int_equal(run->error.status, status);
    return status;
}

#define CHALLENGE "{\"nonce\":\"AAEC\",\"extra-params\":\"\"}"

static void authenticate_with(struct run *run, const char *challenge)
{
    request(run, true, "/kbs/v0/auth", "");
    assert_int_equal(answer(run, 200, "c00c1e", challenge), ALC_OK);
}

static void authenticate(struct run *run)
{
    authenticate_with(run, CHALLENGE);
}

static void attest(struct run *run)
{
    authenticate(run);
    request(run, true, "/kbs/v0/attest", "c00c1e");
    assert_int_equal(answer(run, 200, "", "{\"token\":\"a.b.c\"}"), ALC_OK);
}

static void get(struct run *run, const char *path, const char *secret)
{
    request(run, false, path, "c00c1e");
    server_seal(&run->client.public_key, secret, strlen(secret), &(struct server_message){0}, body,
                sizeof body);
    assert_int_equal(answer(run, 200, "", body), ALC_OK);
    assert_true(alc_broker_client_is_done(&run->client));
    assert_true(alc_text_is(&run->secret, secret));
}

static void test_whole_way(void **state)
{
    struct run run = start(ALC_BROKER_SGX, "kbs:///repo/key/1");
    struct alc_text second = server_text("repo/key/2");
    (void)state;
    attest(&run);
    get(&run, "/kbs/v0/resource/repo/key/1", "one");
    assert_int_equal(alc_broker_client_ask(&run.client, &second), ALC_OK);
    get(&run, "/kbs/v0/resource/repo/key/2", "two");
    alc_broker_client_fini(&run.client);
    static const struct alc_ec_private_key none;
    assert_memory_equal(&run.client.private_key, &none, sizeof none);
}

static void test_messages(void **state)
{
    struct run run = start(ALC_BROKER_TDX, "a/b/c");
    char key_text[256];
    char expected[600];
    uint8_t digest[64] = {0};
    struct alc_writer writer;
    (void)state;
    request(&run, true, "/kbs/v0/auth", "");
    assert_true(alc_text_is(&run.request.body,
                            "{\"extra-params\":{\"supported-hash-algorithms\":[\"sha384\"]},"
                            "\"tee\":\"tdx\",\"version\":\"0.4.0\"}"));
    assert_int_equal(answer(&run, 200, "c00c1e", CHALLENGE), ALC_OK);
    request(&run, true, "/kbs/v0/attest", "c00c1e");
    alc_writer_init(&writer, key_text, sizeof key_text - 1);
    alc_jwk_write(&writer, &run.client.public_key);
    key_text[writer.pos] = '\0';
    snprintf(expected, sizeof expected,
             "{\"runtime-data\":{\"nonce\":\"AAEC\",\"tee-pubkey\":%s},\"tee-evidence\":{"
             "\"additional_evidence\":\"{}\",\"primary_evidence\":{\"quote\":\"ZXZpZGVuY2U=\"}}}",
             key_text);
    assert_true(alc_text_is(&run.request.body, expected));
    snprintf(expected, sizeof expected,
             "{\"additional-evidence\":\"{}\",\"nonce\":\"AAEC\",\"tee-pubkey\":%s}", key_text);
    assert_int_equal(EVP_Digest(expected, strlen(expected), digest, NULL, EVP_sha384(), NULL), 1);
    assert_memory_equal(shown_report_data, digest, 64);
}

static struct run start_workload(const char *challenge)
{
    static const uint8_t workload_id[ALC_SHA256_SIZE] = {0xab, [31] = 0x0c};
    static const struct alc_broker_client_options options = {.tee = ALC_BROKER_SGX,
                                                             .attester = &attester,
                                                             .random = &oracle_random,
                                                             .workload_id = workload_id};
    struct run run = start(ALC_BROKER_SGX, "a/b/c");
    struct alc_text resource = server_text("a/b/c");
    alc_broker_client_init(&run.client, &options);
    assert_int_equal(alc_broker_client_ask(&run.client, &resource), ALC_OK);
    authenticate_with(&run, challenge);
    request(&run, true, "/kbs/v0/attest", "c00c1e");
    snprintf(body, sizeof body, "%.*s", (int)run.request.body.size, run.request.body.bytes);
    return run;
}

/* What is said about a workload stands in a string, and is bound as it is meant. */
static void test_workload(void **state)
{
    static const char said[] =
        "\"additional_evidence\":\"{\\\"alcove\\\":{\\\"workload_id\\\":\\\"ab0000";
    char key_text[256];
    char expected[600];
    uint8_t digest[64] = {0};
    struct alc_writer writer;
    (void)state;
    struct run run =
        start_workload("{\"nonce\":\"AAEC\",\"extra-params\":{\"alcove-workload-id\":true}}");
    assert_non_null(strstr(body, said));
    alc_writer_init(&writer, key_text, sizeof key_text - 1);
    alc_jwk_write(&writer, &run.client.public_key);
    key_text[writer.pos] = '\0';
    snprintf(expected, sizeof expected,
             "{\"additional-evidence\":\"{\\\"alcove\\\":{\\\"workload_id\\\":\\\"ab%060d0c"
             "\\\"}}\",\"nonce\":\"AAEC\",\"tee-pubkey\":%s}",
             0, key_text);
    assert_int_equal(EVP_Digest(expected, strlen(expected), digest, NULL, EVP_sha384(), NULL), 1);
    assert_memory_equal(shown_report_data, digest, 64);
}

/* Other servers take nothing but kinds of evidence for additional evidence, and refuse the whole
 * attestation otherwise. */
static void test_workload_for_others(void **state)
{
    static const char *const challenges[] = {
        CHALLENGE,
        "{\"nonce\":\"AAEC\"}",
        "{\"nonce\":\"AAEC\",\"extra-params\": null }",
        "{\"nonce\":\"AAEC\",\"extra-params\":[{\"alcove-workload-id\":true}]}",
        "{\"nonce\":\"AAEC\",\"extra-params\":{\"selected-hash-algorithm\":\"sha384\"}}",
        "{\"nonce\":\"AAEC\",\"extra-params\":{\"alcove-workload-id\":false}}",
        "{\"nonce\":\"AAEC\",\"alcove-workload-id\":true}",
    };
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(challenges); i++) {
        start_workload(challenges[i]);
        assert_non_null(strstr(body, "\"additional_evidence\":\"{}\""));
    }
}

static void test_sample(void **state)
{
    struct run run = start(ALC_BROKER_SAMPLE, "a/b/c");
    static const char tail[] = "\",\"svn\":\"1\"}}}";
    (void)state;
    authenticate(&run);
    request(&run, true, "/kbs/v0/attest", "c00c1e");
    const struct alc_text *text = &run.request.body;
    assert_memory_equal(text->bytes + text->size - strlen(tail), tail, strlen(tail));
}

/* Computed by another program. */
static void test_binding(void **state)
{
    static const char *const digests[] = {
        "e134703a412ac55d129256cfb57bcfe799dd5f54489fdb6f3126a66938dfa0f86dce07eae5f7bb7cbb19245d44"
        "0a800a",
        "e8d9ed09e58728d2d7232a206f048ca50e5c0c5c022c52dcd713eeb87db96917748275dec2778a96e61ca860cb"
        "f7c4bc"};
    struct alc_text nonce = server_text("AAEC");
    struct alc_text key =
        server_text("{\"alg\":\"ECDH-ES+A256KW\",\"crv\":\"P-256\",\"kty\":\"EC\","
                    "\"x\":\"X\",\"y\":\"Y\"}");
    uint8_t expected[64] = {0};
    uint8_t report_data[64];
    (void)state;
    struct alc_broker_binding binding = {nonce, key, server_text("{}")};
    from_hex(digests[0], expected);
    alc_broker_report_data(&binding, report_data);
    assert_memory_equal(report_data, expected, 64);
    binding.key = server_text("{}");
    binding.additional = server_text("{\"a\\\\b\":1}");
    from_hex(digests[1], expected);
    alc_broker_report_data(&binding, report_data);
    assert_memory_equal(report_data, expected, 64);
}

static bool reason_is(const struct run *run, const char *text)
{
    const struct alc_text reason = {run->client.reason, run->client.reason_size};
    return alc_text_is(&reason, text);
}

static void test_refusals(void **state)
{
    struct run run = start(ALC_BROKER_SGX, "a/b/c");
    (void)state;
    request(&run, true, "/kbs/v0/auth", "");
    assert_int_equal(answer(&run, 401, "",
                            "{\"type\":\"t\",\"detail\":\"Version \\\"Mismatch\\\"\\n\xc3\xa9\"}"),
                     ALC_E_BROKER_REFUSED);
    assert_true(reason_is(&run, "Version \"Mismatch\"???"));
    /* From any step back to the first. */
    attest(&run);
    request(&run, false, "/kbs/v0/resource/a/b/c", "c00c1e");
    assert_int_equal(answer(&run, 403, "", "{\"detail\":\"denied\"}"), ALC_E_BROKER_REFUSED);
    assert_true(reason_is(&run, "denied"));
    attest(&run);
    request(&run, false, "/kbs/v0/resource/a/b/c", "c00c1e");
    assert_int_equal(answer(&run, 500, "", "<html>"), ALC_E_BROKER_REFUSED);
    assert_true(reason_is(&run, ""));
    /* What is not there is asked for in vain, not without proof. */
    struct alc_text other = server_text("a/b/d");
    attest(&run);
    request(&run, false, "/kbs/v0/resource/a/b/c", "c00c1e");
    assert_int_equal(answer(&run, 404, "", "{\"detail\":[1,\"x\"]}"), ALC_E_NOT_FOUND);
    assert_int_equal(alc_broker_client_ask(&run.client, &other), ALC_OK);
    get(&run, "/kbs/v0/resource/a/b/d", "d");
}

static void test_no_evidence(void **state)
{
    struct run run = start(ALC_BROKER_SGX, "a/b/c");
    (void)state;
    authenticate(&run);
    attester_status = ALC_E_IO_FAILED;
    alc_arena_init(&run.arena, memory, sizeof memory);
    assert_int_equal(alc_broker_client_request(&run.client, &run.arena, &run.request),
                     ALC_E_IO_FAILED);
}

static void test_bad_challenges(void **state)
{
    static const char *const challenges[] = {
        "",
        "{}",
        "[]",
        "{\"nonce\":1}",
        "{\"nonce\":\"\"}",
        "{\"nonce\":\"a\\u0062\"}",
        "{\"nonce\":\"A\",\"nonce\":\"A\"}",
        "{\"nonce\":\"A\"} x",
        "{\"nonce\":\"A\",\"extra-params\":{\"alcove-workload-id\":1}}",
        ("{\"nonce\":\"A\",\"extra-params\":{\"alcove-workload-id\":true,"
         "\"alcove-workload-id\":true}}"),
    };
    static const char *const sessions[] = {"", "a b", "a\r\nX: y", "a;b", "a\x7f", "\"a\""};
    struct run run = start(ALC_BROKER_SGX, "a/b/c");
    char longer[300];
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(challenges); i++) {
        request(&run, true, "/kbs/v0/auth", "");
        assert_int_not_equal(answer(&run, 200, "c00c1e", challenges[i]), ALC_OK);
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(sessions); i++) {
        request(&run, true, "/kbs/v0/auth", "");
        assert_int_equal(answer(&run, 200, sessions[i], CHALLENGE), ALC_E_BAD_BROKER_ANSWER);
    }
    /* At the limits and one past them. */
    for (size_t more = 0; more < 2; more++) {
        memset(longer, 'a', sizeof longer);
        longer[ALC_BROKER_SESSION_MAX + more] = '\0';
        request(&run, true, "/kbs/v0/auth", "");
        assert_int_equal(answer(&run, 200, longer, CHALLENGE),
                         more == 0 ? ALC_OK : ALC_E_BAD_BROKER_ANSWER);
        run = start(ALC_BROKER_SGX, "a/b/c");
        request(&run, true, "/kbs/v0/auth", "");
        snprintf(
            body, sizeof body, "{\"nonce\":\"%.*s\"}", (int)(ALC_BROKER_NONCE_MAX + more),
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_int_equal(answer(&run, 200, "c00c1e", body),
                         more == 0 ? ALC_OK : ALC_E_BAD_BROKER_ANSWER);
        run = start(ALC_BROKER_SGX, "a/b/c");
    }
}

static void test_large_answer(void **state)
{
    struct run run = start(ALC_BROKER_SGX, "a/b/c");
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        request(&run, true, "/kbs/v0/auth", "");
        memset(body, ' ', ALC_BROKER_BODY_MAX + more);
        memcpy(body, CHALLENGE, sizeof CHALLENGE - 1);
        body[ALC_BROKER_BODY_MAX + more] = '\0';
        assert_int_equal(answer(&run, 200, "c00c1e", body),
                         more == 0 ? ALC_OK : ALC_E_BAD_BROKER_ANSWER);
        run = start(ALC_BROKER_SGX, "a/b/c");
    }
}

static void test_resource_names(void **state)
{
    static const char *const bad[] = {
        "",
        "a",
        "a/b",
        "a/b/c/d",
        "a//c",
        "/a/b",
        "a/b/",
        "a/../c",
        "a/.b/c",
        "a/b/c?x=1",
        "a/b/c d",
        "a/b/%20",
        "kbs://h/a/b/c",
        "a/b/c\n",
        "kbs:///",
        "kbs:///a/b",
        "http:///a/b/c",
        "a/b/\xc3\xa9",
    };
    char longest[300];
    struct alc_text text, out;
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(bad); i++) {
        text = server_text(bad[i]);
        assert_int_equal(alc_broker_resource_read(&text, &out), ALC_E_BAD_ARGUMENT);
    }
    text = server_text("kbs:///Repo-1/a_b/c.d");
    assert_int_equal(alc_broker_resource_read(&text, &out), ALC_OK);
    assert_true(alc_text_is(&out, "Repo-1/a_b/c.d"));
    for (size_t more = 0; more < 2; more++) {
        memset(longest, 'a', sizeof longest);
        longest[1] = longest[3] = '/';
        text = (struct alc_text){(uint8_t *)longest, ALC_BROKER_RESOURCE_MAX + more};
        assert_int_equal(alc_broker_resource_read(&text, &out),
                         more == 0 ? ALC_OK : ALC_E_BAD_ARGUMENT);
    }
}

static void test_tee_names(void **state)
{
    (void)state;
    for (enum alc_broker_tee tee = 0; tee < ALC_BROKER_TEES; tee++) {
        struct alc_text name = server_text(alc_broker_tee_name(tee));
        assert_int_equal(alc_broker_tee_find(&name), tee);
    }
    struct alc_text none = server_text("SGX");
    assert_int_equal(alc_broker_tee_find(&none), ALC_BROKER_TEES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_way),      cmocka_unit_test(test_messages),
        cmocka_unit_test(test_workload),       cmocka_unit_test(test_workload_for_others),
        cmocka_unit_test(test_sample),         cmocka_unit_test(test_binding),
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_no_evidence),
        cmocka_unit_test(test_bad_challenges), cmocka_unit_test(test_large_answer),
        cmocka_unit_test(test_resource_names), cmocka_unit_test(test_tee_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
