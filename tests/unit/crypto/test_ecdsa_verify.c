/* SPDX-License-Identifier: Apache-2.0
 *
 * The corners of verification, made with OpenSSL's arithmetic and judged by it as well: sums at
 * infinity, sums of equal and of opposite points, factors that are zero, numbers at their limits,
 * an x beyond the order, and random signatures by small keys, whose multiples meet those of the
 * base.
 */
#include "oracle.h"

#include <openssl/ecdsa.h>

struct maths {
    enum alc_curve curve;
    size_t size;
    EC_GROUP *group;
    BN_CTX *ctx;
    BIGNUM *order, *field;
};

static struct maths open_maths(enum alc_curve curve)
{
    struct maths maths = {.curve = curve, .size = alc_curve_size(curve)};
    maths.group =
        EC_GROUP_new_by_curve_name(curve == ALC_CURVE_P256 ? NID_X9_62_prime256v1 : NID_secp384r1);
    maths.ctx = BN_CTX_new();
    maths.order = BN_dup(EC_GROUP_get0_order(maths.group));
    maths.field = BN_new();
    BIGNUM *a = BN_new(), *b = BN_new();
    assert_int_equal(EC_GROUP_get_curve(maths.group, maths.field, a, b, maths.ctx), 1);
    BN_free(a);
    BN_free(b);
    return maths;
}

static void close_maths(struct maths *maths)
{
    BN_free(maths->field);
    BN_free(maths->order);
    BN_CTX_free(maths->ctx);
    EC_GROUP_free(maths->group);
}

static BIGNUM *number(unsigned long value)
{
    BIGNUM *out = BN_new();
    BN_set_word(out, value);
    return out;
}

static BIGNUM *random_number(const struct maths *maths)
{
    BIGNUM *out = BN_new();
    do {
        assert_int_equal(BN_rand_range(out, maths->order), 1);
    } while (BN_is_zero(out));
    return out;
}

/* a * b, or a / b, modulo the order. */
static BIGNUM *times(const struct maths *maths, const BIGNUM *a, const BIGNUM *b)
{
    BIGNUM *out = BN_new();
    assert_int_equal(BN_mod_mul(out, a, b, maths->order, maths->ctx), 1);
    return out;
}

static BIGNUM *over(const struct maths *maths, const BIGNUM *a, const BIGNUM *b)
{
    BIGNUM *inverse = BN_mod_inverse(NULL, b, maths->order, maths->ctx);
    BIGNUM *out = times(maths, a, inverse);
    BN_free(inverse);
    return out;
}

static BIGNUM *minus(const struct maths *maths, const BIGNUM *a)
{
    BIGNUM *out = BN_new();
    BN_sub(out, maths->order, a);
    return out;
}

static void write_number(const struct maths *maths, const BIGNUM *value, uint8_t *out)
{
    assert_int_equal(BN_bn2binpad(value, out, (int)maths->size), (int)maths->size);
}

static struct alc_ec_public_key key_of(const struct maths *maths, const EC_POINT *point)
{
    struct alc_ec_public_key key = {.curve = maths->curve};
    BIGNUM *x = BN_new(), *y = BN_new();
    assert_int_equal(EC_POINT_get_affine_coordinates(maths->group, point, x, y, maths->ctx), 1);
    write_number(maths, x, key.point);
    write_number(maths, y, key.point + maths->size);
    BN_free(x);
    BN_free(y);
    return key;
}

/* base * scalar. */
static struct alc_ec_public_key multiple(const struct maths *maths, const BIGNUM *scalar)
{
    EC_POINT *point = EC_POINT_new(maths->group);
    assert_int_equal(EC_POINT_mul(maths->group, point, scalar, NULL, NULL, maths->ctx), 1);
    struct alc_ec_public_key key = key_of(maths, point);
    EC_POINT_free(point);
    return key;
}

