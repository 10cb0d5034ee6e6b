/* SPDX-License-Identifier: Apache-2.0
 *
 * zlib: text is compressed at the usual level and expanded again.
 */
#include "harness.h"
#include "text.h"

#include "zlib.h"

#include <stdlib.h>

enum { TEXT = 1 << 16 };

static uint8_t text[TEXT];
static uint8_t packed[TEXT + TEXT / 2];
static uint8_t unpacked[TEXT];

uint64_t zlib(uint32_t rounds)
{
    uint64_t sum = 0;
    make_text(text, TEXT, 1);
    for (uint32_t round = 0; round < rounds; round++) {
        text[round * 97 % TEXT] ^= 1;
        uLongf packed_size = sizeof(packed);
        uLongf size = TEXT;
        if (compress2(packed, &packed_size, text, TEXT, 6) != Z_OK ||
            uncompress(unpacked, &size, packed, packed_size) != Z_OK ||
            memcmp(text, unpacked, TEXT) != 0) {
            abort();
        }
        sum = mix(mix(sum, packed_size), adler32(1, packed, (uInt)packed_size));
    }
    return sum;
}
