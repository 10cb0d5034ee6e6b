/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's side of proof: handles over an os. ALC_OS_QUOTING leads to the quoting service
 * (sgx_arch/quoting.h), ALC_OS_EVIDENCE holds the nonce and takes the evidence when the user asked
 * for it, ALC_OS_ENDORSEMENTS has the emulator's where nobody gave others. The enclave believes
 * nothing of it.
 */
#include "cli_complete/proof.h"

#include <pthread.h>
#include <stdlib.h>

#include "attest/evidence_file.h"
#include "base/bytes.h"
#include "cli/native_file.h"
#include "cli_complete/attested.h"
#include "sgx/aesm.h"
#include "sgx_arch/quoting.h"
#include "sgx_emu_quote/quoting.h"

/* The one of this process. Functions that are not about these handles get the context of the os
 * beneath, which is that of this one, too. */
static struct {
    const struct alc_os *beneath;
    struct alc_os os;
    struct alc_os_operations operations;
    struct cli_proof *proof;
    bool is_emulated;
    struct cli_file endorsements; /* size 0: none, or there are some beneath */
    pthread_mutex_t lock;         /* of what follows */
    uint8_t quote[ALC_QUOTING_QUOTE_SIZE_MAX];
    size_t quote_size;
} g_device = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t report_failure(const struct alc_error *error)
{
    (void)cli_report_error("quoting service", error);
    return -ALC_OS_IO;
}

/* All of `bytes`, or nothing. */
static int64_t give(const struct alc_span *spans, size_t spans_count, const void *bytes,
                    size_t size)
{
    const uint8_t *next = bytes;
    size_t room = 0;
    for (size_t i = 0; i < spans_count; i++) {
        room += spans[i].size;
    }
    if (room < size) {
        return -ALC_OS_OVERFLOW;
    }
    for (size_t i = 0, left = size; left != 0; i++) {
        size_t part = left < spans[i].size ? left : spans[i].size;
        alc_copy(spans[i].bytes, next, part);
        next += part;
        left -= part;
    }
    return (int64_t)size;
}

static int64_t give_target(const struct alc_span *spans, size_t spans_count)
{
    struct alc_sgx_target_info target;
    struct alc_error error;
    alc_error_clear(&error);
    if (g_device.is_emulated) {
        alc_emulated_target_info(&target);
    } else if (alc_aesm_target_info(NULL, &target, &error) != ALC_OK) {
        return report_failure(&error);
    }
    return give(spans, spans_count, &target, sizeof target);
}

static int64_t read_at(void *context, int32_t handle, const struct alc_span *spans,
                       size_t spans_count, uint64_t offset)
{
    int64_t result;
    if (handle == ALC_OS_EVIDENCE && g_device.proof->is_asked_for) {
        return give(spans, spans_count, g_device.proof->nonce, g_device.proof->nonce_size);
    }
    if (handle == ALC_OS_ENDORSEMENTS && g_device.endorsements.size != 0) {
        return offset == 0 ? give(spans, spans_count, g_device.endorsements.bytes,
                                  g_device.endorsements.size)
                           : -ALC_OS_INVALID;
    }
    if (handle != ALC_OS_QUOTING) {
        return g_device.beneath->operations->read_at(context, handle, spans, spans_count, offset);
    }
    if (offset == ALC_QUOTING_TARGET) {
        return give_target(spans, spans_count);
    }
    pthread_mutex_lock(&g_device.lock);
    result = offset == ALC_QUOTING_QUOTE && g_device.quote_size != 0
                 ? give(spans, spans_count, g_device.quote, g_device.quote_size)
                 : -ALC_OS_INVALID;
    pthread_mutex_unlock(&g_device.lock);
    return result;
}

static int64_t make_quote(const struct alc_span *span)
{
    struct alc_sgx_report report = {0};
    struct alc_writer writer;
    struct alc_error error;
    alc_error_clear(&error);
    if (span->size != ALC_SGX_REPORT_SIZE) {
        return -ALC_OS_INVALID;
    }
    alc_copy(&report, span->bytes, ALC_SGX_REPORT_SIZE);
    alc_writer_init(&writer, g_device.quote, sizeof g_device.quote);
    alc_status status = g_device.is_emulated ? alc_emulated_quote(&report, &writer)
                                             : alc_aesm_quote(NULL, &report, &writer, &error);
    g_device.quote_size = status == ALC_OK && !writer.overflowed ? writer.pos : 0;
    if (status != ALC_OK) {
        (void)alc_fail(&error, status, ALC_NO_OFFSET);
        return report_failure(&error);
    }
    return ALC_SGX_REPORT_SIZE;
}

