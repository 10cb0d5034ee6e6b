/* SPDX-License-Identifier: Apache-2.0
 *
 * The main program of every workload in C: runs the kernel once and prints one line,
 * "bench <nanoseconds> <checksum>". An argument replaces the number of rounds: with 0 the program
 * does all but its work. It is compiled apart from the kernel, so that no compiler sees the number
 * of rounds as a constant.
 */
#include "harness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

int main(int count, char **arguments)
{
    volatile uint32_t rounds = BENCH_ROUNDS;
    if (count > 1) {
        rounds = (uint32_t)strtoul(arguments[1], NULL, 10);
    }
    uint64_t start = now();
    uint64_t sum = BENCH_KERNEL(rounds);
    uint64_t end = now();
    printf("bench %" PRIu64 " %016" PRIx64 "\n", end - start, sum);
    return 0;
}
