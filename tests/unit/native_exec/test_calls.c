/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls into compiled code and out of it: where values stand, functions of the host, of other
 * instances, through tables and references, one inside another.
 */
#include "native_fixture.h"
#include "wasm/ops.h"

/* -- values -- */

CODE(add, "leal (%rdi, %rsi), %eax\nret");
CODE(add_f64, "addsd %xmm1, %xmm0\nret");
CODE(swap_v128, "pshufd $0x4e, %xmm0, %xmm0\nret");
/* (i64 x 7, f32) -> (i64, i64): the sum of the first six and the f32; the seventh */
CODE(many, "leaq (%rdi, %rsi), %rax\naddq %rdx, %rax\naddq %rcx, %rax\naddq %r8, %rax\n"
           "addq %r9, %rax\ncvttss2siq %xmm0, %rcx\naddq %rcx, %rax\n"
           "movq " SLOT(0) ", %rdx\nmovq %rdx, " SLOT(1) "\nmovq %rax, " SLOT(0) "\nret");

static void test_values(void **state)
{
    (void)state;
    const struct description description = {
        .types = {"ii:i", "FF:F", "v:v", "IIIIIIIf:II"},
        .functions = {{"add", 0, PIECE(add)},
                      {"add_f64", 1, PIECE(add_f64)},
                      {"swap", 2, PIECE(swap_v128)},
                      {"many", 3, PIECE(many)}},
    };
    struct alc_instance *instance = fixture_instantiate(&description);
    uint64_t results[2] = {1, 2};
    assert_int_equal(fixture_invoke(instance, "add", (uint64_t[]){UINT32_MAX, 3}, results), ALC_OK);
    assert_int_equal(results[0], 2); /* the upper half is cut off */
    assert_int_equal(results[1], 2);
    double pair[2] = {1.5, 2.25};
    uint64_t bits[2];
    memcpy(bits, pair, sizeof bits);
    assert_int_equal(fixture_invoke(instance, "add_f64", bits, results), ALC_OK);
    memcpy(pair, results, sizeof *pair);
    assert_true(pair[0] == 3.75);
    assert_int_equal(fixture_invoke(instance, "swap", (uint64_t[]){7, 9}, results), ALC_OK);
    assert_int_equal(results[0], 9);
    assert_int_equal(results[1], 7);
    uint64_t arguments[8] = {1, 2, 4, 8, 16, 32, 77};
    float half = 64.5f;
    memcpy(&arguments[7], &half, sizeof half);
    assert_int_equal(fixture_invoke(instance, "many", arguments, results), ALC_OK);
    assert_int_equal(results[0], 127);
    assert_int_equal(results[1], 77);
}

/* -- the host -- */

static struct alc_host_call seen_call;
static uint64_t seen_slots[8];
static alc_status host_answer;

/* (i64 x 7, f32) -> (i64, i64) */
static alc_status host_many(struct alc_host_call *call)
{
    seen_call = *call;
    memcpy(seen_slots, call->slots, sizeof seen_slots);
    call->slots[0] = call->slots[6];
    call->slots[1] = call->slots[0] + 1;
    return host_answer;
}

/* (i32) -> i32: calls "again" of its caller until the argument is 0 */
static alc_status host_nest(struct alc_host_call *call)
{
    uint64_t argument = call->slots[0];
    if (argument == 0) {
        return ALC_OK;
    }
    uint64_t result = 0;
    argument--;
    alc_status status = alc_invoke(call->caller->store, fixture_function(call->caller, "again"),
                                   &argument, &result, call->error);
    call->slots[0] = result + 1;
    return status;
}

static const struct alc_host_export HOST_EXPORTS[] = {{"many", "IIIIIIIf:II", host_many},
                                                      {"nest", "i:i", host_nest}};
static const struct alc_host_module HOST = {"m", HOST_EXPORTS, 2};

