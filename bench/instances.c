/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast the engine starts, outside an enclave:
 *   bench_instances                  creation and destruction of instances, by size of their data
 *   bench_instances module.wasm...   loading and validating, and the memory that a module takes
 * Prints the best of several runs: what else the machine does only ever makes them slower.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "exec/interp.h"
#include "exec/pool.h"
#include "os_linux/os_linux.h"

enum { RUNS = 9, POOL_RUNS = 50 };
#define ARENA_SIZE (UINT64_C(4) << 30)

static void die(const char *what)
{
    fprintf(stderr, "bench_instances: %s\n", what);
    exit(1);
}

/* Of this process alone: others may be busy. The kernel's part counts. */
static double now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void *reserve(void *context, size_t size)
{
    (void)context;
    void *addr = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return addr == MAP_FAILED ? NULL : addr;
}

static alc_status commit(void *context, void *addr, size_t size)
{
    (void)context;
    return mprotect(addr, size, PROT_READ | PROT_WRITE) == 0 ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

static void release(void *context, void *addr, size_t size)
{
    (void)context;
    munmap(addr, size);
}

static void open_arena(struct alc_arena *arena)
{
    void *range = reserve(NULL, ARENA_SIZE);
    if (range == NULL) {
        die("no address space");
    }
    alc_arena_init_reserved(arena, range, ARENA_SIZE, commit, NULL);
}

static void close_arena(struct alc_arena *arena)
{
    void *range = arena->base;
    alc_arena_fini(arena);
    release(NULL, range, ARENA_SIZE);
}

static void open_store(struct alc_store *store, struct alc_arena *arena, bool has_images)
{
    static struct alc_linux_images system;
    static bool is_open;
    static const struct alc_page_images images = {.make = alc_linux_image_make,
                                                  .map = alc_linux_image_map,
                                                  .renew = alc_linux_image_renew,
                                                  .drop = alc_linux_image_drop,
                                                  .context = &system};
    if (!is_open) {
        is_open = true;
        alc_linux_images_init(&system);
    }
    const struct alc_store_options options = {.pages = {.reserve = reserve,
                                                        .commit = commit,
                                                        .release = release,
                                                        .images = has_images ? &images : NULL},
                                              .executor = &alc_interp_executor};
    if (alc_store_init(store, arena, &options) != ALC_OK) {
        die("no store");
    }
}

/* -- loading -- */

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        die(path);
    }
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size);
    if (bytes == NULL || fread(bytes, 1, *size, file) != *size) {
        die(path);
    }
    fclose(file);
    return bytes;
}

static size_t code_section_size(const struct alc_module *module)
{
    for (uint32_t i = 0; i < module->sections_count; i++) {
        if (module->sections[i].id == 10) {
            return module->sections[i].contents.size;
        }
    }
    return 0;
}

/* One load; *taken: bytes of all arenas afterwards. */
static double load_once(const uint8_t *bytes, size_t size, bool is_eager, size_t *taken,
                        size_t *code_size)
{
    struct alc_arena arena;
    struct alc_arena store_arena;
    struct alc_store store;
    struct alc_module *module;
    struct alc_error error;
    open_arena(&arena);
    open_arena(&store_arena);
    open_store(&store, &store_arena, false);
    alc_error_clear(&error);
    struct alc_load_options options = alc_store_load_options(&store, false, false);
    options.is_eager = is_eager;
    double start = now_us();
    if (alc_module_load(&arena, bytes, size, &options, &module, &error) != ALC_OK) {
        die(alc_status_name(error.status));
    }
    double time = now_us() - start;
    *taken = arena.used + store_arena.used + store.code_heap.arena.used;
    *code_size = code_section_size(module);
    alc_store_fini(&store);
    close_arena(&store_arena);
    close_arena(&arena);
    return time;
}

static void bench_load(const char *path)
{
    size_t size;
    uint8_t *bytes = read_file(path, &size);
    for (int is_eager = 0; is_eager < 2; is_eager++) {
        double best = 1e18;
        size_t taken = 0;
        size_t code_size = 0;
        for (int i = 0; i < RUNS; i++) {
            double time = load_once(bytes, size, is_eager, &taken, &code_size);
            best = time < best ? time : best;
        }
        printf("%-24s %s %6.1f MB in %7.2f ms: %6.1f MB/s; code section %6.1f MB, memory %6.1f MB "
               "(%.2f of the code section)\n",
               strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path,
               is_eager ? "all code" : "lazy    ", (double)size / 1e6, best / 1e3,
               (double)size / best, (double)code_size / 1e6, (double)taken / 1e6,
               (double)taken / (double)code_size);
    }
    free(bytes);
}

/* -- instances -- */

/* (module (memory (data ...size bytes...)) with a function table of 100 entries and 10 globals, and
 * (func (export "f") (i32.store (i32.const 8) (i32.const 1))) */
static size_t put_leb(uint8_t *out, size_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7) {
        out[size++] = (uint8_t)(value | 0x80);
    }
    out[size++] = (uint8_t)value;
    return size;
}

