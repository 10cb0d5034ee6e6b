/* SPDX-License-Identifier: Apache-2.0
 *
 * Services around a workload: who asks for none runs as without, who asks for sealed files has
 * their key asked for, a host that shows two manifests is refused, compiled code gets its
 * vouchers verified.
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

#include "attested/settings.h"
#include "mounts/settings.h"
#include "os_linux/os_linux.h"
#include "services/services.h"

/* (module (func (export "_start"))) */
static const uint8_t module_bytes[] = {0,   'a', 's', 'm', 1, 0, 0,  0,  1, 4, 1,   0x60,
                                       0,   0,   3,   2,   1, 0, 7,  10, 1, 6, '_', 's',
                                       't', 'a', 'r', 't', 0, 0, 10, 4,  1, 2, 0,   0x0b};

static struct {
    struct alc_os_linux *system;
    struct alc_os os;
    struct alc_workload_profile profile;
    uint8_t manifest[512];
    size_t manifest_size;
    struct alc_outcome outcome;
    size_t outcome_size;
    char folder[64];
    int keys_asked_for;
} world;

static void grant(struct alc_manifest *manifest)
{
    alc_sha256(module_bytes, sizeof module_bytes, manifest->module_sha256);
    assert_int_equal(
        alc_manifest_encode(manifest, world.manifest, sizeof world.manifest, &world.manifest_size),
        ALC_OK);
    assert_true(alc_os_linux_grant_bytes(world.system, ALC_OS_MANIFEST, world.manifest,
                                         world.manifest_size) >= 0);
}

static void grant_manifest(struct alc_mount *mounts, size_t mounts_count)
{
    struct alc_string name = {(const uint8_t *)"test", 4};
    struct alc_manifest manifest = {
        .arguments = &name, .arguments_count = 1, .mounts = mounts, .mounts_count = mounts_count};
    const struct alc_mount_setting settings[1] = {{.memory_size = 8 << 20}};
    uint8_t bytes[64];
    struct alc_writer writer;
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_mount_settings_write(&writer, mounts, settings, mounts_count);
    manifest.services[ALC_SERVICE_MOUNTS] = (struct alc_string){bytes, writer.pos};
    grant(&manifest);
}

static int setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    assert_int_equal(alc_os_linux_new(NULL, &world.system), ALC_OK);
    world.os = *alc_os_linux_get_os(world.system);
    world.profile = alc_workload_interpreted;
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
    assert_int_equal(alc_services_run_from_os(&world.os, &world.profile, &services, NULL), ALC_OK);
    assert_int_equal(world.outcome_size, sizeof world.outcome);
    assert_memory_equal(&world.outcome, &plain, sizeof plain);
    assert_int_equal(world.keys_asked_for, 0);
}

static void make_folder(void)
{
    snprintf(world.folder, sizeof world.folder, "/tmp/alcove_services_XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    assert_true(alc_os_linux_grant_directory(world.system, ALC_OS_FIRST_MOUNT, world.folder, 0) >=
                0);
}

static void remove_folder(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/alcove.seal", world.folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(world.folder), 0);
}

static void sealed_mounts_ask_for_their_key(void **state)
{
    (void)state;
    struct alc_mount mount = {{(const uint8_t *)"/data", 5}, ALC_MOUNT_SEALED};
    make_folder();
    grant_manifest(&mount, 1);
    assert_int_equal(alc_services_run_from_os(&world.os, &world.profile, &services, NULL), ALC_OK);
    assert_int_equal(world.keys_asked_for, 1);
    remove_folder();
}

/* -- a host that shows two manifests -- */

static struct alc_os_operations lying_operations;
static int64_t (*honest_read_at)(void *context, int32_t handle, const struct alc_span *spans,
                                 size_t spans_count, uint64_t offset);
static int manifests_shown;

/* The second time the program is called "evil". */
static int64_t lie(void *context, int32_t handle, const struct alc_span *spans, size_t spans_count,
                   uint64_t offset)
{
    int64_t count = honest_read_at(context, handle, spans, spans_count, offset);
    if (handle == ALC_OS_MANIFEST && ++manifests_shown == 2) {
        uint8_t *name = memmem(spans[0].bytes, (size_t)count, "test", 4);
        assert_non_null(name);
        memcpy(name, "evil", 4);
    }
    return count;
}

static void expect_another_workload_is_refused(struct alc_mount *mount)
{
    grant_manifest(mount, 1);
    lying_operations = *world.os.operations;
    honest_read_at = lying_operations.read_at;
    lying_operations.read_at = lie;
    world.os.operations = &lying_operations;
    manifests_shown = 0;
    assert_int_equal(alc_services_run_from_os(&world.os, &world.profile, &services, NULL),
                     ALC_E_HOST_LIED);
    assert_int_equal(manifests_shown, 2);
    assert_int_equal(world.outcome.status, ALC_E_HOST_LIED);
}

static void another_workload_does_not_get_the_mounts(void **state)
{
    (void)state;
    struct alc_mount mount = {{(const uint8_t *)"/data", 5}, ALC_MOUNT_SEALED};
    make_folder();
    expect_another_workload_is_refused(&mount);
    remove_folder();
}

