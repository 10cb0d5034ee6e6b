/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding of what appears inside instructions as well as in sections: value types, heap types,
 * block types, memory immediates are validate's own. Shared by decode*.c and validate.
 */
#ifndef ALC_WASM_DECODE_H
#define ALC_WASM_DECODE_H

#include "wasm/module.h"

/* Reads a value type; concrete heap types come out as canonical ids. Only type indices below
 * module->types_count are known (else ALC_E_UNKNOWN_TYPE). Types of features that are off are
 * malformed (ALC_E_BAD_TYPE). */
ALC_MUST_CHECK alc_status alc_decode_value_type(struct alc_reader *reader,
                                                const struct alc_module *module, uint32_t *out);
/* Reads a reference type (element type of tables and segments). */
ALC_MUST_CHECK alc_status alc_decode_reference_type(struct alc_reader *reader,
                                                    const struct alc_module *module, uint32_t *out);
/* Reads a heap type: a canonical id or enum alc_heap. */
ALC_MUST_CHECK alc_status alc_decode_heap_type(struct alc_reader *reader,
                                               const struct alc_module *module, uint32_t *out);
/* Reads a type index and gives the type behind it (canonical). */
ALC_MUST_CHECK alc_status alc_decode_type_index(struct alc_reader *reader,
                                                const struct alc_module *module,
                                                const struct alc_type **out);

#endif
