/* SPDX-License-Identifier: Apache-2.0
 *
 * Units: types, signatures and metadata that lowering shares, the passes, and the way to an object
 * file.
 */
#include "compiler/unit.h"

#include "base/bytes.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <stdio.h>
#include <stdlib.h>

/* -- beginning -- */

static void make_types(struct alc_unit *unit)
{
    LLVMContextRef context = unit->context;
    const struct alc_target *target = unit->target;
    unit->void_type = LLVMVoidTypeInContext(context);
    unit->i1 = LLVMInt1TypeInContext(context);
    unit->i8 = LLVMInt8TypeInContext(context);
    unit->i16 = LLVMInt16TypeInContext(context);
    unit->i32 = LLVMInt32TypeInContext(context);
    unit->i64 = LLVMInt64TypeInContext(context);
    unit->i128 = LLVMIntTypeInContext(context, 128);
    unit->f32 = LLVMFloatTypeInContext(context);
    unit->f64 = LLVMDoubleTypeInContext(context);
    unit->i8x16 = LLVMVectorType(unit->i8, 16);
    unit->i16x8 = LLVMVectorType(unit->i16, 8);
    unit->i32x4 = LLVMVectorType(unit->i32, 4);
    unit->i64x2 = LLVMVectorType(unit->i64, 2);
    unit->f32x4 = LLVMVectorType(unit->f32, 4);
    unit->f64x2 = LLVMVectorType(unit->f64, 2);
    unit->context_pointer = LLVMPointerTypeInContext(context, target->context_space);
    unit->memory_pointer = LLVMPointerTypeInContext(context, target->memory_space);
    unit->pointer = LLVMPointerTypeInContext(context, 0);
    unit->context_integer = LLVMIntTypeInContext(context, target->context_address_bits);
}

static LLVMValueRef module_flag(struct alc_unit *unit, const char *name, unsigned value)
{
    enum { WARNING = 2 };
    LLVMValueRef parts[] = {
        LLVMConstInt(unit->i32, WARNING, 0),
        LLVMMDStringInContext(unit->context, name, (unsigned)__builtin_strlen(name)),
        LLVMConstInt(unit->i32, value, 0)};
    return LLVMMDNodeInContext(unit->context, parts, ALC_ARRAY_COUNT(parts));
}

/* Lines are offsets in the module's file. */
static void begin_debug(struct alc_unit *unit)
{
    enum { DWARF_VERSION = 4 };
    static const char FILE_NAME[] = "module.wasm";
    unit->debug = LLVMCreateDIBuilder(unit->ir);
    unit->debug_file = LLVMDIBuilderCreateFile(unit->debug, FILE_NAME, sizeof FILE_NAME - 1, "", 0);
    (void)LLVMDIBuilderCreateCompileUnit(unit->debug, LLVMDWARFSourceLanguageC99, unit->debug_file,
                                         "", 0, 1, "", 0, 0, "", 0, LLVMDWARFEmissionLineTablesOnly,
                                         0, 0, 0, "", 0, "", 0);
    unit->debug_type =
        LLVMDIBuilderCreateSubroutineType(unit->debug, unit->debug_file, NULL, 0, LLVMDIFlagZero);
    LLVMAddNamedMetadataOperand(
        unit->ir, "llvm.module.flags",
        module_flag(unit, "Debug Info Version", LLVMDebugMetadataVersion()));
    LLVMAddNamedMetadataOperand(unit->ir, "llvm.module.flags",
                                module_flag(unit, "Dwarf Version", DWARF_VERSION));
}

static LLVMAttributeRef attribute(struct alc_unit *unit, const char *name)
{
    unsigned kind = LLVMGetEnumAttributeKindForName(name, __builtin_strlen(name));
    ALC_ASSERT(kind != 0);
    return LLVMCreateEnumAttribute(unit->context, kind, 0);
}

static unsigned metadata_kind(struct alc_unit *unit, const char *name)
{
    return LLVMGetMDKindIDInContext(unit->context, name, (unsigned)__builtin_strlen(name));
}

