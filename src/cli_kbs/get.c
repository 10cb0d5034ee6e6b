/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove kbs get, and the administrator's requests.
 */
#include "cli_kbs/get.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "cli_kbs/attester.h"
#include "cli_kbs/carry.h"
#include "kbs/kbs.h"

enum { MEMORY_SIZE = 4 * ALC_BROKER_EVIDENCE_MAX + 2 * ALC_BROKER_BODY_MAX };

static alc_status fill_random(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    return RAND_bytes(buf, (int)buf_size) == 1 ? ALC_OK : ALC_E_IO_FAILED;
}

static const struct alc_random system_random = {.fill = fill_random};

static struct alc_text text_of(const char *text)
{
    return (struct alc_text){(const uint8_t *)text, strlen(text)};
}

/* What a broker says when it refuses. */
static int report_refusal(const char *resource, unsigned http_status, alc_status status,
                          const uint8_t *reason, size_t reason_size)
{
    fprintf(stderr, "alcove: %s: %s (HTTP %u%s%.*s)\n", resource, alc_status_text(status),
            http_status, reason_size != 0 ? ": " : "", (int)reason_size, (const char *)reason);
    return CLI_REFUSED;
}

/* -- getting -- */

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
        const struct alc_text name = text_of(value);
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
            return report_refusal(request->resource, answer.http_status, status, client->reason,
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
    if ((request.tee == ALC_BROKER_SAMPLE) != (request.program == NULL)) {
        cli_usage_error(arguments, "evidence comes from --attester, samples from nowhere");
    }
    request.resource = arguments->argv[arguments->next];
    const struct alc_attester attester = kbs_attester_of_program(request.program);
    const struct alc_text resource = text_of(request.resource);
    const struct alc_broker_client_options client_options = {
        .tee = request.tee, .attester = &attester, .random = &system_random};
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

/* -- administration -- */

struct admin_request {
    const char *url;
    const char *ca_path;
    const char *key_path;
};

/* The options that all three have, in their rows' order. */
static void read_admin_options(struct cli_arguments *arguments, enum cli_option url,
                               enum cli_option admin_key, int operands_count,
                               struct admin_request *out)
{
    const char *value;
    int option;
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        if (option == (int)url) {
            out->url = value;
        } else if (option == (int)admin_key) {
            out->key_path = value;
        } else {
            out->ca_path = value;
        }
    }
    if (arguments->next + operands_count != arguments->argc || out->url == NULL) {
        cli_usage_error(arguments, "%d operands and --url", operands_count);
    }
}

static char *make_token(const char *key_path)
{
    if (key_path == NULL) {
        return NULL; /* where whoever is on this machine may administer */
    }
    struct cli_file file = cli_read_file(key_path);
    char *pem = cli_allocate(file.size + 1);
    alc_copy(pem, file.bytes, file.size);
    pem[file.size] = '\0';
    char *token = alc_kbs_admin_token(pem);
    alc_wipe(pem, file.size);
    free(pem);
    cli_unmap(&file);
    if (token == NULL) {
        cli_die(CLI_USAGE, "%s: not a private key of P-256, P-384 or Ed25519 in PEM", key_path);
    }
    return token;
}

static int administer(const struct admin_request *request, const char *subject,
                      const struct alc_broker_request *message, const char *method)
{
    uint8_t reason[ALC_BROKER_REASON_MAX];
    size_t reason_size;
    struct alc_broker_answer answer;
    char *token = make_token(request->key_path);
    const struct kbs_extra extra = {.method = method, .bearer = token};
    struct kbs_carrier *carrier = kbs_carrier_open(request->url, request->ca_path);
    int exit_code = CLI_OK;
    kbs_carry_or_die(carrier, message, &extra, &answer);
    if (answer.http_status != 200) {
        alc_broker_read_reason(&answer.body, reason, sizeof reason, &reason_size);
        exit_code =
            report_refusal(subject, answer.http_status, ALC_E_BROKER_REFUSED, reason, reason_size);
    }
    kbs_carrier_close(carrier);
    free(token);
    return exit_code;
}

static struct alc_text resource_path(const struct cli_arguments *arguments, const char *resource,
                                     char out[ALC_BROKER_RESOURCE_MAX + 32])
{
    const struct alc_text text = text_of(resource);
    struct alc_text name;
    if (alc_broker_resource_read(&text, &name) != ALC_OK) {
        cli_usage_error(arguments, "%s is not kbs:///REPOSITORY/TYPE/TAG", resource);
    }
    const int size = snprintf(out, ALC_BROKER_RESOURCE_MAX + 32, ALC_BROKER_PREFIX "resource/%.*s",
                              (int)name.size, (const char *)name.bytes);
    return (struct alc_text){(const uint8_t *)out, (size_t)size};
}

int kbs_put(struct cli_arguments *arguments)
{
    struct admin_request request = {0};
    char path[ALC_BROKER_RESOURCE_MAX + 32];
    read_admin_options(arguments, CLI_OPTION_kbs_put_url, CLI_OPTION_kbs_put_admin_key, 2,
                       &request);
    const char *resource = arguments->argv[arguments->next];
    const struct alc_text path_text = resource_path(arguments, resource, path);
    struct cli_file file = cli_read_file(arguments->argv[arguments->next + 1]);
    const struct alc_broker_request message = {
        .is_post = true, .path = path_text, .body = {file.bytes, file.size}};
    const int exit_code = administer(&request, resource, &message, NULL);
    cli_unmap(&file);
    return exit_code;
}

int kbs_delete(struct cli_arguments *arguments)
{
    struct admin_request request = {0};
    char path[ALC_BROKER_RESOURCE_MAX + 32];
    read_admin_options(arguments, CLI_OPTION_kbs_delete_url, CLI_OPTION_kbs_delete_admin_key, 1,
                       &request);
    const char *resource = arguments->argv[arguments->next];
    const struct alc_broker_request message = {.path = resource_path(arguments, resource, path)};
    return administer(&request, resource, &message, "DELETE");
}

int kbs_policy(struct cli_arguments *arguments)
{
    static const char start[] = "{\"policy\":\"";
    struct admin_request request = {0};
    struct alc_writer writer;
    read_admin_options(arguments, CLI_OPTION_kbs_policy_url, CLI_OPTION_kbs_policy_admin_key, 1,
                       &request);
    const char *file_path = arguments->argv[arguments->next];
    struct cli_file file = cli_read_file(file_path);
    const size_t size = sizeof start + 2 + alc_base64_size(ALC_BASE64_URL, file.size);
    uint8_t *body = cli_allocate(size);
    alc_writer_init(&writer, body, size);
    alc_write_bytes(&writer, start, sizeof start - 1);
    alc_base64_write(&writer, ALC_BASE64_URL, file.bytes, file.size);
    alc_write_bytes(&writer, "\"}", 2);
    const struct alc_broker_request message = {
        .is_post = true,
        .path = text_of(ALC_BROKER_PREFIX "resource-policy"),
        .body = {body, writer.pos},
    };
    const int exit_code = administer(&request, file_path, &message, NULL);
    free(body);
    cli_unmap(&file);
    return exit_code;
}
