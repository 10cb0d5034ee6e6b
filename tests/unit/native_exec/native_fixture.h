/* SPDX-License-Identifier: Apache-2.0
 *
 * Native images out of hand-written machine code, and a store to run them in. A module is described
 * in the order of its index spaces; its bodies are empty, what runs is the code given for each
 * function. Calls of stubs and functions are written CALL_STUB(i), CALL_FUNCTION(i) and so on and
 * find their distances when the image is put together.
 */
#ifndef NATIVE_FIXTURE_H
#define NATIVE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exec/engine.h"
#include "native/image_format.h"
#include "native_exec/native_exec.h"
#include "native_linux/native_linux.h"

/* -- machine code -- */

#define TEXT_OF(value) #value
#define TEXT(value) TEXT_OF(value)
#define STUB_MARK 0x5ead0000
#define FUNCTION_MARK 0x5eae0000
#define CALL_STUB(i) ".byte 0xe8\n.long 0x5ead0000 + " TEXT(i) "\n"
#define JUMP_STUB(i) ".byte 0xe9\n.long 0x5ead0000 + " TEXT(i) "\n"
#define CALL_FUNCTION(i) ".byte 0xe8\n.long 0x5eae0000 + " TEXT(i) "\n"
/* ud1 eax, [eax + number] */
#define TRAP_CODE(number) ".byte 0x67, 0x0f, 0xb9, 0x40, " TEXT(number) "\n"
/* The context's slot, as an operand: %gs:-… */
#define SLOT(i) "%gs:(8 * " TEXT(i) " - 16896)"

#define CODE(name, text)                                                                           \
    __asm__(".pushsection .rodata\n.balign 16\n" #name ":\n" text "\n.balign 16, 0x90\n" #name     \
            "_end:\n.popsection\n");                                                               \
    extern const uint8_t name[], name##_end[]
#define PIECE(name) {name, name##_end}

struct piece {
    const uint8_t *start;
    const uint8_t *end;
};

/* -- modules -- */

struct module_bytes {
    uint8_t bytes[4096];
    size_t size;
    size_t section; /* where the section in progress has its size */
};

static inline void put(struct module_bytes *module, const void *bytes, size_t size)
{
    assert_true(module->size + size <= sizeof module->bytes);
    memcpy(module->bytes + module->size, bytes, size);
    module->size += size;
}

static inline void put_byte(struct module_bytes *module, unsigned byte)
{
    uint8_t value = (uint8_t)byte;
    put(module, &value, 1);
}

static inline void put_name(struct module_bytes *module, const char *name)
{
    put_byte(module, (unsigned)strlen(name));
    put(module, name, strlen(name));
}

/* Sizes and numbers in two bytes of LEB128. */
static inline void put_number(struct module_bytes *module, unsigned value)
{
    put_byte(module, (value & 0x7f) | 0x80);
    put_byte(module, value >> 7);
}

static inline void begin_section(struct module_bytes *module, unsigned id, unsigned count)
{
    put_byte(module, id);
    module->section = module->size;
    put_number(module, 0);
    put_number(module, count);
}

static inline void end_section(struct module_bytes *module)
{
    size_t size = module->size - module->section - 2;
    module->bytes[module->section] = (uint8_t)((size & 0x7f) | 0x80);
    module->bytes[module->section + 1] = (uint8_t)(size >> 7);
}

/* i I f F v as in exec/host_call.h, r = funcref */
static inline unsigned type_byte(char letter)
{
    switch (letter) {
    case 'i':
        return 0x7f;
    case 'I':
        return 0x7e;
    case 'f':
        return 0x7d;
    case 'F':
        return 0x7c;
    case 'v':
        return 0x7b;
    case 'e':
        return 0x6f;
    default:
        return 0x70;
    }
}

static inline void put_types(struct module_bytes *module, const char *letters)
{
    put_byte(module, (unsigned)strlen(letters));
    for (; *letters != '\0'; letters++) {
        put_byte(module, type_byte(*letters));
    }
}

enum { ITEMS_MAX = 32 };

struct description {
    const char *types[ITEMS_MAX]; /* "parameters:results" */
    struct {
        const char *name; /* imported from "m" */
        unsigned type;
    } imports[ITEMS_MAX];
    bool imports_memory;
    struct {
        const char *name; /* exported; NULL: not */
        unsigned type;
        struct piece code;
    } functions[ITEMS_MAX];
    unsigned table_size;          /* of table 0, of funcref, exported as "table"; 0: none */
    unsigned elements[ITEMS_MAX]; /* functions in the table's first places */
    unsigned elements_count;
    bool has_memory; /* one page, exported as "memory" */
    unsigned memory_pages_max;
    char globals[ITEMS_MAX]; /* mutable, exported as "global0", …; 42, or null */
    struct alc_native_stub stubs[ITEMS_MAX];
    uint32_t stubs_count;
    enum alc_native_shape shape;
    uint32_t options;
};

static inline unsigned count_functions(const struct description *description)
{
    unsigned count = 0;
    while (description->functions[count].code.start != NULL) {
        count++;
    }
    return count;
}

