/* SPDX-License-Identifier: Apache-2.0
 *
 * Ecalls of the image with crypto/, and the page outside through which inputs and results travel.
 */
#ifndef ALC_TESTS_INSIDE_CRYPTO_CALLS_H
#define ALC_TESTS_INSIDE_CRYPTO_CALLS_H

#include <stdint.h>

enum crypto_ecall {
    CRYPTO_HASHES, /* out: the three digests of `in`, then HMAC-SHA-512 under its first 32 bytes */
    CRYPTO_HKDF,   /* out: 100 bytes from `in` as secret */
    CRYPTO_CMAC,   /* out: the code of `in` under its first 16 bytes */
    CRYPTO_SEAL,   /* out: `in` sealed under its first 32 bytes with the next 12, then the tag */
    CRYPTO_SIGN,   /* curve; out: SPKI of a new key, r || s over `in`'s SHA-256 */
    CRYPTO_SHARE,  /* curve; in: SPKI of the peer; out: SPKI of a new key, the secret */
    CRYPTO_ECALLS_COUNT
};

struct crypto_page {
    uint64_t curve;
    uint64_t in_size;
    uint64_t out_size; /* what was written */
    uint64_t status;   /* alc_status */
    uint8_t in[1024];
    uint8_t out[3040];
};
_Static_assert(sizeof(struct crypto_page) == 4096, "one page");

#endif
