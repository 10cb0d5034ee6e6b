/* SPDX-License-Identifier: Apache-2.0
 *
 * Nested loops over the fields of encodings.
 */
#include "verifier/enumerate.h"

#include <string.h>

#include "verifier/generate.h"

struct walk {
    uint64_t *state;
    enumerate_visit *visit;
    void *context;
    uint8_t bytes[ALC_X86_WINDOW_SIZE];
};

/* Bases and indices that are rsp, none, and others, with scales. */
static const uint8_t g_some_sibs[] = {0x00, 0x04, 0x05, 0x0C, 0x20, 0x24, 0x25, 0x2C,
                                      0x2D, 0x45, 0x64, 0x67, 0x9C, 0xA5, 0xE4, 0xFF};

static void visit_one(struct walk *walk, uint32_t size, uint32_t modrm, uint32_t sib)
{
    uint64_t tail[2] = {random_next(walk->state), random_next(walk->state)};
    uint8_t bytes[ALC_X86_WINDOW_SIZE];
    memcpy(bytes, tail, sizeof bytes);
    memcpy(bytes, walk->bytes, size);
    bytes[size] = (uint8_t)modrm;
    if (modrm < 0xC0 && (modrm & 7) == 4) {
        bytes[size + 1] = (uint8_t)sib;
    }
    walk->visit(walk->context, bytes);
}

/* Every ModRM behind `size` bytes, with every SIB or with some. */
static void visit_operands(struct walk *walk, uint32_t size, bool is_every_sib)
{
    uint32_t sibs_count = is_every_sib ? 256 : sizeof g_some_sibs;
    for (uint32_t modrm = 0; modrm < 256; modrm++) {
        bool has_sib = modrm < 0xC0 && (modrm & 7) == 4;
        for (uint32_t i = 0; i < (has_sib ? sibs_count : 1); i++) {
            visit_one(walk, size, modrm, is_every_sib ? i : g_some_sibs[i]);
        }
    }
}

/* gs and the address size by the bits of `which`. */
static uint32_t put_memory_prefixes(struct walk *walk, uint32_t which)
{
    uint32_t size = 0;
    if ((which & 1) != 0) {
        walk->bytes[size++] = 0x65;
    }
    if ((which & 2) != 0) {
        walk->bytes[size++] = 0x67;
    }
    return size;
}

static void visit_legacy(struct walk *walk, uint8_t opcode)
{
    static const uint8_t prefixes[] = {0, 0x66, 0xF2, 0xF3};
    static const uint8_t escapes[] = {0, 0, 0x38, 0x3A};
    for (uint32_t i = 0; i < 4 * 4 * 17 * 4; i++) {
        uint32_t size = put_memory_prefixes(walk, i & 3);
        uint32_t prefix = i >> 2 & 3;
        uint32_t map = i >> 4 & 3;
        uint32_t rex = i >> 6;
        if (prefix != 0) {
            walk->bytes[size++] = prefixes[prefix];
        }
        if (rex != 0) {
            walk->bytes[size++] = (uint8_t)(0x40 + rex - 1);
        }
        if (map != 0) {
            walk->bytes[size++] = 0x0F;
        }
        if (map > 1) {
            walk->bytes[size++] = escapes[map];
        }
        walk->bytes[size++] = opcode;
        visit_operands(walk, size, true);
    }
}

static void visit_vex_2(struct walk *walk, uint8_t opcode)
{
    for (uint32_t i = 0; i < 4 * 256; i++) {
        uint32_t size = put_memory_prefixes(walk, i & 3);
        walk->bytes[size++] = 0xC5;
        walk->bytes[size++] = (uint8_t)(i >> 2);
        walk->bytes[size++] = opcode;
        visit_operands(walk, size, true);
    }
}

static void visit_vex_3(struct walk *walk, uint8_t opcode)
{
    /* Inverted: none, rsp, r12, xmm7. */
    static const uint8_t vvvv[] = {15, 11, 3, 8};
    for (uint32_t i = 0; i < 2 * 8 * 3 * 64; i++) {
        uint32_t size = put_memory_prefixes(walk, (i & 1) * 3);
        uint32_t fields = i >> 1 & 63;
        uint32_t rest = i >> 7;
        walk->bytes[size++] = 0xC4;
        walk->bytes[size++] = (uint8_t)((rest & 7) << 5 | (rest / 8 + 1));
        walk->bytes[size++] =
            (uint8_t)((fields & 1) << 7 | vvvv[fields >> 1 & 3] << 3 | (fields >> 3 & 7));
        walk->bytes[size++] = opcode;
        visit_operands(walk, size, false);
    }
}

void enumerate(uint64_t *state, uint32_t shard, uint32_t shards, enumerate_visit *visit,
               void *context)
{
    struct walk walk = {.state = state, .visit = visit, .context = context};
    for (uint32_t opcode = shard; opcode < 256; opcode += shards) {
        visit_legacy(&walk, (uint8_t)opcode);
        visit_vex_2(&walk, (uint8_t)opcode);
        visit_vex_3(&walk, (uint8_t)opcode);
    }
}
