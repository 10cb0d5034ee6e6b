/* SPDX-License-Identifier: Apache-2.0
 *
 * Running modules as native code in the driver: with a compiler (diff_native.c) or without
 * (diff_no_native.c).
 */
#ifndef ALC_DIFF_NATIVE_H
#define ALC_DIFF_NATIVE_H

#include "exec/engine.h"

/* Completes the options of a store, whose pages are of alc_os_linux; false when this build or
 * system has no native code. */
bool diff_native_choose(struct alc_store_options *options);

/* As alc_module_load: compiles and loads what comes out. */
ALC_MUST_CHECK alc_status diff_native_load(struct alc_store *store, struct alc_arena *arena,
                                           const uint8_t *bytes, size_t size,
                                           const struct alc_load_options *options, bool metered,
                                           bool interruptible, struct alc_module **out,
                                           struct alc_error *error);

#endif
