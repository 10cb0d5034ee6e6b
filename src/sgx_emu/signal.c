/* SPDX-License-Identifier: Apache-2.0
 *
 * What enclave code raises: ENCLU (as #UD where the processor knows no SGX, as #GP where it is
 * switched off: only the instruction's bytes count), faults, single steps, ticks, system calls.
 * Runs on the thread's alternate stack with the host's FS. Everything in the frame is the
 * enclave's; the frame decides where the thread goes on.
 */
#include <sys/mman.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "sgx_emu/emu_internal.h"

enum { PAGE_SIZE = ALC_SGX_PAGE_SIZE, INSTRUCTION_SIZE = 3, SOFT_FAULTS_MAX = 8 };
enum { LEAVES_MAX = 1 << 16 };
enum { PF_PROTECTION_KEY = 1 << 5, RFLAGS_TF = 0x100, RFLAGS_INITIAL = 0x202 };

static const uint8_t enclu[INSTRUCTION_SIZE] = {0x0F, 0x01, 0xD7};
/* XSETBV: raises #GP here. Stands for ENCLU when options->trap_by_gp. */
static const uint8_t stand_in[INSTRUCTION_SIZE] = {0x0F, 0x01, 0xD1};

struct event {
    struct emu_thread *thread;
    struct emu_stay *stay;
    struct alc_sgx_context *context;
    siginfo_t *info;
    ucontext_t *frame;
    greg_t *registers;
    int signal_number;
    uint64_t trap_number;
};

static uint64_t rip_of(const struct event *event)
{
    return (uint64_t)event->registers[REG_RIP];
}

/* Whether RIP is in the enclave with `size` executable bytes; where they are. */
static const uint8_t *code_at(const struct event *event, uint64_t addr, size_t size)
{
    struct alc_sgx_context *context = event->context;
    uint64_t offset = addr - context->secs.base;
    if (!alc_range_fits(offset, size, context->secs.size) ||
        (emu_allowed_protection(context, offset / PAGE_SIZE) & PROT_EXEC) == 0 ||
        (emu_allowed_protection(context, (offset + size - 1) / PAGE_SIZE) & PROT_EXEC) == 0) {
        return NULL;
    }
    return context->memory + offset;
}

static bool is_at(const struct event *event, const uint8_t *bytes, size_t size)
{
    const uint8_t *code = code_at(event, rip_of(event), size);
    return code != NULL && alc_equal(code, bytes, size);
}

/* -- the ways out -- */

/* The thread continues outside, behind emu_cross, with nothing of the enclave's in a register. */
static void go_outside(const struct event *event)
{
    greg_t *registers = event->registers;
    static const int general[] = {REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14,
                                  REG_R15, REG_RDI, REG_RSI, REG_RBP, REG_RDX, REG_RAX, REG_RCX};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(general); i++) {
        registers[general[i]] = 0;
    }
    emu_xstate_clear(event->frame);
    registers[REG_RBX] = (greg_t)(uintptr_t)event->thread;
    registers[REG_RSP] = (greg_t)event->thread->host_rsp;
    registers[REG_RIP] = (greg_t)(uintptr_t)emu_cross_return;
    registers[REG_EFL] = RFLAGS_INITIAL;
    event->frame->uc_sigmask = event->stay->host_mask;
    event->thread->resume_fs = event->thread->host_fs;
    event->thread->selector[1] = EMU_SELECTOR_ALLOW;
    event->thread->is_inside = 0;
}

static void leave_broken(const struct event *event, const char *why)
{
    event->stay->outcome = EMU_OUTCOME_BROKEN;
    event->stay->broken = why;
    emu_finish_exit(event->stay);
    go_outside(event);
}

/* Asynchronous exit without exception. */
static void interrupt(const struct event *event)
{
    struct emu_stay *stay = event->stay;
    stay->outcome = EMU_OUTCOME_INTERRUPT;
    stay->rip_offset = rip_of(event) - event->context->secs.base;
    emu_save_frame(stay, event->thread, event->frame, 0, 0, 0);
    go_outside(event);
}