/* x of base * scalar, modulo the order. */
static BIGNUM *x_of(const struct maths *maths, const BIGNUM *scalar)
{
    const struct alc_ec_public_key key = multiple(maths, scalar);
    BIGNUM *out = BN_bin2bn(key.point, (int)maths->size, NULL);
    BN_nnmod(out, out, maths->order, maths->ctx);
    return out;
}

/* What ours says, which is what OpenSSL says. */
static alc_status verify(const struct maths *maths, const struct alc_ec_public_key *key,
                         const BIGNUM *digest, const BIGNUM *r, const BIGNUM *s)
{
    uint8_t bytes[ALC_EC_SIZE_MAX];
    uint8_t der[ALC_ECDSA_DER_SIZE_MAX];
    struct alc_ecdsa_signature signature = {{0}};
    struct alc_writer writer;
    write_number(maths, digest, bytes);
    write_number(maths, r, signature.bytes);
    write_number(maths, s, signature.bytes + maths->size);
    alc_writer_init(&writer, der, sizeof der);
    alc_ecdsa_write_der(&writer, maths->curve, &signature);
    EVP_PKEY *other = oracle_key(key, NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(other, NULL);
    assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
    const bool is_good = EVP_PKEY_verify(ctx, der, writer.pos, bytes, maths->size) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(other);
    alc_status status = alc_ecdsa_verify(key, bytes, maths->size, &signature);
    assert_int_equal(status, is_good ? ALC_OK : ALC_E_BAD_SIGNATURE);
    return status;
}

/* u1 * base and u2 * key are `sign` times each other: equal points, whose sum is a doubling, or
 * opposite ones, whose sum is infinity. */
static void test_equal_and_opposite(void **state)
{
    (void)state;
    for (unsigned turn = 0; turn < 40; turn++) {
        struct maths maths = open_maths(turn % 2);
        BIGNUM *d = random_number(&maths), *t = random_number(&maths);
        BIGNUM *two = number(2), *nonce = times(&maths, two, t);
        const struct alc_ec_public_key key = multiple(&maths, d);
        BIGNUM *r = x_of(&maths, nonce);
        BIGNUM *e = times(&maths, r, d); /* u1 = e / s = t, u2 = r / s = t / d */
        BIGNUM *s = over(&maths, e, t);
        BIGNUM *opposite = minus(&maths, e);
        assert_int_equal(verify(&maths, &key, e, r, s), ALC_OK);
        assert_int_equal(verify(&maths, &key, opposite, r, s), ALC_E_BAD_SIGNATURE);
        BIGNUM *const numbers[] = {d, t, two, nonce, r, e, s, opposite};
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
            BN_free(numbers[i]);
        }
        close_maths(&maths);
    }
}

/* r and s for a key, a nonce and a digest, as FIPS 186-4 signs. */
static void sign(const struct maths *maths, const BIGNUM *d, const BIGNUM *nonce, const BIGNUM *e,
                 BIGNUM **out_r, BIGNUM **out_s)
{
    *out_r = x_of(maths, nonce);
    BIGNUM *sum = times(maths, *out_r, d);
    BN_mod_add(sum, sum, e, maths->order, maths->ctx);
    *out_s = over(maths, sum, nonce);
    BN_free(sum);
}

/* Keys and nonces at both ends of the scalars, digests that are 0, 1 and beyond the order:
 * multiples of key and base coincide, cancel, or are not there. */
