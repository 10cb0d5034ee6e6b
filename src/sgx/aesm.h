/* SPDX-License-Identifier: Apache-2.0
 *
 * Client of the machine's quoting service (AESM), over its Unix socket: one request a connection,
 * each a length and a Protocol Buffers message. What comes back is the host's word and bounded; the
 * enclave and whoever gets the quote do not rely on this code.
 *
 * Compiled and tested against a service of our own, never run with Intel's.
 */
#ifndef ALC_SGX_AESM_H
#define ALC_SGX_AESM_H

#include "base/writer.h"
#include "sgx_arch/arch.h"

struct alc_aesm_options {
    const char *socket_path; /* NULL: /var/run/aesmd/aesm.socket, else the abstract one */
    uint32_t timeout_ms;     /* for one exchange; 0: 10 s */
};

/* `options` may be NULL. ALC_E_NOT_SUPPORTED when nobody listens, ALC_E_IO_FAILED when the service
 * refuses, is late or says what makes no sense: the detail says which. */
ALC_MUST_CHECK alc_status alc_aesm_target_info(const struct alc_aesm_options *options,
                                               struct alc_sgx_target_info *out,
                                               struct alc_error *error);
/* Appends the quote for a report that was made for this target. */
ALC_MUST_CHECK alc_status alc_aesm_quote(const struct alc_aesm_options *options,
                                         const struct alc_sgx_report *report,
                                         struct alc_writer *out, struct alc_error *error);

#endif
