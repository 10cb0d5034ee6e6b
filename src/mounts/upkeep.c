/* SPDX-License-Identifier: Apache-2.0
 *
 * One sealed mount, looked after. Rollback protection goes along: an exported container has the
 * secret of its mount's counter, so old and new version are one line of states, of which the
 * witness knows the newest. Nothing is told to it here but that a mount follows another's line: who
 * opens the imported container to use it tells the rest, and until then the old version can go on.
 */
#include "mounts/upkeep.h"

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "mounts/mounts_internal.h"
#include "mounts/secret.h"

/* What all actions need. */
struct job {
    struct alc_os *os;
    struct mounts *mounts;
    struct sealed *sealed;
    const struct alc_string *guest_path;
    const struct alc_string *transfer; /* settings of the transfer key */
    struct alc_seal_options options;   /* of the mount, without flags */
    struct alc_arena arena;            /* for two of them */
    struct alc_error *error;
};

/* -- what is asked for -- */

void alc_upkeep_write(struct alc_writer *writer, const struct alc_upkeep *upkeep)
{
    alc_write_u32(writer, (uint32_t)upkeep->action);
    alc_write_u32(writer, upkeep->mount);
}

alc_status alc_upkeep_find(const struct alc_os *os, bool *out_found, struct alc_upkeep *out)
{
    struct alc_os_stat stat;
    uint8_t bytes[ALC_UPKEEP_SIZE];
    const struct alc_span span = {.bytes = bytes, .size = sizeof bytes};
    *out_found = os->operations->stat(os->context, ALC_OS_UPKEEP, &stat) >= 0;
    if (!*out_found) {
        return ALC_OK;
    }
    if (os->operations->read_at(os->context, ALC_OS_UPKEEP, &span, 1, 0) != ALC_UPKEEP_SIZE) {
        return ALC_E_IO_FAILED;
    }
    uint32_t action = alc_load_u32(bytes);
    out->mount = alc_load_u32(bytes + 4);
    if (action < ALC_UPKEEP_VERIFY || action > ALC_UPKEEP_IMPORT) {
        return ALC_E_BAD_ARGUMENT;
    }
    out->action = (enum alc_upkeep_action)action;
    return ALC_OK;
}

static alc_status refuse(const struct job *job, const char *why)
{
    return alc_fail_with(job->error, ALC_E_POLICY_REFUSED, ALC_NO_OFFSET, why);
}

/* -- the transfer key -- */

static alc_status get_transfer_key(void *context, const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                                   uint8_t key[ALC_SEAL_KEY_SIZE])
{
    const struct job *job = context;
    const struct alc_mounts_keys *keys = job->mounts->keys;
    uint8_t transfer_key[ALC_SEAL_KEY_SIZE];
    (void)key_id;
    if (keys->get_named == NULL) {
        return ALC_E_NOT_SUPPORTED;
    }
    ALC_TRY(keys->get_named(keys->named_context, job->mounts->workload_id, job->transfer,
                            transfer_key));
    alc_mount_secret(transfer_key, job->guest_path, key);
    alc_wipe(transfer_key, sizeof transfer_key);
    return ALC_OK;
}

/* -- the actions -- */

static alc_status verify(struct job *job)
{
    struct alc_seal *seal;
    job->options.flags = ALC_SEAL_READ_ONLY | ALC_SEAL_ASK;
    ALC_TRY(alc_seal_open(&job->arena, &job->options, &seal, job->error));
    uint64_t damaged_count = alc_seal_verify(seal);
    (void)alc_seal_close(seal); /* read-only, as in the other actions */
    return damaged_count == 0 ? ALC_OK
                              : alc_fail_with(job->error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                                              "the sealed mount is damaged");
}

static alc_status rekey(struct job *job)
{
    return alc_seal_rekey(&job->arena, &job->options, &job->options.key, job->error);
}

/* Nothing is overwritten here; whoever wants that moves it away first. */
static alc_status check_vacant(const struct job *job, int32_t directory)
{
    static const char name[] = "alcove.seal";
    const struct alc_os *os = job->os;
    struct alc_os_stat stat;
    int64_t result = os->operations->stat_at(os->context, directory, (const uint8_t *)name,
                                             sizeof name - 1, 0, &stat);
    /* Whose key was refused left an empty file. */
    return result == -ALC_OS_NO_ENTRY || (result == 0 && stat.size == 0)
               ? ALC_OK
               : refuse(job, "there is a sealed mount there already");
}

