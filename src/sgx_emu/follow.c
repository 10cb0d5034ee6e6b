/* SPDX-License-Identifier: Apache-2.0
 *
 * Follows the enclave's code for a few instructions after an EACCEPT, so that a loop which accepts
 * pages traps once and not once a page (a trap costs more than everything else in it). Knows only
 * the register instructions of such loops; anything else is left to the processor, with the state
 * exactly as it would be there. Never used while stepping. Runs under the context's lock.
 */
#include "base/bytes.h"
#include "sgx_emu/emu_internal.h"

enum {
    FLAG_CF = 1 << 0,
    FLAG_PF = 1 << 2,
    FLAG_AF = 1 << 4,
    FLAG_ZF = 1 << 6,
    FLAG_SF = 1 << 7,
    FLAG_OF = 1 << 11,
    STATUS_FLAGS = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF,
    REX_W = 0x48, /* without extension bits: the eight old registers */
    INSTRUCTION_MAX = 7,
    INSTRUCTIONS_BETWEEN_LEAVES = 64,
};

static const uint8_t register_order[8] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX,
                                          REG_RSP, REG_RBP, REG_RSI, REG_RDI};

static greg_t *find_register(greg_t *registers, uint32_t number)
{
    return &registers[register_order[number & 7]];
}

static void set_flags(greg_t *registers, uint64_t result, uint64_t carries)
{
    uint64_t flags = carries;
    flags |= result == 0 ? FLAG_ZF : 0;
    flags |= (result >> 63) != 0 ? FLAG_SF : 0;
    flags |= __builtin_parityll(result & 0xFF) == 0 ? FLAG_PF : 0;
    registers[REG_EFL] = (registers[REG_EFL] & ~(greg_t)STATUS_FLAGS) | (greg_t)flags;
}

static uint64_t carries_of_add(uint64_t a, uint64_t b, uint64_t sum)
{
    return (sum < a ? FLAG_CF : 0) | (((a ^ b ^ sum) & 0x10) ? FLAG_AF : 0) |
           ((~(a ^ b) & (a ^ sum)) >> 63 ? FLAG_OF : 0);
}

static uint64_t carries_of_subtract(uint64_t a, uint64_t b, uint64_t difference)
{
    return (a < b ? FLAG_CF : 0) | (((a ^ b ^ difference) & 0x10) ? FLAG_AF : 0) |
           (((a ^ b) & (a ^ difference)) >> 63 ? FLAG_OF : 0);
}

static bool is_taken(uint64_t flags, uint32_t condition)
{
    bool carry = (flags & FLAG_CF) != 0;
    bool zero = (flags & FLAG_ZF) != 0;
    bool sign = (flags & FLAG_SF) != 0;
    bool overflow = (flags & FLAG_OF) != 0;
    bool parity = (flags & FLAG_PF) != 0;
    const bool by_pair[8] = {overflow,
                             carry,
                             zero,
                             carry || zero,
                             sign,
                             parity,
                             sign != overflow,
                             zero || sign != overflow};
    return by_pair[condition >> 1] != ((condition & 1) != 0);
}

/* REX.W TEST, CMP and ADD between registers, or with an immediate. The instruction's size, or 0. */
static uint32_t follow_wide(greg_t *registers, const uint8_t *code)
{
    uint8_t modrm = code[2];
    greg_t *destination = find_register(registers, modrm);
    uint64_t a = (uint64_t)*destination;
    uint64_t b = (uint64_t)*find_register(registers, (uint32_t)modrm >> 3);
    if (modrm < 0xC0) {
        return 0;
    }
    switch (code[1]) {
    case 0x85: /* TEST */
        set_flags(registers, a & b, 0);
        return 3;
    case 0x39: /* CMP */
        set_flags(registers, a - b, carries_of_subtract(a, b, a - b));
        return 3;
    case 0x81: /* ADD immediate */
        if ((modrm & 0x38) != 0) {
            return 0;
        }
        b = (uint64_t)(int64_t)(int32_t)alc_load_u32(code + 3);
        *destination = (greg_t)(a + b);
        set_flags(registers, a + b, carries_of_add(a, b, a + b));
        return 7;
    default:
        return 0;
    }
}

/* One instruction; false when it is not one of the few. */
static bool follow_one(greg_t *registers, const uint8_t *code)
{
    uint32_t size = 0;
    int64_t jump = 0;
    uint8_t opcode = code[0];
    if (opcode == REX_W) {
        size = follow_wide(registers, code);
    } else if (opcode == 0x31 && code[1] >= 0xC0 && ((code[1] >> 3) & 7) == (code[1] & 7)) {
        *find_register(registers, code[1]) = 0; /* XOR of a register with itself */
        set_flags(registers, 0, 0);
        size = 2;
    } else if ((opcode & 0xF8) == 0xB8) { /* MOV immediate, 32 bits */
        *find_register(registers, opcode) = (greg_t)alc_load_u32(code + 1);
        size = 5;
    } else if (opcode == 0xEB || (opcode & 0xF0) == 0x70) { /* JMP, Jcc, 8 bits */
        bool taken =
            opcode == 0xEB || is_taken((uint64_t)registers[REG_EFL], (uint32_t)opcode & 0xF);
        jump = taken ? (int8_t)code[1] : 0;
        size = 2;
    }
    registers[REG_RIP] += size + jump;
    return size != 0;
}

bool emu_follow(greg_t *registers, const uint8_t *page, uint64_t page_addr, const uint8_t *leaf)
{
    for (int i = 0; i < INSTRUCTIONS_BETWEEN_LEAVES; i++) {
        uint64_t offset = (uint64_t)registers[REG_RIP] - page_addr;
        if (offset > ALC_SGX_PAGE_SIZE - INSTRUCTION_MAX) {
            return false;
        }
        if (alc_equal(page + offset, leaf, 3)) {
            return (uint32_t)registers[REG_RAX] == ALC_SGX_EACCEPT;
        }
        if (!follow_one(registers, page + offset)) {
            return false;
        }
    }
    return false;
}
