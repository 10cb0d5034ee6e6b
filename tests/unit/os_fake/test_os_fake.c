/* SPDX-License-Identifier: Apache-2.0
 *
 * The fault-injecting system does what tests ask of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os_fake/os_fake.h"

static void test_nth_call_fails(void **state)
{
    struct alc_os_fake fake;
    (void)state;
    alc_os_fake_init(&fake, NULL);
    fake.fail_at = 3;
    fake.fail_count = 2;
    fake.fail_errno = ALC_OS_NO_SPACE;
    for (int i = 1; i <= 6; i++) {
        int64_t result = fake.os.operations->sync(fake.os.context, 1, 0);
        assert_int_equal(result, i == 3 || i == 4 ? -ALC_OS_NO_SPACE : 0);
    }
    assert_int_equal(fake.calls_count, 6);
    assert_int_equal(fake.counts[ALC_OS_FAKE_SYNC], 6);
    fake.fail_at = 7;
    assert_null(fake.os.operations->pages_reserve(fake.os.context, 4096));
}

static void test_transfers_are_short(void **state)
{
    struct alc_os_fake outer;
    struct alc_os_fake inner;
    uint8_t bytes[20] = {0};
    struct alc_span spans[] = {{bytes, 8}, {bytes + 8, 12}};
    (void)state;
    alc_os_fake_init(&inner, NULL);
    alc_os_fake_init(&outer, &inner.os);
    outer.short_size = 10;
    assert_int_equal(outer.os.operations->read(outer.os.context, 0, spans, 2), 10);
    assert_int_equal(bytes[9], inner.fill);
    assert_int_equal(bytes[10], 0);
    assert_int_equal(outer.os.operations->write(outer.os.context, 0, spans, 2), 10);
    assert_int_equal(inner.calls_count, 2);
}

static void test_prescribed_answers(void **state)
{
    static const struct alc_os_fake_answer answers[] = {
        {ALC_OS_FAKE_WRITE, -ALC_OS_PIPE}, {ALC_OS_FAKE_WRITE, 1}, {ALC_OS_FAKE_CLOSE, -ALC_OS_IO}};
    struct alc_os_fake fake;
    struct alc_span span = {(uint8_t *)"abc", 3};
    (void)state;
    alc_os_fake_init(&fake, NULL);
    fake.answers = answers;
    fake.answers_count = 3;
    assert_int_equal(fake.os.operations->close(fake.os.context, 9), 0); /* not its turn */
    assert_int_equal(fake.os.operations->write(fake.os.context, 9, &span, 1), -ALC_OS_PIPE);
    assert_int_equal(fake.os.operations->write(fake.os.context, 9, &span, 1), 1);
    assert_int_equal(fake.os.operations->write(fake.os.context, 9, &span, 1), 3);
    assert_int_equal(fake.os.operations->close(fake.os.context, 9), -ALC_OS_IO);
}

static void test_plausible_pages(void **state)
{
    struct alc_os_fake fake;
    (void)state;
    alc_os_fake_init(&fake, NULL);
    uint8_t *pages = fake.os.operations->pages_reserve(fake.os.context, 1 << 20);
    assert_non_null(pages);
    assert_int_equal(fake.os.operations->pages_commit(fake.os.context, pages, 4096), 0);
    assert_int_equal(pages[4095], 0);
    fake.os.operations->pages_release(fake.os.context, pages, 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nth_call_fails),
        cmocka_unit_test(test_transfers_are_short),
        cmocka_unit_test(test_prescribed_answers),
        cmocka_unit_test(test_plausible_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