alc_status alc_unit_init(struct alc_unit *unit, const struct alc_module *module,
                         const struct alc_compile_options *options, const struct alc_target *target,
                         LLVMTargetMachineRef machine)
{
    uint32_t globals = module->globals_count - module->imported_counts[ALC_EXTERNAL_GLOBAL];
    *unit = (struct alc_unit){
        .module = module, .options = options, .target = target, .machine = machine};
    unit->tbaa_count = ALC_ALIAS_GLOBALS + globals;
    unit->tbaa = calloc(unit->tbaa_count, sizeof(LLVMValueRef));
    if (unit->tbaa == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    unit->context = LLVMContextCreate();
    unit->ir = LLVMModuleCreateWithNameInContext("module", unit->context);
    LLVMSetTarget(unit->ir, target->triple);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
    LLVMSetModuleDataLayout(unit->ir, layout);
    LLVMDisposeTargetData(layout);
    unit->builder = LLVMCreateBuilderInContext(unit->context);
    unit->phi_builder = LLVMCreateBuilderInContext(unit->context);
    make_types(unit);
    unit->tbaa_kind = metadata_kind(unit, "tbaa");
    unit->invariant_kind = metadata_kind(unit, "invariant.load");
    unit->nomerge = attribute(unit, "nomerge");
    unit->nest = attribute(unit, "nest");
    begin_debug(unit);
    return ALC_OK;
}

void alc_unit_fini(struct alc_unit *unit)
{
    if (unit->context != NULL) {
        LLVMDisposeBuilder(unit->builder);
        LLVMDisposeBuilder(unit->phi_builder);
        LLVMDisposeDIBuilder(unit->debug);
        LLVMDisposeModule(unit->ir);
        LLVMContextDispose(unit->context);
    }
    free(unit->tbaa);
    *unit = (struct alc_unit){0};
}

LLVMTypeRef alc_unit_type(const struct alc_unit *unit, uint32_t type)
{
    switch ((int)alc_type_kind(type)) {
    case ALC_KIND_I32:
        return unit->i32;
    case ALC_KIND_F32:
        return unit->f32;
    case ALC_KIND_F64:
        return unit->f64;
    case ALC_KIND_V128:
        return unit->i64x2;
    default: /* i64 and references */
        return unit->i64;
    }
}

/* -- signatures -- */

bool alc_registers_take(struct alc_registers *registers, uint32_t type)
{
    enum alc_value_kind kind = alc_type_kind(type);
    if (kind == ALC_KIND_F32 || kind == ALC_KIND_F64 || kind == ALC_KIND_V128) {
        return registers->vectors < ALC_NATIVE_VECTOR_ARGUMENTS && ++registers->vectors != 0;
    }
    return registers->integers < ALC_NATIVE_INTEGER_ARGUMENTS && ++registers->integers != 0;
}

enum { PARAMETERS_MAX = 1 + ALC_NATIVE_INTEGER_ARGUMENTS + ALC_NATIVE_VECTOR_ARGUMENTS };

static LLVMTypeRef result_type(const struct alc_unit *unit, const struct alc_function_type *type)
{
    return type->results_count == 1 ? alc_unit_type(unit, type->results[0]) : unit->void_type;
}

LLVMTypeRef alc_unit_signature(const struct alc_unit *unit, const struct alc_function_type *type,
                               bool has_nest)
{
    LLVMTypeRef parameters[PARAMETERS_MAX];
    struct alc_registers registers = {0};
    unsigned count = 0;
    if (has_nest) {
        parameters[count++] = unit->pointer;
    }
    for (uint32_t i = 0; i < type->parameters_count; i++) {
        if (alc_registers_take(&registers, type->parameters[i])) {
            parameters[count++] = alc_unit_type(unit, type->parameters[i]);
        }
    }
    return LLVMFunctionType(result_type(unit, type), parameters, count, 0);
}

LLVMTypeRef alc_unit_tail_signature(const struct alc_unit *unit,
                                    const struct alc_function_type *type)
{
    LLVMTypeRef parameters[PARAMETERS_MAX] = {unit->pointer};
    unsigned count = 1;
    for (; count <= ALC_NATIVE_INTEGER_ARGUMENTS; count++) {
        parameters[count] = unit->i64;
    }
    for (; count < PARAMETERS_MAX; count++) {
        parameters[count] = unit->i64x2;
    }
    return LLVMFunctionType(result_type(unit, type), parameters, count, 0);
}

LLVMValueRef alc_unit_callee(struct alc_unit *unit, const char *name, LLVMTypeRef signature,
                             bool has_nest)
{
    LLVMValueRef function = LLVMGetNamedFunction(unit->ir, name);
    if (function == NULL) {
        function = LLVMAddFunction(unit->ir, name, signature);
        LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                                attribute(unit, "nounwind"));
        if (has_nest) {
            LLVMAddAttributeAtIndex(function, 1, unit->nest);
        }
    }
    return function;
}

