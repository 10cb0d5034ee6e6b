/* SPDX-License-Identifier: Apache-2.0
 *
 * Verification of ECDSA over P-256 and P-384 (FIPS 186-4, 6.4; SEC 1, 4.1.4), and whether a point
 * is on its curve. All numbers here are public, so nothing tries to be constant in time: that makes
 * it a tenth of the time and of the code of arithmetic that has secrets to keep
 * (docs/decisions/0012). Needs no memory but the stack's.
 */
#include "crypto/crypto.h"

#include "base/bytes.h"

enum { LIMBS_MAX = 6, BITS_MAX = 64 * LIMBS_MAX };
enum { WINDOW = 5, TABLE_SIZE = 1 << (WINDOW - 2) }; /* odd multiples 1, 3, … 15 */

__extension__ typedef unsigned __int128 u128;

/* Limbs of a number from the lowest on. Modulo a prime they are in Montgomery's form: times
 * 2^(64 * limbs). */
struct number {
    uint64_t limbs[LIMBS_MAX];
};

struct modulus {
    size_t limbs;
    struct number value;
    struct number square; /* of 2^(64 * limbs), which makes Montgomery's form */
    uint64_t inverse;     /* -1 / value modulo 2^64 */
};

struct curve { /* y^2 = x^3 - 3x + b */
    struct modulus field;
    struct modulus order;
    struct number b; /* these three not in Montgomery's form */
    struct number base_x;
    struct number base_y;
};

/* FIPS 186-4, D.1.2.3 and D.1.2.4. */
static const struct curve curves[ALC_CURVES] = {
    [ALC_CURVE_P256] =
        {
            .field = {.limbs = 4,
                      .value = {{0xffffffffffffffff, 0x00000000ffffffff, 0x0000000000000000,
                                 0xffffffff00000001}},
                      .square = {{0x0000000000000003, 0xfffffffbffffffff, 0xfffffffffffffffe,
                                  0x00000004fffffffd}},
                      .inverse = 0x1},
            .order = {.limbs = 4,
                      .value = {{0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff,
                                 0xffffffff00000000}},
                      .square = {{0x83244c95be79eea2, 0x4699799c49bd6fa6, 0x2845b2392b6bec59,
                                  0x66e12d94f3d95620}},
                      .inverse = 0xccd1c8aaee00bc4f},
            .b = {{0x3bce3c3e27d2604b, 0x651d06b0cc53b0f6, 0xb3ebbd55769886bc, 0x5ac635d8aa3a93e7}},
            .base_x = {{0xf4a13945d898c296, 0x77037d812deb33a0, 0xf8bce6e563a440f2,
                        0x6b17d1f2e12c4247}},
            .base_y = {{0xcbb6406837bf51f5, 0x2bce33576b315ece, 0x8ee7eb4a7c0f9e16,
                        0x4fe342e2fe1a7f9b}},
        },
    [ALC_CURVE_P384] =
        {
            .field = {.limbs = 6,
                      .value = {{0x00000000ffffffff, 0xffffffff00000000, 0xfffffffffffffffe,
                                 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff}},
                      .square = {{0xfffffffe00000001, 0x0000000200000000, 0xfffffffe00000000,
                                  0x0000000200000000, 0x0000000000000001, 0x0000000000000000}},
                      .inverse = 0x100000001},
            .order = {.limbs = 6,
                      .value = {{0xecec196accc52973, 0x581a0db248b0a77a, 0xc7634d81f4372ddf,
                                 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff}},
                      .square = {{0x2d319b2419b409a9, 0xff3d81e5df1aa419, 0xbc3e483afcb82947,
                                  0xd40d49174aab1cc5, 0x3fb05b7a28266895, 0x0c84ee012b39bf21}},
                      .inverse = 0x6ed46089e88fdc45},
            .b = {{0x2a85c8edd3ec2aef, 0xc656398d8a2ed19d, 0x0314088f5013875a, 0x181d9c6efe814112,
                   0x988e056be3f82d19, 0xb3312fa7e23ee7e4}},
            .base_x = {{0x3a545e3872760ab7, 0x5502f25dbf55296c, 0x59f741e082542a38,
                        0x6e1d3b628ba79b98, 0x8eb1c71ef320ad74, 0xaa87ca22be8b0537}},
            .base_y = {{0x7a431d7c90ea0e5f, 0x0a60b1ce1d7e819d, 0xe9da3113b5f0b8c0,
                        0xf8f41dbd289a147c, 0x5d9e98bf9292dc29, 0x3617de4a96262c6f}},
        },
};

