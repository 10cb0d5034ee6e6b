/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a stream of tests in a process of its own, so that a crash or a hang costs one test and not
 * the run. Hosted only.
 */
#ifndef ALC_TESTS_SPEC_CHILD_H
#define ALC_TESTS_SPEC_CHILD_H

#include <stdbool.h>

#include "os/os.h"
#include "spec/spec_buffer.h"

enum { SPEC_WHY_MAX = 256 };

/* Takes `os`, whose ALC_OS_MODULE and ALC_OS_OUTCOME are set up, through the stream. */
typedef alc_status spec_place(struct alc_os *os, const void *context, struct alc_error *error);

struct spec_batch {
    const uint8_t *stream;
    size_t stream_size;
    unsigned timeout_s;
    spec_place *place;
    const void *context; /* for place */
};

/* Here, in this program: no enclave. `context` is not used. */
spec_place spec_place_outside;
/* The same with every module compiled (spec_native.h). ALC_E_NOT_SUPPORTED. */
spec_place spec_place_native;
/* In an emulated enclave with the image and signature of struct spec_image. */
spec_place spec_place_emulated;
struct spec_image {
    const char *image_path;
    const char *signature_path;
    /* A hostile host: poisoned registers and flags at every entry, and an asynchronous exit after
     * every single instruction. Thousands of times slower. */
    bool is_stepped;
};

/* Appends to `report` what the tests reported before the child ended, and says in `why` how it
 * ended; "" when it went through the whole stream. */
void spec_child_run(const struct spec_batch *batch, struct spec_buffer *report,
                    char why[SPEC_WHY_MAX]);

#endif
