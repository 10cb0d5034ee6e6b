/* SPDX-License-Identifier: Apache-2.0
 *
 * What the emulator's files share: the enclave (page table, measurement, mappings), the thread
 * record that signal handlers find by their stack pointer, and one crossing. Inside the room only.
 */
#ifndef ALC_SGX_EMU_EMU_INTERNAL_H
#define ALC_SGX_EMU_EMU_INTERNAL_H

#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <ucontext.h>

#include "base/sha256.h"
#include "sgx_emu/emu.h"
#include "sgx_emu/emu_asm.h"

/* -- the page table (EPCM): one word a page, sparse -- */

/* The low six bits are those of SECINFO. */
enum epcm_bits {
    EPCM_PERMISSIONS = 0x07,
    EPCM_PENDING = 0x08,
    EPCM_MODIFIED = 0x10,
    EPCM_RESTRICTED = 0x20,
    EPCM_STATE = EPCM_PENDING | EPCM_MODIFIED | EPCM_RESTRICTED,
    EPCM_BUSY = 0x40, /* a TCS with a thread inside */
    EPCM_VALID = 0x80,
    EPCM_TYPE_SHIFT = 8,
    EPCM_TYPE = 0x0F00,
    /* Not the processor's: permissions up to which the kernel maps the page. */
    EPCM_LIMIT_SHIFT = 12,
    EPCM_LIMIT = 0x7000,
};

/* A kernel has 65,530 mappings for a process. */
enum { MAPPINGS_MAX = 4096, RUNS_MAX = 256 };

/* Pages [first, end) with PROT_* bits. */
struct page_run {
    uint64_t first;
    uint64_t end;
    int protection;
};

struct alc_sgx_context {
    const struct alc_sgx_emu_options *options;
    atomic_flag lock;
    struct alc_sgx_secs secs;
    uint64_t pages_count; /* of the range */
    uint8_t *view;        /* the range, as enclave code sees it */
    uint8_t *memory;      /* the same bytes, always accessible: the emulator's */
    int memory_fd;
    uint16_t *epcm;
    uint64_t used_end; /* no page from here on was ever there */
    struct alc_sha256 measurement;
    bool is_created;
    bool is_initialised;
    uint8_t isv_extended_product_id[16];
    uint8_t isv_family_id[16];
    /* What the kernel mapped (backend.map), and what of it is in the page tables now. */
    struct page_run mappings[MAPPINGS_MAX];
    uint32_t mappings_count;
    struct page_run runs[RUNS_MAX];
    uint32_t runs_count;
    uint64_t flushes_count;
    uint32_t threads_inside;
    bool is_hidden;         /* by mprotect: the runs are not in the page tables */
    uint64_t opened_cycles; /* time-stamp counter: since when, and how much of it hiding took */
    uint64_t hiding_cycles;
    int protection_key; /* -1: none */
    struct alc_sgx_emu_statistics statistics;
};

/* -- one stay inside, from a crossing to what ended it -- */

enum emu_outcome {
    EMU_OUTCOME_EXIT,      /* EEXIT */
    EMU_OUTCOME_INTERRUPT, /* asynchronous, no exception */
    EMU_OUTCOME_EXCEPTION, /* asynchronous, by an exception */
    EMU_OUTCOME_BROKEN,    /* the enclave did what would crash the host */
};

/* Laid out for emu_entry.S: general registers in the order of struct alc_sgx_gprs. */
struct emu_crossing {
    uint64_t registers[16];
    uint64_t rip;
    uint64_t rflags;
    uint64_t fs_base;
    uint64_t gs_base;
    uint8_t *xstate; /* aligned to 64 */
    uint64_t xstate_mask;
    uint64_t pkru;
};
_Static_assert(offsetof(struct emu_crossing, rip) == EMU_CROSSING_RIP, "emu_asm.h");
_Static_assert(offsetof(struct emu_crossing, rflags) == EMU_CROSSING_RFLAGS, "emu_asm.h");
_Static_assert(offsetof(struct emu_crossing, fs_base) == EMU_CROSSING_FS, "emu_asm.h");
_Static_assert(offsetof(struct emu_crossing, gs_base) == EMU_CROSSING_GS, "emu_asm.h");
_Static_assert(offsetof(struct emu_crossing, xstate) == EMU_CROSSING_XSTATE, "emu_asm.h");
_Static_assert(offsetof(struct emu_crossing, xstate_mask) == EMU_CROSSING_XSTATE_MASK, "emu_asm.h");
_Static_assert(offsetof(struct emu_crossing, pkru) == EMU_CROSSING_PKRU, "emu_asm.h");

struct emu_stay {
    struct alc_sgx_context *context;
    uint64_t tcs_page;
    struct emu_crossing to;
    sigset_t host_mask;
    bool steps; /* the trap flag is set by us */
    /* -- the result -- */
    enum emu_outcome outcome;
    uint16_t vector;
    uint16_t error_code;
    uint64_t fault_addr;
    uint64_t rip_offset;
    uint64_t rdi, rsi, rdx, rsp, r8, r9; /* at EEXIT */
    const char *broken;                  /* static text */
};

