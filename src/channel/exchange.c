/* SPDX-License-Identifier: Apache-2.0
 *
 * The exchange of proofs after the handshake: each side names what the other has to prove (a
 * nonce), proves what the other asked for, and says what it thinks of the other's proof. A proof is
 * bound to the TLS exporter of this connection, to the verifier's nonce, to the prover's role and
 * certificate; so neither a stolen key of a certificate nor a relayed connection has one.
 * docs/attested-channels.md has the bytes. Messages come through TLS, hostile all the same.
 */
#include "base/bytes.h"
#include "base/cbor.h"
#include "channel/channel_internal.h"

enum message_kind { MESSAGE_HELLO = 1, MESSAGE_PROOF = 2, MESSAGE_VERDICT = 3 };
enum proof_kind { PROOF_NONE = 0, PROOF_EVIDENCE = 1, PROOF_SECRET = 2 };
enum { PROOF_ITEMS = 4, HELLO_ITEMS = 3, VERDICT_ITEMS = 3 };

static const char exporter_label[] = "EXPORTER-alcove-proof";
static const char secret_label[] = "EXPORTER-alcove-secret";
static const char binding_label[] = "alcove proof of freshness 1";

static enum alc_channel_role other(enum alc_channel_role role)
{
    return role == ALC_CHANNEL_CLIENT ? ALC_CHANNEL_SERVER : ALC_CHANNEL_CLIENT;
}

/* What a proof of the side `role` has to name. */
static void bind(const struct alc_channel *channel, enum alc_channel_role role,
                 uint8_t out[ALC_SHA256_SIZE])
{
    const struct alc_exchange *exchange = &channel->exchange;
    bool is_ours = role == channel->role;
    const uint8_t role_byte = role == ALC_CHANNEL_SERVER;
    struct alc_sha256 hash;
    alc_sha256_init(&hash);
    alc_sha256_update(&hash, binding_label, sizeof binding_label);
    alc_sha256_update(&hash, &role_byte, 1);
    alc_sha256_update(&hash, exchange->exporter, sizeof exchange->exporter);
    alc_sha256_update(&hash, is_ours ? exchange->peer_nonce : exchange->nonce, ALC_SHA256_SIZE);
    alc_sha256_update(&hash,
                      is_ours ? channel->identity->certificate_sha256 : channel->certificate_sha256,
                      ALC_SHA256_SIZE);
    alc_sha256_finish(&hash, out);
}

alc_status alc_exchange_init(struct alc_channel *channel)
{
    struct alc_exchange *exchange = &channel->exchange;
    const struct alc_random *random = channel->random;
    ALC_TRY(random->fill(random->context, exchange->nonce, sizeof exchange->nonce));
    return alc_tls_export(channel, exporter_label, NULL, 0, exchange->exporter,
                          sizeof exchange->exporter);
}

/* -- sending -- */

/* The message that lies in `writer` behind its head, if it fits. */
static alc_status queue_message(struct alc_exchange *exchange, struct alc_writer *writer)
{
    size_t size = writer->pos - ALC_MESSAGE_HEAD_SIZE;
    if (writer->overflowed) {
        return ALC_E_LENGTH_OUT_OF_BOUNDS;
    }
    alc_store_u32(writer->bytes, (uint32_t)size);
    exchange->out.begin = 0;
    exchange->out.end = writer->pos;
    exchange->is_sent = true;
    return ALC_OK;
}

static struct alc_writer start_message(struct alc_exchange *exchange, enum message_kind kind,
                                       size_t items)
{
    struct alc_writer writer;
    alc_writer_init(&writer, exchange->out.bytes, exchange->out.size);
    alc_write_zeros(&writer, ALC_MESSAGE_HEAD_SIZE);
    alc_cbor_write_array(&writer, items);
    alc_cbor_write_uint(&writer, kind);
    return writer;
}

