/* SPDX-License-Identifier: Apache-2.0
 *
 * A program with one large file in /data, for bench/seal.py: writes it in order with calls of
 * 64 KiB and syncs, reads it in order, reads 4 KiB at random from its first 3 MiB. Prints, after
 * each, the seconds of processor time that its host process as a whole took for it.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wasi/api.h>

enum { CHUNK = 1 << 16, CHUNKS = 8192, RANDOM_READS = 20000, WARM_BLOCKS = 768 };
static char bytes[CHUNK];

static void say(double seconds)
{
    printf("%.4f\n", seconds);
    fflush(stdout);
}

static double now(void)
{
    __wasi_timestamp_t time = 0;
    bool is_good = __wasi_clock_time_get(__WASI_CLOCKID_PROCESS_CPUTIME_ID, 1, &time) == 0;
    return is_good ? (double)time * 1e-9 : 0;
}

int main(void)
{
    double start = now();
    int fd = open("/data/large", O_CREAT | O_RDWR, 0600);
    for (int i = 0; i < CHUNKS; i++) {
        memset(bytes, i, 64);
        if (write(fd, bytes, CHUNK) != CHUNK) {
            return 1;
        }
    }
    if (fsync(fd) != 0 || lseek(fd, 0, SEEK_SET) != 0) {
        return 1;
    }
    say(now() - start);
    start = now();
    for (int i = 0; i < CHUNKS; i++) {
        if (read(fd, bytes, CHUNK) != CHUNK) {
            return 1;
        }
    }
    say(now() - start);
    start = now();
    unsigned random = 1;
    for (int i = 0; i < RANDOM_READS; i++) {
        random = random * 1664525 + 1013904223;
        if (pread(fd, bytes, 4096, (off_t)(random >> 8) % WARM_BLOCKS * 4096) != 4096) {
            return 1;
        }
    }
    say(now() - start);
    return 0;
}
