/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything is made anew and comes out the same: keys are hashes of texts, signatures are those of
 * RFC 6979, dates are fixed. So the root's certificate has a known SHA-256.
 */
#include "sgx_emu_quote/certificates.h"

#include "base/bytes.h"
#include "base/sha256.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OBJECT_IDENTIFIER = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_UTF8_STRING = 0x0c,
    DER_UTC_TIME = 0x17,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT_0 = 0xa0,
    DER_CONTEXT_3 = 0xa3,
};

static const struct {
    const char *name;
    enum emulated_party issuer;
    bool is_authority;
    uint8_t usage; /* first byte of keyUsage */
} parties[EMULATED_PARTIES] = {
    [EMULATED_ROOT] = {"alcove EMULATED root", EMULATED_ROOT, true, 0x06},
    [EMULATED_AUTHORITY] = {"alcove EMULATED authority", EMULATED_ROOT, true, 0x06},
    [EMULATED_PLATFORM] = {"alcove EMULATED platform", EMULATED_AUTHORITY, false, 0x80},
    [EMULATED_SIGNER] = {"alcove EMULATED signer of collateral", EMULATED_ROOT, false, 0x80},
    [EMULATED_ATTESTATION] = {"alcove EMULATED attestation key", EMULATED_ROOT, false, 0},
};

/* -- keys: public on purpose -- */

static alc_status fill_nothing(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context; /* only blinds arithmetic, and there is no secret here */
    alc_fill(buf, 0x5a, buf_size);
    return ALC_OK;
}

static const struct alc_random no_random = {.fill = fill_nothing};

static void make_key(enum emulated_party party, struct alc_ec_private_key *out)
{
    *out = (struct alc_ec_private_key){.curve = ALC_CURVE_P256};
    alc_sha256(parties[party].name, alc_string_length(parties[party].name), out->scalar);
}

void emulated_public_key(enum emulated_party party, struct alc_ec_public_key *out)
{
    struct alc_ec_private_key key;
    make_key(party, &key);
    alc_status status = alc_ec_derive_public(&key, &no_random, out);
    ALC_ASSERT(status == ALC_OK);
}

static void sign(enum emulated_party signer, const void *bytes, size_t size,
                 struct alc_ecdsa_signature *out)
{
    struct alc_ec_private_key key;
    uint8_t digest[ALC_SHA256_SIZE];
    make_key(signer, &key);
    alc_sha256(bytes, size, digest);
    alc_status status = alc_ecdsa_sign(&key, ALC_HASH_SHA256, digest, &no_random, out);
    ALC_ASSERT(status == ALC_OK);
}

void emulated_sign(enum emulated_party signer, const void *bytes, size_t size, uint8_t out[64])
{
    struct alc_ecdsa_signature signature;
    sign(signer, bytes, size, &signature);
    alc_copy(out, signature.bytes, 64);
}

/* -- what certificates and lists have in common -- */

static void put_algorithm(struct der_writer *out)
{
    static const uint8_t ecdsa_with_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                                0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    der_put(out, ecdsa_with_sha256, sizeof ecdsa_with_sha256);
}

static void put_name(struct der_writer *out, enum emulated_party party)
{
    static const uint8_t common_name[] = {0x55, 0x04, 0x03};
    const char *name = parties[party].name;
    size_t names = der_begin(out, DER_SEQUENCE);
    size_t set = der_begin(out, DER_SET);
    size_t pair = der_begin(out, DER_SEQUENCE);
    der_element(out, DER_OBJECT_IDENTIFIER, common_name, sizeof common_name);
    der_element(out, DER_UTF8_STRING, name, alc_string_length(name));
    der_end(out, pair);
    der_end(out, set);
    der_end(out, names);
}

static void put_dates(struct der_writer *out)
{
    der_element(out, DER_UTC_TIME, "200101000000Z", 13);
    der_element(out, DER_UTC_TIME, "491231235959Z", 13);
}

/* Signs what stands in `out` from `begun` on and puts algorithm and signature behind it. */
static void put_signature(struct der_writer *out, size_t begun, enum emulated_party signer)
{
    struct alc_ecdsa_signature signature;
    uint8_t encoded[ALC_ECDSA_DER_SIZE_MAX];
    struct alc_writer writer;
    sign(signer, out->bytes + begun, out->size - begun, &signature);
    alc_writer_init(&writer, encoded, sizeof encoded);
    alc_ecdsa_write_der(&writer, ALC_CURVE_P256, &signature);
    put_algorithm(out);
    size_t bits = der_begin(out, DER_BIT_STRING);
    der_put(out, "\0", 1);
    der_put(out, encoded, writer.pos);
    der_end(out, bits);
}

/* -- the SGX extension: pairs below 1.2.840.113741.1.13.1 -- */

static size_t begin_pair(struct der_writer *out, const uint8_t *numbers, size_t numbers_count)
{
    static const uint8_t base[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};
    size_t pair = der_begin(out, DER_SEQUENCE);
    size_t oid = der_begin(out, DER_OBJECT_IDENTIFIER);
    der_put(out, base, sizeof base);
    der_put(out, numbers, numbers_count);
    der_end(out, oid);
    return pair;
}

