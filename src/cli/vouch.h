/* SPDX-License-Identifier: Apache-2.0
 *
 * Where vouchers come from and who verifies them. They stand on crypto/, which cannot be built
 * everywhere: the program carries them if it can (cli_vouch/), and says so if not.
 */
#ifndef ALC_CLI_VOUCH_H
#define ALC_CLI_VOUCH_H

#include "cli/cli.h"
#include "native/image.h"
#include "sgx_arch/arch.h"
#include "wasm/module.h"
#include "workload/workload.h"

struct cli_vouching {
    /* The SHA-256 by which a manifest names the owner's key, of a PEM file with the public or the
     * private one. Ends the process when it is none. */
    void (*name_key)(const char *key_path, uint8_t digest[ALC_SHA256_SIZE]);
    /* The owner's voucher for an image, from malloc. `key_path`: his private key. Ends the process
     * when it is none. */
    struct cli_file (*sign)(const char *key_path, const struct alc_native_image *image,
                            const struct alc_module *module,
                            const struct alc_workload_limits *limits);
    /* Makes a key, written to a new file. */
    void (*make_key)(const char *key_path);
    /* Makes `compiled` verify vouchers, outside an enclave. */
    void (*accept)(struct alc_workload_compiled *compiled);
    /* The enclave image that verifies vouchers. */
    const uint8_t *image;
    const uint64_t *image_size;
    const struct alc_sgx_sigstruct *sigstruct;
};

/* Before main; borrowed. */
void cli_vouching_register(const struct cli_vouching *vouching);
/* NULL: this program was built without. */
const struct cli_vouching *cli_vouching_get(void);
/* The same; ends the process when there is none. */
const struct cli_vouching *cli_vouching_need(void);

#endif