static void raise_exception(const struct event *event, uint16_t vector, uint16_t error_code,
                            uint64_t fault_addr)
{
    struct emu_stay *stay = event->stay;
    bool is_software = vector == ALC_SGX_VECTOR_BP;
    uint32_t type = is_software ? ALC_SGX_EXIT_TYPE_SOFTWARE : ALC_SGX_EXIT_TYPE_HARDWARE;
    stay->outcome = EMU_OUTCOME_EXCEPTION;
    stay->vector = vector;
    stay->error_code = error_code;
    stay->fault_addr = fault_addr;
    stay->rip_offset = rip_of(event) - event->context->secs.base;
    uint32_t exit_info = ALC_SGX_EXIT_INFO_VALID | (type << 8) | vector;
    emu_save_frame(stay, event->thread, event->frame, exit_info, fault_addr, error_code);
    go_outside(event);
}

/* -- ENCLU -- */

static void fill_state(const struct event *event, struct alc_sgx_emu_state *state)
{
    const greg_t *r = event->registers;
    const uint8_t *area = (const uint8_t *)event->frame->uc_mcontext.fpregs;
    *state = (struct alc_sgx_emu_state){
        .rax = (uint64_t)r[REG_RAX],
        .rcx = (uint64_t)r[REG_RCX],
        .rdx = (uint64_t)r[REG_RDX],
        .rbx = (uint64_t)r[REG_RBX],
        .rsp = (uint64_t)r[REG_RSP],
        .rbp = (uint64_t)r[REG_RBP],
        .rsi = (uint64_t)r[REG_RSI],
        .rdi = (uint64_t)r[REG_RDI],
        .r8 = (uint64_t)r[REG_R8],
        .r9 = (uint64_t)r[REG_R9],
        .r10 = (uint64_t)r[REG_R10],
        .r11 = (uint64_t)r[REG_R11],
        .r12 = (uint64_t)r[REG_R12],
        .r13 = (uint64_t)r[REG_R13],
        .r14 = (uint64_t)r[REG_R14],
        .r15 = (uint64_t)r[REG_R15],
        .rflags = (uint64_t)r[REG_EFL] & ~(uint64_t)RFLAGS_TF,
        .rip = (uint64_t)r[REG_RIP],
        .fcw = alc_load_u16(area),
        .mxcsr = alc_load_u32(area + 24),
        .vectors_clean = emu_xstate_is_clean(event->frame),
    };
    alc_copy(state->xmm, area + 160, sizeof state->xmm);
}

static void exit_enclave(const struct event *event)
{
    struct emu_stay *stay = event->stay;
    const greg_t *registers = event->registers;
    const struct alc_sgx_emu_options *options = event->context->options;
    if (options->exited != NULL) {
        struct alc_sgx_emu_state state;
        fill_state(event, &state);
        options->exited(options->hook_context, &state);
    }
    /* The vDSO's caller would crash: it finds its frame by RBP, its place by RBX. */
    if ((uint64_t)registers[REG_RBX] != (uint64_t)(uintptr_t)emu_after_enter ||
        (uint64_t)registers[REG_RSP] != stay->rsp || (uint64_t)registers[REG_RBP] != stay->rsp) {
        leave_broken(event, "EEXIT without the host's RBX, RSP and RBP");
        return;
    }
    stay->outcome = EMU_OUTCOME_EXIT;
    stay->rdi = (uint64_t)registers[REG_RDI];
    stay->rsi = (uint64_t)registers[REG_RSI];
    stay->rdx = (uint64_t)registers[REG_RDX];
    stay->r8 = (uint64_t)registers[REG_R8];
    stay->r9 = (uint64_t)registers[REG_R9];
    emu_finish_exit(stay);
    go_outside(event);
}

static const uint8_t *leaf_bytes(const struct event *event)
{
    bool stands = event->context->options->trap_by_gp && event->signal_number == SIGSEGV;
    return stands ? stand_in : enclu;
}

/* After an EACCEPT: whether the next one can be run at once. Bounded, so that ticks come through.
 */
