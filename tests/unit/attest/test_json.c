/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON: what is well-formed is skipped and read, everything else is refused where it stands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attest/json.h"

static alc_status skip_text(const char *text)
{
    struct alc_reader reader;
    struct alc_error error;
    alc_error_clear(&error);
    alc_reader_init(&reader, text, strlen(text), &error);
    alc_status status = alc_json_skip(&reader);
    if (status == ALC_OK) {
        status = alc_json_end(&reader);
    }
    assert_true(status == error.status && (status == ALC_OK || error.offset <= strlen(text)));
    return status;
}

static void test_skipping(void **state)
{
    (void)state;
    static const char *const good[] = {
        "1",
        "-1.5e+3",
        " \"a\\\"b\\\\\" ",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "[1,[2,[]],{}]",
        "{\"a\":{\"b\":[1,{\"c\":2}]},\"d\":3}",
        " [ 1 , 2 ] ",
        "{\"a\" : [ ] , \"b\" : { } }",
        "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]",
    };
    static const char *const bad[] = {
        "",         "tru",
        "nul",      "\"a",
        "\"a\\",    "\"\n\"",
        "\"\xff\"", "[",
        "[1",       "[1,",
        "[1,]",     "[,1]",
        "[1 2]",    "{",
        "{a:1}",    "{\"a\"}",
        "{\"a\":}", "{\"a\":1,}",
        "[1}",      "{\"a\":1]",
        "1 2",      "]",
        "-",        "{\"a\":1 \"b\":2}",
        "{1:2}",    "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", /* 17 deep */
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (skip_text(good[i]) != ALC_OK) {
            fail_msg("%s", good[i]);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (skip_text(bad[i]) != ALC_E_BAD_JSON) {
            fail_msg("%s", bad[i]);
        }
    }
}

struct values {
    uint64_t number;
    struct alc_text text;
    uint64_t sum;
};

static alc_status read_number(struct alc_reader *reader, void *context)
{
    return alc_json_read_uint(reader, 1000, &((struct values *)context)->number);
}

static alc_status read_text(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, &((struct values *)context)->text);
}

static alc_status add_item(struct alc_reader *reader, void *context)
{
    uint64_t value;
    ALC_TRY(alc_json_read_uint(reader, UINT64_MAX, &value));
    ((struct values *)context)->sum += value;
    return ALC_OK;
}

static alc_status read_list(struct alc_reader *reader, void *context)
{
    return alc_json_read_array(reader, add_item, context);
}

static alc_status read_object(const char *text, struct values *out)
{
    static const struct alc_json_member members[] = {
        {"number", read_number, true}, {"text", read_text, false}, {"list", read_list, false}};
    struct alc_reader reader;
    *out = (struct values){0};
    alc_reader_init(&reader, text, strlen(text), NULL);
    ALC_TRY(alc_json_read_object(&reader, members, 3, out));
    return alc_json_end(&reader);
}

static void test_objects(void **state)
{
    (void)state;
    struct values values;
    assert_int_equal(
        read_object("{\"x\":[1,{}],\"text\":\"hey\",\"list\":[1,2,39],\"number\":1000}", &values),
        ALC_OK);
    assert_int_equal(values.number, 1000);
    assert_int_equal(values.sum, 42);
    assert_true(alc_text_is(&values.text, "hey"));
    assert_int_equal(read_object("{\"number\":0,\"list\":[]}", &values), ALC_OK);
    static const char *const bad[] = {
        "{}", /* missing */
        "{\"text\":\"hey\"}",
        "{\"number\":1,\"number\":1}", /* twice */
        "{\"number\":1,\"list\":[1],\"list\":[1]}",
        "{\"number\":1001}",
        "{\"number\":-1}",
        "{\"number\":01}",
        "{\"number\":1.0}",
        "{\"number\":1e2}",
        "{\"number\":\"1\"}",
        "{\"number\":1,\"text\":\"a\\nb\"}", /* escapes where none are expected */
        "{\"number\":1,\"text\":5}",
        "{\"number\":1,\"list\":5}",
        "{\"number\":1,\"list\":[1,]}",
        "{\"number\":1,\"list\":[18446744073709551616]}",
        "{\"number\":1,\"n\\umber\":2}", /* a name with an escape */
        "{\"number\":1} x",
        "[]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (read_object(bad[i], &values) != ALC_E_BAD_JSON) {
            fail_msg("%s", bad[i]);
        }
    }
}

static void test_escapes(void **state)
{
    (void)state;
    static uint8_t memory[1000]; /* static: debug builds poison what is not taken */
    struct alc_arena arena;
    struct alc_reader reader;
    struct alc_text text;
    const char *good = "\"a\\n\\\"\\\\\\/\\t\\r\\b\\f\"";
    alc_arena_init(&arena, memory, sizeof memory);
    alc_reader_init(&reader, good, strlen(good), NULL);
    assert_int_equal(alc_json_read_escaped(&reader, &arena, &text), ALC_OK);
    assert_true(alc_text_is(&text, "a\n\"\\/\t\r\b\f"));
    static const char *const bad[] = {"\"\\u0041\"", "\"\\x\"", "\"abc"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        alc_reader_init(&reader, bad[i], strlen(bad[i]), NULL);
        assert_int_equal(alc_json_read_escaped(&reader, &arena, &text), ALC_E_BAD_JSON);
    }
    alc_arena_init(&arena, memory, 2);
    alc_reader_init(&reader, good, strlen(good), NULL);
    assert_int_equal(alc_json_read_escaped(&reader, &arena, &text), ALC_E_OUT_OF_MEMORY);
}

static void test_hexadecimal(void **state)
{
    (void)state;
    uint8_t out[2];
    assert_true(alc_hex_decode((const uint8_t *)"aF09", 4, out, 2));
    assert_memory_equal(out, "\xaf\x09", 2);
    assert_false(alc_hex_decode((const uint8_t *)"aF0", 3, out, 2));
    assert_false(alc_hex_decode((const uint8_t *)"aF0", 3, out, 1));
    assert_false(alc_hex_decode((const uint8_t *)"aF0g", 4, out, 2));
    assert_false(alc_hex_decode((const uint8_t *)"aF0/", 4, out, 2));
    assert_false(alc_hex_decode((const uint8_t *)"aF0\x10", 4, out, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_skipping),
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_hexadecimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