/* Settings of mounts that need no key, digests of archives for one, are the workload's own, too. */
static void another_workload_does_not_get_mounts_without_keys(void **state)
{
    (void)state;
    struct alc_mount mount = {{(const uint8_t *)"/data", 5}, ALC_MOUNT_MEMORY};
    expect_another_workload_is_refused(&mount);
}

/* -- and first one without mounts -- */

static int64_t (*honest_stat)(void *context, int32_t handle, struct alc_os_stat *out);
static int manifests_asked_for;
static uint8_t first_manifest[512];
static size_t first_manifest_size;

static int64_t stat_first(void *context, int32_t handle, struct alc_os_stat *out)
{
    int64_t result = honest_stat(context, handle, out);
    if (handle == ALC_OS_MANIFEST && ++manifests_asked_for == 1) {
        out->size = first_manifest_size;
    }
    return result;
}

static int64_t read_first(void *context, int32_t handle, const struct alc_span *spans,
                          size_t spans_count, uint64_t offset)
{
    if (handle != ALC_OS_MANIFEST || manifests_asked_for != 1) {
        return honest_read_at(context, handle, spans, spans_count, offset);
    }
    assert_true(offset == 0 && spans_count == 1 && spans[0].size == first_manifest_size);
    memcpy(spans[0].bytes, first_manifest, first_manifest_size);
    return (int64_t)first_manifest_size;
}

/* Who opens mounts saw none, and so sealed none: the program would have the host's own directory.
 */
static void what_is_to_be_sealed_is_not_the_hosts(void **state)
{
    (void)state;
    struct alc_mount mount = {{(const uint8_t *)"/data", 5}, ALC_MOUNT_SEALED};
    grant_manifest(NULL, 0);
    memcpy(first_manifest, world.manifest, world.manifest_size);
    first_manifest_size = world.manifest_size;
    teardown(NULL);
    setup(NULL);
    make_folder();
    grant_manifest(&mount, 1);
    lying_operations = *world.os.operations;
    honest_read_at = lying_operations.read_at;
    honest_stat = lying_operations.stat;
    lying_operations.read_at = read_first;
    lying_operations.stat = stat_first;
    world.os.operations = &lying_operations;
    manifests_asked_for = 0;
    assert_int_equal(alc_services_run_from_os(&world.os, &world.profile, &services, NULL),
                     ALC_E_HOST_LIED);
    assert_int_equal(manifests_asked_for, 2);
    assert_int_equal(world.keys_asked_for, 0);
    assert_int_equal(rmdir(world.folder), 0);
}

static bool is_for_another(const uint8_t workload_id[ALC_SHA256_SIZE])
{
    uint8_t expected[ALC_SHA256_SIZE];
    alc_sha256(world.manifest, world.manifest_size, expected);
    assert_memory_equal(workload_id, expected, sizeof expected);
    return false;
}

/* No key is asked for, nothing is opened, nothing runs. */
static void what_is_configured_for_another_workload_is_refused(void **state)
{
    (void)state;
    struct alc_services configured = services;
    struct alc_mount mount = {{(const uint8_t *)"/data", 5}, ALC_MOUNT_SEALED};
    configured.is_configured_for = is_for_another;
    for (size_t mounts_count = 0; mounts_count <= 1; mounts_count++) {
        teardown(NULL);
        setup(NULL);
        make_folder();
        grant_manifest(&mount, mounts_count);
        assert_int_equal(alc_services_run_from_os(&world.os, &world.profile, &configured, NULL),
                         ALC_E_HOST_LIED);
        assert_int_equal(world.outcome.status, ALC_E_HOST_LIED);
        assert_int_equal(world.keys_asked_for, 0);
        assert_int_equal(rmdir(world.folder), 0); /* empty */
    }
}

/* A policy of peers that asks for what channels choose would ask for nothing. */
static void policies_that_cannot_be_met_are_refused(void **state)
{
    (void)state;
    static const char start[] = "{\"report_data\":\"";
    static char document[sizeof start - 1 + 128 + 2];
    struct alc_string name = {(const uint8_t *)"test", 4};
    struct alc_manifest manifest = {.arguments = &name, .arguments_count = 1, .sockets_count = 1};
    uint8_t bytes[sizeof document + 16];
    struct alc_writer writer;
    memcpy(document, start, sizeof start - 1);
    memset(document + sizeof start - 1, '0', 128);
    memcpy(document + sizeof document - 2, "\"}", 2);
    const struct alc_attested_settings settings = {
        .listeners_count = 1, .policy = {(const uint8_t *)document, sizeof document}};
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_attested_settings_write(&writer, &settings);
    manifest.services[ALC_SERVICE_ATTESTED_SOCKETS] = (struct alc_string){bytes, writer.pos};
    grant(&manifest);
    assert_int_equal(alc_services_run_from_os(&world.os, &world.profile, &services, NULL),
                     ALC_E_BAD_POLICY);
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
        cmocka_unit_test_setup_teardown(another_workload_does_not_get_the_mounts, setup, teardown),
        cmocka_unit_test_setup_teardown(another_workload_does_not_get_mounts_without_keys, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_to_be_sealed_is_not_the_hosts, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_configured_for_another_workload_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(policies_that_cannot_be_met_are_refused, setup, teardown),
        cmocka_unit_test(compiled_code_gets_its_vouchers_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
