/* SPDX-License-Identifier: Apache-2.0
 *
 * Relocation of an image: words of the table change, nothing else does, and a table that points
 * outside the writable data is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/bytes.h"
#include "sgx_arch/arch.h"
#include "sgx_arch/relocate.h"

enum { DATA_OFFSET = 0x1000, DATA_SIZE = 0x1000, MEMORY_SIZE = 0x2000, TABLE_OFFSET = 0x100 };

static uint8_t g_memory[MEMORY_SIZE] ALC_ALIGNED(4096);

static struct alc_enclave_layout make_layout(const uint64_t *table, size_t count)
{
    memset(g_memory, 0, sizeof g_memory);
    for (size_t i = 0; i < count; i++) {
        alc_store_u64(g_memory + TABLE_OFFSET + 8 * i, table[i]);
    }
    return (struct alc_enclave_layout){
        .ranges_count = 2,
        .ranges = {{0, DATA_OFFSET, ALC_SGX_PAGE_READ},
                   {DATA_OFFSET, DATA_SIZE, ALC_SGX_PAGE_READ | ALC_SGX_PAGE_WRITE}},
        .relocations_offset = TABLE_OFFSET,
        .relocations_size = count * 8,
    };
}

static uint64_t word_at(uint64_t offset)
{
    return alc_load_u64(g_memory + offset);
}

static void test_words_and_bitmaps(void **state)
{
    (void)state;
    /* 0x1000; then of the 63 words behind it numbers 0, 2 and 62; then of the next 63 number 1. */
    const uint64_t bitmap = (UINT64_C(1) << 1 | UINT64_C(1) << 3 | UINT64_C(1) << 63) | 1;
    const uint64_t table[] = {DATA_OFFSET, bitmap, UINT64_C(1) << 2 | 1, DATA_OFFSET + 0xFF8};
    struct alc_enclave_layout layout = make_layout(table, 4);
    alc_store_u64(g_memory + DATA_OFFSET, 0x123);
    uint64_t base = (uint64_t)(uintptr_t)g_memory;
    assert_int_equal(alc_relocate(g_memory, &layout), ALC_OK);
    assert_int_equal(word_at(DATA_OFFSET), base + 0x123);
    const uint64_t expected[] = {DATA_OFFSET,
                                 DATA_OFFSET + 8,
                                 DATA_OFFSET + 8 + 16,
                                 DATA_OFFSET + 8 + 62 * 8,
                                 DATA_OFFSET + 8 + 64 * 8,
                                 DATA_OFFSET + 0xFF8};
    size_t changed = 0;
    for (uint64_t offset = DATA_OFFSET; offset < MEMORY_SIZE; offset += 8) {
        changed += word_at(offset) != 0 ? 1 : 0;
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(expected); i++) {
        assert_true(word_at(expected[i]) >= base);
    }
    assert_int_equal(changed, ALC_ARRAY_COUNT(expected));
}

static void test_places_outside_are_refused(void **state)
{
    (void)state;
    static const uint64_t places[] = {
        0,          DATA_OFFSET - 8, MEMORY_SIZE - 4, MEMORY_SIZE,
        0x7FFFFFF8, UINT64_MAX - 7,  UINT64_MAX - 1,  DATA_OFFSET + 4};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(places); i++) {
        struct alc_enclave_layout layout = make_layout(&places[i], 1);
        uint8_t before[MEMORY_SIZE];
        memcpy(before, g_memory, sizeof before);
        assert_int_equal(alc_relocate(g_memory, &layout), ALC_E_BAD_IMAGE);
        assert_memory_equal(before, g_memory, sizeof before);
    }
    /* A bitmap that runs off the end. */
    const uint64_t table[] = {MEMORY_SIZE - 8, 3};
    struct alc_enclave_layout layout = make_layout(table, 2);
    assert_int_equal(alc_relocate(g_memory, &layout), ALC_E_BAD_IMAGE);
    /* A bitmap without a place before it starts at 0, which is not writable. */
    const uint64_t lonely[] = {3};
    layout = make_layout(lonely, 1);
    assert_int_equal(alc_relocate(g_memory, &layout), ALC_E_BAD_IMAGE);
}

static void test_empty_table(void **state)
{
    (void)state;
    struct alc_enclave_layout layout = make_layout(NULL, 0);
    assert_int_equal(alc_relocate(g_memory, &layout), ALC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_and_bitmaps),
        cmocka_unit_test(test_places_outside_are_refused),
        cmocka_unit_test(test_empty_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
