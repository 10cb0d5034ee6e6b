/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as code: the verifier decides without leaving its scratch or the code, the same twice,
 * and what it accepts has a height at each function's start. Input: flags, a number of functions,
 * a size in units of 16 bytes for each but the last, then code.
 */
#include <stdlib.h>
#include <string.h>

#include "native/image.h"
#include "native/verifier.h"

enum { FUNCTIONS_MAX = 16, ALIGNMENT = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* Exactly as much as asked for, so that a sanitizer sees one byte too many. */
static void *allocate(uint64_t size)
{
    void *memory = malloc(size);
    demand(memory != NULL);
    return memory;
}

static void follow(const struct alc_verifier_input *input, void *scratch, uint64_t scratch_size,
                   bool is_accepted)
{
    for (uint32_t i = 0; i < input->functions_count; i++) {
        uint32_t start = input->functions[i];
        uint32_t end = input->functions[i + 1];
        uint32_t height = alc_verifier_height_at(input, i, start, scratch, scratch_size);
        demand(is_accepted ? height == 0 : height == 0 || height == UINT32_MAX);
        height = alc_verifier_height_at(input, i, (start + end) / 2, scratch, scratch_size);
        demand(height == UINT32_MAX || height <= ALC_NATIVE_FRAME_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2 || size > UINT16_MAX) {
        return 0;
    }
    uint32_t functions[FUNCTIONS_MAX + 1] = {0};
    uint32_t count = bytes[1] % FUNCTIONS_MAX + 1;
    uint8_t flags = bytes[0];
    bytes += 2;
    size -= 2;
    for (uint32_t i = 1; i < count; i++) {
        functions[i] = functions[i - 1] + ALIGNMENT * (size > 0 ? *bytes : 0U);
        bytes += size > 0 ? 1 : 0;
        size -= size > 0 ? 1 : 0;
    }
    functions[count] = (uint32_t)(size / ALIGNMENT * ALIGNMENT);
    uint8_t *code = allocate(functions[count] + 1U);
    memcpy(code, bytes, functions[count]);
    code = realloc(code, functions[count] > 0 ? functions[count] : 1U);
    struct alc_verifier_input input = {.code = code,
                                       .code_size = functions[count],
                                       .functions = functions,
                                       .functions_count = count,
                                       .stubs_count = 4,
                                       .constants_distance = 65536,
                                       .constants_size = 64,
                                       .context_size = 20480,
                                       .features = (flags & 1) != 0 ? ALC_NATIVE_V3 : 0,
                                       .has_memory = (flags & 2) != 0};
    uint64_t scratch_size = alc_verifier_scratch_size(&input);
    void *scratch = allocate(scratch_size);
    struct alc_verifier_report report;
    alc_status status = alc_verifier_check(&input, scratch, scratch_size, &report);
    demand(status == ALC_OK ? report.reason == NULL
                            : status == ALC_E_NATIVE_REFUSED && report.reason != NULL);
    demand(alc_verifier_check(&input, scratch, scratch_size, &report) == status);
    if (scratch_size > 0) {
        follow(&input, scratch, scratch_size, status == ALC_OK);
    }
    free(scratch);
    free(code);
    return 0;
}
