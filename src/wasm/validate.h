/* SPDX-License-Identifier: Apache-2.0
 *
 * Validation of function bodies and constant expressions (spec 3.4, 7.3 "validation algorithm"):
 * a pass over the bytes, which are hostile, that also emits the interpreter's code (code.h) when
 * there is a target. Everything that bodies refer to has been decoded and checked before: types,
 * imports, functions, tables, memories, globals, tags, elements' types, counts of data segments.
 */
#ifndef ALC_WASM_VALIDATE_H
#define ALC_WASM_VALIDATE_H

#include "wasm/code.h"
#include "wasm/module.h"

struct alc_validator;

/* Makes a validator for the bodies of `module`, of which everything before the code section (and
 * the data count) is decoded. All memory comes from `arena`. With a target it emits, and
 * functions[i].code of every defined function MUST be set. ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_validator_new(struct alc_arena *arena,
                                            const struct alc_module *module,
                                            const struct alc_code_target *target,
                                            struct alc_error *error, struct alc_validator **out);

/* From now on it emits for `target`, takes memory from `arena` and reports no offsets. */
void alc_validator_set_target(struct alc_validator *validator, const struct alc_code_target *target,
                              struct alc_arena *arena);

/* Validates the body (functions[function_index].body) of a defined function and, with a target,
 * emits and fills `code` (else NULL). Classes MALFORMED and INVALID, ALC_E_OUT_OF_MEMORY. A failure
 * leaves the validator fit for use. */
ALC_MUST_CHECK alc_status alc_validate_function(struct alc_validator *validator,
                                                uint32_t function_index, struct alc_code *code);

/* The instruction with a number, behind a prefix or (0) without; ALC_OP_ILLEGAL when there is none.
 * `_of_all` knows the ones that are not constant, too; for `_of_constant` they do not exist. */
typedef enum alc_op alc_constant_op_function(uint8_t prefix, uint32_t number, uint8_t *feature);
alc_constant_op_function alc_constant_op_of_all;
alc_constant_op_function alc_constant_op_of_constant;

/* Validates the constant expression at `reader`, which moves behind its `end`: it must leave one
 * value of `type` and may read immutable globals below `globals_count` only. Functions it names
 * become declared. */
ALC_MUST_CHECK alc_status alc_validate_constant(struct alc_module *module,
                                                struct alc_reader *reader, uint32_t type,
                                                uint32_t globals_count,
                                                alc_constant_op_function *find);

/* File offset of the instruction that `unit` (index into code->units) was made for: validates and
 * emits the body once more in `scratch` and watches. 0 when scratch is too small. For traps. */
uint32_t alc_code_find_offset(const struct alc_module *module, uint32_t function_index,
                              const struct alc_code_target *target, uint32_t unit,
                              struct alc_arena *scratch);

#endif
