/* SPDX-License-Identifier: Apache-2.0
 *
 * Where trusted code and compiled code meet: the way in and out, and the code that stubs lead to.
 * Compiled code chooses every register but RSP and GS (the verifier sees to that), so nothing here
 * reads memory at an address out of another register. The one exception is confined code's return
 * address, which it cannot write.
 *
 * Stacks. Compiled code runs on the thread's native stack, C on the stack it was called on
 * (trusted). While compiled code runs, TRUSTED_RSP of the thread's record is where C's stack goes
 * on, and begins with the address of the record; while C runs, NATIVE_RSP is where the native
 * stack goes on: at the return address of the stub's caller, or at a crossing.
 *
 * GS is set anew on every way back from C: inside an enclave a host call in between changed it.
 */
#include "native_exec/layout.h"

/* C is compiled without AVX: dirty upper halves would cost it time. */
.macro leave_wide_state
#ifndef ALC_ENCLAVE
    cmpl    $0, NATIVE_THREAD_IS_WIDE(%r11)
    je      .Lis_narrow\@
    vzeroupper
.Lis_narrow\@:
#endif
.endm

/* GS becomes RAX. Reading is much cheaper than writing. Uses RCX. */
.macro set_base
    rdgsbase %rcx
    cmpq    %rax, %rcx
    je      .Lis_set\@
    wrgsbase %rax
.Lis_set\@:
.endm

.macro function name
    .section .text.\name, "ax", @progbits
    .balign 16
    .globl  \name
    .hidden \name
    .type   \name, @function
\name:
.endm

/* -- what several ways have in common, called on the trusted stack with the thread in r11 -- */

/* All vector registers, whole ones where code uses them. An enclave has no AVX, and its image may
 * have no instructions of it. */
function alc_native_clear_vectors
#ifndef ALC_ENCLAVE
    cmpl    $0, NATIVE_THREAD_IS_WIDE(%r11)
    je      .Lnarrow
    vzeroall
    ret
.Lnarrow:
#endif
    pxor    %xmm0, %xmm0
    pxor    %xmm1, %xmm1
    pxor    %xmm2, %xmm2
    pxor    %xmm3, %xmm3
    pxor    %xmm4, %xmm4
    pxor    %xmm5, %xmm5
    pxor    %xmm6, %xmm6
    pxor    %xmm7, %xmm7
    pxor    %xmm8, %xmm8
    pxor    %xmm9, %xmm9
    pxor    %xmm10, %xmm10
    pxor    %xmm11, %xmm11
    pxor    %xmm12, %xmm12
    pxor    %xmm13, %xmm13
    pxor    %xmm14, %xmm14
    pxor    %xmm15, %xmm15
    ret
    .size   alc_native_clear_vectors, . - alc_native_clear_vectors

/* Everything for a jump to r10 in the instance of CALL_BASE but the stack, and r11, which is to be
 * cleared last. The callee finds its own entry in r10, and nothing else that is no argument. */
function alc_native_set_out
    movq    NATIVE_THREAD_CALL_BASE(%r11), %rax
    movq    %rax, NATIVE_THREAD_BASE(%r11)
    set_base
    call    alc_native_clear_vectors
    movups  NATIVE_THREAD_VECTORS(%r11), %xmm0
    movups  NATIVE_THREAD_VECTORS+16(%r11), %xmm1
    movups  NATIVE_THREAD_VECTORS+32(%r11), %xmm2
    movups  NATIVE_THREAD_VECTORS+48(%r11), %xmm3
    movups  NATIVE_THREAD_VECTORS+64(%r11), %xmm4
    movups  NATIVE_THREAD_VECTORS+80(%r11), %xmm5
    movups  NATIVE_THREAD_VECTORS+96(%r11), %xmm6
    movups  NATIVE_THREAD_VECTORS+112(%r11), %xmm7
    movq    NATIVE_THREAD_INTEGERS(%r11), %rdi
    movq    NATIVE_THREAD_INTEGERS+8(%r11), %rsi
    movq    NATIVE_THREAD_INTEGERS+16(%r11), %rdx
    movq    NATIVE_THREAD_INTEGERS+24(%r11), %rcx
    movq    NATIVE_THREAD_INTEGERS+32(%r11), %r8
    movq    NATIVE_THREAD_INTEGERS+40(%r11), %r9
    movq    NATIVE_THREAD_CALL_CODE(%r11), %r10
    xorl    %eax, %eax
    xorl    %ebx, %ebx
    xorl    %ebp, %ebp
    xorl    %r12d, %r12d
    xorl    %r13d, %r13d
    xorl    %r14d, %r14d
    xorl    %r15d, %r15d
    ret
    .size   alc_native_set_out, . - alc_native_set_out

