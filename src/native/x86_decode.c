/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoder over the table x86.def. Prefixes are accepted in the one order in which LLVM writes
 * them, each at most once: gs, address size, then one of 66 F2 F3, then REX or VEX. Reference:
 * Intel's Software Developer's Manual, volume 2, chapter 2 and appendix A.
 */
#include "native/x86_decode.h"

#include "base/bytes.h"

/* -- properties of forms -- */
enum {
    /* Which encodings exist. */
    LEGACY = 1 << 0,
    VEX = 1 << 1,
    MODRM = 1 << 2,
    /* What happens to the operand of ModRM.rm in memory; ADDRESS: nothing. */
    LOAD = 1 << 3,
    STORE = 1 << 4,
    ADDRESS = LOAD | STORE,
    ACCESS = ADDRESS,
    REG_ONLY = 1 << 5,
    MEM_ONLY = 1 << 6,
    /* Which operands are general registers that are written. GPR8: byte registers, where numbers 4
     * to 7 are AH to BH without REX. */
    REG_GPR = 1 << 7,
    REG_GPR8 = 1 << 8,
    RM_GPR = 1 << 9,
    RM_GPR8 = 1 << 10,
    /* The low bits of the opcode name a register. */
    OPCODE_READ = 1 << 11,
    OPCODE_GPR = 2 << 11,
    OPCODE_GPR8 = 3 << 11,
    OPCODE_REGISTER = 3 << 11,
    /* What VEX.vvvv is, if anything. */
    VVVV_READ = 1 << 13,
    VVVV_READ_REG = 2 << 13,
    VVVV_GPR = 3 << 13,
    VVVV = 3 << 13,
    /* Immediates: a byte; 2 or 4 bytes by operand size; the same or 8. */
    IMM_8 = 1 << 15,
    IMM_Z = 2 << 15,
    IMM_V = 3 << 15,
    IMM = 3 << 15,
    /* W must be 0 without one of these. SIZED: it makes operands 64 bits wide, as 66 makes them 16.
     */
    W_ANY = 1 << 17,
    W_1 = 2 << 17,
    W_SIZED = 3 << 17,
    W = 3 << 17,
    /* VEX.L is free with sizes from SIZE_X on and must be 0 with others, except with these. */
    L_ANY = 1 << 19,
    L_0 = 2 << 19,
    L_1 = 3 << 19,
    L = 3 << 19,
    V3 = 1 << 21,      /* needs ALC_NATIVE_V3 without VEX, too */
    CHECKED = 1 << 22, /* struct alc_x86_instruction.is_checked */
};
/* Bytes in memory: log2, or by operand size, by W, or by vector length. */
#define SIZE(code) ((uint32_t)(code) << 23)
#define SIZE_OF(form) ((form) >> 23 & 15)
enum {
    SIZE_CODE_V = 6, /* 2, 4, 8 by 66 and W */
    SIZE_CODE_Y,     /* 4, 8 by W */
    SIZE_CODE_X,     /* 16, 32 by L */
    SIZE_CODE_HALF,
    SIZE_CODE_QUARTER,
    SIZE_CODE_EIGHTH,
    SIZE_CODE_DUP, /* 8, 32 by L */
};
#define SIZE_1 SIZE(0)
#define SIZE_2 SIZE(1)
#define SIZE_4 SIZE(2)
#define SIZE_8 SIZE(3)
#define SIZE_16 SIZE(4)
#define SIZE_V SIZE(SIZE_CODE_V)
#define SIZE_Y SIZE(SIZE_CODE_Y)
#define SIZE_X SIZE(SIZE_CODE_X)
#define SIZE_HALF SIZE(SIZE_CODE_HALF)
#define SIZE_QUARTER SIZE(SIZE_CODE_QUARTER)
#define SIZE_EIGHTH SIZE(SIZE_CODE_EIGHTH)
#define SIZE_DUP SIZE(SIZE_CODE_DUP)
/* What needs a line of code of its own. */
enum {
    KIND_PLAIN,
    KIND_JCC,
    KIND_JMP,
    KIND_CALL,
    KIND_RET,
    KIND_STOP,
    KIND_UD1,
    KIND_NOP,
    KIND_PUSH,
    KIND_POP,
    KIND_ADD,
    KIND_SUB,
    KIND_LEA,
};
#define KIND(kind) ((uint32_t)KIND_##kind << 27)
#define KIND_OF(form) ((form) >> 27)

