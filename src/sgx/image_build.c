/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns an enclave's ELF file into its image: lays out the address range, writes the layout into
 * the file's layout section, and emits the pages as a measurement stream. Depends on nothing but
 * its arguments, so the same file gives the same MRENCLAVE everywhere.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/limits.h"
#include "sgx/elf_file.h"
#include "sgx/image.h"
#include "sgx/image_internal.h"
#include "sgx_arch/relocate.h"

enum {
    GAP_SIZE = ALC_IMAGE_GAP_SIZE,
    SSA_FRAMES = 2, /* level 0 and its exception handler: an exception in the handler is final */
    EXCEPTION_STACK_PAGES = 4,
    ELF_MEMORY_MAX = 1 << 26,
};

struct builder {
    struct alc_elf_file elf;
    const struct alc_image_options *options;
    struct alc_enclave_layout layout;
    uint8_t *memory; /* the ELF part as it stands in the enclave */
    struct alc_error *error;
};

void alc_image_default_options(struct alc_image_options *options)
{
    *options = (struct alc_image_options){
        .elrange_size = UINT64_C(1) << 34,
        .threads_count = ALC_LIMIT_ENCLAVE_THREADS,
        .stack_pages = 64,
        .ssa_frame_pages = 1,
    };
}

static alc_status check_options(const struct alc_image_options *options, struct alc_error *error)
{
    uint64_t size = options->elrange_size;
    if (size < (UINT64_C(1) << 20) || size > (UINT64_C(1) << 40) || (size & (size - 1)) != 0) {
        return alc_fail_with(error, ALC_E_BAD_ARGUMENT, ALC_NO_OFFSET,
                             "address range is not a power of two from 1 MiB to 1 TiB");
    }
    if (options->threads_count == 0 || options->threads_count > ALC_LIMIT_ENCLAVE_THREADS ||
        options->stack_pages == 0 || options->stack_pages > 0x10000 ||
        options->ssa_frame_pages == 0 || options->ssa_frame_pages > 16) {
        return alc_fail_with(error, ALC_E_BAD_ARGUMENT, ALC_NO_OFFSET,
                             "threads, stack or SSA frame size out of range");
    }
    return ALC_OK;
}

static uint64_t round_up(uint64_t value, uint64_t alignment)
{
    uint64_t rounded;
    bool fits = alc_align_up(value, alignment, &rounded);
    ALC_ASSERT(fits); /* callers pass sizes bounded by check_options and ELF_MEMORY_MAX */
    return rounded;
}

static alc_status lay_out_elf(struct builder *builder)
{
    struct alc_enclave_layout *layout = &builder->layout;
    const struct alc_elf_file *elf = &builder->elf;
    const struct alc_elf_segment *last = &elf->segments[elf->segments_count - 1];
    if (!alc_range_fits(last->offset, last->memory_size, ELF_MEMORY_MAX)) {
        return alc_fail_with(builder->error, ALC_E_BAD_IMAGE, ALC_NO_OFFSET,
                             "program is too large");
    }
    layout->magic = ALC_LAYOUT_MAGIC;
    layout->elrange_size = builder->options->elrange_size;
    layout->image_size = round_up(last->offset + last->memory_size, ALC_SGX_PAGE_SIZE);
    layout->entry_offset = elf->entry_offset;
    layout->ranges_count = elf->segments_count;
    for (uint32_t i = 0; i < elf->segments_count; i++) {
        layout->ranges[i] = (struct alc_layout_range){
            .offset = elf->segments[i].offset,
            .size = round_up(elf->segments[i].memory_size, ALC_SGX_PAGE_SIZE),
            .permissions = elf->segments[i].permissions,
        };
    }
    layout->relocations_offset = elf->relocations_offset;
    layout->relocations_size = elf->relocations_size;
    layout->relro_offset = elf->relro_offset;
    layout->relro_size = round_up(elf->relro_size, ALC_SGX_PAGE_SIZE);
    return ALC_OK;
}

