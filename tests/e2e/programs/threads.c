/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads without a C library, as wasi-threads has them: a mutex and a condition over wait and
 * notify, a pool of workers, and the ways in which a program with threads ends. The first argument
 * says which; see the cases in run.py.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define WASI(name) IMPORT("wasi_snapshot_preview1", name)

int32_t thread_spawn(void *argument) IMPORT("wasi", "thread-spawn");
uint16_t args_sizes_get(uint32_t *count, uint32_t *size) WASI("args_sizes_get");
uint16_t args_get(char **arguments, char *buf) WASI("args_get");
struct span {
    const void *bytes;
    uint32_t size;
};
uint16_t fd_write(int32_t fd, const struct span *spans, uint32_t count, uint32_t *done)
    WASI("fd_write");
uint16_t fd_read(int32_t fd, const struct span *spans, uint32_t count, uint32_t *done)
    WASI("fd_read");
_Noreturn void proc_exit(uint32_t code) WASI("proc_exit");

enum { THREADS_MAX = 32, STACK_SIZE = 16384, BLOCKS = 64, BLOCK_SIZE = 4096, WORKERS = 4 };

struct thread {
    void *stack_top; /* first: wasi_thread_start reads it */
    void (*run)(struct thread *self);
    int32_t tid;
    int32_t is_done;
    uint32_t blocks;
};

static struct thread threads[THREADS_MAX];
static uint8_t stacks[THREADS_MAX][STACK_SIZE] __attribute__((aligned(16)));

/* -- waiting -- */

static void wait(int32_t *word, int32_t expected)
{
    (void)__builtin_wasm_memory_atomic_wait32(word, expected, -1);
}

static void wake(int32_t *word, uint32_t count)
{
    (void)__builtin_wasm_memory_atomic_notify(word, count);
}

/* 0 free, 1 taken, 2 taken and somebody waits. */
static void lock(int32_t *mutex)
{
    int32_t state = 0;
    if (__atomic_compare_exchange_n(mutex, &state, 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        return;
    }
    while (__atomic_exchange_n(mutex, 2, __ATOMIC_SEQ_CST) != 0) {
        wait(mutex, 2);
    }
}

static void unlock(int32_t *mutex)
{
    if (__atomic_exchange_n(mutex, 0, __ATOMIC_SEQ_CST) == 2) {
        wake(mutex, 1);
    }
}

static void wait_condition(int32_t *condition, int32_t *mutex)
{
    int32_t turn = __atomic_load_n(condition, __ATOMIC_SEQ_CST);
    unlock(mutex);
    wait(condition, turn);
    lock(mutex);
}

static void signal_condition(int32_t *condition, uint32_t count)
{
    (void)__atomic_add_fetch(condition, 1, __ATOMIC_SEQ_CST);
    wake(condition, count);
}

/* -- threads -- */

__attribute__((export_name("run_thread"))) void run_thread(int32_t tid, struct thread *self)
{
    self->tid = tid;
    self->run(self);
    __atomic_store_n(&self->is_done, 1, __ATOMIC_SEQ_CST);
    wake(&self->is_done, UINT32_MAX);
}

/* Takes its stack, then goes on in C. */
__asm__(".globaltype __stack_pointer, i32\n"
        ".functype run_thread (i32, i32) -> ()\n"
        ".globl wasi_thread_start\n"
        ".export_name wasi_thread_start, wasi_thread_start\n"
        "wasi_thread_start:\n"
        ".functype wasi_thread_start (i32, i32) -> ()\n"
        "local.get 1\n"
        "i32.load 0\n"
        "global.set __stack_pointer\n"
        "local.get 0\n"
        "local.get 1\n"
        "call run_thread\n"
        "end_function\n");

static int32_t start(unsigned index, void (*run)(struct thread *self))
{
    threads[index].stack_top = stacks[index] + STACK_SIZE;
    threads[index].run = run;
    threads[index].is_done = 0;
    return thread_spawn(&threads[index]);
}

static void join(unsigned index)
{
    while (__atomic_load_n(&threads[index].is_done, __ATOMIC_SEQ_CST) == 0) {
        wait(&threads[index].is_done, 0);
    }
}

/* -- output -- */

static void print(const char *text, uint64_t value)
{
    char line[80];
    uint32_t size = 0;
    uint32_t done;
    for (; *text != 0; text++) {
        line[size++] = *text;
    }
    for (int shift = 60; shift >= 0; shift -= 4) {
        line[size++] = "0123456789abcdef"[value >> shift & 15];
    }
    line[size++] = '\n';
    const struct span span = {line, size};
    if (fd_write(1, &span, 1, &done) != 0 || done != size) {
        proc_exit(99);
    }
}

/* -- a pool: the first thread hands out blocks, the others hash them -- */

static struct {
    int32_t mutex;
    int32_t has_work;
    int32_t has_room;
    int32_t next;  /* block waiting to be taken, or -1 */
    int32_t taken; /* blocks */
    bool is_over;
    uint64_t sum;
} pool = {.next = -1};

static uint64_t hash(uint32_t block)
{
    uint64_t state = UINT64_C(0xcbf29ce484222325);
    for (uint32_t i = 0; i < BLOCK_SIZE; i++) {
        state = (state ^ (uint8_t)(block * 7 + i)) * UINT64_C(0x100000001b3);
    }
    return state;
}

static void work(struct thread *self)
{
    lock(&pool.mutex);
    for (;;) {
        while (pool.next < 0 && !pool.is_over) {
            wait_condition(&pool.has_work, &pool.mutex);
        }
        if (pool.next < 0) {
            break;
        }
        uint32_t block = (uint32_t)pool.next;
        pool.next = -1;
        signal_condition(&pool.has_room, 1);
        unlock(&pool.mutex);
        uint64_t value = hash(block);
        lock(&pool.mutex);
        pool.sum += value;
        self->blocks++;
    }
    unlock(&pool.mutex);
}

static void hash_all(void)
{
    uint32_t blocks = 0;
    for (unsigned i = 0; i < WORKERS; i++) {
        if (start(i, work) <= 0) {
            proc_exit(98);
        }
    }
    lock(&pool.mutex);
    for (int32_t block = 0; block < BLOCKS; block++) {
        while (pool.next >= 0) {
            wait_condition(&pool.has_room, &pool.mutex);
        }
        pool.next = block;
        signal_condition(&pool.has_work, 1);
    }
    pool.is_over = true;
    signal_condition(&pool.has_work, UINT32_MAX);
    unlock(&pool.mutex);
    for (unsigned i = 0; i < WORKERS; i++) {
        join(i);
        blocks += threads[i].blocks;
    }
    print("sum ", pool.sum);
    print("blocks ", blocks);
}

/* -- endings, limits, growth -- */

static int32_t never;

static void wait_for_ever(struct thread *self)
{
    (void)self;
    for (;;) {
        wait(&never, 0);
    }
}

static void loop_for_ever(struct thread *self)
{
    (void)self;
    for (;;) {
        __asm__ volatile("");
    }
}

static void trap(struct thread *self)
{
    (void)self;
    __builtin_trap();
}

static void exit_seven(struct thread *self)
{
    (void)self;
    proc_exit(7);
}

static int32_t gate;

static void wait_at_gate(struct thread *self)
{
    (void)self;
    while (__atomic_load_n(&gate, __ATOMIC_SEQ_CST) == 0) {
        wait(&gate, 0);
    }
}

/* As many as there may be, none more, and again when they are gone. */
static void spawn_all(void)
{
    unsigned count = 0;
    while (count < THREADS_MAX && start(count, wait_at_gate) > 0) {
        count++;
    }
    print("spawned ", count);
    __atomic_store_n(&gate, 1, __ATOMIC_SEQ_CST);
    wake(&gate, UINT32_MAX);
    for (unsigned i = 0; i < count; i++) {
        join(i);
    }
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < count / 2; i++) {
            while (start(i, wait_at_gate) <= 0) { /* some are still on their way out */
            }
        }
        for (unsigned i = 0; i < count / 2; i++) {
            join(i);
        }
    }
    print("tid ", (uint64_t)threads[0].tid > 0);
}

