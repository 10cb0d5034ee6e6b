/* SPDX-License-Identifier: Apache-2.0
 *
 * What handlers call as ordinary functions: bulk operations, growth, indirect calls, host
 * functions. Operations read their immediates (32 bits each) behind the handler's offset, then the
 * slot that holds the first operand and receives the result. Operands come from the guest: every
 * index is checked by the functions of memory.h and table.h.
 */
#include "exec/interp_state.h"
#include "wasm/code_make.h"

#define FIRST_IMMEDIATE read_u32(ip + 2)
#define SECOND_IMMEDIATE read_u32(ip + 4)

/* An address or size of the width that the memory or table has; i32 slots have no upper half. */
static uint64_t read_address(const uint64_t *slot, bool is_64)
{
    return is_64 ? *slot : (uint32_t)*slot;
}

static struct alc_memory *memory_of(const struct alc_instance *inst, uint32_t index)
{
    return inst->memories[index];
}

static bool is_memory_64(const struct alc_memory *memory)
{
    return memory->type.limits.is_64;
}

static bool is_table_64(const struct alc_table *table)
{
    return table->type.limits.is_64;
}

uint8_t *alc_interp_address(struct alc_instance *inst, const uint16_t *ip, const uint64_t *fp)
{
    struct alc_memory *memory = memory_of(inst, ip[2]);
    uint32_t size = ip[3] >> 1;
    uint64_t addr = read_address(fp + ip[8], (ip[3] & 1) != 0);
    return alc_memory_at(memory, addr, read_u64(ip + 4), size);
}

/* -- memories -- */

static alc_status memory_size(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    fp[ip[4]] = alc_memory_pages(memory_of(inst, FIRST_IMMEDIATE));
    return ALC_OK;
}

static alc_status memory_grow(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    struct alc_memory *memory = memory_of(inst, FIRST_IMMEDIATE);
    uint64_t *slot = fp + ip[4];
    *slot = alc_memory_grow(memory, read_address(slot, is_memory_64(memory)));
    return ALC_OK;
}

static alc_status memory_fill(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    struct alc_memory *memory = memory_of(inst, FIRST_IMMEDIATE);
    bool is_64 = is_memory_64(memory);
    const uint64_t *slot = fp + ip[4];
    return alc_memory_fill(memory, read_address(slot, is_64), (uint8_t)slot[1],
                           read_address(slot + 2, is_64));
}

static alc_status memory_copy(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    struct alc_memory *target = memory_of(inst, FIRST_IMMEDIATE);
    struct alc_memory *source = memory_of(inst, SECOND_IMMEDIATE);
    const uint64_t *slot = fp + ip[6];
    return alc_memory_copy(target, read_address(slot, is_memory_64(target)), source,
                           read_address(slot + 1, is_memory_64(source)),
                           read_address(slot + 2, is_memory_64(target) && is_memory_64(source)));
}

static alc_status memory_init(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    const struct alc_data_instance *data = &inst->data[FIRST_IMMEDIATE];
    struct alc_memory *memory = memory_of(inst, SECOND_IMMEDIATE);
    const uint64_t *slot = fp + ip[6];
    return alc_memory_init_from(memory, read_address(slot, is_memory_64(memory)), data->bytes,
                                data->size, (uint32_t)slot[1], (uint32_t)slot[2]);
}

static alc_status data_drop(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    (void)fp;
    inst->data[FIRST_IMMEDIATE].size = 0;
    return ALC_OK;
}

/* -- tables -- */

static alc_status table_get(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    const struct alc_table *table = inst->tables[FIRST_IMMEDIATE];
    uint64_t *slot = fp + ip[4];
    return alc_table_get(table, read_address(slot, is_table_64(table)), slot);
}

static alc_status table_set(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    struct alc_table *table = inst->tables[FIRST_IMMEDIATE];
    const uint64_t *slot = fp + ip[4];
    return alc_table_set(table, read_address(slot, is_table_64(table)), slot[1]);
}

static alc_status table_size(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    fp[ip[4]] = inst->tables[FIRST_IMMEDIATE]->count;
    return ALC_OK;
}

static alc_status table_grow(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    struct alc_table *table = inst->tables[FIRST_IMMEDIATE];
    uint64_t *slot = fp + ip[4];
    *slot = alc_table_grow(table, read_address(slot + 1, is_table_64(table)), *slot);
    return ALC_OK;
}

static alc_status table_fill(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    struct alc_table *table = inst->tables[FIRST_IMMEDIATE];
    const uint64_t *slot = fp + ip[4];
    return alc_table_fill(table, read_address(slot, is_table_64(table)), slot[1],
                          read_address(slot + 2, is_table_64(table)));
}

static alc_status table_copy(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    struct alc_table *target = inst->tables[FIRST_IMMEDIATE];
    struct alc_table *source = inst->tables[SECOND_IMMEDIATE];
    const uint64_t *slot = fp + ip[6];
    return alc_table_copy(target, read_address(slot, is_table_64(target)), source,
                          read_address(slot + 1, is_table_64(source)),
                          read_address(slot + 2, is_table_64(target) && is_table_64(source)));
}

static alc_status table_init(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    const struct alc_element_instance *elements = &inst->elements[FIRST_IMMEDIATE];
    struct alc_table *table = inst->tables[SECOND_IMMEDIATE];
    const uint64_t *slot = fp + ip[6];
    return alc_table_init_from(table, read_address(slot, is_table_64(table)), elements->references,
                               elements->count, (uint32_t)slot[1], (uint32_t)slot[2]);
}

static alc_status elem_drop(struct alc_instance *inst, const uint16_t *ip, uint64_t *fp)
{
    (void)fp;
    inst->elements[FIRST_IMMEDIATE].count = 0;
    return ALC_OK;
}