static alc_status send_hello(struct alc_channel *channel)
{
    struct alc_exchange *exchange = &channel->exchange;
    const struct alc_channel_demand *demand = channel->demand;
    if (channel->has_peer_certificate && demand->reuse_s != 0) {
        exchange->is_known_offered = alc_channel_memory_find_secret(
            demand->memory, channel->certificate_sha256, NULL, channel->now_s, &exchange->known);
    }
    struct alc_writer writer = start_message(exchange, MESSAGE_HELLO, HELLO_ITEMS);
    alc_cbor_write_bytes(&writer, exchange->nonce, sizeof exchange->nonce);
    alc_cbor_write_bytes(&writer, exchange->known.name,
                         exchange->is_known_offered ? ALC_SHA256_SIZE : 0);
    return queue_message(exchange, &writer);
}

/* The proof by evidence: tagged, as in a certificate, with the binding as the claims' nonce. */
static alc_status write_evidence(struct alc_channel *channel,
                                 const uint8_t binding[ALC_SHA256_SIZE], struct alc_writer *writer)
{
    uint8_t *place = channel->work;
    struct alc_writer evidence;
    struct alc_writer claims;
    struct alc_writer tagged;
    struct alc_tagged_evidence value = {.tag = channel->identity->evidence_tag};
    alc_writer_init(&claims, place, ALC_CLAIMS_SIZE_MAX);
    place += ALC_CLAIMS_SIZE_MAX;
    alc_writer_init(&evidence, place, ALC_CHANNEL_WORK_SIZE / 4);
    place += ALC_CHANNEL_WORK_SIZE / 4;
    alc_writer_init(&tagged, place, ALC_CHANNEL_WORK_SIZE / 2);
    ALC_TRY(alc_channel_identity_prove(channel->identity, binding, &evidence, &claims));
    value.evidence = (struct alc_text){evidence.bytes, evidence.pos};
    value.claims = (struct alc_text){claims.bytes, claims.pos};
    alc_tagged_evidence_write(&tagged, &value);
    ALC_TRY(alc_writer_finish(&tagged));
    alc_cbor_write_bytes(writer, tagged.bytes, tagged.pos);
    return ALC_OK;
}

static alc_status send_proof(struct alc_channel *channel)
{
    struct alc_exchange *exchange = &channel->exchange;
    const struct alc_channel_identity *identity = channel->identity;
    struct alc_writer writer = start_message(exchange, MESSAGE_PROOF, PROOF_ITEMS);
    uint8_t binding[ALC_SHA256_SIZE];
    bool has_evidence = identity != NULL && identity->attester != NULL;
    if (!has_evidence) {
        alc_cbor_write_uint(&writer, PROOF_NONE);
        alc_cbor_write_bytes(&writer, "", 0);
    } else if (exchange->is_peer_known) {
        uint8_t code[ALC_SHA256_SIZE];
        bind(channel, channel->role, binding);
        alc_hmac(ALC_HASH_SHA256, exchange->peer_known.bytes, ALC_CHANNEL_SECRET_SIZE, binding,
                 sizeof binding, code);
        alc_cbor_write_uint(&writer, PROOF_SECRET);
        alc_cbor_write_bytes(&writer, code, sizeof code);
    } else {
        bind(channel, channel->role, binding);
        alc_cbor_write_uint(&writer, PROOF_EVIDENCE);
        ALC_TRY(write_evidence(channel, binding, &writer));
    }
    const struct alc_text *endorsements = has_evidence ? &identity->endorsements : NULL;
    alc_cbor_write_bytes(&writer, endorsements != NULL ? endorsements->bytes : NULL,
                         endorsements != NULL ? endorsements->size : 0);
    return queue_message(exchange, &writer);
}

static alc_status send_verdict(struct alc_channel *channel)
{
    const struct alc_channel_peer *peer = &channel->peer;
    const char *name = alc_status_name(peer->status);
    const char *check = peer->check < ALC_CHECKS ? alc_check_name(peer->check) : "";
    struct alc_writer writer = start_message(&channel->exchange, MESSAGE_VERDICT, VERDICT_ITEMS);
    alc_cbor_write_text(&writer, name, alc_string_length(name));
    alc_cbor_write_text(&writer, check, alc_string_length(check));
    return queue_message(&channel->exchange, &writer);
}

