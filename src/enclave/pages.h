/* SPDX-License-Identifier: Apache-2.0
 *
 * Address space and memory above the image. Pages there are not part of the image: the host adds
 * them (EAUG) when they are touched, the enclave accepts each exactly once (EACCEPT) and keeps its
 * own record, so a page that the host takes away and gives back is never accepted a second time.
 * Safe to call from several threads.
 */
#ifndef ALC_ENCLAVE_PAGES_H
#define ALC_ENCLAVE_PAGES_H

#include "base/status.h"

/* `size` bytes of address space (rounded up to pages) without memory, aligned to 4096, with at
 * least one page behind it that is never committed. NULL when there is none, or after
 * ALC_LIMIT_ENCLAVE_RESERVATIONS of them. */
ALC_MUST_CHECK void *alc_enclave_pages_reserve(size_t size);
/* Puts zeroed, writable memory behind [addr, addr + size), which MUST be pages of one reservation
 * that are not committed yet (recommitting zeroes them). ALC_E_BAD_ARGUMENT outside a reservation,
 * ALC_E_OUT_OF_MEMORY when the host gives no pages. */
ALC_MUST_CHECK alc_status alc_enclave_pages_commit(void *addr, size_t size);
/* Ends a reservation, whole: `addr` as it was returned. Its pages stay with the enclave for the
 * next reservation. */
void alc_enclave_pages_release(void *addr);

#endif
