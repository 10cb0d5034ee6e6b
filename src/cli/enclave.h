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

/* The image built with this program and its development signature (made by the build). */
extern const uint8_t alc_runtime_image[];
extern const uint64_t alc_runtime_image_size;
extern const struct alc_sgx_sigstruct alc_runtime_sigstruct;
/* The same of the image for native code. */
extern const uint8_t alc_native_runtime_image[];
extern const uint64_t alc_native_runtime_image_size;
extern const struct alc_sgx_sigstruct alc_native_runtime_sigstruct;

/* Which of the images that this program carries. */
enum cli_image_kind {
    CLI_IMAGE_INTERPRETED,
    CLI_IMAGE_NATIVE,   /* for native code */
    CLI_IMAGE_VOUCHING, /* the same, which verifies vouchers; only if cli_vouching_get() is not NULL
                         */
    CLI_IMAGE_SEALED,   /* for sealed directories, interpreted; only if cli_sealed_get() is not NULL
                         */
};

struct cli_image {
    const uint8_t *bytes;
    size_t size;
    struct alc_sgx_sigstruct sigstruct;
    struct alc_image parsed;
};

/* NULL paths: the built-in ones of this kind. Ends the process when a file is not what it should
 * be.
 */
void cli_image_open(const char *image_path, const char *signature_path, enum cli_image_kind kind,
                    struct cli_image *out);

/* Loads an enclave as `options` ask (with one line on stderr when it is an emulated one by
 * default), runs what `system` offers, and prints the measurement when a report is wanted.
 * `publish_stop_flag` gets the word that asks the program to stop before it starts, and NULL before
 * that word goes away. Threads of the program may still run afterwards, see
 * alc_os_linux_has_threads. */
alc_status cli_enclave_run(const struct run_options *options, enum cli_image_kind kind,
                           struct alc_os_linux *system,
                           void (*publish_stop_flag)(volatile uint64_t *stop_flag),
                           struct alc_error *error);

/* Asks native code in the enclave to stop, if a thread is free to go in for that. While a program
 * runs, from another thread. */
void cli_enclave_stop(void);

#endif
