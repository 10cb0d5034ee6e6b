/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys, certificates and revocation lists of the emulated platform. Inside the room only.
 *
 *   root -- authority -- platform (signs the quoting enclave's report)
 *        \- signer (of collateral)
 */
#ifndef ALC_SGX_EMU_QUOTE_CERTIFICATES_H
#define ALC_SGX_EMU_QUOTE_CERTIFICATES_H

#include "crypto/crypto.h"
#include "sgx_emu_quote/der_write.h"

enum emulated_party {
    EMULATED_ROOT,
    EMULATED_AUTHORITY,
    EMULATED_PLATFORM,
    EMULATED_SIGNER,
    EMULATED_ATTESTATION, /* has a key and no certificate */
    EMULATED_PARTIES,
};

/* What the platform's certificate says about it, and collateral about such platforms. */
#define EMULATED_PPID "alcove EMULATED" /* 16 bytes with its end */
#define EMULATED_FMSPC "\xA1\xC0\x5E\x00\x00\x00"
#define EMULATED_FMSPC_HEX "A1C05E000000"
enum { EMULATED_SVN = 1 }; /* of all components, PCE and quoting enclave */

/* r || s over SHA-256 of the bytes. The same bytes give the same signature. */
void emulated_sign(enum emulated_party signer, const void *bytes, size_t size, uint8_t out[64]);
void emulated_public_key(enum emulated_party party, struct alc_ec_public_key *out);
/* DER. */
void emulated_certificate(enum emulated_party party, struct der_writer *out);
/* The revocation list of the root or the authority, which is empty. DER. */
void emulated_list(enum emulated_party issuer, struct der_writer *out);

#endif
