/* SPDX-License-Identifier: Apache-2.0
 *
 * Says "ready", then never ends by itself: `busy` computes, `sleep` sleeps, `read` waits for input.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "busy";
    volatile unsigned long rounds = 0;
    puts("ready");
    fflush(stdout);
    if (strcmp(how, "sleep") == 0) {
        sleep(1000);
    } else if (strcmp(how, "read") == 0) {
        char byte;
        (void)!read(0, &byte, 1);
    } else {
        for (;;) {
            rounds++;
        }
    }
    puts("done");
    return 0;
}