static inline unsigned count_imports(const struct description *description)
{
    unsigned count = 0;
    while (description->imports[count].name != NULL) {
        count++;
    }
    return count;
}

static inline void put_type_section(struct module_bytes *module,
                                    const struct description *description)
{
    unsigned count = 0;
    while (description->types[count] != NULL) {
        count++;
    }
    begin_section(module, 1, count);
    for (unsigned i = 0; i < count; i++) {
        char parameters[64];
        const char *colon = strchr(description->types[i], ':');
        memcpy(parameters, description->types[i], (size_t)(colon - description->types[i]));
        parameters[colon - description->types[i]] = '\0';
        put_byte(module, 0x60);
        put_types(module, parameters);
        put_types(module, colon + 1);
    }
    end_section(module);
}

static inline void put_definitions(struct module_bytes *module,
                                   const struct description *description)
{
    begin_section(module, 3, count_functions(description));
    for (unsigned i = 0; i < count_functions(description); i++) {
        put_number(module, description->functions[i].type);
    }
    end_section(module);
    begin_section(module, 4, description->table_size != 0);
    if (description->table_size != 0) {
        put(module, "\x70\0", 2);
        put_number(module, description->table_size);
    }
    end_section(module);
    begin_section(module, 5, description->has_memory);
    if (description->has_memory) {
        put(module, "\1\1", 2);
        put_number(module, description->memory_pages_max != 0 ? description->memory_pages_max : 16);
    }
    end_section(module);
    begin_section(module, 6, (unsigned)strlen(description->globals));
    for (const char *global = description->globals; *global != '\0'; global++) {
        put_byte(module, type_byte(*global));
        put_byte(module, 1);
        if (*global == 'r') {
            put(module, "\xd0\x70\x0b", 3);
        } else {
            put(module, *global == 'i' ? "\x41\x2a\x0b" : "\x42\x2a\x0b", 3);
        }
    }
    end_section(module);
}

static inline void put_exports(struct module_bytes *module, const struct description *description)
{
    unsigned imports = count_imports(description);
    unsigned globals = (unsigned)strlen(description->globals);
    unsigned functions = 0;
    for (unsigned i = 0; i < count_functions(description); i++) {
        functions += description->functions[i].name != NULL;
    }
    begin_section(module, 7,
                  functions + (description->table_size != 0) + description->has_memory + globals);
    for (unsigned i = 0; i < count_functions(description); i++) {
        if (description->functions[i].name != NULL) {
            put_name(module, description->functions[i].name);
            put_byte(module, 0);
            put_number(module, imports + i);
        }
    }
    if (description->table_size != 0) {
        put_name(module, "table");
        put(module, "\1\0", 2);
    }
    if (description->has_memory) {
        put_name(module, "memory");
        put(module, "\2\0", 2);
    }
    for (unsigned i = 0; i < globals; i++) {
        char name[] = "global0";
        name[6] = (char)('0' + i);
        put_name(module, name);
        put_byte(module, 3);
        put_number(module, i);
    }
    end_section(module);
}

static inline void make_module(struct module_bytes *module, const struct description *description)
{
    unsigned imports = count_imports(description);
    module->size = 0;
    put(module, "\0asm\1\0\0\0", 8);
    put_type_section(module, description);
    begin_section(module, 2, imports + description->imports_memory);
    for (unsigned i = 0; i < imports; i++) {
        put_name(module, "m");
        put_name(module, description->imports[i].name);
        put_byte(module, 0);
        put_number(module, description->imports[i].type);
    }
    if (description->imports_memory) {
        put_name(module, "m");
        put_name(module, "memory");
        put(module, "\2\0\1", 3);
    }
    end_section(module);
    put_definitions(module, description);
    put_exports(module, description);
    begin_section(module, 9, description->elements_count != 0);
    if (description->elements_count != 0) {
        put(module, "\0\x41\0\x0b", 4);
        put_number(module, description->elements_count);
        for (unsigned i = 0; i < description->elements_count; i++) {
            put_number(module, description->elements[i]);
        }
    }
    end_section(module);
    begin_section(module, 10, count_functions(description));
    for (unsigned i = 0; i < count_functions(description); i++) {
        put(module, "\2\0\x0b", 3);
    }
    end_section(module);
}

/* -- images -- */

struct image_bytes {
    struct module_bytes module;
    uint8_t code[8192];
    uint32_t functions[ITEMS_MAX + 1];
    struct alc_native_image image;
    uint8_t *file; /* on the heap */
    uint64_t file_size;
};

static inline void patch_calls(struct image_bytes *out, uint32_t start, uint32_t end)
{
    for (uint32_t i = start; i + 5 <= end; i++) {
        uint32_t mark;
        memcpy(&mark, out->code + i + 1, 4);
        if ((out->code[i] != 0xe8 && out->code[i] != 0xe9) ||
            ((mark & 0xffff0000) != STUB_MARK && (mark & 0xffff0000) != FUNCTION_MARK)) {
            continue;
        }
        uint32_t number = mark & 0xffff;
        int32_t target = (mark & 0xffff0000) == STUB_MARK
                             ? -(int32_t)(ALC_NATIVE_STUB_SIZE * (out->image.stubs_count - number))
                             : (int32_t)out->functions[number];
        int32_t distance = target - (int32_t)(i + 5);
        memcpy(out->code + i + 1, &distance, 4);
    }
}

