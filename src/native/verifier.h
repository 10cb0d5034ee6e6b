/* SPDX-License-Identifier: Apache-2.0
 *
 * Proves that confined code stays confined: the rules are docs/verifier.md. Knows nothing of files
 * or WebAssembly; takes nothing on trust but the numbers in struct alc_verifier_input, which the
 * loader supplies from its own layout.
 */
#ifndef ALC_NATIVE_VERIFIER_H
#define ALC_NATIVE_VERIFIER_H

#include "base/status.h"
#include "native/abi.h"

struct alc_verifier_input {
    const uint8_t *code;
    uint32_t code_size;
    const uint32_t *functions; /* functions_count + 1 entries, as in image.h; checked here */
    uint32_t functions_count;
    uint32_t stubs_count;        /* trusted stubs in front of the code */
    uint32_t constants_distance; /* readable data, from the start of the code */
    uint32_t constants_size;
    uint32_t context_size; /* bytes below GS that code may touch (but not the private ones) */
    uint32_t features;     /* enum alc_native_feature of image.h */
    bool has_memory;       /* false: no access at or above GS */
};

/* Why code was refused. */
struct alc_verifier_report {
    const char *reason; /* a constant */
    uint32_t function;  /* number among the defined ones */
    uint32_t offset;    /* of the instruction, in the code */
};

/* Bytes of scratch that the functions below need for an input: 6 for each byte of the largest
 * function, and one for 128 bytes of code. 0 when the input is refused in any case. */
uint64_t alc_verifier_scratch_size(const struct alc_verifier_input *input);

/* ALC_OK, or ALC_E_NATIVE_REFUSED with the report filled. `scratch` MUST be aligned to 4. Nothing
 * of it is read before it is written. Work is linear in the code's size. */
ALC_MUST_CHECK alc_status alc_verifier_check(const struct alc_verifier_input *input, void *scratch,
                                             uint64_t scratch_size,
                                             struct alc_verifier_report *report);

/* For backtraces: how many bytes of its frame lie below the return address when the instruction at
 * `offset` of the code, which belongs to `function`, is about to run, found by following the
 * function's code; UINT32_MAX when it cannot be said. Also for checked code, whose other operations
 * are not judged. The return address of a frame that has called is such an offset. Scratch as for
 * alc_verifier_check. */
uint32_t alc_verifier_height_at(const struct alc_verifier_input *input, uint32_t function,
                                uint32_t offset, void *scratch, uint64_t scratch_size);

#endif
