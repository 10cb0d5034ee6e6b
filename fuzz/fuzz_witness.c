/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to a witness and answers of one: what is read is written as the same bytes again, every
 * request gets an answer, and no request that its owner did not sign moves a counter.
 */
#include <stdlib.h>
#include <string.h>

#include "witness/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static alc_status store_read(void *context, const uint8_t counter[ALC_WITNESS_KEY_SIZE],
                             struct alc_seal_mark *out)
{
    (void)context;
    *out = (struct alc_seal_mark){.generation = counter[0] % 3};
    return counter[1] % 16 == 0 ? ALC_E_IO_FAILED : ALC_OK;
}

static alc_status store_advance(void *context, const uint8_t counter[ALC_WITNESS_KEY_SIZE],
                                const struct alc_seal_mark *from, const struct alc_seal_mark *to)
{
    (void)context, (void)counter, (void)from, (void)to;
    abort(); /* whoever gets here has made a signature */
}

static alc_status fill(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    memset(buf, 5, buf_size);
    return ALC_OK;
}

static void fuzz_request(const uint8_t bytes[ALC_WITNESS_REQUEST_SIZE])
{
    const struct alc_witness_store store = {.read = store_read, .advance = store_advance};
    const struct alc_ec_private_key key = {.curve = ALC_CURVE_P256, .scalar = {1}};
    const struct alc_random random = {.fill = fill};
    struct alc_witness_request request;
    struct alc_witness_reply reply;
    uint8_t again[ALC_WITNESS_REQUEST_SIZE];
    uint8_t answer[ALC_WITNESS_ANSWER_SIZE];
    bool is_good = alc_witness_request_decode(bytes, &request);
    if (is_good) {
        alc_witness_request_encode(&request, again);
        demand(memcmp(again, bytes, sizeof again) == 0);
    }
    demand(alc_witness_answer(&store, &key, &random, bytes, answer) == ALC_OK);
    demand(alc_witness_reply_decode(answer, &reply));
    demand(is_good != (reply.verdict == ALC_WITNESS_MALFORMED));
    demand(reply.verdict != ALC_WITNESS_DONE || request.kind == ALC_WITNESS_READ);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t padded[ALC_WITNESS_REQUEST_SIZE] = {0};
    uint8_t again[ALC_WITNESS_ANSWER_SIZE];
    struct alc_witness_reply reply;
    if (size != 0) {
        memcpy(padded, bytes, size < sizeof padded ? size : sizeof padded);
    }
    fuzz_request(padded);
    if (alc_witness_reply_decode(padded, &reply)) {
        alc_witness_reply_encode(&reply, again);
        demand(memcmp(again, padded, sizeof again) == 0);
    }
    return 0;
}
