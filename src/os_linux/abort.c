/* SPDX-License-Identifier: Apache-2.0
 *
 * alc_abort of hosted programs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"

void alc_abort(const char *file, int line, const char *condition)
{
    fprintf(stderr, "alcove: %s:%d: assertion failed: %s\n", file, line, condition);
    abort();
}