/* Passes its own arguments on; both results stand where they are wanted. */
CODE(pass_on, "subq $8, %rsp\n" CALL_STUB(0) "addq $8, %rsp\nret");
CODE(jump_on, JUMP_STUB(0));
CODE(nest, "subq $8, %rsp\n" CALL_STUB(1) "addq $8, %rsp\nret");

static const struct description WITH_HOST = {
    .types = {"IIIIIIIf:II", "i:i"},
    .imports = {{"many", 0}, {"nest", 1}},
    .functions = {{"pass", 0, PIECE(pass_on)},
                  {"jump", 0, PIECE(jump_on)},
                  {"again", 1, PIECE(nest)}},
    .stubs = {{ALC_NATIVE_STUB_IMPORT, 0, 0, 0}, {ALC_NATIVE_STUB_IMPORT, 1, 0, 0}},
    .stubs_count = 2,
    .has_memory = true,
};

static void test_host(void **state)
{
    (void)state;
    assert_int_equal(alc_linker_add_host(&linker, &HOST, &seen_call), ALC_OK);
    struct alc_instance *instance = fixture_instantiate(&WITH_HOST);
    for (unsigned i = 0; i < 2; i++) {
        const char *name = i == 0 ? "pass" : "jump";
        uint64_t arguments[8] = {1, 2, 3, 4, 5, 6, 7, 0x1234567840000000};
        uint64_t results[2] = {0};
        host_answer = ALC_OK;
        assert_int_equal(fixture_invoke(instance, name, arguments, results), ALC_OK);
        arguments[7] = 0x40000000; /* an f32 has no upper half */
        assert_memory_equal(seen_slots, arguments, sizeof arguments);
        assert_ptr_equal(seen_call.caller, instance);
        assert_ptr_equal(seen_call.memory, instance->memory0);
        assert_ptr_equal(seen_call.context, &seen_call);
        assert_int_equal(results[0], 7);
        assert_int_equal(results[1], 8);
        host_answer = ALC_E_EXIT;
        assert_int_equal(fixture_invoke(instance, name, arguments, results), ALC_E_EXIT);
        assert_int_equal(results[0], 7);
    }
}

static void test_nesting(void **state)
{
    (void)state;
    assert_int_equal(alc_linker_add_host(&linker, &HOST, NULL), ALC_OK);
    struct alc_instance *instance = fixture_instantiate(&WITH_HOST);
    uint64_t argument = ALC_LIMIT_NESTED_CALLS - 1;
    uint64_t result = 0;
    assert_int_equal(fixture_invoke(instance, "again", &argument, &result), ALC_OK);
    assert_int_equal(result, ALC_LIMIT_NESTED_CALLS - 1);
    argument++;
    assert_int_equal(fixture_invoke(instance, "again", &argument, &result),
                     ALC_E_CALL_STACK_EXHAUSTED);
    assert_int_equal(store.thread.trap.frames_count, ALC_LIMIT_BACKTRACE_FRAMES);
    assert_int_equal(store.thread.trap.frames_omitted,
                     ALC_LIMIT_NESTED_CALLS - ALC_LIMIT_BACKTRACE_FRAMES);
    argument = 3;
    assert_int_equal(fixture_invoke(instance, "again", &argument, &result), ALC_OK);
    /* A function of the host, called by the embedder itself. */
    argument = 0;
    result = 5;
    assert_int_equal(alc_invoke(&store, instance->functions[1], &argument, &result, &error),
                     ALC_OK);
    assert_int_equal(result, 0);
}

/* -- tables and references -- */

CODE(answer, "movl $42, %eax\nret");
CODE(other_answer, "movl $43, %eax\nret");
/* (i32) -> i32: calls what stands in the table at the argument, with garbage in r10's upper half */
CODE(indirect,
     "subq $8, %rsp\nmovl %edi, %r10d\nmovabsq $0x5500000000, %rax\norq %rax, %r10\n" CALL_STUB(
         0) "addq $8, %rsp\nret");
