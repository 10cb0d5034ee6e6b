/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence with a host that lies: what the quoting service and the host beneath it say is bytes of
 * a bounded size or a status, whatever they say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attest/evidence_file.h"
#include "evidence/evidence.h"
#include "evidence/quoting.h"

/* What the host does. */
static struct {
    struct alc_os_operations operations;
    struct alc_os os;
    struct alc_quoting quoting;
    struct alc_attester attester;
    struct alc_evidence evidence;
    int64_t target_result;
    int64_t write_result;
    int64_t quote_result;
    uint8_t target[sizeof(struct alc_sgx_target_info)];
    uint8_t report[ALC_SGX_REPORT_SIZE];
    struct alc_sgx_target_info seen_target;
    uint8_t seen_data[64];
    alc_status report_status;
    size_t quote_room;
    uint8_t nonce[64];
    int64_t nonce_result;
    uint8_t given[ALC_EVIDENCE_ITEM_SIZE_MAX];
    size_t given_size;
    int64_t give_result;
} host;

static int64_t read_at(void *context, int32_t handle, const struct alc_span *spans,
                       size_t spans_count, uint64_t offset)
{
    (void)context;
    assert_int_equal(spans_count, 1);
    if (handle == ALC_OS_EVIDENCE) {
        memcpy(spans[0].bytes, host.nonce, spans[0].size < 64 ? spans[0].size : 64);
        return host.nonce_result;
    }
    assert_int_equal(handle, ALC_OS_QUOTING);
    if (offset == ALC_QUOTING_TARGET) {
        memcpy(spans[0].bytes, host.target, spans[0].size);
        return host.target_result;
    }
    assert_int_equal(offset, ALC_QUOTING_QUOTE);
    host.quote_room = spans[0].size;
    memset(spans[0].bytes, 'q', spans[0].size);
    return host.quote_result;
}

static int64_t write_to(void *context, int32_t handle, const struct alc_span *spans,
                        size_t spans_count)
{
    (void)context;
    assert_int_equal(spans_count, 1);
    if (handle == ALC_OS_EVIDENCE) {
        assert_true(spans[0].size <= sizeof host.given);
        memcpy(host.given, spans[0].bytes, spans[0].size);
        host.given_size = spans[0].size;
        return host.give_result == 0 ? (int64_t)spans[0].size : host.give_result;
    }
    assert_int_equal(handle, ALC_OS_QUOTING);
    assert_int_equal(spans[0].size, sizeof host.report);
    memcpy(host.report, spans[0].bytes, sizeof host.report);
    return host.write_result;
}

static void *reserve(void *context, size_t size)
{
    (void)context;
    return aligned_alloc(4096, (size + 4095) & ~(size_t)4095);
}

static int64_t commit(void *context, void *addr, size_t size)
{
    (void)context;
    memset(addr, 0, size);
    return 0;
}

static void release(void *context, void *addr, size_t size)
{
    (void)context, (void)size;
    free(addr);
}

static alc_status report(const struct alc_sgx_target_info *target, const uint8_t data[64],
                         struct alc_sgx_report *out)
{
    host.seen_target = *target;
    memcpy(host.seen_data, data, 64);
    memset(out, 0, sizeof *out);
    memcpy(out->body.report_data, data, 64);
    return host.report_status;
}

