/* SPDX-License-Identifier: Apache-2.0
 *
 * The builder on a real ELF file (the smallest image's) and on spoilt copies of it; the layout it
 * writes agrees with the pages it emits.
 *   argument: the ELF file
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "sgx/elf_file.h"
#include "sgx/image.h"

static uint8_t *g_elf;
static size_t g_elf_size;
static struct alc_image_options g_options;

static alc_status build_copy(const uint8_t *elf, size_t size, uint8_t **out, size_t *out_size)
{
    struct alc_error error;
    alc_error_clear(&error);
    alc_status status = alc_image_build(elf, size, &g_options, out, out_size, &error);
    if (status != ALC_OK) {
        assert_int_equal(error.status, status);
    }
    return status;
}

static void build(uint8_t **out, size_t *out_size)
{
    assert_int_equal(build_copy(g_elf, g_elf_size, out, out_size), ALC_OK);
}

static void test_same_input_same_bytes(void **state)
{
    (void)state;
    uint8_t *a;
    uint8_t *b;
    size_t a_size;
    size_t b_size;
    build(&a, &a_size);
    build(&b, &b_size);
    assert_int_equal(a_size, b_size);
    assert_memory_equal(a, b, a_size);
    free(a);
    free(b);
}

/* Copies the layout out of an image: it stands where the ELF file's section is. */
static void read_layout(const struct alc_image *image, struct alc_enclave_layout *layout)
{
    struct alc_elf_file elf;
    struct alc_image_page page;
    uint8_t bytes[ALC_SGX_PAGE_SIZE];
    size_t position = 0;
    assert_int_equal(alc_elf_read(g_elf, g_elf_size, &elf, NULL), ALC_OK);
    while (alc_image_next_page(image, &position, &page)) {
        if (page.offset == elf.layout_offset) {
            alc_image_copy_page(&page, bytes);
            memcpy(layout, bytes, sizeof *layout);
            return;
        }
    }
    fail();
}

enum page_kind {
    PAGE_GAP,
    PAGE_CODE,
    PAGE_RODATA,
    PAGE_RELRO,
    PAGE_DATA,
    PAGE_STACK,
    PAGE_TLS,
    PAGE_TCS,
    PAGE_SSA
};

static enum page_kind expected_kind(const struct alc_enclave_layout *layout, uint64_t offset)
{
    for (uint64_t i = 0; i < layout->ranges_count; i++) {
        if (offset >= layout->ranges[i].offset &&
            offset < layout->ranges[i].offset + layout->ranges[i].size) {
            return (enum page_kind)(PAGE_CODE + i);
        }
    }
    if (offset < layout->threads_offset ||
        offset >= layout->threads_offset + layout->threads_count * layout->threads_stride) {
        return PAGE_GAP;
    }
    uint64_t in_block = (offset - layout->threads_offset) % layout->threads_stride;
    if (in_block - layout->exception_stack_offset < layout->exception_stack_size ||
        in_block - layout->stack_offset < layout->stack_size) {
        return PAGE_STACK;
    }
    if (in_block == layout->tls_offset) {
        return PAGE_TLS;
    }
    if (in_block == layout->tcs_offset) {
        return PAGE_TCS;
    }
    return in_block - layout->ssa_offset < layout->ssa_count * layout->ssa_frame_size ? PAGE_SSA
                                                                                      : PAGE_GAP;
}

static void check_thread_pages(const struct alc_enclave_layout *layout, uint64_t index,
                               const struct alc_thread_head *head, const struct alc_sgx_tcs *tcs)
{
    uint64_t start = layout->threads_offset + index * layout->threads_stride;
    assert_int_equal(head->index, index);
    assert_int_equal(head->self_offset, start + layout->tls_offset);
    assert_int_equal(head->stack_top_offset, start + layout->stack_offset + layout->stack_size);
    assert_int_equal(head->tcs_offset, start + layout->tcs_offset);
    assert_int_equal(head->ssa_offset, tcs->ssa_offset);
    assert_int_equal(head->stack_guard, 0);
    assert_int_equal(tcs->ssa_offset, start + layout->ssa_offset);
    assert_int_equal(tcs->ssa_count, 2);
    assert_int_equal(tcs->entry_offset, layout->entry_offset);
    assert_int_equal(tcs->fs_offset, start + layout->tls_offset);
    assert_int_equal(tcs->flags, 0);
    assert_int_equal(alc_layout_tcs_offset(layout, index), start + layout->tcs_offset);
}

