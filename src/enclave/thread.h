/* SPDX-License-Identifier: Apache-2.0
 *
 * The thread's own page (TLS page, addressed through FS): what the builder put there and what the
 * entry code keeps there. Never leaves the enclave; the host chooses only which thread runs. The
 * macros are for entry.S and are checked against the structure below.
 */
#ifndef ALC_ENCLAVE_THREAD_H
#define ALC_ENCLAVE_THREAD_H

#include "sgx_arch/entry.h"

/* Behind struct alc_thread_head. */
#define ALC_THREAD_SAVED_RSP 0x40
#define ALC_THREAD_IS_STARTED 0x48
#define ALC_THREAD_OUTSIDE_RSP 0x50
#define ALC_THREAD_OUTSIDE_RBP 0x58
#define ALC_THREAD_OUTSIDE_RETURN 0x60
#define ALC_THREAD_LEVEL1_OUTSIDE_RSP 0x68
#define ALC_THREAD_LEVEL1_OUTSIDE_RBP 0x70
#define ALC_THREAD_LEVEL1_OUTSIDE_RETURN 0x78
#define ALC_THREAD_IS_INSIDE 0x80

#ifndef __ASSEMBLER__

#include "sgx_arch/layout.h"

struct alc_enclave_thread {
    struct alc_thread_head head;
    /* Stack pointer of a host call in flight: not 0 is the only state in which HOST_CALL_RETURN is
     * legal; cleared before it is used. */
    uint64_t saved_rsp;
    uint64_t is_started; /* the stack guard is set */
    /* The host's, at the last entry at each level: EEXIT gives them back. */
    uint64_t outside_rsp;
    uint64_t outside_rbp;
    uint64_t outside_return;
    uint64_t level1_outside_rsp;
    uint64_t level1_outside_rbp;
    uint64_t level1_outside_return;
    uint64_t is_inside; /* an ecall is running: a second one may not start on this thread */
    /* native.c: whose compiled code may fault here, NULL: none does. Changes with the lock held. */
    struct alc_native_thread *native_thread;
    uint32_t native_lock; /* base/spin.h */
};
_Static_assert(offsetof(struct alc_enclave_thread, saved_rsp) == ALC_THREAD_SAVED_RSP, "entry.S");
_Static_assert(offsetof(struct alc_enclave_thread, is_started) == ALC_THREAD_IS_STARTED, "entry.S");
_Static_assert(offsetof(struct alc_enclave_thread, outside_rsp) == ALC_THREAD_OUTSIDE_RSP,
               "entry.S");
_Static_assert(offsetof(struct alc_enclave_thread, outside_rbp) == ALC_THREAD_OUTSIDE_RBP,
               "entry.S");
_Static_assert(offsetof(struct alc_enclave_thread, outside_return) == ALC_THREAD_OUTSIDE_RETURN,
               "entry.S");
_Static_assert(offsetof(struct alc_enclave_thread, level1_outside_rsp) ==
                   ALC_THREAD_LEVEL1_OUTSIDE_RSP,
               "entry.S");
_Static_assert(offsetof(struct alc_enclave_thread, level1_outside_rbp) ==
                   ALC_THREAD_LEVEL1_OUTSIDE_RBP,
               "entry.S");
_Static_assert(offsetof(struct alc_enclave_thread, level1_outside_return) ==
                   ALC_THREAD_LEVEL1_OUTSIDE_RETURN,
               "entry.S");
_Static_assert(offsetof(struct alc_enclave_thread, is_inside) == ALC_THREAD_IS_INSIDE, "entry.S");

/* The thread that runs; its address never changes. */
struct alc_enclave_thread *alc_enclave_thread_get(void);
/* 0 to alc_enclave_layout.threads_count - 1. */
uint64_t alc_enclave_thread_index(void);
/* First address of the enclave's range. */
uint8_t *alc_enclave_base(void);
/* Whether [addr, addr + size) lies wholly outside the enclave's range and does not wrap. A size of
 * 0 is outside when addr is. Speculation past the answer is stopped. */
bool alc_enclave_is_outside(uint64_t addr, uint64_t size);

#endif
#endif
