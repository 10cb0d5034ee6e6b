/* SPDX-License-Identifier: Apache-2.0
 *
 * The image reader against streams that are right, cut, disordered and hostile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "sgx/image.h"
#include "sgx/image_internal.h"

enum {
    ENCLAVE_SIZE = 1 << 20,
    STREAM_MAX = 1 << 16,
    BLOCK = ALC_IMAGE_BLOCK_SIZE,
    MEASURED_PAGE = 64 + 16 * (64 + 256), /* bytes of a measured page in a stream */
    TCS = 0x100,
    REGULAR_RW = 0x203,
    REGULAR_RX = 0x205,
};

struct stream {
    uint8_t bytes[STREAM_MAX];
    struct alc_writer writer;
};

static uint8_t page_bytes[ALC_SGX_PAGE_SIZE];

static void start(struct stream *stream)
{
    memset(stream->bytes, 0, sizeof stream->bytes);
    alc_writer_init(&stream->writer, stream->bytes, sizeof stream->bytes);
    alc_image_write_create(&stream->writer, 1, ENCLAVE_SIZE);
}

static void add(struct stream *stream, uint64_t offset, uint64_t flags, bool measured)
{
    alc_image_write_page(&stream->writer, offset, flags, measured ? page_bytes : NULL);
}

/* ECREATE, code at 0, TCS at 0x1000, an unmeasured page at 0x3000. */
static void write_good(struct stream *stream)
{
    for (size_t i = 0; i < sizeof page_bytes; i++) {
        page_bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    start(stream);
    add(stream, 0, REGULAR_RX, true);
    add(stream, 0x1000, TCS, true);
    add(stream, 0x3000, REGULAR_RW, false);
    assert_false(stream->writer.overflowed);
}

static alc_status parse(const struct stream *stream, size_t size, struct alc_error *error)
{
    struct alc_image image;
    /* An exact copy on the heap, so that AddressSanitizer sees reads past the end. */
    uint8_t *copy = malloc(size + 1);
    assert_non_null(copy);
    memcpy(copy, stream->bytes, size);
    alc_error_clear(error);
    alc_status status = alc_image_parse(copy, size, &image, error);
    free(copy);
    return status;
}

static void refuses(const struct stream *stream, uint64_t offset)
{
    struct alc_error error;
    assert_int_equal(parse(stream, stream->writer.pos, &error), ALC_E_BAD_IMAGE);
    assert_int_equal(error.offset, offset);
}

static void test_good_stream_is_read(void **state)
{
    (void)state;
    struct stream stream;
    struct alc_image image;
    struct alc_image_page page;
    uint8_t out[ALC_SGX_PAGE_SIZE];
    size_t position = 0;
    write_good(&stream);
    assert_int_equal(alc_image_parse(stream.bytes, stream.writer.pos, &image, NULL), ALC_OK);
    assert_int_equal(image.enclave_size, ENCLAVE_SIZE);
    assert_int_equal(image.pages_count, 3);
    assert_int_equal(image.tcs_count, 1);
    assert_int_equal(image.dynamic_offset, 0x20000);

    assert_true(alc_image_next_page(&image, &position, &page));
    assert_int_equal(page.offset, 0);
    assert_int_equal(page.secinfo_flags, REGULAR_RX);
    alc_image_copy_page(&page, out);
    assert_memory_equal(out, page_bytes, sizeof out);
    assert_true(alc_image_next_page(&image, &position, &page));
    assert_int_equal(page.secinfo_flags, TCS);
    assert_true(alc_image_next_page(&image, &position, &page));
    assert_int_equal(page.offset, 0x3000);
    assert_null(page.chunks);
    alc_image_copy_page(&page, out);
    assert_int_equal(out[100], 0);
    assert_false(alc_image_next_page(&image, &position, &page));

    uint8_t measured[32];
    uint8_t expected[32];
    alc_image_measure(&image, measured);
    alc_sha256(stream.bytes, stream.writer.pos, expected);
    assert_memory_equal(measured, expected, sizeof measured);
}

static void test_every_cut_is_refused(void **state)
{
    (void)state;
    struct stream stream;
    struct alc_error error;
    write_good(&stream);
    size_t size = stream.writer.pos;
    size_t accepted = 0;
    for (size_t cut = 0; cut < size; cut++) {
        accepted += parse(&stream, cut, &error) == ALC_OK ? 1 : 0;
    }
    /* Only where a shorter stream is whole: without the last page, or with the TCS unmeasured. */
    assert_int_equal(accepted, 2);
    assert_int_equal(parse(&stream, size - BLOCK, &error), ALC_OK);
    assert_int_equal(parse(&stream, BLOCK + MEASURED_PAGE + BLOCK, &error), ALC_OK);
}

static void test_reserved_bytes_must_be_zero(void **state)
{
    (void)state;
    struct stream stream;
    struct alc_error error;
    static const struct {
        size_t start;
        size_t end;
    } ranges[] = {
        {20, BLOCK},                 /* ECREATE */
        {BLOCK + 24, 2 * BLOCK},     /* EADD: rest of SECINFO */
        {2 * BLOCK + 16, 3 * BLOCK}, /* first EEXTEND */
    };
    for (size_t range = 0; range < ALC_ARRAY_COUNT(ranges); range++) {
        for (size_t i = ranges[range].start; i < ranges[range].end; i++) {
            write_good(&stream);
            stream.bytes[i] = 1;
            assert_int_equal(parse(&stream, stream.writer.pos, &error), ALC_E_BAD_IMAGE);
            assert_int_equal(error.offset, i);
        }
    }
}

static void test_create_block(void **state)
{
    (void)state;
    struct stream stream;
    struct alc_error error;
    static const uint64_t sizes[] = {
        0, 1, 0x1000, 0x3000, ENCLAVE_SIZE + 1, UINT64_MAX, UINT64_C(1) << 47, UINT64_C(1) << 63};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(sizes); i++) {
        write_good(&stream);
        memcpy(stream.bytes + 12, &sizes[i], 8);
        refuses(&stream, 12);
    }
    static const uint32_t frames[] = {0, 17, UINT32_MAX};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(frames); i++) {
        write_good(&stream);
        memcpy(stream.bytes + 8, &frames[i], 4);
        refuses(&stream, 8);
    }
    write_good(&stream);
    stream.bytes[0] = 'X';
    refuses(&stream, 0);
    assert_int_equal(parse(&stream, 0, &error), ALC_E_UNEXPECTED_END);
}

