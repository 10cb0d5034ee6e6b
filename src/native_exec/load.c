/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a native image runnable: its module, a copy of its code with the stubs in front, verified
 * where it stands, then sealed. The image is hostile, but for checked code that somebody vouches
 * for; the rows of its stubs are hostile in any case, since C goes by them.
 *
 *   reservation: prologue (alc_native_indirect) | stubs | code | constants
 */
#include "base/bytes.h"
#include "native/image_format.h"
#include "native_exec/operations.h"

enum {
    PAGE = ALC_SYSTEM_PAGE_SIZE,
    BREAKPOINT = 0xcc, /* int3, where nobody is to come */
};

static uint64_t to_pages(uint64_t size)
{
    return (size + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

struct alc_verifier_input alc_native_verifier_input(const struct alc_native_code *code)
{
    const struct alc_native_image *image = &code->image;
    return (struct alc_verifier_input){
        .code = image->code,
        .code_size = image->code_size,
        .functions = image->functions,
        .functions_count = image->functions_count,
        .stubs_count = image->stubs_count,
        .constants_distance = image->constants_distance,
        .constants_size = image->constants_size,
        .context_size = code->context_size,
        .features = image->features,
        .has_memory = code->module->memories_count != 0,
    };
}

/* -- whether the module may be confined -- */

/* The value types at `offset` in each of `count` items of `size` bytes. */
static bool are_confinable(const struct alc_module *module, const void *items, size_t offset,
                           size_t size, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t type = alc_load_u32((const uint8_t *)items + i * size + offset);
        if (alc_type_is_reference(type) &&
            alc_heap_top(module->types, alc_type_heap(type)) != ALC_HEAP_FUNC) {
            return false;
        }
    }
    return true;
}

static bool is_confinable_function(const struct alc_module *module,
                                   const struct alc_function_type *type)
{
    return are_confinable(module, type->parameters, 0, sizeof *type->parameters,
                          type->parameters_count) &&
           are_confinable(module, type->results, 0, sizeof *type->results, type->results_count);
}

static bool has_confinable_memory(const struct alc_module *module)
{
    if (module->memories_count == 0) {
        return true;
    }
    const struct alc_limits *limits = &module->memories[0].limits;
    return module->memories_count == 1 && module->imported_counts[ALC_EXTERNAL_MEMORY] == 0 &&
           !limits->is_64 && !limits->is_shared && limits->page_size_log2 == 16;
}

/* Confined code is given nothing but numbers and functions. */
static bool is_confinable(const struct alc_module *module)
{
    for (uint32_t i = 0; i < module->functions_count; i++) {
        if (!is_confinable_function(module, &module->functions[i].type->function)) {
            return false;
        }
    }
    return has_confinable_memory(module) &&
           are_confinable(module, module->globals, offsetof(struct alc_module_global, type.type),
                          sizeof *module->globals, module->globals_count) &&
           are_confinable(module, module->tables, offsetof(struct alc_module_table, type.element),
                          sizeof *module->tables, module->tables_count) &&
           are_confinable(module, module->elements, offsetof(struct alc_element_segment, type),
                          sizeof *module->elements, module->elements_count);
}

/* -- rows of stubs -- */

static const struct alc_type *function_type(const struct alc_module *module, uint32_t type_index)
{
    if (type_index >= module->types_count) {
        return NULL;
    }
    const struct alc_type *type = alc_types_get(module->types, module->type_ids[type_index]);
    return type->kind == ALC_COMPOSITE_FUNCTION ? type : NULL;
}

static bool is_index(const struct alc_module *module, unsigned kind, uint32_t index)
{
    switch ((enum alc_native_index)kind) {
    case ALC_NATIVE_INDEX_FUNCTION:
        return index < module->functions_count;
    case ALC_NATIVE_INDEX_TABLE:
        return index < module->tables_count;
    case ALC_NATIVE_INDEX_MEMORY:
        return index < module->memories_count;
    case ALC_NATIVE_INDEX_GLOBAL:
        return index < module->globals_count;
    case ALC_NATIVE_INDEX_MUTABLE_GLOBAL:
        return index < module->globals_count && module->globals[index].type.is_mutable;
    case ALC_NATIVE_INDEX_ELEMENT:
        return index < module->elements_count;
    case ALC_NATIVE_INDEX_DATA:
        return index < module->data_count;
    case ALC_NATIVE_INDEX_NONE:
        break;
    }
    return true;
}

/* Whether the row goes with the module; finds the function of an operation. */
static bool take_row(struct alc_native_code *code, const struct alc_native_stub *row)
{
    const struct alc_module *module = code->module;
    const struct alc_native_operation_row *operation;
    const struct alc_type *type;
    switch ((enum alc_native_stub_kind)row->kind) {
    case ALC_NATIVE_STUB_IMPORT:
        return row->a < module->imported_counts[ALC_EXTERNAL_FUNCTION];
    case ALC_NATIVE_STUB_INDIRECT:
        type = function_type(module, row->b);
        return type != NULL && row->a < module->tables_count &&
               alc_heap_top(module->types, alc_type_heap(module->tables[row->a].type.element)) ==
                   ALC_HEAP_FUNC &&
               (!alc_native_is_confined(code) || is_confinable_function(module, &type->function));
    case ALC_NATIVE_STUB_REFERENCE:
        type = function_type(module, row->a);
        return type != NULL &&
               (!alc_native_is_confined(code) || is_confinable_function(module, &type->function));
    case ALC_NATIVE_STUB_OPERATION:
        operation = alc_native_operation_find(row->a, (enum alc_native_shape)code->image.shape);
        if (operation != NULL) {
            code->operations[row - code->image.stubs] = operation->function;
        }
        return operation != NULL && is_index(module, operation->b, row->b) &&
               is_index(module, operation->c, row->c);
    case ALC_NATIVE_STUB_KINDS:
        break;
    }
    return false;
}

static alc_status take_rows(struct alc_native_code *code, struct alc_arena *arena,
                            struct alc_error *error)
{
    const struct alc_native_image *image = &code->image;
    code->operations = alc_arena_take_array(arena, image->stubs_count, sizeof *code->operations,
                                            _Alignof(alc_native_operation *));
    if (code->operations == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    for (uint32_t i = 0; i < image->stubs_count; i++) {
        if (!take_row(code, &image->stubs[i])) {
            return alc_fail_with(error, ALC_E_BAD_NATIVE_IMAGE, ALC_NO_OFFSET,
                                 ALC_WORDS("a stub that does not go with the module"));
        }
    }
    return ALC_OK;
}

/* -- stubs as code -- */

static void put(uint8_t **place, const void *bytes, size_t size)
{
    alc_copy(*place, bytes, size);
    *place += size;
}

static void put_jump(uint8_t **place, const uint8_t *target)
{
    static const uint8_t JMP = 0xe9;
    put(place, &JMP, 1);
    int32_t distance = (int32_t)(target - (*place + sizeof distance));
    put(place, &distance, sizeof distance);
}

/* jmp *%gs:-NATIVE_STUB_ENTRY */
static void put_way_out(uint8_t **place)
{
    static const uint8_t JMP_GS[] = {0x65, 0xff, 0x24, 0x25};
    int32_t place_of_entry = -NATIVE_STUB_ENTRY;
    put(place, JMP_GS, sizeof JMP_GS);
    put(place, &place_of_entry, sizeof place_of_entry);
}

static void write_stub(const struct alc_native_code *code, uint32_t number, uint8_t *place)
{
    static const uint8_t MOV_R10D_R10D[] = {0x45, 0x89, 0xd2};
    static const uint8_t MOV_GS_R10[] = {0x65, 0x4c, 0x8b, 0x14, 0x25};
    static const uint8_t MOV_R11D[] = {0x41, 0xbb};
    const struct alc_native_stub *row = &code->image.stubs[number];
    const uint8_t *prologue = code->reservation;
    uint8_t *end = place + ALC_NATIVE_STUB_SIZE;
    bool is_indirect = row->kind == ALC_NATIVE_STUB_INDIRECT;
    bool is_reference = row->kind == ALC_NATIVE_STUB_REFERENCE;
    if (is_indirect && !code->module->tables[row->a].type.limits.is_64) {
        put(&place, MOV_R10D_R10D, sizeof MOV_R10D_R10D);
    }
    if (is_reference && alc_native_is_confined(code)) {
        int32_t slot = 8 * ALC_NATIVE_REFERENCE_SLOT - ALC_NATIVE_SLOTS;
        put(&place, MOV_GS_R10, sizeof MOV_GS_R10);
        put(&place, &slot, sizeof slot);
    }
    put(&place, MOV_R11D, sizeof MOV_R11D);
    put(&place, &number, sizeof number);
    if (is_indirect) {
        put_jump(&place, prologue);
    } else if (is_reference) {
        put_jump(&place, prologue + (alc_native_reference - alc_native_indirect));
    } else {
        put_way_out(&place);
    }
    ALC_ASSERT(place <= end);
    alc_fill(place, BREAKPOINT, (size_t)(end - place));
}

/* -- code -- */

/* Copies stubs, code and constants to pages of their own. */
static alc_status copy_code(struct alc_native_code *code, struct alc_store *store)
{
    const struct alc_pages *pages = &store->pages;
    struct alc_native_image *image = &code->image;
    size_t prologue_size = (size_t)(alc_native_prologue_end - alc_native_indirect);
    uint64_t stubs_size = (uint64_t)image->stubs_count * ALC_NATIVE_STUB_SIZE;
    uint64_t front = to_pages(prologue_size + stubs_size);
    uint64_t span = image->constants_size == 0
                        ? image->code_size
                        : (uint64_t)image->constants_distance + image->constants_size;
    code->reserved = front + to_pages(span);
    code->reservation = pages->reserve(pages->context, code->reserved);
    if (code->reservation == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    ALC_TRY(pages->commit(pages->context, code->reservation, code->reserved));
    alc_fill(code->reservation, BREAKPOINT, code->reserved);
    uint8_t *start = code->reservation + front;
    alc_copy(code->reservation, alc_native_indirect, prologue_size);
    if (image->code_size != 0) {
        alc_copy(start, image->code, image->code_size);
    }
    if (image->constants_size != 0) {
        alc_copy(start + image->constants_distance, image->constants, image->constants_size);
    }
    image->code = start;
    image->constants = start + image->constants_distance;
    for (uint32_t i = 0; i < image->stubs_count; i++) {
        write_stub(code, i, start - stubs_size + (uint64_t)i * ALC_NATIVE_STUB_SIZE);
    }
    return ALC_OK;
}

/* The copy, which nobody else can change. */
static alc_status verify(struct alc_native_code *code, struct alc_arena *arena,
                         struct alc_error *error)
{
    const struct alc_verifier_input input = alc_native_verifier_input(code);
    struct alc_verifier_report report = {.reason = ALC_WORDS("code cannot be verified")};
    code->scratch_size = alc_verifier_scratch_size(&input);
    code->scratch = alc_arena_take(arena, code->scratch_size, 16);
    if (code->scratch == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    if (!alc_native_is_confined(code)) {
        return ALC_OK;
    }
    if (!is_confinable(code->module)) {
        return alc_fail_with(error, ALC_E_NATIVE_REFUSED, ALC_NO_OFFSET,
                             ALC_WORDS("the module cannot be confined"));
    }
    bool can_be = code->scratch_size != 0 || input.code_size == 0;
    alc_status status = can_be
                            ? alc_verifier_check(&input, code->scratch, code->scratch_size, &report)
                            : ALC_E_NATIVE_REFUSED;
    return status == ALC_OK ? ALC_OK : alc_fail_with(error, status, report.offset, report.reason);
}

static alc_status take_code(struct alc_native_code *code, struct alc_store *store,
                            struct alc_arena *arena, struct alc_error *error)
{
    const struct alc_pages *pages = &store->pages;
    ALC_TRY(take_rows(code, arena, error));
    alc_status status = copy_code(code, store);
    if (status == ALC_OK) {
        status = verify(code, arena, error);
    }
    if (status == ALC_OK) {
        status = pages->execute(pages->context, code->reservation, code->reserved);
    }
    if (status != ALC_OK && code->reservation != NULL) {
        pages->release(pages->context, code->reservation, code->reserved);
    }
    return status == ALC_OK ? ALC_OK : alc_fail(error, status, ALC_NO_OFFSET);
}

/* -- the image -- */

static alc_status check_machine(const struct alc_store *store, const struct alc_native_image *image,
                                const struct alc_native_load_options *options,
                                struct alc_error *error)
{
    const struct alc_pages *pages = &store->pages;
    if (store->executor != &alc_native_executor || pages->native == NULL ||
        pages->execute == NULL) {
        return alc_fail(error, ALC_E_NOT_SUPPORTED, ALC_NO_OFFSET);
    }
    if ((image->features & ~pages->native->features) != 0) {
        return alc_fail_with(error, ALC_E_NOT_SUPPORTED, ALC_NO_OFFSET,
                             ALC_WORDS("compiled for another processor"));
    }
    if (image->shape != ALC_NATIVE_CONFINED && !options->is_vouched) {
        return alc_fail(error, ALC_E_NATIVE_NOT_VOUCHED, ALC_NO_OFFSET);
    }
    return ALC_OK;
}

alc_status alc_native_load(struct alc_store *store, struct alc_arena *arena,
                           const struct alc_native_image *image,
                           const struct alc_native_load_options *options, struct alc_module **out,
                           struct alc_error *error)
{
    const struct alc_load_options load = {.features = options->features, .types = &store->types};
    struct alc_module *module;
    ALC_TRY(check_machine(store, image, options, error));
    ALC_TRY(
        alc_module_load_compiled(arena, image->module, image->module_size, &load, &module, error));
    struct alc_native_code *code = ALC_ARENA_NEW(arena, struct alc_native_code);
    if (code == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    code->image = *image;
    code->module = module;
    code->context_size = (uint32_t)alc_native_context_size(
        module->globals_count - module->imported_counts[ALC_EXTERNAL_GLOBAL]);
    if (image->functions_count <
        module->functions_count - module->imported_counts[ALC_EXTERNAL_FUNCTION]) {
        return alc_fail_with(error, ALC_E_BAD_NATIVE_IMAGE, ALC_NO_OFFSET,
                             ALC_WORDS("functions of the module are missing"));
    }
    ALC_TRY(take_code(code, store, arena, error));
    struct alc_native_thread *thread = store->thread.native;
    thread->is_wide |= (image->features & ALC_NATIVE_V3) != 0;
    code->next = thread->codes;
    thread->codes = code;
    module->native = code;
    *out = module;
    return ALC_OK;
}
