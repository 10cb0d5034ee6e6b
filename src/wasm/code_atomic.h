/* SPDX-License-Identifier: Apache-2.0
 *
 * First immediate of the operation ATOMIC: what is done, and the size of the access as a power of
 * two. The others are the memory's index and both halves of the offset.
 */
#ifndef ALC_WASM_CODE_ATOMIC_H
#define ALC_WASM_CODE_ATOMIC_H

enum alc_atomic_kind {
    ALC_ATOMIC_LOAD,
    ALC_ATOMIC_STORE,
    ALC_ATOMIC_ADD,
    ALC_ATOMIC_SUB,
    ALC_ATOMIC_AND,
    ALC_ATOMIC_OR,
    ALC_ATOMIC_XOR,
    ALC_ATOMIC_XCHG,
    ALC_ATOMIC_CMPXCHG,
    ALC_ATOMIC_NOTIFY,
    ALC_ATOMIC_WAIT,
};

enum { ALC_ATOMIC_KIND_MASK = 15, ALC_ATOMIC_SIZE_SHIFT = 4 };

#endif
