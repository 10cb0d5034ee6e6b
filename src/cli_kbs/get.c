/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove kbs get.
 */
#include "cli_kbs/get.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/bytes.h"
#include "broker/snp_form.h"
#include "cli/cvm.h"
#include "cli_kbs/attester.h"
#include "cli_kbs/carry.h"

enum { MEMORY_SIZE = 4 * ALC_BROKER_EVIDENCE_MAX + 2 * ALC_BROKER_BODY_MAX };

static alc_status fill_random(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    return RAND_bytes(buf, (int)buf_size) == 1 ? ALC_OK : ALC_E_IO_FAILED;
}

static const struct alc_random system_random = {.fill = fill_random};

void kbs_print_plain(const struct alc_text *text)
{
    for (size_t i = 0; i < text->size; i++) {
        const uint8_t character = text->bytes[i];
        putchar(character >= ' ' && character < 0x7f ? character : '?');
    }
}

int kbs_report_refusal(const char *subject, unsigned http_status, alc_status status,
                       const uint8_t *reason, size_t reason_size)
{
    fprintf(stderr, "alcove: %s: %s (HTTP %u%s%.*s)\n", subject, alc_status_text(status),
            http_status, reason_size != 0 ? ": " : "", (int)reason_size, (const char *)reason);
    return CLI_REFUSED;
}

struct get_request {
    const char *url;
    const char *ca_path;
    const char *output_path;
    const char *program; /* the attester */
    const char *resource;
    enum alc_broker_tee tee;
};

static void apply_option(const struct cli_arguments *arguments, struct get_request *request,
                         enum cli_option option, const char *value)
{
    if (option == CLI_OPTION_kbs_get_url) {
        request->url = value;
    } else if (option == CLI_OPTION_kbs_get_ca) {
        request->ca_path = value;
    } else if (option == CLI_OPTION_kbs_get_output) {
        request->output_path = value;
    } else if (option == CLI_OPTION_kbs_get_attester) {
        request->program = value;
    } else {
        const struct alc_text name = kbs_text_of(value);
        request->tee = alc_broker_tee_find(&name);
        if (request->tee == ALC_BROKER_TEES) {
            cli_usage_error(arguments, "%s is not a kind of evidence", value);
        }
    }
}

static void write_secret(const char *path, const struct alc_text *secret)
{
    if (path != NULL) {
        cli_write_file(path, secret->bytes, secret->size, 0600);
    } else if (fwrite(secret->bytes, 1, secret->size, stdout) != secret->size) {
        cli_die(CLI_FAILED, "standard output cannot be written");
    }
}

/* Step by step until the secret is there. */
static int get(const struct get_request *request, struct alc_broker_client *client,
               struct kbs_carrier *carrier, uint8_t *memory)
{
    struct alc_arena arena;
    struct alc_broker_request message;
    struct alc_broker_answer answer;
    struct alc_text secret = {NULL, 0};
    while (!alc_broker_client_is_done(client)) {
        struct alc_error error;
        alc_error_clear(&error);
        alc_arena_init(&arena, memory, MEMORY_SIZE);
        alc_status status = alc_broker_client_request(client, &arena, &message);
        if (status != ALC_OK) {
            cli_die(CLI_FAILED, "no evidence: %s", alc_status_text(status));
        }
        kbs_carry_or_die(carrier, &message, NULL, &answer);
        status = alc_broker_client_answer(client, &arena, &answer, &secret, &error);
        if (status == ALC_E_BROKER_REFUSED || status == ALC_E_NOT_FOUND) {
            return kbs_report_refusal(request->resource, answer.http_status, status, client->reason,
                                      client->reason_size);
        }
        if (status != ALC_OK) {
            return cli_report_error(request->url, &error);
        }
    }
    write_secret(request->output_path, &secret);
    return CLI_OK;
}

int kbs_get(struct cli_arguments *arguments)
{
    struct get_request request = {.tee = ALC_BROKER_TEES};
    struct alc_broker_client client;
    const char *value;
    int option;
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        apply_option(arguments, &request, (enum cli_option)option, value);
    }
    if (arguments->next + 1 != arguments->argc || request.url == NULL ||
        request.tee == ALC_BROKER_TEES) {
        cli_usage_error(arguments, "one resource, --url and --tee");
    }
    const bool is_machine = request.tee == ALC_BROKER_TDX || request.tee == ALC_BROKER_SNP;
    if (request.tee == ALC_BROKER_SAMPLE ? request.program != NULL
                                         : request.program == NULL && !is_machine) {
        cli_usage_error(arguments, "evidence comes from --attester, samples from nowhere");
    }
    request.resource = arguments->argv[arguments->next];
    struct alc_attester attester = kbs_attester_of_program(request.program);
    if (is_machine && request.program == NULL) {
        attester = *cli_cvm_need_with_certificates(request.tee == ALC_BROKER_TDX ? RUN_TEE_TDX
                                                                                 : RUN_TEE_SNP);
    }
    const struct alc_text resource = kbs_text_of(request.resource);
    const struct alc_broker_client_options client_options = {
        .tee = request.tee,
        .attester = &attester,
        .random = &system_random,
        .form = request.tee == ALC_BROKER_SNP ? alc_broker_write_snp : NULL};
    alc_broker_client_init(&client, &client_options);
    if (alc_broker_client_ask(&client, &resource) != ALC_OK) {
        cli_usage_error(arguments, "%s is not kbs:///REPOSITORY/TYPE/TAG", request.resource);
    }
    struct kbs_carrier *carrier = kbs_carrier_open(request.url, request.ca_path);
    uint8_t *memory = cli_allocate(MEMORY_SIZE);
    const int exit_code = get(&request, &client, carrier, memory);
    alc_broker_client_fini(&client);
    alc_wipe(memory, MEMORY_SIZE);
    free(memory);
    kbs_carrier_close(carrier);
    return exit_code;
}
