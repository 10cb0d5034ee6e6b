/* SPDX-License-Identifier: Apache-2.0
 *
 * TCS and SSA frames: what EENTER, ERESUME, EEXIT and an asynchronous exit do to them, and which
 * faults they raise. The frames are enclave memory: what comes from them is the enclave's word, and
 * is checked as far as the processor checks it.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "sgx_emu/emu_internal.h"

enum { PAGE_SIZE = ALC_SGX_PAGE_SIZE };

enum {
    RFLAGS_FIXED = 0x202,
    RFLAGS_TF = 0x100,
    RFLAGS_RF = 0x10000,
    /* What a program may set: CF PF AF ZF SF DF OF AC ID. */
    RFLAGS_USER = 0x240CD5,
    RFLAGS_POISON = 0x40400, /* AC, DF */
};

struct alc_sgx_tcs *emu_tcs(const struct alc_sgx_context *context, uint64_t tcs_page)
{
    return (struct alc_sgx_tcs *)(void *)(context->memory + tcs_page * PAGE_SIZE);
}

uint8_t *emu_ssa_frame(struct alc_sgx_context *context, uint64_t tcs_page, uint32_t index)
{
    uint64_t frame_size = (uint64_t)context->secs.ssa_frame_size * PAGE_SIZE;
    uint64_t offset = emu_tcs(context, tcs_page)->ssa_offset + index * frame_size;
    uint16_t vector;
    uint64_t fault_addr;
    return emu_operand(context, context->secs.base + offset, frame_size, PAGE_SIZE,
                       ALC_SGX_PAGE_READ | ALC_SGX_PAGE_WRITE, &vector, &fault_addr);
}

static struct alc_sgx_gprs *frame_gprs(const struct alc_sgx_context *context, uint8_t *frame)
{
    return (void *)(frame + (uint64_t)context->secs.ssa_frame_size * PAGE_SIZE -
                    ALC_SGX_SSA_GPRS_FROM_END);
}

static struct alc_sgx_exinfo *frame_exinfo(const struct alc_sgx_context *context, uint8_t *frame)
{
    return (void *)(frame + (uint64_t)context->secs.ssa_frame_size * PAGE_SIZE -
                    ALC_SGX_SSA_EXINFO_FROM_END);
}

/* The TCS that EENTER names, if it can be entered. */
static uint16_t find_tcs(const struct alc_sgx_context *context, uint64_t tcs, uint64_t *page,
                         uint64_t *fault_addr)
{
    uint64_t offset = tcs - context->secs.base;
    *fault_addr = tcs;
    if (tcs % PAGE_SIZE != 0) {
        return ALC_SGX_VECTOR_GP;
    }
    if (offset >= context->secs.size) {
        return ALC_SGX_VECTOR_PF;
    }
    *page = offset / PAGE_SIZE;
    uint16_t entry = context->epcm[*page];
    if ((entry & EPCM_VALID) == 0 || epcm_type(entry) != ALC_SGX_PAGE_TCS ||
        (entry & (EPCM_PENDING | EPCM_MODIFIED)) != 0 ||
        emu_mapped_protection(context, *page) == 0) {
        return ALC_SGX_VECTOR_PF;
    }
    bool can_enter = context->is_initialised && (entry & EPCM_BUSY) == 0;
    return can_enter ? 0 : ALC_SGX_VECTOR_GP;
}

static uint16_t begin_enter(struct emu_stay *stay, uint64_t tcs_addr, struct emu_thread *thread)
{
    struct alc_sgx_context *context = stay->context;
    struct alc_sgx_tcs *tcs = emu_tcs(context, stay->tcs_page);
    struct emu_crossing *to = &stay->to;
    bool poison = context->options->poison_entry;
    if (tcs->current_ssa >= tcs->ssa_count) {
        return ALC_SGX_VECTOR_GP;
    }
    uint8_t *frame = emu_ssa_frame(context, stay->tcs_page, tcs->current_ssa);
    if (frame == NULL) {
        return ALC_SGX_VECTOR_PF;
    }
    struct alc_sgx_gprs *gprs = frame_gprs(context, frame);
    gprs->outside_rsp = to->registers[4];
    gprs->outside_rbp = to->registers[5];
    to->registers[0] = tcs->current_ssa;
    to->registers[1] = (uint64_t)(uintptr_t)emu_after_enter;
    to->registers[3] = tcs_addr;
    to->rip = context->secs.base + tcs->entry_offset;
    to->rflags = RFLAGS_FIXED | (poison ? RFLAGS_POISON : 0);
    to->fs_base = context->secs.base + tcs->fs_offset;
    to->gs_base = context->secs.base + tcs->gs_offset;
    to->xstate_mask = emu_xstate_for_entry(context->secs.attributes.xfrm, poison, thread->xstate);
    return 0;
}

