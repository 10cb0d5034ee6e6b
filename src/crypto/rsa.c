/* SPDX-License-Identifier: Apache-2.0
 *
 * Verification with RSA-4096 and PSS, mbedTLS's, and the one encoding of such keys. What is
 * verified is public.
 */
#include <mbedtls/rsa.h>

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "crypto/pool.h"

static const uint8_t exponent[] = {0x01, 0x00, 0x01};

/* SEQUENCE { SEQUENCE { rsaEncryption, NULL }, BIT STRING { SEQUENCE { INTEGER { 00, … (RFC 8017,
 * A.1.1), and what stands behind the modulus. */
static const uint8_t spki_head[] = {0x30, 0x82, 0x02, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a,
                                    0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
                                    0x00, 0x03, 0x82, 0x02, 0x0f, 0x00, 0x30, 0x82, 0x02,
                                    0x0a, 0x02, 0x82, 0x02, 0x01, 0x00};
static const uint8_t spki_tail[] = {0x02, sizeof exponent, 0x01, 0x00, 0x01};

static mbedtls_md_type_t md_of(enum alc_hash_kind hash)
{
    ALC_ASSERT(hash < ALC_HASH_KINDS);
    return hash == ALC_HASH_SHA256   ? MBEDTLS_MD_SHA256
           : hash == ALC_HASH_SHA384 ? MBEDTLS_MD_SHA384
                                     : MBEDTLS_MD_SHA512;
}

static alc_status load(mbedtls_rsa_context *rsa, const uint8_t *modulus)
{
    int result = mbedtls_rsa_import_raw(rsa, modulus, ALC_RSA_SIZE, NULL, 0, NULL, 0, NULL, 0,
                                        exponent, sizeof exponent);
    if (result == 0) {
        result = mbedtls_rsa_complete(rsa);
    }
    /* An even modulus has no Montgomery form, and a short one is another kind of key. */
    bool is_key = modulus[0] >= 0x80 && (modulus[ALC_RSA_SIZE - 1] & 1) != 0;
    if (!is_key) {
        return ALC_E_BAD_KEY;
    }
    return result == 0 ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

static alc_status verify(mbedtls_rsa_context *rsa, const uint8_t *modulus, enum alc_hash_kind hash,
                         const uint8_t *digest, const uint8_t *signature)
{
    const size_t size = alc_hash_size(hash);
    ALC_TRY(load(rsa, modulus));
    int result = mbedtls_rsa_rsassa_pss_verify_ext(rsa, md_of(hash), (unsigned)size, digest,
                                                   md_of(hash), (int)size, signature);
    bool has_no_memory = result == MBEDTLS_ERR_MPI_ALLOC_FAILED ||
                         result == MBEDTLS_ERR_RSA_PUBLIC_FAILED + MBEDTLS_ERR_MPI_ALLOC_FAILED ||
                         result == MBEDTLS_ERR_MD_ALLOC_FAILED;
    if (has_no_memory) {
        return ALC_E_OUT_OF_MEMORY;
    }
    return result == 0 ? ALC_OK : ALC_E_BAD_SIGNATURE;
}

alc_status alc_rsa_pss_verify(const uint8_t *modulus, enum alc_hash_kind hash,
                              const uint8_t *digest, const uint8_t *signature)
{
    mbedtls_rsa_context rsa;
    alc_pool_enter();
    mbedtls_rsa_init(&rsa);
    alc_status status = verify(&rsa, modulus, hash, digest, signature);
    mbedtls_rsa_free(&rsa);
    alc_pool_leave();
    return status;
}

alc_status alc_rsa_read_spki(struct alc_reader *reader, const uint8_t **out_modulus)
{
    const struct alc_reader start = *reader;
    const uint8_t *head;
    const uint8_t *tail;
    if (alc_reader_remaining(reader) != sizeof spki_head + ALC_RSA_SIZE + sizeof spki_tail) {
        return alc_reader_fail(&start, ALC_E_BAD_KEY);
    }
    ALC_TRY(alc_read_bytes(reader, sizeof spki_head, &head));
    ALC_TRY(alc_read_bytes(reader, ALC_RSA_SIZE, out_modulus));
    ALC_TRY(alc_read_bytes(reader, sizeof spki_tail, &tail));
    return alc_equal(head, spki_head, sizeof spki_head) &&
                   alc_equal(tail, spki_tail, sizeof spki_tail)
               ? ALC_OK
               : alc_reader_fail(&start, ALC_E_BAD_KEY);
}
