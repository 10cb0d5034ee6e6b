/* SPDX-License-Identifier: Apache-2.0
 *
 * The writing half of the stream, shared by the builder and image.c so that reading and writing
 * stand side by side.
 */
#ifndef ALC_SGX_IMAGE_INTERNAL_H
#define ALC_SGX_IMAGE_INTERNAL_H

#include "base/writer.h"
#include "sgx/image.h"

enum { ALC_IMAGE_BLOCK_SIZE = 64 };

void alc_image_write_create(struct alc_writer *writer, uint32_t ssa_frame_pages, uint64_t size);
/* EADD and, unless `page` is NULL, the sixteen EEXTENDs of its 4096 bytes. */
void alc_image_write_page(struct alc_writer *writer, uint64_t offset, uint64_t secinfo_flags,
                          const uint8_t *page);

#endif
