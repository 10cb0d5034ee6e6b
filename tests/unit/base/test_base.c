/* SPDX-License-Identifier: Apache-2.0
 *
 * Status reports, writer, arena, checked arithmetic, UTF-8.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/checked.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "base/writer.h"

static void test_first_report_wins(void **state)
{
    (void)state;
    struct alc_error error;
    alc_error_clear(&error);
    assert_int_equal(alc_fail_with(&error, ALC_E_BAD_MAGIC, 0, "first"), ALC_E_BAD_MAGIC);
    assert_int_equal(alc_fail(&error, ALC_E_UNREACHABLE, 7), ALC_E_UNREACHABLE);
    assert_int_equal(error.status, ALC_E_BAD_MAGIC);
    assert_int_equal(error.offset, 0);
    assert_string_equal(error.detail, "first");
    assert_string_equal(alc_status_text(error.status), "magic header not detected");
}

static void test_exit_codes_follow_classes(void **state)
{
    (void)state;
    assert_int_equal(alc_status_exit_code(ALC_OK), 0);
    assert_int_equal(alc_status_exit_code(ALC_E_BAD_MAGIC), 2);
    assert_int_equal(alc_status_exit_code(ALC_E_TYPE_MISMATCH), 2);
    assert_int_equal(alc_status_exit_code(ALC_E_POLICY_REFUSED), 3);
    assert_int_equal(alc_status_exit_code(ALC_E_UNREACHABLE), 132);
    assert_int_equal(alc_status_exit_code(ALC_E_DIVIDE_BY_ZERO), 136);
    assert_int_equal(alc_status_exit_code(ALC_E_MEMORY_OUT_OF_BOUNDS), 139);
    assert_int_equal(alc_status_exit_code(ALC_E_UNCAUGHT_EXCEPTION), 134);
    assert_int_equal(alc_status_exit_code(ALC_E_DEADLINE), 142);
    assert_int_equal(alc_status_exit_code(ALC_E_OUT_OF_FUEL), 152);
}

static void test_every_status_has_text_and_class(void **state)
{
    (void)state;
    for (unsigned status = 1; status < ALC_STATUS_COUNT; status++) {
        assert_true(strlen(alc_status_text((alc_status)status)) > 0);
        assert_int_not_equal(alc_status_class((alc_status)status), ALC_CLASS_NONE);
    }
    assert_string_equal(alc_status_text(ALC_STATUS_COUNT), "unknown status");
}

static void test_writer_drops_what_does_not_fit(void **state)
{
    (void)state;
    uint8_t bytes[6];
    struct alc_writer writer;
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_write_u32(&writer, 0x04030201);
    alc_write_u16(&writer, 0x0605);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    assert_memory_equal(bytes, "\1\2\3\4\5\6", 6);
    alc_write_u8(&writer, 9);
    assert_int_equal(alc_writer_finish(&writer), ALC_E_INTERNAL);
    assert_int_equal(writer.pos, 7);
}

static unsigned commits;

static alc_status count_commit(void *context, void *addr, size_t size)
{
    (void)context;
    (void)addr;
    (void)size;
    return ++commits > 2 ? ALC_E_OUT_OF_MEMORY : ALC_OK;
}

static void test_arena(void **state)
{
    (void)state;
    static ALC_ALIGNED(4096) uint8_t range[1 << 20];
    struct alc_arena arena;
    alc_arena_init(&arena, range, 4096);
    uint8_t *byte = alc_arena_take(&arena, 1, 1);
    uint64_t *word = ALC_ARENA_NEW(&arena, uint64_t);
    assert_non_null(byte);
    assert_int_equal((uintptr_t)word % 8, 0);
    assert_int_equal(*word, 0);
    size_t mark = alc_arena_mark(&arena);
    assert_null(alc_arena_take(&arena, 4096, 1));
    assert_null(alc_arena_take_array(&arena, SIZE_MAX, 16, 8));
    assert_int_equal(alc_arena_mark(&arena), mark);
    alc_arena_reset(&arena, 0);

    alc_arena_init_reserved(&arena, range, sizeof range, count_commit, NULL);
    assert_non_null(alc_arena_take(&arena, 100, 8));
    assert_int_equal(commits, 1);
    assert_non_null(alc_arena_peek(&arena, (1 << 18) + 1));
    assert_int_equal(commits, 2);
    assert_null(alc_arena_take(&arena, 1 << 19, 8));
    assert_int_equal(commits, 3);
    alc_arena_reset(&arena, 0);
}

static void test_checked(void **state)
{
    (void)state;
    uint64_t out = 5;
    assert_false(alc_add_u64(UINT64_MAX, 1, &out));
    assert_int_equal(out, 5);
    assert_true(alc_add_u64(UINT64_MAX - 1, 1, &out));
    assert_true(out == UINT64_MAX);
    assert_true(alc_range_fits(4, 0, 4));
    assert_false(alc_range_fits(4, 1, 4));
    assert_false(alc_range_fits(1, UINT64_MAX, UINT64_MAX));
    assert_int_equal(alc_index_clamp(3, 4), 3);
    assert_int_equal(alc_index_clamp(4, 4), 0);
    assert_false(alc_align_up(UINT64_MAX, 8, &out));
    assert_true(alc_align_up(9, 8, &out) && out == 16);
}

static void test_utf8(void **state)
{
    (void)state;
    static const char *const valid[] = {"",
                                        "a",
                                        "\xc2\x80",
                                        "\xe0\xa0\x80",
                                        "\xed\x9f\xbf",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf"};
    static const char *const invalid[] = {
        "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\x80",
        "\xed\xa0\x80", "\xf0\x8f\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xc2",         "\xe1\x80",         "\xe1\x80\x41"};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(valid); i++) {
        assert_true(alc_utf8_is_valid((const uint8_t *)valid[i], strlen(valid[i])));
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(invalid); i++) {
        assert_false(alc_utf8_is_valid((const uint8_t *)invalid[i], strlen(invalid[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_report_wins),
        cmocka_unit_test(test_exit_codes_follow_classes),
        cmocka_unit_test(test_every_status_has_text_and_class),
        cmocka_unit_test(test_writer_drops_what_does_not_fit),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_checked),
        cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
