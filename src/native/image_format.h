/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of a native image (.alc). Everything is little-endian; sections stand behind the header
 * in the order of enum alc_native_section, each padded with zeros to a multiple of 8 bytes, and the
 * file ends with the last one.
 *
 *   offset  size
 *        0     4  magic: 00 61 6c 63 ("\0alc")
 *        4     4  version: ALC_NATIVE_ABI_VERSION
 *        8     4  shape
 *       12     4  features
 *       16     4  options
 *       20     4  constants_distance
 *       24    48  sizes in bytes of the sections before the voucher, u64 each, without padding
 *       72    32  module_sha256: SHA-256 of the module
 *      104    32  native_sha256: SHA-256 of the bytes before it and of the sections from code to
 *                 lines, padding included; so it names the module, too
 *      136     8  size of the voucher
 *      144    32  SHA-256 of the voucher
 *      176        sections
 *
 * So no byte can change without a reader's refusal. The hashes are no proof of anybody's intent:
 * that is what the voucher is for.
 */
#ifndef ALC_NATIVE_IMAGE_FORMAT_H
#define ALC_NATIVE_IMAGE_FORMAT_H

#include "base/status.h"
#include "native/image.h"

enum alc_native_section {
    ALC_NATIVE_SECTION_MODULE,
    ALC_NATIVE_SECTION_CODE,
    ALC_NATIVE_SECTION_CONSTANTS,
    ALC_NATIVE_SECTION_FUNCTIONS, /* u32 each */
    ALC_NATIVE_SECTION_STUBS,     /* four u32 each */
    ALC_NATIVE_SECTION_LINES,     /* two u32 each */
    ALC_NATIVE_SECTION_VOUCHER,
    ALC_NATIVE_SECTIONS,
};

enum { ALC_NATIVE_HEADER_SIZE = 176 };

/* The most that stubs, code, distance and constants take together, so that every displacement
 * reaches. */
#define ALC_NATIVE_CODE_SPAN_MAX (UINT32_C(1) << 30)

/* Whether `bytes` begin like a native image. */
bool alc_native_image_is(const void *bytes, uint64_t size);

/* Bytes of the image's file. */
uint64_t alc_native_image_file_size(const struct alc_native_image *image);

/* Writes the file of `image` and fills in the image's two hashes. `size` MUST be
 * alc_native_image_file_size. ALC_E_BAD_NATIVE_IMAGE (a description that no reader accepts). */
ALC_MUST_CHECK alc_status alc_native_image_write(struct alc_native_image *image, void *bytes,
                                                 uint64_t size, struct alc_error *error);

/* Reads and checks a file: sections, their contents as far as image.h says what they are, hashes.
 * Not checked: that code is confined (verifier.h), that the module is one and goes with it (the
 * loader). `*out` borrows the bytes, which MUST be aligned to 8 and nobody's but the caller's while
 * they are used. ALC_E_BAD_NATIVE_IMAGE with offset and words, ALC_E_BAD_ARGUMENT (alignment). */
ALC_MUST_CHECK alc_status alc_native_image_read(const void *bytes, uint64_t size,
                                                struct alc_native_image *out,
                                                struct alc_error *error);

#endif
