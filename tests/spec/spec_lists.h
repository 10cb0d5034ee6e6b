/* SPDX-License-Identifier: Apache-2.0
 *
 * The two lists that say what is expected of the engine: groups.txt (which groups of tests must
 * pass, with which features) and skip.txt (what is known to fail, and why). Hosted only.
 */
#ifndef ALC_TESTS_SPEC_LISTS_H
#define ALC_TESTS_SPEC_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPEC_NAME_MAX = 128, SPEC_REASON_MAX = 160 };

struct spec_group {
    char name[SPEC_NAME_MAX]; /* folder beneath the data */
    bool is_required;
    uint64_t features;
};

struct spec_skip {
    char test[SPEC_NAME_MAX]; /* "core/address" */
    unsigned line;            /* of the script; 0: the whole test */
    char issue[SPEC_NAME_MAX];
    char reason[SPEC_REASON_MAX];
    size_t failures; /* failures that it covered in this run */
    bool was_met;    /* its test was run */
};

struct spec_lists {
    struct spec_group *groups; /* owned */
    size_t groups_count;
    struct spec_skip *skips; /* owned */
    size_t skips_count;
};

/* Reads both files. False after saying on stderr what is wrong with them. */
bool spec_lists_load(struct spec_lists *lists, const char *groups_path, const char *skip_path);
void spec_lists_free(struct spec_lists *lists);
/* The entry that covers a failure in `test` at `line`, or NULL. */
struct spec_skip *spec_lists_find_skip(const struct spec_lists *lists, const char *test,
                                       unsigned line);
/* Marks the entries of a test that was run. */
void spec_lists_mark(struct spec_lists *lists, const char *test);

#endif
