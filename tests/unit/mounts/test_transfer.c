/* SPDX-License-Identifier: Apache-2.0
 *
 * A host that stops an import at each of its calls, and then does with what is there as it likes.
 * The new version opens what was exported when its own counter says that it follows that line, or
 * it has none of it; and until it does, the old version goes on. That no part of a copy opens is
 * tests/unit/seal/test_rekey.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "mounts/mounts.h"
#include "mounts/upkeep.h"
#include "os_linux/os_linux.h"
#include "witness/witness.h"

/* (module (func (export "_start"))) */
static const uint8_t module_bytes[] = {0,   'a', 's', 'm', 1, 0, 0,  0,  1, 4, 1,   0x60,
                                       0,   0,   3,   2,   1, 0, 7,  10, 1, 6, '_', 's',
                                       't', 'a', 'r', 't', 0, 0, 10, 4,  1, 2, 0,   0x0b};

enum { OLD, NEW, AWAY, PLACES };
enum { WIRE = ALC_OS_FIRST_MOUNT + 1, COUNTERS = 4 };
static const char *const place_names[PLACES] = {"old", "new", "away"};

struct counters {
    struct {
        uint8_t counter[ALC_WITNESS_KEY_SIZE];
        struct alc_seal_mark mark;
    } rows[COUNTERS];
    size_t count;
};

static struct {
    char folder[64];
    struct alc_os_over over; /* over the system: the wire, and calls that fail */
    struct alc_os_operations operations;
    struct alc_random random;
    struct alc_ec_private_key key;
    struct alc_ec_public_key public;
    struct counters counters; /* the old version's is the first */
    struct counters exported; /* as they were then */
    uint8_t answer[ALC_WITNESS_ANSWER_SIZE];
    uint64_t calls_count;
    uint64_t fail_at; /* that call and all later ones; 0: none */
    struct alc_outcome outcome;
} world;

/* -- the witness -- */

static size_t find(const uint8_t *counter)
{
    size_t i = 0;
    while (i < world.counters.count &&
           memcmp(world.counters.rows[i].counter, counter, ALC_WITNESS_KEY_SIZE) != 0) {
        i++;
    }
    return i;
}

static alc_status store_read(void *context, const uint8_t counter[ALC_WITNESS_KEY_SIZE],
                             struct alc_seal_mark *out)
{
    size_t at = find(counter);
    (void)context;
    *out = at < world.counters.count ? world.counters.rows[at].mark : (struct alc_seal_mark){0};
    return ALC_OK;
}

static alc_status store_advance(void *context, const uint8_t counter[ALC_WITNESS_KEY_SIZE],
                                const struct alc_seal_mark *from, const struct alc_seal_mark *to)
{
    size_t at = find(counter);
    (void)context, (void)from;
    if (at == world.counters.count) {
        assert_true(at < COUNTERS);
        memcpy(world.counters.rows[world.counters.count++].counter, counter, ALC_WITNESS_KEY_SIZE);
    }
    world.counters.rows[at].mark = *to;
    return ALC_OK;
}

/* -- the host -- */

static alc_status fill_random(void *context, uint8_t *buf, size_t buf_size)
{
    static uint8_t next;
    (void)context;
    for (size_t i = 0; i < buf_size; i++) {
        buf[i] = next += 71;
    }
    return ALC_OK;
}

static bool stops(void)
{
    world.calls_count++;
    return world.fail_at != 0 && world.calls_count >= world.fail_at;
}

static int64_t host_write(void *context, int32_t handle, const struct alc_span *spans,
                          size_t spans_count)
{
    static const struct alc_witness_store store = {.read = store_read, .advance = store_advance};
    if (handle != WIRE) { /* the outcome is told in any case */
        return alc_os_over_operations.write(context, handle, spans, spans_count);
    }
    if (stops()) {
        return -ALC_OS_IO;
    }
    assert_int_equal(spans[0].size, ALC_WITNESS_REQUEST_SIZE);
    assert_int_equal(
        alc_witness_answer(&store, &world.key, &world.random, spans[0].bytes, world.answer),
        ALC_OK);
    return ALC_WITNESS_REQUEST_SIZE;
}

