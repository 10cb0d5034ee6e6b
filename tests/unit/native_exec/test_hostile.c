/* SPDX-License-Identifier: Apache-2.0
 *
 * What confined code may try where the verifier cannot see it, and images that the loader must not
 * take.
 */
#include "exec/pool.h"
#include "native_fixture.h"
#include "wasm/ops.h"

/* -- references -- */

static uint64_t seen_reference;

static alc_status host_take(struct alc_host_call *call)
{
    seen_reference = call->slots[0];
    return ALC_OK;
}

CODE(pass_reference, "subq $8, %rsp\n" CALL_STUB(0) "addq $8, %rsp\nret");
CODE(call_reference, "movq %rdi, " SLOT(2047) "\n" JUMP_STUB(1));
CODE(set_table, "movq %rdi, " SLOT(0) "\nmovq %rsi, " SLOT(1) "\n" JUMP_STUB(2));
CODE(fill_table,
     "movq $0, " SLOT(0) "\nmovq %rdi, " SLOT(1) "\nmovq $1, " SLOT(2) "\n" JUMP_STUB(3));
CODE(grow_table, "movq %rdi, " SLOT(0) "\nmovq $1, " SLOT(1) "\n" JUMP_STUB(4));
CODE(set_global, "movq %rdi, " SLOT(0) "\n" JUMP_STUB(5));
CODE(give_back, "movq %rdi, %rax\nret");
CODE(get_global, "subq $8, %rsp\n" CALL_STUB(6) "movq " SLOT(0) ", %rax\naddq $8, %rsp\nret");
CODE(nothing, "ret");

/* Arguments are i64 where the module says so: what is handed over is made up. */
static const struct description REFERENCES = {
    .types = {"r:", "I:", "II:", "I:r", ":r", ":", ":i"},
    .imports = {{"take", 0}},
    .functions = {{"pass", 1, PIECE(pass_reference)},
                  {"call", 1, PIECE(call_reference)},
                  {"set", 2, PIECE(set_table)},
                  {"fill", 1, PIECE(fill_table)},
                  {"grow", 1, PIECE(grow_table)},
                  {"global", 1, PIECE(set_global)},
                  {"give", 3, PIECE(give_back)},
                  {"get", 4, PIECE(get_global)},
                  {"nothing", 5, PIECE(nothing)},
                  {"other", 6, PIECE(nothing)}},
    .table_size = 2,
    .globals = "r",
    .stubs = {{ALC_NATIVE_STUB_IMPORT, 0, 0, 0},
              {ALC_NATIVE_STUB_REFERENCE, 5, 0, 0},
              {ALC_NATIVE_STUB_OPERATION, ALC_OP_TABLE_SET, 0, 0},
              {ALC_NATIVE_STUB_OPERATION, ALC_OP_TABLE_FILL, 0, 0},
              {ALC_NATIVE_STUB_OPERATION, ALC_OP_TABLE_GROW, 0, 0},
              {ALC_NATIVE_STUB_OPERATION, ALC_OP_GLOBAL_SET, 0, 0},
              {ALC_NATIVE_STUB_OPERATION, ALC_OP_GLOBAL_GET, 0, 0}},
    .stubs_count = 7,
};

static const struct alc_host_export TAKE = {.name = "take", .function = host_take};
static struct alc_function host_function;

static struct alc_instance *instantiate_references(void)
{
    const uint32_t parameter = ALC_TYPE_FUNCREF;
    uint32_t id;
    assert_int_equal(alc_types_register_function(&store.types, &parameter, 1, NULL, 0, &id),
                     ALC_OK);
    host_function = (struct alc_function){
        .type_id = id, .type = alc_types_get(&store.types, id), .host = &TAKE};
    const struct alc_external external = {.kind = ALC_EXTERNAL_FUNCTION,
                                          .function = &host_function};
    assert_int_equal(
        alc_linker_add_external(&linker, ALC_NAME_OF("m"), ALC_NAME_OF("take"), external), ALC_OK);
    return fixture_instantiate(&REFERENCES);
}

