/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of native images: what was written is read, and nothing else is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "native/image_format.h"

enum { FILE_MAX = 4096 };

struct sample {
    struct alc_native_image image;
    uint32_t functions[3];
    struct alc_native_stub stubs[2];
    struct alc_native_line lines[3];
    _Alignas(8) uint8_t file[FILE_MAX];
    uint64_t size;
};

static const uint8_t MODULE[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 0, 3, 1, 'x', 7};
static const uint8_t CODE[48] = {0xc3, [16] = 0x90, [17] = 0xc3, [47] = 0xcc};
static const uint8_t CONSTANTS[] = {1, 2, 3, 4, 5};
static const uint8_t VOUCHER[] = "signed";

static void describe(struct sample *sample)
{
    *sample = (struct sample){
        .functions = {0, 16, 48},
        .stubs = {{ALC_NATIVE_STUB_IMPORT, 0, 0, 0}, {ALC_NATIVE_STUB_OPERATION, 4, 5, 6}},
        .lines = {{0, 8}, {16, 9}, {16, 11}},
    };
    sample->image = (struct alc_native_image){
        .shape = ALC_NATIVE_CHECKED,
        .features = ALC_NATIVE_V3,
        .options = ALC_NATIVE_METERED,
        .module = MODULE,
        .module_size = sizeof MODULE,
        .code = CODE,
        .code_size = sizeof CODE,
        .constants = CONSTANTS,
        .constants_size = sizeof CONSTANTS,
        .constants_distance = 4096,
        .functions = sample->functions,
        .functions_count = 2,
        .stubs = sample->stubs,
        .stubs_count = 2,
        .lines = sample->lines,
        .lines_count = 3,
        .voucher = VOUCHER,
        .voucher_size = sizeof VOUCHER,
    };
}

static alc_status write_file(struct sample *sample, struct alc_error *error)
{
    alc_error_clear(error);
    sample->size = alc_native_image_file_size(&sample->image);
    assert_true(sample->size <= FILE_MAX);
    return alc_native_image_write(&sample->image, sample->file, sample->size, error);
}

static void written_is_read(void **state)
{
    (void)state;
    struct sample sample;
    struct alc_error error;
    describe(&sample);
    assert_int_equal(write_file(&sample, &error), ALC_OK);
    assert_true(alc_native_image_is(sample.file, sample.size));
    struct alc_native_image out;
    assert_int_equal(alc_native_image_read(sample.file, sample.size, &out, &error), ALC_OK);
    const struct alc_native_image *in = &sample.image;
    assert_int_equal(out.shape, in->shape);
    assert_int_equal(out.features, in->features);
    assert_int_equal(out.options, in->options);
    assert_int_equal(out.module_size, in->module_size);
    assert_memory_equal(out.module, in->module, in->module_size);
    assert_int_equal(out.code_size, in->code_size);
    assert_memory_equal(out.code, in->code, in->code_size);
    assert_int_equal(out.constants_size, in->constants_size);
    assert_int_equal(out.constants_distance, in->constants_distance);
    assert_memory_equal(out.constants, in->constants, in->constants_size);
    assert_int_equal(out.functions_count, in->functions_count);
    assert_memory_equal(out.functions, in->functions, sizeof sample.functions);
    assert_int_equal(out.stubs_count, in->stubs_count);
    assert_memory_equal(out.stubs, in->stubs, sizeof sample.stubs);
    assert_int_equal(out.lines_count, in->lines_count);
    assert_memory_equal(out.lines, in->lines, sizeof sample.lines);
    assert_int_equal(out.voucher_size, in->voucher_size);
    assert_memory_equal(out.voucher, in->voucher, in->voucher_size);
    assert_memory_equal(out.native_sha256, in->native_sha256, ALC_SHA256_SIZE);
    uint8_t digest[ALC_SHA256_SIZE];
    alc_sha256(MODULE, sizeof MODULE, digest);
    assert_memory_equal(out.module_sha256, digest, ALC_SHA256_SIZE);
}

