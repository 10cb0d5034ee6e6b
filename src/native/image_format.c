/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of native images. They are hostile: header fields and tables are checked before anybody
 * uses them, ranges come from the bounded reader, and the hashes are compared last, when it is
 * known what they are over.
 */
#include "native/image_format.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/writer.h"

enum {
    SECTION_ALIGNMENT = 8,
    MODULE_HASH_OFFSET = 72,
    NATIVE_HASH_OFFSET = MODULE_HASH_OFFSET + ALC_SHA256_SIZE,
    VOUCHER_SIZE_OFFSET = NATIVE_HASH_OFFSET + ALC_SHA256_SIZE,
    VOUCHER_HASH_OFFSET = VOUCHER_SIZE_OFFSET + 8,
    FUNCTION_ALIGNMENT = 16,
    PAGE_SIZE = 4096,
};
_Static_assert(VOUCHER_HASH_OFFSET + ALC_SHA256_SIZE == ALC_NATIVE_HEADER_SIZE, "header");
_Static_assert(ALC_NATIVE_HEADER_SIZE % SECTION_ALIGNMENT == 0, "sections are aligned");
_Static_assert(sizeof(struct alc_native_stub) == 16, "as in the file");
_Static_assert(sizeof(struct alc_native_line) == 8, "as in the file");

static const uint8_t MAGIC[4] = {0, 'a', 'l', 'c'};

bool alc_native_image_is(const void *bytes, uint64_t size)
{
    return size >= sizeof MAGIC && alc_equal(bytes, MAGIC, sizeof MAGIC);
}

static uint64_t padded(uint64_t size)
{
    return (size + SECTION_ALIGNMENT - 1) & ~(uint64_t)(SECTION_ALIGNMENT - 1);
}

/* -- sections of an image in memory -- */

struct section {
    const void *bytes;
    uint64_t size;
};

static struct section section_of(const struct alc_native_image *image, unsigned section)
{
    switch (section) {
    case ALC_NATIVE_SECTION_MODULE:
        return (struct section){image->module, image->module_size};
    case ALC_NATIVE_SECTION_CODE:
        return (struct section){image->code, image->code_size};
    case ALC_NATIVE_SECTION_CONSTANTS:
        return (struct section){image->constants, image->constants_size};
    case ALC_NATIVE_SECTION_FUNCTIONS:
        return (struct section){image->functions,
                                ((uint64_t)image->functions_count + 1) * sizeof(uint32_t)};
    case ALC_NATIVE_SECTION_STUBS:
        return (struct section){image->stubs, (uint64_t)image->stubs_count * sizeof *image->stubs};
    case ALC_NATIVE_SECTION_LINES:
        return (struct section){image->lines, (uint64_t)image->lines_count * sizeof *image->lines};
    default:
        return (struct section){image->voucher, image->voucher_size};
    }
}

static uint64_t offset_of(const struct alc_native_image *image, unsigned section)
{
    uint64_t offset = ALC_NATIVE_HEADER_SIZE;
    for (unsigned i = 0; i < section; i++) {
        offset += padded(section_of(image, i).size);
    }
    return offset;
}

uint64_t alc_native_image_file_size(const struct alc_native_image *image)
{
    return offset_of(image, ALC_NATIVE_SECTIONS);
}

/* -- what an image must be like -- */

/* Where it is wrong. */
static alc_status refuse(const struct alc_native_image *image, struct alc_error *error,
                         unsigned section, uint64_t offset, const char *detail)
{
    return alc_fail_with(error, ALC_E_BAD_NATIVE_IMAGE, offset_of(image, section) + offset, detail);
}

static alc_status check_functions(const struct alc_native_image *image, struct alc_error *error)
{
    uint32_t previous = 0;
    for (uint64_t i = 0; i <= image->functions_count; i++) {
        uint32_t function = image->functions[i];
        bool is_placed = i == 0 ? function == 0 : function > previous;
        if (!is_placed || function % FUNCTION_ALIGNMENT != 0) {
            return refuse(image, error, ALC_NATIVE_SECTION_FUNCTIONS, i * sizeof function,
                          ALC_WORDS("place of a function"));
        }
        previous = function;
    }
    return previous == image->code_size ? ALC_OK
                                        : refuse(image, error, ALC_NATIVE_SECTION_FUNCTIONS,
                                                 (uint64_t)image->functions_count * sizeof previous,
                                                 ALC_WORDS("size of the code"));
}

