/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters in etcd. A question goes to the member that answered last, then to the others; an
 * advance that was sent and not answered may have happened, which the caller finds when he reads.
 */
#include "witness_etcd/etcd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/writer.h"
#include "witness_etcd/answer.h"
#include "witness_etcd/http.h"

enum { QUESTION_MS = 5000, URL_SIZE_MAX = 256, BODY_SIZE_MAX = 1024, TEXT_SIZE_MAX = 256 };

static const char prefix[] = "alcove/witness/";
static const char prefix_end[] = "alcove/witness0"; /* the first key behind all with the prefix */

struct member {
    char url[URL_SIZE_MAX];
    bool is_failing; /* and that was reported */
};

struct alc_witness_etcd {
    struct alc_etcd_http http;
    struct member members[ALC_WITNESS_ETCD_MEMBERS_MAX];
    size_t member_count;
    size_t current;      /* who answered last */
    uint64_t cluster_id; /* 0: not known yet */
    uint64_t revision;   /* the newest one that was seen */
    void (*report)(const char *url, const char *trouble);
};

/* -- questions -- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Revisions grow with each change, and whoever answers through consensus has all changes that
 * anybody was answered for: one that is smaller, or not larger after a move, is a cluster that lost
 * what it had. */
static const char *judge(struct alc_witness_etcd *etcd, const struct alc_etcd_answer *answer)
{
    if (etcd->cluster_id != 0 && answer->cluster_id != etcd->cluster_id) {
        return "belongs to another cluster";
    }
    if (answer->revision < etcd->revision ||
        (answer->is_moved && answer->revision == etcd->revision)) {
        return "has an older state than the cluster had";
    }
    etcd->cluster_id = answer->cluster_id;
    etcd->revision = answer->revision;
    return NULL;
}

/* NULL when this member has answered. */
static const char *ask_member(struct alc_witness_etcd *etcd, const struct member *member,
                              enum alc_etcd_question question, const char *key, const char *body,
                              int64_t timeout_ms, struct alc_etcd_answer *out)
{
    char url[URL_SIZE_MAX + 16];
    struct alc_etcd_http *http = &etcd->http;
    snprintf(url, sizeof url, "%s/v3/kv/%s", member->url,
             question == ALC_ETCD_MOVE ? "txn" : "range");
    if (!alc_etcd_http_post(http, url, body, timeout_ms)) {
        return http->trouble;
    }
    return alc_etcd_answer_read(question, key, http->answer, http->answer_size, out)
               ? judge(etcd, out)
               : "the answer is not etcd's";
}

static void note(const struct alc_witness_etcd *etcd, struct member *member, const char *trouble)
{
    bool is_failing = trouble != NULL;
    if (is_failing != member->is_failing) {
        member->is_failing = is_failing;
        etcd->report(member->url, trouble);
    }
}

static alc_status ask(struct alc_witness_etcd *etcd, enum alc_etcd_question question,
                      const char *key, const struct alc_writer *body, struct alc_etcd_answer *out)
{
    const int64_t deadline_ms = now_ms() + QUESTION_MS;
    ALC_TRY(alc_writer_finish(body));
    for (size_t left = etcd->member_count; left > 0; left--) {
        struct member *member = &etcd->members[etcd->current];
        int64_t timeout_ms = (deadline_ms - now_ms()) / (int64_t)left;
        if (timeout_ms <= 0) { /* to libcurl 0 means for ever */
            break;
        }
        const char *trouble =
            ask_member(etcd, member, question, key, (const char *)body->bytes, timeout_ms, out);
        note(etcd, member, trouble);
        if (trouble == NULL) {
            return ALC_OK;
        }
        etcd->current = (etcd->current + 1) % etcd->member_count;
    }
    return ALC_E_IO_FAILED;
}

/* -- what is asked -- */

static void write_base64(struct alc_writer *writer, const void *bytes, size_t size)
{
    alc_base64_write(writer, ALC_BASE64, bytes, size);
}

/* The key of a counter, in base64 with its NUL. */
static void name_counter(const uint8_t counter[ALC_WITNESS_KEY_SIZE], char out[TEXT_SIZE_MAX])
{
    static const char digits[] = "0123456789abcdef";
    char name[sizeof prefix - 1 + 2 * ALC_WITNESS_KEY_SIZE];
    struct alc_writer writer;
    alc_copy(name, prefix, sizeof prefix - 1);
    for (size_t i = 0; i < ALC_WITNESS_KEY_SIZE; i++) {
        name[sizeof prefix - 1 + 2 * i] = digits[counter[i] >> 4];
        name[sizeof prefix + 2 * i] = digits[counter[i] & 15];
    }
    alc_writer_init(&writer, out, TEXT_SIZE_MAX);
    write_base64(&writer, name, sizeof name);
    alc_write_u8(&writer, 0);
}

static void write_mark(struct alc_writer *writer, const struct alc_seal_mark *mark)
{
    uint8_t bytes[ALC_ETCD_MARK_SIZE];
    struct alc_writer value;
    alc_writer_init(&value, bytes, sizeof bytes);
    alc_write_u64(&value, mark->generation);
    alc_write_bytes(&value, mark->digest, sizeof mark->digest);
    write_base64(writer, bytes, sizeof bytes);
}