static void hand_over(const struct alc_instance *instance, uint64_t reference, alc_status status,
                      alc_status call_status)
{
    static const char *const names[] = {"pass", "fill", "grow", "global"};
    uint64_t pair[2] = {0, reference};
    uint64_t result = 1;
    for (unsigned i = 0; i < ALC_ARRAY_COUNT(names); i++) {
        assert_int_equal(fixture_invoke(instance, names[i], &reference, NULL), status);
    }
    assert_int_equal(fixture_invoke(instance, "set", pair, NULL), status);
    assert_int_equal(fixture_invoke(instance, "give", &reference, &result), status);
    assert_int_equal(result, status == ALC_OK ? reference : 1);
    assert_int_equal(fixture_invoke(instance, "call", &reference, NULL), call_status);
}

static void test_references(void **state)
{
    (void)state;
    struct alc_instance *instance = instantiate_references();
    uint64_t own = alc_reference_from_function(fixture_function(instance, "nothing"));
    uint64_t host = alc_reference_from_function(&host_function);
    seen_reference = 1;
    hand_over(instance, ALC_REF_NULL, ALC_OK, ALC_E_NULL_FUNCTION);
    assert_int_equal(seen_reference, ALC_REF_NULL);
    hand_over(instance, own, ALC_OK, ALC_OK);
    assert_int_equal(seen_reference, own);
    uint64_t result = 0;
    assert_int_equal(fixture_invoke(instance, "get", NULL, &result), ALC_OK);
    assert_int_equal(result, own);
    hand_over(instance, host, ALC_OK, ALC_E_CAST_FAILURE); /* of another type */
    hand_over(instance, alc_reference_from_function(fixture_function(instance, "other")), ALC_OK,
              ALC_E_CAST_FAILURE);
    /* What is no function: beside one, behind the last one, anywhere. */
    const uint64_t forged[] = {
        own + 1,
        own - 8,
        own + 32,
        host + 64,
        host - 8,
        8,
        UINT64_MAX - 63,
        (uint64_t)(uintptr_t)&store,
        1,
        2,
        INT64_MAX & ~63LL,
        (uint64_t)(uintptr_t)instance->functions,
        alc_reference_from_function(instance->functions[10] + 1),
        alc_reference_from_function(instance->functions[1] - 1),
    };
    for (unsigned i = 0; i < ALC_ARRAY_COUNT(forged); i++) {
        seen_reference = 7;
        hand_over(instance, forged[i], ALC_E_CAST_FAILURE, ALC_E_CAST_FAILURE);
        assert_int_equal(seen_reference, 7);
    }
    assert_int_equal(instance->tables[0]->count, 2 + 4);
}

/* A checked instance believes what it is given, so nothing that is made up gets there. */
CODE(give_number, "movq $4096, %rax\nret");
CODE(take_reference, "movq %rdi, %rax\nret");
CODE(pass_number, "subq $8, %rsp\n" CALL_STUB(0) "addq $8, %rsp\nret");

