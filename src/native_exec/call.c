/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls into compiled code and what it calls that is not in its own image: functions of the host
 * and of other instances. Where they begin, confined code chose every register and slot; a type is
 * what says how much of that is looked at, and references are believed when the store has such a
 * function.
 */
#include "base/bytes.h"
#include "native_exec/native_internal.h"

_Static_assert(2 * ALC_LIMIT_PARAMETERS < ALC_NATIVE_REFERENCE_SLOT &&
                   2 * ALC_LIMIT_RESULTS < ALC_NATIVE_REFERENCE_SLOT,
               "arguments and results have room in slots, whatever their types");

/* -- where values of a type stand -- */

/* The next argument's place. */
struct placing {
    uint32_t integers;
    uint32_t vectors;
    uint32_t slots;
};

static bool is_floating(uint32_t type)
{
    return type == ALC_TYPE_F32 || type == ALC_TYPE_F64 || type == ALC_TYPE_V128;
}

static uint64_t *next_place(struct alc_native_thread *thread, uint8_t *base,
                            struct placing *placing, uint32_t type)
{
    if (is_floating(type) && placing->vectors < ALC_NATIVE_VECTOR_ARGUMENTS) {
        return thread->vectors[placing->vectors++];
    }
    if (!is_floating(type) && placing->integers < ALC_NATIVE_INTEGER_ARGUMENTS) {
        return &thread->integers[placing->integers++];
    }
    uint64_t *place = &alc_native_slots(base)[placing->slots];
    placing->slots += alc_type_slots(type);
    return place;
}

static bool gives_in_slots(const struct alc_function_type *type)
{
    return type->results_count > 1;
}

static bool has_references(const uint32_t *types, uint32_t count)
{
    bool has = false;
    for (uint32_t i = 0; i < count; i++) {
        has = has || alc_type_is_reference(types[i]);
    }
    return has;
}

uint64_t alc_native_signature(const struct alc_function_type *type)
{
    struct placing placing = {0};
    for (uint32_t i = 0; i < type->parameters_count; i++) {
        bool floating = is_floating(type->parameters[i]);
        if (floating && placing.vectors < ALC_NATIVE_VECTOR_ARGUMENTS) {
            placing.vectors++;
        } else if (!floating && placing.integers < ALC_NATIVE_INTEGER_ARGUMENTS) {
            placing.integers++;
        } else {
            placing.slots += alc_type_slots(type->parameters[i]);
        }
    }
    uint64_t results = gives_in_slots(type) ? type->results_slots : 0;
    uint64_t takes = has_references(type->parameters, type->parameters_count);
    uint64_t gives = has_references(type->results, type->results_count);
    return placing.integers | (uint64_t)placing.vectors << SIGNATURE_VECTORS |
           (uint64_t)placing.slots << SIGNATURE_ARGUMENTS | results << SIGNATURE_RESULTS |
           takes << SIGNATURE_REFERENCES | gives << SIGNATURE_GIVES_REFERENCES;
}

/* A value as an embedder sees it: i32 and f32 with an upper half of zeros. */
static void read_value(uint64_t *to, const uint64_t *from, uint32_t type)
{
    bool is_half = type == ALC_TYPE_I32 || type == ALC_TYPE_F32;
    to[0] = is_half ? (uint32_t)from[0] : from[0];
    if (type == ALC_TYPE_V128) {
        to[1] = from[1];
    }
}

/* What is done with each value of a type. */
enum pass {
    PASS_PLACE, /* from slots to where compiled code has it */
    PASS_TAKE,  /* the other way round */
    PASS_JUDGE, /* whether a reference of a confined instance is what its type says */
};

static bool pass_value(const struct alc_native_thread *thread, enum pass pass, uint32_t type,
                       uint64_t *place, uint64_t *slot)
{
    if (pass == PASS_PLACE) {
        read_value(place, slot, type);
    } else if (pass == PASS_TAKE) {
        read_value(slot, place, type);
    } else if (alc_type_is_reference(type)) {
        return alc_native_may_be(thread, *place, type);
    }
    return true;
}

