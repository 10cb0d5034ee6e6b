/* SPDX-License-Identifier: Apache-2.0
 *
 * The host module `spectest` that the specification's scripts import: functions that print (here:
 * do nothing), and constants, tables and memories with the values the suite documents.
 */
#include "spec/spec_core.h"

static alc_status print_nothing(struct alc_host_call *call)
{
    (void)call;
    return ALC_OK;
}

static const struct alc_host_export exports[] = {
    {"print", ":", print_nothing},           {"print_i32", "i:", print_nothing},
    {"print_i64", "I:", print_nothing},      {"print_f32", "f:", print_nothing},
    {"print_f64", "F:", print_nothing},      {"print_i32_f32", "if:", print_nothing},
    {"print_f64_f64", "FF:", print_nothing},
};

static const struct alc_host_module spectest = {"spectest", exports, ALC_ARRAY_COUNT(exports)};

static alc_status add(struct alc_spec_run *run, struct alc_name name, struct alc_external external)
{
    return alc_linker_add_external(&run->linker, ALC_NAME_OF("spectest"), name, external);
}

static alc_status add_global(struct alc_spec_run *run, struct alc_name name, uint32_t type,
                             union alc_cell value)
{
    struct alc_external external = {.kind = ALC_EXTERNAL_GLOBAL};
    struct alc_global_type global_type = {.type = type, .is_mutable = false};
    ALC_TRY(alc_store_new_global(&run->store, global_type, value, &external.global));
    return add(run, name, external);
}

static alc_status add_table(struct alc_spec_run *run, struct alc_name name, bool is_64)
{
    struct alc_external external = {.kind = ALC_EXTERNAL_TABLE};
    struct alc_table_type type = {
        .element = ALC_TYPE_FUNCREF,
        .limits = {.min = 10, .max = 20, .has_max = true, .is_64 = is_64},
    };
    ALC_TRY(alc_store_new_table(&run->store, &type, ALC_REF_NULL, &external.table));
    return add(run, name, external);
}

static alc_status add_memory(struct alc_spec_run *run, struct alc_name name, bool is_shared)
{
    struct alc_external external = {.kind = ALC_EXTERNAL_MEMORY};
    struct alc_memory_type type = {
        .limits =
            {.min = 1, .max = 2, .has_max = true, .is_shared = is_shared, .page_size_log2 = 16},
    };
    ALC_TRY(alc_store_new_memory(&run->store, &type, &external.memory));
    return add(run, name, external);
}

alc_status alc_spec_add_host(struct alc_spec_run *run)
{
    ALC_TRY(alc_linker_add_host(&run->linker, &spectest, NULL));
    ALC_TRY(add_global(run, ALC_NAME_OF("global_i32"), ALC_TYPE_I32, (union alc_cell){.u64 = 666}));
    ALC_TRY(add_global(run, ALC_NAME_OF("global_i64"), ALC_TYPE_I64, (union alc_cell){.u64 = 666}));
    union alc_cell f32 = {.u64 = 0};
    f32.f32 = 666.6f;
    ALC_TRY(add_global(run, ALC_NAME_OF("global_f32"), ALC_TYPE_F32, f32));
    ALC_TRY(
        add_global(run, ALC_NAME_OF("global_f64"), ALC_TYPE_F64, (union alc_cell){.f64 = 666.6}));
    ALC_TRY(add_table(run, ALC_NAME_OF("table"), false));
    ALC_TRY(add_table(run, ALC_NAME_OF("table64"), true));
    ALC_TRY(add_memory(run, ALC_NAME_OF("memory"), false));
    return add_memory(run, ALC_NAME_OF("shared_memory"), true);
}
