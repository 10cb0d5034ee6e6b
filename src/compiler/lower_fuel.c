/* SPDX-License-Identifier: Apache-2.0
 *
 * Metering and interruption. The units are the interpreter's (wasm/emit.c): each basic block costs
 * its instructions but those that do nothing, and is charged before the first of them.
 */
#include "compiler/lower.h"

enum {
    FUEL = ALC_NATIVE_WORDS - 8 * ALC_NATIVE_WORD_FUEL,
    STOP = ALC_NATIVE_WORDS - 8 * ALC_NATIVE_WORD_STOP,
};

static void begin_charge(struct alc_lowering *f)
{
    LLVMValueRef left = alc_lower_context_load(f, FUEL, f->unit->i64, ALC_ALIAS_WORDS);
    f->fuel_charge = LLVMBuildSub(f->builder, left, alc_lower_i64(f, 0), "");
    LLVMValueRef is_out =
        LLVMBuildICmp(f->builder, LLVMIntSLT, f->fuel_charge, alc_lower_i64(f, 0), "");
    /* What is left is written behind the trap: then it is what the interpreter would leave. */
    alc_lower_trap_if(f, is_out, ALC_NATIVE_TRAP_OUT_OF_FUEL);
    alc_lower_context_store(f, FUEL, f->fuel_charge, ALC_ALIAS_WORDS);
}

void alc_lower_charge(struct alc_lowering *f)
{
    if ((f->unit->options->options & ALC_NATIVE_METERED) == 0) {
        return;
    }
    if (f->fuel_charge == NULL) {
        begin_charge(f);
    }
    f->fuel_cost++;
}

void alc_lower_end_fuel_block(struct alc_lowering *f)
{
    if (f->fuel_charge != NULL) {
        LLVMSetOperand(f->fuel_charge, 1, alc_lower_i64(f, f->fuel_cost));
    }
    f->fuel_charge = NULL;
    f->fuel_cost = 0;
}

void alc_lower_poll(struct alc_lowering *f)
{
    if ((f->unit->options->options & ALC_NATIVE_INTERRUPTIBLE) == 0) {
        return;
    }
    LLVMValueRef stop = alc_lower_context_load(f, STOP, f->unit->i32, ALC_ALIAS_WORDS);
    LLVMSetVolatile(stop, 1); /* others write it at any time */
    LLVMValueRef is_set =
        LLVMBuildICmp(f->builder, LLVMIntNE, stop, LLVMConstNull(f->unit->i32), "");
    alc_lower_trap_if(f, is_set, ALC_NATIVE_TRAP_DEADLINE);
}
