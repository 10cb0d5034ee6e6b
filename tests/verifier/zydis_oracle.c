/* SPDX-License-Identifier: Apache-2.0
 *
 * Derives everything from Zydis' operands with their actions, hidden ones included, and from lists
 * of instruction sets and categories that are harmless.
 */
#include "verifier/zydis_oracle.h"

#include <Zydis/Zydis.h>
#include <string.h>

static const ZydisDecoder *decoder(void)
{
    static ZydisDecoder instance;
    static bool is_ready;
    if (!is_ready) {
        ZydisDecoderInit(&instance, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
        is_ready = true;
    }
    return &instance;
}

static bool is_harmless_set(ZydisISASet set)
{
    switch ((int)set) {
    case ZYDIS_ISA_SET_I86:
    case ZYDIS_ISA_SET_I186:
    case ZYDIS_ISA_SET_I386:
    case ZYDIS_ISA_SET_I486REAL:
    case ZYDIS_ISA_SET_PPRO:
    case ZYDIS_ISA_SET_LONGMODE:
    case ZYDIS_ISA_SET_FAT_NOP:
    case ZYDIS_ISA_SET_CMOV:
    case ZYDIS_ISA_SET_SSE:
    case ZYDIS_ISA_SET_SSE2:
    case ZYDIS_ISA_SET_SSE3:
    case ZYDIS_ISA_SET_SSSE3:
    case ZYDIS_ISA_SET_SSE4:
    case ZYDIS_ISA_SET_SSE42:
    case ZYDIS_ISA_SET_POPCNT:
    case ZYDIS_ISA_SET_LZCNT:
    case ZYDIS_ISA_SET_MOVBE:
    case ZYDIS_ISA_SET_AVX:
    case ZYDIS_ISA_SET_AVX2:
    case ZYDIS_ISA_SET_FMA:
    case ZYDIS_ISA_SET_BMI1:
    case ZYDIS_ISA_SET_BMI2:
        return true;
    default:
        return false;
    }
}

static bool is_harmless_category(ZydisInstructionCategory category)
{
    switch ((int)category) {
    case ZYDIS_CATEGORY_AVX:
    case ZYDIS_CATEGORY_AVX2:
    case ZYDIS_CATEGORY_BINARY:
    case ZYDIS_CATEGORY_BITBYTE:
    case ZYDIS_CATEGORY_BMI1:
    case ZYDIS_CATEGORY_BMI2:
    case ZYDIS_CATEGORY_BROADCAST:
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_CMOV:
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_CONVERT:
    case ZYDIS_CATEGORY_DATAXFER:
    case ZYDIS_CATEGORY_LOGICAL:
    case ZYDIS_CATEGORY_LOGICAL_FP:
    case ZYDIS_CATEGORY_LZCNT:
    case ZYDIS_CATEGORY_MISC:
    case ZYDIS_CATEGORY_NOP:
    case ZYDIS_CATEGORY_POP:
    case ZYDIS_CATEGORY_PUSH:
    case ZYDIS_CATEGORY_RET:
    case ZYDIS_CATEGORY_ROTATE:
    case ZYDIS_CATEGORY_SEMAPHORE:
    case ZYDIS_CATEGORY_SETCC:
    case ZYDIS_CATEGORY_SHIFT:
    case ZYDIS_CATEGORY_SSE:
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_VFMA:
    case ZYDIS_CATEGORY_WIDENOP:
        return true;
    default:
        return false;
    }
}

/* Of harmless sets and categories, but not harmless. */
static bool is_harmful(ZydisMnemonic mnemonic)
{
    switch ((int)mnemonic) {
    case ZYDIS_MNEMONIC_MASKMOVDQU:
    case ZYDIS_MNEMONIC_VMASKMOVDQU:
    case ZYDIS_MNEMONIC_LDMXCSR:
    case ZYDIS_MNEMONIC_STMXCSR:
    case ZYDIS_MNEMONIC_VLDMXCSR:
    case ZYDIS_MNEMONIC_VSTMXCSR:
    case ZYDIS_MNEMONIC_LEAVE:
    case ZYDIS_MNEMONIC_ENTER:
    case ZYDIS_MNEMONIC_XLAT:
    case ZYDIS_MNEMONIC_BOUND:
    case ZYDIS_MNEMONIC_LOOP:
    case ZYDIS_MNEMONIC_LOOPE:
    case ZYDIS_MNEMONIC_LOOPNE:
    case ZYDIS_MNEMONIC_JCXZ:
    case ZYDIS_MNEMONIC_JECXZ:
    case ZYDIS_MNEMONIC_JRCXZ:
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_CPUID:
        return true;
    default:
        return false;
    }
}

static bool is_stack_pointer(ZydisRegister reg)
{
    return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg) == ZYDIS_REGISTER_RSP;
}