static int64_t host_read(void *context, int32_t handle, const struct alc_span *spans,
                         size_t spans_count)
{
    if (handle != WIRE) {
        return alc_os_over_operations.read(context, handle, spans, spans_count);
    }
    if (stops()) { /* the witness heard the question all the same */
        return -ALC_OS_IO;
    }
    memcpy(spans[0].bytes, world.answer, ALC_WITNESS_ANSWER_SIZE);
    return ALC_WITNESS_ANSWER_SIZE;
}

static int64_t host_sync(void *context, int32_t handle, uint32_t data_only)
{
    (void)context, (void)handle, (void)data_only;
    return stops() ? -ALC_OS_IO : 0; /* nobody cuts the power here */
}

#define STOPPING(name, parameters, ...)                                                            \
    static int64_t host_##name parameters                                                          \
    {                                                                                              \
        return stops() ? -ALC_OS_IO : alc_os_over_operations.name(context, __VA_ARGS__);           \
    }
#define AT void *context, int32_t handle
STOPPING(open_at, (AT, const uint8_t *path, size_t path_size, uint32_t flags), handle, path,
         path_size, flags)
STOPPING(read_at, (AT, const struct alc_span *spans, size_t spans_count, uint64_t offset), handle,
         spans, spans_count, offset)
STOPPING(write_at, (AT, const struct alc_span *spans, size_t spans_count, uint64_t offset), handle,
         spans, spans_count, offset)
STOPPING(set_size, (AT, uint64_t size), handle, size)
STOPPING(allocate, (AT, uint64_t offset, uint64_t size), handle, offset, size)
STOPPING(rename_at,
         (AT, const uint8_t *path, size_t path_size, int32_t new_dir, const uint8_t *new_path,
          size_t new_path_size),
         handle, path, path_size, new_dir, new_path, new_path_size)

/* -- versions -- */

static alc_status get(void *context, enum alc_mount_policy policy,
                      const uint8_t workload_id[ALC_SHA256_SIZE],
                      const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE], uint8_t key[ALC_SEAL_KEY_SIZE])
{
    uint8_t both[ALC_SHA256_SIZE + ALC_SEAL_KEY_ID_SIZE];
    (void)context, (void)policy;
    memcpy(both, workload_id, ALC_SHA256_SIZE);
    memcpy(both + ALC_SHA256_SIZE, key_id, ALC_SEAL_KEY_ID_SIZE);
    alc_sha256(both, sizeof both, key);
    return ALC_OK;
}

static alc_status get_named(void *context, const uint8_t workload_id[ALC_SHA256_SIZE],
                            const struct alc_string *settings, uint8_t key[ALC_SEAL_KEY_SIZE])
{
    (void)context, (void)workload_id;
    assert_int_equal(settings->size, 5);
    memset(key, 9, ALC_SEAL_KEY_SIZE);
    return ALC_OK;
}

static alc_status see(void *context, const uint8_t workload_id[ALC_SHA256_SIZE])
{
    (void)context, (void)workload_id;
    return ALC_OK;
}

/* A manifest that differs from the other version's in the program's argument. */
static size_t make_manifest(int version, uint8_t *out, size_t out_size)
{
    struct alc_string name = {(const uint8_t *)place_names[version], 3};
    struct alc_mount mount = {{(const uint8_t *)"/s", 2}, ALC_MOUNT_SEALED};
    struct alc_mount_setting setting = {.level = ALC_MOUNT_LEVEL_WITNESS};
    struct alc_manifest manifest = {
        .arguments = &name, .arguments_count = 1, .mounts = &mount, .mounts_count = 1};
    uint8_t settings[128];
    struct alc_writer writer;
    size_t size;
    memcpy(setting.witness, world.public.point, sizeof setting.witness);
    alc_writer_init(&writer, settings, sizeof settings);
    alc_mount_settings_write(&writer, &mount, &setting, 1);
    assert_false(writer.overflowed);
    manifest.services[ALC_SERVICE_MOUNTS] = (struct alc_string){settings, writer.pos};
    manifest.services[ALC_SERVICE_TRANSFER_KEY] = (struct alc_string){(const uint8_t *)"which", 5};
    alc_sha256(module_bytes, sizeof module_bytes, manifest.module_sha256);
    assert_int_equal(alc_manifest_encode(&manifest, out, out_size, &size), ALC_OK);
    return size;
}

