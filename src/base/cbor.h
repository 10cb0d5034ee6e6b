/* SPDX-License-Identifier: Apache-2.0
 *
 * Deterministic CBOR (RFC 8949, section 4.2.1): manifests and claims. Only the shortest encodings
 * and definite lengths exist here, so equal values have equal bytes and a hash identifies a value.
 * Integers, byte and text strings, arrays, maps, tags, booleans and null; the order of a map's keys
 * is the caller's duty when writing and his check when reading (alc_cbor_read_key,
 * alc_cbor_read_label).
 */
#ifndef ALC_BASE_CBOR_H
#define ALC_BASE_CBOR_H

#include "base/reader.h"
#include "base/writer.h"

void alc_cbor_write_uint(struct alc_writer *writer, uint64_t value);
void alc_cbor_write_int(struct alc_writer *writer, int64_t value);
void alc_cbor_write_bytes(struct alc_writer *writer, const void *bytes, size_t size);
/* `size` bytes follow, which the caller writes. */
void alc_cbor_write_bytes_head(struct alc_writer *writer, uint64_t size);
/* `text` MUST be valid UTF-8. */
void alc_cbor_write_text(struct alc_writer *writer, const void *text, size_t size);
/* `count` items follow. */
void alc_cbor_write_array(struct alc_writer *writer, uint64_t count);
/* `count` pairs of key and value follow, keys in bytewise order of their encodings. */
void alc_cbor_write_map(struct alc_writer *writer, uint64_t count);
/* One item follows, which the tag is about. */
void alc_cbor_write_tag(struct alc_writer *writer, uint64_t tag);
void alc_cbor_write_bool(struct alc_writer *writer, bool value);
void alc_cbor_write_null(struct alc_writer *writer);

/* Each fails with ALC_E_BAD_CBOR at the item's offset when the next item is of another kind or not
 * in its shortest form, with ALC_E_UNEXPECTED_END when it is cut. Strings are borrowed from the
 * input. */
ALC_MUST_CHECK alc_status alc_cbor_read_uint(struct alc_reader *reader, uint64_t *out);
ALC_MUST_CHECK alc_status alc_cbor_read_bytes(struct alc_reader *reader, const uint8_t **out,
                                              size_t *out_size);
/* Also refuses text that is not UTF-8. */
ALC_MUST_CHECK alc_status alc_cbor_read_text(struct alc_reader *reader, const uint8_t **out,
                                             size_t *out_size);
/* At most `count_max` items, and not more than the remaining bytes can hold. */
ALC_MUST_CHECK alc_status alc_cbor_read_array(struct alc_reader *reader, size_t count_max,
                                              size_t *out_count);
ALC_MUST_CHECK alc_status alc_cbor_read_map(struct alc_reader *reader, size_t count_max,
                                            size_t *out_count);
ALC_MUST_CHECK alc_status alc_cbor_read_tag(struct alc_reader *reader, uint64_t *out);
ALC_MUST_CHECK alc_status alc_cbor_read_bool(struct alc_reader *reader, bool *out);
/* Whether the next item is null; reads it if so, else nothing. */
bool alc_cbor_take_null(struct alc_reader *reader);
/* The next key of a map with unsigned keys: MUST be above `*previous` (which starts as -1 and is
 * updated), so that duplicates and disorder are refused. */
ALC_MUST_CHECK alc_status alc_cbor_read_key(struct alc_reader *reader, int64_t *previous,
                                            uint64_t *out);
/* The same for keys of either sign that fit int64_t. `*previous` starts as 0; what it means is this
 * function's affair. */
ALC_MUST_CHECK alc_status alc_cbor_read_label(struct alc_reader *reader, uint64_t *previous,
                                              int64_t *out);

#endif
