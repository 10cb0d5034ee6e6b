/* SPDX-License-Identifier: Apache-2.0
 *
 * Integer arithmetic: mixing of bits in both widths, division, and a sieve.
 */
#include "harness.h"

enum { SIEVE_SIZE = 1 << 17 };

static uint8_t is_composite[SIEVE_SIZE];

static uint64_t mix_wide(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint32_t mix_narrow(uint32_t x)
{
    x = (x << 7 | x >> 25) + 0x9e3779b9U;
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    return x * 0x846ca68bU;
}

uint64_t integer_mix(uint32_t rounds)
{
    uint64_t sum = 0;
    uint32_t narrow = 1;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < 100000; i++) {
            narrow = mix_narrow(narrow + i);
            sum += mix_wide(sum ^ narrow) + (uint32_t)__builtin_popcount(narrow);
            narrow += (uint32_t)__builtin_clzll(sum | 1) + (uint32_t)(sum >> 40);
        }
    }
    return mix(sum, narrow);
}

static uint32_t greatest_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint32_t power_modulo(uint32_t base, uint32_t exponent, uint32_t modulus)
{
    uint64_t result = 1;
    uint64_t square = base % modulus;
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1) {
            result = result * square % modulus;
        }
        square = square * square % modulus;
    }
    return (uint32_t)result;
}

uint64_t integer_divide(uint32_t rounds)
{
    uint64_t sum = 0;
    uint32_t state = 12345;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < 2000; i++) {
            uint32_t a = random_next(&state);
            uint32_t b = random_next(&state) | 1;
            sum = mix(sum, greatest_divisor(a, b));
            sum = mix(sum, power_modulo(a, b >> 16, 1000003 + i));
            sum += (uint32_t)((int32_t)a / (int32_t)((b >> 20) + 1));
        }
    }
    return sum;
}

uint64_t sieve(uint32_t rounds)
{
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        memset(is_composite, 0, sizeof(is_composite));
        uint32_t count = 0;
        for (uint32_t i = 2; i < SIEVE_SIZE; i++) {
            if (is_composite[i]) {
                continue;
            }
            count++;
            for (uint32_t j = i + i; j < SIEVE_SIZE; j += i) {
                is_composite[j] = 1;
            }
        }
        sum = mix(sum, count + round);
    }
    return sum;
}
