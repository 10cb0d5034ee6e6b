/* SPDX-License-Identifier: Apache-2.0
 *
 * The emulator's crossings: into the enclave with a whole register state, out of it through signal
 * frames, and the signal trampoline. Nothing here may use FS or trust RSP, flags or vectors while
 * the enclave's are loaded.
 */
#include "sgx_emu/emu_asm.h"

    .text

/* void emu_cross(struct emu_thread *thread, const struct emu_crossing *to)
 * Returns when the handler of a signal sends the thread to emu_cross_return. */
    .globl emu_cross
    .hidden emu_cross
    .type emu_cross, @function
emu_cross:
    pushq   %rbx
    pushq   %rbp
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    subq    $8, %rsp
    stmxcsr (%rsp)
    fnstcw  4(%rsp)
    movq    %rsp, EMU_THREAD_HOST_RSP(%rdi)
    rdgsbase %rax
    movq    %rax, EMU_THREAD_HOST_GS(%rdi)
    movl    %ss, %eax
    pushq   %rax
    pushq   0x20(%rsi)
    pushq   EMU_CROSSING_RFLAGS(%rsi)
    movl    %cs, %eax
    pushq   %rax
    pushq   EMU_CROSSING_RIP(%rsi)
    cmpq    $0, EMU_THREAD_HAS_PKU(%rdi)
    je      1f
    xorl    %ecx, %ecx
    rdpkru
    movl    %eax, EMU_THREAD_HOST_PKRU(%rdi)
    movl    EMU_CROSSING_PKRU(%rsi), %eax
    xorl    %edx, %edx
    wrpkru
1:  movl    EMU_CROSSING_XSTATE_MASK(%rsi), %eax
    movl    EMU_CROSSING_XSTATE_MASK+4(%rsi), %edx
    movq    EMU_CROSSING_XSTATE(%rsi), %rcx
    xrstor64 (%rcx)
    movq    EMU_CROSSING_FS(%rsi), %rax
    wrfsbase %rax
    movq    EMU_CROSSING_GS(%rsi), %rax
    wrgsbase %rax
    movq    $1, EMU_THREAD_INSIDE(%rdi)
    movb    $EMU_SELECTOR_BLOCK, EMU_THREAD_SELECTOR(%rdi)
    movq    0x00(%rsi), %rax
    movq    0x08(%rsi), %rcx
    movq    0x10(%rsi), %rdx
    movq    0x18(%rsi), %rbx
    movq    0x28(%rsi), %rbp
    movq    0x38(%rsi), %rdi
    movq    0x40(%rsi), %r8
    movq    0x48(%rsi), %r9
    movq    0x50(%rsi), %r10
    movq    0x58(%rsi), %r11
    movq    0x60(%rsi), %r12
    movq    0x68(%rsi), %r13
    movq    0x70(%rsi), %r14
    movq    0x78(%rsi), %r15
    movq    0x30(%rsi), %rsi
    iretq

/* RBX = thread, RSP = its host_rsp; FS and the selector are the host's already. */
    .globl emu_cross_return
    .hidden emu_cross_return
emu_cross_return:
    cmpq    $0, EMU_THREAD_HAS_PKU(%rbx)
    je      1f
    xorl    %ecx, %ecx
    xorl    %edx, %edx
    movl    EMU_THREAD_HOST_PKRU(%rbx), %eax
    wrpkru
1:  movq    EMU_THREAD_HOST_GS(%rbx), %rax
    wrgsbase %rax
    fldcw   4(%rsp)
    ldmxcsr (%rsp)
    addq    $8, %rsp
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbp
    popq    %rbx
    ret
    .size emu_cross, . - emu_cross

/* Where EENTER would be: what the enclave finds in RCX and has to leave to. Never executed. */
    .globl emu_after_enter
    .hidden emu_after_enter
emu_after_enter:
    ud2

/* Signal handler: (signal, siginfo, ucontext) on the alternate stack. The kernel leaves AC and FS
 * as the enclave had them. */
    .globl emu_trampoline
    .hidden emu_trampoline
    .type emu_trampoline, @function
emu_trampoline:
    movq    %rsp, %r15
    andq    $-16, %rsp
    pushq   $2
    popfq
    movq    %rdi, %r12
    movq    %rsi, %r13
    movq    %rdx, %r14
    movq    %r15, %rdi
    call    emu_find_thread
    testq   %rax, %rax
    jz      .Lforeign
    movq    %rax, %rbx
    rdfsbase %rcx
    movq    %rcx, EMU_THREAD_CURRENT_FS(%rbx)
    movq    %rcx, EMU_THREAD_RESUME_FS(%rbx)
    movq    EMU_THREAD_HOST_FS(%rbx), %rcx
    wrfsbase %rcx
    movzbl  EMU_THREAD_SELECTOR(%rbx), %eax
    movb    %al, EMU_THREAD_SELECTOR+1(%rbx)
    movb    $EMU_SELECTOR_ALLOW, EMU_THREAD_SELECTOR(%rbx)
    movq    %r12, %rdi
    movq    %r13, %rsi
    movq    %r14, %rdx
    movq    %rbx, %rcx
    call    emu_handle_signal
    movq    EMU_THREAD_RESUME_FS(%rbx), %rcx
    wrfsbase %rcx
    movzbl  EMU_THREAD_SELECTOR+1(%rbx), %eax
    movb    %al, EMU_THREAD_SELECTOR(%rbx)
    movq    %r15, %rsp
    ret                         /* to emu_restorer */
.Lforeign:
    movq    %r12, %rdi
    movq    %r13, %rsi
    movq    %r14, %rdx
    call    emu_foreign_signal
    movq    %r15, %rsp
    ret
    .size emu_trampoline, . - emu_trampoline

/* rt_sigreturn; [emu_restorer, emu_restorer_end] may make system calls whatever the selector says.
 * The range includes the address behind `syscall`, which is what the kernel compares. */
    .globl emu_restorer
    .hidden emu_restorer
    .type emu_restorer, @function
emu_restorer:
    movl    $15, %eax
    syscall
    ud2
    .size emu_restorer, . - emu_restorer
    .globl emu_restorer_end
    .hidden emu_restorer_end
emu_restorer_end:
    ud2

    .section .note.GNU-stack, "", @progbits
