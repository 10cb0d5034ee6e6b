/* SPDX-License-Identifier: Apache-2.0
 *
 * Pools: what was used is as good as new, whatever its user did, with images of pages and without;
 * and what happens when the system gives no image.
 */
#include "exec_fixture.h"

#include "exec/pool.h"

/* A program that checks its own state:
 * (module
 *   (import "m" "note" (func $note (param i32) (result i32)))
 *   (memory (export "memory") 1 4)
 *   (data (i32.const 16) "first")
 *   (data $passive "passive")
 *   (data (i32.const 60000) "last")
 *   (table (export "table") 4 20 funcref)
 *   (elem (i32.const 1) $one)
 *   (elem $later func $one)
 *   (global $g (export "g") (mut i32) (i32.const 7))
 *   (global (export "h") i32 (i32.const 9))
 *   (func $start i32.const 1 call $note i32.const 32 i32.add global.set $g)
 *   (start $start)
 *   (func $one (result i32) i32.const 1)
 *   ;; traps unless everything is as in the beginning
 *   (func (export "check")
 *     global.get $g i32.const 34 i32.ne if unreachable end
 *     memory.size i32.const 1 i32.ne if unreachable end
 *     table.size 0 i32.const 4 i32.ne if unreachable end
 *     i32.const 0 table.get 0 ref.is_null i32.eqz if unreachable end
 *     i32.const 3 table.get 0 ref.is_null i32.eqz if unreachable end
 *     i32.const 1 call_indirect (result i32) i32.const 1 i32.ne if unreachable end
 *     i32.const 16 i32.load i32.const 0x73726966 i32.ne if unreachable end
 *     i32.const 60000 i32.load i32.const 0x7473616c i32.ne if unreachable end
 *     i32.const 200 i32.load if unreachable end
 *     i32.const 65532 i32.load if unreachable end
 *     i32.const 300 i32.const 0 i32.const 7 memory.init $passive
 *     i32.const 2 i32.const 0 i32.const 1 table.init 0 $later)
 *   ;; changes all of it
 *   (func (export "mess")
 *     i32.const 5 global.set $g
 *     i32.const 0 i32.const 0xee i32.const 65536 memory.fill
 *     i32.const 1 memory.grow drop
 *     i32.const 131072 i32.const 4 i32.sub i32.const -1 i32.store
 *     data.drop $passive
 *     elem.drop $later
 *     ref.null func i32.const 8 table.grow 0 drop
 *     i32.const 1 ref.null func table.set 0
 *     i32.const 0 ref.func $one i32.const 4 table.fill 0)
 *   ;; what lies behind the first page once it is there
 *   (func (export "behind") (result i32)
 *     i32.const 1 memory.grow drop i32.const 131068 i32.load)
 * ) */
