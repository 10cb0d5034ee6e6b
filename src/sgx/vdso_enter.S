/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes __vdso_sgx_enter_enclave callable from C: the vDSO restores rbx, rbp and rsp only,
 * everything else is as the enclave left it, so this saves what the ABI owes the caller and cleans
 * what an enclave may have left behind (flags, x87, MXCSR).
 *
 *   int alc_vdso_enter(rdi, rsi, rdx, leaf, r8, r9, run, function)
 */
    .text
    .globl alc_vdso_enter
    .type alc_vdso_enter, @function
alc_vdso_enter:
    pushq %rbp
    movq %rsp, %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $24, %rsp /* 0: MXCSR, 4: x87 control word; the stack is aligned to 16 now */
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    subq $8, %rsp
    pushq 16(%rbp) /* run: the seventh argument */
    call *24(%rbp)
    /* rbp is ours again: the vDSO keeps it. rsp is recomputed from it. */
    pushq $2
    popfq
    fninit
    fldcw -60(%rbp)
    ldmxcsr -64(%rbp)
    leaq -40(%rbp), %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size alc_vdso_enter, . - alc_vdso_enter

    .section .note.GNU-stack, "", @progbits
