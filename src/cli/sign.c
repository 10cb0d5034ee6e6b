/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove sign: makes the signature structure of an image.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "cli/enclave.h"
#include "sgx/sign.h"

/* The signing request as the options gave it. */
struct request {
    const char *key_path;
    const char *new_key_path;
    const char *output_path;
    struct cli_image_kind kind;
    struct alc_sign_options options;
};

static uint32_t bcd(uint32_t number)
{
    uint32_t digits = 0;
    for (unsigned shift = 0; number != 0; shift += 4, number /= 10) {
        digits |= number % 10 << shift;
    }
    return digits;
}

static uint32_t today(void)
{
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    return bcd((uint32_t)(utc.tm_year + 1900) * 10000 + (uint32_t)(utc.tm_mon + 1) * 100 +
               (uint32_t)utc.tm_mday);
}

static uint32_t parse_date(const struct cli_arguments *arguments, const char *text)
{
    unsigned year;
    unsigned month;
    unsigned day;
    int size = 0;
    if (strlen(text) != 10 || sscanf(text, "%4u-%2u-%2u%n", &year, &month, &day, &size) != 3 ||
        size != 10 || month < 1 || month > 12 || day < 1 || day > 31) {
        cli_usage_error(arguments, "--date %s: YYYY-MM-DD", text);
    }
    return bcd(year * 10000 + month * 100 + day);
}

static void parse_options(struct cli_arguments *arguments, struct request *out)
{
    const char *value;
    int option;
    *out = (struct request){.options = {.date = today()}};
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        if (option == CLI_OPTION_sign_key) {
            out->key_path = value;
        } else if (option == CLI_OPTION_sign_new_key) {
            out->new_key_path = value;
        } else if (option == CLI_OPTION_sign_native) {
            out->kind.is_native = true;
        } else if (option == CLI_OPTION_sign_complete) {
            out->kind.is_complete = true;
        } else if (option == CLI_OPTION_sign_output) {
            out->output_path = value;
        } else if (option == CLI_OPTION_sign_product) {
            out->options.product_id = (uint16_t)cli_parse_number(arguments, value, UINT16_MAX);
        } else if (option == CLI_OPTION_sign_svn) {
            out->options.svn = (uint16_t)cli_parse_number(arguments, value, UINT16_MAX);
        } else if (option == CLI_OPTION_sign_date) {
            out->options.date = parse_date(arguments, value);
        } else {
            out->options.debug = true;
        }
    }
    if ((out->key_path == NULL) == (out->new_key_path == NULL)) {
        cli_usage_error(arguments, "one of --key and --new-key");
    }
    if (out->output_path == NULL || arguments->next + 1 < arguments->argc) {
        cli_usage_error(arguments,
                        out->output_path == NULL ? "--output is missing" : "one image, please");
    }
}

/* The key as PEM text, from malloc. */
static char *get_key(const struct request *request, size_t *out_size)
{
    char *pem;
    struct alc_error error;
    alc_error_clear(&error);
    if (request->key_path != NULL) {
        struct cli_file file = cli_read_file(request->key_path);
        pem = cli_allocate(file.size);
        alc_copy(pem, file.bytes, file.size);
        *out_size = file.size;
        cli_unmap(&file);
        return pem;
    }
    if (alc_sign_generate_key(&pem, out_size, &error) != ALC_OK) {
        exit(cli_report_error("new key", &error));
    }
    cli_write_file(request->new_key_path, pem, *out_size, 0600);
    return pem;
}

int cli_sign(struct cli_arguments *arguments)
{
    struct request request;
    struct cli_image image;
    struct alc_sgx_sigstruct sigstruct;
    struct alc_error error;
    uint8_t mrenclave[ALC_SGX_HASH_SIZE];
    parse_options(arguments, &request);
    cli_image_open(arguments->next < arguments->argc ? arguments->argv[arguments->next] : NULL,
                   NULL, request.kind, &image);
    alc_image_measure(&image.parsed, mrenclave);
    size_t pem_size;
    char *pem = get_key(&request, &pem_size);
    alc_error_clear(&error);
    alc_status status = alc_sign(mrenclave, &request.options, pem, pem_size, &sigstruct, &error);
    alc_wipe(pem, pem_size);
    free(pem);
    if (status != ALC_OK) {
        return cli_report_error("sign", &error);
    }
    cli_write_file(request.output_path, &sigstruct, sizeof sigstruct, 0644);
    uint8_t mrsigner[ALC_SGX_HASH_SIZE];
    alc_mrsigner(&sigstruct, mrsigner);
    printf("mrenclave: ");
    cli_print_hex(stdout, mrenclave, sizeof mrenclave);
    printf("\nmrsigner:  ");
    cli_print_hex(stdout, mrsigner, sizeof mrsigner);
    printf("\n");
    return CLI_OK;
}
