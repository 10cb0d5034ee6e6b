/* SPDX-License-Identifier: Apache-2.0
 *
 * Vector instructions without memory as LLVM computes them against exec/simd.h, over operands that
 * are known to be hard: all variable, one of them a constant, all of them. Results are the same bit
 * by bit, but for which of two NaNs comes out; it is a quiet one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <llvm-c/ExecutionEngine.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "compiler/lower.h"
#include "exec/simd.h"

enum { OPERANDS_MAX = 3, VARIANTS = 12, TRIES = 200, NAME_SIZE = 32, SHUFFLE = 255 };

union value {
    alc_v128 v;
    uint8_t bytes[16];
    uint16_t u16[8];
    uint32_t u32[4];
    uint64_t u64[2];
    float f32[4];
    double f64[2];
};

/* -- the instructions: rows of ops.def, chosen by feature and immediate -- */

struct instruction {
    enum alc_op op;
    const char *name;
    const char *signature; /* letters of ops.def, behind _ the result */
    unsigned lanes;        /* 0: none, SHUFFLE: 16 of them */
};

/* clang-format off */
#define ROW_MVP(i, m, s)
#define ROW_SIGN_EXT(i, m, s)
#define ROW_SAT(i, m, s)
#define ROW_BULK(i, m, s)
#define ROW_REFERENCES(i, m, s)
#define ROW_TAIL_CALL(i, m, s)
#define ROW_FUNCTION_REFERENCES(i, m, s)
#define ROW_GC(i, m, s)
#define ROW_EXCEPTIONS(i, m, s)
#define ROW_LEGACY_EXCEPTIONS(i, m, s)
#define ROW_THREADS(i, m, s)
#define ROW_WIDE_ARITHMETIC(i, m, s)
#define ROW_SIMD(i, m, s) VECTOR_##m(i, s)
#define ROW_RELAXED_SIMD(i, m, s) VECTOR_##m(i, s)
#define VECTOR_MEM0(i, s)
#define VECTOR_MEM1(i, s)
#define VECTOR_MEM2(i, s)
#define VECTOR_MEM3(i, s)
#define VECTOR_MEM4(i, s)
#define VECTOR_MEMLANE0(i, s)
#define VECTOR_MEMLANE1(i, s)
#define VECTOR_MEMLANE2(i, s)
#define VECTOR_MEMLANE3(i, s)
#define VECTOR_V128(i, s)
#define VECTOR_LANE2(i, s) WITH_LANES(i, s, 2)
#define VECTOR_LANE4(i, s) WITH_LANES(i, s, 4)
#define VECTOR_LANE8(i, s) WITH_LANES(i, s, 8)
#define VECTOR_LANE16(i, s) WITH_LANES(i, s, 16)

static const struct instruction instructions[] = {
#define VECTOR_NONE(i, s) {ALC_OP_##i, #i, #s, 0},
#define WITH_LANES(i, s, n) {ALC_OP_##i, #i, #s, n},
#define VECTOR_SHUFFLE(i, s) {ALC_OP_##i, #i, #s, SHUFFLE},
#define OP(code, ident, text, immediate, signature, feature) \
    ROW_##feature(ident, immediate, signature)
#include "wasm/ops.def"
#undef OP
#undef VECTOR_NONE
#undef WITH_LANES
#undef VECTOR_SHUFFLE
};
enum { COUNT = sizeof instructions / sizeof *instructions };

