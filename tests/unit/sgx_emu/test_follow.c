/* SPDX-License-Identifier: Apache-2.0
 *
 * The instructions that the emulator follows itself, compared with the processor's.
 */
#include "unit/sgx_emu/fixture.h"

enum { ROUNDS = 20000, STATUS_FLAGS = 0x8D5, AF = 0x10 };

static const uint8_t leaf[3] = {0x0F, 0x01, 0xD7};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Numbers at which carries and overflows happen. */
static uint64_t next_operand(uint64_t *state)
{
    static const uint64_t edges[] = {0, 1, 0xF, 0x10, INT64_MAX, (uint64_t)INT64_MIN, UINT64_MAX};
    uint64_t value = next_random(state);
    return (value & 1) != 0 ? edges[(value >> 8) % 7] : value;
}

/* Runs `code` with RAX and RCX; true when it got to the EACCEPT behind it. */
static bool follow(greg_t *registers, const uint8_t *code, size_t size, uint64_t rax, uint64_t rcx)
{
    static uint8_t page[FIXTURE_PAGE];
    memset(page, 0xCC, sizeof page);
    memcpy(page, code, size);
    memcpy(page + size, leaf, sizeof leaf);
    registers[REG_RIP] = 0x10000;
    registers[REG_RAX] = (greg_t)rax;
    registers[REG_RCX] = (greg_t)rcx;
    return emu_follow(registers, page, 0x10000, leaf);
}

static void test_arithmetic_is_the_processors(void **state)
{
    (void)state;
    static const uint8_t test[] = {0x48, 0x85, 0xC0 | (1 << 3)}; /* test %rcx, %rax */
    static const uint8_t compare[] = {0x48, 0x39, 0xC0 | (1 << 3)};
    uint64_t random = 88172645463325252;
    for (int i = 0; i < ROUNDS; i++) {
        greg_t registers[NGREG] = {0};
        uint64_t a = next_operand(&random);
        uint64_t b = next_operand(&random);
        uint64_t flags;
        (void)follow(registers, test, sizeof test, a, b);
        __asm__("test %2, %1\n\tpushfq\n\tpop %0" : "=r"(flags) : "r"(a), "r"(b) : "cc");
        assert_int_equal(registers[REG_EFL] & STATUS_FLAGS & ~AF, flags & STATUS_FLAGS & ~AF);
        (void)follow(registers, compare, sizeof compare, a, b);
        __asm__("cmp %2, %1\n\tpushfq\n\tpop %0" : "=r"(flags) : "r"(a), "r"(b) : "cc");
        assert_int_equal(registers[REG_EFL] & STATUS_FLAGS, flags & STATUS_FLAGS);
        assert_int_equal(registers[REG_RAX], a);
        uint32_t immediate = (uint32_t)b;
        uint8_t add[7] = {0x48, 0x81, 0xC0};
        memcpy(add + 3, &immediate, sizeof immediate);
        uint64_t sum = a;
        (void)follow(registers, add, sizeof add, a, b);
        __asm__("add %2, %1\n\tpushfq\n\tpop %0"
                : "=r"(flags), "+r"(sum)
                : "r"((int64_t)(int32_t)immediate)
                : "cc");
        assert_int_equal(registers[REG_RAX], sum);
        assert_int_equal(registers[REG_EFL] & STATUS_FLAGS, flags & STATUS_FLAGS);
    }
}

/* cmp %rcx, %rax; jcc +5; mov $7, %eax */
static void test_conditions_are_the_processors(void **state)
{
    (void)state;
    uint64_t random = 42;
    for (int i = 0; i < ROUNDS; i++) {
        greg_t registers[NGREG] = {0};
        int64_t a = (int64_t)next_operand(&random);
        int64_t b = (int64_t)next_operand(&random);
        uint64_t ua = (uint64_t)a;
        uint64_t ub = (uint64_t)b;
        int64_t difference = (int64_t)(ua - ub);
        bool overflow = __builtin_sub_overflow(a, b, &difference);
        const bool expected[16] = {
            overflow,
            !overflow,
            ua < ub,
            ua >= ub,
            a == b,
            a != b,
            ua <= ub,
            ua > ub,
            difference < 0,
            difference >= 0,
            false,
            false,
            a<b, a >= b, a <= b, a>
                b,
        };
        uint8_t condition = (uint8_t)(next_random(&random) & 0xF);
        if (condition == 0xA || condition == 0xB) {
            continue; /* parity: checked with the flags */
        }
        uint8_t code[] = {0x48, 0x39, 0xC8, (uint8_t)(0x70 + condition), 5, 0xB8, 7, 0, 0, 0};
        (void)follow(registers, code, sizeof code, ua, ub);
        assert_int_equal(registers[REG_RAX], expected[condition] ? a : 7);
        assert_int_equal(registers[REG_RIP], 0x10000 + sizeof code);
    }
}

static void test_moves_and_clears(void **state)
{
    (void)state;
    static const uint8_t code[] = {0x31, 0xC9, 0xB8, 5, 0, 0, 0, 0xEB, 1, 0xCC};
    greg_t registers[NGREG] = {0};
    assert_true(follow(registers, code, sizeof code, UINT64_MAX, UINT64_MAX));
    assert_int_equal(registers[REG_RAX], ALC_SGX_EACCEPT);
    assert_int_equal(registers[REG_RCX], 0);
}

static void test_everything_else_is_left_alone(void **state)
{
    (void)state;
    static const uint8_t load[] = {0x48, 0x8B, 0x08};
    static const uint8_t add_to_memory[] = {0x48, 0x81, 0x00, 1, 0, 0, 0};
    static const uint8_t for_ever[] = {0xEB, 0xFE};
    static const uint8_t other_leaf[] = {0xB8, 4, 0, 0, 0};
    greg_t registers[NGREG] = {0};
    assert_false(follow(registers, load, sizeof load, 1, 2));
    assert_int_equal(registers[REG_RIP], 0x10000);
    assert_int_equal(registers[REG_RCX], 2);
    assert_false(follow(registers, add_to_memory, sizeof add_to_memory, 1, 2));
    assert_int_equal(registers[REG_RIP], 0x10000);
    assert_false(follow(registers, for_ever, sizeof for_ever, 1, 2));
    assert_false(follow(registers, other_leaf, sizeof other_leaf, 1, 2));
    static uint8_t page[FIXTURE_PAGE];
    memset(page, 0x31, sizeof page); /* up to the end of the page and no further */
    registers[REG_RIP] = 0x10000 + FIXTURE_PAGE - 2;
    assert_false(emu_follow(registers, page, 0x10000, leaf));
    registers[REG_RIP] = 0x0FFFF;
    assert_false(emu_follow(registers, page, 0x10000, leaf));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic_is_the_processors),
        cmocka_unit_test(test_conditions_are_the_processors),
        cmocka_unit_test(test_moves_and_clears),
        cmocka_unit_test(test_everything_else_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
