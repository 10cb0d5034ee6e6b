/* SPDX-License-Identifier: Apache-2.0
 *
 * Services around a workload: who asks for none runs as without, who asks for sealed files has
 * their key asked for, compiled code gets its vouchers verified.
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

#include "os_linux/os_linux.h"
#include "services/services.h"

/* (module (func (export "_start"))) */
static const uint8_t module_bytes[] = {0,   'a', 's', 'm', 1, 0, 0,  0,  1, 4, 1,   0x60,
                                       0,   0,   3,   2,   1, 0, 7,  10, 1, 6, '_', 's',
                                       't', 'a', 'r', 't', 0, 0, 10, 4,  1, 2, 0,   0x0b};

static struct {
    struct alc_os_linux *system;
    struct alc_os os;
    uint8_t manifest[512];
    size_t manifest_size;
    struct alc_outcome outcome;
    size_t outcome_size;
    char folder[64];
    int keys_asked_for;
} world;

static void grant_manifest(struct alc_mount *mounts, size_t mounts_count)
{
    struct alc_string name = {(const uint8_t *)"test", 4};
    struct alc_manifest manifest = {
        .arguments = &name, .arguments_count = 1, .mounts = mounts, .mounts_count = mounts_count};
    alc_sha256(module_bytes, sizeof module_bytes, manifest.module_sha256);
    assert_int_equal(
        alc_manifest_encode(&manifest, world.manifest, sizeof world.manifest, &world.manifest_size),
        ALC_OK);
    assert_true(alc_os_linux_grant_bytes(world.system, ALC_OS_MANIFEST, world.manifest,
                                         world.manifest_size) >= 0);
}

static int setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    assert_int_equal(alc_os_linux_new(NULL, &world.system), ALC_OK);
    world.os = *alc_os_linux_get_os(world.system);
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
    return 0;
}

static alc_status get_key(void *context, enum alc_mount_policy policy,
                          const uint8_t workload_id[ALC_SHA256_SIZE],
                          const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          uint8_t key[ALC_SEAL_KEY_SIZE])
{
    (void)policy;
    uint8_t expected[ALC_SHA256_SIZE];
    (void)key_id;
    alc_sha256(world.manifest, world.manifest_size, expected);
    assert_memory_equal(workload_id, expected, sizeof expected);
    memset(key, *(uint8_t *)context, ALC_SEAL_KEY_SIZE);
    world.keys_asked_for++;
    return ALC_OK;
}

static uint8_t key_byte = 7;
static const struct alc_services services = {.mount_keys = {.get = get_key, .context = &key_byte}};

static void who_asks_for_nothing_runs_as_without(void **state)
{
    (void)state;
    struct alc_outcome plain;
    grant_manifest(NULL, 0);
    assert_int_equal(alc_workload_run_from_os(&world.os, &alc_workload_interpreted, NULL), ALC_OK);
    plain = world.outcome;
    teardown(NULL);
    setup(NULL);
    grant_manifest(NULL, 0);
    assert_int_equal(
        alc_services_run_from_os(&world.os, &alc_workload_interpreted, &services, NULL), ALC_OK);
    assert_int_equal(world.outcome_size, sizeof world.outcome);
    assert_memory_equal(&world.outcome, &plain, sizeof plain);
    assert_int_equal(world.keys_asked_for, 0);
}

static void sealed_mounts_ask_for_their_key(void **state)
{
    (void)state;
    struct alc_mount mount = {.guest_path = {(const uint8_t *)"/data", 5},
                              .flags = ALC_MOUNT_SEALED};
    snprintf(world.folder, sizeof world.folder, "/tmp/alcove_services_XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    assert_true(alc_os_linux_grant_directory(world.system, ALC_OS_FIRST_MOUNT, world.folder, 0) >=
                0);
    grant_manifest(&mount, 1);
    assert_int_equal(
        alc_services_run_from_os(&world.os, &alc_workload_interpreted, &services, NULL), ALC_OK);
    assert_int_equal(world.keys_asked_for, 1);
    char path[128];
    snprintf(path, sizeof path, "%s/alcove.seal", world.folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(world.folder), 0);
}

static void compiled_code_gets_its_vouchers_verified(void **state)
{
    (void)state;
    struct alc_workload_compiled compiled;
    alc_workload_compiled_init(&compiled, NULL);
    assert_null(compiled.accept_voucher);
    alc_services_equip(&compiled);
    assert_true(compiled.accept_voucher == alc_workload_accept_voucher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_asks_for_nothing_runs_as_without, setup, teardown),
        cmocka_unit_test_setup_teardown(sealed_mounts_ask_for_their_key, setup, teardown),
        cmocka_unit_test(compiled_code_gets_its_vouchers_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
