/* SPDX-License-Identifier: Apache-2.0
 *
 * The bounded reader: all untrusted bytes (modules, manifests, images, messages) come through it.
 * Invariant: pos <= size. A failing read reports the offset of the value it could not read and
 * leaves the position alone. Offsets are relative to the start of the whole input: a sub-reader
 * keeps counting from `origin`.
 */
#ifndef ALC_BASE_READER_H
#define ALC_BASE_READER_H

#include "base/status.h"

struct alc_reader {
    const uint8_t *bytes; /* borrowed */
    size_t size;
    size_t pos;
    uint64_t origin;         /* offset of bytes[0] in the whole input */
    struct alc_error *error; /* borrowed; may be NULL */
};

/* `bytes` must stay valid and unchanged while the reader or anything borrowed from it is used. */
void alc_reader_init(struct alc_reader *reader, const void *bytes, size_t size,
                     struct alc_error *error);

static inline size_t alc_reader_remaining(const struct alc_reader *reader)
{
    return reader->size - reader->pos;
}

static inline uint64_t alc_reader_offset(const struct alc_reader *reader)
{
    return reader->origin + reader->pos;
}

static inline bool alc_reader_at_end(const struct alc_reader *reader)
{
    return reader->pos == reader->size;
}

ALC_MUST_CHECK alc_status alc_read_u8(struct alc_reader *reader, uint8_t *out);
ALC_MUST_CHECK alc_status alc_read_u16(struct alc_reader *reader, uint16_t *out);
ALC_MUST_CHECK alc_status alc_read_u32(struct alc_reader *reader, uint32_t *out);
ALC_MUST_CHECK alc_status alc_read_u64(struct alc_reader *reader, uint64_t *out);
/* LEB128 (spec 5.2.2): at most ceil(bits/7) bytes, unused bits of the last byte must be zero or,
 * when signed, the sign. */
ALC_MUST_CHECK alc_status alc_read_leb_u32(struct alc_reader *reader, uint32_t *out);
ALC_MUST_CHECK alc_status alc_read_leb_u64(struct alc_reader *reader, uint64_t *out);
ALC_MUST_CHECK alc_status alc_read_leb_s32(struct alc_reader *reader, int32_t *out);
ALC_MUST_CHECK alc_status alc_read_leb_s33(struct alc_reader *reader, int64_t *out);
ALC_MUST_CHECK alc_status alc_read_leb_s64(struct alc_reader *reader, int64_t *out);
/* *out borrows `size` bytes from the input. */
ALC_MUST_CHECK alc_status alc_read_bytes(struct alc_reader *reader, size_t size,
                                         const uint8_t **out);
ALC_MUST_CHECK alc_status alc_read_skip(struct alc_reader *reader, size_t size);
/* *sub reads the next `size` bytes only; `reader` moves behind them. */
ALC_MUST_CHECK alc_status alc_read_sub(struct alc_reader *reader, size_t size,
                                       struct alc_reader *sub);
/* A LEB count of items that take at least `item_size_min` encoded bytes each: refuses a count above
 * `count_max` (with status `over`) or one that the remaining bytes cannot hold, before anybody
 * reserves memory for it. */
ALC_MUST_CHECK alc_status alc_read_count(struct alc_reader *reader, uint32_t count_max,
                                         alc_status over, size_t item_size_min, uint32_t *out);
/* Reports `status` at the reader's present offset. */
alc_status alc_reader_fail(const struct alc_reader *reader, alc_status status) ALC_COLD;

#endif
