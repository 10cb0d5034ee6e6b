/* SPDX-License-Identifier: Apache-2.0
 *
 * Packed images: takes an image apart, page by page, and writes it again with a payload in front of
 * its heap and the layout changed to say so. The image may come from anywhere; what is written is
 * what its pages say, so the measurement stands for all of it.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "sgx/image.h"
#include "sgx/image_internal.h"

struct packer {
    const struct alc_image *image;
    struct alc_enclave_layout layout;
    uint64_t layout_page; /* offset of the page that begins with the layout */
    const uint8_t *payload;
    size_t payload_size;
};

static uint64_t payload_end(const struct alc_enclave_layout *layout)
{
    return layout->payload_offset + layout->payload_size;
}

/* Whether a layout goes with the image it stands in, as far as packing asks. */
static bool layout_fits(const struct alc_enclave_layout *layout, const struct alc_image *image)
{
    uint64_t heap_end;
    return layout->elrange_size == image->enclave_size &&
           layout->heap_offset == image->dynamic_offset &&
           alc_add_u64(layout->heap_offset, layout->heap_size, &heap_end) &&
           heap_end == image->enclave_size && layout->payload_size <= ALC_IMAGE_PAYLOAD_MAX &&
           layout->payload_offset % ALC_SGX_PAGE_SIZE == 0 &&
           layout->payload_offset <= layout->heap_offset &&
           payload_end(layout) <= layout->heap_offset &&
           (layout->payload_size != 0) == (layout->payload_offset != 0);
}

static alc_status find_layout(const struct alc_image *image, struct packer *packer,
                              struct alc_error *error)
{
    struct alc_image_page page;
    size_t position = 0;
    unsigned found = 0;
    while (alc_image_next_page(image, &position, &page)) {
        uint8_t bytes[ALC_SGX_PAGE_SIZE];
        alc_image_copy_page(&page, bytes);
        if (alc_load_u64(bytes) == ALC_LAYOUT_MAGIC) {
            alc_copy(&packer->layout, bytes, sizeof packer->layout);
            packer->layout_page = page.offset;
            found++;
        }
    }
    if (found != 1 || !layout_fits(&packer->layout, image)) {
        return alc_fail_with(error, ALC_E_BAD_IMAGE, ALC_NO_OFFSET, "no layout of alcove's");
    }
    return ALC_OK;
}

/* Makes room for the payload where the heap began. */
static alc_status change_layout(struct packer *packer, struct alc_error *error)
{
    struct alc_enclave_layout *layout = &packer->layout;
    if (layout->payload_size != 0) {
        return alc_fail_with(error, ALC_E_BAD_IMAGE, ALC_NO_OFFSET, "the image is packed already");
    }
    layout->payload_offset = layout->heap_offset;
    layout->payload_size = packer->payload_size;
    uint64_t end;
    if (!alc_align_up(payload_end(layout), ALC_IMAGE_GAP_SIZE, &end) ||
        end + 2 * ALC_IMAGE_GAP_SIZE > layout->elrange_size) {
        return alc_fail_with(error, ALC_E_BAD_IMAGE, ALC_NO_OFFSET,
                             "the address range has no room for the payload");
    }
    layout->heap_offset = end + ALC_IMAGE_GAP_SIZE;
    layout->heap_size = layout->elrange_size - layout->heap_offset;
    return ALC_OK;
}

static void write_payload(const struct packer *packer, struct alc_writer *writer)
{
    const uint64_t flags = ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_REGULAR) | ALC_SGX_PAGE_READ;
    for (size_t done = 0; done < packer->payload_size; done += ALC_SGX_PAGE_SIZE) {
        uint8_t page[ALC_SGX_PAGE_SIZE] = {0};
        size_t left = packer->payload_size - done;
        alc_copy(page, packer->payload + done, left < sizeof page ? left : sizeof page);
        alc_image_write_page(writer, packer->layout.payload_offset + done, flags, page);
    }
}

static void write_packed(const struct packer *packer, struct alc_writer *writer)
{
    const struct alc_image *image = packer->image;
    struct alc_image_page page;
    size_t position = 0;
    alc_image_write_create(writer, image->ssa_frame_pages, image->enclave_size);
    while (alc_image_next_page(image, &position, &page)) {
        uint8_t bytes[ALC_SGX_PAGE_SIZE];
        alc_image_copy_page(&page, bytes);
        if (page.offset == packer->layout_page) {
            alc_copy(bytes, &packer->layout, sizeof packer->layout);
        }
        alc_image_write_page(writer, page.offset, page.secinfo_flags,
                             page.chunks == NULL ? NULL : bytes);
    }
    write_payload(packer, writer);
}

alc_status alc_image_pack(const struct alc_image *image, const void *payload, size_t payload_size,
                          uint8_t **out_bytes, size_t *out_size, struct alc_error *error)
{
    struct packer packer = {.image = image, .payload = payload, .payload_size = payload_size};
    struct alc_writer writer;
    if (payload_size == 0 || payload_size > ALC_IMAGE_PAYLOAD_MAX) {
        return alc_fail_with(error, ALC_E_BAD_ARGUMENT, ALC_NO_OFFSET, "size of the payload");
    }
    ALC_TRY(find_layout(image, &packer, error));
    ALC_TRY(change_layout(&packer, error));
    alc_writer_init(&writer, NULL, 0); /* how much? */
    write_packed(&packer, &writer);
    size_t size = writer.pos;
    uint8_t *bytes = malloc(size);
    if (bytes == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    alc_writer_init(&writer, bytes, size);
    write_packed(&packer, &writer);
    struct alc_image packed;
    alc_status status = alc_writer_finish(&writer);
    if (status == ALC_OK) {
        status = alc_image_parse(bytes, size, &packed, error); /* what we write, we accept */
    }
    if (status != ALC_OK) {
        free(bytes);
        return alc_fail(error, status, ALC_NO_OFFSET);
    }
    ALC_ASSERT(packed.dynamic_offset == packer.layout.heap_offset);
    *out_bytes = bytes;
    *out_size = size;
    return ALC_OK;
}

alc_status alc_image_copy_payload(const struct alc_image *image, uint8_t **out, size_t *out_size,
                                  struct alc_error *error)
{
    struct packer packer = {.image = image};
    const struct alc_enclave_layout *layout = &packer.layout;
    struct alc_image_page page;
    size_t position = 0;
    size_t covered = 0;
    *out = NULL;
    *out_size = 0;
    ALC_TRY(find_layout(image, &packer, error));
    if (layout->payload_size == 0) {
        return ALC_OK;
    }
    size_t size = (size_t)layout->payload_size;
    uint8_t *bytes = malloc(size);
    if (bytes == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    while (covered < size && alc_image_next_page(image, &position, &page)) {
        if (page.offset == layout->payload_offset + covered) {
            uint8_t content[ALC_SGX_PAGE_SIZE];
            size_t count = size - covered < sizeof content ? size - covered : sizeof content;
            alc_image_copy_page(&page, content);
            alc_copy(bytes + covered, content, count);
            covered += count;
        }
    }
    if (covered < size) {
        free(bytes);
        return alc_fail_with(error, ALC_E_BAD_IMAGE, ALC_NO_OFFSET, "pages of the payload miss");
    }
    *out = bytes;
    *out_size = size;
    return ALC_OK;
}
