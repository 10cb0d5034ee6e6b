/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the options of `alcove run` and opens its listening sockets.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "cli/complete.h"
#include "cli/run_options.h"

/* How long a witness may keep a run waiting. */
enum { WITNESS_PATIENCE_S = 10 };

static const char *const tee_words[] = {"auto", "sgx", "emulated", "none", "tdx", "snp"};

const char *run_tee_word(enum run_tee tee)
{
    ALC_ASSERT(tee < ALC_ARRAY_COUNT(tee_words));
    return tee_words[tee];
}

static enum run_tee parse_tee(const struct cli_arguments *arguments, const char *text)
{
    for (size_t i = 0; i < ALC_ARRAY_COUNT(tee_words); i++) {
        if (strcmp(text, tee_words[i]) == 0) {
            return (enum run_tee)i;
        }
    }
    cli_usage_error(arguments, "--tee %s: auto, sgx, emulated, none, tdx or snp", text);
}

static void add_mount(const struct cli_arguments *arguments, struct run_options *options,
                      const char *text, uint32_t flags)
{
    struct run_mount *mount = &options->mounts[options->mounts_count++];
    const char *separator = strstr(text, "::");
    size_t host_size = separator == NULL ? strlen(text) : (size_t)(separator - text);
    mount->guest_path = separator == NULL ? text : separator + 2;
    mount->flags = flags;
    options->has_sealed |= (flags & ALC_MOUNT_SEALED) != 0;
    options->has_services |= (flags & ~(uint32_t)ALC_MOUNT_READ_ONLY) != 0;
    bool is_memory = (flags & ALC_MOUNT_MEMORY) != 0;
    if (host_size == 0 || mount->guest_path[0] == '\0' || (is_memory && separator == NULL)) {
        cli_usage_error(arguments, "--%s %s: %s::GUEST",
                        is_memory                          ? "memory-dir"
                        : (flags & ALC_MOUNT_ARCHIVE) != 0 ? "archive"
                        : (flags & ALC_MOUNT_SEALED) != 0  ? "sealed"
                                                           : "dir",
                        text, is_memory ? "SIZE" : "HOST");
    }
    mount->host_path = cli_allocate(host_size + 1);
    alc_copy(mount->host_path, text, host_size);
    mount->host_path[host_size] = '\0';
    if (is_memory) {
        mount->memory_size = cli_parse_size(arguments, mount->host_path);
        if (mount->memory_size < ALC_LIMIT_MEMORY_MOUNT_LEAST) {
            cli_usage_error(arguments, "--memory-dir %s: at least 4M", text);
        }
    }
}

void run_options_add_variable(const struct cli_arguments *arguments, struct run_options *options,
                              const char *text)
{
    const char *value = strchr(text, '=') == NULL ? getenv(text) : "";
    if (text[0] == '\0' || text[0] == '=') {
        cli_usage_error(arguments, "--env %s: KEY=VALUE or KEY", text);
    }
    if (value == NULL) {
        return; /* not set here, so not set there */
    }
    bool is_pair = strchr(text, '=') != NULL;
    size_t size = strlen(text) + strlen(value) + 2;
    char *variable = cli_allocate(size);
    snprintf(variable, size, "%s%s%s", text, is_pair ? "" : "=", value);
    options->environment[options->environment_count++] = variable;
}

/* Whether it is the signer's key. */
static bool parse_policy(const struct cli_arguments *arguments, const char *text)
{
    bool is_signers = strcmp(text, "mrsigner") == 0;
    if (!is_signers && strcmp(text, "mrenclave") != 0) {
        cli_usage_error(arguments, "--seal-policy %s: mrenclave or mrsigner", text);
    }
    return is_signers;
}

static enum run_rollback parse_rollback(const struct cli_arguments *arguments, const char *text)
{
    static const char *const words[] = {[RUN_ROLLBACK_SESSION] = "session",
                                        [RUN_ROLLBACK_NONE] = "none",
                                        [RUN_ROLLBACK_WITNESS] = "witness"};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            return (enum run_rollback)i;
        }
    }
    cli_usage_error(arguments, "--rollback %s: none, session or witness", text);
}

