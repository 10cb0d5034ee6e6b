/* SPDX-License-Identifier: Apache-2.0
 *
 * Huffman coding: counts bytes, builds the tree with a heap, writes bits and reads them back.
 */
#include "harness.h"

enum { TEXT = 1 << 14, SYMBOLS = 256, NODES = 2 * SYMBOLS };

struct node {
    uint32_t weight;
    int16_t left, right; /* -1: a leaf */
};

static uint8_t text[TEXT];
static uint8_t bits[4 * TEXT];
static struct node nodes[NODES];
static int16_t heap[NODES];
static uint32_t heap_size;
static uint32_t codes[SYMBOLS];
static uint8_t lengths[SYMBOLS];

static void sift_down(uint32_t at)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= heap_size) {
            return;
        }
        if (child + 1 < heap_size && nodes[heap[child + 1]].weight < nodes[heap[child]].weight) {
            child++;
        }
        if (nodes[heap[at]].weight <= nodes[heap[child]].weight) {
            return;
        }
        int16_t kept = heap[at];
        heap[at] = heap[child];
        heap[child] = kept;
        at = child;
    }
}

static int16_t take_lightest(void)
{
    int16_t lightest = heap[0];
    heap[0] = heap[--heap_size];
    sift_down(0);
    return lightest;
}

static void put(int16_t node)
{
    uint32_t at = heap_size++;
    while (at > 0 && nodes[heap[(at - 1) / 2]].weight > nodes[node].weight) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = node;
}

static int16_t make_tree(void)
{
    memset(nodes, 0, sizeof(nodes));
    for (uint32_t i = 0; i < TEXT; i++) {
        nodes[text[i]].weight++;
    }
    heap_size = 0;
    for (int16_t i = 0; i < SYMBOLS; i++) {
        nodes[i].left = nodes[i].right = -1;
        if (nodes[i].weight != 0) {
            put(i);
        }
    }
    int16_t made = SYMBOLS;
    while (heap_size > 1) {
        int16_t left = take_lightest();
        int16_t right = take_lightest();
        nodes[made] = (struct node){nodes[left].weight + nodes[right].weight, left, right};
        put(made++);
    }
    return heap[0];
}

static void make_codes(int16_t node, uint32_t code, uint8_t length)
{
    if (nodes[node].left < 0) {
        codes[node] = code;
        lengths[node] = length;
        return;
    }
    make_codes(nodes[node].left, code << 1, (uint8_t)(length + 1));
    make_codes(nodes[node].right, code << 1 | 1, (uint8_t)(length + 1));
}

static uint32_t write_bits(void)
{
    uint64_t pending = 0;
    uint32_t count = 0, out = 0;
    for (uint32_t i = 0; i < TEXT; i++) {
        pending = pending << lengths[text[i]] | codes[text[i]];
        count += lengths[text[i]];
        while (count >= 8) {
            count -= 8;
            bits[out++] = (uint8_t)(pending >> count);
        }
    }
    bits[out++] = (uint8_t)(pending << (8 - count));
    return out;
}

static uint64_t read_bits(int16_t root)
{
    uint64_t sum = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < TEXT; i++) {
        int16_t node = root;
        while (nodes[node].left >= 0) {
            uint32_t bit = bits[at / 8] >> (7 - at % 8) & 1;
            node = bit ? nodes[node].right : nodes[node].left;
            at++;
        }
        sum = sum * 31 + (uint32_t)(node == text[i]) + (uint32_t)node;
    }
    return sum;
}

uint64_t huffman(uint32_t rounds)
{
    uint64_t sum = 0;
    uint32_t state = 13;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < TEXT; i++) {
            uint32_t random = random_next(&state);
            text[i] = (uint8_t)(random & random >> 8 & random >> 16);
        }
        int16_t root = make_tree();
        make_codes(root, 0, 0);
        sum = mix(sum, write_bits());
        sum = mix(sum, read_bits(root));
    }
    return sum;
}
