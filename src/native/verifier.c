/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of docs/verifier.md over decoded instructions. Every byte of every function is decoded
 * once, in ascending order, and the height of the stack is carried along and noted where branches
 * lead. What follows a jump may be reached from behind alone, as loops are: its height is not known
 * yet, and it is looked at a second time from each place whose height turns out later. So no byte
 * is decoded more than twice, and nothing recurses.
 */
#include "native/verifier.h"

#include "base/bytes.h"
#include "native/image.h"
#include "native/x86_decode.h"

/* A mark for each byte of a function: a height, a multiple of 8, and below it what is known. */
enum {
    MARK_BOUNDARY = 1, /* an instruction begins here */
    MARK_TARGET = 2,   /* a branch leads here that was seen before this byte */
    MARK_HEIGHT = 4,
    MARK_FLAGS = 7,
};
enum { FUNCTION_ALIGNMENT = 16 };
#define UNKNOWN UINT32_MAX

struct walk {
    const struct alc_verifier_input *input;
    struct alc_verifier_report *report;
    bool is_judged; /* rules for confined code; without them only heights are found */
    uint32_t function;
    uint32_t start; /* of the function in the code */
    uint32_t size;
    uint32_t *marks; /* `size` of them */
    /* Places that were passed without a height and have got one. Every entry is due to a branch of
     * its own, and those have two bytes or more: `size / 2` entries. */
    uint32_t *pending;
    uint32_t pending_count;
    uint32_t targets_count; /* bytes ahead that are marked as targets */
    uint8_t *starts;        /* bit i: a function starts at 16 * i */
};

static ALC_COLD bool refuse(struct walk *walk, const char *reason, uint32_t at)
{
    *walk->report = (struct alc_verifier_report){
        .reason = reason, .function = walk->function, .offset = walk->start + at};
    return false;
}

/* -- memory -- */

/* Whether [first, first + size) lies in [begin, end). */
static bool is_within(int64_t first, uint32_t size, int64_t begin, int64_t end)
{
    return first >= begin && first + size <= end;
}

static const char *check_context(const struct alc_verifier_input *input,
                                 const struct alc_x86_instruction *instruction)
{
    int64_t end = instruction->is_store ? -ALC_NATIVE_READ_ONLY_END : -ALC_NATIVE_PRIVATE_SIZE;
    if (is_within(instruction->displacement, instruction->access_size,
                  -(int64_t)input->context_size, end)) {
        return NULL;
    }
    return instruction->is_store ? ALC_WORDS("a store outside the writable context")
                                 : ALC_WORDS("a load outside the context");
}

/* `next` is the offset in the code of the instruction behind. */
static ALC_ALWAYS_INLINE const char *check_memory(const struct alc_verifier_input *input,
                                                  const struct alc_x86_instruction *instruction,
                                                  uint32_t height, uint32_t next)
{
    int64_t displacement = instruction->displacement;
    switch ((enum alc_x86_memory)instruction->memory) {
    case ALC_X86_NO_MEMORY:
        return NULL;
    case ALC_X86_WINDOW:
        return input->has_memory ? NULL : ALC_WORDS("an access to a memory that is not there");
    case ALC_X86_GS:
        if (displacement < 0) {
            return check_context(input, instruction);
        }
        return input->has_memory ? NULL : ALC_WORDS("an access to a memory that is not there");
    case ALC_X86_STACK:
        if (height == UNKNOWN || is_within(displacement, instruction->access_size, 0, height)) {
            return NULL;
        }
        return ALC_WORDS("an access to the stack outside the frame");
    case ALC_X86_RELATIVE:
        if (instruction->is_store) {
            return ALC_WORDS("a store relative to the code");
        }
        if (is_within(next + displacement, instruction->access_size, input->constants_distance,
                      (int64_t)input->constants_distance + input->constants_size)) {
            return NULL;
        }
        return ALC_WORDS("a load relative to the code outside the constants");
    case ALC_X86_ANYWHERE:
    default:
        return ALC_WORDS("an access to memory of a form that is not confined");
    }
}

