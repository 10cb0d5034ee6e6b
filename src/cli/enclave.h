/* SPDX-License-Identifier: Apache-2.0
 *
 * The enclave that the command line uses: the built-in image or one from files, and a backend that
 * this machine offers.
 */
#ifndef ALC_CLI_ENCLAVE_H
#define ALC_CLI_ENCLAVE_H

#include "cli/run_options.h"
#include "os/os.h"
#include "os_linux/os_linux.h"
#include "sgx/image.h"
#include "sgx/loader.h"

/* One of the images that the program carries, with a development signature, as the build makes
 * them. */
struct cli_built_in {
    const uint8_t *bytes;
    const uint64_t *size;
    const struct alc_sgx_sigstruct *sigstruct;
};

/* Which of them: two executors, each plain or with all services. */
struct cli_image_kind {
    bool is_native;
    bool is_complete; /* if this program has services, see cli/complete.h */
};

struct cli_image {
    const uint8_t *bytes;
    size_t size;
    struct alc_sgx_sigstruct sigstruct;
    struct alc_image parsed;
};

/* NULL paths: the built-in ones of this kind. Ends the process when a file is not what it should
 * be, or when there are no images of this kind. */
void cli_image_open(const char *image_path, const char *signature_path, struct cli_image_kind kind,
                    struct cli_image *out);

/* Loads an enclave as `options` ask (with one line on stderr when it is an emulated one by
 * default), for this workload alone where the processor can have that (CONFIGID), runs what
 * `system` offers, and prints the measurement when a report is wanted.
 * `publish_stop_flag` gets the word that asks the program to stop before it starts, and NULL before
 * that word goes away. Threads of the program may still run afterwards, see
 * alc_os_linux_has_threads. */
alc_status cli_enclave_run(const struct run_options *options, struct cli_image_kind kind,
                           const uint8_t workload_id[ALC_SHA256_SIZE], struct alc_os_linux *system,
                           void (*publish_stop_flag)(volatile uint64_t *stop_flag),
                           struct alc_error *error);

/* Asks native code in the enclave to stop, if a thread is free to go in for that. While a program
 * runs, from another thread. */
void cli_enclave_stop(void);

#endif
