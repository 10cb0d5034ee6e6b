/* SPDX-License-Identifier: Apache-2.0
 *
 * zstd: text is compressed at level 3 and expanded again.
 */
#include "harness.h"
#include "text.h"

#include "zstd.h"

#include <stdlib.h>

enum { TEXT = 1 << 18, PACKED = TEXT + TEXT / 2 };

static uint8_t text[TEXT];
static uint8_t packed[PACKED];
static uint8_t unpacked[TEXT];

uint64_t zstd(uint32_t rounds)
{
    uint64_t sum = 0;
    make_text(text, TEXT, 2);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (context == NULL) {
        abort();
    }
    for (uint32_t round = 0; round < rounds; round++) {
        text[round * 97 % TEXT] ^= 1;
        size_t size = ZSTD_compressCCtx(context, packed, PACKED, text, TEXT, 3);
        if (ZSTD_isError(size) || ZSTD_decompress(unpacked, TEXT, packed, size) != TEXT ||
            memcmp(text, unpacked, TEXT) != 0) {
            abort();
        }
        for (size_t i = 0; i < size; i += 16) {
            sum = mix(sum, packed[i]);
        }
        sum = mix(sum, size);
    }
    ZSTD_freeCCtx(context);
    return sum;
}
