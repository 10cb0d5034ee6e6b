/* SPDX-License-Identifier: Apache-2.0
 *
 * mbedTLS under a channel: TLS 1.3 and nothing else, ephemeral keys over X25519 or the NIST curves,
 * AES-GCM, ECDSA. Certificates are looked at by us: mbedTLS's verdict is dropped, what TLS itself
 * needs of them (possession of the key) stays with it.
 *
 * mbedTLS's calls that may take memory or use its table of keys run alone, with the channel's heap
 * (crypto/pool.h); those for records do neither.
 */
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <psa/crypto.h>

#include "base/bytes.h"
#include "channel/channel_internal.h"
#include "channel/dialect.h"
#include "crypto/mbedtls_layout.h"

/* Head, kind and tag of a record; and what is left free for two alerts. */
enum { RECORD_OVERHEAD = 5 + 1 + 16, ALERTS_SIZE = 2 * (RECORD_OVERHEAD + 2) };

/* Of our own dialect. The handshake authenticates it, so sides of different ones do not meet. */
static const char *const own_protocols[] = {"alcove/1", NULL};

/* Where the randomness of whoever is in alone comes from. */
static const struct alc_random *random_of_call;

int alc_mbedtls_no_text(char *buf, size_t buf_size, const char *format, ...)
{
    (void)buf;
    (void)buf_size;
    (void)format;
    return -1;
}

psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context,
                                             uint8_t *output, size_t output_size,
                                             size_t *output_length)
{
    (void)context;
    *output_length = output_size;
    return random_of_call->fill(random_of_call->context, output, output_size) == ALC_OK
               ? PSA_SUCCESS
               : PSA_ERROR_INSUFFICIENT_ENTROPY;
}