/* clang-format off */
alc_status alc_interp_slow(unsigned code, struct alc_instance *inst, const uint16_t *ip,
                           uint64_t *fp)
{
    switch (code) {
    case ALC_CODE_MEMORY_SIZE: return memory_size(inst, ip, fp);
    case ALC_CODE_MEMORY_GROW: return memory_grow(inst, ip, fp);
    case ALC_CODE_MEMORY_FILL: return memory_fill(inst, ip, fp);
    case ALC_CODE_MEMORY_COPY: return memory_copy(inst, ip, fp);
    case ALC_CODE_MEMORY_INIT: return memory_init(inst, ip, fp);
    case ALC_CODE_DATA_DROP: return data_drop(inst, ip, fp);
    case ALC_CODE_TABLE_GET: return table_get(inst, ip, fp);
    case ALC_CODE_TABLE_SET: return table_set(inst, ip, fp);
    case ALC_CODE_TABLE_SIZE: return table_size(inst, ip, fp);
    case ALC_CODE_TABLE_GROW: return table_grow(inst, ip, fp);
    case ALC_CODE_TABLE_FILL: return table_fill(inst, ip, fp);
    case ALC_CODE_TABLE_COPY: return table_copy(inst, ip, fp);
    case ALC_CODE_TABLE_INIT: return table_init(inst, ip, fp);
    case ALC_CODE_ELEM_DROP: return elem_drop(inst, ip, fp);
    case ALC_CODE_ATOMIC: return alc_interp_atomic(inst, ip, fp);
    default: return ALC_E_INTERNAL;
    }
}
/* clang-format on */

/* -- calls -- */

const uint16_t *alc_interp_make_code(const struct alc_instance *inst, const uint16_t *stub)
{
    struct alc_code *code =
        (struct alc_code *)((uintptr_t)stub - offsetof(struct alc_code, lazy_handler));
    return alc_code_make(inst->module, code) == ALC_OK ? alc_code_entry(code) : NULL;
}

alc_status alc_interp_find_callee(const struct alc_instance *inst, uint32_t table_index,
                                  uint64_t slot, uint32_t type_id, struct alc_function **out)
{
    const struct alc_table *table = inst->tables[table_index];
    uint64_t index = read_address(&slot, is_table_64(table));
    if (ALC_UNLIKELY(index >= table->count)) {
        return ALC_E_UNDEFINED_ELEMENT;
    }
    index = alc_index_clamp(index, table->count);
    struct alc_function *function = alc_reference_to_function(table->entries[index]);
    if (ALC_UNLIKELY(function == NULL)) {
        return ALC_E_UNINITIALIZED_ELEMENT;
    }
    if (ALC_UNLIKELY(function->type_id != type_id) &&
        !alc_type_id_matches(inst->module->types, function->type_id, type_id)) {
        return ALC_E_INDIRECT_CALL_MISMATCH;
    }
    *out = function;
    return ALC_OK;
}

alc_status alc_interp_call_host(struct interp_run *run, struct alc_instance *caller,
                                const uint16_t *return_ip, uint64_t *fp,
                                const struct alc_function *function)
{
    struct alc_thread *thread = run->thread;
    const struct alc_function_type *type = &function->type->function;
    uint32_t slots =
        type->parameters_slots > type->results_slots ? type->parameters_slots : type->results_slots;
    slots = slots == 0 ? 1 : slots; /* the caller reads the first one whatever the type */
    if ((size_t)(run->stack_limit - fp) < slots) {
        return ALC_E_CALL_STACK_EXHAUSTED;
    }
    struct alc_host_call call = {.caller = caller,
                                 .memory = caller != NULL ? caller->memory0 : NULL,
                                 .callee = function->host,
                                 .context = function->host_context,
                                 .slots = fp,
                                 .error = thread->error};
    uint64_t *stack_top = thread->stack_top;
    thread->stack_top = fp + slots;
    thread->trap.frames_count = 0;
    thread->trap.frames_omitted = 0;
    run->safepoint_ip = return_ip;
    run->safepoint_fp = fp;
    run->safepoint_instance = caller;
    run->host_type = type;
    thread->exception = ALC_REF_NULL;
    alc_status status = function->host->function(&call);
    run->host_type = NULL;
    thread->stack_top = stack_top;
    if (status == ALC_OK) { /* a trap that the host function met and forgave is not ours */
        thread->trap.frames_count = 0;
        thread->trap.frames_omitted = 0;
    }
    return status;
}

alc_status alc_interp_cross(struct interp_run *run, struct alc_instance *caller,
                            const uint16_t *return_ip, const struct alc_function *function,
                            uint64_t **fp)
{
    const struct alc_function_type *type = &function->type->function;
    uint32_t arguments_slots = type->parameters_slots;
    /* A single result that is no vector comes in an accumulator. */
    bool in_slots = type->results_count > 1 || type->results_slots > 1;
    uint64_t results_slots = in_slots ? type->results_slots : 0;
    if ((size_t)(run->stack_limit - *fp) < 2 * (size_t)arguments_slots + CROSS_SLOTS) {
        return ALC_E_CALL_STACK_EXHAUSTED;
    }
    uint64_t *record = *fp + arguments_slots;
    record[0] = (uint64_t)(uintptr_t)return_ip;
    record[1] = (uint64_t)(uintptr_t)caller;
    record[2] = results_slots << 32 | arguments_slots;
    alc_copy(record + CROSS_SLOTS, *fp, arguments_slots * sizeof **fp);
    *fp = record + CROSS_SLOTS;
    return ALC_OK;
}