static void put_tcb(struct der_writer *out)
{
    static const uint8_t svn = EMULATED_SVN;
    uint8_t cpu_svn[16];
    size_t tcb = begin_pair(out, (const uint8_t[]){2}, 1);
    size_t parts = der_begin(out, DER_SEQUENCE);
    for (uint8_t i = 1; i <= 17; i++) { /* sixteen components and PCE */
        size_t pair = begin_pair(out, (const uint8_t[]){2, i}, 2);
        der_element(out, DER_INTEGER, &svn, 1);
        der_end(out, pair);
    }
    size_t pair = begin_pair(out, (const uint8_t[]){2, 18}, 2);
    alc_fill(cpu_svn, EMULATED_SVN, sizeof cpu_svn);
    der_element(out, DER_OCTET_STRING, cpu_svn, sizeof cpu_svn);
    der_end(out, pair);
    der_end(out, parts);
    der_end(out, tcb);
}

static void put_octets_pair(struct der_writer *out, uint8_t number, const void *bytes, size_t size)
{
    size_t pair = begin_pair(out, &number, 1);
    der_element(out, DER_OCTET_STRING, bytes, size);
    der_end(out, pair);
}

/* All that a certificate for a single processor has; others' readers miss what ours does not ask
 * for. */
static void put_platform(struct der_writer *out)
{
    static const uint8_t standard = 0;
    size_t all = der_begin(out, DER_SEQUENCE);
    put_octets_pair(out, 1, EMULATED_PPID, 16);
    put_tcb(out);
    put_octets_pair(out, 3, "\0", 2);
    put_octets_pair(out, 4, EMULATED_FMSPC, 6);
    size_t type = begin_pair(out, (const uint8_t[]){5}, 1);
    der_element(out, DER_ENUMERATED, &standard, 1);
    der_end(out, type);
    der_end(out, all);
}

/* -- certificates -- */

static size_t begin_extension(struct der_writer *out, const uint8_t *oid, size_t oid_size,
                              bool is_critical, size_t *value)
{
    size_t extension = der_begin(out, DER_SEQUENCE);
    der_element(out, DER_OBJECT_IDENTIFIER, oid, oid_size);
    if (is_critical) {
        der_element(out, DER_BOOLEAN, "\xff", 1);
    }
    *value = der_begin(out, DER_OCTET_STRING);
    return extension;
}

static void put_basic_constraints(struct der_writer *out, bool is_authority)
{
    static const uint8_t oid[] = {0x55, 0x1d, 0x13};
    size_t value;
    size_t extension = begin_extension(out, oid, sizeof oid, true, &value);
    size_t content = der_begin(out, DER_SEQUENCE);
    if (is_authority) {
        der_element(out, DER_BOOLEAN, "\xff", 1);
    }
    der_end(out, content);
    der_end(out, value);
    der_end(out, extension);
}

static void put_key_usage(struct der_writer *out, uint8_t usage)
{
    static const uint8_t oid[] = {0x55, 0x1d, 0x0f};
    const uint8_t bits[] = {usage == 0x80 ? 7 : 1, usage}; /* unused bits, then the used */
    size_t value;
    size_t extension = begin_extension(out, oid, sizeof oid, true, &value);
    der_element(out, DER_BIT_STRING, bits, sizeof bits);
    der_end(out, value);
    der_end(out, extension);
}

static void put_extensions(struct der_writer *out, enum emulated_party party)
{
    static const uint8_t oid_sgx[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};
    size_t wrapper = der_begin(out, DER_CONTEXT_3);
    size_t extensions = der_begin(out, DER_SEQUENCE);
    put_basic_constraints(out, parties[party].is_authority);
    put_key_usage(out, parties[party].usage);
    if (party == EMULATED_PLATFORM) {
        size_t value;
        size_t extension = begin_extension(out, oid_sgx, sizeof oid_sgx, false, &value);
        put_platform(out);
        der_end(out, value);
        der_end(out, extension);
    }
    der_end(out, extensions);
    der_end(out, wrapper);
}

static void put_public_key(struct der_writer *out, enum emulated_party party)
{
    struct alc_ec_public_key key;
    uint8_t spki[ALC_EC_SPKI_SIZE_MAX];
    struct alc_writer writer;
    emulated_public_key(party, &key);
    alc_writer_init(&writer, spki, sizeof spki);
    alc_ec_write_spki(&writer, &key);
    der_put(out, spki, writer.pos);
}

void emulated_certificate(enum emulated_party party, struct der_writer *out)
{
    static const uint8_t version_3 = 2;
    const uint8_t serial = (uint8_t)(party + 1);
    out->size = 0;
    size_t whole = der_begin(out, DER_SEQUENCE);
    size_t signed_start = out->size;
    size_t inner = der_begin(out, DER_SEQUENCE);
    size_t version = der_begin(out, DER_CONTEXT_0);
    der_element(out, DER_INTEGER, &version_3, 1);
    der_end(out, version);
    der_element(out, DER_INTEGER, &serial, 1);
    put_algorithm(out);
    put_name(out, parties[party].issuer);
    size_t dates = der_begin(out, DER_SEQUENCE);
    put_dates(out);
    der_end(out, dates);
    put_name(out, party);
    put_public_key(out, party);
    put_extensions(out, party);
    der_end(out, inner);
    put_signature(out, signed_start, parties[party].issuer);
    der_end(out, whole);
}

void emulated_list(enum emulated_party issuer, struct der_writer *out)
{
    static const uint8_t version_2 = 1;
    out->size = 0;
    size_t whole = der_begin(out, DER_SEQUENCE);
    size_t signed_start = out->size;
    size_t inner = der_begin(out, DER_SEQUENCE);
    der_element(out, DER_INTEGER, &version_2, 1);
    put_algorithm(out);
    put_name(out, issuer);
    put_dates(out);
    der_end(out, inner);
    put_signature(out, signed_start, issuer);
    der_end(out, whole);
}
