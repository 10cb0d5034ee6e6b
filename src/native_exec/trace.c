/* SPDX-License-Identifier: Apache-2.0
 *
 * Backtraces. Frames of compiled code hold nothing but return addresses; how far apart these stand
 * is found by following the code from a function's start (verifier.h), so no table of the image is
 * believed. The line table only says what is printed. Reads the native stack within its bounds and
 * ends at whatever is not understood.
 */
#include "base/spin.h"
#include "native_exec/native_internal.h"

enum {
    CALL_SIZE = 5,      /* e8 and a distance: compiled code has no other calls */
    HEIGHTS_KNOWN = 64, /* recursion meets the same calls again and again */
};

struct known_height {
    uint64_t addr;
    uint64_t height;
};

struct walk {
    struct alc_native_thread *thread;
    const struct alc_native_instance *instance; /* of the frame at hand */
    uint64_t rsp;
    struct known_height known[HEIGHTS_KNOWN];
};

/* The module's function, counted among its own, that the code at `offset` belongs to. */
static uint32_t find_function(const struct alc_native_image *image, uint32_t offset)
{
    uint32_t low = 0;
    uint32_t high = image->functions_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (image->functions[middle] <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Offset in the module's file of what became the code at `offset`; 0: unknown. */
static uint32_t find_line(const struct alc_native_image *image, uint32_t function, uint32_t offset)
{
    uint32_t low = 0;
    uint32_t high = image->lines_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (image->lines[middle].code_offset <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_known = low != 0 && image->lines[low - 1].code_offset >= image->functions[function];
    return is_known ? image->lines[low - 1].wasm_offset : 0;
}

static void add_frame(struct walk *walk, uint32_t function, uint32_t offset)
{
    const struct alc_native_image *image = &walk->instance->code->image;
    const struct alc_module *module = walk->instance->code->module;
    struct alc_trap *trap = &walk->thread->store->thread.trap;
    uint32_t function_index = module->imported_counts[ALC_EXTERNAL_FUNCTION] + function;
    if (function_index >= module->functions_count) {
        return; /* of the compiler's own: nothing that a program knows */
    }
    if (trap->frames_count == ALC_LIMIT_BACKTRACE_FRAMES) {
        trap->frames_omitted++;
        return;
    }
    trap->frames[trap->frames_count++] =
        (struct alc_trap_frame){.instance = walk->instance->instance,
                                .function_index = function_index,
                                .offset = find_line(image, function, offset)};
}

/* Bytes between rsp and the return address; UINT64_MAX when that cannot be said. */
static uint64_t find_height(struct walk *walk, uint32_t function, uint32_t offset)
{
    const struct alc_native_code *code = walk->instance->code;
    uint64_t addr = (uint64_t)(uintptr_t)code->image.code + offset;
    struct known_height *known = &walk->known[addr / 4 % HEIGHTS_KNOWN];
    if (known->addr == addr) {
        return known->height;
    }
    const struct alc_verifier_input input = alc_native_verifier_input(code);
    /* The scratch is no part of what the code is, and the one thing of it that changes. */
    uint32_t *lock = (uint32_t *)(uintptr_t)&code->lock;
    alc_spin_lock(lock);
    uint32_t height =
        code->scratch_size == 0
            ? UINT32_MAX
            : alc_verifier_height_at(&input, function, offset, code->scratch, code->scratch_size);
    alc_spin_unlock(lock);
    *known = (struct known_height){addr, height == UINT32_MAX ? UINT64_MAX : height};
    return known->height;
}

/* Adds the frame of the function that stands at `offset` (or, `is_call`, whose call returns there)
 * and goes to its return address. */
static bool leave_frame(struct walk *walk, uint64_t offset, bool is_call)
{
    const struct alc_native_image *image = &walk->instance->code->image;
    uint64_t at = is_call ? offset - CALL_SIZE : offset;
    if (at >= image->code_size) {
        return false;
    }
    uint32_t function = find_function(image, (uint32_t)at);
    add_frame(walk, function, (uint32_t)at);
    uint64_t height = find_height(walk, function, (uint32_t)at);
    walk->rsp += height == UINT64_MAX ? 0 : height;
    return height != UINT64_MAX;
}

/* The 8 bytes at rsp, when they are the stack's. */
static bool read_stack(const struct walk *walk, uint64_t rsp, uint64_t size)
{
    uint64_t low = (uint64_t)(uintptr_t)walk->thread->stack_low;
    uint64_t high = (uint64_t)(uintptr_t)walk->thread->stack_high;
    return rsp >= low && rsp <= high && size <= high - rsp && rsp % sizeof(uint64_t) == 0;
}

/* From a return address to the next one; false where compiled code was entered. */
static bool step(struct walk *walk)
{
    if (!read_stack(walk, walk->rsp, sizeof(uint64_t))) {
        return false;
    }
    const uint8_t *return_addr = *(const uint8_t *const *)(uintptr_t)walk->rsp;
    walk->rsp += sizeof(uint64_t);
    if (return_addr == alc_native_crossing_return) {
        if (!read_stack(walk, walk->rsp, sizeof(struct alc_native_crossing))) {
            return false;
        }
        const struct alc_native_crossing *crossing =
            (const struct alc_native_crossing *)(uintptr_t)walk->rsp;
        walk->instance = alc_native_instance_of(crossing->base);
        walk->rsp = (uint64_t)(uintptr_t)&crossing->return_addr;
        return true;
    }
    return return_addr != alc_native_entry_return &&
           leave_frame(walk, (uint64_t)(return_addr - walk->instance->code->image.code), true);
}

void alc_native_trace(struct alc_native_thread *thread)
{
    const struct alc_native_place *stopped = &thread->stopped;
    if (stopped->base == NULL) {
        return;
    }
    struct walk walk = {
        .thread = thread, .instance = alc_native_instance_of(stopped->base), .rsp = stopped->rsp};
    bool more = true;
    if (stopped->rip != 0) {
        const uint8_t *code = walk.instance->code->image.code;
        more = leave_frame(&walk, stopped->rip - (uint64_t)(uintptr_t)code, false);
    }
    while (more) {
        more = step(&walk);
    }
}
