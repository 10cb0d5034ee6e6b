/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens the mounts of a manifest that no system has, runs the workload over them, closes them. The
 * outcome is the last word about a run, so its writing waits for the disks.
 */
#include "base/bytes.h"
#include "base/writer.h"
#include "mounts/mounts_internal.h"
#include "mounts/secret.h"

#define MANIFEST_ARENA_SIZE (UINT64_C(64) << 20)

alc_status mounts_reserve_arena(struct alc_os *os, struct alc_arena *arena, size_t size)
{
    size = (size + 4095) & ~(size_t)4095;
    void *range = os->operations->pages_reserve(os->context, size);
    if (range == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_arena_init_reserved(arena, range, size, alc_os_commit, os);
    return ALC_OK;
}

/* -- the manifest -- */

static alc_status read_manifest(struct alc_os *os, struct alc_arena *arena, struct mounts *mounts,
                                struct alc_manifest *out, struct alc_error *error)
{
    struct alc_os_stat stat;
    if (os->operations->stat(os->context, ALC_OS_MANIFEST, &stat) < 0) {
        return alc_fail(error, ALC_E_IO_FAILED, ALC_NO_OFFSET);
    }
    if (stat.size > ALC_LIMIT_MANIFEST_SIZE) {
        return alc_fail(error, ALC_E_BAD_MANIFEST, ALC_NO_OFFSET);
    }
    size_t size = (size_t)stat.size;
    uint8_t *bytes = alc_arena_take(arena, size, 16);
    if (bytes == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    for (size_t done = 0; done < size;) {
        const struct alc_span span = {.bytes = bytes + done, .size = size - done};
        int64_t count = os->operations->read_at(os->context, ALC_OS_MANIFEST, &span, 1, done);
        if (count <= 0 || (uint64_t)count > span.size) {
            return alc_fail(error, ALC_E_IO_FAILED, done);
        }
        done += (size_t)count;
    }
    alc_sha256(bytes, size, mounts->workload_id);
    return mounts->profile->decode_manifest(arena, bytes, size, out, error);
}

/* -- opening -- */

/* Asked for once, however many mounts there are. */
static alc_status get_named_key(struct mounts *mounts, uint8_t key[ALC_SEAL_KEY_SIZE])
{
    const struct alc_mounts_keys *keys = mounts->keys;
    if (!mounts->has_named_key) {
        if (keys->get_named == NULL || mounts->key_settings.size == 0) {
            return ALC_E_NOT_SUPPORTED;
        }
        ALC_TRY(keys->get_named(keys->named_context, mounts->workload_id, &mounts->key_settings,
                                mounts->named_key));
        mounts->has_named_key = true;
    }
    alc_copy(key, mounts->named_key, ALC_SEAL_KEY_SIZE);
    return ALC_OK;
}

/* What all mounts of the workload with this policy have. */
static alc_status get_shared_key(const struct sealed *sealed,
                                 const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                                 uint8_t key[ALC_SEAL_KEY_SIZE])
{
    struct mounts *mounts = sealed->mounts;
    if (mounts->is_key_named) {
        return get_named_key(mounts, key);
    }
    return mounts->keys->get(mounts->keys->context, sealed->policy, mounts->workload_id, key_id,
                             key);
}

static alc_status get_key(void *context, const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          uint8_t key[ALC_SEAL_KEY_SIZE])
{
    const struct sealed *sealed = context;
    ALC_TRY(get_shared_key(sealed, key_id, key));
    alc_mount_secret(key, sealed->guest_path, key);
    return ALC_OK;
}

/* The counter's key is the mount's, not the container's: who throws a container away finds the
 * counter again. */
static alc_status open_witness(struct mounts *mounts, struct sealed *sealed,
                               const struct alc_mount_setting *setting,
                               const struct alc_string *guest_path)
{
    static const uint8_t label[ALC_SEAL_KEY_ID_SIZE] = "alcove witness counter";
    uint8_t secret[ALC_SEAL_KEY_SIZE];
    if (mounts->has_link &&
        !alc_equal(mounts->link.key.point, setting->witness, sizeof setting->witness)) {
        return ALC_E_BAD_MANIFEST; /* there is one way to one witness */
    }
    mounts->has_link = true;
    alc_copy(mounts->link.key.point, setting->witness, sizeof setting->witness);
    ALC_TRY(get_shared_key(sealed, label, secret));
    const struct alc_hkdf_inputs inputs = {.secret = secret,
                                           .secret_size = sizeof secret,
                                           .info = guest_path->bytes,
                                           .info_size = guest_path->size};
    alc_hkdf(ALC_HASH_SHA256, &inputs, sealed->line, sizeof sealed->line);
    alc_status status = alc_witness_client_init(&sealed->client, &mounts->link, sealed->line);
    alc_wipe(secret, sizeof secret);
    return status;
}

/* The key of what is forgotten at the end. */
static alc_status get_random_key(void *context, const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                                 uint8_t key[ALC_SEAL_KEY_SIZE])
{
    const struct alc_os *os = context;
    (void)key_id;
    return os->operations->random(os->context, key, ALC_SEAL_KEY_SIZE) < 0 ? ALC_E_IO_FAILED
                                                                           : ALC_OK;
}

/* One line on the standard error stream. */
static void report(const struct alc_os *os, const char *start, const char *text)
{
    uint8_t line[ALC_SEAL_DAMAGE_TEXT_SIZE + 40];
    struct alc_writer writer;
    alc_writer_init(&writer, line, sizeof line);
    alc_write_string(&writer, start);
    alc_write_string(&writer, text);
    alc_write_u8(&writer, '\n');
    const struct alc_span span = {.bytes = line, .size = writer.pos};
    (void)os->operations->write(os->context, ALC_OS_STDERR, &span, 1);
}

static void report_damage(void *context, const struct alc_seal_damage *damage)
{
    char text[ALC_SEAL_DAMAGE_TEXT_SIZE];
    alc_seal_damage_describe(damage, text);
    report(context, "alcove: sealed mount: ", text);
}

static void report_block(void *context, uint32_t level, uint64_t block)
{
    char text[ALC_ARCHIVE_DAMAGE_TEXT_SIZE];
    alc_archive_damage_describe(level, block, text);
    report(context, "alcove: archive: ", text);
}

static alc_status open_sealed(struct alc_os *os, struct mounts *mounts, int32_t handle,
                              const struct alc_seal_options *options, struct alc_error *error)
{
    struct alc_arena arena;
    struct alc_seal *seal;
    ALC_TRY(mounts_reserve_arena(os, &arena, alc_seal_memory_size(options)));
    ALC_TRY(alc_seal_open(&arena, options, &seal, error));
    return alc_seal_os_add(&mounts->table, handle, seal);
}

alc_status mounts_prepare_sealed(struct alc_os *os, struct mounts *mounts, int32_t handle,
                                 const struct alc_mount *mount,
                                 const struct alc_mount_setting *setting,
                                 struct alc_seal_options *out)
{
    if (mounts->sealed_count == ALC_LIMIT_SEAL_MOUNTS) {
        return ALC_E_BAD_ARGUMENT;
    }
    struct sealed *sealed = &mounts->sealed[mounts->sealed_count++];
    bool has_witness = setting->level == ALC_MOUNT_LEVEL_WITNESS;
    sealed->mounts = mounts;
    sealed->guest_path = &mount->guest_path;
    sealed->policy = setting->policy;
    if (has_witness) {
        ALC_TRY(open_witness(mounts, sealed, setting, &mount->guest_path));
    }
    *out = (struct alc_seal_options){
        .host = os,
        .directory = handle,
        .key = {.get = get_key, .context = sealed},
        .witness = has_witness ? &sealed->client.witness : NULL,
        .report = report_damage,
        .report_context = os,
    };
    return ALC_OK;
}

static alc_status open_disk(struct alc_os *os, struct mounts *mounts, int32_t handle,
                            const struct alc_mount *mount, const struct alc_mount_setting *setting,
                            struct alc_error *error)
{
    struct alc_seal_options options;
    ALC_TRY(mounts_prepare_sealed(os, mounts, handle, mount, setting, &options));
    options.flags =
        (mount->flags & ALC_MOUNT_READ_ONLY) != 0 ? ALC_SEAL_READ_ONLY : ALC_SEAL_CREATE;
    return open_sealed(os, mounts, handle, &options, error);
}

static alc_status open_memory(struct alc_os *os, struct mounts *mounts, int32_t handle,
                              uint64_t size, struct alc_error *error)
{
    if (mounts->disks_count == ALC_LIMIT_SEAL_MOUNTS) {
        return ALC_E_BAD_ARGUMENT;
    }
    struct alc_memory_disk *disk = &mounts->disks[mounts->disks_count];
    ALC_TRY(alc_memory_disk_init(disk, os, size));
    mounts->disks_count++;
    const uint64_t blocks = disk->size_max / ALC_MEMORY_BLOCK_SIZE;
    const struct alc_seal_options options = {
        .host = &disk->over.os,
        .directory = ALC_MEMORY_DIRECTORY,
        .flags = ALC_SEAL_CREATE,
        .key = {.get = get_random_key, .context = os},
        .container_blocks = blocks < ALC_LIMIT_SEAL_CONTAINER_BLOCKS
                                ? (uint32_t)blocks
                                : ALC_LIMIT_SEAL_CONTAINER_BLOCKS,
        .report = report_damage,
        .report_context = os,
    };
    return open_sealed(os, mounts, handle, &options, error);
}

static alc_status open_archive(struct alc_os *os, struct mounts *mounts, int32_t handle,
                               int32_t tree, const uint8_t digest[ALC_SHA256_SIZE],
                               struct alc_error *error)
{
    struct alc_archive_options options = {
        .host = os, .archive = handle, .tree = tree, .report = report_block, .report_context = os};
    struct alc_arena arena;
    struct alc_archive *archive;
    alc_copy(options.digest, digest, sizeof options.digest);
    ALC_TRY(mounts_reserve_arena(os, &arena, alc_archive_memory_size()));
    ALC_TRY(alc_archive_open(&arena, &options, &archive, error));
    return alc_archive_os_add(&mounts->archives, handle, archive);
}

/* The way to the witness is behind the trees of the archives, and those are behind the sockets. */
static int32_t find_link(struct alc_os *os, struct mounts *mounts,
                         const struct alc_manifest *manifest)
{
    int32_t tree =
        ALC_OS_FIRST_MOUNT + (int32_t)manifest->mounts_count + (int32_t)manifest->sockets_count;
    mounts->link =
        (struct alc_witness_link){.os = os, .handle = tree, .key = {.curve = ALC_CURVE_P256}};
    for (size_t i = 0; i < manifest->mounts_count; i++) {
        mounts->link.handle += (manifest->mounts[i].flags & ALC_MOUNT_ARCHIVE) != 0;
    }
    return tree;
}

/* Every mount of the manifest that no system has. */
static alc_status open_each(struct alc_os *os, struct mounts *mounts,
                            const struct alc_manifest *manifest,
                            const struct alc_mount_setting *settings, struct alc_error *error)
{
    int32_t tree = find_link(os, mounts, manifest);
    ALC_TRY(mounts->watch->opening(mounts->watch->context, mounts->workload_id));
    if (mounts->is_upkeep) {
        return mounts_look_after(os, mounts, manifest, settings, error);
    }
    for (size_t i = 0; i < manifest->mounts_count; i++) {
        uint32_t flags = manifest->mounts[i].flags;
        int32_t handle = ALC_OS_FIRST_MOUNT + (int32_t)i;
        if ((flags & ALC_MOUNT_SEALED) != 0) {
            ALC_TRY(open_disk(os, mounts, handle, &manifest->mounts[i], &settings[i], error));
        } else if ((flags & ALC_MOUNT_MEMORY) != 0) {
            ALC_TRY(open_memory(os, mounts, handle, settings[i].memory_size, error));
        } else if ((flags & ALC_MOUNT_ARCHIVE) != 0) {
            ALC_TRY(open_archive(os, mounts, handle, tree++, settings[i].digest, error));
        }
    }
    return ALC_OK;
}

static alc_status open_all(struct alc_os *os, struct mounts *mounts, struct alc_error *error)
{
    struct alc_manifest manifest;
    struct alc_mount_setting *settings;
    struct alc_arena arena;
    ALC_TRY(alc_upkeep_find(os, &mounts->is_upkeep, &mounts->upkeep));
    ALC_TRY(mounts_reserve_arena(os, &arena, MANIFEST_ARENA_SIZE));
    alc_status status = read_manifest(os, &arena, mounts, &manifest, error);
    if (status == ALC_OK) {
        status = alc_mount_settings_read(&arena, &manifest, &settings, error);
    }
    if (status == ALC_OK) {
        mounts->key_settings = manifest.services[ALC_SERVICE_MOUNT_KEY];
        mounts->is_key_named = mounts->key_settings.size != 0;
        status = open_each(os, mounts, &manifest, settings, error);
        mounts->key_settings = (struct alc_string){NULL, 0}; /* goes with the manifest */
        mounts->has_named_key = false;
        alc_wipe(mounts->named_key, sizeof mounts->named_key);
    }
    os->operations->pages_release(os->context, arena.base, arena.size);
    return status;
}

/* -- the end -- */

static alc_status sync_all(struct mounts *mounts)
{
    alc_status status = ALC_OK;
    for (uint32_t i = 0; i < mounts->table.mounts_count; i++) {
        if (alc_seal_sync(mounts->table.mounts[i].seal) < 0) {
            status = ALC_E_IO_FAILED;
        }
    }
    return status;
}

/* A program that ended well on disks that did not take what it wrote has not ended well. */
static void judge(struct alc_outcome *outcome)
{
    if (outcome->status == ALC_OK || outcome->status == ALC_E_EXIT) {
        outcome->status = ALC_E_IO_FAILED;
        outcome->exit_code = alc_status_exit_code(ALC_E_IO_FAILED);
    }
}

static int64_t write_stream(void *context, int32_t handle, const struct alc_span *spans,
                            size_t spans_count)
{
    struct mounts *mounts = context;
    struct alc_outcome outcome;
    if (handle == ALC_OS_OUTCOME && spans_count == 1 && spans[0].size == sizeof outcome &&
        sync_all(mounts) != ALC_OK) {
        alc_copy(&outcome, spans[0].bytes, sizeof outcome);
        judge(&outcome);
        alc_copy(spans[0].bytes, &outcome, sizeof outcome);
    }
    return alc_os_over_operations.write(context, handle, spans, spans_count);
}

/* What is told when the workload could not begin, or was not to. */
static alc_status tell(const struct alc_os *os, alc_status status, const struct alc_error *error)
{
    struct alc_outcome outcome = {
        .version = 2,
        .phase = status == ALC_OK ? ALC_PHASE_DONE : ALC_PHASE_MANIFEST,
        .status = status,
        .exit_code = alc_status_exit_code(status),
        .offset = error->status == status ? error->offset : ALC_NO_OFFSET,
    };
    if (error->status == status) {
        alc_copy(outcome.detail, error->detail, sizeof outcome.detail);
    }
    const struct alc_span span = {.bytes = (uint8_t *)&outcome, .size = sizeof outcome};
    int64_t count = os->operations->write(os->context, ALC_OS_OUTCOME, &span, 1);
    return count == (int64_t)sizeof outcome ? status : ALC_E_IO_FAILED;
}

static void close_all(struct mounts *mounts)
{
    for (uint32_t i = 0; i < mounts->table.mounts_count; i++) {
        /* Everything is durable already; what fails now is known when it is opened again. */
        (void)alc_seal_close(mounts->table.mounts[i].seal);
    }
    for (uint32_t i = 0; i < mounts->sealed_count; i++) {
        alc_witness_client_fini(&mounts->sealed[i].client);
        alc_wipe(mounts->sealed[i].line, sizeof mounts->sealed[i].line);
    }
}

alc_status alc_mounts_run_from_os(struct alc_os *os, const struct alc_workload_profile *profile,
                                  const struct alc_mounts_keys *keys,
                                  const struct alc_mounts_watch *watch,
                                  const volatile uint64_t *stop_flag)
{
    struct alc_error error;
    struct alc_arena arena;
    alc_error_clear(&error);
    alc_status status = mounts_reserve_arena(os, &arena, sizeof(struct mounts));
    struct mounts *mounts = status == ALC_OK ? ALC_ARENA_NEW(&arena, struct mounts) : NULL;
    if (mounts == NULL) {
        return tell(os, ALC_E_OUT_OF_MEMORY, &error);
    }
    mounts->profile = profile;
    mounts->keys = keys;
    mounts->watch = watch;
    alc_seal_os_init(&mounts->table, os);
    alc_archive_os_init(&mounts->archives, &mounts->table.over.os);
    status = open_all(os, mounts, &error);
    if (status != ALC_OK || mounts->is_upkeep) {
        close_all(mounts);
        return tell(os, status, &error);
    }
    mounts->operations = alc_os_over_operations;
    mounts->operations.write = write_stream;
    mounts->over.inner = &mounts->archives.over.os;
    mounts->over.os = (struct alc_os){.operations = &mounts->operations,
                                      .context = mounts,
                                      .mount_kinds = ALC_MOUNT_ALL & ~ALC_MOUNT_READ_ONLY};
    status = alc_workload_run_from_os(&mounts->over.os, profile, stop_flag);
    close_all(mounts);
    return status;
}