/* -- stubs -- */

/* Copied in front of every image: finds the callee of an indirect call and jumps to it when it
 * belongs to the same instance. All else (a trap, another instance, a host function, a subtype) is
 * left to C. Indices and references are clamped, so that a mispredicted branch reads nothing beyond
 * what was checked. No use of the stack. */
function alc_native_indirect
    /* r10 = index, r11d = the stub's number */
    movl    %r11d, %eax
    shll    $NATIVE_CALLEES_SIZE_LOG2, %eax
    addq    %gs:-NATIVE_CALLEES, %rax
    movq    NATIVE_CALLEES_TABLE(%rax), %r11
    cmpq    NATIVE_TABLE_COUNT(%r11), %r10
    movq    NATIVE_TABLE_ENTRIES(%r11), %r11
    jae     .Lunresolved
    cmovaeq %gs:-NATIVE_ZERO, %r10
    movq    (%r11, %r10, 8), %r11
    testq   %r11, %r11
    jz      .Lunresolved
    movl    NATIVE_CALLEES_TYPE_ID(%rax), %r10d
    cmpl    NATIVE_FUNCTION_TYPE_ID(%r11), %r10d
    jne     .Lfound
    movq    NATIVE_FUNCTION_BASE(%r11), %r10
    cmpq    %gs:-NATIVE_SELF, %r10
    jne     .Lfound
    jmpq    *NATIVE_FUNCTION_CODE(%r11)
.Lfound:
    movq    %r11, %r10
    subq    %gs:-NATIVE_CALLEES, %rax
    shrl    $NATIVE_CALLEES_SIZE_LOG2, %eax
    movl    %eax, %r11d
    btsl    $NATIVE_STUB_FOUND, %r11d
    jmpq    *%gs:-NATIVE_STUB_ENTRY
.Lunresolved:
    subq    %gs:-NATIVE_CALLEES, %rax
    shrl    $NATIVE_CALLEES_SIZE_LOG2, %eax
    movl    %eax, %r11d
    jmpq    *%gs:-NATIVE_STUB_ENTRY

    /* r10 = reference, r11d = the stub's number; behind alc_native_indirect, copied with it */
    .balign 16
    .globl  alc_native_reference
    .hidden alc_native_reference
alc_native_reference:
    movq    %r10, %rax
    subq    %gs:-NATIVE_OWN_START, %rax
    cmpq    %gs:-NATIVE_OWN_SIZE, %rax
    jae     .Lelsewhere
    cmovaeq %gs:-NATIVE_ZERO, %rax
    testb   $(NATIVE_FUNCTION_SIZE - 1), %al
    jnz     .Lelsewhere
    andq    $-NATIVE_FUNCTION_SIZE, %rax
    addq    %gs:-NATIVE_OWN_START, %rax
    movl    %r11d, %r10d
    shll    $NATIVE_CALLEES_SIZE_LOG2, %r10d
    addq    %gs:-NATIVE_CALLEES, %r10
    movl    NATIVE_CALLEES_TYPE_ID(%r10), %r10d
    cmpl    NATIVE_FUNCTION_TYPE_ID(%rax), %r10d
    jne     .Lother_type
    jmpq    *NATIVE_FUNCTION_CODE(%rax)
.Lother_type:
    movq    %rax, %r10
.Lelsewhere:
    jmpq    *%gs:-NATIVE_STUB_ENTRY
    .globl  alc_native_prologue_end
    .hidden alc_native_prologue_end
alc_native_prologue_end:
    .size   alc_native_indirect, . - alc_native_indirect

/* r11d = number of the stub and NATIVE_STUB_FOUND, r10 = its operand. What stands on the native
 * stack is the return address of the stub's caller. */
