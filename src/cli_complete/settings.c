/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures archives and writes the settings of mounts.
 */
#include "cli_complete/settings.h"

#include <stdlib.h>

#include "archive/verity.h"
#include "base/bytes.h"
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

void cli_complete_add_settings(const struct run_options *options, struct alc_manifest *manifest)
{
    const size_t count = options->mounts_count;
    struct alc_mount_setting *settings = cli_allocate(count * sizeof *settings);
    struct alc_writer writer;
    for (size_t i = 0; i < count; i++) {
        settings[i] = (struct alc_mount_setting){.memory_size = options->mounts[i].memory_size};
        alc_copy(settings[i].digest, options->mounts[i].digest, ALC_SHA256_SIZE);
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
