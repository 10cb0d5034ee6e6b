/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts the services around a workload. They and the workload each read the manifest from the host,
 * which could show them different ones: so what mounts were opened for is compared with what was
 * loaded before the program runs.
 */
#include "services/services.h"

#include "base/bytes.h"
#include "exec/engine.h"
#include "judge/judge.h"
#include "services/peers.h"
#include "services/sockets.h"

struct run {
    const struct alc_services *services;
    struct alc_evidence evidence;
    struct alc_broker_keys broker_keys;
    struct alc_mounts_keys keys;
    struct alc_mounts_watch watch;
    uint8_t mounted_id[ALC_SHA256_SIZE]; /* of the workload whose mounts were opened, if any */
    bool is_mounted;
    bool is_question; /* to be proven, not run */
    struct services_sockets sockets;
};

static alc_status check_configuration(const struct run *run,
                                      const uint8_t workload_id[ALC_SHA256_SIZE])
{
    const struct alc_services *services = run->services;
    return services->is_configured_for == NULL || services->is_configured_for(workload_id)
               ? ALC_OK
               : ALC_E_HOST_LIED;
}

/* Before anybody is shown evidence, which a key broker is. */
static alc_status opening(void *context, const uint8_t workload_id[ALC_SHA256_SIZE])
{
    struct run *run = context;
    run->is_mounted = true;
    alc_copy(run->mounted_id, workload_id, ALC_SHA256_SIZE);
    return check_configuration(run, workload_id);
}

static alc_status get_key(void *context, enum alc_mount_policy policy,
                          const uint8_t workload_id[ALC_SHA256_SIZE],
                          const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          uint8_t key[ALC_SEAL_KEY_SIZE])
{
    const struct run *run = context;
    const struct alc_mounts_keys *keys = &run->services->mount_keys;
    return keys->get(keys->context, policy, workload_id, key_id, key);
}

/* What the claims say of sealed mounts. */
static alc_status describe_mounts(struct run *run, const struct alc_manifest *manifest)
{
    static const enum alc_claimed_rollback claimed[] = {
        [ALC_MOUNT_LEVEL_NONE] = ALC_CLAIMED_ROLLBACK_NONE,
        [ALC_MOUNT_LEVEL_SESSION] = ALC_CLAIMED_ROLLBACK_SESSION,
        [ALC_MOUNT_LEVEL_WITNESS] = ALC_CLAIMED_ROLLBACK_WITNESS,
    };
    const struct alc_os *os = run->evidence.os;
    struct alc_claims *claims = &run->evidence.claims;
    struct alc_mount_setting *settings;
    struct alc_arena arena;
    enum alc_mount_level level;
    const size_t size = (manifest->mounts_count * sizeof *settings + 16 + 4095) & ~(size_t)4095;
    void *memory = os->operations->pages_reserve(os->context, size);
    if (memory == NULL || os->operations->pages_commit(os->context, memory, size) != 0) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_arena_init(&arena, memory, size);
    alc_status status = alc_mount_settings_read(&arena, manifest, &settings, NULL);
    if (status == ALC_OK) {
        claims->has_sealed_mounts = alc_mount_settings_weakest(manifest, settings, &level);
        claims->rollback = claimed[level];
    }
    alc_arena_fini(&arena);
    os->operations->pages_release(os->context, memory, size);
    return status;
}

static alc_status loaded(struct alc_workload *workload, void *context)
{
    struct run *run = context;
    struct alc_string manifest = alc_workload_manifest_bytes(workload);
    uint8_t id[ALC_SHA256_SIZE];
    alc_sha256(manifest.bytes, manifest.size, id);
    if (run->is_mounted && !alc_equal(id, run->mounted_id, sizeof id)) {
        return ALC_E_HOST_LIED;
    }
    ALC_TRY(check_configuration(run, id));
    alc_evidence_describe(&run->evidence, id, workload);
    ALC_TRY(describe_mounts(run, alc_workload_manifest(workload)));
    if (run->is_question) {
        ALC_TRY(alc_evidence_answer_host(&run->evidence));
        return ALC_E_EXIT;
    }
    ALC_TRY(services_sockets_open(&run->sockets, &run->evidence, workload));
    struct alc_linker *linker = alc_workload_linker(workload);
    ALC_TRY(alc_linker_add_host(linker, alc_evidence_module(), &run->evidence));
    ALC_TRY(alc_linker_add_host(linker, alc_judge_module(), run->evidence.os));
    return alc_linker_add_host(linker, services_peers_module(), &run->sockets);
}

/* Threads of the program may outlive the run, so what they use is never given back. */
static struct run *new_run(const struct alc_os *os)
{
    size_t size = (sizeof(struct run) + 4095) & ~(size_t)4095;
    struct run *run = os->operations->pages_reserve(os->context, size);
    bool done = run != NULL && os->operations->pages_commit(os->context, run, size) == 0;
    return done ? run : NULL;
}

alc_status alc_services_run_from_os(struct alc_os *os, struct alc_workload_profile *profile,
                                    const struct alc_services *services,
                                    const volatile uint64_t *stop_flag)
{
    struct alc_os_stat stat;
    struct run *run = new_run(os);
    if (run == NULL ||
        alc_evidence_init(&run->evidence, os, services->attester, ALC_VERSION) != ALC_OK) {
        return ALC_E_OUT_OF_MEMORY; /* and the workload says nothing, as when it has no memory */
    }
    services_sockets_init(&run->sockets, os);
    run->services = services;
    run->broker_keys = (struct alc_broker_keys){
        .os = os, .attester = services->attester, .form = services->broker_form};
    run->keys = (struct alc_mounts_keys){.get = get_key,
                                         .context = run,
                                         .get_named = alc_broker_keys_get,
                                         .named_context = &run->broker_keys};
    run->is_question = os->operations->stat(os->context, ALC_OS_EVIDENCE, &stat) >= 0;
    profile->loaded = loaded;
    /* The other executor's decoder was changed when its code was equipped. To name the profile here
     * would bring the interpreter into images without it. */
    if (profile->decode_manifest == alc_manifest_decode) {
        profile->decode_manifest = alc_manifest_decode_services;
    }
    profile->context = run;
    if (run->is_question) { /* proof needs no mounts */
        return alc_workload_run_from_os(os, profile, stop_flag);
    }
    run->watch = (struct alc_mounts_watch){.opening = opening, .context = run};
    alc_status status = alc_mounts_run_from_os(&run->sockets.table.over.os, profile, &run->keys,
                                               &run->watch, stop_flag);
    services_sockets_close(&run->sockets);
    return status;
}

void alc_services_equip(struct alc_workload_compiled *compiled)
{
    compiled->accept_voucher = alc_workload_accept_voucher;
    compiled->profile.decode_manifest = alc_manifest_decode_native_services;
}
