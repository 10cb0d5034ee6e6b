/* SPDX-License-Identifier: Apache-2.0
 *
 * The interpreter's register code: what validation emits and exec/interp runs. wasm/ knows the
 * shape of the code and the numbers of the operations (code.def); where an operation's handler
 * stands in memory comes from exec/ in a struct alc_code_target, so that nothing here depends on
 * exec/.
 *
 * Shape. A function's code is a run of 16-bit units. An operation is a handler offset (two units, a
 * signed 32-bit distance from the handler table) followed by operands: slots of the frame (one
 * unit), immediates (one, two or four units), distances of branches (two units, in units, from
 * behind the distance). Code holds no addresses except those of struct alc_code of called
 * functions.
 *
 * Frame. 8-byte slots: parameters, locals (v128 takes two), one link slot that holds the return
 * address, operand stack. An i32 or f32 stands in the low half of a slot, the upper half is
 * undefined. The callee's frame begins at its first argument on the caller's operand stack. A
 * result of type i32, i64 or reference is returned in the integer accumulator, f32 and f64 in the
 * floating one; a v128, or several results, in the callee's slots from 0 on.
 *
 * Frames take at least ALC_CODE_FRAME_MIN slots, which bounds the depth of calls by the size of the
 * stack: ALC_LIMIT_CALL_DEPTH is kept without counting.
 *
 * What exec/ has to supply for pure operations, keyed by the idents of ops.def:
 *   exec/numeric.def rows; operands are a and b, C types u32 s32 u64 s64 f32 f64, R is the type of
 *   the result, `trap` an expression of type alc_status (ALC_OK: none) evaluated before `expr`:
 *     BIN(ident, T, R, expr)            integer operands and result: BIN(I32_SHR_S, s32, s32, a >>
 * (b & 31)) TRAP_BIN(ident, T, R, trap, expr) the same that may trap: div and rem CMP(ident, T,
 * expr)               integer comparison: CMP(I32_LT_S, s32, a < b) UN(ident, T, R, expr) integer
 * to integer: eqz clz ctz popcnt extend wrap FBIN(ident, T, expr)              floating, result of
 * type T FCMP(ident, T, expr)              floating comparison FUN(ident, T, R, expr) floating to
 * floating, promote and demote too TRAP_FI(ident, T, R, trap, expr)  floating to integer; trunc_sat
 * rows say ALC_OK IF(ident, T, R, expr)             integer to floating (no rows for reinterpret:
 * slots hold bits) exec/simd.h: typedef alc_v128 (16-byte vector) and one `static inline` function
 * alc_simd_<ident> for each SIMD and RELAXED_SIMD row, e.g. alc_v128 alc_simd_I8X16_ADD(alc_v128 a,
 * alc_v128 b); parameters and result follow the signature (I uint32_t, L uint64_t, F float, D
 * double, S alc_v128), then `unsigned lane` for LANEn, `const uint8_t *lanes` (16 bytes, checked)
 * for SHUFFLE. Loads take `const uint8_t *src` for A, stores `uint8_t *dst`: both checked and
 * unaligned, e.g. alc_v128 alc_simd_V128_LOAD8_LANE(const uint8_t *src, alc_v128 v, unsigned lane);
 *   void alc_simd_V128_STORE8_LANE(uint8_t *dst, alc_v128 v, unsigned lane).
 *   No function for v128.const.
 */
#ifndef ALC_WASM_CODE_H
#define ALC_WASM_CODE_H

#include "base/arena.h"
#include "base/limits.h"

/* Smallest distance between the frames of a caller and its callee. */
#define ALC_CODE_FRAME_MIN                                                                         \
    ((ALC_LIMIT_STACK_SLOTS + ALC_LIMIT_CALL_DEPTH - 1) / ALC_LIMIT_CALL_DEPTH)

/* Whether there are handlers for sequences of operations (code_sequences.def): they are many, so
 * not where size matters, and need tail calls. */
#if defined(__clang__) && !defined(ALC_ENCLAVE) && !defined(ALC_ONE_UNIT)
#define ALC_CODE_SEQUENCES 1
#else
#define ALC_CODE_SEQUENCES 0
#endif

