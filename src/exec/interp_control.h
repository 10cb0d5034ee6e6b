/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a header of declarations: the handlers of control, calls, moves and everything else that
 * code.def calls PLAIN, included once by interp.c.
 *
 * Calls. The caller's operation ends with a unit that says how far the frame moves; the return
 * address is the unit behind. Handlers named do_* are parts of operations, reached with
 *   - do_call: acc = function, ip = return address, fp = caller's frame;
 *   - do_enter: the same with fp = callee's frame.
 */

/* -- functions -- */

/* The first call of a function: acc is the return address. */
COLD_HANDLER(LAZY)
{
    const uint16_t *entry = alc_interp_make_code(inst, ip);
    if (entry == NULL) {
        ip = (const uint16_t *)(uintptr_t)acc;
        acc = ALC_E_OUT_OF_MEMORY;
        TAIL(do_stop_between);
    }
    ip = entry;
    DISPATCH();
}
HANDLER(ENTER)
{
    if (ALC_UNLIKELY((size_t)(run->stack_limit - fp) < ip[2])) {
        TAIL(do_overflow);
    }
    SLOT(3) = acc;
    NEXT(4);
}
HANDLER(ENTER_ZERO)
{
    if (ALC_UNLIKELY((size_t)(run->stack_limit - fp) < ip[2])) {
        TAIL(do_overflow);
    }
    uint64_t *link = fp + ip[3];
    *link = acc;
    for (uint64_t *local = fp + ip[4]; local != link; local++) {
        *local = 0;
        __asm__("" : "+r"(local)); /* few locals: no call of memset */
    }
    NEXT(5);
}
HANDLER(POLL)
{
    if (ALC_UNLIKELY((__atomic_load_n(run->stop_flag, __ATOMIC_RELAXED) |
                      __atomic_load_n(run->end_flag, __ATOMIC_RELAXED)) != 0)) {
        TRAP(ALC_E_DEADLINE);
    }
    NEXT(2);
}
HANDLER(FUEL)
{
    uint64_t cost = read_u32(ip + 2);
    uint64_t *fuel = &run->thread->fuel;
    if (ALC_UNLIKELY(*fuel < cost)) {
        TRAP(ALC_E_OUT_OF_FUEL);
    }
    *fuel -= cost;
    NEXT(4);
}
HANDLER(UNREACHABLE)
{
    TRAP(ALC_E_UNREACHABLE);
}

/* Ends the activation: acc is the status. */
COLD_HANDLER(stop)
{
    run->trap_ip = ip;
    run->trap_fp = fp;
    run->trap_instance = inst;
    END((alc_status)acc);
}
/* An access past the size that was known here: another thread may have grown a shared memory. */
COLD_HANDLER(stop_memory)
{
    if (inst->memory0 != NULL && alc_memory_size(inst->memory0) > mem_size) {
        RELOAD();
        DISPATCH();
    }
    acc = ALC_E_MEMORY_OUT_OF_BOUNDS;
    TAIL(stop);
}
/* The same between two functions: ip is a return address, fp the callee's frame. */
COLD_HANDLER(do_stop_between)
{
    run->trap_ip = NULL;
    run->trap_return = ip;
    run->trap_fp = fp;
    run->trap_instance = inst;
    END((alc_status)acc);
}
/* The stack cannot hold the frame: acc is the return address. */
COLD_HANDLER(do_overflow)
{
    ip = (const uint16_t *)(uintptr_t)acc;
    acc = ALC_E_CALL_STACK_EXHAUSTED;
    TAIL(do_stop_between);
}
HANDLER(EXIT)
{
    run->acc = acc;
    run->facc = bits_of_acc(facc);
    END(ALC_OK);
}

/* -- branches -- */

#define BRANCH(n)                                                                                  \
    do {                                                                                           \
        ip += (n) + 2 + read_s32(ip + (n));                                                        \
        DISPATCH();                                                                                \
    } while (0)
#define BRANCH_WHEN(condition, n)                                                                  \
    do {                                                                                           \
        if (condition) {                                                                           \
            BRANCH(n);                                                                             \
        }                                                                                          \
        NEXT((n) + 2);                                                                             \
    } while (0)