static const char *path_of(int place, const char *name)
{
    static char path[2][160];
    static unsigned next;
    char *out = path[next++ % 2];
    snprintf(out, sizeof path[0], "%s/%s/%s", world.folder, place_names[place], name);
    return out;
}

static void grant_folder(struct alc_os_linux *system, int32_t handle, int place)
{
    assert_int_equal(alc_os_linux_grant_directory(system, handle, path_of(place, ""), 0), handle);
}

/* Runs a version, or has its mount looked after. */
static alc_status start(int version, int action)
{
    static const struct alc_mounts_keys keys = {.get = get, .get_named = get_named};
    static const struct alc_mounts_watch watch = {.opening = see};
    struct alc_workload_profile profile = alc_workload_interpreted;
    struct alc_os_linux *system;
    uint8_t manifest[512];
    uint8_t request[ALC_UPKEEP_SIZE] = {0};
    size_t outcome_size = 0;
    const size_t size = make_manifest(version, manifest, sizeof manifest);
    profile.decode_manifest = alc_manifest_decode_services;
    assert_int_equal(alc_os_linux_new(NULL, &system), ALC_OK);
    world.over.inner = alc_os_linux_get_os(system);
    assert_true(alc_os_linux_grant_bytes(system, ALC_OS_MANIFEST, manifest, size) >= 0);
    assert_true(
        alc_os_linux_grant_bytes(system, ALC_OS_MODULE, module_bytes, sizeof module_bytes) >= 0);
    assert_true(alc_os_linux_grant_buffer(system, ALC_OS_OUTCOME, &world.outcome,
                                          sizeof world.outcome, &outcome_size) >= 0);
    grant_folder(system, ALC_OS_FIRST_MOUNT, version);
    if (action != 0) {
        request[0] = (uint8_t)action;
        assert_true(alc_os_linux_grant_bytes(system, ALC_OS_UPKEEP, request, sizeof request) >= 0);
        grant_folder(system, ALC_OS_UPKEEP_DIRECTORY, AWAY);
    }
    world.calls_count = 0;
    (void)!alc_mounts_run_from_os(&world.over.os, &profile, &keys, &watch, NULL);
    world.fail_at = 0;
    assert_int_equal(outcome_size, sizeof world.outcome);
    alc_os_linux_free(system);
    return (alc_status)world.outcome.status;
}

/* -- tests -- */

static int setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    snprintf(world.folder, sizeof world.folder, "/tmp/alcove_transfer_XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    for (int i = 0; i < PLACES; i++) {
        assert_int_equal(mkdir(path_of(i, ""), 0700), 0);
    }
    world.random = (struct alc_random){.fill = fill_random};
    assert_int_equal(alc_ec_generate(ALC_CURVE_P256, &world.random, &world.key, &world.public),
                     ALC_OK);
    world.operations = alc_os_over_operations;
    world.operations.write = host_write;
    world.operations.read = host_read;
    world.operations.open_at = host_open_at;
    world.operations.read_at = host_read_at;
    world.operations.write_at = host_write_at;
    world.operations.set_size = host_set_size;
    world.operations.allocate = host_allocate;
    world.operations.sync = host_sync;
    world.operations.rename_at = host_rename_at;
    world.over.os = (struct alc_os){.operations = &world.operations, .context = &world.over};
    assert_int_equal(start(OLD, 0), ALC_OK);
    assert_int_equal(start(OLD, ALC_UPKEEP_EXPORT), ALC_OK);
    world.exported = world.counters;
    assert_int_equal(world.counters.count, 1);
    return 0;
}

