/* SPDX-License-Identifier: Apache-2.0
 *
 * What a host can ask for instead of a run: requests of any form, for any mount. Nobody has granted
 * a module, so whoever ran the workload would fail. Exports and imports with their keys are
 * tests/cli_kbs/transfer.py's.
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

#include "base/bytes.h"
#include "mounts/mounts.h"
#include "mounts/upkeep.h"
#include "os_linux/os_linux.h"

enum { PLAIN, SEALED, MOUNTS };

static struct {
    struct alc_os_linux *system;
    struct alc_os os;
    struct alc_workload_profile profile;
    uint8_t manifest[512];
    size_t manifest_size;
    alc_status watch_status;
    int seen;
    int keys_asked_for;
    struct alc_outcome outcome;
    size_t outcome_size;
    char folder[64];
} world;

static int setup(void **state)
{
    struct alc_string name = {(const uint8_t *)"test", 4};
    struct alc_mount mounts[MOUNTS] = {{{(const uint8_t *)"/p", 2}, 0},
                                       {{(const uint8_t *)"/s", 2}, ALC_MOUNT_SEALED}};
    struct alc_manifest manifest = {
        .arguments = &name, .arguments_count = 1, .mounts = mounts, .mounts_count = MOUNTS};
    (void)state;
    memset(&world, 0, sizeof world);
    world.profile = alc_workload_interpreted;
    world.profile.decode_manifest = alc_manifest_decode_services;
    assert_int_equal(alc_os_linux_new(NULL, &world.system), ALC_OK);
    world.os = *alc_os_linux_get_os(world.system);
    snprintf(world.folder, sizeof world.folder, "/tmp/alcove_upkeep_XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    for (int i = 0; i < MOUNTS; i++) {
        assert_true(alc_os_linux_grant_directory(world.system, ALC_OS_FIRST_MOUNT + i, world.folder,
                                                 0) >= 0);
    }
    assert_int_equal(
        alc_manifest_encode(&manifest, world.manifest, sizeof world.manifest, &world.manifest_size),
        ALC_OK);
    assert_true(alc_os_linux_grant_bytes(world.system, ALC_OS_MANIFEST, world.manifest,
                                         world.manifest_size) >= 0);
    return 0;
}

static int teardown(void **state)
{
    char path[128];
    (void)state;
    alc_os_linux_free(world.system);
    snprintf(path, sizeof path, "%s/alcove.seal", world.folder);
    unlink(path);
    assert_int_equal(rmdir(world.folder), 0);
    return 0;
}

static alc_status get(void *context, enum alc_mount_policy policy,
                      const uint8_t workload_id[ALC_SHA256_SIZE],
                      const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE], uint8_t key[ALC_SEAL_KEY_SIZE])
{
    (void)context, (void)policy, (void)workload_id;
    memcpy(key, key_id, ALC_SEAL_KEY_SIZE);
    world.keys_asked_for++;
    return ALC_OK;
}

/* Whoever watches is told of the workload before its keys are asked for, and may refuse. */
static alc_status see(void *context, const uint8_t workload_id[ALC_SHA256_SIZE])
{
    uint8_t expected[ALC_SHA256_SIZE];
    (void)context;
    alc_sha256(world.manifest, world.manifest_size, expected);
    assert_memory_equal(workload_id, expected, sizeof expected);
    world.seen++;
    return world.watch_status;
}

static alc_status run(void)
{
    static const struct alc_mounts_keys keys = {.get = get};
    static const struct alc_mounts_watch watch = {.opening = see};
    world.outcome_size = 0;
    (void)world.os.operations->close(world.os.context, ALC_OS_OUTCOME); /* of the run before */
    assert_true(alc_os_linux_grant_buffer(world.system, ALC_OS_OUTCOME, &world.outcome,
                                          sizeof world.outcome, &world.outcome_size) >= 0);
    alc_status status = alc_mounts_run_from_os(&world.os, &world.profile, &keys, &watch, NULL);
    assert_int_equal(world.outcome_size, sizeof world.outcome);
    assert_int_equal(world.outcome.status, status);
    assert_int_equal(world.outcome.exit_code, alc_status_exit_code(status));
    return status;
}

static alc_status ask(uint32_t action, uint32_t mount, size_t size)
{
    static uint8_t request[ALC_UPKEEP_SIZE];
    alc_store_u32(request, action);
    alc_store_u32(request + 4, mount);
    (void)world.os.operations->close(world.os.context, ALC_OS_UPKEEP); /* the request before */
    assert_true(alc_os_linux_grant_bytes(world.system, ALC_OS_UPKEEP, request, size) >= 0);
    return run();
}

static void test_requests(void **state)
{
    (void)state;
    for (size_t size = 0; size < ALC_UPKEEP_SIZE; size++) {
        assert_int_equal(ask(ALC_UPKEEP_VERIFY, SEALED, size), ALC_E_IO_FAILED);
    }
    assert_int_equal(ask(0, SEALED, ALC_UPKEEP_SIZE), ALC_E_BAD_ARGUMENT);
    assert_int_equal(ask(ALC_UPKEEP_IMPORT + 1, SEALED, ALC_UPKEEP_SIZE), ALC_E_BAD_ARGUMENT);
    assert_int_equal(ask(UINT32_MAX, SEALED, ALC_UPKEEP_SIZE), ALC_E_BAD_ARGUMENT);
    for (uint32_t action = ALC_UPKEEP_VERIFY; action <= ALC_UPKEEP_IMPORT; action++) {
        assert_int_equal(ask(action, PLAIN, ALC_UPKEEP_SIZE), ALC_E_BAD_ARGUMENT);
        assert_int_equal(ask(action, MOUNTS, ALC_UPKEEP_SIZE), ALC_E_BAD_ARGUMENT);
        assert_int_equal(ask(action, UINT32_MAX, ALC_UPKEEP_SIZE), ALC_E_BAD_ARGUMENT);
    }
}

/* No request makes a container where there is none, or takes one out without a transfer key. */
static void test_nothing_there(void **state)
{
    char path[128];
    (void)state;
    assert_int_equal(ask(ALC_UPKEEP_VERIFY, SEALED, ALC_UPKEEP_SIZE), ALC_E_NOT_FOUND);
    assert_int_equal(ask(ALC_UPKEEP_REKEY, SEALED, ALC_UPKEEP_SIZE), ALC_E_NOT_FOUND);
    for (uint32_t action = ALC_UPKEEP_EXPORT; action <= ALC_UPKEEP_IMPORT; action++) {
        assert_int_equal(ask(action, SEALED, ALC_UPKEEP_SIZE), ALC_E_POLICY_REFUSED);
        assert_string_equal(world.outcome.detail, "the manifest names no transfer key");
    }
    snprintf(path, sizeof path, "%s/alcove.seal", world.folder);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_watched(void **state)
{
    (void)state;
    assert_int_equal(ask(ALC_UPKEEP_VERIFY, SEALED, ALC_UPKEEP_SIZE), ALC_E_NOT_FOUND);
    assert_int_equal(world.seen, 1);
    world.watch_status = ALC_E_REPORT_MISMATCH;
    assert_int_equal(ask(ALC_UPKEEP_VERIFY, SEALED, ALC_UPKEEP_SIZE), ALC_E_REPORT_MISMATCH);
    assert_int_equal(world.keys_asked_for, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_watched, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