/* -- a thread that enters enclaves -- */

enum { XSTATE_SIZE = 4096 };

/* At the base of the thread's alternate signal stack, which is aligned to its size. */
struct emu_thread {
    uint64_t host_fs;
    uint64_t host_gs;
    uint64_t host_rsp;
    uint64_t current_fs; /* when the signal came */
    uint64_t resume_fs;  /* what the trampoline leaves with */
    /* For Syscall User Dispatch; [1]: what it becomes when the signal handler ends. */
    volatile uint8_t selector[8];
    volatile uint64_t is_inside;
    uint64_t has_pku;
    uint64_t host_pkru;
    struct emu_stay *stay;
    uint64_t soft_fault_page;    /* the last page that was put into the page tables on demand */
    uint64_t soft_fault_flushes; /* of the context, then */
    uint32_t soft_faults;        /* how often in a row */
    bool syscalls_by_dispatch;
    uint64_t filtered_base; /* enclave range of the last seccomp filter */
    stack_t previous_stack; /* what was there before, given back when the thread ends */
    timer_t tick;
    bool has_tick;
    uint8_t xstate[XSTATE_SIZE] __attribute__((aligned(64)));
};
_Static_assert(offsetof(struct emu_thread, host_fs) == EMU_THREAD_HOST_FS, "emu_asm.h");
_Static_assert(offsetof(struct emu_thread, host_gs) == EMU_THREAD_HOST_GS, "emu_asm.h");
_Static_assert(offsetof(struct emu_thread, host_rsp) == EMU_THREAD_HOST_RSP, "emu_asm.h");
_Static_assert(offsetof(struct emu_thread, current_fs) == EMU_THREAD_CURRENT_FS, "emu_asm.h");
_Static_assert(offsetof(struct emu_thread, resume_fs) == EMU_THREAD_RESUME_FS, "emu_asm.h");
_Static_assert(offsetof(struct emu_thread, selector) == EMU_THREAD_SELECTOR, "emu_asm.h");
_Static_assert(offsetof(struct emu_thread, is_inside) == EMU_THREAD_INSIDE, "emu_asm.h");
_Static_assert(offsetof(struct emu_thread, has_pku) == EMU_THREAD_HAS_PKU, "emu_asm.h");
_Static_assert(offsetof(struct emu_thread, host_pkru) == EMU_THREAD_HOST_PKRU, "emu_asm.h");
_Static_assert(sizeof(struct emu_thread) < EMU_STACK_SIZE / 4, "the rest is stack");

/* -- epcm.c: pages. The lock MUST be held. -- */

void emu_lock(struct alc_sgx_context *context);
void emu_unlock(struct alc_sgx_context *context);
static inline uint32_t epcm_type(uint16_t entry)
{
    return (uint32_t)(entry & EPCM_TYPE) >> EPCM_TYPE_SHIFT;
}
static inline uint16_t epcm_entry(enum alc_sgx_page_type type, uint64_t bits)
{
    return (uint16_t)((type << EPCM_TYPE_SHIFT) | EPCM_VALID | bits);
}
static inline uint16_t epcm_limit(uint64_t permissions)
{
    return (uint16_t)(permissions << EPCM_LIMIT_SHIFT);
}
/* PROT_* that the kernel mapped the page with; 0 when not. */
int emu_mapped_protection(const struct alc_sgx_context *context, uint64_t page);
/* Adds [first, end) with `protection` to the mappings, over what was there. */
int emu_map(struct alc_sgx_context *context, uint64_t first, uint64_t end, int protection);
/* PROT_* that enclave code may use on the page. */
int emu_allowed_protection(const struct alc_sgx_context *context, uint64_t page);
/* Puts the page and its neighbours of the same kind into the page tables. */
void emu_show(struct alc_sgx_context *context, uint64_t page);
/* Takes everything out of the page tables, to be put in again on demand: after a change that takes
 * rights away. */
void emu_flush(struct alc_sgx_context *context);
/* A thread goes in or comes out: hides and shows. */
void emu_thread_entered(struct alc_sgx_context *context);
void emu_thread_left(struct alc_sgx_context *context);
/* The kernel's answer to touching a page that is not there: EAUG. False when it has none. */
bool emu_augment(struct alc_sgx_context *context, uint64_t page);

/* Where [addr, + size) of enclave memory is for the emulator, if all of it is in ordinary pages
 * with `permissions`; NULL, *vector (GP, PF) and *fault_addr otherwise. */
uint8_t *emu_operand(struct alc_sgx_context *context, uint64_t addr, uint64_t size,
                     uint64_t alignment, uint64_t permissions, uint16_t *vector,
                     uint64_t *fault_addr);

/* -- launch.c: ECREATE, EADD, EEXTEND, EINIT -- */

int emu_create(struct alc_sgx_context *context, const struct alc_sgx_secs *secs);
int emu_add_pages(struct alc_sgx_context *context, const struct alc_sgx_add_pages *pages);
int emu_init(struct alc_sgx_context *context, const struct alc_sgx_sigstruct *sigstruct,
             uint32_t *einit_error);

