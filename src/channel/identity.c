/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys with evidence: the claims name the key, the evidence is bound to the claims, the certificate
 * carries both.
 */
#include "channel/identity.h"

#include "base/bytes.h"
#include "channel/certificate.h"

enum { LIFETIME_S = 6 * 3600, SKEW_S = 300 };
enum { NONCE_ENCODED_SIZE = 6 + 2 + ALC_SHA256_SIZE }; /* as a member of a claims-buffer */
enum { EVIDENCE_SIZE_MAX = ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE };

/* Evidence for a buffer of claims, which is there already. */
static alc_status prove_claims(const struct alc_channel_identity *identity,
                               const struct alc_text *claims, struct alc_writer *evidence)
{
    uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE];
    alc_claims_bind(claims->bytes, claims->size, report_data);
    ALC_TRY(identity->attester->evidence(identity->attester->context, report_data, evidence));
    return alc_writer_finish(evidence);
}

static alc_status make_evidence(const struct alc_channel_identity *identity,
                                struct alc_arena *arena, struct alc_tagged_evidence *out)
{
    const struct alc_text claims = {identity->claims, identity->claims_size};
    struct alc_writer writer;
    if (identity->dialect != NULL) {
        return identity->dialect->prove(identity->attester, &claims, arena, out);
    }
    uint8_t *evidence = alc_arena_take(arena, EVIDENCE_SIZE_MAX, 1);
    if (evidence == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_writer_init(&writer, evidence, EVIDENCE_SIZE_MAX);
    ALC_TRY(prove_claims(identity, &claims, &writer));
    *out = (struct alc_tagged_evidence){
        .tag = identity->evidence_tag, .evidence = {evidence, writer.pos}, .claims = claims};
    return ALC_OK;
}

static alc_status write_extension(const struct alc_channel_identity *identity,
                                  struct alc_arena *arena, struct alc_text *out)
{
    uint8_t *extension = alc_arena_take(arena, ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE, 1);
    struct alc_tagged_evidence value;
    struct alc_writer writer;
    if (extension == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    ALC_TRY(make_evidence(identity, arena, &value));
    alc_writer_init(&writer, extension, ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE);
    alc_tagged_evidence_write(&writer, &value);
    *out = (struct alc_text){extension, writer.pos};
    return writer.overflowed ? ALC_E_CERTIFICATE_SIZE : ALC_OK;
}

static alc_status make_key(struct alc_channel_identity *identity)
{
    uint8_t spki[ALC_EC_SPKI_SIZE_MAX];
    struct alc_writer writer;
    ALC_TRY(alc_ec_generate(ALC_CURVE_P256, identity->random, &identity->private_key,
                            &identity->public_key));
    alc_writer_init(&writer, spki, sizeof spki);
    alc_ec_write_spki(&writer, &identity->public_key);
    alc_sha256(spki, writer.pos, identity->spki_sha256);
    return ALC_OK;
}

static alc_status write_claims(struct alc_channel_identity *identity,
                               const struct alc_channel_identity_options *options)
{
    const struct alc_claims_buffer claims = {.alcove = options->claims,
                                             .key_hash_kind = ALC_NAMED_SHA256,
                                             .key_hash = {identity->spki_sha256, ALC_SHA256_SIZE}};
    struct alc_writer writer;
    alc_writer_init(&writer, identity->claims, sizeof identity->claims - NONCE_ENCODED_SIZE);
    alc_claims_buffer_write(&writer, &claims);
    identity->claims_size = writer.pos;
    return writer.overflowed ? ALC_E_LENGTH_OUT_OF_BOUNDS : ALC_OK;
}

static alc_status write_certificate(struct alc_channel_identity *identity, struct alc_arena *arena,
                                    const struct alc_channel_identity_options *options)
{
    uint32_t lifetime_s = options->lifetime_s != 0 ? options->lifetime_s : LIFETIME_S;
    struct alc_own_certificate_content content = {
        .not_before_s = options->now_s - SKEW_S,
        .not_after_s = options->now_s + lifetime_s,
        .private_key = &identity->private_key,
        .public_key = &identity->public_key,
        .random = identity->random,
    };
    struct alc_writer writer;
    if (options->endorses_certificate) {
        content.endorsements = options->endorsements;
    }
    if (identity->attester != NULL) {
        ALC_TRY(write_extension(identity, arena, &content.evidence));
    }
    alc_writer_init(&writer, identity->certificate, sizeof identity->certificate);
    alc_status status = alc_own_certificate_write(&writer, &content);
    identity->certificate_size = writer.pos;
    ALC_TRY(writer.overflowed ? ALC_E_CERTIFICATE_SIZE : status);
    alc_sha256(identity->certificate, identity->certificate_size, identity->certificate_sha256);
    return ALC_OK;
}

alc_status alc_channel_identity_init(struct alc_channel_identity *identity, struct alc_arena *arena,
                                     const struct alc_channel_identity_options *options)
{
    const size_t mark = alc_arena_mark(arena);
    alc_fill(identity, 0, sizeof *identity);
    identity->random = options->random;
    identity->attester = options->attester;
    identity->evidence_tag =
        options->evidence_tag != 0 ? options->evidence_tag : ALC_EVIDENCE_TAG_QUOTE;
    identity->dialect = options->dialect;
    identity->endorsements = options->endorsements;
    alc_channel_memory_init(&identity->memory);
    if (options->now_s < SKEW_S || options->now_s > INT64_C(2500000000)) {
        return ALC_E_BAD_ARGUMENT; /* not a time in which certificates can be dated */
    }
    alc_status status = make_key(identity);
    if (status == ALC_OK) {
        status = write_claims(identity, options);
    }
    if (status == ALC_OK) {
        status = write_certificate(identity, arena, options);
    }
    alc_arena_reset(arena, mark);
    if (status != ALC_OK) {
        alc_channel_identity_fini(identity);
    }
    return status;
}

void alc_channel_identity_fini(struct alc_channel_identity *identity)
{
    alc_wipe(identity, sizeof *identity);
}

alc_status alc_channel_identity_prove(const struct alc_channel_identity *identity,
                                      const uint8_t nonce[ALC_SHA256_SIZE],
                                      struct alc_writer *evidence, struct alc_writer *claims)
{
    struct alc_reader reader;
    struct alc_claims_buffer all;
    if (identity->attester == NULL || identity->dialect != NULL) {
        return ALC_E_NOT_SUPPORTED;
    }
    alc_reader_init(&reader, identity->claims, identity->claims_size, NULL);
    ALC_TRY(alc_claims_buffer_read(&reader, &all));
    all.nonce = (struct alc_text){nonce, ALC_SHA256_SIZE};
    size_t begin = claims->pos;
    alc_claims_buffer_write(claims, &all);
    ALC_TRY(alc_writer_finish(claims));
    const struct alc_text buffer = {claims->bytes + begin, claims->pos - begin};
    return prove_claims(identity, &buffer, evidence);
}
