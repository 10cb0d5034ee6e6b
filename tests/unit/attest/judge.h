/* SPDX-License-Identifier: Apache-2.0
 *
 * Platforms made, judged and forgotten, and what is expected of the verdict.
 */
#ifndef TESTS_UNIT_ATTEST_JUDGE_H
#define TESTS_UNIT_ATTEST_JUDGE_H

#include "unit/attest/platform_make.h"

static uint8_t memory[ALC_APPRAISE_ARENA_SIZE];
static struct platform platform;

static void judge(const struct platform_options *options, const struct alc_policy *policy,
                  struct alc_verdict *out)
{
    struct alc_arena arena;
    platform_make(&platform, options);
    if (policy != NULL) {
        platform.appraisal.policy = policy;
    }
    alc_arena_init(&arena, memory, sizeof memory);
    alc_appraise(&arena, &platform.appraisal, out);
    platform_free(&platform);
}

static void expect(const char *why, const struct platform_options *options, enum alc_check check,
                   alc_status status)
{
    struct alc_verdict verdict;
    judge(options, NULL, &verdict);
    bool is_expected = verdict.status == status && verdict.results[check] == ALC_CHECK_FAILED;
    for (size_t i = 0; i < (size_t)check; i++) {
        is_expected =
            is_expected && verdict.results[i] == (alc_check_is_for((enum alc_check)i, verdict.kind)
                                                      ? ALC_CHECK_PASSED
                                                      : ALC_CHECK_NOT_REACHED);
    }
    if (!is_expected) {
        for (size_t i = 0; i < ALC_CHECKS; i++) {
            print_message("%d %s\n", (int)verdict.results[i], alc_check_text((enum alc_check)i));
        }
        fail_msg("%s: %s", why, alc_status_text(verdict.status));
    }
}

#define REFUSED_OF(kind, member, value, check, status)                                             \
    do {                                                                                           \
        struct platform_options options_ = platform_options_##kind;                                \
        options_.member = (value);                                                                 \
        expect(#member, &options_, check, status);                                                 \
    } while (0)
#define REFUSED(member, value, check, status) REFUSED_OF(default, member, value, check, status)
#define REFUSED_TDX(member, value, check, status) REFUSED_OF(tdx, member, value, check, status)

#endif