HANDLER(BR)
{
    BRANCH(2);
}
HANDLER(COPY_BR)
{
    SLOT(3) = SLOT(2);
    BRANCH(4);
}
HANDLER(BR_IF_S)
{
    BRANCH_WHEN((uint32_t)SLOT(2) != 0, 3);
}
HANDLER(BR_IF_A)
{
    BRANCH_WHEN((uint32_t)acc != 0, 2);
}
HANDLER(BR_UNLESS_S)
{
    BRANCH_WHEN((uint32_t)SLOT(2) == 0, 3);
}
HANDLER(BR_UNLESS_A)
{
    BRANCH_WHEN((uint32_t)acc == 0, 2);
}
HANDLER(BR_NULL)
{
    BRANCH_WHEN(SLOT(2) == 0, 3);
}
HANDLER(BR_NON_NULL)
{
    BRANCH_WHEN(SLOT(2) != 0, 3);
}
HANDLER(BR_TABLE_S)
{
    uint32_t index = (uint32_t)SLOT(2);
    uint32_t count = read_u32(ip + 3);
    ip += 5 + 2 * (size_t)(index < count ? index : count);
    BRANCH(0);
}
HANDLER(BR_TABLE_AI)
{
    uint32_t index = (uint32_t)acc + read_u32(ip + 2);
    uint32_t count = read_u32(ip + 4);
    ip += 6 + 2 * (size_t)(index < count ? index : count);
    BRANCH(0);
}
HANDLER(BR_TABLE_A)
{
    uint32_t index = (uint32_t)acc;
    uint32_t count = read_u32(ip + 2);
    ip += 4 + 2 * (size_t)(index < count ? index : count);
    BRANCH(0);
}

/* -- calls -- */

HANDLER(do_call)
{
    fp += ip[-1];
    TAIL(do_enter);
}
HANDLER(do_enter)
{
    struct alc_function *function = (struct alc_function *)(uintptr_t)acc;
    if (ALC_LIKELY(function->code != NULL)) {
        if (function->instance != inst) {
            if (ip != &run->exit_units[1] && ip != &run->cross_units[1]) {
                alc_status status = alc_interp_cross(run, inst, ip, function, &fp);
                if (ALC_UNLIKELY(status != ALC_OK)) {
                    acc = (uint64_t)status;
                    TAIL(do_stop_between);
                }
                ip = &run->cross_units[1];
            }
            inst = function->instance;
            RELOAD();
        }
        acc = (uint64_t)(uintptr_t)ip;
        ip = alc_code_entry(function->code);
        DISPATCH();
    }
    alc_status status = alc_interp_call_host(run, inst, ip, fp, function);
    if (ALC_UNLIKELY(status != ALC_OK)) {
        acc = (uint64_t)status;
        TAIL(do_host_failed);
    }
    if (inst != NULL) {
        RELOAD();
    }
    acc = fp[0];
    facc = acc_of_bits(fp[0]);
    fp -= ip[-1];
    DISPATCH();
}
HANDLER(CALL)
{
    const struct alc_code *code = (const struct alc_code *)(uintptr_t)read_u64(ip + 2);
    fp += ip[6];
    acc = (uint64_t)(uintptr_t)(ip + 7);
    ip = alc_code_entry(code);
    DISPATCH();
}
HANDLER(CALL_IMPORT)
{
    acc = (uint64_t)(uintptr_t)inst->functions[read_u32(ip + 2)];
    ip += 5;
    TAIL(do_call);
}
#define CALL_TABLE(index, n)                                                                       \
    do {                                                                                           \
        struct alc_function *function;                                                             \
        alc_status status =                                                                        \
            alc_interp_find_callee(inst, ip[(n) + 2], index, read_u32(ip + (n)), &function);       \
        if (ALC_UNLIKELY(status != ALC_OK)) {                                                      \
            TRAP(status);                                                                          \
        }                                                                                          \
        acc = (uint64_t)(uintptr_t)function;                                                       \
    } while (0)
