/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's three steps: authenticate (which proves nothing yet and brings a nonce), attest,
 * get.
 */
#include "broker/client.h"

#include "base/bytes.h"

enum { JWK_SIZE_MAX = 256, ATTESTATION_OVERHEAD = 1024, FORM_OVERHEAD = 8192 };

void alc_broker_client_init(struct alc_broker_client *client,
                            const struct alc_broker_client_options *options)
{
    alc_fill(client, 0, sizeof *client);
    client->stage = ALC_BROKER_DONE;
    client->options = options;
}

void alc_broker_client_fini(struct alc_broker_client *client)
{
    alc_wipe(&client->private_key, sizeof client->private_key);
    client->is_attested = false;
    client->stage = ALC_BROKER_DONE;
}

static void start_anew(struct alc_broker_client *client)
{
    alc_broker_client_fini(client);
    client->stage = ALC_BROKER_TO_AUTHENTICATE;
}

alc_status alc_broker_client_ask(struct alc_broker_client *client, const struct alc_text *resource)
{
    struct alc_text path;
    ALC_TRY(alc_broker_resource_read(resource, &path));
    alc_copy(client->resource, path.bytes, path.size);
    client->resource_size = path.size;
    client->stage = client->is_attested ? ALC_BROKER_TO_GET : ALC_BROKER_TO_AUTHENTICATE;
    return ALC_OK;
}

/* -- requests -- */

static struct alc_text text_of(const char *characters, size_t size)
{
    return (struct alc_text){(const uint8_t *)characters, size};
}

static struct alc_text literal(const char *text)
{
    return text_of(text, alc_string_length(text));
}

static alc_status begin(struct alc_arena *arena, size_t size, struct alc_writer *out)
{
    uint8_t *bytes = alc_arena_take(arena, size, 1);
    if (bytes == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_writer_init(out, bytes, size);
    return ALC_OK;
}

static alc_status finish(const struct alc_writer *writer, struct alc_text *out)
{
    ALC_TRY(alc_writer_finish(writer));
    *out = (struct alc_text){writer->bytes, writer->pos};
    return ALC_OK;
}

static alc_status request_authentication(struct alc_arena *arena, enum alc_broker_tee tee,
                                         struct alc_text *out)
{
    struct alc_writer writer;
    ALC_TRY(begin(arena, ATTESTATION_OVERHEAD, &writer));
    alc_broker_write_request(&writer, tee);
    return finish(&writer, out);
}

static alc_status take_evidence(struct alc_broker_client *client, struct alc_arena *arena,
                                const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE],
                                struct alc_text *out)
{
    struct alc_writer writer;
    ALC_TRY(begin(arena, ALC_BROKER_EVIDENCE_MAX, &writer));
    const struct alc_attester *attester = client->options->attester;
    if (client->options->tee == ALC_BROKER_SAMPLE) { /* nobody vouches for it */
        alc_write_bytes(&writer, report_data, ALC_SHA384_SIZE);
    } else {
        ALC_TRY(attester->evidence(attester->context, report_data, &writer));
    }
    return finish(&writer, out);
}

/* A new key for each session, so that a stolen one opens no more than that. */
static alc_status make_binding(struct alc_broker_client *client, struct alc_arena *arena,
                               struct alc_broker_binding *out)
{
    struct alc_writer writer;
    out->nonce = text_of(client->nonce, client->nonce_size);
    ALC_TRY(alc_ec_generate(ALC_CURVE_P256, client->options->random, &client->private_key,
                            &client->public_key));
    ALC_TRY(begin(arena, JWK_SIZE_MAX, &writer));
    alc_jwk_write(&writer, &client->public_key);
    ALC_TRY(finish(&writer, &out->key));
    ALC_TRY(begin(arena, ALC_BROKER_ADDITIONAL_MAX, &writer));
    alc_broker_write_additional(&writer,
                                client->takes_workload ? client->options->workload_id : NULL);
    return finish(&writer, &out->additional);
}

/* At most: of a form's, each byte may be a number and a comma. */
static size_t attestation_size(const struct alc_broker_attestation *attestation)
{
    return attestation->form != NULL
               ? ATTESTATION_OVERHEAD + FORM_OVERHEAD + 4 * attestation->evidence.size
               : ATTESTATION_OVERHEAD + 2 * attestation->evidence.size;
}

static alc_status request_attestation(struct alc_broker_client *client, struct alc_arena *arena,
                                      struct alc_text *out)
{
    struct alc_broker_attestation attestation = {.tee = client->options->tee,
                                                 .form = client->options->form};
    uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE];
    struct alc_writer writer;
    if (attestation.tee == ALC_BROKER_SNP && attestation.form == NULL) {
        return ALC_E_NOT_SUPPORTED;
    }
    ALC_TRY(make_binding(client, arena, &attestation.binding));
    alc_broker_report_data(&attestation.binding, report_data);
    ALC_TRY(take_evidence(client, arena, report_data, &attestation.evidence));
    ALC_TRY(begin(arena, attestation_size(&attestation), &writer));
    alc_broker_write_attestation(&writer, &attestation);
    return finish(&writer, out);
}

