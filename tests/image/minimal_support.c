/* SPDX-License-Identifier: Apache-2.0
 *
 * What the compiler and base/ expect of an image, for the smallest one: memory functions that call
 * nothing, and ends that fault. The real ones are in src/enclave.
 */
#include "base/compiler.h"

void *memcpy(void *dst, const void *src, size_t size);
void *memset(void *dst, int value, size_t size);
ALC_NORETURN void __stack_chk_fail(void);

void *memcpy(void *dst, const void *src, size_t size)
{
    void *start = dst;
    __asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(size) : : "memory");
    return start;
}

void *memset(void *dst, int value, size_t size)
{
    void *start = dst;
    __asm__ volatile("rep stosb" : "+D"(dst), "+c"(size) : "a"(value) : "memory");
    return start;
}

ALC_NORETURN void __stack_chk_fail(void)
{
    __builtin_trap();
}

void alc_abort_enclave(int line)
{
    (void)line;
    __builtin_trap();
}