static int64_t take_evidence(const struct alc_span *span)
{
    struct cli_proof *proof = g_device.proof;
    if (proof->item != NULL || span->size > ALC_EVIDENCE_FILE_SIZE_MAX) {
        return -ALC_OS_NO_SPACE;
    }
    uint8_t *item = cli_allocate(span->size);
    alc_copy(item, span->bytes, span->size);
    proof->item = item;
    proof->item_size = span->size;
    return (int64_t)span->size;
}

static int64_t write_to(void *context, int32_t handle, const struct alc_span *spans,
                        size_t spans_count)
{
    bool is_evidence = handle == ALC_OS_EVIDENCE && g_device.proof->is_asked_for;
    if (handle != ALC_OS_QUOTING && !is_evidence) {
        return g_device.beneath->operations->write(context, handle, spans, spans_count);
    }
    if (spans_count != 1) {
        return -ALC_OS_INVALID;
    }
    pthread_mutex_lock(&g_device.lock);
    int64_t result = is_evidence ? take_evidence(&spans[0]) : make_quote(&spans[0]);
    pthread_mutex_unlock(&g_device.lock);
    return result;
}

static int64_t stat_of(void *context, int32_t handle, struct alc_os_stat *out)
{
    if (handle == ALC_OS_EVIDENCE && g_device.proof->is_asked_for) {
        *out = (struct alc_os_stat){.size = g_device.proof->nonce_size};
        return 0;
    }
    if (handle == ALC_OS_ENDORSEMENTS && g_device.endorsements.size != 0) {
        *out = (struct alc_os_stat){.size = g_device.endorsements.size};
        return 0;
    }
    return g_device.beneath->operations->stat(context, handle, out);
}

const struct alc_os *cli_complete_offer_proof(const struct alc_os *os, bool is_emulated,
                                              struct cli_proof *proof)
{
    struct alc_os_stat stat;
    g_device.beneath = os;
    g_device.is_emulated = is_emulated;
    if (is_emulated && os->operations->stat(os->context, ALC_OS_ENDORSEMENTS, &stat) < 0) {
        g_device.endorsements = cli_attested_emulated_endorsements();
    }
    g_device.proof = proof;
    proof->is_emulated = is_emulated;
    g_device.operations = *os->operations;
    g_device.operations.read_at = read_at;
    g_device.operations.write = write_to;
    g_device.operations.stat = stat_of;
    g_device.os = *os;
    g_device.os.operations = &g_device.operations;
    return &g_device.os;
}

void cli_complete_write_proof(const struct cli_proof *proof, const char *path)
{
    struct alc_evidence_file file = {0};
    struct alc_reader reader;
    struct alc_writer writer;
    struct alc_error error;
    uint8_t *collateral = cli_allocate(ALC_EMULATED_COLLATERAL_SIZE_MAX);
    alc_error_clear(&error);
    alc_reader_init(&reader, proof->item, proof->item_size, &error);
    if (alc_tagged_evidence_read(&reader, &file.tagged) != ALC_OK || !alc_reader_at_end(&reader)) {
        exit(cli_report_error("evidence of the enclave", &error));
    }
    if (proof->is_emulated) {
        alc_writer_init(&writer, collateral, ALC_EMULATED_COLLATERAL_SIZE_MAX);
        alc_emulated_collateral(&writer);
        file.collateral = (struct alc_text){collateral, writer.pos};
    }
    size_t size = proof->item_size + ALC_EMULATED_COLLATERAL_SIZE_MAX + 16;
    uint8_t *bytes = cli_allocate(size);
    alc_writer_init(&writer, bytes, size);
    alc_evidence_file_write(&writer, &file);
    cli_write_file_whole(path, bytes, writer.pos, 0644);
    free(bytes);
    free(collateral);
}