/* clang-format off */
static const uint8_t program[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x0d, 0x03, 0x60,
    0x01, 0x7f, 0x01, 0x7f, 0x60, 0x00, 0x00, 0x60, 0x00, 0x01, 0x7f, 0x02,
    0x0a, 0x01, 0x01, 0x6d, 0x04, 0x6e, 0x6f, 0x74, 0x65, 0x00, 0x00, 0x03,
    0x06, 0x05, 0x01, 0x02, 0x01, 0x01, 0x02, 0x04, 0x05, 0x01, 0x70, 0x01,
    0x04, 0x14, 0x05, 0x04, 0x01, 0x01, 0x01, 0x04, 0x06, 0x0b, 0x02, 0x7f,
    0x01, 0x41, 0x07, 0x0b, 0x7f, 0x00, 0x41, 0x09, 0x0b, 0x07, 0x32, 0x07,
    0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00, 0x05, 0x74, 0x61,
    0x62, 0x6c, 0x65, 0x01, 0x00, 0x01, 0x67, 0x03, 0x00, 0x01, 0x68, 0x03,
    0x01, 0x05, 0x63, 0x68, 0x65, 0x63, 0x6b, 0x00, 0x03, 0x04, 0x6d, 0x65,
    0x73, 0x73, 0x00, 0x04, 0x06, 0x62, 0x65, 0x68, 0x69, 0x6e, 0x64, 0x00,
    0x05, 0x08, 0x01, 0x01, 0x09, 0x0b, 0x02, 0x00, 0x41, 0x01, 0x0b, 0x01,
    0x02, 0x01, 0x00, 0x01, 0x02, 0x0c, 0x01, 0x03, 0x0a, 0xee, 0x01, 0x05,
    0x0b, 0x00, 0x41, 0x01, 0x10, 0x00, 0x41, 0x20, 0x6a, 0x24, 0x00, 0x0b,
    0x04, 0x00, 0x41, 0x01, 0x0b, 0x8a, 0x01, 0x00, 0x23, 0x00, 0x41, 0x22,
    0x47, 0x04, 0x40, 0x00, 0x0b, 0x3f, 0x00, 0x41, 0x01, 0x47, 0x04, 0x40,
    0x00, 0x0b, 0xfc, 0x10, 0x00, 0x41, 0x04, 0x47, 0x04, 0x40, 0x00, 0x0b,
    0x41, 0x00, 0x25, 0x00, 0xd1, 0x45, 0x04, 0x40, 0x00, 0x0b, 0x41, 0x03,
    0x25, 0x00, 0xd1, 0x45, 0x04, 0x40, 0x00, 0x0b, 0x41, 0x01, 0x11, 0x02,
    0x00, 0x41, 0x01, 0x47, 0x04, 0x40, 0x00, 0x0b, 0x41, 0x10, 0x28, 0x02,
    0x00, 0x41, 0xe6, 0xd2, 0xc9, 0x9b, 0x07, 0x47, 0x04, 0x40, 0x00, 0x0b,
    0x41, 0xe0, 0xd4, 0x03, 0x28, 0x02, 0x00, 0x41, 0xec, 0xc2, 0xcd, 0xa3,
    0x07, 0x47, 0x04, 0x40, 0x00, 0x0b, 0x41, 0xc8, 0x01, 0x28, 0x02, 0x00,
    0x04, 0x40, 0x00, 0x0b, 0x41, 0xfc, 0xff, 0x03, 0x28, 0x02, 0x00, 0x04,
    0x40, 0x00, 0x0b, 0x41, 0xac, 0x02, 0x41, 0x00, 0x41, 0x07, 0xfc, 0x08,
    0x01, 0x00, 0x41, 0x02, 0x41, 0x00, 0x41, 0x01, 0xfc, 0x0c, 0x01, 0x00,
    0x0b, 0x40, 0x00, 0x41, 0x05, 0x24, 0x00, 0x41, 0x00, 0x41, 0xee, 0x01,
    0x41, 0x80, 0x80, 0x04, 0xfc, 0x0b, 0x00, 0x41, 0x01, 0x40, 0x00, 0x1a,
    0x41, 0x80, 0x80, 0x08, 0x41, 0x04, 0x6b, 0x41, 0x7f, 0x36, 0x02, 0x00,
    0xfc, 0x09, 0x01, 0xfc, 0x0d, 0x01, 0xd0, 0x70, 0x41, 0x08, 0xfc, 0x0f,
    0x00, 0x1a, 0x41, 0x01, 0xd0, 0x70, 0x26, 0x00, 0x41, 0x00, 0xd2, 0x02,
    0x41, 0x04, 0xfc, 0x11, 0x00, 0x0b, 0x0e, 0x00, 0x41, 0x01, 0x40, 0x00,
    0x1a, 0x41, 0xfc, 0xff, 0x07, 0x28, 0x02, 0x00, 0x0b, 0x0b, 0x1f, 0x03,
    0x00, 0x41, 0x10, 0x0b, 0x05, 0x66, 0x69, 0x72, 0x73, 0x74, 0x01, 0x07,
    0x70, 0x61, 0x73, 0x73, 0x69, 0x76, 0x65, 0x00, 0x41, 0xe0, 0xd4, 0x03,
    0x0b, 0x04, 0x6c, 0x61, 0x73, 0x74,
};
/* clang-format on */

