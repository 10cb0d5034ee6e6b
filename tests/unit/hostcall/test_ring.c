/* SPDX-License-Identifier: Apache-2.0
 *
 * The boundary between honest sides: word-wise copies, large transfers that are cut, several
 * requests in one exit, several threads on their channels.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "hostcall/hostcall_host.h"
#include "hostcall/outside.h"

/* -- word-wise copies -- */

static void test_copies_of_all_shapes(void **state)
{
    (void)state;
    enum { SIZE = 64, PATTERN = 0x6b };
    static uint8_t outside[SIZE + 16] ALC_ALIGNED(8);
    uint8_t from[SIZE];
    uint8_t to[SIZE + 1];
    for (size_t i = 0; i < SIZE; i++) {
        from[i] = (uint8_t)(i + 1);
    }
    for (size_t size = 0; size <= SIZE; size++) {
        for (size_t cut = 0; cut <= size; cut++) {
            struct alc_outside_writer writer;
            struct alc_outside_reader reader;
            size_t whole = (size + 7) & ~(size_t)7;
            memset(outside, PATTERN, sizeof outside);
            memset(to, PATTERN, sizeof to);
            alc_outside_writer_init(&writer, outside);
            alc_outside_append(&writer, from, cut);
            alc_outside_append(&writer, from + cut, size - cut);
            alc_outside_finish(&writer);
            assert_memory_equal(outside, from, size);
            for (size_t i = size; i < whole; i++) {
                assert_int_equal(outside[i], 0); /* the rest of the last word */
            }
            assert_int_equal(outside[whole], PATTERN);
            alc_outside_reader_init(&reader, outside);
            alc_outside_take(&reader, to, size - cut);
            alc_outside_take(&reader, to + (size - cut), cut);
            assert_memory_equal(to, from, size);
            assert_int_equal(to[size], PATTERN);
        }
    }
}

/* -- both sides in one process -- */

static struct alc_ring_region *region;
static struct alc_hostcall_client client;
static struct alc_hostcall_server servers[ALC_LIMIT_ENCLAVE_THREADS];
static _Thread_local uint32_t own_index;
static uint64_t leaves_count;

/* A system that checks what arrives: write takes bytes 0, 1, 2, … and read gives them. */
static uint64_t bad_bytes;
static size_t last_spans_size;

static int64_t counting_write(void *context, int32_t handle, const struct alc_span *spans,
                              size_t spans_count)
{
    (void)context;
    assert_int_equal(spans_count, 1);
    last_spans_size = spans[0].size;
    for (size_t i = 0; i < spans[0].size; i++) {
        bad_bytes += spans[0].bytes[i] != (uint8_t)(i + (size_t)handle);
    }
    return (int64_t)spans[0].size;
}

static int64_t counting_read(void *context, int32_t handle, const struct alc_span *spans,
                             size_t spans_count)
{
    (void)context;
    assert_int_equal(spans_count, 1);
    last_spans_size = spans[0].size;
    for (size_t i = 0; i < spans[0].size; i++) {
        spans[0].bytes[i] = (uint8_t)(i + (size_t)handle);
    }
    return (int64_t)spans[0].size;
}

static int64_t echo_clock(void *context, uint32_t clock, uint32_t resolution)
{
    (void)context;
    return (int64_t)clock * 10 + resolution;
}

static int64_t no_entry(void *context, int32_t dir, const uint8_t *path, size_t path_size)
{
    (void)context;
    (void)dir;
    assert_int_equal(path_size, 4);
    assert_memory_equal(path, "name", 4);
    return -ALC_OS_NO_ENTRY;
}

static int64_t check_rename(void *context, int32_t old_dir, const uint8_t *old_path,
                            size_t old_path_size, int32_t new_dir, const uint8_t *new_path,
                            size_t new_path_size)
{
    (void)context;
    assert_int_equal(old_dir, -5);
    assert_int_equal(new_dir, INT32_MAX);
    assert_int_equal(old_path_size, 3);
    assert_memory_equal(old_path, "old", 3);
    assert_int_equal(new_path_size, 11);
    assert_memory_equal(new_path, "longer name", 11);
    return 0;
}

static int64_t check_times(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                           uint32_t follow, uint64_t access_ns, uint64_t modify_ns, uint32_t flags)
{
    (void)context;
    (void)path;
    assert_int_equal(dir, 9);
    assert_int_equal(path_size, 1);
    assert_int_equal(follow, 1);
    assert_true(access_ns == UINT64_MAX && modify_ns == UINT64_MAX - 1);
    assert_int_equal(flags, 0xfffffffe);
    return 0;
}