/* Arguments in registers and in slots of the context at `base`. */
static bool pass_arguments(struct alc_native_thread *thread, enum pass pass, uint8_t *base,
                           const struct alc_function_type *type, uint64_t *arguments)
{
    struct placing placing = {0};
    bool is_good = true;
    for (uint32_t i = 0; i < type->parameters_count && is_good; i++) {
        uint32_t kind = type->parameters[i];
        uint64_t *place = next_place(thread, base, &placing, kind);
        is_good = pass_value(thread, pass, kind, place, arguments);
        if (pass != PASS_JUDGE) { /* which has no array */
            arguments += alc_type_slots(kind);
        }
    }
    return is_good;
}

static uint64_t *result_place(struct alc_native_thread *thread, uint8_t *base,
                              const struct alc_function_type *type, uint32_t slot)
{
    if (gives_in_slots(type)) {
        return &alc_native_slots(base)[slot];
    }
    return is_floating(type->results[0]) ? thread->result_vector : &thread->result;
}

static bool pass_results(struct alc_native_thread *thread, enum pass pass, uint8_t *base,
                         const struct alc_function_type *type, uint64_t *results)
{
    bool is_good = true;
    uint32_t slot = 0;
    for (uint32_t i = 0; i < type->results_count && is_good; i++) {
        uint32_t kind = type->results[i];
        uint64_t *place = result_place(thread, base, type, slot);
        is_good = pass_value(thread, pass, kind, place, results);
        slot += alc_type_slots(kind);
        if (pass != PASS_JUDGE) {
            results += alc_type_slots(kind);
        }
    }
    return is_good;
}

/* -- fuel: counted in the running context, kept by the store -- */

static void give_fuel(const struct alc_native_thread *thread, uint8_t *base)
{
    const struct alc_thread *running = &thread->store->thread;
    bool is_finite = running->has_fuel && running->fuel < INT64_MAX;
    alc_native_words(base)[ALC_NATIVE_WORD_FUEL] = is_finite ? running->fuel : (uint64_t)INT64_MAX;
}

static void take_fuel(const struct alc_native_thread *thread, uint8_t *base)
{
    struct alc_thread *running = &thread->store->thread;
    int64_t fuel = (int64_t)alc_native_words(base)[ALC_NATIVE_WORD_FUEL];
    if (running->has_fuel) {
        running->fuel = fuel < 0 ? 0 : (uint64_t)fuel;
    }
}

/* -- exceptions -- */

static bool catches(uint8_t *base)
{
    return (alc_native_instance_of(base)->code->image.options & ALC_NATIVE_CATCHES) != 0;
}

/* The exception in flight in a context, which has it no more. */
static uint64_t take_exception(uint8_t *base)
{
    if (alc_native_is_confined(alc_native_instance_of(base)->code)) {
        return ALC_REF_NULL;
    }
    uint64_t *word = &alc_native_words(base)[ALC_NATIVE_WORD_EXCEPTION];
    uint64_t exception = *word;
    *word = ALC_REF_NULL;
    return exception;
}

static uint32_t leave(struct alc_native_thread *thread, alc_status status)
{
    thread->status = (uint32_t)status;
    thread->stopped = (struct alc_native_place){.rsp = thread->native_rsp, .base = thread->base};
    return NATIVE_LEAVE;
}

/* The callee has returned: the trap is its caller's. */
static uint32_t leave_behind(struct alc_native_thread *thread, alc_status status)
{
    const struct alc_native_crossing *crossing = thread->crossing;
    thread->status = (uint32_t)status;
    thread->stopped = (struct alc_native_place){.rsp = (uint64_t)(uintptr_t)&crossing->return_addr,
                                                .base = crossing->base};
    return NATIVE_LEAVE;
}

/* What was reported on the way here did not happen: an exception goes on. */
static void forget_report(struct alc_thread *running)
{
    running->exception = ALC_REF_NULL;
    running->trap.frames_count = 0;
    running->trap.frames_omitted = 0;
    if (running->error != NULL) {
        alc_error_clear(running->error);
    }
}

/* Throws in the caller of the innermost crossing that looks for exceptions, past all those that do
 * not; ends the activation when there is none. */
