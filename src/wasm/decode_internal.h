/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the decoder share. Each section has one function; alc_module_load calls them in
 * the order of the format.
 */
#ifndef ALC_WASM_DECODE_INTERNAL_H
#define ALC_WASM_DECODE_INTERNAL_H

#include "wasm/decode.h"
#include "wasm/validate.h"

/* One module being loaded. */
struct alc_decoder {
    struct alc_module *module;
    struct alc_arena *arena;
    struct alc_error *error;
    /* The recursion group being decoded: type indices from module->types_count on, this many. */
    uint32_t group_count;
    uint32_t functions_declared; /* by the function section */
    bool has_code;
    alc_constant_op_function *find_constant_op;
};

/* Section contents, `reader` limited to them. */
alc_status alc_decode_types(struct alc_decoder *decoder, struct alc_reader *reader) ALC_MUST_CHECK;
alc_status alc_decode_imports(struct alc_decoder *decoder,
                              struct alc_reader *reader) ALC_MUST_CHECK;
alc_status alc_decode_functions(struct alc_decoder *decoder,
                                struct alc_reader *reader) ALC_MUST_CHECK;
alc_status alc_decode_tables(struct alc_decoder *decoder, struct alc_reader *reader) ALC_MUST_CHECK;
alc_status alc_decode_memories(struct alc_decoder *decoder,
                               struct alc_reader *reader) ALC_MUST_CHECK;
alc_status alc_decode_tags(struct alc_decoder *decoder, struct alc_reader *reader) ALC_MUST_CHECK;
alc_status alc_decode_globals(struct alc_decoder *decoder,
                              struct alc_reader *reader) ALC_MUST_CHECK;
alc_status alc_decode_exports(struct alc_decoder *decoder,
                              struct alc_reader *reader) ALC_MUST_CHECK;
alc_status alc_decode_start(struct alc_decoder *decoder, struct alc_reader *reader) ALC_MUST_CHECK;
alc_status alc_decode_elements(struct alc_decoder *decoder,
                               struct alc_reader *reader) ALC_MUST_CHECK;
alc_status alc_decode_data_count(struct alc_decoder *decoder,
                                 struct alc_reader *reader) ALC_MUST_CHECK;
alc_status alc_decode_code(struct alc_decoder *decoder, struct alc_reader *reader) ALC_MUST_CHECK;
alc_status alc_decode_data(struct alc_decoder *decoder, struct alc_reader *reader) ALC_MUST_CHECK;

/* Pieces. */
alc_status alc_decode_name(struct alc_reader *reader, struct alc_name *out) ALC_MUST_CHECK;
/* A value type, heap type or storage type while a recursion group may be open. */
alc_status alc_decode_value_type_in(const struct alc_decoder *decoder, struct alc_reader *reader,
                                    uint32_t *out) ALC_MUST_CHECK;
alc_status alc_decode_storage_type_in(const struct alc_decoder *decoder, struct alc_reader *reader,
                                      uint32_t *out) ALC_MUST_CHECK;
alc_status alc_decode_table_type(const struct alc_decoder *decoder, struct alc_reader *reader,
                                 struct alc_table_type *out) ALC_MUST_CHECK;
alc_status alc_decode_memory_type(const struct alc_decoder *decoder, struct alc_reader *reader,
                                  struct alc_memory_type *out) ALC_MUST_CHECK;
alc_status alc_decode_global_type(const struct alc_decoder *decoder, struct alc_reader *reader,
                                  struct alc_global_type *out) ALC_MUST_CHECK;
alc_status alc_decode_tag_type(const struct alc_decoder *decoder, struct alc_reader *reader,
                               uint32_t *out_type_id) ALC_MUST_CHECK;
/* A type index that must name a function type. */
alc_status alc_decode_function_type(const struct alc_decoder *decoder, struct alc_reader *reader,
                                    uint32_t *out_type_index) ALC_MUST_CHECK;
/* Fails with FEATURE_DISABLED and the feature's name, at `offset`, unless it is on. */
alc_status alc_need_feature(const struct alc_module *module, enum alc_feature feature,
                            struct alc_error *error, uint64_t offset) ALC_MUST_CHECK;
/* A constant expression of type `type`; validated, marks the functions it names as declared. */
alc_status alc_decode_constant(struct alc_decoder *decoder, struct alc_reader *reader,
                               uint32_t type, struct alc_code_range *out) ALC_MUST_CHECK;

/* Sorts the exports and refuses duplicates. `offset` is that of the export section. */
alc_status alc_exports_index(struct alc_module *module, struct alc_arena *arena,
                             struct alc_error *error, uint64_t offset) ALC_MUST_CHECK;

#endif
