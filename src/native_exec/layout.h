/* SPDX-License-Identifier: Apache-2.0
 *
 * Places that entry.S and C agree on: the private words of a context (bytes below GS, which only
 * trusted code touches), the record of a thread, the frames that trusted code leaves on stacks.
 * Macros only; native_internal.h asserts that its structures have them.
 */
#ifndef ALC_NATIVE_EXEC_LAYOUT_H
#define ALC_NATIVE_EXEC_LAYOUT_H

/* -- private words: the 8 bytes at GS - this -- */
#define NATIVE_SELF 8        /* GS itself */
#define NATIVE_THREAD 16     /* struct alc_native_thread */
#define NATIVE_INSTANCE 24   /* struct alc_native_instance */
#define NATIVE_CALLEES 32    /* struct alc_native_callees of each stub */
#define NATIVE_OWN_START 40  /* the module's own functions: struct alc_function in a row, … */
#define NATIVE_OWN_SIZE 48   /* … and their bytes */
#define NATIVE_ZERO 56       /* 0, for cmov */
#define NATIVE_STUB_ENTRY 64 /* alc_native_stub_entry, which stubs jump to */

/* -- struct alc_function and struct alc_table -- */
#define NATIVE_FUNCTION_CODE 0
#define NATIVE_FUNCTION_TYPE_ID 16
#define NATIVE_FUNCTION_BASE 48
#define NATIVE_FUNCTION_SIZE 64
#define NATIVE_TABLE_ENTRIES 0
#define NATIVE_TABLE_COUNT 8

/* -- struct alc_native_callees: what a stub for indirect calls needs; 1 << 4 bytes -- */
#define NATIVE_CALLEES_TABLE 0
#define NATIVE_CALLEES_TYPE_ID 8
#define NATIVE_CALLEES_SIZE_LOG2 4

/* In r11d at the stub entry beside the stub's number: r10 is the address of a struct alc_function
 * that the stub found itself. */
#define NATIVE_STUB_FOUND 31

/* -- struct alc_native_thread -- */
#define NATIVE_THREAD_INTEGERS 0
#define NATIVE_THREAD_VECTORS 48
#define NATIVE_THREAD_RESULT 176
#define NATIVE_THREAD_RESULT_VECTOR 184
#define NATIVE_THREAD_NATIVE_RSP 200
#define NATIVE_THREAD_TRUSTED_RSP 208
#define NATIVE_THREAD_CROSSING 216
#define NATIVE_THREAD_BASE 224
#define NATIVE_THREAD_CALL_CODE 232
#define NATIVE_THREAD_CALL_BASE 240
#define NATIVE_THREAD_CALLEE 248
#define NATIVE_THREAD_START 256
#define NATIVE_THREAD_STATUS 264
#define NATIVE_THREAD_IS_WIDE 268
#define NATIVE_THREAD_ROOTS 272

/* -- struct alc_native_crossing: on the native stack while another instance's function runs; 8
 * bytes below it the return address of the call -- */
#define NATIVE_CROSSING_CALLEE 0
#define NATIVE_CROSSING_OUTER 8
#define NATIVE_CROSSING_BASE 16
#define NATIVE_CROSSING_ROOTS 24
#define NATIVE_CROSSING_SIZE 88 /* one word is there for the alignment, six are registers */

/* -- what alc_native_stub and alc_native_returned want -- */
#define NATIVE_RETURN 0
#define NATIVE_CALL 1
#define NATIVE_TAIL_CALL 2
#define NATIVE_UNWIND 3 /* to the innermost crossing, as if its function had returned */
#define NATIVE_LEAVE 4

#endif