static bool is_followed(const struct event *event, uint32_t leaves_count)
{
    uint64_t page_addr = rip_of(event) & ~(uint64_t)(PAGE_SIZE - 1);
    const uint8_t *page = code_at(event, page_addr, PAGE_SIZE);
    return page != NULL && leaves_count < LEAVES_MAX &&
           emu_follow(event->registers, page, page_addr, leaf_bytes(event));
}

static void run_leaf(const struct event *event)
{
    for (uint32_t leaves_count = 1;; leaves_count++) {
        bool is_accept = (uint32_t)event->registers[REG_RAX] == ALC_SGX_EACCEPT;
        struct emu_leaf_result result = emu_run_leaf(event->context, event->registers);
        if (result.is_exit) {
            exit_enclave(event);
            return;
        }
        if (result.faults) {
            raise_exception(event, result.vector, result.error_code, result.fault_addr);
            return;
        }
        event->registers[REG_RIP] += INSTRUCTION_SIZE;
        if (event->stay->steps) { /* its own step: the trap flag saw nothing */
            interrupt(event);
            return;
        }
        if (!is_accept || !is_followed(event, leaves_count)) {
            return;
        }
    }
}

/* -- faults -- */

/* The tables knew less than the page map. False when it is a real fault. */
static bool fill_tables(const struct event *event, uint64_t page, uint64_t error_code)
{
    struct emu_thread *thread = event->thread;
    int allowed = emu_allowed_protection(event->context, page);
    int wanted = (error_code & ALC_SGX_PF_FETCH) != 0   ? PROT_EXEC
                 : (error_code & ALC_SGX_PF_WRITE) != 0 ? PROT_WRITE
                                                        : PROT_READ;
    if ((allowed & wanted) == 0 || (error_code & PF_PROTECTION_KEY) != 0) {
        return false;
    }
    /* The same page again, with nothing taken out of the tables meanwhile: no progress. */
    bool again = thread->soft_fault_page == page &&
                 thread->soft_fault_flushes == event->context->flushes_count;
    thread->soft_fault_page = page;
    thread->soft_fault_flushes = event->context->flushes_count;
    thread->soft_faults = again ? thread->soft_faults + 1 : 0;
    if (thread->soft_faults > SOFT_FAULTS_MAX) {
        return false;
    }
    emu_show(event->context, page);
    return true;
}

static void page_fault(const struct event *event)
{
    uint64_t addr = (uint64_t)event->registers[REG_CR2];
    uint64_t error_code = (uint64_t)event->registers[REG_ERR];
    uint64_t offset = addr - event->context->secs.base;
    uint16_t reported = (uint16_t)(error_code & 0x1F);
    if (offset < event->context->secs.size) {
        uint64_t page = offset / PAGE_SIZE;
        if (fill_tables(event, page, error_code)) {
            return;
        }
        (void)emu_augment(event->context, page); /* then it is pending, and faults all the same */
        if ((event->context->epcm[page] & EPCM_VALID) != 0 &&
            emu_mapped_protection(event->context, page) != 0) {
            reported |= ALC_SGX_PF_PRESENT | ALC_SGX_PF_SGX;
        }
    }
    raise_exception(event, ALC_SGX_VECTOR_PF, reported, addr);
}

static void invalid_instruction(const struct event *event)
{
    static const uint8_t cpuid[2] = {0x0F, 0xA2};
    bool is_cpuid = is_at(event, cpuid, sizeof cpuid); /* #GP by faulting; in an enclave #UD */
    uint16_t vector = event->trap_number == ALC_SGX_VECTOR_GP && !is_cpuid ? ALC_SGX_VECTOR_GP
                                                                           : ALC_SGX_VECTOR_UD;
    raise_exception(event, vector, 0, 0);
}

/* The kernel refused the call; in an enclave the instruction does not exist. */
static void system_call(const struct event *event)
{
    event->registers[REG_RIP] -= 2;
    raise_exception(event, ALC_SGX_VECTOR_UD, 0, 0);
}

/* PUSHFQ stored the trap flag that only step mode sets. A stay in step mode is one instruction:
 * what ends in PUSHFQ's byte and began before it is another. */
