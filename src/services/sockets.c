/* SPDX-License-Identifier: Apache-2.0
 *
 * Attested sockets of a workload. Which they are and whom they accept is the manifest's to say, so
 * the host cannot ask for less. What it can choose are endorsements that peers are shown: they are
 * signed by the maker of the processor, and peers judge them.
 */
#include "services/sockets.h"

#include "attested/settings.h"
#include "base/bytes.h"
#include "channel/dialect.h"

#define NS_PER_S INT64_C(1000000000)
enum { SCRATCH_SIZE = 64 * 1024, CLAIMS_MAX = 512, LINE_SIZE = 160 };
/* Values of a policy take no more than its document, but for texts: a pointer and a size. */
enum { POLICY_ARENA_SIZE = ALC_LIMIT_POLICY_SIZE + ALC_LIMIT_POLICY_VALUES * 32 };
/* A program may run for long, and who is at the other end has proof of each connection. */
enum { LIFETIME_S = 365 * 24 * 3600 };

/* -- reports -- */

static void append(struct alc_writer *line, const char *text)
{
    alc_write_bytes(line, text, alc_string_length(text));
}

/* The program sees an aborted connection; why, is said on the standard error stream. A name that
 * the peer chose has letters, digits and `_` alone. */
static void report_failure(void *context, const struct alc_channel *channel)
{
    const struct services_sockets *sockets = context;
    const struct alc_os *os = sockets->table.over.inner;
    const enum alc_check check = alc_channel_get_peer(channel)->check;
    const char *reason = alc_channel_peer_reason(channel);
    uint8_t bytes[LINE_SIZE];
    struct alc_writer line;
    alc_writer_init(&line, bytes, sizeof bytes);
    append(&line, "alcove: attested socket: ");
    append(&line, alc_status_name(alc_channel_status(channel)));
    if (check < ALC_CHECKS) {
        append(&line, ", ");
        append(&line, alc_check_name(check));
    }
    if (reason[0] != '\0') {
        append(&line, ", the peer's reason: ");
        append(&line, reason);
    }
    append(&line, "\n");
    const struct alc_span span = {.bytes = bytes, .size = line.pos};
    if (!line.overflowed) {
        (void)os->operations->write(os->context, ALC_OS_STDERR, &span, 1);
    }
}

void services_sockets_init(struct services_sockets *out, const struct alc_os *os)
{
    alc_attested_os_init(&out->table, os, &out->identity);
    out->table.report = (struct alc_attested_report){.failed = report_failure, .context = out};
    out->of_clients.accepts_unattested = true;
}

/* -- opening -- */

/* Memory that lasts as long as the workload. */
static void *take_pages(const struct alc_os *os, size_t size)
{
    void *pages = os->operations->pages_reserve(os->context, size);
    return pages != NULL && os->operations->pages_commit(os->context, pages, size) == 0 ? pages
                                                                                        : NULL;
}

