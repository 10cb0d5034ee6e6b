/* SPDX-License-Identifier: Apache-2.0
 *
 * Emulated quotes and their collateral: the verifier accepts them when it trusts the emulator's
 * root and finds nothing wrong but that; what no emulated enclave reported is not quoted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "attest/appraise.h"
#include "sgx_emu/emu_internal.h"
#include "sgx_emu_quote/quoting.h"

#define NOW 1751328000 /* 2025-07-01 */

static struct {
    uint8_t quote[ALC_EMULATED_QUOTE_SIZE_MAX];
    uint8_t collateral_text[ALC_EMULATED_COLLATERAL_SIZE_MAX];
    uint8_t memory[1 << 18];
    struct alc_arena arena;
    struct alc_pcs_collateral collateral;
    struct alc_policy policy;
    struct alc_appraisal appraisal;
    struct alc_verdict verdict;
    struct alc_sgx_report report;
} world;

/* A report as an enclave with this measurement would have it. */
static void make_report(const struct alc_sgx_target_info *target)
{
    static struct alc_sgx_context context; /* of it only the SECS matters */
    uint8_t data[64] = "report data";
    context.secs.attributes.flags = ALC_SGX_ATTRIBUTE_INIT | ALC_SGX_ATTRIBUTE_MODE64;
    memset(context.secs.mrenclave, 0xab, 32);
    emu_make_report(&context, target, data, &world.report);
}

static int setup(void **state)
{
    struct alc_sgx_target_info target;
    struct alc_writer writer;
    struct alc_reader reader;
    (void)state;
    memset(&world, 0, sizeof world);
    alc_emulated_target_info(&target);
    make_report(&target);
    alc_writer_init(&writer, world.quote, sizeof world.quote);
    assert_int_equal(alc_emulated_quote(&world.report, &writer), ALC_OK);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    size_t quote_size = writer.pos;
    alc_writer_init(&writer, world.collateral_text, sizeof world.collateral_text);
    alc_emulated_collateral(&writer);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    alc_arena_init(&world.arena, world.memory, sizeof world.memory);
    alc_reader_init(&reader, world.collateral_text, writer.pos, NULL);
    assert_int_equal(alc_pcs_collateral_read(&world.arena, &reader, &world.collateral), ALC_OK);
    world.policy = alc_policy_default;
    world.policy.accepts_debug = true;
    world.policy.accepts_emulated = true;
    world.appraisal = (struct alc_appraisal){
        .evidence = {world.quote, quote_size},
        .collateral.pcs = &world.collateral,
        .policy = &world.policy,
        .now_s = NOW,
        .root_sha256 = alc_emulated_root_sha256,
    };
    return 0;
}

static alc_status appraise(void)
{
    return alc_appraise(&world.arena, &world.appraisal, &world.verdict);
}

static void the_root_is_the_known_one(void **state)
{
    (void)state;
    uint8_t bytes[2048];
    uint8_t digest[ALC_SHA256_SIZE];
    struct alc_writer writer;
    alc_writer_init(&writer, bytes, sizeof bytes);
    alc_emulated_root(&writer);
    assert_int_equal(alc_writer_finish(&writer), ALC_OK);
    alc_sha256(bytes, writer.pos, digest);
    assert_memory_equal(digest, alc_emulated_root_sha256, sizeof digest);
}

static void the_verifier_accepts_them_when_told_to(void **state)
{
    (void)state;
    alc_status status = appraise();
    if (status != ALC_OK) {
        for (size_t i = 0; i < ALC_CHECKS; i++) {
            if (world.verdict.results[i] == ALC_CHECK_FAILED) {
                print_message("%s\n", alc_check_name((enum alc_check)i));
            }
        }
    }
    assert_int_equal(status, ALC_OK);
    assert_int_equal(world.verdict.tcb, ALC_TCB_UP_TO_DATE);
    assert_memory_equal(&world.verdict.report, &world.report.body, sizeof world.report.body);
    assert_string_equal((const char *)world.verdict.report.report_data, "report data");
}

static void by_themselves_they_are_refused(void **state)
{
    (void)state;
    world.appraisal.policy = &alc_policy_default;
    assert_int_not_equal(appraise(), ALC_OK);
    world.appraisal.root_sha256 = NULL;
    assert_int_not_equal(appraise(), ALC_OK);
}

static void the_same_report_gives_the_same_quote(void **state)
{
    (void)state;
    static uint8_t again[ALC_EMULATED_QUOTE_SIZE_MAX];
    struct alc_writer writer;
    alc_writer_init(&writer, again, sizeof again);
    assert_int_equal(alc_emulated_quote(&world.report, &writer), ALC_OK);
    assert_int_equal(writer.pos, world.appraisal.evidence.size);
    assert_memory_equal(again, world.quote, writer.pos);
}

static void only_reports_for_the_service_are_quoted(void **state)
{
    (void)state;
    static uint8_t out[ALC_EMULATED_QUOTE_SIZE_MAX];
    struct alc_sgx_target_info target;
    struct alc_writer writer;
    alc_writer_init(&writer, out, sizeof out);
    world.report.body.report_data[0] ^= 1;
    assert_int_equal(alc_emulated_quote(&world.report, &writer), ALC_E_REPORT_MISMATCH);
    alc_emulated_target_info(&target);
    target.measurement[0] ^= 1;
    make_report(&target); /* for somebody else */
    assert_int_equal(alc_emulated_quote(&world.report, &writer), ALC_E_REPORT_MISMATCH);
    assert_int_equal(writer.pos, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root_is_the_known_one),
        cmocka_unit_test_setup(the_verifier_accepts_them_when_told_to, setup),
        cmocka_unit_test_setup(by_themselves_they_are_refused, setup),
        cmocka_unit_test_setup(the_same_report_gives_the_same_quote, setup),
        cmocka_unit_test_setup(only_reports_for_the_service_are_quoted, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