static uint32_t throw_outwards(struct alc_native_thread *thread, uint64_t exception,
                               bool has_returned)
{
    struct alc_native_crossing *crossing = thread->crossing;
    while (crossing != NULL && !catches(crossing->base)) {
        crossing = crossing->outer;
    }
    thread->result = 0;
    thread->result_vector[0] = 0;
    thread->result_vector[1] = 0;
    if (crossing == NULL) {
        thread->store->thread.exception = exception;
        return has_returned ? leave_behind(thread, ALC_E_UNCAUGHT_EXCEPTION)
                            : leave(thread, ALC_E_UNCAUGHT_EXCEPTION);
    }
    forget_report(&thread->store->thread);
    alc_native_words(crossing->base)[ALC_NATIVE_WORD_EXCEPTION] = exception;
    thread->crossing = crossing;
    thread->roots = crossing->roots;
    return NATIVE_UNWIND;
}

/* -- functions of the host -- */

/* Calls it with arguments in `slots`, where the results go; nested activations begin below
 * `free`. */
static alc_status call_host(struct alc_native_thread *thread, struct alc_instance *caller,
                            const struct alc_function *function, uint64_t *slots, uint64_t free)
{
    struct alc_thread *running = &thread->store->thread;
    struct alc_native_host_call in_flight = {
        .outer = thread->host_calls, .type = &function->type->function, .slots = slots};
    struct alc_host_call call = {.caller = caller,
                                 .memory = caller != NULL ? caller->memory0 : NULL,
                                 .callee = function->host,
                                 .context = function->host_context,
                                 .slots = slots,
                                 .error = running->error};
    uint64_t free_before = thread->free;
    thread->free = free & ~UINT64_C(15);
    thread->host_calls = &in_flight;
    running->trap.frames_count = 0;
    running->trap.frames_omitted = 0;
    running->exception = ALC_REF_NULL;
    alc_status status = function->host->function(&call);
    thread->host_calls = in_flight.outer;
    thread->free = free_before;
    if (status == ALC_OK) { /* a trap that the host function met and forgave is not ours */
        running->trap.frames_count = 0;
        running->trap.frames_omitted = 0;
    }
    return status;
}

static uint64_t host_slots(const struct alc_function_type *type)
{
    uint64_t slots =
        type->parameters_slots > type->results_slots ? type->parameters_slots : type->results_slots;
    return slots == 0 ? 1 : slots;
}

/* Room for `size` bytes on the native stack below `rsp`; NULL when there is none. */
static uint64_t *take_room(const struct alc_native_thread *thread, uint64_t rsp, uint64_t size)
{
    uint64_t low = (uint64_t)(uintptr_t)thread->stack_low + NATIVE_STACK_MARGIN;
    if (rsp < low || rsp - low < size) {
        return NULL;
    }
    return (uint64_t *)(uintptr_t)((rsp - size) & ~UINT64_C(15));
}

static uint32_t host_failed(struct alc_native_thread *thread, alc_status status)
{
    uint64_t exception = thread->store->thread.exception;
    if (status != ALC_E_UNCAUGHT_EXCEPTION || exception == ALC_REF_NULL) {
        return leave(thread, status);
    }
    if (!catches(thread->base)) {
        return throw_outwards(thread, exception, false);
    }
    forget_report(&thread->store->thread);
    alc_native_words(thread->base)[ALC_NATIVE_WORD_EXCEPTION] = exception;
    thread->result = 0;
    return NATIVE_RETURN;
}

