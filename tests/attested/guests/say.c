/* SPDX-License-Identifier: Apache-2.0
 *
 * A client that knows nothing of attestation: says on its socket what it reads, and prints the
 * answer.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTION = 3 };

static char bytes[1 << 20];

static int send_all(long size)
{
    for (long done = 0; done < size;) {
        long count = write(CONNECTION, bytes + done, (size_t)(size - done));
        if (count <= 0) {
            return -1;
        }
        done += count;
    }
    return shutdown(CONNECTION, SHUT_WR);
}

int main(void)
{
    long size = 0;
    long count;
    while (size < (long)sizeof bytes &&
           (count = read(STDIN_FILENO, bytes + size, sizeof bytes - (size_t)size)) > 0) {
        size += count;
    }
    if (send_all(size) != 0) {
        perror("say");
        return 1;
    }
    while ((count = read(CONNECTION, bytes, sizeof bytes)) > 0) {
        fwrite(bytes, 1, (size_t)count, stdout);
    }
    if (count < 0) {
        perror("hear");
        return 1;
    }
    return 0;
}
