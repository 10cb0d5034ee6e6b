/* SPDX-License-Identifier: Apache-2.0
 *
 * A platform of our own: keys, certificates, revocation lists, collateral and quotes, made with
 * OpenSSL in the forms of Intel's provisioning service, so that tests can have every fault.
 */
#ifndef TESTS_UNIT_ATTEST_PLATFORM_H
#define TESTS_UNIT_ATTEST_PLATFORM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "attest/appraise.h"

/* All dates: 2025 unless a test changes one. */
#define PLATFORM_NOW 1751328000 /* 2025-07-01 */
enum { SERIAL_ROOT = 1, SERIAL_AUTHORITY, SERIAL_PLATFORM, SERIAL_SIGNER, SERIAL_NOBODY = 99 };

/* What a test may change before platform_make. */
struct platform_options {
    int revoked_by_root; /* serial numbers in the lists */
    int revoked_by_authority;
    const char *leaf_from;       /* notBefore of the platform's certificate, YYYYMMDDHHMMSSZ */
    const char *list_until;      /* nextUpdate of both lists, "" for the usual one */
    const char *tcb_until;       /* RFC 3339 */
    const char *tcb_levels;      /* JSON array of TCB info */
    const char *qe_levels;       /* JSON array of QE identity */
    const char *fmspc;           /* of TCB info, hexadecimal */
    bool authority_is_none;      /* the authority's certificate says CA:FALSE */
    bool has_no_extension;       /* no SGX extension */
    bool has_critical_extension; /* one that nobody knows */
    bool reverses_chain;
    bool is_emulated;           /* the root is the emulator's */
    bool signer_signs_platform; /* the platform's certificate hangs on the collateral's signer */
    uint8_t pce_svn;            /* of the platform */
    uint16_t qe_svn;
    uint64_t attributes;     /* flags of the enclave */
    uint8_t config_id[64];   /* what it was configured for */
    uint8_t report_data[64]; /* of the enclave; of a domain: td.report_data */
    uint64_t qe_attributes;  /* and of the quoting enclave */
    uint8_t report_data_end; /* last byte of the quoting enclave's report data */
    const char *qe_id;       /* of QE identity */
    int qe_version;          /* and its version */
    uint16_t quote_version;
    /* -- TDX -- */
    enum alc_quote_body body; /* anything but SGX: what follows is used, and tcb_levels are TDX's */
    uint32_t body_size;       /* in quotes of version 5; 0: the right one */
    uint32_t tee;             /* in the header; 0: the right one */
    struct alc_td_report td;
    const char *tcb_id;
    const char *modules; /* members of TCB info about TDX modules, each with a comma behind it */
};

/* What the room under test takes for the emulator's root: this object stands in for the room's own
 * (attest/emulated_root.c), which is not linked then. */
extern uint8_t platform_emulated_root[ALC_SHA256_SIZE] __asm__("alc_emulated_root_sha256");

struct platform {
    EVP_PKEY *root_key, *authority_key, *platform_key, *signer_key, *attestation_key;
    X509 *root, *authority, *leaf, *signer;
    uint8_t root_sha256[32];
    uint8_t root_list[2000], pck_list[2000];
    char quote_chain[8000], signer_chain[8000];
    char tcb_info[6000], qe_identity[3000];
    uint8_t quote[20000];
    struct alc_pcs_collateral collateral;
    struct alc_appraisal appraisal;
};

extern const struct platform_options platform_options_default; /* an enclave, version 3 */
extern const struct platform_options platform_options_tdx;     /* a domain, TDX 1.5, version 5 */

void platform_make(struct platform *out, const struct platform_options *options);
void platform_free(struct platform *platform);

#endif
