/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a whole stream of tests over an alc_os: tests come in through the handle ALC_OS_MODULE,
 * reports go out through ALC_OS_OUTCOME, each as soon as its test is done. Freestanding; the same
 * outside and inside.
 */
#ifndef ALC_TESTS_SPEC_DRIVE_H
#define ALC_TESTS_SPEC_DRIVE_H

#include "os/os.h"

struct alc_spec_engine;

struct alc_spec_sizes {
    size_t stream_max; /* of one test's commands */
    size_t modules_max;
    size_t types_max;
    uint64_t memory_reserve_max; /* address space of one linear memory */
    const struct alc_spec_engine *engine;
};

/* ALC_OK at the end of the stream. A test that cannot be read ends the run with its status. */
ALC_MUST_CHECK alc_status alc_spec_drive(struct alc_os *os, const struct alc_spec_sizes *sizes);

#endif