static void test_small_numbers(void **state)
{
    (void)state;
    for (enum alc_curve curve = 0; curve < ALC_CURVES; curve++) {
        struct maths maths = open_maths(curve);
        BIGNUM *zero = number(0), *largest = BN_new();
        BN_one(largest);
        BN_lshift(largest, largest, (int)(8 * maths.size));
        BN_sub_word(largest, 1);
        for (unsigned turn = 0; turn < 36 * 3; turn++) {
            BIGNUM *d = number(turn % 36 / 2 + 1), *nonce = number(turn / 36 * 5 + 1);
            BIGNUM *one = number(1);
            const BIGNUM *const digests[] = {zero, one, d, maths.order, largest};
            if (turn % 2 == 1) {
                BN_sub(d, maths.order, d);
            }
            const struct alc_ec_public_key key = multiple(&maths, d);
            for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
                BIGNUM *r, *s;
                sign(&maths, d, nonce, digests[i], &r, &s);
                if (!BN_is_zero(s)) {
                    assert_int_equal(verify(&maths, &key, digests[i], r, s), ALC_OK);
                    BN_add(s, s, one);
                    (void)verify(&maths, &key, digests[i], r, s);
                }
                BN_free(r);
                BN_free(s);
            }
            BN_free(d);
            BN_free(nonce);
            BN_free(one);
        }
        BN_free(zero);
        BN_free(largest);
        close_maths(&maths);
    }
}

/* Points whose x lies between order and field: r is x less the order. */
static void test_x_beyond_the_order(void **state)
{
    (void)state;
    for (enum alc_curve curve = 0; curve < ALC_CURVES; curve++) {
        struct maths maths = open_maths(curve);
        EC_POINT *sum = EC_POINT_new(maths.group), *key_point = EC_POINT_new(maths.group);
        BIGNUM *r = number(0), *x = BN_new(), *e = random_number(&maths), *one = number(1);
        BIGNUM *s = random_number(&maths);
        do {
            BN_add(r, r, one);
            BN_add(x, r, maths.order);
        } while (EC_POINT_set_compressed_coordinates(maths.group, sum, x, 0, maths.ctx) != 1);
        assert_true(BN_cmp(x, maths.field) < 0);
        /* key = (s * sum - e * base) / r */
        BIGNUM *of_sum = over(&maths, s, r), *of_base = over(&maths, e, r);
        BIGNUM *negative = minus(&maths, of_base);
        assert_int_equal(EC_POINT_mul(maths.group, key_point, negative, sum, of_sum, maths.ctx), 1);
        const struct alc_ec_public_key key = key_of(&maths, key_point);
        assert_int_equal(verify(&maths, &key, e, r, s), ALC_OK);
        assert_int_equal(verify(&maths, &key, e, x, s), ALC_E_BAD_SIGNATURE);
        BN_add(r, r, one);
        assert_int_equal(verify(&maths, &key, e, r, s), ALC_E_BAD_SIGNATURE);
        BIGNUM *const numbers[] = {r, x, e, one, s, of_sum, of_base, negative};
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
            BN_free(numbers[i]);
        }
        EC_POINT_free(sum);
        EC_POINT_free(key_point);
        close_maths(&maths);
    }
}

/* Numbers at and beside their limits: 0, 1, the order and the field with their neighbours. */
static void test_limits(void **state)
{
    (void)state;
    for (enum alc_curve curve = 0; curve < ALC_CURVES; curve++) {
        struct maths maths = open_maths(curve);
        BIGNUM *d = random_number(&maths), *e = random_number(&maths);
        const struct alc_ec_public_key key = multiple(&maths, d);
        BIGNUM *values[8] = {
            number(0),           number(1),           BN_dup(maths.order), BN_dup(maths.order),
            BN_dup(maths.order), BN_dup(maths.field), BN_dup(maths.field), number(2)};
        BN_sub_word(values[3], 1);
        BN_add_word(values[4], 1);
        BN_sub_word(values[6], 1);
        for (size_t i = 0; i < 64; i++) {
            assert_int_equal(verify(&maths, &key, e, values[i / 8], values[i % 8]),
                             ALC_E_BAD_SIGNATURE);
        }
        for (size_t i = 0; i < 8; i++) {
            BN_free(values[i]);
        }
        BN_free(d);
        BN_free(e);
        close_maths(&maths);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_and_opposite),
        cmocka_unit_test(test_small_numbers),
        cmocka_unit_test(test_x_beyond_the_order),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
