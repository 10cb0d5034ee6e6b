/* SPDX-License-Identifier: Apache-2.0
 *
 * `alcove witness serve`: a database, a key, a socket.
 */
#include "cli_complete/witness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cli_complete/vouch.h"
#include "keys/keys.h"

#if ALC_HAS_WITNESS_SERVER

#include "witness_server/server.h"

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

static int serve(int listener, const char *store_path, const struct alc_ec_private_key *key)
{
    struct alc_witness_database *database;
    struct alc_error error;
    alc_error_clear(&error);
    if (alc_witness_database_open(store_path, &database, &error) != ALC_OK) {
        return cli_report_error(store_path, &error);
    }
    const struct alc_witness_store store = alc_witness_database_store(database);
    const struct alc_witness_service service = {
        .store = &store, .key = key, .random = &alc_keys_random, .stop = &g_stop};
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    printf("ready\n");
    fflush(stdout);
    alc_status status = alc_witness_serve(listener, &service);
    alc_witness_database_close(database);
    return alc_status_exit_code(status);
}

int cli_complete_witness(struct cli_arguments *arguments)
{
    const char *listen_at = NULL;
    const char *store_path = NULL;
    const char *key_path = NULL;
    bool is_new = false;
    const char *value;
    int option;
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        if (option == CLI_OPTION_witness_listen) {
            listen_at = value;
        } else if (option == CLI_OPTION_witness_store) {
            store_path = value;
        } else {
            key_path = value;
            is_new = option == CLI_OPTION_witness_new_key;
        }
    }
    if (arguments->next + 1 != arguments->argc ||
        strcmp(arguments->argv[arguments->next], "serve") != 0 || listen_at == NULL ||
        store_path == NULL || key_path == NULL) {
        cli_usage_error(arguments, "serve, with --listen, --store, and --key or --new-key");
    }
    if (is_new) {
        cli_complete_make_key(key_path);
    }
    struct alc_ec_private_key key;
    read_key(key_path, &key);
    int exit_code = serve(cli_open_listener(arguments, "--listen", listen_at), store_path, &key);
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
