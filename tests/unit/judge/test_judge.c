/* SPDX-License-Identifier: Apache-2.0
 *
 * The function by which programs judge: what it makes of their arguments, of inputs that cannot be
 * read, and of a system without memory. Verdicts about real evidence are
 * tests/attested/asking.py's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attest/claims.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "exec/memory.h"
#include "judge/judge.h"

enum {
    MEMORY_SIZE = 4 << 20,
    EVIDENCE_AT = 0,
    COLLATERAL_AT = 1 << 20,
    POLICY_AT = 2 << 20,
    NONCE_AT = 3 << 20,
    OUT_AT = NONCE_AT + 4096,
    OUT_SIZE = 65536,
    SIZE_AT = OUT_AT + OUT_SIZE,
};
#define NOW_S INT64_C(1751328000)

/* -- a system that has memory and a clock, or not -- */

static struct {
    int reserved; /* ranges that were not given back */
    bool has_no_ranges;
    size_t commits_left;
    int64_t clock_s;
    uint8_t *memory;
} world;

static void *reserve(void *context, size_t size)
{
    (void)context;
    assert_int_equal(size % 4096, 0);
    world.reserved += !world.has_no_ranges;
    return world.has_no_ranges ? NULL : aligned_alloc(4096, size);
}

static int64_t commit(void *context, void *addr, size_t size)
{
    (void)context;
    if (world.commits_left == 0) {
        return -ALC_OS_NO_MEMORY;
    }
    world.commits_left--;
    memset(addr, 0, size);
    return 0;
}

static void release(void *context, void *addr, size_t size)
{
    (void)context;
    (void)size;
    world.reserved--;
    free(addr);
}

static int64_t read_clock(void *context, uint32_t clock, uint32_t resolution)
{
    (void)context;
    (void)resolution;
    assert_int_equal(clock, ALC_OS_CLOCK_REALTIME);
    return world.clock_s * INT64_C(1000000000);
}

static const struct alc_os_operations operations = {.pages_reserve = reserve,
                                                    .pages_commit = commit,
                                                    .pages_release = release,
                                                    .clock_read = read_clock};
static struct alc_os os = {.operations = &operations};

static int setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world.commits_left = SIZE_MAX;
    world.clock_s = NOW_S;
    world.memory = calloc(1, MEMORY_SIZE);
    assert_non_null(world.memory);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(world.memory);
    assert_int_equal(world.reserved, 0);
    return 0;
}

/* -- calling -- */

struct question {
    uint32_t evidence_size;
    uint32_t collateral_size;
    uint32_t policy_size;
    uint32_t nonce_size;
    int64_t now_s;
};

static int32_t call_with(uint64_t slots[12])
{
    struct alc_memory memory = {.base = world.memory, .size = MEMORY_SIZE};
    struct alc_error error;
    struct alc_host_call call = {
        .memory = &memory, .context = &os, .slots = slots, .error = &error};
    const struct alc_host_module *module = alc_judge_module();
    assert_string_equal(module->name, "alcove:attest");
    assert_int_equal(module->exports_count, 1);
    assert_string_equal(module->exports[0].name, "verify");
    assert_string_equal(module->exports[0].type, "iiiiiiiiIiii:i");
    alc_error_clear(&error);
    assert_int_equal(module->exports[0].function(&call), ALC_OK);
    return (int32_t)slots[0];
}

static int32_t ask(const struct question *question)
{
    uint64_t slots[12] = {EVIDENCE_AT,
                          question->evidence_size,
                          COLLATERAL_AT,
                          question->collateral_size,
                          POLICY_AT,
                          question->policy_size,
                          NONCE_AT,
                          question->nonce_size,
                          (uint64_t)question->now_s,
                          OUT_AT,
                          OUT_SIZE,
                          SIZE_AT};
    memset(world.memory + OUT_AT, 0, OUT_SIZE + 4);
    return call_with(slots);
}

static uint32_t put(size_t at, const char *text)
{
    memcpy(world.memory + at, text, strlen(text));
    return (uint32_t)strlen(text);
}

static void expect_verdict(const char *text)
{
    const char *verdict = (const char *)world.memory + OUT_AT;
    assert_int_equal(alc_load_u32(world.memory + SIZE_AT), strlen(verdict));
    if (strstr(verdict, text) == NULL) {
        fail_msg("%s is not in %s", text, verdict);
    }
}

/* -- tests -- */

