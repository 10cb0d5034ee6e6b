/* SPDX-License-Identifier: Apache-2.0
 *
 * Judges evidence inside an enclave: prints the verdict, and ends with 0 only if it accepts.
 *
 *   clang --target=wasm32-wasi -O2 examples/verify.c -o verify.wasm
 *   alcove run --read-only-dir . verify.wasm EVIDENCE [POLICY [COLLATERAL [SECONDS [NONCE]]]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attest.h"

enum { SIZE_MAX_BYTES = 1 << 20, ACCEPTED = 0, REFUSED = 2 };

struct input {
    uint8_t bytes[SIZE_MAX_BYTES];
    uint32_t size;
};

/* An empty one if there is no such argument. */
static void read_input(struct input *input, const char *path)
{
    if (path == NULL || path[0] == '\0') {
        return;
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    input->size = (uint32_t)fread(input->bytes, 1, sizeof input->bytes, file);
    fclose(file);
}

int main(int argc, char **argv)
{
    static struct input evidence, policy, collateral;
    static uint8_t verdict[1 << 16];
    uint32_t verdict_size = 0;
    int64_t now_s = argc > 4 ? atoll(argv[4]) : 0; /* 0: now, as the host's clock has it */
    const char *nonce = argc > 5 ? argv[5] : "";   /* empty: made at any time */
    read_input(&evidence, argc > 1 ? argv[1] : NULL);
    read_input(&policy, argc > 2 ? argv[2] : NULL);
    read_input(&collateral, argc > 3 ? argv[3] : NULL);
    int result = attest_verify(evidence.bytes, evidence.size, collateral.bytes, collateral.size,
                               policy.bytes, policy.size, nonce, (uint32_t)strlen(nonce), now_s,
                               verdict, sizeof verdict, &verdict_size);
    if (result != ACCEPTED && result != REFUSED) {
        fprintf(stderr, "no verdict: error %d\n", result);
        return 1;
    }
    fwrite(verdict, 1, verdict_size, stdout);
    return result;
}
