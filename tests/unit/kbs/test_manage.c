/* SPDX-License-Identifier: Apache-2.0
 *
 * What the administrator does to a broker, and what evidence then must be: both policies, in
 * files, over the protocol and after a start; resources; collateral; what stands in tokens.
 */
#include "unit/kbs/world.h"

#include "kbs/kbs_internal.h"

static void test_administration(void **state)
{
    static const char path[] = "/kbs/v0/resource/repo/key/1";
    EVP_PKEY *other = EVP_EC_gen("P-256");
    (void)state;
    put(path, "the secret");
    assert_true(audit_has("put repo/key/1  yes"));
    assert_int_equal(administer(ALC_KBS_POST, path, NULL, "x"), 401);
    assert_int_equal(administer(ALC_KBS_POST, path, admin_token(other, ES256, FOR_LONG), "x"), 401);
    assert_true(audit_has("put repo/key/1  no the token's signature"));
    assert_int_equal(
        administer(ALC_KBS_POST, path, admin_token(admin_key, ES256, "{\"exp\":5}"), "x"), 401);
    assert_int_equal(
        administer(ALC_KBS_POST, path, admin_token(admin_key, ES256, "{\"role\":\"admin\"}"), "x"),
        401);
    assert_int_equal(
        administer(ALC_KBS_POST, path,
                   admin_token(admin_key, ES256, "{\"exp\":4000000000,\"nbf\":3999999999}"), "x"),
        401);
    struct run run = get(ALC_BROKER_SGX, "repo/key/1");
    assert_true(alc_text_is(&run.secret, "the secret"));
    free(run.response.body);
    /* A client's token is no administrator's. */
    char *token = attest(&run);
    assert_int_equal(administer(ALC_KBS_DELETE, path, token, ""), 401);
    free(token);
    free(run.response.body);
    assert_int_equal(administer(ALC_KBS_DELETE, path, NULL, ""), 401);
    assert_int_equal(administer(ALC_KBS_DELETE, path, admin_token(admin_key, ES256, FOR_LONG), ""),
                     200);
    assert_int_equal(administer(ALC_KBS_DELETE, path, admin_token(admin_key, ES256, FOR_LONG), ""),
                     404);
    run = get(ALC_BROKER_SGX, "repo/key/1");
    assert_int_equal(run.status, ALC_E_NOT_FOUND);
    free(run.response.body);
    EVP_PKEY_free(other);
}

static void test_policy_documents(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"rules\":{}}",
        "{\"rules\":[],\"more\":1}",
        "{\"rules\":[1]}",
        "{\"rules\":[{}]}",
        "{\"rules\":[],\"rules\":[]}",
        "{\"rules\":[{\"resource\":\"a/b\",\"tee\":[\"sgx\"],\"anybody\":true}]}",
        "{\"rules\":[{\"resource\":\"a/b/c*\",\"tee\":[\"sgx\"],\"anybody\":true}]}",
        "{\"rules\":[{\"resource\":\"kbs:///a/b/c\",\"tee\":[\"sgx\"],\"anybody\":true}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[],\"anybody\":true}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"tpm\"],\"anybody\":true}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\"]}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\"],\"claims\":{}}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\"],\"anybody\":false}]}",
        ("{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"tdx\"],"
         "\"anybody\":true,\"claims\":{\"a\":1}}]}"),
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\"],\"claims\":{\"a\":[]}}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\"],\"claims\":{\"a\":{\"max\":1}}}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\"],\"claims\":{\"a\":null}}]}",
        "{\"rules\":[{\"resource\":\"a/b/"
        "c\",\"tee\":[\"sgx\"],\"claims\":{\"workload_id\":\"00\"}}]}",
        "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\"],\"anybody\":true,\"x\":1}]}",
    };
    struct alc_error error;
    char body[8000];
    char encoded[6000];
    struct alc_writer writer;
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(bad); i++) {
        alc_error_clear(&error);
        assert_int_not_equal(alc_kbs_set_policy(kbs, bad[i], strlen(bad[i]), &error), ALC_OK);
        assert_int_not_equal(error.status, ALC_OK);
        assert_true(error.detail[0] != '\0');
    }
    /* Over the protocol, and it holds after a start too. */
    static const char nothing[] = "{\"rules\":[]}";
    put("/kbs/v0/resource/repo/key/1", "the secret");
    alc_writer_init(&writer, encoded, sizeof encoded);
    alc_base64_write(&writer, ALC_BASE64_URL, nothing, sizeof nothing - 1);
    snprintf(body, sizeof body, "{\"policy\":\"%.*s\"}", (int)writer.pos, encoded);
    assert_int_equal(administer(ALC_KBS_POST, "/kbs/v0/resource-policy", NULL, body), 401);
    put("/kbs/v0/resource-policy", body);
    alc_kbs_close(kbs);
    open_kbs(false);
    struct run run = get(ALC_BROKER_SGX, "repo/key/1");
    assert_int_equal(run.response.http_status, 403);
    free(run.response.body);
    assert_int_equal(administer(ALC_KBS_POST, "/kbs/v0/resource-policy",
                                admin_token(admin_key, ES256, FOR_LONG), "{\"policy\":\"e30\"}"),
                     400);
}

