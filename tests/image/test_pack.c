/* SPDX-License-Identifier: Apache-2.0
 *
 * Images with a payload: what goes in comes out, is measured, and nothing else of the image
 * changes. argument: the ELF file of the smallest image
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sgx/image.h"

enum { PAYLOAD_SIZE = 3 * ALC_SGX_PAGE_SIZE + 17 };

static uint8_t *g_bytes;
static struct alc_image g_image;
static uint8_t g_payload[PAYLOAD_SIZE];

static alc_status pack(const struct alc_image *image, size_t size, uint8_t **out,
                       struct alc_image *packed)
{
    struct alc_error error;
    size_t out_size = 0;
    alc_error_clear(&error);
    alc_status status = alc_image_pack(image, g_payload, size, out, &out_size, &error);
    assert_int_equal(error.status, status);
    if (status == ALC_OK) {
        assert_int_equal(alc_image_parse(*out, out_size, packed, NULL), ALC_OK);
    }
    return status;
}

static void read_layout(const struct alc_image *image, struct alc_enclave_layout *layout)
{
    struct alc_image_page page;
    size_t position = 0;
    while (alc_image_next_page(image, &position, &page)) {
        uint8_t bytes[ALC_SGX_PAGE_SIZE];
        alc_image_copy_page(&page, bytes);
        memcpy(layout, bytes, sizeof *layout);
        if (layout->magic == ALC_LAYOUT_MAGIC) {
            return;
        }
    }
    fail();
}

static void test_payload_comes_out(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, ALC_SGX_PAGE_SIZE, ALC_SGX_PAGE_SIZE + 1, PAYLOAD_SIZE};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *bytes;
        uint8_t *copy;
        size_t size;
        struct alc_image packed;
        assert_int_equal(pack(&g_image, sizes[i], &bytes, &packed), ALC_OK);
        assert_int_equal(alc_image_copy_payload(&packed, &copy, &size, NULL), ALC_OK);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(copy, g_payload, size);
        free(copy);
        free(bytes);
    }
}

static void test_image_without_payload(void **state)
{
    (void)state;
    uint8_t *copy = g_bytes;
    size_t size = 1;
    assert_int_equal(alc_image_copy_payload(&g_image, &copy, &size, NULL), ALC_OK);
    assert_null(copy);
    assert_int_equal(size, 0);
}

/* The pages of before, in their places, and behind them the payload's, read-only and measured. */
static void test_pages_stay(void **state)
{
    (void)state;
    struct alc_image packed;
    struct alc_image_page before;
    struct alc_image_page after;
    struct alc_enclave_layout old_layout;
    struct alc_enclave_layout layout;
    size_t position = 0;
    size_t packed_position = 0;
    uint8_t *bytes;
    assert_int_equal(pack(&g_image, PAYLOAD_SIZE, &bytes, &packed), ALC_OK);
    read_layout(&g_image, &old_layout);
    read_layout(&packed, &layout);
    while (alc_image_next_page(&g_image, &position, &before)) {
        uint8_t a[ALC_SGX_PAGE_SIZE];
        uint8_t b[ALC_SGX_PAGE_SIZE];
        assert_true(alc_image_next_page(&packed, &packed_position, &after));
        assert_int_equal(before.offset, after.offset);
        assert_int_equal(before.secinfo_flags, after.secinfo_flags);
        assert_int_equal(before.chunks == NULL, after.chunks == NULL);
        alc_image_copy_page(&before, a);
        alc_image_copy_page(&after, b);
        if (memcmp(a, &old_layout, 8) != 0) {
            assert_memory_equal(a, b, sizeof a);
        }
    }
    for (uint64_t i = 0; i < 4; i++) {
        assert_true(alc_image_next_page(&packed, &packed_position, &after));
        assert_int_equal(after.offset, layout.payload_offset + i * ALC_SGX_PAGE_SIZE);
        assert_int_equal(after.secinfo_flags, 0x201);
        assert_non_null(after.chunks);
    }
    assert_false(alc_image_next_page(&packed, &packed_position, &after));
    assert_int_equal(layout.payload_offset, old_layout.heap_offset);
    assert_int_equal(layout.heap_offset, packed.dynamic_offset);
    assert_int_equal(layout.heap_offset + layout.heap_size, layout.elrange_size);
    free(bytes);
}

