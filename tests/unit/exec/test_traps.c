/* SPDX-License-Identifier: Apache-2.0
 *
 * Where traps happen, told apart within a function: by the interpreter and by compiled code.
 */
#include "exec_fixture.h"

/* (module
 *   (global $g (mut i32) (i32.const 0))
 *   (func $callee (global.set $g (i32.const 1)))
 *   (func (export "f") (param i32)
 *     (if (i32.eq (local.get 0) (i32.const 1)) (then unreachable))
 *     (global.set $g (i32.const 2))
 *     (if (i32.eq (local.get 0) (i32.const 2)) (then unreachable))
 *     (call $callee)
 *     (if (i32.eq (local.get 0) (i32.const 3)) (then unreachable))
 *     (global.set $g (i32.const 3)))
 *   (func (export "g") (param i32)
 *     (if (i32.eqz (local.get 0)) (then unreachable))
 *     (loop
 *       (if (i32.eqz (global.get $g)) (then unreachable))
 *       (global.set $g (i32.const 0))
 *       (call $callee)
 *       (br 0)))) */
static const uint8_t g_module[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x60, 0x00, 0x00, 0x60, 0x01,
    0x7f, 0x00, 0x03, 0x04, 0x03, 0x00, 0x01, 0x01, 0x06, 0x06, 0x01, 0x7f, 0x01, 0x41, 0x00, 0x0b,
    0x07, 0x09, 0x02, 0x01, 0x66, 0x00, 0x01, 0x01, 0x67, 0x00, 0x02, 0x0a, 0x4c, 0x03, 0x06, 0x00,
    0x41, 0x01, 0x24, 0x00, 0x0b, 0x27, 0x00, 0x20, 0x00, 0x41, 0x01, 0x46, 0x04, 0x40, 0x00, 0x0b,
    0x41, 0x02, 0x24, 0x00, 0x20, 0x00, 0x41, 0x02, 0x46, 0x04, 0x40, 0x00, 0x0b, 0x10, 0x00, 0x20,
    0x00, 0x41, 0x03, 0x46, 0x04, 0x40, 0x00, 0x0b, 0x41, 0x03, 0x24, 0x00, 0x0b, 0x1b, 0x00, 0x20,
    0x00, 0x45, 0x04, 0x40, 0x00, 0x0b, 0x03, 0x40, 0x23, 0x00, 0x45, 0x04, 0x40, 0x00, 0x0b, 0x41,
    0x00, 0x24, 0x00, 0x10, 0x00, 0x0c, 0x00, 0x0b, 0x0b};

static const struct {
    const char *name;
    uint64_t argument;
    uint64_t offset; /* of the `unreachable`; 0: returns */
} g_calls[] = {{"f", 0, 0},    {"f", 1, 0x3e}, {"f", 2, 0x4b},
               {"f", 3, 0x56}, {"g", 0, 0x64}, {"g", 1, 0x6d}};

/* Also: traps in front of a frame and behind it are both code that the verifier accepts, in a
 * function that never returns, too. */
static void test_traps_of_one_kind_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(g_calls); i++) {
        struct alc_instance *instance = NULL;
        struct alc_function *function = NULL;
        const struct alc_name name = {(const uint8_t *)g_calls[i].name, 1};
        alc_error_clear(&error);
        assert_int_equal(fixture_instantiate(g_module, sizeof g_module, &instance), ALC_OK);
        assert_int_equal(alc_export_find_function(instance, name, &function), ALC_OK);
        alc_status status = alc_invoke(&store, function, &g_calls[i].argument, NULL, &error);
        assert_int_equal(status, g_calls[i].offset == 0 ? ALC_OK : ALC_E_UNREACHABLE);
        if (status != ALC_OK) {
            assert_int_equal(error.offset, g_calls[i].offset);
            assert_int_equal(store.thread.trap.frames_count, 1);
            assert_int_equal(store.thread.trap.frames[0].offset, g_calls[i].offset);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_traps_of_one_kind_are_told_apart, fixture_set_up,
                                        fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
