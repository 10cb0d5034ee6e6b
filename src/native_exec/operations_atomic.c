/* SPDX-License-Identifier: Apache-2.0
 *
 * memory.atomic.wait and notify for checked code, which gives the effective address. The rows' b is
 * the memory.
 */
#include "exec/waiting.h"
#include "native_exec/operations.h"

enum { SIZE_LOG2_32 = 2, SIZE_LOG2_64 = 3 };

/* The aligned place of 1 << size_log2 bytes at `addr`. */
static alc_status find_place(struct alc_memory *memory, uint64_t addr, unsigned size_log2,
                             uint8_t **out)
{
    uint64_t size = UINT64_C(1) << size_log2;
    uint8_t *ptr = alc_memory_at(memory, addr, 0, size);
    if (ptr == NULL) {
        return ALC_E_MEMORY_OUT_OF_BOUNDS;
    }
    *out = ptr;
    return (addr & (size - 1)) == 0 ? ALC_OK : ALC_E_UNALIGNED_ATOMIC;
}

static alc_status wait(struct alc_native_thread *thread, struct alc_memory *memory,
                       unsigned size_log2, uint64_t expected, uint64_t *slots)
{
    uint8_t *ptr = NULL;
    enum alc_wait_result result = ALC_WAIT_TIMED_OUT;
    ALC_TRY(find_place(memory, slots[0], size_log2, &ptr));
    if (!memory->type.limits.is_shared) {
        return ALC_E_EXPECTED_SHARED_MEMORY;
    }
    ALC_TRY(alc_waiting_wait(&thread->store->thread, ptr, size_log2, expected, (int64_t)slots[2],
                             &result));
    slots[0] = (uint64_t)result;
    return ALC_OK;
}

static alc_status run_wait32(struct alc_native_thread *thread, struct alc_native_instance *instance,
                             const struct alc_native_stub *row, uint64_t *slots)
{
    return wait(thread, instance->instance->memories[row->b], SIZE_LOG2_32, (uint32_t)slots[1],
                slots);
}

static alc_status run_wait64(struct alc_native_thread *thread, struct alc_native_instance *instance,
                             const struct alc_native_stub *row, uint64_t *slots)
{
    return wait(thread, instance->instance->memories[row->b], SIZE_LOG2_64, slots[1], slots);
}

static alc_status run_notify(struct alc_native_thread *thread, struct alc_native_instance *instance,
                             const struct alc_native_stub *row, uint64_t *slots)
{
    struct alc_memory *memory = instance->instance->memories[row->b];
    struct alc_waiting *waiting = thread->store->thread.waiting;
    uint8_t *ptr = NULL;
    ALC_TRY(find_place(memory, slots[0], SIZE_LOG2_32, &ptr));
    bool may_have_waiters = memory->type.limits.is_shared && waiting != NULL;
    slots[0] = may_have_waiters ? alc_waiting_notify(waiting, ptr, (uint32_t)slots[1]) : 0;
    return ALC_OK;
}

const struct alc_native_operation_row alc_native_operations_atomic[] = {
    ALC_NATIVE_OPERATION(MEMORY_ATOMIC_NOTIFY, MEMORY, NONE, run_notify),
    ALC_NATIVE_OPERATION(MEMORY_ATOMIC_WAIT32, MEMORY, NONE, run_wait32),
    ALC_NATIVE_OPERATION(MEMORY_ATOMIC_WAIT64, MEMORY, NONE, run_wait64),
    {0},
};
