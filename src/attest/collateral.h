/* SPDX-License-Identifier: Apache-2.0
 *
 * Endorsements (RFC 9334): what makers of processors say about them, as they say it. An input like
 * the evidence, and as hostile; nothing here is verified yet. All is borrowed.
 */
#ifndef ALC_ATTEST_COLLATERAL_H
#define ALC_ATTEST_COLLATERAL_H

#include "attest/json.h"

/* Intel's provisioning certification service, version 4, about one platform: for SGX or for TDX. */
struct alc_pcs_collateral {
    struct alc_text root_list;      /* DER */
    struct alc_text pck_list;       /* DER */
    struct alc_text tcb_info_chain; /* PEM */
    struct alc_text tcb_info;       /* JSON, exactly the bytes that are signed */
    uint8_t tcb_info_signature[64]; /* r || s */
    struct alc_text qe_identity_chain;
    struct alc_text qe_identity;
    uint8_t qe_identity_signature[64];
};

/* AMD's key distribution service about one processor. Empty texts: not given. */
struct alc_kds_collateral {
    struct alc_text endorsement_key; /* DER: VCEK or VLEK */
    struct alc_text chain;           /* PEM: ASK or ASVK, and ARK */
    struct alc_text revocation_list; /* DER */
};

/* NULL: not given. */
struct alc_collateral {
    const struct alc_pcs_collateral *pcs;
    const struct alc_kds_collateral *kds;
};

/* Reads one JSON object with the members root_ca_crl, pck_crl (hexadecimal DER),
 * tcb_info_issuer_chain, tcb_info, tcb_info_signature (hexadecimal), qe_identity_issuer_chain,
 * qe_identity, qe_identity_signature; others are skipped. Decoded texts come from `arena`.
 * ALC_E_BAD_JSON at the offset of what is wrong. */
ALC_MUST_CHECK alc_status alc_pcs_collateral_read(struct alc_arena *arena,
                                                  struct alc_reader *reader,
                                                  struct alc_pcs_collateral *out);

/* -- the service's separate answers -- */

/* Each reads one answer as the service gives it. ALC_E_BAD_JSON or ALC_E_BAD_COLLATERAL. */

/* The body of `tcb`: {"tcbInfo": …, "signature": …}. */
ALC_MUST_CHECK alc_status alc_pcs_read_tcb(struct alc_reader *reader,
                                           struct alc_pcs_collateral *out);
/* The body of `qe/identity`: {"enclaveIdentity": …, "signature": …}. */
ALC_MUST_CHECK alc_status alc_pcs_read_qe_identity(struct alc_reader *reader,
                                                   struct alc_pcs_collateral *out);
/* The body of `rootcacrl` or `pckcrl`: DER, its hexadecimal digits, or PEM. */
ALC_MUST_CHECK alc_status alc_pcs_read_list(struct alc_arena *arena, struct alc_reader *reader,
                                            struct alc_text *out);
/* The value of an …-Issuer-Chain header: PEM, percent-encoded or plain. */
ALC_MUST_CHECK alc_status alc_pcs_read_chain(struct alc_arena *arena, struct alc_reader *reader,
                                             struct alc_text *out);

/* The same for endorsement_key (hexadecimal DER), chain (PEM) and revocation_list (hexadecimal
 * DER). Without endorsement_key, its certificate must be in the chain. */
ALC_MUST_CHECK alc_status alc_kds_collateral_read(struct alc_arena *arena,
                                                  struct alc_reader *reader,
                                                  struct alc_kds_collateral *out);

#endif
