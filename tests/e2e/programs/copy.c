/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies standard input to standard output, in blocks, and says on standard error how much it was.
 */
#include <stdio.h>
#include <unistd.h>

static char block[1 << 16];

int main(void)
{
    unsigned long long total = 0;
    ssize_t got;
    while ((got = read(0, block, sizeof block)) > 0) {
        for (ssize_t done = 0; done < got;) {
            ssize_t put = write(1, block + done, (size_t)(got - done));
            if (put < 0) {
                perror("write");
                return 1;
            }
            done += put;
        }
        total += (unsigned long long)got;
    }
    fprintf(stderr, "%llu bytes\n", total);
    return got < 0;
}
