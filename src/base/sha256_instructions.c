/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 by the SHA extensions of x86-64 (SDM 2B, SHA256RNDS2): two rounds an instruction, on a
 * state kept as the words ABEF and CDGH. Legacy encodings only, so it runs where an enclave has SSE
 * and nothing else.
 */
#include <immintrin.h>

#include "base/sha256_internal.h"

#define SHA_FUNCTION __attribute__((target("sha,sse4.1")))

struct halves {
    __m128i abef;
    __m128i cdgh;
};

SHA_FUNCTION static ALC_ALWAYS_INLINE void four_rounds(struct halves *state, __m128i words,
                                                       unsigned round)
{
    __m128i sums =
        _mm_add_epi32(words, _mm_loadu_si128((const void *)&alc_sha256_constants[round]));
    state->cdgh = _mm_sha256rnds2_epu32(state->cdgh, state->abef, sums);
    sums = _mm_shuffle_epi32(sums, 0x0E);
    state->abef = _mm_sha256rnds2_epu32(state->abef, state->cdgh, sums);
}

/* The next four words of the schedule, from the sixteen before them: the oldest first. */
SHA_FUNCTION static ALC_ALWAYS_INLINE __m128i next_words(__m128i a, __m128i b, __m128i c, __m128i d)
{
    __m128i words = _mm_sha256msg1_epu32(a, b);
    words = _mm_add_epi32(words, _mm_alignr_epi8(d, c, 4));
    return _mm_sha256msg2_epu32(words, d);
}

SHA_FUNCTION static ALC_ALWAYS_INLINE __m128i load_words(const uint8_t *bytes)
{
    const __m128i reversed = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    return _mm_shuffle_epi8(_mm_loadu_si128((const void *)bytes), reversed);
}

SHA_FUNCTION static ALC_ALWAYS_INLINE void compress_one(struct halves *state, const uint8_t *block)
{
    const struct halves before = *state;
    __m128i a = load_words(block), b = load_words(block + 16);
    __m128i c = load_words(block + 32), d = load_words(block + 48);
    for (unsigned round = 0;; round += 16) {
        four_rounds(state, a, round);
        four_rounds(state, b, round + 4);
        four_rounds(state, c, round + 8);
        four_rounds(state, d, round + 12);
        if (round == 48) {
            break;
        }
        a = next_words(a, b, c, d);
        b = next_words(b, c, d, a);
        c = next_words(c, d, a, b);
        d = next_words(d, a, b, c);
    }
    state->abef = _mm_add_epi32(state->abef, before.abef);
    state->cdgh = _mm_add_epi32(state->cdgh, before.cdgh);
}

SHA_FUNCTION static void compress_blocks(uint32_t state[8], const uint8_t *blocks,
                                         size_t blocks_count)
{
    __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const void *)state), 0xB1);
    __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const void *)(state + 4)), 0x1B);
    struct halves halves = {.abef = _mm_alignr_epi8(badc, hgfe, 8),
                            .cdgh = _mm_blend_epi16(hgfe, badc, 0xF0)};
    for (; blocks_count > 0; blocks_count--) {
        compress_one(&halves, blocks);
        blocks += ALC_SHA256_BLOCK_SIZE;
    }
    __m128i feba = _mm_shuffle_epi32(halves.abef, 0x1B);
    __m128i dchg = _mm_shuffle_epi32(halves.cdgh, 0xB1);
    _mm_storeu_si128((void *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

void alc_sha256_use_instructions(void)
{
    alc_sha256_blocks_function = compress_blocks;
}