static void test_to_checked(void **state)
{
    (void)state;
    const struct description checked = {
        .types = {"r:r", ":r"},
        .functions = {{"take", 0, PIECE(take_reference)}},
        .shape = ALC_NATIVE_CHECKED,
    };
    struct alc_instance *trusting = fixture_instantiate(&checked);
    assert_int_equal(alc_linker_add_instance(&linker, ALC_NAME_OF("m"), trusting), ALC_OK);
    const struct description confined = {
        .types = {"r:r", "I:I", ":r"},
        .imports = {{"take", 0}},
        .functions = {{"pass", 1, PIECE(pass_number)}, {"make", 2, PIECE(give_number)}},
        .stubs = {{ALC_NATIVE_STUB_IMPORT, 0, 0, 0}},
        .stubs_count = 1,
    };
    struct alc_instance *hostile = fixture_instantiate(&confined);
    uint64_t argument = 4096;
    uint64_t result = 5;
    assert_int_equal(fixture_invoke(hostile, "pass", &argument, &result), ALC_E_CAST_FAILURE);
    argument = alc_reference_from_function(fixture_function(hostile, "make"));
    assert_int_equal(fixture_invoke(hostile, "pass", &argument, &result), ALC_OK);
    assert_int_equal(result, argument);
    /* As a result. */
    assert_int_equal(alc_linker_add_instance(&linker, ALC_NAME_OF("m"), hostile), ALC_OK);
    const struct description importer = {
        .types = {":r"},
        .imports = {{"make", 0}},
        .functions = {{"call", 0, PIECE(pass_number)}},
        .stubs = {{ALC_NATIVE_STUB_IMPORT, 0, 0, 0}},
        .stubs_count = 1,
        .shape = ALC_NATIVE_CHECKED,
    };
    struct alc_instance *user = fixture_instantiate(&importer);
    result = 5;
    assert_int_equal(fixture_invoke(user, "call", NULL, &result), ALC_E_CAST_FAILURE);
    assert_int_equal(result, 5);
    assert_ptr_equal(store.thread.trap.frames[0].instance, user);
}

/* -- operations on what is in memory -- */

CODE(grow, "movl %edi, %edi\nmovq %rdi, " SLOT(0) "\nsubq $8, %rsp\n" CALL_STUB(0) "movl " SLOT(
               0) ", %eax\naddq $8, %rsp\nret");
CODE(size_word, "movq %gs:-264, %rax\nret");
CODE(fill, "movq %rdi, " SLOT(0) "\nmovq %rsi, " SLOT(1) "\nmovq %rdx, " SLOT(2) "\n" JUMP_STUB(1));
CODE(load, "movl %gs:(%edi), %eax\nret");

static void test_memory(void **state)
{
    (void)state;
    const struct description description = {
        .types = {"i:i", ":I", "III:"},
        .functions = {{"grow", 0, PIECE(grow)},
                      {"size", 1, PIECE(size_word)},
                      {"fill", 2, PIECE(fill)},
                      {"load", 0, PIECE(load)}},
        .stubs = {{ALC_NATIVE_STUB_OPERATION, ALC_OP_MEMORY_GROW, 0, 0},
                  {ALC_NATIVE_STUB_OPERATION, ALC_OP_MEMORY_FILL, 0, 0}},
        .stubs_count = 2,
        .has_memory = true,
        .memory_pages_max = 3,
    };
    struct alc_instance *instance = fixture_instantiate(&description);
    uint64_t argument = 1;
    uint64_t result = 0;
    assert_int_equal(fixture_invoke(instance, "size", NULL, &result), ALC_OK);
    assert_int_equal(result, 1 << 16);
    assert_int_equal(fixture_invoke(instance, "grow", &argument, &result), ALC_OK);
    assert_int_equal(result, 1);
    assert_int_equal(fixture_invoke(instance, "size", NULL, &result), ALC_OK);
    assert_int_equal(result, 2 << 16);
    argument = 2;
    assert_int_equal(fixture_invoke(instance, "grow", &argument, &result), ALC_OK);
    assert_int_equal(result, UINT32_MAX);
    assert_int_equal(alc_memory_grow(instance->memory0, 1), 2); /* by the embedder */
    assert_int_equal(fixture_invoke(instance, "size", NULL, &result), ALC_OK);
    assert_int_equal(result, 3 << 16);
    const uint64_t past[3] = {(3 << 16) - 1, 1, 2};
    assert_int_equal(fixture_invoke(instance, "fill", past, NULL), ALC_E_MEMORY_OUT_OF_BOUNDS);
    /* Only the low halves count, and the value is a byte. */
    const uint64_t inside[3] = {(7ull << 32) | ((3 << 16) - 4), 0x105, (9ull << 32) | 4};
    assert_int_equal(fixture_invoke(instance, "fill", inside, NULL), ALC_OK);
    argument = (3 << 16) - 4;
    assert_int_equal(fixture_invoke(instance, "load", &argument, &result), ALC_OK);
    assert_int_equal(result, 0x05050505);
}

