/* SPDX-License-Identifier: Apache-2.0
 *
 * Atomic operations of the guest, of all widths, as one operation of the interpreter. Operands come
 * from the guest: the access is checked like any other, and must be aligned as well.
 */
#include "exec/engine.h"
#include "exec/interp_state.h"
#include "exec/waiting.h"
#include "wasm/code_atomic.h"

/* -- one aligned word of memory, of any width; values are zero-extended -- */

#define OF_WIDTH(size_log2, U8, U16, U32, U64)                                                     \
    ((size_log2) == 0 ? (U8) : (size_log2) == 1 ? (U16) : (size_log2) == 2 ? (U32) : (U64))
#define AT(type, ptr) ((type *)(void *)(ptr))

static uint64_t load_cell(const uint8_t *ptr, unsigned size_log2)
{
#define LOAD_AS(type) __atomic_load_n((const type *)(const void *)ptr, __ATOMIC_SEQ_CST)
    return OF_WIDTH(size_log2, LOAD_AS(uint8_t), LOAD_AS(uint16_t), LOAD_AS(uint32_t),
                    LOAD_AS(uint64_t));
#undef LOAD_AS
}

/* Writes `desired` if *expected is still there, else stores what is there in *expected. */
static bool replace(uint8_t *ptr, unsigned size_log2, uint64_t *expected, uint64_t desired)
{
    bool done;
#define REPLACE_AS(type)                                                                           \
    do {                                                                                           \
        type old_ = (type) * expected;                                                             \
        done = __atomic_compare_exchange_n(AT(type, ptr), &old_, (type)desired, false,             \
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                    \
        *expected = old_;                                                                          \
    } while (0)
    switch (size_log2) {
    case 0:
        REPLACE_AS(uint8_t);
        break;
    case 1:
        REPLACE_AS(uint16_t);
        break;
    case 2:
        REPLACE_AS(uint32_t);
        break;
    default:
        REPLACE_AS(uint64_t);
        break;
    }
#undef REPLACE_AS
    return done;
}

static uint64_t combine(uint32_t kind, uint64_t old, uint64_t operand)
{
    switch ((enum alc_atomic_kind)kind) {
    case ALC_ATOMIC_ADD:
        return old + operand;
    case ALC_ATOMIC_SUB:
        return old - operand;
    case ALC_ATOMIC_AND:
        return old & operand;
    case ALC_ATOMIC_OR:
        return old | operand;
    case ALC_ATOMIC_XOR:
        return old ^ operand;
    case ALC_ATOMIC_LOAD:
    case ALC_ATOMIC_STORE:
    case ALC_ATOMIC_XCHG:
    case ALC_ATOMIC_CMPXCHG:
    case ALC_ATOMIC_NOTIFY:
    case ALC_ATOMIC_WAIT:
        break;
    }
    return operand;
}

/* Reads, combines and writes as one; what was there. */
static uint64_t modify(uint8_t *ptr, unsigned size_log2, uint32_t kind, uint64_t operand)
{
    uint64_t old = load_cell(ptr, size_log2);
    while (!replace(ptr, size_log2, &old, combine(kind, old, operand))) {
    }
    return old;
}

static uint64_t mask_of(unsigned size_log2)
{
    return size_log2 == 3 ? UINT64_MAX : (UINT64_C(1) << (8u << size_log2)) - 1;
}

/* What is there; `desired` is there afterwards if that was `expected`. */
static uint64_t compare_exchange(uint8_t *ptr, unsigned size_log2, uint64_t expected,
                                 uint64_t desired)
{
    expected &= mask_of(size_log2);
    (void)replace(ptr, size_log2, &expected, desired);
    return expected;
}

/* -- the operation -- */

static alc_status wait(const struct alc_instance *inst, const struct alc_memory *memory,
                       const uint8_t *ptr, unsigned size_log2, uint64_t *slot)
{
    enum alc_wait_result result = ALC_WAIT_TIMED_OUT;
    if (!memory->type.limits.is_shared) {
        return ALC_E_EXPECTED_SHARED_MEMORY;
    }
    ALC_TRY(alc_waiting_wait(&inst->store->thread, ptr, size_log2, slot[1] & mask_of(size_log2),
                             (int64_t)slot[2], &result));
    slot[0] = (uint64_t)result;
    return ALC_OK;
}

static uint64_t notify(const struct alc_instance *inst, const struct alc_memory *memory,
                       const uint8_t *ptr, uint32_t count_max)
{
    struct alc_waiting *waiting = inst->store->thread.waiting;
    bool may_have_waiters = memory->type.limits.is_shared && waiting != NULL;
    return may_have_waiters ? alc_waiting_notify(waiting, ptr, count_max) : 0;
}

alc_status alc_interp_atomic(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    uint32_t kind = read_u32(ip + 2) & ALC_ATOMIC_KIND_MASK;
    unsigned size_log2 = read_u32(ip + 2) >> ALC_ATOMIC_SIZE_SHIFT;
    struct alc_memory *memory = inst->memories[read_u32(ip + 4)];
    uint64_t *slot = fp + ip[10];
    uint64_t addr = memory->type.limits.is_64 ? slot[0] : (uint32_t)slot[0];
    uint8_t *ptr = alc_memory_at(memory, addr, read_u64(ip + 6), UINT64_C(1) << size_log2);
    if (ptr == NULL) {
        return ALC_E_MEMORY_OUT_OF_BOUNDS;
    }
    /* Memories begin at a page. */
    if (((uintptr_t)ptr & ((UINT64_C(1) << size_log2) - 1)) != 0) {
        return ALC_E_UNALIGNED_ATOMIC;
    }
    switch ((enum alc_atomic_kind)kind) {
    case ALC_ATOMIC_LOAD:
        slot[0] = load_cell(ptr, size_log2);
        break;
    case ALC_ATOMIC_STORE:
        (void)modify(ptr, size_log2, kind, slot[1]);
        break;
    case ALC_ATOMIC_CMPXCHG:
        slot[0] = compare_exchange(ptr, size_log2, slot[1], slot[2]);
        break;
    case ALC_ATOMIC_NOTIFY:
        slot[0] = notify(inst, memory, ptr, (uint32_t)slot[1]);
        break;
    case ALC_ATOMIC_WAIT:
        return wait(inst, memory, ptr, size_log2, slot);
    case ALC_ATOMIC_ADD:
    case ALC_ATOMIC_SUB:
    case ALC_ATOMIC_AND:
    case ALC_ATOMIC_OR:
    case ALC_ATOMIC_XOR:
    case ALC_ATOMIC_XCHG:
        slot[0] = modify(ptr, size_log2, kind, slot[1]);
        break;
    }
    return ALC_OK;
}
