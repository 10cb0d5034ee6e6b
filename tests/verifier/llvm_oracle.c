/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads AT&T syntax: "mnemonic source, destination", memory as %segment:displacement(base,index,s).
 */
#include "verifier/llvm_oracle.h"

#include <llvm-c/Disassembler.h>
#include <llvm-c/Target.h>
#include <stdlib.h>
#include <string.h>

enum { OPERANDS_MAX = 6 };

static LLVMDisasmContextRef disassembler(void)
{
    static LLVMDisasmContextRef context;
    if (context == NULL) {
        LLVMInitializeX86TargetInfo();
        LLVMInitializeX86TargetMC();
        LLVMInitializeX86Disassembler();
        context = LLVMCreateDisasmCPU("x86_64-unknown-unknown", "x86-64-v3", NULL, 0, NULL, NULL);
    }
    return context;
}

/* The text cut into pieces in place. */
struct line {
    bool is_address_32; /* addr32, where nothing else shows it */
    const char *mnemonic;
    char *operands[OPERANDS_MAX];
    uint32_t operands_count;
};

static bool split(char *text, struct line *out)
{
    memset(out, 0, sizeof *out);
    out->mnemonic = text + strspn(text, "\t ");
    if (strncmp(out->mnemonic, "addr32", 6) == 0) {
        out->is_address_32 = true;
        out->mnemonic += 6 + strspn(out->mnemonic + 6, "\t ");
    }
    char *at = text + (out->mnemonic - text);
    at += strcspn(at, "\t ");
    if (*at != '\0') {
        *at++ = '\0';
    }
    int depth = 0;
    at += strspn(at, "\t ");
    char *start = at;
    for (; *start != '\0'; at++) {
        depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
        if (*at != '\0' && (*at != ',' || depth > 0)) {
            continue;
        }
        if (out->operands_count == OPERANDS_MAX) {
            return false;
        }
        out->operands[out->operands_count++] = start;
        if (*at == '\0') {
            break;
        }
        *at = '\0';
        start = at + 1 + strspn(at + 1, " ");
        at = start - 1;
    }
    return true;
}

static bool is_memory(const char *operand)
{
    return strchr(operand, '(') != NULL || strchr(operand, ':') != NULL ||
           (*operand != '$' && *operand != '%');
}

/* edi, r8d: what 32-bit addresses are made of. */
static bool is_register_32(const char *name, size_t length)
{
    return length > 0 && (name[1] == 'e' || name[length - 1] == 'd');
}

static bool equals(const char *name, size_t length, const char *wanted)
{
    return length == strlen(wanted) && strncmp(name, wanted, length) == 0;
}

static uint8_t memory_form(const struct line *line, const char *operand, int32_t *displacement)
{
    bool is_gs = strncmp(operand, "%gs:", 4) == 0;
    operand += is_gs ? 4 : 0;
    char *end;
    *displacement = (int32_t)strtoll(operand, &end, 10);
    const char *base = "";
    const char *index = "";
    size_t base_length = 0;
    size_t index_length = 0;
    if (*end == '(') {
        base = end + 1;
        base_length = strcspn(base, ",)");
        index = base + base_length + (base[base_length] == ',' ? 1 : 0);
        index_length = strcspn(index, ",)");
    } else if (*end != '\0') {
        return UINT8_MAX; /* another segment */
    }
    bool has_index = index_length > 0 && !equals(index, index_length, "%riz");
    if (is_register_32(base, base_length) || is_register_32(index, index_length) ||
        line->is_address_32) {
        return is_gs && !equals(base, base_length, "%eip") ? ALC_X86_WINDOW : ALC_X86_ANYWHERE;
    }
    if (is_gs) {
        return base_length > 0 || has_index ? ALC_X86_ANYWHERE : ALC_X86_GS;
    }
    if (equals(base, base_length, "%rsp") && !has_index) {
        return ALC_X86_STACK;
    }
    return equals(base, base_length, "%rip") ? ALC_X86_RELATIVE : ALC_X86_ANYWHERE;
}

static bool begins_with_any(const char *text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strncmp(text, *words, strlen(*words)) == 0) {
            return true;
        }
    }
    return false;
}

/* Reads its last operand, or its only one, and does not write it. */
static bool only_reads(const struct line *line)
{
    static const char *const always[] = {"cmp", "test", "bt", "nop", "push", NULL};
    static const char *const alone[] = {"mul", "imul", "div", "idiv", NULL};
    if (strncmp(line->mnemonic, "bts", 3) == 0 || strncmp(line->mnemonic, "btr", 3) == 0 ||
        strncmp(line->mnemonic, "btc", 3) == 0) {
        return false;
    }
    return begins_with_any(line->mnemonic, always) ||
           (line->operands_count == 1 && begins_with_any(line->mnemonic, alone));
}

static bool is_stack_pointer(const char *operand)
{
    return strcmp(operand, "%rsp") == 0 || strcmp(operand, "%esp") == 0 ||
           strcmp(operand, "%sp") == 0 || strcmp(operand, "%spl") == 0;
}