/* -- keys.c -- */

void emu_make_report(const struct alc_sgx_context *context,
                     const struct alc_sgx_target_info *target, const uint8_t data[64],
                     struct alc_sgx_report *out);
/* What EGETKEY leaves in RAX; *faults: #GP instead. */
enum alc_sgx_error emu_make_key(const struct alc_sgx_context *context,
                                const struct alc_sgx_key_request *request, uint8_t key[16],
                                bool *faults);

/* -- leaf.c: ENCLU inside -- */

struct emu_leaf_result {
    bool is_exit; /* EEXIT: the thread leaves */
    bool faults;
    uint16_t vector;
    uint16_t error_code;
    uint64_t fault_addr;
};
struct emu_leaf_result emu_run_leaf(struct alc_sgx_context *context, greg_t *registers);

/* -- follow.c -- */

/* Executes what it knows from RIP on, inside one executable page. True: RIP is at the bytes `leaf`,
 * an EACCEPT. */
bool emu_follow(greg_t *registers, const uint8_t *page, uint64_t page_addr, const uint8_t *leaf);

/* -- xstate.c -- */

/* Reads the sizes once. */
void emu_xstate_probe(void);
uint64_t emu_xstate_features(void);
/* Bytes of an XSAVE area with these components. */
uint32_t emu_xstate_size(uint64_t xfrm);
/* The state in a signal frame, as far as XFRM goes, into an SSA frame. */
void emu_xstate_save(const ucontext_t *frame, uint64_t xfrm, uint8_t *ssa);
/* Whether an SSA frame's XSAVE area can be restored; builds the image for it. */
bool emu_xstate_load(const uint8_t *ssa, uint64_t xfrm, uint8_t image[XSTATE_SIZE]);
/* The frame goes back with everything initial (but protection keys). */
void emu_xstate_clear(ucontext_t *frame);
/* No component outside XFRM is in use. */
bool emu_xstate_is_within(const ucontext_t *frame, uint64_t xfrm);
/* All components are initial, MXCSR's flags aside. */
bool emu_xstate_is_clean(const ucontext_t *frame);
/* Image and mask for EENTER: everything outside XFRM is put aside; with `poison`, the rest is
 * hostile. */
uint64_t emu_xstate_for_entry(uint64_t xfrm, bool poison, uint8_t image[XSTATE_SIZE]);

/* -- thread.c -- */

/* What this machine offers; ALC_E_NOT_SUPPORTED with the reason. Installs the signal handlers, once
 * for the process. */
ALC_MUST_CHECK alc_status emu_prepare_process(const struct alc_sgx_emu_options *options,
                                              struct alc_error *error);
bool emu_has_protection_keys(void);
bool emu_has_cpuid_faulting(void);
/* The calling thread's record, made when first asked for; NULL without memory. */
struct emu_thread *emu_prepare_thread(const struct alc_sgx_context *context);
/* The record whose stack `rsp` points into, or NULL. Called with the enclave's FS. */
struct emu_thread *emu_find_thread(uint64_t rsp);
/* Signals that are none of the emulator's business: to whoever handled them before. */
void emu_foreign_signal(int signal_number, siginfo_t *info, ucontext_t *frame);
/* The mask while inside. */
void emu_inside_mask(sigset_t *out);

/* -- transition.c -- */

int emu_enter(struct alc_sgx_context *context, uint64_t rdi, uint64_t rsi, uint64_t rdx,
              uint32_t leaf, uint64_t r8, uint64_t r9, struct alc_sgx_run *run);

/* -- ssa.c: the TCS and the SSA frames -- */

/* EENTER or ERESUME up to the crossing; the lock MUST be held. 0, or the vector of the fault. */
uint16_t emu_begin(struct emu_stay *stay, uint32_t leaf, uint64_t tcs, struct emu_thread *thread,
                   uint64_t *fault_addr);
/* Asynchronous exit: saves the frame's registers. The lock MUST be held. */
void emu_save_frame(struct emu_stay *stay, const struct emu_thread *thread, const ucontext_t *frame,
                    uint32_t exit_info, uint64_t fault_addr, uint32_t error_code);
/* EEXIT. The lock MUST be held. */
void emu_finish_exit(struct emu_stay *stay);
/* SSA frame `index` of the TCS. NULL when it is not in ordinary writable pages. */
uint8_t *emu_ssa_frame(struct alc_sgx_context *context, uint64_t tcs_page, uint32_t index);
struct alc_sgx_tcs *emu_tcs(const struct alc_sgx_context *context, uint64_t tcs_page);

/* -- signal.c -- */

void emu_handle_signal(int signal_number, siginfo_t *info, ucontext_t *frame,
                       struct emu_thread *thread);

/* -- emu_entry.S -- */

void emu_cross(struct emu_thread *thread, const struct emu_crossing *to);
extern const uint8_t emu_cross_return[];
extern const uint8_t emu_after_enter[];
void emu_trampoline(int signal_number, siginfo_t *info, void *frame);
void emu_restorer(void);
extern const uint8_t emu_restorer_end[];

#endif
