/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of test scripts, from JSON to the stream. Hosted only.
 */
#ifndef ALC_TESTS_SPEC_VALUES_H
#define ALC_TESTS_SPEC_VALUES_H

#include <stdbool.h>

#include <jansson.h>

#include "spec/spec_buffer.h"

/* False when the value is of a kind that the stream does not know. */
bool spec_values_add_argument(struct spec_buffer *out, const json_t *value);
bool spec_values_add_expected(struct spec_buffer *out, const json_t *value);

#endif