static const struct alc_os_operations outside_operations = {.read = counting_read,
                                                            .write = counting_write,
                                                            .clock_read = echo_clock,
                                                            .unlink_at = no_entry,
                                                            .rename_at = check_rename,
                                                            .set_times_at = check_times};
static const struct alc_os outside_os = {.operations = &outside_operations};
static const struct alc_os_operations inside_operations = {ALC_HOSTCALL_OPERATIONS};

static void leave(void)
{
    __atomic_fetch_add(&leaves_count, 1, __ATOMIC_RELAXED);
    assert_int_equal(alc_hostcall_serve(&servers[own_index]), ALC_OK);
}

static uint32_t thread_index(void)
{
    return own_index;
}

static void give_up(void)
{
    fail();
}

static int setup(void **state)
{
    struct alc_hostcall_environment environment = {
        .leave = leave, .thread_index = thread_index, .give_up = give_up};
    (void)state;
    region = aligned_alloc(ALC_RING_PAGE_SIZE, ALC_RING_REGION_SIZE);
    assert_non_null(region);
    memset(region, 0, ALC_RING_REGION_SIZE);
    alc_hostcall_region_init(region);
    for (uint32_t i = 0; i < ALC_LIMIT_ENCLAVE_THREADS; i++) {
        alc_hostcall_server_init(&servers[i], region, i, &outside_os);
    }
    leaves_count = 0;
    bad_bytes = 0;
    own_index = 0;
    assert_int_equal(
        alc_hostcall_client_init(&client, &environment, (uintptr_t)region, ALC_RING_REGION_SIZE),
        ALC_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(region);
    return 0;
}

static void test_transfers_are_cut(void **state)
{
    (void)state;
    enum { SIZE = ALC_LIMIT_HOSTCALL_BUFFER };
    static uint8_t bytes[SIZE + 10];
    /* Odd pieces, so that no word is whole at a seam; 10 bytes more than the payload takes. */
    struct alc_span spans[] = {{bytes, 3},
                               {bytes + 3, 0},
                               {bytes + 3, 13},
                               {bytes + 16, 100001},
                               {bytes + 100017, SIZE + 10 - 100017}};
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i + 7);
    }
    assert_int_equal(inside_operations.write(&client, 7, spans, 5), SIZE);
    assert_int_equal(last_spans_size, SIZE);
    assert_int_equal(bad_bytes, 0);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(inside_operations.read(&client, 9, spans, 5), SIZE);
    for (size_t i = 0; i < sizeof bytes; i++) {
        assert_int_equal(bytes[i], i < SIZE ? (uint8_t)(i + 9) : 0);
    }
    struct alc_span huge[] = {{bytes, SIZE_MAX}, {bytes, SIZE_MAX}};
    assert_int_equal(inside_operations.read(&client, 1, huge, 2), SIZE);
    assert_int_equal(inside_operations.read(&client, 1, huge, 0), 0);
}

static void test_arguments_arrive(void **state)
{
    (void)state;
    enum { POLLS_TOO_MANY = ALC_LIMIT_HOSTCALL_BUFFER / sizeof(struct alc_os_poll) + 1 };
    uint8_t path[ALC_LIMIT_WASI_PATH_SIZE + 1] = {0};
    assert_int_equal(inside_operations.unlink_at(&client, 3, (const uint8_t *)"name", 4),
                     -ALC_OS_NO_ENTRY);
    assert_int_equal(inside_operations.rename_at(&client, -5, (const uint8_t *)"old", 3, INT32_MAX,
                                                 (const uint8_t *)"longer name", 11),
                     0);
    assert_int_equal(inside_operations.set_times_at(&client, 9, path, 1, 1, UINT64_MAX,
                                                    UINT64_MAX - 1, 0xfffffffe),
                     0);
    uint64_t before = leaves_count;
    assert_int_equal(inside_operations.unlink_at(&client, 3, path, sizeof path),
                     -ALC_OS_NAME_TOO_LONG);
    assert_int_equal(inside_operations.poll(&client, NULL, SIZE_MAX / 8, 0), -ALC_OS_TOO_BIG);
    assert_int_equal(inside_operations.poll(&client, NULL, POLLS_TOO_MANY, 0), -ALC_OS_TOO_BIG);
    assert_int_equal(leaves_count, before);
}

static void test_positions_wrap(void **state)
{
    (void)state;
    client.channels[0].next_seq = UINT32_MAX - 20;
    for (uint32_t i = 0; i < 5 * ALC_RING_SLOTS; i++) {
        assert_int_equal(inside_operations.clock_read(&client, i, 1), i * 10 + 1);
    }
    assert_int_equal(region->channels[0].control.request_tail, 5 * ALC_RING_SLOTS);
    assert_int_equal(region->channels[0].control.completion_head, 5 * ALC_RING_SLOTS);
}

