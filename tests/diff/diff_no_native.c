/* SPDX-License-Identifier: Apache-2.0
 *
 * Without LLVM there is no compiler, and nothing to compare.
 */
#include "diff/diff_native.h"

bool diff_native_choose(struct alc_store_options *options)
{
    (void)options;
    return false;
}

alc_status diff_native_load(struct alc_store *store, struct alc_arena *arena, const uint8_t *bytes,
                            size_t size, const struct alc_load_options *options, bool metered,
                            bool interruptible, struct alc_module **out, struct alc_error *error)
{
    (void)store;
    (void)arena;
    (void)bytes;
    (void)size;
    (void)options;
    (void)metered;
    (void)interruptible;
    (void)out;
    return alc_fail(error, ALC_E_NOT_SUPPORTED, ALC_NO_OFFSET);
}
