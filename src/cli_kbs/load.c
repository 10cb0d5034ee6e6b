/* SPDX-License-Identifier: Apache-2.0
 *
 * Collateral and policies from files.
 */
#include "cli_kbs/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "sgx_emu_quote/quoting.h"

enum { FILE_MAX = 4 << 20 };

/* -- files: unlike those of other commands, one that is missing must not end the process -- */

/* The whole file, from malloc with a NUL behind it; NULL when it was reported. */
static char *read_file(const char *path, size_t *out_size)
{
    FILE *file = fopen(path, "rb");
    char *text = file != NULL ? malloc(FILE_MAX + 1) : NULL;
    const size_t size = text != NULL ? fread(text, 1, FILE_MAX + 1, file) : 0;
    const bool is_good = text != NULL && ferror(file) == 0 && size <= FILE_MAX;
    if (!is_good) {
        fprintf(stderr, "alcove: %s: %s\n", path,
                text != NULL && size > FILE_MAX ? "too large" : strerror(errno));
        free(text);
        text = NULL;
    } else {
        text[size] = '\0';
        *out_size = size;
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

int serve_load_policy(struct alc_kbs *kbs, const char *path, serve_set_function *set)
{
    struct alc_error error;
    size_t size;
    char *document = read_file(path, &size);
    if (document == NULL) {
        return CLI_FAILED;
    }
    alc_error_clear(&error);
    const int exit_code =
        set(kbs, document, size, &error) == ALC_OK ? CLI_OK : cli_report_error(path, &error);
    free(document);
    return exit_code;
}

int serve_load_certificate(struct alc_kbs_server *server, const char *certificate_path,
                           const char *key_path)
{
    static char *held[2]; /* what the server borrows */
    struct alc_error error;
    size_t certificate_size = 0;
    size_t key_size = 0;
    char *pair[2] = {read_file(certificate_path, &certificate_size),
                     read_file(key_path, &key_size)};
    int exit_code = CLI_FAILED;
    alc_error_clear(&error);
    if (pair[0] != NULL && pair[1] != NULL) {
        exit_code = alc_kbs_serve_with(server, pair[0], pair[1], &error) == ALC_OK
                        ? CLI_OK
                        : cli_report_error(certificate_path, &error);
    }
    char **gone = exit_code == CLI_OK ? held : pair;
    free(gone[0]);
    if (gone[1] != NULL) {
        alc_wipe(gone[1], strlen(gone[1]));
    }
    free(gone[1]);
    if (exit_code == CLI_OK) {
        held[0] = pair[0];
        held[1] = pair[1];
    }
    return exit_code;
}

/* -- collateral -- */

/* One file's, with the text that it borrows from. */
struct platform {
    struct alc_pcs_collateral pcs;
    struct alc_kds_collateral kds;
};

struct set {
    struct alc_collateral *items;
    struct platform *platforms;
    size_t count;
    struct alc_arena arena; /* all of it is in one block */
};

/* AMD's collateral is known by its chain of authorities. */
static bool is_kds(const uint8_t *text, size_t size, struct alc_arena *arena,
                   struct alc_kds_collateral *out)
{
    struct alc_reader reader;
    const size_t mark = alc_arena_mark(arena);
    alc_reader_init(&reader, text, size, NULL);
    if (alc_kds_collateral_read(arena, &reader, out) == ALC_OK) {
        return true;
    }
    alc_arena_reset(arena, mark);
    return false;
}

static int add(struct set *set, const char *name, const void *text, size_t size)
{
    struct platform *platform = &set->platforms[set->count];
    struct alc_collateral *item = &set->items[set->count];
    struct alc_reader reader;
    struct alc_error error;
    uint8_t *copy = alc_arena_take(&set->arena, size, 1);
    if (copy == NULL) {
        fprintf(stderr, "alcove: %s: changed while it was read\n", name);
        return CLI_FAILED;
    }
    alc_copy(copy, text, size);
    if (is_kds(copy, size, &set->arena, &platform->kds)) {
        item->kds = &platform->kds;
    } else {
        alc_error_clear(&error);
        alc_reader_init(&reader, copy, size, &error);
        if (alc_pcs_collateral_read(&set->arena, &reader, &platform->pcs) != ALC_OK) {
            return cli_report_error(name, &error);
        }
        item->pcs = &platform->pcs;
    }
    set->count++;
    return CLI_OK;
}

static int add_file(struct set *set, const char *path)
{
    size_t size;
    char *text = read_file(path, &size);
    const int exit_code = text != NULL ? add(set, path, text, size) : CLI_FAILED;
    free(text);
    return exit_code;
}

static int add_emulated(struct set *set)
{
    static uint8_t text[ALC_EMULATED_COLLATERAL_SIZE_MAX];
    struct alc_writer writer;
    alc_writer_init(&writer, text, sizeof text);
    alc_emulated_collateral(&writer);
    return add(set, "emulated collateral", text, writer.pos);
}

static int report_no_memory(void)
{
    fprintf(stderr, "alcove: out of memory\n");
    return CLI_FAILED;
}

/* What decoded text takes at most: what is written, and as much again for copies. */
static size_t memory_of(const char *const *paths, size_t paths_count)
{
    const size_t one = sizeof(struct platform) + sizeof(struct alc_collateral) + 256;
    size_t size = 3 * ALC_EMULATED_COLLATERAL_SIZE_MAX + (paths_count + 1) * one;
    for (size_t i = 0; i < paths_count; i++) {
        struct stat status;
        size += stat(paths[i], &status) == 0 && status.st_size <= FILE_MAX
                    ? 3 * (size_t)status.st_size
                    : 0;
    }
    return size;
}

int serve_load_collateral(struct alc_kbs *kbs, const char *const *paths, size_t paths_count,
                          bool has_emulated)
{
    struct set set = {0};
    const size_t size = memory_of(paths, paths_count);
    int exit_code = CLI_OK;
    uint8_t *memory = calloc(1, size);
    if (memory == NULL) {
        return report_no_memory();
    }
    alc_arena_init(&set.arena, memory, size);
    set.items = ALC_ARENA_ARRAY(&set.arena, struct alc_collateral, paths_count + 1);
    set.platforms = ALC_ARENA_ARRAY(&set.arena, struct platform, paths_count + 1);
    ALC_ASSERT(set.items != NULL && set.platforms != NULL);
    for (size_t i = 0; i < paths_count && exit_code == CLI_OK; i++) {
        exit_code = add_file(&set, paths[i]);
    }
    if (has_emulated && exit_code == CLI_OK) {
        exit_code = add_emulated(&set);
    }
    const struct alc_kbs_collateral collateral = {set.items, set.count, memory};
    if (exit_code == CLI_OK && alc_kbs_set_collateral(kbs, &collateral) != ALC_OK) {
        exit_code = report_no_memory();
    }
    if (exit_code != CLI_OK) {
        free(memory);
    }
    return exit_code;
}
