/* SPDX-License-Identifier: Apache-2.0
 *
 * Exceptions on purpose, with and without a handler. Each instruction stands between labels, so
 * that the handler owns it and nothing else. The code bytes that an image may not contain (SYSCALL,
 * CPUID) are here on purpose; this image is never checked for them.
 */
#include "enclave/exception.h"
#include "enclave/thread.h"
#include "tests/enclave/image.h"

/* What the handler saw last; per thread only because one test uses it at a time. */
static struct {
    uint64_t count;
    uint64_t vector;
    uint64_t addr;
    uint64_t error_code;
} g_seen;

extern const uint8_t test_fault_start[] __attribute__((visibility("hidden")));
extern const uint8_t test_fault_end[] __attribute__((visibility("hidden")));
uint64_t test_fault_run(uint64_t which, uint64_t addr);

/* rdi: which; rsi: an address. What goes wrong is skipped: RAX = 1 then, 0 when nothing did. */
__asm__(".section .text.test_fault, \"ax\", @progbits\n"
        ".hidden test_fault_run, test_fault_start, test_fault_end\n"
        ".globl test_fault_run, test_fault_start, test_fault_end\n"
        ".type test_fault_run, @function\n"
        "test_fault_run:\n"
        "    pushq %rbx\n"
        "    leaq 1f(%rip), %rax\n"
        "    leaq (%rdi,%rdi,2), %rdi\n" /* 12 bytes each */
        "    leaq (%rax,%rdi,4), %rdx\n"
        "    xorl %ecx, %ecx\n"
        "    xorl %ebx, %ebx\n"
        "    jmp *%rdx\n"
        "test_fault_start:\n"
        "1:  syscall\n    jmp 2f\n    .org 1b + 12\n"
        "    cpuid\n    jmp 2f\n    .org 1b + 24\n"
        "    int $0x80\n    jmp 2f\n    .org 1b + 36\n"
        "    inb $0x60, %al\n    jmp 2f\n    .org 1b + 48\n"
        "    movl $2, %eax\n    enclu\n    jmp 2f\n    .org 1b + 60\n"
        "    movl $3, %eax\n    enclu\n    jmp 2f\n    .org 1b + 72\n"
        "    movl $99, %eax\n    enclu\n    jmp 2f\n    .org 1b + 84\n"
        "    ud2\n    jmp 2f\n    .org 1b + 96\n"
        "    movb (%rsi), %al\n    jmp 2f\n    .org 1b + 108\n"
        "    movb %al, (%rsi)\n    jmp 2f\n    .org 1b + 120\n"
        "test_fault_end:\n"
        "2:  popq %rbx\n"
        "    xorl %eax, %eax\n"
        "    ret\n"
        "test_fault_handled:\n"
        "    popq %rbx\n"
        "    movl $1, %eax\n"
        "    ret\n"
        ".size test_fault_run, . - test_fault_run\n"
        ".text\n");
extern const uint8_t test_fault_handled[] __attribute__((visibility("hidden")));

enum { RUN_INVALID = FORBIDDEN_COUNT, RUN_READ, RUN_WRITE };

static bool handle(const struct alc_exception *exception, void *context)
{
    (void)context;
    g_seen.count++;
    g_seen.vector = exception->vector;
    g_seen.addr = exception->has_fault_addr ? exception->fault_addr : 0;
    g_seen.error_code = exception->has_fault_addr ? exception->error_code : 0;
    exception->gprs->rip = (uint64_t)(uintptr_t)test_fault_handled;
    return true;
}

uint64_t test_fault(uint64_t ecall, volatile struct test_page *page, uint64_t first,
                    uint64_t with_handler)
{
    const struct alc_exception_range range = {
        .code_start = (uint64_t)(uintptr_t)test_fault_start,
        .code_size = (uint64_t)(test_fault_end - test_fault_start),
        .handler = handle,
    };
    uint64_t which = ecall == TEST_READ      ? RUN_READ
                     : ecall == TEST_WRITE   ? RUN_WRITE
                     : ecall == TEST_INVALID ? RUN_INVALID
                                             : first;
    uint64_t addr = (uint64_t)(uintptr_t)alc_enclave_base() + first;
    g_seen.count = 0;
    if (which > RUN_WRITE ||
        (with_handler != 0 && alc_enclave_exception_register(&range) != ALC_OK)) {
        return UINT64_MAX;
    }
    uint64_t result = test_fault_run(which, addr);
    if (with_handler != 0) {
        alc_enclave_exception_unregister(range.code_start);
    }
    page->results[FAULT_COUNT] = g_seen.count;
    page->results[FAULT_VECTOR] = g_seen.vector;
    page->results[FAULT_ADDR] = g_seen.addr;
    page->results[FAULT_ERROR_CODE] = g_seen.error_code;
    return result;
}