static void hide_trap_flag(const struct event *event)
{
    const uint8_t pushfq = 0x9C;
    const uint8_t *code = code_at(event, rip_of(event) - 1, 1);
    uint16_t vector;
    uint64_t fault_addr;
    if (code == NULL || *code != pushfq || event->stay->to.rip != rip_of(event) - 1) {
        return;
    }
    uint8_t *pushed = emu_operand(event->context, (uint64_t)event->registers[REG_RSP], 8, 1,
                                  ALC_SGX_PAGE_WRITE, &vector, &fault_addr);
    if (pushed != NULL) {
        alc_store_u64(pushed, alc_load_u64(pushed) & ~(uint64_t)RFLAGS_TF);
    }
}

static void trap(const struct event *event)
{
    if (event->trap_number == ALC_SGX_VECTOR_BP) {
        raise_exception(event, ALC_SGX_VECTOR_BP, 0, 0);
    } else if (event->stay->steps) {
        hide_trap_flag(event);
        interrupt(event);
    } else {
        event->registers[REG_EFL] &=
            ~(greg_t)RFLAGS_TF; /* TF is the outside's, not the enclave's */
    }
}

static void inside(const struct event *event)
{
    if (!emu_xstate_is_within(event->frame, event->context->secs.attributes.xfrm)) {
        leave_broken(event, "vector state outside XFRM was used");
        return;
    }
    bool may_be_enclu = event->signal_number == SIGILL ||
                        (event->signal_number == SIGSEGV && event->trap_number != 14);
    if (may_be_enclu) {
        if (is_at(event, leaf_bytes(event), INSTRUCTION_SIZE)) {
            run_leaf(event);
        } else {
            invalid_instruction(event);
        }
        return;
    }
    switch (event->signal_number) {
    case SIGSEGV:
        page_fault(event);
        break;
    case SIGTRAP:
        trap(event);
        break;
    case SIGSYS:
        system_call(event);
        break;
    case SIGBUS:
    case SIGFPE:
        raise_exception(event, (uint16_t)event->trap_number, 0, 0);
        break;
    default: /* the preempt signal */
        interrupt(event);
        break;
    }
}

/* Inside, but RIP is not: between emu_cross and the enclave, or code of the host executed by the
 * enclave, which on hardware would fault before its first instruction. */
static void escaped(const struct event *event)
{
    bool is_preempt = event->signal_number == alc_sgx_emu_preempt_signal();
    uint64_t rip = rip_of(event);
    uint64_t start = (uint64_t)(uintptr_t)emu_cross;
    if (rip >= start && rip < (uint64_t)(uintptr_t)emu_cross_return) {
        if (!is_preempt && event->signal_number == SIGSEGV) {
            leave_broken(event, "the register state could not be loaded");
        }
        return;
    }
    if (event->signal_number == SIGSEGV && (event->registers[REG_ERR] & ALC_SGX_PF_FETCH) != 0) {
        raise_exception(event, ALC_SGX_VECTOR_PF, ALC_SGX_PF_USER | ALC_SGX_PF_FETCH, rip);
        return;
    }
    raise_exception(event, ALC_SGX_VECTOR_GP, 0, rip);
}

void emu_handle_signal(int signal_number, siginfo_t *info, ucontext_t *frame,
                       struct emu_thread *thread)
{
    if (thread->is_inside == 0) {
        if (signal_number != alc_sgx_emu_preempt_signal()) {
            emu_foreign_signal(signal_number, info, frame);
        }
        return;
    }
    struct event event = {
        .thread = thread,
        .stay = thread->stay,
        .context = thread->stay->context,
        .info = info,
        .frame = frame,
        .registers = frame->uc_mcontext.gregs,
        .signal_number = signal_number,
        .trap_number = (uint64_t)frame->uc_mcontext.gregs[REG_TRAPNO],
    };
    emu_lock(event.context);
    if (rip_of(&event) - event.context->secs.base < event.context->secs.size) {
        inside(&event);
    } else {
        escaped(&event);
    }
    emu_unlock(event.context);
}
