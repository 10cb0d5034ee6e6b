/* SPDX-License-Identifier: Apache-2.0
 *
 * Which modules can have the confined shape (docs/decisions/0010-native-code.md).
 */
#include "compiler/shape.h"

#include "compiler/body.h"
#include "compiler/compiler.h"

static const char *judge_memory(const struct alc_module *module)
{
    enum { PAGE_SIZE_LOG2 = 16, PAGES = 65536 };
    if (module->memories_count == 0) {
        return NULL;
    }
    const struct alc_limits *limits = &module->memories[0].limits;
    return module->memories_count > 1                         ? "several memories"
           : module->imported_counts[ALC_EXTERNAL_MEMORY] > 0 ? "an imported memory"
           : limits->is_64                                    ? "a 64-bit memory"
           : limits->is_shared                                ? "a shared memory"
           : limits->page_size_log2 != PAGE_SIZE_LOG2         ? "a custom page size"
           : limits->min >= PAGES                             ? "a memory of 4 GiB"
                                                              : NULL;
}

static bool are_traced(const struct alc_module *module, const uint32_t *types, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (alc_type_is_traced(module->types, types[i])) {
            return true;
        }
    }
    return false;
}

static bool is_traced_type(const struct alc_module *module, const struct alc_function_type *type)
{
    return are_traced(module, type->parameters, type->parameters_count) ||
           are_traced(module, type->results, type->results_count);
}

static bool has_traced_item(const struct alc_module *module)
{
    for (uint32_t i = 0; i < module->functions_count; i++) {
        if (is_traced_type(module, &module->functions[i].type->function)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < module->globals_count; i++) {
        if (alc_type_is_traced(module->types, module->globals[i].type.type)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < module->tables_count; i++) {
        if (alc_type_is_traced(module->types, module->tables[i].type.element)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < module->elements_count; i++) {
        if (alc_type_is_traced(module->types, module->elements[i].type)) {
            return true;
        }
    }
    return false;
}

static const char *judge_instruction(const struct alc_module *module, enum alc_op op,
                                     const struct alc_immediates *immediates)
{
    switch (alc_op_infos[op].feature) {
    case ALC_FEATURE_GC:
        return "instructions of garbage collection";
    case ALC_FEATURE_EXCEPTIONS:
    case ALC_FEATURE_LEGACY_EXCEPTIONS:
        return "exceptions";
    case ALC_FEATURE_THREADS:
        return "atomic instructions";
    default:
        break;
    }
    bool is_traced = false;
    if (op == ALC_OP_REF_NULL) {
        is_traced = alc_type_is_traced(module->types, ALC_TYPE_OF_REF_NULL(immediates->value_type));
    } else if (alc_op_opens_block(op)) {
        is_traced = immediates->block_type != NULL
                        ? is_traced_type(module, immediates->block_type)
                        : alc_type_is_traced(module->types, immediates->value_type);
    } else if (op == ALC_OP_CALL_INDIRECT || op == ALC_OP_CALL_REF ||
               op == ALC_OP_RETURN_CALL_INDIRECT || op == ALC_OP_RETURN_CALL_REF) {
        is_traced = is_traced_type(module, &immediates->type->function);
    }
    return is_traced ? "references to other things than functions" : NULL;
}

static const char *judge_body(const struct alc_module *module, uint32_t function_index)
{
    struct alc_body body;
    struct alc_immediates immediates;
    alc_body_init(&body, module, function_index);
    uint32_t groups = alc_body_u32(&body);
    for (uint32_t i = 0; i < groups; i++) {
        (void)alc_body_u32(&body);
        if (alc_type_is_traced(module->types, alc_body_value_type(&body))) {
            return "references to other things than functions";
        }
    }
    while (!alc_reader_at_end(&body.reader)) {
        enum alc_op op = alc_body_next(&body, &immediates);
        const char *reason = judge_instruction(module, op, &immediates);
        if (reason != NULL) {
            return reason;
        }
    }
    return NULL;
}

const char *alc_compile_unconfined(const struct alc_module *module)
{
    const char *reason = judge_memory(module);
    if (reason != NULL) {
        return reason;
    }
    if (has_traced_item(module)) {
        return "references to other things than functions";
    }
    for (uint32_t i = module->imported_counts[ALC_EXTERNAL_FUNCTION];
         i < module->functions_count && reason == NULL; i++) {
        reason = judge_body(module, i);
    }
    return reason;
}

bool alc_shape_throws(const struct alc_module *module)
{
    for (uint32_t i = module->imported_counts[ALC_EXTERNAL_FUNCTION]; i < module->functions_count;
         i++) {
        struct alc_body body;
        struct alc_immediates immediates;
        alc_body_init(&body, module, i);
        alc_body_skip_locals(&body);
        while (!alc_reader_at_end(&body.reader)) {
            unsigned feature = alc_op_infos[alc_body_next(&body, &immediates)].feature;
            if (feature == ALC_FEATURE_EXCEPTIONS || feature == ALC_FEATURE_LEGACY_EXCEPTIONS) {
                return true;
            }
        }
    }
    return false;
}