/* -- what evidence must be -- */

static void set_appraisal(const char *document)
{
    struct alc_error error;
    alc_error_clear(&error);
    assert_int_equal(alc_kbs_set_appraisal(kbs, document, strlen(document), &error), ALC_OK);
}

static char *encode_policy(const char *document)
{
    static char body[8000];
    char encoded[6000];
    struct alc_writer writer;
    alc_writer_init(&writer, encoded, sizeof encoded);
    alc_base64_write(&writer, ALC_BASE64_URL, document, strlen(document));
    snprintf(body, sizeof body, "{\"policy\":\"%.*s\"}", (int)writer.pos, encoded);
    return body;
}

/* Rules say who gets what of those whom the policy believes; both refuse with a name. */
static void test_appraisal_policy(void **state)
{
    (void)state;
    put("/kbs/v0/resource/repo/key/1", "the secret");
    set_appraisal("{\"sgx\":{\"mrenclave\":[\"" ENCLAVE "\"],\"svn_min\":3}}");
    struct run run = get(ALC_BROKER_SGX, "repo/key/1");
    assert_int_equal(run.status, ALC_OK);
    free(run.response.body);
    run = get(ALC_BROKER_SGX, "repo/other/1");
    assert_true(has_reason(&run, "rule 2 of the policy is not met: isv_svn"));
    free(run.response.body);
    set_appraisal("{\"sgx\":{\"mrenclave\":[\"" WORKLOAD "\"]}}");
    expect_refusal(NO_FAULT, "check MRENCLAVE failed");
    set_appraisal("{\"sgx\":{\"svn_min\":4}}");
    expect_refusal(NO_FAULT, "check PRODUCT failed");
    set_appraisal("{\"kinds\":[\"tdx\",\"snp\"]}");
    expect_refusal(NO_FAULT, "check KIND failed");
    set_appraisal("{\"accept_debug\":true}");
    fault = DEBUG_ENCLAVE;
    run = get(ALC_BROKER_SGX, "repo/key/1");
    assert_true(has_reason(&run, "rule 1 of the policy is not met: debug"));
    free(run.response.body);
    /* It outlasts the process, and a broker that cannot read it does not start with another one. */
    set_appraisal("{\"kinds\":[\"tdx\"]}");
    alc_kbs_close(kbs);
    open_kbs(true);
    expect_refusal(NO_FAULT, "check KIND failed");
}

static void test_appraisal_documents(void **state)
{
    static const struct {
        const char *document;
        const char *words;
    } bad[] = {
        {"", ""},
        {"[]", ""},
        {"{\"kinds\":[\"sample\"]}", ""},
        {"{\"kinds\":[\"sgx\"],\"kinds\":[\"sgx\"]}", ""},
        {"{\"sgx\":{\"mrenclave\":[\"00\"]}}", ""},
        {"{\"no\":1}", ""},
        {"{\"claims\":{\"workload\":[\"" WORKLOAD "\"]}}", "claims: "},
        {"{\"claims\":{\"verified\":true}}", "claims: "},
        {"{\"claims\":{\"rollback\":\"session\"}}", "claims: "},
        {"{\"report_data\":\"" WORKLOAD WORKLOAD "\"}", "report_data: "},
    };
    struct alc_error error;
    (void)state;
    put("/kbs/v0/resource/repo/key/1", "the secret");
    for (size_t i = 0; i < ALC_ARRAY_COUNT(bad); i++) {
        alc_error_clear(&error);
        assert_int_not_equal(
            alc_kbs_set_appraisal(kbs, bad[i].document, strlen(bad[i].document), &error), ALC_OK);
        assert_non_null(strstr(error.detail, bad[i].words));
    }
    struct run run = get(ALC_BROKER_SGX, "repo/key/1"); /* the one before holds */
    assert_int_equal(run.status, ALC_OK);
    free(run.response.body);
    /* Emulated evidence needs the consent of who starts the broker. */
    set_appraisal("{\"accept_emulated\":true}");
    alc_kbs_close(kbs);
    assert_int_equal(try_to_open_kbs(false, &error), ALC_E_BAD_POLICY);
    assert_non_null(strstr(error.detail, "accept_emulated: "));
    open_kbs(true);
}