static void parse_nonce(const struct cli_arguments *arguments, const char *text,
                        struct cli_proof *proof)
{
    size_t size = 0;
    for (; text[2 * size] != '\0' && size < sizeof proof->nonce; size++) {
        unsigned byte;
        int read = 0;
        if (!isxdigit((unsigned char)text[2 * size]) ||
            !isxdigit((unsigned char)text[2 * size + 1]) ||
            sscanf(text + 2 * size, "%2x%n", &byte, &read) != 1 || read != 2) {
            break;
        }
        proof->nonce[size] = (uint8_t)byte;
    }
    if (size == 0 || text[2 * size] != '\0') {
        cli_usage_error(arguments, "--nonce %s: 1 to %zu bytes, hexadecimal", text,
                        sizeof proof->nonce);
    }
    proof->nonce_size = size;
}

/* Whether it was one about sockets. */
static bool apply_socket_option(const struct cli_arguments *arguments, struct run_options *options,
                                enum cli_option option, const char *value)
{
    if (option == CLI_OPTION_run_listen) {
        options->sockets[options->sockets_count++] =
            cli_open_listener(arguments, "--listen", value);
    } else if (option == CLI_OPTION_run_listen_attested) {
        options->attested[options->attested_count++] =
            cli_open_listener(arguments, "--listen-attested", value);
        options->has_services = true;
    } else if (option == CLI_OPTION_run_connect_attested) {
        /* What is proven and not run disturbs nobody. */
        options->connected[options->connected_count++] =
            options->proof->is_asked_for
                ? -1
                : cli_open_connection(arguments, "--connect-attested", value, 0);
        options->has_services = true;
    } else if (option == CLI_OPTION_run_peer_policy) {
        options->peer_policy_path = value;
    } else if (option == CLI_OPTION_run_endorsements) {
        options->endorsements_path = value;
    } else if (option == CLI_OPTION_run_dialect) {
        if (strcmp(value, "tng") != 0) {
            cli_usage_error(arguments, "--dialect %s: tng", value);
        }
        options->speaks_tng = true;
    } else {
        return false;
    }
    return true;
}

/* Of sealed mounts, and how they are looked after; false when it is another option. */
static bool apply_seal_option(const struct cli_arguments *arguments, struct run_options *options,
                              enum cli_option option, const char *value)
{
    if (option == CLI_OPTION_run_seal_key) {
        const bool is_name = strncmp(value, "kbs:", 4) == 0;
        options->seal_key_path = is_name ? NULL : value;
        options->seal_key_name = is_name ? value : NULL;
    } else if (option == CLI_OPTION_run_transfer_key) {
        options->transfer_key_name = value;
    } else if (option == CLI_OPTION_seal_verify_mount) {
        options->upkeep_mount = value;
    } else if (option == CLI_OPTION_seal_export_to || option == CLI_OPTION_seal_import_from) {
        options->upkeep_path = value;
    } else if (option == CLI_OPTION_run_key_broker) {
        options->key_broker_url = value;
    } else if (option == CLI_OPTION_run_key_broker_ca) {
        options->key_broker_ca_path = value;
    } else if (option == CLI_OPTION_run_seal_policy) {
        options->is_signers = parse_policy(arguments, value);
    } else if (option == CLI_OPTION_run_rollback) {
        options->rollback = parse_rollback(arguments, value);
        options->has_rollback = true;
    } else if (option == CLI_OPTION_run_witness) {
        options->witness = cli_open_connection(arguments, "--witness", value, WITNESS_PATIENCE_S);
    } else if (option == CLI_OPTION_run_witness_key) {
        options->witness_key_path = value;
    } else {
        return false;
    }
    return true;
}

