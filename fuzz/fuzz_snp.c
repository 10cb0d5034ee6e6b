/* SPDX-License-Identifier: Apache-2.0
 *
 * SEV-SNP evidence as an adversary sends it: reports, certificates of endorsement keys, chains and
 * revocation lists in AMD's profile, collateral in JSON. Nothing is read beyond the input, errors
 * lie within it, and what was read can be used. The first byte chooses. Signatures are not
 * verified: no fuzzer gets past them, and what stands behind them is reached here without.
 */
#include <stdlib.h>

#include "attest/appraise.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MEMORY_SIZE = 1 << 16 };
enum target { REPORT, KEY, CHAIN, CHAIN_APART, LIST, COLLATERAL, TARGETS };

static uint8_t memory[MEMORY_SIZE];

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static alc_status fuzz_report(struct alc_reader *reader)
{
    struct alc_snp_report report;
    struct alc_snp_tcb tcb;
    enum alc_snp_product of_cpu;
    ALC_TRY(alc_snp_report_read(reader, &report));
    demand(alc_reader_at_end(reader) && report.version >= 2 && report.version <= 5);
    demand(report.has_cpu == (report.version >= 3));
    if (alc_snp_product_of_cpu(report.cpu_family, report.cpu_model, &of_cpu)) {
        demand(alc_snp_product_name(of_cpu) != NULL);
    }
    for (enum alc_snp_product product = 0; product < ALC_SNP_PRODUCTS; product++) {
        if (alc_snp_tcb_unpack(product, report.reported_tcb, &tcb)) {
            demand(alc_snp_tcb_reaches(&tcb, &tcb));
        }
    }
    return ALC_OK;
}

static void use_certificate(const struct alc_certificate *certificate)
{
    struct alc_snp_key key;
    enum alc_snp_product named;
    (void)alc_snp_product_of_name(certificate, "ARK-", &named);
    for (enum alc_snp_product product = 0; product < ALC_SNP_PRODUCTS; product++) {
        if (alc_snp_key_read(certificate, product, &key) == ALC_OK) {
            demand(key.chip_id_size <= sizeof key.chip_id && key.csp_id_size <= sizeof key.csp_id);
            demand((key.kind == ALC_SNP_VCEK) == (key.chip_id_size != 0));
            demand((key.kind == ALC_SNP_VLEK) == (key.csp_id_size != 0));
        }
    }
}

static alc_status fuzz_chain(struct alc_arena *arena, struct alc_reader *reader)
{
    struct alc_chain chain;
    ALC_TRY(alc_chain_read(arena, reader, ALC_CERTIFICATE_AMD, &chain));
    demand(chain.count >= 2 && chain.count <= ALC_CHAIN_CERTIFICATES_MAX);
    demand(!chain.certificates[0].is_authority);
    use_certificate(&chain.certificates[0]);
    return ALC_OK;
}

/* Two bytes say how much of the input is the certificate in DER. */
static alc_status fuzz_chain_apart(struct alc_arena *arena, struct alc_reader *reader)
{
    struct alc_chain chain;
    struct alc_reader der;
    uint16_t size;
    ALC_TRY(alc_read_u16(reader, &size));
    ALC_TRY(alc_read_sub(reader, size, &der));
    ALC_TRY(alc_chain_read_apart(arena, &der, reader, ALC_CERTIFICATE_AMD, &chain));
    demand(!chain.certificates[0].is_authority);
    return ALC_OK;
}

static alc_status fuzz_one(enum target target, struct alc_arena *arena, struct alc_reader *reader)
{
    struct alc_certificate certificate;
    struct alc_revocation_list list;
    struct alc_kds_collateral collateral;
    switch (target) {
    case REPORT:
        return fuzz_report(reader);
    case KEY:
        ALC_TRY(alc_certificate_read(reader, ALC_CERTIFICATE_AMD, &certificate));
        use_certificate(&certificate);
        return ALC_OK;
    case CHAIN:
        return fuzz_chain(arena, reader);
    case CHAIN_APART:
        return fuzz_chain_apart(arena, reader);
    case COLLATERAL:
        return alc_kds_collateral_read(arena, reader, &collateral);
    case LIST:
    case TARGETS:
        break;
    }
    static const struct alc_certificate none;
    ALC_TRY(alc_revocation_list_read(reader, ALC_CERTIFICATE_AMD, &list));
    (void)!alc_revocation_list_has(&list, &none);
    return ALC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct alc_arena arena;
    struct alc_reader reader;
    struct alc_error error;
    if (size == 0) {
        return 0;
    }
    alc_arena_init(&arena, memory, sizeof memory);
    alc_error_clear(&error);
    alc_reader_init(&reader, bytes + 1, size - 1, &error);
    (void)!fuzz_one((enum target)(bytes[0] % TARGETS), &arena, &reader);
    demand(error.status == ALC_OK || error.offset <= size);
    return 0;
}
