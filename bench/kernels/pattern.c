/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions: compiled to a small program that runs all its threads in step over a text.
 */
#include "harness.h"

enum { PROGRAM_MAX = 128, TEXT = 8192 };

enum kind { KIND_BYTE, KIND_ANY, KIND_RANGE, KIND_SPLIT, KIND_JUMP, KIND_MATCH };

struct step {
    enum kind kind;
    uint8_t low, high;
    int16_t one, two;
};

struct threads {
    int16_t list[PROGRAM_MAX];
    int16_t count;
};

static struct step program[PROGRAM_MAX];
static int16_t program_size;
static uint32_t seen[PROGRAM_MAX];
static uint32_t generation;
static uint8_t text[TEXT];

static int16_t emit(enum kind kind, uint8_t low, uint8_t high, int16_t one, int16_t two)
{
    program[program_size] = (struct step){kind, low, high, one, two};
    return program_size++;
}

/* One atom: a byte, `.`, or `[a-z]`; then perhaps `*` or `+`. Alternatives only at the top: `|`. */
static const char *compile_atom(const char *pattern)
{
    int16_t start = program_size;
    char repeat = pattern[*pattern == '[' ? 5 : 1];
    if (repeat == '*') {
        emit(KIND_SPLIT, 0, 0, (int16_t)(start + 1), (int16_t)(start + 3));
    }
    if (*pattern == '[') {
        emit(KIND_RANGE, (uint8_t)pattern[1], (uint8_t)pattern[3], 0, 0);
        pattern += 5;
    } else {
        emit(*pattern == '.' ? KIND_ANY : KIND_BYTE, (uint8_t)*pattern, 0, 0, 0);
        pattern++;
    }
    if (repeat == '*') {
        emit(KIND_JUMP, 0, 0, start, 0);
    } else if (repeat == '+') {
        emit(KIND_SPLIT, 0, 0, start, (int16_t)(start + 2));
    }
    return repeat == '*' || repeat == '+' ? pattern + 1 : pattern;
}

static void compile(const char *pattern)
{
    program_size = 0;
    int16_t split = emit(KIND_SPLIT, 0, 0, 1, 0);
    while (*pattern != '\0') {
        if (*pattern == '|') {
            emit(KIND_MATCH, 0, 0, 0, 0);
            program[split].two = program_size;
            split = emit(KIND_SPLIT, 0, 0, (int16_t)(program_size + 1), 0);
            pattern++;
        } else {
            pattern = compile_atom(pattern);
        }
    }
    emit(KIND_MATCH, 0, 0, 0, 0);
    /* The last alternative has no other: both ways lead into it. */
    program[split].two = program[split].one;
}

static void add_thread(struct threads *threads, int16_t at)
{
    if (seen[at] == generation) {
        return;
    }
    seen[at] = generation;
    if (program[at].kind == KIND_JUMP) {
        add_thread(threads, program[at].one);
    } else if (program[at].kind == KIND_SPLIT) {
        add_thread(threads, program[at].one);
        add_thread(threads, program[at].two);
    } else {
        threads->list[threads->count++] = at;
    }
}

static int accepts(const struct step *step, uint8_t byte)
{
    switch (step->kind) {
    case KIND_BYTE:
        return step->low == byte;
    case KIND_ANY:
        return byte != '\n';
    case KIND_RANGE:
        return step->low <= byte && byte <= step->high;
    default:
        return 0;
    }
}

/* How many places in the text end a match that began anywhere before. */
static uint32_t count_matches(void)
{
    static struct threads both[2];
    struct threads *now = &both[0], *then = &both[1];
    uint32_t matches = 0;
    now->count = 0;
    generation++;
    for (uint32_t at = 0; at < TEXT; at++) {
        add_thread(now, 0);
        then->count = 0;
        generation++;
        int is_match = 0;
        for (int16_t i = 0; i < now->count; i++) {
            const struct step *step = &program[now->list[i]];
            if (step->kind == KIND_MATCH) {
                is_match = 1;
            } else if (accepts(step, text[at])) {
                add_thread(then, (int16_t)(now->list[i] + 1));
            }
        }
        matches += (uint32_t)is_match;
        struct threads *kept = now;
        now = then;
        then = kept;
    }
    return matches;
}

uint64_t pattern(uint32_t rounds)
{
    static const char *const patterns[] = {"a[b-e]+f", "ab*c|c.e", "[0-9]+.[0-9]+", "e.*f|fa+b|cd"};
    uint32_t state = 8;
    for (uint32_t i = 0; i < TEXT; i++) {
        text[i] = (uint8_t)"abcdef0123abcabc\n"[random_next(&state) % 17];
    }
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        compile(patterns[round % 4]);
        sum = mix(sum, count_matches());
    }
    return sum;
}
