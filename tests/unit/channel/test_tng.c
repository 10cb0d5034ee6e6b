/* SPDX-License-Identifier: Apache-2.0
 *
 * The dialect of TNG: what its attestation agents and certificates look like, written down here a
 * second time; peers that speak it; everything that is refused, and that nobody gets it unasked.
 */
#include "unit/channel/theirs.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/cbor.h"
#include "channel/coco.h"

static struct machine machine;
static struct side client;
static struct side server;
static uint8_t memory[1 << 16];

/* -- evidence as their serialisers write it -- */

struct fields {
    const char *tee;
    const char *agent;   /* JSON; NULL: of `quote` */
    const char *runtime; /* JSON; NULL: for the key */
    uint64_t hash;
    bool has_devices;
    bool has_member_twice;
    bool lacks_hash;
};
static const struct fields good = {.tee = "sgx", .hash = 7};

static void put_text(struct alc_writer *writer, const char *text)
{
    alc_cbor_write_text(writer, text, strlen(text));
}

static void put_base64(char *out, const void *bytes, size_t size)
{
    EVP_EncodeBlock((uint8_t *)out, bytes, (int)size);
}

/* {"pubkey-hash":"<base64 of [1, SHA-256 of the key]>"} */
static void write_runtime(char out[256], const struct alc_text *spki)
{
    uint8_t pair[3 + 1 + 32] = {0x82, 0x01, 0x58, 0x20};
    char text[64];
    SHA256(spki->bytes, spki->size, pair + 4);
    put_base64(text, pair, sizeof pair);
    snprintf(out, 256, "{\"pubkey-hash\":\"%s\"}", text);
}

/* In the order of their structure, which is not that of deterministic CBOR. */
static size_t write_evidence(uint8_t *out, size_t out_size, const struct fields *fields,
                             const char *agent, const char *runtime)
{
    struct alc_writer writer;
    alc_writer_init(&writer, out, out_size);
    alc_cbor_write_map(&writer, fields->lacks_hash ? 4 : 5);
    put_text(&writer, "tee_type");
    put_text(&writer, fields->tee);
    put_text(&writer, fields->has_member_twice ? "tee_type" : "aa_evidence");
    alc_cbor_write_bytes(&writer, agent, strlen(agent));
    put_text(&writer, "aa_additional_evidence");
    if (fields->has_devices) {
        alc_cbor_write_bytes(&writer, "{}", 2);
    } else {
        alc_cbor_write_null(&writer);
    }
    put_text(&writer, "aa_runtime_data");
    put_text(&writer, runtime);
    if (!fields->lacks_hash) {
        put_text(&writer, "aa_runtime_data_hash_algo");
        alc_cbor_write_uint(&writer, fields->hash);
    }
    assert_false(writer.overflowed);
    return writer.pos;
}

/* A quote of the machine for these runtime data, as the agent hands it out. */
static void ask_agent(char out[16384], const char *runtime)
{
    static uint8_t bytes[8192];
    static char text[12000];
    uint8_t report_data[64] = {0};
    struct alc_writer writer;
    SHA384((const uint8_t *)runtime, strlen(runtime), report_data);
    alc_writer_init(&writer, bytes, sizeof bytes);
    assert_int_equal(quote(&machine, report_data, &writer), ALC_OK);
    put_base64(text, bytes, writer.pos);
    snprintf(out, 16384, "{\"quote\":\"%s\"}", text);
}

/* -- reading -- */

static alc_status judge(const struct alc_channel_demand *demand, const struct alc_text *spki,
                        uint64_t tag, const struct alc_text *evidence, const char *claims,
                        struct alc_channel_peer *out)
{
    struct alc_arena arena;
    const struct alc_channel_proof proof = {
        .spki = *spki,
        .evidence = {.tag = tag,
                     .evidence = *evidence,
                     .claims = {(const uint8_t *)claims, strlen(claims)}}};
    alc_arena_init(&arena, memory, sizeof memory);
    return alc_channel_judge(&arena, demand, &proof, PLATFORM_NOW, out);
}

static struct alc_channel_demand demand_of_tng(void)
{
    return (struct alc_channel_demand){
        .collateral.pcs = &machine.platform.collateral,
        .root_sha256 = machine.platform.root_sha256,
        .dialect = &alc_channel_tng,
        .accepts_stale = true,
    };
}