/* -- receiving -- */

static alc_status read_hello(struct alc_channel *channel, struct alc_reader *reader)
{
    struct alc_exchange *exchange = &channel->exchange;
    const uint8_t *nonce;
    const uint8_t *known;
    size_t nonce_size;
    size_t known_size;
    ALC_TRY(alc_cbor_read_bytes(reader, &nonce, &nonce_size));
    ALC_TRY(alc_cbor_read_bytes(reader, &known, &known_size));
    if (nonce_size != ALC_SHA256_SIZE || (known_size != 0 && known_size != ALC_SHA256_SIZE)) {
        return ALC_E_BAD_CBOR;
    }
    alc_copy(exchange->peer_nonce, nonce, ALC_SHA256_SIZE);
    if (known_size != 0 && channel->identity != NULL) {
        exchange->is_peer_known = alc_channel_memory_find_secret(
            &channel->identity->memory, NULL, known, channel->now_s, &exchange->peer_known);
    }
    return ALC_OK;
}

static void judge_evidence(struct alc_channel *channel, const struct alc_text *tagged,
                           const struct alc_text *endorsements)
{
    struct alc_channel_demand demand = *channel->demand;
    struct alc_channel_proof proof = {.spki = channel->peer_certificate.spki};
    uint8_t binding[ALC_SHA256_SIZE];
    bind(channel, other(channel->role), binding);
    channel->peer.status = alc_channel_evidence_read(tagged, &proof.evidence);
    if (channel->peer.status != ALC_OK) {
        return;
    }
    proof.nonce = binding;
    proof.endorsements =
        endorsements->size != 0 ? *endorsements : channel->peer_certificate.endorsements;
    demand.memory = NULL; /* it is seen this once */
    channel->peer.is_fresh = alc_channel_judge_proof(channel, &demand, &proof) == ALC_OK;
}

static void judge_secret(struct alc_channel *channel, const struct alc_text *shown,
                         const struct alc_text *endorsements)
{
    struct alc_exchange *exchange = &channel->exchange;
    struct alc_channel_proof proof;
    uint8_t binding[ALC_SHA256_SIZE];
    uint8_t code[ALC_SHA256_SIZE];
    bind(channel, other(channel->role), binding);
    alc_hmac(ALC_HASH_SHA256, exchange->known.bytes, ALC_CHANNEL_SECRET_SIZE, binding,
             sizeof binding, code);
    if (!exchange->is_known_offered || shown->size != sizeof code ||
        !alc_secret_equal(shown->bytes, code, sizeof code)) {
        channel->peer.status = ALC_E_NOT_FRESH;
        return;
    }
    channel->peer.status =
        alc_channel_proof_of(&channel->peer_certificate, channel->demand, &proof);
    if (channel->peer.status != ALC_OK) {
        return;
    }
    if (endorsements->size != 0) {
        proof.endorsements = *endorsements;
    }
    channel->peer.is_fresh = alc_channel_judge_proof(channel, channel->demand, &proof) == ALC_OK;
}

static alc_status read_proof(struct alc_channel *channel, struct alc_reader *reader)
{
    struct alc_text shown;
    struct alc_text endorsements;
    uint64_t kind;
    ALC_TRY(alc_cbor_read_uint(reader, &kind));
    ALC_TRY(alc_cbor_read_bytes(reader, &shown.bytes, &shown.size));
    ALC_TRY(alc_cbor_read_bytes(reader, &endorsements.bytes, &endorsements.size));
    channel->peer.check = ALC_CHECKS;
    if (channel->certificate_status != ALC_OK && !channel->demand->accepts_unattested) {
        channel->peer.status = channel->certificate_status;
    } else if (kind == PROOF_NONE) {
        channel->peer.status = channel->demand->accepts_unattested ? ALC_OK : ALC_E_NO_EVIDENCE;
    } else if (kind == PROOF_EVIDENCE && channel->has_peer_certificate) {
        judge_evidence(channel, &shown, &endorsements);
    } else if (kind == PROOF_SECRET && channel->has_peer_certificate) {
        judge_secret(channel, &shown, &endorsements);
    } else {
        return ALC_E_BAD_CBOR;
    }
    return ALC_OK;
}

