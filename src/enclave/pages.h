/* SPDX-License-Identifier: Apache-2.0
 *
 * Address space and memory above the image. Pages there are not part of the image: the host adds
 * them (EAUG) when they are touched, the enclave accepts each exactly once (EACCEPT) and keeps its
 * own record, so a page that the host takes away and gives back is never accepted a second time,
 * unless the enclave itself had it taken away. Safe to call from several threads.
 *
 * A page is never writable and executable at once, not even for the processor's page map: to become
 * code it is restricted to reading (EMODPR, which only the host can do), that is verified
 * (EACCEPT), and only then is execution added (EMODPE, which only the enclave can do).
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
/* Committed memory [addr, addr + size) can be read and executed from now on, and not be written;
 * it is not committed again. ALC_E_HOST_LIED when the host did not do its part: then nothing there
 * can be executed, and it can only be discarded. ALC_E_BAD_ARGUMENT when it is not committed. */
ALC_MUST_CHECK alc_status alc_enclave_pages_execute(void *addr, size_t size);
/* Whether a page of the heap is committed at `addr`. Also at level 1. */
bool alc_enclave_pages_has(uint64_t addr);
/* Ends a reservation, whole: `addr` as it was returned. Its pages stay with the enclave for the
 * next reservation, in which they can be read and written before they are committed. */
void alc_enclave_pages_release(void *addr);
/* The same for images that count on reserved memory without a page behind it: the pages go back to
 * the host. Without its help the reservation stays for ever. */
void alc_enclave_pages_discard(void *addr);

#endif
