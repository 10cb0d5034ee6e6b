/* SPDX-License-Identifier: Apache-2.0
 *
 * What the JSON gateway answers, as bytes that may be anything. Sources: etcd's rpc.proto, and the
 * JSON mapping of Protocol Buffers: integers of 64 bits are strings, what is zero is left out.
 */
#ifndef ALC_WITNESS_ETCD_ANSWER_H
#define ALC_WITNESS_ETCD_ANSWER_H

#include "witness/witness.h"

enum alc_etcd_question {
    ALC_ETCD_FIND,  /* a range of one key */
    ALC_ETCD_COUNT, /* a range of which the size is wanted alone */
    ALC_ETCD_MOVE,  /* a transaction that puts one key */
};

enum { ALC_ETCD_MARK_SIZE = 24 };

struct alc_etcd_answer {
    uint64_t cluster_id;
    uint64_t revision;
    uint64_t count;            /* FIND, COUNT */
    bool is_moved;             /* MOVE */
    struct alc_seal_mark mark; /* FIND: generation 0 when there is no such key */
};

/* `key`: the one asked for, in base64. False when the bytes are no answer to that question. */
ALC_MUST_CHECK bool alc_etcd_answer_read(enum alc_etcd_question question, const char *key,
                                         const char *bytes, size_t size,
                                         struct alc_etcd_answer *out);

#endif