static void test_sizes(void **state)
{
    (void)state;
    const struct {
        struct question question;
        int32_t result;
    } rows[] = {
        {{.evidence_size = ALC_JUDGE_EVIDENCE_SIZE_MAX}, ALC_OS_ACCESS},
        {{.evidence_size = ALC_JUDGE_EVIDENCE_SIZE_MAX + 1}, ALC_OS_TOO_BIG},
        {{.collateral_size = ALC_JUDGE_COLLATERAL_SIZE_MAX}, ALC_OS_ACCESS},
        {{.collateral_size = ALC_JUDGE_COLLATERAL_SIZE_MAX + 1}, ALC_OS_TOO_BIG},
        {{.policy_size = ALC_LIMIT_POLICY_SIZE}, ALC_OS_ACCESS},
        {{.policy_size = ALC_LIMIT_POLICY_SIZE + 1}, ALC_OS_TOO_BIG},
        {{.nonce_size = ALC_CLAIMS_NONCE_SIZE_MAX}, ALC_OS_ACCESS},
        {{.nonce_size = ALC_CLAIMS_NONCE_SIZE_MAX + 1}, ALC_OS_TOO_BIG},
        {{.now_s = -1}, ALC_OS_INVALID},
        {{.now_s = INT64_MIN}, ALC_OS_INVALID},
        {{.now_s = INT64_MAX}, ALC_OS_ACCESS},
        {{0}, ALC_OS_ACCESS},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        assert_int_equal(ask(&rows[i].question), rows[i].result);
    }
}

/* Every address, one past the end of memory. */
static void test_addresses(void **state)
{
    (void)state;
    static const size_t addresses[] = {0, 2, 4, 6, 9, 11};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(addresses); i++) {
        uint64_t slots[12] = {0, 1, 0, 1, 0, 1, 0, 1, 0, OUT_AT, 1, SIZE_AT};
        slots[addresses[i]] = MEMORY_SIZE;
        assert_int_equal(call_with(slots), ALC_OS_FAULT);
    }
}

static void test_bad_inputs(void **state)
{
    (void)state;
    struct question question = {.policy_size = put(POLICY_AT, "{\"kinds\":[\"sgy\"]}")};
    assert_int_equal(ask(&question), ALC_OS_ACCESS);
    expect_verdict("{\"verdict\":\"refused\",\"status\":\"BAD_POLICY\",\"input\":\"policy\","
                   "\"offset\":10}");
    question = (struct question){.policy_size = put(POLICY_AT, "{\"kinds\":[\"sgx\"]}"),
                                 .collateral_size = put(COLLATERAL_AT, "{\"tcb_info\":1}")};
    assert_int_equal(ask(&question), ALC_OS_ACCESS);
    expect_verdict("\"status\":\"BAD_JSON\",\"input\":\"collateral\",\"offset\":");
    /* 60000([h'', h'']), cut; 60001, which is for its own machine alone; with a byte too many */
    question = (struct question){.evidence_size = put(EVIDENCE_AT, "\xd9\xea\x60\x82\x40\x40") - 1};
    assert_int_equal(ask(&question), ALC_OS_ACCESS);
    expect_verdict("\"input\":\"evidence\",\"offset\":3}");
    question.evidence_size = put(EVIDENCE_AT, "\xd9\xea\x61\x82\x40\x40");
    assert_int_equal(ask(&question), ALC_OS_ACCESS);
    expect_verdict("\"status\":\"DIALECT_REFUSED\",\"input\":\"evidence\"}");
    question.evidence_size = put(EVIDENCE_AT, "\xd9\xea\x60\x82\x40\x40\xff");
    assert_int_equal(ask(&question), ALC_OS_ACCESS);
    expect_verdict("\"status\":\"BAD_CBOR\",\"input\":\"evidence\"");
    question.evidence_size = put(EVIDENCE_AT, "\xd9\xea\x60\x82\x40\x40");
    assert_int_equal(ask(&question), ALC_OS_ACCESS);
    expect_verdict("\"failed_check\":\"FORM\"");
}

static void test_time(void **state)
{
    (void)state;
    assert_int_equal(ask(&(struct question){.now_s = 0}), ALC_OS_ACCESS);
    expect_verdict("\"time\":\"2025-07-01T00:00:00Z\"");
    assert_int_equal(ask(&(struct question){.now_s = 86400}), ALC_OS_ACCESS);
    expect_verdict("\"time\":\"1970-01-02T00:00:00Z\"");
}

static void test_answer_that_does_not_fit(void **state)
{
    (void)state;
    uint64_t slots[12] = {0, 0, 0, 0, 0, 0, 0, 0, 1, OUT_AT, 20, SIZE_AT};
    memset(world.memory + OUT_AT, 0xee, 64);
    assert_int_equal(call_with(slots), ALC_OS_OVERFLOW);
    assert_int_equal(world.memory[OUT_AT + 20], 0xee);
    assert_true(alc_load_u32(world.memory + SIZE_AT) > 20);
}

/* However little there is: an error, and all of it given back. */
static void test_no_memory(void **state)
{
    (void)state;
    const struct question question = {.policy_size = put(POLICY_AT, "{\"kinds\":[\"sgx\"]}"),
                                      .evidence_size = 1000};
    size_t enough = 0;
    int32_t result;
    world.has_no_ranges = true;
    assert_int_equal(ask(&question), ALC_OS_NO_MEMORY);
    world.has_no_ranges = false;
    do {
        world.commits_left = enough;
        result = ask(&question);
        assert_int_equal(world.reserved, 0);
        assert_true(result == ALC_OS_NO_MEMORY || result == ALC_OS_ACCESS);
    } while (result == ALC_OS_NO_MEMORY && enough++ < 1000);
    assert_true(enough > 0 && enough < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_inputs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answer_that_does_not_fit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