static void empty_new(void)
{
    unlink(path_of(NEW, "alcove.seal"));
    unlink(path_of(NEW, "alcove.seal.new"));
}

static int teardown(void **state)
{
    (void)state;
    empty_new();
    unlink(path_of(OLD, "alcove.seal"));
    unlink(path_of(AWAY, "alcove.seal"));
    for (int i = 0; i < PLACES; i++) {
        assert_int_equal(rmdir(path_of(i, "")), 0);
    }
    assert_int_equal(rmdir(world.folder), 0);
    return 0;
}

/* Whether the new version's own counter says that it is on the old one's line. Runs leave a higher
 * generation. */
static bool is_bound(void)
{
    return world.counters.count == 2 && world.counters.rows[1].mark.generation == 1;
}

/* Whether somebody went on from what was exported. */
static bool has_moved(void)
{
    return memcmp(&world.counters.rows[0].mark, &world.exported.rows[0].mark,
                  sizeof world.exported.rows[0].mark) != 0;
}

/* What the host does after the stop: nothing, the unfinished copy as the container, or no container
 * at all. */
enum answer { AS_IT_IS, COPY, NOTHING, ANSWERS };

/* Stops an import at call `at`; true when it was over before that. */
static bool try_stop(uint64_t at, enum answer answer, unsigned *moved_count)
{
    empty_new();
    world.counters = world.exported;
    world.fail_at = at;
    bool is_done = start(NEW, ALC_UPKEEP_IMPORT) == ALC_OK;
    assert_false(has_moved()); /* a copy that nobody has used changes nothing */
    bool was_bound = is_bound();
    if (answer == COPY && access(path_of(NEW, "alcove.seal"), F_OK) != 0) {
        (void)!rename(path_of(NEW, "alcove.seal.new"), path_of(NEW, "alcove.seal"));
    } else if (answer == NOTHING) {
        empty_new();
    }
    alc_status status = start(NEW, 0);
    if (status == ALC_OK) { /* all of it, or a mount of its own */
        assert_int_equal(has_moved(), was_bound);
        assert_int_equal(is_bound(), was_bound);
    } else {
        assert_int_equal(status == ALC_E_POLICY_REFUSED || status == ALC_E_IO_FAILED, 1);
    }
    *moved_count += has_moved();
    bool old_goes_on = start(OLD, ALC_UPKEEP_VERIFY) == ALC_OK;
    assert_int_equal(old_goes_on, !has_moved());
    return is_done;
}

static void test_stopped_at_every_call(void **state)
{
    (void)state;
    for (enum answer answer = AS_IT_IS; answer < ANSWERS; answer++) {
        unsigned moved_count = 0;
        uint64_t at = 1;
        while (!try_stop(at, answer, &moved_count)) {
            at++;
        }
        printf("%d: %llu stops, after %u of them the new version went on\n", answer,
               (unsigned long long)at - 1, moved_count);
        assert_true(at > 20);
        assert_true(answer == NOTHING ? moved_count == 0 : moved_count > 0);
    }
}

/* After a stop the import is made again, and the files are there. */
static void test_again(void **state)
{
    (void)state;
    bool is_done = false;
    for (uint64_t at = 1; !is_done; at++) {
        empty_new();
        world.counters = world.exported;
        world.fail_at = at;
        is_done = start(NEW, ALC_UPKEEP_IMPORT) == ALC_OK;
        if (access(path_of(NEW, "alcove.seal"), F_OK) != 0) {
            assert_int_equal(start(NEW, ALC_UPKEEP_IMPORT), ALC_OK);
        }
        assert_true(is_bound());
        assert_int_equal(start(NEW, 0), ALC_OK);
        assert_true(has_moved());
        assert_int_equal(start(OLD, ALC_UPKEEP_VERIFY), ALC_E_POLICY_REFUSED);
        assert_string_equal(world.outcome.detail,
                            "the sealed mount is older than its witness says");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stopped_at_every_call, setup, teardown),
        cmocka_unit_test_setup_teardown(test_again, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
