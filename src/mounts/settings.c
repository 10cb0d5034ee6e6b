/* SPDX-License-Identifier: Apache-2.0
 *
 * The codec of settings of mounts. Reading trusts nothing and accepts exactly what writing makes.
 */
#include "mounts/settings.h"

#include "base/bytes.h"
#include "base/cbor.h"

enum { HAS_SETTING = ALC_MOUNT_MEMORY | ALC_MOUNT_ARCHIVE };

static size_t count_settings(const struct alc_mount *mounts, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += (mounts[i].flags & HAS_SETTING) != 0;
    }
    return found;
}

void alc_mount_settings_write(struct alc_writer *writer, const struct alc_mount *mounts,
                              const struct alc_mount_setting *settings, size_t count)
{
    size_t settings_count = count_settings(mounts, count);
    if (settings_count == 0) {
        return;
    }
    alc_cbor_write_map(writer, settings_count);
    for (size_t i = 0; i < count; i++) {
        if ((mounts[i].flags & HAS_SETTING) == 0) {
            continue;
        }
        alc_cbor_write_uint(writer, i);
        if ((mounts[i].flags & ALC_MOUNT_ARCHIVE) != 0) {
            alc_cbor_write_bytes(writer, settings[i].digest, ALC_SHA256_SIZE);
        } else {
            alc_cbor_write_uint(writer, settings[i].memory_size);
        }
    }
}

static bool has_good_flags(uint32_t flags)
{
    switch (flags & ~(uint32_t)ALC_MOUNT_READ_ONLY) {
    case 0:
    case ALC_MOUNT_SEALED:
        return true;
    case ALC_MOUNT_MEMORY:
        return (flags & ALC_MOUNT_READ_ONLY) == 0;
    case ALC_MOUNT_ARCHIVE:
        return (flags & ALC_MOUNT_READ_ONLY) != 0;
    default:
        return false;
    }
}

static alc_status read_setting(struct alc_reader *reader, uint32_t flags,
                               struct alc_mount_setting *out)
{
    const uint8_t *digest;
    size_t size;
    if ((flags & ALC_MOUNT_MEMORY) != 0) {
        ALC_TRY(alc_cbor_read_uint(reader, &out->memory_size));
        return out->memory_size >= ALC_LIMIT_MEMORY_MOUNT_LEAST && out->memory_size <= INT64_MAX
                   ? ALC_OK
                   : alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
    }
    ALC_TRY(alc_cbor_read_bytes(reader, &digest, &size));
    if (size != ALC_SHA256_SIZE) {
        return alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
    }
    alc_copy(out->digest, digest, ALC_SHA256_SIZE);
    return ALC_OK;
}

alc_status alc_mount_settings_read(struct alc_arena *arena, const struct alc_manifest *manifest,
                                   struct alc_mount_setting **out, struct alc_error *error)
{
    const struct alc_string *bytes = &manifest->services[ALC_SERVICE_MOUNTS];
    const size_t expected_count = count_settings(manifest->mounts, manifest->mounts_count);
    struct alc_reader reader;
    size_t count = 0;
    int64_t previous = -1;
    alc_reader_init(&reader, bytes->bytes, bytes->size, error);
    *out = ALC_ARENA_ARRAY(arena, struct alc_mount_setting, manifest->mounts_count);
    if (*out == NULL) {
        return alc_reader_fail(&reader, ALC_E_OUT_OF_MEMORY);
    }
    for (size_t i = 0; i < manifest->mounts_count; i++) {
        if (!has_good_flags(manifest->mounts[i].flags)) {
            return alc_reader_fail(&reader, ALC_E_BAD_MANIFEST);
        }
    }
    if (bytes->size != 0) {
        ALC_TRY(alc_cbor_read_map(&reader, manifest->mounts_count, &count));
    }
    if (count != expected_count || (count == 0) != (bytes->size == 0)) {
        return alc_reader_fail(&reader, ALC_E_BAD_MANIFEST);
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t number;
        ALC_TRY(alc_cbor_read_key(&reader, &previous, &number));
        if (number >= manifest->mounts_count ||
            (manifest->mounts[number].flags & HAS_SETTING) == 0) {
            return alc_reader_fail(&reader, ALC_E_BAD_MANIFEST);
        }
        ALC_TRY(read_setting(&reader, manifest->mounts[number].flags, &(*out)[number]));
    }
    return alc_reader_at_end(&reader) ? ALC_OK : alc_reader_fail(&reader, ALC_E_BAD_MANIFEST);
}
