/* SPDX-License-Identifier: Apache-2.0
 *
 * The garbage-collected heap by itself: objects made from C, kept alive by globals of the embedder.
 */
#include "exec/heap_internal.h"
#include "exec_fixture.h"

enum { LARGEST_SMALL = 7976 };

static uint32_t pair_type;   /* struct: traced reference, i64 */
static uint32_t list_type;   /* array of traced references */
static uint32_t bytes_type;  /* array of i8 */
static uint32_t packed_type; /* struct: i8, i64, i16, v128, f32 */

static uint32_t add_type(struct alc_type *given)
{
    struct alc_type *type = ALC_ARENA_NEW(&fixture_arena, struct alc_type);
    uint32_t id;
    bool was_known;
    *type = *given;
    type->super_id = ALC_TYPE_NO_ID;
    type->is_final = true;
    assert_int_equal(alc_types_register_group(&store.types, type, 1, &id, &was_known), ALC_OK);
    return id;
}

static uint32_t add_struct(const uint32_t *types, uint32_t count)
{
    struct alc_field *fields = ALC_ARENA_ARRAY(&fixture_arena, struct alc_field, count);
    for (uint32_t i = 0; i < count; i++) {
        fields[i] = (struct alc_field){.type = types[i], .is_mutable = true};
    }
    return add_type(&(struct alc_type){.kind = ALC_COMPOSITE_STRUCT,
                                       .structure = {.fields = fields, .fields_count = count}});
}

static uint32_t add_array(uint32_t type)
{
    return add_type(&(struct alc_type){.kind = ALC_COMPOSITE_ARRAY,
                                       .array = {.type = type, .is_mutable = true}});
}

static int set_up_with(uint64_t heap_size_max, bool collects_always)
{
    static const uint32_t PAIR[] = {ALC_TYPE_ANYREF, ALC_TYPE_I64};
    static const uint32_t PACKED[] = {ALC_TYPE_I8, ALC_TYPE_I64, ALC_TYPE_I16, ALC_TYPE_V128,
                                      ALC_TYPE_F32};
    fixture_store(&(struct alc_store_options){.heap_size_max = heap_size_max,
                                              .collects_always = collects_always});
    pair_type = add_struct(PAIR, 2);
    packed_type = add_struct(PACKED, 5);
    list_type = add_array(ALC_TYPE_ANYREF);
    bytes_type = add_array(ALC_TYPE_I8);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return set_up_with(64 << 20, false);
}

static int set_up_small(void **state)
{
    (void)state;
    return set_up_with(1 << 20, false);
}

static int set_up_eager(void **state)
{
    (void)state;
    return set_up_with(64 << 20, true);
}

/* A place that the collector knows. */
static struct alc_global *new_root(void)
{
    struct alc_global *root;
    struct alc_global_type type = {.type = ALC_TYPE_ANYREF, .is_mutable = true};
    assert_int_equal(alc_store_new_global(&store, type, (union alc_cell){0}, &root), ALC_OK);
    return root;
}

static uint64_t *pair_of(uint64_t reference)
{
    return (uint64_t *)(void *)alc_object_bytes(alc_object_of(reference));
}

/* 0 when there is no memory. */
static uint64_t new_pair(uint64_t first, uint64_t number)
{
    struct alc_object *object = alc_gc_new(&store.heap, pair_type, 0, 16);
    if (object == NULL) {
        return 0;
    }
    uint64_t reference = alc_reference_from_object(object);
    pair_of(reference)[0] = first;
    pair_of(reference)[1] = number;
    return reference;
}

static uint64_t new_list(uint32_t length)
{
    struct alc_object *object = alc_gc_new(&store.heap, list_type, length, length * UINT64_C(8));
    if (object == NULL) {
        return 0;
    }
    memset(alc_object_bytes(object), 0, length * sizeof(uint64_t));
    return alc_reference_from_object(object);
}