/* What a register may be that is written. */
static bool is_ordinary(ZydisRegister reg)
{
    switch (ZydisRegisterGetClass(reg)) {
    case ZYDIS_REGCLASS_GPR8:
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64:
    case ZYDIS_REGCLASS_XMM:
    case ZYDIS_REGCLASS_YMM:
    case ZYDIS_REGCLASS_FLAGS:
    case ZYDIS_REGCLASS_IP:
        return true;
    default:
        return reg == ZYDIS_REGISTER_MXCSR; /* flags of floating-point exceptions */
    }
}

static uint8_t memory_form(const ZydisDecodedInstruction *instruction,
                           const ZydisDecodedOperandMem *memory)
{
    bool has_base = memory->base != ZYDIS_REGISTER_NONE;
    bool has_index = memory->index != ZYDIS_REGISTER_NONE;
    if (memory->segment == ZYDIS_REGISTER_GS) {
        if (instruction->address_width == 32) {
            return memory->base == ZYDIS_REGISTER_EIP ? ALC_X86_ANYWHERE : ALC_X86_WINDOW;
        }
        return has_base || has_index ? ALC_X86_ANYWHERE : ALC_X86_GS;
    }
    if (memory->base == ZYDIS_REGISTER_RSP && !has_index) {
        return ALC_X86_STACK;
    }
    return memory->base == ZYDIS_REGISTER_RIP ? ALC_X86_RELATIVE : ALC_X86_ANYWHERE;
}

static bool is_bit_string(ZydisMnemonic mnemonic)
{
    return mnemonic == ZYDIS_MNEMONIC_BT || mnemonic == ZYDIS_MNEMONIC_BTS ||
           mnemonic == ZYDIS_MNEMONIC_BTR || mnemonic == ZYDIS_MNEMONIC_BTC;
}

