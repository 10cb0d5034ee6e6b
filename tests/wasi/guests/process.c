/* SPDX-License-Identifier: Apache-2.0
 *
 * Arguments, environment and the exit code; memory that grows.
 */
#include "check.h"

int main(void)
{
    __wasi_size_t count = 0;
    __wasi_size_t size = 0;
    OK(__wasi_args_sizes_get(&count, &size));
    CHECK(count == 4);
    uint8_t *pointers[8];
    uint8_t text[256];
    CHECK(size <= sizeof text);
    OK(__wasi_args_get(pointers, text));
    CHECK(strcmp((char *)pointers[1], "first") == 0);
    CHECK(strcmp((char *)pointers[2], "") == 0);
    CHECK(strcmp((char *)pointers[3], "d\xc3\xa9j\xc3\xa0 vu") == 0);
    CHECK(pointers[3] + strlen((char *)pointers[3]) + 1 == text + size);
    OK(__wasi_environ_sizes_get(&count, &size));
    CHECK(count == 2 && size <= sizeof text);
    OK(__wasi_environ_get(pointers, text));
    CHECK(strcmp(getenv("ONE"), "1") == 0 && strcmp(getenv("EMPTY"), "") == 0);
    char *big = malloc(32u << 20);
    CHECK(big != NULL);
    memset(big, 7, 32u << 20);
    CHECK(big[12345678] == 7);
    puts("to stdout");
    fputs("to stderr\n", stderr);
    fflush(stdout);
    __wasi_proc_exit(43);
}