/* -- images made of ordinary memory -- */

enum { IMAGES = 4, MAPS = 8 };
static struct {
    uint8_t *bytes;
    size_t size;
} images[IMAGES];
static struct {
    uint8_t *addr;
    uint64_t image;
} maps[MAPS];
static unsigned images_made, images_dropped, maps_made;
static int makes_left, maps_left, renewals_left;

static alc_status image_make(void *context, const void *addr, size_t size, uint64_t *image)
{
    (void)context;
    assert_true(size != 0 && size % ALC_SYSTEM_PAGE_SIZE == 0);
    if (makes_left-- == 0) {
        return ALC_E_OUT_OF_MEMORY;
    }
    assert_true(images_made < IMAGES);
    images[images_made].bytes = malloc(size);
    images[images_made].size = size;
    memcpy(images[images_made].bytes, addr, size);
    *image = images_made++;
    return ALC_OK;
}

static alc_status image_map(void *context, uint64_t image, void *addr, size_t size)
{
    (void)context;
    assert_true(image < images_made && size == images[image].size && maps_made < MAPS);
    if (maps_left-- == 0) {
        return ALC_E_OUT_OF_MEMORY;
    }
    memcpy(addr, images[image].bytes, size);
    maps[maps_made].addr = addr;
    maps[maps_made++].image = image;
    return ALC_OK;
}

static alc_status image_renew(void *context, uint64_t image, size_t image_size, void *addr,
                              size_t size)
{
    (void)context;
    assert_true(image_size == images[image].size);
    assert_int_equal(size % ALC_SYSTEM_PAGE_SIZE, 0);
    if (renewals_left-- == 0) {
        return ALC_E_OUT_OF_MEMORY;
    }
    memset(addr, 0, size);
    for (unsigned i = 0; i < maps_made; i++) {
        if (maps[i].addr == addr) {
            assert_true(maps[i].image == image);
            memcpy(addr, images[image].bytes, image_size);
        }
    }
    return ALC_OK;
}

static void image_drop(void *context, uint64_t image)
{
    (void)context;
    free(images[image].bytes);
    images[image].bytes = NULL;
    images_dropped++;
}

static const struct alc_page_images page_images = {
    .make = image_make, .map = image_map, .renew = image_renew, .drop = image_drop};

/* -- a pool -- */

static unsigned notes;
static alc_status note_status;

/* One more than its argument. */
static alc_status host_note(struct alc_host_call *call)
{
    notes++;
    call->slots[0] = (uint32_t)call->slots[0] + 1;
    return note_status;
}

static const struct alc_host_export host_exports[] = {{"note", "i:i", host_note}};
static const struct alc_host_module host = {"m", host_exports, 1};
static struct alc_instance_pool pool;

static void prepare(bool has_images)
{
    images_made = images_dropped = maps_made = notes = 0;
    makes_left = maps_left = renewals_left = -1;
    note_status = ALC_OK;
    store.pages.images = has_images ? &page_images : NULL;
    assert_int_equal(alc_linker_add_host(&linker, &host, NULL), ALC_OK);
}

static alc_status init_pool(void)
{
    alc_error_clear(&error);
    return alc_pool_init(&pool, &store, &fixture_arena, fixture_load(program, sizeof program),
                         &linker, &error);
}

static struct alc_instance *take(void)
{
    struct alc_instance *instance = NULL;
    alc_error_clear(&error);
    assert_int_equal(alc_pool_take(&pool, &instance, &error), ALC_OK);
    return instance;
}

static alc_status call(struct alc_instance *instance, const char *name, uint64_t *result)
{
    struct alc_function *function = NULL;
    struct alc_name export = {(const uint8_t *)name, (uint32_t)strlen(name)};
    assert_int_equal(alc_export_find_function(instance, export, &function), ALC_OK);
    alc_error_clear(&error);
    return alc_invoke(&store, function, NULL, result, &error);
}

