/* SPDX-License-Identifier: Apache-2.0
 *
 * `alcove witness serve`: a database or a cluster, a key, a socket.
 */
#include "cli_complete/witness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/native_file.h"
#include "cli_complete/vouch.h"
#include "keys/keys.h"

#if ALC_HAS_WITNESS_SERVER

#include "witness_server/server.h"
#if ALC_HAS_WITNESS_ETCD
#include "witness_etcd/etcd.h"
#endif

/* Not there in `alcove`, which hands over to the program that has them. */
#pragma weak alc_witness_serve
#pragma weak alc_witness_database_open
#pragma weak alc_witness_database_store
#pragma weak alc_witness_database_close
#if ALC_HAS_WITNESS_ETCD
#pragma weak alc_witness_etcd_open
#pragma weak alc_witness_etcd_store
#pragma weak alc_witness_etcd_close
#endif

struct backing {
    const char *path; /* of a database, or NULL */
    const char *etcd; /* URLs, or NULL */
    const char *etcd_ca;
    const char *etcd_certificate;
    const char *etcd_key;
};

static volatile uint32_t g_stop;

static void stop(int number)
{
    (void)number;
    g_stop = 1;
}

static void read_key(const char *path, struct alc_ec_private_key *out)
{
    struct cli_file file = cli_read_file(path);
    struct alc_error error;
    alc_error_clear(&error);
    if (alc_keys_read_private((const char *)file.bytes, file.size, out, &error) != ALC_OK ||
        out->curve != ALC_CURVE_P256) {
        cli_die(CLI_USAGE, "%s: not a private key of P-256", path);
    }
    cli_unmap(&file);
}

static int serve(int listener, const struct alc_witness_store *store,
                 const struct alc_ec_private_key *key)
{
    const struct alc_witness_service service = {
        .store = store, .key = key, .random = &alc_keys_random, .stop = &g_stop};
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    printf("ready\n");
    fflush(stdout);
    return alc_status_exit_code(alc_witness_serve(listener, &service));
}

static int serve_database(int listener, const char *path, const struct alc_ec_private_key *key)
{
    struct alc_witness_database *database;
    struct alc_error error;
    alc_error_clear(&error);
    if (alc_witness_database_open(path, &database, &error) != ALC_OK) {
        return cli_report_error(path, &error);
    }
    const struct alc_witness_store store = alc_witness_database_store(database);
    int exit_code = serve(listener, &store, key);
    alc_witness_database_close(database);
    return exit_code;
}

#if ALC_HAS_WITNESS_ETCD

static void report(const char *url, const char *trouble)
{
    fprintf(stderr, "alcove: %s: %s\n", url, trouble == NULL ? "answers again" : trouble);
}

static int serve_etcd(int listener, const struct backing *backing,
                      const struct alc_ec_private_key *key)
{
    const struct alc_witness_etcd_options options = {.urls = backing->etcd,
                                                     .ca_path = backing->etcd_ca,
                                                     .certificate_path = backing->etcd_certificate,
                                                     .key_path = backing->etcd_key,
                                                     .report = report};
    struct alc_witness_etcd *etcd;
    struct alc_error error;
    alc_error_clear(&error);
    if (alc_witness_etcd_open(&options, &etcd, &error) != ALC_OK) {
        return cli_report_error(backing->etcd, &error);
    }
    const struct alc_witness_store store = alc_witness_etcd_store(etcd);
    int exit_code = serve(listener, &store, key);
    alc_witness_etcd_close(etcd);
    return exit_code;
}

#else

static int serve_etcd(int listener, const struct backing *backing,
                      const struct alc_ec_private_key *key)
{
    (void)listener;
    (void)backing;
    (void)key;
    cli_die(CLI_USAGE, "this program was built without libcurl or jansson, and so without etcd");
}

#endif

static bool is_whole(const struct backing *backing)
{
    bool has_options = backing->etcd_ca != NULL || backing->etcd_certificate != NULL;
    return (backing->path == NULL) != (backing->etcd == NULL) &&
           (backing->etcd != NULL || !has_options) &&
           (backing->etcd_certificate == NULL) == (backing->etcd_key == NULL);
}

int cli_complete_witness(struct cli_arguments *arguments)
{
    const char *listen_at = NULL;
    struct backing backing = {.path = NULL};
    const char *key_path = NULL;
    bool is_new = false;
    const char *value;
    int option;
    if (alc_witness_serve == NULL) {
        cli_hand_over(arguments, CLI_NETWORK_PROGRAM);
        cli_die(CLI_FAILED, CLI_NETWORK_PROGRAM " is not beside this program");
    }
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        if (option == CLI_OPTION_witness_listen) {
            listen_at = value;
        } else if (option == CLI_OPTION_witness_store) {
            backing.path = value;
        } else if (option == CLI_OPTION_witness_etcd) {
            backing.etcd = value;
        } else if (option == CLI_OPTION_witness_etcd_ca) {
            backing.etcd_ca = value;
        } else if (option == CLI_OPTION_witness_etcd_cert) {
            backing.etcd_certificate = value;
        } else if (option == CLI_OPTION_witness_etcd_key) {
            backing.etcd_key = value;
        } else {
            key_path = value;
            is_new = option == CLI_OPTION_witness_new_key;
        }
    }
    if (arguments->next + 1 != arguments->argc ||
        strcmp(arguments->argv[arguments->next], "serve") != 0 || listen_at == NULL ||
        !is_whole(&backing) || key_path == NULL) {
        cli_usage_error(arguments,
                        "serve, with --listen, --store or --etcd, and --key or --new-key");
    }
    if (is_new) {
        cli_complete_make_key(key_path);
    }
    struct alc_ec_private_key key;
    read_key(key_path, &key);
    int listener = cli_open_listener(arguments, "--listen", listen_at);
    int exit_code = backing.path != NULL ? serve_database(listener, backing.path, &key)
                                         : serve_etcd(listener, &backing, &key);
    alc_wipe(&key, sizeof key);
    return exit_code;
}

#else

int cli_complete_witness(struct cli_arguments *arguments)
{
    (void)arguments;
    cli_die(CLI_USAGE, "this program was built without SQLite, and so without a witness");
}

#endif
