/* SPDX-License-Identifier: Apache-2.0
 *
 * Placing code: units one behind the other, constants behind them, each once, and the rows of
 * stubs, each once, in the order of their first use. Then every reference is resolved.
 */
#include "compiler/place.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "compiler/intern.h"
#include "compiler/target.h"
#include "native/x86_decode.h"

enum { FUNCTION_ALIGNMENT = 16, PAGE_SIZE = 4096 };
enum { PADDING = 0x90 }; /* nop */

/* Where the parts of one unit went. */
struct placed {
    uint32_t code;       /* offset in the code */
    uint32_t *stubs;     /* numbers of its rows */
    uint32_t *constants; /* offsets in the constants */
};

struct placer {
    const struct alc_module *module;
    enum alc_native_shape shape;
    const struct alc_object *units;
    uint32_t units_count;
    struct alc_error *error;
    struct placed *placed;
    uint8_t *code;
    uint32_t code_size;
    uint32_t *functions;
    uint32_t functions_count;
    uint8_t *constants;
    uint32_t constants_size;
    uint32_t constants_distance;
    struct alc_native_stub *stubs;
    uint32_t stubs_count;
    struct alc_native_line *lines;
    uint32_t lines_count;
};

static alc_status fail(const struct placer *p, const char *detail)
{
    return alc_fail_with(p->error, ALC_E_INTERNAL, ALC_NO_OFFSET, detail);
}

/* -- code -- */

static alc_status place_code(struct placer *p)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < p->units_count; i++) {
        p->placed[i].code = (uint32_t)size;
        size += (p->units[i].code_size + FUNCTION_ALIGNMENT - 1) & ~(FUNCTION_ALIGNMENT - 1u);
        if (size > INT32_MAX / 2) {
            return fail(p, "the code is too large");
        }
    }
    p->code_size = (uint32_t)size;
    p->code = malloc(size + ALC_X86_WINDOW_SIZE);
    p->functions = calloc((size_t)p->functions_count + 1, sizeof *p->functions);
    if (p->code == NULL || p->functions == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_fill(p->code, PADDING, size + ALC_X86_WINDOW_SIZE);
    uint32_t imported = p->module->imported_counts[ALC_EXTERNAL_FUNCTION];
    uint32_t next = 0;
    for (uint32_t i = 0; i < p->units_count; i++) {
        const struct alc_object *unit = &p->units[i];
        alc_copy(p->code + p->placed[i].code, unit->code, unit->code_size);
        for (uint32_t j = 0; j < unit->functions_count; j++) {
            const struct alc_object_function *function = &unit->functions[j];
            uint32_t offset = p->placed[i].code + function->offset;
            if (function->function_index != imported + next || offset % FUNCTION_ALIGNMENT != 0) {
                return fail(p, "functions out of order in an object file");
            }
            p->functions[next++] = offset;
        }
    }
    p->functions[next] = p->code_size;
    return next == p->functions_count ? ALC_OK : fail(p, "functions missing in an object file");
}

/* -- stubs and constants -- */

static alc_status place_stubs(struct placer *p)
{
    struct alc_intern rows;
    alc_status status = alc_intern_init(&rows);
    for (uint32_t i = 0; i < p->units_count && status == ALC_OK; i++) {
        const struct alc_object *unit = &p->units[i];
        p->placed[i].stubs = calloc((size_t)unit->stubs_count + 1, sizeof(uint32_t));
        status = p->placed[i].stubs != NULL ? ALC_OK : ALC_E_OUT_OF_MEMORY;
        for (uint32_t j = 0; j < unit->stubs_count && status == ALC_OK; j++) {
            uint32_t offset;
            status = alc_intern_add(&rows, &unit->stubs[j], sizeof unit->stubs[j],
                                    sizeof unit->stubs[j], &offset);
            p->placed[i].stubs[j] = offset / (uint32_t)sizeof unit->stubs[j];
        }
    }
    p->stubs_count = rows.size / (uint32_t)sizeof *p->stubs;
    p->stubs = alc_intern_take(&rows);
    if (status == ALC_OK && p->stubs_count > ALC_NATIVE_STUBS_MAX) {
        return fail(p, "too many stubs");
    }
    return status;
}

