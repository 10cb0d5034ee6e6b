/* SPDX-License-Identifier: Apache-2.0
 *
 * Two sides over a wire that the test holds: what is accepted, and each way of being refused.
 */
#include "unit/channel/sides.h"

static struct machine here;
static struct machine there;
static struct side client;
static struct side server;

/* Both attest: the client on `here`, the server on `there`. */
static void set_up(void)
{
    side_init(&client, ALC_CHANNEL_CLIENT, &here, &there);
    side_init(&server, ALC_CHANNEL_SERVER, &there, &here);
}

static void meet_sides(size_t step)
{
    side_open(&client);
    side_open(&server);
    meet(client.channel, server.channel, step);
}

static void part(void)
{
    side_close(&client);
    side_close(&server);
}

static void expect(enum alc_channel_state client_state, alc_status client_status,
                   enum alc_channel_state server_state, alc_status server_status)
{
    if (alc_channel_state(client.channel) != client_state ||
        alc_channel_status(client.channel) != client_status ||
        alc_channel_state(server.channel) != server_state ||
        alc_channel_status(server.channel) != server_status) {
        fail_msg("client %d %s (%s), server %d %s (%s)", alc_channel_state(client.channel),
                 alc_status_name(alc_channel_status(client.channel)),
                 alc_channel_peer_reason(client.channel), alc_channel_state(server.channel),
                 alc_status_name(alc_channel_status(server.channel)),
                 alc_channel_peer_reason(server.channel));
    }
}

static void expect_open(void)
{
    expect(ALC_CHANNEL_OPEN, ALC_OK, ALC_CHANNEL_OPEN, ALC_OK);
}

/* The client refuses for this reason, and the server hears it when proofs were exchanged. */
static void expect_client_refuses(alc_status status, const char *reason)
{
    expect(ALC_CHANNEL_FAILED, status, ALC_CHANNEL_FAILED, ALC_E_PEER_REFUSED);
    assert_string_equal(alc_channel_peer_reason(server.channel), reason);
}

/* -- what is accepted -- */

static void test_open(void **state)
{
    (void)state;
    static const size_t steps[] = {40000, 1000, 1};
    for (size_t i = 0; i < 3; i++) {
        set_up();
        meet_sides(steps[i]);
        expect_open();
        const struct alc_channel_peer *peer = alc_channel_get_peer(client.channel);
        assert_true(peer->is_attested && peer->is_fresh && !peer->has_workload);
        assert_int_equal(peer->verdict.report.mrenclave[0], there.mrenclave);
        peer = alc_channel_get_peer(server.channel);
        assert_int_equal(peer->verdict.report.mrenclave[0], here.mrenclave);
        part();
    }
}

static void test_one_side(void **state)
{
    (void)state;
    side_init(&client, ALC_CHANNEL_CLIENT, NULL, &there);
    side_init(&server, ALC_CHANNEL_SERVER, &there, NULL);
    for (int i = 0; i < 2; i++) {
        client.options.identity = i == 0 ? &client.identity : NULL;
        meet_sides(40000);
        expect_open();
        assert_true(alc_channel_get_peer(client.channel)->is_attested);
        assert_false(alc_channel_get_peer(server.channel)->is_attested);
        part();
    }
}

/* Bytes of any count flow both ways, come out as they went in, and the farewell is heard. */
static void test_bytes(void **state)
{
    (void)state;
    static uint8_t sent[200000];
    static uint8_t received[sizeof sent];
    size_t sent_size = 0;
    size_t received_size = 0;
    for (size_t i = 0; i < sizeof sent; i++) {
        sent[i] = (uint8_t)(i * 7 + i / 251);
    }
    set_up();
    meet_sides(40000);
    expect_open();
    while (received_size < sizeof sent) {
        size_t piece = sent_size % 3 == 0 ? 1 : 30000; /* also more than a record holds */
        piece = piece < sizeof sent - sent_size ? piece : sizeof sent - sent_size;
        sent_size += alc_channel_write(client.channel, sent + sent_size, piece);
        meet(client.channel, server.channel, 700);
        size_t available = alc_channel_read_size(server.channel);
        size_t size = alc_channel_read(server.channel, received + received_size, 9000);
        assert_true(size == (available < 9000 ? available : 9000));
        received_size += size;
    }
    assert_memory_equal(sent, received, sizeof sent);
    assert_int_equal(alc_channel_write(server.channel, sent, 5), 5);
    alc_channel_shutdown(client.channel);
    assert_int_equal(alc_channel_write(client.channel, sent, 5), 0);
    meet(client.channel, server.channel, 40000);
    assert_int_equal(alc_channel_read(server.channel, received, 10), 0);
    assert_int_equal(alc_channel_state(server.channel), ALC_CHANNEL_CLOSED);
    assert_int_equal(alc_channel_write(server.channel, sent, 6), 6); /* the other way is open */
    meet(client.channel, server.channel, 40000);
    assert_int_equal(alc_channel_read(client.channel, received, 20), 5);
    assert_int_equal(alc_channel_read(client.channel, received, 20), 6);
    part();
}

