/* SPDX-License-Identifier: Apache-2.0
 *
 * How a reference looks in a slot: one uint64_t.
 *   0             null, of every type
 *   low bits 00   address of a struct alc_function (func hierarchy), of an object (any, exn)
 *   low bit  1    i31: bits 1..31
 *   low bits 10   a reference of the host: bits 2..63 are the host's number
 */
#ifndef ALC_EXEC_REFERENCE_H
#define ALC_EXEC_REFERENCE_H

#include "base/compiler.h"

struct alc_function;

#define ALC_REF_NULL UINT64_C(0)

/* `number` < 2^62. */
static inline uint64_t alc_reference_from_host(uint64_t number)
{
    return number << 2 | 2;
}

static inline uint64_t alc_reference_from_function(const struct alc_function *function)
{
    return (uint64_t)(uintptr_t)function;
}

/* NULL for the null reference. `reference` MUST be of the func hierarchy. */
static inline struct alc_function *alc_reference_to_function(uint64_t reference)
{
    return (struct alc_function *)(uintptr_t)reference;
}

static inline uint64_t alc_reference_from_i31(uint32_t value)
{
    return (uint64_t)(value & 0x7fffffff) << 1 | 1;
}

#endif