/* -- control -- */

/* Whether control may enter at `target`, relative to the code: a function or a stub begins there.
 */
static bool is_entry(const struct walk *walk, int64_t target)
{
    const struct alc_verifier_input *input = walk->input;
    if (target < 0) {
        return target >= -(int64_t)ALC_NATIVE_STUB_SIZE * input->stubs_count &&
               target % ALC_NATIVE_STUB_SIZE == 0;
    }
    if (target >= input->code_size || target % FUNCTION_ALIGNMENT != 0) {
        return false;
    }
    uint64_t number = (uint64_t)target / FUNCTION_ALIGNMENT;
    return (walk->starts[number / 8] >> number % 8 & 1) != 0;
}

/* A branch from `at` to `target`, both in the function. */
static ALC_ALWAYS_INLINE const char *note_target(struct walk *walk, uint32_t at, uint32_t target,
                                                 uint32_t height)
{
    uint32_t mark = walk->marks[target];
    if (mark == 0) {
        if (target <= at) {
            return ALC_WORDS("a branch into an instruction");
        }
        walk->targets_count++;
        mark = MARK_TARGET;
    }
    if (height != UNKNOWN) {
        if ((mark & MARK_HEIGHT) == 0) {
            mark |= MARK_HEIGHT | height;
            if ((mark & MARK_BOUNDARY) != 0) {
                ALC_ASSERT(walk->pending_count < walk->size / 2);
                walk->pending[walk->pending_count++] = target;
            }
        } else if ((mark & ~(uint32_t)MARK_FLAGS) != height) {
            return ALC_WORDS("a branch to a place with another stack height");
        }
    }
    walk->marks[target] = mark;
    return NULL;
}

static const char *check_control(struct walk *walk, const struct alc_x86_instruction *instruction,
                                 uint32_t at, uint32_t height)
{
    if (instruction->flow == ALC_X86_STOP) {
        bool is_good =
            instruction->displacement >= 0 && instruction->displacement < ALC_NATIVE_TRAPS_COUNT;
        return is_good || !walk->is_judged ? NULL : ALC_WORDS("a trap without a meaning");
    }
    bool is_at_bottom = height == 0 || height == UNKNOWN;
    if (instruction->flow == ALC_X86_RETURN) {
        return is_at_bottom ? NULL : ALC_WORDS("a return with a frame on the stack");
    }
    int64_t target = (int64_t)at + instruction->length + instruction->displacement;
    if (instruction->flow != ALC_X86_CALL) {
        if (target >= 0 && target < walk->size) {
            return note_target(walk, at, (uint32_t)target, height);
        }
        if (!is_at_bottom) {
            return ALC_WORDS("a jump out of the function with a frame on the stack");
        }
    }
    if (walk->is_judged && !is_entry(walk, target + walk->start)) {
        return ALC_WORDS("control to a place that is no function or stub");
    }
    return NULL;
}

/* -- walking -- */

/* Decodes the instruction at `at` of the function. */
static ALC_ALWAYS_INLINE const char *decode_at(const struct walk *walk, uint32_t at,
                                               struct alc_x86_instruction *out)
{
    uint32_t offset = walk->start + at;
    uint32_t left = walk->input->code_size - offset;
    const char *reason;
    if (ALC_LIKELY(left >= ALC_X86_WINDOW_SIZE)) {
        reason = alc_x86_decode(walk->input->code + offset, out);
    } else {
        uint8_t window[ALC_X86_WINDOW_SIZE] = {0};
        alc_copy(window, walk->input->code + offset, left);
        reason = alc_x86_decode(window, out);
    }
    if (reason == NULL && out->length > walk->size - at) {
        return ALC_WORDS("an instruction that reaches out of its function");
    }
    return reason;
}

