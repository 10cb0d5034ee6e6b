/* SPDX-License-Identifier: Apache-2.0
 *
 * Atomic operations. All but the fence become one operation of the interpreter that says what is to
 * be done (code_atomic.h); operands and result are in their own slots.
 */
#include "wasm/code_atomic.h"
#include "wasm/validate_internal.h"

/* Rows of ops.def stand in groups of seven widths, in the order of enum alc_atomic_kind. */
enum { WIDTHS = 7 };
_Static_assert(ALC_OP_I32_ATOMIC_STORE - ALC_OP_I32_ATOMIC_LOAD == ALC_ATOMIC_STORE * WIDTHS &&
                   ALC_OP_I32_ATOMIC_RMW_ADD - ALC_OP_I32_ATOMIC_LOAD == ALC_ATOMIC_ADD * WIDTHS &&
                   ALC_OP_I32_ATOMIC_RMW_SUB - ALC_OP_I32_ATOMIC_LOAD == ALC_ATOMIC_SUB * WIDTHS &&
                   ALC_OP_I32_ATOMIC_RMW_AND - ALC_OP_I32_ATOMIC_LOAD == ALC_ATOMIC_AND * WIDTHS &&
                   ALC_OP_I32_ATOMIC_RMW_OR - ALC_OP_I32_ATOMIC_LOAD == ALC_ATOMIC_OR * WIDTHS &&
                   ALC_OP_I32_ATOMIC_RMW_XOR - ALC_OP_I32_ATOMIC_LOAD == ALC_ATOMIC_XOR * WIDTHS &&
                   ALC_OP_I32_ATOMIC_RMW_XCHG - ALC_OP_I32_ATOMIC_LOAD ==
                       ALC_ATOMIC_XCHG * WIDTHS &&
                   ALC_OP_I32_ATOMIC_RMW_CMPXCHG - ALC_OP_I32_ATOMIC_LOAD ==
                       ALC_ATOMIC_CMPXCHG * WIDTHS,
               "kinds follow from the order of the rows");

static uint32_t kind_of(enum alc_op op)
{
    switch ((int)op) {
    case ALC_OP_MEMORY_ATOMIC_NOTIFY:
        return ALC_ATOMIC_NOTIFY;
    case ALC_OP_MEMORY_ATOMIC_WAIT32:
    case ALC_OP_MEMORY_ATOMIC_WAIT64:
        return ALC_ATOMIC_WAIT;
    default:
        return (uint32_t)(op - ALC_OP_I32_ATOMIC_LOAD) / WIDTHS;
    }
}

static alc_status validate_fence(struct alc_validator *v)
{
    uint8_t zero;
    ALC_TRY(alc_read_u8(&v->reader, &zero));
    if (zero != 0) {
        return alc_validator_fail(v, ALC_E_ZERO_BYTE_EXPECTED);
    }
    if (v->is_live) {
        alc_emit_op(v, ALC_CODE_ATOMIC_FENCE);
    }
    return ALC_OK;
}

static uint32_t type_of_atomic_letter(unsigned letter, bool is_64)
{
    return letter == ALC_LETTER_A ? (is_64 ? ALC_TYPE_I64 : ALC_TYPE_I32) : letter;
}

alc_status alc_validate_atomic(struct alc_validator *v, enum alc_op op)
{
    const struct alc_op_info *info = &alc_op_infos[op];
    struct alc_memory_argument argument;
    uint32_t types[3];
    uint32_t operands_count = 0;
    if (op == ALC_OP_ATOMIC_FENCE) {
        return validate_fence(v);
    }
    uint32_t size_log2 = info->immediate - (uint32_t)ALC_IMM_MEM0;
    ALC_TRY(alc_validator_read_memory_argument(v, &argument));
    if (argument.align_log2 != size_log2) {
        return alc_validator_fail(v, ALC_E_BAD_ATOMIC_ALIGNMENT);
    }
    for (unsigned i = 0; i < 3; i++) {
        unsigned letter = alc_signature_operand(info->signature, i);
        if (letter != ALC_LETTER_NONE) {
            types[operands_count++] = type_of_atomic_letter(letter, argument.is_64);
        }
    }
    ALC_TRY(alc_pop_types(v, types, operands_count));
    if (v->is_live) {
        const uint32_t units[4] = {
            kind_of(op) | size_log2 << ALC_ATOMIC_SIZE_SHIFT,
            argument.memory_index,
            (uint32_t)argument.offset,
            (uint32_t)(argument.offset >> 32),
        };
        alc_emit_in_place(v, ALC_CODE_ATOMIC, units, 4, operands_count);
    }
    unsigned result = alc_signature_result(info->signature);
    return result != ALC_LETTER_NONE ? alc_push_slot(v, type_of_atomic_letter(result, false))
                                     : ALC_OK;
}
