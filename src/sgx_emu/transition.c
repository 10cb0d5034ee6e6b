/* SPDX-License-Identifier: Apache-2.0
 *
 * backend.enter: the contract of the vDSO's function, on top of crossings. The host side calls this
 * directly (only the enclave's own ENCLU traps). Distrusts `run` as the vDSO does, and the enclave
 * entirely.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "sgx_emu/emu_internal.h"

#ifndef ARCH_SET_CPUID
#define ARCH_SET_CPUID 0x1012
#endif

static void set_cpuid_allowed(const struct alc_sgx_context *context, unsigned long allowed)
{
    if (context->options->fault_cpuid && emu_has_cpuid_faulting()) {
        syscall(SYS_arch_prctl, ARCH_SET_CPUID, allowed);
    }
}

static uint64_t inside_pkru(const struct alc_sgx_context *context)
{
    uint32_t pkru = 0;
    uint32_t edx;
    if (!emu_has_protection_keys()) {
        return 0;
    }
    __asm__ volatile("rdpkru" : "=a"(pkru), "=d"(edx) : "c"(0));
    return context->protection_key < 0 ? pkru : pkru & ~(3u << (2 * context->protection_key));
}

/* One ENCLU of the host: in, and whatever brings the thread back. */
static void stay_inside(struct emu_stay *stay, struct emu_thread *thread, uint32_t leaf,
                        uint64_t tcs)
{
    struct alc_sgx_context *context = stay->context;
    sigset_t mask;
    emu_inside_mask(&mask);
    /* The enclave sees, and has to give back, a stack pointer of the host's. */
    stay->rsp = ((uint64_t)(uintptr_t)&mask - 4096) & ~UINT64_C(15);
    stay->to.registers[4] = stay->rsp;
    stay->to.registers[5] = stay->rsp;
    emu_lock(context);
    uint64_t fault_addr = 0;
    uint16_t vector = emu_begin(stay, leaf, tcs, thread, &fault_addr);
    emu_unlock(context);
    if (vector != 0) {
        stay->outcome = EMU_OUTCOME_EXCEPTION;
        stay->vector = vector;
        stay->error_code = vector == ALC_SGX_VECTOR_PF ? ALC_SGX_PF_USER | ALC_SGX_PF_SGX : 0;
        stay->fault_addr = fault_addr;
        return;
    }
    struct emu_stay *outer = thread->stay;
    thread->stay = stay;
    thread->soft_fault_page = UINT64_MAX;
    stay->to.pkru = inside_pkru(context);
    set_cpuid_allowed(context, 0);
    /* Not pthread_sigmask, which leaves the C library's own signals open. */
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &stay->host_mask, sizeof(uint64_t));
    emu_cross(thread, &stay->to);
    set_cpuid_allowed(context, 1);
    thread->stay = outer;
}

/* Runs until something other than a mere interrupt happens. *leaf becomes the leaf that the host
 * executed last. Not 0: the hook's wish. */
static int run_stays(struct emu_stay *stay, struct emu_thread *thread, uint32_t *leaf, uint64_t tcs)
{
    const struct alc_sgx_emu_options *options = stay->context->options;
    for (;;) {
        stay_inside(stay, thread, *leaf, tcs);
        if (stay->outcome != EMU_OUTCOME_INTERRUPT) {
            return 0;
        }
        if (options->interrupted != NULL) {
            int wish =
                options->interrupted(options->hook_context, stay->context, tcs, stay->rip_offset);
            if (wish != 0) {
                return wish;
            }
        }
        *leaf = ALC_SGX_ERESUME;
    }
}

static void report_exception(const struct emu_stay *stay, uint32_t leaf, struct alc_sgx_run *run)
{
    bool was_inside = stay->rip_offset != UINT64_MAX;
    run->function = was_inside ? ALC_SGX_ERESUME : leaf;
    run->exception_vector = stay->vector;
    run->exception_error_code = stay->error_code;
    /* The processor hides the low bits of addresses in the enclave. */
    uint64_t offset = stay->fault_addr - stay->context->secs.base;
    run->exception_addr = offset < stay->context->secs.size
                              ? stay->fault_addr & ~(uint64_t)(ALC_SGX_PAGE_SIZE - 1)
                              : stay->fault_addr;
}

static bool is_run_legal(const struct alc_sgx_run *run)
{
    uint8_t any = 0;
    for (size_t i = 0; i < sizeof run->reserved; i++) {
        any |= run->reserved[i];
    }
    return any == 0;
}

int emu_enter(struct alc_sgx_context *context, uint64_t rdi, uint64_t rsi, uint64_t rdx,
              uint32_t leaf, uint64_t r8, uint64_t r9, struct alc_sgx_run *run)
{
    struct emu_thread *thread = emu_prepare_thread(context);
    if (thread == NULL) {
        return -ENOMEM;
    }
    for (;;) {
        if ((leaf != ALC_SGX_EENTER && leaf != ALC_SGX_ERESUME) || !is_run_legal(run)) {
            return -EINVAL;
        }
        struct emu_stay stay = {.context = context, .rip_offset = UINT64_MAX};
        stay.to.registers[6] = rsi;
        stay.to.registers[7] = rdi;
        stay.to.registers[2] = rdx;
        stay.to.registers[8] = r8;
        stay.to.registers[9] = r9;
        int result = run_stays(&stay, thread, &leaf, run->tcs);
        if (result != 0) {
            return result;
        }
        if (stay.outcome == EMU_OUTCOME_BROKEN) {
            context->statistics.violation = stay.broken;
            return -EFAULT;
        }
        if (stay.outcome == EMU_OUTCOME_EXIT) {
            run->function = ALC_SGX_EEXIT;
        } else {
            report_exception(&stay, leaf, run);
            result = -EFAULT;
        }
        alc_sgx_exit_handler *handler = (alc_sgx_exit_handler *)(uintptr_t)run->user_handler;
        if (handler == NULL) {
            return result;
        }
        result = handler((long)stay.rdi, (long)stay.rsi, (long)stay.rdx, (long)stay.rsp,
                         (long)stay.r8, (long)stay.r9, run);
        if (result <= 0) {
            return result;
        }
        leaf = (uint32_t)result;
    }
}
