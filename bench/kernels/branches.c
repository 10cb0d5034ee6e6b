/* SPDX-License-Identifier: Apache-2.0
 *
 * Branches: sorting, placing queens by backtracking, and a scanner that is one large switch.
 */
#include "harness.h"

enum { ITEMS = 4096, TEXT = 4096, QUEENS = 8 };

static uint32_t items[ITEMS];
static uint8_t text[TEXT];

static void sort(uint32_t *array, int32_t low, int32_t high)
{
    while (low < high) {
        uint32_t pivot = array[low + (high - low) / 2];
        int32_t left = low - 1, right = high + 1;
        for (;;) {
            do {
                left++;
            } while (array[left] < pivot);
            do {
                right--;
            } while (array[right] > pivot);
            if (left >= right) {
                break;
            }
            uint32_t kept = array[left];
            array[left] = array[right];
            array[right] = kept;
        }
        sort(array, low, right);
        low = right + 1;
    }
}

uint64_t quicksort(uint32_t rounds)
{
    uint64_t sum = 0;
    uint32_t state = 2024;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < ITEMS; i++) {
            items[i] = random_next(&state);
        }
        sort(items, 0, ITEMS - 1);
        for (uint32_t i = 0; i < ITEMS; i += 64) {
            sum = mix(sum, items[i]);
        }
    }
    return sum;
}

static uint32_t place_queens(uint32_t *rows, uint32_t column)
{
    if (column == QUEENS) {
        return 1;
    }
    uint32_t found = 0;
    for (uint32_t row = 0; row < QUEENS; row++) {
        uint32_t other = 0;
        while (other < column && rows[other] != row && rows[other] + column - other != row &&
               row + column - other != rows[other]) {
            other++;
        }
        if (other == column) {
            rows[column] = row;
            found += place_queens(rows, column + 1);
        }
    }
    return found;
}

uint64_t queens(uint32_t rounds)
{
    uint32_t rows[QUEENS];
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        sum = mix(sum, place_queens(rows, 0) + round);
    }
    return sum;
}

/* Kinds of tokens by their first byte; each kind is scanned in its own way. */
static uint32_t scan(uint32_t at, uint64_t *sum)
{
    uint32_t start = at;
    uint8_t c = text[at++];
    switch (c) {
    case ' ':
    case '\n':
        return at;
    case '0' ... '9': {
        uint32_t value = c - '0';
        while (at < TEXT && text[at] >= '0' && text[at] <= '9') {
            value = value * 10 + text[at++] - '0';
        }
        *sum = mix(*sum, value);
        return at;
    }
    case '+':
    case '-':
    case '*':
        *sum = mix(*sum, c);
        return at;
    case '"':
        while (at < TEXT && text[at] != '"') {
            at++;
        }
        *sum = mix(*sum, at - start);
        return at < TEXT ? at + 1 : at;
    case '(':
        *sum += 7;
        return at;
    case ')':
        *sum -= 3;
        return at;
    case '=':
    case '<':
    case '>':
        *sum = mix(*sum, at < TEXT && text[at] == '=' ? c + 256U : c);
        return at < TEXT && text[at] == '=' ? at + 1 : at;
    default:
        while (at < TEXT && text[at] >= 'a' && text[at] <= 'z') {
            at++;
        }
        *sum = mix(*sum, (at - start) * 31 + c);
        return at;
    }
}

uint64_t scanner(uint32_t rounds)
{
    static const char alphabet[] = "aeinrst lo 01239 +-*()=<>\n\"";
    uint32_t state = 5;
    for (uint32_t i = 0; i < TEXT; i++) {
        text[i] = (uint8_t)alphabet[random_next(&state) % (sizeof(alphabet) - 1)];
    }
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t at = 0; at < TEXT;) {
            at = scan(at, &sum);
        }
    }
    return sum;
}
