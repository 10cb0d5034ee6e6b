/* SPDX-License-Identifier: Apache-2.0
 *
 * The only door of the enclave. The host chooses every register and flag, the time and the thread;
 * trusted are RAX (CSSA), FS and GS, which the processor sets from the TCS. Nothing here uses the
 * host's stack, calls C before flags and vector state are clean, or leaves with anything in a
 * register but the agreement of sgx_arch/entry.h. Order of the checks: SGX attacks named beside
 * each.
 */
#include "enclave/thread.h"

#define LEAF_EEXIT 4
#define LEAF_EACCEPT 5
#define XSAVE_LEGACY_SIZE 512

/* Puts every component of XFRM into its initial state, whatever XFRM the image is signed with; uses
 * RAX and RDX. All bits but PKRU's: it holds no data, and not the enclave but the host's tables
 * decide what it may deny. */
.macro initialise_vectors
    movl    $0xFFFFFDFF, %eax
    movl    $0xFFFFFFFF, %edx
    xrstor64 (alc_enclave_initial_header - XSAVE_LEGACY_SIZE)(%rip)
    ldmxcsr .Lmxcsr(%rip)
.endm

/* Everything that a host may have prepared: DF (reversed copies), AC (faults on demand), TF, NT,
 * and every vector and x87 register, rounding mode and exception mask (CVE-2020-0561). MXCSR
 * becomes 0x1FBF: flags set, so that operations take the same time whatever they raise (MCDT). Uses
 * 8 bytes of the stack in RSP, RAX and RDX. */
.macro clean_state
    pushq   $2
    popfq
    initialise_vectors
    lfence
.endm

/* The guard that compilers expect at %fs:0x28, before the first C code of the thread. Either level
 * may be the first: an entry at level 1 is over before level 0 goes on. Uses RAX, RCX and RDX. */
.macro ensure_stack_guard on_failure
    cmpq    $0, %fs:ALC_THREAD_IS_STARTED
    jne     .Lhas_guard\@
    movl    $16, %ecx
.Ldraw_guard\@:
    decl    %ecx
    jz      \on_failure
    rdrand  %rax
    jnc     .Ldraw_guard\@
    leaq    -1(%rax), %rdx      /* broken generators give 0 or all ones */
    cmpq    $-3, %rdx
    ja      .Ldraw_guard\@
    xorb    %al, %al            /* a string function stops at the guard */
    movq    %rax, %fs:ALC_THREAD_STACK_GUARD
    movq    $1, %fs:ALC_THREAD_IS_STARTED
.Lhas_guard\@:
.endm

.macro clear_general_but_arguments
    xorl    %eax, %eax
    xorl    %ebx, %ebx
    xorl    %ecx, %ecx
    xorl    %ebp, %ebp
    xorl    %r8d, %r8d
    xorl    %r9d, %r9d
    xorl    %r10d, %r10d
    xorl    %r11d, %r11d
    xorl    %r12d, %r12d
    xorl    %r13d, %r13d
    xorl    %r14d, %r14d
    xorl    %r15d, %r15d
.endm

/* EEXIT with RDI and RSI as they are, everything else cleared or the host's own. The target is what
 * EENTER left in RCX, never a register that the host sets. */
.macro leave outside_rsp, outside_rbp, outside_return
    initialise_vectors
    clear_general_but_arguments
    movq    %fs:\outside_rsp, %rsp
    movq    %fs:\outside_rbp, %rbp
    movq    %fs:\outside_return, %rbx
    xorl    %edx, %edx
    cmpl    %edx, %edx          /* every arithmetic flag has a fixed value */
    movl    $LEAF_EEXIT, %eax
    enclu
1:  ud2
    jmp     1b
.endm

    .section .text.alc_enclave_entry, "ax", @progbits
    .globl alc_enclave_entry
    .hidden alc_enclave_entry
    .type alc_enclave_entry, @function