CODE(indirect_tail, "movl %edi, %r10d\n" JUMP_STUB(0));
/* () -> i32: a function of the own instance by reference */
CODE(by_reference, "subq $8, %rsp\n" CALL_STUB(1) "movq " SLOT(0) ", %rax\nmovq %rax, " SLOT(
                       2047) "\n" CALL_STUB(2) "addq $8, %rsp\nret");

static const struct description WITH_TABLE = {
    .types = {":i", "i:i", ":I"},
    .functions = {{"answer", 0, PIECE(answer)},
                  {"other", 0, PIECE(other_answer)},
                  {"wrong", 2, PIECE(answer)},
                  {"indirect", 1, PIECE(indirect)},
                  {"tail", 1, PIECE(indirect_tail)},
                  {"reference", 0, PIECE(by_reference)}},
    .table_size = 4,
    .elements = {0, 1, 2},
    .elements_count = 3,
    .stubs = {{ALC_NATIVE_STUB_INDIRECT, 0, 0, 0},
              {ALC_NATIVE_STUB_OPERATION, ALC_OP_REF_FUNC, 1, 0},
              {ALC_NATIVE_STUB_REFERENCE, 0, 0, 0}},
    .stubs_count = 3,
};

static void expect_call(const struct alc_instance *instance, const char *name, uint64_t argument,
                        alc_status status, uint64_t result)
{
    uint64_t found = 0;
    assert_int_equal(fixture_invoke(instance, name, &argument, &found), status);
    assert_int_equal(found, result);
}

static void test_indirect(void **state)
{
    (void)state;
    struct alc_instance *instance = fixture_instantiate(&WITH_TABLE);
    for (unsigned i = 0; i < 2; i++) {
        const char *name = i == 0 ? "indirect" : "tail";
        expect_call(instance, name, 0, ALC_OK, 42);
        expect_call(instance, name, 1, ALC_OK, 43);
        expect_call(instance, name, 2, ALC_E_INDIRECT_CALL_MISMATCH, 0);
        expect_call(instance, name, 3, ALC_E_UNINITIALIZED_ELEMENT, 0);
        expect_call(instance, name, 4, ALC_E_UNDEFINED_ELEMENT, 0);
        expect_call(instance, name, UINT32_MAX, ALC_E_UNDEFINED_ELEMENT, 0);
    }
    expect_call(instance, "reference", 0, ALC_OK, 43);
    /* The table moves when it grows; stubs see it where it is. */
    struct alc_function *function = instance->functions[1];
    assert_int_equal(
        alc_table_grow(instance->tables[0], 10000, alc_reference_from_function(function)), 4);
    expect_call(instance, "indirect", 10003, ALC_OK, 43);
    expect_call(instance, "indirect", 10004, ALC_E_UNDEFINED_ELEMENT, 0);
}

/* -- other instances -- */

/* What a callee finds in registers goes to its memory; then it leaves garbage in all of them. */
CODE(look_around,
     "movq %rdi, %gs:(%eax)\n"
     "movq %rbx, %rdi\norq %rbp, %rdi\norq %r12, %rdi\norq %r13, %rdi\norq %r14, %rdi\n"
     "orq %r15, %rdi\norq %rsi, %rdi\norq %rdx, %rdi\norq %rcx, %rdi\norq %r8, %rdi\n"
     "orq %r9, %rdi\norq %r11, %rdi\n" /* r10 is the callee's own entry */
     "por %xmm1, %xmm0\npor %xmm7, %xmm0\npor %xmm8, %xmm0\npor %xmm15, %xmm0\n"
     "movq %xmm0, %rax\norq %rdi, %rax\n"
     "movq $-1, %rbx\nmovq $-1, %rbp\nmovq $-1, %r12\nmovq $-1, %r13\nmovq $-1, %r14\n"
     "movq $-1, %r15\nret");