static bool is_allocated(uint64_t reference)
{
    const struct alc_gc_block *block = alc_gc_block_of(reference);
    uint32_t index = alc_gc_index_of(block, reference);
    return block->blocks_count != 0 && (block->allocated[index / 64] >> (index % 64) & 1) != 0;
}

/* -- layout -- */

static void test_fields_are_placed_by_size(void **state)
{
    (void)state;
    const struct alc_struct_type *type = &alc_types_get(&store.types, packed_type)->structure;
    static const uint32_t OFFSETS[] = {0, 8, 16, 24, 40};
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(type->fields[i].offset, OFFSETS[i]);
    }
    assert_int_equal(type->size, 44);
    assert_false(type->has_traced);
    assert_true(alc_types_get(&store.types, pair_type)->structure.has_traced);
    assert_false(alc_types_get(&store.types, bytes_type)->array.is_traced);
}

/* Every size up to two blocks: objects do not overlap, and lie where their blocks say. */
static void test_sizes(void **state)
{
    (void)state;
    for (uint32_t size = 0; size < 2 * ALC_GC_BLOCK_SIZE; size += size < 512 ? 1 : 97) {
        struct alc_object *a = alc_gc_new(&store.heap, bytes_type, size, size);
        struct alc_object *b = alc_gc_new(&store.heap, bytes_type, size, size);
        assert_non_null(a);
        assert_non_null(b);
        memset(alc_object_bytes(a), 0xaa, size);
        memset(alc_object_bytes(b), 0xbb, size);
        assert_int_equal(a->length, size);
        assert_int_equal(b->type_id, bytes_type);
        assert_int_equal((uintptr_t)a % 16, 0);
        struct alc_gc_block *block = alc_gc_block_of(alc_reference_from_object(a));
        uint32_t index = alc_gc_index_of(block, alc_reference_from_object(a));
        assert_ptr_equal(alc_gc_object_at(block, index), a);
        assert_true(size > LARGEST_SMALL || block->object_size >= size + 8);
        assert_int_equal(block->size_class == HEAP_LARGE, size > LARGEST_SMALL);
    }
}

/* -- what survives -- */

static void test_only_reachable_survives(void **state)
{
    (void)state;
    struct alc_global *root = new_root();
    uint64_t inner = new_pair(alc_reference_from_i31(5), 1);
    uint64_t outer = new_pair(inner, 2);
    uint64_t lost = new_pair(inner, 3);
    root->value.u64 = outer;
    alc_gc_collect(&store.heap);
    assert_true(is_allocated(outer));
    assert_true(is_allocated(inner));
    assert_false(is_allocated(lost));
    pair_of(outer)[0] = alc_reference_from_host(7);
    alc_gc_collect(&store.heap);
    assert_true(is_allocated(outer));
    assert_false(is_allocated(inner));
    root->value.u64 = ALC_REF_NULL;
    alc_gc_collect(&store.heap);
    assert_int_equal(store.heap.size, 0);
    assert_int_equal(store.budget->used, 0);
}

static void test_cycles_die(void **state)
{
    (void)state;
    struct alc_global *root = new_root();
    uint64_t a = new_pair(0, 1);
    uint64_t b = new_pair(a, 2);
    pair_of(a)[0] = b;
    root->value.u64 = a;
    alc_gc_collect(&store.heap);
    assert_true(is_allocated(a) && is_allocated(b));
    root->value.u64 = 0;
    alc_gc_collect(&store.heap);
    assert_int_equal(store.heap.size, 0);
}

/* A list far longer than any C stack would stand. */
static void test_long_list(void **state)
{
    (void)state;
    enum { COUNT = 500000 };
    struct alc_global *root = new_root();
    for (uint32_t i = 0; i < COUNT; i++) {
        uint64_t next = new_pair(root->value.u64, i);
        assert_true(next != 0);
        root->value.u64 = next;
    }
    alc_gc_collect(&store.heap);
    uint64_t at = root->value.u64;
    for (uint32_t i = COUNT; i > 0; i--) {
        assert_true(is_allocated(at));
        assert_int_equal(pair_of(at)[1], i - 1);
        at = pair_of(at)[0];
    }
    assert_int_equal(at, 0);
}