static void test_cut(void **state)
{
    (void)state;
    set_up();
    meet_sides(40000);
    alc_channel_receive_end(server.channel);
    uint8_t byte;
    assert_int_equal(alc_channel_read(server.channel, &byte, 1), 0);
    expect(ALC_CHANNEL_OPEN, ALC_OK, ALC_CHANNEL_FAILED, ALC_E_CONNECTION_CUT);
    part();
    side_open(&client);
    side_open(&server);
    alc_channel_receive_end(client.channel); /* while opening */
    expect(ALC_CHANNEL_FAILED, ALC_E_CONNECTION_CUT, ALC_CHANNEL_OPENING, ALC_OK);
    part();
}

/* Nothing of a connection is left in its memory. */
static void test_wiped(void **state)
{
    (void)state;
    set_up();
    meet_sides(40000);
    size_t used = client.arena.used;
    part();
    alc_arena_fini(&client.arena);
    for (size_t i = 0; i < used; i++) {
        assert_int_equal(client.bytes[i], 0);
    }
    alc_channel_identity_fini(&client.identity);
    for (size_t i = 0; i < sizeof client.identity; i++) {
        assert_int_equal(((const uint8_t *)&client.identity)[i], 0);
    }
}

/* -- who is refused -- */

static void test_nothing_proved(void **state)
{
    (void)state;
    side_init(&client, ALC_CHANNEL_CLIENT, &here, &there);
    side_init(&server, ALC_CHANNEL_SERVER, NULL, &here);
    meet_sides(40000);
    expect_client_refuses(ALC_E_NO_EVIDENCE, "NO_EVIDENCE");
    part();
    /* A client that has not even a certificate. */
    side_init(&client, ALC_CHANNEL_CLIENT, NULL, &there);
    side_init(&server, ALC_CHANNEL_SERVER, &there, &here);
    client.options.identity = NULL;
    meet_sides(40000);
    expect(ALC_CHANNEL_FAILED, ALC_E_PEER_REFUSED, ALC_CHANNEL_FAILED, ALC_E_NO_EVIDENCE);
    part();
}

static void test_policy(void **state)
{
    (void)state;
    static const uint8_t wanted[32] = {9};
    set_up();
    client.policy.mrenclaves.bytes = wanted;
    client.policy.mrenclaves.count = 1;
    meet_sides(40000);
    expect_client_refuses(ALC_E_POLICY_REFUSED, "POLICY_REFUSED:MRENCLAVE");
    assert_int_equal(alc_channel_get_peer(client.channel)->check, ALC_CHECK_MRENCLAVE);
    part();
}

/* A new identity of the server's, with what a runtime says of its program. */
static void claim(const uint8_t workload_id[32], enum alc_asked_by asked_by)
{
    uint8_t bytes[ALC_CLAIMS_SIZE_MAX];
    struct alc_writer writer;
    struct alc_claims claims = {.software = {(const uint8_t *)"alcove", 6},
                                .version = {(const uint8_t *)"1", 1},
                                .is_verified = true,
                                .asked_by = asked_by};
    memcpy(claims.workload_id, workload_id, 32);
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_claims_write(&writer, &claims);
    const struct alc_channel_identity_options options = {.random = &openssl_random,
                                                         .attester = &there.attester,
                                                         .claims = {bytes, writer.pos},
                                                         .now_s = PLATFORM_NOW};
    assert_int_equal(alc_channel_identity_init(&server.identity, &server.arena, &options), ALC_OK);
}

