/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures archives and writes the settings of mounts.
 */
#include "cli_complete/settings.h"

#include <stdlib.h>

#include "archive/verity.h"
#include "base/bytes.h"
#include "keys/keys.h"
#include "mounts/settings.h"

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
    setting->policy = options->is_signers ? ALC_MOUNT_POLICY_MRSIGNER : ALC_MOUNT_POLICY_MRENCLAVE;
    if (options->witness_key_path != NULL) {
        setting->level = ALC_MOUNT_LEVEL_WITNESS;
        read_witness_key(options->witness_key_path, setting->witness);
    }
}

void cli_complete_add_settings(const struct run_options *options, struct alc_manifest *manifest)
{
    const size_t count = options->mounts_count;
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
}