static alc_status lay_out_threads(struct builder *builder)
{
    struct alc_enclave_layout *layout = &builder->layout;
    const struct alc_image_options *options = builder->options;
    layout->threads_offset = round_up(layout->image_size, GAP_SIZE);
    layout->threads_count = options->threads_count;
    layout->exception_stack_offset = GAP_SIZE;
    layout->exception_stack_size = EXCEPTION_STACK_PAGES * ALC_SGX_PAGE_SIZE;
    layout->stack_offset = layout->exception_stack_offset + layout->exception_stack_size + GAP_SIZE;
    layout->stack_size = (uint64_t)options->stack_pages * ALC_SGX_PAGE_SIZE;
    layout->tls_offset = layout->stack_offset + layout->stack_size;
    layout->tls_size = ALC_SGX_PAGE_SIZE;
    layout->tcs_offset = layout->tls_offset + layout->tls_size;
    layout->ssa_offset = layout->tcs_offset + ALC_SGX_PAGE_SIZE;
    layout->ssa_count = SSA_FRAMES;
    layout->ssa_frame_size = (uint64_t)options->ssa_frame_pages * ALC_SGX_PAGE_SIZE;
    uint64_t block_size = layout->ssa_offset + SSA_FRAMES * layout->ssa_frame_size;
    layout->threads_stride = round_up(block_size, GAP_SIZE);
    layout->heap_offset =
        layout->threads_offset + layout->threads_count * layout->threads_stride + GAP_SIZE;
    if (layout->heap_offset >= layout->elrange_size) {
        return alc_fail_with(builder->error, ALC_E_BAD_ARGUMENT, ALC_NO_OFFSET,
                             "address range is too small for the image");
    }
    layout->heap_size = layout->elrange_size - layout->heap_offset;
    return ALC_OK;
}

/* Fills `memory` with the program and the finished layout, and tries the relocations on a copy. */
static alc_status fill_memory(struct builder *builder)
{
    const struct alc_elf_file *elf = &builder->elf;
    size_t size = builder->layout.image_size;
    builder->memory = calloc(1, size);
    uint8_t *copy = malloc(size);
    if (builder->memory == NULL || copy == NULL) {
        free(copy);
        return alc_fail(builder->error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    for (uint32_t i = 0; i < elf->segments_count; i++) {
        const struct alc_elf_segment *segment = &elf->segments[i];
        alc_copy(builder->memory + segment->offset, elf->bytes + segment->file_offset,
                 segment->file_size);
    }
    alc_copy(builder->memory + elf->layout_offset, &builder->layout, sizeof builder->layout);
    alc_copy(copy, builder->memory, size);
    alc_status status = alc_relocate(copy, &builder->layout);
    free(copy);
    if (status != ALC_OK) {
        return alc_fail_with(builder->error, status, ALC_NO_OFFSET,
                             "a relocation is outside the writable data");
    }
    return ALC_OK;
}

static void write_zero_pages(struct alc_writer *writer, uint64_t offset, uint64_t size,
                             bool measured)
{
    static const uint8_t zero_page[ALC_SGX_PAGE_SIZE];
    const uint64_t flags =
        ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_REGULAR) | ALC_SGX_PAGE_READ | ALC_SGX_PAGE_WRITE;
    for (uint64_t page = 0; page < size; page += ALC_SGX_PAGE_SIZE) {
        alc_image_write_page(writer, offset + page, flags, measured ? zero_page : NULL);
    }
}

static void write_thread(const struct alc_enclave_layout *layout, uint64_t index,
                         struct alc_writer *writer)
{
    uint64_t start = layout->threads_offset + index * layout->threads_stride;
    struct {
        struct alc_thread_head head;
        uint8_t rest[ALC_SGX_PAGE_SIZE - sizeof(struct alc_thread_head)];
    } tls = {.head = {
                 .self_offset = start + layout->tls_offset,
                 .stack_top_offset = start + layout->stack_offset + layout->stack_size,
                 .exception_stack_top_offset =
                     start + layout->exception_stack_offset + layout->exception_stack_size,
                 .ssa_offset = start + layout->ssa_offset,
                 .stack_bottom_offset = start + layout->stack_offset,
                 .index = index,
                 .tcs_offset = start + layout->tcs_offset,
             }};
    struct alc_sgx_tcs tcs = {
        .ssa_offset = start + layout->ssa_offset,
        .ssa_count = (uint32_t)layout->ssa_count,
        .entry_offset = layout->entry_offset,
        .fs_offset = start + layout->tls_offset,
        .gs_offset = start + layout->tls_offset,
        .fs_limit = ALC_SGX_TCS_LIMIT,
        .gs_limit = ALC_SGX_TCS_LIMIT,
    };
    const uint64_t regular =
        ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_REGULAR) | ALC_SGX_PAGE_READ | ALC_SGX_PAGE_WRITE;
    write_zero_pages(writer, start + layout->exception_stack_offset, layout->exception_stack_size,
                     false);
    write_zero_pages(writer, start + layout->stack_offset, layout->stack_size, false);
    alc_image_write_page(writer, start + layout->tls_offset, regular, (const uint8_t *)&tls);
    alc_image_write_page(writer, start + layout->tcs_offset, ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TCS),
                         (const uint8_t *)&tcs);
    write_zero_pages(writer, start + layout->ssa_offset, layout->ssa_count * layout->ssa_frame_size,
                     true);
}

