/* SPDX-License-Identifier: Apache-2.0
 *
 * The administrator's requests: alcove kbs put, delete, list and policy.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "cli_kbs/carry.h"
#include "cli_kbs/get.h"
#include "kbs/kbs.h"

struct admin_request {
    const char *url;
    const char *ca_path;
    const char *key_path;
    bool is_appraisal;
};

/* The options of one command. */
struct admin_options {
    int url;
    int admin_key;
    int appraisal; /* -1: it has none */
};

static void read_admin_options(struct cli_arguments *arguments, const struct admin_options *options,
                               struct admin_request *out)
{
    const char *value;
    int option;
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        if (option == options->url) {
            out->url = value;
        } else if (option == options->admin_key) {
            out->key_path = value;
        } else if (option == options->appraisal) {
            out->is_appraisal = true;
        } else {
            out->ca_path = value;
        }
    }
}

static void demand_operands(const struct cli_arguments *arguments,
                            const struct admin_request *request, int min, int max)
{
    const int count = arguments->argc - arguments->next;
    if (count < min || count > max || request->url == NULL) {
        cli_usage_error(arguments, "%s%d operands and --url", min == max ? "" : "at most ", max);
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

/* A conversation with the broker, as its administrator. */
struct admin {
    struct kbs_carrier *carrier;
    char *token;
};

static struct admin admin_open(const struct admin_request *request)
{
    return (struct admin){.carrier = kbs_carrier_open(request->url, request->ca_path),
                          .token = make_token(request->key_path)};
}

/* The token is as good as the key for some minutes. */
static void admin_close(struct admin *admin)
{
    kbs_carrier_close(admin->carrier);
    if (admin->token != NULL) {
        alc_wipe(admin->token, strlen(admin->token));
    }
    free(admin->token);
}

/* CLI_OK, or a refusal that was reported. */
static int admin_ask(struct admin *admin, const char *subject,
                     const struct alc_broker_request *message, const char *method,
                     struct alc_broker_answer *out)
{
    uint8_t reason[ALC_BROKER_REASON_MAX];
    size_t reason_size;
    const struct kbs_extra extra = {.method = method, .bearer = admin->token};
    kbs_carry_or_die(admin->carrier, message, &extra, out);
    if (out->http_status == 200) {
        return CLI_OK;
    }
    alc_broker_read_reason(&out->body, reason, sizeof reason, &reason_size);
    return kbs_report_refusal(subject, out->http_status, ALC_E_BROKER_REFUSED, reason, reason_size);
}

static int administer(const struct admin_request *request, const char *subject,
                      const struct alc_broker_request *message, const char *method)
{
    struct alc_broker_answer answer;
    struct admin admin = admin_open(request);
    const int exit_code = admin_ask(&admin, subject, message, method, &answer);
    admin_close(&admin);
    return exit_code;
}

static struct alc_text resource_path(const struct cli_arguments *arguments, const char *resource,
                                     char out[ALC_BROKER_RESOURCE_MAX + 32])
{
    const struct alc_text text = kbs_text_of(resource);
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
    read_admin_options(
        arguments,
        &(struct admin_options){CLI_OPTION_kbs_put_url, CLI_OPTION_kbs_put_admin_key, -1},
        &request);
    demand_operands(arguments, &request, 2, 2);
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
    read_admin_options(
        arguments,
        &(struct admin_options){CLI_OPTION_kbs_delete_url, CLI_OPTION_kbs_delete_admin_key, -1},
        &request);
    demand_operands(arguments, &request, 1, 1);
    const char *resource = arguments->argv[arguments->next];
    const struct alc_broker_request message = {.path = resource_path(arguments, resource, path)};
    return administer(&request, resource, &message, "DELETE");
}

/* -- listing -- */

/* One page of the list: its rows are printed, and the last name is kept. */
struct page {
    char last[ALC_BROKER_RESOURCE_MAX + 1];
    size_t count;
    struct alc_text path; /* of the row that is being read */
    uint64_t size;
};

static alc_status read_path(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, &((struct page *)context)->path);
}

static alc_status read_size(struct alc_reader *reader, void *context)
{
    return alc_json_read_uint(reader, UINT64_MAX, &((struct page *)context)->size);
}

static alc_status read_row(struct alc_reader *reader, void *context)
{
    static const struct alc_json_member members[] = {{"path", read_path, true},
                                                     {"size", read_size, true}};
    struct page *page = context;
    struct alc_text name;
    ALC_TRY(alc_json_read_object(reader, members, ALC_ARRAY_COUNT(members), page));
    if (alc_broker_resource_read(&page->path, &name) != ALC_OK || name.size != page->path.size) {
        return alc_reader_fail(reader, ALC_E_BAD_BROKER_ANSWER);
    }
    alc_copy(page->last, name.bytes, name.size);
    page->last[name.size] = '\0';
    page->count++;
    printf("%s\t%llu\n", page->last, (unsigned long long)page->size);
    return ALC_OK;
}

static alc_status read_rows(struct alc_reader *reader, void *context)
{
    return alc_json_read_array(reader, read_row, context);
}

static alc_status read_page(const struct alc_text *body, struct page *page, struct alc_error *error)
{
    static const struct alc_json_member members[] = {{"resources", read_rows, true}};
    struct alc_reader reader;
    page->count = 0;
    alc_reader_init(&reader, body->bytes, body->size, error);
    ALC_TRY(alc_json_read_object(&reader, members, ALC_ARRAY_COUNT(members), page));
    return alc_json_end(&reader);
}

/* Page by page, until one is empty. */
static int list(struct admin *admin, const char *url)
{
    struct page page = {0};
    char path[ALC_BROKER_RESOURCE_MAX + 40];
    struct alc_error error;
    struct alc_broker_answer answer;
    alc_error_clear(&error);
    do {
        snprintf(path, sizeof path, ALC_BROKER_PREFIX "resource-list%s%s",
                 page.last[0] != '\0' ? "/" : "", page.last);
        const struct alc_broker_request message = {.path = kbs_text_of(path)};
        const int exit_code = admin_ask(admin, url, &message, NULL, &answer);
        if (exit_code != CLI_OK) {
            return exit_code;
        }
        if (read_page(&answer.body, &page, &error) != ALC_OK) {
            return cli_report_error(url, &error);
        }
    } while (page.count != 0);
    return CLI_OK;
}

int kbs_list(struct cli_arguments *arguments)
{
    struct admin_request request = {0};
    read_admin_options(
        arguments,
        &(struct admin_options){CLI_OPTION_kbs_list_url, CLI_OPTION_kbs_list_admin_key, -1},
        &request);
    demand_operands(arguments, &request, 0, 0);
    struct admin admin = admin_open(&request);
    const int exit_code = list(&admin, request.url);
    admin_close(&admin);
    return exit_code;
}

/* -- policies -- */

static int replace_policy(const struct admin_request *request, const struct alc_text *path,
                          const char *file_path)
{
    static const char start[] = "{\"policy\":\"";
    struct alc_writer writer;
    struct cli_file file = cli_read_file(file_path);
    const size_t size = sizeof start + 2 + alc_base64_size(ALC_BASE64_URL, file.size);
    uint8_t *body = cli_allocate(size);
    alc_writer_init(&writer, body, size);
    alc_write_bytes(&writer, start, sizeof start - 1);
    alc_base64_write(&writer, ALC_BASE64_URL, file.bytes, file.size);
    alc_write_bytes(&writer, "\"}", 2);
    const struct alc_broker_request message = {
        .is_post = true, .path = *path, .body = {body, writer.pos}};
    const int exit_code = administer(request, file_path, &message, NULL);
    free(body);
    cli_unmap(&file);
    return exit_code;
}

static int print_policy(const struct admin_request *request, const struct alc_text *path)
{
    struct alc_broker_answer answer;
    const struct alc_broker_request message = {.path = *path};
    struct admin admin = admin_open(request);
    const int exit_code = admin_ask(&admin, request->url, &message, NULL, &answer);
    if (exit_code == CLI_OK) {
        kbs_print_plain(&answer.body);
        putchar('\n');
    }
    admin_close(&admin);
    return exit_code;
}

int kbs_policy(struct cli_arguments *arguments)
{
    struct admin_request request = {0};
    read_admin_options(arguments,
                       &(struct admin_options){CLI_OPTION_kbs_policy_url,
                                               CLI_OPTION_kbs_policy_admin_key,
                                               CLI_OPTION_kbs_policy_appraisal},
                       &request);
    demand_operands(arguments, &request, 0, 1);
    const struct alc_text path =
        kbs_text_of(request.is_appraisal ? ALC_BROKER_PREFIX "attestation-policy"
                                         : ALC_BROKER_PREFIX "resource-policy");
    return arguments->next < arguments->argc
               ? replace_policy(&request, &path, arguments->argv[arguments->next])
               : print_policy(&request, &path);
}
