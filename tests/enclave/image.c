/* SPDX-License-Identifier: Apache-2.0
 *
 * Main function of the test image: shows tests what is true inside. The page outside is read and
 * written in words; what the host puts there steers the tests and nothing else.
 */
#include "tests/enclave/image.h"

#include "base/bytes.h"
#include "enclave/tee.h"
#include "enclave/thread.h"

const uint64_t alc_enclave_ecalls_count = TEST_ECALLS_COUNT;

void test_copy_in(void *to, const volatile uint8_t *outside, uint64_t size)
{
    uint8_t *bytes = to;
    for (uint64_t i = 0; i < size; i++) {
        bytes[i] = outside[i];
    }
}

void test_copy_out(volatile uint8_t *outside, const void *from, uint64_t size)
{
    const uint8_t *bytes = from;
    for (uint64_t i = 0; i < size; i++) {
        outside[i] = bytes[i];
    }
}

static uint64_t report_entry_state(volatile struct test_page *page)
{
    uint64_t rflags;
    uint32_t mxcsr;
    uint32_t environment[7];
    uint64_t vectors[32];
    uint64_t any = 0;
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(rflags));
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstenv %0" : "=m"(environment));
    __asm__ volatile("movdqu %%xmm6, 0(%0)\n\tmovdqu %%xmm7, 16(%0)\n\tmovdqu %%xmm8, 32(%0)\n\t"
                     "movdqu %%xmm9, 48(%0)\n\tmovdqu %%xmm10, 64(%0)\n\tmovdqu %%xmm11, 80(%0)\n\t"
                     "movdqu %%xmm12, 96(%0)\n\tmovdqu %%xmm13, 112(%0)\n\t"
                     "movdqu %%xmm14, 128(%0)\n\tmovdqu %%xmm15, 144(%0)"
                     :
                     : "r"(vectors)
                     : "memory");
    for (uint32_t i = 0; i < 20; i++) {
        any |= vectors[i];
    }
    page->results[STATE_RFLAGS] = rflags;
    page->results[STATE_MXCSR] = mxcsr;
    page->results[STATE_CONTROL_WORD] = environment[0] & 0xFFFF;
    page->results[STATE_TAG_WORD] = environment[2] & 0xFFFF;
    page->results[STATE_VECTORS] = any;
    page->results[STATE_FS_IS_OWN] =
        alc_enclave_thread_get()->head.tcs_offset ==
        alc_layout_tcs_offset(&alc_enclave_layout, alc_enclave_thread_index());
    return 0;
}

static uint64_t rotate(uint64_t hash)
{
    return (hash << 7) | (hash >> 57);
}

static uint64_t scatter(uint64_t hash)
{
    return hash * UINT64_C(0x100000001B3);
}

/* Addresses in data: right only after relocation, and only if it was done once. */
static uint64_t (*const g_mixers[])(uint64_t) = {rotate, scatter};
static uint64_t (*volatile g_first_mixer)(uint64_t) = scatter;

/* Everything that an interruption might spoil: flags, x87, vectors, memory, string instructions,
 * the stack. */
static uint64_t compute(uint64_t rounds)
{
    uint64_t bytes[64];
    uint64_t copy[64];
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    double value = 1.0;
    long double wide = 1.0L;
    for (uint64_t round = 0; round < rounds; round++) {
        for (uint64_t i = 0; i < ALC_ARRAY_COUNT(bytes); i++) {
            hash = g_first_mixer(hash ^ i);
            hash = g_mixers[(hash >> 32) % ALC_ARRAY_COUNT(g_mixers)](hash);
            bytes[i] = hash;
        }
        alc_copy(copy, bytes, sizeof copy);
        alc_move(copy + 1, copy, sizeof copy - 8);
        value = value * 1.0000001 + (double)(hash & 0xFF) / 3.0;
        wide = wide / 1.25L + (long double)(hash >> 32);
        hash ^= alc_load_u64(&value) + copy[hash % ALC_ARRAY_COUNT(copy)];
        hash += (uint64_t)wide;
    }
    return hash;
}

static uint64_t call_host(volatile struct test_page *page, uint64_t count)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        page->results[0] = i;
        alc_enclave_leave_for_host();
        sum += page->from_host;
    }
    return sum;
}

/* Fills every register that C does not need with secrets, leaves, and looks at those that a
 * function has to keep. Vectors are the caller's to lose. */
static uint64_t keep_secrets(void)
{
    const uint64_t secret = TEST_SECRET;
    uint64_t kept = secret;
    __asm__ volatile(
        "movq %0, %%r8\n\tmovq %0, %%r9\n\tmovq %0, %%r10\n\tmovq %0, %%r11\n\t"
        "movq %0, %%r12\n\tmovq %0, %%r13\n\tmovq %0, %%r14\n\tmovq %0, %%r15\n\t"
        "movq %0, %%rbx\n\tmovq %0, %%rcx\n\tmovq %0, %%rdx\n\tmovq %0, %%rdi\n\tmovq %0, %%rsi\n\t"
        "movq %0, %%xmm0\n\tpunpcklqdq %%xmm0, %%xmm0\n\tmovdqa %%xmm0, %%xmm1\n\t"
        "movdqa %%xmm0, %%xmm2\n\tmovdqa %%xmm0, %%xmm3\n\tmovdqa %%xmm0, %%xmm4\n\t"
        "movdqa %%xmm0, %%xmm5\n\tmovdqa %%xmm0, %%xmm6\n\tmovdqa %%xmm0, %%xmm7\n\t"
        "movdqa %%xmm0, %%xmm8\n\tmovdqa %%xmm0, %%xmm9\n\tmovdqa %%xmm0, %%xmm10\n\t"
        "movdqa %%xmm0, %%xmm11\n\tmovdqa %%xmm0, %%xmm12\n\tmovdqa %%xmm0, %%xmm13\n\t"
        "movdqa %%xmm0, %%xmm14\n\tmovdqa %%xmm0, %%xmm15\n\t"
        "fldpi\n\tfldpi\n\tfldpi\n\t"
        "call alc_enclave_leave_for_host\n\t"
        "movq %%r12, %0\n\tandq %%r13, %0\n\tandq %%r14, %0\n\tandq %%r15, %0\n\tandq %%rbx, %0"
        : "+a"(kept)
        :
        : "rbx", "rcx", "rdx", "rdi", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
          "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
          "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st", "st(1)", "st(2)", "memory", "cc");
    return kept == secret;
}

