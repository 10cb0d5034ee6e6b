/* SPDX-License-Identifier: Apache-2.0
 *
 * The bounded writer, twin of the reader: appends to the caller's buffer and never past it. A write
 * that does not fit sets `overflowed` and is dropped whole, so a series of writes needs one check
 * at its end; `pos` keeps counting, so that a second try knows the size needed.
 */
#ifndef ALC_BASE_WRITER_H
#define ALC_BASE_WRITER_H

#include "base/status.h"

struct alc_writer {
    uint8_t *bytes; /* borrowed; may be NULL when size is 0 (measuring) */
    size_t size;
    size_t pos; /* bytes wanted so far; > size once overflowed */
    bool overflowed;
};

void alc_writer_init(struct alc_writer *writer, void *bytes, size_t size);
void alc_write_bytes(struct alc_writer *writer, const void *bytes, size_t size);
void alc_write_zeros(struct alc_writer *writer, size_t size);
/* Without its NUL. */
void alc_write_string(struct alc_writer *writer, const char *text);
void alc_write_decimal(struct alc_writer *writer, uint64_t number);
void alc_write_u8(struct alc_writer *writer, uint8_t value);
void alc_write_u16(struct alc_writer *writer, uint16_t value);
void alc_write_u32(struct alc_writer *writer, uint32_t value);
void alc_write_u64(struct alc_writer *writer, uint64_t value);
/* ALC_OK, or ALC_E_INTERNAL when the buffer was too small. */
ALC_MUST_CHECK alc_status alc_writer_finish(const struct alc_writer *writer);

#endif
