/* SPDX-License-Identifier: Apache-2.0
 *
 * A unit: some functions of the module in an LLVM module and context of their own, which one thread
 * fills, optimises and turns into an object file.
 *
 * Symbols. `d<n>` is function n as it is defined. It is called as `f<n>` with its own signature or
 * as `t<n>` with the signature of tail calls; stubs are called as `s<kind>.<a>.<b>.<c>` or `u<…>`.
 * So LLVM knows nothing of any callee, and place.c resolves them all.
 */
#ifndef ALC_COMPILER_UNIT_H
#define ALC_COMPILER_UNIT_H

#include <llvm-c/DebugInfo.h>

#include "compiler/compiler.h"
#include "compiler/target.h"

/* Groups of accesses: those of different groups are never to the same place. */
enum alc_alias {
    ALC_ALIAS_MEMORY,    /* linear memories */
    ALC_ALIAS_READ_ONLY, /* of the context: what only the runtime changes */
    ALC_ALIAS_SLOTS,
    ALC_ALIAS_WORDS,
    ALC_ALIAS_OBJECTS, /* everything else: objects of the heap, structures of the runtime */
    ALC_ALIAS_GLOBALS, /* + number among those that the module defines: each apart */
};

struct alc_unit {
    const struct alc_module *module;
    const struct alc_compile_options *options;
    const struct alc_target *target;
    LLVMTargetMachineRef machine; /* borrowed */

    LLVMContextRef context;
    LLVMModuleRef ir;
    LLVMBuilderRef builder;
    LLVMBuilderRef phi_builder; /* for phis at the beginning of blocks that come later */
    LLVMTypeRef void_type, i1, i8, i16, i32, i64, i128, f32, f64;
    LLVMTypeRef i8x16, i16x8, i32x4, i64x2, f32x4, f64x2; /* v128 is i64x2 */
    LLVMTypeRef context_pointer;                          /* to the context */
    LLVMTypeRef memory_pointer;                           /* to linear memory */
    LLVMTypeRef pointer;                                  /* to all else */
    LLVMTypeRef context_integer;                          /* what context_pointer is made from */

    unsigned tbaa_kind;
    unsigned invariant_kind;
    LLVMValueRef tbaa_root;
    LLVMValueRef *tbaa; /* access tags by alias group, made when first used */
    uint32_t tbaa_count;
    LLVMAttributeRef nomerge;
    LLVMAttributeRef nest;
    LLVMDIBuilderRef debug;
    LLVMMetadataRef debug_file;
    LLVMMetadataRef debug_type;
};

/* An empty unit. `machine` MUST be for the target and belong to the calling thread. */
ALC_MUST_CHECK alc_status alc_unit_init(struct alc_unit *unit, const struct alc_module *module,
                                        const struct alc_compile_options *options,
                                        const struct alc_target *target,
                                        LLVMTargetMachineRef machine);
void alc_unit_fini(struct alc_unit *unit);

/* LLVM's type of a value type. */
LLVMTypeRef alc_unit_type(const struct alc_unit *unit, uint32_t type);

/* -- signatures (native/abi.h) -- */

/* Registers given to arguments so far. */
struct alc_registers {
    unsigned integers;
    unsigned vectors;
};
/* Whether the next argument, of value type `type`, gets a register (or stands in slots). */
bool alc_registers_take(struct alc_registers *registers, uint32_t type);

/* As a function of the type is called; with `has_nest` behind a first parameter for r10. */
LLVMTypeRef alc_unit_signature(const struct alc_unit *unit, const struct alc_function_type *type,
                               bool has_nest);
/* The one signature of functions that make tail calls and of how they are called there: r10, all
 * integer registers, all vector registers; only the result is the function's own. So LLVM's rule
 * for a guaranteed tail call, equal signatures, holds between any two functions. */
LLVMTypeRef alc_unit_tail_signature(const struct alc_unit *unit,
                                    const struct alc_function_type *type);

/* The declaration of what is called by `name`; made when first used. */
LLVMValueRef alc_unit_callee(struct alc_unit *unit, const char *name, LLVMTypeRef signature,
                             bool has_nest);

/* -- metadata -- */

/* Marks a load or store. */
void alc_unit_set_alias(struct alc_unit *unit, LLVMValueRef access, unsigned alias);
/* Marks a load from a place that never changes. */
void alc_unit_set_invariant(struct alc_unit *unit, LLVMValueRef load);

/* -- output -- */

/* Checks (ALC_E_INTERNAL), optimises, and makes an object file, which the caller frees with
 * LLVMDisposeMemoryBuffer. Texts asked for in the options are appended to the two strings. */
ALC_MUST_CHECK alc_status alc_unit_emit(struct alc_unit *unit, LLVMMemoryBufferRef *out,
                                        char **out_ir, char **out_assembly,
                                        struct alc_error *error);

#endif
