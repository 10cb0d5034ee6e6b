/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence, as far as it says whose collateral it needs.
 */
#include <stdlib.h>
#include <string.h>

#include "attest/evidence_file.h"
#include "base/bytes.h"
#include "cli_collateral/fetch.h"

enum { CBOR_MAJOR_TAG = 6 };

static void read_report(const char *path, const struct alc_text *evidence, const char *product,
                        struct fetch_target *out)
{
    struct alc_reader reader;
    struct alc_error error;
    alc_error_clear(&error);
    alc_reader_init(&reader, evidence->bytes, evidence->size, &error);
    if (alc_snp_report_read(&reader, &out->report) != ALC_OK) {
        exit(cli_report_error(path, &error));
    }
    out->kind = ALC_EVIDENCE_SEV_SNP;
    bool is_known =
        out->report.has_cpu &&
        alc_snp_product_of_cpu(out->report.cpu_family, out->report.cpu_model, &out->product);
    for (size_t i = 0; product != NULL && i < ALC_SNP_PRODUCTS; i++) {
        if (strcmp(alc_snp_product_name((enum alc_snp_product)i), product) == 0) {
            out->product = (enum alc_snp_product)i;
            is_known = true;
        }
    }
    if (!is_known) {
        cli_die(CLI_USAGE, "%s: does not say of which product it is: --product", path);
    }
}

/* The authority's name says which of the two it is. */
static const char *authority_of(const struct alc_certificate *authority)
{
    return alc_text_is(&authority->common_name, "Intel SGX PCK Processor CA")  ? "processor"
           : alc_text_is(&authority->common_name, "Intel SGX PCK Platform CA") ? "platform"
                                                                               : NULL;
}

static void read_quote(const char *path, const struct alc_text *evidence, struct fetch_target *out)
{
    struct alc_reader reader;
    struct alc_error error;
    struct alc_quote quote;
    struct alc_chain chain;
    struct alc_pck pck;
    struct alc_arena arena;
    void *memory = cli_allocate(FETCH_ARENA_SIZE);
    alc_arena_init(&arena, memory, FETCH_ARENA_SIZE);
    alc_error_clear(&error);
    alc_reader_init(&reader, evidence->bytes, evidence->size, &error);
    if (alc_quote_read(&reader, &quote) != ALC_OK ||
        alc_chain_read(&arena, &quote.certificates, ALC_CERTIFICATE_INTEL, &chain) != ALC_OK) {
        exit(cli_report_error(path, &error));
    }
    out->authority = authority_of(&chain.certificates[1]);
    if (out->authority == NULL || alc_pck_read(&chain.certificates[0], &pck) != ALC_OK) {
        cli_die(CLI_FAILED, "%s: the certificate in it is not of a platform", path);
    }
    out->kind = quote.body == ALC_QUOTE_SGX ? ALC_EVIDENCE_SGX : ALC_EVIDENCE_TDX;
    alc_copy(out->fmspc, pck.fmspc, sizeof out->fmspc);
    free(memory);
}

/* A file has evidence itself, or with the claims that it binds. */
static struct alc_text evidence_of(const char *path, const struct cli_file *file)
{
    struct alc_evidence_file parts;
    struct alc_reader reader;
    struct alc_error error;
    if (file->size == 0 || file->bytes[0] >> 5 != CBOR_MAJOR_TAG) {
        return (struct alc_text){file->bytes, file->size};
    }
    alc_error_clear(&error);
    alc_reader_init(&reader, file->bytes, file->size, &error);
    if (alc_evidence_file_read(&reader, &parts) != ALC_OK) {
        exit(cli_report_error(path, &error));
    }
    return parts.tagged.evidence;
}

void fetch_target_read(const char *path, const char *product, struct fetch_target *out)
{
    struct cli_file file = cli_read_file(path);
    *out = (struct fetch_target){0};
    if (file.size > ALC_EVIDENCE_FILE_SIZE_MAX) {
        cli_die(CLI_FAILED, "%s: too large for evidence", path);
    }
    const struct alc_text evidence = evidence_of(path, &file);
    if (alc_snp_is_report(evidence.bytes, evidence.size)) {
        read_report(path, &evidence, product, out);
    } else {
        read_quote(path, &evidence, out);
    }
    cli_unmap(&file);
}

void fetch_target_read_vlek(const char *path, struct fetch_target *target)
{
    const bool needs_it =
        target->kind == ALC_EVIDENCE_SEV_SNP && target->report.key_kind == ALC_SNP_VLEK;
    if (path == NULL) {
        if (needs_it) {
            cli_die(CLI_FAILED, "the report is signed by a provider's key (VLEK), whose "
                                "certificate the provider has and no service: --vlek FILE");
        }
        return;
    }
    if (!needs_it) {
        cli_die(CLI_USAGE, "--vlek: the evidence is not signed by a provider's key");
    }
    const struct cli_file file = cli_read_file(path); /* lives as long as the process */
    if (!fetch_is_key_certificate(file.bytes, file.size)) {
        cli_die(CLI_USAGE, "%s: no certificate in DER", path);
    }
    target->vlek = (struct alc_text){file.bytes, file.size};
}
