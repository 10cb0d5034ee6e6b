/* SPDX-License-Identifier: Apache-2.0
 *
 * Entry of the smallest image: no host calls, no exceptions, no level 1. For tests of the builder
 * and the loader only; the real entry code is src/enclave/entry.S.
 */
#include "sgx_arch/entry.h"

    .section .text.alc_enclave_entry, "ax", @progbits
    .globl alc_enclave_entry
    .type alc_enclave_entry, @function
alc_enclave_entry:
    testq %rax, %rax /* CSSA: nobody handles exceptions here */
    jnz refused
    pushq $2
    popfq
    movq %rsp, %r12 /* URSP, URBP and the return address of the host */
    movq %rbp, %r13
    movq %rcx, %r14
    leaq __alc_image_base(%rip), %rax
    addq %fs:ALC_THREAD_STACK_TOP_OFFSET, %rax
    movq %rax, %rsp
    xorl %ebp, %ebp
    call minimal_main
    movq %rax, %rsi
    movl $ALC_EXIT_DONE, %edi
    movq %r12, %rsp
    movq %r13, %rbp
    movq %r14, %rbx
    jmp leave
refused:
    movl $ALC_EXIT_REFUSED, %edi
    movq %rcx, %rbx
leave:
    xorl %ecx, %ecx
    xorl %edx, %edx
    movl $4, %eax /* EEXIT */
    .byte 0x0F, 0x01, 0xD7
    ud2
    .size alc_enclave_entry, . - alc_enclave_entry

    .section .note.GNU-stack, "", @progbits
