/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows by hand: every kind of step at its edge, what is stored after success, and that nothing is
 * stored and no body runs when an argument is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "exec/memory.h"
#include "host/run.h"

enum { MEMORY_SIZE = 4096, REFUSED = 21, BAD_VALUE = 28, NO_HANDLE = 8 };

struct item {
    uint8_t kind;
    uint64_t number;
};

static uint8_t memory_bytes[MEMORY_SIZE];
static struct alc_memory memory = {.base = memory_bytes, .size = MEMORY_SIZE};
static uint64_t scratch_bytes[1024];
static struct alc_arena scratch;
static struct alc_host_context context = {.scratch = &scratch};
static size_t bodies_count;
static uint16_t next_result;
static alc_status next_status;
static uint64_t asked_rights;

static const uint8_t layouts[] = {
    16, sizeof(struct item),           2, 0, offsetof(struct item, kind), 1,
    4,  offsetof(struct item, number), 8,
};
static const uint16_t refusals[] = {
    [ALC_HOST_FAULT_POINTER] = REFUSED, [ALC_HOST_FAULT_VALUE] = BAD_VALUE,
    [ALC_HOST_FAULT_TEXT] = REFUSED,    [ALC_HOST_FAULT_TOO_LONG] = REFUSED,
    [ALC_HOST_FAULT_NO_ROOM] = REFUSED,
};

static uint16_t get_handle(void *context_, uint32_t number, uint64_t rights, void **out)
{
    asked_rights = rights;
    *out = context_;
    return number == 7 ? 0 : NO_HANDLE;
}

static uint64_t ask(const void *context_, uint8_t what)
{
    (void)context_;
    return what;
}

static uint64_t last_numbers[4];

static uint16_t note_numbers(void *context_, union alc_host_value *values)
{
    (void)context_;
    bodies_count++;
    for (size_t i = 0; i < 4; i++) {
        last_numbers[i] = values[i].number;
    }
    return next_result;
}

/* Runs one row on `slots`; the result of the call. */
static uint64_t run(const uint8_t *steps, alc_host_body *body, const uint64_t *slots)
{
    static const uint16_t starts[] = {0};
    static const struct alc_host_export export = {.name = "row"};
    static const struct alc_host_module module = {"rows", &export, 1};
    const struct alc_host_rows rows = {.module = &module,
                                       .bodies = &body,
                                       .steps = steps,
                                       .starts = starts,
                                       .layouts = layouts,
                                       .refusals = refusals,
                                       .get_handle = get_handle,
                                       .ask = ask};
    uint64_t frame[8] = {0};
    struct alc_error error = {0};
    struct alc_host_call call = {
        .memory = &memory, .callee = &export, .context = &context, .slots = frame, .error = &error};
    memcpy(frame, slots, 4 * sizeof *slots);
    alc_arena_init(&scratch, scratch_bytes, sizeof scratch_bytes);
    bodies_count = 0;
    assert_int_equal(alc_host_run(&call, &rows), next_status);
    return frame[0];
}

static int start(void **state)
{
    (void)state;
    memset(memory_bytes, 0xaa, sizeof memory_bytes);
    next_result = 0;
    next_status = ALC_OK;
    return 0;
}

static void test_values(void **state)
{
    (void)state;
    static const uint8_t steps[] = {ALC_HOST_FLAGS, 3,  ALC_HOST_ENUM,   4,
                                    ALC_HOST_MASK,  30, ALC_HOST_NUMBER, ALC_HOST_END};
    assert_int_equal(run(steps, note_numbers, (uint64_t[]){7, 4, UINT64_MAX, UINT64_MAX}), 0);
    assert_int_equal(last_numbers[2], (1 << 30) - 1);
    assert_int_equal(last_numbers[3], UINT64_MAX);
    /* Only the low half of a slot counts. */
    assert_int_equal(run(steps, note_numbers, (uint64_t[]){UINT64_C(1) << 32, 4, 0, 0}), 0);
    assert_int_equal(bodies_count, 1);
    assert_int_equal(run(steps, note_numbers, (uint64_t[]){8, 4, 0, 0}), BAD_VALUE);
    assert_int_equal(run(steps, note_numbers, (uint64_t[]){UINT32_MAX, 4, 0, 0}), BAD_VALUE);
    assert_int_equal(run(steps, note_numbers, (uint64_t[]){7, 5, 0, 0}), BAD_VALUE);
    assert_int_equal(bodies_count, 0);
    static const uint8_t limited[] = {ALC_HOST_LIMIT,  1,           0, 1, ALC_HOST_NUMBER,
                                      ALC_HOST_NUMBER, ALC_HOST_END};
    assert_int_equal(run(limited, note_numbers, (uint64_t[]){9, 256, 0, 0}), 0);
    assert_int_equal(run(limited, note_numbers, (uint64_t[]){9, 257, 0, 0}), BAD_VALUE);
}

