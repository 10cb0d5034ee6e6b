/* SPDX-License-Identifier: Apache-2.0
 *
 * Vector and x87 state: between the kernel's signal frames, SSA frames (both in the XSAVE area's
 * standard form) and the processor. An SSA frame is enclave memory, so what is restored from it is
 * checked first.
 */
#include <cpuid.h>

#include "base/bytes.h"
#include "sgx_emu/emu_internal.h"

enum {
    LEGACY_SIZE = 512,
    HEADER_SIZE = 64,
    COMPONENTS = 16,
    FCW_OFFSET = 0,
    MXCSR_OFFSET = 24,
    MXCSR_MASK_OFFSET = 28,
    XMM_OFFSET = 160,
    SOFTWARE_OFFSET = 464, /* the kernel's words in the frame's legacy area */
    XSTATE_BV_OFFSET = 512,
    XCOMP_BV_OFFSET = 520,
    FCW_INITIAL = 0x37F,
    MXCSR_INITIAL = 0x1F80,
    MXCSR_FLAGS = 0x3F,
    FEATURE_PKRU = 1 << 9,
};

static struct {
    uint64_t features; /* XCR0 */
    uint32_t offsets[COMPONENTS];
    uint32_t sizes[COMPONENTS];
} machine;

void emu_xstate_probe(void)
{
    uint32_t low;
    uint32_t high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    machine.features = low | ((uint64_t)high << 32);
    for (uint32_t i = 2; i < COMPONENTS; i++) {
        uint32_t size;
        uint32_t offset;
        uint32_t ecx;
        uint32_t edx;
        if ((machine.features >> i) & 1) {
            __cpuid_count(0xD, i, size, offset, ecx, edx);
            machine.sizes[i] = size;
            machine.offsets[i] = offset;
        }
    }
}

uint64_t emu_xstate_features(void)
{
    return machine.features;
}

uint32_t emu_xstate_size(uint64_t xfrm)
{
    uint32_t size = LEGACY_SIZE + HEADER_SIZE;
    for (uint32_t i = 2; i < COMPONENTS; i++) {
        uint32_t end = machine.offsets[i] + machine.sizes[i];
        if (((xfrm >> i) & 1) && end > size) {
            size = end;
        }
    }
    return size;
}

static uint8_t *frame_area(const ucontext_t *frame)
{
    return (uint8_t *)frame->uc_mcontext.fpregs;
}

void emu_xstate_save(const ucontext_t *frame, uint64_t xfrm, uint8_t *ssa)
{
    const uint8_t *area = frame_area(frame);
    alc_copy(ssa, area, SOFTWARE_OFFSET);
    alc_fill(ssa + SOFTWARE_OFFSET, 0, LEGACY_SIZE + HEADER_SIZE - SOFTWARE_OFFSET);
    uint64_t present = alc_load_u64(area + XSTATE_BV_OFFSET) & xfrm;
    alc_store_u64(ssa + XSTATE_BV_OFFSET, present);
    for (uint32_t i = 2; i < COMPONENTS; i++) {
        if ((xfrm >> i) & 1) {
            alc_copy(ssa + machine.offsets[i], area + machine.offsets[i], machine.sizes[i]);
        }
    }
}

bool emu_xstate_load(const uint8_t *ssa, uint64_t xfrm, uint8_t image[XSTATE_SIZE])
{
    uint32_t size = emu_xstate_size(xfrm);
    ALC_ASSERT(size <= XSTATE_SIZE);
    alc_copy(image, ssa, size);
    uint8_t any = 0;
    for (size_t i = XCOMP_BV_OFFSET; i < LEGACY_SIZE + HEADER_SIZE; i++) {
        any |= image[i];
    }
    uint32_t mxcsr_reserved = alc_load_u32(image + MXCSR_OFFSET) & 0xFFFF0000u;
    return any == 0 && mxcsr_reserved == 0 && (alc_load_u64(image + XSTATE_BV_OFFSET) & ~xfrm) == 0;
}

void emu_xstate_clear(ucontext_t *frame)
{
    uint8_t *area = frame_area(frame);
    uint64_t present = alc_load_u64(area + XSTATE_BV_OFFSET);
    alc_store_u64(area + XSTATE_BV_OFFSET, present & FEATURE_PKRU);
    alc_fill(area, 0, MXCSR_OFFSET);
    alc_store_u16(area + FCW_OFFSET, FCW_INITIAL);
    alc_store_u32(area + MXCSR_OFFSET, MXCSR_INITIAL);
    alc_fill(area + 32, 0, SOFTWARE_OFFSET - 32);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

bool emu_xstate_is_within(const ucontext_t *frame, uint64_t xfrm)
{
    const uint8_t *area = frame_area(frame);
    uint64_t present = alc_load_u64(area + XSTATE_BV_OFFSET) & ~xfrm & ~(uint64_t)FEATURE_PKRU;
    for (uint32_t i = 2; i < COMPONENTS; i++) {
        if (((present >> i) & 1) && !is_zero(area + machine.offsets[i], machine.sizes[i])) {
            return false;
        }
    }
    return true;
}

bool emu_xstate_is_clean(const ucontext_t *frame)
{
    const uint8_t *area = frame_area(frame);
    uint32_t mxcsr = alc_load_u32(area + MXCSR_OFFSET) & ~(uint32_t)MXCSR_FLAGS;
    return alc_load_u16(area + FCW_OFFSET) == FCW_INITIAL && is_zero(area + 2, 6) &&
           mxcsr == MXCSR_INITIAL && is_zero(area + 32, SOFTWARE_OFFSET - 48 - 32) &&
           emu_xstate_is_within(frame, ALC_SGX_XFRM_LEGACY);
}

/* What a hostile host may leave in the registers: rounding up, all exceptions unmasked but
 * pending ones none, a full x87 stack, vectors that look like secrets or pointers. */
static void poison_image(uint8_t image[XSTATE_SIZE])
{
    alc_store_u16(image + FCW_OFFSET, 0x0B40);
    image[4] = 0xFF; /* abridged tag word: all registers in use */
    alc_store_u32(image + MXCSR_OFFSET, 0x0000E040);
    alc_fill(image + 32, 0xA5, SOFTWARE_OFFSET - 48 - 32);
    alc_store_u64(image + XSTATE_BV_OFFSET, ALC_SGX_XFRM_LEGACY);
}

uint64_t emu_xstate_for_entry(uint64_t xfrm, bool poison, uint8_t image[XSTATE_SIZE])
{
    uint64_t mask = machine.features & ~xfrm & ~(uint64_t)FEATURE_PKRU;
    uint32_t mxcsr;
    alc_fill(image, 0, LEGACY_SIZE + HEADER_SIZE);
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr)); /* XRSTOR loads it along with AVX */
    alc_store_u32(image + MXCSR_OFFSET, mxcsr);
    if (poison) {
        poison_image(image);
        mask |= ALC_SGX_XFRM_LEGACY;
    }
    return mask;
}
