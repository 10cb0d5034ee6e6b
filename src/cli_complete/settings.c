/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures archives, writes the settings of mounts, and says what they are.
 */
#include "cli_complete/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/verity.h"
#include "base/bytes.h"
#include "broker_keys/broker_keys.h"
#include "cli/module_file.h"
#include "cli_complete/attested.h"
#include "keys/keys.h"
#include "mounts/settings.h"
#include "mounts/upkeep.h"

/* The digest that the manifest will name, and the tree by which the program's side checks it. */
static void measure_archive(struct run_mount *mount)
{
    struct alc_verity verity;
    uint8_t root[ALC_SHA256_SIZE];
    struct cli_file file = cli_read_file(mount->host_path);
    alc_verity_init(&verity, file.size);
    size_t size = (size_t)verity.tree_blocks * ALC_VERITY_BLOCK_SIZE;
    uint8_t *tree = cli_allocate(size);
    alc_verity_build(&verity, file.bytes, tree, root);
    alc_verity_digest(&verity, root, mount->digest);
    mount->tree = (struct cli_file){tree, size};
    cli_unmap(&file);
}

void cli_complete_prepare(struct run_options *options)
{
    for (size_t i = 0; i < options->mounts_count; i++) {
        if ((options->mounts[i].flags & ALC_MOUNT_ARCHIVE) != 0) {
            measure_archive(&options->mounts[i]);
        }
    }
    cli_attested_prepare(options);
}

/* kbs:///REPOSITORY/TYPE/TAG#sha256=HEX */
static void read_key_name(const char *option, const char *text, struct alc_named_key *out)
{
    static const char mark[] = "#sha256=";
    const char *hash = strstr(text, mark);
    const size_t name_size = hash != NULL ? (size_t)(hash - text) : 0;
    const struct alc_text name = {(const uint8_t *)text, name_size};
    const char *digits = hash != NULL ? hash + sizeof mark - 1 : "";
    if (alc_broker_resource_read(&name, &out->resource) != ALC_OK ||
        !alc_hex_decode((const uint8_t *)digits, strlen(digits), out->sha256, sizeof out->sha256)) {
        cli_die(CLI_USAGE, "%s %s: kbs:///REPOSITORY/TYPE/TAG#sha256=HEX", option, text);
    }
}

static struct alc_string make_key_settings(const char *option, const char *text)
{
    struct alc_named_key key;
    struct alc_writer writer;
    read_key_name(option, text, &key);
    const size_t size = key.resource.size + 64;
    uint8_t *bytes = cli_allocate(size);
    alc_writer_init(&writer, bytes, size);
    alc_named_key_write(&writer, &key);
    ALC_ASSERT(!writer.overflowed);
    return (struct alc_string){bytes, writer.pos};
}

static void read_witness_key(const char *path, uint8_t out[ALC_MOUNT_WITNESS_KEY_SIZE])
{
    struct cli_file file = cli_read_file(path);
    struct alc_ec_public_key key;
    struct alc_error error;
    alc_error_clear(&error);
    if (alc_keys_read_public((const char *)file.bytes, file.size, &key, &error) != ALC_OK ||
        key.curve != ALC_CURVE_P256) {
        cli_die(CLI_USAGE, "%s: not a key of P-256", path);
    }
    alc_copy(out, key.point, ALC_MOUNT_WITNESS_KEY_SIZE);
    cli_unmap(&file);
}

/* All sealed mounts of a run have the same ones. */
static void set_sealed(const struct run_options *options, struct alc_mount_setting *setting)
{
    static const enum alc_mount_level levels[] = {
        [RUN_ROLLBACK_SESSION] = ALC_MOUNT_LEVEL_SESSION,
        [RUN_ROLLBACK_NONE] = ALC_MOUNT_LEVEL_NONE,
        [RUN_ROLLBACK_WITNESS] = ALC_MOUNT_LEVEL_WITNESS,
    };
    setting->level = levels[options->rollback];
    setting->policy = options->is_signers ? ALC_MOUNT_POLICY_MRSIGNER : ALC_MOUNT_POLICY_MRENCLAVE;
    if (options->witness_key_path != NULL) {
        read_witness_key(options->witness_key_path, setting->witness);
    }
}