/* Evidence of these fields for the key "a key" of whoever shows the key "a key". */
static alc_status judge_fields(const struct fields *fields)
{
    static uint8_t bytes[32768];
    static char agent[16384];
    static const struct alc_text spki = {(const uint8_t *)"a key", 5};
    struct alc_channel_peer peer;
    char runtime[256];
    const struct alc_channel_demand demand = demand_of_tng();
    write_runtime(runtime, &spki);
    const char *bound = fields->runtime != NULL ? fields->runtime : runtime;
    ask_agent(agent, bound);
    const struct alc_text evidence = {
        bytes, write_evidence(bytes, sizeof bytes, fields,
                              fields->agent != NULL ? fields->agent : agent, bound)};
    return judge(&demand, &spki, ALC_EVIDENCE_TAG_COCO, &evidence, "", &peer);
}

static void test_good(void **state)
{
    (void)state;
    struct fields fields = good;
    assert_int_equal(judge_fields(&fields), ALC_OK);
    fields.has_devices = true; /* are passed over */
    assert_int_equal(judge_fields(&fields), ALC_OK);
}

#define KEY_HASH "ggFYIH02ORVfU7G1ssTlhgIaSPQ4xO6vRFd6RHwaGTeSRErc"
static void test_refused(void **state)
{
    (void)state;
    static const struct {
        struct fields fields;
        alc_status status;
    } rows[] = {
        {{.tee = "sgx", .hash = 7, .has_member_twice = true}, ALC_E_BAD_CBOR},
        {{.tee = "sgx", .hash = 7, .lacks_hash = true}, ALC_E_BAD_CBOR},
        {{.tee = "sgx", .hash = 2}, ALC_E_NOT_SUPPORTED},
        {{.tee = "snp", .hash = 7}, ALC_E_NOT_SUPPORTED},
        {{.tee = "sample", .hash = 7}, ALC_E_NOT_SUPPORTED},
        {{.tee = "tdx", .hash = 7}, ALC_E_BAD_QUOTE}, /* it is an enclave's */
        /* The quote is bound by SHA-384. */
        {{.tee = "sgx", .hash = 1}, ALC_E_CLAIMS_NOT_BOUND},
        {{.tee = "sgx", .hash = 8}, ALC_E_CLAIMS_NOT_BOUND},
        {{.tee = "sgx", .hash = 7, .agent = ""}, ALC_E_BAD_JSON},
        {{.tee = "sgx", .hash = 7, .agent = "{}"}, ALC_E_BAD_JSON},
        {{.tee = "sgx", .hash = 7, .agent = "{\"quote\":\"AA=\"}"}, ALC_E_BAD_JSON},
        {{.tee = "sgx", .hash = 7, .agent = "{\"quote\":\"\"}"}, ALC_E_BAD_QUOTE},
        {{.tee = "sgx", .hash = 7, .agent = "{\"quote\":\"AA==\",\"quote\":\"AA==\"}"},
         ALC_E_BAD_JSON},
        {{.tee = "sgx",
          .hash = 7,
          .agent = "{\"quote\":\"AA==\"} "
                   "{}"},
         ALC_E_BAD_JSON},
        {{.tee = "sgx", .hash = 7, .runtime = "{}"}, ALC_E_BAD_JSON},
        {{.tee = "sgx", .hash = 7, .runtime = "[]"}, ALC_E_BAD_JSON},
        /* What is bound for a key broker, and a claims-buffer. */
        {{.tee = "sgx",
          .hash = 7,
          .runtime = "{\"additional-evidence\":\"\",\"nonce\":\"AA==\",\"tee-pubkey\":{"
                     "\"pubkey-hash\":\"" KEY_HASH "\"}}"},
         ALC_E_BAD_JSON},
        {{.tee = "sgx", .hash = 1, .runtime = "\xa1"}, ALC_E_BAD_UTF8},
        {{.tee = "sgx", .hash = 7, .runtime = "{\"pubkey-hash\":7}"}, ALC_E_BAD_JSON},
        {{.tee = "sgx", .hash = 7, .runtime = "{\"pubkey-hash\":\"ggFA\"}"}, ALC_E_BAD_CBOR},
        {{.tee = "sgx", .hash = 7, .runtime = "{\"pubkey-hash\":\"gQE=\"}"}, ALC_E_BAD_CBOR},
        {{.tee = "sgx", .hash = 7, .runtime = "{\"pubkey-hash\":\"ggFBAQA=\"}"}, ALC_E_BAD_CBOR},
        {{.tee = "sgx", .hash = 7, .runtime = "{\"pubkey-hash\":\"ggFBAQ==\"}"},
         ALC_E_EVIDENCE_FOR_OTHER_KEY},
        {{.tee = "sgx",
          .hash = 7,
          .runtime = "{\"pubkey-hash\":\"" KEY_HASH "\",\"pubkey-hash\":\"" KEY_HASH "\"}"},
         ALC_E_BAD_JSON},
        {{.tee = "sgx",
          .hash = 7,
          .runtime = "{\"pubkey-hash\":\"" KEY_HASH "\",\"alcove\":\"oA==\"}"},
         ALC_E_EVIDENCE_FOR_OTHER_KEY},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        alc_status status = judge_fields(&rows[i].fields);
        if (status != rows[i].status) {
            fail_msg("row %zu: %s", i, alc_status_name(status));
        }
    }
}