/* Judges the instruction at `at` and brings *height behind it. */
static ALC_ALWAYS_INLINE const char *step(struct walk *walk, uint32_t at,
                                          struct alc_x86_instruction *instruction, uint32_t *height)
{
    const char *reason = decode_at(walk, at, instruction);
    if (reason != NULL) {
        return reason;
    }
    if (walk->is_judged) {
        if (ALC_UNLIKELY(instruction->is_checked)) {
            return ALC_WORDS("an instruction that confined code may not have");
        }
        if (ALC_UNLIKELY(instruction->is_vex) && (walk->input->features & ALC_NATIVE_V3) == 0) {
            return ALC_WORDS("an instruction of x86-64-v3 in code for less");
        }
        if (instruction->memory != ALC_X86_NO_MEMORY) {
            reason = check_memory(walk->input, instruction, *height,
                                  walk->start + at + instruction->length);
            if (reason != NULL) {
                return reason;
            }
        }
    }
    if (instruction->pushed != 0 && *height != UNKNOWN) {
        int64_t after = (int64_t)*height + instruction->pushed;
        if (after < 0) {
            return ALC_WORDS("the stack pointer rises above the frame");
        }
        if (after > ALC_NATIVE_FRAME_MAX || after % 8 != 0) {
            return ALC_WORDS("a frame of a size that is not allowed");
        }
        *height = (uint32_t)after;
    }
    if (instruction->flow != ALC_X86_NEXT) {
        return check_control(walk, instruction, at, *height);
    }
    return NULL;
}

static bool goes_on(const struct alc_x86_instruction *instruction)
{
    return instruction->flow <= ALC_X86_BRANCH || instruction->flow == ALC_X86_CALL;
}

static const char g_falls_out[] = ALC_WORDS("control falls out of the function");
static const char g_other_height[] =
    ALC_WORDS("control falls to a place with another stack height");

/* Every byte of the function, in order. */
static bool walk_all(struct walk *walk)
{
    uint32_t height = 0;
    uint32_t at = 0;
    while (at < walk->size) {
        uint32_t mark = walk->marks[at];
        if (mark != 0) {
            walk->targets_count--;
            if ((mark & MARK_HEIGHT) != 0) {
                uint32_t noted = mark & ~(uint32_t)MARK_FLAGS;
                if (height != UNKNOWN && height != noted) {
                    return refuse(walk, g_other_height, at);
                }
                height = noted;
            }
        }
        walk->marks[at] = MARK_BOUNDARY | (height == UNKNOWN ? 0 : MARK_HEIGHT | height);
        struct alc_x86_instruction instruction;
        const char *reason = step(walk, at, &instruction, &height);
        if (ALC_UNLIKELY(reason != NULL)) {
            return refuse(walk, reason, at);
        }
        if (!goes_on(&instruction)) {
            height = UNKNOWN;
        }
        at += instruction.length;
    }
    if (height != UNKNOWN) {
        return refuse(walk, g_falls_out, walk->size - 1);
    }
    if (walk->targets_count != 0) {
        for (at = 0; (walk->marks[at] & MARK_TARGET) == 0; at++) {
        }
        return refuse(walk, ALC_WORDS("a branch into an instruction"), at);
    }
    return true;
}

/* What was passed without a height, from where one became known, as far as it is new. */
static bool walk_pending(struct walk *walk)
{
    while (walk->pending_count > 0) {
        walk->pending_count--;
        uint32_t at = walk->pending[walk->pending_count];
        uint32_t height = walk->marks[at] & ~(uint32_t)MARK_FLAGS;
        for (;;) {
            struct alc_x86_instruction instruction;
            const char *reason = step(walk, at, &instruction, &height);
            if (reason != NULL) {
                return refuse(walk, reason, at);
            }
            if (!goes_on(&instruction)) {
                break;
            }
            at += instruction.length;
            if (at == walk->size) {
                return refuse(walk, g_falls_out, walk->size - 1);
            }
            uint32_t mark = walk->marks[at];
            if ((mark & MARK_HEIGHT) != 0) {
                if ((mark & ~(uint32_t)MARK_FLAGS) != height) {
                    return refuse(walk, g_other_height, at);
                }
                break;
            }
            walk->marks[at] = mark | MARK_HEIGHT | height;
        }
    }
    return true;
}

