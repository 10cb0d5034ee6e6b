/* SPDX-License-Identifier: Apache-2.0
 *
 * What a provisioning certification key's certificate says about its platform: the extension
 * 1.2.840.113741.1.13.1 (Intel SGX PCK Certificate and CRL Profile Specification, 1.3.5).
 */
#ifndef ALC_ATTEST_PCK_H
#define ALC_ATTEST_PCK_H

#include "attest/certificate.h"

enum { ALC_TCB_COMPONENTS = 16, ALC_FMSPC_SIZE = 6, ALC_PCE_ID_SIZE = 2 };

struct alc_pck {
    uint8_t components[ALC_TCB_COMPONENTS]; /* SVNs of the platform's parts */
    uint32_t pce_svn;
    uint8_t pce_id[ALC_PCE_ID_SIZE];
    uint8_t fmspc[ALC_FMSPC_SIZE]; /* family, model, stepping, platform, custom SKU */
};

/* ALC_E_BAD_CERTIFICATE unless the certificate has the extension with all of these parts, once. */
ALC_MUST_CHECK alc_status alc_pck_read(const struct alc_certificate *certificate,
                                       struct alc_pck *out);

#endif
