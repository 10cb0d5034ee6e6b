/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads groups.txt and skip.txt: one entry a line, `#` starts a comment, columns are separated by
 * blanks and the last one may contain some.
 */
#include "spec/spec_lists.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wasm/features.h"

/* Cuts the next word off `*cursor`, or gives "". */
static const char *next_word(char **cursor)
{
    char *word = *cursor + strspn(*cursor, " \t");
    char *end = word + strcspn(word, " \t");
    *cursor = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

static bool copy_text(char *to, size_t size, const char *from)
{
    int wanted = snprintf(to, size, "%s", from);
    return wanted > 0 && (size_t)wanted < size;
}

/* "3.0+threads" */
static bool parse_features(char *text, uint64_t *out)
{
    *out = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, "+", &rest); word != NULL; word = strtok_r(NULL, "+", &rest)) {
        uint64_t bits = 0;
        if (strcmp(word, "1.0") == 0) {
            bits = ALC_FEATURES_1;
        } else if (strcmp(word, "2.0") == 0) {
            bits = ALC_FEATURES_2;
        } else if (strcmp(word, "3.0") == 0) {
            bits = ALC_FEATURES_3;
        }
        for (unsigned i = 0; i < ALC_FEATURE_COUNT; i++) {
            if (strcmp(word, alc_feature_name((enum alc_feature)i)) == 0) {
                bits |= UINT64_C(1) << i;
            }
        }
        if (bits == 0) {
            return false;
        }
        *out |= bits;
    }
    return *out != 0;
}

static bool parse_group(struct spec_lists *lists, char *line)
{
    struct spec_group group = {0};
    char *cursor = line;
    if (!copy_text(group.name, sizeof group.name, next_word(&cursor))) {
        return false;
    }
    const char *duty = next_word(&cursor);
    group.is_required = strcmp(duty, "required") == 0;
    if (!group.is_required && strcmp(duty, "reported") != 0) {
        return false;
    }
    char features[SPEC_NAME_MAX];
    if (!copy_text(features, sizeof features, next_word(&cursor)) ||
        !parse_features(features, &group.features)) {
        return false;
    }
    struct spec_group *groups =
        realloc(lists->groups, (lists->groups_count + 1) * sizeof *lists->groups);
    if (groups == NULL) {
        return false;
    }
    lists->groups = groups;
    groups[lists->groups_count++] = group;
    return true;
}

static bool parse_skip(struct spec_lists *lists, char *line)
{
    struct spec_skip skip = {0};
    char *cursor = line;
    if (!copy_text(skip.test, sizeof skip.test, next_word(&cursor))) {
        return false;
    }
    char *colon = strrchr(skip.test, ':');
    if (colon != NULL) {
        skip.line = (unsigned)strtoul(colon + 1, NULL, 10);
        *colon = '\0';
    }
    if (!copy_text(skip.issue, sizeof skip.issue, next_word(&cursor)) ||
        !copy_text(skip.reason, sizeof skip.reason, cursor + strspn(cursor, " \t"))) {
        return false;
    }
    struct spec_skip *skips =
        realloc(lists->skips, (lists->skips_count + 1) * sizeof *lists->skips);
    if (skips == NULL) {
        return false;
    }
    lists->skips = skips;
    skips[lists->skips_count++] = skip;
    return true;
}

static bool load_file(struct spec_lists *lists, const char *path,
                      bool (*parse)(struct spec_lists *, char *))
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "spec: %s: %s\n", path, strerror(errno));
        return false;
    }
    char line[512];
    bool ok = true;
    for (unsigned number = 1; ok && fgets(line, sizeof line, file) != NULL; number++) {
        line[strcspn(line, "\n")] = '\0';
        if (line[strspn(line, " \t")] == '\0' || line[0] == '#') {
            continue;
        }
        ok = parse(lists, line);
        if (!ok) {
            fprintf(stderr, "spec: %s:%u: cannot read this line\n", path, number);
        }
    }
    fclose(file);
    return ok;
}

bool spec_lists_load(struct spec_lists *lists, const char *groups_path, const char *skip_path)
{
    *lists = (struct spec_lists){0};
    return load_file(lists, groups_path, parse_group) && load_file(lists, skip_path, parse_skip);
}

void spec_lists_free(struct spec_lists *lists)
{
    free(lists->groups);
    free(lists->skips);
}

struct spec_skip *spec_lists_find_skip(const struct spec_lists *lists, const char *test,
                                       unsigned line)
{
    for (size_t i = 0; i < lists->skips_count; i++) {
        struct spec_skip *skip = &lists->skips[i];
        if (strcmp(skip->test, test) == 0 && (skip->line == 0 || skip->line == line)) {
            return skip;
        }
    }
    return NULL;
}

void spec_lists_mark(struct spec_lists *lists, const char *test)
{
    for (size_t i = 0; i < lists->skips_count; i++) {
        lists->skips[i].was_met |= strcmp(lists->skips[i].test, test) == 0;
    }
}
