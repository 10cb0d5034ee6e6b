/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports of SEV-SNP guests (SEV-SNP Firmware ABI Specification, 56860, ATTESTATION_REPORT), and
 * what the certificate of the key that signed one says (Versioned Chip Endorsement Key Certificate
 * and KDS Interface Specification, 57230). Input is hostile. Reading checks form, alc_appraise
 * (appraise.h) everything else.
 */
#ifndef ALC_ATTEST_SNP_H
#define ALC_ATTEST_SNP_H

#include "attest/certificate.h"

enum {
    ALC_SNP_REPORT_SIZE = 0x4a0,
    ALC_SNP_SIGNED_SIZE = 0x2a0, /* what comes before the signature */
    ALC_SNP_MEASUREMENT_SIZE = 48,
    ALC_SNP_HOST_DATA_SIZE = 32,
    ALC_SNP_ID_SIZE = 16,
    ALC_SNP_KEY_DIGEST_SIZE = 48,
    ALC_SNP_CHIP_ID_SIZE = 64,
    ALC_SNP_CSP_ID_SIZE_MAX = 64,
    ALC_SNP_TCB_SIZE = 8,
};

enum alc_snp_product {
#define SNP_PRODUCT(ident, name, layout, low, high, more_low, more_high, root) ALC_SNP_##ident,
#include "attest/snp.def"
#undef SNP_PRODUCT
    ALC_SNP_PRODUCTS
};

/* The name in certificates and paths: "Milan". */
const char *alc_snp_product_name(enum alc_snp_product product);
/* SHA-256 of the certificate of AMD's root key for it. */
void alc_snp_product_root(enum alc_snp_product product, uint8_t out[ALC_SHA256_SIZE]);
/* The product whose name follows `prefix` in a certificate's common name. */
bool alc_snp_product_of_name(const struct alc_certificate *certificate, const char *prefix,
                             enum alc_snp_product *out);
/* The product of a processor with this family and model. */
bool alc_snp_product_of_cpu(uint8_t family, uint8_t model, enum alc_snp_product *out);

/* Bits of a guest's policy and of what its platform is like (snp_bits.def). The lowest byte of the
 * policy is the minor, the next the major version of the ABI that the firmware must have at least.
 */
enum alc_snp_policy_bit {
    ALC_SNP_POLICY_ABI = 0xffff,
    ALC_SNP_POLICY_ALWAYS = 1 << 17,
#define POLICY_BIT(ident, bit, word, text) ALC_SNP_##ident = 1 << (bit),
#define PLATFORM_BIT(ident, bit, word, text)
#include "attest/snp_bits.def"
#undef POLICY_BIT
#undef PLATFORM_BIT
};
enum alc_snp_platform_bit {
#define POLICY_BIT(ident, bit, word, text)
#define PLATFORM_BIT(ident, bit, word, text) ALC_SNP_PLATFORM_##ident = 1 << (bit),
#include "attest/snp_bits.def"
#undef POLICY_BIT
#undef PLATFORM_BIT
};

/* Security patch levels of firmware and microcode. */
struct alc_snp_tcb {
    uint8_t fmc; /* Turin; 0 before */
    uint8_t bootloader;
    uint8_t tee;
    uint8_t snp;
    uint8_t microcode;
};

/* Parts of a TCB version as a product packs them. Bytes without a part MUST be zero: false. */
ALC_MUST_CHECK bool alc_snp_tcb_unpack(enum alc_snp_product product,
                                       const uint8_t packed[ALC_SNP_TCB_SIZE],
                                       struct alc_snp_tcb *out);
/* Whether each part of `tcb` is at least that of `min`. */
bool alc_snp_tcb_reaches(const struct alc_snp_tcb *tcb, const struct alc_snp_tcb *min);