function alc_native_stub_entry
    movq    %gs:-NATIVE_THREAD, %rax
    movq    %rdi, NATIVE_THREAD_INTEGERS(%rax)
    movq    %rsi, NATIVE_THREAD_INTEGERS+8(%rax)
    movq    %rdx, NATIVE_THREAD_INTEGERS+16(%rax)
    movq    %rcx, NATIVE_THREAD_INTEGERS+24(%rax)
    movq    %r8, NATIVE_THREAD_INTEGERS+32(%rax)
    movq    %r9, NATIVE_THREAD_INTEGERS+40(%rax)
    movups  %xmm0, NATIVE_THREAD_VECTORS(%rax)
    movups  %xmm1, NATIVE_THREAD_VECTORS+16(%rax)
    movups  %xmm2, NATIVE_THREAD_VECTORS+32(%rax)
    movups  %xmm3, NATIVE_THREAD_VECTORS+48(%rax)
    movups  %xmm4, NATIVE_THREAD_VECTORS+64(%rax)
    movups  %xmm5, NATIVE_THREAD_VECTORS+80(%rax)
    movups  %xmm6, NATIVE_THREAD_VECTORS+96(%rax)
    movups  %xmm7, NATIVE_THREAD_VECTORS+112(%rax)
    movq    %rsp, NATIVE_THREAD_NATIVE_RSP(%rax)
    movq    NATIVE_THREAD_TRUSTED_RSP(%rax), %rsp
    movl    %r11d, %edx
    movq    %rax, %r11
    leave_wide_state
    movq    %r11, %rdi
    movq    %gs:-NATIVE_INSTANCE, %rsi
    movq    %r10, %rcx
    cld
    call    alc_native_stub
    movq    (%rsp), %r11
    cmpl    $NATIVE_CALL, %eax
    jb      .Lreturn_to_native
    je      .Lcall_across
    cmpl    $NATIVE_UNWIND, %eax
    jb      .Ltail_call_across
    je      .Lunwind
    jmp     alc_native_leave

.Lreturn_to_native:
    movq    NATIVE_THREAD_BASE(%r11), %rax
    set_base
    call    alc_native_clear_vectors
    movq    NATIVE_THREAD_NATIVE_RSP(%r11), %rsp
    /* What compiled code may see of C: nothing but a result, or zero. */
.Lgive_result:
    movups  NATIVE_THREAD_RESULT_VECTOR(%r11), %xmm0
    movq    NATIVE_THREAD_RESULT(%r11), %rax
    xorl    %ecx, %ecx
    xorl    %edx, %edx
    xorl    %esi, %esi
    xorl    %edi, %edi
    xorl    %r8d, %r8d
    xorl    %r9d, %r9d
    xorl    %r10d, %r10d
    xorl    %r11d, %r11d
    ret

    /* The callee may do what it likes with registers, so the caller's stand in the crossing. */
.Lcall_across:
    movq    NATIVE_THREAD_NATIVE_RSP(%r11), %rsp
    pushq   %rbx
    pushq   %rbp
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    pushq   $0
    pushq   NATIVE_THREAD_ROOTS(%r11)
    pushq   NATIVE_THREAD_BASE(%r11)
    pushq   NATIVE_THREAD_CROSSING(%r11)
    pushq   NATIVE_THREAD_CALLEE(%r11)
    movq    %rsp, NATIVE_THREAD_CROSSING(%r11)
    movq    NATIVE_THREAD_TRUSTED_RSP(%r11), %rsp
    call    alc_native_set_out
    movq    NATIVE_THREAD_CROSSING(%r11), %rsp
    xorl    %r11d, %r11d
    call    *%r10
    .globl  alc_native_crossing_return
    .hidden alc_native_crossing_return
alc_native_crossing_return:
    movq    %gs:-NATIVE_THREAD, %r11
    movq    %rax, NATIVE_THREAD_RESULT(%r11)
    movups  %xmm0, NATIVE_THREAD_RESULT_VECTOR(%r11)
    movq    %rsp, NATIVE_THREAD_NATIVE_RSP(%r11)
    movq    NATIVE_THREAD_TRUSTED_RSP(%r11), %rsp
    leave_wide_state
    movq    %r11, %rdi
    cld
    call    alc_native_returned
    movq    (%rsp), %r11
    cmpl    $NATIVE_UNWIND, %eax
    ja      alc_native_leave
    jb      .Lend_crossing