/* Several requests, one exit; answers taken in any order. */
static void test_batch(void **state)
{
    (void)state;
    struct alc_hostcall_call calls[ALC_RING_SLOTS + 1];
    uint32_t seqs[ALC_RING_SLOTS + 1];
    for (uint32_t i = 0; i <= ALC_RING_SLOTS; i++) {
        alc_hostcall_begin(&calls[i], &client, ALC_HOSTCALL_CLOCK_READ);
        alc_hostcall_set_u32(&calls[i], 0, i);
        seqs[i] = alc_hostcall_push(&calls[i]);
    }
    assert_int_equal(seqs[ALC_RING_SLOTS], 0); /* full */
    assert_int_equal(leaves_count, 0);
    alc_hostcall_flush(&client);
    assert_int_equal(leaves_count, 1);
    for (uint32_t i = ALC_RING_SLOTS; i-- != 0;) {
        assert_int_equal(alc_hostcall_take(&calls[i], seqs[i]), i * 10);
        assert_int_equal(alc_hostcall_take(&calls[i], seqs[i]), -ALC_OS_IO); /* once */
    }
    assert_int_equal(inside_operations.clock_read(&client, 4, 0), 40);
}

static void test_batch_shares_the_payload(void **state)
{
    (void)state;
    enum {
        FIRST_SIZE = ALC_LIMIT_HOSTCALL_BUFFER / 4 * 3 + 1
    }; /* seven bytes stay free behind it */
    static uint8_t bytes[ALC_LIMIT_HOSTCALL_BUFFER];
    struct alc_hostcall_call calls[2];
    uint32_t seqs[2];
    struct alc_hostcall_room rooms[2];
    for (uint32_t i = 0; i < 2; i++) {
        alc_hostcall_begin(&calls[i], &client, ALC_HOSTCALL_READ);
        rooms[i] = alc_hostcall_offer(&calls[i], FIRST_SIZE);
        alc_hostcall_set_u32(&calls[i], 0, 5 + i);
        alc_hostcall_set_u32(&calls[i], 4, rooms[i].size);
        seqs[i] = alc_hostcall_push(&calls[i]);
        assert_int_not_equal(seqs[i], 0);
    }
    assert_int_equal(rooms[0].size, FIRST_SIZE);
    assert_int_equal(rooms[1].offset, FIRST_SIZE + 7);
    assert_int_equal(rooms[1].size, ALC_LIMIT_HOSTCALL_BUFFER - FIRST_SIZE - 7);
    alc_hostcall_flush(&client);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(alc_hostcall_take(&calls[i], seqs[i]), rooms[i].size);
        alc_hostcall_fetch(&calls[i], rooms[i], 0, bytes, rooms[i].size);
        for (uint32_t j = 0; j < rooms[i].size; j++) {
            assert_int_equal(bytes[j], (uint8_t)(j + 5 + i));
        }
    }
}

static void *call_from_thread(void *argument)
{
    static _Thread_local uint8_t bytes[5000];
    own_index = (uint32_t)(uintptr_t)argument;
    uint64_t bad = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        struct alc_span span = {bytes, sizeof bytes};
        int32_t handle = (int32_t)(own_index * 10 + i);
        bad += inside_operations.read(&client, handle, &span, 1) != (int64_t)sizeof bytes;
        bad += bytes[0] != (uint8_t)handle || bytes[4999] != (uint8_t)(handle + 4999);
    }
    return (void *)(uintptr_t)bad;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[ALC_LIMIT_ENCLAVE_THREADS];
    for (uintptr_t i = 0; i < ALC_LIMIT_ENCLAVE_THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, call_from_thread, (void *)i), 0);
    }
    for (uintptr_t i = 0; i < ALC_LIMIT_ENCLAVE_THREADS; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(alc_hostcall_name(ALC_HOSTCALL_READ), "read");
    assert_string_equal(alc_hostcall_name(ALC_HOSTCALL_YIELD), "yield");
    assert_string_equal(alc_hostcall_name(0), "unknown");
    assert_string_equal(alc_hostcall_name(ALC_HOSTCALL_OPS), "unknown");
}

#define TEST(function) {#function, function, setup, teardown, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_copies_of_all_shapes),
        TEST(test_transfers_are_cut),
        TEST(test_arguments_arrive),
        TEST(test_positions_wrap),
        TEST(test_batch),
        TEST(test_batch_shares_the_payload),
        TEST(test_threads),
        TEST(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