static void use_and_renew(bool has_images)
{
    prepare(has_images);
    assert_int_equal(init_pool(), ALC_OK);
    assert_int_equal(notes, 0); /* nobody has taken one */
    struct alc_instance *first = take();
    uint64_t used = store.budget->used;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t word = 1;
        assert_int_equal(notes, 2 * i + 1);
        assert_int_equal(call(first, "check", NULL), ALC_OK);
        assert_int_equal(call(first, "mess", NULL), ALC_OK);
        assert_int_not_equal(call(first, "check", NULL), ALC_OK);
        alc_pool_give(&pool, first);
        assert_int_equal(store.budget->used, used);
        assert_ptr_equal(take(), first);
        assert_int_equal(call(first, "behind", &word), ALC_OK);
        assert_int_equal(word, 0);
        alc_pool_give(&pool, first);
        assert_ptr_equal(take(), first);
    }
    /* A second one, while the first is out, and both again. */
    struct alc_instance *second = take();
    assert_ptr_not_equal(first, second);
    assert_int_equal(first->data[0].size, 0); /* an active segment is dropped */
    assert_int_equal(second->data[0].size, 0);
    assert_int_equal(call(second, "check", NULL), ALC_OK);
    assert_int_equal(call(first, "mess", NULL), ALC_OK);
    alc_pool_give(&pool, first);
    assert_int_equal(call(second, "mess", NULL), ALC_OK);
    alc_pool_give(&pool, second);
    assert_int_equal(call(take(), "check", NULL), ALC_OK);
    assert_int_equal(call(take(), "check", NULL), ALC_OK);
    assert_int_equal(images_made, has_images);
    alc_pool_fini(&pool);
    assert_int_equal(images_dropped, images_made);
}

static void used_instances_are_fresh(void **state)
{
    (void)state;
    use_and_renew(true);
}

static void without_images_too(void **state)
{
    (void)state;
    use_and_renew(false);
}

/* Writes the table in one of the ways that there are. */
static void write_table(struct alc_table *table, int way, uint64_t reference)
{
    switch (way) {
    case 0:
        assert_int_equal(alc_table_set(table, 1, ALC_REF_NULL), ALC_OK);
        break;
    case 1:
        assert_int_equal(alc_table_fill(table, 0, reference, 4), ALC_OK);
        break;
    case 2:
        assert_int_equal(alc_table_copy(table, 0, table, 1, 2), ALC_OK);
        break;
    case 3:
        assert_int_equal(alc_table_init_from(table, 2, &reference, 1, 0, 1), ALC_OK);
        break;
    default:
        assert_int_equal(alc_table_grow(table, 1, reference), 4);
        break;
    }
}

static void tables_and_globals_are_renewed(void **state)
{
    (void)state;
    prepare(true);
    assert_int_equal(init_pool(), ALC_OK);
    struct alc_instance *instance = take();
    struct alc_external table;
    struct alc_external global;
    assert_int_equal(alc_export_find(instance, ALC_NAME_OF("table"), &table), ALC_OK);
    assert_int_equal(alc_export_find(instance, ALC_NAME_OF("h"), &global), ALC_OK);
    uint64_t one = table.table->entries[1];
    for (int way = 0; way < 5; way++) {
        write_table(table.table, way, one);
        global.global->value.u32 = 1;
        alc_pool_give(&pool, instance);
        assert_ptr_equal(take(), instance);
        assert_int_equal(table.table->count, 4);
        for (uint64_t i = 0; i < 4; i++) {
            uint64_t entry;
            assert_int_equal(alc_table_get(table.table, i, &entry), ALC_OK);
            assert_true(entry == (i == 1 ? one : ALC_REF_NULL));
        }
        assert_int_equal(global.global->value.u32, 9);
    }
    alc_pool_fini(&pool);
}

/* -- what goes wrong -- */

