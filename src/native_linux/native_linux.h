/* SPDX-License-Identifier: Apache-2.0
 *
 * What native_exec/ needs of Linux, outside an enclave: faults as signals, pages, what the
 * processor can. The signal handlers belong to the process.
 */
#ifndef ALC_NATIVE_LINUX_H
#define ALC_NATIVE_LINUX_H

#include "exec/memory.h"

/* For alc_pages.native. Installs handlers of SIGSEGV, SIGBUS, SIGILL and SIGFPE unless they are
 * there, which hand on to the former ones what is no trap of compiled code; threads get a signal
 * stack when they first run compiled code. NULL where the kernel does not let programs use
 * FSGSBASE, or a handler cannot be installed. */
const struct alc_native_support *alc_native_linux_support(void);

/* Makes compiled code of all threads stop with ALC_E_DEADLINE at its next look. From any thread. */
void alc_native_linux_stop(void);

/* All of alc_pages, over mmap, with `native` as above; false where that is NULL. */
ALC_MUST_CHECK bool alc_native_linux_pages(struct alc_pages *out);

#endif