/* -- pools -- */

CODE(set_all, "movl $9, %gs:-17424\nmovl $8, %gs:(%edi)\nret");
CODE(get_all, "movl %gs:-17424, %eax\naddl %gs:(%edi), %eax\nret");

static void test_pool(void **state)
{
    (void)state;
    const struct description description = {
        .types = {"i:i", "i:"},
        .functions = {{"grow", 0, PIECE(grow)},
                      {"set", 1, PIECE(set_all)},
                      {"get", 0, PIECE(get_all)}},
        .stubs = {{ALC_NATIVE_STUB_OPERATION, ALC_OP_MEMORY_GROW, 0, 0}},
        .stubs_count = 1,
        .has_memory = true,
        .memory_pages_max = 3,
        .globals = "i",
    };
    struct alc_module *module = NULL;
    struct alc_instance_pool pool;
    assert_int_equal(fixture_load(&description, false, &module), ALC_OK);
    assert_non_null(alc_native_linux_support());
    assert_int_equal(alc_pool_init(&pool, &store, &fixture_arena, module, NULL, &error), ALC_OK);
    for (unsigned i = 0; i < 3; i++) {
        struct alc_instance *instance = NULL;
        uint64_t result = 0;
        assert_int_equal(alc_pool_take(&pool, &instance, &error), ALC_OK);
        uint64_t argument = 8;
        assert_int_equal(fixture_invoke(instance, "get", &argument, &result), ALC_OK);
        assert_int_equal(result, 42);
        argument = 2 << 16;
        assert_int_equal(fixture_invoke(instance, "set", &argument, NULL),
                         ALC_E_MEMORY_OUT_OF_BOUNDS);
        uint64_t pages = 2;
        assert_int_equal(fixture_invoke(instance, "grow", &pages, &result), ALC_OK);
        assert_int_equal(result, 1);
        assert_int_equal(fixture_invoke(instance, "set", &argument, NULL), ALC_OK);
        argument = 8;
        assert_int_equal(fixture_invoke(instance, "set", &argument, NULL), ALC_OK);
        assert_int_equal(fixture_invoke(instance, "get", &argument, &result), ALC_OK);
        assert_int_equal(result, 17);
        alc_pool_give(&pool, instance);
    }
    alc_pool_fini(&pool);
}

/* -- images -- */

static void refuse(const struct description *description, bool is_vouched, alc_status status,
                   const char *words)
{
    struct alc_module *module = NULL;
    assert_int_equal(fixture_load(description, is_vouched, &module), status);
    assert_null(module);
    assert_string_equal(error.detail, words);
    free(fixture_files[--fixture_files_count]);
}

static struct description small(void)
{
    return (struct description){
        .types = {":", "i:i", "e:"},
        .functions = {{"nothing", 0, PIECE(nothing)}},
        .table_size = 1,
        .has_memory = true,
    };
}

static void refuse_stub(struct alc_native_stub stub)
{
    struct description description = small();
    description.stubs[0] = stub;
    description.stubs_count = 1;
    refuse(&description, true, ALC_E_BAD_NATIVE_IMAGE, "a stub that does not go with the module");
}

CODE(escape, "movq %rdi, (%rsi)\nret");
CODE(take_gs, "wrgsbase %rdi\nret");
CODE(unbalanced, "pushq %rdi\nret");
CODE(above_memory, "movl %gs:(%edi), %eax\nret");