static void no_bit_may_change(void **state)
{
    (void)state;
    struct sample sample;
    struct alc_error error;
    struct alc_native_image out;
    describe(&sample);
    assert_int_equal(write_file(&sample, &error), ALC_OK);
    for (uint64_t i = 0; i < sample.size * 8; i++) {
        sample.file[i / 8] ^= (uint8_t)(1 << i % 8);
        alc_error_clear(&error);
        assert_int_equal(alc_native_image_read(sample.file, sample.size, &out, &error),
                         ALC_E_BAD_NATIVE_IMAGE);
        assert_true(error.detail[0] != '\0' && error.offset <= sample.size);
        sample.file[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (uint64_t size = 0; size < sample.size; size++) {
        /* At the end of its allocation, for the sanitizers. */
        uint8_t *cut = malloc(size);
        memcpy(cut, sample.file, size);
        assert_int_equal(alc_native_image_read(cut, size, &out, NULL), ALC_E_BAD_NATIVE_IMAGE);
        free(cut);
    }
    assert_int_equal(alc_native_image_read(sample.file, sample.size + 8, &out, NULL),
                     ALC_E_BAD_NATIVE_IMAGE);
    assert_int_equal(alc_native_image_read(sample.file + 4, 100, &out, NULL), ALC_E_BAD_ARGUMENT);
    assert_int_equal(alc_native_image_read(sample.file, sample.size, &out, NULL), ALC_OK);
}

/* The voucher may be put in later: it changes neither hash. */
static void vouching_keeps_hashes(void **state)
{
    (void)state;
    struct sample sample;
    struct alc_error error;
    uint8_t before[ALC_SHA256_SIZE];
    describe(&sample);
    sample.image.voucher_size = 0;
    assert_int_equal(write_file(&sample, &error), ALC_OK);
    memcpy(before, sample.image.native_sha256, sizeof before);
    sample.image.voucher_size = sizeof VOUCHER;
    assert_int_equal(write_file(&sample, &error), ALC_OK);
    assert_memory_equal(before, sample.image.native_sha256, sizeof before);
    /* But another module does. */
    sample.image.module_size--;
    assert_int_equal(write_file(&sample, &error), ALC_OK);
    assert_memory_not_equal(before, sample.image.native_sha256, sizeof before);
}

/* A writer without the checks: a wrong description with right hashes. Fields of the header are
 * changed in a good file and the hash made anew. */
static void hash_again(struct sample *sample)
{
    uint64_t code = ALC_NATIVE_HEADER_SIZE + ((sizeof MODULE + 7) & ~7ull);
    uint64_t voucher = sample->size - ((sizeof VOUCHER + 7) & ~7ull);
    struct alc_sha256 hash;
    alc_sha256_init(&hash);
    alc_sha256_update(&hash, sample->file, 104);
    alc_sha256_update(&hash, sample->file + code, voucher - code);
    alc_sha256_finish(&hash, sample->file + 104);
}

/* `words` NULL: it is none. */
static void expect_refusal(struct sample *sample, uint64_t offset, uint32_t value,
                           const char *words)
{
    struct alc_error error;
    struct alc_native_image out;
    uint32_t before;
    memcpy(&before, sample->file + offset, 4);
    memcpy(sample->file + offset, &value, 4);
    hash_again(sample);
    alc_error_clear(&error);
    assert_int_equal(alc_native_image_read(sample->file, sample->size, &out, &error),
                     words == NULL ? ALC_OK : ALC_E_BAD_NATIVE_IMAGE);
    assert_string_equal(error.detail, words == NULL ? "" : words);
    memcpy(sample->file + offset, &before, 4);
}

static void lies_are_found(void **state)
{
    (void)state;
    struct sample sample;
    struct alc_error error;
    struct alc_native_image out;
    describe(&sample);
    assert_int_equal(write_file(&sample, &error), ALC_OK);
    uint64_t functions = ALC_NATIVE_HEADER_SIZE + 16 + 48 + 8;
    uint64_t stubs = functions + 16;
    uint64_t lines = stubs + 32;
    expect_refusal(&sample, 4, ALC_NATIVE_ABI_VERSION + 1, "made for another version");
    expect_refusal(&sample, 8, ALC_NATIVE_SHAPES, "shape");
    expect_refusal(&sample, 12, 2, "features of the processor");
    expect_refusal(&sample, 16, 8, "options");
    expect_refusal(&sample, 16, ALC_NATIVE_CATCHES, NULL);
    sample.file[8] = ALC_NATIVE_CONFINED;
    expect_refusal(&sample, 16, ALC_NATIVE_CATCHES, "options");
    sample.file[8] = ALC_NATIVE_CHECKED;
    expect_refusal(&sample, 20, 4097, "place of the constants");
    expect_refusal(&sample, 20, 0, "place of the constants");
    expect_refusal(&sample, 20, 8192, "place of the constants");
    expect_refusal(&sample, functions + 8, 64, "size of the code");
    expect_refusal(&sample, 24 + 3 * 8, 0, "size of a section");
    expect_refusal(&sample, 24 + 3 * 8, 10, "size of a section");
    expect_refusal(&sample, 24 + 4 * 8, 40, "size of a section");
    expect_refusal(&sample, 24 + 5 * 8, 44, "size of a section");
    expect_refusal(&sample, 24 + 4, 1, "size of a section");
    expect_refusal(&sample, 24, 1 << 20, "a section ends behind the file");
    expect_refusal(&sample, functions, 16, "place of a function");
    expect_refusal(&sample, functions + 4, 0, "place of a function");
    expect_refusal(&sample, functions + 4, 8, "place of a function");
    expect_refusal(&sample, functions + 4, 64, "place of a function");
    expect_refusal(&sample, stubs, ALC_NATIVE_STUB_KINDS, "kind of a stub");
    expect_refusal(&sample, lines, 48, "line");
    expect_refusal(&sample, lines + 16, 15, "line");
    expect_refusal(&sample, lines + 4, sizeof MODULE, "line");
    expect_refusal(&sample, functions - 4, 0x105, "padding");
    hash_again(&sample);
    assert_int_equal(alc_native_image_read(sample.file, sample.size, &out, NULL), ALC_OK);
}

/* The writer refuses what no reader would take. */
static void writer_checks(void **state)
{
    (void)state;
    struct sample sample;
    struct alc_error error;
    describe(&sample);
    sample.functions[1] = 17;
    assert_int_equal(write_file(&sample, &error), ALC_E_BAD_NATIVE_IMAGE);
    describe(&sample);
    sample.image.shape = ALC_NATIVE_SHAPES;
    assert_int_equal(write_file(&sample, &error), ALC_E_BAD_NATIVE_IMAGE);
}

/* A module without functions of its own. */
static void empty_code(void **state)
{
    (void)state;
    struct sample sample;
    struct alc_error error;
    struct alc_native_image out;
    describe(&sample);
    sample.functions[0] = 0;
    sample.image.functions_count = 0;
    sample.image.code_size = 0;
    sample.image.constants_size = 0;
    sample.image.constants_distance = 0;
    sample.image.stubs_count = 0;
    sample.image.lines_count = 0;
    sample.image.voucher_size = 0;
    assert_int_equal(write_file(&sample, &error), ALC_OK);
    assert_int_equal(alc_native_image_read(sample.file, sample.size, &out, &error), ALC_OK);
    assert_int_equal(out.functions_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_is_read),       cmocka_unit_test(no_bit_may_change),
        cmocka_unit_test(vouching_keeps_hashes), cmocka_unit_test(lies_are_found),
        cmocka_unit_test(writer_checks),         cmocka_unit_test(empty_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
