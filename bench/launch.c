/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a command and writes what it took to a file: "<wall ns> <user us> <system us> <peak KiB>
 * <status>". A small program does this because a process's peak memory counts what its parent had
 * mapped when it was started, and an interpreter's start would count into the wall time.
 *
 *   launch REPORT COMMAND ARGUMENT...
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000000000 + time.tv_nsec;
}

static long long microseconds(struct timeval time)
{
    return (long long)time.tv_sec * 1000000 + time.tv_usec;
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fputs("usage: launch REPORT COMMAND ARGUMENT...\n", stderr);
        return 2;
    }
    long long start = now();
    pid_t child = vfork();
    if (child == 0) {
        execvp(arguments[2], arguments + 2);
        _exit(127);
    }
    int status = 0;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("launch");
        return 1;
    }
    long long end = now();
    FILE *report = fopen(arguments[1], "w");
    if (report == NULL) {
        perror(arguments[1]);
        return 1;
    }
    int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    fprintf(report, "%lld %lld %lld %ld %d\n", end - start, microseconds(usage.ru_utime),
            microseconds(usage.ru_stime), usage.ru_maxrss, code);
    return fclose(report) != 0;
}
