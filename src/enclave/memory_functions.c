/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory functions that compilers call, for an image without a libc. Ranges are the caller's
 * duty, as everywhere (base/bytes.h). Small sizes by overlapping words and vectors, large ones by
 * the string instructions, which are the fastest there; entry.S guarantees DF = 0.
 */
#include "base/compiler.h"

typedef uint64_t word64 __attribute__((aligned(1), may_alias));
typedef uint32_t word32 __attribute__((aligned(1), may_alias));
typedef uint16_t word16 __attribute__((aligned(1), may_alias));
typedef uint8_t vector128 __attribute__((vector_size(16), aligned(1), may_alias));

enum { STRING_INSTRUCTION_MIN = 512 };

/* Compilers may not turn these bodies into calls of themselves. */
#if defined(__clang__)
#define ALC_NO_BUILTIN __attribute__((no_builtin))
#else
#define ALC_NO_BUILTIN __attribute__((optimize("no-tree-loop-distribute-patterns")))
#endif

void *memcpy(void *restrict dst, const void *restrict src, size_t size);
void *memmove(void *dst, const void *src, size_t size);
void *memset(void *dst, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);

/* At most 16 bytes: all loads before all stores, so that overlap does not matter. */
static ALC_ALWAYS_INLINE void copy_small(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size >= 8) {
        uint64_t head = *(const word64 *)from;
        uint64_t tail = *(const word64 *)(from + size - 8);
        *(word64 *)to = head;
        *(word64 *)(to + size - 8) = tail;
    } else if (size >= 4) {
        uint32_t head = *(const word32 *)from;
        uint32_t tail = *(const word32 *)(from + size - 4);
        *(word32 *)to = head;
        *(word32 *)(to + size - 4) = tail;
    } else if (size >= 2) {
        uint16_t head = *(const word16 *)from;
        uint16_t tail = *(const word16 *)(from + size - 2);
        *(word16 *)to = head;
        *(word16 *)(to + size - 2) = tail;
    } else if (size == 1) {
        *to = *from;
    }
}

/* Ascending, safe when `to` is below `from`. `size` > 16. */
static ALC_ALWAYS_INLINE void copy_up(uint8_t *to, const uint8_t *from, size_t size)
{
    const vector128 tail = *(const vector128 *)(from + size - 16);
    size_t done = 0;
    for (; size - done > 16; done += 16) {
        *(vector128 *)(to + done) = *(const vector128 *)(from + done);
    }
    *(vector128 *)(to + size - 16) = tail;
}

/* Ascending, byte for byte as far as anyone can tell. */
static ALC_ALWAYS_INLINE void copy_long(uint8_t *to, const uint8_t *from, size_t size)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

ALC_NO_BUILTIN void *memmove(void *dst, const void *src, size_t size)
{
    uint8_t *to = dst;
    const uint8_t *from = src;
    if (size <= 16) {
        copy_small(to, from, size);
        return dst;
    }
    if ((uintptr_t)to - (uintptr_t)from >= size) { /* does not overlap from above */
        if (size >= STRING_INSTRUCTION_MIN && (uintptr_t)from - (uintptr_t)to >= 64) {
            copy_long(to, from, size);
            return dst;
        }
        copy_up(to, from, size);
        return dst;
    }
    const vector128 head = *(const vector128 *)from;
    size_t left = size;
    for (; left > 16; left -= 16) {
        *(vector128 *)(to + left - 16) = *(const vector128 *)(from + left - 16);
    }
    *(vector128 *)to = head;
    return dst;
}

/* What is safe when ranges overlap is as good when they do not. */
void *memcpy(void *restrict dst, const void *restrict src, size_t size)
    __attribute__((alias("memmove")));

ALC_NO_BUILTIN void *memset(void *dst, int value, size_t size)
{
    uint8_t *to = dst;
    const uint8_t byte = (uint8_t)value;
    if (size < 16) {
        for (size_t i = 0; i < size; i++) {
            to[i] = byte;
            __asm__ volatile("" : : : "memory");
        }
    } else if (size < STRING_INSTRUCTION_MIN) {
        const vector128 filled = (vector128){0} + byte;
        for (size_t done = 0; size - done > 16; done += 16) {
            *(vector128 *)(to + done) = filled;
        }
        *(vector128 *)(to + size - 16) = filled;
    } else {
        __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
    }
    return dst;
}

ALC_NO_BUILTIN int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *first = a;
    const uint8_t *second = b;
    size_t done = 0;
    for (; size - done >= 8; done += 8) {
        if (*(const word64 *)(first + done) != *(const word64 *)(second + done)) {
            break;
        }
    }
    for (; done < size; done++) {
        if (first[done] != second[done]) {
            return first[done] < second[done] ? -1 : 1;
        }
    }
    return 0;
}

ALC_NO_BUILTIN size_t strlen(const char *text)
{
    size_t size = 0;
    while (text[size] != '\0') {
        size++;
    }
    return size;
}
