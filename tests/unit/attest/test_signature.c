/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures that are remembered: good ones are, bad ones never, and one is known again only with
 * the same key, digest and bytes.
 */
#include "unit/crypto/oracle.h"

#include "attest/signature.h"

static uint8_t memory[ALC_SHA256_SIZE];
static int asked, added;

static bool has(void *context, const uint8_t id[ALC_SHA256_SIZE])
{
    (void)context;
    asked++;
    return memcmp(memory, id, ALC_SHA256_SIZE) == 0;
}

static void add(void *context, const uint8_t id[ALC_SHA256_SIZE])
{
    (void)context;
    added++;
    memcpy(memory, id, ALC_SHA256_SIZE);
}

static const struct alc_known_signatures known = {.has = has, .add = add};

struct signed_digest {
    struct alc_ec_public_key key;
    uint8_t digest[ALC_SHA256_SIZE];
    struct alc_ecdsa_signature signature;
};

static struct signed_digest make(enum alc_curve curve)
{
    struct signed_digest made;
    struct alc_ec_private_key key;
    RAND_bytes(made.digest, sizeof made.digest);
    assert_int_equal(alc_ec_generate(curve, &oracle_random, &key, &made.key), ALC_OK);
    assert_int_equal(
        alc_ecdsa_sign(&key, ALC_HASH_SHA256, made.digest, &oracle_random, &made.signature),
        ALC_OK);
    return made;
}

static alc_status verify(const struct alc_known_signatures *with, const struct signed_digest *what)
{
    return alc_signature_verify(with, &what->key, what->digest, sizeof what->digest,
                                &what->signature);
}

static void test_memory(void **state)
{
    (void)state;
    for (enum alc_curve curve = 0; curve < ALC_CURVES; curve++) {
        const size_t size = 2 * alc_curve_size(curve);
        struct signed_digest good = make(curve);
        struct signed_digest changed;
        asked = added = 0;
        assert_int_equal(verify(NULL, &good), ALC_OK);
        assert_int_equal(asked, 0);
        assert_int_equal(verify(&known, &good), ALC_OK);
        assert_int_equal(added, 1);
        assert_int_equal(verify(&known, &good), ALC_OK);
        assert_int_equal(added, 1);
        assert_int_equal(asked, 2);
        /* Nothing like it passes for it, and what is bad is not remembered. */
        for (size_t i = 0; i < size; i += 5) {
            changed = good;
            changed.signature.bytes[i] ^= 1;
            assert_int_not_equal(verify(&known, &changed), ALC_OK);
            changed = good;
            changed.key.point[i] ^= 1;
            assert_int_not_equal(verify(&known, &changed), ALC_OK);
        }
        changed = good;
        changed.digest[31] ^= 1;
        assert_int_equal(verify(&known, &changed), ALC_E_BAD_SIGNATURE);
        assert_int_equal(verify(&known, &changed), ALC_E_BAD_SIGNATURE);
        assert_int_equal(added, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
