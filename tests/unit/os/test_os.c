/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts of error numbers, and the bridge from arenas to pages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os/os.h"

static void test_every_number_has_its_text(void **state)
{
    (void)state;
    for (int64_t i = 0; i <= ALC_OS_ERRNO_MAX; i++) {
        const char *text = alc_os_errno_text(i);
        assert_string_not_equal(text, "unknown error");
        for (int64_t j = 0; j < i; j++) {
            assert_string_not_equal(text, alc_os_errno_text(j));
        }
    }
    assert_string_equal(alc_os_errno_text(ALC_OS_NOT_CAPABLE),
                        "extension: capabilities insufficient");
    assert_string_equal(alc_os_errno_text(ALC_OS_ERRNO_MAX + 1), "unknown error");
    assert_string_equal(alc_os_errno_text(-1), "unknown error");
    assert_string_equal(alc_os_errno_text(INT64_MIN), "unknown error");
}

static int64_t commit_small(void *context, void *addr, size_t size)
{
    (void)addr;
    assert_ptr_equal(context, &commit_small);
    return size <= 8192 ? 0 : -ALC_OS_NO_MEMORY;
}

static void test_commit(void **state)
{
    const struct alc_os_operations operations = {.pages_commit = commit_small};
    struct alc_os os = {.operations = &operations, .context = (void *)&commit_small};
    (void)state;
    assert_int_equal(alc_os_commit(&os, NULL, 8192), ALC_OK);
    assert_int_equal(alc_os_commit(&os, NULL, 12288), ALC_E_OUT_OF_MEMORY);
}

/* The sizes name what is answered. */
static int64_t execute_some(void *context, void *addr, size_t size)
{
    (void)addr;
    assert_ptr_equal(context, &execute_some);
    return size == 4096 ? 0 : size == 8192 ? -ALC_OS_IO : -ALC_OS_NO_MEMORY;
}

static void test_execute(void **state)
{
    const struct alc_os_operations operations = {.pages_execute = execute_some};
    struct alc_os os = {.operations = &operations, .context = (void *)&execute_some};
    (void)state;
    assert_int_equal(alc_os_execute(&os, NULL, 4096), ALC_OK);
    assert_int_equal(alc_os_execute(&os, NULL, 8192), ALC_E_HOST_LIED);
    assert_int_equal(alc_os_execute(&os, NULL, 12288), ALC_E_OUT_OF_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_number_has_its_text),
        cmocka_unit_test(test_commit),
        cmocka_unit_test(test_execute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
