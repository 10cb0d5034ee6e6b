/* SPDX-License-Identifier: Apache-2.0
 *
 * A store over anonymous mappings, and modules from literal bytes, for the tests of exec/.
 */
#ifndef EXEC_FIXTURE_H
#define EXEC_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "exec/engine.h"

#include "engine_fixture.h"

/* Reservations that are alive, and how many commits may still succeed. */
static long fixture_reserved;
static long fixture_commits_left;
static size_t fixture_reserve_max; /* larger reservations fail */

static void *fixture_reserve(void *context, size_t size)
{
    (void)context;
    if (size > fixture_reserve_max) {
        return NULL;
    }
    void *addr = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (addr == MAP_FAILED) {
        return NULL;
    }
    __atomic_add_fetch(&fixture_reserved, 1, __ATOMIC_RELAXED);
    return addr;
}

static alc_status fixture_commit(void *context, void *addr, size_t size)
{
    (void)context;
    assert_int_equal((uintptr_t)addr % ALC_SYSTEM_PAGE_SIZE, 0);
    assert_int_equal(size % ALC_SYSTEM_PAGE_SIZE, 0);
    if (__atomic_load_n(&fixture_commits_left, __ATOMIC_RELAXED) == 0) {
        return ALC_E_OUT_OF_MEMORY;
    }
    __atomic_sub_fetch(&fixture_commits_left, 1, __ATOMIC_RELAXED);
    return mprotect(addr, size, PROT_READ | PROT_WRITE) == 0 ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

static void fixture_release(void *context, void *addr, size_t size)
{
    (void)context;
    __atomic_sub_fetch(&fixture_reserved, 1, __ATOMIC_RELAXED);
    munmap(addr, size);
}

static const struct alc_pages fixture_pages = {
    .reserve = fixture_reserve, .commit = fixture_commit, .release = fixture_release};

static uint8_t fixture_arena_memory[16 << 20];
static struct alc_arena fixture_arena;
static struct alc_store store;
static struct alc_linker linker;
static struct alc_error error;

static inline void fixture_store(const struct alc_store_options *given)
{
    struct alc_store_options options = *given;
    options.pages = fixture_pages;
    engine_choose(&options);
    fixture_reserved = 0;
    fixture_commits_left = 1000000;
    fixture_reserve_max = SIZE_MAX;
    alc_arena_init(&fixture_arena, fixture_arena_memory, sizeof fixture_arena_memory);
    alc_error_clear(&error);
    assert_int_equal(alc_store_init(&store, &fixture_arena, &options), ALC_OK);
    alc_linker_init(&linker, &store);
}

static inline int fixture_set_up(void **state)
{
    (void)state;
    fixture_store(&(struct alc_store_options){0});
    return 0;
}

static inline int fixture_tear_down(void **state)
{
    (void)state;
    alc_store_fini(&store);
    assert_int_equal(fixture_reserved, 0);
    return 0;
}

static inline struct alc_module *fixture_load_as(const void *bytes, size_t size, bool metered,
                                                 bool interruptible)
{
    struct alc_module *module = NULL;
    alc_status status =
        engine_load(&store, &fixture_arena, bytes, size, metered, interruptible, &module, &error);
    if (status != ALC_OK) {
        print_error("load: %s at %llu\n", alc_status_name(status),
                    (unsigned long long)error.offset);
    }
    assert_int_equal(status, ALC_OK);
    return module;
}

static inline struct alc_module *fixture_load(const void *bytes, size_t size)
{
    return fixture_load_as(bytes, size, false, false);
}

/* Instantiates bytes of a literal; the instance is NULL unless ALC_OK comes back. */
static inline alc_status fixture_instantiate(const void *bytes, size_t size,
                                             struct alc_instance **out)
{
    *out = NULL;
    alc_error_clear(&error);
    return alc_instantiate(&store, &fixture_arena, fixture_load(bytes, size), &linker, out, &error);
}

#define INSTANTIATE(text, out) fixture_instantiate(text, sizeof(text) - 1, out)
#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

#define HEADER "\0asm\1\0\0\0"

#endif
