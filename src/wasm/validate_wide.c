/* SPDX-License-Identifier: Apache-2.0
 *
 * Arithmetic on 128 bits in pairs of i64, the low half first. The only instructions of fixed type
 * with two results: both go to their own slots.
 */
#include "wasm/validate_internal.h"

static enum alc_code_op wide_code_of(enum alc_op op)
{
    switch ((int)op) {
    case ALC_OP_I64_ADD128:
        return ALC_CODE_I64_ADD128;
    case ALC_OP_I64_SUB128:
        return ALC_CODE_I64_SUB128;
    case ALC_OP_I64_MUL_WIDE_S:
        return ALC_CODE_I64_MUL_WIDE_S;
    default:
        return ALC_CODE_I64_MUL_WIDE_U;
    }
}

alc_status alc_validate_wide(struct alc_validator *v, enum alc_op op)
{
    static const uint32_t types[4] = {ALC_TYPE_I64, ALC_TYPE_I64, ALC_TYPE_I64, ALC_TYPE_I64};
    uint32_t slots[4];
    unsigned count = op == ALC_OP_I64_MUL_WIDE_S || op == ALC_OP_I64_MUL_WIDE_U ? 2 : 4;
    ALC_TRY(alc_pop_types(v, types, count));
    bool is_live = v->is_live;
    if (is_live) {
        for (unsigned i = 0; i < count; i++) {
            slots[i] = alc_emit_slot_of(v, &v->values[v->height + i]);
        }
        alc_emit_op(v, wide_code_of(op));
        for (unsigned i = 0; i < count; i++) {
            alc_emit_u16(v, slots[i]);
        }
    }
    ALC_TRY(alc_push_types(v, types, 2));
    for (unsigned i = 2; is_live && i > 0; i--) {
        uint32_t slot = v->values[v->height - i].slot;
        alc_emit_u16(v, slot);
        alc_emit_mark_target(v, v->emitter.count - 1, slot, 1);
    }
    return ALC_OK;
}