/* -- the table -- */
enum {
    FORM_NONE,
#define FORM(ident, properties) FORM_##ident,
#include "native/x86.def"
    FORM_BY_FIRST,
    FORM_BY_BEFORE = FORM_BY_FIRST - 1,
#define GROUP(ident, f0, f1, f2, f3, f4, f5, f6, f7) FORM_BY_##ident,
#include "native/x86.def"
    FORMS_COUNT,
};
_Static_assert(FORMS_COUNT <= UINT8_MAX + 1, "g_opcodes holds bytes");

static const uint32_t g_forms[] = {
    [FORM_NONE] = 0,
#define FORM(ident, properties) [FORM_##ident] = properties,
#include "native/x86.def"
};

static const uint8_t g_groups[][8] = {
#define GROUP(ident, f0, f1, f2, f3, f4, f5, f6, f7)                                               \
    [FORM_BY_##ident - FORM_BY_FIRST] = {FORM_##f0, FORM_##f1, FORM_##f2, FORM_##f3,               \
                                         FORM_##f4, FORM_##f5, FORM_##f6, FORM_##f7},
#include "native/x86.def"
};

/* In the order of VEX.pp. */
enum { PREFIX_NP, PREFIX_66, PREFIX_F3, PREFIX_F2, PREFIXES };
enum { MAPS = 4 };

/* Which opcodes of a map have rows with a prefix; those beside them take no space. */
#define PAGES                                                                                      \
    PAGE(0, NP, 0x00, 0xFF)                                                                        \
    PAGE(0, 66, 0x01, 0xFF)                                                                        \
    PAGE(1, NP, 0x0B, 0xCF)                                                                        \
    PAGE(1, 66, 0x10, 0xFE)                                                                        \
    PAGE(1, F3, 0x10, 0xE6)                                                                        \
    PAGE(1, F2, 0x10, 0xE6)                                                                        \
    PAGE(2, NP, 0xF0, 0xF7)                                                                        \
    PAGE(2, 66, 0x00, 0xF7)                                                                        \
    PAGE(2, F3, 0xF7, 0xF7)                                                                        \
    PAGE(2, F2, 0xF6, 0xF7)                                                                        \
    PAGE(3, 66, 0x00, 0x4C)                                                                        \
    PAGE(3, F2, 0xF0, 0xF0)

enum {
#define PAGE(map, prefix, first, last)                                                             \
    FIRST_##map##_##prefix = (first), COUNT_##map##_##prefix = (last) - (first) + 1,
    PAGES
#undef PAGE
};
/* Where a page stands; each follows the one before. */
enum {
#define PAGE(map, prefix, first, last)                                                             \
    START_##map##_##prefix,                                                                        \
        LAST_##map##_##prefix = START_##map##_##prefix + COUNT_##map##_##prefix - 1,
    PAGES
#undef PAGE
        OPCODES_COUNT
};

static const struct {
    uint16_t start;
    uint16_t count;
    uint8_t first;
} g_pages[MAPS * PREFIXES] = {
#define PAGE(map, prefix, first, last)                                                             \
    [(map) * PREFIXES + PREFIX_##prefix] = {START_##map##_##prefix, COUNT_##map##_##prefix, first},
    PAGES
#undef PAGE
};

#define SLOT(map, prefix, opcode) (START_##map##_##prefix + (opcode) - FIRST_##map##_##prefix)

static const uint8_t g_opcodes[OPCODES_COUNT] = {
#define ROW(map, prefix, first, last, form)                                                        \
    [SLOT(map, prefix, first)... SLOT(map, prefix, last)] = FORM_##form,
#include "native/x86.def"
};

/* No row leaves its page. */
#define ROW(map, prefix, first, last, form)                                                        \
    _Static_assert((first) >= FIRST_##map##_##prefix &&                                            \
                       SLOT(map, prefix, last) <= LAST_##map##_##prefix,                           \
                   "PAGES");
#include "native/x86.def"

static uint32_t find_row(uint32_t page, uint8_t opcode)
{
    uint32_t index = (uint32_t)opcode - g_pages[page].first;
    return index < g_pages[page].count ? g_opcodes[g_pages[page].start + index] : FORM_NONE;
}

/* -- decoding -- */

static const char g_no_row[] = ALC_WORDS("not an instruction that compiled code may have");
static const char g_writes_stack_pointer[] = ALC_WORDS("writes the stack pointer");

enum { REX_W = 8, REX_R = 4, REX_X = 2, REX_B = 1, REX_PRESENT = 0x40, STACK_POINTER = 4 };
enum { PADDING_66_MAX = 6 };
enum { GS_PREFIX = 0x65, ADDRESS_SIZE_PREFIX = 0x67, CS_PREFIX = 0x2E, LOCK_PREFIX = 0xF0 };

/* Enclaves are signed for XFRM 3, without the state that VEX needs: inside is no such code. */
#ifdef ALC_ENCLAVE
enum { HAS_VEX = 0 };
#else
enum { HAS_VEX = 1 };
#endif

/* What precedes the opcode. */
struct prefixes {
    bool is_gs;
    bool is_address_32;
    bool is_locked;
    bool is_vex;
    uint8_t prefix; /* PREFIX_NP and so on */
    uint8_t rex;    /* REX, or the same bits of VEX with REX_PRESENT */
    uint8_t map;
    uint8_t length_256; /* VEX.L */
    uint8_t vvvv;       /* as a register number */
};

static const uint8_t *read_vex(const uint8_t *at, struct prefixes *out)
{
    uint8_t last = at[1];
    uint8_t rex = REX_PRESENT;
    out->map = 1;
    rex |= (last & 0x80) == 0 ? REX_R : 0;
    if (at[0] == 0xC4) {
        out->map = at[1] & 31;
        rex |= (at[1] & 0x40) == 0 ? REX_X : 0;
        rex |= (at[1] & 0x20) == 0 ? REX_B : 0;
        last = at[2];
        rex |= (last & 0x80) != 0 ? REX_W : 0;
        at++;
    }
    if (out->map - 1U >= MAPS - 1U) {
        return NULL;
    }
    out->rex = rex;
    out->is_vex = true;
    out->vvvv = (uint8_t)(~last >> 3 & 15);
    out->length_256 = last >> 2 & 1;
    out->prefix = last & 3;
    return at + 2;
}

static const uint8_t *read_opcode_map(const uint8_t *at, struct prefixes *out)
{
    out->map = 0;
    if (*at == 0x0F) {
        at++;
        out->map = 1;
        if (*at == 0x38 || *at == 0x3A) {
            out->map = *at == 0x38 ? 2 : 3;
            at++;
        }
    }
    return at;
}

/* Long nops begin with several 66 and a 2E; nothing else does. NULL when it is none. */
static const uint8_t *read_padding_prefixes(const uint8_t *at, struct prefixes *out)
{
    for (uint32_t i = 0; *at == 0x66 && i < PADDING_66_MAX - 1; i++) {
        at++;
    }
    at += *at == CS_PREFIX ? 1 : 0;
    bool is_nop = at[0] == 0x0F && at[1] == 0x1F;
    return is_nop && !out->is_gs && !out->is_address_32 ? at : NULL;
}

/* Reads up to the opcode; NULL when prefixes are combined as no compiler does. What is no prefix in
 * its place becomes an opcode that has no row. At most five bytes precede the opcode's map (gs, 67,
 * 66, lock, REX) or it is a long nop, so that ModRM, SIB and displacement end within the window. */
static ALC_ALWAYS_INLINE const uint8_t *read_prefixes(const uint8_t *at, struct prefixes *out)
{
    *out = (struct prefixes){.is_gs = false};
    if (*at == GS_PREFIX) {
        out->is_gs = true;
        at++;
    }
    if (*at == ADDRESS_SIZE_PREFIX) {
        out->is_address_32 = true;
        at++;
    }
    if (*at == 0x66) {
        out->prefix = PREFIX_66;
        at++;
        if (*at == 0x66 || *at == CS_PREFIX) {
            at = read_padding_prefixes(at, out);
            if (at == NULL) {
                return NULL;
            }
        }
    } else if ((*at & 0xFE) == 0xF2) {
        out->prefix = *at == 0xF2 ? PREFIX_F2 : PREFIX_F3;
        at++;
    }
    if (*at == LOCK_PREFIX) {
        out->is_locked = true;
        at++;
    }
    if ((*at & 0xFE) == 0xC4) {
        /* Behind any of these prefixes VEX is invalid. */
        if (!HAS_VEX || out->prefix != PREFIX_NP || out->is_locked) {
            return NULL;
        }
        return read_vex(at, out);
    }
    if ((*at & 0xF0) == REX_PRESENT) {
        out->rex = *at;
        at++;
    }
    return read_opcode_map(at, out);
}

/* The operand of ModRM.rm in memory: where it is, and where its encoding ends; NULL when no
 * compiler writes it like that. */
static ALC_ALWAYS_INLINE const uint8_t *read_memory(const uint8_t *modrm,
                                                    const struct prefixes *prefixes,
                                                    uint8_t *memory, int32_t *displacement)
{
    uint8_t mod = *modrm >> 6;
    uint8_t base = *modrm & 7;
    const uint8_t *at = modrm + 1;
    bool has_base = true;
    bool has_index = false;
    bool is_relative = false;
    bool is_stack = false;
    if (base == 4) {
        base = *at & 7;
        has_index = (*at >> 3 & 7) != 4 || (prefixes->rex & REX_X) != 0;
        has_base = mod != 0 || base != 5;
        /* With REX.B this looks like r13 and is none. LLVM has no use for it. */
        if (!has_base && (prefixes->rex & REX_B) != 0) {
            return NULL;
        }
        is_stack = base == STACK_POINTER && (prefixes->rex & REX_B) == 0 && !has_index;
        at++;
    } else {
        is_relative = mod == 0 && base == 5;
    }
    if (mod == 1) {
        *displacement = (int8_t)*at;
        at++;
    } else if (mod == 2 || is_relative || !has_base) {
        *displacement = (int32_t)alc_load_u32(at);
        at += 4;
    } else {
        *displacement = 0;
    }
    *memory = ALC_X86_ANYWHERE;
    if (prefixes->is_gs) {
        if (prefixes->is_address_32) {
            *memory = is_relative ? ALC_X86_ANYWHERE : ALC_X86_WINDOW;
        } else if (!has_base && !has_index) {
            *memory = ALC_X86_GS;
        }
    } else if (!prefixes->is_address_32) {
        if (is_stack) {
            *memory = ALC_X86_STACK;
        } else if (is_relative) {
            *memory = ALC_X86_RELATIVE;
        }
    }
    return at;
}

static ALC_ALWAYS_INLINE uint8_t access_size(uint32_t form, const struct prefixes *prefixes)
{
    uint32_t code = SIZE_OF(form);
    if (code < SIZE_CODE_V) {
        return (uint8_t)(1U << code);
    }
    bool is_wide = (prefixes->rex & REX_W) != 0;
    if (code == SIZE_CODE_V) {
        return is_wide ? 8 : prefixes->prefix == PREFIX_66 ? 2 : 4;
    }
    if (code == SIZE_CODE_Y) {
        return is_wide ? 8 : 4;
    }
    if (code == SIZE_CODE_DUP) {
        return prefixes->length_256 != 0 ? 32 : 8;
    }
    return (uint8_t)((16U << prefixes->length_256) >> (code - SIZE_CODE_X));
}

static ALC_ALWAYS_INLINE uint32_t immediate_size(uint32_t form, const struct prefixes *prefixes)
{
    uint32_t imm = form & IMM;
    if (imm <= IMM_8) {
        return imm == 0 ? 0 : 1;
    }
    if (prefixes->prefix == PREFIX_66) {
        return 2;
    }
    return imm == IMM_V && (prefixes->rex & REX_W) != 0 ? 8 : 4;
}

/* Whether the VEX encoding's fields are as the form wants them. */
static const char *check_vex(uint32_t form, const struct prefixes *prefixes, bool is_register)
{
    uint32_t length = form & L;
    bool is_256 = prefixes->length_256 != 0;
    if (length == 0) {
        length = SIZE_OF(form) >= SIZE_CODE_X ? L_ANY : L_0;
    }
    if ((form & VEX) == 0 || (is_256 && length == L_0) || (!is_256 && length == L_1)) {
        return g_no_row;
    }
    uint32_t vvvv = form & VVVV;
    if (vvvv == VVVV_READ_REG) {
        vvvv = is_register ? VVVV_READ : 0;
    }
    if (vvvv == 0 && prefixes->vvvv != 0) {
        return ALC_WORDS("an unused register field is not empty");
    }
    if (vvvv == VVVV_GPR && prefixes->vvvv == STACK_POINTER) {
        return g_writes_stack_pointer;
    }
    return NULL;
}

/* Whether REX.W and 66 are as the form wants them. */
static ALC_ALWAYS_INLINE bool is_width_good(uint32_t form, const struct prefixes *prefixes)
{
    uint32_t wanted = form & W;
    if ((prefixes->rex & REX_W) == 0) {
        return wanted != W_1;
    }
    return wanted != 0 && !(wanted == W_SIZED && prefixes->prefix == PREFIX_66);
}

/* Whether a general register that the form writes is the stack pointer: SP, ESP, RSP or SPL. */
static ALC_ALWAYS_INLINE bool is_stack_pointer(uint32_t number, bool is_byte, uint8_t rex)
{
    return number == STACK_POINTER && (!is_byte || (rex & REX_PRESENT) != 0);
}

/* What ModRM says; *at moves behind it. */
static ALC_ALWAYS_INLINE const char *read_operands(const uint8_t **at, uint32_t form,
                                                   const struct prefixes *prefixes,
                                                   struct alc_x86_instruction *out)
{
    uint8_t modrm = **at;
    uint32_t reg = (modrm >> 3 & 7U) | (uint32_t)(prefixes->rex & REX_R) << 1;
    bool is_register = modrm >= 0xC0;
    bool moves_stack = false;
    if (is_register) {
        uint32_t rm = (modrm & 7U) | (uint32_t)(prefixes->rex & REX_B) << 3;
        (*at)++;
        if ((form & MEM_ONLY) != 0 || prefixes->is_locked) {
            return g_no_row;
        }
        if (prefixes->is_gs || prefixes->is_address_32) {
            return ALC_WORDS("a prefix without an effect");
        }
        if ((form & (RM_GPR | RM_GPR8)) != 0 &&
            is_stack_pointer(rm, (form & RM_GPR8) != 0, prefixes->rex)) {
            if (KIND_OF(form) < KIND_ADD || prefixes->rex != (REX_PRESENT | REX_W) ||
                prefixes->prefix != PREFIX_NP) {
                return g_writes_stack_pointer;
            }
            /* The immediate follows. */
            int32_t amount = (form & IMM) == IMM_8 ? (int8_t)**at : (int32_t)alc_load_u32(*at);
            out->pushed = KIND_OF(form) == KIND_SUB ? amount : (int32_t)(0U - (uint32_t)amount);
        }
    } else {
        if ((form & REG_ONLY) != 0) {
            return g_no_row;
        }
        *at = read_memory(*at, prefixes, &out->memory, &out->displacement);
        if (*at == NULL) {
            return g_no_row;
        }
        out->is_store = (form & STORE) != 0;
        out->access_size = access_size(form, prefixes);
        if (prefixes->is_locked && (form & ACCESS) != STORE) {
            return g_no_row;
        }
        if ((form & ACCESS) == ADDRESS) {
            moves_stack = out->memory == ALC_X86_STACK && (prefixes->rex & REX_W) != 0 &&
                          KIND_OF(form) == KIND_LEA;
            if (prefixes->is_gs || (prefixes->is_address_32 && KIND_OF(form) == KIND_NOP)) {
                return ALC_WORDS("a prefix without an effect");
            }
            out->memory = ALC_X86_NO_MEMORY;
        }
    }
    if ((form & (REG_GPR | REG_GPR8)) != 0 &&
        is_stack_pointer(reg, (form & REG_GPR8) != 0, prefixes->rex)) {
        if (!moves_stack) {
            return g_writes_stack_pointer;
        }
        out->pushed = (int32_t)(0U - (uint32_t)out->displacement);
    }
    return NULL;
}

/* What an opcode without ModRM says. Prefixes that mean nothing to it are refused: on branches
 * processors disagree about them. */
static ALC_ALWAYS_INLINE const char *check_opcode_register(uint8_t opcode, uint32_t form,
                                                           const struct prefixes *prefixes)
{
    uint32_t kind = form & OPCODE_REGISTER;
    if (prefixes->is_gs || prefixes->is_address_32 || prefixes->is_locked) {
        return ALC_WORDS("a prefix without an effect");
    }
    if (kind == 0) {
        bool is_good =
            prefixes->is_vex || prefixes->rex == 0 || prefixes->rex == (REX_PRESENT | REX_W);
        return is_good ? NULL : ALC_WORDS("a prefix without an effect");
    }
    uint32_t number = (opcode & 7U) | (uint32_t)(prefixes->rex & REX_B) << 3;
    if (kind != OPCODE_READ && is_stack_pointer(number, kind == OPCODE_GPR8, prefixes->rex)) {
        return g_writes_stack_pointer;
    }
    return NULL;
}

/* Sets what the kinds with a line of their own do; `at` is behind the opcode, `modrm` too. */
static ALC_ALWAYS_INLINE const char *apply_kind(uint32_t form, const struct prefixes *prefixes,
                                                const uint8_t *modrm, const uint8_t *at,
                                                struct alc_x86_instruction *out)
{
    static const uint8_t flows[] = {
        [KIND_JCC] = ALC_X86_BRANCH, [KIND_JMP] = ALC_X86_JUMP,  [KIND_CALL] = ALC_X86_CALL,
        [KIND_RET] = ALC_X86_RETURN, [KIND_STOP] = ALC_X86_STOP, [KIND_UD1] = ALC_X86_STOP};
    uint32_t kind = KIND_OF(form);
    if (kind <= KIND_UD1) {
        out->flow = flows[kind];
    }
    if (kind <= KIND_CALL) {
        out->displacement = (form & IMM) == IMM_8 ? (int8_t)*at : (int32_t)alc_load_u32(at);
    } else if (kind == KIND_UD1) {
        /* ud1 eax, [eax + number]; LLVM leaves a displacement of 0 out. */
        if (!prefixes->is_address_32 || prefixes->rex != 0 || (*modrm & 0xBF) != 0) {
            return g_no_row;
        }
    } else if (kind == KIND_PUSH) {
        out->pushed = 8;
    } else if (kind == KIND_POP) {
        out->pushed = -8;
    }
    return NULL;
}

const char *alc_x86_decode(const uint8_t *bytes, struct alc_x86_instruction *out)
{
    struct prefixes prefixes;
    const uint8_t *at = read_prefixes(bytes, &prefixes);
    if (at == NULL) {
        return g_no_row;
    }
    uint8_t opcode = *at;
    at++;
    uint32_t index = find_row((uint32_t)prefixes.map * PREFIXES + prefixes.prefix, opcode);
    if (index >= FORM_BY_FIRST) {
        index = g_groups[index - FORM_BY_FIRST][*at >> 3 & 7];
    }
    uint32_t form = g_forms[index];
    *out = (struct alc_x86_instruction){.is_vex = prefixes.is_vex || (form & V3) != 0};
    const char *reason = NULL;
    if (prefixes.is_vex) {
        reason = check_vex(form, &prefixes, (form & MODRM) != 0 && *at >= 0xC0);
    } else if ((form & LEGACY) == 0) {
        reason = g_no_row;
    }
    if (reason != NULL) {
        return reason;
    }
    if (!is_width_good(form, &prefixes)) {
        return ALC_WORDS("a prefix without an effect");
    }
    const uint8_t *modrm = at;
    reason = (form & MODRM) != 0 ? read_operands(&at, form, &prefixes, out)
                                 : check_opcode_register(opcode, form, &prefixes);
    if (reason == NULL && KIND_OF(form) != KIND_PLAIN) {
        reason = apply_kind(form, &prefixes, modrm, at, out);
    }
    out->is_checked = prefixes.is_locked || (form & CHECKED) != 0;
    out->length = (uint8_t)((uint32_t)(at - bytes) + immediate_size(form, &prefixes));
    return reason;
}
