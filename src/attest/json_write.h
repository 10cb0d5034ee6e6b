/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON (RFC 8259) written in order, member by member: verdicts, results, policies. What is written
 * is UTF-8 if the texts are; whatever bytes they have, the structure stays whole: control
 * characters, quotation marks and bytes that are no UTF-8 are escaped or replaced.
 */
#ifndef ALC_ATTEST_JSON_WRITE_H
#define ALC_ATTEST_JSON_WRITE_H

#include "attest/json.h"
#include "base/writer.h"

struct alc_json_writer {
    struct alc_writer *out; /* borrowed; its overflow is the caller's to see */
    bool is_indented;       /* for people: two spaces for each level */
    unsigned depth;
    bool has_members; /* the object or array that is open, so that a comma comes first */
};

/* One value in all. */
void alc_json_writer_init(struct alc_json_writer *writer, struct alc_writer *out, bool is_indented);

/* `name`: of a member within an object; NULL within an array and for the outermost value. */
void alc_json_open_object(struct alc_json_writer *writer, const char *name);
void alc_json_close_object(struct alc_json_writer *writer);
void alc_json_open_array(struct alc_json_writer *writer, const char *name);
void alc_json_close_array(struct alc_json_writer *writer);
void alc_json_write_text(struct alc_json_writer *writer, const char *name,
                         const struct alc_text *text);
void alc_json_write_string(struct alc_json_writer *writer, const char *name, const char *string);
/* Lower-case hexadecimal digits. */
void alc_json_write_hex(struct alc_json_writer *writer, const char *name, const uint8_t *bytes,
                        size_t size);
void alc_json_write_int(struct alc_json_writer *writer, const char *name, int64_t value);
void alc_json_write_uint(struct alc_json_writer *writer, const char *name, uint64_t value);
void alc_json_write_bool(struct alc_json_writer *writer, const char *name, bool value);
/* YYYY-MM-DDTHH:MM:SSZ. */
void alc_json_write_time(struct alc_json_writer *writer, const char *name, int64_t seconds);
/* A value that is JSON already, which the caller made or read. */
void alc_json_write_raw(struct alc_json_writer *writer, const char *name,
                        const struct alc_text *json);

#endif
