/* SPDX-License-Identifier: Apache-2.0
 *
 * Enclave images as the loader gets them: whatever the reader accepts can be walked, copied and
 * measured, and the pages it shows keep the reader's promises. Inputs that start like an ELF file
 * go to the builder's ELF reader instead; a SIGSTRUCT's worth of bytes is judged as one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "sgx/elf_file.h"
#include "sgx/image.h"
#include "sgx/sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void walk(const struct alc_image *image)
{
    struct alc_image_page page;
    uint8_t copy[ALC_SGX_PAGE_SIZE];
    size_t position = 0;
    uint64_t pages_count = 0;
    uint64_t tcs_count = 0;
    uint64_t offset_min = 0;
    while (alc_image_next_page(image, &position, &page)) {
        demand(page.offset >= offset_min && page.offset % ALC_SGX_PAGE_SIZE == 0);
        demand(page.offset < image->enclave_size);
        alc_image_copy_page(&page, copy);
        offset_min = page.offset + ALC_SGX_PAGE_SIZE;
        pages_count++;
        tcs_count += page.secinfo_flags == ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TCS) ? 1 : 0;
    }
    demand(pages_count == image->pages_count && tcs_count == image->tcs_count && tcs_count > 0);
    demand(offset_min <= image->dynamic_offset || image->dynamic_offset == image->enclave_size);
    demand(image->dynamic_offset <= image->enclave_size);
}

static void fuzz_image(const uint8_t *bytes, size_t size)
{
    struct alc_image image;
    struct alc_error error;
    uint8_t mrenclave[ALC_SGX_HASH_SIZE];
    uint8_t expected[ALC_SHA256_SIZE];
    alc_error_clear(&error);
    if (alc_image_parse(bytes, size, &image, &error) != ALC_OK) {
        demand(error.status != ALC_OK && error.offset <= size);
        return;
    }
    walk(&image);
    alc_image_measure(&image, mrenclave);
    alc_sha256(bytes, size, expected);
    demand(memcmp(mrenclave, expected, sizeof expected) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct alc_elf_file elf;
    if (size == sizeof(struct alc_sgx_sigstruct)) {
        struct alc_sgx_sigstruct sigstruct;
        const char *detail;
        memcpy(&sigstruct, bytes, size);
        (void)!alc_sigstruct_judge(&sigstruct, &detail);
    } else if (size > 4 && bytes[0] == 0x7F) {
        (void)!alc_elf_read(bytes, size, &elf, NULL);
    } else {
        fuzz_image(bytes, size);
    }
    return 0;
}