/* Tables are roots too, but for those of functions. */
static void test_tables_are_roots(void **state)
{
    (void)state;
    struct alc_table *table;
    struct alc_table_type type = {.element = ALC_TYPE_EXTERNREF, .limits = {.min = 3}};
    uint64_t kept = new_pair(0, 9);
    assert_int_equal(alc_store_new_table(&store, &type, 0, &table), ALC_OK);
    assert_int_equal(alc_table_set(table, 2, kept), ALC_OK);
    alc_gc_collect(&store.heap);
    assert_true(is_allocated(kept));
    assert_int_equal(alc_table_set(table, 2, 0), ALC_OK);
    alc_gc_collect(&store.heap);
    assert_int_equal(store.heap.size, 0);
}

/* -- marking in steps -- */

/* Moves the only reference to an object behind the back of marking, through an overwritten field:
 * it survives this collection and not the next. */
static void test_overwritten_references_survive(void **state)
{
    (void)state;
    enum { LENGTH = 100000 };
    struct alc_global *root = new_root();
    struct alc_global *aside = new_root();
    uint64_t list = new_list(LENGTH);
    root->value.u64 = list;
    uint64_t *elements = pair_of(list);
    for (uint32_t i = 0; i < LENGTH; i++) {
        elements[i] = new_pair(0, i);
    }
    alc_gc_finish(&store.heap);
    while (store.heap.phase != ALC_GC_MARKING) { /* until a collection has begun */
        assert_true(new_pair(0, 0) != 0);
    }
    uint64_t moved = elements[LENGTH - 1];
    alc_gc_overwrite(&store.heap, elements[LENGTH - 1]);
    elements[LENGTH - 1] = 0;
    aside->value.u64 = moved; /* a root that was looked at already */
    alc_gc_finish(&store.heap);
    assert_true(is_allocated(moved));
    assert_int_equal(pair_of(moved)[1], LENGTH - 1);
    aside->value.u64 = 0;
    alc_gc_collect(&store.heap);
    assert_false(is_allocated(moved));
}

/* Random graphs against a model: after each round exactly what the model reaches is alive. */
static void test_random_graphs(void **state)
{
    (void)state;
    enum { NODES = 400, ROUNDS = 60, FANOUT = 5 };
    struct alc_global *root = new_root();
    static uint64_t nodes[NODES];
    uint32_t random = 12345;
    root->value.u64 = new_list(NODES);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint64_t list = root->value.u64;
        for (uint32_t i = 0; i < NODES; i++) {
            random = random * 1664525 + 1013904223;
            if (random >> 28 < 6) { /* a new node for this place, with edges to others */
                uint64_t node = new_list(FANOUT);
                for (uint32_t j = 0; j < FANOUT; j++) {
                    random = random * 1664525 + 1013904223;
                    pair_of(node)[j] = pair_of(list)[random >> 8 & 255];
                }
                alc_gc_overwrite(&store.heap, pair_of(list)[i]);
                pair_of(list)[i] = node;
            }
            nodes[i] = pair_of(list)[i];
        }
        if (round % 3 == 0) {
            alc_gc_collect(&store.heap);
        }
        for (uint32_t i = 0; i < NODES; i++) {
            if (nodes[i] == 0) {
                continue;
            }
            assert_true(is_allocated(nodes[i]));
            assert_int_equal(alc_object_of(nodes[i])->type_id, list_type);
            for (uint32_t j = 0; j < FANOUT; j++) {
                assert_true(pair_of(nodes[i])[j] == 0 || is_allocated(pair_of(nodes[i])[j]));
            }
        }
    }
    root->value.u64 = 0;
    alc_gc_collect(&store.heap);
    assert_int_equal(store.heap.size, 0);
}