static void test_page_order(void **state)
{
    (void)state;
    struct stream stream;
    start(&stream);
    add(&stream, 0x1000, TCS, true);
    add(&stream, 0x1000, REGULAR_RW, false); /* twice */
    refuses(&stream, BLOCK + MEASURED_PAGE + 8);
    start(&stream);
    add(&stream, 0x2000, TCS, true);
    add(&stream, 0x1000, REGULAR_RW, false); /* backwards */
    refuses(&stream, BLOCK + MEASURED_PAGE + 8);
}

static void test_page_place_and_kind(void **state)
{
    (void)state;
    struct stream stream;
    static const uint64_t offsets[] = {0x800, 1, ENCLAVE_SIZE, UINT64_MAX - 0xFFF,
                                       (uint64_t)ENCLAVE_SIZE << 8};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(offsets); i++) {
        start(&stream);
        add(&stream, offsets[i], REGULAR_RW, false);
        refuses(&stream, BLOCK + 8);
    }
    /* SECS, VA, TRIM, unknown types; TCS with permissions; write-only; pending; high bits. */
    static const uint64_t kinds[] = {0x003,
                                     0x303,
                                     0x403,
                                     0x903,
                                     0x101,
                                     0x103,
                                     0x202,
                                     0x206,
                                     0x20B,
                                     0x213,
                                     0x223,
                                     0x10203,
                                     UINT64_C(0x8000000000000203)};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(kinds); i++) {
        start(&stream);
        add(&stream, 0, kinds[i], false);
        refuses(&stream, BLOCK + 16);
    }
    start(&stream);
    add(&stream, 0, REGULAR_RW, true);
    refuses(&stream, stream.writer.pos); /* no TCS */
}

static void test_chunks(void **state)
{
    (void)state;
    struct stream stream;
    const size_t chunk = BLOCK + ALC_SGX_CHUNK_SIZE;
    uint64_t wrong = 0x200;
    write_good(&stream);
    memcpy(stream.bytes + 2 * BLOCK + 8, &wrong, 8); /* first chunk claims to be the third */
    refuses(&stream, 2 * BLOCK + 8);
    write_good(&stream);
    stream.bytes[2 * BLOCK + 5 * chunk] = 'X'; /* sixth chunk is something unknown */
    refuses(&stream, 2 * BLOCK + 5 * chunk);
    write_good(&stream);
    memcpy(stream.bytes + 2 * BLOCK + 5 * chunk, "EADD\0\0\0\0", 8); /* page measured in part */
    refuses(&stream, 2 * BLOCK + 5 * chunk);
    write_good(&stream);
    memcpy(stream.bytes + BLOCK, "EEXTEND\0", 8); /* a chunk of no page */
    refuses(&stream, BLOCK);
    write_good(&stream);
    memcpy(stream.bytes + BLOCK, "ECREATE\0", 8); /* twice */
    refuses(&stream, BLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_stream_is_read),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_reserved_bytes_must_be_zero),
        cmocka_unit_test(test_create_block),
        cmocka_unit_test(test_page_order),
        cmocka_unit_test(test_page_place_and_kind),
        cmocka_unit_test(test_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
