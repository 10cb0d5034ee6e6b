/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifest's codec: a round trip, every cut and every changed byte of an encoding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "workload/manifest.h"

#define TEXT(literal) {(const uint8_t *)(literal), sizeof(literal) - 1}

static uint8_t memory[1 << 16];
static bool is_native; /* whether the sample has compiled code */
static uint32_t native_flags = ALC_NATIVE_VOUCHED;
static bool has_services; /* whether it has settings of services */

static size_t encode_sample(uint8_t *bytes, size_t size)
{
    static struct alc_string arguments[] = {TEXT("app.wasm"), TEXT(""), TEXT("\xff\x01")};
    static struct alc_string environment[] = {TEXT("A=b")};
    static struct alc_mount mounts[] = {{TEXT("/"), 0}, {TEXT("/data"), ALC_MOUNT_READ_ONLY}};
    struct alc_manifest manifest = {
        .arguments = arguments,
        .arguments_count = 3,
        .environment = environment,
        .environment_count = 1,
        .mounts = mounts,
        .mounts_count = 2,
        .sockets_count = 1,
        .limits = {.fuel = 1000, .timeout_ns = 5},
    };
    memset(manifest.module_sha256, 7, sizeof manifest.module_sha256);
    if (is_native) {
        manifest.has_native = true;
        manifest.native_flags = native_flags;
        memset(manifest.native_sha256, 8, sizeof manifest.native_sha256);
        if (native_flags == ALC_NATIVE_VOUCHED_BY_KEY) {
            memset(manifest.voucher_key_sha256, 9, sizeof manifest.voucher_key_sha256);
        }
    }
    if (has_services) {
        manifest.services[ALC_SERVICE_MOUNTS] = (struct alc_string)TEXT("settings");
    }
    size_t encoded_size;
    assert_int_equal(alc_manifest_encode(&manifest, bytes, size, &encoded_size), ALC_OK);
    return encoded_size;
}

static alc_status decode(const uint8_t *bytes, size_t size, struct alc_manifest *out)
{
    struct alc_arena arena;
    alc_arena_init(&arena, memory, sizeof memory);
    if (has_services) {
        return is_native ? alc_manifest_decode_native_services(&arena, bytes, size, out, NULL)
                         : alc_manifest_decode_services(&arena, bytes, size, out, NULL);
    }
    return is_native ? alc_manifest_decode_native(&arena, bytes, size, out, NULL)
                     : alc_manifest_decode(&arena, bytes, size, out, NULL);
}

static void test_round_trip(void **state)
{
    (void)state;
    uint8_t bytes[256];
    uint8_t again[256];
    size_t size = encode_sample(bytes, sizeof bytes);
    struct alc_manifest manifest;
    assert_int_equal(decode(bytes, size, &manifest), ALC_OK);
    assert_int_equal(manifest.arguments_count, 3);
    assert_memory_equal(manifest.arguments[0].bytes, "app.wasm", 8);
    assert_int_equal(manifest.arguments[1].size, 0);
    assert_int_equal(manifest.mounts[1].flags, ALC_MOUNT_READ_ONLY);
    assert_int_equal(manifest.sockets_count, 1);
    assert_int_equal(manifest.limits.fuel, 1000);
    assert_int_equal(manifest.limits.memory_size, 0);
    assert_int_equal(manifest.limits.timeout_ns, 5);
    assert_int_equal(manifest.has_native, is_native);
    assert_int_equal(manifest.native_flags, is_native ? native_flags : 0);
    assert_int_equal(manifest.voucher_key_sha256[31],
                     is_native && native_flags == ALC_NATIVE_VOUCHED_BY_KEY ? 9 : 0);
    assert_int_equal(manifest.native_sha256[31], is_native ? 8 : 0);
    assert_int_equal(manifest.services[ALC_SERVICE_MOUNTS].size, has_services ? 8 : 0);
    size_t again_size;
    assert_int_equal(alc_manifest_encode(&manifest, again, sizeof again, &again_size), ALC_OK);
    assert_int_equal(again_size, size);
    assert_memory_equal(again, bytes, size);
    /* Either kind is refused as the other. */
    is_native = !is_native;
    assert_int_not_equal(decode(bytes, size, &manifest), ALC_OK);
    is_native = !is_native;
    /* Settings are for those who have services; those read manifests without, too. */
    has_services = !has_services;
    assert_true((decode(bytes, size, &manifest) == ALC_OK) == has_services);
    has_services = !has_services;
}

static void test_size_is_told_when_the_buffer_is_small(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t size = encode_sample(bytes, sizeof bytes);
    struct alc_manifest manifest;
    assert_int_equal(decode(bytes, size, &manifest), ALC_OK);
    size_t needed;
    assert_int_equal(alc_manifest_encode(&manifest, bytes, 0, &needed), ALC_E_BAD_MANIFEST);
    assert_int_equal(needed, size);
}

static void test_every_cut_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct alc_manifest manifest;
    size_t size = encode_sample(bytes, sizeof bytes);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_not_equal(decode(bytes, cut, &manifest), ALC_OK);
    }
    bytes[size] = 0;
    assert_int_equal(decode(bytes, size + 1, &manifest), ALC_E_BAD_MANIFEST);
}

/* What is accepted encodes to the same bytes again, whatever was changed. */
static void test_changed_bytes_are_refused_or_canonical(void **state)
{
    (void)state;
    uint8_t bytes[256];
    uint8_t again[512];
    size_t size = encode_sample(bytes, sizeof bytes);
    for (size_t at = 0; at < size; at++) {
        for (unsigned change = 1; change < 256; change++) {
            bytes[at] ^= (uint8_t)change;
            struct alc_manifest manifest;
            size_t again_size;
            if (decode(bytes, size, &manifest) == ALC_OK) {
                assert_int_equal(alc_manifest_encode(&manifest, again, sizeof again, &again_size),
                                 ALC_OK);
                assert_int_equal(again_size, size);
                assert_memory_equal(again, bytes, size);
            }
            bytes[at] ^= (uint8_t)change;
        }
    }
}

static int with_native(void **state)
{
    (void)state;
    is_native = true;
    has_services = false;
    native_flags = ALC_NATIVE_VOUCHED;
    return 0;
}

static int with_key(void **state)
{
    (void)state;
    is_native = true;
    has_services = false;
    native_flags = ALC_NATIVE_VOUCHED_BY_KEY;
    return 0;
}

static int with_services(void **state)
{
    (void)state;
    is_native = false;
    has_services = true;
    return 0;
}

static int with_key_and_services(void **state)
{
    with_key(state);
    has_services = true;
    return 0;
}

static int without_native(void **state)
{
    (void)state;
    is_native = has_services = false;
    return 0;
}

/* clang-format off */
#define ALL(test)                                                                                  \
    {#test, test, without_native, NULL, NULL},                                                     \
    {#test " (key)", test, with_key, NULL, NULL},                                                  \
    {#test " (native)", test, with_native, NULL, NULL},                                            \
    {#test " (services)", test, with_services, NULL, NULL},                                        \
    {#test " (key, services)", test, with_key_and_services, NULL, NULL}
/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALL(test_round_trip),
        ALL(test_size_is_told_when_the_buffer_is_small),
        ALL(test_every_cut_is_refused),
        ALL(test_changed_bytes_are_refused_or_canonical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
