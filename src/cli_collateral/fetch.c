/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove collateral fetch: from the cache while its dates hold, else from the service.
 */
#include "cli_collateral/fetch.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <curl/curl.h>

#include "base/bytes.h"
#include "cli/collateral.h"
#include "cli/native_file.h"
#include "cli_collateral/http.h"

enum { BASE_SIZE_MAX = 256, COLLATERAL_SIZE_MAX = 4 << 20 };

struct request {
    struct fetch_services services;
    const char *product;
    const char *vlek_path;
    const char *output_path;
    bool refreshes;
};

/* -- the cache -- */

/* A file's name says what is in it and, by a digest, from which service. */
static void write_name(const struct fetch_target *target, const char *base, char *out)
{
    uint8_t digest[ALC_SHA256_SIZE];
    alc_sha256(base, strlen(base), digest);
    char *service = fetch_hex(digest, 4);
    if (target->kind == ALC_EVIDENCE_SEV_SNP) {
        const bool has_vlek = target->vlek.bytes != NULL;
        uint8_t key[ALC_SHA256_SIZE];
        if (has_vlek) {
            alc_sha256(target->vlek.bytes, target->vlek.size, key);
        } else {
            alc_sha256(target->report.chip_id, sizeof target->report.chip_id, key);
        }
        char *id = fetch_hex(key, 16);
        char *tcb = fetch_hex(target->report.reported_tcb, ALC_SNP_TCB_SIZE);
        snprintf(out, FETCH_NAME_SIZE_MAX, "snp%s-%s-%s-%s-%s.json", has_vlek ? "-vlek" : "",
                 alc_snp_product_name(target->product), id, tcb, service);
        free(id);
        free(tcb);
    } else {
        char *fmspc = fetch_hex(target->fmspc, sizeof target->fmspc);
        snprintf(out, FETCH_NAME_SIZE_MAX, "%s-%s-%s-%s.json",
                 target->kind == ALC_EVIDENCE_TDX ? "tdx" : "sgx", fmspc, target->authority,
                 service);
        free(fmspc);
    }
    free(service);
}

static bool is_current(const struct fetch_target *target, const void *bytes, size_t size)
{
    int64_t until_s;
    bool is_good = target->kind == ALC_EVIDENCE_SEV_SNP ? fetch_kds_until(bytes, size, &until_s)
                                                        : fetch_pcs_until(bytes, size, &until_s);
    return is_good && (int64_t)time(NULL) <= until_s;
}

/* NULL: there is none, or not any more. */
static char *read_cached(const struct fetch_target *target, const char *path)
{
    struct stat stat;
    if (lstat(path, &stat) != 0 || !S_ISREG(stat.st_mode) || stat.st_size > COLLATERAL_SIZE_MAX) {
        return NULL;
    }
    struct cli_file file = cli_read_file(path);
    char *text = NULL;
    if (is_current(target, file.bytes, file.size)) {
        text = cli_allocate(file.size + 1);
        alc_copy(text, file.bytes, file.size);
        text[file.size] = '\0';
    }
    cli_unmap(&file);
    return text;
}

/* -- fetching -- */

static char *fetch(const struct fetch_target *target, const char *base)
{
    int64_t until_s;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const bool is_snp = target->kind == ALC_EVIDENCE_SEV_SNP;
    json_t *object = is_snp ? fetch_kds(target, base) : fetch_pcs(target, base);
    char *text = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(object);
    curl_global_cleanup();
    if (text == NULL) {
        cli_die(CLI_FAILED, "out of memory");
    }
    const uint8_t *bytes = (const uint8_t *)text;
    if (!(is_snp ? fetch_kds_until(bytes, strlen(text), &until_s)
                 : fetch_pcs_until(bytes, strlen(text), &until_s))) {
        cli_die(CLI_FAILED, "%s: the answers together are no collateral", base);
    }
    if ((int64_t)time(NULL) > until_s) {
        fprintf(stderr, "alcove: %s: what it gave is past its date already\n", base);
    }
    return text;
}

static char *find(const struct request *request, const struct fetch_target *target)
{
    const char *base =
        target->kind == ALC_EVIDENCE_SEV_SNP ? request->services.kds : request->services.pcs;
    char folder[PATH_MAX - FETCH_NAME_SIZE_MAX - 1];
    char path[PATH_MAX];
    char name[FETCH_NAME_SIZE_MAX];
    const bool has_cache = cli_find_cache("collateral", folder, sizeof folder, true);
    if (has_cache) {
        write_name(target, base, name);
        snprintf(path, sizeof path, "%s/%s", folder, name);
    }
    char *text = has_cache && !request->refreshes ? read_cached(target, path) : NULL;
    if (text == NULL) {
        text = fetch(target, base);
        if (has_cache) {
            cli_write_file_whole(path, text, strlen(text), 0600);
        }
    }
    return text;
}

/* -- the command line -- */

/* A base URL without slashes at its end: only these letters, so that it says what it seems to. */
static const char *parse_base(const struct cli_arguments *arguments, const char *value)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._~:/[]%@";
    size_t size = strlen(value);
    while (size > 0 && value[size - 1] == '/') {
        size--;
    }
    const bool has_scheme = strncmp(value, "https://", 8) == 0 || strncmp(value, "http://", 7) == 0;
    if (!has_scheme || size > BASE_SIZE_MAX || value[strspn(value, letters)] != '\0') {
        cli_usage_error(arguments, "%s is not an http:// or https:// URL of a service", value);
    }
    char *base = cli_allocate(size + 1); /* lives as long as the process */
    alc_copy(base, value, size);
    base[size] = '\0';
    return base;
}

static void apply_option(const struct cli_arguments *arguments, struct request *request,
                         enum cli_option option, const char *value)
{
    if (option == CLI_OPTION_collateral_pcs) {
        request->services.pcs = parse_base(arguments, value);
    } else if (option == CLI_OPTION_collateral_kds) {
        request->services.kds = parse_base(arguments, value);
    } else if (option == CLI_OPTION_collateral_product) {
        request->product = value;
    } else if (option == CLI_OPTION_collateral_vlek) {
        request->vlek_path = value;
    } else if (option == CLI_OPTION_collateral_output) {
        request->output_path = value;
    } else {
        request->refreshes = true;
    }
}

static int run(struct cli_arguments *arguments)
{
    struct request request = {.services = fetch_services_default};
    struct fetch_target target;
    const char *value;
    int option;
    if (arguments->next >= arguments->argc ||
        strcmp(arguments->argv[arguments->next], "fetch") != 0) {
        cli_usage_error(arguments, "fetch is what it can do");
    }
    arguments->next++;
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        apply_option(arguments, &request, (enum cli_option)option, value);
    }
    fetch_target_read(cli_only_operand(arguments, "file with evidence"), request.product, &target);
    fetch_target_read_vlek(request.vlek_path, &target);
    char *text = find(&request, &target);
    if (request.output_path != NULL) {
        cli_write_file_whole(request.output_path, text, strlen(text), 0644);
    } else {
        puts(text);
    }
    free(text);
    return CLI_OK;
}

static __attribute__((constructor)) void bring(void)
{
    cli_collateral_register(run);
}