/* Garbage far beyond the limit, with a little that lives: memory does not grow. */
static void test_garbage_is_reused(void **state)
{
    (void)state;
    struct alc_global *root = new_root();
    for (uint32_t i = 0; i < 2000000; i++) {
        uint64_t pair = new_pair(i % 1000 == 0 ? root->value.u64 : 0, i);
        assert_true(pair != 0);
        if (i % 1000 == 0) {
            root->value.u64 = pair;
        }
    }
    assert_true(store.heap.size <= 8 << 20);
    assert_true(store.heap.collections >= 5);
}

/* -- limits -- */

static void test_limit(void **state)
{
    (void)state;
    struct alc_global *root = new_root();
    uint32_t count = 0;
    for (uint64_t pair; (pair = new_pair(root->value.u64, count)) != 0; count++) {
        root->value.u64 = pair;
    }
    /* 32 blocks of 31952 bytes, 32 each */
    assert_int_equal(count, 32 * (HEAP_ROOM / 32));
    assert_int_equal(store.heap.size, 1 << 20);
    assert_null(alc_gc_new(&store.heap, bytes_type, 1 << 20, 1 << 20));
    root->value.u64 = pair_of(root->value.u64)[0]; /* one less: room for one */
    assert_true(new_pair(0, 0) != 0);
    root->value.u64 = 0;
    assert_non_null(alc_gc_new(&store.heap, bytes_type, 1000000, 1000000));
}

static void test_large_at_limit(void **state)
{
    (void)state;
    uint64_t fits = (1 << 20) - sizeof(struct alc_gc_block) - ALC_OBJECT_HEADER;
    assert_null(alc_gc_new(&store.heap, bytes_type, (uint32_t)fits + 1, fits + 1));
    assert_non_null(alc_gc_new(&store.heap, bytes_type, (uint32_t)fits, fits));
    assert_non_null(alc_gc_new(&store.heap, bytes_type, (uint32_t)fits, fits)); /* in its place */
    assert_null(alc_gc_new(&store.heap, bytes_type, UINT32_MAX, UINT64_C(16) * UINT32_MAX));
}

static void test_pages_run_out(void **state)
{
    (void)state;
    fixture_commits_left = 0;
    assert_true(new_pair(0, 1) == 0);
    fixture_commits_left = 2; /* the segment's head and one block */
    struct alc_global *root = new_root();
    root->value.u64 = new_pair(0, 1);
    assert_true(root->value.u64 != 0);
    assert_true(new_list(LARGEST_SMALL / 8) == 0);
    fixture_reserve_max = 0;
    fixture_commits_left = 1000;
    assert_true(new_list(LARGEST_SMALL / 8) != 0); /* in the segment that is there */
}

/* Larger than an ordinary segment: a segment of its own, which goes back with the object. */
static void test_huge_object(void **state)
{
    (void)state;
    struct alc_store_options options = {.heap_size_max = UINT64_C(1) << 30};
    alc_store_fini(&store);
    fixture_store(&options);
    bytes_type = add_array(ALC_TYPE_I8);
    struct alc_global *root = new_root();
    uint64_t size = (UINT64_C(64) << 20) + 1;
    struct alc_object *huge = alc_gc_new(&store.heap, bytes_type, (uint32_t)size, size);
    assert_non_null(huge);
    alc_object_bytes(huge)[size - 1] = 1;
    long before = fixture_reserved;
    root->value.u64 = alc_reference_from_object(huge);
    alc_gc_collect(&store.heap);
    assert_int_equal(fixture_reserved, before);
    root->value.u64 = 0;
    alc_gc_collect(&store.heap);
    assert_int_equal(fixture_reserved, before - 1);
    assert_int_equal(store.heap.size, 0);
}

/* The segment of a huge object that died goes back as a whole: nobody else may get a part of it in
 * the time between. The sweep is stopped just there, with all other segments full. */