static alc_status count(struct alc_witness_etcd *etcd, uint64_t *out)
{
    char body[BODY_SIZE_MAX];
    struct alc_writer writer;
    struct alc_etcd_answer answer;
    alc_writer_init(&writer, body, sizeof body);
    alc_write_string(&writer, "{\"key\":\"");
    write_base64(&writer, prefix, sizeof prefix - 1);
    alc_write_string(&writer, "\",\"range_end\":\"");
    write_base64(&writer, prefix_end, sizeof prefix_end - 1);
    alc_write_string(&writer, "\",\"count_only\":true}");
    alc_write_u8(&writer, 0);
    ALC_TRY(ask(etcd, ALC_ETCD_COUNT, "", &writer, &answer));
    *out = answer.count;
    return ALC_OK;
}

static alc_status etcd_read(void *context, const uint8_t counter[ALC_WITNESS_KEY_SIZE],
                            struct alc_seal_mark *out)
{
    char key[TEXT_SIZE_MAX];
    char body[BODY_SIZE_MAX];
    struct alc_writer writer;
    struct alc_etcd_answer answer;
    *out = (struct alc_seal_mark){.generation = 0};
    name_counter(counter, key);
    alc_writer_init(&writer, body, sizeof body);
    alc_write_string(&writer, "{\"key\":\"");
    alc_write_string(&writer, key);
    alc_write_string(&writer, "\"}"); /* not "serializable", so it is read through consensus */
    alc_write_u8(&writer, 0);
    ALC_TRY(ask(context, ALC_ETCD_FIND, key, &writer, &answer));
    *out = answer.mark;
    return ALC_OK;
}

/* Puts `to` if the value is `from`, or if there is none when `from` is none. */
static void write_move(struct alc_writer *writer, const char *key, const struct alc_seal_mark *from,
                       const struct alc_seal_mark *to)
{
    alc_write_string(writer, "{\"compare\":[{\"result\":\"EQUAL\",\"key\":\"");
    alc_write_string(writer, key);
    if (from->generation == 0) {
        alc_write_string(writer, "\",\"target\":\"VERSION\",\"version\":\"0");
    } else {
        alc_write_string(writer, "\",\"target\":\"VALUE\",\"value\":\"");
        write_mark(writer, from);
    }
    alc_write_string(writer, "\"}],\"success\":[{\"request_put\":{\"key\":\"");
    alc_write_string(writer, key);
    alc_write_string(writer, "\",\"value\":\"");
    write_mark(writer, to);
    alc_write_string(writer, "\"}}]}");
    alc_write_u8(writer, 0);
}

static alc_status etcd_advance(void *context, const uint8_t counter[ALC_WITNESS_KEY_SIZE],
                               const struct alc_seal_mark *from, const struct alc_seal_mark *to)
{
    char key[TEXT_SIZE_MAX];
    char body[BODY_SIZE_MAX];
    struct alc_writer writer;
    struct alc_etcd_answer answer;
    uint64_t known = 0;
    if (to->generation <= from->generation) {
        return ALC_E_POLICY_REFUSED;
    }
    if (from->generation == 0) {
        ALC_TRY(count(context, &known));
    }
    if (known >= ALC_LIMIT_WITNESS_COUNTERS) {
        return ALC_E_OUT_OF_MEMORY;
    }
    name_counter(counter, key);
    alc_writer_init(&writer, body, sizeof body);
    write_move(&writer, key, from, to);
    ALC_TRY(ask(context, ALC_ETCD_MOVE, key, &writer, &answer));
    return answer.is_moved ? ALC_OK : ALC_E_POLICY_REFUSED;
}

struct alc_witness_store alc_witness_etcd_store(struct alc_witness_etcd *etcd)
{
    return (struct alc_witness_store){.read = etcd_read, .advance = etcd_advance, .context = etcd};
}

/* -- a cluster -- */

static bool add_member(struct alc_witness_etcd *etcd, const char *text, size_t size)
{
    if (size > 0 && text[size - 1] == '/') {
        size--;
    }
    if (size >= URL_SIZE_MAX || etcd->member_count == ALC_WITNESS_ETCD_MEMBERS_MAX) {
        return false;
    }
    struct member *member = &etcd->members[etcd->member_count++];
    alc_copy(member->url, text, size);
    return alc_etcd_url_is_good(member->url);
}

static bool add_members(struct alc_witness_etcd *etcd, const char *urls)
{
    bool is_good = true;
    for (const char *text = urls; is_good && text != NULL;) {
        const char *end = strchr(text, ',');
        is_good = add_member(etcd, text, end == NULL ? strlen(text) : (size_t)(end - text));
        text = end == NULL ? NULL : end + 1;
    }
    return is_good;
}

alc_status alc_witness_etcd_open(const struct alc_witness_etcd_options *options,
                                 struct alc_witness_etcd **out, struct alc_error *error)
{
    struct alc_witness_etcd *etcd = calloc(1, sizeof *etcd);
    uint64_t known;
    alc_status status = ALC_E_OUT_OF_MEMORY;
    *out = NULL;
    if (etcd == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    etcd->report = options->report;
    if (alc_etcd_http_init(&etcd->http, options)) {
        status = add_members(etcd, options->urls) ? count(etcd, &known) : ALC_E_BAD_ARGUMENT;
    }
    if (status != ALC_OK) {
        alc_witness_etcd_close(etcd);
        return alc_fail_with(error, status, ALC_NO_OFFSET,
                             status == ALC_E_BAD_ARGUMENT
                                 ? "wanted: https://HOST:PORT, or http: on this machine"
                                 : "no member of the cluster answers");
    }
    *out = etcd;
    return ALC_OK;
}

void alc_witness_etcd_close(struct alc_witness_etcd *etcd)
{
    alc_etcd_http_fini(&etcd->http);
    free(etcd);
}
