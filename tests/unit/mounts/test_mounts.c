/* SPDX-License-Identifier: Apache-2.0
 *
 * Workloads over sealed mounts: what is told when a mount cannot be opened, when the disk fails at
 * the end, and that whoever cannot seal refuses. The workload is the smallest module with a start
 * function.
 */
#include <sys/mman.h>

#include "mounts/mounts.h"
#include "unit/seal/seal_disk.h"

/* (module
 *   (import "wasi_snapshot_preview1" "path_open" (func $open ...))
 *   (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
 *   (memory (export "memory") 1) (data (i32.const 8) "f")
 *   (func (export "_start")  ;; makes the file "f" in the first mount, and yields
 *     (if (call $open (i32.const 3) (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 1)
 *           (i64.const 64) (i64.const 64) (i32.const 0) (i32.const 16)) (then unreachable))
 *     (if (call $yield) (then unreachable)))) */
static const uint8_t module_bytes[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x15, 0x03, 0x60, 0x09, 0x7f, 0x7f, 0x7f,
    0x7f, 0x7f, 0x7e, 0x7e, 0x7f, 0x7f, 0x01, 0x7f, 0x60, 0x00, 0x01, 0x7f, 0x60, 0x00, 0x00, 0x02,
    0x49, 0x02, 0x16, 0x77, 0x61, 0x73, 0x69, 0x5f, 0x73, 0x6e, 0x61, 0x70, 0x73, 0x68, 0x6f, 0x74,
    0x5f, 0x70, 0x72, 0x65, 0x76, 0x69, 0x65, 0x77, 0x31, 0x09, 0x70, 0x61, 0x74, 0x68, 0x5f, 0x6f,
    0x70, 0x65, 0x6e, 0x00, 0x00, 0x16, 0x77, 0x61, 0x73, 0x69, 0x5f, 0x73, 0x6e, 0x61, 0x70, 0x73,
    0x68, 0x6f, 0x74, 0x5f, 0x70, 0x72, 0x65, 0x76, 0x69, 0x65, 0x77, 0x31, 0x0b, 0x73, 0x63, 0x68,
    0x65, 0x64, 0x5f, 0x79, 0x69, 0x65, 0x6c, 0x64, 0x00, 0x01, 0x03, 0x02, 0x01, 0x02, 0x05, 0x03,
    0x01, 0x00, 0x01, 0x07, 0x13, 0x02, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00, 0x06,
    0x5f, 0x73, 0x74, 0x61, 0x72, 0x74, 0x00, 0x02, 0x0a, 0x24, 0x01, 0x22, 0x00, 0x41, 0x03, 0x41,
    0x00, 0x41, 0x08, 0x41, 0x01, 0x41, 0x01, 0x42, 0xc0, 0x00, 0x42, 0xc0, 0x00, 0x41, 0x00, 0x41,
    0x10, 0x10, 0x00, 0x04, 0x40, 0x00, 0x0b, 0x10, 0x01, 0x04, 0x40, 0x00, 0x0b, 0x0b, 0x0b, 0x07,
    0x01, 0x00, 0x41, 0x08, 0x0b, 0x01, 0x66, 0x00, 0x15, 0x04, 0x6e, 0x61, 0x6d, 0x65, 0x01, 0x0e,
    0x02, 0x00, 0x04, 0x6f, 0x70, 0x65, 0x6e, 0x01, 0x05, 0x79, 0x69, 0x65, 0x6c, 0x64};

static struct {
    struct disk disk;
    struct alc_os_operations operations;
    struct alc_os os;
    uint8_t manifest[512];
    size_t manifest_size;
    struct alc_outcome outcome;
    size_t outcome_size;
    char line[256];
    uint8_t key_byte;
    uint8_t workload_id[ALC_SHA256_SIZE];
    bool fails_from_yield; /* the disk, when the program has made its file */
} world;

static int64_t stat_granted(void *context, int32_t handle, struct alc_os_stat *out)
{
    if (handle == ALC_OS_MANIFEST || handle == ALC_OS_MODULE) {
        *out = (struct alc_os_stat){.type = ALC_OS_TYPE_REGULAR_FILE,
                                    .size = handle == ALC_OS_MODULE ? sizeof module_bytes
                                                                    : world.manifest_size};
        return 0;
    }
    return disk_operations.stat(context, handle, out);
}

static int64_t read_granted(void *context, int32_t handle, const struct alc_span *spans,
                            size_t spans_count, uint64_t offset)
{
    if (handle != ALC_OS_MANIFEST && handle != ALC_OS_MODULE) {
        return disk_operations.read_at(context, handle, spans, spans_count, offset);
    }
    const uint8_t *bytes = handle == ALC_OS_MODULE ? module_bytes : world.manifest;
    memcpy(spans[0].bytes, bytes + offset, spans[0].size);
    return (int64_t)spans[0].size;
}

static int64_t write_granted(void *context, int32_t handle, const struct alc_span *spans,
                             size_t spans_count)
{
    (void)context, (void)spans_count;
    if (handle == ALC_OS_STDERR) {
        assert_true(spans[0].size < sizeof world.line);
        memcpy(world.line, spans[0].bytes, spans[0].size);
        world.line[spans[0].size] = '\0';
        return (int64_t)spans[0].size;
    }
    assert_int_equal(handle, ALC_OS_OUTCOME);
    assert_int_equal(spans[0].size, sizeof world.outcome);
    memcpy(&world.outcome, spans[0].bytes, spans[0].size);
    world.outcome_size += spans[0].size;
    return (int64_t)spans[0].size;
}

static int64_t yield(void *context)
{
    (void)context;
    if (world.fails_from_yield) {
        world.disk.fail_at = 1;
    }
    return 0;
}