static void test_loader(void **state)
{
    (void)state;
    struct description description = small();
    description.functions[0].code = (struct piece)PIECE(escape);
    struct alc_module *module = NULL;
    assert_int_equal(fixture_load(&description, true, &module), ALC_E_NATIVE_REFUSED);
    description.functions[0].code = (struct piece)PIECE(take_gs);
    assert_int_equal(fixture_load(&description, true, &module), ALC_E_NATIVE_REFUSED);
    description.functions[0].code = (struct piece)PIECE(unbalanced);
    assert_int_equal(fixture_load(&description, true, &module), ALC_E_NATIVE_REFUSED);
    description = small();
    description.has_memory = false;
    description.functions[0].code = (struct piece)PIECE(above_memory);
    assert_int_equal(fixture_load(&description, true, &module), ALC_E_NATIVE_REFUSED);
    assert_null(module);
    description = small();
    description.shape = ALC_NATIVE_CHECKED;
    refuse(&description, false, ALC_E_NATIVE_NOT_VOUCHED, "");
    /* Modules that confined code cannot be of. */
    description = small();
    description.has_memory = false;
    description.imports_memory = true;
    refuse(&description, true, ALC_E_NATIVE_REFUSED, "the module cannot be confined");
    description = small();
    description.functions[0].type = 2;
    refuse(&description, true, ALC_E_NATIVE_REFUSED, "the module cannot be confined");
}

static void test_stub_rows(void **state)
{
    (void)state;
    refuse_stub((struct alc_native_stub){ALC_NATIVE_STUB_IMPORT, 0, 0, 0});
    refuse_stub((struct alc_native_stub){ALC_NATIVE_STUB_INDIRECT, 1, 0, 0});
    refuse_stub((struct alc_native_stub){ALC_NATIVE_STUB_INDIRECT, 0, 3, 0});
    refuse_stub((struct alc_native_stub){ALC_NATIVE_STUB_INDIRECT, 0, 2, 0}); /* takes externref */
    refuse_stub((struct alc_native_stub){ALC_NATIVE_STUB_REFERENCE, 3, 0, 0});
    refuse_stub((struct alc_native_stub){ALC_NATIVE_STUB_REFERENCE, 2, 0, 0});
    static const uint32_t operations[][3] = {
        {ALC_OP_MEMORY_GROW, 1, 0}, {ALC_OP_MEMORY_SIZE, 1, 0}, {ALC_OP_MEMORY_FILL, 1, 0},
        {ALC_OP_MEMORY_COPY, 1, 0}, {ALC_OP_MEMORY_COPY, 0, 1}, {ALC_OP_MEMORY_INIT, 0, 0},
        {ALC_OP_DATA_DROP, 0, 0},   {ALC_OP_TABLE_GET, 1, 0},   {ALC_OP_TABLE_SET, 1, 0},
        {ALC_OP_TABLE_SIZE, 1, 0},  {ALC_OP_TABLE_GROW, 1, 0},  {ALC_OP_TABLE_FILL, 1, 0},
        {ALC_OP_TABLE_COPY, 1, 0},  {ALC_OP_TABLE_COPY, 0, 1},  {ALC_OP_TABLE_INIT, 0, 0},
        {ALC_OP_ELEM_DROP, 0, 0},   {ALC_OP_REF_FUNC, 1, 0},    {ALC_OP_GLOBAL_GET, 0, 0},
        {ALC_OP_GLOBAL_SET, 0, 0},  {ALC_OP_I32_ADD, 0, 0},     {ALC_OP_COUNT, 0, 0},
        {ALC_OP_ARRAY_FILL, 0, 0},  {ALC_OP_THROW, 0, 0}, /* of checked code only */
    };
    for (unsigned i = 0; i < ALC_ARRAY_COUNT(operations); i++) {
        refuse_stub((struct alc_native_stub){ALC_NATIVE_STUB_OPERATION, operations[i][0],
                                             operations[i][1], operations[i][2]});
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {TEST(test_references), TEST(test_to_checked),
                                       TEST(test_memory),     TEST(test_pool),
                                       TEST(test_loader),     TEST(test_stub_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
