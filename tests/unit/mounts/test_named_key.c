/* SPDX-License-Identifier: Apache-2.0
 *
 * Workloads whose manifest names the key of their sealed mounts: it is asked for once, by its
 * settings, and never replaced by a key from elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mounts/mounts.h"
#include "os_linux/os_linux.h"

/* (module (func (export "_start"))) */
static const uint8_t module_bytes[] = {0,   'a', 's', 'm', 1, 0, 0,  0,  1, 4, 1,   0x60,
                                       0,   0,   3,   2,   1, 0, 7,  10, 1, 6, '_', 's',
                                       't', 'a', 'r', 't', 0, 0, 10, 4,  1, 2, 0,   0x0b};

enum { MOUNTS = 2 };

static struct {
    struct alc_os_linux *system;
    struct alc_os os;
    struct alc_workload_profile profile;
    uint8_t manifest[512];
    size_t manifest_size;
    struct alc_outcome outcome;
    size_t outcome_size;
    char folders[MOUNTS][64];
    int asked;
    int asked_by_name;
} world;

static int setup(void **state)
{
    struct alc_string name = {(const uint8_t *)"test", 4};
    struct alc_mount mounts[MOUNTS] = {{{(const uint8_t *)"/a", 2}, ALC_MOUNT_SEALED},
                                       {{(const uint8_t *)"/b", 2}, ALC_MOUNT_SEALED}};
    struct alc_manifest manifest = {
        .arguments = &name, .arguments_count = 1, .mounts = mounts, .mounts_count = MOUNTS};
    (void)state;
    memset(&world, 0, sizeof world);
    world.profile = alc_workload_interpreted;
    world.profile.decode_manifest = alc_manifest_decode_services;
    assert_int_equal(alc_os_linux_new(NULL, &world.system), ALC_OK);
    world.os = *alc_os_linux_get_os(world.system);
    for (int i = 0; i < MOUNTS; i++) {
        snprintf(world.folders[i], sizeof world.folders[i], "/tmp/alcove_named_XXXXXX");
        assert_non_null(mkdtemp(world.folders[i]));
        assert_true(alc_os_linux_grant_directory(world.system, ALC_OS_FIRST_MOUNT + i,
                                                 world.folders[i], 0) >= 0);
    }
    alc_sha256(module_bytes, sizeof module_bytes, manifest.module_sha256);
    manifest.services[ALC_SERVICE_MOUNT_KEY] = (struct alc_string){(const uint8_t *)"which", 5};
    assert_int_equal(
        alc_manifest_encode(&manifest, world.manifest, sizeof world.manifest, &world.manifest_size),
        ALC_OK);
    assert_true(alc_os_linux_grant_bytes(world.system, ALC_OS_MANIFEST, world.manifest,
                                         world.manifest_size) >= 0);
    assert_true(alc_os_linux_grant_bytes(world.system, ALC_OS_MODULE, module_bytes,
                                         sizeof module_bytes) >= 0);
    assert_true(alc_os_linux_grant_buffer(world.system, ALC_OS_OUTCOME, &world.outcome,
                                          sizeof world.outcome, &world.outcome_size) >= 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    alc_os_linux_free(world.system);
    for (int i = 0; i < MOUNTS; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/alcove.seal", world.folders[i]);
        unlink(path);
        rmdir(world.folders[i]);
    }
    return 0;
}

static alc_status get(void *context, enum alc_mount_policy policy,
                      const uint8_t workload_id[ALC_SHA256_SIZE],
                      const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE], uint8_t key[ALC_SEAL_KEY_SIZE])
{
    (void)policy;
    (void)context;
    (void)workload_id;
    (void)key_id;
    (void)key;
    world.asked++;
    return ALC_OK;
}

static alc_status get_named(void *context, const uint8_t workload_id[ALC_SHA256_SIZE],
                            const struct alc_string *settings, uint8_t key[ALC_SEAL_KEY_SIZE])
{
    uint8_t expected[ALC_SHA256_SIZE];
    alc_sha256(world.manifest, world.manifest_size, expected);
    assert_memory_equal(workload_id, expected, sizeof expected);
    assert_int_equal(settings->size, 5);
    assert_memory_equal(settings->bytes, "which", 5);
    memset(key, 7, ALC_SEAL_KEY_SIZE);
    world.asked_by_name++;
    return *(const alc_status *)context;
}

static alc_status see(void *context, const uint8_t workload_id[ALC_SHA256_SIZE])
{
    (void)context;
    (void)workload_id;
    return ALC_OK;
}

static alc_status run(const struct alc_mounts_keys *keys)
{
    static const struct alc_mounts_watch watch = {.opening = see};
    return alc_mounts_run_from_os(&world.os, &world.profile, keys, &watch, NULL);
}

static void test_asked_once(void **state)
{
    alc_status status = ALC_OK;
    const struct alc_mounts_keys keys = {
        .get = get, .get_named = get_named, .named_context = &status};
    (void)state;
    assert_int_equal(run(&keys), ALC_OK);
    assert_int_equal(world.asked_by_name, 1);
    assert_int_equal(world.asked, 0);
    assert_int_equal(world.outcome.status, ALC_OK);
}

static void test_refusal(void **state)
{
    alc_status status = ALC_E_BROKER_REFUSED;
    const struct alc_mounts_keys keys = {
        .get = get, .get_named = get_named, .named_context = &status};
    (void)state;
    assert_int_equal(run(&keys), ALC_E_BROKER_REFUSED);
    assert_int_equal(world.outcome.status, ALC_E_BROKER_REFUSED);
    assert_int_equal(world.asked, 0);
}

static void test_not_replaced(void **state)
{
    const struct alc_mounts_keys keys = {.get = get};
    (void)state;
    assert_int_equal(run(&keys), ALC_E_NOT_SUPPORTED);
    assert_int_equal(world.asked, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_asked_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_replaced, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
