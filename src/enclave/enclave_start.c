/* SPDX-License-Identifier: Apache-2.0
 *
 * From an entry to the image's main function: relocates the image, once, and checks what the host
 * passed. Distrusts all three registers; relies on entry.S for clean flags, vectors and stack.
 */
#include "enclave/enclave_start.h"

#include "base/checked.h"
#include "enclave/tee.h"
#include "enclave/thread.h"
#include "sgx_arch/relocate.h"

enum start_state { START_NEW = 0, START_RELOCATING = 1, START_READY = 2 };

/* The enclave's own state; 0 in the measured image. */
static uint32_t start_state;
uint64_t alc_enclave_poisoned;

void alc_enclave_set_poisoned(void)
{
    __atomic_store_n(&alc_enclave_poisoned, 1, __ATOMIC_SEQ_CST);
}

bool alc_tee_is_poisoned(void)
{
    return __atomic_load_n(&alc_enclave_poisoned, __ATOMIC_SEQ_CST) != 0;
}

void alc_tee_poison(uint64_t hint)
{
    alc_enclave_set_poisoned();
    alc_enclave_leave_refused(hint);
}

void alc_abort_enclave(int line)
{
    alc_tee_poison(ALC_HINT_ASSERTION + (uint64_t)line);
}

ALC_NORETURN void __stack_chk_fail(void);
void __stack_chk_fail(void)
{
    alc_tee_poison(ALC_HINT_STACK_SMASHED);
}

/* The first thread relocates, the others wait for it: if the host never lets it finish, nobody
 * runs. Nothing else of the image runs before. */
static bool start_once(void)
{
    uint32_t expected = START_NEW;
    if (__atomic_compare_exchange_n(&start_state, &expected, START_RELOCATING, false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        if (alc_enclave_layout.magic != ALC_LAYOUT_MAGIC ||
            alc_relocate(alc_enclave_base(), &alc_enclave_layout) != ALC_OK) {
            return false; /* stays relocating: this image cannot run */
        }
        __atomic_store_n(&start_state, START_READY, __ATOMIC_RELEASE);
        return true;
    }
    while (__atomic_load_n(&start_state, __ATOMIC_ACQUIRE) != START_READY) {
        if (alc_tee_is_poisoned()) {
            return false;
        }
        __asm__ volatile("pause");
    }
    return true;
}

static bool is_region_acceptable(uint64_t base, uint64_t size)
{
    if (size == 0) {
        return base == 0;
    }
    return base % ALC_SGX_PAGE_SIZE == 0 && alc_enclave_is_outside(base, size);
}

struct alc_enclave_exit alc_enclave_start(uint64_t raw_ecall, uint64_t raw_base, uint64_t raw_size)
{
    struct alc_enclave_exit refused = {.reason = ALC_EXIT_REFUSED};
    if (!start_once()) {
        alc_enclave_set_poisoned();
        return refused;
    }
    if (raw_ecall >= alc_enclave_ecalls_count || !is_region_acceptable(raw_base, raw_size)) {
        return refused;
    }
    /* Not even speculatively with a number that was refused. */
    uint64_t ecall = alc_index_clamp(raw_ecall, alc_enclave_ecalls_count);
    __asm__ volatile("lfence" : : : "memory");
    uint64_t value = alc_enclave_main(ecall, raw_base, raw_size);
    if (alc_tee_is_poisoned()) {
        return refused;
    }
    return (struct alc_enclave_exit){.reason = ALC_EXIT_DONE, .value = value};
}
