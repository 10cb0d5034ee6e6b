/* SPDX-License-Identifier: Apache-2.0
 *
 * Code on demand. The validator that has seen all bodies of the module is kept for emission: its
 * stacks are as large as the largest body needs, so a function's code takes little but its own
 * room. The heap only grows: code lies in it in the order in which it was made, and a list in that
 * order is sorted by address.
 */
#include "wasm/code_make.h"

#include "base/bytes.h"
#include "wasm/validate.h"

struct alc_code_maker {
    struct alc_code_heap *heap;
    struct alc_validator *validator;
    uint32_t *made; /* functions that have code, in the order of its addresses */
    uint32_t made_count;
};

static void take_heap(struct alc_code_heap *heap)
{
    while (__atomic_test_and_set(&heap->is_busy, __ATOMIC_ACQUIRE)) {
        __builtin_ia32_pause();
    }
}

static void give_heap(struct alc_code_heap *heap)
{
    __atomic_clear(&heap->is_busy, __ATOMIC_RELEASE);
}

static alc_status make_all(const struct alc_module *module)
{
    for (uint32_t i = module->imported_counts[ALC_EXTERNAL_FUNCTION]; i < module->functions_count;
         i++) {
        ALC_TRY(alc_code_make(module, module->functions[i].code));
    }
    return ALC_OK;
}

alc_status alc_code_maker_new(struct alc_arena *arena, struct alc_module *module,
                              const struct alc_load_options *options,
                              struct alc_validator *validator)
{
    uint32_t first = module->imported_counts[ALC_EXTERNAL_FUNCTION];
    uint32_t count = module->functions_count - first;
    struct alc_code_maker *maker = ALC_ARENA_NEW(arena, struct alc_code_maker);
    struct alc_code *codes = ALC_ARENA_ARRAY(arena, struct alc_code, count);
    uint32_t *made = ALC_ARENA_ARRAY(arena, uint32_t, count);
    ALC_ASSERT(options->code_heap != NULL);
    if (maker == NULL || codes == NULL || made == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        codes[i].lazy_handler = alc_code_handler(module->target, ALC_CODE_LAZY);
        codes[i].units = (const uint16_t *)(const void *)&codes[i].lazy_handler;
        codes[i].function_index = first + i;
        module->functions[first + i].code = &codes[i];
    }
    *maker =
        (struct alc_code_maker){.heap = options->code_heap, .validator = validator, .made = made};
    alc_validator_set_target(validator, module->target, &maker->heap->arena);
    module->code_maker = maker;
    return options->is_eager ? make_all(module) : ALC_OK;
}

alc_status alc_code_make(const struct alc_module *module, struct alc_code *code)
{
    struct alc_code_maker *maker = module->code_maker;
    struct alc_code made;
    alc_status status = ALC_OK;
    take_heap(maker->heap);
    if (code->units_count == 0) {
        status = alc_validate_function(maker->validator, code->function_index, &made);
        /* The body has been validated before. */
        ALC_ASSERT(status == ALC_OK || status == ALC_E_OUT_OF_MEMORY);
    }
    if (code->units_count == 0 && status == ALC_OK) {
        const size_t start = offsetof(struct alc_code, units_count);
        alc_copy((uint8_t *)code + start, (const uint8_t *)&made + start, sizeof made - start);
        maker->made[maker->made_count++] = code->function_index;
        __atomic_store_n(&code->units, made.units, __ATOMIC_RELEASE);
    }
    give_heap(maker->heap);
    return status;
}

const struct alc_code *alc_code_find(const struct alc_module *module, const uint16_t *unit)
{
    struct alc_code_maker *maker = module->code_maker;
    const struct alc_code *found = NULL;
    take_heap(maker->heap);
    uint32_t low = 0;
    uint32_t high = maker->made_count;
    while (low < high && found == NULL) {
        uint32_t middle = low + (high - low) / 2;
        const struct alc_code *code = module->functions[maker->made[middle]].code;
        if (unit < code->units) {
            high = middle;
        } else if (unit >= code->units + code->units_count) {
            low = middle + 1;
        } else {
            found = code;
        }
    }
    give_heap(maker->heap);
    return found;
}
