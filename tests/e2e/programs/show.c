/* SPDX-License-Identifier: Apache-2.0
 *
 * Shows its arguments (but not its own name) and the variables NAME and EMPTY, and ends with the
 * number of arguments as exit status.
 */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        printf("argument %d: [%s]\n", i, argv[i]);
    }
    const char *const names[] = {"NAME", "EMPTY", "ABSENT"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        printf("%s: %s%s%s\n", names[i], value == NULL ? "" : "[", value == NULL ? "none" : value,
               value == NULL ? "" : "]");
    }
    return argc - 1;
}