static void test_workload(void **state)
{
    (void)state;
    static const uint8_t ids[2][32] = {{1}, {2}};
    for (size_t count = 1; count <= 2; count++) {
        set_up();
        claim(ids[1], ALC_ASKED_BY_CHANNEL);
        client.policy.workloads.bytes = ids[0];
        client.policy.workloads.count = count;
        meet_sides(40000);
        if (count == 1) {
            expect_client_refuses(ALC_E_WRONG_WORKLOAD, "WRONG_WORKLOAD");
        } else {
            expect_open();
            assert_memory_equal(alc_channel_get_peer(client.channel)->workload, ids[1], 32);
        }
        part();
    }
    /* No workload is another one, too. */
    set_up();
    client.policy.workloads.bytes = ids[0];
    client.policy.workloads.count = 1;
    meet_sides(40000);
    expect_client_refuses(ALC_E_WRONG_WORKLOAD, "WRONG_WORKLOAD");
    part();
    /* What a program asked for is not what its runtime says of a channel. */
    set_up();
    claim(ids[0], ALC_ASKED_BY_PROGRAM);
    meet_sides(40000);
    expect_client_refuses(ALC_E_BAD_CLAIMS, "BAD_CLAIMS");
    part();
}

static void test_stale_certificate(void **state)
{
    (void)state;
    static const int64_t times[] = {PLATFORM_NOW - 301, PLATFORM_NOW + 6 * 3600 + 1};
    for (size_t i = 0; i < 2; i++) {
        set_up();
        client.options.now_s = times[i];
        meet_sides(40000);
        expect_client_refuses(ALC_E_NOT_CURRENT, "NOT_CURRENT");
        part();
        client.options.now_s = times[i] + (i == 0 ? 1 : -1);
        meet_sides(40000);
        expect_open();
        part();
    }
}

static void test_other_platform(void **state)
{
    (void)state;
    set_up();
    client.demand.root_sha256 = here.platform.root_sha256;
    meet_sides(40000);
    expect_client_refuses(ALC_E_UNTRUSTED_ROOT, "UNTRUSTED_ROOT:PCK_CHAIN");
    part();
}

/* -- adversaries -- */

/* Whoever has the key of a certificate, stolen, and nothing of the machine: the best that he can
 * show is evidence made before, or made for another connection. */
struct recording {
    uint8_t bytes[20000];
    size_t size;
};

static alc_status replay(void *context, const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE],
                         struct alc_writer *out)
{
    const struct recording *recording = context;
    (void)report_data;
    alc_write_bytes(out, recording->bytes, recording->size);
    return ALC_OK;
}

static void test_stolen_key(void **state)
{
    (void)state;
    static struct recording recording;
    const struct alc_attester thief = {.evidence = replay, .context = &recording};
    set_up();
    /* The last quote that the machine made is the one in the certificate. */
    recording.size = there.platform.appraisal.evidence.size;
    memcpy(recording.bytes, there.platform.quote, recording.size);
    for (int i = 0; i < 2; i++) {
        server.identity.attester = &thief;
        meet_sides(40000);
        expect_client_refuses(ALC_E_CLAIMS_NOT_BOUND, "CLAIMS_NOT_BOUND");
        part();
        /* Then with the quote of a connection that the machine made itself. */
        server.identity.attester = &there.attester;
        meet_sides(40000);
        expect_open();
        part();
        memcpy(recording.bytes, there.platform.quote, recording.size);
    }
}