static void test_runtime_data_size(void **state)
{
    (void)state;
    static char runtime[ALC_COCO_RUNTIME_DATA_SIZE_MAX + 2];
    struct fields fields = good;
    write_runtime(runtime, &(struct alc_text){(const uint8_t *)"a key", 5});
    size_t size = strlen(runtime);
    memset(runtime + size, ' ', ALC_COCO_RUNTIME_DATA_SIZE_MAX - size);
    fields.runtime = runtime;
    assert_int_equal(judge_fields(&fields), ALC_OK);
    runtime[ALC_COCO_RUNTIME_DATA_SIZE_MAX] = ' ';
    assert_int_equal(judge_fields(&fields), ALC_E_LENGTH_OUT_OF_BOUNDS);
}

/* Runtime data that were exchanged, and evidence with something behind it, or cut. */
static void test_changed(void **state)
{
    (void)state;
    static uint8_t bytes[32768];
    static char agent[16384];
    const struct alc_text spki = {(const uint8_t *)"a key", 5};
    const struct alc_text other = {(const uint8_t *)"another", 7};
    const struct alc_channel_demand demand = demand_of_tng();
    struct alc_channel_peer peer;
    char runtime[256];
    char others_runtime[256];
    write_runtime(runtime, &spki);
    write_runtime(others_runtime, &other);
    ask_agent(agent, runtime);
    struct alc_text evidence = {
        bytes, write_evidence(bytes, sizeof bytes - 1, &good, agent, others_runtime)};
    assert_int_equal(judge(&demand, &other, ALC_EVIDENCE_TAG_COCO, &evidence, "", &peer),
                     ALC_E_CLAIMS_NOT_BOUND);
    assert_int_equal(judge(&demand, &spki, ALC_EVIDENCE_TAG_COCO, &evidence, "", &peer),
                     ALC_E_EVIDENCE_FOR_OTHER_KEY);
    evidence.size = write_evidence(bytes, sizeof bytes - 1, &good, agent, runtime);
    assert_int_equal(judge(&demand, &spki, ALC_EVIDENCE_TAG_COCO, &evidence, "", &peer), ALC_OK);
    /* Claims beside it, which nothing binds. */
    assert_int_equal(judge(&demand, &spki, ALC_EVIDENCE_TAG_COCO, &evidence, "\xa0", &peer),
                     ALC_E_BAD_CLAIMS);
    bytes[evidence.size++] = 0;
    assert_int_equal(judge(&demand, &spki, ALC_EVIDENCE_TAG_COCO, &evidence, "", &peer),
                     ALC_E_BAD_CBOR);
    for (evidence.size -= 2; evidence.size > 0; evidence.size -= evidence.size < 97 ? 1 : 97) {
        assert_int_not_equal(judge(&demand, &spki, ALC_EVIDENCE_TAG_COCO, &evidence, "", &peer),
                             ALC_OK);
    }
}

/* -- two of ours -- */

static void make_sides(const struct alc_text *claims)
{
    const struct alc_channel_identity_options options = {
        .random = &openssl_random,
        .attester = &machine.attester,
        .dialect = &alc_channel_tng,
        .claims = *claims,
        .now_s = PLATFORM_NOW,
    };
    side_init(&client, ALC_CHANNEL_CLIENT, NULL, &machine);
    side_init(&server, ALC_CHANNEL_SERVER, &machine, NULL);
    client.options.identity = NULL;
    client.demand.dialect = &alc_channel_tng;
    client.demand.accepts_stale = true;
    server.demand.dialect = &alc_channel_tng;
    assert_int_equal(alc_channel_identity_init(&server.identity, &server.arena, &options), ALC_OK);
}
static const struct alc_text no_claims;

