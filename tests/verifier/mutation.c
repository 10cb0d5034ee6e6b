/* SPDX-License-Identifier: Apache-2.0
 *
 * Spoils functions that the verifier accepts, and asks the verifier over Zydis about every mutant
 * that it still accepts:
 *   mutation [CASES [SEED [IMAGE]]]
 * Functions are made of random instructions, kept when the verifier accepts what there is so far,
 * and of the rows of attacks.def; or those of a native image that are small and call nobody. Ends
 * with 1 when the two disagree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "native/image_format.h"
#include "verifier/generate.h"
#include "verifier/oracle_verifier.h"

enum {
    CALLEE_SIZE = 16,
    BODY_MAX = 512,
    CODE_MAX = CALLEE_SIZE + BODY_MAX + 16,
    INSTRUCTIONS_MAX = 60,
    MUTANTS_PER_FUNCTION = 500,
    SCRATCH_SIZE = 8 * CODE_MAX,
    SHOWN_MAX = 10,
    NOP = 0x90,
    RET = 0xC3,
};

/* A function of 16 bytes, the body, another function. */
struct code {
    uint8_t bytes[CODE_MAX];
    uint32_t functions[4];
    struct alc_verifier_input input;
};

static void code_init(struct code *code, const uint8_t *body, uint32_t size, bool has_memory)
{
    uint32_t end = CALLEE_SIZE + (size + 15) / 16 * 16;
    memset(code->bytes, NOP, sizeof code->bytes);
    code->bytes[0] = RET;
    memcpy(code->bytes + CALLEE_SIZE, body, size);
    code->bytes[end] = RET;
    memcpy(code->functions, (uint32_t[]){0, CALLEE_SIZE, end, end + 16}, sizeof code->functions);
    code->input = (struct alc_verifier_input){.code = code->bytes,
                                              .code_size = end + 16,
                                              .functions = code->functions,
                                              .functions_count = 3,
                                              .stubs_count = 2,
                                              .constants_distance = 4096,
                                              .constants_size = 64,
                                              .context_size = 20480,
                                              .features = ALC_NATIVE_V3,
                                              .has_memory = has_memory};
}

static bool is_accepted(const struct alc_verifier_input *input)
{
    static uint32_t scratch[SCRATCH_SIZE / 4];
    struct alc_verifier_report report;
    return alc_verifier_check(input, scratch, sizeof scratch, &report) == ALC_OK;
}

/* -- functions -- */

struct body {
    uint8_t bytes[BODY_MAX];
    uint32_t size;
    uint32_t height;
    uint32_t boundaries[INSTRUCTIONS_MAX];
    uint32_t boundaries_count;
};

static void put_u32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

/* A candidate behind the body, relative to its end; control and stack more often than by chance. */
static void make_candidate(uint64_t *state, const struct body *body, uint8_t *bytes)
{
    uint32_t back =
        body->boundaries_count == 0
            ? 0
            : body->size - body->boundaries[random_below(state, body->boundaries_count)];
    switch (random_below(state, 12)) {
    case 0: /* jcc back */
        bytes[0] = (uint8_t)(0x70 | random_below(state, 16));
        bytes[1] = (uint8_t)(0U - back - 2);
        break;
    case 1: /* jcc over what follows: the candidate behind decides whether it fits */
        bytes[0] = (uint8_t)(0x70 | random_below(state, 16));
        bytes[1] = (uint8_t)random_below(state, 8);
        break;
    case 2: /* call callee or a stub */
        bytes[0] = 0xE8;
        put_u32(bytes + 1, 0U - body->size - 5 - CALLEE_SIZE - 32 * random_below(state, 3));
        break;
    case 3:
        bytes[0] = (uint8_t)(0x50 | random_below(state, 16));
        break;
    case 4:
        memcpy(bytes,
               (uint8_t[]){0x48, 0x83, random_below(state, 2) ? 0xEC : 0xC4,
                           (uint8_t)(8 * random_below(state, 16))},
               4);
        break;
    case 5: /* jmp over an instruction, or back */
        bytes[0] = 0xEB;
        bytes[1] =
            random_below(state, 2) ? (uint8_t)(0U - back - 2) : (uint8_t)random_below(state, 8);
        break;
    case 6: /* jcc over a trap */
        memcpy(bytes,
               (uint8_t[]){0x74, 5, 0x67, 0x0F, 0xB9, 0x40,
                           (uint8_t)random_below(state, ALC_NATIVE_TRAPS_COUNT + 1)},
               7);
        break;
    default:
        generate_confined(state, bytes);
        break;
    }
}

/* Takes the candidate when the body with it and with a way out is still accepted. */
static void try_candidate(struct body *body, const uint8_t *bytes)
{
    struct alc_x86_instruction instruction;
    if (alc_x86_decode(bytes, &instruction) != NULL ||
        body->size + instruction.length + 24 > BODY_MAX) {
        return;
    }
    struct code code;
    uint8_t whole[BODY_MAX];
    bool has_trap = bytes[0] == 0x74 && bytes[2] == 0x67;
    uint32_t length = instruction.length + (has_trap ? 5U : 0U);
    uint32_t size = body->size + length;
    uint32_t height = body->height + (uint32_t)instruction.pushed;
    memcpy(whole, body->bytes, body->size);
    memcpy(whole + body->size, bytes, length);
    memset(whole + size, NOP, 8);
    memcpy(whole + size + 8, (uint8_t[]){0x48, 0x81, 0xC4, 0, 0, 0, 0, RET}, 8);
    put_u32(whole + size + 11, height);
    code_init(&code, whole, size + 16, true);
    if (is_accepted(&code.input)) {
        body->boundaries[body->boundaries_count++] = body->size;
        memcpy(body->bytes, whole, size);
        body->size = size;
        body->height = height;
    }
}