static const char *compare_memory(const struct line *line,
                                  const struct alc_x86_instruction *decoded)
{
    static const char *const addresses[] = {"lea", "nop", "ud1", NULL};
    uint32_t found = UINT32_MAX;
    for (uint32_t i = 0; i < line->operands_count; i++) {
        if (is_memory(line->operands[i])) {
            found = i;
        }
    }
    bool accesses = found != UINT32_MAX && !begins_with_any(line->mnemonic, addresses);
    if (accesses != (decoded->memory != ALC_X86_NO_MEMORY)) {
        return "memory";
    }
    if (!accesses) {
        return NULL;
    }
    if (strncmp(line->mnemonic, "bt", 2) == 0 && line->operands[0][0] == '%') {
        return "memory addressed by a bit number";
    }
    int32_t displacement;
    if (memory_form(line, line->operands[found], &displacement) != decoded->memory) {
        return "form of memory";
    }
    if (displacement != decoded->displacement) {
        return "displacement";
    }
    bool is_store = found == line->operands_count - 1 && !only_reads(line);
    return is_store == decoded->is_store ? NULL : "store";
}

/* How far the stack pointer moves down, by the text. */
static const char *compare_stack(const struct line *line, const struct alc_x86_instruction *decoded)
{
    const char *mnemonic = line->mnemonic;
    const char *last = line->operands_count > 0 ? line->operands[line->operands_count - 1] : "";
    bool is_written = is_stack_pointer(last) && !only_reads(line);
    int64_t pushed = 0;
    int32_t displacement;
    if (strncmp(mnemonic, "mulx", 4) == 0) {
        is_written |= is_stack_pointer(line->operands[line->operands_count - 2]);
    }
    if (strcmp(mnemonic, "pushq") == 0) {
        pushed = 8;
    } else if (strcmp(mnemonic, "popq") == 0 && !is_written) {
        pushed = -8;
    } else if (is_written) {
        const char *first = line->operands[0];
        bool is_constant =
            line->operands_count == 2 && first[0] == '$' && strcmp(last, "%rsp") == 0;
        if (strcmp(mnemonic, "subq") == 0 && is_constant) {
            pushed = strtoll(first + 1, NULL, 10);
        } else if (strcmp(mnemonic, "addq") == 0 && is_constant) {
            pushed = -strtoll(first + 1, NULL, 10);
        } else if (strcmp(mnemonic, "leaq") == 0 && strcmp(last, "%rsp") == 0 &&
                   memory_form(line, first, &displacement) == ALC_X86_STACK) {
            pushed = -(int64_t)displacement;
        } else {
            return "writes the stack pointer";
        }
    }
    return (int32_t)pushed == decoded->pushed ? NULL : "pushed";
}

static const char *compare_flow(const struct line *line, const struct alc_x86_instruction *decoded)
{
    static const char *const jumps[] = {"jmp", NULL};
    static const char *const calls[] = {"call", NULL};
    static const char *const returns[] = {"ret", NULL};
    static const char *const stops[] = {"ud1", "ud2", NULL};
    uint8_t flow = ALC_X86_NEXT;
    if (begins_with_any(line->mnemonic, jumps)) {
        flow = ALC_X86_JUMP;
    } else if (line->mnemonic[0] == 'j') {
        flow = ALC_X86_BRANCH;
    } else if (begins_with_any(line->mnemonic, calls)) {
        flow = ALC_X86_CALL;
    } else if (begins_with_any(line->mnemonic, returns)) {
        flow = ALC_X86_RETURN;
    } else if (begins_with_any(line->mnemonic, stops)) {
        flow = ALC_X86_STOP;
    }
    if (flow != decoded->flow) {
        return "flow";
    }
    if (flow == ALC_X86_JUMP || flow == ALC_X86_BRANCH || flow == ALC_X86_CALL) {
        char *end;
        bool is_same = line->operands_count == 1 &&
                       strtoll(line->operands[0], &end, 10) == decoded->displacement &&
                       *end == '\0';
        return is_same ? NULL : "target";
    }
    return flow == ALC_X86_RETURN && line->operands_count != 0 ? "return" : NULL;
}

const char *llvm_compare(const uint8_t *bytes, const struct alc_x86_instruction *decoded,
                         char *text, size_t text_size)
{
    uint8_t copy[ALC_X86_WINDOW_SIZE];
    memcpy(copy, bytes, sizeof copy);
    size_t length = LLVMDisasmInstruction(disassembler(), copy, sizeof copy, 0, text, text_size);
    if (length == 0) {
        return "no instruction";
    }
    if (length != decoded->length) {
        return "length";
    }
    char parts[128];
    struct line line;
    memcpy(parts, text, sizeof parts);
    parts[sizeof parts - 1] = '\0';
    if (!split(parts, &line)) {
        return "operands";
    }
    const char *problem = compare_flow(&line, decoded);
    bool is_control = decoded->flow != ALC_X86_NEXT && decoded->flow != ALC_X86_STOP;
    if (problem != NULL || is_control) {
        return problem;
    }
    problem = compare_memory(&line, decoded);
    return problem != NULL ? problem : compare_stack(&line, decoded);
}
