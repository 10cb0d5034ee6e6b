/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove kbs serve and alcove kbs audit, and how all of alcove kbs comes into the program.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "cli/kbs.h"
#include "cli_kbs/get.h"
#include "cli_kbs/load.h"
#include "cli_kbs/relay.h"
#include "kbs/kbs.h"

enum { COLLATERAL_MAX = 64, ADDRESS_MAX = 64 };

struct serve_request {
    struct alc_kbs_options options;
    struct alc_kbs_listener listener;
    char address[ADDRESS_MAX];
    const char *policy_path;
    const char *appraisal_path;
    const char *certificate_path;
    const char *key_path;
    bool allows_http;
    const char *collateral_paths[COLLATERAL_MAX];
    size_t collateral_paths_count;
};

/* A file as text with a NUL behind it; the process keeps it. */
static const char *read_text(const char *path, size_t *out_size)
{
    struct cli_file file = cli_read_file(path);
    char *text = cli_allocate(file.size + 1);
    alc_copy(text, file.bytes, file.size);
    text[file.size] = '\0';
    *out_size = file.size;
    cli_unmap(&file);
    return text;
}

static void read_listen(const struct cli_arguments *arguments, const char *value,
                        struct serve_request *out)
{
    const char *colon = strrchr(value, ':');
    size_t size = colon != NULL ? (size_t)(colon - value) : 0;
    const char *start = value;
    if (size >= 2 && start[0] == '[' && start[size - 1] == ']') {
        start++;
        size -= 2;
    }
    if (size == 0 || size >= ADDRESS_MAX) {
        cli_usage_error(arguments, "%s is not ADDRESS:PORT", value);
    }
    alc_copy(out->address, start, size);
    out->address[size] = '\0';
    out->listener.port = (uint16_t)cli_parse_number(arguments, colon + 1, UINT16_MAX);
}

static void add_collateral(const struct cli_arguments *arguments, const char *path,
                           struct serve_request *out)
{
    if (out->collateral_paths_count == COLLATERAL_MAX) {
        cli_usage_error(arguments, "at most %d files of collateral", COLLATERAL_MAX);
    }
    out->collateral_paths[out->collateral_paths_count++] = path;
}

