/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes and checks SIGSTRUCTs (SDM 35.14, EINIT in 37.3). RSA and the big-number quotients are
 * OpenSSL's; the processor gets Q1 and Q2 so that it can verify by multiplications alone.
 */
#include "sgx/sign.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/sha256.h"

enum { RSA_BITS = 8 * ALC_SGX_RSA_SIZE, RSA_EXPONENT = 3 };

static const uint8_t header_bytes[16] = ALC_SGX_SIGSTRUCT_HEADER;
static const uint8_t header2_bytes[16] = ALC_SGX_SIGSTRUCT_HEADER2;

/* -- OpenSSL objects that leave with their scope -- */
static void free_pkey(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
}
static void free_pkey_ctx(EVP_PKEY_CTX **ctx)
{
    EVP_PKEY_CTX_free(*ctx);
}
static void free_md_ctx(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}
static void free_bio(BIO **bio)
{
    BIO_free(*bio);
}
static void free_bn(BIGNUM **number)
{
    BN_clear_free(*number);
}
static void free_bn_ctx(BN_CTX **ctx)
{
    BN_CTX_free(*ctx);
}
static void free_param_builder(OSSL_PARAM_BLD **builder)
{
    OSSL_PARAM_BLD_free(*builder);
}
static void free_params(OSSL_PARAM **params)
{
    OSSL_PARAM_free(*params);
}
#define PKEY ALC_CLEANUP(free_pkey) EVP_PKEY
#define PKEY_CTX ALC_CLEANUP(free_pkey_ctx) EVP_PKEY_CTX
#define MD_CTX ALC_CLEANUP(free_md_ctx) EVP_MD_CTX
#define SCOPED_BIO ALC_CLEANUP(free_bio) BIO
#define NUMBER ALC_CLEANUP(free_bn) BIGNUM
#define NUMBER_CTX ALC_CLEANUP(free_bn_ctx) BN_CTX

static alc_status fail_crypto(struct alc_error *error, const char *detail)
{
    return alc_fail_with(error, ALC_E_INTERNAL, ALC_NO_OFFSET, detail);
}

alc_status alc_sign_generate_key(char **out_pem, size_t *out_size, struct alc_error *error)
{
    PKEY *pkey = NULL;
    NUMBER *exponent = BN_new();
    PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    SCOPED_BIO *bio = BIO_new(BIO_s_mem());
    if (exponent == NULL || ctx == NULL || bio == NULL || !BN_set_word(exponent, RSA_EXPONENT) ||
        EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, RSA_BITS) != 1 ||
        EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, exponent) != 1 ||
        EVP_PKEY_generate(ctx, &pkey) != 1 ||
        PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1) {
        return fail_crypto(error, "cannot make a key");
    }
    char *text;
    long size = BIO_get_mem_data(bio, &text);
    char *copy = size > 0 ? malloc((size_t)size + 1) : NULL;
    if (copy == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    alc_copy(copy, text, (size_t)size);
    copy[size] = '\0';
    *out_pem = copy;
    *out_size = (size_t)size;
    return ALC_OK;
}

/* *out belongs to the caller. */
static alc_status read_key(const char *pem, size_t pem_size, EVP_PKEY **out,
                           struct alc_error *error)
{
    SCOPED_BIO *bio = pem_size <= INT32_MAX ? BIO_new_mem_buf(pem, (int)pem_size) : NULL;
    PKEY *pkey = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    NUMBER *exponent = NULL;
    if (pkey == NULL) {
        return alc_fail_with(error, ALC_E_BAD_ARGUMENT, ALC_NO_OFFSET,
                             "not a private key in PEM form");
    }
    if (!EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_get_bits(pkey) != RSA_BITS ||
        EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1 ||
        !BN_is_word(exponent, RSA_EXPONENT)) {
        return alc_fail_with(error, ALC_E_BAD_ARGUMENT, ALC_NO_OFFSET,
                             "the key must be RSA-3072 with exponent 3");
    }
    *out = pkey;
    pkey = NULL;
    return ALC_OK;
}

/* The bytes that the signature covers. */
static void gather_signed(const struct alc_sgx_sigstruct *sigstruct,
                          uint8_t out[ALC_SGX_SIGNED_HEAD_SIZE + ALC_SGX_SIGNED_BODY_SIZE])
{
    const uint8_t *bytes = (const uint8_t *)sigstruct;
    alc_copy(out, bytes, ALC_SGX_SIGNED_HEAD_SIZE);
    alc_copy(out + ALC_SGX_SIGNED_HEAD_SIZE, bytes + ALC_SGX_SIGNED_BODY_OFFSET,
             ALC_SGX_SIGNED_BODY_SIZE);
}

