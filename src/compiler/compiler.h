/* SPDX-License-Identifier: Apache-2.0
 *
 * The compiler: a loaded module becomes a native image (native/image.h) by way of LLVM. Runs
 * outside the trust: what it makes is checked by the verifier, or vouched for, before it may run.
 *
 * Conventions
 *   - Output: the same module and options give the same bytes, whatever the number of threads.
 *   - Memory: the result is on the heap and owns everything that its image points to but the
 * module's bytes, which are borrowed.
 *   - Threads: alc_compile may be called by several threads at a time, for different results.
 */
#ifndef ALC_COMPILER_COMPILER_H
#define ALC_COMPILER_COMPILER_H

#include "native/image.h"
#include "wasm/module.h"

/* Which shape the image gets. */
enum alc_compile_shape {
    ALC_COMPILE_AUTO, /* confined when the module qualifies, else checked */
    ALC_COMPILE_CONFINED,
    ALC_COMPILE_CHECKED,
};

/* Texts that can be kept beside the image, for people. */
enum {
    ALC_COMPILE_KEEP_IR = 1,       /* what LLVM is given */
    ALC_COMPILE_KEEP_ASSEMBLY = 2, /* what it makes of it */
};

enum { ALC_COMPILE_LEVEL_MAX = 3, ALC_COMPILE_LEVEL_DEFAULT = 2 };

/* Called after each finished piece of the module, by one thread at a time. */
typedef void alc_compile_progress(void *context, uint32_t functions_done, uint32_t functions_count);

struct alc_compile_options {
    enum alc_compile_shape shape;
    unsigned level;    /* 0 compiles fastest, ALC_COMPILE_LEVEL_MAX makes the fastest code */
    uint32_t features; /* enum alc_native_feature: what the processor that runs it has */
    uint32_t options;  /* ALC_NATIVE_METERED, ALC_NATIVE_INTERRUPTIBLE */
    unsigned threads;  /* 0: one for each processor */
    unsigned keep;     /* ALC_COMPILE_KEEP_… */
    alc_compile_progress *progress; /* NULL: nobody wants to know */
    void *progress_context;
};

struct alc_compiled {
    struct alc_native_image image;
    char *ir;       /* NUL-terminated, one text for each piece of the module; NULL: not kept */
    char *assembly; /* the same */
};

/* Why `module` cannot have the confined shape; NULL when it can. */
const char *alc_compile_unconfined(const struct alc_module *module);

/* Compiles every function that `module` defines. `module` MUST have been loaded; it needs no code
 * target. Statuses: ALC_E_NATIVE_REFUSED when the shape asked for does not fit the module,
 * ALC_E_FEATURE_DISABLED for an instruction that cannot be compiled, ALC_E_OUT_OF_MEMORY,
 * ALC_E_INTERNAL when LLVM fails or the verifier refuses what was made (the detail says where). On
 * failure *out is empty. */
ALC_MUST_CHECK alc_status alc_compile(const struct alc_module *module,
                                      const struct alc_compile_options *options,
                                      struct alc_compiled *out, struct alc_error *error);
void alc_compiled_free(struct alc_compiled *compiled);

#endif