/* The operations: the forms of each family of code.def. */
/* clang-format off */
enum alc_code_op {
#define CBIN(i) \
    ALC_CODE_##i##_SS, ALC_CODE_##i##_SSD, ALC_CODE_##i##_SI, ALC_CODE_##i##_SID, \
    ALC_CODE_##i##_AS, ALC_CODE_##i##_ASD, ALC_CODE_##i##_AI, ALC_CODE_##i##_AID,
#define NBIN(i) CBIN(i) ALC_CODE_##i##_SA, ALC_CODE_##i##_SAD,
#define DIVISION(i) ALC_CODE_##i##_SS, ALC_CODE_##i##_SI,
#define ROTATE(i) ALC_CODE_##i##_SS,
#define ICMP(i, swapped, inverse) \
    ALC_CODE_##i##_SS, ALC_CODE_##i##_SI, ALC_CODE_##i##_AS, ALC_CODE_##i##_AI, \
    ALC_CODE_##i##_BR_SS, ALC_CODE_##i##_BR_SI, ALC_CODE_##i##_BR_AS, ALC_CODE_##i##_BR_AI,
#define UN(i) ALC_CODE_##i##_S, ALC_CODE_##i##_SD, ALC_CODE_##i##_A, ALC_CODE_##i##_AD,
#define FCBIN(i) CBIN(i)
#define FBIN(i) \
    ALC_CODE_##i##_SS, ALC_CODE_##i##_SSD, ALC_CODE_##i##_SA, ALC_CODE_##i##_SAD, \
    ALC_CODE_##i##_AS, ALC_CODE_##i##_ASD,
#define FCMP(i) ALC_CODE_##i##_SS, ALC_CODE_##i##_AS, ALC_CODE_##i##_SA,
#define FORDER(i, swapped) \
    FCMP(i) ALC_CODE_##i##_BR_SS, ALC_CODE_##i##_BR_AS, ALC_CODE_##i##_BR_SA, \
    ALC_CODE_##i##_UNLESS_SS, ALC_CODE_##i##_UNLESS_AS, ALC_CODE_##i##_UNLESS_SA,
#define FRARE(i) ROTATE(i)
#define UNRARE(i) ALC_CODE_##i##_S, ALC_CODE_##i##_A,
#define FUN(i) UNRARE(i)
#define FI(i) ALC_CODE_##i##_A,
#define IF(i) FUN(i)
#define LOAD(i, type) UN(i) ALC_CODE_##i##_P,
#define FLOAD(i, type) LOAD(i, type)
#define INDEXED(i, type) \
    ALC_CODE_##i##_SS, ALC_CODE_##i##_SSD, ALC_CODE_##i##_SI, ALC_CODE_##i##_SID, \
    ALC_CODE_##i##_AS, ALC_CODE_##i##_ASD, ALC_CODE_##i##_XS, ALC_CODE_##i##_XSD, \
    ALC_CODE_##i##_XI, ALC_CODE_##i##_XID,
#define FINDEXED(i, type) INDEXED(i, type)
#define ABSOLUTE(i, type) ALC_CODE_##i##_I, ALC_CODE_##i##_ID,
#define FPAIR(i, first, second) \
    ALC_CODE_##i##_AS, ALC_CODE_##i##_ASD, ALC_CODE_##i##_SS, ALC_CODE_##i##_SSD,
#define CHOOSE(i) \
    ALC_CODE_##i##_SELECT_SS, ALC_CODE_##i##_SELECT_SI, ALC_CODE_##i##_SELECT_AS, \
    ALC_CODE_##i##_SELECT_AI,
#define STEP(i) \
    ALC_CODE_##i##_STEP_S, ALC_CODE_##i##_STEP_I, ALC_CODE_##i##_PAIR_S, ALC_CODE_##i##_PAIR_I,
#define STORE(i, type) \
    ALC_CODE_##i##_SS, ALC_CODE_##i##_SA, ALC_CODE_##i##_SI, ALC_CODE_##i##_AS, \
    ALC_CODE_##i##_AI, ALC_CODE_##i##_P,
#define FSTORE(i, type) ALC_CODE_##i##_SA, ALC_CODE_##i##_AA,
#define FIELD(i, type) UN(i)
#define PACKED(i, type) ALC_CODE_##i##_S,
#define FIELD_SET(i, type) ALC_CODE_##i##_SS, ALC_CODE_##i##_SA,
#define ELEMENT(i, type) ALC_CODE_##i##_SS, ALC_CODE_##i##_SA,
#define ELEMENT_SET(i, type) ALC_CODE_##i,
#define PLAIN(i) ALC_CODE_##i,
#define VECTOR(i, shape) ALC_CODE_##i,
#include "wasm/code_families.h"
    ALC_CODE_SINGLE_COUNT,
    ALC_CODE_LAST_SINGLE = ALC_CODE_SINGLE_COUNT - 1,
#if ALC_CODE_SEQUENCES
#define TWO(a, b) ALC_CODE_##a##__##b,
#define THREE(a, b, c) ALC_CODE_##a##__##b##__##c,
#include "wasm/code_sequences.def"
#undef TWO
#undef THREE
#endif
    ALC_CODE_COUNT
};
/* clang-format on */