void cli_complete_add_settings(const struct run_options *options, struct alc_manifest *manifest)
{
    const size_t count = options->mounts_count;
    cli_attested_add_settings(options, manifest);
    struct alc_mount_setting *settings = cli_allocate(count * sizeof *settings);
    struct alc_writer writer;
    for (size_t i = 0; i < count; i++) {
        settings[i] = (struct alc_mount_setting){.memory_size = options->mounts[i].memory_size};
        alc_copy(settings[i].digest, options->mounts[i].digest, ALC_SHA256_SIZE);
        if ((options->mounts[i].flags & ALC_MOUNT_SEALED) != 0) {
            set_sealed(options, &settings[i]);
        }
    }
    alc_writer_init(&writer, NULL, 0);
    alc_mount_settings_write(&writer, manifest->mounts, settings, count);
    size_t size = writer.pos;
    uint8_t *bytes = cli_allocate(size);
    alc_writer_init(&writer, bytes, size);
    alc_mount_settings_write(&writer, manifest->mounts, settings, count);
    manifest->services[ALC_SERVICE_MOUNTS] = (struct alc_string){bytes, size};
    free(settings);
    if (options->seal_key_name != NULL) {
        manifest->services[ALC_SERVICE_MOUNT_KEY] =
            make_key_settings("--seal-key", options->seal_key_name);
    }
    if (options->transfer_key_name != NULL) {
        manifest->services[ALC_SERVICE_TRANSFER_KEY] =
            make_key_settings("--transfer-key", options->transfer_key_name);
    }
}

void cli_complete_write_upkeep(const struct run_options *options, uint8_t *out)
{
    static const enum alc_upkeep_action actions[] = {
        [RUN_UPKEEP_VERIFY] = ALC_UPKEEP_VERIFY,
        [RUN_UPKEEP_REKEY] = ALC_UPKEEP_REKEY,
        [RUN_UPKEEP_EXPORT] = ALC_UPKEEP_EXPORT,
        [RUN_UPKEEP_IMPORT] = ALC_UPKEEP_IMPORT,
    };
    const struct alc_upkeep upkeep = {.action = actions[options->upkeep],
                                      .mount = (uint32_t)options->upkeep_number};
    struct alc_writer writer;
    _Static_assert((int)CLI_UPKEEP_SIZE == (int)ALC_UPKEEP_SIZE, "room for a request");
    alc_writer_init(&writer, out, CLI_UPKEEP_SIZE);
    alc_upkeep_write(&writer, &upkeep);
    ALC_ASSERT(!writer.overflowed);
}

static void print_levels(const struct alc_manifest *manifest,
                         const struct alc_mount_setting *settings)
{
    static const char *const levels[] = {
        [ALC_MOUNT_LEVEL_NONE] = "none",
        [ALC_MOUNT_LEVEL_SESSION] = "session",
        [ALC_MOUNT_LEVEL_WITNESS] = "witness",
    };
    for (size_t i = 0; i < manifest->mounts_count; i++) {
        const struct alc_string *path = &manifest->mounts[i].guest_path;
        if ((manifest->mounts[i].flags & ALC_MOUNT_SEALED) != 0) {
            fprintf(stderr, "alcove: sealed mount ");
            cli_print_name(stderr, (struct alc_name){path->bytes, (uint32_t)path->size});
            fprintf(stderr, ", rollback level %s\n", levels[settings[i].level]);
        }
    }
}

void cli_complete_print_levels(const struct cli_file *manifest, bool is_native)
{
    enum { ARENA_SIZE = 64 << 20 }; /* more than a manifest of any size takes */
    struct alc_manifest decoded;
    struct alc_mount_setting *settings;
    struct alc_arena arena;
    struct alc_error error;
    uint8_t *memory = cli_allocate(ARENA_SIZE);
    alc_arena_init(&arena, memory, ARENA_SIZE);
    alc_error_clear(&error);
    alc_status status =
        (is_native ? alc_manifest_decode_native_services : alc_manifest_decode_services)(
            &arena, manifest->bytes, manifest->size, &decoded, &error);
    if (status == ALC_OK &&
        alc_mount_settings_read(&arena, &decoded, &settings, &error) == ALC_OK) {
        print_levels(&decoded, settings);
    }
    free(memory);
}
