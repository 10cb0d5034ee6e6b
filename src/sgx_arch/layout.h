/* SPDX-License-Identifier: Apache-2.0
 *
 * Where everything is inside an enclave. The image builder decides and writes it into the section
 * `.alcove.layout` of the image (read-only and measured), so code inside may rely on every word;
 * outside, it is only as good as the image it came from. All offsets count from the enclave's base.
 *
 *   0                      text (RX) | gap | rodata (R) | gap | data and bss (RW)
 *   threads_offset         threads_count blocks of threads_stride bytes, each
 *                            gap | exception stack | gap | stack | TLS page | TCS | SSA frames
 *   payload_offset         of a packed image: a workload (R), then a gap
 *   heap_offset            never added; committed by EAUG and EACCEPT
 *   elrange_size           end, a power of two
 *
 * Gaps and everything else not named are pages that are never added. Both stacks are added without
 * being measured: whatever the host puts there is as good as uninitialised memory.
 */
#ifndef ALC_SGX_ARCH_LAYOUT_H
#define ALC_SGX_ARCH_LAYOUT_H

#include "base/compiler.h"
#include "sgx_arch/entry.h"

#define ALC_LAYOUT_MAGIC UINT64_C(0x3174756f79616c61) /* "alayout1" in memory order */
#define ALC_LAYOUT_SECTION ".alcove.layout"
enum { ALC_LAYOUT_RANGES_MAX = 4 };

/* Added pages of the ELF part, in ascending order. */
struct alc_layout_range {
    uint64_t offset;
    uint64_t size;        /* bytes, a multiple of the page size */
    uint64_t permissions; /* ALC_SGX_PAGE_READ | … */
};

struct alc_enclave_layout {
    uint64_t magic;
    uint64_t elrange_size;
    uint64_t image_size; /* end of the ELF part */
    uint64_t entry_offset;
    uint64_t ranges_count;
    struct alc_layout_range ranges[ALC_LAYOUT_RANGES_MAX];
    /* Words that hold an address relative to base 0: RELR encoding, see relocate.h. The pages
     * between relro_offset and + relro_size change only while they are applied. */
    uint64_t relocations_offset;
    uint64_t relocations_size; /* bytes, a multiple of 8 */
    uint64_t relro_offset;
    uint64_t relro_size;
    /* Threads. The offsets below are from the start of a thread's block. */
    uint64_t threads_offset;
    uint64_t threads_count;
    uint64_t threads_stride;
    uint64_t exception_stack_offset;
    uint64_t exception_stack_size;
    uint64_t stack_offset;
    uint64_t stack_size;
    uint64_t tls_offset;
    uint64_t tls_size;
    uint64_t tcs_offset;
    uint64_t ssa_offset;
    uint64_t ssa_count;
    uint64_t ssa_frame_size; /* bytes */
    /* Free for commits at run time; ends at elrange_size. */
    uint64_t heap_offset;
    uint64_t heap_size;
    /* What a packed image carries (image_pack.c), measured; both 0 otherwise. */
    uint64_t payload_offset;
    uint64_t payload_size; /* bytes */
};

/* First bytes of each thread's TLS page, filled by the builder; the rest of the page is zero and
 * belongs to enclave/thread.h. */
struct alc_thread_head {
    uint64_t self_offset; /* of this page */
    uint64_t stack_top_offset;
    uint64_t exception_stack_top_offset;
    uint64_t ssa_offset; /* of SSA frame 0 */
    uint64_t stack_bottom_offset;
    uint64_t stack_guard; /* 0 in the image; random from the start code */
    uint64_t index;
    uint64_t tcs_offset;
};
_Static_assert(sizeof(struct alc_thread_head) == ALC_THREAD_HEAD_SIZE, "entry.h");
_Static_assert(offsetof(struct alc_thread_head, stack_top_offset) == ALC_THREAD_STACK_TOP_OFFSET,
               "entry.h");
_Static_assert(offsetof(struct alc_thread_head, exception_stack_top_offset) ==
                   ALC_THREAD_EXCEPTION_STACK_TOP_OFFSET,
               "entry.h");
_Static_assert(offsetof(struct alc_thread_head, ssa_offset) == ALC_THREAD_SSA_OFFSET, "entry.h");
_Static_assert(offsetof(struct alc_thread_head, stack_bottom_offset) ==
                   ALC_THREAD_STACK_BOTTOM_OFFSET,
               "entry.h");
_Static_assert(offsetof(struct alc_thread_head, stack_guard) == ALC_THREAD_STACK_GUARD, "entry.h");
_Static_assert(offsetof(struct alc_thread_head, index) == ALC_THREAD_INDEX, "entry.h");
_Static_assert(offsetof(struct alc_thread_head, tcs_offset) == ALC_THREAD_TCS_OFFSET, "entry.h");

/* The image's own layout. Zero in the object file; the builder writes it. */
extern const struct alc_enclave_layout alc_enclave_layout
    __attribute__((visibility("hidden"), section(ALC_LAYOUT_SECTION)));

/* Offset of thread `index`'s TCS; `index` MUST be below threads_count. */
static inline uint64_t alc_layout_tcs_offset(const struct alc_enclave_layout *layout,
                                             uint64_t index)
{
    return layout->threads_offset + index * layout->threads_stride + layout->tcs_offset;
}

#endif
