/* SPDX-License-Identifier: Apache-2.0
 *
 * Where `alcove run --sealed` finds what it needs. Sealed storage stands on crypto/, which cannot
 * be built everywhere: the program carries it if it can (cli_sealed/), and says so if not.
 */
#ifndef ALC_CLI_SEALED_H
#define ALC_CLI_SEALED_H

#include "os/os.h"
#include "sgx_arch/arch.h"
#include "workload/workload.h"

struct cli_sealed {
    /* Runs a workload with sealed mounts outside an enclave, with the key in the file `key_path`.
     * Ends the process with CLI_USAGE when that is none. */
    void (*run)(const char *key_path, struct alc_os *os, const struct alc_workload_profile *profile,
                const volatile uint64_t *stop_flag);
    /* The enclave image for such workloads. */
    const uint8_t *image;
    const uint64_t *image_size;
    const struct alc_sgx_sigstruct *sigstruct;
};

/* Before main; borrowed. */
void cli_sealed_register(const struct cli_sealed *sealed);
/* NULL: this program was built without. */
const struct cli_sealed *cli_sealed_get(void);

#endif
