/* SPDX-License-Identifier: Apache-2.0
 *
 * The agreement at EENTER and EEXIT, and what assembler needs of a thread's TLS page. Macros only,
 * so that entry.S can include it. The registers mean nothing until the side that receives them
 * checks.
 *
 *   EENTER, CSSA = 0   rdi = ecall index, rsi = base of the region outside, rdx = its size;
 *                      or rdi = ALC_ENTRY_HOST_CALL_RETURN: back from ALC_EXIT_SERVE.
 *   EENTER, CSSA = 1   after an asynchronous exit; every register is ignored, the SSA frame says
 * why. EEXIT              rdi = one of ALC_EXIT_*, rsi = value.
 */
#ifndef ALC_SGX_ARCH_ENTRY_H
#define ALC_SGX_ARCH_ENTRY_H

#define ALC_ENTRY_RUN 0
/* A thread that the program asked for: the TCS says which. Sent away where none was. */
#define ALC_ENTRY_THREAD 1
/* Images for compiled code: makes the program stop that the host set the stop flag for. */
#define ALC_ENTRY_STOP 2
#define ALC_ENTRY_HOST_CALL_RETURN 0xFFFFFFFFFFFFFFFF

/* The ecall is over, rsi is what the image's main function returned. */
#define ALC_EXIT_DONE 0
/* Serve the ring, then enter with ALC_ENTRY_HOST_CALL_RETURN. */
#define ALC_EXIT_SERVE 1
/* Level 1 is done: ERESUME. */
#define ALC_EXIT_RESUME 2
/* The enclave will not run again (poisoned), or this entry broke the agreement; rsi = a hint. */
#define ALC_EXIT_REFUSED 3
/* Do to pages what the ALC_PAGES_REQUEST in rsi says, then enter with ALC_ENTRY_HOST_CALL_RETURN.
 * No answer is given: the enclave sees what was done when it accepts the pages. */
#define ALC_EXIT_PAGES 4

/* Restrict to reading (EMODPR), map for reading and execution. */
#define ALC_PAGES_CODE 1
/* Change the type to trimmed (EMODT). */
#define ALC_PAGES_TRIM 2
/* Remove what was accepted as trimmed (EREMOVE), map for reading and writing (EAUG). */
#define ALC_PAGES_REMOVE 3
/* In one word: `count` pages from page `first` of the enclave on. */
#define ALC_PAGES_REQUEST(action, first, count) ((first) << 32 | (count) << 3 | (action))
#define ALC_PAGES_REQUEST_FIRST(word) ((word) >> 32)
#define ALC_PAGES_REQUEST_COUNT(word) (((word) >> 3) & 0x1FFFFFFF)
#define ALC_PAGES_REQUEST_ACTION(word) ((word) & 7)

/* The head of a thread's TLS page (struct alc_thread_head in layout.h), addressed through FS. GS
 * stays free for native guest code. */
#define ALC_THREAD_SELF_OFFSET 0x00
#define ALC_THREAD_STACK_TOP_OFFSET 0x08
#define ALC_THREAD_EXCEPTION_STACK_TOP_OFFSET 0x10
#define ALC_THREAD_SSA_OFFSET 0x18
#define ALC_THREAD_STACK_BOTTOM_OFFSET 0x20
#define ALC_THREAD_STACK_GUARD 0x28 /* where compilers look for it: %fs:0x28 */
#define ALC_THREAD_INDEX 0x30
#define ALC_THREAD_TCS_OFFSET 0x38
#define ALC_THREAD_HEAD_SIZE 0x40

#endif