static alc_status write_resource_path(struct alc_broker_client *client, struct alc_arena *arena,
                                      struct alc_text *out)
{
    static const char prefix[] = ALC_BROKER_PREFIX "resource/";
    struct alc_writer writer;
    ALC_TRY(begin(arena, sizeof prefix + client->resource_size, &writer));
    alc_write_bytes(&writer, prefix, sizeof prefix - 1);
    alc_write_bytes(&writer, client->resource, client->resource_size);
    return finish(&writer, out);
}

alc_status alc_broker_client_request(struct alc_broker_client *client, struct alc_arena *arena,
                                     struct alc_broker_request *out)
{
    *out = (struct alc_broker_request){.is_post = true};
    if (client->stage == ALC_BROKER_TO_AUTHENTICATE) {
        out->path = literal(ALC_BROKER_PREFIX "auth");
        return request_authentication(arena, client->options->tee, &out->body);
    }
    out->session = text_of(client->session, client->session_size);
    if (client->stage == ALC_BROKER_TO_ATTEST) {
        out->path = literal(ALC_BROKER_PREFIX "attest");
        return request_attestation(client, arena, &out->body);
    }
    ALC_ASSERT(client->stage == ALC_BROKER_TO_GET);
    out->is_post = false;
    return write_resource_path(client, arena, &out->path);
}

/* -- answers -- */

static alc_status take_challenge(struct alc_broker_client *client,
                                 const struct alc_broker_answer *answer, struct alc_error *error)
{
    struct alc_reader reader;
    struct alc_broker_challenge challenge;
    alc_reader_init(&reader, answer->body.bytes, answer->body.size, error);
    ALC_TRY(alc_broker_read_challenge(&reader, &challenge));
    if (!alc_broker_is_session(&answer->session)) {
        return alc_fail_with(error, ALC_E_BAD_BROKER_ANSWER, ALC_NO_OFFSET,
                             ALC_WORDS("no session"));
    }
    alc_copy(client->nonce, challenge.nonce.bytes, challenge.nonce.size);
    client->nonce_size = challenge.nonce.size;
    client->takes_workload = challenge.takes_workload;
    alc_copy(client->session, answer->session.bytes, answer->session.size);
    client->session_size = answer->session.size;
    client->stage = ALC_BROKER_TO_ATTEST;
    return ALC_OK;
}

/* The token is for others; the session is enough for this server. */
static alc_status take_token(struct alc_broker_client *client,
                             const struct alc_broker_answer *answer, struct alc_error *error)
{
    struct alc_reader reader;
    struct alc_text token;
    alc_reader_init(&reader, answer->body.bytes, answer->body.size, error);
    ALC_TRY(alc_broker_read_token(&reader, &token));
    client->is_attested = true;
    client->stage = ALC_BROKER_TO_GET;
    return ALC_OK;
}

static alc_status take_resource(struct alc_broker_client *client, struct alc_arena *arena,
                                const struct alc_broker_answer *answer, struct alc_text *out_secret,
                                struct alc_error *error)
{
    struct alc_reader reader;
    alc_reader_init(&reader, answer->body.bytes, answer->body.size, error);
    ALC_TRY(
        alc_jwe_open(arena, &reader, &client->private_key, client->options->random, out_secret));
    client->stage = ALC_BROKER_DONE;
    return ALC_OK;
}

static alc_status take_refusal(struct alc_broker_client *client,
                               const struct alc_broker_answer *answer, struct alc_error *error)
{
    alc_broker_read_reason(&answer->body, client->reason, sizeof client->reason,
                           &client->reason_size);
    return alc_fail(error,
                    answer->http_status == 404   ? ALC_E_NOT_FOUND
                    : answer->http_status >= 400 ? ALC_E_BROKER_REFUSED
                                                 : ALC_E_BAD_BROKER_ANSWER,
                    ALC_NO_OFFSET);
}

static alc_status take(struct alc_broker_client *client, struct alc_arena *arena,
                       const struct alc_broker_answer *answer, struct alc_text *out_secret,
                       struct alc_error *error)
{
    if (answer->body.size > ALC_BROKER_BODY_MAX) {
        return alc_fail(error, ALC_E_BAD_BROKER_ANSWER, ALC_NO_OFFSET);
    }
    if (answer->http_status != 200) {
        return take_refusal(client, answer, error);
    }
    if (client->stage == ALC_BROKER_TO_AUTHENTICATE) {
        return take_challenge(client, answer, error);
    }
    if (client->stage == ALC_BROKER_TO_ATTEST) {
        return take_token(client, answer, error);
    }
    ALC_ASSERT(client->stage == ALC_BROKER_TO_GET);
    return take_resource(client, arena, answer, out_secret, error);
}

alc_status alc_broker_client_answer(struct alc_broker_client *client, struct alc_arena *arena,
                                    const struct alc_broker_answer *answer,
                                    struct alc_text *out_secret, struct alc_error *error)
{
    client->reason_size = 0;
    alc_status status = take(client, arena, answer, out_secret, error);
    if (status != ALC_OK && !(status == ALC_E_NOT_FOUND && client->is_attested)) {
        start_anew(client);
    }
    return status;
}