static void write_image(const struct builder *builder, struct alc_writer *writer)
{
    const struct alc_enclave_layout *layout = &builder->layout;
    alc_image_write_create(writer, builder->options->ssa_frame_pages, layout->elrange_size);
    for (uint64_t i = 0; i < layout->ranges_count; i++) {
        const struct alc_layout_range *range = &layout->ranges[i];
        for (uint64_t page = 0; page < range->size; page += ALC_SGX_PAGE_SIZE) {
            alc_image_write_page(writer, range->offset + page,
                                 ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_REGULAR) | range->permissions,
                                 builder->memory + range->offset + page);
        }
    }
    for (uint64_t i = 0; i < layout->threads_count; i++) {
        write_thread(layout, i, writer);
    }
}

static alc_status build(struct builder *builder, uint8_t **out_bytes, size_t *out_size)
{
    ALC_TRY(lay_out_elf(builder));
    ALC_TRY(lay_out_threads(builder));
    ALC_TRY(fill_memory(builder));
    struct alc_writer writer;
    alc_writer_init(&writer, NULL, 0); /* how much? */
    write_image(builder, &writer);
    size_t size = writer.pos;
    uint8_t *bytes = malloc(size);
    if (bytes == NULL) {
        return alc_fail(builder->error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    alc_writer_init(&writer, bytes, size);
    write_image(builder, &writer);
    struct alc_image image;
    alc_status status = alc_writer_finish(&writer);
    if (status == ALC_OK) {
        status =
            alc_image_parse(bytes, size, &image, builder->error); /* what we write, we accept */
    }
    if (status != ALC_OK) {
        free(bytes);
        return alc_fail(builder->error, status, ALC_NO_OFFSET);
    }
    ALC_ASSERT(image.dynamic_offset == builder->layout.heap_offset);
    *out_bytes = bytes;
    *out_size = size;
    return ALC_OK;
}

alc_status alc_image_build(const void *elf, size_t elf_size,
                           const struct alc_image_options *options, uint8_t **out_bytes,
                           size_t *out_size, struct alc_error *error)
{
    struct builder builder = {.options = options, .error = error};
    ALC_TRY(check_options(options, error));
    ALC_TRY(alc_elf_read(elf, elf_size, &builder.elf, error));
    alc_status status = build(&builder, out_bytes, out_size);
    free(builder.memory);
    return status;
}
