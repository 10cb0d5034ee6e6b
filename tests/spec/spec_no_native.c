/* SPDX-License-Identifier: Apache-2.0
 *
 * Without LLVM there is no compiler, and no engine that needs one.
 */
#include "spec/spec_native.h"

const struct alc_spec_engine *spec_native_engine(void)
{
    return NULL;
}

void spec_native_prepare(unsigned level, bool is_wide)
{
    (void)level;
    (void)is_wide;
}

void spec_native_print(void) {}

void spec_native_replace(struct spec_buffer *module, uint64_t features, uint32_t flags)
{
    (void)module;
    (void)features;
    (void)flags;
}
