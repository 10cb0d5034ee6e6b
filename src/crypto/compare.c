/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparison in constant time.
 */
#include "crypto/crypto.h"

bool alc_secret_equal(const void *a, const void *b, size_t size)
{
    const uint8_t *first = a;
    const uint8_t *second = b;
    uint32_t difference = 0;
    for (size_t i = 0; i < size; i++) {
        difference |= (uint32_t)(first[i] ^ second[i]);
        __asm__("" : "+r"(difference)); /* no early end */
    }
    return (difference - 1) >> 31 != 0;
}
