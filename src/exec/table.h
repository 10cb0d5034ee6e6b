/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of references (exec/reference.h). `entries` moves when a table grows: load it anew after
 * anything that may grow.
 */
#ifndef ALC_EXEC_TABLE_H
#define ALC_EXEC_TABLE_H

#include "exec/memory.h"
#include "exec/reference.h"

struct alc_table {
    uint64_t *entries;  /* first */
    uint64_t count;     /* entries now */
    uint64_t count_max; /* declared maximum and ALC_LIMIT_TABLE_ELEMENTS */
    uint64_t capacity;  /* entries that fit the present place */
    bool is_written;    /* since somebody cleared this */
    bool is_reserved;   /* entries stand in pages of their own, not in the instance's arena */
    struct alc_table_type type;
    const struct alc_pages *pages;
    struct alc_table *next; /* all tables of the store */
};

#define ALC_TABLE_GROW_FAILED UINT64_MAX

/* All entries `initial`. Memory for the first entries comes from `arena`. ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_table_init(struct alc_table *table, struct alc_arena *arena,
                                         const struct alc_table_type *type, uint64_t initial,
                                         const struct alc_pages *pages);
void alc_table_fini(struct alc_table *table);

/* The former count, or ALC_TABLE_GROW_FAILED. New entries are `value`. */
uint64_t alc_table_grow(struct alc_table *table, uint64_t delta, uint64_t value);

/* All: ALC_E_TABLE_OUT_OF_BOUNDS, and then nothing has been written. */
ALC_MUST_CHECK alc_status alc_table_get(const struct alc_table *table, uint64_t index,
                                        uint64_t *out);
ALC_MUST_CHECK alc_status alc_table_set(struct alc_table *table, uint64_t index, uint64_t value);
ALC_MUST_CHECK alc_status alc_table_fill(struct alc_table *table, uint64_t index, uint64_t value,
                                         uint64_t count);
ALC_MUST_CHECK alc_status alc_table_copy(struct alc_table *target, uint64_t target_index,
                                         struct alc_table *source, uint64_t source_index,
                                         uint64_t count);
/* From `references` (an element segment of references_count entries, 0 when dropped). */
ALC_MUST_CHECK alc_status alc_table_init_from(struct alc_table *table, uint64_t index,
                                              const uint64_t *references, uint64_t references_count,
                                              uint64_t offset, uint64_t count);

#endif