/* A call by the running instance. */
static uint32_t enter_host(struct alc_native_thread *thread, struct alc_native_instance *instance,
                           const struct alc_function *function)
{
    const struct alc_function_type *type = &function->type->function;
    uint64_t *slots =
        take_room(thread, thread->native_rsp, host_slots(type) * sizeof *slots + sizeof *slots);
    if (slots == NULL) {
        return leave(thread, ALC_E_CALL_STACK_EXHAUSTED);
    }
    if (alc_native_is_confined(instance->code) &&
        !pass_arguments(thread, PASS_JUDGE, instance->base, type, NULL)) {
        return leave(thread, ALC_E_CAST_FAILURE);
    }
    (void)pass_arguments(thread, PASS_TAKE, instance->base, type, slots);
    take_fuel(thread, instance->base);
    alc_status status =
        call_host(thread, instance->instance, function, slots, (uint64_t)(uintptr_t)slots);
    give_fuel(thread, instance->base);
    alc_native_refresh(thread, instance);
    thread->result = 0;
    thread->result_vector[0] = 0;
    thread->result_vector[1] = 0;
    if (status != ALC_OK) {
        return host_failed(thread, status);
    }
    (void)pass_results(thread, PASS_PLACE, instance->base, type, slots);
    return NATIVE_RETURN;
}

/* -- functions of other instances, and those of the own one that a stub did not find -- */

/* What the callee's context has to say of the caller's world; the caller's registers that are no
 * arguments become 0. */
static void cross_over(struct alc_native_thread *thread, uint8_t *from, uint8_t *to,
                       uint64_t signature)
{
    uint64_t slots = (signature >> SIGNATURE_ARGUMENTS) & 0xffffff;
    for (uint64_t i = signature & 15; i < ALC_NATIVE_INTEGER_ARGUMENTS; i++) {
        thread->integers[i] = 0;
    }
    for (uint64_t i = (signature >> SIGNATURE_VECTORS) & 15; i < ALC_NATIVE_VECTOR_ARGUMENTS; i++) {
        thread->vectors[i][0] = 0;
        thread->vectors[i][1] = 0;
    }
    if (slots != 0 && from != to) {
        alc_copy(alc_native_slots(to), alc_native_slots(from), slots * sizeof(uint64_t));
    }
    alc_native_words(to)[ALC_NATIVE_WORD_FUEL] = alc_native_words(from)[ALC_NATIVE_WORD_FUEL];
    alc_native_refresh(thread, alc_native_instance_of(to));
}

/* Whether who called will return to trusted code at once: a tail call, which needs no crossing of
 * its own, so that any number of them take no stack. */
static bool is_tail_call(const struct alc_native_thread *thread)
{
    const uint8_t *return_addr = *(const uint8_t *const *)(uintptr_t)thread->native_rsp;
    return return_addr == alc_native_crossing_return || return_addr == alc_native_entry_return;
}

static uint32_t enter_function(struct alc_native_thread *thread,
                               struct alc_native_instance *instance, struct alc_function *function)
{
    if (function->native == NULL) {
        return enter_host(thread, instance, function);
    }
    uint8_t *to = (uint8_t *)(uintptr_t)function->native_base;
    uint64_t signature = function->native_crossing;
    bool has_reference = (signature >> SIGNATURE_REFERENCES & 1) != 0;
    if (has_reference && alc_native_is_confined(instance->code) &&
        !pass_arguments(thread, PASS_JUDGE, instance->base, &function->type->function, NULL)) {
        return leave(thread, ALC_E_CAST_FAILURE);
    }
    bool is_tail = is_tail_call(thread);
    if (!is_tail &&
        take_room(thread, thread->native_rsp, sizeof(struct alc_native_crossing)) == NULL) {
        return leave(thread, ALC_E_CALL_STACK_EXHAUSTED);
    }
    cross_over(thread, instance->base, to, signature);
    thread->callee = function;
    thread->call_code = function->native;
    thread->call_base = to;
    return is_tail ? NATIVE_TAIL_CALL : NATIVE_CALL;
}