/* The usual callee is found here: of exactly the type that is wanted. */
HANDLER(CALL_INDIRECT_A)
{
    const struct alc_table *callees = inst->tables[ip[4]];
    uint64_t index = callees->type.limits.is_64 ? acc : (uint32_t)acc;
    if (ALC_LIKELY(index < callees->count)) {
        index = alc_index_clamp(index, callees->count);
        struct alc_function *function = alc_reference_to_function(callees->entries[index]);
        if (ALC_LIKELY(function != NULL && function->type_id == read_u32(ip + 2))) {
            acc = (uint64_t)(uintptr_t)function;
            ip += 6;
            TAIL(do_call);
        }
    }
    TAIL(do_call_indirect);
}
HANDLER(do_call_indirect)
{
    CALL_TABLE(acc, 2);
    ip += 6;
    TAIL(do_call);
}
HANDLER(CALL_INDIRECT_S)
{
    acc = SLOT(2);
    ip += 1;
    TAIL(CALL_INDIRECT_A);
}
HANDLER(CALL_REF)
{
    acc = SLOT(2);
    if (ALC_UNLIKELY(acc == ALC_REF_NULL)) {
        TRAP(ALC_E_NULL_FUNCTION);
    }
    ip += 4;
    TAIL(do_call);
}

/* Tail calls: first argument's slot, slots of arguments, link slot; then as above. The frame stays.
 */
#define REPLACE_FRAME()                                                                            \
    do {                                                                                           \
        const uint16_t *return_ip = (const uint16_t *)(uintptr_t)SLOT(4);                          \
        const uint64_t *from = fp + ip[2];                                                         \
        for (unsigned i = 0, count = ip[3]; i < count; i++) {                                      \
            fp[i] = from[i];                                                                       \
            __asm__("" : "+r"(i));                                                                 \
        }                                                                                          \
        ip = return_ip;                                                                            \
    } while (0)
HANDLER(TAIL_CALL)
{
    const struct alc_code *code = (const struct alc_code *)(uintptr_t)read_u64(ip + 5);
    REPLACE_FRAME();
    acc = (uint64_t)(uintptr_t)ip;
    ip = alc_code_entry(code);
    DISPATCH();
}
HANDLER(TAIL_CALL_IMPORT)
{
    acc = (uint64_t)(uintptr_t)inst->functions[read_u32(ip + 5)];
    REPLACE_FRAME();
    TAIL(do_enter);
}
HANDLER(TAIL_CALL_INDIRECT)
{
    CALL_TABLE(SLOT(8), 5);
    REPLACE_FRAME();
    TAIL(do_enter);
}
HANDLER(TAIL_CALL_REF)
{
    acc = SLOT(5);
    if (ALC_UNLIKELY(acc == ALC_REF_NULL)) {
        TRAP(ALC_E_NULL_FUNCTION);
    }
    REPLACE_FRAME();
    TAIL(do_enter);
}

/* -- returns -- */

#define RETURN_TO(link)                                                                            \
    do {                                                                                           \
        ip = (const uint16_t *)(uintptr_t)(link);                                                  \
        fp -= ip[-1];                                                                              \
        DISPATCH();                                                                                \
    } while (0)
HANDLER(RETURN)
{
    RETURN_TO(SLOT(2));
}
HANDLER(RETURN_S)
{
    acc = SLOT(2);
    RETURN_TO(SLOT(3));
}
HANDLER(RETURN_F)
{
    facc = acc_of_bits(SLOT(2));
    RETURN_TO(SLOT(3));
}
HANDLER(RETURN_I)
{
    acc = IMMEDIATE(2);
    RETURN_TO(SLOT(4));
}
HANDLER(RETURN_VALUES)
{
    uint64_t link = SLOT(4);
    const uint64_t *from = fp + ip[2];
    for (unsigned i = 0, count = ip[3]; i < count; i++) {
        fp[i] = from[i];
        __asm__("" : "+r"(i));
    }
    RETURN_TO(link);
}
/* fp is at the record of alc_interp_cross: results that stand in slots go down to where the caller
 * expects them. */
