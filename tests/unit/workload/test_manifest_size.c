/* SPDX-License-Identifier: Apache-2.0
 *
 * ALC_LIMIT_MANIFEST_SIZE: a manifest of exactly that size is written, one byte more is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "workload/manifest.h"

static uint8_t encoded[ALC_LIMIT_MANIFEST_SIZE + 64];
static uint8_t argument[ALC_LIMIT_MANIFEST_SIZE];

static alc_status encode(size_t argument_size, size_t *out_size)
{
    struct alc_string arguments[] = {{argument, argument_size}};
    struct alc_manifest manifest = {.arguments = arguments, .arguments_count = 1};
    return alc_manifest_encode(&manifest, encoded, sizeof encoded, out_size);
}

static void test_at_the_limit_and_past_it(void **state)
{
    (void)state;
    enum { ARGUMENT_SIZE = ALC_LIMIT_MANIFEST_SIZE - 1024 };
    size_t size;
    assert_int_equal(encode(ARGUMENT_SIZE, &size), ALC_OK);
    size_t most = ARGUMENT_SIZE + (ALC_LIMIT_MANIFEST_SIZE - size);
    assert_int_equal(encode(most, &size), ALC_OK);
    assert_int_equal(size, ALC_LIMIT_MANIFEST_SIZE);
    assert_int_equal(encode(most + 1, &size), ALC_E_BAD_MANIFEST);
    assert_int_equal(size, ALC_LIMIT_MANIFEST_SIZE + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_at_the_limit_and_past_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
