/* SPDX-License-Identifier: Apache-2.0
 *
 * `alcove seal verify|info|rekey|export`: opens a sealed directory with a key from a file, outside
 * an enclave. The directory is as hostile here as anywhere.
 */
#include "cli_complete/seal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mounts/secret.h"
#include "os_linux/os_linux.h"

enum { DIRECTORY = ALC_OS_FIRST_MOUNT, TARGET };

struct request {
    const char *action;
    const char *directory;
    const char *target; /* of an export */
    struct alc_os_linux *system;
    uint8_t key[ALC_SEAL_KEY_SIZE];
    uint8_t new_key[ALC_SEAL_KEY_SIZE];
    bool has_key;
    bool has_new_key;
    const char *mount; /* the guest's name of it */
};

void cli_complete_read_seal_key(const char *path, uint8_t key[ALC_SEAL_KEY_SIZE])
{
    struct cli_file file = cli_read_file(path);
    if (file.size != ALC_SEAL_KEY_SIZE) {
        cli_die(CLI_USAGE, "%s: a key has %d bytes", path, ALC_SEAL_KEY_SIZE);
    }
    alc_copy(key, file.bytes, ALC_SEAL_KEY_SIZE);
    cli_unmap(&file);
}

static alc_status get_key(void *context, const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          uint8_t key[ALC_SEAL_KEY_SIZE])
{
    (void)key_id;
    alc_copy(key, (const uint8_t *)context, ALC_SEAL_KEY_SIZE);
    return ALC_OK;
}

static void report(void *context, const struct alc_seal_damage *damage)
{
    char text[ALC_SEAL_DAMAGE_TEXT_SIZE];
    alc_seal_damage_describe(damage, text);
    fprintf(stderr, "alcove: %s: %s\n", (const char *)context, text);
}

static void grant(const struct request *request, int32_t handle, const char *path)
{
    if (alc_os_linux_grant_directory(request->system, handle, path, 0) != handle) {
        cli_die(CLI_FAILED, "%s: cannot be opened as a directory", path);
    }
}

static struct alc_seal_options options_of(struct request *request, int32_t handle, const char *path,
                                          uint8_t *key, uint32_t flags)
{
    return (struct alc_seal_options){.host = alc_os_linux_get_os(request->system),
                                     .directory = handle,
                                     .flags = flags,
                                     .key = {.get = get_key, .context = key},
                                     .container_blocks = ALC_LIMIT_SEAL_CONTAINER_BLOCKS,
                                     .report = report,
                                     .report_context = (void *)(uintptr_t)path};
}

/* Memory for as many mounts; the process ends soon. */
static struct alc_arena arena_for(const struct alc_seal_options *options, size_t mounts_count)
{
    struct alc_arena arena;
    size_t size = mounts_count * alc_seal_memory_size(options);
    alc_arena_init(&arena, cli_allocate(size), size);
    return arena;
}

static struct alc_seal *open_mount(const struct alc_seal_options *options, const char *path)
{
    struct alc_arena arena = arena_for(options, 1);
    struct alc_error error;
    struct alc_seal *seal = NULL;
    alc_error_clear(&error);
    alc_status status = alc_seal_open(&arena, options, &seal, &error);
    if (status != ALC_OK) {
        (void)alc_fail(&error, status, ALC_NO_OFFSET); /* unless something was said */
        exit(cli_report_error(path, &error));
    }
    return seal;
}

/* -- the actions -- */

static int verify(struct request *request)
{
    const struct alc_seal_options options =
        options_of(request, DIRECTORY, request->directory, request->key, ALC_SEAL_READ_ONLY);
    struct alc_seal *seal = open_mount(&options, request->directory);
    uint64_t damaged_count = alc_seal_verify(seal);
    (void)alc_seal_close(seal); /* read-only */
    if (damaged_count != 0) {
        fprintf(stderr, "alcove: %s: %llu damaged blocks\n", request->directory,
                (unsigned long long)damaged_count);
        return CLI_FAILED;
    }
    printf("%s: everything is genuine\n", request->directory);
    return CLI_OK;
}

static int info(struct request *request)
{
    struct alc_seal_info found;
    const struct alc_seal_options options =
        options_of(request, DIRECTORY, request->directory, request->key, ALC_SEAL_READ_ONLY);
    struct alc_seal *seal = open_mount(&options, request->directory);
    alc_seal_get_info(seal, &found);
    printf("key id      ");
    cli_print_hex(stdout, found.key_id, sizeof found.key_id);
    bool is_damaged = alc_seal_is_damaged(seal);
    printf("\ngeneration  %llu\nfiles       %llu\n", (unsigned long long)found.generation,
           (unsigned long long)found.files_count);
    printf("blocks      %llu of %llu in use\n", (unsigned long long)found.used_count,
           (unsigned long long)found.blocks_count);
    printf("state       %s\n", is_damaged ? "damaged" : "good");
    (void)alc_seal_close(seal); /* read-only */
    return is_damaged ? CLI_FAILED : CLI_OK;
}

