/* SPDX-License-Identifier: Apache-2.0
 *
 * Scalar multiplication on Curve25519 by the Montgomery ladder, with field elements of 16 limbs of
 * 16 bits in 64-bit integers: multiplications of 64 bits and carries, no products of 128 bits.
 */
#include "harness.h"

enum { LIMBS = 16 };

typedef int64_t element[LIMBS];

static void carry(element e)
{
    for (int i = 0; i < LIMBS; i++) {
        int64_t over = e[i] >> 16;
        e[i] -= over * 65536;
        if (i + 1 < LIMBS) {
            e[i + 1] += over;
        } else {
            e[0] += 38 * over;
        }
    }
}

static void add(element out, const element a, const element b)
{
    for (int i = 0; i < LIMBS; i++) {
        out[i] = a[i] + b[i];
    }
}

static void subtract(element out, const element a, const element b)
{
    for (int i = 0; i < LIMBS; i++) {
        out[i] = a[i] - b[i];
    }
}

static void multiply(element out, const element a, const element b)
{
    int64_t product[2 * LIMBS] = {0};
    for (int i = 0; i < LIMBS; i++) {
        for (int j = 0; j < LIMBS; j++) {
            product[i + j] += a[i] * b[j];
        }
    }
    for (int i = 0; i < LIMBS; i++) {
        out[i] = product[i] + 38 * product[i + LIMBS];
    }
    carry(out);
    carry(out);
}

/* Exchanges both if `flag` is 1, without a branch. */
static void exchange(element a, element b, int64_t flag)
{
    for (int i = 0; i < LIMBS; i++) {
        int64_t difference = -flag & (a[i] ^ b[i]);
        a[i] ^= difference;
        b[i] ^= difference;
    }
}

/* a to the power of p - 2: all bits of the exponent are set but two. */
static void invert(element out, const element a)
{
    element power;
    memcpy(power, a, sizeof(power));
    for (int i = 253; i >= 0; i--) {
        multiply(power, power, power);
        if (i != 2 && i != 4) {
            multiply(power, power, a);
        }
    }
    memcpy(out, power, sizeof(power));
}

/* The least representative, so that the checksum does not depend on how it was reached. */
static void normalise(element e)
{
    for (int i = 0; i < 3; i++) {
        carry(e);
    }
    for (int turn = 0; turn < 2; turn++) {
        element less;
        less[0] = e[0] - 0xffed;
        for (int i = 1; i < LIMBS; i++) {
            less[i] = e[i] - (i + 1 < LIMBS ? 0xffff : 0x7fff) - (less[i - 1] >> 16 & 1);
            less[i - 1] &= 0xffff;
        }
        int64_t is_below = less[LIMBS - 1] >> 16 & 1;
        less[LIMBS - 1] &= 0xffff;
        exchange(e, less, 1 - is_below);
    }
}

static void ladder(element out, const uint8_t scalar[32], const element point)
{
    static const element constant = {0xdb41, 1};
    element x2 = {1}, z2 = {0}, x3, z3 = {1}, a, b, c, d, aa, bb, difference;
    memcpy(x3, point, sizeof(x3));
    for (int i = 254; i >= 0; i--) {
        int64_t bit = scalar[i / 8] >> (i % 8) & 1;
        exchange(x2, x3, bit);
        exchange(z2, z3, bit);
        add(a, x2, z2);
        subtract(b, x2, z2);
        add(c, x3, z3);
        subtract(d, x3, z3);
        multiply(d, d, a);
        multiply(c, c, b);
        multiply(aa, a, a);
        multiply(bb, b, b);
        add(x3, d, c);
        multiply(x3, x3, x3);
        subtract(z3, d, c);
        multiply(z3, z3, z3);
        multiply(z3, z3, point);
        multiply(x2, aa, bb);
        subtract(difference, aa, bb);
        multiply(z2, difference, constant);
        add(z2, z2, aa);
        multiply(z2, z2, difference);
        exchange(x2, x3, bit);
        exchange(z2, z3, bit);
    }
    invert(z2, z2);
    multiply(out, x2, z2);
    normalise(out);
}

uint64_t x25519(uint32_t rounds)
{
    element point = {9};
    uint8_t scalar[32];
    for (int i = 0; i < 32; i++) {
        scalar[i] = (uint8_t)(i * 11 + 1);
    }
    scalar[0] &= 248;
    scalar[31] = (uint8_t)((scalar[31] & 127) | 64);
    for (uint32_t round = 0; round < rounds; round++) {
        ladder(point, scalar, point);
    }
    uint64_t sum = 0;
    for (int i = 0; i < LIMBS; i++) {
        sum = mix(sum, (uint64_t)point[i]);
    }
    return sum;
}
