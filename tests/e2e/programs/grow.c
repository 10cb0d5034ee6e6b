/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes memory, as many MiB as its argument says, one at a time, writes to every page of it and
 * reads it all back. Prints how many it got and a checksum.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MIB = 1 << 20, PAGE = 4096 };

int main(int argc, char **argv)
{
    size_t wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    uint32_t **blocks = calloc(wanted, sizeof *blocks);
    size_t got = 0;
    while (blocks != NULL && got < wanted) {
        blocks[got] = malloc(MIB);
        if (blocks[got] == NULL) {
            break;
        }
        for (size_t i = 0; i < MIB / sizeof(uint32_t); i += PAGE / sizeof(uint32_t)) {
            blocks[got][i] = (uint32_t)(got * 2654435761u + i);
        }
        got++;
    }
    uint64_t sum = 0;
    for (size_t block = 0; block < got; block++) {
        for (size_t i = 0; i < MIB / sizeof(uint32_t); i += PAGE / sizeof(uint32_t)) {
            sum = sum * 31 + blocks[block][i];
        }
    }
    printf("%zu MiB, checksum %016llx\n", got, (unsigned long long)sum);
    return got == wanted ? 0 : 3;
}