CODE(callee_sum, "leaq (%rdi, %rsi), %rax\naddq " SLOT(0) ", %rax\nmovq %rax, " SLOT(
                     0) "\n"
                        "movq %r9, " SLOT(1) "\nmovq $-1, %rbx\nret");
CODE(callee_loop,
     "movl %edi, %eax\ntestl %edi, %edi\nje 1f\nsubl $1, %edi\n" JUMP_STUB(0) "1:\nret");
/* Its own registers survive: rbx (1) and r15 (2) are as they were, and all that a call may change
 * is cleared. */
CODE(caller,
     "pushq %rbx\npushq %r15\nsubq $8, %rsp\nmovl $1, %ebx\nmovl $2, %r15d\n"
     "movl $3, %esi\nmovl $4, %r11d\nmovl $5, %r8d\npcmpeqd %xmm8, %xmm8\n"
     "pcmpeqd %xmm1, %xmm1\n" CALL_STUB(
         0) "addl %ebx, %eax\naddl %r15d, %eax\norl %ecx, %eax\norl %edx, %eax\norl %esi, %eax\n"
            "orl %edi, %eax\norl %r8d, %eax\norl %r9d, %eax\norl %r10d, %eax\norl %r11d, %eax\n"
            "por %xmm9, %xmm0\npor %xmm2, %xmm0\nmovd %xmm0, %ecx\norl %ecx, %eax\n"
            "addq $8, %rsp\npopq %r15\npopq %rbx\nret");
CODE(call_loop, "movl $100000, %edi\nsubq $8, %rsp\n" CALL_STUB(2) "addq $8, %rsp\nret");
CODE(sum_through, "subq $8, %rsp\n" CALL_STUB(1) "movl " SLOT(1) ", %eax\naddq $8, %rsp\nret");

static struct alc_instance *link_callee(enum alc_native_shape shape)
{
    const struct description callee = {
        .types = {"I:I", "IIIIIII:II", "i:i"},
        .imports = {{"back", 2}},
        .functions = {{"look", 0, PIECE(look_around)},
                      {"sum", 1, PIECE(callee_sum)},
                      {"loop", 2, PIECE(callee_loop)}},
        .stubs = {{ALC_NATIVE_STUB_IMPORT, 0, 0, 0}},
        .stubs_count = 1,
        .has_memory = true,
        .shape = shape,
    };
    struct alc_instance *instance = fixture_instantiate(&callee);
    assert_int_equal(alc_linker_add_instance(&linker, ALC_NAME_OF("m"), instance), ALC_OK);
    return instance;
}

static void cross(enum alc_native_shape shape)
{
    const struct description back = {
        .types = {"i:i", "I:I", "IIIIIII:II"},
        .functions = {{"back", 0, PIECE(answer)}},
        .shape = shape,
    };
    struct alc_instance *first = fixture_instantiate(&back);
    assert_int_equal(alc_linker_add_instance(&linker, ALC_NAME_OF("m"), first), ALC_OK);
    struct alc_instance *callee = link_callee(ALC_NATIVE_CONFINED);
    const struct description description = {
        .types = {"I:I", "IIIIIII:II", "i:i", ":i", "IIIIIII:i"},
        .imports = {{"look", 0}, {"sum", 1}, {"loop", 2}},
        .functions = {{"caller", 0, PIECE(caller)},
                      {"call_loop", 3, PIECE(call_loop)},
                      {"sum_through", 4, PIECE(sum_through)}},
        .stubs = {{ALC_NATIVE_STUB_IMPORT, 0, 0, 0},
                  {ALC_NATIVE_STUB_IMPORT, 1, 0, 0},
                  {ALC_NATIVE_STUB_IMPORT, 2, 0, 0}},
        .stubs_count = 3,
        .shape = shape,
    };
    struct alc_instance *instance = fixture_instantiate(&description);
    uint64_t argument = 77;
    uint64_t result = 9;
    assert_int_equal(fixture_invoke(instance, "caller", &argument, &result), ALC_OK);
    assert_int_equal(result, 3); /* nothing but the argument came over, and nothing came back */
    assert_int_equal(*(uint64_t *)(void *)callee->memory0->base, 77);
    uint64_t arguments[7] = {1, 2, 3, 4, 5, 6, 7};
    assert_int_equal(fixture_invoke(instance, "sum_through", arguments, &result), ALC_OK);
    assert_int_equal(result, 6);
    assert_int_equal(fixture_invoke(instance, "call_loop", NULL, &result), ALC_OK);
    assert_int_equal(result, 42);
}

