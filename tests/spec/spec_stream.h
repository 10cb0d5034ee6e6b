/* SPDX-License-Identifier: Apache-2.0
 *
 * The binary form of the specification's test scripts. spec_script.c makes it from JSON, outside;
 * spec_core.c executes it, outside or inside an enclave; spec_report.c reads what came of it. All
 * numbers are little-endian and unaligned. Made and read by the same build: no version rules.
 *
 *   stream   := test*
 *   test     := u32 ALC_SPEC_TEST_MAGIC, u32 name size, u32 commands size,
 *               u32 flags (enum alc_spec_flags), u64 features (wasm/features.h), name, command*
 *   command  := u8 kind (enum alc_spec_command), u32 line, fields of the kind
 *     MODULE                 optional name, bytes         define, instantiate, make it current
 *     MODULE_DEFINITION      optional name, bytes         define only
 *     MODULE_INSTANCE        optional instance, optional definition
 *     REGISTER               optional name, string as     make an instance importable
 *     ACTION                 action
 *     ASSERT_RETURN          action, u32 count, expected*
 *     ASSERT_TRAP, ASSERT_EXHAUSTION, ASSERT_EXCEPTION    action, string text
 *     ASSERT_MALFORMED, ASSERT_INVALID, ASSERT_UNLINKABLE, ASSERT_UNINSTANTIABLE
 *                            bytes, string text
 *     THREAD                 name, optional shared module, u32 size, command*
 *                            starts a thread that does the commands, with nothing but that module
 *     WAIT                   name                         until the thread has done them
 *     SKIPPED                u8 kind that it was, string reason
 *   string, bytes, name  := u32 size, bytes
 *   optional x           := u8 0, or u8 1 and x
 *   action   := u8 0 (invoke), optional module, string field, u32 count, argument*
 *             | u8 1 (get), optional module, string field
 *   argument := u8 kind (enum alc_spec_value), u64 low, u64 high
 *     I32 I64 F32 F64: the bits in low; V128: both, lane 0 lowest; REF_HOST_EXTERN, REF_HOST_ANY:
 *     the number in low; REF_NULL: a letter of its type in low (enum alc_spec_null)
 *   expected := u8 kind, u64 low, u64 high, u8 lane bytes, u16 canonical, u16 arithmetic
 *             | u8 EITHER, u32 count, expected*           one of them, never nested
 *     `canonical` and `arithmetic` have a bit for each lane (bit 0 for a scalar) that may be any
 *     canonical or arithmetic NaN; `lane bytes` is 4 or 8 then, else 0.
 *
 *   report   := test report*
 *   test report := u32 ALC_SPEC_REPORT_MAGIC, u32 name size, u32 entries size, name, entry*
 *   entry    := u8 kind, u8 result (enum alc_spec_result), u16 text size, u32 line, text
 */
#ifndef ALC_TESTS_SPEC_STREAM_H
#define ALC_TESTS_SPEC_STREAM_H

#define ALC_SPEC_TEST_MAGIC 0x54535041u   /* "APST" */
#define ALC_SPEC_REPORT_MAGIC 0x52535041u /* "APSR" */

enum {
    ALC_SPEC_TEST_HEADER_SIZE = 24,
    ALC_SPEC_REPORT_HEADER_SIZE = 12,
    ALC_SPEC_NAME_SIZE_MAX = 256,
    ALC_SPEC_ENTRY_HEADER_SIZE = 8,
    ALC_SPEC_EITHER_MAX = 8,
    ALC_SPEC_VALUES_MAX = 1000,
};

enum alc_spec_flags {
    ALC_SPEC_METERED = 1 << 0,       /* code counts fuel (and has none to run out of) */
    ALC_SPEC_INTERRUPTIBLE = 1 << 1, /* code looks at the stop word */
    ALC_SPEC_COLLECTING = 1 << 2,    /* a collection before each new object */
};

enum alc_spec_command {
    ALC_SPEC_MODULE,
    ALC_SPEC_MODULE_DEFINITION,
    ALC_SPEC_MODULE_INSTANCE,
    ALC_SPEC_REGISTER,
    ALC_SPEC_ACTION,
    ALC_SPEC_ASSERT_RETURN,
    ALC_SPEC_ASSERT_TRAP,
    ALC_SPEC_ASSERT_EXHAUSTION,
    ALC_SPEC_ASSERT_EXCEPTION,
    ALC_SPEC_ASSERT_MALFORMED,
    ALC_SPEC_ASSERT_INVALID,
    ALC_SPEC_ASSERT_UNLINKABLE,
    ALC_SPEC_ASSERT_UNINSTANTIABLE,
    ALC_SPEC_THREAD,
    ALC_SPEC_WAIT,
    ALC_SPEC_SKIPPED,
    ALC_SPEC_COMMANDS_COUNT,
};

enum alc_spec_value {
    ALC_SPEC_I32,
    ALC_SPEC_I64,
    ALC_SPEC_F32,
    ALC_SPEC_F64,
    ALC_SPEC_V128,
    ALC_SPEC_REF_NULL,        /* low: enum alc_spec_null */
    ALC_SPEC_REF_HOST_EXTERN, /* low: the host's number */
    ALC_SPEC_REF_HOST_ANY,    /* the same, seen as anyref */
    ALC_SPEC_REF_KIND,        /* expected only: any reference but null; low: enum alc_spec_kind */
    ALC_SPEC_EITHER,          /* expected only */
};

/* What kind of null. In an expectation ANY_TYPE is met by every null. */
enum alc_spec_null {
    ALC_SPEC_NULL_ANY_TYPE,
    ALC_SPEC_NULL_FUNC,
    ALC_SPEC_NULL_EXTERN,
    ALC_SPEC_NULL_ANY, /* anyref and below */
    ALC_SPEC_NULL_EXN,
};

enum alc_spec_kind {
    ALC_SPEC_KIND_FUNC,
    ALC_SPEC_KIND_EXTERN,
    ALC_SPEC_KIND_ANY,
    ALC_SPEC_KIND_EQ,
    ALC_SPEC_KIND_I31,
    ALC_SPEC_KIND_STRUCT,
    ALC_SPEC_KIND_ARRAY,
    ALC_SPEC_KIND_EXN,
};

enum alc_spec_result {
    ALC_SPEC_PASSED,
    ALC_SPEC_FAILED,
    ALC_SPEC_SKIP,
    ALC_SPEC_TEXT_DIFFERS, /* refused as it should be, with other words than upstream's */
};

#endif