static void no_image_means_copying(void **state)
{
    (void)state;
    prepare(true);
    makes_left = 0;
    assert_int_equal(init_pool(), ALC_OK);
    struct alc_instance *instance = take();
    assert_int_equal(call(instance, "mess", NULL), ALC_OK);
    alc_pool_give(&pool, instance);
    assert_int_equal(call(take(), "check", NULL), ALC_OK);
    assert_int_equal(maps_made, 0);
    alc_pool_fini(&pool);
    assert_int_equal(images_dropped, 0);
}

static void what_cannot_be_mapped_is_not_taken(void **state)
{
    (void)state;
    struct alc_instance *instance = NULL;
    prepare(true);
    maps_left = 0;
    assert_int_equal(init_pool(), ALC_E_OUT_OF_MEMORY);
    assert_int_equal(images_dropped, 1);
    maps_left = 1;
    assert_int_equal(init_pool(), ALC_OK);
    (void)take();
    assert_int_equal(alc_pool_take(&pool, &instance, &error), ALC_E_OUT_OF_MEMORY);
    assert_null(instance);
    alc_pool_fini(&pool);
    assert_int_equal(images_dropped, 2);
}

static void what_cannot_be_renewed_is_left(void **state)
{
    (void)state;
    prepare(true);
    assert_int_equal(init_pool(), ALC_OK);
    struct alc_instance *first = take();
    assert_int_equal(call(first, "mess", NULL), ALC_OK);
    renewals_left = 0;
    alc_pool_give(&pool, first);
    struct alc_instance *second = take();
    assert_ptr_not_equal(first, second);
    assert_int_equal(call(second, "check", NULL), ALC_OK);
    alc_pool_fini(&pool);
}

static void a_failing_start_gives_back(void **state)
{
    (void)state;
    struct alc_instance *instance = NULL;
    prepare(true);
    assert_int_equal(init_pool(), ALC_OK);
    note_status = ALC_E_EXIT;
    assert_int_equal(alc_pool_take(&pool, &instance, &error), ALC_E_EXIT);
    assert_null(instance);
    note_status = ALC_OK;
    instance = take();
    assert_ptr_equal(instance, store.instances); /* there is only one */
    assert_null(instance->next);
    assert_int_equal(call(instance, "check", NULL), ALC_OK);
    alc_pool_fini(&pool);
}

static void some_modules_have_no_first_state_of_their_own(void **state)
{
    (void)state;
#define MODULE(text) {text, sizeof(text) - 1}
    static const struct {
        const char *bytes;
        size_t size;
    } modules[] = {
        /* (import "m" "memory" (memory 1)) (data (i32.const 0) "x") */
        MODULE(HEADER "\2\xd\1\1m\6memory\2\0\1\xb\7\1\0\x41\0\xb\1x"),
        /* (import "m" "table" (table 1 funcref)) (elem (i32.const 0) func) */
        MODULE(HEADER "\2\xd\1\1m\5table\1\x70\0\1\x9\6\1\0\x41\0\xb\0"),
        /* (type $s (struct (field (mut i32)))) (global (ref $s) (struct.new $s (i32.const 1))) */
        MODULE(HEADER "\1\5\1\x5f\1\x7f\1\6\xa\1\x64\0\0\x41\1\xfb\0\0\xb"),
    };
    prepare(true);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(modules); i++) {
        const struct alc_module *module = fixture_load(modules[i].bytes, modules[i].size);
        alc_error_clear(&error);
        assert_int_equal(alc_pool_init(&pool, &store, &fixture_arena, module, &linker, &error),
                         ALC_E_NOT_SUPPORTED);
        assert_int_equal(error.status, ALC_E_NOT_SUPPORTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(used_instances_are_fresh),
        FIXTURE_TEST(without_images_too),
        FIXTURE_TEST(tables_and_globals_are_renewed),
        FIXTURE_TEST(no_image_means_copying),
        FIXTURE_TEST(what_cannot_be_mapped_is_not_taken),
        FIXTURE_TEST(what_cannot_be_renewed_is_left),
        FIXTURE_TEST(a_failing_start_gives_back),
        FIXTURE_TEST(some_modules_have_no_first_state_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