static void test_crossing(void **state)
{
    (void)state;
    cross(ALC_NATIVE_CONFINED);
}

static void test_crossing_from_checked(void **state)
{
    (void)state;
    cross(ALC_NATIVE_CHECKED);
}

CODE(tail_of_other,
     "movl %edi, %eax\ntestl %edi, %edi\nje 1f\nsubl $1, %edi\nxorl %r10d, %r10d\n" JUMP_STUB(
         0) "1:\nret");

/* Two instances call each other's tails a hundred thousand times, which no stack would hold. */
static void test_tail_calls(void **state)
{
    (void)state;
    const struct description first = {
        .types = {"i:i"},
        .functions = {{"bounce", 0, PIECE(tail_of_other)}},
        .table_size = 1,
        .stubs = {{ALC_NATIVE_STUB_INDIRECT, 0, 0, 0}},
        .stubs_count = 1,
    };
    struct alc_instance *one = fixture_instantiate(&first);
    struct alc_instance *other = fixture_instantiate(&first);
    one->tables[0]->entries[0] = alc_reference_from_function(fixture_function(other, "bounce"));
    other->tables[0]->entries[0] = alc_reference_from_function(fixture_function(one, "bounce"));
    uint64_t argument = 100000;
    uint64_t result = 1;
    assert_int_equal(fixture_invoke(one, "bounce", &argument, &result), ALC_OK);
    assert_int_equal(result, 0);
}

/* -- threads -- */

/* Another instance of the same code in a thread's store, with a memory and globals of its own. */
static void test_thread_store(void **state)
{
    (void)state;
    assert_int_equal(alc_linker_add_host(&linker, &HOST, &seen_call), ALC_OK);
    struct alc_instance *first = fixture_instantiate(&WITH_HOST);
    struct alc_store other;
    struct alc_instance *instance = NULL;
    const struct alc_thread_contexts contexts = {&seen_call, &other};
    assert_int_equal(alc_store_init_thread(&other, &fixture_arena, &store, 1, 4096), ALC_OK);
    assert_int_equal(
        alc_instance_new_for_thread(&other, &fixture_arena, first, &contexts, &instance, &error),
        ALC_OK);
    assert_int_equal(alc_instance_start_thread(instance, &fixture_arena, &error), ALC_OK);
    uint64_t arguments[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint64_t results[2] = {0};
    host_answer = ALC_OK;
    assert_int_equal(
        alc_invoke(&other, fixture_function(instance, "pass"), arguments, results, &error), ALC_OK);
    assert_int_equal(results[1], 8);
    assert_ptr_equal(seen_call.caller, instance);
    assert_ptr_equal(seen_call.context, &other);
    assert_ptr_not_equal(seen_call.memory, first->memory0);
    assert_int_equal(fixture_invoke(first, "pass", arguments, results), ALC_OK);
    assert_ptr_equal(seen_call.caller, first);
    alc_store_fini(&other);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_values),     TEST(test_host),         TEST(test_nesting),
        TEST(test_indirect),   TEST(test_crossing),     TEST(test_crossing_from_checked),
        TEST(test_tail_calls), TEST(test_thread_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
