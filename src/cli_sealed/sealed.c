/* SPDX-License-Identifier: Apache-2.0
 *
 * Brings sealed storage into the alcove program: the way to run outside an enclave, with a key from
 * a file, and the enclave image that the build made.
 */
#include "cli/sealed.h"
#include "base/bytes.h"
#include "cli/cli.h"
#include "mounts/mounts.h"

/* Made by the build, with its development signature. */
extern const uint8_t alc_sealed_runtime_image[];
extern const uint64_t alc_sealed_runtime_image_size;
extern const struct alc_sgx_sigstruct alc_sealed_runtime_sigstruct;

/* The file's bytes, whatever the workload: for development, and for storage that is sealed from the
 * disk alone. */
static alc_status get_key(void *context, const uint8_t workload_id[ALC_SHA256_SIZE],
                          const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          uint8_t key[ALC_SEAL_KEY_SIZE])
{
    const uint8_t *secret = context;
    (void)workload_id;
    (void)key_id;
    alc_copy(key, secret, ALC_SEAL_KEY_SIZE);
    return ALC_OK;
}

static void run(const char *key_path, struct alc_os *os, const struct alc_workload_profile *profile,
                const volatile uint64_t *stop_flag)
{
    uint8_t secret[ALC_SEAL_KEY_SIZE];
    struct cli_file file = cli_read_file(key_path);
    if (file.size != sizeof secret) {
        cli_die(CLI_USAGE, "%s: a key has %zu bytes", key_path, sizeof secret);
    }
    alc_copy(secret, file.bytes, sizeof secret);
    cli_unmap(&file);
    const struct alc_mounts_keys keys = {.get = get_key, .context = secret};
    (void)!alc_mounts_run_from_os(os, profile, &keys, stop_flag);
    alc_wipe(secret, sizeof secret);
}

static __attribute__((constructor)) void bring(void)
{
    static const struct cli_sealed sealed = {
        .run = run,
        .image = alc_sealed_runtime_image,
        .image_size = &alc_sealed_runtime_image_size,
        .sigstruct = &alc_sealed_runtime_sigstruct,
    };
    cli_sealed_register(&sealed);
}