static void meet_sides(void)
{
    side_open(&client);
    side_open(&server);
    meet(client.channel, server.channel, 40000);
}

static void part(void)
{
    side_close(&client);
    side_close(&server);
}

static void test_each_other(void **state)
{
    (void)state;
    uint8_t text[16];
    make_sides(&no_claims);
    meet_sides();
    assert_int_equal(alc_channel_status(client.channel), ALC_OK);
    assert_int_equal(alc_channel_state(client.channel), ALC_CHANNEL_OPEN);
    assert_int_equal(alc_channel_state(server.channel), ALC_CHANNEL_OPEN);
    const struct alc_channel_peer *peer = alc_channel_get_peer(client.channel);
    assert_true(peer->is_attested);
    assert_false(peer->is_fresh);
    assert_false(peer->has_workload);
    assert_int_equal(peer->verdict.report.mrenclave[0], machine.mrenclave);
    assert_int_equal(alc_channel_write(client.channel, (const uint8_t *)"hello", 5), 5);
    meet(client.channel, server.channel, 40000);
    assert_int_equal(alc_channel_read(server.channel, text, sizeof text), 5);
    part();
    client.policy.svn_min = 4; /* is 3 */
    meet_sides();
    assert_int_equal(alc_channel_status(client.channel), ALC_E_POLICY_REFUSED);
    part();
}

static void test_workload(void **state)
{
    (void)state;
    static const uint8_t ids[2][ALC_SHA256_SIZE] = {{1}, {2}};
    uint8_t bytes[512];
    struct alc_writer writer;
    const struct alc_claims claims = {.software = {(const uint8_t *)"alcove", 6},
                                      .version = {(const uint8_t *)"1", 1},
                                      .workload_id = {2},
                                      .asked_by = ALC_ASKED_BY_CHANNEL};
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_claims_write(&writer, &claims);
    make_sides(&(struct alc_text){bytes, writer.pos});
    client.policy.workloads = (struct alc_reference_values){ids[0], 2};
    meet_sides();
    assert_int_equal(alc_channel_status(client.channel), ALC_OK);
    assert_memory_equal(alc_channel_get_peer(client.channel)->workload, ids[1], ALC_SHA256_SIZE);
    part();
    client.policy.workloads.count = 1;
    meet_sides();
    assert_int_equal(alc_channel_status(client.channel), ALC_E_WRONG_WORKLOAD);
    part();
}

/* The dialect knows no proof that evidence is of now: without being told that this is meant, nobody
 * takes it. */
static void test_freshness(void **state)
{
    (void)state;
    make_sides(&no_claims);
    client.demand.accepts_stale = false;
    meet_sides();
    assert_int_equal(alc_channel_status(client.channel), ALC_E_NOT_FRESH);
    part();
    uint8_t nonce[ALC_SHA256_SIZE] = {0};
    struct alc_writer writer;
    alc_writer_init(&writer, memory, sizeof memory);
    assert_int_equal(alc_channel_identity_prove(&server.identity, nonce, &writer, &writer),
                     ALC_E_NOT_SUPPORTED);
}

/* -- downgrades -- */

/* Sides of different dialects do not meet, whichever begins. */
static void test_dialects_do_not_meet(void **state)
{
    (void)state;
    make_sides(&no_claims);
    client.demand.dialect = NULL;
    meet_sides();
    assert_int_equal(alc_channel_status(client.channel), ALC_E_PEER_REFUSED);
    assert_int_equal(alc_channel_status(server.channel), ALC_E_DIALECT_REFUSED);
    part();
    side_init(&server, ALC_CHANNEL_SERVER, &machine, NULL);
    client.demand.dialect = &alc_channel_tng;
    meet_sides();
    assert_int_equal(alc_channel_status(client.channel), ALC_E_PEER_REFUSED);
    assert_int_equal(alc_channel_status(server.channel), ALC_E_DIALECT_REFUSED);
    part();
    struct alc_channel *channel;
    server.demand.dialect = &alc_channel_tng; /* and not its identity */
    assert_int_equal(alc_channel_open(&server.arena, &server.options, &channel),
                     ALC_E_BAD_ARGUMENT);
}

