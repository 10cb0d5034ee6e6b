/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults of compiled code become traps. Who delivers a fault may lie about when (a host makes pages
 * fault at will, and enters the handler at will), so what counts is where the thread stands: in the
 * code of the instance that runs, and at an address where that instance has nothing. The code that
 * faulted never runs on.
 */
#include "native_exec/native_internal.h"

enum {
    VECTOR_DIVIDE = 0,
    VECTOR_UNDEFINED = 6,
    VECTOR_STACK = 12,
    VECTOR_PROTECTION = 13,
    VECTOR_PAGE = 14,
    VECTOR_ALIGNMENT = 17,
    /* Flags that trusted code must not inherit: TF, DF, RF, AC. */
    FLAGS_CLEARED = 0x50500,
};

static const uint16_t TRAPS[] = {
#define TRAP(ident) ALC_E_##ident,
#include "native/traps.def"
#undef TRAP
};
_Static_assert(ALC_ARRAY_COUNT(TRAPS) == ALC_NATIVE_TRAPS_COUNT, "a status for each");

/* What `ud1` at rip says: 67 0F B9 40 nn, or 67 0F B9 00. Any other undefined instruction (confined
 * code may have one) is as good as unreachable. */
static alc_status trap_of_code(const struct alc_native_image *image, uint64_t offset)
{
    const uint8_t *code = image->code + offset;
    uint64_t left = image->code_size - offset;
    if (left < 4 || code[0] != 0x67 || code[1] != 0x0f || code[2] != 0xb9) {
        return ALC_E_UNREACHABLE;
    }
    uint8_t number = code[3] == 0x40 && left >= 5 ? code[4] : 0;
    return number < ALC_NATIVE_TRAPS_COUNT ? (alc_status)TRAPS[number] : ALC_E_UNREACHABLE;
}

static bool is_in_guard(const struct alc_native_thread *thread, uint64_t addr)
{
    uint64_t low = (uint64_t)(uintptr_t)thread->stack_low;
    return addr < low && low - addr <= ALC_NATIVE_STACK_GUARD;
}

/* Whether nothing is at `addr` although a memory's addresses reach there. */
static bool is_behind_memory(const struct alc_native_instance *native, uint64_t addr)
{
    const struct alc_instance *instance = native->instance;
    for (uint32_t i = 0; i < instance->module->memories_count; i++) {
        const struct alc_memory *memory = instance->memories[i];
        uint64_t distance = addr - (uint64_t)(uintptr_t)memory->base;
        bool has_guard = memory->reserved > UINT64_C(1) << 32;
        if (has_guard && distance >= alc_memory_size(memory) && distance < memory->reserved) {
            return true;
        }
    }
    return false;
}

/* ALC_OK: not to be explained by what the code does. */
static alc_status judge_page(const struct alc_native_thread *thread,
                             const struct alc_native_instance *instance,
                             const struct alc_native_fault *fault)
{
    if (!fault->has_addr) {
        bool is_full = fault->rsp < (uint64_t)(uintptr_t)thread->stack_low + sizeof(uint64_t);
        return is_full ? ALC_E_CALL_STACK_EXHAUSTED : ALC_E_MEMORY_OUT_OF_BOUNDS;
    }
    if (is_in_guard(thread, fault->fault_addr)) {
        return ALC_E_CALL_STACK_EXHAUSTED;
    }
    return is_behind_memory(instance, fault->fault_addr) ? ALC_E_MEMORY_OUT_OF_BOUNDS : ALC_OK;
}

bool alc_native_fault(struct alc_native_thread *thread, struct alc_native_fault *fault)
{
    if (thread == NULL || thread->base == NULL) {
        return false;
    }
    const struct alc_native_instance *instance = alc_native_instance_of(thread->base);
    const struct alc_native_image *image = &instance->code->image;
    uint64_t offset = fault->rip - (uint64_t)(uintptr_t)image->code;
    if (offset >= image->code_size) {
        return false;
    }
    alc_status status = ALC_OK;
    switch (fault->vector) {
    case VECTOR_DIVIDE: /* the compiler's code asks before; other code may not */
        status = ALC_E_DIVIDE_BY_ZERO;
        break;
    case VECTOR_UNDEFINED:
        status = trap_of_code(image, offset);
        break;
    case VECTOR_PAGE:
        status = judge_page(thread, instance, fault);
        break;
    case VECTOR_STACK:
    case VECTOR_PROTECTION:
    case VECTOR_ALIGNMENT:
        status = ALC_E_MEMORY_OUT_OF_BOUNDS;
        break;
    default:
        break;
    }
    if (status == ALC_OK) {
        return false;
    }
    thread->status = (uint32_t)status;
    thread->stopped =
        (struct alc_native_place){.rip = fault->rip, .rsp = fault->rsp, .base = thread->base};
    fault->rip = (uint64_t)(uintptr_t)alc_native_leave;
    fault->r11 = (uint64_t)(uintptr_t)thread;
    fault->rsp = thread->trusted_rsp;
    fault->flags &= ~(uint64_t)FLAGS_CLEARED;
    return true;
}