enum { CONSTANT_ALIGNMENT_MAX = 64 };

/* Largest alignment first, so that nothing is lost between them. */
static alc_status place_constants(struct placer *p)
{
    struct alc_intern pieces;
    alc_status status = alc_intern_init(&pieces);
    for (uint32_t i = 0; i < p->units_count && status == ALC_OK; i++) {
        p->placed[i].constants = calloc((size_t)p->units[i].constants_count + 1, sizeof(uint32_t));
        status = p->placed[i].constants != NULL ? ALC_OK : ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t alignment = CONSTANT_ALIGNMENT_MAX; alignment > 0; alignment /= 2) {
        for (uint32_t i = 0; i < p->units_count && status == ALC_OK; i++) {
            const struct alc_object *unit = &p->units[i];
            for (uint32_t j = 0; j < unit->constants_count && status == ALC_OK; j++) {
                const struct alc_object_constant *constant = &unit->constants[j];
                if (constant->alignment == alignment) {
                    status = alc_intern_add(&pieces, unit->data + constant->offset, constant->size,
                                            alignment, &p->placed[i].constants[j]);
                }
            }
        }
    }
    p->constants_size = pieces.size;
    p->constants = alc_intern_take(&pieces);
    p->constants_distance = (p->code_size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1u);
    return status;
}

/* -- references -- */

static alc_status resolve(const struct placer *p, uint32_t unit_index,
                          const struct alc_object_relocation *relocation)
{
    const struct placed *placed = &p->placed[unit_index];
    uint32_t imported = p->module->imported_counts[ALC_EXTERNAL_FUNCTION];
    uint32_t at = placed->code + relocation->offset;
    int64_t target;
    switch (relocation->kind) {
    case ALC_OBJECT_FUNCTION:
        if (relocation->number - imported >= p->functions_count) {
            return fail(p, "reference to a function that is not there");
        }
        target = p->functions[relocation->number - imported];
        break;
    case ALC_OBJECT_STUB:
        target =
            -(int64_t)ALC_NATIVE_STUB_SIZE * (p->stubs_count - placed->stubs[relocation->number]);
        break;
    case ALC_OBJECT_CONSTANT:
    default:
        target = (int64_t)p->constants_distance + placed->constants[relocation->number];
        break;
    }
    int64_t displacement = target + relocation->addend - (int64_t)at;
    if (displacement != (int32_t)displacement) {
        return fail(p, "reference out of reach");
    }
    alc_store_u32(p->code + at, (uint32_t)(int32_t)displacement);
    return ALC_OK;
}

static alc_status resolve_all(const struct placer *p)
{
    for (uint32_t i = 0; i < p->units_count; i++) {
        for (uint32_t j = 0; j < p->units[i].relocations_count; j++) {
            ALC_TRY(resolve(p, i, &p->units[i].relocations[j]));
        }
    }
    return ALC_OK;
}

/* -- the disguised context (target.h) -- */

enum { PREFIX_FS = 0x64, PREFIX_GS = 0x65 };

/* `instruction` was decoded from `bytes`: its displacement becomes that from the context's end. */
static bool uncover(uint8_t *bytes, const struct alc_x86_instruction *instruction)
{
    uint32_t disguised = (uint32_t)instruction->displacement;
    for (unsigned i = 1; i + 4 <= instruction->length; i++) {
        if (alc_load_u32(bytes + i) == disguised) {
            alc_store_u32(bytes + i, disguised - ALC_TARGET_DISGUISED_END);
            return true;
        }
    }
    return false;
}

/* With 32-bit pointers LLVM gives functions that call nothing frames of 4 bytes more than a
 * multiple of 8, which pushes never make: 4 more, at entry and exit. `bytes` is add or sub of rsp.
 */