/* Peers that name no protocol show what they like. */
static void expect_refused(const struct alc_channel_identity *shown,
                           const struct alc_channel_dialect *dialect, bool accepts_unattested)
{
    side_init(&ours, ALC_CHANNEL_CLIENT, NULL, &machine);
    ours.options.identity = NULL;
    ours.demand.dialect = dialect;
    ours.demand.accepts_stale = true;
    ours.demand.accepts_legacy = true;
    ours.demand.accepts_unattested = accepts_unattested;
    struct theirs theirs = theirs_new(ALC_CHANNEL_SERVER, shown);
    theirs_open(&theirs, ALC_CHANNEL_SERVER);
    side_open(&ours);
    (void)meet_theirs(&theirs);
    assert_int_equal(alc_channel_status(ours.channel), ALC_E_DIALECT_REFUSED);
    assert_false(alc_channel_get_peer(ours.channel)->is_attested);
    side_close(&ours);
    theirs_free(&theirs);
}

static void test_downgrade(void **state)
{
    (void)state;
    make_sides(&no_claims);
    expect_refused(&server.identity, NULL, false);
    expect_refused(&server.identity, NULL, true);
    side_init(&server, ALC_CHANNEL_SERVER, &machine, NULL);
    expect_refused(&server.identity, &alc_channel_tng, false);
    /* A token of an attestation service, and a quote for the key alone. */
    struct alc_channel_demand demand = demand_of_tng();
    struct alc_channel_peer peer;
    const struct alc_text spki = {(const uint8_t *)"a key", 5};
    const struct alc_text token = {(const uint8_t *)"e30.e30.AA", 10};
    assert_int_equal(judge(&demand, &spki, 0xc0c001, &token, "", &peer), ALC_E_DIALECT_REFUSED);
    demand.dialect = &alc_channel_tng_shown; /* reads nobody's */
    assert_int_equal(judge(&demand, &spki, ALC_EVIDENCE_TAG_COCO, &token, "", &peer),
                     ALC_E_DIALECT_REFUSED);
    demand.dialect = NULL;
    assert_int_equal(judge(&demand, &spki, 0xc0c001, &token, "", &peer), ALC_E_DIALECT_REFUSED);
    assert_int_equal(judge(&demand, &spki, ALC_EVIDENCE_TAG_COCO, &token, "", &peer),
                     ALC_E_DIALECT_REFUSED);
}

/* -- their certificates -- */

static EVP_PKEY *their_key;

/* A certificate as theirs are: a name, a serial number of 42, critical extensions, evidence, and
 * endorsements that are empty. */
static X509 *make_their_certificate(void)
{
    static uint8_t evidence[32768];
    static uint8_t extension[32768];
    static char agent[16384];
    char runtime[256];
    struct alc_writer writer;
    uint8_t *spki = NULL;
    X509 *certificate = X509_new();
    int spki_size = i2d_PUBKEY(their_key, &spki);
    write_runtime(runtime, &(struct alc_text){spki, (size_t)spki_size});
    ask_agent(agent, runtime);
    const struct alc_tagged_evidence tagged = {
        .tag = ALC_EVIDENCE_TAG_COCO,
        .evidence = {evidence, write_evidence(evidence, sizeof evidence, &good, agent, runtime)}};
    alc_writer_init(&writer, extension, sizeof extension);
    alc_tagged_evidence_write(&writer, &tagged);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 42);
    ASN1_TIME_set(X509_getm_notBefore(certificate), PLATFORM_NOW);
    ASN1_TIME_set(X509_getm_notAfter(certificate), PLATFORM_NOW + 6 * 3600);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const uint8_t *)"Inclavare Containers", -1,
                               -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"rats-rs", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, their_key);
    add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(certificate, NID_key_usage,
                  "critical,digitalSignature,nonRepudiation,keyEncipherment,keyAgreement");
    add_bytes(certificate, "2.23.133.5.4.9", 0, extension, writer.pos);
    add_bytes(certificate, "2.23.133.5.4.2", 0, extension, 0);
    assert_true(X509_sign(certificate, their_key, EVP_sha256()) > 0);
    OPENSSL_free(spki);
    return certificate;
}

static const uint8_t rats_tls[] = "\x08rats-tls";

