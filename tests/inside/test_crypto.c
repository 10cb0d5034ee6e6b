/* SPDX-License-Identifier: Apache-2.0
 *
 * What crypto/ computes inside the emulated enclave, built as images are, is what it computes
 * outside, where OpenSSL was compared with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "sgx/loader.h"
#include "sgx_emu/emu.h"
#include "tests/inside/crypto_calls.h"

extern const uint8_t inside_crypto_image[];
extern const uint64_t inside_crypto_image_size;
extern const struct alc_sgx_sigstruct inside_crypto_sigstruct;

struct inside {
    struct alc_sgx_enclave *enclave;
    struct crypto_page *page;
};

static int open_inside(void **state)
{
    static struct inside inside;
    struct alc_error error;
    alc_error_clear(&error);
    if (alc_sgx_load(alc_sgx_emu_backend(), inside_crypto_image, inside_crypto_image_size,
                     &inside_crypto_sigstruct, NULL, &inside.enclave, &error) != ALC_OK) {
        print_message("%s: %s\n", alc_status_text(error.status), error.detail);
        return -1;
    }
    inside.page =
        mmap(NULL, sizeof *inside.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *state = &inside;
    return inside.page == MAP_FAILED ? -1 : 0;
}

static int close_inside(void **state)
{
    struct inside *inside = *state;
    alc_sgx_close(inside->enclave);
    munmap(inside->page, sizeof *inside->page);
    return 0;
}

static alc_status call(struct inside *inside, enum crypto_ecall ecall)
{
    const struct alc_sgx_call request = {
        .ecall = ecall, .region = inside->page, .region_size = sizeof *inside->page};
    uint64_t value = 1;
    assert_int_equal(alc_sgx_call(inside->enclave, &request, &value, NULL), ALC_OK);
    assert_int_equal(value, 0);
    return (alc_status)inside->page->status;
}

static struct crypto_page *input(struct inside *inside, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        inside->page->in[i] = (uint8_t)(i * 7 + 3);
    }
    inside->page->in_size = size;
    return inside->page;
}

static void test_digests(void **state)
{
    struct crypto_page *page = input(*state, 777);
    uint8_t expected[32 + 48 + 64 + 64];
    assert_int_equal(call(*state, CRYPTO_HASHES), ALC_OK);
    alc_hash_bytes(ALC_HASH_SHA256, page->in, 777, expected);
    alc_hash_bytes(ALC_HASH_SHA384, page->in, 777, expected + 32);
    alc_hash_bytes(ALC_HASH_SHA512, page->in, 777, expected + 80);
    alc_hmac(ALC_HASH_SHA512, page->in, 32, page->in, 777, expected + 144);
    assert_int_equal(page->out_size, sizeof expected);
    assert_memory_equal(page->out, expected, sizeof expected);
}

static void test_derived_key(void **state)
{
    struct crypto_page *page = input(*state, 40);
    uint8_t expected[100];
    const struct alc_hkdf_inputs inputs = {.secret = page->in, .secret_size = 40};
    assert_int_equal(call(*state, CRYPTO_HKDF), ALC_OK);
    alc_hkdf(ALC_HASH_SHA256, &inputs, expected, sizeof expected);
    assert_memory_equal(page->out, expected, sizeof expected);
}

static void test_cmac(void **state)
{
    struct crypto_page *page = input(*state, 384);
    uint8_t expected[ALC_AES_BLOCK_SIZE];
    assert_int_equal(call(*state, CRYPTO_CMAC), ALC_OK);
    alc_aes_cmac(page->in, page->in, 384, expected);
    assert_memory_equal(page->out, expected, sizeof expected);
}

static void test_sealed_text(void **state)
{
    struct crypto_page *page = input(*state, 1000);
    struct alc_gcm_key key;
    uint8_t text[1000];
    assert_int_equal(call(*state, CRYPTO_SEAL), ALC_OK);
    const struct alc_gcm_message message = {.iv = page->in + 32, .text_size = 1000};
    alc_gcm_key_init(&key, page->in, ALC_AES256_KEY_SIZE);
    assert_int_equal(alc_gcm_open(&key, &message, page->out, page->out + 1000, text), ALC_OK);
    assert_memory_equal(text, page->in, sizeof text);
}

static void read_key(const uint8_t *bytes, enum alc_curve curve, struct alc_ec_public_key *out)
{
    struct alc_reader reader;
    alc_reader_init(&reader, bytes, curve == ALC_CURVE_P256 ? 91 : 120, NULL);
    assert_int_equal(alc_ec_read_spki(&reader, out), ALC_OK);
    assert_int_equal(out->curve, curve);
}

static void test_signatures(void **state)
{
    for (enum alc_curve curve = 0; curve < ALC_CURVES; curve++) {
        struct crypto_page *page = input(*state, 500);
        struct alc_ec_public_key key;
        struct alc_ecdsa_signature signature;
        uint8_t digest[ALC_SHA256_SIZE];
        page->curve = curve;
        assert_int_equal(call(*state, CRYPTO_SIGN), ALC_OK);
        read_key(page->out, curve, &key);
        size_t signature_size = 2 * alc_curve_size(curve);
        memcpy(signature.bytes, page->out + page->out_size - signature_size, signature_size);
        alc_sha256(page->in, 500, digest);
        assert_int_equal(alc_ecdsa_verify(&key, digest, sizeof digest, &signature), ALC_OK);
    }
}

static alc_status fill(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    for (size_t i = 0; i < buf_size; i++) {
        buf[i] = (uint8_t)rand();
    }
    return ALC_OK;
}

static void test_shared_secrets(void **state)
{
    for (enum alc_curve curve = 0; curve < ALC_CURVES; curve++) {
        struct crypto_page *page = input(*state, 0);
        const struct alc_random source = {.fill = fill};
        struct alc_ec_private_key private_key;
        struct alc_ec_public_key key;
        struct alc_writer writer;
        uint8_t secret[ALC_EC_SIZE_MAX];
        assert_int_equal(alc_ec_generate(curve, &source, &private_key, &key), ALC_OK);
        alc_writer_init(&writer, page->in, sizeof page->in);
        alc_ec_write_spki(&writer, &key);
        page->in_size = writer.pos;
        assert_int_equal(call(*state, CRYPTO_SHARE), ALC_OK);
        read_key(page->out, curve, &key);
        assert_int_equal(alc_ecdh(&private_key, &key, &source, secret), ALC_OK);
        assert_memory_equal(page->out + writer.pos, secret, alc_curve_size(curve));
        page->in[40] ^= 1; /* not a point any more */
        assert_int_equal(call(*state, CRYPTO_SHARE), ALC_E_BAD_KEY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digests),    cmocka_unit_test(test_derived_key),
        cmocka_unit_test(test_cmac),       cmocka_unit_test(test_sealed_text),
        cmocka_unit_test(test_signatures), cmocka_unit_test(test_shared_secrets),
    };
    return cmocka_run_group_tests(tests, open_inside, close_inside);
}
