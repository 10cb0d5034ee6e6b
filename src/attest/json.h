/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON (RFC 8259) as far as collateral needs it: objects whose members are known by name, arrays,
 * strings and numbers. A reader stands at a value and moves behind it; nothing is built. Input is
 * hostile: nesting is bounded, strings are UTF-8, and a member that is known may be there once.
 */
#ifndef ALC_ATTEST_JSON_H
#define ALC_ATTEST_JSON_H

#include "base/arena.h"
#include "base/reader.h"

/* Counted bytes, borrowed. */
struct alc_text {
    const uint8_t *bytes;
    size_t size;
};

/* Reads one value; `context` is the caller's. Errors go to the reader's report. */
typedef alc_status alc_json_value_function(struct alc_reader *reader, void *context);

struct alc_json_member {
    const char *name;
    alc_json_value_function *read;
    bool is_required;
};

enum { ALC_JSON_MEMBERS_MAX = 32, ALC_JSON_DEPTH_MAX = 16 };

/* All of these: ALC_E_BAD_JSON at the offset of what is malformed, of another kind, missing or
 * there twice. Members that are not in the table are skipped. */
ALC_MUST_CHECK alc_status alc_json_read_object(struct alc_reader *reader,
                                               const struct alc_json_member *members, size_t count,
                                               void *context);
ALC_MUST_CHECK alc_status alc_json_read_array(struct alc_reader *reader,
                                              alc_json_value_function *read_item, void *context);
/* A string without escapes, borrowed. */
ALC_MUST_CHECK alc_status alc_json_read_text(struct alc_reader *reader, struct alc_text *out);
/* A string with any of the escapes but \u, decoded into `arena`. */
ALC_MUST_CHECK alc_status alc_json_read_escaped(struct alc_reader *reader, struct alc_arena *arena,
                                                struct alc_text *out);
/* A whole number of at most `max`. */
ALC_MUST_CHECK alc_status alc_json_read_uint(struct alc_reader *reader, uint64_t max,
                                             uint64_t *out);
/* A string of exactly 2 * size hexadecimal digits. */
ALC_MUST_CHECK alc_status alc_json_read_hex(struct alc_reader *reader, uint8_t *out, size_t size);
ALC_MUST_CHECK alc_status alc_json_skip(struct alc_reader *reader);
/* White space and nothing else follows. */
ALC_MUST_CHECK alc_status alc_json_end(struct alc_reader *reader);

/* 2 * size hexadecimal digits as bytes. */
ALC_MUST_CHECK bool alc_hex_decode(const uint8_t *digits, size_t digits_count, uint8_t *out,
                                   size_t size);
/* Whether `text` is the literal. */
bool alc_text_is(const struct alc_text *text, const char *literal);
bool alc_text_is_among(const struct alc_text *text, const struct alc_text *texts, size_t count);

#endif