static bool is_name(const uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t c = text[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) {
            return false;
        }
    }
    return size != 0 && size < ALC_CHANNEL_REASON_SIZE / 2;
}

static alc_status read_verdict(struct alc_channel *channel, struct alc_reader *reader)
{
    static const char ok[] = "OK";
    const uint8_t *name;
    const uint8_t *check;
    size_t name_size;
    size_t check_size;
    ALC_TRY(alc_cbor_read_text(reader, &name, &name_size));
    ALC_TRY(alc_cbor_read_text(reader, &check, &check_size));
    if (name_size == sizeof ok - 1 && alc_equal(name, ok, name_size)) {
        return ALC_OK;
    }
    if (is_name(name, name_size)) {
        alc_copy(channel->peer_reason, name, name_size);
        if (is_name(check, check_size)) {
            channel->peer_reason[name_size] = ':';
            alc_copy(channel->peer_reason + name_size + 1, check, check_size);
        }
    }
    return ALC_E_PEER_REFUSED;
}

static alc_status read_message(struct alc_channel *channel, struct alc_reader *reader)
{
    static const struct {
        enum message_kind kind;
        size_t items;
        alc_status (*read)(struct alc_channel *channel, struct alc_reader *reader);
    } messages[] = {
        [ALC_EXCHANGE_HELLO] = {MESSAGE_HELLO, HELLO_ITEMS, read_hello},
        [ALC_EXCHANGE_PROOF] = {MESSAGE_PROOF, PROOF_ITEMS, read_proof},
        [ALC_EXCHANGE_VERDICT] = {MESSAGE_VERDICT, VERDICT_ITEMS, read_verdict},
    };
    enum alc_exchange_step step = channel->exchange.step;
    uint64_t kind;
    size_t count;
    ALC_TRY(alc_cbor_read_array(reader, messages[step].items, &count));
    ALC_TRY(alc_cbor_read_uint(reader, &kind));
    if (count != messages[step].items || kind != messages[step].kind) {
        return ALC_E_BAD_CBOR;
    }
    ALC_TRY(messages[step].read(channel, reader));
    return alc_reader_at_end(reader) ? ALC_OK : ALC_E_BAD_CBOR;
}

/* Reads on until a message is whole. */
static enum alc_tls_result receive_message(struct alc_channel *channel)
{
    struct alc_exchange *exchange = &channel->exchange;
    for (;;) {
        size_t wanted = ALC_MESSAGE_HEAD_SIZE;
        if (exchange->message_size >= ALC_MESSAGE_HEAD_SIZE) {
            uint32_t size = alc_load_u32(exchange->message);
            if (size > ALC_LIMIT_CHANNEL_MESSAGE_SIZE) {
                alc_channel_fail(channel, ALC_E_LENGTH_OUT_OF_BOUNDS);
                return ALC_TLS_FAILS;
            }
            wanted += size;
        }
        if (wanted == exchange->message_size) {
            return ALC_TLS_DONE;
        }
        size_t size;
        enum alc_tls_result result =
            alc_tls_read(channel, exchange->message + exchange->message_size,
                         wanted - exchange->message_size, &size);
        if (result != ALC_TLS_DONE) {
            return result;
        }
        exchange->message_size += size;
    }
}

/* -- steps -- */