static alc_status export(struct job *job)
{
    const bool has_witness = job->options.witness != NULL;
    struct alc_seal_options to = job->options;
    struct alc_seal *from;
    ALC_TRY(check_vacant(job, ALC_OS_UPKEEP_DIRECTORY));
    job->options.flags = ALC_SEAL_READ_ONLY | ALC_SEAL_ALONE | ALC_SEAL_ASK;
    ALC_TRY(alc_seal_open(&job->arena, &job->options, &from, job->error));
    to.directory = ALC_OS_UPKEEP_DIRECTORY;
    to.key = (struct alc_seal_key_source){.get = get_transfer_key, .context = job};
    to.line = alc_seal_line(from);
    if (to.line == NULL && has_witness) {
        to.line = job->sealed->line;
    }
    alc_status status = alc_seal_write_anew(&job->arena, from, &to, job->error);
    (void)alc_seal_close(from);
    return status;
}

/* From now on the mount is on this line: its own counter says so, so that a host which throws the
 * container away does not get an empty one accepted. A mount that has had files of its own has no
 * place for others. */
static alc_status bind_line(const struct job *job, const uint8_t line[ALC_SEAL_LINE_SIZE])
{
    struct alc_seal_mark bound = {.generation = 1};
    struct alc_seal_mark known;
    struct alc_witness_client own;
    uint8_t digest[ALC_SHA256_SIZE];
    alc_sha256(line, ALC_SEAL_LINE_SIZE, digest);
    alc_copy(bound.digest, digest, sizeof bound.digest);
    alc_status status = alc_witness_client_init(&own, &job->mounts->link, job->sealed->line);
    if (status == ALC_OK) {
        status = own.witness.read(&own, &known);
    }
    if (status != ALC_OK) {
        status = refuse(job, "the witness of the sealed mount does not answer");
    } else if (known.generation == 0) {
        status = own.witness.advance(&own, &known, &bound) == ALC_OK
                     ? ALC_OK
                     : refuse(job, "the witness of the sealed mount refuses its state");
    } else if (known.generation != bound.generation ||
               !alc_equal(known.digest, bound.digest, sizeof known.digest)) {
        status = refuse(job, "the witness knows this mount with other files than the exported");
    }
    alc_witness_client_fini(&own);
    return status;
}

/* Which line the imported container is to carry; *out is NULL when that is the mount's own. */
static alc_status choose_line(const struct job *job, const uint8_t *line, const uint8_t **out)
{
    *out = NULL;
    if (line == NULL) {
        return ALC_OK;
    }
    if (job->options.witness == NULL) {
        return refuse(job, "the exported mount has a witness, and this one has none");
    }
    if (alc_equal(line, job->sealed->line, ALC_SEAL_LINE_SIZE)) {
        return ALC_OK;
    }
    *out = line;
    return bind_line(job, line);
}

static alc_status import(struct job *job)
{
    struct alc_seal_options from_options = job->options;
    struct alc_seal *from;
    ALC_TRY(check_vacant(job, job->options.directory));
    from_options.directory = ALC_OS_UPKEEP_DIRECTORY;
    from_options.key = (struct alc_seal_key_source){.get = get_transfer_key, .context = job};
    from_options.flags = ALC_SEAL_READ_ONLY | ALC_SEAL_ASK;
    ALC_TRY(alc_seal_open(&job->arena, &from_options, &from, job->error));
    alc_status status = choose_line(job, alc_seal_line(from), &job->options.line);
    if (status == ALC_OK) {
        status = alc_seal_write_anew(&job->arena, from, &job->options, job->error);
    }
    (void)alc_seal_close(from);
    return status;
}

alc_status mounts_look_after(struct alc_os *os, struct mounts *mounts,
                             const struct alc_manifest *manifest,
                             const struct alc_mount_setting *settings, struct alc_error *error)
{
    static alc_status (*const actions[])(struct job *) = {
        [ALC_UPKEEP_VERIFY] = verify,
        [ALC_UPKEEP_REKEY] = rekey,
        [ALC_UPKEEP_EXPORT] = export,
        [ALC_UPKEEP_IMPORT] = import,
    };
    const uint32_t number = mounts->upkeep.mount;
    const bool moves = mounts->upkeep.action >= ALC_UPKEEP_EXPORT;
    struct job job = {.os = os,
                      .mounts = mounts,
                      .sealed = &mounts->sealed[0],
                      .transfer = &manifest->services[ALC_SERVICE_TRANSFER_KEY],
                      .error = error};
    if (number >= manifest->mounts_count ||
        (manifest->mounts[number].flags & ALC_MOUNT_SEALED) == 0) {
        return ALC_E_BAD_ARGUMENT;
    }
    if (moves && job.transfer->size == 0) {
        return refuse(&job, "the manifest names no transfer key");
    }
    job.guest_path = &manifest->mounts[number].guest_path;
    ALC_TRY(mounts_prepare_sealed(os, mounts, ALC_OS_FIRST_MOUNT + (int32_t)number,
                                  &manifest->mounts[number], &settings[number], &job.options));
    ALC_TRY(mounts_reserve_arena(os, &job.arena, 2 * alc_seal_memory_size(&job.options)));
    alc_status status = actions[mounts->upkeep.action](&job);
    os->operations->pages_release(os->context, job.arena.base, job.arena.size);
    return status;
}