/* What signs a report. */
enum alc_snp_key_kind {
    ALC_SNP_VCEK = 0, /* derived from the chip's secret and its TCB */
    ALC_SNP_VLEK = 1, /* given to a provider of clouds for all of its chips */
    ALC_SNP_UNSIGNED = 7,
};

struct alc_snp_firmware {
    uint8_t major;
    uint8_t minor;
    uint8_t build;
};

struct alc_snp_report {
    uint32_t version; /* 2 to 5 */
    uint32_t guest_svn;
    uint64_t policy; /* enum alc_snp_policy_bit */
    uint8_t family_id[ALC_SNP_ID_SIZE];
    uint8_t image_id[ALC_SNP_ID_SIZE];
    uint32_t vmpl;          /* of who asked for it; all ones: the host did */
    uint64_t platform_info; /* enum alc_snp_platform_bit */
    enum alc_snp_key_kind key_kind;
    bool chip_is_masked; /* chip_id is zero then */
    bool has_author_key;
    uint8_t report_data[64];
    uint8_t measurement[ALC_SNP_MEASUREMENT_SIZE];
    uint8_t host_data[ALC_SNP_HOST_DATA_SIZE];
    uint8_t id_key_digest[ALC_SNP_KEY_DIGEST_SIZE];
    uint8_t author_key_digest[ALC_SNP_KEY_DIGEST_SIZE];
    uint8_t report_id[32];
    uint8_t report_id_ma[32];
    bool has_cpu; /* version 3 and later */
    uint8_t cpu_family;
    uint8_t cpu_model;
    uint8_t cpu_stepping;
    uint8_t chip_id[ALC_SNP_CHIP_ID_SIZE]; /* Turin: 8 bytes, then zeros */
    uint8_t current_tcb[ALC_SNP_TCB_SIZE]; /* packed; so the next */
    uint8_t reported_tcb[ALC_SNP_TCB_SIZE];
    uint8_t committed_tcb[ALC_SNP_TCB_SIZE];
    uint8_t launch_tcb[ALC_SNP_TCB_SIZE];
    struct alc_snp_firmware current;
    struct alc_snp_firmware committed;
    uint64_t launch_mitigations; /* version 4 and later: 0 before */
    uint64_t current_mitigations;
    struct alc_ecdsa_signature signature; /* P-384, SHA-384 */
};

/* Whether these bytes can only be meant as a report, not as a quote. */
bool alc_snp_is_report(const uint8_t *bytes, size_t size);
/* Reads exactly one. ALC_E_BAD_REPORT at the offset of what is not in the form, which fields that
 * must be zero and are not are; ALC_E_NOT_SUPPORTED for other versions and signature algorithms. */
ALC_MUST_CHECK alc_status alc_snp_report_read(struct alc_reader *reader,
                                              struct alc_snp_report *out);

/* What a certificate says about an endorsement key. */
struct alc_snp_key {
    enum alc_snp_key_kind kind; /* by which of the next two it has */
    uint8_t chip_id[ALC_SNP_CHIP_ID_SIZE];
    size_t chip_id_size;                     /* 64 or, on Turin, 8 */
    uint8_t csp_id[ALC_SNP_CSP_ID_SIZE_MAX]; /* name of the provider */
    size_t csp_id_size;
    struct alc_snp_tcb tcb;
};

/* What a verdict says about a guest; see appraise.h for from when on. */
struct alc_snp_verdict {
    enum alc_snp_product product;
    struct alc_snp_key key;
    struct alc_snp_report report;
    struct alc_snp_tcb current_tcb; /* unpacked from the report; so the next */
    struct alc_snp_tcb reported_tcb;
    struct alc_snp_tcb committed_tcb;
    struct alc_snp_tcb launch_tcb;
};

/* ALC_E_BAD_CERTIFICATE unless the certificate has the extensions of `product`, each once. */
ALC_MUST_CHECK alc_status alc_snp_key_read(const struct alc_certificate *certificate,
                                           enum alc_snp_product product, struct alc_snp_key *out);

#endif
