/* SPDX-License-Identifier: Apache-2.0
 *
 * Translates a test script from JSON (the output of `wasm-tools json-from-wast`; wabt's older
 * dialect is read as well) into the binary stream of spec_stream.h. Hosted only.
 */
#ifndef ALC_TESTS_SPEC_SCRIPT_H
#define ALC_TESTS_SPEC_SCRIPT_H

#include <stdbool.h>

#include "spec/spec_buffer.h"

struct spec_script_options {
    const char *name; /* of the test: "core/address" */
    uint64_t features;
    uint32_t flags;   /* enum alc_spec_flags */
    bool is_compiled; /* modules as native images */
};

/* Appends one test, made from the script at `json_path` and the modules beside it. False: the
 * script cannot be read or has something unknown in it; the reason is in `problem` and nothing was
 * appended. */
bool spec_script_translate(const struct spec_script_options *options, const char *json_path,
                           struct spec_buffer *out, char *problem, size_t problem_size);

#endif