static alc_status check_stubs(const struct alc_native_image *image, struct alc_error *error)
{
    for (uint64_t i = 0; i < image->stubs_count; i++) {
        if (image->stubs[i].kind >= ALC_NATIVE_STUB_KINDS) {
            return refuse(image, error, ALC_NATIVE_SECTION_STUBS, i * sizeof *image->stubs,
                          ALC_WORDS("kind of a stub"));
        }
    }
    return ALC_OK;
}

static alc_status check_lines(const struct alc_native_image *image, struct alc_error *error)
{
    uint32_t previous = 0;
    for (uint64_t i = 0; i < image->lines_count; i++) {
        const struct alc_native_line *line = &image->lines[i];
        if (line->code_offset < previous || line->code_offset >= image->code_size ||
            line->wasm_offset >= image->module_size) {
            return refuse(image, error, ALC_NATIVE_SECTION_LINES, i * sizeof *line, "line");
        }
        previous = line->code_offset;
    }
    return ALC_OK;
}

/* Sizes that fit, and a place for the constants. */
static alc_status check_span(const struct alc_native_image *image, struct alc_error *error)
{
    uint64_t span = (uint64_t)image->stubs_count * ALC_NATIVE_STUB_SIZE + image->code_size;
    if (image->stubs_count > ALC_NATIVE_STUBS_MAX || image->functions_count > ALC_LIMIT_FUNCTIONS ||
        image->module_size > ALC_LIMIT_MODULE_SIZE) {
        return alc_fail_with(error, ALC_E_BAD_NATIVE_IMAGE, 24,
                             ALC_WORDS("too many functions or stubs"));
    }
    if (image->constants_size != 0) {
        span = (uint64_t)image->stubs_count * ALC_NATIVE_STUB_SIZE + image->constants_distance +
               image->constants_size;
        if (image->constants_distance < image->code_size ||
            image->constants_distance - image->code_size >= PAGE_SIZE ||
            image->constants_distance % PAGE_SIZE != 0) {
            return alc_fail_with(error, ALC_E_BAD_NATIVE_IMAGE, 20,
                                 ALC_WORDS("place of the constants"));
        }
    }
    return span <= ALC_NATIVE_CODE_SPAN_MAX
               ? ALC_OK
               : alc_fail_with(error, ALC_E_BAD_NATIVE_IMAGE, 24, ALC_WORDS("code too large"));
}

static alc_status check_image(const struct alc_native_image *image, struct alc_error *error)
{
    if (image->shape >= ALC_NATIVE_SHAPES) {
        return alc_fail_with(error, ALC_E_BAD_NATIVE_IMAGE, 8, "shape");
    }
    if ((image->features & ~(uint32_t)ALC_NATIVE_V3) != 0) {
        return alc_fail_with(error, ALC_E_BAD_NATIVE_IMAGE, 12,
                             ALC_WORDS("features of the processor"));
    }
    uint32_t options = image->shape == ALC_NATIVE_CONFINED
                           ? ALC_NATIVE_OPTIONS & ~ALC_NATIVE_CATCHES
                           : ALC_NATIVE_OPTIONS;
    if ((image->options & ~options) != 0) {
        return alc_fail_with(error, ALC_E_BAD_NATIVE_IMAGE, 16, "options");
    }
    ALC_TRY(check_span(image, error));
    ALC_TRY(check_functions(image, error));
    ALC_TRY(check_stubs(image, error));
    return check_lines(image, error);
}

/* -- writing -- */

static void write_header(const struct alc_native_image *image, struct alc_writer *writer)
{
    alc_write_bytes(writer, MAGIC, sizeof MAGIC);
    alc_write_u32(writer, ALC_NATIVE_ABI_VERSION);
    alc_write_u32(writer, image->shape);
    alc_write_u32(writer, image->features);
    alc_write_u32(writer, image->options);
    alc_write_u32(writer, image->constants_distance);
    for (unsigned i = 0; i < ALC_NATIVE_SECTION_VOUCHER; i++) {
        alc_write_u64(writer, section_of(image, i).size);
    }
    ALC_ASSERT(writer->pos == MODULE_HASH_OFFSET);
    alc_write_zeros(writer, VOUCHER_SIZE_OFFSET - MODULE_HASH_OFFSET);
    alc_write_u64(writer, image->voucher_size);
    alc_write_zeros(writer, ALC_SHA256_SIZE);
}

/* native_sha256 of a whole file. */
static void hash_native(const struct alc_native_image *image, const uint8_t *file,
                        uint8_t digest[ALC_SHA256_SIZE])
{
    uint64_t start = offset_of(image, ALC_NATIVE_SECTION_CODE);
    struct alc_sha256 hash;
    alc_sha256_init(&hash);
    alc_sha256_update(&hash, file, NATIVE_HASH_OFFSET);
    alc_sha256_update(&hash, file + start, offset_of(image, ALC_NATIVE_SECTION_VOUCHER) - start);
    alc_sha256_finish(&hash, digest);
}