static void apply_option(const struct cli_arguments *arguments, struct serve_request *request,
                         enum cli_option option, const char *value)
{
    size_t size;
    if (option == CLI_OPTION_kbs_serve_store) {
        request->options.store_path = value;
    } else if (option == CLI_OPTION_kbs_serve_listen) {
        read_listen(arguments, value, request);
    } else if (option == CLI_OPTION_kbs_serve_policy) {
        request->policy_path = value;
    } else if (option == CLI_OPTION_kbs_serve_appraisal_policy) {
        request->appraisal_path = value;
    } else if (option == CLI_OPTION_kbs_serve_collateral) {
        add_collateral(arguments, value, request);
    } else if (option == CLI_OPTION_kbs_serve_accept_emulated) {
        request->options.accepts_emulated = true;
    } else if (option == CLI_OPTION_kbs_serve_admin_key) {
        request->options.admin_key_pem = read_text(value, &size);
    } else if (option == CLI_OPTION_kbs_serve_admin_loopback) {
        request->options.has_loopback_admin = true;
    } else if (option == CLI_OPTION_kbs_serve_certificate) {
        request->certificate_path = value;
        request->listener.certificate_pem = read_text(value, &size);
    } else if (option == CLI_OPTION_kbs_serve_key) {
        request->key_path = value;
        request->listener.key_pem = read_text(value, &size);
    } else if (option == CLI_OPTION_kbs_serve_insecure_http) {
        request->allows_http = true;
    } else if (option == CLI_OPTION_kbs_serve_session) {
        const uint64_t seconds = cli_parse_duration_ns(arguments, value) / 1000000000;
        if (seconds == 0 || seconds > 86400) {
            cli_usage_error(arguments, "sessions last a second to a day");
        }
        request->options.session_seconds = (unsigned)seconds;
        request->options.token_seconds = (unsigned)seconds;
    } else {
        request->listener.threads = (unsigned)cli_parse_number(arguments, value, 64);
    }
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static void check(const struct cli_arguments *arguments, const struct serve_request *request)
{
    const struct alc_kbs_listener *listener = &request->listener;
    if (arguments->next != arguments->argc || request->options.store_path == NULL) {
        cli_usage_error(arguments, "--store, and no operands");
    }
    if ((listener->certificate_pem != NULL) != (listener->key_pem != NULL)) {
        cli_usage_error(arguments, "--certificate and --key belong together");
    }
    if (listener->certificate_pem == NULL && !request->allows_http &&
        !is_loopback(request->address)) {
        cli_usage_error(arguments, "other machines are served with --certificate and --key, or "
                                   "with --insecure-http");
    }
    if (request->options.accepts_emulated) {
        fprintf(stderr, "alcove: this broker takes emulated evidence, which anybody can make\n");
    }
}

static int worse(int exit_code, int other)
{
    return exit_code != CLI_OK ? exit_code : other;
}

/* Policies and collateral from their files, at the start and when somebody asks for it. What cannot
 * be read is reported, and stays as it was. */
static int load(struct alc_kbs *kbs, const struct serve_request *request)
{
    int exit_code =
        serve_load_collateral(kbs, request->collateral_paths, request->collateral_paths_count,
                              request->options.accepts_emulated);
    if (request->policy_path != NULL) {
        exit_code =
            worse(exit_code, serve_load_policy(kbs, request->policy_path, alc_kbs_set_policy));
    }
    if (request->appraisal_path != NULL) {
        exit_code = worse(exit_code,
                          serve_load_policy(kbs, request->appraisal_path, alc_kbs_set_appraisal));
    }
    return exit_code;
}

/* The same and, of a broker with TLS, certificate and key. */
static void load_again(struct alc_kbs *kbs, struct alc_kbs_server *server,
                       const struct serve_request *request)
{
    int exit_code = load(kbs, request);
    if (request->certificate_path != NULL) {
        exit_code = worse(exit_code, serve_load_certificate(server, request->certificate_path,
                                                            request->key_path));
    }
    if (exit_code == CLI_OK) {
        fprintf(stderr, "alcove: the files were read again\n");
    }
}

/* Until somebody asks the process to end. */
static int serve(struct alc_kbs *kbs, const struct serve_request *request, const sigset_t *signals)
{
    struct alc_kbs_server *server;
    struct alc_error error;
    uint16_t port;
    int signal_number;
    alc_error_clear(&error);
    if (alc_kbs_serve(kbs, &request->listener, &server, &port, &error) != ALC_OK) {
        return cli_report_error(request->address, &error);
    }
    const bool is_v6 = strchr(request->address, ':') != NULL;
    printf("serving %s://%s%s%s:%u\n", request->listener.certificate_pem != NULL ? "https" : "http",
           is_v6 ? "[" : "", request->address, is_v6 ? "]" : "", port);
    fflush(stdout);
    while (sigwait(signals, &signal_number) == 0 && signal_number == SIGHUP) {
        load_again(kbs, server, request);
    }
    alc_kbs_stop(server);
    return CLI_OK;
}

static int kbs_serve(struct cli_arguments *arguments)
{
    static struct serve_request request = {.address = "127.0.0.1", .listener = {.port = 8080}};
    struct alc_kbs *kbs;
    struct alc_error error;
    sigset_t signals;
    const char *value;
    int option;
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        apply_option(arguments, &request, (enum cli_option)option, value);
    }
    check(arguments, &request);
    request.listener.address = request.address;
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* for all threads that come */
    signal(SIGPIPE, SIG_IGN);
    alc_error_clear(&error);
    if (alc_kbs_open(&request.options, &kbs, &error) != ALC_OK) {
        return cli_report_error(request.options.store_path, &error);
    }
    int exit_code = load(kbs, &request);
    if (exit_code == CLI_OK) {
        exit_code = serve(kbs, &request, &signals);
    }
    alc_kbs_close(kbs);
    return exit_code;
}

/* -- the log -- */

static void print_row(void *context, const struct alc_kbs_audit_row *row)
{
    char text[32];
    struct tm parts;
    const time_t time = (time_t)row->time_s;
    (void)context;
    gmtime_r(&time, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    const char *const columns[] = {text,          row->is_allowed ? "allowed" : "refused",
                                   row->action,   row->peer,
                                   row->resource, row->subject,
                                   row->reason};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(columns); i++) {
        const struct alc_text column = kbs_text_of(columns[i][0] != '\0' ? columns[i] : "-");
        kbs_print_plain(&column);
        putchar(i + 1 < ALC_ARRAY_COUNT(columns) ? '\t' : '\n');
    }
}

static int kbs_audit(struct cli_arguments *arguments)
{
    struct alc_error error;
    const char *value;
    if (cli_next_option(arguments, &value) >= 0 || arguments->next + 1 != arguments->argc) {
        cli_usage_error(arguments, "one store");
    }
    const char *path = arguments->argv[arguments->next];
    alc_error_clear(&error);
    return alc_kbs_read_audit(path, print_row, NULL, &error) == ALC_OK
               ? CLI_OK
               : cli_report_error(path, &error);
}

static __attribute__((constructor)) void bring(void)
{
    static const struct cli_kbs commands = {
        .get = kbs_get,
        .put = kbs_put,
        .delete_ = kbs_delete,
        .list = kbs_list,
        .policy = kbs_policy,
        .serve = kbs_serve,
        .audit = kbs_audit,
        .relay = kbs_relay,
    };
    cli_kbs_register(&commands);
}
