/* SPDX-License-Identifier: Apache-2.0
 *
 * Level-1 entries (see exception.h). Reads SSA frame 0 of the own thread, which lies in the enclave
 * and was written by the processor; believes nothing else. Shares with level 0 only the table of
 * ranges, whose slots are published whole, so that an entry in the middle of a registration sees
 * either nothing or everything (SmashEx).
 */
#include "enclave/exception.h"

#include "base/checked.h"
#include "enclave/enclave_start.h"
#include "enclave/tee.h"
#include "enclave/thread.h"

enum slot_state { SLOT_FREE = 0, SLOT_FILLING = 1, SLOT_READY = 2 };

struct slot {
    uint32_t state;
    struct alc_exception_range range;
};

/* The enclave's own state; zero in the measured image. */
static struct slot exception_slots[ALC_EXCEPTION_RANGES_MAX];

alc_status alc_enclave_exception_register(const struct alc_exception_range *range)
{
    const uint64_t base = (uint64_t)(uintptr_t)alc_enclave_base();
    if (range->code_size == 0 || range->handler == NULL || range->code_start < base ||
        !alc_range_fits(range->code_start - base, range->code_size,
                        alc_enclave_layout.elrange_size)) {
        return ALC_E_BAD_ARGUMENT;
    }
    for (uint32_t i = 0; i < ALC_EXCEPTION_RANGES_MAX; i++) {
        struct slot *slot = &exception_slots[i];
        uint32_t expected = SLOT_FREE;
        if (__atomic_compare_exchange_n(&slot->state, &expected, SLOT_FILLING, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            slot->range = *range;
            __atomic_store_n(&slot->state, SLOT_READY, __ATOMIC_RELEASE);
            return ALC_OK;
        }
    }
    return ALC_E_OUT_OF_MEMORY;
}

static const struct alc_exception_range *find_range(uint64_t rip, uint32_t *index)
{
    for (uint32_t i = 0; i < ALC_EXCEPTION_RANGES_MAX; i++) {
        const struct slot *slot = &exception_slots[i];
        if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == SLOT_READY &&
            rip - slot->range.code_start < slot->range.code_size) {
            *index = i;
            return &slot->range;
        }
    }
    return NULL;
}

void alc_enclave_exception_unregister(uint64_t code_start)
{
    uint32_t index;
    const struct alc_exception_range *range = find_range(code_start, &index);
    if (range != NULL && range->code_start == code_start) {
        __atomic_store_n(&exception_slots[index].state, SLOT_FREE, __ATOMIC_RELEASE);
    }
}

/* EACCEPT of a page that is not there raises #PF, and the kernel adds the page and resumes. If it
 * has none to give, the fault comes here. */
static bool is_failed_accept(const struct alc_exception *exception)
{
    return exception->has_fault_addr &&
           exception->gprs->rip == (uint64_t)(uintptr_t)alc_enclave_accept_instruction;
}

static bool handle(const struct alc_exception *exception)
{
    if (is_failed_accept(exception)) {
        exception->gprs->rip = (uint64_t)(uintptr_t)alc_enclave_accept_failed;
        return true;
    }
    uint32_t index;
    const struct alc_exception_range *range = find_range(exception->gprs->rip, &index);
    return range != NULL && range->handler(exception, range->context);
}

struct alc_enclave_exit alc_enclave_exception(void)
{
    const struct alc_enclave_thread *thread = alc_enclave_thread_get();
    uint8_t *frame_end =
        alc_enclave_base() + thread->head.ssa_offset + alc_enclave_layout.ssa_frame_size;
    struct alc_sgx_gprs *gprs = (void *)(frame_end - ALC_SGX_SSA_GPRS_FROM_END);
    const struct alc_sgx_exinfo *exinfo = (void *)(frame_end - ALC_SGX_SSA_EXINFO_FROM_END);
    const uint32_t exit_info = gprs->exit_info;
    if ((exit_info & ALC_SGX_EXIT_INFO_VALID) == 0) {
        /* An interrupt, or the host's whim. */
        return (struct alc_enclave_exit){.reason = ALC_EXIT_RESUME};
    }
    struct alc_exception exception = {
        .vector = ALC_SGX_EXIT_INFO_VECTOR(exit_info),
        .gprs = gprs,
    };
    if (exception.vector == ALC_SGX_VECTOR_PF || exception.vector == ALC_SGX_VECTOR_GP) {
        exception.has_fault_addr = true;
        exception.fault_addr = exinfo->fault_addr;
        exception.error_code = exinfo->error_code;
    }
    if (!alc_tee_is_poisoned() && handle(&exception)) {
        gprs->exit_info = 0; /* answered: a second entry finds nothing */
        return (struct alc_enclave_exit){.reason = ALC_EXIT_RESUME};
    }
    /* The host may resume level 0 all the same: it finds nothing to run. */
    alc_enclave_set_poisoned();
    gprs->rip = (uint64_t)(uintptr_t)alc_enclave_stop;
    return (struct alc_enclave_exit){.reason = ALC_EXIT_REFUSED,
                                     .value = ALC_HINT_EXCEPTION + exception.vector};
}
