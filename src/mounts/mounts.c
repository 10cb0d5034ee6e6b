/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens the sealed mounts of a manifest, runs the workload over them, closes them. The outcome is
 * the last word about a run, so its writing waits for the disks.
 */
#include "mounts/mounts.h"

#include "base/bytes.h"
#include "base/writer.h"
#include "witness/witness.h"

#define MANIFEST_ARENA_SIZE (UINT64_C(64) << 20)

struct mounts {
    struct alc_seal_os table; /* the context of `os`: first */
    struct alc_os os;
    struct alc_os_operations operations; /* the table's, but for writing */
    const struct alc_workload_profile *profile;
    const struct alc_mounts_keys *keys;
    uint8_t workload_id[ALC_SHA256_SIZE];
    struct alc_witness_link link;
    uint32_t sealed_count;
    struct sealed {
        struct mounts *mounts;
        int32_t handle;
        struct alc_mount_settings settings;
        struct alc_witness_client client; /* with level WITNESS */
    } sealed[ALC_LIMIT_SEAL_MOUNTS];
};

static alc_status reserve_arena(struct alc_os *os, struct alc_arena *arena, size_t size)
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

static alc_status get_key(void *context, const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          uint8_t key[ALC_SEAL_KEY_SIZE])
{
    const struct sealed *sealed = context;
    const struct mounts *mounts = sealed->mounts;
    return mounts->keys->get(mounts->keys->context, sealed->settings.policy, mounts->workload_id,
                             key_id, key);
}

/* The counter's key is the mount's, not the container's: who throws a container away finds the
 * counter again. */
static alc_status open_witness(struct mounts *mounts, struct sealed *sealed,
                               const struct alc_string *guest_path)
{
    static const uint8_t label[ALC_SEAL_KEY_ID_SIZE] = "alcove witness counter";
    uint8_t secret[ALC_SEAL_KEY_SIZE];
    uint8_t mount_secret[ALC_SEAL_KEY_SIZE];
    ALC_TRY(get_key(sealed, label, secret));
    const struct alc_hkdf_inputs inputs = {.secret = secret,
                                           .secret_size = sizeof secret,
                                           .info = guest_path->bytes,
                                           .info_size = guest_path->size};
    alc_hkdf(ALC_HASH_SHA256, &inputs, mount_secret, sizeof mount_secret);
    mounts->link.key = sealed->settings.witness;
    alc_status status = alc_witness_client_init(&sealed->client, &mounts->link, mount_secret);
    alc_wipe(secret, sizeof secret);
    alc_wipe(mount_secret, sizeof mount_secret);
    return status;
}

/* One line on the standard error stream. */
static void report(void *context, const struct alc_seal_damage *damage)
{
    static const char start[] = "alcove: sealed mount: ";
    const struct alc_os *os = context;
    char text[ALC_SEAL_DAMAGE_TEXT_SIZE];
    uint8_t line[sizeof start + sizeof text];
    struct alc_writer writer;
    alc_seal_damage_describe(damage, text);
    alc_writer_init(&writer, line, sizeof line);
    alc_write_bytes(&writer, start, sizeof start - 1);
    alc_write_bytes(&writer, text, alc_string_length(text));
    alc_write_u8(&writer, '\n');
    const struct alc_span span = {.bytes = line, .size = writer.pos};
    (void)os->operations->write(os->context, ALC_OS_STDERR, &span, 1);
}

static alc_status open_mount(struct alc_os *os, struct mounts *mounts, struct sealed *sealed,
                             const struct alc_mount *mount, struct alc_error *error)
{
    bool has_witness = sealed->settings.level == ALC_MOUNT_LEVEL_WITNESS;
    if (has_witness) {
        ALC_TRY(open_witness(mounts, sealed, &mount->guest_path));
    }
    const struct alc_seal_options options = {
        .host = os,
        .directory = sealed->handle,
        .flags = (mount->flags & ALC_MOUNT_READ_ONLY) != 0 ? ALC_SEAL_READ_ONLY : ALC_SEAL_CREATE,
        .key = {.get = get_key, .context = sealed},
        .witness = has_witness ? &sealed->client.witness : NULL,
        .report = report,
        .report_context = os,
    };
    struct alc_arena arena;
    struct alc_seal *seal;
    ALC_TRY(reserve_arena(os, &arena, alc_seal_memory_size(&options)));
    ALC_TRY(alc_seal_open(&arena, &options, &seal, error));
    return alc_seal_os_add(&mounts->table, sealed->handle, seal);
}

