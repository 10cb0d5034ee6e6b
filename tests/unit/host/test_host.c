/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks of guest pointers at the edges of a 4 GiB memory, of which only address space exists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "exec/memory.h"
#include "host/host.h"

#define FOUR_GIB (UINT64_C(1) << 32)

static struct alc_memory memory;
static uint64_t scratch_bytes[8192];
static struct alc_arena scratch;
static struct alc_host_context context = {.scratch = &scratch};
static struct alc_host_call call = {.memory = &memory, .context = &context};

static int start(void **state)
{
    (void)state;
    memory.base = mmap(NULL, FOUR_GIB, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(memory.base, MAP_FAILED);
    memory.size = FOUR_GIB;
    alc_arena_init(&scratch, scratch_bytes, sizeof scratch_bytes);
    return 0;
}

static int end(void **state)
{
    (void)state;
    return munmap(memory.base, FOUR_GIB);
}

static void test_ranges(void **state)
{
    (void)state;
    struct alc_guest_buffer buffer;
    assert_int_equal(alc_host_borrow(&call, UINT32_MAX, 1, 1, &buffer), ALC_HOST_FAULT_NONE);
    assert_ptr_equal(buffer.bytes, memory.base + UINT32_MAX);
    assert_int_equal(alc_host_borrow(&call, UINT32_MAX, 2, 1, &buffer), ALC_HOST_FAULT_POINTER);
    assert_int_equal(alc_host_borrow(&call, 0, UINT32_MAX, 1, &buffer), ALC_HOST_FAULT_NONE);
    assert_int_equal(alc_host_borrow(&call, 0, UINT32_MAX, 48, &buffer), ALC_HOST_FAULT_POINTER);
    assert_int_equal(alc_host_borrow(&call, 0, UINT64_MAX, 48, &buffer), ALC_HOST_FAULT_POINTER);
    memory.size = 0;
    assert_int_equal(alc_host_borrow(&call, 0, 0, 1, &buffer), ALC_HOST_FAULT_NONE);
    assert_int_equal(alc_host_borrow(&call, 1, 0, 1, &buffer), ALC_HOST_FAULT_POINTER);
    struct alc_host_call without = {.memory = NULL, .context = &context};
    assert_int_equal(alc_host_borrow(&without, 0, 0, 1, &buffer), ALC_HOST_FAULT_POINTER);
}

static void test_copies_stay(void **state)
{
    (void)state;
    struct alc_guest_bytes bytes;
    memcpy(memory.base + 100, "text", 4);
    assert_int_equal(alc_host_copy(&call, 100, 4, 1, &bytes), ALC_HOST_FAULT_NONE);
    memory.base[100] = 'x';
    assert_memory_equal(bytes.bytes, "text", 4);
    assert_int_equal(alc_host_copy(&call, 0, sizeof scratch_bytes + 1, 1, &bytes),
                     ALC_HOST_FAULT_NO_ROOM);
}

static void test_spans_sum_to_less_than_4_gib(void **state)
{
    (void)state;
    struct alc_guest_spans spans;
    for (uint32_t i = 0; i < 3; i++) {
        alc_store_u32(memory.base + 8 * i, 0);
        alc_store_u32(memory.base + 8 * i + 4, 0xfffffff0);
    }
    assert_int_equal(alc_host_copy_spans(&call, 0, 3, &spans), ALC_HOST_FAULT_NONE);
    assert_int_equal(spans.count, 3);
    assert_int_equal(spans.spans[0].size, 0xfffffff0);
    assert_int_equal(spans.spans[1].size, 0xf);
    assert_int_equal(spans.spans[2].size, 0);
    assert_int_equal(spans.size, UINT32_MAX);
    /* Also what is cut away must have been inside. */
    alc_store_u32(memory.base + 16, 0x20);
    assert_int_equal(alc_host_copy_spans(&call, 0, 3, &spans), ALC_HOST_FAULT_POINTER);
}

static void test_paths(void **state)
{
    (void)state;
    struct alc_guest_bytes path;
    memcpy(memory.base, "ab\0\xff", 4);
    assert_int_equal(alc_host_copy_path(&call, 0, 2, &path), ALC_HOST_FAULT_NONE);
    assert_int_equal(alc_host_copy_path(&call, 0, 3, &path), ALC_HOST_FAULT_VALUE);
    assert_int_equal(alc_host_copy_path(&call, 3, 1, &path), ALC_HOST_FAULT_TEXT);
    assert_int_equal(alc_host_copy_path(&call, 0, 0, &path), ALC_HOST_FAULT_NONE);
    assert_int_equal(path.size, 0);
    assert_int_equal(alc_host_copy_path(&call, 0, ALC_LIMIT_WASI_PATH_SIZE + 1, &path),
                     ALC_HOST_FAULT_TOO_LONG);
}

static void test_results_are_zeroed(void **state)
{
    (void)state;
    void *room = NULL;
    static uint64_t dirty[16];
    memset(dirty, 0xee, sizeof dirty);
    alc_arena_init(&scratch, dirty, sizeof dirty);
    assert_int_equal(alc_host_take_results(&call, 3, 8, &room), ALC_HOST_FAULT_NONE);
    static const uint8_t zeros[24];
    assert_memory_equal(room, zeros, 24);
    assert_int_equal(alc_host_take_results(&call, UINT64_MAX, 8, &room), ALC_HOST_FAULT_NO_ROOM);
}

static void test_stop_is_reported(void **state)
{
    (void)state;
    struct alc_error error;
    alc_error_clear(&error);
    struct alc_host_call stopping = {.context = &context, .error = &error};
    assert_int_equal(alc_host_stop(&stopping, ALC_OK), ALC_OK);
    assert_int_equal(error.status, ALC_OK);
    assert_int_equal(alc_host_stop(&stopping, ALC_E_EXIT), ALC_E_EXIT);
    assert_int_equal(error.status, ALC_E_EXIT);
}

#define HOST_TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(test_ranges),
        HOST_TEST(test_copies_stay),
        HOST_TEST(test_spans_sum_to_less_than_4_gib),
        HOST_TEST(test_paths),
        HOST_TEST(test_results_are_zeroed),
        HOST_TEST(test_stop_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
