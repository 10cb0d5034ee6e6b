/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks names up in the name section where it stands. The section is hostile and optional: every
 * damage means "no name", and names that are not UTF-8 are not given out.
 */
#include "wasm/names.h"

#include "base/utf8.h"

enum { SUBSECTION_MODULE = 0, SUBSECTION_FUNCTIONS = 1 };

/* Finds a subsection; false when it is not there. */
static bool find_subsection(const struct alc_module *module, uint8_t wanted, struct alc_reader *out)
{
    struct alc_reader reader;
    alc_module_reader(module, module->names, NULL, &reader);
    while (!alc_reader_at_end(&reader)) {
        uint8_t id;
        uint32_t size;
        if (alc_read_u8(&reader, &id) != ALC_OK || alc_read_leb_u32(&reader, &size) != ALC_OK ||
            alc_read_sub(&reader, size, out) != ALC_OK) {
            return false;
        }
        if (id == wanted) {
            return true;
        }
    }
    return false;
}

static bool read_name(struct alc_reader *reader, struct alc_name *out)
{
    return alc_read_leb_u32(reader, &out->size) == ALC_OK &&
           alc_read_bytes(reader, out->size, &out->bytes) == ALC_OK;
}

bool alc_name_find_module(const struct alc_module *module, struct alc_name *out)
{
    struct alc_reader reader;
    struct alc_name name;
    if (!find_subsection(module, SUBSECTION_MODULE, &reader) || !read_name(&reader, &name) ||
        !alc_utf8_is_valid(name.bytes, name.size)) {
        return false;
    }
    *out = name;
    return true;
}

static bool find_in_section(const struct alc_module *module, uint32_t function_index,
                            struct alc_name *out)
{
    struct alc_reader reader;
    struct alc_name name;
    uint32_t count;
    if (!find_subsection(module, SUBSECTION_FUNCTIONS, &reader) ||
        alc_read_leb_u32(&reader, &count) != ALC_OK) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index;
        if (alc_read_leb_u32(&reader, &index) != ALC_OK || !read_name(&reader, &name)) {
            return false;
        }
        if (index == function_index) {
            *out = name;
            return alc_utf8_is_valid(name.bytes, name.size);
        }
    }
    return false;
}

bool alc_name_find_function(const struct alc_module *module, uint32_t function_index,
                            struct alc_name *out)
{
    if (find_in_section(module, function_index, out)) {
        return true;
    }
    for (uint32_t i = 0; i < module->exports_count; i++) {
        const struct alc_export *export = &module->exports[i];
        if (export->kind == ALC_EXTERNAL_FUNCTION && export->index == function_index) {
            *out = export->name;
            return true;
        }
    }
    const struct alc_import *import =
        alc_module_find_import(module, ALC_EXTERNAL_FUNCTION, function_index);
    if (import == NULL) {
        return false;
    }
    *out = import->name;
    return true;
}
