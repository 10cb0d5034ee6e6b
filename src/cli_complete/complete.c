/* SPDX-License-Identifier: Apache-2.0
 *
 * Brings services into the alcove program: the way to run outside an enclave, with a key of sealed
 * mounts from a file, and the enclave images that the build made.
 */
#include "base/bytes.h"
#include "broker/snp_form.h"
#include "cli_complete/proof.h"
#include "cli_complete/seal.h"
#include "cli_complete/settings.h"
#include "cli_complete/vouch.h"
#include "cli_complete/witness.h"
#include "services/services.h"

/* Made by the build, with development signatures. */
extern const uint8_t alc_complete_image[];
extern const uint64_t alc_complete_image_size;
extern const struct alc_sgx_sigstruct alc_complete_sigstruct;
extern const uint8_t alc_complete_native_image[];
extern const uint64_t alc_complete_native_image_size;
extern const struct alc_sgx_sigstruct alc_complete_native_sigstruct;

/* The file's bytes, whatever the workload: for development, and for storage that is sealed from the
 * disk alone. */
static alc_status get_key(void *context, enum alc_mount_policy policy,
                          const uint8_t workload_id[ALC_SHA256_SIZE],
                          const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          uint8_t key[ALC_SEAL_KEY_SIZE])
{
    const uint8_t *secret = context;
    (void)policy;
    (void)workload_id;
    (void)key_id;
    alc_copy(key, secret, ALC_SEAL_KEY_SIZE);
    return ALC_OK;
}

/* A workload without sealed mounts asks for no key. */
static alc_status get_no_key(void *context, enum alc_mount_policy policy,
                             const uint8_t workload_id[ALC_SHA256_SIZE],
                             const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                             uint8_t key[ALC_SEAL_KEY_SIZE])
{
    (void)context;
    (void)policy;
    (void)workload_id;
    (void)key_id;
    (void)key;
    return ALC_E_NOT_SUPPORTED;
}

static void run(const struct cli_place *place, struct alc_os *os,
                struct alc_workload_profile *profile, const volatile uint64_t *stop_flag)
{
    static struct alc_services services; /* static: threads may outlive this function */
    uint8_t secret[ALC_SEAL_KEY_SIZE];
    services = (struct alc_services){.mount_keys = {.get = get_no_key},
                                     .attester = place->attester,
                                     .broker_form = alc_broker_write_snp};
    if (place->seal_key_path != NULL) {
        cli_complete_read_seal_key(place->seal_key_path, secret);
        services.mount_keys = (struct alc_mounts_keys){.get = get_key, .context = secret};
    }
    (void)!alc_services_run_from_os(os, profile, &services, stop_flag);
    alc_wipe(secret, sizeof secret);
}

static __attribute__((constructor)) void bring(void)
{
    static const struct cli_complete complete = {
        .run = run,
        .equip = alc_services_equip,
        .prepare = cli_complete_prepare,
        .add_settings = cli_complete_add_settings,
        .print_levels = cli_complete_print_levels,
        .write_upkeep = cli_complete_write_upkeep,
        .offer_proof = cli_complete_offer_proof,
        .write_proof = cli_complete_write_proof,
        .interpreter = {alc_complete_image, &alc_complete_image_size, &alc_complete_sigstruct},
        .native = {alc_complete_native_image, &alc_complete_native_image_size,
                   &alc_complete_native_sigstruct},
        .name_key = cli_complete_name_key,
        .sign = cli_complete_sign,
        .make_key = cli_complete_make_key,
        .seal = cli_complete_seal,
        .witness = cli_complete_witness,
    };
    cli_complete_register(&complete);
}
