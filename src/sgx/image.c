/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads and measures SGXS streams. The input is hostile: every byte comes through the bounded
 * reader, reserved bytes must be zero, and a page can be described in one way only (SDM 35.2: what
 * ECREATE, EADD and EEXTEND feed into MRENCLAVE).
 */
#include "sgx/image.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "base/reader.h"
#include "base/sha256.h"
#include "sgx/image_internal.h"

/* Little-endian tags of the blocks. */
#define TAG_ECREATE UINT64_C(0x0045544145524345)
#define TAG_EADD UINT64_C(0x0000000044444145)
#define TAG_EEXTEND UINT64_C(0x00444E4554584545)

enum {
    CHUNKS_PER_PAGE = ALC_SGX_PAGE_SIZE / ALC_SGX_CHUNK_SIZE,
    CHUNK_RECORD_SIZE = ALC_IMAGE_BLOCK_SIZE + ALC_SGX_CHUNK_SIZE,
    SSA_FRAME_PAGES_MAX = 16, /* the largest XSAVE area (AMX) needs 3 */
    ENCLAVE_SIZE_MIN = 2 * ALC_SGX_PAGE_SIZE,
};
/* Half of the user address space of x86-64 with four-level paging. */
#define ENCLAVE_SIZE_MAX (UINT64_C(1) << 46)

void alc_image_write_create(struct alc_writer *writer, uint32_t ssa_frame_pages, uint64_t size)
{
    alc_write_u64(writer, TAG_ECREATE);
    alc_write_u32(writer, ssa_frame_pages);
    alc_write_u64(writer, size);
    alc_write_zeros(writer, 44);
}

void alc_image_write_page(struct alc_writer *writer, uint64_t offset, uint64_t secinfo_flags,
                          const uint8_t *page)
{
    alc_write_u64(writer, TAG_EADD);
    alc_write_u64(writer, offset);
    alc_write_u64(writer, secinfo_flags);
    alc_write_zeros(writer, 40);
    if (page == NULL) {
        return;
    }
    for (uint32_t chunk_offset = 0; chunk_offset < ALC_SGX_PAGE_SIZE;
         chunk_offset += ALC_SGX_CHUNK_SIZE) {
        alc_write_u64(writer, TAG_EEXTEND);
        alc_write_u64(writer, offset + chunk_offset);
        alc_write_zeros(writer, 48);
        alc_write_bytes(writer, page + chunk_offset, ALC_SGX_CHUNK_SIZE);
    }
}

static alc_status fail_at(const struct alc_reader *reader, uint64_t offset, const char *detail)
{
    return alc_fail_with(reader->error, ALC_E_BAD_IMAGE, offset, detail);
}

static alc_status read_zeros(struct alc_reader *reader, size_t size)
{
    uint64_t offset = alc_reader_offset(reader);
    const uint8_t *bytes;
    ALC_TRY(alc_read_bytes(reader, size, &bytes));
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return fail_at(reader, offset + i, "reserved byte is not zero");
        }
    }
    return ALC_OK;
}

static alc_status read_tag(struct alc_reader *reader, uint64_t tag, const char *detail)
{
    uint64_t offset = alc_reader_offset(reader);
    uint64_t found;
    ALC_TRY(alc_read_u64(reader, &found));
    return found == tag ? ALC_OK : fail_at(reader, offset, detail);
}

static alc_status read_create(struct alc_reader *reader, struct alc_image *image)
{
    ALC_TRY(read_tag(reader, TAG_ECREATE, "does not start with ECREATE"));
    uint64_t frame_offset = alc_reader_offset(reader);
    ALC_TRY(alc_read_u32(reader, &image->ssa_frame_pages));
    if (image->ssa_frame_pages == 0 || image->ssa_frame_pages > SSA_FRAME_PAGES_MAX) {
        return fail_at(reader, frame_offset, "size of SSA frames out of range");
    }
    uint64_t size_offset = alc_reader_offset(reader);
    ALC_TRY(alc_read_u64(reader, &image->enclave_size));
    uint64_t size = image->enclave_size;
    if (size < ENCLAVE_SIZE_MIN || size > ENCLAVE_SIZE_MAX || (size & (size - 1)) != 0) {
        return fail_at(reader, size_offset, "enclave size is not a fitting power of two");
    }
    return read_zeros(reader, 44);
}

static bool secinfo_is_valid(uint64_t flags)
{
    uint64_t permissions = flags & ALC_SGX_PAGE_PERMISSIONS;
    if (flags == ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TCS)) {
        return true;
    }
    /* EADD faults on pages that can be written but not read. */
    bool write_only = (permissions & ALC_SGX_PAGE_WRITE) && !(permissions & ALC_SGX_PAGE_READ);
    return flags == (ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_REGULAR) | permissions) && !write_only;
}

