/* SPDX-License-Identifier: Apache-2.0
 *
 * The codec of settings of mounts. Reading trusts nothing and accepts exactly what writing makes.
 */
#include "mounts/settings.h"

#include "base/bytes.h"
#include "base/cbor.h"

enum { HAS_SETTING = ALC_MOUNT_MEMORY | ALC_MOUNT_ARCHIVE };

static bool is_sealed_default(const struct alc_mount_setting *setting)
{
    return setting->level == ALC_MOUNT_LEVEL_SESSION &&
           setting->policy == ALC_MOUNT_POLICY_MRENCLAVE;
}

static bool is_written(const struct alc_mount *mount, const struct alc_mount_setting *setting)
{
    return (mount->flags & HAS_SETTING) != 0 ||
           ((mount->flags & ALC_MOUNT_SEALED) != 0 && !is_sealed_default(setting));
}

static void write_sealed(struct alc_writer *writer, const struct alc_mount_setting *setting)
{
    bool has_witness = setting->level == ALC_MOUNT_LEVEL_WITNESS;
    alc_cbor_write_array(writer, has_witness ? 3 : 2);
    alc_cbor_write_uint(writer, (uint64_t)setting->level);
    alc_cbor_write_uint(writer, (uint64_t)setting->policy);
    if (has_witness) {
        alc_cbor_write_bytes(writer, setting->witness, sizeof setting->witness);
    }
}

void alc_mount_settings_write(struct alc_writer *writer, const struct alc_mount *mounts,
                              const struct alc_mount_setting *settings, size_t count)
{
    size_t settings_count = 0;
    for (size_t i = 0; i < count; i++) {
        settings_count += is_written(&mounts[i], &settings[i]);
    }
    if (settings_count == 0) {
        return;
    }
    alc_cbor_write_map(writer, settings_count);
    for (size_t i = 0; i < count; i++) {
        if (!is_written(&mounts[i], &settings[i])) {
            continue;
        }
        alc_cbor_write_uint(writer, i);
        if ((mounts[i].flags & ALC_MOUNT_SEALED) != 0) {
            write_sealed(writer, &settings[i]);
        } else if ((mounts[i].flags & ALC_MOUNT_ARCHIVE) != 0) {
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

static alc_status read_sealed(struct alc_reader *reader, struct alc_mount_setting *out)
{
    const uint8_t *key;
    size_t key_size;
    size_t count;
    uint64_t level;
    uint64_t policy;
    ALC_TRY(alc_cbor_read_array(reader, 3, &count));
    ALC_TRY(alc_cbor_read_uint(reader, &level));
    ALC_TRY(alc_cbor_read_uint(reader, &policy));
    bool has_witness = level == ALC_MOUNT_LEVEL_WITNESS;
    if (level > ALC_MOUNT_LEVEL_NONE || policy > ALC_MOUNT_POLICY_MRSIGNER ||
        count != (has_witness ? 3 : 2)) {
        return alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
    }
    out->level = (enum alc_mount_level)level;
    out->policy = (enum alc_mount_policy)policy;
    if (!has_witness) {
        return is_sealed_default(out) ? alc_reader_fail(reader, ALC_E_BAD_MANIFEST) : ALC_OK;
    }
    ALC_TRY(alc_cbor_read_bytes(reader, &key, &key_size));
    if (key_size != sizeof out->witness) {
        return alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
    }
    alc_copy(out->witness, key, sizeof out->witness);
    return ALC_OK;
}

static alc_status read_setting(struct alc_reader *reader, uint32_t flags,
                               struct alc_mount_setting *out)
{
    const uint8_t *digest;
    size_t size;
    if ((flags & ALC_MOUNT_SEALED) != 0) {
        return read_sealed(reader, out);
    }
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
    size_t needed_count = 0;
    struct alc_reader reader;
    size_t count = 0;
    int64_t previous = -1;
    alc_reader_init(&reader, bytes->bytes, bytes->size, error);
    *out = ALC_ARENA_ARRAY(arena, struct alc_mount_setting, manifest->mounts_count);
    if (*out == NULL) {
        return alc_reader_fail(&reader, ALC_E_OUT_OF_MEMORY);
    }
    for (size_t i = 0; i < manifest->mounts_count; i++) {
        (*out)[i] = (struct alc_mount_setting){.memory_size = 0};
        if (!has_good_flags(manifest->mounts[i].flags)) {
            return alc_reader_fail(&reader, ALC_E_BAD_MANIFEST);
        }
        needed_count += (manifest->mounts[i].flags & HAS_SETTING) != 0;
    }
    if (bytes->size != 0) {
        ALC_TRY(alc_cbor_read_map(&reader, manifest->mounts_count, &count));
    }
    if ((count == 0) != (bytes->size == 0)) {
        return alc_reader_fail(&reader, ALC_E_BAD_MANIFEST);
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t number;
        ALC_TRY(alc_cbor_read_key(&reader, &previous, &number));
        if (number >= manifest->mounts_count ||
            (manifest->mounts[number].flags & (HAS_SETTING | ALC_MOUNT_SEALED)) == 0) {
            return alc_reader_fail(&reader, ALC_E_BAD_MANIFEST);
        }
        needed_count -= (manifest->mounts[number].flags & HAS_SETTING) != 0;
        ALC_TRY(read_setting(&reader, manifest->mounts[number].flags, &(*out)[number]));
    }
    return needed_count == 0 && alc_reader_at_end(&reader)
               ? ALC_OK
               : alc_reader_fail(&reader, ALC_E_BAD_MANIFEST);
}

bool alc_mount_settings_weakest(const struct alc_manifest *manifest,
                                const struct alc_mount_setting *settings, enum alc_mount_level *out)
{
    static const uint8_t strengths[] = {
        [ALC_MOUNT_LEVEL_NONE] = 0, [ALC_MOUNT_LEVEL_SESSION] = 1, [ALC_MOUNT_LEVEL_WITNESS] = 2};
    bool is_any = false;
    *out = ALC_MOUNT_LEVEL_WITNESS;
    for (size_t i = 0; i < manifest->mounts_count; i++) {
        bool is_sealed = (manifest->mounts[i].flags & ALC_MOUNT_SEALED) != 0;
        if (is_sealed && strengths[settings[i].level] < strengths[*out]) {
            *out = settings[i].level;
        }
        is_any |= is_sealed;
    }
    return is_any;
}
