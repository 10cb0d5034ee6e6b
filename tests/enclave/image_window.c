/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows of the test image as confined code has them: [context | 4 GiB | 64 KiB], reached through
 * GS, with memory behind a part only. Each function returns 0, or a number that says which
 * expectation failed.
 */
#include "base/bytes.h"
#include "enclave/exception.h"
#include "enclave/pages.h"
#include "enclave/tee.h"
#include "enclave/thread.h"
#include "native/abi.h"
#include "tests/enclave/image.h"

enum { CONTEXT = 0x10000, PIECE = 0x10000 };
#define GIB4 (UINT64_C(1) << 32)
#define WINDOW_SIZE (CONTEXT + GIB4 + ALC_NATIVE_GUARD_SIZE)
#define FAULTED UINT64_MAX

static uint64_t g_fault_addr;
static uint64_t g_fault_gs;

/* rdi: GS base, esi: index: the 32-bit word there, or FAULTED. */
uint64_t test_window_load(uint64_t base, uint32_t index);
/* The word at a distance below GS, incremented. */
uint64_t test_window_context(uint64_t base, int64_t displacement);
extern const uint8_t test_window_start[] __attribute__((visibility("hidden")));
extern const uint8_t test_window_end[] __attribute__((visibility("hidden")));
extern const uint8_t test_window_faulted[] __attribute__((visibility("hidden")));
__asm__(".section .text.test_window, \"ax\", @progbits\n"
        ".hidden test_window_load, test_window_context\n"
        ".hidden test_window_start, test_window_end, test_window_faulted\n"
        ".globl test_window_load, test_window_context\n"
        ".globl test_window_start, test_window_end, test_window_faulted\n"
        "test_window_load:\n"
        "    wrgsbase %rdi\n"
        "test_window_start:\n"
        "    movl %gs:(%esi), %eax\n"
        "test_window_end:\n"
        "    ret\n"
        "test_window_faulted:\n"
        "    movq $-1, %rax\n"
        "    ret\n"
        "test_window_context:\n"
        "    wrgsbase %rdi\n"
        "    incq %gs:(%rsi)\n"
        "    movq %gs:(%rsi), %rax\n"
        "    ret\n"
        ".text\n");

static uint64_t read_gs(void)
{
    uint64_t base;
    __asm__ volatile("rdgsbase %0" : "=r"(base));
    return base;
}

static void write_gs(uint64_t base)
{
    __asm__ volatile("wrgsbase %0" : : "r"(base));
}

static bool note_fault(const struct alc_exception *exception, void *context)
{
    (void)context;
    g_fault_addr = exception->vector == ALC_SGX_VECTOR_PF ? exception->fault_addr : 0;
    g_fault_gs = exception->gprs->gs_base;
    exception->gprs->rip = (uint64_t)(uintptr_t)test_window_faulted;
    return true;
}

/* Whether an access faults, at this address, with GS as it was. */
static bool faults_at(const uint8_t *base, uint64_t index, uint64_t fault_index)
{
    uint64_t gs = (uint64_t)(uintptr_t)base;
    g_fault_addr = 0;
    return test_window_load(gs, (uint32_t)index) == FAULTED && g_fault_addr == gs + fault_index &&
           g_fault_gs == gs && read_gs() == gs;
}

/* A window with `size` bytes of memory; its base. */
static uint8_t *open_window(uint64_t size)
{
    uint8_t *start = alc_enclave_pages_reserve(WINDOW_SIZE);
    if (start == NULL || alc_enclave_pages_commit(start, CONTEXT + size) != ALC_OK) {
        return NULL;
    }
    return start + CONTEXT;
}

static uint64_t check_bounds(uint8_t *base)
{
    const uint64_t gs = (uint64_t)(uintptr_t)base;
    alc_store_u32(base + 2 * PIECE - 4, 0x12345678);
    if (test_window_load(gs, 0) != 0 || test_window_load(gs, 2 * PIECE - 4) != 0x12345678) {
        return 10;
    }
    if (!faults_at(base, 2 * PIECE - 3, 2 * PIECE) || !faults_at(base, 2 * PIECE, 2 * PIECE) ||
        !faults_at(base, GIB4 - 1, GIB4 - 1) || !faults_at(base, GIB4 / 2, GIB4 / 2)) {
        return 11;
    }
    if (test_window_context(gs, -8) != 1 || test_window_context(gs, -8) != 2 ||
        test_window_context(gs, -CONTEXT) != 1) {
        return 12;
    }
    if (alc_enclave_pages_commit(base + 2 * PIECE, PIECE) != ALC_OK ||
        test_window_load(gs, 3 * PIECE - 4) != 0 || !faults_at(base, 3 * PIECE, 3 * PIECE) ||
        test_window_load(gs, 2 * PIECE - 4) != 0x12345678) {
        return 13;
    }
    return 0;
}

/* What was memory of an earlier window is none of the next. */
static uint64_t check_reuse(uint8_t *base)
{
    alc_fill(base, 0xEE, 3 * PIECE);
    alc_enclave_pages_discard(base - CONTEXT);
    if (open_window(PIECE) != base) {
        return 20;
    }
    const uint64_t gs = (uint64_t)(uintptr_t)base;
    if (test_window_load(gs, PIECE - 4) != 0 || test_window_context(gs, -8) != 1 ||
        !faults_at(base, PIECE, PIECE) || !faults_at(base, 2 * PIECE, 2 * PIECE)) {
        return 21;
    }
    return 0;
}

static uint64_t check_many(uint8_t *first)
{
    uint8_t *windows[4] = {first};
    uint32_t count = 1;
    while (count < ALC_ARRAY_COUNT(windows) && (windows[count] = open_window(PIECE)) != NULL) {
        count++;
    }
    if (count != 3) { /* of 4 GiB and a little, in 16 GiB that hold other things too */
        return 30;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!faults_at(windows[i], GIB4 - 1, GIB4 - 1) || !faults_at(windows[i], PIECE, PIECE)) {
            return 31;
        }
        alc_enclave_pages_discard(windows[i] - CONTEXT);
    }
    return 0;
}

uint64_t test_window(void)
{
    const struct alc_exception_range range = {
        .code_start = (uint64_t)(uintptr_t)test_window_start,
        .code_size = (uint64_t)(test_window_end - test_window_start),
        .handler = note_fault,
    };
    const uint64_t own_gs = read_gs();
    if (alc_enclave_exception_register(&range) != ALC_OK) {
        return 1;
    }
    uint8_t *base = open_window(2 * PIECE);
    uint64_t result = base == NULL ? 2 : check_bounds(base);
    result = result == 0 ? check_reuse(base) : result;
    result = result == 0 ? check_many(base) : result;
    alc_enclave_exception_unregister(range.code_start);
    write_gs(own_gs);
    return result;
}

/* GS stays across interruptions and level 1, and is the thread's own after each entry. */
uint64_t test_gs(uint64_t rounds)
{
    static uint64_t words[2] = {TEST_SECRET, 0};
    const uint64_t own_gs = read_gs();
    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t word;
        write_gs((uint64_t)(uintptr_t)words);
        __asm__ volatile("movq %%gs:0, %0" : "=r"(word));
        if (word != TEST_SECRET || read_gs() != (uint64_t)(uintptr_t)words) {
            return 1;
        }
    }
    alc_enclave_leave_for_host();
    return read_gs() == own_gs ? 0 : 2;
}