static alc_status read_chunks(struct alc_reader *reader, struct alc_image_page *page)
{
    page->chunks = reader->bytes + reader->pos;
    for (uint64_t i = 0; i < CHUNKS_PER_PAGE; i++) {
        uint64_t offset;
        ALC_TRY(read_tag(reader, TAG_EEXTEND, "page is measured in part only"));
        uint64_t field_offset = alc_reader_offset(reader);
        ALC_TRY(alc_read_u64(reader, &offset));
        if (offset != page->offset + i * ALC_SGX_CHUNK_SIZE) {
            return fail_at(reader, field_offset, "EEXTEND out of order");
        }
        ALC_TRY(read_zeros(reader, 48));
        ALC_TRY(alc_read_skip(reader, ALC_SGX_CHUNK_SIZE));
    }
    return ALC_OK;
}

/* Reads EADD and, if there are any, the page's EEXTENDs. `offset_min`: pages below are taken. */
static alc_status read_page(struct alc_reader *reader, const struct alc_image *image,
                            uint64_t offset_min, struct alc_image_page *page)
{
    ALC_TRY(read_tag(reader, TAG_EADD, "neither EADD nor the EEXTEND of a page just added"));
    uint64_t field_offset = alc_reader_offset(reader);
    ALC_TRY(alc_read_u64(reader, &page->offset));
    if (page->offset % ALC_SGX_PAGE_SIZE != 0) {
        return fail_at(reader, field_offset, "page offset is not aligned");
    }
    if (page->offset < offset_min) {
        return fail_at(reader, field_offset, "pages overlap or are out of order");
    }
    if (!alc_range_fits(page->offset, ALC_SGX_PAGE_SIZE, image->enclave_size)) {
        return fail_at(reader, field_offset, "page lies outside the enclave");
    }
    field_offset = alc_reader_offset(reader);
    ALC_TRY(alc_read_u64(reader, &page->secinfo_flags));
    if (!secinfo_is_valid(page->secinfo_flags)) {
        return fail_at(reader, field_offset, "page type or permissions not allowed");
    }
    ALC_TRY(read_zeros(reader, 40));
    page->chunks = NULL;
    if (alc_reader_remaining(reader) >= 8 &&
        alc_load_u64(reader->bytes + reader->pos) == TAG_EEXTEND) {
        ALC_TRY(read_chunks(reader, page));
    }
    return ALC_OK;
}

alc_status alc_image_parse(const void *bytes, size_t size, struct alc_image *out,
                           struct alc_error *error)
{
    struct alc_reader reader;
    struct alc_image image = {.bytes = bytes, .size = size};
    alc_reader_init(&reader, bytes, size, error);
    ALC_TRY(read_create(&reader, &image));
    uint64_t offset_min = 0;
    while (!alc_reader_at_end(&reader)) {
        struct alc_image_page page;
        uint64_t start = alc_reader_offset(&reader);
        ALC_TRY(read_page(&reader, &image, offset_min, &page));
        if (image.pages_count == UINT32_MAX) {
            return fail_at(&reader, start, "too many pages");
        }
        offset_min = page.offset + ALC_SGX_PAGE_SIZE;
        image.pages_count++;
        image.tcs_count += page.secinfo_flags == ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TCS) ? 1 : 0;
    }
    if (image.tcs_count == 0) {
        return fail_at(&reader, size, "no TCS: there is no way in");
    }
    uint64_t end;
    if (!alc_align_up(offset_min, ALC_IMAGE_GAP_SIZE, &end) || end > image.enclave_size) {
        end = image.enclave_size;
    }
    bool has_dynamic = image.enclave_size - end > ALC_IMAGE_GAP_SIZE;
    image.dynamic_offset = has_dynamic ? end + ALC_IMAGE_GAP_SIZE : image.enclave_size;
    *out = image;
    return ALC_OK;
}

bool alc_image_next_page(const struct alc_image *image, size_t *position,
                         struct alc_image_page *page)
{
    size_t start = *position == 0 ? ALC_IMAGE_BLOCK_SIZE : *position;
    if (start >= image->size) {
        return false;
    }
    /* The same reader again, on bytes that it has accepted before. */
    struct alc_reader reader;
    alc_reader_init(&reader, image->bytes + start, image->size - start, NULL);
    alc_status status = read_page(&reader, image, 0, page);
    ALC_ASSERT(status == ALC_OK);
    *position = start + reader.pos;
    return true;
}

void alc_image_copy_page(const struct alc_image_page *page, uint8_t out[ALC_SGX_PAGE_SIZE])
{
    if (page->chunks == NULL) {
        alc_fill(out, 0, ALC_SGX_PAGE_SIZE);
        return;
    }
    for (size_t i = 0; i < CHUNKS_PER_PAGE; i++) {
        alc_copy(out + i * ALC_SGX_CHUNK_SIZE,
                 page->chunks + i * CHUNK_RECORD_SIZE + ALC_IMAGE_BLOCK_SIZE, ALC_SGX_CHUNK_SIZE);
    }
}

void alc_image_measure(const struct alc_image *image, uint8_t mrenclave[ALC_SGX_HASH_SIZE])
{
    alc_sha256(image->bytes, image->size, mrenclave);
}