static size_t put(uint8_t *out, const char *bytes, size_t size)
{
    memcpy(out, bytes, size);
    return size;
}
#define PUT(text) (at += put(at, text, sizeof(text) - 1))

static size_t make_module(uint8_t *out, size_t data_size)
{
    uint8_t *at = out;
    uint8_t leb[10];
    size_t pages = data_size / 65536 + 1;
    PUT("\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0");
    PUT("\4\4\1\x70\0\x64");
    PUT("\5");
    at += put_leb(at, 2 + put_leb(leb, pages));
    PUT("\1\0");
    at += put_leb(at, pages);
    PUT("\6\x33\xa");
    for (int i = 0; i < 10; i++) {
        PUT("\x7f\1\x41\7\xb");
    }
    PUT("\7\5\1\1f\0\0");
    PUT("\x9\7\1\0\x41\0\xb\1\0");
    PUT("\xa\xb\1\x9\0\x41\x8\x41\1\x36\2\0\xb");
    PUT("\xb");
    at += put_leb(at, 5 + put_leb(leb, data_size) + data_size);
    PUT("\1\0\x41\0\xb");
    at += put_leb(at, data_size);
    memset(at, 0x5a, data_size);
    return (size_t)(at - out) + data_size;
}

struct bench {
    struct alc_arena arena;
    struct alc_arena store_arena;
    struct alc_store store;
    struct alc_module *module;
};

static void open_bench(struct bench *bench, const uint8_t *bytes, size_t size, bool has_images)
{
    struct alc_error error;
    open_arena(&bench->arena);
    open_arena(&bench->store_arena);
    open_store(&bench->store, &bench->store_arena, has_images);
    struct alc_load_options options = alc_store_load_options(&bench->store, false, false);
    alc_error_clear(&error);
    if (alc_module_load(&bench->arena, bytes, size, &options, &bench->module, &error) != ALC_OK) {
        die(alc_status_name(error.status));
    }
}

static void close_bench(struct bench *bench)
{
    alc_store_fini(&bench->store);
    close_arena(&bench->store_arena);
    close_arena(&bench->arena);
}

static void call(struct alc_instance *instance)
{
    struct alc_function *function;
    if (alc_export_find_function(instance, ALC_NAME_OF("f"), &function) != ALC_OK ||
        alc_invoke(instance->store, function, NULL, NULL, NULL) != ALC_OK) {
        die("no call");
    }
}

/* Time of one taking and giving back. */
static double pool_once(struct bench *bench, bool calls, int rounds)
{
    struct alc_instance_pool pool;
    struct alc_instance *instance;
    if (alc_pool_init(&pool, &bench->store, &bench->arena, bench->module, NULL, NULL) != ALC_OK) {
        die("no pool");
    }
    double best = 1e18;
    for (int run = 0; run < POOL_RUNS; run++) {
        double start = now_us();
        for (int i = 0; i < rounds; i++) {
            if (alc_pool_take(&pool, &instance, NULL) != ALC_OK) {
                die("no instance");
            }
            if (calls) {
                call(instance);
            }
            alc_pool_give(&pool, instance);
        }
        double time = (now_us() - start) / rounds;
        best = time < best ? time : best;
    }
    alc_pool_fini(&pool);
    return best;
}

/* A store, an instance, and their end: what it costs without a pool. */
static double instantiate_once(const uint8_t *bytes, size_t size)
{
    struct bench bench;
    struct alc_instance *instance;
    double best = 1e18;
    for (int run = 0; run < RUNS; run++) {
        open_bench(&bench, bytes, size, false);
        double start = now_us();
        if (alc_instantiate(&bench.store, &bench.arena, bench.module, NULL, &instance, NULL) !=
            ALC_OK) {
            die("no instance");
        }
        double time = now_us() - start;
        best = time < best ? time : best;
        close_bench(&bench);
    }
    return best;
}

static void bench_instances(size_t data_size)
{
    uint8_t *bytes = malloc(data_size + 4096);
    if (bytes == NULL) {
        die("no memory");
    }
    size_t size = make_module(bytes, data_size);
    struct bench bench;
    double times[4];
    for (int i = 0; i < 4; i++) {
        bool has_images = i < 2;
        int rounds = has_images ? 200 : data_size > (1 << 20) ? 3 : 20;
        open_bench(&bench, bytes, size, has_images);
        times[i] = pool_once(&bench, i % 2 != 0, rounds);
        close_bench(&bench);
    }
    printf("%6zu KiB of data: pooled %.2f us, with a call that writes memory %.2f us; by copying "
           "%.1f us and %.1f us; made anew %.1f us\n",
           data_size >> 10, times[0], times[1], times[2], times[3], instantiate_once(bytes, size));
    free(bytes);
}

int main(int count, char **arguments)
{
    for (int i = 1; i < count; i++) {
        bench_load(arguments[i]);
    }
    if (count == 1) {
        bench_instances(64 << 10);
        bench_instances(1 << 20);
        bench_instances(16 << 20);
    }
    return 0;
}
