/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that knows nothing of evidence, and says so when it is run.
 */
#include <stdio.h>

int main(void)
{
    puts("run");
    return 0;
}
