/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifier as it is compiled for enclaves, which are signed without the state of VEX: the same
 * rows, but nothing with VEX is accepted. Its words are left out there, so only verdicts count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define ALC_ENCLAVE 1
#define alc_x86_decode decode_inside
#define alc_verifier_check check_inside
#define alc_verifier_height_at height_at_inside
#define alc_verifier_scratch_size scratch_size_inside
#include "native/verifier.c"
#include "native/x86_decode.c"

/* What ALC_ASSERT calls there. */
void alc_abort_enclave(int line)
{
    fail_msg("assertion in line %d", line);
    abort();
}

enum environment { IN_PLAIN, IN_V3, IN_NO_MEMORY };
enum { CALLEE_SIZE = 16, BODY_MAX = 96 };

static const struct row {
    enum environment environment;
    bool is_accepted;
    const char *what;
    uint32_t size;
    uint8_t bytes[BODY_MAX];
} g_rows[] = {
#define REFUSED(environment, what, reason, ...)                                                    \
    {IN_##environment, false, what, sizeof((uint8_t[]){__VA_ARGS__}), {__VA_ARGS__}},
#define ACCEPTED(environment, what, ...)                                                           \
    {IN_##environment, true, what, sizeof((uint8_t[]){__VA_ARGS__}), {__VA_ARGS__}},
#include "unit/native/attacks.def"
};

/* A callee, the row, another function, as in test_verifier.c. */
static bool is_accepted(const struct row *row)
{
    static uint32_t scratch[1024];
    uint8_t bytes[CALLEE_SIZE + BODY_MAX + 16];
    uint32_t end = CALLEE_SIZE + (row->size + 15) / 16 * 16;
    const uint32_t functions[] = {0, CALLEE_SIZE, end, end + 16};
    memset(bytes, 0x90, sizeof bytes);
    bytes[0] = bytes[end] = 0xC3;
    memcpy(bytes + CALLEE_SIZE, row->bytes, row->size);
    const struct alc_verifier_input input = {.code = bytes,
                                             .code_size = end + 16,
                                             .functions = functions,
                                             .functions_count = 3,
                                             .stubs_count = 2,
                                             .constants_distance = 4096,
                                             .constants_size = 64,
                                             .context_size = 20480,
                                             .features =
                                                 row->environment == IN_V3 ? ALC_NATIVE_V3 : 0,
                                             .has_memory = row->environment != IN_NO_MEMORY};
    struct alc_verifier_report report;
    return check_inside(&input, scratch, sizeof scratch, &report) == ALC_OK;
}

static void test_rows_inside(void **state)
{
    (void)state;
    uint32_t accepted_count = 0;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(g_rows); i++) {
        const struct row *row = &g_rows[i];
        bool is_wanted = row->is_accepted && row->environment != IN_V3;
        bool is_given = is_accepted(row);
        accepted_count += is_given;
        if (is_given != is_wanted) {
            fail_msg("%s: %s", row->what, is_given ? "accepted" : "refused");
        }
    }
    assert_true(accepted_count > 30);
}

/* Both forms of VEX, with instructions that exist. */
static void test_no_vex_inside(void **state)
{
    (void)state;
    static const uint8_t rows[][ALC_X86_WINDOW_SIZE] = {
        {0xC5, 0xF8, 0x10, 0xC1},             /* vmovups xmm0, xmm1 */
        {0xC4, 0xE2, 0x79, 0x18, 0xC1},       /* vbroadcastss xmm0, xmm1 */
        {0xC4, 0xE3, 0x7B, 0xF0, 0xC1, 0x03}, /* rorx eax, ecx, 3 */
        {0x65, 0x67, 0xC5, 0xF8, 0x10, 0x07}, /* vmovups xmm0, gs:[edi] */
    };
    struct alc_x86_instruction instruction;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        assert_non_null(decode_inside(rows[i], &instruction));
    }
    static const uint8_t legacy[ALC_X86_WINDOW_SIZE] = {0x0F, 0x10, 0xC1};
    assert_null(decode_inside(legacy, &instruction));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_inside),
        cmocka_unit_test(test_no_vex_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
