/* SPDX-License-Identifier: Apache-2.0
 *
 * What the smallest image does: shows that its layout, relocations, data, stack and threads are
 * where the builder put them. Called by minimal_entry.S.
 */
#include "tests/image/minimal.h"

#include "base/bytes.h"
#include "sgx_arch/layout.h"
#include "sgx_arch/relocate.h"

extern uint8_t __alc_image_base[] __attribute__((visibility("hidden")));

typedef uint64_t operation(uint64_t a, uint64_t b);

static uint64_t add(uint64_t a, uint64_t b)
{
    return a + b;
}

static uint64_t multiply(uint64_t a, uint64_t b)
{
    return a * b;
}

/* Pointers in data: these need the relocations. */
static operation *const operations[] = {add, multiply};
static operation *volatile chosen = multiply;
static volatile uint64_t calls_count; /* in .bss */
static volatile bool is_relocated;

static uint64_t thread_index(void)
{
    uint64_t index;
    __asm__("movq %%fs:%c1, %0" : "=r"(index) : "i"(ALC_THREAD_INDEX));
    return index;
}

static uint64_t use_stack(uint64_t size)
{
    uint8_t bytes[4096];
    alc_fill(bytes, 0x5A, sizeof bytes);
    __asm__ volatile("" : : "r"(bytes) : "memory");
    return size < sizeof bytes ? bytes[size] : 0;
}

uint64_t minimal_main(uint64_t ecall, uint64_t a, uint64_t b);

uint64_t minimal_main(uint64_t ecall, uint64_t a, uint64_t b)
{
    if (!is_relocated && alc_relocate(__alc_image_base, &alc_enclave_layout) != ALC_OK) {
        return UINT64_MAX;
    }
    is_relocated = true;
    calls_count++;
    switch (ecall) {
    case MINIMAL_ADD:
    case MINIMAL_MULTIPLY:
        return operations[ecall](a, b);
    case MINIMAL_CHOSEN:
        return chosen(a, b);
    case MINIMAL_CALLS_COUNT:
        return calls_count;
    case MINIMAL_HEAP_OFFSET:
        return alc_enclave_layout.heap_offset;
    case MINIMAL_THREAD_INDEX:
        return thread_index();
    case MINIMAL_STACK:
        return use_stack(a);
    case MINIMAL_READ:
        return alc_load_u64(__alc_image_base + a);
    case MINIMAL_WRITE:
        alc_store_u64(__alc_image_base + a, b);
        return 0;
    default:
        return UINT64_MAX;
    }
}
