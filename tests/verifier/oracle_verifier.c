/* SPDX-License-Identifier: Apache-2.0
 *
 * Follows control from the start of each function and looks at every instruction that it meets.
 */
#include "verifier/oracle_verifier.h"

#include <string.h>

#include "native/image.h"
#include "verifier/zydis_oracle.h"

struct follower {
    const struct alc_verifier_input *input;
    uint32_t start, end;                   /* of the function */
    int64_t heights[ORACLE_CODE_MAX];      /* -1: not met */
    uint8_t lengths[ORACLE_CODE_MAX];      /* of instructions met */
    uint32_t waiting[2 * ORACLE_CODE_MAX]; /* met, not looked at */
    uint32_t waiting_count;
};

static const char *check_access(const struct follower *follower,
                                const struct alc_x86_instruction *instruction, int64_t height,
                                int64_t next)
{
    const struct alc_verifier_input *input = follower->input;
    int64_t first = instruction->displacement;
    int64_t last = first + instruction->access_size - 1;
    int64_t constants = input->constants_distance;
    switch (instruction->memory) {
    case ALC_X86_NO_MEMORY:
        return NULL;
    case ALC_X86_WINDOW:
        return input->has_memory ? NULL : "no memory";
    case ALC_X86_GS:
        if (first >= 0) {
            return input->has_memory ? NULL : "no memory";
        }
        return first >= -(int64_t)input->context_size &&
                       last < (instruction->is_store ? -512 : -256)
                   ? NULL
                   : "context";
    case ALC_X86_STACK:
        return first >= 0 && last < height ? NULL : "stack";
    case ALC_X86_RELATIVE:
        return !instruction->is_store && next + first >= constants &&
                       next + last < constants + input->constants_size
                   ? NULL
                   : "constants";
    default:
        return "memory";
    }
}

static bool is_start(const struct alc_verifier_input *input, int64_t target)
{
    for (uint32_t i = 0; i < input->functions_count; i++) {
        if (input->functions[i] == target) {
            return true;
        }
    }
    for (uint32_t i = 1; i <= input->stubs_count; i++) {
        if (target == -32 * (int64_t)i) {
            return true;
        }
    }
    return false;
}

static const char *meet(struct follower *follower, int64_t at, int64_t height)
{
    if (at < follower->start || at >= follower->end) {
        return "out of the function";
    }
    if (follower->heights[at] < 0) {
        follower->heights[at] = height;
        follower->waiting[follower->waiting_count++] = (uint32_t)at;
    }
    return follower->heights[at] == height ? NULL : "two heights";
}

static const char *follow(struct follower *follower, const struct alc_x86_instruction *instruction,
                          uint32_t at, int64_t height)
{
    int64_t next = (int64_t)at + instruction->length;
    int64_t target = next + instruction->displacement;
    bool is_inside = target >= follower->start && target < follower->end;
    const char *problem = NULL;
    switch (instruction->flow) {
    case ALC_X86_STOP:
        return instruction->displacement >= 0 && instruction->displacement < ALC_NATIVE_TRAPS_COUNT
                   ? NULL
                   : "trap";
    case ALC_X86_RETURN:
        return height == 0 ? NULL : "return";
    case ALC_X86_CALL:
        problem = is_start(follower->input, target) ? NULL : "call";
        break;
    case ALC_X86_BRANCH:
    case ALC_X86_JUMP:
        if (is_inside) {
            problem = meet(follower, target, height);
        } else {
            problem = height == 0 && is_start(follower->input, target) ? NULL : "jump";
        }
        break;
    default:
        break;
    }
    if (problem != NULL || instruction->flow == ALC_X86_JUMP) {
        return problem;
    }
    return meet(follower, next, height);
}

static const char *look(struct follower *follower, uint32_t at)
{
    struct alc_x86_instruction instruction;
    int64_t height = follower->heights[at];
    const char *problem =
        zydis_decode(follower->input->code + at, follower->end - at, &instruction);
    if (problem != NULL) {
        return problem;
    }
    if (instruction.is_checked) {
        return "atomic";
    }
    if (instruction.is_vex && (follower->input->features & ALC_NATIVE_V3) == 0) {
        return "VEX";
    }
    follower->lengths[at] = instruction.length;
    problem = check_access(follower, &instruction, height, (int64_t)at + instruction.length);
    if (problem != NULL) {
        return problem;
    }
    height += instruction.pushed;
    if (height < 0 || height > 512 * 1024 || height % 8 != 0) {
        return "height";
    }
    return follow(follower, &instruction, at, height);
}

const char *oracle_verify(const struct alc_verifier_input *input)
{
    static struct follower follower;
    for (uint32_t i = 0; i < input->functions_count; i++) {
        memset(&follower, 0, sizeof follower);
        memset(follower.heights, 0xFF, sizeof follower.heights);
        follower.input = input;
        follower.start = input->functions[i];
        follower.end = input->functions[i + 1];
        const char *problem = meet(&follower, follower.start, 0);
        while (problem == NULL && follower.waiting_count > 0) {
            problem = look(&follower, follower.waiting[--follower.waiting_count]);
        }
        if (problem != NULL) {
            return problem;
        }
        /* No two instructions share a byte. */
        uint32_t busy_until = follower.start;
        for (uint32_t at = follower.start; at < follower.end; at++) {
            if (follower.lengths[at] != 0) {
                if (at < busy_until) {
                    return "instructions overlap";
                }
                busy_until = at + follower.lengths[at];
            }
        }
    }
    return NULL;
}
