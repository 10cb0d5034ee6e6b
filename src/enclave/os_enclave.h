/* SPDX-License-Identifier: Apache-2.0
 *
 * struct alc_os inside the enclave: host calls for what only the host can do, own pages and own
 * randomness. What comes back is in range and otherwise untrue until proven (os/os.h, Trust).
 */
#ifndef ALC_ENCLAVE_OS_ENCLAVE_H
#define ALC_ENCLAVE_OS_ENCLAVE_H

#include "os/os.h"

/* Registers the region outside, once per enclave, before any other thread runs. `raw_base` and
 * `raw_size` are as they came at EENTER. ALC_OK or ALC_E_HOST_LIED. */
ALC_MUST_CHECK alc_status alc_os_enclave_init(uint64_t raw_base, uint64_t raw_size);
/* The table; only after _init. */
struct alc_os *alc_os_enclave_get(void);
/* The table of an image that runs compiled code: the same, but pages may become code, and what is
 * reserved has no pages. */
struct alc_os *alc_os_enclave_get_for_code(void);
/* The calling thread, which the host brought in, does what os.h's set_thread_body said. False when
 * nobody had asked for it. */
bool alc_os_enclave_run_thread(void);
/* The word in the region by which the host asks for an end; untrusted. Only after _init. */
const volatile uint64_t *alc_os_enclave_stop_flag(void);
/* Uses instructions that not every processor has, where the host says that this one does: an
 * enclave cannot ask. A lie makes them fault. Once, after _init, before there are other threads. */
void alc_os_enclave_use_processor(void);

#endif
