/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that proves what it is, for tests/evidence/evidence.py:
 *
 *   ask evidence NONCE   writes an evidence item for these bytes (text) to standard output
 *   ask claims           writes its claims to standard output
 *   ask badly            tries what must be refused, and prints "refused" when all of it was
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ATTEST(name) __attribute__((import_module("alcove:attest"), import_name(name)))

enum { ERRNO_FAULT = 21, ERRNO_INVALID = 28, ERRNO_OVERFLOW = 61 };

ATTEST("evidence")
int attest_evidence(const void *nonce, uint32_t nonce_size, void *out, uint32_t out_capacity,
                    uint32_t *out_size);
ATTEST("claims") int attest_claims(void *out, uint32_t out_capacity, uint32_t *out_size);

static uint8_t item[1 << 17];
static uint32_t size;

static int write_item(int error)
{
    if (error != 0) {
        fprintf(stderr, "errno %d\n", error);
        return 1;
    }
    return fwrite(item, 1, size, stdout) == size ? 0 : 1;
}

static int ask_badly(void)
{
    void *nowhere = (void *)(uintptr_t)0xfffffff0;
    uint32_t whole;
    if (attest_evidence("n", 1, item, sizeof item, &whole) != 0) {
        return 1;
    }
    int refused = attest_evidence(nowhere, 64, item, sizeof item, &size) == ERRNO_FAULT &&
                  attest_evidence("n", 1, nowhere, sizeof item, &size) == ERRNO_FAULT &&
                  attest_evidence("n", 1, item, sizeof item, nowhere) == ERRNO_FAULT &&
                  attest_evidence(item, 65, item, sizeof item, &size) == ERRNO_INVALID &&
                  attest_evidence("n", 1, item, 10, &size) == ERRNO_OVERFLOW && size == whole &&
                  attest_claims(nowhere, 64, &size) == ERRNO_FAULT &&
                  attest_claims(item, 3, &size) == ERRNO_OVERFLOW && size > 3;
    puts(refused ? "refused" : "not refused");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "evidence") == 0) {
        return write_item(
            attest_evidence(argv[2], (uint32_t)strlen(argv[2]), item, sizeof item, &size));
    }
    if (argc == 2 && strcmp(argv[1], "claims") == 0) {
        return write_item(attest_claims(item, sizeof item, &size));
    }
    return ask_badly();
}
