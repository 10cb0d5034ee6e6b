/* SPDX-License-Identifier: Apache-2.0
 *
 * A server that knows nothing of attestation: says back what it hears on its socket.
 *
 *     echo CONNECTIONS
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LISTENER = 3 };

static int serve(int fd)
{
    static char bytes[4096];
    long count;
    while ((count = read(fd, bytes, sizeof bytes)) > 0) {
        for (long done = 0; done < count;) {
            long written = write(fd, bytes + done, (size_t)(count - done));
            if (written <= 0) {
                return -1;
            }
            done += written;
        }
    }
    return (int)count;
}

int main(int argc, char **argv)
{
    int connections = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1;
    for (int i = 0; i < connections; i++) {
        int fd = accept(LISTENER, NULL, NULL);
        if (fd < 0) {
            perror("accept");
            return 1;
        }
        puts(serve(fd) == 0 ? "served" : "not served");
        close(fd);
    }
    return 0;
}
