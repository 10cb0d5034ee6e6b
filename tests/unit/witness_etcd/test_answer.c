/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of etcd 3.4, cut and changed at every byte, and addresses of members. What a lying
 * gateway does to a witness is in tests/seal/witness_etcd.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "witness_etcd/answer.h"
#include "witness_etcd/http.h"

#define HEADER                                                                                     \
    "{\"header\":{\"cluster_id\":\"14841639068965178418\",\"member_id\":\"10276657743932975437\"," \
    "\"revision\":\"2\",\"raft_term\":\"2\"}"

static const char found[] =
    HEADER ",\"kvs\":[{\"key\":\"Zm9v\",\"create_revision\":\"2\",\"mod_revision\":\"2\","
           "\"version\":\"1\",\"value\":\"AQAAAAAAAAAHBwcHBwcHBwcHBwcHBwcH\"}],\"count\":\"1\"}";

static bool read_text(enum alc_etcd_question question, const char *text,
                      struct alc_etcd_answer *out)
{
    return alc_etcd_answer_read(question, "Zm9v", text, strlen(text), out);
}

static void test_genuine(void **state)
{
    (void)state;
    struct alc_etcd_answer answer;
    assert_true(read_text(ALC_ETCD_FIND, found, &answer));
    assert_true(answer.cluster_id == 14841639068965178418u);
    assert_int_equal(answer.revision, 2);
    assert_int_equal(answer.mark.generation, 1);
    assert_int_equal(answer.mark.digest[15], 7);
    assert_true(read_text(ALC_ETCD_FIND, HEADER "}", &answer));
    assert_int_equal(answer.mark.generation, 0);
    assert_true(read_text(ALC_ETCD_COUNT, HEADER ",\"count\":\"18446744073709551615\"}", &answer));
    assert_true(answer.count == UINT64_MAX);
    assert_false(read_text(ALC_ETCD_COUNT, HEADER ",\"count\":\"18446744073709551616\"}", &answer));
    assert_true(read_text(ALC_ETCD_MOVE, HEADER ",\"succeeded\":true,\"responses\":[]}", &answer));
    assert_true(answer.is_moved);
    assert_true(read_text(ALC_ETCD_MOVE, HEADER "}", &answer));
    assert_false(answer.is_moved);
    assert_false(read_text(ALC_ETCD_MOVE, HEADER ",\"succeeded\":\"true\"}", &answer));
    assert_false(read_text(ALC_ETCD_MOVE, HEADER ",\"succeeded\":1}", &answer));
}

static void test_cut(void **state)
{
    (void)state;
    struct alc_etcd_answer answer;
    for (size_t size = 0; size < sizeof found - 1; size++) {
        assert_false(alc_etcd_answer_read(ALC_ETCD_FIND, "Zm9v", found, size, &answer));
    }
}

/* A changed byte is noticed, or the answer says something else in a well-formed way: never more
 * than one key, and never the key with nothing behind it. */
static void test_changed(void **state)
{
    (void)state;
    char text[sizeof found];
    struct alc_etcd_answer answer;
    for (size_t at = 0; at < sizeof found - 1; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(text, found, sizeof found);
            text[at] = (char)((unsigned char)text[at] ^ (1u << bit));
            if (alc_etcd_answer_read(ALC_ETCD_FIND, "Zm9v", text, sizeof found - 1, &answer)) {
                assert_int_equal(answer.count, 1);
                assert_true(answer.mark.generation != 0);
            }
        }
    }
}

static void test_urls(void **state)
{
    (void)state;
    static const char *const good[] = {
        "https://etcd.example:2379", "https://192.0.2.1", "https://[2001:db8::1]:2379",
        "http://localhost:2379",     "http://127.0.0.1",  "http://127.255.0.3:1",
        "http://[::1]:2379",
    };
    static const char *const bad[] = {
        "",
        "etcd.example:2379",
        "http://etcd.example:2379",
        "http://127.0.0.1.example",
        "http://127.0.0.1@etcd.example",
        "http://128.0.0.1",
        "https://me@etcd.example",
        "https://me:secret@etcd.example",
        "https://etcd.example/v3",
        "https://etcd.example?v3",
        "https://etcd.example#v3",
        "https://etcd.example:70000",
        "https://",
        "file:///etc/passwd",
        "HTTP://etcd.example",
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(good); i++) {
        assert_true(alc_etcd_url_is_good(good[i]));
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(bad); i++) {
        assert_false(alc_etcd_url_is_good(bad[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_genuine),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
