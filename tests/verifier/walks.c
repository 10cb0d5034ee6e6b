/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifier's walk against all functions of a few instructions that matter to it:
 *   walks [INSTRUCTIONS]
 * Every sequence of pushes, pops, a store that needs 16 bytes of frame, a call, returns, traps, and
 * branches to each instruction, into one, and out of the function. What is accepted is run by a
 * model that knows nothing of heights but what it counts: from the start, along every path. It must
 * never pop or store above its frame, return or leave with a frame, or run into what is no
 * instruction.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "native/image.h"
#include "native/verifier.h"

enum {
    INSTRUCTIONS_MAX = 7,
    CALLEE_SIZE = 16,
    BODY_SIZE = 48, /* INSTRUCTIONS_MAX of five bytes each, to a multiple of 16 */
    CODE_SIZE = CALLEE_SIZE + BODY_SIZE + 16,
    HEIGHTS = INSTRUCTIONS_MAX + 2,
    INTO_ONE = 1, /* how far behind an instruction's start a bad branch leads */
};

enum act { PUSH, POP, STORE, CALL, RET, STOP, TAIL_JMP, TAIL_JCC, INTO, ACTS };

/* What stands in one place of the sequence: an act, or a branch to a place. */
struct instruction {
    enum act act;
    bool is_branch, is_conditional;
    uint32_t target; /* place */
    uint32_t size;
    uint32_t offset;
};

struct program {
    struct instruction at[INSTRUCTIONS_MAX];
    uint32_t count;
    uint32_t size;
    uint8_t code[CODE_SIZE];
};

static uint32_t choices(uint32_t count)
{
    return ACTS + 2 * count;
}

/* Places are decided by sizes, so these come first. */
static void choose(struct program *program, uint64_t number, uint32_t count)
{
    static const uint8_t sizes[ACTS] = {1, 1, 5, 5, 1, 2, 5, 2, 2};
    program->count = count;
    program->size = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct instruction *instruction = &program->at[i];
        uint32_t choice = (uint32_t)(number % choices(count));
        number /= choices(count);
        memset(instruction, 0, sizeof *instruction);
        if (choice < ACTS) {
            instruction->act = (enum act)choice;
            instruction->size = sizes[choice];
        } else {
            instruction->is_branch = true;
            instruction->is_conditional = choice >= ACTS + count;
            instruction->target = (choice - ACTS) % count;
            instruction->size = 2;
        }
        instruction->offset = program->size;
        program->size += instruction->size;
    }
}

static void put_distance(uint8_t *at, int64_t distance)
{
    int32_t value = (int32_t)distance;
    memcpy(at, &value, sizeof value);
}

static void write_one(struct program *program, const struct instruction *instruction)
{
    uint8_t *at = program->code + CALLEE_SIZE + instruction->offset;
    int64_t next = (int64_t)instruction->offset + instruction->size;
    if (instruction->is_branch) {
        at[0] = instruction->is_conditional ? 0x74 : 0xEB;
        at[1] = (uint8_t)(program->at[instruction->target].offset - next);
        return;
    }
    switch (instruction->act) {
    case PUSH:
        at[0] = 0x50;
        break;
    case POP:
        at[0] = 0x58;
        break;
    case STORE: /* mov [rsp + 8], rax */
        memcpy(at, (uint8_t[]){0x48, 0x89, 0x44, 0x24, 0x08}, 5);
        break;
    case CALL:
        at[0] = 0xE8;
        put_distance(at + 1, -CALLEE_SIZE - next);
        break;
    case RET:
        at[0] = 0xC3;
        break;
    case STOP:
        at[0] = 0x0F;
        at[1] = 0x0B;
        break;
    case TAIL_JMP:
        at[0] = 0xE9;
        put_distance(at + 1, -CALLEE_SIZE - next);
        break;
    case TAIL_JCC:
        at[0] = 0x75;
        at[1] = (uint8_t)(-CALLEE_SIZE - next);
        break;
    case INTO: /* behind the first byte of the function's first instruction */
    default:
        at[0] = 0x74;
        at[1] = (uint8_t)(INTO_ONE - next);
        break;
    }
}