/* -- numbers -- */

static struct number read_number(const uint8_t *bytes, size_t limbs)
{
    struct number out = {{0}};
    for (size_t i = 0; i < limbs; i++) {
        out.limbs[i] = __builtin_bswap64(alc_load_u64(bytes + 8 * (limbs - 1 - i)));
    }
    return out;
}

static bool is_zero(const struct number *a, size_t limbs)
{
    uint64_t any = 0;
    for (size_t i = 0; i < limbs; i++) {
        any |= a->limbs[i];
    }
    return any == 0;
}

static bool are_equal(const struct number *a, const struct number *b, size_t limbs)
{
    return alc_equal(a->limbs, b->limbs, 8 * limbs);
}

static bool is_below(const struct number *a, const struct number *b, size_t limbs)
{
    for (size_t i = limbs; i-- > 0;) {
        if (a->limbs[i] != b->limbs[i]) {
            return a->limbs[i] < b->limbs[i];
        }
    }
    return false;
}

/* *out = a - b; returns what is borrowed. */
static uint64_t subtract_raw(struct number *out, const struct number *a, const struct number *b,
                             size_t limbs)
{
    uint64_t borrow = 0;
    for (size_t i = 0; i < limbs; i++) {
        u128 difference = (u128)a->limbs[i] - b->limbs[i] - borrow;
        out->limbs[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    return borrow;
}

/* *out = a + b; returns what is carried. */
static uint64_t add_raw(struct number *out, const struct number *a, const struct number *b,
                        size_t limbs)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < limbs; i++) {
        u128 sum = (u128)a->limbs[i] + b->limbs[i] + carry;
        out->limbs[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
    return carry;
}

/* -- modulo a prime: all operands are below it, and so is the result -- */

static void add(struct number *out, const struct number *a, const struct number *b,
                const struct modulus *modulus)
{
    uint64_t carry = add_raw(out, a, b, modulus->limbs);
    if (carry != 0 || !is_below(out, &modulus->value, modulus->limbs)) {
        (void)subtract_raw(out, out, &modulus->value, modulus->limbs);
    }
}

static void subtract(struct number *out, const struct number *a, const struct number *b,
                     const struct modulus *modulus)
{
    if (subtract_raw(out, a, b, modulus->limbs) != 0) {
        (void)add_raw(out, out, &modulus->value, modulus->limbs);
    }
}

/* a * b / 2^(64 * limbs) by Montgomery's method: after each limb of a, what makes the lowest limb
 * zero is added, and that limb dropped. */
static ALC_ALWAYS_INLINE void multiply_limbs(struct number *out, const struct number *a,
                                             const struct number *b, const struct modulus *modulus,
                                             size_t limbs)
{
    uint64_t sum[LIMBS_MAX + 1] = {0};
    for (size_t i = 0; i < limbs; i++) {
        const uint64_t digit = a->limbs[i];
        u128 first = (u128)digit * b->limbs[0] + sum[0];
        const uint64_t factor = (uint64_t)first * modulus->inverse;
        u128 second = (u128)factor * modulus->value.limbs[0] + (uint64_t)first;
        for (size_t j = 1; j < limbs; j++) {
            first = (u128)digit * b->limbs[j] + sum[j] + (uint64_t)(first >> 64);
            second =
                (u128)factor * modulus->value.limbs[j] + (uint64_t)first + (uint64_t)(second >> 64);
            sum[j - 1] = (uint64_t)second;
        }
        u128 top = (u128)sum[limbs] + (uint64_t)(first >> 64) + (uint64_t)(second >> 64);
        sum[limbs - 1] = (uint64_t)top;
        sum[limbs] = (uint64_t)(top >> 64);
    }
    for (size_t i = 0; i < limbs; i++) {
        out->limbs[i] = sum[i];
    }
    if (sum[limbs] != 0 || !is_below(out, &modulus->value, limbs)) {
        (void)subtract_raw(out, out, &modulus->value, limbs);
    }
}

static void multiply(struct number *out, const struct number *a, const struct number *b,
                     const struct modulus *modulus)
{
    if (modulus->limbs == 4) {
        multiply_limbs(out, a, b, modulus, 4);
    } else {
        multiply_limbs(out, a, b, modulus, 6);
    }
}

/* 1 / a by Fermat: a^(modulus - 2), a and the result in Montgomery's form. */
static void invert(struct number *out, const struct number *a, const struct modulus *modulus)
{
    static const struct number two = {{2}};
    struct number exponent;
    struct number power = *a;
    (void)subtract_raw(&exponent, &modulus->value, &two, modulus->limbs);
    /* The highest bit of both orders is set: it is what `power` begins with. */
    for (size_t i = 64 * modulus->limbs - 1; i-- > 0;) {
        multiply(&power, &power, &power, modulus);
        if ((exponent.limbs[i / 64] >> i % 64 & 1) != 0) {
            multiply(&power, &power, a, modulus);
        }
    }
    *out = power;
}

/* -- points: x / z^2, y / z^3 modulo the field, in Montgomery's form; infinity has z = 0 -- */

struct point {
    struct number x;
    struct number y;
    struct number z;
};

/* The formulas are written with these, over `curve` in the function's scope. */
#define MULTIPLY(out, a, b) multiply(out, a, b, &curve->field)
#define ADD(out, a, b) add(out, a, b, &curve->field)
#define SUBTRACT(out, a, b) subtract(out, a, b, &curve->field)

/* dbl-2001-b of the Explicit-Formulas Database, for a = -3. */
static void double_point(struct point *out, const struct point *a, const struct curve *curve)
{
    struct number delta, gamma, beta, alpha;
    struct number t = {{0}}; /* one compiler does not see that only limbs in use are read */
    MULTIPLY(&delta, &a->z, &a->z);
    MULTIPLY(&gamma, &a->y, &a->y);
    MULTIPLY(&beta, &a->x, &gamma);
    SUBTRACT(&t, &a->x, &delta);
    ADD(&alpha, &a->x, &delta);
    MULTIPLY(&alpha, &alpha, &t);
    ADD(&t, &alpha, &alpha);
    ADD(&alpha, &alpha, &t); /* 3 (x - delta) (x + delta) */
    ADD(&t, &a->y, &a->z);
    MULTIPLY(&t, &t, &t);
    SUBTRACT(&t, &t, &gamma);
    SUBTRACT(&out->z, &t, &delta);
    ADD(&beta, &beta, &beta);
    ADD(&beta, &beta, &beta); /* 4 beta */
    MULTIPLY(&t, &alpha, &alpha);
    SUBTRACT(&t, &t, &beta);
    SUBTRACT(&out->x, &t, &beta);
    SUBTRACT(&t, &beta, &out->x);
    MULTIPLY(&t, &t, &alpha);
    MULTIPLY(&gamma, &gamma, &gamma);
    ADD(&gamma, &gamma, &gamma);
    ADD(&gamma, &gamma, &gamma);
    ADD(&gamma, &gamma, &gamma); /* 8 gamma^2 */
    SUBTRACT(&out->y, &t, &gamma);
}

/* add-1998-cmo-2, and the cases that it is not for: infinity, equal and opposite points. */
static void add_points(struct point *out, const struct point *a, const struct point *b,
                       const struct curve *curve)
{
    struct number za, zb, u, s, h, r, t;
    if (is_zero(&a->z, curve->field.limbs)) {
        *out = *b;
        return;
    }
    if (is_zero(&b->z, curve->field.limbs)) {
        *out = *a;
        return;
    }
    MULTIPLY(&za, &a->z, &a->z);
    MULTIPLY(&zb, &b->z, &b->z);
    MULTIPLY(&u, &a->x, &zb);
    MULTIPLY(&h, &b->x, &za);
    SUBTRACT(&h, &h, &u);
    MULTIPLY(&s, &a->y, &zb);
    MULTIPLY(&s, &s, &b->z);
    MULTIPLY(&r, &b->y, &za);
    MULTIPLY(&r, &r, &a->z);
    SUBTRACT(&r, &r, &s);
    if (is_zero(&h, curve->field.limbs)) {
        if (is_zero(&r, curve->field.limbs)) {
            double_point(out, a, curve);
        } else {
            *out = (struct point){0};
        }
        return;
    }
    MULTIPLY(&t, &a->z, &b->z);
    MULTIPLY(&out->z, &t, &h);
    MULTIPLY(&t, &h, &h);
    MULTIPLY(&u, &u, &t);
    MULTIPLY(&h, &h, &t); /* h^3 */
    MULTIPLY(&s, &s, &h);
    MULTIPLY(&t, &r, &r);
    SUBTRACT(&t, &t, &h);
    SUBTRACT(&t, &t, &u);
    SUBTRACT(&out->x, &t, &u);
    SUBTRACT(&t, &u, &out->x);
    MULTIPLY(&t, &t, &r);
    SUBTRACT(&out->y, &t, &s);
}

/* A scalar as digits that are 0 or odd, of which at most one in WINDOW neighbours is not 0: the
 * scalar is the sum of digits[i] * 2^i. */
static void recode(const struct number *scalar, size_t limbs, int8_t digits[BITS_MAX + 1])
{
    const size_t bits = 64 * limbs;
    unsigned carry = 0;
    alc_fill(digits, 0, BITS_MAX + 1);
    for (size_t i = 0; i <= bits;) {
        unsigned window = carry;
        for (size_t j = 0; j < WINDOW && i + j < bits; j++) {
            window += (unsigned)(scalar->limbs[(i + j) / 64] >> (i + j) % 64 & 1) << j;
        }
        if ((window & 1) == 0) {
            i++; /* the carry stays: it fell on a bit that is set, or there is none */
            continue;
        }
        carry = window > 1u << (WINDOW - 1);
        digits[i] = (int8_t)((int)window - (carry != 0 ? 1 << WINDOW : 0));
        i += WINDOW;
    }
}

struct multiples {
    struct point odd[TABLE_SIZE];
    int8_t digits[BITS_MAX + 1];
};

static void prepare(struct multiples *out, const struct point *point, const struct number *scalar,
                    const struct curve *curve)
{
    struct point twice;
    double_point(&twice, point, curve);
    out->odd[0] = *point;
    for (size_t i = 1; i < TABLE_SIZE; i++) {
        add_points(&out->odd[i], &out->odd[i - 1], &twice, curve);
    }
    recode(scalar, curve->field.limbs, out->digits);
}

static void add_digit(struct point *sum, const struct multiples *multiples, size_t i,
                      const struct curve *curve)
{
    const int digit = multiples->digits[i];
    if (digit != 0) {
        struct point term = multiples->odd[(digit < 0 ? -digit : digit) / 2];
        if (digit < 0) {
            SUBTRACT(&term.y, &curve->field.value, &term.y); /* no point has y = 0 */
        }
        add_points(sum, sum, &term, curve);
    }
}

/* *out = a * base + b * key, doubling for both at once. */
static void multiply_both(struct point *out, const struct point *base, const struct number *a,
                          const struct point *key, const struct number *b,
                          const struct curve *curve)
{
    struct multiples of_base;
    struct multiples of_key;
    prepare(&of_base, base, a, curve);
    prepare(&of_key, key, b, curve);
    *out = (struct point){0};
    for (size_t i = 64 * curve->field.limbs + 1; i-- > 0;) {
        double_point(out, out, curve);
        add_digit(out, &of_base, i, curve);
        add_digit(out, &of_key, i, curve);
    }
}

/* -- keys and signatures -- */

/* A point of the curve by its plain coordinates. */
static bool make_point(struct point *out, const struct number *x, const struct number *y,
                       const struct curve *curve)
{
    static const struct number one = {{1}};
    struct number left, right, t;
    if (!is_below(x, &curve->field.value, curve->field.limbs) ||
        !is_below(y, &curve->field.value, curve->field.limbs)) {
        return false;
    }
    MULTIPLY(&out->x, x, &curve->field.square);
    MULTIPLY(&out->y, y, &curve->field.square);
    MULTIPLY(&out->z, &one, &curve->field.square);
    MULTIPLY(&left, &out->y, &out->y);
    MULTIPLY(&right, &out->x, &out->x);
    MULTIPLY(&right, &right, &out->x);
    MULTIPLY(&t, &curve->b, &curve->field.square);
    ADD(&right, &right, &t);
    for (int i = 0; i < 3; i++) {
        SUBTRACT(&right, &right, &out->x);
    }
    return are_equal(&left, &right, curve->field.limbs);
}

static bool load_key(struct point *out, const struct alc_ec_public_key *key,
                     const struct curve *curve)
{
    const struct number x = read_number(key->point, curve->field.limbs);
    const struct number y = read_number(key->point + 8 * curve->field.limbs, curve->field.limbs);
    return make_point(out, &x, &y, curve);
}

alc_status alc_ec_check_public(const struct alc_ec_public_key *key)
{
    struct point point;
    ALC_ASSERT(key->curve < ALC_CURVES);
    return load_key(&point, key, &curves[key->curve]) ? ALC_OK : ALC_E_BAD_KEY;
}

/* The digest as a number modulo the order: its first bytes when it is longer. */
static struct number read_digest(const uint8_t *digest, size_t digest_size,
                                 const struct curve *curve)
{
    const size_t size = 8 * curve->field.limbs;
    uint8_t bytes[8 * LIMBS_MAX] = {0};
    const size_t taken = digest_size < size ? digest_size : size;
    alc_copy(bytes + size - taken, digest, taken);
    struct number number = read_number(bytes, curve->field.limbs);
    if (!is_below(&number, &curve->order.value, curve->field.limbs)) {
        (void)subtract_raw(&number, &number, &curve->order.value, curve->field.limbs);
    }
    return number;
}

/* Whether the point's x, modulo the order, is r. The field is a little larger than the order. */
static bool has_x(const struct point *point, const struct number *r, const struct curve *curve)
{
    struct number square, candidate = *r, t;
    if (is_zero(&point->z, curve->field.limbs)) {
        return false;
    }
    MULTIPLY(&square, &point->z, &point->z);
    do {
        MULTIPLY(&t, &candidate, &curve->field.square);
        MULTIPLY(&t, &t, &square);
        if (are_equal(&t, &point->x, curve->field.limbs)) {
            return true;
        }
    } while (add_raw(&candidate, &candidate, &curve->order.value, curve->field.limbs) == 0 &&
             is_below(&candidate, &curve->field.value, curve->field.limbs));
    return false;
}

alc_status alc_ecdsa_verify(const struct alc_ec_public_key *key, const uint8_t *digest,
                            size_t digest_size, const struct alc_ecdsa_signature *signature)
{
    ALC_ASSERT(key->curve < ALC_CURVES);
    const struct curve *curve = &curves[key->curve];
    const struct modulus *order = &curve->order;
    const size_t limbs = curve->field.limbs;
    struct point point, base, sum;
    struct number inverse, of_base, of_key;
    if (!load_key(&point, key, curve)) {
        return ALC_E_BAD_KEY;
    }
    const struct number r = read_number(signature->bytes, limbs);
    const struct number s = read_number(signature->bytes + 8 * limbs, limbs);
    if (is_zero(&r, limbs) || is_zero(&s, limbs) || !is_below(&r, &order->value, limbs) ||
        !is_below(&s, &order->value, limbs)) {
        return ALC_E_BAD_SIGNATURE;
    }
    multiply(&inverse, &s, &order->square, order);
    invert(&inverse, &inverse, order);
    /* One factor in Montgomery's form and one plain make a plain product. */
    const struct number number = read_digest(digest, digest_size, curve);
    multiply(&of_base, &number, &inverse, order);
    multiply(&of_key, &r, &inverse, order);
    const bool is_base = make_point(&base, &curve->base_x, &curve->base_y, curve);
    ALC_ASSERT(is_base);
    multiply_both(&sum, &base, &of_base, &point, &of_key, curve);
    return has_x(&sum, &r, curve) ? ALC_OK : ALC_E_BAD_SIGNATURE;
}