static void test_layout_and_pages_agree(void **state)
{
    (void)state;
    static const uint64_t flags[] = {
        [PAGE_CODE] = 0x205,  [PAGE_RODATA] = 0x201, [PAGE_RELRO] = 0x203, [PAGE_DATA] = 0x203,
        [PAGE_STACK] = 0x203, [PAGE_TLS] = 0x203,    [PAGE_TCS] = 0x100,   [PAGE_SSA] = 0x203};
    uint8_t *bytes;
    size_t size;
    struct alc_image image;
    struct alc_enclave_layout layout;
    struct alc_image_page page;
    struct alc_thread_head head = {0};
    uint8_t page_bytes[ALC_SGX_PAGE_SIZE];
    size_t position = 0;
    uint64_t threads = 0;
    build(&bytes, &size);
    assert_int_equal(alc_image_parse(bytes, size, &image, NULL), ALC_OK);
    read_layout(&image, &layout);
    assert_int_equal(layout.magic, ALC_LAYOUT_MAGIC);
    assert_int_equal(layout.elrange_size, g_options.elrange_size);
    assert_int_equal(layout.heap_offset, image.dynamic_offset);
    assert_int_equal(layout.heap_offset + layout.heap_size, layout.elrange_size);
    assert_int_equal(layout.threads_count, g_options.threads_count);
    assert_int_equal(layout.ranges_count, 4);
    assert_int_equal(layout.relro_offset, layout.ranges[2].offset);
    assert_int_equal(layout.relro_size, layout.ranges[2].size);
    while (alc_image_next_page(&image, &position, &page)) {
        enum page_kind kind = expected_kind(&layout, page.offset);
        assert_int_not_equal(kind, PAGE_GAP);
        assert_int_equal(page.secinfo_flags, flags[kind]);
        assert_int_equal(page.chunks == NULL, kind == PAGE_STACK);
        alc_image_copy_page(&page, page_bytes);
        if (kind == PAGE_TLS) {
            memcpy(&head, page_bytes, sizeof head);
        } else if (kind == PAGE_TCS) {
            struct alc_sgx_tcs tcs;
            memcpy(&tcs, page_bytes, sizeof tcs);
            check_thread_pages(&layout, threads++, &head, &tcs);
        }
    }
    assert_int_equal(threads, layout.threads_count);
    /* Each stack ends at a page that is not there. */
    assert_int_equal(expected_kind(&layout, layout.threads_offset + layout.stack_offset - 4096),
                     PAGE_GAP);
    assert_int_equal(
        expected_kind(&layout, layout.threads_offset + layout.exception_stack_offset - 4096),
        PAGE_GAP);
    free(bytes);
}

static void test_every_cut_is_refused(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < g_elf_size; cut += 97) {
        uint8_t *out = NULL;
        size_t out_size;
        uint8_t *copy = malloc(cut + 1);
        memcpy(copy, g_elf, cut);
        assert_int_not_equal(build_copy(copy, cut, &out, &out_size), ALC_OK);
        free(copy);
    }
}

/* Every byte of the headers spoilt in turn: refused or built, never a crash. */
static void test_spoilt_headers_do_no_harm(void **state)
{
    (void)state;
    uint8_t *copy = malloc(g_elf_size);
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)(uintptr_t)g_elf;
    size_t sections_offset = header->e_shoff;
    for (size_t i = 0; i < g_elf_size; i++) {
        if (i == sizeof(Elf64_Ehdr) + 8 * sizeof(Elf64_Phdr)) {
            i = sections_offset;
        }
        uint8_t *out = NULL;
        size_t out_size;
        memcpy(copy, g_elf, g_elf_size);
        copy[i] ^= (uint8_t)(1u << (i % 8));
        if (build_copy(copy, g_elf_size, &out, &out_size) == ALC_OK) {
            free(out);
        }
    }
    free(copy);
}

static void refuses_header(size_t offset, const void *bytes, size_t size)
{
    uint8_t *out = NULL;
    size_t out_size;
    uint8_t *copy = malloc(g_elf_size);
    memcpy(copy, g_elf, g_elf_size);
    memcpy(copy + offset, bytes, size);
    assert_int_equal(build_copy(copy, g_elf_size, &out, &out_size), ALC_E_BAD_IMAGE);
    free(copy);
}

static void test_dangerous_files_are_refused(void **state)
{
    (void)state;
    const size_t segment = sizeof(Elf64_Ehdr);
    const uint16_t not_pie = ET_EXEC;
    const uint32_t writable_text = PF_R | PF_W | PF_X;
    const uint32_t interpreter = PT_INTERP;
    const uint32_t thread_local_storage = PT_TLS;
    const uint64_t entry = 0x11000;
    const uint64_t overlap = 0;
    const uint64_t huge = UINT64_C(1) << 40;
    refuses_header(offsetof(Elf64_Ehdr, e_type), &not_pie, 2);
    refuses_header(offsetof(Elf64_Ehdr, e_entry), &entry, 8);
    refuses_header(segment + offsetof(Elf64_Phdr, p_flags), &writable_text, 4);
    refuses_header(segment + 4 * sizeof(Elf64_Phdr), &interpreter, 4);
    refuses_header(segment + 4 * sizeof(Elf64_Phdr), &thread_local_storage, 4);
    refuses_header(segment + sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, p_vaddr), &overlap, 8);
    refuses_header(segment + 2 * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, p_memsz), &huge, 8);
}

static void test_options_are_checked(void **state)
{
    (void)state;
    uint8_t *out = NULL;
    size_t out_size;
    const struct alc_image_options good = g_options;
    const struct alc_image_options bad[] = {
        {good.elrange_size + 1, 1, 1, 1},
        {1 << 19, 1, 1, 1},
        {good.elrange_size, 0, 1, 1},
        {good.elrange_size, ALC_LIMIT_ENCLAVE_THREADS + 1, 1, 1},
        {good.elrange_size, 1, 0, 1},
        {good.elrange_size, 1, 0x10001, 1},
        {good.elrange_size, 1, 1, 0},
        {good.elrange_size, 1, 1, 17},
        {1 << 20, 4, 64, 1}, /* does not fit */
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(bad); i++) {
        g_options = bad[i];
        assert_int_equal(build_copy(g_elf, g_elf_size, &out, &out_size), ALC_E_BAD_ARGUMENT);
    }
    g_options = good;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_input_same_bytes),
        cmocka_unit_test(test_layout_and_pages_agree),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_spoilt_headers_do_no_harm),
        cmocka_unit_test(test_dangerous_files_are_refused),
        cmocka_unit_test(test_options_are_checked),
    };
    FILE *stream = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (stream == NULL) {
        fprintf(stderr, "usage: %s ELF\n", argv[0]);
        return 2;
    }
    g_elf = malloc(1 << 22);
    g_elf_size = fread(g_elf, 1, 1 << 22, stream);
    fclose(stream);
    alc_image_default_options(&g_options);
    g_options.elrange_size = 1 << 24;
    g_options.stack_pages = 4;
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    free(g_elf);
    return result;
}