.Lunwind:
    movq    NATIVE_THREAD_CROSSING(%r11), %rax
    movq    %rax, NATIVE_THREAD_NATIVE_RSP(%r11)
.Lend_crossing:
    call    alc_native_clear_vectors
    movq    NATIVE_THREAD_NATIVE_RSP(%r11), %rsp
    addq    $8, %rsp
    popq    NATIVE_THREAD_CROSSING(%r11)
    popq    %rax
    movq    %rax, NATIVE_THREAD_BASE(%r11)
    set_base
    addq    $16, %rsp
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbp
    popq    %rbx
    jmp     .Lgive_result

.Ltail_call_across:
    call    alc_native_set_out
    movq    NATIVE_THREAD_NATIVE_RSP(%r11), %rsp
    xorl    %r11d, %r11d
    jmp     *%r10
    .size   alc_native_stub_entry, . - alc_native_stub_entry

/* -- in and out -- */

/* uint32_t alc_native_enter(struct alc_native_thread *thread): calls CALL_CODE on the native stack
 * below START. The status. */
function alc_native_enter
    pushq   %rbx
    pushq   %rbp
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    subq    $8, %rsp
    stmxcsr (%rsp)
    pushq   NATIVE_THREAD_BASE(%rdi)
    pushq   NATIVE_THREAD_CROSSING(%rdi)
    pushq   NATIVE_THREAD_NATIVE_RSP(%rdi)
    pushq   NATIVE_THREAD_TRUSTED_RSP(%rdi)
    rdgsbase %rax
    pushq   %rax
    pushq   %rdi
    movq    %rsp, NATIVE_THREAD_TRUSTED_RSP(%rdi)
    movq    $0, NATIVE_THREAD_CROSSING(%rdi)
    movq    %rdi, %r11
    ldmxcsr .Ldefault_mxcsr(%rip)
    cld
    call    alc_native_set_out
    movq    NATIVE_THREAD_START(%r11), %rsp
    xorl    %r11d, %r11d
    call    *%r10
    .globl  alc_native_entry_return
    .hidden alc_native_entry_return
alc_native_entry_return:
    movq    %gs:-NATIVE_THREAD, %r11
    movq    %rax, NATIVE_THREAD_RESULT(%r11)
    movups  %xmm0, NATIVE_THREAD_RESULT_VECTOR(%r11)
    movq    NATIVE_THREAD_BASE(%r11), %rax
    movq    %rax, NATIVE_THREAD_CALL_BASE(%r11)
    xorl    %eax, %eax
    jmp     .Lfinish

/* From anywhere, with the thread in r11 and why in its STATUS: the way out. */
    .globl  alc_native_leave
    .hidden alc_native_leave
alc_native_leave:
    movq    NATIVE_THREAD_BASE(%r11), %rax
    movq    %rax, NATIVE_THREAD_CALL_BASE(%r11)
    movl    NATIVE_THREAD_STATUS(%r11), %eax
.Lfinish:
    movq    NATIVE_THREAD_TRUSTED_RSP(%r11), %rsp
    cld
    leave_wide_state
    addq    $8, %rsp
    popq    %rcx
    wrgsbase %rcx
    popq    NATIVE_THREAD_TRUSTED_RSP(%r11)
    popq    NATIVE_THREAD_NATIVE_RSP(%r11)
    popq    NATIVE_THREAD_CROSSING(%r11)
    popq    NATIVE_THREAD_BASE(%r11)
    ldmxcsr (%rsp)
    addq    $8, %rsp
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbp
    popq    %rbx
    ret
    .size   alc_native_enter, . - alc_native_enter

    .section .rodata.alc_native_mxcsr, "a", @progbits
    .balign 4
.Ldefault_mxcsr:
    .long   0x1fbf /* round to nearest; exceptions masked, and seen: the same time for all */

    .section .note.GNU-stack, "", @progbits