static alc_status read_policy(struct services_sockets *sockets, struct alc_os *os,
                              const struct alc_text *document)
{
    struct alc_reader reader;
    struct alc_arena arena;
    if (document->size == 0) {
        return ALC_OK;
    }
    void *range = os->operations->pages_reserve(os->context, POLICY_ARENA_SIZE);
    if (range == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_arena_init_reserved(&arena, range, POLICY_ARENA_SIZE, alc_os_commit, os);
    alc_reader_init(&reader, document->bytes, document->size, NULL);
    ALC_TRY(alc_policy_read(&arena, &reader, &sockets->policy));
    if (sockets->policy.report_data != NULL) { /* which the channel chooses, and does not look at */
        return ALC_E_BAD_POLICY;
    }
    sockets->of_clients = (struct alc_channel_demand){.policy = &sockets->policy};
    sockets->of_servers = sockets->of_clients;
    return ALC_OK;
}

/* Where there are none, peers need collateral of their own. */
static alc_status read_endorsements(const struct alc_os *os, struct alc_text *out)
{
    struct alc_os_stat stat;
    *out = (struct alc_text){0};
    if (os->operations->stat(os->context, ALC_OS_ENDORSEMENTS, &stat) < 0) {
        return ALC_OK;
    }
    if (stat.size == 0 || stat.size > ALC_LIMIT_CHANNEL_MESSAGE_SIZE) {
        return ALC_E_HOST_LIED;
    }
    const size_t size = (size_t)stat.size;
    uint8_t *bytes = take_pages(os, ALC_LIMIT_CHANNEL_MESSAGE_SIZE);
    if (bytes == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    for (size_t done = 0; done < size;) {
        const struct alc_span span = {.bytes = bytes + done, .size = size - done};
        int64_t count = os->operations->read_at(os->context, ALC_OS_ENDORSEMENTS, &span, 1, done);
        if (count <= 0 || (uint64_t)count > span.size) {
            return ALC_E_IO_FAILED;
        }
        done += (size_t)count;
    }
    *out = (struct alc_text){bytes, size};
    return ALC_OK;
}

static alc_status make_identity(struct services_sockets *sockets, struct alc_evidence *evidence,
                                const struct alc_channel_dialect *dialect, void *scratch)
{
    const struct alc_os *os = evidence->os;
    uint8_t claims[CLAIMS_MAX];
    struct alc_channel_identity_options options = {
        .random = &sockets->table.random,
        .dialect = dialect,
        .now_s = os->operations->clock_read(os->context, ALC_OS_CLOCK_REALTIME, 0) / NS_PER_S,
        .lifetime_s = LIFETIME_S,
    };
    struct alc_arena arena;
    if (alc_evidence_attester(evidence, &sockets->attester)) {
        options.attester = &sockets->attester;
        options.evidence_tag = sockets->attester.kind == ALC_EVIDENCE_SEV_SNP
                                   ? ALC_EVIDENCE_TAG_SEV_SNP
                                   : ALC_EVIDENCE_TAG_QUOTE;
        options.claims.bytes = claims;
        ALC_TRY(alc_evidence_claims(evidence, ALC_ASKED_BY_CHANNEL, claims, sizeof claims,
                                    &options.claims.size));
        ALC_TRY(read_endorsements(os, &options.endorsements));
    }
    alc_arena_init(&arena, scratch, SCRATCH_SIZE);
    alc_status status = alc_channel_identity_init(&sockets->identity, &arena, &options);
    alc_arena_fini(&arena);
    return status;
}

/* They follow from `first` on: listening ones, then connected ones. */
static alc_status open_each(struct services_sockets *sockets, int32_t first,
                            const struct alc_attested_settings *settings)
{
    for (uint32_t i = 0; i < settings->listeners_count; i++) {
        ALC_TRY(alc_attested_os_listen(&sockets->table, first + (int32_t)i, &sockets->of_clients));
    }
    first += (int32_t)settings->listeners_count;
    for (uint32_t i = 0; i < settings->connections_count; i++) {
        ALC_TRY(alc_attested_os_connect(&sockets->table, first + (int32_t)i, &sockets->of_servers));
    }
    return ALC_OK;
}

alc_status services_sockets_open(struct services_sockets *sockets, struct alc_evidence *evidence,
                                 struct alc_workload *workload)
{
    const struct alc_manifest *manifest = alc_workload_manifest(workload);
    const struct alc_string *encoded = &manifest->services[ALC_SERVICE_ATTESTED_SOCKETS];
    struct alc_os *os = evidence->os;
    struct alc_attested_settings settings;
    struct alc_reader reader;
    sockets->workload = workload;
    if (encoded->size == 0) {
        return ALC_OK;
    }
    alc_reader_init(&reader, encoded->bytes, encoded->size, NULL);
    ALC_TRY(alc_attested_settings_read(&reader, manifest->sockets_count, &settings));
    ALC_TRY(read_policy(sockets, os, &settings.policy));
    alc_workload_set_connections(workload, settings.connections_count);
    void *scratch = take_pages(os, SCRATCH_SIZE);
    if (scratch == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    if (settings.dialect == ALC_ATTESTED_TNG) { /* which has listening sockets alone */
        sockets->of_clients.dialect = &alc_channel_tng_shown;
    }
    alc_status status = make_identity(sockets, evidence, sockets->of_clients.dialect, scratch);
    os->operations->pages_release(os->context, scratch, SCRATCH_SIZE);
    ALC_TRY(status);
    const uint32_t count = settings.listeners_count + settings.connections_count;
    const size_t end = ALC_OS_FIRST_MOUNT + manifest->mounts_count + manifest->sockets_count;
    return open_each(sockets, (int32_t)(end - count), &settings);
}

void services_sockets_close(struct services_sockets *sockets)
{
    alc_attested_os_fini(&sockets->table);
}