/* -- metadata -- */

static LLVMValueRef text_node(struct alc_unit *unit, const char *text)
{
    return LLVMMDStringInContext(unit->context, text, (unsigned)__builtin_strlen(text));
}

static LLVMValueRef alias_tag(struct alc_unit *unit, unsigned alias)
{
    ALC_ASSERT(alias < unit->tbaa_count);
    if (unit->tbaa[alias] == NULL) {
        char name[16];
        if (unit->tbaa_root == NULL) {
            LLVMValueRef root = text_node(unit, "alcove");
            unit->tbaa_root = LLVMMDNodeInContext(unit->context, &root, 1);
        }
        (void)snprintf(name, sizeof name, "a%u", alias);
        LLVMValueRef zero = LLVMConstInt(unit->i64, 0, 0);
        LLVMValueRef type_parts[] = {text_node(unit, name), unit->tbaa_root, zero};
        LLVMValueRef type = LLVMMDNodeInContext(unit->context, type_parts, 3);
        LLVMValueRef tag_parts[] = {type, type, zero};
        unit->tbaa[alias] = LLVMMDNodeInContext(unit->context, tag_parts, 3);
    }
    return unit->tbaa[alias];
}

void alc_unit_set_alias(struct alc_unit *unit, LLVMValueRef access, unsigned alias)
{
    LLVMSetMetadata(access, unit->tbaa_kind, alias_tag(unit, alias));
}

void alc_unit_set_invariant(struct alc_unit *unit, LLVMValueRef load)
{
    LLVMSetMetadata(load, unit->invariant_kind, LLVMMDNodeInContext(unit->context, NULL, 0));
}

/* -- output -- */

/* Programs come optimised by the compiler that made them wasm: what pays again is what lowering
 * brought in (checks, context accesses, conversions between i32 and bool) and what needs a machine.
 * No inliner, no vectorisers, no unrolling; gvn and reassociate were measured and cost more than
 * they gave. Most of the time goes into LLVM's code generator whatever stands here. */
#define COMBINE "instcombine<no-verify-fixpoint>"
static const char *const PASSES[ALC_COMPILE_LEVEL_MAX + 1] = {
    "function(early-cse,simplifycfg)",
    "function(early-cse<memssa>,simplifycfg," COMBINE ",simplifycfg)",
    "function(early-cse<memssa>,simplifycfg," COMBINE ",simplifycfg,"
    "loop-mssa(loop-rotate,licm)," COMBINE ",simplifycfg)",
    "function(early-cse<memssa>,simplifycfg," COMBINE ",jump-threading,correlated-propagation,"
    "simplifycfg," COMBINE ",constraint-elimination,"
    "loop-mssa(loop-instsimplify,loop-simplifycfg,loop-rotate,licm),early-cse<memssa>,"
    "simplifycfg," COMBINE ",sccp,bdce,adce,dse,simplifycfg," COMBINE ")",
};