static void reverse(const uint8_t *src, uint8_t *dst, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        dst[i] = src[size - 1 - i];
    }
}

static void fill_fields(const uint8_t mrenclave[ALC_SGX_HASH_SIZE],
                        const struct alc_sign_options *options, struct alc_sgx_sigstruct *out)
{
    const uint64_t debug = options->debug ? ALC_SGX_ATTRIBUTE_DEBUG : 0;
    *out = (struct alc_sgx_sigstruct){
        .header = ALC_SGX_SIGSTRUCT_HEADER,
        .date = options->date,
        .header2 = ALC_SGX_SIGSTRUCT_HEADER2,
        .exponent = RSA_EXPONENT,
        .miscselect = ALC_SGX_MISC_EXINFO,
        .miscmask = UINT32_MAX,
        .cet_attributes_mask = UINT8_MAX,
        .attributes = {.flags = ALC_SGX_ATTRIBUTE_MODE64 | debug, .xfrm = ALC_SGX_XFRM_LEGACY},
        /* Every bit is fixed by the signer, except INIT, which is the processor's, and KSS, which
         * not every processor has (docs/decisions/0026). */
        .attributes_mask = {.flags = ~(ALC_SGX_ATTRIBUTE_INIT | ALC_SGX_ATTRIBUTE_KSS),
                            .xfrm = UINT64_MAX},
        .isv_product_id = options->product_id,
        .isv_svn = options->svn,
    };
    alc_copy(out->enclave_hash, mrenclave, ALC_SGX_HASH_SIZE);
}

static alc_status write_signature(EVP_PKEY *pkey, struct alc_sgx_sigstruct *out,
                                  struct alc_error *error)
{
    uint8_t message[ALC_SGX_SIGNED_HEAD_SIZE + ALC_SGX_SIGNED_BODY_SIZE];
    uint8_t signature[ALC_SGX_RSA_SIZE];
    size_t signature_size = sizeof signature;
    NUMBER *modulus = NULL;
    MD_CTX *ctx = EVP_MD_CTX_new();
    gather_signed(out, message);
    if (ctx == NULL || EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &modulus) != 1 ||
        BN_bn2lebinpad(modulus, out->modulus, ALC_SGX_RSA_SIZE) != ALC_SGX_RSA_SIZE ||
        EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) != 1 ||
        EVP_DigestSign(ctx, signature, &signature_size, message, sizeof message) != 1 ||
        signature_size != sizeof signature) {
        return fail_crypto(error, "cannot sign");
    }
    reverse(signature, out->signature, sizeof signature);
    return alc_sign_quotients(out->modulus, out->signature, out->q1, out->q2);
}

alc_status alc_sign(const uint8_t mrenclave[ALC_SGX_HASH_SIZE],
                    const struct alc_sign_options *options, const char *pem, size_t pem_size,
                    struct alc_sgx_sigstruct *out, struct alc_error *error)
{
    PKEY *pkey = NULL;
    ALC_TRY(read_key(pem, pem_size, &pkey, error));
    fill_fields(mrenclave, options, out);
    ALC_TRY(write_signature(pkey, out, error));
    return alc_sigstruct_verify(out, error); /* never hand out what EINIT would refuse */
}