static uint8_t *volatile grown;

static void grow(struct thread *self)
{
    (void)self;
    size_t page = __builtin_wasm_memory_grow(0, 1);
    uint8_t *bytes = (uint8_t *)(page << 16);
    bytes[65535] = 42;
    __atomic_store_n(&grown, bytes, __ATOMIC_SEQ_CST);
}

static void see_growth(void)
{
    if (start(0, grow) <= 0) {
        proc_exit(98);
    }
    uint8_t *bytes;
    while ((bytes = __atomic_load_n(&grown, __ATOMIC_SEQ_CST)) == NULL) {
    }
    print("grown ", bytes[65535]);
}

static bool is(const char *text, const char *other)
{
    while (*text != 0 && *text == *other) {
        text++;
        other++;
    }
    return *text == *other;
}

static void end_in_worker(void (*run)(struct thread *self))
{
    uint8_t byte;
    uint32_t done;
    const struct span span = {&byte, 1};
    (void)start(0, wait_for_ever);
    (void)start(1, loop_for_ever);
    (void)start(2, run);
    (void)fd_read(0, &span, 1, &done); /* which nobody answers */
    wait_for_ever(NULL);
}

__attribute__((export_name("_start"))) void _start(void)
{
    static char *arguments[4];
    static char buf[256];
    uint32_t count;
    uint32_t size;
    if (args_sizes_get(&count, &size) != 0 || count != 2 || size > sizeof buf ||
        args_get(arguments, buf) != 0) {
        proc_exit(97);
    }
    const char *what = arguments[1];
    if (is(what, "hash")) {
        hash_all();
    } else if (is(what, "spawn")) {
        spawn_all();
    } else if (is(what, "grow")) {
        see_growth();
    } else if (is(what, "trap")) {
        end_in_worker(trap);
    } else if (is(what, "exit")) {
        end_in_worker(exit_seven);
    } else if (is(what, "return")) { /* the others go with the first thread */
        (void)start(0, wait_for_ever);
        (void)start(1, loop_for_ever);
        print("returns ", 0);
    } else {
        (void)start(0, wait_for_ever);
        (void)start(1, loop_for_ever);
        wait_for_ever(NULL);
    }
}
