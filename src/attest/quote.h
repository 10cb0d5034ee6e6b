/* SPDX-License-Identifier: Apache-2.0
 *
 * Quotes as Intel's DCAP makes them, signed with P-256: of SGX enclaves (versions 3, 4 and 5) and
 * of TDX trust domains (versions 4 and 5); Quote Generation Library reference, appendix A, and TDX
 * Quoting Library, appendix 3. Input is hostile; parts are borrowed from it. Reading checks form,
 * alc_appraise (appraise.h) everything else.
 */
#ifndef ALC_ATTEST_QUOTE_H
#define ALC_ATTEST_QUOTE_H

#include "attest/td.h"
#include "crypto/crypto.h"
#include "sgx_arch/arch.h"

enum { ALC_QUOTE_SIZE_MAX = 64 * 1024 };

/* What stands where the certificate is. */
enum alc_quote_certificate_type {
    ALC_QUOTE_CERTIFICATE_PEM = 5,       /* leaf, authority and root in any order */
    ALC_QUOTE_CERTIFICATE_QE_REPORT = 6, /* the quoting enclave's report, and then again one */
};

/* What is quoted, by its number in version 5. */
enum alc_quote_body {
    ALC_QUOTE_SGX = 1,
    ALC_QUOTE_TD_10 = 2,
    ALC_QUOTE_TD_15 = 3,
    ALC_QUOTE_TD_15EX = 4,
};

struct alc_quote {
    uint16_t version;
    uint16_t qe_svn;
    uint16_t pce_svn;
    enum alc_quote_body body;
    const uint8_t *signed_bytes; /* header and body */
    size_t signed_size;
    struct alc_sgx_report_body report; /* of SGX; else zeros */
    struct alc_td_report td;           /* of TDX; else zeros */
    struct alc_ecdsa_signature signature;
    struct alc_ec_public_key attestation_key; /* not yet checked to be one */
    const uint8_t *qe_report_bytes;
    struct alc_sgx_report_body qe_report;
    struct alc_ecdsa_signature qe_report_signature;
    const uint8_t *qe_authentication;
    size_t qe_authentication_size;
    struct alc_reader certificates; /* PEM */
};

/* Behind the quote there may be zeros, which a quoting service leaves in its buffer, and nothing
 * else. ALC_E_BAD_QUOTE at the offset of what is not in the form; ALC_E_NOT_SUPPORTED for other
 * versions, bodies, kinds of keys or of certificates. */
ALC_MUST_CHECK alc_status alc_quote_read(struct alc_reader *reader, struct alc_quote *out);

#endif