static void test_huge_segment_serves_nobody_else(void **state)
{
    (void)state;
    enum { STEP = 16, BLOCKS = HEAP_SEGMENT_BLOCKS - 2 }; /* one object takes three blocks */
    alc_store_fini(&store);
    fixture_store(&(struct alc_store_options){.heap_size_max = UINT64_C(1) << 30});
    list_type = add_array(ALC_TYPE_ANYREF);
    bytes_type = add_array(ALC_TYPE_I8);
    uint64_t size = (UINT64_C(64) << 20) + 1;
    alc_gc_hold(&store.heap);
    const struct alc_object *huge = alc_gc_new(&store.heap, bytes_type, (uint32_t)size, size);
    uintptr_t huge_start = (uintptr_t)huge;
    struct alc_global *root = new_root();
    for (uint32_t i = 0; i < BLOCKS; i++) { /* a chain of objects that fill the other segment */
        uint64_t rest = i == 0 ? 2 * ALC_GC_BLOCK_SIZE : 0;
        uint64_t link = new_list((uint32_t)((HEAP_ROOM - ALC_OBJECT_HEADER + rest) / 8));
        pair_of(link)[0] = root->value.u64;
        root->value.u64 = link;
    }
    alc_gc_release(&store.heap);
    while (store.heap.phase != ALC_GC_SWEEPING) {
        alc_gc_step(&store.heap, UINT64_C(1) << 30);
    }
    for (uint32_t i = 1; i < (BLOCKS + 2) / STEP; i++) {
        assert_true(alc_gc_sweep_some(&store.heap));
    }
    /* An object of a block of its own makes the last step of sweeping, then looks for the block. */
    const struct alc_object *object = alc_gc_new(&store.heap, bytes_type, 20000, 20000);
    assert_non_null(object);
    assert_non_null(store.heap.sweep_segment); /* the huge one is swept, and not yet left */
    assert_true((uintptr_t)object < huge_start || (uintptr_t)object >= huge_start + size);
}

/* A store that is not told otherwise has the limit of limits.def; what is at it needs no memory to
 * be refused. */
static void test_default_limit(void **state)
{
    (void)state;
    uint64_t limit = (uint64_t)ALC_LIMIT_HEAP_MEBIBYTES << 20;
    uint64_t fits = limit - sizeof(struct alc_gc_block) - ALC_OBJECT_HEADER;
    alc_store_fini(&store);
    fixture_store(&(struct alc_store_options){0});
    bytes_type = add_array(ALC_TYPE_I8);
    assert_int_equal(store.heap.size_max, limit);
    long reserved = fixture_reserved;
    fixture_commits_left = 1; /* the segment's head */
    assert_null(alc_gc_new(&store.heap, bytes_type, (uint32_t)fits, fits));
    assert_int_equal(fixture_commits_left, 0);
    assert_null(alc_gc_new(&store.heap, bytes_type, (uint32_t)fits, fits + 1));
    assert_int_equal(fixture_reserved, reserved);
}

static void test_hold(void **state)
{
    (void)state;
    alc_gc_hold(&store.heap);
    uint64_t pair = new_pair(0, 1);
    assert_true(new_pair(0, 2) != 0);
    alc_gc_collect(&store.heap);
    assert_true(is_allocated(pair));
    alc_gc_release(&store.heap);
    alc_gc_collect(&store.heap);
    assert_int_equal(store.heap.size, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_fields_are_placed_by_size),
        TEST(test_sizes),
        TEST(test_only_reachable_survives),
        TEST(test_cycles_die),
        TEST(test_long_list),
        TEST(test_tables_are_roots),
        TEST(test_overwritten_references_survive),
        TEST(test_random_graphs),
        cmocka_unit_test_setup_teardown(test_random_graphs, set_up_eager, fixture_tear_down),
        TEST(test_garbage_is_reused),
        cmocka_unit_test_setup_teardown(test_limit, set_up_small, fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_large_at_limit, set_up_small, fixture_tear_down),
        TEST(test_pages_run_out),
        TEST(test_huge_object),
        TEST(test_huge_segment_serves_nobody_else),
        TEST(test_default_limit),
        TEST(test_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