/* Distance of a handler from the table of all, in bytes. An enclave's linker script puts both so
 * near to each other that 16 bits do, once this much is added. */
#if defined(ALC_ENCLAVE) && defined(__clang__)
#define ALC_CODE_BIAS 0x14800
typedef int16_t alc_code_distance;
#else
#define ALC_CODE_BIAS 0
typedef int32_t alc_code_distance;
#endif

/* Where the code of a function goes, and how it is to be made. */
struct alc_code_target {
    const alc_code_distance *handlers; /* by enum alc_code_op */
    bool metered;                      /* code counts fuel */
    bool interruptible; /* code looks at the stop word at loop heads and function entries */
};

/* How an operation of the code starts. */
static inline uint32_t alc_code_handler(const struct alc_code_target *target, uint32_t code)
{
    return (uint32_t)target->handlers[code] - ALC_CODE_BIAS;
}

/* A slot that holds a reference that the collector traces, and (number + 1, 0: none) the next one.
 */
struct alc_code_root {
    uint32_t next;
    uint16_t slot;
};

/* What slots hold references while the operation that ends at `unit` runs. */
struct alc_code_safepoint {
    uint32_t unit;
    uint32_t root; /* number + 1 of the first node in `roots` */
};

/* Memory that code is made in while programs run. Belongs to a store and lasts as long as its
 * modules; several modules and threads may share it. */
struct alc_code_heap {
    struct alc_arena arena; /* only grows */
    bool is_busy;           /* somebody makes code or looks for it */
};

/* Code of one function. Lives in the module's arena, never moves: calls refer to it by address.
 * Until the function is called for the first time `units` leads to `lazy_handler`, an operation
 * without operands that makes the code (code_make.h). */
struct alc_code {
    const uint16_t *units; /* the entry: for other threads too, so alc_code_entry reads it */
    uint32_t lazy_handler;
    uint32_t function_index; /* in the module */
    uint32_t units_count;    /* this and what follows: 0 until the code is made */
    uint32_t frame_slots;    /* parameters, locals, link and operands */
    uint32_t link_slot;
    uint32_t handlers_count; /* of exceptions; all tables stand behind the units */
    uint32_t safepoints_count;
    uint32_t roots_count;
};

static inline const uint16_t *alc_code_entry(const struct alc_code *code)
{
    return __atomic_load_n(&code->units, __ATOMIC_ACQUIRE);
}

/* -- exceptions: tables, so that nothing is done where a try begins or ends -- */

#define ALC_NO_HANDLER UINT32_MAX
/* In alc_code_handler.clause: the search goes on among handlers of at most the depth added to it.
 */
#define ALC_HANDLER_DELEGATES (UINT32_C(1) << 31)

/* What happens to exceptions from the units start_unit..end_unit - 1. Ordered by end_unit, inner
 * ones first: the first that ends behind a unit, or one that is reached from there by `outer`, is
 * the innermost that covers it. */
struct alc_code_handler {
    uint32_t start_unit;
    uint32_t end_unit;
    uint32_t outer;  /* index of the handler around this one, or ALC_NO_HANDLER */
    uint32_t depth;  /* of its block; that of the function is 0 */
    uint32_t clause; /* index of the first one, or ALC_HANDLER_DELEGATES + depth */
};

/* One kind of exception that a handler catches. */
struct alc_code_clause {
    uint32_t tag_index;      /* in the module; ALC_NO_INDEX: every exception */
    uint32_t landing_unit;   /* where the program goes on */
    uint32_t next;           /* clause to try after this one, or ALC_NO_HANDLER */
    uint16_t payload_slot;   /* receives what the exception carries (unless it is every one) */
    uint16_t reference_slot; /* receives the exception itself; 0: nobody wants it */
};

/* -- tables of a function, one behind the other: handlers, safepoints, roots, clauses -- */

static inline const struct alc_code_handler *alc_code_handlers(const struct alc_code *code)
{
    return (const struct alc_code_handler *)(const void *)(code->units +
                                                           ((code->units_count + 1) & ~1u));
}

/* Ascending; an operation that is not there has no traced references in its frame. */
static inline const struct alc_code_safepoint *alc_code_safepoints(const struct alc_code *code)
{
    return (const struct alc_code_safepoint *)(const void *)(alc_code_handlers(code) +
                                                             code->handlers_count);
}

static inline const struct alc_code_root *alc_code_roots(const struct alc_code *code)
{
    return (const struct alc_code_root *)(const void *)(alc_code_safepoints(code) +
                                                        code->safepoints_count);
}

static inline const struct alc_code_clause *alc_code_clauses(const struct alc_code *code)
{
    return (const struct alc_code_clause *)(const void *)(alc_code_roots(code) + code->roots_count);
}

#endif
