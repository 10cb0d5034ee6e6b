/* SPDX-License-Identifier: Apache-2.0
 *
 * The strict user-mode emulator of SGX: runs the same enclave binary as the hardware, through the
 * same backend interface (sgx/backend.h), in this process. It checks what a processor checks; it
 * PROTECTS NOTHING: keys come from a fixed root, and whoever controls the process controls the
 * enclave. Reports say so: ATTRIBUTES.DEBUG is set in them and CPUSVN reads "alcove emulated".
 *
 * While code runs inside, all signals of the thread except the synchronous ones wait; a tick every
 * ALC_SGX_EMU_TICK_NS of CPU time (or a signal of alc_sgx_emu_preempt_signal) makes an asynchronous
 * exit, after which waiting signals arrive, as they would on hardware.
 */
#ifndef ALC_SGX_EMU_EMU_H
#define ALC_SGX_EMU_EMU_H

#include "sgx/backend.h"

#define ALC_SGX_EMU_TICK_NS UINT64_C(10000000)
/* What CPUSVN reads in every report and is part of every key. */
#define ALC_SGX_EMU_CPU_SVN "alcove emulated"

enum alc_sgx_emu_hiding {
    /* With protection keys: always. Without them every transition has to change the mapping of
     * every page: then as long as that takes at most a fifth of the time since the start. */
    ALC_SGX_EMU_HIDE_AUTO,
    ALC_SGX_EMU_HIDE_ALWAYS,
    ALC_SGX_EMU_HIDE_NEVER, /* for debuggers */
};

/* How system calls of enclave code are caught. */
enum alc_sgx_emu_syscalls {
    ALC_SGX_EMU_SYSCALLS_AUTO,
    ALC_SGX_EMU_SYSCALLS_DISPATCH, /* Syscall User Dispatch: also gadgets outside the enclave */
    ALC_SGX_EMU_SYSCALLS_SECCOMP,  /* filter on the instruction pointer; for ever in this thread */
};

/* Registers as they cross a boundary, for hooks. */
struct alc_sgx_emu_state {
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rflags;
    uint64_t rip;
    uint32_t mxcsr;
    uint16_t fcw;
    uint8_t xmm[16][16];
    bool vectors_clean; /* nothing in any component but the initial state */
};

struct alc_sgx_emu_options {
    enum alc_sgx_emu_hiding hiding;
    enum alc_sgx_emu_syscalls syscalls;
    /* CPUID faults inside (where the machine can do that); costs two system calls a transition. */
    bool fault_cpuid;
    /* An asynchronous exit after every instruction inside; with `step_level_0_only`, level 1 runs
     * undisturbed. */
    bool step;
    bool step_level_0_only;
    /* -- test hooks; `hook_context` is their first argument -- */
    void *hook_context;
    /* After an asynchronous exit without exception (step, tick, preempt), on the host side, before
     * ERESUME. May enter the same TCS again (level 1) through the backend. Not 0: the stay ends,
     * `enter` returns it. */
    int (*interrupted)(void *hook_context, struct alc_sgx_context *context, uint64_t tcs,
                       uint64_t rip_offset);
    /* At every EEXIT, in the signal handler: what the enclave left in the registers. MUST NOT call
     * anything that is not async-signal-safe. */
    void (*exited)(void *hook_context, const struct alc_sgx_emu_state *state);
    /* EENTER with flags and floating-point modes that a hostile host may set: DF, AC, odd rounding
     * and exception masks, non-zero vectors, a full x87 stack. */
    bool poison_entry;
    /* Replaces ENCLU in the enclave's code by an instruction of the same length that raises #GP, as
     * ENCLU does on processors with SGX switched off. */
    bool trap_by_gp;
    /* A processor that has no KSS: ECREATE refuses the attribute. */
    bool without_kss;
};

/* With default options. Static. */
const struct alc_sgx_backend *alc_sgx_emu_backend(void);
/* A backend with other options, borrowed until the last context is closed. */
struct alc_sgx_backend alc_sgx_emu_backend_with(const struct alc_sgx_emu_options *options);

/* Whether an emulated enclave made this report for the one that `target` describes: what that one
 * would find out with its report key. */
bool alc_sgx_emu_verify_report(const struct alc_sgx_report *report,
                               const struct alc_sgx_target_info *target);

/* Pages added ahead of the enclave's touching them, as a kernel may do: EAUG of every page of the
 * range that is not there. */
int alc_sgx_emu_add_ahead(struct alc_sgx_context *context, uint64_t offset, uint64_t length);
/* The signal that makes a thread inside leave asynchronously. */
int alc_sgx_emu_preempt_signal(void);

struct alc_sgx_emu_statistics {
    uint64_t enters;     /* EENTER and ERESUME from outside */
    uint64_t exits;      /* EEXIT */
    uint64_t interrupts; /* asynchronous exits */
    uint64_t faults;     /* of them, by exceptions */
    uint64_t pages;      /* in the enclave now */
    /* How often pages were used that could be written and executed at once: legal, never wanted. */
    uint64_t writable_code;
    /* Static text: what the enclave did last that would have crashed its host; NULL: nothing. */
    const char *violation;
};
void alc_sgx_emu_get_statistics(const struct alc_sgx_context *context,
                                struct alc_sgx_emu_statistics *out);
/* The emulator's own view of the enclave's memory, for tests that play the hardware. */
uint8_t *alc_sgx_emu_memory(struct alc_sgx_context *context);

#endif