static void round_frame(uint8_t *bytes)
{
    enum { REX_W = 0x48, BY_BYTE = 0x83, BY_WORD = 0x81, ADD_RSP = 0xc4, SUB_RSP = 0xec };
    bool is_adjustment = bytes[0] == REX_W && (bytes[1] == BY_BYTE || bytes[1] == BY_WORD) &&
                         (bytes[2] == ADD_RSP || bytes[2] == SUB_RSP);
    if (!is_adjustment) {
        return;
    }
    if (bytes[1] == BY_WORD) {
        alc_store_u32(bytes + 3, (alc_load_u32(bytes + 3) + 7) & ~UINT32_C(7));
        return;
    }
    bool is_last = bytes[3] == INT8_MAX - 3; /* 124: 128 is no signed byte, but -128 is, the other
                                              * way round */
    bytes[3] = (uint8_t)((bytes[3] + 7) & ~7);
    bytes[2] ^= is_last ? ADD_RSP ^ SUB_RSP : 0;
}

static alc_status fail_at(const struct placer *p, const char *reason, uint32_t at)
{
    char *text = alc_target_disassemble(p->code, p->code_size, at);
    (void)alc_fail_with(p->error, ALC_E_INTERNAL, at, text != NULL ? text : reason);
    free(text);
    return ALC_E_INTERNAL;
}

static alc_status uncover_function(const struct placer *p, uint32_t begin, uint32_t end)
{
    uint32_t at = begin;
    while (at < end) {
        struct alc_x86_instruction instruction;
        uint8_t *bytes = p->code + at;
        bool is_context = bytes[0] == PREFIX_FS;
        bytes[0] = is_context ? PREFIX_GS : bytes[0];
        round_frame(bytes);
        const char *reason = alc_x86_decode(bytes, &instruction);
        if (reason != NULL) {
            return fail_at(p, reason, at);
        }
        if (is_context && (instruction.memory != ALC_X86_GS || !uncover(bytes, &instruction))) {
            return fail_at(p, "context addressed by a register", at);
        }
        at += instruction.length;
    }
    return ALC_OK;
}

static alc_status uncover_all(const struct placer *p)
{
    for (uint32_t i = 0; i < p->functions_count && p->shape == ALC_NATIVE_CONFINED; i++) {
        ALC_TRY(uncover_function(p, p->functions[i], p->functions[i + 1]));
    }
    return ALC_OK;
}

/* -- lines -- */

static alc_status place_lines(struct placer *p)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < p->units_count; i++) {
        count += p->units[i].lines_count;
    }
    p->lines = calloc(count + 1, sizeof *p->lines);
    if (p->lines == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < p->units_count; i++) {
        for (uint32_t j = 0; j < p->units[i].lines_count; j++) {
            struct alc_native_line line = p->units[i].lines[j];
            line.code_offset += p->placed[i].code;
            p->lines[p->lines_count++] = line;
        }
    }
    return ALC_OK;
}

static alc_status place_all(struct placer *p)
{
    p->placed = calloc((size_t)p->units_count + 1, sizeof *p->placed);
    if (p->placed == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    ALC_TRY(place_code(p));
    ALC_TRY(place_stubs(p));
    ALC_TRY(place_constants(p));
    ALC_TRY(resolve_all(p));
    ALC_TRY(uncover_all(p));
    return place_lines(p);
}

alc_status alc_place(const struct alc_module *module, enum alc_native_shape shape,
                     const struct alc_object *units, uint32_t units_count, uint32_t helpers_count,
                     struct alc_native_image *out, struct alc_error *error)
{
    struct placer p = {.module = module,
                       .shape = shape,
                       .units = units,
                       .units_count = units_count,
                       .error = error,
                       .functions_count = module->functions_count + helpers_count -
                                          module->imported_counts[ALC_EXTERNAL_FUNCTION]};
    alc_status status = place_all(&p);
    for (uint32_t i = 0; p.placed != NULL && i < units_count; i++) {
        free(p.placed[i].stubs);
        free(p.placed[i].constants);
    }
    free(p.placed);
    out->code = p.code;
    out->code_size = p.code_size;
    out->constants = p.constants;
    out->constants_size = p.constants_size;
    out->constants_distance = p.constants_distance;
    out->functions = p.functions;
    out->functions_count = p.functions_count;
    out->stubs = p.stubs;
    out->stubs_count = p.stubs_count;
    out->lines = p.lines;
    out->lines_count = p.lines_count;
    return status;
}