alc_enclave_entry:
    cmpq    $1, %rax            /* how many interrupted levels are below: before all else */
    je      .Llevel1
    ja      .Ldead
    movq    %rcx, %fs:ALC_THREAD_OUTSIDE_RETURN
    movq    %rsp, %fs:ALC_THREAD_OUTSIDE_RSP
    movq    %rbp, %fs:ALC_THREAD_OUTSIDE_RBP
    cmpq    $0, alc_enclave_poisoned(%rip)
    jne     .Lrefuse
    cmpq    $ALC_ENTRY_HOST_CALL_RETURN, %rdi
    je      .Lhost_call_return

    /* An ecall. Only one at a time on a thread, and none while a host call waits. */
    cmpq    $0, %fs:ALC_THREAD_IS_INSIDE
    jne     .Lrefuse
    lfence
    leaq    __alc_image_base(%rip), %rsp
    addq    %fs:ALC_THREAD_STACK_TOP_OFFSET, %rsp
    movq    %rdx, %r9
    clean_state
    ensure_stack_guard .Lrefuse
    movq    $1, %fs:ALC_THREAD_IS_INSIDE
    movq    %r9, %rdx
    clear_general_but_arguments
    call    alc_enclave_start   /* (raw ecall, raw base, raw size) -> RAX reason, RDX value */
    movq    %rax, %rdi
    movq    %rdx, %rsi
    movq    $0, %fs:ALC_THREAD_IS_INSIDE
.Lleave:
    leave   ALC_THREAD_OUTSIDE_RSP, ALC_THREAD_OUTSIDE_RBP, ALC_THREAD_OUTSIDE_RETURN

.Lrefuse:
    lfence
    movl    $ALC_EXIT_REFUSED, %edi
    xorl    %esi, %esi
    jmp     .Lleave

.Lhost_call_return:
    movq    %fs:ALC_THREAD_SAVED_RSP, %r8
    testq   %r8, %r8
    jz      .Lrefuse
    lfence
    movq    $0, %fs:ALC_THREAD_SAVED_RSP /* one return per call */
    movq    %r8, %rsp
    clean_state
    clear_general_but_arguments
    xorl    %edx, %edx
    xorl    %esi, %esi
    xorl    %edi, %edi
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbp
    popq    %rbx
    ret

    /* After an asynchronous exit. Level 0 is frozen in SSA frame 0 at any instruction, perhaps
     * before its stack or guard existed: nothing of it is used (SmashEx). */
.Llevel1:
    movq    %rcx, %fs:ALC_THREAD_LEVEL1_OUTSIDE_RETURN
    movq    %rsp, %fs:ALC_THREAD_LEVEL1_OUTSIDE_RSP
    movq    %rbp, %fs:ALC_THREAD_LEVEL1_OUTSIDE_RBP
    lfence
    leaq    __alc_image_base(%rip), %rsp
    addq    %fs:ALC_THREAD_EXCEPTION_STACK_TOP_OFFSET, %rsp
    clean_state
    xorl    %esi, %esi
    xorl    %edi, %edi
    ensure_stack_guard .Lrefuse_level1
    xorl    %edx, %edx
    clear_general_but_arguments
    call    alc_enclave_exception /* -> RAX reason, RDX value */
    movq    %rax, %rdi
    movq    %rdx, %rsi
.Lleave_level1:
    leave   ALC_THREAD_LEVEL1_OUTSIDE_RSP, ALC_THREAD_LEVEL1_OUTSIDE_RBP, \
            ALC_THREAD_LEVEL1_OUTSIDE_RETURN

.Lrefuse_level1:
    movl    $ALC_EXIT_REFUSED, %edi
    xorl    %esi, %esi
    jmp     .Lleave_level1

.Ldead:
    ud2
    jmp     .Ldead
    .size alc_enclave_entry, . - alc_enclave_entry

/* void alc_enclave_leave_for_host(void) */
    .section .text.alc_enclave_leave_for_host, "ax", @progbits
    .globl alc_enclave_leave_for_host
    .hidden alc_enclave_leave_for_host
    .type alc_enclave_leave_for_host, @function
alc_enclave_leave_for_host:
    movl    $ALC_EXIT_SERVE, %edi
    xorl    %esi, %esi
.Lleave_and_return:
    cmpq    $0, alc_enclave_poisoned(%rip)
    jne     .Lrefuse
    pushq   %rbx
    pushq   %rbp
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    movq    %rsp, %fs:ALC_THREAD_SAVED_RSP
    jmp     .Lleave
    .size alc_enclave_leave_for_host, . - alc_enclave_leave_for_host

