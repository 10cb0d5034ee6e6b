/* SPDX-License-Identifier: Apache-2.0
 *
 * alc_abort for test programs that do not link os_linux.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"

void __attribute__((weak)) alc_abort(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    abort();
}
