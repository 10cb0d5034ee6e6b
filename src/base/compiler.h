/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiler attributes, assertions and the two macros that may change control flow. Everything here
 * works freestanding with gcc >= 12 and clang >= 19.
 */
#ifndef ALC_BASE_COMPILER_H
#define ALC_BASE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALC_MUST_CHECK __attribute__((warn_unused_result))
#define ALC_NORETURN __attribute__((noreturn))
#define ALC_NOINLINE __attribute__((noinline))
#define ALC_ALWAYS_INLINE inline __attribute__((always_inline))
#define ALC_COLD __attribute__((cold, noinline))
/* For a large variable of which every part is written before it is used: spares the zeroing. */
#define ALC_UNINITIALIZED __attribute__((uninitialized))
#define ALC_ALIGNED(bytes) __attribute__((aligned(bytes)))
#define ALC_PRINTF(format_index, first_index)                                                      \
    __attribute__((format(printf, format_index, first_index)))
/* Hosted rooms only: runs function(&variable) when the variable leaves its scope. */
#define ALC_CLEANUP(function) __attribute__((cleanup(function)))

#define ALC_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define ALC_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define ALC_ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Ends the program because alcove itself is wrong: prints the place and aborts. */
ALC_NORETURN void alc_abort(const char *file, int line, const char *condition);
/* The same in an enclave, which tells nobody what failed and so does not carry the words: poisons
 * it and leaves for ever. */
ALC_NORETURN void alc_abort_enclave(int line);

/* ALC_WORDS: words for people that an enclave's image leaves out. They go with a status and an
 * offset, and outside the same code finds them again. */
#ifdef ALC_ENCLAVE
#define ALC_ABORT(condition) alc_abort_enclave(__LINE__)
#define ALC_WORDS(text) ""
#else
#define ALC_ABORT(condition) alc_abort(__FILE__, __LINE__, condition)
#define ALC_WORDS(text) text
#endif

/* Our own invariants, always checked. Never for input: bad input is an alc_status. */
#define ALC_ASSERT(condition)                                                                      \
    do {                                                                                           \
        if (ALC_UNLIKELY(!(condition))) {                                                          \
            ALC_ABORT(#condition);                                                                 \
        }                                                                                          \
    } while (0)

/* Costly invariants, checked in debug and fuzzing builds (-DALC_DEBUG=1). */
#ifndef ALC_DEBUG
#define ALC_DEBUG 0
#endif
#define ALC_DEBUG_ASSERT(condition)                                                                \
    do {                                                                                           \
        if (ALC_DEBUG) {                                                                           \
            ALC_ASSERT(condition);                                                                 \
        }                                                                                          \
    } while (0)

/* Returns from the caller with the status of `call` unless it is ALC_OK. */
#define ALC_TRY(call)                                                                              \
    do {                                                                                           \
        alc_status try_status_ = (call);                                                           \
        if (ALC_UNLIKELY(try_status_ != ALC_OK)) {                                                 \
            return try_status_;                                                                    \
        }                                                                                          \
    } while (0)

#endif
