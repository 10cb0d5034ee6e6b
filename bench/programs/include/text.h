/* SPDX-License-Identifier: Apache-2.0
 *
 * Text to work on: words in random order, numbers among them, some of it repeated.
 */
#ifndef BENCH_TEXT_H
#define BENCH_TEXT_H

#include "harness.h"

/* Fills `size` bytes; the same seed gives the same text. */
static inline void make_text(uint8_t *text, uint32_t size, uint32_t seed)
{
    static const char *const words[] = {
        "the",    "measure", "of",    "an",     "enclave", "is",       "computed", "from",
        "each",   "page",    "that",  "loader", "adds",    "before",   "it",       "may",
        "run",    "and",     "every", "byte",   "counts",  "register", "stack",    "window",
        "module", "memory",  "table", "global", "export",  "instance", "function", "type",
        "branch", "value",   "label", "frame",  "trap",    "limit",    "segment",  "offset"};
    uint32_t state = seed;
    uint32_t at = 0;
    while (at < size) {
        uint32_t choice = random_next(&state);
        if (choice % 16 == 0 && at > 512) {
            uint32_t from = at - 512 + choice / 16 % 400;
            for (uint32_t i = 0; i < 32 && at < size; i++) {
                text[at++] = text[from + i];
            }
            continue;
        }
        if (choice % 16 == 1) {
            for (uint32_t number = choice >> 8; number != 0 && at < size; number /= 10) {
                text[at++] = (uint8_t)('0' + number % 10);
            }
        } else {
            const char *word = words[choice / 16 % (sizeof(words) / sizeof(words[0]))];
            while (*word != '\0' && at < size) {
                text[at++] = (uint8_t)*word++;
            }
        }
        if (at < size) {
            text[at++] = choice >> 28 == 0 ? '\n' : ' ';
        }
    }
}

#endif
