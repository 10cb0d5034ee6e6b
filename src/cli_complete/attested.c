/* SPDX-License-Identifier: Apache-2.0
 *
 * A policy goes into the manifest as the one document that stands for it, so that how its author
 * laid it out makes no other workload. Endorsements go to peers in the form of Interoperable
 * RA-TLS.
 */
#include "cli_complete/attested.h"

#include <stdio.h>
#include <stdlib.h>

#include "attest/policy.h"
#include "attested/settings.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "channel/endorsements.h"
#include "sgx_emu_quote/quoting.h"

enum { POLICY_ARENA_SIZE = 1 << 20, COLLATERAL_SIZE_MAX = 1 << 20, SETTINGS_HEAD_SIZE = 32 };
/* They travel in one message with the evidence. */
enum { ENDORSEMENTS_SIZE_MAX = ALC_LIMIT_CHANNEL_MESSAGE_SIZE - (16 << 10) };

/* -- the policy of peers -- */

static void check_policy(const char *path, const struct alc_policy *policy)
{
    if (policy->report_data != NULL) {
        cli_die(CLI_USAGE, "%s: report data in channels is the hash of claims, no choice", path);
    }
    if (policy->accepts_emulated) {
        fprintf(stderr, "alcove: %s accepts EMULATED evidence, which anybody can make\n", path);
    }
}

static void read_policy(const char *path, struct run_options *options)
{
    struct alc_policy policy;
    struct alc_reader reader;
    struct alc_writer writer;
    struct alc_arena arena;
    struct alc_error error;
    struct cli_file file = cli_read_file(path);
    if (file.size > ALC_LIMIT_POLICY_SIZE) {
        cli_die(CLI_USAGE, "%s: larger than %u bytes", path, ALC_LIMIT_POLICY_SIZE);
    }
    void *memory = cli_allocate(POLICY_ARENA_SIZE);
    alc_arena_init(&arena, memory, POLICY_ARENA_SIZE);
    alc_error_clear(&error);
    alc_reader_init(&reader, file.bytes, file.size, &error);
    if (alc_policy_read(&arena, &reader, &policy) != ALC_OK) {
        (void)cli_report_error(path, &error);
        exit(CLI_USAGE);
    }
    check_policy(path, &policy);
    uint8_t *document = cli_allocate(ALC_LIMIT_POLICY_SIZE);
    alc_writer_init(&writer, document, ALC_LIMIT_POLICY_SIZE);
    alc_policy_write(&writer, &policy);
    if (writer.overflowed) {
        cli_die(CLI_USAGE, "%s: more than %u bytes when written out", path, ALC_LIMIT_POLICY_SIZE);
    }
    options->peer_policy = (struct cli_file){document, writer.pos};
    free(memory);
    cli_unmap(&file);
}

void cli_attested_add_settings(const struct run_options *options, struct alc_manifest *manifest)
{
    const struct alc_attested_settings settings = {
        .listeners_count = (uint32_t)options->attested_count,
        .connections_count = (uint32_t)options->connected_count,
        .policy = {options->peer_policy.bytes, options->peer_policy.size},
        .dialect = options->speaks_tng ? ALC_ATTESTED_TNG : ALC_ATTESTED_OWN,
    };
    struct alc_writer writer;
    if (settings.listeners_count + settings.connections_count == 0) {
        return;
    }
    const size_t size = options->peer_policy.size + SETTINGS_HEAD_SIZE;
    uint8_t *bytes = cli_allocate(size);
    alc_writer_init(&writer, bytes, size);
    alc_attested_settings_write(&writer, &settings);
    ALC_ASSERT(!writer.overflowed);
    manifest->services[ALC_SERVICE_ATTESTED_SOCKETS] = (struct alc_string){bytes, writer.pos};
}

/* -- endorsements -- */

/* Out of the JSON object that `alcove collateral fetch` writes. */
static struct cli_file convert(const char *name, const uint8_t *json, size_t json_size)
{
    struct alc_pcs_collateral collateral;
    struct alc_reader reader;
    struct alc_writer writer;
    struct alc_arena arena;
    struct alc_error error;
    const struct alc_text no_chain = {(const uint8_t *)"", 0};
    const size_t memory_size = 2 * json_size + 4096;
    void *memory = cli_allocate(memory_size);
    alc_arena_init(&arena, memory, memory_size);
    alc_error_clear(&error);
    alc_reader_init(&reader, json, json_size, &error);
    if (alc_pcs_collateral_read(&arena, &reader, &collateral) != ALC_OK) {
        (void)cli_report_error(name, &error);
        exit(CLI_USAGE);
    }
    uint8_t *bytes = cli_allocate(ENDORSEMENTS_SIZE_MAX);
    alc_writer_init(&writer, bytes, ENDORSEMENTS_SIZE_MAX);
    alc_endorsements_write(&writer, &collateral, &no_chain);
    if (writer.overflowed) {
        cli_die(CLI_USAGE, "%s: more than %d bytes of endorsements", name, ENDORSEMENTS_SIZE_MAX);
    }
    free(memory);
    return (struct cli_file){bytes, writer.pos};
}

static void read_endorsements(const char *path, struct run_options *options)
{
    struct cli_file file = cli_read_file(path);
    if (file.size > COLLATERAL_SIZE_MAX) {
        cli_die(CLI_USAGE, "%s: larger than %d bytes", path, COLLATERAL_SIZE_MAX);
    }
    options->endorsements = convert(path, file.bytes, file.size);
    cli_unmap(&file);
}

struct cli_file cli_attested_emulated_endorsements(void)
{
    struct alc_writer writer;
    uint8_t *json = cli_allocate(ALC_EMULATED_COLLATERAL_SIZE_MAX);
    alc_writer_init(&writer, json, ALC_EMULATED_COLLATERAL_SIZE_MAX);
    alc_emulated_collateral(&writer);
    struct cli_file result = convert("the emulator's collateral", json, writer.pos);
    free(json);
    return result;
}

void cli_attested_prepare(struct run_options *options)
{
    if (options->peer_policy_path != NULL) {
        read_policy(options->peer_policy_path, options);
    }
    if (options->endorsements_path != NULL) {
        read_endorsements(options->endorsements_path, options);
    }
}
