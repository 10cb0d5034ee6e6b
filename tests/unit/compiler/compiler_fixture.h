/* SPDX-License-Identifier: Apache-2.0
 *
 * Modules from literal bodies, compiled, for the tests of compiler/.
 */
#ifndef COMPILER_FIXTURE_H
#define COMPILER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/compiler.h"

enum { FIXTURE_ARENA_SIZE = 64 << 20, FIXTURE_MODULE_MAX = 1 << 20 };

static uint8_t fixture_bytes[FIXTURE_MODULE_MAX];
static size_t fixture_size;
static void *fixture_memory;
static struct alc_arena fixture_arena;
static struct alc_module *fixture_module;
static struct alc_error fixture_error;
static struct alc_compiled compiled;

struct piece {
    const char *bytes;
    size_t size;
};
#define PIECE(text) {text, sizeof(text) - 1}

static void put(const void *bytes, size_t size)
{
    assert_true(size <= sizeof fixture_bytes - fixture_size);
    memcpy(fixture_bytes + fixture_size, bytes, size);
    fixture_size += size;
}

/* LEB128 in three bytes, whatever the value. */
static void put_number(size_t value)
{
    const uint8_t bytes[] = {(uint8_t)(value | 0x80), (uint8_t)(value >> 7 | 0x80),
                             (uint8_t)(value >> 14)};
    put(bytes, sizeof bytes);
}

static uint8_t fixture_odd_type; /* of every second function; the others have type 0 */

/* `head` stands before the function section, `middle` behind it; then `count` functions with the
 * bodies `bodies[i % bodies_count]`. */
static void load(const struct piece *head, const char *middle, size_t middle_size,
                 const struct piece *bodies, size_t bodies_count, size_t count)
{
    struct alc_load_options options = {.features = ALC_FEATURES_ALL};
    fixture_size = 0;
    put("\0asm\1\0\0\0", 8);
    put(head->bytes, head->size);
    put("\3", 1);
    put_number(3 + count);
    put_number(count);
    for (size_t i = 0; i < count; i++) {
        const uint8_t type = i % 2 == 1 ? fixture_odd_type : 0;
        put(&type, 1);
    }
    put(middle, middle_size);
    size_t size = 3;
    for (size_t i = 0; i < count; i++) {
        size += 3 + bodies[i % bodies_count].size;
    }
    put("\xa", 1);
    put_number(size);
    put_number(count);
    for (size_t i = 0; i < count; i++) {
        put_number(bodies[i % bodies_count].size);
        put(bodies[i % bodies_count].bytes, bodies[i % bodies_count].size);
    }
    alc_arena_init(&fixture_arena, fixture_memory, FIXTURE_ARENA_SIZE);
    alc_error_clear(&fixture_error);
    alc_status status = alc_module_load(&fixture_arena, fixture_bytes, fixture_size, &options,
                                        &fixture_module, &fixture_error);
    if (status != ALC_OK) {
        print_error("%s at %llu\n", alc_status_text(status),
                    (unsigned long long)fixture_error.offset);
    }
    assert_int_equal(status, ALC_OK);
}

static alc_status compile(const struct alc_compile_options *options)
{
    alc_compiled_free(&compiled);
    alc_error_clear(&fixture_error);
    return alc_compile(fixture_module, options, &compiled, &fixture_error);
}

static void compile_well(const struct alc_compile_options *options)
{
    alc_status status = compile(options);
    if (status != ALC_OK) {
        print_error("%s: %s\n", alc_status_text(status), fixture_error.detail);
    }
    assert_int_equal(status, ALC_OK);
}

/* How often the bytes stand in function `index` of the image. */
static unsigned count_in(uint32_t index, const void *bytes, size_t size)
{
    const struct alc_native_image *image = &compiled.image;
    unsigned count = 0;
    for (size_t at = image->functions[index]; at + size <= image->functions[index + 1]; at++) {
        count += memcmp(image->code + at, bytes, size) == 0;
    }
    return count;
}
#define COUNT_IN(index, text) count_in(index, text, sizeof(text) - 1)

static int fixture_setup(void **state)
{
    (void)state;
    fixture_memory = malloc(FIXTURE_ARENA_SIZE);
    return fixture_memory == NULL ? -1 : 0;
}

static int fixture_teardown(void **state)
{
    (void)state;
    alc_compiled_free(&compiled);
    free(fixture_memory);
    return 0;
}

#endif