uint32_t alc_native_returned(struct alc_native_thread *thread)
{
    struct alc_native_crossing *crossing = thread->crossing;
    const struct alc_function_type *type = &crossing->callee->type->function;
    uint64_t signature = crossing->callee->native_crossing;
    uint8_t *from = thread->base; /* of whoever was called last: tail calls may have led on */
    uint8_t *to = crossing->base;
    uint64_t exception = take_exception(from);
    alc_native_words(to)[ALC_NATIVE_WORD_FUEL] = alc_native_words(from)[ALC_NATIVE_WORD_FUEL];
    if (exception != ALC_REF_NULL) {
        return throw_outwards(thread, exception, true);
    }
    uint64_t slots = (signature >> SIGNATURE_RESULTS) & 0xffffff;
    bool has_reference = (signature >> SIGNATURE_GIVES_REFERENCES & 1) != 0;
    if (has_reference && alc_native_is_confined(alc_native_instance_of(from)->code) &&
        !pass_results(thread, PASS_JUDGE, from, type, NULL)) {
        return leave_behind(thread, ALC_E_CAST_FAILURE);
    }
    if (slots != 0 && from != to) {
        alc_copy(alc_native_slots(to), alc_native_slots(from), slots * sizeof(uint64_t));
    }
    bool is_vector = type->results_count == 1 && is_floating(type->results[0]);
    if (is_vector || type->results_count != 1) {
        thread->result = 0;
    }
    if (!is_vector) {
        thread->result_vector[0] = 0;
    }
    if (!is_vector || type->results[0] != ALC_TYPE_V128) {
        thread->result_vector[1] = 0;
    }
    alc_native_refresh(thread, alc_native_instance_of(to));
    return NATIVE_RETURN;
}

/* -- stubs -- */

static alc_status find_indirect(const struct alc_native_instance *instance,
                                const struct alc_native_callees *callees, uint64_t index,
                                struct alc_function **out)
{
    const struct alc_table *table = callees->table;
    if (index >= table->count) {
        return ALC_E_UNDEFINED_ELEMENT;
    }
    struct alc_function *function =
        alc_reference_to_function(table->entries[alc_index_clamp(index, table->count)]);
    if (function == NULL) {
        return ALC_E_UNINITIALIZED_ELEMENT;
    }
    if (!alc_type_id_matches(instance->instance->module->types, function->type_id,
                             callees->type_id)) {
        return ALC_E_INDIRECT_CALL_MISMATCH;
    }
    *out = function;
    return ALC_OK;
}

static alc_status find_reference(const struct alc_native_thread *thread,
                                 const struct alc_native_instance *instance,
                                 const struct alc_native_callees *callees, uint64_t reference,
                                 struct alc_function **out)
{
    if (reference == ALC_REF_NULL) {
        return ALC_E_NULL_FUNCTION;
    }
    if (alc_native_is_confined(instance->code) &&
        !alc_native_may_be(thread, reference, ALC_TYPE_OF_REF(callees->type_id))) {
        return ALC_E_CAST_FAILURE;
    }
    *out = alc_reference_to_function(reference);
    return ALC_OK;
}

uint32_t alc_native_stub(struct alc_native_thread *thread, struct alc_native_instance *instance,
                         uint32_t stub, uint64_t operand)
{
    bool is_found = (stub >> NATIVE_STUB_FOUND) != 0;
    uint32_t number = stub & ((UINT32_C(1) << NATIVE_STUB_FOUND) - 1);
    ALC_ASSERT(number < instance->code->image.stubs_count);
    const struct alc_native_stub *row = &instance->code->image.stubs[number];
    const struct alc_native_callees *callees = &instance->callees[number];
    struct alc_function *function = NULL;
    alc_status status = ALC_OK;
    switch ((enum alc_native_stub_kind)row->kind) {
    case ALC_NATIVE_STUB_IMPORT:
        function = instance->instance->functions[row->a];
        break;
    case ALC_NATIVE_STUB_INDIRECT:
        if (is_found) { /* it stands in the table, but the type differs, or the instance */
            function = alc_reference_to_function(operand);
            status = alc_type_id_matches(instance->instance->module->types, function->type_id,
                                         callees->type_id)
                         ? ALC_OK
                         : ALC_E_INDIRECT_CALL_MISMATCH;
        } else {
            status = find_indirect(instance, callees, operand, &function);
        }
        break;
    case ALC_NATIVE_STUB_REFERENCE:
        status = find_reference(thread, instance, callees, operand, &function);
        break;
    case ALC_NATIVE_STUB_OPERATION:
        thread->result = 0;
        thread->result_vector[0] = 0;
        thread->result_vector[1] = 0;
        status = instance->code->operations[number](thread, instance, row,
                                                    alc_native_slots(instance->base));
        return status == ALC_OK ? NATIVE_RETURN : leave(thread, status);
    case ALC_NATIVE_STUB_KINDS:
        ALC_ABORT("kind of a stub");
    }
    if (status != ALC_OK) {
        return leave(thread, status);
    }
    ALC_ASSERT(function != NULL);
    return enter_function(thread, instance, function);
}