/* All mounts of a workload have one witness: there is one way to it. */
static alc_status check_settings(const struct mounts *mounts, const struct alc_mount *mount,
                                 struct sealed *sealed, struct alc_error *error)
{
    alc_status status = alc_mount_settings_decode(&mount->settings, &sealed->settings);
    for (uint32_t i = 0; status == ALC_OK && i < mounts->sealed_count; i++) {
        const struct alc_mount_settings *other = &mounts->sealed[i].settings;
        bool is_other = other->level == ALC_MOUNT_LEVEL_WITNESS &&
                        sealed->settings.level == ALC_MOUNT_LEVEL_WITNESS &&
                        !alc_equal(other->witness.point, sealed->settings.witness.point,
                                   sizeof other->witness.point);
        status = is_other ? ALC_E_BAD_MANIFEST : ALC_OK;
    }
    return status == ALC_OK ? ALC_OK
                            : alc_fail_with(error, ALC_E_BAD_MANIFEST, ALC_NO_OFFSET,
                                            "settings of a sealed mount");
}

static alc_status open_next(struct alc_os *os, struct mounts *mounts, const struct alc_mount *mount,
                            int32_t handle, struct alc_error *error)
{
    if (mounts->sealed_count == ALC_LIMIT_SEAL_MOUNTS) {
        return alc_fail(error, ALC_E_BAD_MANIFEST, ALC_NO_OFFSET);
    }
    struct sealed *sealed = &mounts->sealed[mounts->sealed_count];
    sealed->mounts = mounts;
    sealed->handle = handle;
    ALC_TRY(check_settings(mounts, mount, sealed, error));
    mounts->sealed_count++;
    return open_mount(os, mounts, sealed, mount, error);
}

static alc_status open_all(struct alc_os *os, struct mounts *mounts, struct alc_error *error)
{
    struct alc_manifest manifest;
    struct alc_arena arena;
    ALC_TRY(reserve_arena(os, &arena, MANIFEST_ARENA_SIZE));
    alc_status status = read_manifest(os, &arena, mounts, &manifest, error);
    for (size_t i = 0; status == ALC_OK && i < manifest.mounts_count; i++) {
        const struct alc_mount *mount = &manifest.mounts[i];
        if ((mount->flags & ALC_MOUNT_SEALED) != 0) {
            status = open_next(os, mounts, mount, ALC_OS_FIRST_MOUNT + (int32_t)i, error);
        } else if (mount->settings.size != 0) {
            status = alc_fail(error, ALC_E_BAD_MANIFEST, ALC_NO_OFFSET);
        }
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
    const struct alc_os *table = &mounts->table.os;
    struct alc_outcome outcome;
    if (handle == ALC_OS_OUTCOME && spans_count == 1 && spans[0].size == sizeof outcome &&
        sync_all(mounts) != ALC_OK) {
        alc_copy(&outcome, spans[0].bytes, sizeof outcome);
        judge(&outcome);
        alc_copy(spans[0].bytes, &outcome, sizeof outcome);
    }
    return table->operations->write(table->context, handle, spans, spans_count);
}

/* What is told when the workload could not begin. */
static alc_status refuse(const struct alc_os *os, alc_status status, const struct alc_error *error)
{
    struct alc_outcome outcome = {
        .version = 1,
        .phase = ALC_PHASE_MANIFEST,
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
    }
}

alc_status alc_mounts_run_from_os(struct alc_os *os, const struct alc_workload_profile *profile,
                                  const struct alc_mounts_keys *keys,
                                  const volatile uint64_t *stop_flag)
{
    struct alc_error error;
    struct alc_arena arena;
    alc_error_clear(&error);
    alc_status status = reserve_arena(os, &arena, sizeof(struct mounts));
    struct mounts *mounts = status == ALC_OK ? ALC_ARENA_NEW(&arena, struct mounts) : NULL;
    if (mounts == NULL) {
        return refuse(os, ALC_E_OUT_OF_MEMORY, &error);
    }
    mounts->profile = profile;
    mounts->keys = keys;
    mounts->link = (struct alc_witness_link){.os = os, .handle = ALC_OS_WITNESS};
    alc_seal_os_init(&mounts->table, os);
    status = open_all(os, mounts, &error);
    if (status != ALC_OK) {
        close_all(mounts);
        return refuse(os, status, &error);
    }
    mounts->operations = *mounts->table.os.operations;
    mounts->operations.write = write_stream;
    mounts->os = (struct alc_os){
        .operations = &mounts->operations, .context = mounts, .mount_kinds = ALC_MOUNT_SEALED};
    status = alc_workload_run_from_os(&mounts->os, profile, stop_flag);
    close_all(mounts);
    return status;
}