/* void alc_enclave_leave_for_pages(uint64_t request) */
    .section .text.alc_enclave_leave_for_pages, "ax", @progbits
    .globl alc_enclave_leave_for_pages
    .hidden alc_enclave_leave_for_pages
    .type alc_enclave_leave_for_pages, @function
alc_enclave_leave_for_pages:
    movq    %rdi, %rsi
    movl    $ALC_EXIT_PAGES, %edi
    jmp     .Lleave_and_return
    .size alc_enclave_leave_for_pages, . - alc_enclave_leave_for_pages

/* noreturn void alc_enclave_leave_refused(uint64_t hint): from either level; the exception stack
 * lies below the thread's. */
    .section .text.alc_enclave_leave_refused, "ax", @progbits
    .globl alc_enclave_leave_refused
    .hidden alc_enclave_leave_refused
    .type alc_enclave_leave_refused, @function
alc_enclave_leave_refused:
    movq    %rdi, %rsi
    movl    $ALC_EXIT_REFUSED, %edi
    leaq    __alc_image_base(%rip), %rax
    addq    %fs:ALC_THREAD_STACK_BOTTOM_OFFSET, %rax
    cmpq    %rax, %rsp
    jae     .Lleave
    jmp     .Lleave_level1
    .size alc_enclave_leave_refused, . - alc_enclave_leave_refused

/* uint64_t alc_enclave_accept(secinfo, first, end, out_error) */
    .section .text.alc_enclave_accept, "ax", @progbits
    .globl alc_enclave_accept, alc_enclave_accept_instruction, alc_enclave_accept_failed
    .hidden alc_enclave_accept, alc_enclave_accept_instruction, alc_enclave_accept_failed
    .type alc_enclave_accept, @function
alc_enclave_accept:
    pushq   %rbx
    movq    %rcx, %r8
    movq    %rdi, %rbx
    movq    %rsi, %rcx
.Lnext_page:
    xorl    %eax, %eax
    cmpq    %rdx, %rcx
    jae     .Laccept_done
    movl    $LEAF_EACCEPT, %eax
alc_enclave_accept_instruction:
    enclu
    testq   %rax, %rax
    jnz     .Laccept_done
    addq    $4096, %rcx
    jmp     .Lnext_page
alc_enclave_accept_failed:      /* level 1 comes here, registers as at the instruction */
    movq    $-1, %rax
.Laccept_done:
    movq    %rax, (%r8)
    movq    %rcx, %rax
    popq    %rbx
    ret
    .size alc_enclave_accept, . - alc_enclave_accept

/* Where an interrupted level 0 of a poisoned enclave is sent. */
    .section .text.alc_enclave_stop, "ax", @progbits
    .globl alc_enclave_stop
    .hidden alc_enclave_stop
    .type alc_enclave_stop, @function
alc_enclave_stop:
    ud2
    jmp     alc_enclave_stop
    .size alc_enclave_stop, . - alc_enclave_stop

/* The header of an XSAVE area in the compacted form, which has nothing in it: every component gets
 * its initial state, XMM registers and MXCSR too (SDM volume 1, 13.8). The processor goes no
 * further than the header, whatever XCR0 has (the standard form is as long as XCR0 says, and the
 * emulator runs under the host's). The 512 bytes in front of it are other constants: it may look
 * whether they can be read, and loads nothing from them. enclave.ld sees to it that they are
 * there. */
    .section .rodata.alc_enclave_initial_header, "a", @progbits
    .balign 64
    .globl alc_enclave_initial_header
    .hidden alc_enclave_initial_header
    .type alc_enclave_initial_header, @object
alc_enclave_initial_header:
    .quad   0                     /* XSTATE_BV: none */
    .quad   0x8000000000000000    /* XCOMP_BV: compacted, none */
    .fill   64 - 16, 1, 0
    .size   alc_enclave_initial_header, 64
.Lmxcsr:
    .long   0x1FBF

/* One ecall, unless the image says otherwise. Defined here, because compilers that see a weak
 * constant may fold it. */
    .section .rodata.alc_enclave_ecalls_count, "a", @progbits
    .balign 8
    .weak   alc_enclave_ecalls_count
    .type   alc_enclave_ecalls_count, @object
    .size   alc_enclave_ecalls_count, 8
alc_enclave_ecalls_count:
    .quad   1

    .section .note.GNU-stack, "", @progbits