static void expect_answer_to_admin(enum alc_kbs_method method, const char *path, const char *body,
                                   unsigned http_status, const char *answer)
{
    struct alc_kbs_response response;
    ask_broker(&(struct alc_kbs_request){.method = method,
                                         .path = path,
                                         .bearer = admin_token(admin_key, ES256, FOR_LONG),
                                         .body = body,
                                         .body_size = strlen(body)},
               &response);
    assert_int_equal(response.http_status, http_status);
    if (answer[0] == '~') {
        assert_non_null(strstr(response.body, answer + 1));
    } else {
        assert_string_equal(response.body, answer);
    }
    free(response.body);
}

static void test_policies_by_request(void **state)
{
    static const char path[] = "/kbs/v0/attestation-policy";
    (void)state;
    assert_int_equal(administer(ALC_KBS_GET, path, NULL, ""), 401);
    assert_true(audit_has("read appraisal policy"));
    expect_answer_to_admin(ALC_KBS_GET, path, "", 200, "{}");
    assert_int_equal(administer(ALC_KBS_POST, path, NULL, encode_policy("{}")), 401);
    put(path, encode_policy("{\"kinds\": [\"tdx\"], \"accept_debug\": false}"));
    assert_true(audit_has("appraisal policy   yes"));
    expect_answer_to_admin(ALC_KBS_GET, path, "", 200, "{\"kinds\":[\"tdx\"]}");
    expect_answer_to_admin(ALC_KBS_POST, path, encode_policy("{\"kinds\":[\"tpm\"]}"), 400,
                           "~at byte ");
    expect_answer_to_admin(ALC_KBS_GET, path, "", 200, "{\"kinds\":[\"tdx\"]}");
    expect_refusal(NO_FAULT, "check KIND failed");
    put("/kbs/v0/resource-policy", encode_policy("{\"rules\": []}"));
    expect_answer_to_admin(ALC_KBS_GET, "/kbs/v0/resource-policy", "", 200, "{\"rules\":[]}");
}

static void test_list(void **state)
{
    enum { MANY = 1001 };
    char path[100];
    (void)state;
    expect_answer_to_admin(ALC_KBS_GET, "/kbs/v0/resource-list", "", 200, "{\"resources\":[]}");
    put("/kbs/v0/resource/b/key/1", "the secret");
    put("/kbs/v0/resource/a/key/1", "");
    expect_answer_to_admin(ALC_KBS_GET, "/kbs/v0/resource-list", "", 200,
                           "{\"resources\":[{\"path\":\"a/key/1\",\"size\":0},"
                           "{\"path\":\"b/key/1\",\"size\":10}]}");
    expect_answer_to_admin(ALC_KBS_GET, "/kbs/v0/resource-list/a/key/1", "", 200,
                           "{\"resources\":[{\"path\":\"b/key/1\",\"size\":10}]}");
    expect_answer_to_admin(ALC_KBS_GET, "/kbs/v0/resource-listing", "", 404, "~nothing");
    expect_answer_to_admin(ALC_KBS_GET, "/kbs/v0/resource-list/", "", 404, "~repository/type/tag");
    expect_answer_to_admin(ALC_KBS_GET, "/kbs/v0/resource-list/a/b", "", 404,
                           "~repository/type/tag");
    assert_int_equal(administer(ALC_KBS_GET, "/kbs/v0/resource-list", NULL, ""), 401);
    assert_true(audit_has("list   no administration needs a token"));
    char *token = strdup(admin_token(admin_key, ES256, FOR_LONG));
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "/kbs/v0/resource/c/key/%04d", i);
        assert_int_equal(administer(ALC_KBS_POST, path, token, "x"), 200);
    }
    free(token);
    expect_answer_to_admin(ALC_KBS_GET, "/kbs/v0/resource-list/c/key/0000", "", 200, "~c/key/1000");
    expect_answer_to_admin(ALC_KBS_GET, "/kbs/v0/resource-list/b/key/1", "", 200,
                           "~c/key/0999\",\"size\":1}]}");
}