static int rekey(struct request *request)
{
    const struct alc_seal_options options =
        options_of(request, DIRECTORY, request->directory, request->key, 0);
    const struct alc_seal_key_source source = {.get = get_key, .context = request->new_key};
    struct alc_arena arena = arena_for(&options, 2);
    struct alc_error error;
    alc_error_clear(&error);
    alc_status status = alc_seal_rekey(&arena, &options, &source, &error);
    if (status != ALC_OK) {
        (void)alc_fail(&error, status, ALC_NO_OFFSET);
        return cli_report_error(request->directory, &error);
    }
    return CLI_OK;
}

static int export(struct request *request)
{
    grant(request, TARGET, request->target);
    const struct alc_seal_options from_options =
        options_of(request, DIRECTORY, request->directory, request->key, ALC_SEAL_READ_ONLY);
    struct alc_seal_options to_options =
        options_of(request, TARGET, request->target, request->new_key, 0);
    struct alc_arena arena = arena_for(&to_options, 1);
    struct alc_error error;
    struct alc_os_stat stat;
    const struct alc_os *os = from_options.host;
    if (os->operations->stat_at(os->context, TARGET, (const uint8_t *)"alcove.seal", 11, 0,
                                &stat) != -ALC_OS_NO_ENTRY) {
        cli_die(CLI_FAILED, "%s: there is a sealed mount already", request->target);
    }
    struct alc_seal *from = open_mount(&from_options, request->directory);
    alc_error_clear(&error);
    to_options.line = alc_seal_line(from);
    alc_status status = alc_seal_write_anew(&arena, from, &to_options, &error);
    (void)alc_seal_close(from); /* read-only */
    if (status != ALC_OK) {
        (void)alc_fail(&error, status, ALC_NO_OFFSET);
        return cli_report_error(request->directory, &error);
    }
    return CLI_OK;
}

/* -- the command line -- */

static const struct action {
    const char *name;
    int (*run)(struct request *request);
    int operands_count; /* the action's name included */
    bool wants_new_key;
} actions[] = {
    {"verify", verify, 2, false},
    {"info", info, 2, false},
    {"rekey", rekey, 2, true},
    {"export", export, 3, true},
};

static const struct action *find_action(const struct cli_arguments *arguments)
{
    const char *name = arguments->next < arguments->argc ? arguments->argv[arguments->next] : "";
    for (size_t i = 0; i < ALC_ARRAY_COUNT(actions); i++) {
        if (strcmp(name, actions[i].name) == 0) {
            return &actions[i];
        }
    }
    cli_usage_error(arguments, "verify, info, rekey or export");
}

int cli_complete_seal(struct cli_arguments *arguments)
{
    struct request request = {0};
    const char *value;
    int option;
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        bool is_new = option == CLI_OPTION_seal_new_key;
        if (option == CLI_OPTION_seal_mount) {
            request.mount = value;
            continue;
        }
        cli_complete_read_seal_key(value, is_new ? request.new_key : request.key);
        request.has_new_key |= is_new;
        request.has_key |= !is_new;
    }
    const struct action *action = find_action(arguments);
    if (arguments->argc - arguments->next != action->operands_count || !request.has_key ||
        request.mount == NULL || request.has_new_key != action->wants_new_key) {
        cli_usage_error(arguments, "%s takes --seal-key, --mount%s and %s", action->name,
                        action->wants_new_key ? ", --new-key" : "",
                        action->operands_count == 3 ? "two directories" : "a directory");
    }
    request.directory = arguments->argv[arguments->next + 1];
    request.target = action->operands_count == 3 ? arguments->argv[arguments->next + 2] : NULL;
    if (alc_os_linux_new(NULL, &request.system) != ALC_OK) {
        cli_die(CLI_FAILED, "out of memory");
    }
    const struct alc_string path = {(const uint8_t *)request.mount, strlen(request.mount)};
    alc_mount_secret(request.key, &path, request.key);
    alc_mount_secret(request.new_key, &path, request.new_key);
    grant(&request, DIRECTORY, request.directory);
    int exit_code = action->run(&request);
    alc_wipe(request.key, sizeof request.key);
    alc_wipe(request.new_key, sizeof request.new_key);
    alc_os_linux_free(request.system);
    return exit_code;
}
