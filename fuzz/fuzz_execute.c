/* SPDX-License-Identifier: Apache-2.0
 *
 * Modules that validate are instantiated and their exports called with little fuel, twice: plain
 * code cannot be stopped, so both runs are metered, once also interruptible. The two must agree on
 * status and results. The first input byte chooses the arguments.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "exec/engine.h"
#include "exec/interp.h"

enum {
    ARENA_SIZE = 64 << 20,
    FUEL = 20000,
    SLOTS_MAX = 2048,
    CALLS_MAX = 8,
    STACK_SLOTS = 1 << 16,
    MEMORY_MAX = 16 << 20,
};

static void *reserve_pages(void *context, size_t size)
{
    (void)context;
    void *addr = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return addr == MAP_FAILED ? NULL : addr;
}

static alc_status commit_pages(void *context, void *addr, size_t size)
{
    (void)context;
    (void)addr;
    (void)size;
    return ALC_OK;
}

static void release_pages(void *context, void *addr, size_t size)
{
    (void)context;
    munmap(addr, size);
}

struct outcome {
    alc_status status;
    uint64_t results_sum;
};

/* Calls the exported functions; the outcome sums up everything seen. */
static struct outcome call_exports(struct alc_store *store, struct alc_instance *instance,
                                   uint8_t seed)
{
    static uint64_t arguments[SLOTS_MAX];
    static uint64_t results[SLOTS_MAX];
    struct outcome outcome = {ALC_OK, 0};
    unsigned calls = 0;
    for (uint32_t i = 0; i < instance->module->exports_count && calls < CALLS_MAX; i++) {
        const struct alc_export *export = &instance->module->exports[i];
        if (export->kind != ALC_EXTERNAL_FUNCTION) {
            continue;
        }
        struct alc_function *function = instance->functions[export->index];
        const struct alc_function_type *type = &function->type->function;
        for (uint32_t j = 0; j < type->parameters_count; j++) {
            if (alc_type_is_reference(type->parameters[j])) {
                return outcome; /* no references to give */
            }
        }
        for (uint32_t j = 0; j < type->parameters_slots; j++) {
            arguments[j] = (uint64_t)seed * (j + 1) * 0x101;
        }
        calls++;
        alc_store_set_fuel(store, FUEL);
        struct alc_error error;
        alc_error_clear(&error);
        alc_status status = alc_invoke(store, function, arguments, results, &error);
        outcome.results_sum = outcome.results_sum * 31 + (uint64_t)status;
        for (uint32_t j = 0; status == ALC_OK && j < type->results_count; j++) {
            /* References are addresses: they differ from run to run. */
            if (!alc_type_is_reference(type->results[j]) && type->results_count == 1) {
                outcome.results_sum = outcome.results_sum * 31 + results[0];
            }
        }
    }
    return outcome;
}

static struct outcome run_once(const uint8_t *bytes, size_t size, uint8_t seed, bool interruptible)
{
    static uint8_t *memory;
    if (memory == NULL) {
        memory = malloc(ARENA_SIZE);
    }
    struct alc_arena arena;
    alc_arena_init(&arena, memory, ARENA_SIZE);
    struct alc_error error;
    alc_error_clear(&error);
    struct alc_store store;
    struct alc_store_options options = {
        .pages = {.reserve = reserve_pages, .commit = commit_pages, .release = release_pages},
        .executor = &alc_interp_executor,
        .memory_size_max = MEMORY_MAX,
        .memory_reserve_max = MEMORY_MAX,
        .stack_slots = STACK_SLOTS,
    };
    struct outcome outcome = {alc_store_init(&store, &arena, &options), 0};
    if (outcome.status != ALC_OK) {
        return outcome;
    }
    struct alc_load_options load = {.types = &store.types,
                                    .target = alc_interp_target(true, interruptible),
                                    .code_heap = &store.code_heap,
                                    .is_eager = interruptible};
    struct alc_module *module;
    struct alc_instance *instance;
    outcome.status = alc_module_load(&arena, bytes, size, &load, &module, &error);
    if (outcome.status == ALC_OK) {
        alc_store_set_fuel(&store, FUEL);
        outcome.status = alc_instantiate(&store, &arena, module, NULL, &instance, &error);
    }
    if (outcome.status == ALC_OK) {
        outcome = call_exports(&store, instance, seed);
    }
    alc_store_fini(&store);
    alc_arena_fini(&arena);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct outcome plain = run_once(bytes + 1, size - 1, bytes[0], false);
    struct outcome polled = run_once(bytes + 1, size - 1, bytes[0], true);
    if (plain.status != polled.status || plain.results_sum != polled.results_sum) {
        abort();
    }
    return 0;
}
