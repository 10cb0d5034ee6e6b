/* SPDX-License-Identifier: Apache-2.0
 *
 * A host that enters level 1 wherever level 0 was left, with nothing to do there. The emulator's
 * hook `interrupted`, whose context is the intruder.
 */
#ifndef ALC_TESTS_HOSTILE_INTRUDER_H
#define ALC_TESTS_HOSTILE_INTRUDER_H

#include "sgx/backend.h"
#include "sgx_arch/entry.h"

struct intruder {
    const struct alc_sgx_backend *backend;
    uint64_t exits_count;   /* of level 0, asynchronous */
    uint64_t refused_count; /* of those: level 1 did not ask to be resumed */
    bool is_at_level_1;     /* a tick may come there, too; then there is no third level */
};

static int intruder_note_exit(long rdi, long rsi, long rdx, long rsp, long r8, long r9,
                              struct alc_sgx_run *run)
{
    (void)rsi;
    (void)rdx;
    (void)rsp;
    (void)r8;
    (void)r9;
    struct intruder *intruder = (struct intruder *)(uintptr_t)run->user_data;
    intruder->refused_count += run->function != ALC_SGX_EEXIT || rdi != ALC_EXIT_RESUME;
    return 0;
}

static inline int intruder_enter(void *context, struct alc_sgx_context *enclave, uint64_t tcs,
                                 uint64_t rip_offset)
{
    struct intruder *intruder = context;
    struct alc_sgx_run run = {.tcs = tcs,
                              .user_handler = (uint64_t)(uintptr_t)intruder_note_exit,
                              .user_data = (uint64_t)(uintptr_t)intruder};
    (void)rip_offset;
    if (intruder->is_at_level_1) {
        return 0;
    }
    intruder->exits_count++;
    intruder->is_at_level_1 = true;
    int result =
        intruder->backend->enter(enclave, 0, 0x4141414141414141, 7, ALC_SGX_EENTER, 0, 0, &run);
    intruder->is_at_level_1 = false;
    return result;
}

#endif
