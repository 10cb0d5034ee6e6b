/* SPDX-License-Identifier: Apache-2.0
 *
 * SIGSTRUCT: who vouches for an image and which attributes it may run with. RSA-3072 with exponent
 * 3 over OpenSSL. Keys are PEM files; the library keeps none.
 */
#ifndef ALC_SGX_SIGN_H
#define ALC_SGX_SIGN_H

#include "base/status.h"
#include "sgx_arch/arch.h"

struct alc_sign_options {
    uint16_t product_id;
    uint16_t svn;
    uint32_t date; /* BCD yyyymmdd, e.g. 0x20261124 */
    bool debug;    /* allow the enclave to be debugged */
};

/* Makes a signing key (RSA-3072, e = 3) as PEM text from malloc. ALC_E_INTERNAL when OpenSSL fails.
 */
ALC_MUST_CHECK alc_status alc_sign_generate_key(char **out_pem, size_t *out_size,
                                                struct alc_error *error);
/* Signs `mrenclave`. `pem` holds an RSA-3072 private key with e = 3: ALC_E_BAD_ARGUMENT otherwise.
 * The same input gives the same bytes. */
ALC_MUST_CHECK alc_status alc_sign(const uint8_t mrenclave[ALC_SGX_HASH_SIZE],
                                   const struct alc_sign_options *options, const char *pem,
                                   size_t pem_size, struct alc_sgx_sigstruct *out,
                                   struct alc_error *error);
/* What EINIT says about a SIGSTRUCT without looking at the enclave: ALC_SGX_SUCCESS,
 * ALC_SGX_INVALID_SIG_STRUCT (constants, reserved bytes) or ALC_SGX_INVALID_SIGNATURE (RSA, Q1,
 * Q2). *detail is static text. The date is nobody's business. */
ALC_MUST_CHECK enum alc_sgx_error alc_sigstruct_judge(const struct alc_sgx_sigstruct *sigstruct,
                                                      const char **detail);
/* The same as a status: ALC_OK or ALC_E_BAD_SIGSTRUCT. */
ALC_MUST_CHECK alc_status alc_sigstruct_verify(const struct alc_sgx_sigstruct *sigstruct,
                                               struct alc_error *error);
/* MRSIGNER: SHA-256 of the modulus. */
void alc_mrsigner(const struct alc_sgx_sigstruct *sigstruct, uint8_t mrsigner[ALC_SGX_HASH_SIZE]);

/* Q1 = floor(S^2 / N), Q2 = floor(S * (S^2 mod N) / N) of little-endian numbers of ALC_SGX_RSA_SIZE
 * bytes. ALC_E_BAD_SIGSTRUCT when S >= N or N is not a 3072-bit number. */
ALC_MUST_CHECK alc_status alc_sign_quotients(const uint8_t *modulus, const uint8_t *signature,
                                             uint8_t *out_q1, uint8_t *out_q2);

#endif