static void make_body(uint64_t *state, struct body *body)
{
    memset(body, 0, sizeof *body);
    for (uint32_t i = 0; i < 4 * INSTRUCTIONS_MAX; i++) {
        uint8_t bytes[ALC_X86_WINDOW_SIZE] = {0};
        if (body->boundaries_count == INSTRUCTIONS_MAX) {
            break;
        }
        make_candidate(state, body, bytes);
        try_candidate(body, bytes);
    }
    memset(body->bytes + body->size, NOP, 8);
    memcpy(body->bytes + body->size + 8, (uint8_t[]){0x48, 0x81, 0xC4, 0, 0, 0, 0, RET}, 8);
    put_u32(body->bytes + body->size + 11, body->height);
    body->size += 16;
}

struct row {
    uint32_t size;
    uint8_t bytes[96];
};
static const struct row g_rows[] = {
#define REFUSED(environment, what, reason, ...) {sizeof((uint8_t[]){__VA_ARGS__}), {__VA_ARGS__}},
#define ACCEPTED(environment, what, ...) {sizeof((uint8_t[]){__VA_ARGS__}), {__VA_ARGS__}},
#include "unit/native/attacks.def"
};

/* -- mutants -- */

struct tally {
    uint64_t cases, functions, accepted, disagreements;
};

static void ask(struct tally *tally, const struct code *code)
{
    tally->cases++;
    if (!is_accepted(&code->input)) {
        return;
    }
    tally->accepted++;
    const char *problem = oracle_verify(&code->input);
    if (problem == NULL) {
        return;
    }
    tally->disagreements++;
    if (tally->disagreements <= SHOWN_MAX) {
        printf("accepted, but: %s:", problem);
        for (uint32_t i = CALLEE_SIZE; i < code->functions[2]; i++) {
            printf(" %02x", code->bytes[i]);
        }
        printf("\n");
    }
}

static void try_mutants(uint64_t *state, struct tally *tally, const struct code *original)
{
    uint32_t size = original->functions[2] - CALLEE_SIZE;
    struct code mutant;
    tally->functions++;
    for (uint32_t i = 0; i <= MUTANTS_PER_FUNCTION; i++) {
        mutant = *original;
        mutant.input.code = mutant.bytes;
        mutant.input.functions = mutant.functions;
        uint32_t changes = i == 0 ? 0 : random_below(state, 4) == 0 ? 3 : 1;
        for (uint32_t n = 0; n < changes; n++) {
            uint32_t at = random_below(state, size);
            uint32_t reach = size - at < 16 ? size - at : 16;
            spoil(state, mutant.bytes + CALLEE_SIZE + at, reach);
        }
        ask(tally, &mutant);
    }
}

static void try_made_up(uint64_t *state, struct tally *tally)
{
    struct code code;
    bool has_memory = random_below(state, 4) != 0;
    if (random_below(state, 8) == 0) {
        const struct row *row = &g_rows[random_below(state, ALC_ARRAY_COUNT(g_rows))];
        code_init(&code, row->bytes, row->size, has_memory);
    } else {
        static struct body body;
        make_body(state, &body);
        code_init(&code, body.bytes, body.size, has_memory);
    }
    try_mutants(state, tally, &code);
}

/* -- native images -- */

static bool read_image(const char *path, struct alc_native_image *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        return false;
    }
    long size = ftell(file);
    void *bytes = size > 0 ? aligned_alloc(64, ((size_t)size + 63) / 64 * 64) : NULL;
    rewind(file);
    bool is_read = bytes != NULL && fread(bytes, 1, (size_t)size, file) == (size_t)size;
    (void)fclose(file);
    return is_read && alc_native_image_read(bytes, (uint64_t)size, out, NULL) == ALC_OK;
}

/* A function of the image where the body is, with the constants as far behind it as they were;
 * false when it is too large or does not go alone. */
static bool take_function(const struct alc_native_image *image, uint32_t function, struct code *out)
{
    uint32_t start = image->functions[function];
    uint32_t size = image->functions[function + 1] - start;
    if (size > BODY_MAX) {
        return false;
    }
    code_init(out, image->code + start, size, true);
    out->input.constants_distance = image->constants_distance - start + CALLEE_SIZE;
    out->input.constants_size = image->constants_size;
    return is_accepted(&out->input);
}

int main(int arguments_count, char **arguments)
{
    uint64_t cases = arguments_count > 1 ? strtoull(arguments[1], NULL, 10) : 1000000;
    uint64_t seed = arguments_count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
    uint64_t state = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1;
    struct alc_native_image image = {.functions_count = 0};
    if (arguments_count > 3 && !read_image(arguments[3], &image)) {
        (void)fprintf(stderr, "%s: not a native image\n", arguments[3]);
        return 1;
    }
    struct tally tally = {0};
    struct timespec start;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    /* An image of which nothing can be taken ends, too. */
    for (uint64_t tries = 0; tally.cases < cases && tries < cases + image.functions_count;
         tries++) {
        struct code code;
        if (image.functions_count == 0) {
            try_made_up(&state, &tally);
        } else if (take_function(&image, random_below(&state, image.functions_count), &code)) {
            try_mutants(&state, &tally, &code);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds =
        (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    printf("%llu mutants of %llu functions, %llu accepted and verified again over Zydis, "
           "%llu disagreements, %.0f cases/s\n",
           (unsigned long long)tally.cases, (unsigned long long)tally.functions,
           (unsigned long long)tally.accepted, (unsigned long long)tally.disagreements,
           (double)tally.cases / seconds);
    return tally.disagreements == 0 && tally.accepted > tally.cases / 20 ? 0 : 1;
}