static void test_payload_is_measured(void **state)
{
    (void)state;
    struct alc_image packed;
    uint8_t first[ALC_SGX_HASH_SIZE];
    uint8_t second[ALC_SGX_HASH_SIZE];
    uint8_t *bytes;
    assert_int_equal(pack(&g_image, PAYLOAD_SIZE, &bytes, &packed), ALC_OK);
    alc_image_measure(&packed, first);
    free(bytes);
    g_payload[PAYLOAD_SIZE - 1] ^= 1;
    assert_int_equal(pack(&g_image, PAYLOAD_SIZE, &bytes, &packed), ALC_OK);
    g_payload[PAYLOAD_SIZE - 1] ^= 1;
    alc_image_measure(&packed, second);
    free(bytes);
    assert_memory_not_equal(first, second, sizeof first);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    struct alc_image packed;
    struct alc_image again;
    uint8_t *bytes;
    uint8_t *more = NULL;
    assert_int_equal(pack(&g_image, 0, &more, &again), ALC_E_BAD_ARGUMENT);
    assert_int_equal(pack(&g_image, PAYLOAD_SIZE, &bytes, &packed), ALC_OK);
    assert_int_equal(pack(&packed, PAYLOAD_SIZE, &more, &again), ALC_E_BAD_IMAGE);
    free(bytes);
    /* A layout that does not go with its image, and none at all. */
    for (size_t i = 0; i < 2; i++) {
        struct alc_image_page page;
        size_t position = 0;
        uint8_t *copy = malloc(g_image.size);
        memcpy(copy, g_image.bytes, g_image.size);
        struct alc_image spoilt = g_image;
        spoilt.bytes = copy;
        while (alc_image_next_page(&spoilt, &position, &page)) {
            uint8_t *content = copy + (page.chunks == NULL ? 0 : page.chunks - copy + 64);
            uint64_t magic;
            memcpy(&magic, content, sizeof magic);
            if (page.chunks != NULL && magic == ALC_LAYOUT_MAGIC) {
                content[i * offsetof(struct alc_enclave_layout, elrange_size)] ^= 1;
            }
        }
        assert_int_equal(pack(&spoilt, PAYLOAD_SIZE, &more, &again), ALC_E_BAD_IMAGE);
        free(copy);
    }
}

static void test_no_room(void **state)
{
    (void)state;
    struct alc_error error;
    uint8_t *more = NULL;
    size_t size;
    uint8_t *payload = calloc(1, g_image.enclave_size);
    alc_error_clear(&error);
    assert_int_equal(alc_image_pack(&g_image, payload,
                                    g_image.enclave_size - g_image.dynamic_offset, &more, &size,
                                    &error),
                     ALC_E_BAD_IMAGE);
    free(payload);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_payload_comes_out), cmocka_unit_test(test_image_without_payload),
        cmocka_unit_test(test_pages_stay),        cmocka_unit_test(test_payload_is_measured),
        cmocka_unit_test(test_what_is_refused),   cmocka_unit_test(test_no_room),
    };
    FILE *stream = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (stream == NULL) {
        fprintf(stderr, "usage: %s ELF\n", argv[0]);
        return 2;
    }
    struct alc_image_options options;
    uint8_t *elf = malloc(1 << 22);
    size_t size = fread(elf, 1, 1 << 22, stream);
    fclose(stream);
    alc_image_default_options(&options);
    options.elrange_size = 1 << 24;
    options.stack_pages = 4;
    if (alc_image_build(elf, size, &options, &g_bytes, &size, NULL) != ALC_OK ||
        alc_image_parse(g_bytes, size, &g_image, NULL) != ALC_OK) {
        return 2;
    }
    for (size_t i = 0; i < sizeof g_payload; i++) {
        g_payload[i] = (uint8_t)(i * 7 + 1);
    }
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    free(g_bytes);
    free(elf);
    return result;
}
