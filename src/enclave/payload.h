/* SPDX-License-Identifier: Apache-2.0
 *
 * The workload of a packed image (sgx_arch/payload.h) in place of the one that the host offers.
 */
#ifndef ALC_ENCLAVE_PAYLOAD_H
#define ALC_ENCLAVE_PAYLOAD_H

#include "os/os.h"

/* In a packed image ALC_OS_MANIFEST and ALC_OS_MODULE are the image's own from now on (their size
 * and contents, nothing else of them is asked). Called once, before the workload runs. */
void alc_enclave_payload_serve(struct alc_os_operations *operations);

#endif
