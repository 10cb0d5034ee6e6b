/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of listen and connect into what is asked of peers.
 */
#include "cli_channel/options.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attest/time.h"
#include "base/bytes.h"
#include "channel/dialect.h"
#include "cli/cvm.h"
#include "sgx_emu_quote/quoting.h"

enum { COLLATERAL_SIZE_MAX = 1 << 20, POLICY_ARENA_SIZE = 1 << 20 };

/* Options that both commands have, whichever of the two it is. */
#define IS(option, ident)                                                                          \
    ((option) == CLI_OPTION_listen_##ident || (option) == CLI_OPTION_connect_##ident)

/* Lists and texts of a policy lie in memory for the rest of the process. */
static void read_policy(const char *path, struct netcat_options *out)
{
    struct alc_reader reader;
    struct alc_arena arena;
    struct alc_error error;
    struct cli_file file = cli_read_file(path);
    if (file.size > ALC_LIMIT_POLICY_SIZE) {
        cli_die(CLI_USAGE, "%s: larger than %u bytes", path, ALC_LIMIT_POLICY_SIZE);
    }
    alc_arena_init(&arena, cli_allocate(POLICY_ARENA_SIZE), POLICY_ARENA_SIZE);
    alc_error_clear(&error);
    alc_reader_init(&reader, file.bytes, file.size, &error);
    if (alc_policy_read(&arena, &reader, &out->policy) != ALC_OK) {
        (void)cli_report_error(path, &error);
        exit(CLI_USAGE);
    }
    if (out->policy.report_data != NULL) {
        cli_die(CLI_USAGE, "%s: report data in channels is the hash of claims, no choice", path);
    }
}

/* What is read lies in memory for the rest of the process, as do the bytes. AMD's object has a
 * member that Intel's has not, and the other way round. */
static void use_collateral(const char *name, const uint8_t *bytes, size_t bytes_size,
                           struct netcat_options *out)
{
    struct alc_reader reader;
    struct alc_arena arena;
    struct alc_error error;
    size_t size = 2 * bytes_size + 4096;
    void *memory = cli_allocate(size);
    alc_arena_init(&arena, memory, size);
    alc_reader_init(&reader, bytes, bytes_size, NULL);
    if (alc_kds_collateral_read(&arena, &reader, &out->kds) == ALC_OK) {
        out->demand.collateral.kds = &out->kds;
        return;
    }
    alc_arena_init(&arena, memory, size);
    alc_error_clear(&error);
    alc_reader_init(&reader, bytes, bytes_size, &error);
    if (alc_pcs_collateral_read(&arena, &reader, &out->pcs) != ALC_OK) {
        (void)cli_report_error(name, &error);
        exit(CLI_USAGE);
    }
    out->demand.collateral.pcs = &out->pcs;
}

static void read_collateral(const char *path, struct netcat_options *out)
{
    struct cli_file file = cli_read_file(path);
    if (file.size > COLLATERAL_SIZE_MAX) {
        cli_die(CLI_USAGE, "%s: larger than %d bytes", path, COLLATERAL_SIZE_MAX);
    }
    use_collateral(path, file.bytes, file.size, out);
}

static void read_emulated_collateral(struct netcat_options *out)
{
    struct alc_writer writer;
    uint8_t *bytes = cli_allocate(ALC_EMULATED_COLLATERAL_SIZE_MAX);
    alc_writer_init(&writer, bytes, ALC_EMULATED_COLLATERAL_SIZE_MAX);
    alc_emulated_collateral(&writer);
    use_collateral("emulated collateral", bytes, writer.pos, out);
}

/* Behind all options, since a policy that is read later must not undo it, nor it the policy. */
static void accept_emulated(struct netcat_options *out)
{
    if (!out->accepts_emulated) {
        return;
    }
    out->policy.accepts_emulated = true;
    out->policy.accepts_debug = true; /* as all of the emulator's evidence says */
    out->demand.root_sha256 = alc_emulated_root_sha256;
    if (out->demand.collateral.pcs == NULL) {
        read_emulated_collateral(out);
    }
}

static void read_tee(const struct cli_arguments *arguments, const char *word,
                     struct netcat_options *out)
{
    for (enum run_tee tee = RUN_TEE_TDX; tee <= RUN_TEE_SNP; tee++) {
        if (strcmp(word, run_tee_word(tee)) == 0) {
            out->attester = cli_cvm_need(tee);
            return;
        }
    }
    cli_usage_error(arguments, "--tee %s: tdx or snp", word);
}

static void read_dialect(const struct cli_arguments *arguments, const char *word,
                         struct netcat_options *out)
{
    if (strcmp(word, "tng") != 0) {
        cli_usage_error(arguments, "--dialect %s: tng", word);
    }
    out->demand.dialect = &alc_channel_tng;
}

static void read_option(struct cli_arguments *arguments, int option, const char *value,
                        struct netcat_options *out)
{
    if (IS(option, collateral)) {
        read_collateral(value, out);
    } else if (IS(option, policy)) {
        read_policy(value, out);
    } else if (IS(option, accept_emulated)) {
        out->accepts_emulated = true;
    } else if (IS(option, accept_unattested)) {
        out->demand.accepts_unattested = true;
    } else if (IS(option, accept_stale)) {
        out->demand.accepts_stale = true;
    } else if (IS(option, dialect)) {
        read_dialect(arguments, value, out);
    } else if (IS(option, tee)) {
        read_tee(arguments, value, out);
    } else if (IS(option, legacy)) {
        out->demand.accepts_legacy = true;
    } else if (IS(option, time)) {
        out->has_time = true;
        if (!alc_time_from_rfc3339((const uint8_t *)value, strlen(value), &out->time_s)) {
            cli_usage_error(arguments, "--time %s: YYYY-MM-DDTHH:MM:SSZ", value);
        }
    } else {
        out->is_once = true;
    }
}

/* What asks for less has to be asked for in full. */
static void check_demand(const struct cli_arguments *arguments,
                         const struct alc_channel_demand *demand)
{
    if (demand->accepts_legacy && !demand->accepts_stale) {
        cli_usage_error(arguments, "--legacy needs --accept-stale: older forms prove no more");
    }
    if (demand->dialect != NULL && demand->accepts_legacy) {
        cli_usage_error(arguments, "--dialect: there are no older forms of it");
    }
    if (demand->dialect != NULL && !demand->accepts_stale && !demand->accepts_unattested) {
        cli_usage_error(arguments, "--dialect needs --accept-stale: its evidence is never fresh");
    }
}

void netcat_read_options(struct cli_arguments *arguments, struct netcat_options *out)
{
    const char *value;
    int option;
    alc_fill(out, 0, sizeof *out);
    out->policy = alc_policy_default;
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        read_option(arguments, option, value, out);
    }
    if (arguments->next + 1 != arguments->argc) {
        cli_usage_error(arguments, "ADDRESS:PORT, please");
    }
    check_demand(arguments, &out->demand);
    accept_emulated(out);
    out->address = arguments->argv[arguments->next];
    out->demand.policy = &out->policy;
    out->memory = cli_allocate(sizeof *out->memory);
    alc_channel_memory_init(out->memory);
    out->demand.memory = out->memory;
}

int64_t netcat_now_s(const struct netcat_options *options)
{
    return options->has_time ? options->time_s : (int64_t)time(NULL);
}
