/* SPDX-License-Identifier: Apache-2.0
 *
 * Enclave images. An image is the measurement stream itself (SGXS): 64-byte blocks ECREATE, EADD
 * and EEXTEND (the last with 256 bytes of data behind it), in the order in which the processor
 * hashes them, so `sha256sum` of the file is MRENCLAVE. Reading treats the file as hostile;
 * building treats the ELF file as ours but refuses everything it does not know.
 *
 * Accepted streams: ECREATE once, first; pages in ascending order, inside the enclave, none twice;
 * each page followed by no EEXTEND at all, or by all sixteen in order. Unmeasured pages are zero.
 */
#ifndef ALC_SGX_IMAGE_H
#define ALC_SGX_IMAGE_H

#include "sgx_arch/arch.h"
#include "sgx_arch/layout.h"

#include "base/status.h"

/* One page of an image. */
struct alc_image_page {
    uint64_t offset;
    uint64_t secinfo_flags;
    const uint8_t *chunks; /* first EEXTEND block, borrowed from the image; NULL: not measured */
};

/* Between things of different kinds in the address range, and before its dynamic part. */
enum { ALC_IMAGE_GAP_SIZE = 0x10000 };

/* A parsed image: what ECREATE says, and a way to walk the pages. */
struct alc_image {
    const uint8_t *bytes; /* borrowed */
    size_t size;
    uint64_t enclave_size; /* ELRANGE */
    uint32_t ssa_frame_pages;
    uint32_t pages_count;
    uint32_t tcs_count;
    uint64_t dynamic_offset; /* pages from here on are free to be added at run time */
};

/* Checks the whole stream and fills *out. ALC_E_BAD_IMAGE with the byte offset. */
ALC_MUST_CHECK alc_status alc_image_parse(const void *bytes, size_t size, struct alc_image *out,
                                          struct alc_error *error);
/* Walks the pages of a parsed image: *position starts at 0. False behind the last page. */
bool alc_image_next_page(const struct alc_image *image, size_t *position,
                         struct alc_image_page *page);
/* Copies a page's bytes out of its EEXTEND blocks (zeros when not measured). */
void alc_image_copy_page(const struct alc_image_page *page, uint8_t out[ALC_SGX_PAGE_SIZE]);
/* MRENCLAVE. */
void alc_image_measure(const struct alc_image *image, uint8_t mrenclave[ALC_SGX_HASH_SIZE]);

/* Choices of an image that are not in its ELF file. */
struct alc_image_options {
    uint64_t elrange_size;    /* power of two */
    uint32_t threads_count;   /* 1 to ALC_LIMIT_ENCLAVE_THREADS */
    uint32_t stack_pages;     /* per thread */
    uint32_t ssa_frame_pages; /* at least what XFRM needs: 1 up to AVX-512 */
};
/* What alc_image_build uses where the caller has no opinion. */
void alc_image_default_options(struct alc_image_options *options);

/* Builds the image of a static PIE linked by cmake/enclave.ld. *out_bytes comes from malloc and
 * belongs to the caller. Same input, same bytes. ALC_E_BAD_IMAGE names what is wrong with the ELF
 * file. */
ALC_MUST_CHECK alc_status alc_image_build(const void *elf, size_t elf_size,
                                          const struct alc_image_options *options,
                                          uint8_t **out_bytes, size_t *out_size,
                                          struct alc_error *error);

/* -- packed images: an image with a payload behind its threads, measured like everything else -- */

enum { ALC_IMAGE_PAYLOAD_MAX = 1 << 30 };

/* The image with `payload` (1 to ALC_IMAGE_PAYLOAD_MAX bytes), which the code inside finds by the
 * layout. *out_bytes comes from malloc and belongs to the caller. Same input, same bytes.
 * ALC_E_BAD_IMAGE when the image is none that alc_image_build made, is packed already, or has no
 * room. */
ALC_MUST_CHECK alc_status alc_image_pack(const struct alc_image *image, const void *payload,
                                         size_t payload_size, uint8_t **out_bytes, size_t *out_size,
                                         struct alc_error *error);
/* A copy of an image's payload, from malloc; *out_size is 0 and *out NULL when it has none.
 * ALC_E_BAD_IMAGE when its layout is not one. */
ALC_MUST_CHECK alc_status alc_image_copy_payload(const struct alc_image *image, uint8_t **out,
                                                 size_t *out_size, struct alc_error *error);

#endif