alc_status alc_native_image_write(struct alc_native_image *image, void *bytes, uint64_t size,
                                  struct alc_error *error)
{
    uint8_t *file = bytes;
    struct alc_writer writer;
    ALC_TRY(check_image(image, error));
    alc_writer_init(&writer, file, size);
    write_header(image, &writer);
    for (unsigned i = 0; i < ALC_NATIVE_SECTIONS; i++) {
        struct section section = section_of(image, i);
        alc_write_bytes(&writer, section.bytes, section.size);
        alc_write_zeros(&writer, padded(section.size) - section.size);
    }
    ALC_ASSERT(!writer.overflowed && writer.pos == size);
    alc_sha256(image->module, image->module_size, image->module_sha256);
    alc_copy(file + MODULE_HASH_OFFSET, image->module_sha256, ALC_SHA256_SIZE);
    hash_native(image, file, image->native_sha256);
    alc_copy(file + NATIVE_HASH_OFFSET, image->native_sha256, ALC_SHA256_SIZE);
    alc_sha256(image->voucher, image->voucher_size, file + VOUCHER_HASH_OFFSET);
    return ALC_OK;
}

/* -- reading -- */

static alc_status fail_at(const struct alc_reader *reader, const char *detail)
{
    return alc_fail_with(reader->error, ALC_E_BAD_NATIVE_IMAGE, alc_reader_offset(reader), detail);
}

static alc_status read_section(struct alc_reader *reader, uint64_t size, const uint8_t **out)
{
    const uint8_t *padding;
    if (size > alc_reader_remaining(reader) || padded(size) > alc_reader_remaining(reader) ||
        alc_read_bytes(reader, size, out) != ALC_OK ||
        alc_read_bytes(reader, padded(size) - size, &padding) != ALC_OK) {
        return fail_at(reader, ALC_WORDS("a section ends behind the file"));
    }
    for (uint64_t i = 0; i < padded(size) - size; i++) {
        if (padding[i] != 0) {
            return fail_at(reader, "padding");
        }
    }
    return ALC_OK;
}

/* Bytes of an item of each section. */
static const uint8_t ITEM_SIZES[ALC_NATIVE_SECTIONS] = {1, 1, 1, 4, 16, 8, 1};

static alc_status count_all(const struct alc_reader *reader,
                            const uint64_t sizes[ALC_NATIVE_SECTIONS], struct alc_native_image *out)
{
    uint32_t counts[ALC_NATIVE_SECTIONS];
    for (unsigned i = 0; i < ALC_NATIVE_SECTIONS; i++) {
        uint64_t count = sizes[i] / ITEM_SIZES[i];
        if (sizes[i] % ITEM_SIZES[i] != 0 || count > UINT32_MAX) {
            return fail_at(reader, "size of a section");
        }
        counts[i] = (uint32_t)count;
    }
    if (counts[ALC_NATIVE_SECTION_FUNCTIONS] == 0) {
        return fail_at(reader, "size of a section");
    }
    out->module_size = counts[ALC_NATIVE_SECTION_MODULE];
    out->code_size = counts[ALC_NATIVE_SECTION_CODE];
    out->constants_size = counts[ALC_NATIVE_SECTION_CONSTANTS];
    out->functions_count = counts[ALC_NATIVE_SECTION_FUNCTIONS] - 1;
    out->stubs_count = counts[ALC_NATIVE_SECTION_STUBS];
    out->lines_count = counts[ALC_NATIVE_SECTION_LINES];
    out->voucher_size = counts[ALC_NATIVE_SECTION_VOUCHER];
    return ALC_OK;
}

/* As it stands in the file. */
struct header {
    uint8_t magic[sizeof MAGIC];
    uint32_t version;
    uint32_t shape;
    uint32_t features;
    uint32_t options;
    uint32_t constants_distance;
    uint64_t sizes[ALC_NATIVE_SECTION_VOUCHER];
    uint8_t module_sha256[ALC_SHA256_SIZE];
    uint8_t native_sha256[ALC_SHA256_SIZE];
    uint64_t voucher_size;
    uint8_t voucher_sha256[ALC_SHA256_SIZE];
};
_Static_assert(sizeof(struct header) == ALC_NATIVE_HEADER_SIZE &&
                   offsetof(struct header, module_sha256) == MODULE_HASH_OFFSET &&
                   offsetof(struct header, native_sha256) == NATIVE_HASH_OFFSET &&
                   offsetof(struct header, voucher_size) == VOUCHER_SIZE_OFFSET,
               "image_format.h");

