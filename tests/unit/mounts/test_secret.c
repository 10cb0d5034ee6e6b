/* SPDX-License-Identifier: Apache-2.0
 *
 * What a mount makes of a key that others have too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mounts/secret.h"

/* By HKDF as RFC 5869 has it, computed elsewhere. */
static void test_secret(void **state)
{
    static const uint8_t wanted[ALC_SEAL_KEY_SIZE] = {
        0x44, 0x82, 0x7e, 0x39, 0x06, 0x35, 0x55, 0xdd, 0xb6, 0x6f, 0xe8,
        0x3e, 0x49, 0x3d, 0x5f, 0x04, 0x95, 0x53, 0x69, 0x29, 0x2d, 0xe4,
        0xe8, 0x04, 0x95, 0x53, 0xb1, 0x1f, 0x3b, 0x7d, 0x82, 0xca};
    static const struct alc_string path = {(const uint8_t *)"/data", 5};
    static const struct alc_string other = {(const uint8_t *)"/datb", 5};
    uint8_t key[ALC_SEAL_KEY_SIZE];
    uint8_t secret[ALC_SEAL_KEY_SIZE];
    (void)state;
    for (uint8_t i = 0; i < ALC_SEAL_KEY_SIZE; i++) {
        key[i] = i;
    }
    alc_mount_secret(key, &path, secret);
    assert_memory_equal(secret, wanted, sizeof wanted);
    alc_mount_secret(key, &other, secret);
    assert_memory_not_equal(secret, wanted, sizeof wanted);
    alc_mount_secret(key, &path, key); /* in its place */
    assert_memory_equal(key, wanted, sizeof wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_secret)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
