/* SPDX-License-Identifier: Apache-2.0
 *
 * The only door to memcpy, memmove, memset and memcmp, and the little-endian loads and stores.
 * Ranges MUST be valid; the caller has checked them.
 */
#ifndef ALC_BASE_BYTES_H
#define ALC_BASE_BYTES_H

#include "base/compiler.h"

static inline void alc_copy(void *dst, const void *src, size_t size)
{
    __builtin_memcpy(dst, src, size);
}

static inline void alc_move(void *dst, const void *src, size_t size)
{
    __builtin_memmove(dst, src, size);
}

static inline void alc_fill(void *dst, uint8_t value, size_t size)
{
    __builtin_memset(dst, value, size);
}

static inline bool alc_equal(const void *a, const void *b, size_t size)
{
    return __builtin_memcmp(a, b, size) == 0;
}

/* Zeroes memory that held a secret; the compiler may not remove it. */
static inline void alc_wipe(void *dst, size_t size)
{
    __builtin_memset(dst, 0, size);
    __asm__ volatile("" : : "r"(dst) : "memory");
}

static inline size_t alc_string_length(const char *text)
{
    size_t length = 0; /* not strlen: four memory functions are all that a compiler may assume */
    while (text[length] != '\0') {
        length++;
    }
    return length;
}

#define ALC_DEFINE_LOAD_STORE(bits)                                                                \
    static inline uint##bits##_t alc_load_u##bits(const void *src)                                 \
    {                                                                                              \
        uint##bits##_t value;                                                                      \
        __builtin_memcpy(&value, src, sizeof value);                                               \
        return value;                                                                              \
    }                                                                                              \
    static inline void alc_store_u##bits(void *dst, uint##bits##_t value)                          \
    {                                                                                              \
        __builtin_memcpy(dst, &value, sizeof value);                                               \
    }
ALC_DEFINE_LOAD_STORE(16)
ALC_DEFINE_LOAD_STORE(32)
ALC_DEFINE_LOAD_STORE(64)
#undef ALC_DEFINE_LOAD_STORE

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "WebAssembly memory is little-endian");

#endif