static uint64_t report(volatile struct test_page *page)
{
    static const struct alc_sgx_target_info zero;
    struct alc_sgx_target_info target;
    struct alc_sgx_report made;
    uint8_t data[64];
    test_copy_in(&target, page->in, sizeof target);
    test_copy_in(data, page->in + sizeof target, sizeof data);
    bool is_self = alc_equal(&target, &zero, sizeof zero);
    alc_status status = alc_tee_report(is_self ? NULL : &target, data, &made);
    test_copy_out(page->out, &made, ALC_SGX_REPORT_SIZE);
    return status;
}

static uint64_t derive_key(volatile struct test_page *page)
{
    struct alc_sgx_key_request request;
    struct alc_sgx_key key;
    test_copy_in(&request, page->in, sizeof request);
    alc_status status = alc_tee_key(&request, &key);
    test_copy_out(page->out, &key, sizeof key);
    return status;
}

static ALC_NOINLINE uint64_t smash_stack(volatile uint64_t count)
{
    uint8_t bytes[32];
    volatile uint8_t *to = bytes;
    for (uint64_t i = 0; i < count; i++) {
        to[i] = 0x41;
    }
    return to[0];
}

static ALC_NOINLINE uint64_t recurse(volatile uint64_t depth)
{
    volatile uint8_t bytes[1024];
    bytes[depth % sizeof bytes] = (uint8_t)depth;
    uint64_t below = depth == UINT64_MAX ? 0 : recurse(depth + 1);
    return below + bytes[depth % sizeof bytes];
}

/* How many threads are waiting in here. */
static uint64_t g_meeting;

static uint64_t meet(uint64_t count)
{
    __atomic_add_fetch(&g_meeting, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&g_meeting, __ATOMIC_SEQ_CST) < count) {
        __asm__ volatile("pause");
    }
    return alc_enclave_thread_index();
}

static uint64_t wait(volatile struct test_page *page, bool calls_host)
{
    page->results[0] = 1;
    while (page->from_host == 0) {
        __asm__ volatile("pause");
    }
    if (calls_host) {
        alc_enclave_leave_for_host();
    }
    return 0;
}

static uint64_t stack_guard(void)
{
    return alc_enclave_thread_get()->head.stack_guard;
}

static uint64_t entropy(volatile struct test_page *page)
{
    for (uint32_t i = 0; i < ALC_ARRAY_COUNT(page->results); i++) {
        uint64_t value;
        if (alc_tee_entropy(&value) != ALC_OK) {
            return 1;
        }
        page->results[i] = value;
    }
    return 0;
}

uint64_t alc_enclave_main(uint64_t ecall, uint64_t outside_base, uint64_t outside_size)
{
    /* Only for parameters; an ecall without a page does not look at it. */
    static struct test_page nothing;
    volatile struct test_page *page =
        outside_size < sizeof nothing ? &nothing : (void *)(uintptr_t)outside_base;
    const uint64_t first = page->args[0];
    const uint64_t second = page->args[1];
    switch ((enum test_ecall)ecall) {
    case TEST_ENTRY_STATE:
        return report_entry_state(page);
    case TEST_COMPUTE:
        return compute(first);
    case TEST_HOST_CALLS:
        return call_host(page, first);
    case TEST_SECRETS:
        return keep_secrets();
    case TEST_INVALID:
    case TEST_READ:
    case TEST_WRITE:
    case TEST_FORBIDDEN:
        return test_fault(ecall, page, first, second);
    case TEST_REPORT:
        return report(page);
    case TEST_KEY:
        return derive_key(page);
    case TEST_COMMIT:
        return test_commit(first, second);
    case TEST_COMMIT_TWICE:
        return test_commit_errors();
    case TEST_EXTEND:
        return test_extend(page);
    case TEST_OUTSIDE:
        return alc_enclave_is_outside(first, second);
    case TEST_POISON:
        alc_tee_poison(first);
    case TEST_SMASH_STACK:
        return smash_stack(64);
    case TEST_RECURSE:
        return recurse(first);
    case TEST_GUARD:
        return stack_guard();
    case TEST_MEET:
        return meet(first);
    case TEST_MEMORY_FUNCTIONS:
        return test_memory_functions();
    case TEST_ENTROPY:
        return entropy(page);
    case TEST_GROW_BY_PIECES:
        return test_grow_by_pieces(first, second);
    case TEST_WAIT:
        return wait(page, first != 0);
    case TEST_CODE_MAKE:
        return test_code_make(page, first);
    case TEST_CODE_RUN:
        return test_code_run(first, second);
    case TEST_CODE_DISCARD:
        return test_code_discard(first);
    case TEST_WINDOW:
        return test_window();
    case TEST_GS:
        return test_gs(first);
    case TEST_ECALLS_COUNT:
        break;
    }
    return UINT64_MAX;
}
