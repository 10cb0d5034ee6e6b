/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables behind a function's units (code.h), in their order.
 */
#include "wasm/emit.h"

#include "base/bytes.h"

enum { TABLES = 4 };

struct table {
    const void *items;
    size_t size;
};

static void list_tables(const struct alc_emitter *e, struct table tables[TABLES])
{
    tables[0] = (struct table){e->handlers, e->handlers_count * sizeof *e->handlers};
    tables[1] = (struct table){e->safepoints, e->safepoints_count * sizeof *e->safepoints};
    tables[2] = (struct table){e->roots, e->roots_count * sizeof *e->roots};
    tables[3] = (struct table){e->clauses, e->clauses_count * sizeof *e->clauses};
}

size_t alc_emit_tables_size(const struct alc_emitter *e)
{
    struct table tables[TABLES];
    size_t size = (e->count & 1) * sizeof *e->units; /* padding */
    list_tables(e, tables);
    for (unsigned i = 0; i < TABLES; i++) {
        size += tables[i].size;
    }
    return size;
}

void alc_emit_keep_tables(const struct alc_emitter *e, uint8_t *end)
{
    struct table tables[TABLES];
    list_tables(e, tables);
    for (unsigned i = TABLES; i > 0; i--) {
        end -= tables[i - 1].size;
        if (tables[i - 1].size != 0) {
            alc_copy(end, tables[i - 1].items, tables[i - 1].size);
        }
    }
}