/* A peer who was accepted by its evidence need not show it again for a while; and so for us. */
static alc_status keep_secrets(struct alc_channel *channel)
{
    struct alc_exchange *exchange = &channel->exchange;
    const struct alc_channel_demand *demand = channel->demand;
    struct alc_channel_secret secret;
    alc_status status = ALC_OK;
    for (int i = 0; i < 2 && status == ALC_OK; i++) {
        const uint8_t prover = i == 0 ? channel->role == ALC_CHANNEL_SERVER
                                      : other(channel->role) == ALC_CHANNEL_SERVER;
        bool is_kept = i == 0 ? channel->identity != NULL && channel->identity->attester != NULL &&
                                    !exchange->is_peer_known
                              : demand->reuse_s != 0 && demand->memory != NULL &&
                                    channel->peer.is_fresh && !exchange->is_known_offered;
        if (!is_kept) {
            continue;
        }
        status =
            alc_tls_export(channel, secret_label, &prover, 1, (uint8_t *)&secret, sizeof secret);
        if (status == ALC_OK && i == 0) {
            alc_channel_memory_keep_secret(&channel->identity->memory, secret.name, &secret,
                                           channel->now_s, INT64_MAX);
        } else if (status == ALC_OK) {
            alc_channel_memory_keep_secret(demand->memory, channel->certificate_sha256, &secret,
                                           channel->now_s, channel->now_s + demand->reuse_s);
        }
    }
    alc_wipe(&secret, sizeof secret);
    return status;
}

static alc_status send_step(struct alc_channel *channel)
{
    switch (channel->exchange.step) {
    case ALC_EXCHANGE_HELLO:
        return send_hello(channel);
    case ALC_EXCHANGE_PROOF:
        return send_proof(channel);
    case ALC_EXCHANGE_VERDICT:
        return send_verdict(channel);
    case ALC_EXCHANGE_DONE:
        break;
    }
    return ALC_E_INTERNAL;
}

/* What is queued, into records. */
static enum alc_tls_result flush(struct alc_channel *channel)
{
    struct alc_channel_queue *out = &channel->exchange.out;
    while (alc_queue_used(out) != 0) {
        size_t size;
        enum alc_tls_result result =
            alc_tls_write(channel, out->bytes + out->begin, alc_queue_used(out), &size);
        if (result != ALC_TLS_DONE) {
            return result;
        }
        out->begin += size;
    }
    return ALC_TLS_DONE;
}

static enum alc_tls_result advance_step(struct alc_channel *channel)
{
    struct alc_exchange *exchange = &channel->exchange;
    enum alc_tls_result result;
    alc_status status;
    if (!exchange->is_sent) {
        status = send_step(channel);
        if (status != ALC_OK) {
            alc_channel_fail(channel, status);
            return ALC_TLS_FAILS;
        }
    }
    result = flush(channel);
    if (result != ALC_TLS_DONE) {
        return result;
    }
    if (exchange->step == ALC_EXCHANGE_VERDICT && channel->peer.status != ALC_OK) {
        alc_channel_fail(channel, channel->peer.status); /* which the peer was told */
        return ALC_TLS_FAILS;
    }
    result = receive_message(channel);
    if (result != ALC_TLS_DONE) {
        return result;
    }
    struct alc_reader reader;
    alc_reader_init(&reader, exchange->message + ALC_MESSAGE_HEAD_SIZE,
                    exchange->message_size - ALC_MESSAGE_HEAD_SIZE, NULL);
    status = read_message(channel, &reader);
    if (status != ALC_OK) {
        alc_channel_fail(channel, status);
        return ALC_TLS_FAILS;
    }
    exchange->message_size = 0;
    exchange->is_sent = false;
    exchange->step++;
    return ALC_TLS_DONE;
}

enum alc_tls_result alc_exchange_advance(struct alc_channel *channel)
{
    struct alc_exchange *exchange = &channel->exchange;
    while (exchange->step != ALC_EXCHANGE_DONE) {
        enum alc_tls_result result = advance_step(channel);
        if (result != ALC_TLS_DONE) {
            return result;
        }
    }
    alc_status status = keep_secrets(channel);
    alc_wipe(exchange->exporter, sizeof exchange->exporter);
    alc_wipe(&exchange->known, sizeof exchange->known);
    alc_wipe(&exchange->peer_known, sizeof exchange->peer_known);
    if (status != ALC_OK) {
        alc_channel_fail(channel, status);
        return ALC_TLS_FAILS;
    }
    return ALC_TLS_DONE;
}