static union value reference(enum alc_op op, const union value *x, const uint8_t *lanes)
{
    union value r = {.u64 = {0, 0}};
#define A x[0].v
#define B x[1].v
#define PLAIN_S_S(i) r.v = alc_simd_##i(A)
#define PLAIN_SS_S(i) r.v = alc_simd_##i(A, B)
#define PLAIN_SSS_S(i) r.v = alc_simd_##i(A, B, x[2].v)
#define PLAIN_SI_S(i) r.v = alc_simd_##i(A, x[1].u32[0])
#define PLAIN_I_S(i) r.v = alc_simd_##i(x[0].u32[0])
#define PLAIN_L_S(i) r.v = alc_simd_##i(x[0].u64[0])
#define PLAIN_F_S(i) r.v = alc_simd_##i(x[0].f32[0])
#define PLAIN_D_S(i) r.v = alc_simd_##i(x[0].f64[0])
#define PLAIN_S_I(i) r.u32[0] = alc_simd_##i(A)
#define LANES_S_I(i) r.u32[0] = alc_simd_##i(A, lanes[0])
#define LANES_S_L(i) r.u64[0] = alc_simd_##i(A, lanes[0])
#define LANES_S_F(i) r.f32[0] = alc_simd_##i(A, lanes[0])
#define LANES_S_D(i) r.f64[0] = alc_simd_##i(A, lanes[0])
#define LANES_SI_S(i) r.v = alc_simd_##i(A, x[1].u32[0], lanes[0])
#define LANES_SL_S(i) r.v = alc_simd_##i(A, x[1].u64[0], lanes[0])
#define LANES_SF_S(i) r.v = alc_simd_##i(A, x[1].f32[0], lanes[0])
#define LANES_SD_S(i) r.v = alc_simd_##i(A, x[1].f64[0], lanes[0])
#define VECTOR_NONE(i, s) case ALC_OP_##i: PLAIN_##s(i); break;
#define WITH_LANES(i, s, n) case ALC_OP_##i: LANES_##s(i); break;
#define VECTOR_SHUFFLE(i, s) case ALC_OP_##i: r.v = alc_simd_##i(A, B, lanes); break;
    switch ((int)op) {
#define OP(code, ident, text, immediate, signature, feature) \
    ROW_##feature(ident, immediate, signature)
#include "wasm/ops.def"
#undef OP
    }
    return r;
}
/* clang-format on */

static unsigned operands_count(const struct instruction *instruction)
{
    unsigned count = 0;
    while (instruction->signature[count] != '_') {
        count++;
    }
    return count;
}

/* -- operands -- */

static uint64_t random_bits(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 2685821657736338717u;
}

/* Zeros, ones, infinities, NaNs of both kinds, limits of integers, halves. */
static const uint32_t hard_32[] = {
    0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000,
    0xffc00000, 0x7fa00000, 0xff800001, 0x7fffffff, 1,          0x4f000000, 0xcf000000,
    0x4effffff, 0x4f7fffff, 0x4f800000, 0x3f000000, 0x40200000, 0x7f7fffff, 0x00800000,
};
static const uint64_t hard_64[] = {
    0,
    0x8000000000000000,
    0x3ff0000000000000,
    0xbff0000000000000,
    0x7ff0000000000000,
    0xfff0000000000000,
    0x7ff8000000000000,
    0xfff8000000000000,
    0x7ff4000000000000,
    0xfff0000000000001,
    0x41dfffffffc00000,
    0x41e0000000000000,
    0xc1e0000000000000,
    0xc1e0000000200000,
    0x41efffffffe00000,
    0x41f0000000000000,
    0x3fe0000000000000,
    0x4004000000000000,
    0x7fefffffffffffff,
    0x47efffffe0000000,
};
static const uint16_t hard_16[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff, 0x80, 0x7f, 0xff80};
static const uint8_t hard_8[] = {0, 1, 0x7f, 0x80, 0x81, 0xff, 15, 16, 17, 0x6f, 0x70, 0x8f, 0x90};

#define PICK(array) (array)[random_bits() % (sizeof(array) / sizeof *(array))]

static union value random_value(void)
{
    union value value = {.u64 = {random_bits(), random_bits()}};
    unsigned kind = random_bits() % 6;
    for (unsigned i = 0; i < 16; i++) {
        if (kind == 0) {
            value.bytes[i] = PICK(hard_8);
        } else if (kind == 1) {
            value.u16[i / 2] = PICK(hard_16);
        } else if (kind == 2) {
            value.u32[i / 4] = PICK(hard_32);
        } else if (kind == 3) {
            value.u64[i / 8] = PICK(hard_64);
        } else if (kind == 4) { /* all lanes alike */
            value.u32[i / 4] = i == 0 ? PICK(hard_32) : value.u32[0];
        }
    }
    return value;
}

