/* SPDX-License-Identifier: Apache-2.0
 *
 * Who runs, and where the enclave is. Relies on FS, which EENTER sets from the measured TCS, and on
 * the link base 0 of the image; never on a register or address that the host gave.
 */
#include "enclave/thread.h"

#include "base/checked.h"

/* First byte of the image: linker script. */
extern uint8_t __alc_image_base[] __attribute__((visibility("hidden")));

uint8_t *alc_enclave_base(void)
{
    return __alc_image_base;
}

struct alc_enclave_thread *alc_enclave_thread_get(void)
{
    uint64_t self_offset;
    __asm__("movq %%fs:%c1, %0" : "=r"(self_offset) : "i"(ALC_THREAD_SELF_OFFSET));
    return (struct alc_enclave_thread *)(void *)(alc_enclave_base() + self_offset);
}

uint64_t alc_enclave_thread_index(void)
{
    uint64_t index;
    __asm__("movq %%fs:%c1, %0" : "=r"(index) : "i"(ALC_THREAD_INDEX));
    return index;
}

bool alc_enclave_is_outside(uint64_t addr, uint64_t size)
{
    const uint64_t start = (uint64_t)(uintptr_t)alc_enclave_base();
    const uint64_t end = start + alc_enclave_layout.elrange_size;
    uint64_t last;
    if (!alc_add_u64(addr, size == 0 ? 0 : size - 1, &last)) {
        return false;
    }
    bool is_outside = last < start || addr >= end;
    __asm__ volatile("lfence" : : : "memory");
    return is_outside;
}
