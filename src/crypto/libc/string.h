/* SPDX-License-Identifier: Apache-2.0
 *
 * What mbedTLS may use of <string.h>: the functions that compilers call anyway. Stands before the
 * machine's own headers, so that an enclave's bytes do not depend on its C library.
 */
#ifndef ALC_CRYPTO_LIBC_STRING_H
#define ALC_CRYPTO_LIBC_STRING_H

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t size);
void *memmove(void *dst, const void *src, size_t size);
void *memset(void *dst, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* For names and hexadecimal numbers, which this configuration does not use. */
static inline size_t strlen(const char *text)
{
    size_t size = 0;
    while (text[size] != '\0') {
        size++;
    }
    return size;
}

static inline int strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static inline char *strchr(const char *text, int wanted)
{
    while (*text != (char)wanted && *text != '\0') {
        text++;
    }
    return *text == (char)wanted ? (char *)text : (char *)0;
}

#endif