/* -- the code -- */

struct code {
    union value constants[OPERANDS_MAX];
    bool is_constant[OPERANDS_MAX];
    uint8_t lanes[16];
};

static struct code codes[COUNT][VARIANTS];

static LLVMTypeRef type_of_letter(const struct alc_unit *unit, char letter)
{
    return letter == 'I'   ? unit->i32
           : letter == 'L' ? unit->i64
           : letter == 'F' ? unit->f32
           : letter == 'D' ? unit->f64
                           : unit->i64x2;
}

static LLVMValueRef constant_of(const struct alc_unit *unit, LLVMTypeRef type,
                                const union value *value)
{
    LLVMValueRef halves[] = {LLVMConstInt(unit->i64, value->u64[0], false),
                             LLVMConstInt(unit->i64, value->u64[1], false)};
    if (type == unit->i64x2) {
        return LLVMConstVector(halves, 2);
    }
    bool is_32 = type == unit->i32 || type == unit->f32;
    LLVMValueRef bits = is_32 ? LLVMConstInt(unit->i32, value->u32[0], false) : halves[0];
    return LLVMConstBitCast(bits, type);
}

/* void name(const union value *operands, union value *result) */
static void build(struct alc_unit *unit, const struct instruction *instruction, struct code *code,
                  const char *name)
{
    struct alc_lowering f = {.unit = unit, .builder = unit->builder};
    struct alc_immediates immediates = {0};
    LLVMValueRef operands[OPERANDS_MAX];
    LLVMTypeRef parameters[] = {unit->pointer, unit->pointer};
    LLVMTypeRef signature = LLVMFunctionType(unit->void_type, parameters, 2, false);
    f.function = LLVMAddFunction(unit->ir, name, signature);
    alc_target_set_attributes(unit->options->features, unit->context, f.function);
    LLVMPositionBuilderAtEnd(unit->builder,
                             LLVMAppendBasicBlockInContext(unit->context, f.function, ""));
    for (unsigned i = 0; i < operands_count(instruction); i++) {
        LLVMTypeRef type = type_of_letter(unit, instruction->signature[i]);
        LLVMValueRef place = LLVMConstInt(unit->i64, i, false);
        LLVMValueRef pointer =
            LLVMBuildGEP2(unit->builder, unit->i64x2, LLVMGetParam(f.function, 0), &place, 1, "");
        operands[i] = code->is_constant[i] ? constant_of(unit, type, &code->constants[i])
                                           : LLVMBuildLoad2(unit->builder, type, pointer, "");
    }
    for (unsigned i = 0; i < 16; i++) {
        unsigned lanes = instruction->lanes == SHUFFLE ? 32 : instruction->lanes;
        code->lanes[i] = lanes == 0 ? 0 : (uint8_t)(random_bits() % lanes);
        immediates.bytes[i] = code->lanes[i];
    }
    immediates.lane = code->lanes[0];
    LLVMValueRef result = alc_lower_vector(&f, instruction->op, &immediates, operands);
    (void)LLVMBuildStore(unit->builder, result, LLVMGetParam(f.function, 1));
    (void)LLVMBuildRetVoid(unit->builder);
}

static void name_code(unsigned instruction, unsigned variant, char name[NAME_SIZE])
{
    (void)snprintf(name, NAME_SIZE, "c%u_%u", instruction, variant);
}

static void build_all(struct alc_unit *unit)
{
    char name[NAME_SIZE];
    for (unsigned i = 0; i < COUNT; i++) {
        for (unsigned k = 0; k < VARIANTS; k++) {
            struct code *code = &codes[i][k];
            for (unsigned j = 0; j < OPERANDS_MAX; j++) {
                code->constants[j] = random_value();
                code->is_constant[j] = k >= VARIANTS / 2 || (k > 0 && k % OPERANDS_MAX == j);
            }
            name_code(i, k, name);
            build(unit, &instructions[i], code, name);
        }
    }
}

/* -- comparison -- */

static bool is_quiet_32(uint32_t bits)
{
    return (bits & 0x7fc00000) == 0x7fc00000;
}

