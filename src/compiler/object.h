/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading LLVM's object files: 64-bit relocatable ELF for x86-64. They come from our own process,
 * so what is unexpected in them is an internal error, but it is looked for.
 */
#ifndef ALC_COMPILER_OBJECT_H
#define ALC_COMPILER_OBJECT_H

#include "base/status.h"
#include "native/image.h"

/* What a relocation refers to. */
enum alc_target_kind {
    ALC_OBJECT_FUNCTION, /* `number`: function index */
    ALC_OBJECT_STUB,     /* `number`: row of the unit's own stubs */
    ALC_OBJECT_CONSTANT, /* `number`: one of the unit's own constants */
};

/* Read-only data; equal ones may become one. */
struct alc_object_constant {
    uint32_t offset; /* in the unit's data */
    uint32_t size;
    uint32_t alignment;
};

/* The four bytes at `offset` of the code become target + addend - their own address. */
struct alc_object_relocation {
    uint32_t offset;
    enum alc_target_kind kind;
    uint32_t number;
    int64_t addend;
};

struct alc_object_function {
    uint32_t function_index;
    uint32_t offset; /* in the code */
    uint32_t size;
};

/* The code of one unit; everything is on the heap and owned. */
struct alc_object {
    uint8_t *code;
    uint32_t code_size;
    uint8_t *data;
    struct alc_object_constant *constants;
    uint32_t constants_count;
    struct alc_object_function *functions; /* ascending by offset */
    uint32_t functions_count;
    struct alc_object_relocation *relocations;
    uint32_t relocations_count;
    struct alc_native_stub *stubs; /* each once */
    uint32_t stubs_count;
    struct alc_native_line *lines; /* code_offset within the unit's code */
    uint32_t lines_count;
};

/* ALC_E_INTERNAL (the detail names what was not expected), ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_object_read(const uint8_t *bytes, size_t size, struct alc_object *out,
                                          struct alc_error *error);
void alc_object_free(struct alc_object *object);

/* Lines of a DWARF version 4 .debug_line section, one program whose addresses are offsets in
 * the code, as a heap array. */
ALC_MUST_CHECK alc_status alc_lines_read(const uint8_t *bytes, size_t size,
                                         struct alc_native_line **out, uint32_t *out_count);

#endif
