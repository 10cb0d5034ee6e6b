/* SPDX-License-Identifier: Apache-2.0
 *
 * The half that runs beside the mount. Whoever carries the bytes may drop, change, repeat and delay
 * them: an answer counts if the witness signed it for this very request, and anything else is none.
 */
#include "base/bytes.h"
#include "witness/protocol.h"

static const char owner_label[] = "alcove witness owner";
/* A derived number is no scalar once in 2^32. */
enum { ATTEMPTS = 4 };

static alc_status fill_random(void *context, uint8_t *buf, size_t buf_size)
{
    const struct alc_os *os = context;
    return os->operations->random(os->context, buf, buf_size) < 0 ? ALC_E_IO_FAILED : ALC_OK;
}

static struct alc_random random_of(const struct alc_witness_link *link)
{
    return (struct alc_random){.fill = fill_random, .context = (void *)(uintptr_t)link->os};
}

/* -- bytes to the witness and back -- */

typedef int64_t transfer_function(void *context, int32_t handle, const struct alc_span *spans,
                                  size_t spans_count);

static alc_status transfer(struct alc_witness_link *link, transfer_function *move, uint8_t *bytes,
                           size_t size)
{
    for (size_t done = 0; done < size;) {
        const struct alc_span span = {.bytes = bytes + done, .size = size - done};
        int64_t count = move(link->os->context, link->handle, &span, 1);
        if (count <= 0 || (uint64_t)count > span.size) {
            return ALC_E_IO_FAILED;
        }
        done += (size_t)count;
    }
    return ALC_OK;
}

static void lock(struct alc_witness_link *link)
{
    while (__atomic_exchange_n(&link->lock, 1, __ATOMIC_ACQUIRE) != 0) {
        (void)link->os->operations->yield(link->os->context);
    }
}

/* Half an answer may be under way when something failed: the next one would be read out of step. */
static alc_status exchange(struct alc_witness_link *link, uint8_t request[ALC_WITNESS_REQUEST_SIZE],
                           uint8_t answer[ALC_WITNESS_ANSWER_SIZE])
{
    const struct alc_os_operations *operations = link->os->operations;
    lock(link);
    alc_status status = link->is_broken ? ALC_E_IO_FAILED : ALC_OK;
    if (status == ALC_OK) {
        status = transfer(link, operations->write, request, ALC_WITNESS_REQUEST_SIZE);
    }
    if (status == ALC_OK) {
        status = transfer(link, operations->read, answer, ALC_WITNESS_ANSWER_SIZE);
    }
    link->is_broken = status != ALC_OK;
    __atomic_store_n(&link->lock, 0, __ATOMIC_RELEASE);
    return status;
}

/* -- questions -- */

static alc_status sign(const struct alc_witness_client *client, struct alc_witness_request *request)
{
    uint8_t bytes[ALC_WITNESS_REQUEST_SIZE];
    uint8_t digest[ALC_SHA256_SIZE];
    struct alc_ecdsa_signature signature;
    const struct alc_random random = random_of(client->link);
    alc_witness_request_encode(request, bytes);
    alc_witness_request_digest(bytes, digest);
    ALC_TRY(alc_ecdsa_sign(&client->owner, ALC_HASH_SHA256, digest, &random, &signature));
    alc_copy(request->signature, signature.bytes, sizeof request->signature);
    return ALC_OK;
}

static alc_status ask(const struct alc_witness_client *client, struct alc_witness_request *request,
                      struct alc_witness_reply *out)
{
    uint8_t question[ALC_WITNESS_REQUEST_SIZE];
    uint8_t answer[ALC_WITNESS_ANSWER_SIZE];
    uint8_t digest[ALC_SHA256_SIZE];
    struct alc_ecdsa_signature signature = {{0}};
    struct alc_witness_link *link = client->link;
    ALC_TRY(fill_random((void *)(uintptr_t)link->os, request->nonce, sizeof request->nonce));
    alc_copy(request->counter, client->counter.point, sizeof request->counter);
    if (request->kind == ALC_WITNESS_ADVANCE) {
        ALC_TRY(sign(client, request));
    }
    alc_witness_request_encode(request, question);
    ALC_TRY(exchange(link, question, answer));
    if (!alc_witness_reply_decode(answer, out)) {
        return ALC_E_NOT_AUTHENTIC;
    }
    alc_witness_reply_digest(question, answer, digest);
    alc_copy(signature.bytes, out->signature, sizeof out->signature);
    ALC_TRY(alc_ecdsa_verify(&link->key, digest, sizeof digest, &signature));
    return out->verdict == ALC_WITNESS_DONE ? ALC_OK : ALC_E_POLICY_REFUSED;
}

static alc_status client_read(void *context, struct alc_seal_mark *out)
{
    struct alc_witness_request request = {.kind = ALC_WITNESS_READ};
    struct alc_witness_reply reply;
    ALC_TRY(ask(context, &request, &reply));
    *out = reply.mark;
    return ALC_OK;
}

static alc_status client_advance(void *context, const struct alc_seal_mark *from,
                                 const struct alc_seal_mark *to)
{
    struct alc_witness_request request = {.kind = ALC_WITNESS_ADVANCE, .from = *from, .to = *to};
    struct alc_witness_reply reply;
    ALC_TRY(ask(context, &request, &reply));
    bool is_there = reply.mark.generation == to->generation &&
                    alc_equal(reply.mark.digest, to->digest, sizeof to->digest);
    return is_there ? ALC_OK : ALC_E_NOT_AUTHENTIC;
}

/* -- a client -- */

static alc_status find_counter(struct alc_witness_client *client,
                               const uint8_t secret[ALC_SEAL_KEY_SIZE])
{
    uint8_t info[sizeof owner_label];
    alc_status status = ALC_E_BAD_KEY;
    const struct alc_random random = random_of(client->link);
    client->owner.curve = ALC_CURVE_P256;
    alc_copy(info, owner_label, sizeof owner_label);
    for (uint8_t i = 0; status == ALC_E_BAD_KEY && i < ATTEMPTS; i++) {
        const struct alc_hkdf_inputs inputs = {.secret = secret,
                                               .secret_size = ALC_SEAL_KEY_SIZE,
                                               .info = info,
                                               .info_size = sizeof info};
        info[sizeof info - 1] = i;
        alc_hkdf(ALC_HASH_SHA256, &inputs, client->owner.scalar, ALC_SEAL_KEY_SIZE);
        status = alc_ec_derive_public(&client->owner, &random, &client->counter);
    }
    return status;
}

static alc_status client_follow(void *context, const uint8_t line[ALC_SEAL_LINE_SIZE])
{
    return find_counter(context, line);
}

alc_status alc_witness_client_init(struct alc_witness_client *client, struct alc_witness_link *link,
                                   const uint8_t secret[ALC_SEAL_KEY_SIZE])
{
    *client = (struct alc_witness_client){.witness = {.read = client_read,
                                                      .advance = client_advance,
                                                      .follow = client_follow,
                                                      .context = client},
                                          .link = link};
    return find_counter(client, secret);
}

void alc_witness_client_fini(struct alc_witness_client *client)
{
    alc_wipe(client, sizeof *client);
}