static bool walk_function(struct walk *walk, uint32_t function)
{
    walk->function = function;
    walk->start = walk->input->functions[function];
    walk->size = walk->input->functions[function + 1] - walk->start;
    walk->targets_count = 0;
    walk->pending_count = 0;
    alc_fill(walk->marks, 0, (uint64_t)walk->size * sizeof *walk->marks);
    return walk_all(walk) && walk_pending(walk);
}

/* -- the whole -- */

/* Bytes of the largest function, 0 when the table of functions is not what image.h says. */
static uint32_t largest_function(const struct alc_verifier_input *input)
{
    const uint32_t *functions = input->functions;
    uint32_t largest = 0;
    if (input->functions_count == 0 || functions[0] != 0 ||
        functions[input->functions_count] != input->code_size) {
        return 0;
    }
    for (uint32_t i = 0; i < input->functions_count; i++) {
        if (functions[i + 1] <= functions[i] || functions[i + 1] % FUNCTION_ALIGNMENT != 0) {
            return 0;
        }
        uint32_t size = functions[i + 1] - functions[i];
        largest = size > largest ? size : largest;
    }
    return largest;
}

static uint64_t starts_size(const struct alc_verifier_input *input)
{
    return ((uint64_t)input->code_size / FUNCTION_ALIGNMENT + 7) / 8;
}

static uint64_t marks_size(uint32_t largest)
{
    return (uint64_t)largest * sizeof(uint32_t);
}

uint64_t alc_verifier_scratch_size(const struct alc_verifier_input *input)
{
    if (input->functions_count == 0 && input->code_size == 0) {
        return 1;
    }
    uint32_t largest = largest_function(input);
    return largest == 0 ? 0 : marks_size(largest) + marks_size(largest) / 2 + starts_size(input);
}

/* Lays scratch out; false when there is too little. */
static bool prepare(struct walk *walk, uint8_t *scratch, uint64_t scratch_size)
{
    uint32_t largest = largest_function(walk->input);
    uint64_t needed = alc_verifier_scratch_size(walk->input);
    if (largest == 0 || scratch_size < needed) {
        return false;
    }
    walk->marks = (uint32_t *)(void *)scratch;
    walk->pending = walk->marks + largest;
    walk->starts = (uint8_t *)(walk->pending + largest / 2);
    return true;
}

alc_status alc_verifier_check(const struct alc_verifier_input *input, void *scratch,
                              uint64_t scratch_size, struct alc_verifier_report *report)
{
    struct walk walk = {.input = input, .report = report, .is_judged = true};
    *report = (struct alc_verifier_report){.reason = NULL};
    if (input->functions_count == 0 && input->code_size == 0) {
        return ALC_OK;
    }
    if (!prepare(&walk, scratch, scratch_size)) {
        report->reason = ALC_WORDS("a table of functions that does not divide the code");
        return ALC_E_NATIVE_REFUSED;
    }
    alc_fill(walk.starts, 0, starts_size(input));
    for (uint32_t i = 0; i < input->functions_count; i++) {
        uint32_t number = input->functions[i] / FUNCTION_ALIGNMENT;
        walk.starts[number / 8] |= (uint8_t)(1U << number % 8);
    }
    for (uint32_t i = 0; i < input->functions_count; i++) {
        if (!walk_function(&walk, i)) {
            return ALC_E_NATIVE_REFUSED;
        }
    }
    return ALC_OK;
}

uint32_t alc_verifier_height_at(const struct alc_verifier_input *input, uint32_t function,
                                uint32_t offset, void *scratch, uint64_t scratch_size)
{
    struct alc_verifier_report report;
    struct walk walk = {.input = input, .report = &report, .is_judged = false};
    if (function >= input->functions_count || !prepare(&walk, scratch, scratch_size) ||
        offset < input->functions[function] || offset >= input->functions[function + 1] ||
        !walk_function(&walk, function)) {
        return UINT32_MAX;
    }
    uint32_t mark = walk.marks[offset - walk.start];
    return (mark & MARK_HEIGHT) != 0 ? mark & ~(uint32_t)MARK_FLAGS : UINT32_MAX;
}