/* -- the way in -- */

static alc_status call_compiled(struct alc_native_thread *thread, struct alc_function *function,
                                const uint64_t *arguments, uint64_t *results)
{
    const struct alc_native_support *support = thread->store->pages.native;
    const struct alc_function_type *type = &function->type->function;
    uint8_t *base = (uint8_t *)(uintptr_t)function->native_base;
    struct alc_native_roots *roots = thread->roots;
    if (take_room(thread, thread->free, 0) == NULL) {
        return ALC_E_CALL_STACK_EXHAUSTED;
    }
    /* Registers without an argument are 0. Arguments are only read. */
    alc_fill(thread->integers, 0, sizeof thread->integers);
    alc_fill(thread->vectors, 0, sizeof thread->vectors);
    (void)pass_arguments(thread, PASS_PLACE, base, type, (uint64_t *)(uintptr_t)arguments);
    give_fuel(thread, base);
    alc_native_refresh(thread, alc_native_instance_of(base));
    thread->call_code = function->native;
    thread->call_base = base;
    thread->start = thread->free;
    struct alc_native_thread *before = support->watch(support->context, thread);
    alc_status status = (alc_status)alc_native_enter(thread);
    (void)support->watch(support->context, before);
    uint8_t *last = thread->call_base;
    take_fuel(thread, last);
    thread->roots = roots;
    uint64_t exception = take_exception(last);
    if (status == ALC_OK && exception != ALC_REF_NULL) {
        thread->store->thread.exception = exception;
        thread->stopped =
            exception == thread->thrown ? thread->thrower : (struct alc_native_place){0};
        status = ALC_E_UNCAUGHT_EXCEPTION;
    }
    bool is_confined = alc_native_is_confined(alc_native_instance_of(last)->code);
    if (status == ALC_OK && is_confined && !pass_results(thread, PASS_JUDGE, last, type, NULL)) {
        thread->stopped = (struct alc_native_place){0};
        status = ALC_E_CAST_FAILURE;
    }
    if (status != ALC_OK && alc_status_class(status) != ALC_CLASS_EXIT) {
        alc_native_trace(thread);
    }
    if (status == ALC_OK) {
        (void)pass_results(thread, PASS_TAKE, last, type, results);
    }
    return status;
}

/* A host function that the embedder itself calls. */
static alc_status call_host_directly(struct alc_native_thread *thread,
                                     const struct alc_function *function, const uint64_t *arguments,
                                     uint64_t *results)
{
    const struct alc_function_type *type = &function->type->function;
    uint64_t *slots = take_room(thread, thread->free, host_slots(type) * sizeof *slots);
    if (slots == NULL) {
        return ALC_E_CALL_STACK_EXHAUSTED;
    }
    if (type->parameters_slots != 0) {
        alc_copy(slots, arguments, type->parameters_slots * sizeof *slots);
    }
    ALC_TRY(call_host(thread, NULL, function, slots, (uint64_t)(uintptr_t)slots));
    for (uint32_t i = 0, slot = 0; i < type->results_count; i++) {
        read_value(results + slot, slots + slot, type->results[i]);
        slot += alc_type_slots(type->results[i]);
    }
    return ALC_OK;
}

alc_status alc_native_call(struct alc_store *store, struct alc_function *function,
                           const uint64_t *arguments, uint64_t *results)
{
    struct alc_thread *running = &store->thread;
    running->trap.frames_count = 0;
    running->trap.frames_omitted = 0;
    running->exception = ALC_REF_NULL;
    alc_status status = function->native != NULL
                            ? call_compiled(running->native, function, arguments, results)
                            : call_host_directly(running->native, function, arguments, results);
    running->trap.status = status;
    return status;
}
