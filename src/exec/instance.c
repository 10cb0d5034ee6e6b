/* SPDX-License-Identifier: Apache-2.0
 *
 * Instantiation (spec 4.5.4): resolve, allocate, run active segments, start. Until the segments run
 * nothing of the new instance can be seen from elsewhere, so a failure takes everything back; from
 * then on objects may be referred to from shared tables and stay.
 */
#include "base/bytes.h"
#include "exec/exec_internal.h"

/* What is allocated since an attempt began, to be taken back. */
struct attempt {
    struct alc_store *store;
    struct alc_arena *arena;
    struct alc_instance *instance;
    struct alc_error *error;
    size_t arena_mark;
    struct alc_memory *memories; /* heads of the store's lists */
    struct alc_table *tables;
};

static void take_back(struct attempt *attempt)
{
    struct alc_store *store = attempt->store;
    for (; store->memories != attempt->memories; store->memories = store->memories->next) {
        alc_memory_fini(store->memories);
    }
    for (; store->tables != attempt->tables; store->tables = store->tables->next) {
        alc_table_fini(store->tables);
    }
    if (attempt->arena != store->arena) {
        alc_arena_reset(attempt->arena, attempt->arena_mark);
    }
}

static alc_status allocate_spaces(struct attempt *attempt, const struct alc_module *module)
{
    struct alc_arena *arena = attempt->arena;
    struct alc_instance *instance = ALC_ARENA_NEW(arena, struct alc_instance);
    if (instance == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    attempt->instance = instance;
    instance->module = module;
    instance->store = attempt->store;
    instance->memories = ALC_ARENA_ARRAY(arena, struct alc_memory *, module->memories_count);
    instance->tables = ALC_ARENA_ARRAY(arena, struct alc_table *, module->tables_count);
    instance->globals = ALC_ARENA_ARRAY(arena, struct alc_global *, module->globals_count);
    instance->functions = ALC_ARENA_ARRAY(arena, struct alc_function *, module->functions_count);
    instance->tags = ALC_ARENA_ARRAY(arena, struct alc_tag *, module->tags_count);
    instance->elements =
        ALC_ARENA_ARRAY(arena, struct alc_element_instance, module->elements_count);
    instance->data = ALC_ARENA_ARRAY(arena, struct alc_data_instance, module->data_count);
    bool has_all = instance->memories != NULL && instance->tables != NULL &&
                   instance->globals != NULL && instance->functions != NULL &&
                   instance->tags != NULL && instance->elements != NULL && instance->data != NULL;
    return has_all ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

/* -- imports -- */

static void place_external(struct alc_instance *instance, const struct alc_external *external,
                           uint32_t index)
{
    switch (external->kind) {
    case ALC_EXTERNAL_FUNCTION:
        instance->functions[index] = external->function;
        break;
    case ALC_EXTERNAL_TABLE:
        instance->tables[index] = external->table;
        break;
    case ALC_EXTERNAL_MEMORY:
        instance->memories[index] = external->memory;
        break;
    case ALC_EXTERNAL_GLOBAL:
        instance->globals[index] = external->global;
        break;
    case ALC_EXTERNAL_TAG:
        instance->tags[index] = external->tag;
        break;
    case ALC_EXTERNAL_KINDS:
        break;
    }
}

/* Appends what of a name can be printed. */
static void write_name(struct alc_writer *writer, struct alc_name name)
{
    for (uint32_t i = 0; i < name.size && !writer->overflowed; i++) {
        uint8_t byte = name.bytes[i];
        alc_write_u8(writer, byte < 0x20 || byte == 0x7f ? '?' : byte);
    }
}

static alc_status fail_import(struct alc_error *error, alc_status status,
                              const struct alc_import *import)
{
    char detail[ALC_ERROR_TEXT_SIZE] = {0};
    struct alc_writer writer;
    alc_writer_init(&writer, detail, sizeof detail - 1);
    write_name(&writer, import->module);
    alc_write_u8(&writer, '.');
    write_name(&writer, import->name);
    return alc_fail_with(error, status, import->offset, detail);
}

static alc_status resolve_imports(struct attempt *attempt, const struct alc_linker *linker)
{
    const struct alc_module *module = attempt->instance->module;
    for (uint32_t i = 0; i < module->imports_count; i++) {
        struct alc_external external = {0};
        const struct alc_import *import = &module->imports[i];
        alc_status status = alc_linker_resolve(linker, attempt->arena, import, &external);
        if (status != ALC_OK) {
            return fail_import(attempt->error, status, import);
        }
        place_external(attempt->instance, &external, import->index);
    }
    return ALC_OK;
}

/* -- definitions -- */

static alc_status make_functions(struct attempt *attempt)
{
    struct alc_instance *instance = attempt->instance;
    const struct alc_module *module = instance->module;
    uint32_t first = module->imported_counts[ALC_EXTERNAL_FUNCTION];
    struct alc_function *functions =
        ALC_ARENA_ARRAY(attempt->arena, struct alc_function, module->functions_count - first);
    if (functions == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = first; i < module->functions_count; i++) {
        struct alc_function *function = &functions[i - first];
        function->code = module->functions[i].code;
        function->instance = instance;
        function->type = module->functions[i].type;
        function->type_id = function->type->id;
        function->index = i;
        instance->functions[i] = function;
    }
    return ALC_OK;
}

static alc_status make_memories(struct attempt *attempt)
{
    struct alc_instance *instance = attempt->instance;
    const struct alc_module *module = instance->module;
    for (uint32_t i = module->imported_counts[ALC_EXTERNAL_MEMORY]; i < module->memories_count;
         i++) {
        ALC_TRY(alc_store_add_memory(attempt->store, attempt->arena, &module->memories[i], module,
                                     &instance->memories[i]));
    }
    instance->memory0 = module->memories_count == 0 ? NULL : instance->memories[0];
    return ALC_OK;
}

static alc_status make_globals(struct attempt *attempt)
{
    struct alc_instance *instance = attempt->instance;
    const struct alc_module *module = instance->module;
    uint32_t first = module->imported_counts[ALC_EXTERNAL_GLOBAL];
    struct alc_global *globals =
        ALC_ARENA_ARRAY(attempt->arena, struct alc_global, module->globals_count - first);
    if (globals == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = first; i < module->globals_count; i++) {
        struct alc_global *global = &globals[i - first];
        global->type = module->globals[i].type;
        ALC_TRY(alc_constant_evaluate(instance, module->globals[i].init, attempt->arena,
                                      &global->value));
        global->cell = &global->value;
        instance->globals[i] = global;
    }
    return ALC_OK;
}

static alc_status make_tables(struct attempt *attempt)
{
    struct alc_instance *instance = attempt->instance;
    const struct alc_module *module = instance->module;
    for (uint32_t i = module->imported_counts[ALC_EXTERNAL_TABLE]; i < module->tables_count; i++) {
        const struct alc_module_table *table = &module->tables[i];
        union alc_cell initial = {.slots = {ALC_REF_NULL, 0}};
        if (table->init.size != 0) {
            ALC_TRY(alc_constant_evaluate(instance, table->init, attempt->arena, &initial));
        }
        ALC_TRY(alc_store_add_table(attempt->store, attempt->arena, &table->type, initial.u64,
                                    &instance->tables[i]));
    }
    return ALC_OK;
}

static alc_status make_tags(struct attempt *attempt)
{
    struct alc_instance *instance = attempt->instance;
    const struct alc_module *module = instance->module;
    uint32_t first = module->imported_counts[ALC_EXTERNAL_TAG];
    struct alc_tag *tags =
        ALC_ARENA_ARRAY(attempt->arena, struct alc_tag, module->tags_count - first);
    if (tags == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = first; i < module->tags_count; i++) {
        tags[i - first].type_id = module->tags[i];
        instance->tags[i] = &tags[i - first];
    }
    return ALC_OK;
}

static alc_status make_element(struct attempt *attempt, const struct alc_element_segment *segment,
                               struct alc_element_instance *out)
{
    struct alc_instance *instance = attempt->instance;
    uint64_t *references = ALC_ARENA_ARRAY(attempt->arena, uint64_t, segment->count);
    if (references == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < segment->count; i++) {
        if (segment->functions != NULL) {
            references[i] = alc_reference_from_function(instance->functions[segment->functions[i]]);
            continue;
        }
        union alc_cell value;
        ALC_TRY(alc_constant_evaluate(instance, segment->expressions[i], attempt->arena, &value));
        references[i] = value.u64;
    }
    out->references = references;
    out->count = segment->count;
    return ALC_OK;
}

static alc_status make_segments(struct attempt *attempt)
{
    struct alc_instance *instance = attempt->instance;
    const struct alc_module *module = instance->module;
    for (uint32_t i = 0; i < module->elements_count; i++) {
        ALC_TRY(make_element(attempt, &module->elements[i], &instance->elements[i]));
    }
    for (uint32_t i = 0; i < module->data_count; i++) {
        instance->data[i].bytes = module->bytes + module->data[i].bytes.offset;
        instance->data[i].size = module->data[i].bytes.size;
    }
    return ALC_OK;
}

static alc_status make_definitions(struct attempt *attempt)
{
    ALC_TRY(make_functions(attempt));
    ALC_TRY(make_memories(attempt));
    ALC_TRY(make_globals(attempt));
    ALC_TRY(make_tables(attempt));
    ALC_TRY(make_tags(attempt));
    ALC_TRY(make_segments(attempt));
    alc_status (*prepare)(struct alc_instance *, struct alc_arena *) =
        attempt->store->executor->prepare;
    return prepare == NULL ? ALC_OK : prepare(attempt->instance, attempt->arena);
}

static alc_status make_instance(struct attempt *attempt, const struct alc_module *module,
                                const struct alc_linker *linker)
{
    ALC_TRY(allocate_spaces(attempt, module));
    ALC_TRY(resolve_imports(attempt, linker));
    return make_definitions(attempt);
}

/* -- for another thread -- */

static alc_status copy_host_function(struct attempt *attempt, const struct alc_function *original,
                                     const struct alc_thread_contexts *contexts, uint32_t index)
{
    struct alc_function *function = ALC_ARENA_NEW(attempt->arena, struct alc_function);
    if (function == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    *function = *original;
    if (function->host_context == contexts->first) {
        function->host_context = contexts->thread;
    }
    attempt->instance->functions[index] = function;
    return ALC_OK;
}

/* What both threads may touch: host functions, shared memories, constants, tags. */
static alc_status copy_import(struct attempt *attempt, const struct alc_instance *original,
                              const struct alc_thread_contexts *contexts,
                              const struct alc_import *import)
{
    struct alc_instance *instance = attempt->instance;
    uint32_t index = import->index;
    switch (import->kind) {
    case ALC_EXTERNAL_FUNCTION:
        if (original->functions[index]->code != NULL) {
            return ALC_E_NOT_SUPPORTED;
        }
        return copy_host_function(attempt, original->functions[index], contexts, index);
    case ALC_EXTERNAL_MEMORY:
        instance->memories[index] = original->memories[index];
        return instance->memories[index]->type.limits.is_shared ? ALC_OK : ALC_E_NOT_SUPPORTED;
    case ALC_EXTERNAL_GLOBAL:
        instance->globals[index] = original->globals[index];
        return import->global.is_mutable ? ALC_E_NOT_SUPPORTED : ALC_OK;
    case ALC_EXTERNAL_TAG:
        instance->tags[index] = original->tags[index];
        return ALC_OK;
    case ALC_EXTERNAL_TABLE:
    case ALC_EXTERNAL_KINDS:
        break;
    }
    return ALC_E_NOT_SUPPORTED;
}

static alc_status make_like(struct attempt *attempt, const struct alc_instance *original,
                            const struct alc_thread_contexts *contexts)
{
    const struct alc_module *module = original->module;
    ALC_TRY(allocate_spaces(attempt, module));
    for (uint32_t i = 0; i < module->imports_count; i++) {
        ALC_TRY(copy_import(attempt, original, contexts, &module->imports[i]));
    }
    return make_definitions(attempt);
}

/* -- what can be seen from outside -- */

static alc_status run_elements(struct attempt *attempt)
{
    struct alc_instance *instance = attempt->instance;
    const struct alc_module *module = instance->module;
    for (uint32_t i = 0; i < module->elements_count; i++) {
        const struct alc_element_segment *segment = &module->elements[i];
        struct alc_element_instance *element = &instance->elements[i];
        if (segment->mode == ALC_SEGMENT_ACTIVE) {
            union alc_cell offset;
            ALC_TRY(alc_constant_evaluate(instance, segment->offset, attempt->arena, &offset));
            alc_status status =
                alc_table_init_from(instance->tables[segment->table_index], offset.u64,
                                    element->references, element->count, 0, element->count);
            if (status != ALC_OK) {
                return alc_fail(attempt->error, status, segment->offset.offset);
            }
        }
        if (segment->mode != ALC_SEGMENT_PASSIVE) {
            *element = (struct alc_element_instance){0};
        }
    }
    return ALC_OK;
}

alc_status alc_instance_fill(struct alc_instance *instance, struct alc_arena *scratch,
                             struct alc_error *error)
{
    const struct alc_module *module = instance->module;
    for (uint32_t i = 0; i < module->data_count; i++) {
        const struct alc_data_segment *segment = &module->data[i];
        if (segment->mode != ALC_SEGMENT_ACTIVE) {
            continue;
        }
        union alc_cell offset;
        ALC_TRY(alc_constant_evaluate(instance, segment->offset, scratch, &offset));
        alc_status status = alc_memory_init_from(instance->memories[segment->memory_index],
                                                 offset.u64, module->bytes + segment->bytes.offset,
                                                 segment->bytes.size, 0, segment->bytes.size);
        if (status != ALC_OK) {
            return alc_fail(error, status, segment->offset.offset);
        }
        instance->data[i] = (struct alc_data_instance){0};
    }
    return ALC_OK;
}

static struct attempt begin(struct alc_store *store, struct alc_arena *arena,
                            struct alc_error *error)
{
    return (struct attempt){
        .store = store,
        .arena = arena,
        .error = error,
        .arena_mark = alc_arena_mark(arena),
        .memories = store->memories,
        .tables = store->tables,
    };
}

/* Ends the making of an instance, that of a good one by making it known to the store. */
static alc_status end(struct attempt *attempt, alc_status status)
{
    struct alc_store *store = attempt->store;
    if (status != ALC_OK) {
        take_back(attempt);
        return alc_fail(attempt->error, status, ALC_NO_OFFSET);
    }
    attempt->instance->next = store->instances;
    store->instances = attempt->instance;
    store->thread.trap = (struct alc_trap){0};
    return ALC_OK;
}

alc_status alc_instance_make(const struct alc_instance_plan *plan, struct alc_instance **out,
                             struct alc_error *error)
{
    struct alc_store *store = plan->store;
    struct attempt attempt = begin(store, plan->arena, error);
    ALC_ASSERT(plan->module->types == &store->types);
    /* What constant expressions make is not among the roots yet. */
    alc_gc_hold(&store->heap);
    alc_status status = make_instance(&attempt, plan->module, plan->linker);
    alc_gc_release(&store->heap);
    ALC_TRY(end(&attempt, status));
    ALC_TRY(run_elements(&attempt));
    if (!plan->leaves_data) {
        ALC_TRY(alc_instance_fill(attempt.instance, plan->arena, error));
    }
    *out = attempt.instance;
    return ALC_OK;
}

alc_status alc_instance_start(struct alc_instance *instance, struct alc_error *error)
{
    uint32_t index = instance->module->start_index;
    if (index == ALC_NO_INDEX) {
        return ALC_OK;
    }
    return alc_invoke(instance->store, instance->functions[index], NULL, NULL, error);
}

alc_status alc_instantiate(struct alc_store *store, struct alc_arena *arena,
                           const struct alc_module *module, const struct alc_linker *linker,
                           struct alc_instance **out, struct alc_error *error)
{
    const struct alc_instance_plan plan = {
        .store = store, .arena = arena, .module = module, .linker = linker};
    struct alc_instance *instance;
    ALC_TRY(alc_instance_make(&plan, &instance, error));
    ALC_TRY(alc_instance_start(instance, error));
    *out = instance;
    return ALC_OK;
}

alc_status alc_instance_new_for_thread(struct alc_store *store, struct alc_arena *arena,
                                       const struct alc_instance *original,
                                       const struct alc_thread_contexts *contexts,
                                       struct alc_instance **out, struct alc_error *error)
{
    struct attempt attempt = begin(store, arena, error);
    alc_gc_hold(&store->heap);
    alc_status status = make_like(&attempt, original, contexts);
    alc_gc_release(&store->heap);
    ALC_TRY(end(&attempt, status));
    *out = attempt.instance;
    return ALC_OK;
}

alc_status alc_instance_start_thread(struct alc_instance *instance, struct alc_arena *arena,
                                     struct alc_error *error)
{
    struct attempt attempt = begin(instance->store, arena, error);
    attempt.instance = instance;
    ALC_TRY(run_elements(&attempt));
    ALC_TRY(alc_instance_fill(instance, arena, error));
    return alc_instance_start(instance, error);
}

/* -- exports -- */

struct alc_external alc_instance_external(const struct alc_instance *instance,
                                          enum alc_external_kind kind, uint32_t index)
{
    struct alc_external external = {.kind = kind};
    switch (kind) {
    case ALC_EXTERNAL_FUNCTION:
        external.function = instance->functions[index];
        break;
    case ALC_EXTERNAL_TABLE:
        external.table = instance->tables[index];
        break;
    case ALC_EXTERNAL_MEMORY:
        external.memory = instance->memories[index];
        break;
    case ALC_EXTERNAL_GLOBAL:
        external.global = instance->globals[index];
        break;
    case ALC_EXTERNAL_TAG:
        external.tag = instance->tags[index];
        break;
    case ALC_EXTERNAL_KINDS:
        break;
    }
    return external;
}

alc_status alc_export_find(const struct alc_instance *instance, struct alc_name name,
                           struct alc_external *out)
{
    const struct alc_export *export = alc_module_find_export(instance->module, name);
    if (export == NULL) {
        return ALC_E_NOT_FOUND;
    }
    *out = alc_instance_external(instance, export->kind, export->index);
    return ALC_OK;
}

alc_status alc_export_find_function(const struct alc_instance *instance, struct alc_name name,
                                    struct alc_function **out)
{
    struct alc_external external;
    ALC_TRY(alc_export_find(instance, name, &external));
    if (external.kind != ALC_EXTERNAL_FUNCTION) {
        return ALC_E_NOT_FOUND;
    }
    *out = external.function;
    return ALC_OK;
}
