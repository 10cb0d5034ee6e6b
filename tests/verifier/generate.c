/* SPDX-License-Identifier: Apache-2.0
 *
 * The opcodes come out of x86.def, so that a new row is tested without a line here; what they are
 * combined with does not.
 */
#include "verifier/generate.h"

#include <stdbool.h>
#include <string.h>

enum { PREFIX_NP, PREFIX_66, PREFIX_F3, PREFIX_F2 };

struct opcodes {
    uint8_t map, prefix, first, last;
};
static const struct opcodes g_opcodes[] = {
#define ROW(map, prefix, first, last, form) {map, PREFIX_##prefix, first, last},
#include "native/x86.def"
};
enum { ROWS_COUNT = sizeof g_opcodes / sizeof g_opcodes[0] };

static bool one_in(uint64_t *state, uint32_t n)
{
    return random_below(state, n) == 0;
}

static uint8_t *put_vex(uint64_t *state, uint8_t *at, uint8_t map, uint8_t prefix)
{
    uint64_t bits = random_next(state);
    uint8_t vvvv = (bits & 3) == 0 ? (uint8_t)(bits >> 8 & 0x78) : 0x78;
    uint8_t last = (uint8_t)(vvvv | prefix | ((bits & 12) == 0 ? 4 : 0));
    if (map == 1 && (bits >> 4 & 1) == 0) {
        *at++ = 0xC5;
        *at++ = (uint8_t)(last | (bits >> 16 & 0x80));
    } else {
        *at++ = 0xC4;
        *at++ = (uint8_t)(map | (bits >> 16 & 0xE0));
        *at++ = (uint8_t)(last | ((bits >> 24 & 3) == 0 ? 0x80 : 0));
    }
    return at;
}

static uint8_t *put_opcode(uint64_t *state, uint8_t *at)
{
    static const uint8_t prefixes[] = {0, 0x66, 0xF3, 0xF2};
    static const uint8_t escapes[] = {0, 0, 0x38, 0x3A};
    const struct opcodes *row = &g_opcodes[random_below(state, ROWS_COUNT)];
    uint8_t opcode = (uint8_t)(row->first + random_below(state, row->last - row->first + 1U));
    if (row->map != 0 && one_in(state, 3)) {
        at = put_vex(state, at, row->map, row->prefix);
    } else {
        if (row->prefix != PREFIX_NP) {
            *at++ = prefixes[row->prefix];
        }
        if (one_in(state, 2)) {
            *at++ = (uint8_t)(0x40 | random_below(state, 16));
        }
        if (row->map != 0) {
            *at++ = 0x0F;
            *at = escapes[row->map];
            at += row->map > 1 ? 1 : 0;
        }
    }
    *at++ = opcode;
    return at;
}

void generate_instruction(uint64_t *state, uint8_t *bytes)
{
    uint64_t tail[2] = {random_next(state), random_next(state)};
    uint8_t *at = bytes;
    memcpy(bytes, tail, sizeof tail);
    uint32_t memory = random_below(state, 4);
    if (memory == 0) {
        *at++ = 0x65;
    }
    if (memory == 0 ? !one_in(state, 3) : one_in(state, 16)) {
        *at++ = 0x67;
    }
    if (one_in(state, 64)) {
        *at++ = 0xF0;
    }
    at = put_opcode(state, at);
    if (memory != 0 && one_in(state, 2)) {
        *at |= 0xC0; /* registers */
    }
    if (one_in(state, 8)) {
        spoil(state, bytes, ALC_X86_WINDOW_SIZE);
    }
}

void generate_confined(uint64_t *state, uint8_t *bytes)
{
    memset(bytes, 0, ALC_X86_WINDOW_SIZE);
    uint8_t *at = bytes;
    uint32_t memory = random_below(state, 6);
    if (memory == 0 || memory == 1) {
        *at++ = 0x65;
    }
    if (memory == 0) {
        *at++ = 0x67;
    }
    at = put_opcode(state, at);
    uint8_t reg = (uint8_t)(random_below(state, 8) << 3);
    uint32_t displacement = (uint32_t)random_next(state);
    switch (memory) {
    case 0: /* the window */
        *at++ = (uint8_t)random_next(state);
        *at++ = (uint8_t)random_next(state);
        break;
    case 1: /* the context */
        *at++ = reg | 4;
        *at++ = 0x25;
        displacement = (uint32_t)(-520 - (int32_t)(displacement % 4096 & ~7U));
        break;
    case 2: /* the frame */
        *at++ = reg | 0x44;
        *at++ = 0x24;
        displacement = displacement % 8 * 8;
        break;
    case 3: /* the constants */
        *at++ = reg | 5;
        displacement = 4096 + displacement % 64;
        break;
    default:
        *at++ = (uint8_t)(0xC0 | random_next(state));
        break;
    }
    for (uint32_t i = 0; i < 4 && at + i < bytes + ALC_X86_WINDOW_SIZE; i++) {
        at[i] = (uint8_t)(displacement >> 8 * i);
    }
}

void spoil(uint64_t *state, uint8_t *bytes, uint32_t size)
{
    static const uint8_t bytes_that_matter[] = {0x65, 0x64, 0x67, 0x66, 0xF2, 0xF3, 0xF0, 0x2E,
                                                0x3E, 0x36, 0x26, 0x40, 0x48, 0x44, 0x41, 0x4F,
                                                0x0F, 0xC4, 0xC5, 0x62, 0xE4, 0xEC, 0x24, 0x04};
    uint32_t at = random_below(state, size);
    uint8_t value = (uint8_t)random_next(state);
    switch (random_below(state, 5)) {
    case 0:
        bytes[at] ^= (uint8_t)(1U << (value & 7));
        break;
    case 1:
        bytes[at] = value;
        break;
    case 2:
        bytes[at] = bytes_that_matter[value % sizeof bytes_that_matter];
        break;
    case 3: /* a byte in between */
        memmove(bytes + at + 1, bytes + at, size - at - 1);
        bytes[at] = bytes_that_matter[value % sizeof bytes_that_matter];
        break;
    default: /* a byte is missing */
        memmove(bytes + at, bytes + at + 1, size - at - 1);
        break;
    }
}

uint32_t encoding_slot(const uint8_t *at)
{
    uint32_t prefix = 0;
    uint32_t map = 0;
    uint32_t is_vex = 0;
    while (*at == 0x65 || *at == 0x67) {
        at++;
    }
    for (; *at == 0x66 || *at == 0x2E || *at == 0xF2 || *at == 0xF3; at++) {
        prefix = *at == 0x66 ? 1 : *at == 0xF3 ? 2 : 3;
    }
    at += (*at & 0xF0) == 0x40 ? 1 : 0;
    if (*at == 0xC4 || *at == 0xC5) {
        is_vex = 1;
        map = *at == 0xC4 ? at[1] & 3 : 1;
        at += *at == 0xC4 ? 2 : 1;
        prefix = *at & 3;
        at++;
    } else if (*at == 0x0F) {
        map = at[1] == 0x38 ? 2 : at[1] == 0x3A ? 3 : 1;
        at += map == 1 ? 1 : 2;
    }
    return ((((is_vex * 4 + map) * 4 + prefix) * 256 + at[0]) * 8) + (at[1] >> 3 & 7);
}