/* New collateral while a client waits with its evidence. */
static void test_collateral(void **state)
{
    (void)state;
    put("/kbs/v0/resource/repo/key/1", "the secret");
    struct alc_kbs_collateral none = {.memory = malloc(10)};
    assert_int_equal(alc_kbs_set_collateral(kbs, &none), ALC_OK);
    expect_refusal(NO_FAULT, "check ROOT_LIST failed");
    struct alc_kbs_collateral good = {.items = &collateral, .count = 1};
    assert_int_equal(alc_kbs_set_collateral(kbs, &good), ALC_OK);
    struct run run = get(ALC_BROKER_SGX, "repo/key/1");
    assert_int_equal(run.status, ALC_OK);
    free(run.response.body);
}

/* What a judgement began with holds until its end, whatever is replaced meanwhile. */
static void test_grounds(void **state)
{
    struct alc_kbs_grounds before;
    struct alc_kbs_grounds after;
    (void)state;
    struct alc_collateral *items = malloc(sizeof *items);
    *items = collateral;
    const struct alc_kbs_collateral own = {.items = items, .count = 1, .memory = items};
    assert_int_equal(alc_kbs_set_collateral(kbs, &own), ALC_OK);
    set_appraisal("{\"sgx\":{\"mrenclave\":[\"" ENCLAVE "\"]}}");
    alc_kbs_basis_take(kbs->basis, &before);
    set_appraisal("{\"kinds\":[\"tdx\"]}");
    assert_int_equal(alc_kbs_set_collateral(kbs, &(struct alc_kbs_collateral){0}), ALC_OK);
    alc_kbs_basis_take(kbs->basis, &after);
    assert_int_equal(before.policy->mrenclaves.bytes[0], 7);
    assert_ptr_equal(before.collateral[0].pcs, collateral.pcs);
    assert_int_equal(after.policy->kinds, ALC_EVIDENCE_TDX);
    assert_int_equal(after.collateral_count, 0);
    assert_string_not_equal(before.policy_id, after.policy_id);
    alc_kbs_basis_release(kbs->basis, &before);
    alc_kbs_basis_release(kbs->basis, &after);
}

/* What others read in it, and what it leaves out. */
static void test_token_claims(void **state)
{
    struct run run;
    uint8_t text[20000];
    size_t size;
    (void)state;
    set_appraisal("{\"sgx\":{\"mrenclave\":[\"" ENCLAVE "\"]}}");
    char *token = attest(&run);
    char *claims = strchr(token, '.') + 1;
    *strchr(claims, '.') = '\0';
    assert_true(alc_base64_read(ALC_BASE64_URL, (uint8_t *)claims, strlen(claims), text,
                                sizeof text - 1, &size));
    text[size] = '\0';
    static const char *const words[] = {
        "\"ear.status\":\"affirming\"",
        "\"ear.appraisal-policy-id\":\"sha256:",
        "\"build\":\"alcove kbs\"",
        "\"sgx\":{\"body\":{\"mr_enclave\":\"" ENCLAVE,
        "\"tcb_status\":\"UpToDate\"",
        "\"runtime_data_claims\":{\"additional-evidence\":\"{\\\"alcove\\\":{\\\"workload_id\\\":",
        "\"tee-pubkey\":{\"alg\":",
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(words); i++) {
        if (strstr((const char *)text, words[i]) == NULL) {
            fail_msg("no %s in %s", words[i], (const char *)text);
        }
    }
    assert_true(audit_has("attest  sgx " ENCLAVE " workload " WORKLOAD " yes sha256:"));
    free(token);
    free(run.response.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_administration, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policy_documents, setup, teardown),
        cmocka_unit_test_setup_teardown(test_appraisal_policy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_appraisal_documents, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policies_by_request, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_collateral, setup, teardown),
        cmocka_unit_test_setup_teardown(test_grounds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_token_claims, setup, teardown),
    };
    world_make();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    world_free();
    return failed;
}