static int setup(void **state)
{
    (void)state;
    memset(&host, 0, sizeof host);
    host.operations = (struct alc_os_operations){.read_at = read_at,
                                                 .write = write_to,
                                                 .pages_reserve = reserve,
                                                 .pages_commit = commit,
                                                 .pages_release = release};
    host.os = (struct alc_os){.operations = &host.operations};
    host.quoting = (struct alc_quoting){.os = &host.os, .report = report};
    host.target_result = sizeof host.target;
    host.write_result = sizeof host.report;
    host.quote_result = 1000;
    memset(host.target, 't', sizeof host.target);
    memcpy(host.nonce, "nonce", 5);
    host.nonce_result = 5;
    alc_quoting_attester(&host.quoting, &host.attester);
    assert_int_equal(alc_evidence_init(&host.evidence, &host.os, &host.attester, "1.2.3"), ALC_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(host.evidence.buffer);
    return 0;
}

static uint8_t item[ALC_EVIDENCE_ITEM_SIZE_MAX];

static alc_status make(size_t room, struct alc_writer *writer)
{
    const struct alc_evidence_request request = {.asked_by = ALC_ASKED_BY_PROGRAM,
                                                 .nonce = {(const uint8_t *)"n", 1}};
    alc_writer_init(writer, item, room);
    return alc_evidence_make(&host.evidence, &request, writer);
}

static void what_is_quoted_is_the_hash_of_the_claims(void **state)
{
    (void)state;
    struct alc_writer writer;
    struct alc_reader reader;
    struct alc_tagged_evidence tagged;
    struct alc_claims_buffer buffer;
    struct alc_claims claims;
    uint8_t data[64];
    assert_int_equal(make(sizeof item, &writer), ALC_OK);
    alc_reader_init(&reader, item, writer.pos, NULL);
    assert_int_equal(alc_tagged_evidence_read(&reader, &tagged), ALC_OK);
    assert_true(alc_reader_at_end(&reader));
    assert_int_equal(tagged.tag, ALC_EVIDENCE_TAG_QUOTE);
    assert_int_equal(tagged.evidence.size, 1000);
    alc_claims_bind(tagged.claims.bytes, tagged.claims.size, data);
    assert_memory_equal(host.seen_data, data, sizeof data);
    assert_memory_equal(host.report + 320, data, sizeof data);
    assert_memory_equal(&host.seen_target, host.target, sizeof host.target);
    alc_reader_init(&reader, tagged.claims.bytes, tagged.claims.size, NULL);
    assert_int_equal(alc_claims_buffer_read(&reader, &buffer), ALC_OK);
    assert_int_equal(buffer.key_hash.size, 0);
    alc_reader_init(&reader, buffer.alcove.bytes, buffer.alcove.size, NULL);
    assert_int_equal(alc_claims_read(&reader, &claims), ALC_OK);
    assert_int_equal(claims.asked_by, ALC_ASKED_BY_PROGRAM);
    assert_memory_equal(claims.version.bytes, "1.2.3", 5);
}

static void lies_are_statuses(void **state)
{
    (void)state;
    struct alc_writer writer;
    static const struct {
        int64_t target_result, write_result, quote_result;
        alc_status status;
    } cases[] = {
        {-ALC_OS_BAD_DESCRIPTOR, 432, 1000, ALC_E_NOT_SUPPORTED},
        {-ALC_OS_IO, 432, 1000, ALC_E_IO_FAILED},
        {0, 432, 1000, ALC_E_IO_FAILED},
        {511, 432, 1000, ALC_E_IO_FAILED},
        {513, 432, 1000, ALC_E_IO_FAILED},
        {INT64_MAX, 432, 1000, ALC_E_IO_FAILED},
        {512, -ALC_OS_IO, 1000, ALC_E_IO_FAILED},
        {512, 431, 1000, ALC_E_IO_FAILED},
        {512, 433, 1000, ALC_E_IO_FAILED},
        {512, 432, 0, ALC_E_IO_FAILED},
        {512, 432, -ALC_OS_IO, ALC_E_IO_FAILED},
        {512, 432, -ALC_OS_OVERFLOW, ALC_E_OUT_OF_MEMORY},
        {512, 432, ALC_QUOTING_QUOTE_SIZE_MAX + 1, ALC_E_IO_FAILED},
        {512, 432, INT64_MAX, ALC_E_IO_FAILED},
        {512, 432, INT64_MIN, ALC_E_IO_FAILED},
        {512, 432, ALC_QUOTING_QUOTE_SIZE_MAX, ALC_OK},
        {512, 432, 1, ALC_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        host.target_result = cases[i].target_result;
        host.write_result = cases[i].write_result;
        host.quote_result = cases[i].quote_result;
        assert_int_equal(make(sizeof item, &writer), cases[i].status);
        assert_true(host.quote_room <= ALC_QUOTING_QUOTE_SIZE_MAX);
        assert_int_equal(writer.pos != 0, cases[i].status == ALC_OK);
    }
    host.target_result = 512; /* which the processor would refuse */
    host.report_status = ALC_E_BAD_ARGUMENT;
    assert_int_equal(make(sizeof item, &writer), ALC_E_BAD_ARGUMENT);
}

static void too_little_room_is_said(void **state)
{
    (void)state;
    struct alc_writer writer;
    assert_int_equal(make(sizeof item, &writer), ALC_OK);
    size_t size = writer.pos;
    assert_int_equal(make(size, &writer), ALC_OK);
    assert_int_equal(make(size - 1, &writer), ALC_E_OUT_OF_MEMORY);
    assert_int_equal(writer.pos, size);
    assert_int_equal(make(0, &writer), ALC_E_OUT_OF_MEMORY);
}

static void without_attester_nothing_is_proven(void **state)
{
    (void)state;
    struct alc_writer writer;
    host.evidence.attester = NULL;
    assert_int_equal(make(sizeof item, &writer), ALC_E_NOT_SUPPORTED);
}

static void the_host_gets_an_answer_in_its_own_name(void **state)
{
    (void)state;
    struct alc_reader reader;
    struct alc_tagged_evidence tagged;
    struct alc_claims_buffer buffer;
    struct alc_claims claims;
    assert_int_equal(alc_evidence_answer_host(&host.evidence), ALC_OK);
    alc_reader_init(&reader, host.given, host.given_size, NULL);
    assert_int_equal(alc_tagged_evidence_read(&reader, &tagged), ALC_OK);
    alc_reader_init(&reader, tagged.claims.bytes, tagged.claims.size, NULL);
    assert_int_equal(alc_claims_buffer_read(&reader, &buffer), ALC_OK);
    assert_int_equal(buffer.nonce.size, 5);
    assert_memory_equal(buffer.nonce.bytes, "nonce", 5);
    alc_reader_init(&reader, buffer.alcove.bytes, buffer.alcove.size, NULL);
    assert_int_equal(alc_claims_read(&reader, &claims), ALC_OK);
    assert_int_equal(claims.asked_by, ALC_ASKED_BY_HOST);
    host.nonce_result = 0; /* none is as good */
    assert_int_equal(alc_evidence_answer_host(&host.evidence), ALC_OK);
    host.nonce_result = 65;
    assert_int_equal(alc_evidence_answer_host(&host.evidence), ALC_E_IO_FAILED);
    host.nonce_result = -ALC_OS_IO;
    assert_int_equal(alc_evidence_answer_host(&host.evidence), ALC_E_IO_FAILED);
    host.nonce_result = 64;
    host.give_result = 1;
    assert_int_equal(alc_evidence_answer_host(&host.evidence), ALC_E_IO_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_quoted_is_the_hash_of_the_claims, setup, teardown),
        cmocka_unit_test_setup_teardown(lies_are_statuses, setup, teardown),
        cmocka_unit_test_setup_teardown(too_little_room_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(without_attester_nothing_is_proven, setup, teardown),
        cmocka_unit_test_setup_teardown(the_host_gets_an_answer_in_its_own_name, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