static bool is_accepted(struct program *program)
{
    static uint32_t scratch[2 * CODE_SIZE];
    static const uint32_t functions[] = {0, CALLEE_SIZE, CALLEE_SIZE + BODY_SIZE, CODE_SIZE};
    struct alc_verifier_report report;
    const struct alc_verifier_input input = {.code = program->code,
                                             .code_size = CODE_SIZE,
                                             .functions = functions,
                                             .functions_count = 3,
                                             .context_size = 20480};
    memset(program->code, 0x90, sizeof program->code);
    program->code[0] = program->code[CALLEE_SIZE + BODY_SIZE] = 0xC3;
    for (uint32_t i = 0; i < program->count; i++) {
        write_one(program, &program->at[i]);
    }
    return alc_verifier_check(&input, scratch, sizeof scratch, &report) == ALC_OK;
}

/* Whether a run that stands at `place` with `height` words may do what stands there, and then all
 * that follows. `seen` has a row of heights for each place. */
static const char *run_from(const struct program *program, uint32_t place, uint32_t height,
                            bool (*seen)[HEIGHTS])
{
    for (;;) {
        if (place == program->count) {
            return "falls out";
        }
        if (height >= HEIGHTS) {
            return "pushes without end";
        }
        if (seen[place][height]) {
            return NULL;
        }
        seen[place][height] = true;
        const struct instruction *instruction = &program->at[place];
        const char *problem = NULL;
        if (instruction->is_branch) {
            problem = run_from(program, instruction->target, height, seen);
            if (problem != NULL || !instruction->is_conditional) {
                return problem;
            }
            place++;
            continue;
        }
        switch (instruction->act) {
        case PUSH:
            height++;
            break;
        case POP:
            if (height == 0) {
                return "pops the return address";
            }
            height--;
            break;
        case STORE:
            if (height < 2) {
                return "writes the return address";
            }
            break;
        case CALL:
            break;
        case RET:
        case TAIL_JMP:
            return height == 0 ? NULL : "leaves with a frame";
        case STOP:
            return NULL;
        case TAIL_JCC:
            if (height != 0) {
                return "leaves with a frame";
            }
            break;
        case INTO:
            /* Of an instruction of one byte it is the next one. */
            if (program->at[0].size != INTO_ONE) {
                return "branches into an instruction";
            }
            if (program->count == 1) {
                return "falls out";
            }
            problem = run_from(program, 1, height, seen);
            break;
        case ACTS:
            return "no act";
        }
        if (problem != NULL) {
            return problem;
        }
        place++;
    }
}

int main(int count, char **arguments)
{
    uint32_t instructions = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 4;
    uint64_t accepted = 0;
    uint64_t wrong = 0;
    uint64_t total = 1;
    if (instructions == 0 || instructions > INSTRUCTIONS_MAX) {
        (void)fprintf(stderr, "usage: walks [1 to %d]\n", INSTRUCTIONS_MAX);
        return 2;
    }
    for (uint32_t i = 0; i < instructions; i++) {
        total *= choices(instructions);
    }
    for (uint64_t number = 0; number < total; number++) {
        struct program program;
        bool seen[INSTRUCTIONS_MAX][HEIGHTS] = {{false}};
        choose(&program, number, instructions);
        if (!is_accepted(&program)) {
            continue;
        }
        accepted++;
        const char *problem = run_from(&program, 0, 0, seen);
        if (problem != NULL && wrong++ < 10) {
            printf("number %llu: %s\n", (unsigned long long)number, problem);
        }
    }
    printf("%llu functions of %u instructions, %llu accepted, %llu of them wrong\n",
           (unsigned long long)total, instructions, (unsigned long long)accepted,
           (unsigned long long)wrong);
    return wrong == 0 && accepted > 0 ? 0 : 1;
}
