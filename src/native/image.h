/* SPDX-License-Identifier: Apache-2.0
 *
 * A native image in memory: what the compiler makes, `image_format.c` writes to and reads from a
 * file (.alc), the verifier checks and the loader maps. Everything is borrowed from the file's
 * bytes or the arena it was read into.
 */
#ifndef ALC_NATIVE_IMAGE_H
#define ALC_NATIVE_IMAGE_H

#include "base/sha256.h"
#include "native/abi.h"

enum alc_native_shape { ALC_NATIVE_CONFINED, ALC_NATIVE_CHECKED, ALC_NATIVE_SHAPES };

/* What of the processor code uses beyond x86-64-v2. */
enum alc_native_feature {
    ALC_NATIVE_V3 = 1, /* x86-64-v3: AVX2, BMI1, BMI2, LZCNT, MOVBE, FMA */
};

/* Bits of `options`. */
enum {
    ALC_NATIVE_METERED = 1,       /* counts fuel */
    ALC_NATIVE_INTERRUPTIBLE = 2, /* looks at the stop word */
    ALC_NATIVE_CATCHES = 4,       /* checked shape: looks at the exception word after calls */
    ALC_NATIVE_OPTIONS = 7,       /* all of them */
};

/* One step of the line table: code from `code_offset` on stems from the instruction at
 * `wasm_offset` of the module's file. Ascending by code_offset. */
struct alc_native_line {
    uint32_t code_offset;
    uint32_t wasm_offset;
};

struct alc_native_image {
    uint32_t shape;    /* enum alc_native_shape */
    uint32_t features; /* enum alc_native_feature */
    uint32_t options;
    const uint8_t *module; /* the whole WebAssembly module, unchanged */
    uint64_t module_size;
    const uint8_t *code;
    uint32_t code_size;
    /* Read-only data of the code, mapped `constants_distance` bytes (the code's size, rounded up to
     * a multiple of 4096) behind the start of the code. */
    const uint8_t *constants;
    uint32_t constants_size;
    uint32_t constants_distance;
    /* Function i of those that the module defines is [functions[i], functions[i + 1]) of the code,
     * padding included; functions_count + 1 entries, ascending, the last is code_size. Each entry
     * is a multiple of 16. Behind the module's functions may be some of the compiler's own, which
     * are called by those, call nothing and never trap. */
    const uint32_t *functions;
    uint32_t functions_count;
    const struct alc_native_stub *stubs;
    uint32_t stubs_count;
    const struct alc_native_line *lines;
    uint32_t lines_count;
    /* What the owner says and signs of this image: {sha256(module), native_sha256, imports,
     * limits}; opaque here. Size 0: nobody vouches. */
    const uint8_t *voucher;
    uint32_t voucher_size;
    /* Of the module, and of all else but the voucher. Only meaningful when it was read from a file,
     * which was checked against them. */
    uint8_t module_sha256[ALC_SHA256_SIZE];
    uint8_t native_sha256[ALC_SHA256_SIZE];
};

#endif