static inline void make_image(struct image_bytes *out, const struct description *description)
{
    memset(out, 0, sizeof *out);
    make_module(&out->module, description);
    unsigned count = count_functions(description);
    uint32_t size = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct piece *piece = &description->functions[i].code;
        out->functions[i] = size;
        assert_true(size + (size_t)(piece->end - piece->start) <= sizeof out->code);
        memcpy(out->code + size, piece->start, (size_t)(piece->end - piece->start));
        size += (uint32_t)(piece->end - piece->start);
    }
    out->functions[count] = size;
    out->image = (struct alc_native_image){.shape = description->shape,
                                           .options = description->options,
                                           .module = out->module.bytes,
                                           .module_size = out->module.size,
                                           .code = out->code,
                                           .code_size = size,
                                           .functions = out->functions,
                                           .functions_count = count,
                                           .stubs = description->stubs,
                                           .stubs_count = description->stubs_count};
    patch_calls(out, 0, size);
    struct alc_error error = {0};
    out->file_size = alc_native_image_file_size(&out->image);
    out->file = malloc(out->file_size);
    assert_int_equal(alc_native_image_write(&out->image, out->file, out->file_size, &error),
                     ALC_OK);
    assert_int_equal(alc_native_image_read(out->file, out->file_size, &out->image, &error), ALC_OK);
}

/* -- a store -- */

enum { FIXTURE_STACK_SLOTS = 1 << 15, FIXTURE_FILES_MAX = 8 };

static uint8_t fixture_arena_memory[16 << 20] __attribute__((aligned(4096)));
static struct alc_arena fixture_arena;
static struct alc_store store;
static struct alc_linker linker;
static struct alc_error error;
static uint8_t *fixture_files[FIXTURE_FILES_MAX];
static unsigned fixture_files_count;
static uint64_t fixture_stop_flag;

static inline int fixture_set_up(void **state)
{
    (void)state;
    struct alc_store_options options = {.executor = &alc_native_executor,
                                        .stack_slots = FIXTURE_STACK_SLOTS,
                                        .stop_flag = &fixture_stop_flag};
    if (!alc_native_linux_pages(&options.pages)) {
        return -1;
    }
    fixture_stop_flag = 0;
    alc_arena_init(&fixture_arena, fixture_arena_memory, sizeof fixture_arena_memory);
    alc_error_clear(&error);
    assert_int_equal(alc_store_init(&store, &fixture_arena, &options), ALC_OK);
    alc_linker_init(&linker, &store);
    return 0;
}

static inline int fixture_tear_down(void **state)
{
    (void)state;
    alc_store_fini(&store);
    for (; fixture_files_count != 0; fixture_files_count--) {
        free(fixture_files[fixture_files_count - 1]);
    }
    return 0;
}

static inline alc_status fixture_load(const struct description *description, bool is_vouched,
                                      struct alc_module **out)
{
    static struct image_bytes image;
    const struct alc_native_load_options options = {.is_vouched = is_vouched};
    make_image(&image, description);
    assert_true(fixture_files_count < FIXTURE_FILES_MAX);
    fixture_files[fixture_files_count++] = image.file;
    alc_error_clear(&error);
    return alc_native_load(&store, &fixture_arena, &image.image, &options, out, &error);
}

static inline struct alc_instance *fixture_instantiate(const struct description *description)
{
    struct alc_module *module = NULL;
    struct alc_instance *instance = NULL;
    /* The test library puts its own handlers in front between set-up and test. */
    assert_non_null(alc_native_linux_support());
    bool is_vouched = description->shape == ALC_NATIVE_CHECKED;
    alc_status status = fixture_load(description, is_vouched, &module);
    if (status != ALC_OK) {
        fail_msg("%s at %llx: %s", alc_status_text(status), (unsigned long long)error.offset,
                 error.detail);
    }
    assert_int_equal(alc_instantiate(&store, &fixture_arena, module, &linker, &instance, &error),
                     ALC_OK);
    return instance;
}

static inline struct alc_function *fixture_function(const struct alc_instance *instance,
                                                    const char *name)
{
    struct alc_function *function = NULL;
    struct alc_name wanted = {(const uint8_t *)name, (uint32_t)strlen(name)};
    assert_int_equal(alc_export_find_function(instance, wanted, &function), ALC_OK);
    return function;
}

static inline alc_status fixture_invoke(const struct alc_instance *instance, const char *name,
                                        const uint64_t *arguments, uint64_t *results)
{
    alc_error_clear(&error);
    return alc_invoke(&store, fixture_function(instance, name), arguments, results, &error);
}

#endif
