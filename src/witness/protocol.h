/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests and answers as structures and back (witness.h has the format).
 */
#ifndef ALC_WITNESS_PROTOCOL_H
#define ALC_WITNESS_PROTOCOL_H

#include "witness/witness.h"

enum alc_witness_kind { ALC_WITNESS_READ = 1, ALC_WITNESS_ADVANCE = 2 };

enum alc_witness_verdict {
    ALC_WITNESS_DONE = 1,    /* the mark is what the counter has now */
    ALC_WITNESS_REFUSED = 2, /* the same, and it is not what the request wanted to move */
    ALC_WITNESS_MALFORMED = 3,
    ALC_WITNESS_NOT_OWNER = 4,
    ALC_WITNESS_FAILED = 5, /* the store */
};

enum { ALC_WITNESS_NONCE_SIZE = 32, ALC_WITNESS_SIGNATURE_SIZE = 64 };
enum {
    ALC_WITNESS_REQUEST_SIGNED_SIZE = ALC_WITNESS_REQUEST_SIZE - ALC_WITNESS_SIGNATURE_SIZE,
    ALC_WITNESS_ANSWER_SIGNED_SIZE = ALC_WITNESS_ANSWER_SIZE - ALC_WITNESS_SIGNATURE_SIZE,
};

struct alc_witness_request {
    enum alc_witness_kind kind;
    uint8_t nonce[ALC_WITNESS_NONCE_SIZE];
    uint8_t counter[ALC_WITNESS_KEY_SIZE];
    struct alc_seal_mark from;
    struct alc_seal_mark to;
    uint8_t signature[ALC_WITNESS_SIGNATURE_SIZE];
};

struct alc_witness_reply {
    enum alc_witness_verdict verdict;
    struct alc_seal_mark mark;
    uint8_t signature[ALC_WITNESS_SIGNATURE_SIZE];
};

void alc_witness_request_encode(const struct alc_witness_request *request,
                                uint8_t bytes[ALC_WITNESS_REQUEST_SIZE]);
/* Both: false when the bytes are not in the format. */
ALC_MUST_CHECK bool alc_witness_request_decode(const uint8_t bytes[ALC_WITNESS_REQUEST_SIZE],
                                               struct alc_witness_request *out);
void alc_witness_reply_encode(const struct alc_witness_reply *reply,
                              uint8_t bytes[ALC_WITNESS_ANSWER_SIZE]);
ALC_MUST_CHECK bool alc_witness_reply_decode(const uint8_t bytes[ALC_WITNESS_ANSWER_SIZE],
                                             struct alc_witness_reply *out);
/* What is signed. */
void alc_witness_request_digest(const uint8_t bytes[ALC_WITNESS_REQUEST_SIZE],
                                uint8_t digest[ALC_SHA256_SIZE]);
void alc_witness_reply_digest(const uint8_t request[ALC_WITNESS_REQUEST_SIZE],
                              const uint8_t bytes[ALC_WITNESS_ANSWER_SIZE],
                              uint8_t digest[ALC_SHA256_SIZE]);

#endif