static uint16_t begin_resume(struct emu_stay *stay, struct emu_thread *thread)
{
    struct alc_sgx_context *context = stay->context;
    struct alc_sgx_tcs *tcs = emu_tcs(context, stay->tcs_page);
    struct emu_crossing *to = &stay->to;
    if (tcs->current_ssa == 0) {
        return ALC_SGX_VECTOR_GP;
    }
    uint8_t *frame = emu_ssa_frame(context, stay->tcs_page, tcs->current_ssa - 1);
    if (frame == NULL) {
        return ALC_SGX_VECTOR_PF;
    }
    uint64_t xfrm = context->secs.attributes.xfrm;
    if (!emu_xstate_load(frame, xfrm, thread->xstate)) {
        return ALC_SGX_VECTOR_GP;
    }
    struct alc_sgx_gprs *gprs = frame_gprs(context, frame);
    gprs->outside_rsp = to->registers[4];
    gprs->outside_rbp = to->registers[5];
    alc_copy(to->registers, &gprs->rax, sizeof to->registers);
    to->rip = gprs->rip;
    to->rflags = (gprs->rflags & RFLAGS_USER) | RFLAGS_FIXED;
    to->fs_base = gprs->fs_base;
    to->gs_base = gprs->gs_base;
    to->xstate_mask = emu_xstate_features() & ~(UINT64_C(1) << 9);
    tcs->current_ssa--;
    return 0;
}

/* An address that loading into RIP or a base register would fault on. */
static bool is_canonical(uint64_t addr)
{
    return addr < (UINT64_C(1) << 47);
}

uint16_t emu_begin(struct emu_stay *stay, uint32_t leaf, uint64_t tcs, struct emu_thread *thread,
                   uint64_t *fault_addr)
{
    struct alc_sgx_context *context = stay->context;
    uint16_t vector = find_tcs(context, tcs, &stay->tcs_page, fault_addr);
    if (vector == 0) {
        vector =
            leaf == ALC_SGX_EENTER ? begin_enter(stay, tcs, thread) : begin_resume(stay, thread);
    }
    struct emu_crossing *to = &stay->to;
    if (vector == 0 && (!is_canonical(to->rip) || !is_canonical(to->fs_base) ||
                        !is_canonical(to->gs_base) || !is_canonical(to->registers[4]))) {
        vector = ALC_SGX_VECTOR_GP;
    }
    if (vector != 0) {
        return vector;
    }
    to->xstate = thread->xstate;
    bool is_level_0 = emu_tcs(context, stay->tcs_page)->current_ssa == 0;
    stay->steps = context->options->step && (is_level_0 || !context->options->step_level_0_only);
    to->rflags |= stay->steps ? RFLAGS_TF : 0;
    context->epcm[stay->tcs_page] |= EPCM_BUSY;
    context->statistics.enters++;
    emu_thread_entered(context);
    return 0;
}

static void leave(struct emu_stay *stay)
{
    stay->context->epcm[stay->tcs_page] &= (uint16_t)~EPCM_BUSY;
    emu_thread_left(stay->context);
}

void emu_finish_exit(struct emu_stay *stay)
{
    stay->context->statistics.exits++;
    leave(stay);
}

void emu_save_frame(struct emu_stay *stay, const struct emu_thread *thread, const ucontext_t *frame,
                    uint32_t exit_info, uint64_t fault_addr, uint32_t error_code)
{
    static const uint8_t order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                      REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                      REG_R12, REG_R13, REG_R14, REG_R15};
    struct alc_sgx_context *context = stay->context;
    struct alc_sgx_tcs *tcs = emu_tcs(context, stay->tcs_page);
    const greg_t *registers = frame->uc_mcontext.gregs;
    uint8_t *ssa = emu_ssa_frame(context, stay->tcs_page, tcs->current_ssa);
    context->statistics.interrupts++;
    context->statistics.faults += exit_info != 0;
    if (ssa == NULL) { /* was checked on entry; the host took the page away meanwhile */
        stay->outcome = EMU_OUTCOME_BROKEN;
        stay->broken = "the SSA frame is gone";
        leave(stay);
        return;
    }
    struct alc_sgx_gprs *gprs = frame_gprs(context, ssa);
    emu_xstate_save(frame, context->secs.attributes.xfrm, ssa);
    uint64_t *saved = &gprs->rax;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(order); i++) {
        saved[i] = (uint64_t)registers[order[i]];
    }
    gprs->rflags = (uint64_t)registers[REG_EFL] & ~(uint64_t)(RFLAGS_TF | RFLAGS_RF);
    gprs->rip = (uint64_t)registers[REG_RIP];
    gprs->exit_info = exit_info;
    gprs->fs_base = thread->current_fs;
    __asm__ volatile("rdgsbase %0" : "=r"(gprs->gs_base));
    uint32_t vector = ALC_SGX_EXIT_INFO_VECTOR(exit_info);
    bool has_info = exit_info != 0 && (vector == ALC_SGX_VECTOR_PF || vector == ALC_SGX_VECTOR_GP);
    if (has_info && (context->secs.miscselect & ALC_SGX_MISC_EXINFO) != 0) {
        *frame_exinfo(context, ssa) =
            (struct alc_sgx_exinfo){.fault_addr = fault_addr, .error_code = error_code};
    }
    tcs->current_ssa++;
    leave(stay);
}