/* Evidence of an honest machine in the certificate of another key. */
static void test_relayed_evidence(void **state)
{
    (void)state;
    static struct alc_channel_identity honest;
    static uint8_t scratch[1 << 16];
    struct alc_arena arena;
    struct alc_own_certificate certificate;
    struct alc_reader reader;
    struct alc_writer writer;
    set_up();
    alc_arena_init(&arena, scratch, sizeof scratch);
    const struct alc_channel_identity_options options = {
        .random = &openssl_random, .attester = &there.attester, .now_s = PLATFORM_NOW};
    assert_int_equal(alc_channel_identity_init(&honest, &arena, &options), ALC_OK);
    alc_reader_init(&reader, honest.certificate, honest.certificate_size, NULL);
    assert_int_equal(alc_own_certificate_read(&reader, &certificate), ALC_OK);
    const struct alc_own_certificate_content content = {
        .not_before_s = certificate.not_before_s,
        .not_after_s = certificate.not_after_s,
        .evidence = certificate.evidence,
        .private_key = &server.identity.private_key,
        .public_key = &server.identity.public_key,
        .random = &openssl_random,
    };
    alc_writer_init(&writer, server.identity.certificate, sizeof server.identity.certificate);
    assert_int_equal(alc_own_certificate_write(&writer, &content), ALC_OK);
    server.identity.certificate_size = writer.pos;
    /* Where the certificate alone counts, and where it is followed by proofs. */
    struct alc_channel_peer peer;
    struct alc_channel_proof proof;
    client.demand.accepts_stale = true;
    alc_reader_init(&reader, server.identity.certificate, server.identity.certificate_size, NULL);
    assert_int_equal(alc_own_certificate_read(&reader, &certificate), ALC_OK);
    assert_int_equal(alc_channel_proof_of(&certificate, &client.demand, &proof), ALC_OK);
    assert_int_equal(alc_channel_judge(&arena, &client.demand, &proof, PLATFORM_NOW, &peer),
                     ALC_E_EVIDENCE_FOR_OTHER_KEY);
    server.identity.attester = NULL;
    meet_sides(40000);
    expect_client_refuses(ALC_E_NO_EVIDENCE, "NO_EVIDENCE");
    part();
}

/* Somebody between the two who answers each side himself: an honest server's proof does not help
 * him, because it names another connection. */
static void test_middleman(void **state)
{
    (void)state;
    static struct side middle;
    set_up();
    side_init(&middle, ALC_CHANNEL_SERVER, &there, NULL);
    /* His key is not the one that the machine's evidence is for, whatever he does; so give him the
     * key as well, and evidence that the honest server makes while he is connected to it. */
    static struct recording recording;
    const struct alc_attester attester = {.evidence = replay, .context = &recording};
    middle.identity = server.identity;
    middle.identity.attester = &attester;
    side_open(&client);
    side_open(&middle);
    static struct side second;
    side_init(&second, ALC_CHANNEL_CLIENT, NULL, &there);
    server.demand.accepts_unattested = true;
    side_open(&second);
    side_open(&server);
    meet(second.channel, server.channel, 40000);
    assert_int_equal(alc_channel_state(second.channel), ALC_CHANNEL_OPEN);
    recording.size = there.platform.appraisal.evidence.size;
    memcpy(recording.bytes, there.platform.quote, recording.size);
    meet(client.channel, middle.channel, 40000);
    assert_int_equal(alc_channel_status(client.channel), ALC_E_CLAIMS_NOT_BOUND);
    side_close(&second);
    side_close(&middle);
    part();
}

/* Every byte on the wire, changed, leads to a refusal or to nothing, and never to other bytes. */
static void test_changed_bytes(void **state)
{
    (void)state;
    uint8_t bytes[40000];
    for (size_t place = 0; place < 9000; place += 61) {
        size_t passed = 0;
        bool moved = true;
        set_up();
        side_open(&client);
        side_open(&server);
        while (moved) {
            moved = carry(client.channel, server.channel, 40000) != 0;
            size_t size = alc_channel_transmit(server.channel, bytes, sizeof bytes);
            if (place >= passed && place < passed + size) {
                bytes[place - passed] ^= 0x10;
            }
            passed += size;
            (void)alc_channel_receive(client.channel, bytes, size);
            moved = moved || size != 0;
        }
        if (place < passed) {
            assert_int_not_equal(alc_channel_state(client.channel), ALC_CHANNEL_OPEN);
        }
        part();
    }
}

/* -- what is remembered -- */

