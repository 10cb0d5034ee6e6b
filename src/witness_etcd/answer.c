/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict about what counts, and silent about members that later versions may add.
 */
#include "witness_etcd/answer.h"

#include <string.h>

#include <jansson.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/reader.h"

/* A member that is left out is zero; any other has one text. */
static bool read_number(const json_t *object, const char *name, uint64_t *out)
{
    const json_t *member = json_object_get(object, name);
    const char *text = json_string_value(member);
    *out = 0;
    if (member == NULL) {
        return true;
    }
    if (text == NULL || text[0] < '1' || text[0] > '9') {
        return false;
    }
    for (; *text >= '0' && *text <= '9'; text++) {
        if (__builtin_mul_overflow(*out, (uint64_t)10, out) ||
            __builtin_add_overflow(*out, (uint64_t)(*text - '0'), out)) {
            return false;
        }
    }
    return *text == '\0';
}

static bool read_flag(const json_t *object, const char *name, bool *out)
{
    const json_t *member = json_object_get(object, name);
    *out = json_is_true(member);
    return member == NULL || json_is_boolean(member);
}

static bool read_mark(const json_t *text, struct alc_seal_mark *out)
{
    uint8_t bytes[ALC_ETCD_MARK_SIZE];
    size_t size;
    struct alc_reader reader;
    const uint8_t *digest;
    if (!json_is_string(text) ||
        !alc_base64_read(ALC_BASE64, (const uint8_t *)json_string_value(text),
                         json_string_length(text), bytes, sizeof bytes, &size)) {
        return false;
    }
    alc_reader_init(&reader, bytes, size, NULL);
    if (alc_read_u64(&reader, &out->generation) != ALC_OK ||
        alc_read_bytes(&reader, sizeof out->digest, &digest) != ALC_OK ||
        !alc_reader_at_end(&reader)) {
        return false;
    }
    alc_copy(out->digest, digest, sizeof out->digest);
    return out->generation != 0;
}

static bool read_found(const json_t *root, const char *key, struct alc_etcd_answer *out)
{
    const json_t *list = json_object_get(root, "kvs");
    const json_t *found = json_array_get(list, 0);
    const char *found_key = json_string_value(json_object_get(found, "key"));
    if (list != NULL && !json_is_array(list)) {
        return false;
    }
    if (out->count > 1 || json_array_size(list) != out->count) {
        return false;
    }
    return out->count == 0 || (found_key != NULL && strcmp(found_key, key) == 0 &&
                               read_mark(json_object_get(found, "value"), &out->mark));
}

static bool read_root(enum alc_etcd_question question, const char *key, const json_t *root,
                      struct alc_etcd_answer *out)
{
    const json_t *header = json_object_get(root, "header");
    bool has_more;
    if (!json_is_object(header) || !read_number(header, "cluster_id", &out->cluster_id) ||
        !read_number(header, "revision", &out->revision) || out->revision == 0) {
        return false;
    }
    if (question == ALC_ETCD_MOVE) {
        return read_flag(root, "succeeded", &out->is_moved);
    }
    if (!read_number(root, "count", &out->count) || !read_flag(root, "more", &has_more) ||
        has_more) {
        return false;
    }
    return question == ALC_ETCD_COUNT || read_found(root, key, out);
}

bool alc_etcd_answer_read(enum alc_etcd_question question, const char *key, const char *bytes,
                          size_t size, struct alc_etcd_answer *out)
{
    *out = (struct alc_etcd_answer){.revision = 0};
    json_t *root = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
    bool is_good = json_is_object(root) && read_root(question, key, root, out);
    json_decref(root);
    return is_good;
}
