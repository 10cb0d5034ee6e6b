/* SPDX-License-Identifier: Apache-2.0
 *
 * Atomic operations in all widths, waiting and waking across real threads, growth of a shared
 * memory that another thread sees, the end of a program's threads.
 */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "exec_fixture.h"

#include "base/bytes.h"
#include "exec/waiting.h"
#include "wasm/ops.h"

enum { I32 = 0x7f, I64 = 0x7e, THREADS_MAX = 8 };

/* -- sleeping, for tests -- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_woken[THREADS_MAX];
    unsigned sleeps;
    unsigned hints; /* sleeps that end for no reason, before any that waits */
} sleeper = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static uint64_t now_ns(void *context)
{
    struct timespec time;
    (void)context;
    clock_gettime(CLOCK_REALTIME, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void sleep_here(void *context, uint32_t thread, int64_t timeout_ns)
{
    uint64_t end = now_ns(context) + (uint64_t)timeout_ns;
    struct timespec time = {.tv_sec = (time_t)(end / 1000000000u),
                            .tv_nsec = (long)(end % 1000000000u)};
    pthread_mutex_lock(&sleeper.lock);
    sleeper.sleeps++;
    if (sleeper.hints != 0) {
        sleeper.hints--;
        pthread_mutex_unlock(&sleeper.lock);
        return;
    }
    int result = 0;
    while (!sleeper.is_woken[thread] && result == 0) {
        result = timeout_ns < 0 ? pthread_cond_wait(&sleeper.changed, &sleeper.lock)
                                : pthread_cond_timedwait(&sleeper.changed, &sleeper.lock, &time);
    }
    sleeper.is_woken[thread] = false;
    pthread_mutex_unlock(&sleeper.lock);
}

static void wake_there(void *context, uint32_t thread)
{
    (void)context;
    pthread_mutex_lock(&sleeper.lock);
    sleeper.is_woken[thread] = true;
    pthread_cond_broadcast(&sleeper.changed);
    pthread_mutex_unlock(&sleeper.lock);
}

static const struct alc_sleep_functions functions = {
    .sleep = sleep_here, .wake = wake_there, .now_ns = now_ns};
static struct alc_waiting waiting;

static int set_up(void **state)
{
    (void)state;
    alc_waiting_init(&waiting, &functions, 0);
    memset(sleeper.is_woken, 0, sizeof sleeper.is_woken);
    sleeper.sleeps = sleeper.hints = 0;
    fixture_store(&(struct alc_store_options){.waiting = &waiting});
    return 0;
}

#define ATOMIC_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

/* -- a module around one instruction -- */

static uint8_t module_bytes[256];
static size_t module_size;

static void put(uint8_t byte)
{
    module_bytes[module_size++] = byte;
}

static uint8_t type_of(unsigned letter)
{
    return letter == ALC_LETTER_L ? I64 : I32;
}

/* Type section with the function type of the instruction. */
static unsigned put_type(const struct alc_op_info *info)
{
    unsigned count = 0;
    unsigned result = alc_signature_result(info->signature);
    while (count < 3 && alc_signature_operand(info->signature, count) != ALC_LETTER_NONE) {
        count++;
    }
    put(1);
    put((uint8_t)(4 + count + (result != ALC_LETTER_NONE)));
    put(1);
    put(0x60);
    put((uint8_t)count);
    for (unsigned i = 0; i < count; i++) {
        put(type_of(alc_signature_operand(info->signature, i)));
    }
    put(result != ALC_LETTER_NONE);
    if (result != ALC_LETTER_NONE) {
        put(type_of(result));
    }
    return count;
}

/* (memory 1 2 shared?) (func (export "f") (export "m" memory) operands, instruction) */
static struct alc_instance *make(uint8_t number, bool is_shared)
{
    static const uint8_t head[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    static const uint8_t exports[] = {7, 9, 2, 1, 'f', 0, 0, 1, 'm', 2, 0};
    const struct alc_op_info *info = &alc_op_infos[alc_op_find_prefixed(0xfe, number)];
    struct alc_instance *instance;
    module_size = 0;
    for (size_t i = 0; i < sizeof head; i++) {
        put(head[i]);
    }
    unsigned count = put_type(info);
    put(3), put(2), put(1), put(0);
    put(5), put(4), put(1), put(is_shared ? 3 : 1), put(1), put(2);
    for (size_t i = 0; i < sizeof exports; i++) {
        put(exports[i]);
    }
    put(10), put((uint8_t)(8 + 2 * count)), put(1), put((uint8_t)(6 + 2 * count)), put(0);
    for (uint8_t i = 0; i < count; i++) {
        put(0x20), put(i);
    }
    put(0xfe), put(number), put((uint8_t)(info->immediate - ALC_IMM_MEM0)), put(0), put(0x0b);
    uint8_t *kept = ALC_ARENA_ARRAY(&fixture_arena, uint8_t, module_size); /* as long as it runs */
    memcpy(kept, module_bytes, module_size);
    assert_int_equal(fixture_instantiate(kept, module_size, &instance), ALC_OK);
    return instance;
}

static alc_status call(struct alc_instance *instance, uint64_t a, uint64_t b, uint64_t c,
                       uint64_t *result)
{
    struct alc_function *function;
    uint64_t arguments[3] = {a, b, c};
    assert_int_equal(alc_export_find_function(instance, ALC_NAME_OF("f"), &function), ALC_OK);
    alc_error_clear(&error);
    return alc_invoke(instance->store, function, arguments, result, &error);
}

/* -- one thread -- */

static const uint64_t PATTERN = UINT64_C(0x8796a5b4c3d2e1f0);

static uint64_t cut(uint64_t value, unsigned size)
{
    return size == 8 ? value : value & ((UINT64_C(1) << 8 * size) - 1);
}

/* What must stand in the cell afterwards; `old` and operands are cut to its size. */
static uint64_t expected(unsigned kind, uint64_t old, uint64_t a, uint64_t b)
{
    switch (kind) {
    case 0:
        return old;
    case 1:
    case 7:
        return a;
    case 2:
        return old + a;
    case 3:
        return old - a;
    case 4:
        return old & a;
    case 5:
        return old | a;
    case 6:
        return old ^ a;
    default:
        return old == a ? b : old;
    }
}

/* kind: loads, stores, add, sub, and, or, xor, xchg, cmpxchg as they stand in ops.def. */
static void check_access(uint8_t number, unsigned kind, uint64_t operand)
{
    static const uint8_t sizes[7] = {4, 8, 1, 2, 1, 2, 4};
    unsigned size = sizes[(number - 0x10) % 7];
    uint64_t type_mask =
        (number - 0x10) % 7 == 1 || (number - 0x10) % 7 > 3 ? UINT64_MAX : UINT32_MAX;
    struct alc_instance *instance = make(number, true);
    uint8_t *base = instance->memory0->base;
    for (unsigned addr = 0; addr < 8; addr += size) {
        uint64_t result = 0;
        uint64_t around = PATTERN;
        uint64_t old = cut(PATTERN >> 8 * addr, size);
        uint64_t desired = UINT64_C(0x1122334455667788);
        alc_store_u64(base + 16, PATTERN);
        assert_int_equal(
            call(instance, 16 + addr, operand & type_mask, desired & type_mask, &result), ALC_OK);
        uint64_t now = cut(expected(kind, old, cut(operand, size), cut(desired, size)), size);
        around ^= (old ^ now) << 8 * addr;
        assert_int_equal(alc_load_u64(base + 16), around);
        if (kind != 1) {
            assert_int_equal(result, old);
        }
    }
    if (size > 1) {
        assert_int_equal(call(instance, 1, 0, 0, (uint64_t[1]){0}), ALC_E_UNALIGNED_ATOMIC);
        assert_int_equal(call(instance, 16 + size / 2, 0, 0, (uint64_t[1]){0}),
                         ALC_E_UNALIGNED_ATOMIC);
    }
    assert_int_equal(call(instance, 65536, 0, 0, (uint64_t[1]){0}), ALC_E_MEMORY_OUT_OF_BOUNDS);
    assert_int_equal(call(instance, 65536 - size, 0, 0, (uint64_t[1]){0}), ALC_OK);
}

static void test_accesses(void **state)
{
    (void)state;
    for (uint8_t number = 0x10; number <= 0x4e; number++) {
        unsigned kind = (number - 0x10u) / 7;
        check_access(number, kind, UINT64_C(0x5a5aa5a5f00ff1f3));
        check_access(number, kind, PATTERN); /* cmpxchg finds it at offset 0 */
        check_access(number, kind, UINT64_MAX);
    }
}

static void test_wait_in_one_thread(void **state)
{
    uint64_t result = 9;
    (void)state;
    struct alc_instance *wait32 = make(1, true);
    struct alc_instance *wait64 = make(2, true);
    alc_store_u64(wait64->memory0->base + 8, PATTERN);
    assert_int_equal(call(wait32, 8, 1, UINT64_MAX, &result), ALC_OK);
    assert_int_equal(result, ALC_WAIT_NOT_EQUAL);
    assert_int_equal(call(wait64, 8, PATTERN ^ UINT64_C(1) << 63, UINT64_MAX, &result), ALC_OK);
    assert_int_equal(result, ALC_WAIT_NOT_EQUAL);
    assert_int_equal(sleeper.sleeps, 0);
    assert_int_equal(call(wait32, 8, 0, 0, &result), ALC_OK); /* no time at all */
    assert_int_equal(result, ALC_WAIT_TIMED_OUT);
    assert_int_equal(sleeper.sleeps, 0);
    /* Whoever ends the sleep for no reason does not end the wait. */
    sleeper.hints = 5;
    uint64_t start = now_ns(NULL);
    assert_int_equal(call(wait64, 8, PATTERN, 20000000, &result), ALC_OK);
    assert_int_equal(result, ALC_WAIT_TIMED_OUT);
    assert_true(now_ns(NULL) - start >= 20000000);
    assert_true(sleeper.sleeps >= 6);
    assert_int_equal(call(wait32, 2, 0, 0, &result), ALC_E_UNALIGNED_ATOMIC);
    assert_int_equal(call(wait64, 4, 0, 0, &result), ALC_E_UNALIGNED_ATOMIC);
    assert_int_equal(call(wait64, 65536, 0, 0, &result), ALC_E_MEMORY_OUT_OF_BOUNDS);
}

static void test_wait_and_notify_without_others(void **state)
{
    uint64_t result = 9;
    (void)state;
    struct alc_instance *unshared = make(1, false);
    assert_int_equal(call(unshared, 8, 0, 0, &result), ALC_E_EXPECTED_SHARED_MEMORY);
    assert_int_equal(call(make(0, false), 8, 1, 0, &result), ALC_OK);
    assert_int_equal(result, 0);
    assert_int_equal(call(make(0, true), 8, 1, 0, &result), ALC_OK);
    assert_int_equal(result, 0);
    assert_int_equal(call(make(0, true), 9, 1, 0, &result), ALC_E_UNALIGNED_ATOMIC);
    struct alc_instance *shared = make(1, true);
    store.thread.waiting = NULL;
    assert_int_equal(call(shared, 8, 0, 0, &result), ALC_E_NOT_SUPPORTED);
}

static void test_deadline_ends_a_wait(void **state)
{
    uint64_t result = 9;
    (void)state;
    struct alc_instance *wait32 = make(1, true);
    waiting.deadline_ns = now_ns(NULL) + 20000000;
    assert_int_equal(call(wait32, 8, 0, UINT64_MAX, &result), ALC_E_DEADLINE);
    assert_true(now_ns(NULL) >= waiting.deadline_ns);
    assert_null(waiting.first);
}

/* -- several threads -- */

/* A store of its own, which shares the memory of the fixture's instance. */
struct other {
    pthread_t thread;
    uint32_t number;
    const char *bytes;
    size_t bytes_size;
    struct alc_memory *memory;
    struct alc_store *store; /* once it runs */
    alc_status status;
    uint64_t result;
};

static void *run_other(void *argument)
{
    struct other *other = argument;
    struct alc_store own_store;
    struct alc_linker own_linker;
    struct alc_arena arena;
    struct alc_error own_error;
    struct alc_module *module;
    struct alc_instance *instance;
    struct alc_function *function;
    size_t size = 1 << 20;
    void *room = malloc(size);
    alc_arena_init(&arena, room, size);
    alc_error_clear(&own_error);
    struct alc_store_options options = {
        .pages = fixture_pages, .stack_slots = 4096, .waiting = &waiting};
    engine_choose(&options);
    assert_int_equal(alc_store_init(&own_store, &arena, &options), ALC_OK);
    own_store.thread.number = other->number;
    alc_linker_init(&own_linker, &own_store);
    const struct alc_external external = {.kind = ALC_EXTERNAL_MEMORY, .memory = other->memory};
    assert_int_equal(
        alc_linker_add_external(&own_linker, ALC_NAME_OF("e"), ALC_NAME_OF("m"), external), ALC_OK);
    assert_int_equal(engine_load(&own_store, &arena, other->bytes, other->bytes_size, false, true,
                                 &module, &own_error),
                     ALC_OK);
    assert_int_equal(
        alc_instantiate(&own_store, &arena, module, &own_linker, &instance, &own_error), ALC_OK);
    assert_int_equal(alc_export_find_function(instance, ALC_NAME_OF("f"), &function), ALC_OK);
    __atomic_store_n(&other->store, &own_store, __ATOMIC_RELEASE);
    other->status = alc_invoke(&own_store, function, NULL, &other->result, &own_error);
    alc_store_fini(&own_store);
    free(room);
    return NULL;
}

static void start_other(struct other *other, uint32_t number, const char *bytes, size_t bytes_size,
                        struct alc_memory *memory)
{
    *other = (struct other){
        .number = number, .bytes = bytes, .bytes_size = bytes_size, .memory = memory};
    assert_int_equal(pthread_create(&other->thread, NULL, run_other, other), 0);
}

/* (import "e" "m" (memory 1 2 shared)) (func (export "f") (result i32) body); body of 28 bytes. */
#define OTHER_MODULE(body)                                                                         \
    HEADER "\1\5\1\x60\0\1\x7f"                                                                    \
           "\2\x09\1\1e\1m\2\3\1\2"                                                                \
           "\3\2\1\0"                                                                              \
           "\7\5\1\1f\0\0"                                                                         \
           "\x0a\x1e\1\x1c\0" body "\x0b"

static size_t count_waiters(void)
{
    size_t count = 0;
    while (__atomic_exchange_n(&waiting.lock, 1, __ATOMIC_ACQUIRE) != 0) {
    }
    for (const struct alc_waiter *waiter = waiting.first; waiter != NULL; waiter = waiter->next) {
        count++;
    }
    __atomic_store_n(&waiting.lock, 0, __ATOMIC_RELEASE);
    return count;
}

static void wait_for_waiters(size_t count)
{
    while (count_waiters() != count) {
        usleep(1000);
    }
}

static void test_notify_counts(void **state)
{
    /* nop * 16; i32.const 16, i32.const 0, i64.const -1, memory.atomic.wait32 */
    static const char waits[] =
        OTHER_MODULE("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\x41\x10\x41\0\x42\x7f\xfe\1\2\0");
    struct other others[5];
    uint64_t result = 9;
    (void)state;
    struct alc_instance *notify = make(0, true);
    for (uint32_t i = 0; i < 5; i++) { /* one after the other, so that the order is known */
        start_other(&others[i], i + 1, waits, sizeof waits - 1, notify->memory0);
        wait_for_waiters(i + 1);
    }
    assert_int_equal(call(notify, 16, 0, 0, &result), ALC_OK);
    assert_int_equal(result, 0);
    assert_int_equal(call(notify, 20, 5, 0, &result), ALC_OK); /* nobody there */
    assert_int_equal(result, 0);
    assert_int_equal(call(notify, 16, 2, 0, &result), ALC_OK);
    assert_int_equal(result, 2);
    pthread_join(others[0].thread, NULL); /* the first ones first */
    pthread_join(others[1].thread, NULL);
    assert_int_equal(count_waiters(), 3);
    assert_int_equal(call(notify, 16, UINT32_MAX, 0, &result), ALC_OK);
    assert_int_equal(result, 3);
    for (uint32_t i = 0; i < 5; i++) {
        if (i >= 2) {
            pthread_join(others[i].thread, NULL);
        }
        assert_int_equal(others[i].status, ALC_OK);
        assert_int_equal(others[i].result, ALC_WAIT_WOKEN);
    }
}

static void test_growth_is_seen(void **state)
{
    /* loop (i32.atomic.load 0 = 0: again), then i32.load at 65536, which the loop has not seen;
     * a memory of one page was all that there was when the function began. */
    static const char looks[] = OTHER_MODULE("\1\1\1\3\x40\x41\0\xfe\x10\2\0\x45\x0d\0\x0b"
                                             "\x41\x80\x80\4\x28\2\0\1\1\1\1");
    struct other other;
    (void)state;
    struct alc_instance *stores = make(0x17, true);
    struct alc_memory *memory = stores->memory0;
    start_other(&other, 1, looks, sizeof looks - 1, memory);
    usleep(20000);
    assert_int_equal(alc_memory_grow(memory, 1), 1);
    alc_store_u32(memory->base + 65536, 4711);
    assert_int_equal(call(stores, 0, 1, 0, NULL), ALC_OK);
    pthread_join(other.thread, NULL);
    assert_int_equal(other.status, ALC_OK);
    assert_int_equal(other.result, 4711);
    assert_int_equal(alc_memory_grow(memory, 1), ALC_MEMORY_GROW_FAILED); /* its maximum */
}

static void *grow_often(void *argument)
{
    uintptr_t grown = 0;
    for (unsigned i = 0; i < 300; i++) {
        grown += alc_memory_grow(argument, 1) != ALC_MEMORY_GROW_FAILED;
    }
    return (void *)grown;
}

static void test_growth_by_several(void **state)
{
    struct alc_memory_type type = {
        .limits = {.min = 0, .max = 1000, .has_max = true, .is_shared = true}};
    struct alc_memory *memory;
    pthread_t threads[4];
    uintptr_t grown = 0;
    (void)state;
    type.limits.page_size_log2 = 16;
    assert_int_equal(alc_store_new_memory(&store, &type, &memory), ALC_OK);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, grow_often, memory), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        void *count;
        pthread_join(threads[i], &count);
        grown += (uintptr_t)count;
    }
    assert_int_equal(grown, 1000);
    assert_int_equal(alc_memory_pages(memory), 1000);
    assert_int_equal(store.own_budget.used, UINT64_C(1000) << 16);
    memory->base[(1000 << 16) - 1] = 1;
}

static void test_end_stops_all(void **state)
{
    static const char waits[] =
        OTHER_MODULE("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\x41\x10\x41\0\x42\x7f\xfe\1\2\0");
    static const char loops[] =
        OTHER_MODULE("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\3\x40\x0c\0\x0b\0\1");
    struct other waiter;
    struct other looper;
    struct other late;
    (void)state;
    struct alc_instance *instance = make(0, true);
    start_other(&waiter, 1, waits, sizeof waits - 1, instance->memory0);
    start_other(&looper, 2, loops, sizeof loops - 1, instance->memory0);
    wait_for_waiters(1);
    while (__atomic_load_n(&looper.store, __ATOMIC_ACQUIRE) == NULL) {
    }
    assert_true(alc_waiting_end(&waiting));
    assert_false(alc_waiting_end(&waiting));
    engine_stop(looper.store);
    pthread_join(waiter.thread, NULL);
    pthread_join(looper.thread, NULL);
    assert_int_equal(waiter.status, ALC_E_DEADLINE);
    assert_int_equal(looper.status, ALC_E_DEADLINE);
    start_other(&late, 3, waits, sizeof waits - 1, instance->memory0);
    pthread_join(late.thread, NULL);
    assert_int_equal(late.status, ALC_E_DEADLINE);
    assert_int_equal(count_waiters(), 0);
}

/* -- validation -- */

static alc_status load_status(const char *bytes, size_t size)
{
    struct alc_module *module = NULL;
    alc_error_clear(&error);
    return engine_load(&store, &fixture_arena, bytes, size, false, false, &module, &error);
}

#define BODY_MODULE(limits, body_size, body)                                                       \
    HEADER "\1\4\1\x60\0\0\3\2\1\0\5" limits "\x0a" body_size body
#define LOAD_STATUS(text) load_status(text, sizeof(text) - 1)

static void test_validation(void **state)
{
    (void)state;
    /* i32.const 0, i32.atomic.load of alignment 2, 1 and 3, drop */
    assert_int_equal(
        LOAD_STATUS(BODY_MODULE("\4\1\3\1\2", "\x0b\1\x09\0", "\x41\0\xfe\x10\2\0\x1a\x0b")),
        ALC_OK);
    assert_int_equal(
        LOAD_STATUS(BODY_MODULE("\4\1\3\1\2", "\x0b\1\x09\0", "\x41\0\xfe\x10\1\0\x1a\x0b")),
        ALC_E_BAD_ATOMIC_ALIGNMENT);
    assert_int_equal(
        LOAD_STATUS(BODY_MODULE("\4\1\3\1\2", "\x0b\1\x09\0", "\x41\0\xfe\x10\3\0\x1a\x0b")),
        ALC_E_BAD_ATOMIC_ALIGNMENT);
    /* the fence and its zero byte */
    assert_int_equal(LOAD_STATUS(BODY_MODULE("\4\1\3\1\2", "\7\1\5\0", "\xfe\3\0\x0b")), ALC_OK);
    assert_int_equal(LOAD_STATUS(BODY_MODULE("\4\1\3\1\2", "\7\1\5\0", "\xfe\3\1\x0b")),
                     ALC_E_ZERO_BYTE_EXPECTED);
    /* shared without a maximum */
    assert_int_equal(LOAD_STATUS(HEADER "\5\3\1\2\1"), ALC_E_SHARED_NEEDS_MAXIMUM);
    /* a number that no instruction has */
    assert_int_equal(LOAD_STATUS(BODY_MODULE("\4\1\3\1\2", "\7\1\5\0", "\xfe\x4f\0\x0b")),
                     ALC_E_ILLEGAL_OPCODE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATOMIC_TEST(test_accesses),
        ATOMIC_TEST(test_wait_in_one_thread),
        ATOMIC_TEST(test_wait_and_notify_without_others),
        ATOMIC_TEST(test_deadline_ends_a_wait),
        ATOMIC_TEST(test_notify_counts),
        ATOMIC_TEST(test_growth_is_seen),
        ATOMIC_TEST(test_growth_by_several),
        ATOMIC_TEST(test_end_stops_all),
        ATOMIC_TEST(test_validation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