static const char *note_memory(const ZydisDecodedInstruction *instruction,
                               const ZydisDecodedOperand *operand, struct alc_x86_instruction *out)
{
    const ZydisDecodedOperandMem *memory = &operand->mem;
    if (instruction->mnemonic == ZYDIS_MNEMONIC_NOP) {
        return NULL;
    }
    if (instruction->mnemonic == ZYDIS_MNEMONIC_UD1) {
        bool is_good = memory->base == ZYDIS_REGISTER_EAX && memory->index == ZYDIS_REGISTER_NONE &&
                       memory->segment != ZYDIS_REGISTER_GS;
        out->displacement = (int32_t)memory->disp.value;
        return is_good ? NULL : "ud1 of another form";
    }
    if (memory->segment == ZYDIS_REGISTER_FS) {
        return "fs";
    }
    if (memory->type == ZYDIS_MEMOP_TYPE_AGEN) {
        return memory->segment == ZYDIS_REGISTER_GS ? "lea with gs" : NULL;
    }
    if (memory->type != ZYDIS_MEMOP_TYPE_MEM) {
        return "memory addressed by a vector";
    }
    if (operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN) {
        bool is_stack = instruction->meta.category == ZYDIS_CATEGORY_PUSH ||
                        instruction->meta.category == ZYDIS_CATEGORY_POP ||
                        instruction->meta.category == ZYDIS_CATEGORY_CALL ||
                        instruction->meta.category == ZYDIS_CATEGORY_RET;
        return is_stack && memory->base == ZYDIS_REGISTER_RSP && operand->size == 64
                   ? NULL
                   : "hidden memory";
    }
    if (is_bit_string(instruction->mnemonic) &&
        (operand + 1)->type == ZYDIS_OPERAND_TYPE_REGISTER &&
        (operand + 1)->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT) {
        return "memory addressed by a bit number";
    }
    if (operand->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT ||
        out->memory != ALC_X86_NO_MEMORY) {
        return "more memory than one operand";
    }
    out->memory = memory_form(instruction, memory);
    out->displacement = memory->disp.has_displacement ? (int32_t)memory->disp.value : 0;
    out->access_size = (uint8_t)(operand->size / 8);
    out->is_store = (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
    return NULL;
}

/* What an instruction that writes rsp does to it. */
static const char *note_stack(const ZydisDecodedInstruction *instruction,
                              const ZydisDecodedOperand *operands, struct alc_x86_instruction *out)
{
    const ZydisDecodedOperandMem *memory = &operands[1].mem;
    switch ((int)instruction->mnemonic) {
    case ZYDIS_MNEMONIC_PUSH:
    case ZYDIS_MNEMONIC_POP:
        if (operands[0].type != ZYDIS_OPERAND_TYPE_REGISTER || operands[0].size != 64) {
            return "push or pop of no 64-bit register";
        }
        if (instruction->mnemonic == ZYDIS_MNEMONIC_POP) {
            out->pushed = -8;
            return is_stack_pointer(operands[0].reg.value) ? "pop rsp" : NULL;
        }
        out->pushed = 8;
        return NULL;
    case ZYDIS_MNEMONIC_CALL:
    case ZYDIS_MNEMONIC_RET:
        return NULL;
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_SUB:
        if (operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
            operands[0].reg.value == ZYDIS_REGISTER_RSP &&
            operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
            int64_t amount = operands[1].imm.value.s;
            out->pushed = (int32_t)(instruction->mnemonic == ZYDIS_MNEMONIC_SUB ? amount : -amount);
            return NULL;
        }
        return "writes rsp";
    case ZYDIS_MNEMONIC_LEA:
        if (operands[0].reg.value == ZYDIS_REGISTER_RSP && memory->base == ZYDIS_REGISTER_RSP &&
            memory->index == ZYDIS_REGISTER_NONE) {
            out->pushed = (int32_t)-memory->disp.value;
            return NULL;
        }
        return "writes rsp";
    default:
        return "writes rsp";
    }
}

static const char *note_flow(const ZydisDecodedInstruction *instruction,
                             const ZydisDecodedOperand *operands, struct alc_x86_instruction *out)
{
    switch ((int)instruction->meta.category) {
    case ZYDIS_CATEGORY_COND_BR:
        out->flow = ALC_X86_BRANCH;
        break;
    case ZYDIS_CATEGORY_UNCOND_BR:
        out->flow = ALC_X86_JUMP;
        break;
    case ZYDIS_CATEGORY_CALL:
        out->flow = ALC_X86_CALL;
        break;
    case ZYDIS_CATEGORY_RET:
        out->flow = ALC_X86_RETURN;
        return instruction->opcode == 0xC3 && instruction->raw.prefix_count == 0
                   ? NULL
                   : "a return of another form";
    default:
        if (instruction->mnemonic == ZYDIS_MNEMONIC_UD1 ||
            instruction->mnemonic == ZYDIS_MNEMONIC_UD2) {
            out->flow = ALC_X86_STOP;
        }
        return NULL;
    }
    if (operands[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE || !operands[0].imm.is_relative ||
        instruction->raw.prefix_count != 0) {
        return "indirect or prefixed control";
    }
    out->displacement = (int32_t)operands[0].imm.value.s;
    return NULL;
}

static void note_kind(const ZydisDecodedInstruction *instruction,
                      const ZydisDecodedOperand *operands, struct alc_x86_instruction *out)
{
    out->is_vex = instruction->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX ||
                  instruction->mnemonic == ZYDIS_MNEMONIC_MOVBE;
    switch ((int)instruction->mnemonic) {
    case ZYDIS_MNEMONIC_XCHG:
        out->is_checked = operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY ||
                          operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY;
        break;
    case ZYDIS_MNEMONIC_XADD:
    case ZYDIS_MNEMONIC_CMPXCHG:
    case ZYDIS_MNEMONIC_MFENCE:
        out->is_checked = true;
        break;
    default:
        out->is_checked = (instruction->attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0;
        break;
    }
}

const char *zydis_decode(const uint8_t *bytes, size_t size, struct alc_x86_instruction *out)
{
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    if (ZYAN_FAILED(ZydisDecoderDecodeFull(decoder(), bytes, size, &instruction, operands))) {
        return "no instruction";
    }
    memset(out, 0, sizeof *out);
    out->length = instruction.length;
    if (instruction.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
        instruction.encoding != ZYDIS_INSTRUCTION_ENCODING_VEX) {
        return "an encoding that is not allowed";
    }
    if (!is_harmless_set(instruction.meta.isa_set)) {
        return "an instruction set that is not allowed";
    }
    if (!is_harmless_category(instruction.meta.category) || is_harmful(instruction.mnemonic)) {
        return "a kind of instruction that is not allowed";
    }
    bool writes_stack_pointer = false;
    for (uint8_t i = 0; i < instruction.operand_count; i++) {
        const ZydisDecodedOperand *operand = &operands[i];
        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY) {
            const char *problem = note_memory(&instruction, operand, out);
            if (problem != NULL) {
                return problem;
            }
        } else if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
                   (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0) {
            if (!is_ordinary(operand->reg.value)) {
                return "writes a register that is not ordinary";
            }
            writes_stack_pointer |= is_stack_pointer(operand->reg.value);
        } else if (operand->type == ZYDIS_OPERAND_TYPE_POINTER) {
            return "a far pointer";
        }
    }
    if (writes_stack_pointer) {
        const char *problem = note_stack(&instruction, operands, out);
        if (problem != NULL) {
            return problem;
        }
    }
    note_kind(&instruction, operands, out);
    return note_flow(&instruction, operands, out);
}

const char *first_difference(const struct alc_x86_instruction *a,
                             const struct alc_x86_instruction *b)
{
    if (a->length != b->length) {
        return "length";
    }
    if (a->flow != b->flow) {
        return "flow";
    }
    if (a->pushed != b->pushed) {
        return "pushed";
    }
    if (a->is_vex != b->is_vex) {
        return "is_vex";
    }
    if (a->is_checked != b->is_checked) {
        return "is_checked";
    }
    if (a->memory != b->memory) {
        return "memory";
    }
    if (a->memory == ALC_X86_NO_MEMORY) {
        bool matters = a->flow != ALC_X86_NEXT && a->flow != ALC_X86_RETURN;
        return matters && a->displacement != b->displacement ? "displacement" : NULL;
    }
    if (a->displacement != b->displacement) {
        return "displacement";
    }
    if (a->access_size != b->access_size) {
        return "access_size";
    }
    return a->is_store != b->is_store ? "is_store" : NULL;
}

void zydis_print(const uint8_t *bytes, size_t size, char *text, size_t text_size)
{
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    ZydisFormatter formatter;
    ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    if (ZYAN_FAILED(ZydisDecoderDecodeFull(decoder(), bytes, size, &instruction, operands)) ||
        ZYAN_FAILED(ZydisFormatterFormatInstruction(&formatter, &instruction, operands,
                                                    instruction.operand_count_visible, text,
                                                    text_size, 0, NULL))) {
        text[0] = '\0';
    }
}
