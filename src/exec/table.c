/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables. The first entries stand in the instance's arena; a table that grows past them moves to
 * pages of its own, doubling, so that growth by single entries stays linear.
 */
#include "exec/table.h"

#include "base/bytes.h"
#include "base/limits.h"

enum { ENTRIES_PER_PAGE = ALC_SYSTEM_PAGE_SIZE / sizeof(uint64_t) };

static void fill_entries(uint64_t *entries, uint64_t value, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        entries[i] = value;
    }
}

alc_status alc_table_init(struct alc_table *table, struct alc_arena *arena,
                          const struct alc_table_type *type, uint64_t initial,
                          const struct alc_pages *pages)
{
    const struct alc_limits *limits = &type->limits;
    *table = (struct alc_table){.type = *type, .pages = pages};
    table->count_max = ALC_LIMIT_TABLE_ELEMENTS;
    if (limits->has_max && limits->max < table->count_max) {
        table->count_max = limits->max;
    }
    if (limits->min > table->count_max) {
        return ALC_E_OUT_OF_MEMORY;
    }
    table->entries = ALC_ARENA_ARRAY(arena, uint64_t, limits->min);
    if (table->entries == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    table->count = limits->min;
    table->capacity = limits->min;
    if (initial != ALC_REF_NULL) {
        fill_entries(table->entries, initial, table->count);
    }
    return ALC_OK;
}

void alc_table_fini(struct alc_table *table)
{
    if (table->is_reserved) {
        table->pages->release(table->pages->context, table->entries,
                              table->capacity * sizeof(uint64_t));
    }
    table->entries = NULL;
    table->count = 0;
    table->count_max = 0;
    table->capacity = 0;
    table->is_reserved = false;
}

/* Moves the entries to pages that hold `count` of them and as many again. */
static alc_status move_to_pages(struct alc_table *table, uint64_t count)
{
    const struct alc_pages *pages = table->pages;
    uint64_t capacity = count * 2;
    capacity = (capacity + ENTRIES_PER_PAGE - 1) & ~(uint64_t)(ENTRIES_PER_PAGE - 1);
    uint64_t size = capacity * sizeof(uint64_t);
    uint64_t *entries = pages->reserve(pages->context, size);
    if (entries == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_status status = pages->commit(pages->context, entries, size);
    if (status != ALC_OK) {
        pages->release(pages->context, entries, size);
        return status;
    }
    if (table->count != 0) {
        alc_copy(entries, table->entries, table->count * sizeof(uint64_t));
    }
    if (table->is_reserved) {
        pages->release(pages->context, table->entries, table->capacity * sizeof(uint64_t));
    }
    table->entries = entries;
    table->capacity = capacity;
    table->is_reserved = true;
    return ALC_OK;
}

uint64_t alc_table_grow(struct alc_table *table, uint64_t delta, uint64_t value)
{
    uint64_t before = table->count;
    if (delta > table->count_max - table->count) {
        return ALC_TABLE_GROW_FAILED;
    }
    if (before + delta > table->capacity && move_to_pages(table, before + delta) != ALC_OK) {
        return ALC_TABLE_GROW_FAILED;
    }
    fill_entries(table->entries + before, value, delta);
    table->is_written = true;
    table->count = before + delta;
    return before;
}

alc_status alc_table_get(const struct alc_table *table, uint64_t index, uint64_t *out)
{
    if (index >= table->count) {
        return ALC_E_TABLE_OUT_OF_BOUNDS;
    }
    *out = table->entries[alc_index_clamp(index, table->count)];
    return ALC_OK;
}

alc_status alc_table_set(struct alc_table *table, uint64_t index, uint64_t value)
{
    if (index >= table->count) {
        return ALC_E_TABLE_OUT_OF_BOUNDS;
    }
    table->entries[index] = value;
    table->is_written = true;
    return ALC_OK;
}

alc_status alc_table_fill(struct alc_table *table, uint64_t index, uint64_t value, uint64_t count)
{
    if (!alc_range_fits(index, count, table->count)) {
        return ALC_E_TABLE_OUT_OF_BOUNDS;
    }
    fill_entries(table->entries + index, value, count);
    table->is_written = true;
    return ALC_OK;
}

alc_status alc_table_copy(struct alc_table *target, uint64_t target_index, struct alc_table *source,
                          uint64_t source_index, uint64_t count)
{
    if (!alc_range_fits(target_index, count, target->count) ||
        !alc_range_fits(source_index, count, source->count)) {
        return ALC_E_TABLE_OUT_OF_BOUNDS;
    }
    if (count != 0) {
        alc_move(target->entries + target_index, source->entries + source_index,
                 count * sizeof(uint64_t));
    }
    target->is_written = true;
    return ALC_OK;
}

alc_status alc_table_init_from(struct alc_table *table, uint64_t index, const uint64_t *references,
                               uint64_t references_count, uint64_t offset, uint64_t count)
{
    if (!alc_range_fits(index, count, table->count) ||
        !alc_range_fits(offset, count, references_count)) {
        return ALC_E_TABLE_OUT_OF_BOUNDS;
    }
    if (count != 0) {
        alc_copy(table->entries + index, references + offset, count * sizeof(uint64_t));
    }
    table->is_written = true;
    return ALC_OK;
}
