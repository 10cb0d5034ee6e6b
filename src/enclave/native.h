/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiled code inside: its faults come in at level 1, its end on the host's wish as an ecall.
 *
 * A fault is answered only when the processor's own record of it (SSA frame, EXINFO) is one that
 * the code of the thread's running program may cause. The host can neither invent that record nor
 * change it; what it can do is take away a page that is there, and that is recognised: the code
 * goes on as if nothing had been.
 */
#ifndef ALC_ENCLAVE_NATIVE_H
#define ALC_ENCLAVE_NATIVE_H

#include "exec/memory.h"

/* What compiled code has in an enclave: XFRM 3, so nothing beyond SSE; faults are watched on the
 * thread that says so. */
extern const struct alc_native_support alc_enclave_native_support;

/* Takes exceptions in the heap, once, before any compiled code runs. ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_enclave_native_init(void);
/* Makes compiled code on all threads stop with ALC_E_DEADLINE at its next look. From any thread. */
void alc_enclave_native_stop(void);

#endif