static void apply_option(const struct cli_arguments *arguments, struct run_options *options,
                         enum cli_option option, const char *value)
{
    if (apply_seal_option(arguments, options, option, value) ||
        apply_socket_option(arguments, options, option, value)) {
        return;
    }
    if (option == CLI_OPTION_run_tee) {
        options->tee = parse_tee(arguments, value);
    } else if (option == CLI_OPTION_run_dir || option == CLI_OPTION_run_read_only_dir) {
        add_mount(arguments, options, value,
                  option == CLI_OPTION_run_read_only_dir ? ALC_MOUNT_READ_ONLY : 0);
    } else if (option == CLI_OPTION_run_sealed) {
        add_mount(arguments, options, value, ALC_MOUNT_SEALED);
    } else if (option == CLI_OPTION_run_memory_dir) {
        add_mount(arguments, options, value, ALC_MOUNT_MEMORY);
    } else if (option == CLI_OPTION_run_archive) {
        add_mount(arguments, options, value, ALC_MOUNT_ARCHIVE | ALC_MOUNT_READ_ONLY);
    } else if (option == CLI_OPTION_run_env) {
        run_options_add_variable(arguments, options, value);
    } else if (option == CLI_OPTION_run_fuel) {
        options->limits.fuel = cli_parse_number(arguments, value, INT64_MAX);
        if (options->limits.fuel == 0) {
            cli_usage_error(arguments, "--fuel 0 lets nothing run");
        }
    } else if (option == CLI_OPTION_run_timeout) {
        options->limits.timeout_ns = cli_parse_duration_ns(arguments, value);
    } else if (option == CLI_OPTION_run_max_memory) {
        options->limits.memory_size = cli_parse_size(arguments, value);
    } else if (option == CLI_OPTION_run_compile || option == CLI_OPTION_run_interpret) {
        enum run_code code =
            option == CLI_OPTION_run_compile ? RUN_CODE_COMPILE : RUN_CODE_INTERPRET;
        if (options->code != RUN_CODE_AUTO && options->code != code) {
            cli_usage_error(arguments, "one of --compile and --interpret");
        }
        options->code = code;
    } else if (option == CLI_OPTION_run_vouch) {
        options->is_vouched = true;
    } else if (option == CLI_OPTION_run_owner) {
        options->owner_path = value;
    } else if (option == CLI_OPTION_attest_nonce) {
        parse_nonce(arguments, value, options->proof);
    } else if (option == CLI_OPTION_attest_output) {
        options->evidence_path = value;
    } else if (option == CLI_OPTION_run_image) {
        options->image_path = value;
    } else if (option == CLI_OPTION_run_signature) {
        options->signature_path = value;
    } else {
        options->report = true;
    }
}

/* A key that a broker gives to what proves itself. */
static void check_key_broker(const struct cli_arguments *arguments,
                             const struct run_options *options)
{
    const bool moves = options->upkeep >= RUN_UPKEEP_EXPORT;
    const bool is_asked = options->seal_key_name != NULL || moves;
    const bool is_named = is_asked || options->transfer_key_name != NULL;
    const bool has_broker = options->key_broker_url != NULL;
    if (moves && options->transfer_key_name == NULL) {
        cli_usage_error(arguments, "--transfer-key is needed");
    }
    if ((is_asked && !has_broker) || (has_broker && !is_named) ||
        (options->key_broker_ca_path != NULL && !has_broker)) {
        cli_usage_error(arguments, "--key-broker and a key kbs:///... belong together");
    }
    const bool is_machine = options->tee == RUN_TEE_TDX || options->tee == RUN_TEE_SNP;
    if (is_named && (!options->has_sealed || options->tee == RUN_TEE_NONE ||
                     (is_machine && options->transfer_key_name != NULL))) {
        cli_usage_error(arguments,
                        "--key-broker is for --sealed in an enclave or a confidential machine, "
                        "--transfer-key for enclaves");
    }
}

static enum run_upkeep upkeep_of(enum cli_command command)
{
    return command == CLI_COMMAND_seal_verify   ? RUN_UPKEEP_VERIFY
           : command == CLI_COMMAND_seal_rekey  ? RUN_UPKEEP_REKEY
           : command == CLI_COMMAND_seal_export ? RUN_UPKEEP_EXPORT
           : command == CLI_COMMAND_seal_import ? RUN_UPKEEP_IMPORT
                                                : RUN_UPKEEP_NONE;
}

/* Which mount is looked after. */
static void find_upkeep_mount(const struct cli_arguments *arguments, struct run_options *options)
{
    size_t found_count = 0;
    if (options->upkeep == RUN_UPKEEP_NONE) {
        return;
    }
    for (size_t i = 0; i < options->mounts_count; i++) {
        const struct run_mount *mount = &options->mounts[i];
        if ((mount->flags & ALC_MOUNT_SEALED) != 0 &&
            (options->upkeep_mount == NULL ||
             strcmp(options->upkeep_mount, mount->guest_path) == 0)) {
            options->upkeep_number = i;
            found_count++;
        }
    }
    if (found_count != 1) {
        cli_usage_error(arguments, "which --sealed directory? --mount says it");
    }
    options->upkeep_mount = options->mounts[options->upkeep_number].guest_path;
    if (options->upkeep >= RUN_UPKEEP_EXPORT && options->upkeep_path == NULL) {
        cli_usage_error(arguments, options->upkeep == RUN_UPKEEP_EXPORT ? "--to is needed"
                                                                        : "--from is needed");
    }
}