static int fill_random(void *context, unsigned char *buf, size_t buf_size)
{
    const struct alc_random *random = context;
    return random->fill(random->context, buf, buf_size) == ALC_OK ? 0
                                                                  : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static void enter(struct alc_channel *channel)
{
    alc_pool_enter_alone(&channel->heap);
    random_of_call = channel->random;
}

static void leave(void)
{
    random_of_call = NULL;
    alc_pool_leave_alone();
}

/* -- records from and to the queues -- */

static int take_input(void *context, unsigned char *buf, size_t buf_size)
{
    struct alc_channel *channel = context;
    size_t size = alc_queue_take(&channel->in, buf, buf_size);
    if (size != 0) {
        return (int)size;
    }
    return channel->input_ended ? 0 : MBEDTLS_ERR_SSL_WANT_READ;
}

static int put_output(void *context, const unsigned char *bytes, size_t size)
{
    struct alc_channel *channel = context;
    size_t room = alc_queue_room(&channel->out);
    size = size < room ? size : room;
    if (size == 0) {
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    }
    alc_queue_append(&channel->out, bytes, size);
    return (int)size;
}

/* -- the peer's certificate -- */

static int keep_certificate(void *context, mbedtls_x509_crt *certificate, int depth,
                            uint32_t *flags)
{
    struct alc_channel *channel = context;
    *flags = 0; /* who the peer is, is judged between this step and the next one */
    if (depth == 0) {
        channel->certificate_size = certificate->raw.len;
        channel->certificate_is_new = true;
        if (certificate->raw.len <= ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE) {
            alc_copy(channel->certificate, certificate->raw.p, certificate->raw.len);
        }
    }
    return 0;
}

/* -- start and end -- */

static int set_up_identity(struct alc_channel *channel)
{
    const struct alc_channel_identity *identity = channel->identity;
    int result = mbedtls_pk_setup(&channel->own_key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (result == 0) {
        result = mbedtls_ecp_read_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(channel->own_key),
                                      identity->private_key.scalar, ALC_SHA256_SIZE);
    }
    if (result == 0) {
        mbedtls_ecp_keypair *pair = mbedtls_pk_ec(channel->own_key);
        uint8_t point[1 + 2 * ALC_EC_SIZE_MAX] = {4};
        size_t size = 2 * alc_curve_size(ALC_CURVE_P256);
        alc_copy(point + 1, identity->public_key.point, size);
        result = mbedtls_ecp_point_read_binary(&pair->MBEDTLS_PRIVATE(grp),
                                               &pair->MBEDTLS_PRIVATE(Q), point, 1 + size);
    }
    if (result == 0) {
        result = mbedtls_x509_crt_parse_der_nocopy(&channel->own_certificate, identity->certificate,
                                                   identity->certificate_size);
    }
    if (result == 0) {
        result = mbedtls_ssl_conf_own_cert(&channel->config, &channel->own_certificate,
                                           &channel->own_key);
    }
    return result;
}

static int set_up(struct alc_channel *channel)
{
    static const uint16_t groups[] = {
        MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
        MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
    static const uint16_t signatures[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
                                          MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
                                          MBEDTLS_TLS1_3_SIG_NONE};
    static const int suites[] = {MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
                                 MBEDTLS_TLS1_3_AES_256_GCM_SHA384, 0};
    mbedtls_ssl_config *config = &channel->config;
    if (psa_crypto_init() != PSA_SUCCESS) {
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    }
    int result = mbedtls_ssl_config_defaults(
        config, channel->role == ALC_CHANNEL_CLIENT ? MBEDTLS_SSL_IS_CLIENT : MBEDTLS_SSL_IS_SERVER,
        MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (result != 0) {
        return result;
    }
    mbedtls_ssl_conf_rng(config, fill_random, (void *)(uintptr_t)channel->random);
    mbedtls_ssl_conf_groups(config, groups);
    mbedtls_ssl_conf_sig_algs(config, signatures);
    mbedtls_ssl_conf_ciphersuites(config, suites);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_OPTIONAL);
    mbedtls_ssl_conf_verify(config, keep_certificate, channel);
    const struct alc_channel_dialect *dialect = channel->demand->dialect;
    const char *const *protocols = dialect != NULL ? dialect->protocols : own_protocols;
    result = mbedtls_ssl_conf_alpn_protocols(config, (const char **)(uintptr_t)protocols);
    if (result == 0 && channel->identity != NULL) {
        result = set_up_identity(channel);
    }
    if (result == 0) {
        result = mbedtls_ssl_setup(&channel->ssl, config);
    }
    if (result == 0) {
        result = mbedtls_ssl_set_hostname(&channel->ssl, NULL); /* names mean nothing here */
        mbedtls_ssl_set_bio(&channel->ssl, channel, put_output, take_input, NULL);
    }
    return result;
}

alc_status alc_tls_init(struct alc_channel *channel)
{
    enter(channel);
    mbedtls_ssl_config_init(&channel->config);
    mbedtls_ssl_init(&channel->ssl);
    mbedtls_x509_crt_init(&channel->own_certificate);
    mbedtls_pk_init(&channel->own_key);
    int result = set_up(channel);
    leave();
    return result == 0 ? ALC_OK : ALC_E_TLS_FAILED;
}

void alc_tls_fini(struct alc_channel *channel)
{
    enter(channel);
    mbedtls_ssl_free(&channel->ssl);
    mbedtls_ssl_config_free(&channel->config);
    mbedtls_x509_crt_free(&channel->own_certificate);
    mbedtls_pk_free(&channel->own_key);
    leave();
}

/* -- steps -- */

static enum alc_tls_result judge_result(struct alc_channel *channel, int result)
{
    if (result >= 0) {
        return ALC_TLS_DONE;
    }
    switch (result) {
    case MBEDTLS_ERR_SSL_WANT_READ:
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return ALC_TLS_WAITS;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        return ALC_TLS_ENDED;
    case MBEDTLS_ERR_SSL_CONN_EOF:
        alc_channel_fail(channel, ALC_E_CONNECTION_CUT);
        return ALC_TLS_FAILS;
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        alc_channel_fail(channel, ALC_E_PEER_REFUSED);
        return ALC_TLS_FAILS;
    case MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL: /* which it has told the peer */
        alc_channel_fail(channel, ALC_E_DIALECT_REFUSED);
        return ALC_TLS_FAILS;
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
        alc_channel_fail(channel, ALC_E_OUT_OF_MEMORY);
        return ALC_TLS_FAILS;
    default:
        alc_channel_fail(channel, ALC_E_TLS_FAILED);
        return ALC_TLS_FAILS;
    }
}

enum alc_tls_result alc_tls_handshake_step(struct alc_channel *channel, bool *is_over)
{
    int result = 0;
    enter(channel);
    if (!mbedtls_ssl_is_handshake_over(&channel->ssl)) {
        result = mbedtls_ssl_handshake_step(&channel->ssl);
    }
    *is_over = mbedtls_ssl_is_handshake_over(&channel->ssl) != 0;
    leave();
    return judge_result(channel, result);
}

bool alc_tls_exchanges(const struct alc_channel *channel)
{
    return channel->demand->dialect == NULL && mbedtls_ssl_get_alpn_protocol(&channel->ssl) != NULL;
}

enum alc_tls_result alc_tls_read(struct alc_channel *channel, uint8_t *buf, size_t buf_size,
                                 size_t *out_size)
{
    int result = mbedtls_ssl_read(&channel->ssl, buf, buf_size);
    *out_size = result > 0 ? (size_t)result : 0;
    if (result == 0 && buf_size != 0) {
        return judge_result(channel, MBEDTLS_ERR_SSL_CONN_EOF);
    }
    return judge_result(channel, result);
}

enum alc_tls_result alc_tls_write(struct alc_channel *channel, const uint8_t *bytes, size_t size,
                                  size_t *out_size)
{
    size_t room = alc_queue_room(&channel->out);
    *out_size = 0;
    if (room <= RECORD_OVERHEAD + ALERTS_SIZE || size == 0) {
        return ALC_TLS_WAITS;
    }
    room -= RECORD_OVERHEAD + ALERTS_SIZE;
    size = size < room ? size : room;
    size = size < ALC_TLS_PLAIN_SIZE_MAX ? size : ALC_TLS_PLAIN_SIZE_MAX;
    int result = mbedtls_ssl_write(&channel->ssl, bytes, size);
    *out_size = result > 0 ? (size_t)result : 0;
    /* A record that waits would have to be written again as it is. */
    ALC_ASSERT(result != MBEDTLS_ERR_SSL_WANT_WRITE);
    return judge_result(channel, result);
}

enum alc_tls_result alc_tls_available(struct alc_channel *channel, size_t *out_size)
{
    enum alc_tls_result result = ALC_TLS_DONE;
    *out_size = mbedtls_ssl_get_bytes_avail(&channel->ssl);
    if (*out_size == 0) {
        size_t none;
        result = alc_tls_read(channel, NULL, 0, &none); /* opens the next record */
        *out_size = mbedtls_ssl_get_bytes_avail(&channel->ssl);
    }
    return result;
}

alc_status alc_tls_export(struct alc_channel *channel, const char *label, const uint8_t *context,
                          size_t context_size, uint8_t *out, size_t out_size)
{
    enter(channel);
    int result = mbedtls_ssl_export_keying_material(
        &channel->ssl, out, out_size, label, alc_string_length(label), context, context_size, 1);
    leave();
    return result == 0 ? ALC_OK : ALC_E_TLS_FAILED;
}

void alc_tls_say_farewell(struct alc_channel *channel)
{
    enter(channel);
    (void)mbedtls_ssl_close_notify(&channel->ssl);
    leave();
}

void alc_tls_say_failed(struct alc_channel *channel)
{
    enter(channel);
    (void)mbedtls_ssl_send_alert_message(&channel->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                         channel->status == ALC_E_TLS_FAILED
                                             ? MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE
                                             : MBEDTLS_SSL_ALERT_MSG_BAD_CERT);
    leave();
}
