/* SPDX-License-Identifier: Apache-2.0
 *
 * Which operations run as one. Every operation chooses for itself, so a label needs no care: who
 * jumps into the middle of a sequence finds the best choice from there.
 */
#include "wasm/emit_sequences.h"

#if ALC_CODE_SEQUENCES

enum { NONE = ALC_CODE_COUNT };
_Static_assert(ALC_CODE_COUNT < UINT16_MAX, "numbers fit into 16 bits");

/* clang-format off */
/* In ascending order; what a row does not have is NONE, so that longer ones come first. */
static const struct {
    uint16_t codes[ALC_SEQUENCE_MAX];
} rows[] = {
#define TWO(a, b) {{ALC_CODE_##a, ALC_CODE_##b, NONE}},
#define THREE(a, b, c) {{ALC_CODE_##a, ALC_CODE_##b, ALC_CODE_##c}},
#include "wasm/code_sequences.def"
#undef TWO
#undef THREE
};

/* The last row of each first operation (of several initializers the last one counts), or 0. */
#pragma clang diagnostic ignored "-Winitializer-overrides"
static const uint16_t last_rows[ALC_CODE_SINGLE_COUNT] = {
#define TWO(a, b) [ALC_CODE_##a] = ALC_CODE_##a##__##b - ALC_CODE_SINGLE_COUNT,
#define THREE(a, b, c) [ALC_CODE_##a] = ALC_CODE_##a##__##b##__##c - ALC_CODE_SINGLE_COUNT,
#include "wasm/code_sequences.def"
#undef TWO
#undef THREE
};
/* clang-format on */

static uint32_t key_of(const uint16_t codes[2])
{
    return (uint32_t)codes[0] << 16 | codes[1];
}

/* The last row that begins with both operations, or any other one. */
static uint32_t find_last(uint32_t first, uint32_t second)
{
    uint32_t key = first << 16 | second;
    uint32_t low = 0;
    uint32_t high = last_rows[first];
    if (rows[high].codes[0] != first) {
        return high;
    }
    while (low < high) {
        uint32_t middle = (low + high + 1) / 2;
        if (key_of(rows[middle].codes) <= key) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

/* How many operations the row has when all but the first are those of the window, else 0. */
static uint32_t match(const uint16_t *row, const struct alc_sequence_window *window)
{
    uint32_t count = 1;
    while (count < ALC_SEQUENCE_MAX && row[count] != NONE) {
        if (row[count] != window->codes[count - 1]) {
            return 0;
        }
        count++;
    }
    return count;
}

uint32_t alc_sequence_choose(struct alc_sequence_window *window, uint32_t code)
{
    uint32_t chosen = code;
    uint32_t cost = window->costs[0];
    const uint16_t begin[2] = {(uint16_t)code, window->codes[0]};
    uint32_t row = find_last(code, begin[1]);
    while (key_of(rows[row].codes) == key_of(begin)) {
        uint32_t count = match(rows[row].codes, window);
        if (count > 0 && window->costs[count - 1] < cost) {
            cost = window->costs[count - 1];
            chosen = ALC_CODE_SINGLE_COUNT + row;
        }
        if (row-- == 0) {
            break;
        }
    }
    for (unsigned i = ALC_SEQUENCE_MAX - 1; i > 0; i--) {
        window->costs[i] = window->costs[i - 1];
    }
    for (unsigned i = ALC_SEQUENCE_MAX - 2; i > 0; i--) {
        window->codes[i] = window->codes[i - 1];
    }
    window->costs[0] = cost + 1;
    window->codes[0] = (uint16_t)code;
    return chosen;
}

#endif
