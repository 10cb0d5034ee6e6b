/* SPDX-License-Identifier: Apache-2.0
 *
 * The half that keeps counters: a request in, an answer out. It says no to what is malformed, what
 * is not signed by the counter's owner, and what does not go on from where the counter is.
 */
#include "base/bytes.h"
#include "witness/protocol.h"

static bool is_same(const struct alc_seal_mark *left, const struct alc_seal_mark *right)
{
    return left->generation == right->generation &&
           alc_equal(left->digest, right->digest, sizeof left->digest);
}

static bool is_owners(const uint8_t bytes[ALC_WITNESS_REQUEST_SIZE],
                      const struct alc_witness_request *request)
{
    uint8_t digest[ALC_SHA256_SIZE];
    struct alc_ec_public_key key = {.curve = ALC_CURVE_P256};
    struct alc_ecdsa_signature signature = {{0}};
    alc_copy(key.point, request->counter, sizeof request->counter);
    alc_copy(signature.bytes, request->signature, sizeof request->signature);
    alc_witness_request_digest(bytes, digest);
    return alc_ecdsa_verify(&key, digest, sizeof digest, &signature) == ALC_OK;
}

/* Somebody else moved the counter since `mark` was read, or this very request did, and the store's
 * word for it was lost. */
static enum alc_witness_verdict advance_overtaken(const struct alc_witness_store *store,
                                                  const struct alc_witness_request *request,
                                                  struct alc_seal_mark *mark)
{
    if (store->read(store->context, request->counter, mark) != ALC_OK) {
        return ALC_WITNESS_FAILED;
    }
    return is_same(mark, &request->to) ? ALC_WITNESS_DONE : ALC_WITNESS_REFUSED;
}

/* Moves the counter if it is where the request says; a request that was answered already, and whose
 * answer was lost, is answered again. */
static enum alc_witness_verdict advance(const struct alc_witness_store *store,
                                        const struct alc_witness_request *request,
                                        struct alc_seal_mark *mark)
{
    if (is_same(mark, &request->to)) {
        return ALC_WITNESS_DONE;
    }
    if (!is_same(mark, &request->from) || request->to.generation <= mark->generation) {
        return ALC_WITNESS_REFUSED;
    }
    alc_status status =
        store->advance(store->context, request->counter, &request->from, &request->to);
    if (status == ALC_E_POLICY_REFUSED) {
        return advance_overtaken(store, request, mark);
    }
    if (status != ALC_OK) {
        return ALC_WITNESS_FAILED;
    }
    *mark = request->to;
    return ALC_WITNESS_DONE;
}

static void judge(const struct alc_witness_store *store,
                  const uint8_t bytes[ALC_WITNESS_REQUEST_SIZE], struct alc_witness_reply *reply)
{
    struct alc_witness_request request;
    if (!alc_witness_request_decode(bytes, &request)) {
        reply->verdict = ALC_WITNESS_MALFORMED;
    } else if (request.kind == ALC_WITNESS_ADVANCE && !is_owners(bytes, &request)) {
        reply->verdict = ALC_WITNESS_NOT_OWNER;
    } else if (store->read(store->context, request.counter, &reply->mark) != ALC_OK) {
        reply->verdict = ALC_WITNESS_FAILED;
    } else {
        reply->verdict = request.kind == ALC_WITNESS_READ ? ALC_WITNESS_DONE
                                                          : advance(store, &request, &reply->mark);
    }
}

alc_status alc_witness_answer(const struct alc_witness_store *store,
                              const struct alc_ec_private_key *key, const struct alc_random *random,
                              const uint8_t request[ALC_WITNESS_REQUEST_SIZE],
                              uint8_t answer[ALC_WITNESS_ANSWER_SIZE])
{
    struct alc_witness_reply reply = {.verdict = ALC_WITNESS_FAILED};
    uint8_t digest[ALC_SHA256_SIZE];
    struct alc_ecdsa_signature signature;
    judge(store, request, &reply);
    alc_witness_reply_encode(&reply, answer);
    alc_witness_reply_digest(request, answer, digest);
    ALC_TRY(alc_ecdsa_sign(key, ALC_HASH_SHA256, digest, random, &signature));
    alc_copy(reply.signature, signature.bytes, sizeof reply.signature);
    alc_witness_reply_encode(&reply, answer);
    return ALC_OK;
}
