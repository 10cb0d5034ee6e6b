/* SPDX-License-Identifier: Apache-2.0
 *
 * The instructions of ops.def as numbers and facts: a dense enum, the format of the immediate, the
 * signature packed into 16 bits, the feature.
 */
#ifndef ALC_WASM_OPS_H
#define ALC_WASM_OPS_H

#include "wasm/features.h"

enum alc_op {
    ALC_OP_ILLEGAL,
#define OP(code, ident, text, immediate, signature, feature) ALC_OP_##ident,
#include "wasm/ops.def"
#undef OP
    ALC_OP_COUNT
};

enum alc_immediate {
    ALC_IMM_NONE,
    ALC_IMM_BLOCK,
    ALC_IMM_LABEL,
    ALC_IMM_LABELS,
    ALC_IMM_FUNC,
    ALC_IMM_TYPE,
    ALC_IMM_TYPE_TABLE,
    ALC_IMM_TYPE_FIELD,
    ALC_IMM_TYPE_COUNT,
    ALC_IMM_TYPE_DATA,
    ALC_IMM_TYPE_ELEM,
    ALC_IMM_TYPE_TYPE,
    ALC_IMM_TYPES,
    ALC_IMM_TAG,
    ALC_IMM_TRY_TABLE,
    ALC_IMM_LOCAL,
    ALC_IMM_GLOBAL,
    ALC_IMM_TABLE,
    ALC_IMM_TABLE_TABLE,
    ALC_IMM_ELEM,
    ALC_IMM_ELEM_TABLE,
    ALC_IMM_MEMORY,
    ALC_IMM_MEM_MEM,
    ALC_IMM_DATA,
    ALC_IMM_DATA_MEM,
    ALC_IMM_HEAP,
    ALC_IMM_CAST,
    ALC_IMM_ZERO,
    ALC_IMM_I32,
    ALC_IMM_I64,
    ALC_IMM_F32,
    ALC_IMM_F64,
    ALC_IMM_V128,
    ALC_IMM_SHUFFLE,
    ALC_IMM_LANE2,
    ALC_IMM_LANE4,
    ALC_IMM_LANE8,
    ALC_IMM_LANE16,
    ALC_IMM_MEM0,
    ALC_IMM_MEM1,
    ALC_IMM_MEM2,
    ALC_IMM_MEM3,
    ALC_IMM_MEM4,
    ALC_IMM_MEMLANE0,
    ALC_IMM_MEMLANE1,
    ALC_IMM_MEMLANE2,
    ALC_IMM_MEMLANE3,
};

/* Letters of signatures; I..S are also the value kinds (types.h). */
enum alc_letter {
    ALC_LETTER_NONE,
    ALC_LETTER_I,
    ALC_LETTER_L,
    ALC_LETTER_F,
    ALC_LETTER_D,
    ALC_LETTER_S,
    ALC_LETTER_A,
};

/* A signature: operands 0..2 in bits 0..8 (three each), result in bits 9..11. */
#define ALC_SIGNATURE_CTRL 0xffffu
static inline unsigned alc_signature_operand(uint16_t signature, unsigned index)
{
    return signature >> 3 * index & 7u;
}
static inline unsigned alc_signature_result(uint16_t signature)
{
    return signature >> 9 & 7u;
}

struct alc_op_info {
    uint16_t signature;
    uint8_t immediate; /* enum alc_immediate */
    uint8_t feature;   /* enum alc_feature */
};

extern const struct alc_op_info alc_op_infos[ALC_OP_COUNT];

/* By opcode byte; what follows is behind the prefixes. */
extern const uint8_t alc_op_map[];

/* The instruction behind an opcode byte, or behind a prefix byte (0xFB..0xFE) and its number;
 * ALC_OP_ILLEGAL, whose signature is CTRL, when there is none. */
static inline enum alc_op alc_op_find(uint8_t byte)
{
    return (enum alc_op)alc_op_map[byte];
}
enum alc_op alc_op_find_prefixed(uint8_t prefix, uint32_t number);

static inline bool alc_op_is_prefix(uint8_t byte)
{
    return byte >= 0xfb && byte <= 0xfe;
}

#endif
