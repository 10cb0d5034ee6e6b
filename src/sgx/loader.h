/* SPDX-License-Identifier: Apache-2.0
 *
 * Builds an enclave from its image through a backend and calls it. Runs outside: nothing here
 * protects the enclave, everything here is checked again by the processor and inside. The loader
 * protects itself from images and enclaves: a hostile image is refused, a crashed enclave is an
 * error.
 */
#ifndef ALC_SGX_LOADER_H
#define ALC_SGX_LOADER_H

#include "sgx/backend.h"
#include "sgx_arch/entry.h"

struct alc_sgx_enclave; /* a running enclave */

enum { ALC_SGX_ANY_THREAD = -1 };

/* Serves whatever the enclave left in the region outside. ALC_OK lets the enclave go on; anything
 * else ends the call with that status, with the enclave's thread stuck for ever. */
typedef alc_status alc_sgx_serve_function(void *context);

struct alc_sgx_call {
    int32_t thread; /* index of a TCS, or ALC_SGX_ANY_THREAD */
    uint64_t ecall;
    void *region; /* memory outside that the enclave may use during the call */
    size_t region_size;
    alc_sgx_serve_function *serve; /* NULL: the enclave may not ask for service */
    void *context;                 /* passed to serve */
};

/* Loads the image (SGXS stream) as `sigstruct` allows it: its attributes, MISCSELECT and XFRM are
 * what the enclave gets. `config_id` (ALC_SGX_CONFIG_ID_SIZE bytes; NULL: none) is what the
 * enclave's reports say that it was configured for: where processor and signer allow it (KSS), else
 * it is left out. `image` is borrowed for the call, `backend` until alc_sgx_close. ALC_E_BAD_IMAGE,
 * ALC_E_NOT_SUPPORTED (this machine), ALC_E_LAUNCH_REFUSED (EINIT), ALC_E_OUT_OF_MEMORY,
 * ALC_E_IO_FAILED. */
ALC_MUST_CHECK alc_status alc_sgx_load(const struct alc_sgx_backend *backend, const void *image,
                                       size_t image_size, const struct alc_sgx_sigstruct *sigstruct,
                                       const uint8_t *config_id, struct alc_sgx_enclave **out,
                                       struct alc_error *error);
/* Enters, serves the enclave's requests, brings exceptions to its handler and returns what it was
 * told. Host threads may call at the same time; ALC_E_NOT_FOUND when the TCS (all of them) is in
 * use. ALC_E_ENCLAVE_LOST when the enclave crashed or refused; it must be closed then. */
ALC_MUST_CHECK alc_status alc_sgx_call(struct alc_sgx_enclave *enclave,
                                       const struct alc_sgx_call *call, uint64_t *value,
                                       struct alc_error *error);
/* Nobody may be inside. NULL is ignored. */
void alc_sgx_close(struct alc_sgx_enclave *enclave);

uint32_t alc_sgx_threads_count(const struct alc_sgx_enclave *enclave);
uint32_t alc_sgx_capabilities(const struct alc_sgx_enclave *enclave);
/* The MRENCLAVE that EINIT agreed to. */
const uint8_t *alc_sgx_measurement(const struct alc_sgx_enclave *enclave);
/* For tests and the dynamic-memory calls of the backend. */
struct alc_sgx_context *alc_sgx_context(struct alc_sgx_enclave *enclave);
uint64_t alc_sgx_base(const struct alc_sgx_enclave *enclave);
/* How often the enclave left by an exception that the loader took to its handler. */
uint64_t alc_sgx_exceptions_count(const struct alc_sgx_enclave *enclave);

#endif