static int choose_protocol(SSL *ssl, const uint8_t **out, uint8_t *out_size, const uint8_t *offered,
                           unsigned offered_size, void *context)
{
    (void)ssl;
    (void)context;
    return SSL_select_next_proto((uint8_t **)(uintptr_t)out, out_size, rats_tls, 9, offered,
                                 offered_size) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* A server of theirs, and a client of theirs. Both take us without proof. */
static void test_theirs(void **state)
{
    (void)state;
    for (int is_server = 0; is_server < 2; is_server++) {
        const enum alc_channel_role role = is_server ? ALC_CHANNEL_CLIENT : ALC_CHANNEL_SERVER;
        make_sides(&no_claims);
        side_init(&ours, role, &machine, &machine);
        ours.identity = server.identity;
        ours.demand.dialect = &alc_channel_tng;
        ours.demand.accepts_stale = true;
        struct theirs theirs =
            theirs_new(is_server ? ALC_CHANNEL_SERVER : ALC_CHANNEL_CLIENT, NULL);
        X509 *certificate = make_their_certificate();
        assert_int_equal(SSL_CTX_use_certificate(theirs.ctx, certificate), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(theirs.ctx, their_key), 1);
        SSL_CTX_set_alpn_select_cb(theirs.ctx, choose_protocol, NULL);
        assert_int_equal(SSL_CTX_set_alpn_protos(theirs.ctx, rats_tls, 9), 0);
        theirs_open(&theirs, is_server ? ALC_CHANNEL_SERVER : ALC_CHANNEL_CLIENT);
        side_open(&ours);
        assert_true(meet_theirs(&theirs));
        if (alc_channel_status(ours.channel) != ALC_OK) {
            fail_msg("%s", alc_status_name(alc_channel_status(ours.channel)));
        }
        assert_true(alc_channel_get_peer(ours.channel)->is_attested);
        const uint8_t *protocol;
        unsigned size;
        SSL_get0_alpn_selected(theirs.ssl, &protocol, &size);
        assert_int_equal(size, 8);
        assert_memory_equal(protocol, "rats-tls", 8);
        exchange_bytes(&theirs);
        side_close(&ours);
        theirs_free(&theirs);
        X509_free(certificate);
    }
}

/* What we write is what they read: their structure, runtime data in canonical form with the hash of
 * the key by SHA-256, and report data by SHA-384. */
static void test_written(void **state)
{
    (void)state;
    struct alc_own_certificate certificate;
    struct alc_tagged_evidence tagged;
    struct alc_coco_evidence coco;
    struct alc_reader reader;
    struct alc_arena arena;
    char runtime[256];
    uint8_t report_data[64] = {0};
    make_sides(&no_claims);
    alc_reader_init(&reader, server.identity.certificate, server.identity.certificate_size, NULL);
    assert_int_equal(alc_own_certificate_read(&reader, &certificate), ALC_OK);
    assert_int_equal(alc_channel_evidence_read(&certificate.evidence, &tagged), ALC_OK);
    assert_int_equal(tagged.tag, 0xc0c000);
    assert_int_equal(tagged.claims.size, 0);
    write_runtime(runtime, &certificate.spki);
    assert_non_null(memmem(tagged.evidence.bytes, tagged.evidence.size, runtime, strlen(runtime)));
    SHA384((const uint8_t *)runtime, strlen(runtime), report_data);
    alc_arena_init(&arena, memory, sizeof memory);
    assert_int_equal(alc_coco_read(&arena, &tagged.evidence, &coco), ALC_OK);
    assert_memory_equal(coco.report_data, report_data, sizeof report_data);
    assert_memory_equal(coco.evidence.evidence.bytes + QUOTE_REPORT_DATA, report_data,
                        sizeof report_data);
    /* The same evidence in the order of their structure is read as well. */
    static const char *const names[] = {"tee_type", "aa_evidence", "aa_runtime_data",
                                        "aa_additional_evidence", "aa_runtime_data_hash_algo"};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(names); i++) {
        assert_non_null(
            memmem(tagged.evidence.bytes, tagged.evidence.size, names[i], strlen(names[i])));
    }
    /* Reports of SEV-SNP have no such form. */
    struct alc_writer writer;
    alc_writer_init(&writer, memory, sizeof memory);
    assert_int_equal(alc_coco_write(&writer, ALC_EVIDENCE_SEV_SNP, &tagged.evidence,
                                    &(struct alc_text){(const uint8_t *)"{}", 2}),
                     ALC_E_NOT_SUPPORTED);
}

int main(void)
{
    machine_make(&machine, 7);
    machine.attester.kind = ALC_EVIDENCE_SGX;
    their_key = EVP_EC_gen("P-256");
    assert_non_null(their_key);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_runtime_data_size),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_each_other),
        cmocka_unit_test(test_workload),
        cmocka_unit_test(test_freshness),
        cmocka_unit_test(test_dialects_do_not_meet),
        cmocka_unit_test(test_downgrade),
        cmocka_unit_test(test_theirs),
        cmocka_unit_test(test_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