/* A key that the host has protects nothing from it: it is for running without an enclave. */
static void check_sealed(const struct cli_arguments *arguments, struct run_options *options)
{
    if (options->has_services) {
        (void)cli_complete_need("attested sockets, nor sealed, memory and archive directories");
    }
    check_key_broker(arguments, options);
    bool wants_key = options->has_sealed && !run_tee_is_enclave(options->tee);
    if (wants_key && options->seal_key_path == NULL && options->seal_key_name == NULL) {
        cli_usage_error(arguments, "--sealed with --tee %s needs --seal-key",
                        run_tee_word(options->tee));
    }
    if (!wants_key && options->seal_key_path != NULL) {
        cli_usage_error(arguments, "--seal-key FILE is for --sealed outside an enclave");
    }
    if ((options->witness_key_path != NULL) != (options->witness >= 0)) {
        cli_usage_error(arguments, "--witness and --witness-key go together");
    }
    if (!options->has_sealed &&
        (options->witness >= 0 || options->is_signers || options->has_rollback)) {
        cli_usage_error(arguments, "--witness, --rollback and --seal-policy are for --sealed");
    }
    bool has_witness = options->witness >= 0;
    if (options->has_rollback && (options->rollback == RUN_ROLLBACK_WITNESS) != has_witness) {
        cli_usage_error(arguments, "--rollback witness and --witness belong together");
    }
    options->rollback = has_witness ? RUN_ROLLBACK_WITNESS : options->rollback;
}

/* Attested sockets are the last ones, those that are connected at the end. */
static void check_attested(const struct cli_arguments *arguments, struct run_options *options)
{
    const size_t count = options->attested_count + options->connected_count;
    if (count > ALC_LIMIT_ATTESTED_SOCKETS) {
        cli_usage_error(arguments, "--listen-attested and --connect-attested: at most %u together",
                        ALC_LIMIT_ATTESTED_SOCKETS);
    }
    if (count == 0 && (options->peer_policy_path != NULL || options->endorsements_path != NULL)) {
        cli_usage_error(arguments, "--peer-policy and --endorsements are for attested sockets");
    }
    if (options->speaks_tng && (options->attested_count == 0 || options->connected_count != 0 ||
                                options->peer_policy_path != NULL)) {
        cli_usage_error(arguments,
                        "--dialect is for --listen-attested alone, without --peer-policy: "
                        "peers that speak so bring nothing to judge them by");
    }
    for (size_t i = 0; i < options->attested_count; i++) {
        options->sockets[options->sockets_count++] = options->attested[i];
    }
    for (size_t i = 0; i < options->connected_count; i++) {
        options->sockets[options->sockets_count++] = options->connected[i];
    }
}

void run_options_parse(struct cli_arguments *arguments, struct cli_proof *proof,
                       struct run_options *out)
{
    /* No option can be given more often than there are words. */
    size_t words = (size_t)arguments->argc;
    *out = (struct run_options){
        .witness = -1,
        .upkeep = upkeep_of(arguments->command),
        .mounts = cli_allocate(words * sizeof(struct run_mount)),
        .environment = cli_allocate(words * sizeof(char *)),
        .sockets = cli_allocate(words * sizeof(int)),
        .attested = cli_allocate(words * sizeof(int)),
        .connected = cli_allocate(words * sizeof(int)),
        .proof = proof,
    };
    const char *value;
    int option;
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        apply_option(arguments, out, (enum cli_option)option, value);
    }
    check_attested(arguments, out);
    if (out->is_vouched && out->owner_path != NULL) {
        cli_usage_error(arguments, "one of --vouch and --owner");
    }
    if (arguments->next == arguments->argc) {
        cli_usage_error(arguments, "which program?");
    }
    if (out->image_path != NULL && out->signature_path == NULL) {
        cli_usage_error(arguments, "--image needs --signature");
    }
    if (!run_tee_is_enclave(out->tee) && out->signature_path != NULL) {
        cli_usage_error(arguments, "--tee %s has no enclave for --image and --signature",
                        run_tee_word(out->tee));
    }
    check_sealed(arguments, out);
    find_upkeep_mount(arguments, out);
    out->arguments = arguments->argv + arguments->next;
    out->arguments_count = (size_t)(arguments->argc - arguments->next);
    out->module_path = out->arguments[0];
}