/* Appends a message of LLVM's to a text that is kept. */
static alc_status keep_text(char **out, const char *text)
{
    size_t before = *out != NULL ? __builtin_strlen(*out) : 0;
    size_t size = __builtin_strlen(text);
    char *grown = realloc(*out, before + size + 1);
    if (grown == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_copy(grown + before, text, size + 1);
    *out = grown;
    return ALC_OK;
}

static alc_status keep_ir(struct alc_unit *unit, char **out)
{
    char *text = LLVMPrintModuleToString(unit->ir);
    alc_status status = keep_text(out, text);
    LLVMDisposeMessage(text);
    return status;
}

static alc_status fail_llvm(struct alc_error *error, char *message)
{
    alc_status status = alc_fail_with(error, ALC_E_INTERNAL, ALC_NO_OFFSET, message);
    LLVMDisposeMessage(message);
    return status;
}

static alc_status keep_assembly(struct alc_unit *unit, char **out, struct alc_error *error)
{
    char *message = NULL;
    LLVMMemoryBufferRef buffer;
    LLVMModuleRef clone = LLVMCloneModule(unit->ir); /* emission changes what it emits */
    int failed = LLVMTargetMachineEmitToMemoryBuffer(unit->machine, clone, LLVMAssemblyFile,
                                                     &message, &buffer);
    LLVMDisposeModule(clone);
    if (failed != 0) {
        return fail_llvm(error, message);
    }
    alc_status status = keep_text(out, LLVMGetBufferStart(buffer));
    LLVMDisposeMemoryBuffer(buffer);
    return status;
}

static alc_status run_passes(struct alc_unit *unit, struct alc_error *error)
{
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef failed =
        LLVMRunPasses(unit->ir, PASSES[unit->options->level], unit->machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (failed == NULL) {
        return ALC_OK;
    }
    char *message = LLVMGetErrorMessage(failed);
    (void)alc_fail_with(error, ALC_E_INTERNAL, ALC_NO_OFFSET, message);
    LLVMDisposeErrorMessage(message);
    return ALC_E_INTERNAL;
}

/* A choice between two constants would become a load from a table with a computed address, which
 * cannot be confined: LLVM shall not see that one of them is a constant. */
static void hide_choice(struct alc_unit *unit, LLVMValueRef select)
{
    static const char NAME[] = "llvm.arithmetic.fence";
    LLVMValueRef value = LLVMGetOperand(select, 1);
    LLVMTypeRef type = LLVMTypeOf(value);
    if (LLVMIsAConstantFP(value) == NULL || LLVMIsAConstantFP(LLVMGetOperand(select, 2)) == NULL) {
        return;
    }
    unsigned id = LLVMLookupIntrinsicID(NAME, sizeof NAME - 1);
    LLVMPositionBuilderBefore(unit->builder, select);
    LLVMValueRef hidden =
        LLVMBuildCall2(unit->builder, LLVMIntrinsicGetType(unit->context, id, &type, 1),
                       LLVMGetIntrinsicDeclaration(unit->ir, id, &type, 1), &value, 1, "");
    LLVMSetOperand(select, 1, hidden);
}

static void hide_choices(struct alc_unit *unit)
{
    LLVMSetCurrentDebugLocation2(unit->builder, NULL);
    for (LLVMValueRef function = LLVMGetFirstFunction(unit->ir); function != NULL;
         function = LLVMGetNextFunction(function)) {
        for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function); block != NULL;
             block = LLVMGetNextBasicBlock(block)) {
            for (LLVMValueRef instruction = LLVMGetFirstInstruction(block); instruction != NULL;
                 instruction = LLVMGetNextInstruction(instruction)) {
                if (LLVMGetInstructionOpcode(instruction) == LLVMSelect) {
                    hide_choice(unit, instruction);
                }
            }
        }
    }
}

alc_status alc_unit_emit(struct alc_unit *unit, LLVMMemoryBufferRef *out, char **out_ir,
                         char **out_assembly, struct alc_error *error)
{
    char *message = NULL;
    LLVMDIBuilderFinalize(unit->debug);
    if ((unit->options->keep & ALC_COMPILE_KEEP_IR) != 0) {
        ALC_TRY(keep_ir(unit, out_ir));
    }
    if (ALC_DEBUG) {
        if (LLVMVerifyModule(unit->ir, LLVMReturnStatusAction, &message) != 0) {
            return fail_llvm(error, message);
        }
        LLVMDisposeMessage(message);
        message = NULL;
    }
    ALC_TRY(run_passes(unit, error));
    hide_choices(unit);
    if ((unit->options->keep & ALC_COMPILE_KEEP_ASSEMBLY) != 0) {
        ALC_TRY(keep_assembly(unit, out_assembly, error));
    }
    if (LLVMTargetMachineEmitToMemoryBuffer(unit->machine, unit->ir, LLVMObjectFile, &message,
                                            out) != 0) {
        return fail_llvm(error, message);
    }
    return ALC_OK;
}