static void test_handles(void **state)
{
    (void)state;
    static const uint8_t steps[] = {ALC_HOST_HANDLE, 2, 1, 29, ALC_HOST_END};
    assert_int_equal(run(steps, note_numbers, (uint64_t[]){7, 0, 0, 0}), 0);
    assert_int_equal(asked_rights, UINT64_C(1) << 29 | 2);
    assert_int_equal(run(steps, note_numbers, (uint64_t[]){6, 0, 0, 0}), NO_HANDLE);
    assert_int_equal(bodies_count, 0);
}

static uint16_t give_struct(void *context_, union alc_host_value *values)
{
    (void)context_;
    bodies_count++;
    struct item *item = values[0].items.first;
    assert_int_equal(item->number, 0);
    memset(item, 0xff, sizeof *item); /* what lies between the fields, too */
    item->kind = 3;
    item->number = 5;
    assert_int_equal(values[1].u32, 0);
    values[1].u32 = 0x01020304;
    return next_result;
}

static void test_results(void **state)
{
    (void)state;
    static const uint8_t steps[] = {ALC_HOST_STRUCT_OUT, 0, ALC_HOST_OUT, 4, ALC_HOST_END};
    static const uint8_t stored[16] = {3, 0, 0, 0, 5};
    assert_int_equal(run(steps, give_struct, (uint64_t[]){MEMORY_SIZE - 16, 1, 0, 0}), 0);
    assert_memory_equal(memory_bytes + MEMORY_SIZE - 16, stored, sizeof stored);
    static const uint8_t number[6] = {0xaa, 4, 3, 2, 1, 0xaa};
    assert_memory_equal(memory_bytes, number, sizeof number);
    /* Nothing is stored when the body fails, and no body runs when a place is bad. */
    start(NULL);
    next_result = 44;
    assert_int_equal(run(steps, give_struct, (uint64_t[]){0, 64, 0, 0}), 44);
    assert_int_equal(memory_bytes[0], 0xaa);
    assert_int_equal(memory_bytes[64], 0xaa);
    assert_int_equal(run(steps, give_struct, (uint64_t[]){MEMORY_SIZE - 15, 1, 0, 0}), REFUSED);
    assert_int_equal(run(steps, give_struct, (uint64_t[]){0, MEMORY_SIZE - 3, 0, 0}), REFUSED);
    assert_int_equal(bodies_count, 0);
}

static uint16_t copy_items(void *context_, union alc_host_value *values)
{
    (void)context_;
    const struct item *from = values[0].items.first;
    struct item *to = values[1].items.first;
    assert_int_equal(values[0].items.count, 3);
    memcpy(to, from, 2 * sizeof *to);
    values[3].u32 = 2;
    values[4].status = next_status;
    values[5].u16 = next_result;
    return values[5].u16;
}

static void test_items(void **state)
{
    (void)state;
    static const uint8_t steps[] = {
        ALC_HOST_ITEMS_IN, 0, 2, ALC_HOST_ITEMS_OUT, 0, 2, 3, ALC_HOST_NUMBER, ALC_HOST_OUT, 4,
        ALC_HOST_END_STOP};
    const uint64_t slots[] = {0, 1024, 3, 2048};
    assert_int_equal(run(steps, copy_items, slots), 0);
    assert_int_equal(memory_bytes[1024], 0xaa); /* a field */
    assert_int_equal(memory_bytes[1025], 0);    /* between fields */
    assert_int_equal(memory_bytes[1024 + 16 + 4], 0xaa);
    assert_int_equal(memory_bytes[1024 + 16 + 12], 0);
    assert_int_equal(memory_bytes[1024 + 32 + 1], 0xaa); /* the third was not used */
    assert_int_equal(memory_bytes[2048], 2);
    assert_int_equal(run(steps, copy_items, (uint64_t[]){0, 1024, UINT32_MAX, 2048}), REFUSED);
    start(NULL);
    next_status = ALC_E_EXIT;
    run(steps, copy_items, slots);
    assert_int_equal(memory_bytes[2048], 0xaa);
}

static uint16_t note_sizes(void *context_, union alc_host_value *values)
{
    (void)context_;
    last_numbers[0] = values[0].buffer.size;
    last_numbers[1] = values[1].buffer.size;
    return next_result;
}

static void test_counts(void **state)
{
    (void)state;
    static const uint8_t steps[] = {ALC_HOST_BUFFER, ALC_HOST_COUNT_ASK | 5,     4,
                                    ALC_HOST_BUFFER, ALC_HOST_COUNT_LITERAL | 9, 1,
                                    ALC_HOST_END};
    assert_int_equal(run(steps, note_sizes, (uint64_t[]){MEMORY_SIZE - 20, 0, 0, 0}), 0);
    assert_int_equal(last_numbers[0], 20);
    assert_int_equal(last_numbers[1], 9);
    assert_int_equal(run(steps, note_sizes, (uint64_t[]){MEMORY_SIZE - 19, 0, 0, 0}), REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_values, start),  cmocka_unit_test_setup(test_handles, start),
        cmocka_unit_test_setup(test_results, start), cmocka_unit_test_setup(test_items, start),
        cmocka_unit_test_setup(test_counts, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