static void *reserve_pages(void *context, size_t size)
{
    (void)context;
    void *addr = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return addr == MAP_FAILED ? NULL : addr;
}

static int64_t commit_pages(void *context, void *addr, size_t size)
{
    (void)context;
    return mprotect(addr, size, PROT_READ | PROT_WRITE) == 0 ? 0 : -ALC_OS_NO_MEMORY;
}

static void release_pages(void *context, void *addr, size_t size)
{
    (void)context;
    munmap(addr, size);
}

static void set_thread_body(void *context, alc_os_thread_body *body, void *argument)
{
    (void)context, (void)body, (void)argument;
}

static alc_status get_key(void *context, enum alc_mount_policy policy,
                          const uint8_t workload_id[ALC_SHA256_SIZE],
                          const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          uint8_t key[ALC_SEAL_KEY_SIZE])
{
    (void)policy;
    (void)context, (void)key_id;
    memcpy(world.workload_id, workload_id, ALC_SHA256_SIZE);
    memset(key, world.key_byte, ALC_SEAL_KEY_SIZE);
    return ALC_OK;
}

static int setup(void **state)
{
    (void)state;
    disk_fini(&world.disk);
    memset(&world, 0, sizeof world);
    disk_init(&world.disk);
    world.operations = disk_operations;
    world.operations.stat = stat_granted;
    world.operations.read_at = read_granted;
    world.operations.write = write_granted;
    world.operations.yield = yield;
    world.operations.pages_reserve = reserve_pages;
    world.operations.pages_commit = commit_pages;
    world.operations.pages_release = release_pages;
    world.operations.set_thread_body = set_thread_body;
    world.os = (struct alc_os){.operations = &world.operations, .context = &world.disk};
    struct alc_mount mount = {.guest_path = {(const uint8_t *)"/data", 5},
                              .flags = ALC_MOUNT_SEALED};
    struct alc_string name = {(const uint8_t *)"x.wasm", 6};
    struct alc_manifest manifest = {
        .arguments = &name, .arguments_count = 1, .mounts = &mount, .mounts_count = 1};
    alc_sha256(module_bytes, sizeof module_bytes, manifest.module_sha256);
    assert_int_equal(
        alc_manifest_encode(&manifest, world.manifest, sizeof world.manifest, &world.manifest_size),
        ALC_OK);
    return 0;
}

/* Told before any mount is opened. */
static alc_status on_opening(void *context, const uint8_t workload_id[ALC_SHA256_SIZE])
{
    uint8_t expected[ALC_SHA256_SIZE];
    (void)context;
    alc_sha256(world.manifest, world.manifest_size, expected);
    assert_memory_equal(workload_id, expected, sizeof expected);
    return ALC_OK;
}

static alc_status run(void)
{
    const struct alc_mounts_keys keys = {.get = get_key};
    const struct alc_mounts_watch watch = {.opening = on_opening};
    world.outcome_size = 0;
    return alc_mounts_run_from_os(&world.os, &alc_workload_interpreted, &keys, &watch, NULL);
}

static void test_runs_twice(void **state)
{
    uint8_t id[ALC_SHA256_SIZE];
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run(), ALC_OK);
        assert_int_equal(world.outcome_size, sizeof world.outcome);
        assert_int_equal(world.outcome.status, ALC_OK);
        assert_int_equal(world.outcome.phase, ALC_PHASE_DONE);
    }
    alc_sha256(world.manifest, world.manifest_size, id);
    assert_memory_equal(world.workload_id, id, sizeof id);
    assert_true(world.disk.syncs_count > 0);
    assert_string_equal(world.line, "");
}

static void test_another_key(void **state)
{
    (void)state;
    assert_int_equal(run(), ALC_OK);
    world.key_byte = 1;
    assert_int_equal(run(), ALC_E_POLICY_REFUSED);
    assert_int_equal(world.outcome.status, ALC_E_POLICY_REFUSED);
    assert_int_equal(world.outcome.phase, ALC_PHASE_MANIFEST);
    assert_int_equal(world.outcome.exit_code, 3);
    assert_non_null(strstr(world.line, "alcove: sealed mount: "));
    assert_int_equal(world.line[strlen(world.line) - 1], '\n');
}

/* The same manifest without this room. */
static void test_plain_workload_refuses(void **state)
{
    (void)state;
    assert_int_equal(alc_workload_run_from_os(&world.os, &alc_workload_interpreted, NULL),
                     ALC_E_NOT_SUPPORTED);
    assert_int_equal(world.outcome.status, ALC_E_NOT_SUPPORTED);
    assert_false(world.disk.exists);
}

static void test_failing_disk(void **state)
{
    (void)state;
    world.disk.fail_at = 1;
    assert_int_equal(run(), ALC_E_IO_FAILED);
    assert_int_equal(world.outcome.status, ALC_E_IO_FAILED);
}

/* The program ended well; what it wrote did not reach the disk. */
static void test_disk_fails_at_the_end(void **state)
{
    (void)state;
    world.fails_from_yield = true;
    (void)run();
    assert_int_equal(world.outcome_size, sizeof world.outcome);
    assert_int_equal(world.outcome.status, ALC_E_IO_FAILED);
    assert_int_equal(world.outcome.exit_code, 1);
    assert_int_equal(world.outcome.phase, ALC_PHASE_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_runs_twice, setup),
        cmocka_unit_test_setup(test_another_key, setup),
        cmocka_unit_test_setup(test_plain_workload_refuses, setup),
        cmocka_unit_test_setup(test_failing_disk, setup),
        cmocka_unit_test_setup(test_disk_fails_at_the_end, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