HANDLER(RETURN_CROSS)
{
    const uint64_t *from = fp + CROSS_SLOTS;
    uint32_t arguments_slots = (uint32_t)fp[2];
    uint32_t results_slots = (uint32_t)(fp[2] >> 32);
    ip = (const uint16_t *)(uintptr_t)fp[0];
    inst = (struct alc_instance *)(uintptr_t)fp[1];
    fp -= arguments_slots;
    for (uint32_t i = 0; i < results_slots; i++) {
        fp[i] = from[i];
        __asm__("" : "+r"(i));
    }
    RELOAD();
    fp -= ip[-1];
    DISPATCH();
}

/* -- moves -- */

HANDLER(COPY)
{
    SLOT(3) = SLOT(2);
    NEXT(4);
}
HANDLER(COPY_PAIR)
{
    SLOT(3) = SLOT(2);
    SLOT(5) = SLOT(4);
    NEXT(6);
}
HANDLER(COPY2)
{
    write_v128(fp + ip[3], read_v128(fp + ip[2]));
    NEXT(4);
}
HANDLER(COPY_MANY)
{
    const uint64_t *from = fp + ip[2];
    uint64_t *to = fp + ip[3];
    for (unsigned i = 0, count = ip[4]; i < count; i++) {
        to[i] = from[i];
        __asm__("" : "+r"(i));
    }
    NEXT(5);
}
HANDLER(CONST32)
{
    SLOT(4) = IMMEDIATE(2);
    NEXT(5);
}
HANDLER(CONST64)
{
    SLOT(6) = read_u64(ip + 2);
    NEXT(7);
}
HANDLER(CONST128)
{
    alc_v128 value;
    alc_copy(&value, ip + 2, sizeof value);
    write_v128(fp + ip[10], value);
    NEXT(11);
}
HANDLER(CONST_F)
{
    facc = acc_of_bits(read_u64(ip + 2));
    NEXT(6);
}
HANDLER(FETCH_F)
{
    facc = acc_of_bits(SLOT(2));
    NEXT(3);
}
HANDLER(STORE_A)
{
    SLOT(2) = acc;
    NEXT(3);
}
HANDLER(STORE_F)
{
    SLOT(2) = bits_of_acc(facc);
    NEXT(3);
}
HANDLER(SELECT_S)
{
    acc = (uint32_t)SLOT(2) != 0 ? SLOT(3) : SLOT(4);
    SLOT(5) = acc;
    NEXT(6);
}
HANDLER(SELECT_A)
{
    acc = (uint32_t)acc != 0 ? SLOT(2) : SLOT(3);
    SLOT(4) = acc;
    NEXT(5);
}
HANDLER(SELECT2_S)
{
    write_v128(fp + ip[5], read_v128(fp + ((uint32_t)SLOT(2) != 0 ? ip[3] : ip[4])));
    NEXT(6);
}
HANDLER(SELECT2_A)
{
    write_v128(fp + ip[4], read_v128(fp + ((uint32_t)acc != 0 ? ip[2] : ip[3])));
    NEXT(5);
}

/* -- globals -- */

HANDLER(GLOBAL_GET)
{
    acc = inst->globals[read_u32(ip + 2)]->value.u64;
    NEXT(4);
}
HANDLER(GLOBAL_GETD)
{
    acc = inst->globals[read_u32(ip + 2)]->value.u64;
    SLOT(4) = acc;
    NEXT(5);
}
HANDLER(GLOBAL_GET2)
{
    write_v128(fp + ip[4], read_v128(inst->globals[read_u32(ip + 2)]->value.slots));
    NEXT(5);
}
HANDLER(GLOBAL_SET_A)
{
    inst->globals[read_u32(ip + 2)]->value.u64 = acc;
    NEXT(4);
}
HANDLER(GLOBAL_SET_S)
{
    inst->globals[read_u32(ip + 2)]->value.u64 = SLOT(4);
    NEXT(5);
}
HANDLER(GLOBAL_SET2)
{
    write_v128(inst->globals[read_u32(ip + 2)]->value.slots, read_v128(fp + ip[4]));
    NEXT(5);
}

/* -- references -- */

