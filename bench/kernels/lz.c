/* SPDX-License-Identifier: Apache-2.0
 *
 * Compression by back references found through a hash table, and expansion again, over text made of
 * repeated words.
 */
#include "harness.h"

enum { TEXT = 1 << 15, PACKED = TEXT + TEXT / 8 + 16, TABLE_BITS = 12, MATCH_MIN = 4 };

static uint8_t text[TEXT];
static uint8_t packed[PACKED];
static uint8_t unpacked[TEXT];
static int32_t table[1 << TABLE_BITS];

static void make_text(void)
{
    static const char *const words[] = {"enclave", "memory", "the ",  "of",  "instance ", "module",
                                        ", ",      ". ",     "table", "and", " ",         "\n"};
    uint32_t state = 77;
    for (uint32_t at = 0; at < TEXT;) {
        const char *word = words[random_next(&state) % (sizeof(words) / sizeof(words[0]))];
        while (*word != '\0' && at < TEXT) {
            text[at++] = (uint8_t)*word++;
        }
        if (at < TEXT && random_next(&state) % 5 == 0) {
            text[at++] = (uint8_t)random_next(&state);
        }
    }
}

static uint32_t read_word(const uint8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* A length of literals, the literals, then length and distance of a match; a length of 0 ends. */
static uint32_t put_length(uint32_t out, uint32_t length)
{
    while (length >= 255) {
        packed[out++] = 255;
        length -= 255;
    }
    packed[out++] = (uint8_t)length;
    return out;
}

static uint32_t put_literals(uint32_t out, uint32_t from, uint32_t to)
{
    out = put_length(out, to - from);
    for (uint32_t i = from; i < to; i++) {
        packed[out++] = text[i];
    }
    return out;
}

static uint32_t pack(void)
{
    uint32_t out = 0, literals = 0, at = 0;
    memset(table, 0xff, sizeof(table));
    while (at + MATCH_MIN <= TEXT) {
        uint32_t word = read_word(text + at);
        uint32_t slot = word * 2654435761U >> (32 - TABLE_BITS);
        int32_t before = table[slot];
        table[slot] = (int32_t)at;
        if (before < 0 || read_word(text + before) != word) {
            at++;
            continue;
        }
        uint32_t length = MATCH_MIN;
        while (at + length < TEXT && text[(uint32_t)before + length] == text[at + length]) {
            length++;
        }
        uint32_t distance = at - (uint32_t)before;
        out = put_literals(out, literals, at);
        out = put_length(out, length);
        packed[out++] = (uint8_t)distance;
        packed[out++] = (uint8_t)(distance >> 8);
        at += length;
        literals = at;
    }
    out = put_literals(out, literals, TEXT);
    return put_length(out, 0);
}

static uint32_t get_length(uint32_t *in)
{
    uint32_t length = 0;
    while (packed[*in] == 255) {
        length += 255;
        ++*in;
    }
    return length + packed[(*in)++];
}

static uint32_t unpack(void)
{
    uint32_t in = 0, out = 0;
    for (;;) {
        for (uint32_t literals = get_length(&in); literals != 0; literals--) {
            unpacked[out++] = packed[in++];
        }
        uint32_t length = get_length(&in);
        if (length == 0) {
            return out;
        }
        uint32_t distance = packed[in] | (uint32_t)packed[in + 1] << 8;
        in += 2;
        for (; length != 0; length--) {
            unpacked[out] = unpacked[out - distance];
            out++;
        }
    }
}

uint64_t lz(uint32_t rounds)
{
    uint64_t sum = 0;
    make_text();
    for (uint32_t round = 0; round < rounds; round++) {
        text[round % TEXT] ^= 1;
        uint32_t size = pack();
        sum = mix(mix(sum, size), unpack());
        sum += memcmp(text, unpacked, TEXT) == 0;
    }
    return sum;
}
