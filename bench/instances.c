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

#include "exec/engine.h"

enum { RUNS = 9 };
#define ARENA_SIZE (UINT64_C(4) << 30)

static void die(const char *what)
{
    fprintf(stderr, "bench_instances: %s\n", what);
    exit(1);
}

static double now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
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

static void open_store(struct alc_store *store, struct alc_arena *arena)
{
    const struct alc_store_options options = {.pages = {reserve, commit, release, NULL}};
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
    open_store(&store, &store_arena);
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

int main(int count, char **arguments)
{
    for (int i = 1; i < count; i++) {
        bench_load(arguments[i]);
    }
    return 0;
}
