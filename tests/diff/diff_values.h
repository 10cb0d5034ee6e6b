/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of the differential tests: made from a seed, read and written as text that says the same
 * for every engine. oracle.py writes the same text.
 *
 *   i32:<8 hex digits> i64:<16> f32:<8> f64:<16> v128:<32, lane 0 last>
 *   null  function  exception  i31:<8>  host:<number>  internal (to the host)  external (to us)
 *   {<fields>}  [<length>,<first elements>]    (packed ones as i32)  object (nested deeper)
 */
#ifndef ALC_TESTS_DIFF_VALUES_H
#define ALC_TESTS_DIFF_VALUES_H

#include <stdio.h>

#include "exec/store.h"

/* A stream of numbers that follows from its seed alone. */
struct diff_random {
    uint64_t state;
};

uint64_t diff_random_next(struct diff_random *random);

/* Fills the slots of one argument; false when there is no value of this type to give. */
bool diff_value_make(struct diff_random *random, uint32_t type, uint64_t *slots);

/* One value with a blank before it. */
void diff_value_print(FILE *out, const struct alc_type_registry *types, uint32_t type,
                      const uint64_t *slots);

#endif