static void test_reuse(void **state)
{
    (void)state;
    set_up();
    client.demand.reuse_s = 60;
    client.demand.memory = &client.memory;
    int before = there.quotes_count;
    for (int i = 0; i < 3; i++) {
        meet_sides(40000);
        expect_open();
        assert_true(alc_channel_get_peer(client.channel)->is_fresh);
        part();
        assert_int_equal(there.quotes_count, before + 1);
    }
    /* Too late: it is proved again, by a quote. */
    client.options.now_s += 61;
    meet_sides(40000);
    expect_open();
    part();
    assert_int_equal(there.quotes_count, before + 2);
    /* Another who has the certificate's key but was not there has not the secret either. */
    static struct recording recording;
    const struct alc_attester thief = {.evidence = replay, .context = &recording};
    recording.size = there.platform.appraisal.evidence.size;
    memcpy(recording.bytes, there.platform.quote, recording.size);
    alc_channel_memory_init(&server.identity.memory);
    server.identity.attester = &thief;
    meet_sides(40000);
    expect_client_refuses(ALC_E_CLAIMS_NOT_BOUND, "CLAIMS_NOT_BOUND");
    part();
    /* Nor does a wrong secret help. */
    struct alc_channel_secret secret;
    server.identity.attester = &there.attester;
    assert_true(alc_channel_memory_find_secret(&client.memory, server.identity.certificate_sha256,
                                               NULL, client.options.now_s, &secret));
    secret.bytes[0] ^= 1;
    alc_channel_memory_keep_secret(&server.identity.memory, secret.name, &secret, 0, INT64_MAX);
    meet_sides(40000);
    expect_client_refuses(ALC_E_NOT_FRESH, "NOT_FRESH");
    part();
}

/* -- limits -- */

static void test_claims_size(void **state)
{
    (void)state;
    static uint8_t value[ALC_CLAIMS_SIZE_MAX];
    set_up();
    /* What is around them: the map with the hash of the key, name and head; and later a nonce. */
    size_t size = ALC_CLAIMS_SIZE_MAX - server.identity.claims_size - 7 - 3 - 40;
    for (size_t i = 0; i < 2; i++) {
        const struct alc_channel_identity_options options = {.random = &openssl_random,
                                                             .attester = &there.attester,
                                                             .claims = {value, size + i},
                                                             .now_s = PLATFORM_NOW};
        assert_int_equal(alc_channel_identity_init(&server.identity, &server.arena, &options),
                         i == 0 ? ALC_OK : ALC_E_LENGTH_OUT_OF_BOUNDS);
    }
}

/* A certificate as large as may be fits the memory of TLS, and so does a proof beside it. */
static void test_sizes(void **state)
{
    (void)state;
    static uint8_t bytes[ALC_LIMIT_CHANNEL_MESSAGE_SIZE];
    size_t message_size = ALC_LIMIT_CHANNEL_MESSAGE_SIZE;
    for (int i = 0; i < 2; i++) {
        set_up();
        client.demand.reuse_s = 0;
        struct alc_channel_identity_options options = {.random = &openssl_random,
                                                       .attester = &there.attester,
                                                       .endorses_certificate = true,
                                                       .now_s = PLATFORM_NOW};
        options.endorsements = (struct alc_text){bytes, ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE -
                                                            server.identity.certificate_size - 30};
        assert_int_equal(alc_channel_identity_init(&server.identity, &server.arena, &options),
                         ALC_OK);
        assert_true(server.identity.certificate_size > ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE - 20);
        /* The message: array, its kinds, heads of strings, evidence with claims, and these. */
        size_t shown = 3 + 1 + 3 + there.platform.appraisal.evidence.size + 2 +
                       server.identity.claims_size + 6 + 34;
        server.identity.endorsements =
            (struct alc_text){bytes, message_size - 3 - 3 - shown - 3 + (size_t)i};
        meet_sides(40000);
        if (i == 0) {
            expect_open();
            print_message("memory of TLS: %zu and %zu bytes\n",
                          alc_channel_tls_peak(client.channel),
                          alc_channel_tls_peak(server.channel));
            assert_true(alc_channel_tls_peak(client.channel) < ALC_CHANNEL_TLS_SIZE / 8 * 7);
            assert_true(alc_channel_tls_peak(server.channel) < ALC_CHANNEL_TLS_SIZE / 8 * 7);
        } else {
            assert_int_equal(alc_channel_status(server.channel), ALC_E_LENGTH_OUT_OF_BOUNDS);
        }
        part();
    }
}

int main(void)
{
    machine_make(&here, 7);
    machine_make(&there, 8);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_one_side),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_wiped),
        cmocka_unit_test(test_nothing_proved),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_workload),
        cmocka_unit_test(test_stale_certificate),
        cmocka_unit_test(test_other_platform),
        cmocka_unit_test(test_stolen_key),
        cmocka_unit_test(test_relayed_evidence),
        cmocka_unit_test(test_middleman),
        cmocka_unit_test(test_changed_bytes),
        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_claims_size),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
