/* SPDX-License-Identifier: Apache-2.0
 *
 * Our engine with OpenSSL at the other end: TLS 1.3 as others speak it, certificates with evidence
 * in the hands of somebody who knows nothing of proofs, and a peer that speaks of proofs and then
 * says nonsense.
 */
#include "unit/channel/theirs.h"

static struct machine machine;

/* -- TLS -- */

static void test_their_client(void **state)
{
    (void)state;
    static const struct {
        const char *groups;
        const char *suites;
        int version;
        bool is_good;
    } rows[] = {
        {"X25519", "TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, true},
        {"P-256", "TLS_AES_256_GCM_SHA384", TLS1_3_VERSION, true},
        {"X448:P-384", "TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, true}, /* asked for the second */
        {"X448", "TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, false},
        {"X25519", "TLS_CHACHA20_POLY1305_SHA256", TLS1_3_VERSION, false},
        {"X25519", "TLS_AES_128_GCM_SHA256", TLS1_2_VERSION, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        side_init(&ours, ALC_CHANNEL_SERVER, &machine, NULL);
        struct theirs theirs = theirs_new(ALC_CHANNEL_CLIENT, NULL);
        SSL_CTX_set_max_proto_version(theirs.ctx, rows[i].version);
        assert_int_equal(SSL_CTX_set1_groups_list(theirs.ctx, rows[i].groups), 1);
        assert_int_equal(SSL_CTX_set_ciphersuites(theirs.ctx, rows[i].suites), 1);
        theirs_open(&theirs, ALC_CHANNEL_CLIENT);
        side_open(&ours);
        bool is_good = meet_theirs(&theirs);
        if (is_good != rows[i].is_good) {
            fail_msg("row %zu: %s", i, alc_status_name(alc_channel_status(ours.channel)));
        }
        if (rows[i].is_good) {
            assert_int_equal(alc_channel_state(ours.channel), ALC_CHANNEL_OPEN);
            assert_string_equal(SSL_get_version(theirs.ssl), "TLSv1.3");
            X509 *certificate = SSL_get1_peer_certificate(theirs.ssl);
            ASN1_OBJECT *oid = OBJ_txt2obj("2.23.133.5.4.9", 1);
            assert_true(X509_get_ext_by_OBJ(certificate, oid, -1) >= 0);
            ASN1_OBJECT_free(oid);
            X509_free(certificate);
            exchange_bytes(&theirs);
        } else {
            assert_int_equal(alc_channel_status(ours.channel), ALC_E_TLS_FAILED);
        }
        side_close(&ours);
        theirs_free(&theirs);
    }
}

/* A server of theirs, which sends tickets that nobody wants, and has a certificate that proves
 * nothing. */
static void test_their_server(void **state)
{
    (void)state;
    static struct side server;
    side_init(&server, ALC_CHANNEL_SERVER, NULL, NULL);
    for (int accepts = 0; accepts < 2; accepts++) {
        side_init(&ours, ALC_CHANNEL_CLIENT, &machine, &machine);
        ours.demand.accepts_unattested = accepts;
        struct theirs theirs = theirs_new(ALC_CHANNEL_SERVER, &server.identity);
        theirs_open(&theirs, ALC_CHANNEL_SERVER);
        side_open(&ours);
        (void)meet_theirs(&theirs);
        assert_int_equal(alc_channel_status(ours.channel), accepts ? ALC_OK : ALC_E_NO_EVIDENCE);
        if (accepts) {
            exchange_bytes(&theirs);
            assert_false(alc_channel_get_peer(ours.channel)->is_attested);
        }
        side_close(&ours);
        theirs_free(&theirs);
    }
}

/* -- evidence -- */

/* Whoever speaks Interoperable RA-TLS and no proofs is taken when that is allowed; the second time
 * by what is remembered. */
static void test_certificate_alone(void **state)
{
    (void)state;
    static struct side prover;
    side_init(&prover, ALC_CHANNEL_SERVER, &machine, NULL);
    for (int row = 0; row < 4; row++) {
        bool accepts = row != 0;
        side_init(&ours, ALC_CHANNEL_SERVER, &machine, &machine);
        ours.demand.accepts_stale = accepts;
        if (row == 1) {
            ours.policy.svn_min = 4; /* is 3 */
        }
        ours.demand.memory = &ours.memory;
        for (int again = 0; again < 2; again++) {
            struct theirs theirs = theirs_new(ALC_CHANNEL_CLIENT, &prover.identity);
            theirs_open(&theirs, ALC_CHANNEL_CLIENT);
            side_open(&ours);
            (void)meet_theirs(&theirs);
            assert_int_equal(alc_channel_status(ours.channel), row == 0   ? ALC_E_NOT_FRESH
                                                               : row == 1 ? ALC_E_POLICY_REFUSED
                                                                          : ALC_OK);
            const struct alc_channel_peer *peer = alc_channel_get_peer(ours.channel);
            assert_int_equal(peer->is_attested, row >= 2);
            assert_false(peer->is_fresh);
            assert_int_equal(ours.memory.verdicts[0].used != 0, row >= 2);
            if (row == 3 && again == 0) {
                ours.memory.verdicts[0].verdict.report.mrenclave[0] = 99; /* to know it again */
            } else if (row == 3) {
                assert_int_equal(peer->verdict.report.mrenclave[0], 99);
            }
            side_close(&ours);
            theirs_free(&theirs);
        }
    }
}

/* -- nonsense after a good handshake -- */

static void expect_nonsense(const char *bytes, size_t size, alc_status status)
{
    side_init(&ours, ALC_CHANNEL_SERVER, &machine, NULL);
    struct theirs theirs = theirs_new(ALC_CHANNEL_CLIENT, NULL);
    theirs_open(&theirs, ALC_CHANNEL_CLIENT);
    SSL_set_alpn_protos(theirs.ssl,
                        (const uint8_t *)"\x08"
                                         "alcove/1",
                        9);
    side_open(&ours);
    assert_true(meet_theirs(&theirs));
    assert_int_equal(alc_channel_state(ours.channel), ALC_CHANNEL_OPENING);
    assert_int_equal(SSL_write(theirs.ssl, bytes, (int)size), (int)size);
    (void)meet_theirs(&theirs);
    assert_int_equal(alc_channel_status(ours.channel), status);
    side_close(&ours);
    theirs_free(&theirs);
}
#define NONSENSE(text, status) expect_nonsense(text, sizeof text - 1, status)
#define NONCE                                                                                      \
    "\x58\x20"                                                                                     \
    "01234567890123456789012345678901"
#define HELLO "\x25\0\0\0\x83\x01" NONCE "\x40"
#define PROOF_OF_NOTHING "\x05\0\0\0\x84\x02\0\x40\x40"

static void test_nonsense(void **state)
{
    (void)state;
    NONSENSE(HELLO PROOF_OF_NOTHING "\x06\0\0\0\x83\x03\x62OK\x60", ALC_OK);
    NONSENSE(HELLO PROOF_OF_NOTHING "\x06\0\0\0\x83\x03\x62NO\x60", ALC_E_PEER_REFUSED);
    NONSENSE("\x01\0\x01\0", ALC_E_LENGTH_OUT_OF_BOUNDS);
    NONSENSE("\xff\xff\xff\xff", ALC_E_LENGTH_OUT_OF_BOUNDS);
    NONSENSE("\0\0\0\0", ALC_E_UNEXPECTED_END);
    NONSENSE(PROOF_OF_NOTHING, ALC_E_LENGTH_OUT_OF_BOUNDS); /* of another kind */
    NONSENSE("\x25\0\0\0\x83\x02" NONCE "\x40", ALC_E_BAD_CBOR);
    NONSENSE("\x26\0\0\0\x83\x01" NONCE "\x40\x40", ALC_E_BAD_CBOR);
    NONSENSE("\x26\0\0\0\x83\x01" NONCE "\x41\x01", ALC_E_BAD_CBOR);
    NONSENSE("\x04\0\0\0\x83\x01\x40\x40", ALC_E_BAD_CBOR);
    NONSENSE(HELLO "\x05\0\0\0\x84\x02\x01\x40\x40", ALC_E_BAD_CBOR); /* no certificate */
    NONSENSE(HELLO "\x05\0\0\0\x84\x02\x03\x40\x40", ALC_E_BAD_CBOR);
    NONSENSE(HELLO PROOF_OF_NOTHING "\x06\0\0\0\x83\x03\x62no\x60", ALC_E_PEER_REFUSED);
}

int main(void)
{
    machine_make(&machine, 7);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_their_client),
        cmocka_unit_test(test_their_server),
        cmocka_unit_test(test_certificate_alone),
        cmocka_unit_test(test_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