alc_status alc_sign_quotients(const uint8_t *modulus, const uint8_t *signature, uint8_t *out_q1,
                              uint8_t *out_q2)
{
    NUMBER_CTX *ctx = BN_CTX_new();
    NUMBER *n = BN_lebin2bn(modulus, ALC_SGX_RSA_SIZE, NULL);
    NUMBER *s = BN_lebin2bn(signature, ALC_SGX_RSA_SIZE, NULL);
    NUMBER *product = BN_new();
    NUMBER *quotient = BN_new();
    NUMBER *remainder = BN_new();
    if (ctx == NULL || n == NULL || s == NULL || product == NULL || quotient == NULL ||
        remainder == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    if (BN_num_bits(n) != RSA_BITS || BN_cmp(s, n) >= 0) {
        return ALC_E_BAD_SIGSTRUCT;
    }
    if (!BN_sqr(product, s, ctx) || !BN_div(quotient, remainder, product, n, ctx) ||
        BN_bn2lebinpad(quotient, out_q1, ALC_SGX_RSA_SIZE) != ALC_SGX_RSA_SIZE ||
        !BN_mul(product, s, remainder, ctx) || !BN_div(quotient, NULL, product, n, ctx) ||
        BN_bn2lebinpad(quotient, out_q2, ALC_SGX_RSA_SIZE) != ALC_SGX_RSA_SIZE) {
        return ALC_E_INTERNAL;
    }
    return ALC_OK;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

static EVP_PKEY *make_public_key(const uint8_t *modulus)
{
    PKEY *pkey = NULL;
    NUMBER *n = BN_lebin2bn(modulus, ALC_SGX_RSA_SIZE, NULL);
    NUMBER *e = BN_new();
    ALC_CLEANUP(free_param_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    ALC_CLEANUP(free_params) OSSL_PARAM *params = NULL;
    PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (n == NULL || e == NULL || builder == NULL || ctx == NULL || !BN_set_word(e, RSA_EXPONENT) ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) != 1) {
        return NULL;
    }
    params = OSSL_PARAM_BLD_to_param(builder);
    if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        return NULL;
    }
    EVP_PKEY *result = pkey;
    pkey = NULL;
    return result;
}

static bool signature_is_good(const struct alc_sgx_sigstruct *sigstruct)
{
    uint8_t message[ALC_SGX_SIGNED_HEAD_SIZE + ALC_SGX_SIGNED_BODY_SIZE];
    uint8_t signature[ALC_SGX_RSA_SIZE];
    PKEY *pkey = make_public_key(sigstruct->modulus);
    MD_CTX *ctx = EVP_MD_CTX_new();
    gather_signed(sigstruct, message);
    reverse(sigstruct->signature, signature, sizeof signature);
    return pkey != NULL && ctx != NULL &&
           EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
           EVP_DigestVerify(ctx, signature, sizeof signature, message, sizeof message) == 1;
}

static bool constants_are_good(const struct alc_sgx_sigstruct *sigstruct)
{
    return alc_equal(sigstruct->header, header_bytes, sizeof header_bytes) &&
           alc_equal(sigstruct->header2, header2_bytes, sizeof header2_bytes) &&
           (sigstruct->vendor == 0 || sigstruct->vendor == ALC_SGX_VENDOR_INTEL) &&
           sigstruct->exponent == RSA_EXPONENT;
}

static bool reserved_is_zero(const struct alc_sgx_sigstruct *sigstruct)
{
    return is_zero(sigstruct->reserved_44, sizeof sigstruct->reserved_44) &&
           is_zero(sigstruct->reserved_910, sizeof sigstruct->reserved_910) &&
           is_zero(sigstruct->reserved_992, sizeof sigstruct->reserved_992) &&
           is_zero(sigstruct->reserved_1028, sizeof sigstruct->reserved_1028);
}

enum alc_sgx_error alc_sigstruct_judge(const struct alc_sgx_sigstruct *sigstruct,
                                       const char **detail)
{
    uint8_t q1[ALC_SGX_RSA_SIZE];
    uint8_t q2[ALC_SGX_RSA_SIZE];
    if (!constants_are_good(sigstruct)) {
        *detail = "wrong header, vendor or exponent";
        return ALC_SGX_INVALID_SIG_STRUCT;
    }
    if (!reserved_is_zero(sigstruct)) {
        *detail = "reserved byte is not zero";
        return ALC_SGX_INVALID_SIG_STRUCT;
    }
    if (alc_sign_quotients(sigstruct->modulus, sigstruct->signature, q1, q2) != ALC_OK ||
        !alc_equal(q1, sigstruct->q1, sizeof q1) || !alc_equal(q2, sigstruct->q2, sizeof q2)) {
        *detail = "Q1 or Q2 does not fit signature and modulus";
        return ALC_SGX_INVALID_SIGNATURE;
    }
    if (!signature_is_good(sigstruct)) {
        *detail = "RSA signature does not verify";
        return ALC_SGX_INVALID_SIGNATURE;
    }
    *detail = "good";
    return ALC_SGX_SUCCESS;
}

alc_status alc_sigstruct_verify(const struct alc_sgx_sigstruct *sigstruct, struct alc_error *error)
{
    const char *detail;
    if (alc_sigstruct_judge(sigstruct, &detail) == ALC_SGX_SUCCESS) {
        return ALC_OK;
    }
    return alc_fail_with(error, ALC_E_BAD_SIGSTRUCT, ALC_NO_OFFSET, detail);
}

void alc_mrsigner(const struct alc_sgx_sigstruct *sigstruct, uint8_t mrsigner[ALC_SGX_HASH_SIZE])
{
    alc_sha256(sigstruct->modulus, sizeof sigstruct->modulus, mrsigner);
}