static bool is_quiet_64(uint64_t bits)
{
    return (bits & 0x7ff8000000000000) == 0x7ff8000000000000;
}

static bool is_same(const struct instruction *instruction, union value a, union value b)
{
    bool is_f32 = instruction->name[0] == 'F' && instruction->name[1] == '3';
    bool is_f64 = instruction->name[0] == 'F' && instruction->name[1] == '6';
    for (unsigned i = 0; i < 4; i++) {
        unsigned half = i / 2;
        bool are_nans = is_f32   ? is_quiet_32(a.u32[i]) && is_quiet_32(b.u32[i])
                        : is_f64 ? is_quiet_64(a.u64[half]) && is_quiet_64(b.u64[half])
                                 : false;
        if (a.u32[i] != b.u32[i] && !are_nans) {
            return false;
        }
    }
    return true;
}

typedef void compiled(const union value *operands, union value *result);

__attribute__((no_sanitize("undefined"))) /* that looks for a mark in front of functions */
static void
run(compiled *function, const struct instruction *instruction, const struct code *code)
{
    for (unsigned i = 0; i < TRIES; i++) {
        union value operands[OPERANDS_MAX];
        union value result = {.u64 = {0, 0}};
        for (unsigned j = 0; j < OPERANDS_MAX; j++) {
            operands[j] = code->is_constant[j] ? code->constants[j] : random_value();
        }
        function(operands, &result);
        union value wanted = reference(instruction->op, operands, code->lanes);
        if (!is_same(instruction, wanted, result)) {
            fail_msg("%s(%016lx%016lx, %016lx%016lx, %016lx%016lx): %016lx%016lx, not %016lx%016lx",
                     instruction->name, operands[0].u64[1], operands[0].u64[0], operands[1].u64[1],
                     operands[1].u64[0], operands[2].u64[1], operands[2].u64[0], result.u64[1],
                     result.u64[0], wanted.u64[1], wanted.u64[0]);
        }
    }
}

/* With code for a processor that has these features. */
static void check_results(uint32_t features)
{
    char name[NAME_SIZE];
    char *message = NULL;
    struct alc_unit unit;
    LLVMExecutionEngineRef engine;
    struct LLVMMCJITCompilerOptions options;
    const struct alc_compile_options compile_options = {.shape = ALC_COMPILE_CHECKED,
                                                        .features = features};
    const struct alc_module module = {0};
    const struct alc_target *target = alc_target_of(ALC_NATIVE_CHECKED);
    alc_target_init();
    LLVMLinkInMCJIT();
    LLVMTargetMachineRef machine = alc_target_machine(target, 2, features);
    assert_int_equal(alc_unit_init(&unit, &module, &compile_options, target, machine), ALC_OK);
    build_all(&unit);
    LLVMPassBuilderOptionsRef passes = LLVMCreatePassBuilderOptions();
    assert_null(LLVMRunPasses(unit.ir, "default<O2>", machine, passes));
    LLVMDisposePassBuilderOptions(passes);
    LLVMInitializeMCJITCompilerOptions(&options, sizeof options);
    assert_int_equal(
        LLVMCreateMCJITCompilerForModule(&engine, unit.ir, &options, sizeof options, &message), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        for (unsigned k = 0; k < VARIANTS; k++) {
            name_code(i, k, name);
            uint64_t address = LLVMGetFunctionAddress(engine, name);
            assert_int_not_equal(address, 0);
            run((compiled *)(uintptr_t)address, &instructions[i], &codes[i][k]);
        }
    }
    assert_int_equal(LLVMRemoveModule(engine, unit.ir, &unit.ir, &message), 0);
    LLVMDisposeExecutionEngine(engine);
    alc_unit_fini(&unit);
    LLVMDisposeTargetMachine(machine);
}

static void test_results(void **state)
{
    (void)state;
    check_results(0);
}

static void test_results_of_wide_code(void **state)
{
    (void)state;
    if (!__builtin_cpu_supports("x86-64-v3")) {
        skip();
    }
    check_results(ALC_NATIVE_V3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_results),
                                       cmocka_unit_test(test_results_of_wide_code)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