static alc_status read_header(struct alc_reader *reader, struct header *header,
                              struct alc_native_image *out)
{
    const uint8_t *bytes;
    if (alc_reader_remaining(reader) < sizeof *header) {
        return fail_at(reader, "shorter than a header");
    }
    ALC_TRY(alc_read_bytes(reader, sizeof *header, &bytes));
    alc_copy(header, bytes, sizeof *header);
    if (!alc_native_image_is(header, sizeof *header)) {
        return alc_fail_with(reader->error, ALC_E_BAD_NATIVE_IMAGE, 0, "magic");
    }
    if (header->version != ALC_NATIVE_ABI_VERSION) {
        return alc_fail_with(reader->error, ALC_E_BAD_NATIVE_IMAGE, 4, "made for another version");
    }
    out->shape = header->shape;
    out->features = header->features;
    out->options = header->options;
    out->constants_distance = header->constants_distance;
    alc_copy(out->module_sha256, header->module_sha256, ALC_SHA256_SIZE);
    alc_copy(out->native_sha256, header->native_sha256, ALC_SHA256_SIZE);
    return ALC_OK;
}

static alc_status read_sections(struct alc_reader *reader,
                                const uint64_t sizes[ALC_NATIVE_SECTIONS],
                                struct alc_native_image *out)
{
    const uint8_t *sections[ALC_NATIVE_SECTIONS];
    for (unsigned i = 0; i < ALC_NATIVE_SECTIONS; i++) {
        ALC_TRY(read_section(reader, sizes[i], &sections[i]));
    }
    if (!alc_reader_at_end(reader)) {
        return fail_at(reader, ALC_WORDS("the file does not end"));
    }
    out->module = sections[ALC_NATIVE_SECTION_MODULE];
    out->code = sections[ALC_NATIVE_SECTION_CODE];
    out->constants = sections[ALC_NATIVE_SECTION_CONSTANTS];
    out->functions = (const uint32_t *)(const void *)sections[ALC_NATIVE_SECTION_FUNCTIONS];
    out->stubs = (const struct alc_native_stub *)(const void *)sections[ALC_NATIVE_SECTION_STUBS];
    out->lines = (const struct alc_native_line *)(const void *)sections[ALC_NATIVE_SECTION_LINES];
    out->voucher = sections[ALC_NATIVE_SECTION_VOUCHER];
    return ALC_OK;
}

static alc_status check_hash(const uint8_t expected[ALC_SHA256_SIZE], const uint8_t *found,
                             uint64_t offset, const char *detail, struct alc_error *error)
{
    return alc_equal(expected, found, ALC_SHA256_SIZE)
               ? ALC_OK
               : alc_fail_with(error, ALC_E_BAD_NATIVE_IMAGE, offset, detail);
}

static alc_status check_hashes(const struct alc_native_image *image, const uint8_t *file,
                               const uint8_t *voucher_hash, struct alc_error *error)
{
    uint8_t digest[ALC_SHA256_SIZE];
    alc_sha256(image->module, image->module_size, digest);
    ALC_TRY(check_hash(digest, image->module_sha256, MODULE_HASH_OFFSET,
                       ALC_WORDS("hash of the module"), error));
    hash_native(image, file, digest);
    ALC_TRY(check_hash(digest, image->native_sha256, NATIVE_HASH_OFFSET,
                       ALC_WORDS("hash of the code"), error));
    alc_sha256(image->voucher, image->voucher_size, digest);
    return check_hash(digest, voucher_hash, VOUCHER_HASH_OFFSET, ALC_WORDS("hash of the voucher"),
                      error);
}

alc_status alc_native_image_read(const void *bytes, uint64_t size, struct alc_native_image *out,
                                 struct alc_error *error)
{
    struct alc_native_image image = {0};
    struct alc_reader reader;
    struct header header;
    uint64_t sizes[ALC_NATIVE_SECTIONS];
    if ((uintptr_t)bytes % SECTION_ALIGNMENT != 0) {
        return alc_fail(error, ALC_E_BAD_ARGUMENT, ALC_NO_OFFSET);
    }
    alc_reader_init(&reader, bytes, size, error);
    ALC_TRY(read_header(&reader, &header, &image));
    alc_copy(sizes, header.sizes, sizeof header.sizes);
    sizes[ALC_NATIVE_SECTION_VOUCHER] = header.voucher_size;
    ALC_TRY(count_all(&reader, sizes, &image));
    ALC_TRY(read_sections(&reader, sizes, &image));
    ALC_TRY(check_image(&image, error));
    ALC_TRY(check_hashes(&image, bytes, header.voucher_sha256, error));
    *out = image;
    return ALC_OK;
}
