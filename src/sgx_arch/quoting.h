/* SPDX-License-Identifier: Apache-2.0
 *
 * How an enclave reaches its machine's quoting service: through a handle (ALC_OS_QUOTING) that is
 * used like a file, so that the boundary needs no calls for it.
 *
 *   read_at offset ALC_QUOTING_TARGET   TARGETINFO of the quoting enclave, 512 bytes
 *   write                               a REPORT for it, 432 bytes, which is quoted
 *   read_at offset ALC_QUOTING_QUOTE    the quote, whole: OVERFLOW when there is no room for it
 *
 * The inside does the last two as one, for one report after the other. Nothing of it is believed
 * there; errors of the service are IO.
 */
#ifndef ALC_SGX_ARCH_QUOTING_H
#define ALC_SGX_ARCH_QUOTING_H

#include "sgx_arch/arch.h"

enum {
    ALC_QUOTING_TARGET = 0,
    ALC_QUOTING_QUOTE = 4096,
    ALC_QUOTING_QUOTE_SIZE_MAX = 64 * 1024,
};

#endif
