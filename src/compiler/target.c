/* SPDX-License-Identifier: Apache-2.0
 *
 * Code for x86-64 in its two shapes (docs/decisions/0010-native-code.md): the triples, address
 * spaces and function attributes that make LLVM produce what native/abi.h describes.
 */
#include "compiler/target.h"

#include <llvm-c/Disassembler.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <pthread.h>
#include <string.h>

#include "base/bytes.h"

/* LLVM's address spaces of x86-64: relative to GS, to FS. */
enum { SPACE_GS = 256, SPACE_FS = 257 };

static const struct alc_target g_targets[ALC_NATIVE_SHAPES] = {
    /* The one triple with 32-bit pointers and a 64-bit stack pointer. FS is a disguise of GS:
     * place.c takes it off. */
    [ALC_NATIVE_CONFINED] = {.shape = ALC_NATIVE_CONFINED,
                             .triple = "x86_64-unknown-nacl",
                             .context_space = SPACE_FS,
                             .memory_space = SPACE_GS,
                             .context_end = ALC_TARGET_DISGUISED_END,
                             .context_address_bits = 32},
    [ALC_NATIVE_CHECKED] = {.shape = ALC_NATIVE_CHECKED,
                            .triple = "x86_64-unknown-linux-gnu",
                            .context_space = SPACE_GS,
                            .memory_space = 0,
                            .context_end = 0,
                            .context_address_bits = 64},
};

const struct alc_target *alc_target_of(enum alc_native_shape shape)
{
    return &g_targets[shape];
}

static void init_llvm(void)
{
    /* Blocks that end alike stay apart: of merged traps nobody could say which it was, and they may
     * be reached with different heights of the stack, which the verifier refuses. */
    static const char *const OPTIONS[] = {"alcove", "-enable-tail-merge=false"};
    LLVMParseCommandLineOptions((int)ALC_ARRAY_COUNT(OPTIONS), OPTIONS, NULL);
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    LLVMInitializeX86Disassembler();
}

void alc_target_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, init_llvm);
}

static const char *processor(uint32_t features)
{
    return (features & ALC_NATIVE_V3) != 0 ? "x86-64-v3" : "x86-64-v2";
}

LLVMTargetMachineRef alc_target_machine(const struct alc_target *target, unsigned level,
                                        uint32_t features)
{
    static const LLVMCodeGenOptLevel LEVELS[] = {LLVMCodeGenLevelNone, LLVMCodeGenLevelLess,
                                                 LLVMCodeGenLevelDefault,
                                                 LLVMCodeGenLevelAggressive};
    LLVMTargetRef llvm_target;
    char *message = NULL;
    ALC_ASSERT(level < ALC_ARRAY_COUNT(LEVELS));
    if (LLVMGetTargetFromTriple(target->triple, &llvm_target, &message) != 0) {
        LLVMDisposeMessage(message);
        return NULL;
    }
    /* Long nops would have several prefixes of one kind, which no verifier should have to know. */
    static const char FEATURES[] = "-fast-15bytenop,-fast-11bytenop";
    /* Position-independent: constants are reached relative to the instruction, always. */
    return LLVMCreateTargetMachine(llvm_target, target->triple, processor(features), FEATURES,
                                   LEVELS[level], LLVMRelocPIC, LLVMCodeModelSmall);
}

static void set_attribute(LLVMContextRef context, LLVMValueRef function, const char *name)
{
    unsigned kind = LLVMGetEnumAttributeKindForName(name, (size_t)__builtin_strlen(name));
    ALC_ASSERT(kind != 0);
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                            LLVMCreateEnumAttribute(context, kind, 0));
}

static void set_text(LLVMContextRef context, LLVMValueRef function, const char *name,
                     const char *value)
{
    LLVMAttributeRef attribute = LLVMCreateStringAttribute(
        context, name, (unsigned)__builtin_strlen(name), value, (unsigned)__builtin_strlen(value));
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, attribute);
}

void alc_target_set_attributes(uint32_t features, LLVMContextRef context, LLVMValueRef function)
{
    set_attribute(context, function, "nounwind");
    set_attribute(context, function, "noredzone");
    set_text(context, function, "no-jump-tables", "true");
    set_text(context, function, "no-builtins", "");
    set_text(context, function, "frame-pointer", "none");
    set_text(context, function, "target-cpu", processor(features));
    /* Or LLVM would tune for the oldest processor that has these features. */
    set_text(context, function, "tune-cpu", "generic");
}

enum alc_memory_access alc_target_memory_access(const struct alc_target *target,
                                                const struct alc_memory_type *type)
{
    if (target->shape == ALC_NATIVE_CONFINED) {
        return ALC_MEMORY_CONFINED;
    }
    enum { PAGE_SIZE_LOG2 = 16 };
    bool is_guarded = !type->limits.is_64 && type->limits.page_size_log2 == PAGE_SIZE_LOG2;
    return is_guarded ? ALC_MEMORY_GUARDED : ALC_MEMORY_COMPARED;
}

char *alc_target_disassemble(uint8_t *code, uint32_t code_size, uint32_t offset)
{
    enum { TEXT_SIZE = 256 };
    char text[TEXT_SIZE] = "";
    LLVMDisasmContextRef disassembler =
        LLVMCreateDisasm(g_targets[ALC_NATIVE_CHECKED].triple, NULL, 0, NULL, NULL);
    if (disassembler == NULL) {
        return NULL;
    }
    size_t length = LLVMDisasmInstruction(disassembler, code + offset, code_size - offset, offset,
                                          text, sizeof text);
    LLVMDisasmDispose(disassembler);
    return length != 0 ? strdup(text) : NULL;
}
