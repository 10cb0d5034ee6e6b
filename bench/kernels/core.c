/* SPDX-License-Identifier: Apache-2.0
 *
 * A mix as embedded benchmarks use it: a linked list that is searched, reversed and sorted, small
 * matrices of integers, a state machine that reads numbers, and a checksum over all of it.
 */
#include "harness.h"

enum { NODES = 400, SIDE = 18, INPUT = 600, STATES = 6 };

struct node {
    struct node *next;
    int16_t key;
    uint16_t value;
};

static struct node nodes[NODES];
static int16_t left[SIDE][SIDE];
static int16_t right[SIDE][SIDE];
static int32_t product[SIDE][SIDE];
static char input[INPUT];

static uint16_t crc_byte(uint16_t crc, uint8_t byte)
{
    for (int i = 0; i < 8; i++) {
        uint16_t carry = (uint16_t)((crc ^ byte) & 1);
        crc >>= 1;
        byte >>= 1;
        if (carry) {
            crc ^= 0xa001;
        }
    }
    return crc;
}

static uint16_t crc_word(uint16_t crc, uint32_t word)
{
    for (int i = 0; i < 4; i++) {
        crc = crc_byte(crc, (uint8_t)(word >> (8 * i)));
    }
    return crc;
}

static struct node *reverse(struct node *list)
{
    struct node *reversed = NULL;
    while (list != NULL) {
        struct node *next = list->next;
        list->next = reversed;
        reversed = list;
        list = next;
    }
    return reversed;
}

static int32_t compare_keys(const struct node *a, const struct node *b)
{
    return a->key - b->key;
}

static int32_t compare_values(const struct node *a, const struct node *b)
{
    return (int32_t)a->value - (int32_t)b->value;
}

static struct node *merge(struct node *a, struct node *b,
                          int32_t (*compare)(const struct node *, const struct node *))
{
    struct node head = {NULL, 0, 0};
    struct node *tail = &head;
    while (a != NULL && b != NULL) {
        struct node **smaller = compare(a, b) <= 0 ? &a : &b;
        tail->next = *smaller;
        tail = *smaller;
        *smaller = tail->next;
    }
    tail->next = a != NULL ? a : b;
    return head.next;
}

/* Merges runs of growing length, kept by their size in powers of two. */
static struct node *sort(struct node *list,
                         int32_t (*compare)(const struct node *, const struct node *))
{
    struct node *runs[16] = {NULL};
    while (list != NULL) {
        struct node *run = list;
        list = list->next;
        run->next = NULL;
        int i = 0;
        for (; runs[i] != NULL; i++) {
            run = merge(runs[i], run, compare);
            runs[i] = NULL;
        }
        runs[i] = run;
    }
    struct node *sorted = NULL;
    for (int i = 0; i < 16; i++) {
        sorted = merge(runs[i], sorted, compare);
    }
    return sorted;
}

static uint16_t use_list(uint16_t crc, uint32_t round)
{
    struct node *list = NULL;
    uint32_t state = round + 1;
    for (int i = 0; i < NODES; i++) {
        nodes[i].key = (int16_t)(random_next(&state) % 2000);
        nodes[i].value = (uint16_t)(i * 7);
        nodes[i].next = list;
        list = &nodes[i];
    }
    for (int16_t wanted = 0; wanted < 40; wanted++) {
        const struct node *at = list;
        uint32_t steps = 0;
        while (at != NULL && at->key != wanted * 50) {
            at = at->next;
            steps++;
        }
        list = reverse(list);
        crc = crc_word(crc, steps);
    }
    list = sort(list, compare_keys);
    crc = crc_word(crc, (uint32_t)list->key | (uint32_t)list->value << 16);
    list = sort(list, compare_values);
    return crc_word(crc, (uint32_t)list->key | (uint32_t)list->next->value << 16);
}

static uint16_t use_matrix(uint16_t crc, uint32_t round)
{
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            left[i][j] = (int16_t)(i * j + (int32_t)round);
            right[i][j] = (int16_t)(i - 2 * j);
        }
    }
    int32_t total = 0;
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            int32_t sum = 0;
            for (int k = 0; k < SIDE; k++) {
                sum += left[i][k] * right[k][j];
            }
            product[i][j] = sum;
            int32_t bits = (sum >> 2 & 15) * (sum >> 5 & 127);
            total += bits > product[j][i] ? 10 : bits;
        }
    }
    return crc_word(crc, (uint32_t)total);
}

enum state {
    STATE_START,
    STATE_INTEGER,
    STATE_FRACTION,
    STATE_SIGN,
    STATE_EXPONENT,
    STATE_INVALID
};

static enum state step(enum state state, char c)
{
    int is_digit = c >= '0' && c <= '9';
    switch (state) {
    case STATE_START:
        return is_digit               ? STATE_INTEGER
               : c == '-' || c == '+' ? STATE_SIGN
               : c == '.'             ? STATE_FRACTION
                                      : STATE_INVALID;
    case STATE_SIGN:
        return is_digit ? STATE_INTEGER : c == '.' ? STATE_FRACTION : STATE_INVALID;
    case STATE_INTEGER:
        return is_digit   ? STATE_INTEGER
               : c == '.' ? STATE_FRACTION
               : c == 'e' ? STATE_EXPONENT
                          : STATE_INVALID;
    case STATE_FRACTION:
        return is_digit ? STATE_FRACTION : c == 'e' ? STATE_EXPONENT : STATE_INVALID;
    case STATE_EXPONENT:
        return is_digit ? STATE_EXPONENT : STATE_INVALID;
    default:
        return STATE_INVALID;
    }
}

static uint16_t use_states(uint16_t crc, uint32_t round)
{
    static const char symbols[] = "0123456789,.-e,12.,";
    uint32_t random = round * 2 + 1;
    for (int i = 0; i < INPUT; i++) {
        input[i] = symbols[random_next(&random) % (sizeof(symbols) - 1)];
    }
    uint32_t visits[STATES] = {0};
    enum state state = STATE_START;
    for (int i = 0; i < INPUT; i++) {
        if (input[i] == ',') {
            visits[state]++;
            state = STATE_START;
            continue;
        }
        state = step(state, input[i]);
    }
    for (int i = 0; i < STATES; i++) {
        crc = crc_word(crc, visits[i]);
    }
    return crc;
}

uint64_t core(uint32_t rounds)
{
    uint16_t crc = 0;
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        crc = use_list(crc, round);
        crc = use_matrix(crc, round);
        crc = use_states(crc, round);
        sum = mix(sum, crc);
    }
    return sum;
}
