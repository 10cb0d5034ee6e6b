/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of AMD's key distribution service (57230, chapter 4) as one object.
 */
#include <stdlib.h>
#include <string.h>

#include "cli_collateral/fetch.h"
#include "cli_collateral/http.h"

/* The chip and its reported TCB, as the service names them. */
static void write_key_url(const struct fetch_target *target, const char *base, char *out)
{
    const struct alc_snp_report *report = &target->report;
    const bool has_fmc = target->product == ALC_SNP_TURIN;
    struct alc_snp_tcb tcb;
    char fmc[20] = "";
    char *chip = fetch_hex(report->chip_id, has_fmc ? 8 : ALC_SNP_CHIP_ID_SIZE);
    if (!alc_snp_tcb_unpack(target->product, report->reported_tcb, &tcb)) {
        cli_die(CLI_FAILED, "the reported TCB is not one of %s",
                alc_snp_product_name(target->product));
    }
    if (has_fmc) {
        snprintf(fmc, sizeof fmc, "fmcSPL=%u&", tcb.fmc);
    }
    snprintf(out, HTTP_URL_SIZE_MAX, "%s/vcek/v1/%s/%s?%sblSPL=%u&teeSPL=%u&snpSPL=%u&ucodeSPL=%u",
             base, alc_snp_product_name(target->product), chip, fmc, tcb.bootloader, tcb.tee,
             tcb.snp, tcb.microcode);
    free(chip);
}

bool fetch_is_key_certificate(const uint8_t *bytes, size_t size)
{
    struct alc_certificate certificate;
    struct alc_reader reader;
    alc_reader_init(&reader, bytes, size, NULL);
    return alc_certificate_read(&reader, ALC_CERTIFICATE_AMD, &certificate) == ALC_OK;
}

static void set_key(json_t *object, const char *where, const uint8_t *bytes, size_t size)
{
    char *digits = fetch_hex(bytes, size);
    json_object_set_new(object, "endorsement_key", fetch_string(where, digits, strlen(digits)));
    free(digits);
}

static void add_key(json_t *object, const char *url)
{
    struct http_answer answer;
    http_get(url, NULL, &answer);
    if (!fetch_is_key_certificate(answer.bytes, answer.size)) {
        cli_die(CLI_FAILED, "%s: the answer is no certificate", url);
    }
    set_key(object, url, answer.bytes, answer.size);
    http_answer_free(&answer);
}

/* The last of `object` that is looked at: what was got so far must be a chain. */
static void add_chain(json_t *object, const char *url)
{
    struct http_answer answer;
    http_get(url, NULL, &answer);
    json_object_set_new(object, "chain", fetch_string(url, answer.bytes, answer.size));
    http_answer_free(&answer);
}

static void add_list(json_t *object, const char *url)
{
    struct http_answer answer;
    struct alc_arena arena;
    void *memory = cli_allocate(HTTP_SIZE_MAX);
    alc_arena_init(&arena, memory, HTTP_SIZE_MAX);
    http_get(url, NULL, &answer);
    struct alc_text list = fetch_list(url, &arena, answer.bytes, answer.size, ALC_CERTIFICATE_AMD);
    char *digits = fetch_hex(list.bytes, list.size);
    json_object_set_new(object, "revocation_list", fetch_string(url, digits, strlen(digits)));
    free(digits);
    free(memory);
    http_answer_free(&answer);
}

json_t *fetch_kds(const struct fetch_target *target, const char *base)
{
    const bool has_vlek = target->vlek.bytes != NULL;
    const char *kind = has_vlek ? "vlek" : "vcek";
    const char *product = alc_snp_product_name(target->product);
    char url[HTTP_URL_SIZE_MAX];
    json_t *object = json_object();
    if (has_vlek) {
        set_key(object, "--vlek", target->vlek.bytes, target->vlek.size);
    } else {
        if (target->report.chip_is_masked) {
            cli_die(CLI_FAILED, "the report does not name its chip: its host has the certificate");
        }
        write_key_url(target, base, url);
        add_key(object, url);
    }
    snprintf(url, sizeof url, "%s/%s/v1/%s/cert_chain", base, kind, product);
    add_chain(object, url);
    snprintf(url, sizeof url, "%s/%s/v1/%s/crl", base, kind, product);
    add_list(object, url);
    return object;
}

bool fetch_kds_until(const uint8_t *bytes, size_t size, int64_t *out_s)
{
    struct alc_kds_collateral collateral;
    struct alc_revocation_list list;
    struct alc_chain chain = {.count = 0};
    struct alc_reader reader;
    struct alc_reader leaf;
    struct alc_reader authorities;
    struct alc_arena arena;
    void *memory = cli_allocate(size + FETCH_ARENA_SIZE);
    alc_arena_init(&arena, memory, size + FETCH_ARENA_SIZE);
    alc_reader_init(&reader, bytes, size, NULL);
    bool is_good = alc_kds_collateral_read(&arena, &reader, &collateral) == ALC_OK;
    if (is_good) {
        alc_reader_init(&leaf, collateral.endorsement_key.bytes, collateral.endorsement_key.size,
                        NULL);
        alc_reader_init(&authorities, collateral.chain.bytes, collateral.chain.size, NULL);
        alc_reader_init(&reader, collateral.revocation_list.bytes, collateral.revocation_list.size,
                        NULL);
        is_good = alc_chain_read_apart(&arena, &leaf, &authorities, ALC_CERTIFICATE_AMD, &chain) ==
                      ALC_OK &&
                  alc_revocation_list_read(&reader, ALC_CERTIFICATE_AMD, &list) == ALC_OK;
    }
    if (is_good) {
        *out_s = list.next_update_s;
    }
    for (size_t i = 0; is_good && i < chain.count; i++) {
        const int64_t until_s = chain.certificates[i].not_after_s;
        *out_s = until_s < *out_s ? until_s : *out_s;
    }
    free(memory);
    return is_good;
}