HANDLER(REF_FUNC)
{
    acc = alc_reference_from_function(inst->functions[read_u32(ip + 2)]);
    NEXT(4);
}
HANDLER(REF_NON_NULL)
{
    if (ALC_UNLIKELY(SLOT(2) == ALC_REF_NULL)) {
        TRAP(ALC_E_NULL_REFERENCE);
    }
    NEXT(3);
}

/* -- rare operations -- */

HANDLER(ADDRESS)
{
    uint8_t *ptr = alc_interp_address(inst, ip, fp);
    if (ALC_UNLIKELY(ptr == NULL)) {
        TAIL(stop_memory);
    }
    acc = (uint64_t)(uintptr_t)ptr;
    NEXT(9);
}
/* The others say which function they want and how many units they have; their operands are in their
 * slots, the accumulators are free. */
HANDLER(do_slow)
{
    uint32_t units = (uint32_t)(acc & 15);
    alc_status status = alc_interp_slow((unsigned)(acc >> 4), inst, ip, fp);
    if (ALC_UNLIKELY(status != ALC_OK)) {
        TRAP(status);
    }
    RELOAD();
    NEXT(units);
}
#define SLOW(name, n)                                                                              \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        acc = ALC_CODE_##name << 4 | (n);                                                          \
        TAIL(do_slow);                                                                             \
    }
SLOW(MEMORY_SIZE, 5)
SLOW(MEMORY_GROW, 5)
/* Within memory 0, whose size is at hand (or less than it: then the function looks again). */
HANDLER(MEMORY_FILL)
{
    const uint64_t *slot = fp + ip[4];
    uint64_t size = (uint32_t)slot[2];
    if (read_u32(ip + 2) == 0 && !inst->memory0->type.limits.is_64 &&
        (uint32_t)slot[0] + size <= mem_size) {
        alc_fill(mem + (uint32_t)slot[0], (uint8_t)slot[1], size);
        NEXT(5);
    }
    acc = ALC_CODE_MEMORY_FILL << 4 | 5;
    TAIL(do_slow);
}
HANDLER(MEMORY_COPY)
{
    const uint64_t *slot = fp + ip[6];
    uint64_t size = (uint32_t)slot[2];
    if (read_u64(ip + 2) == 0 && !inst->memory0->type.limits.is_64 &&
        (uint32_t)slot[0] + size <= mem_size && (uint32_t)slot[1] + size <= mem_size) {
        alc_move(mem + (uint32_t)slot[0], mem + (uint32_t)slot[1], size);
        NEXT(7);
    }
    acc = ALC_CODE_MEMORY_COPY << 4 | 7;
    TAIL(do_slow);
}
SLOW(MEMORY_INIT, 7)
SLOW(DATA_DROP, 5)
SLOW(TABLE_GET, 5)
SLOW(TABLE_SET, 5)
SLOW(TABLE_SIZE, 5)
SLOW(TABLE_GROW, 5)
SLOW(TABLE_FILL, 5)
SLOW(TABLE_COPY, 7)
SLOW(TABLE_INIT, 7)
SLOW(ELEM_DROP, 5)
SLOW(ATOMIC, 11)

/* -- 128 bits in two slots each: operands from units 2 on, then the slots of both results -- */

__extension__ typedef unsigned __int128 wide;
#define WIDE_SLOTS(unit) ((wide)SLOT((unit) + 1) << 64 | SLOT(unit))
#define WIDE(name, expression, n)                                                                  \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        wide result_ = expression;                                                                 \
        SLOT(n) = (uint64_t)result_;                                                               \
        SLOT((n) + 1) = (uint64_t)(result_ >> 64);                                                 \
        NEXT((n) + 2);                                                                             \
    }
WIDE(I64_ADD128, WIDE_SLOTS(2) + WIDE_SLOTS(4), 6)
WIDE(I64_SUB128, WIDE_SLOTS(2) - WIDE_SLOTS(4), 6)
WIDE(I64_MUL_WIDE_S, (wide)(s64)SLOT(2) * (wide)(s64)SLOT(3), 4)
WIDE(I64_MUL_WIDE_U, (wide)SLOT(2) * SLOT(3), 4)

/* -- atomics -- */

HANDLER(ATOMIC_FENCE)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    NEXT(2);
}
