/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and closing a broker: its file, its keys, its policy.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "kbs/kbs_internal.h"

enum { SECONDS_DEFAULT = 300, POLICY_MAX = 1 << 20 };

int64_t alc_kbs_now(const struct alc_kbs *kbs)
{
    return kbs->options.now_s != NULL ? kbs->options.now_s() : (int64_t)time(NULL);
}

/* -- keys -- */

static EVP_PKEY *read_private(const uint8_t *pem, size_t size)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)size);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return key;
}

static alc_status make_token_key(struct alc_kbs *kbs)
{
    char *pem = NULL;
    BIO *bio = BIO_new(BIO_s_secmem());
    alc_status status = ALC_E_INTERNAL;
    kbs->token_key = EVP_EC_gen("P-256");
    if (bio != NULL && kbs->token_key != NULL &&
        PEM_write_bio_PKCS8PrivateKey(bio, kbs->token_key, NULL, NULL, 0, NULL, NULL) == 1) {
        const long size = BIO_get_mem_data(bio, &pem);
        status = alc_kbs_store_put_setting(kbs->store, "token_key", pem, (size_t)size);
    }
    BIO_free(bio);
    return status;
}

/* Tokens outlast the process: the key is in the file. */
static alc_status open_token_key(struct alc_kbs *kbs)
{
    uint8_t *pem;
    size_t size;
    alc_status status = alc_kbs_store_get_setting(kbs->store, "token_key", &pem, &size);
    if (status == ALC_E_NOT_FOUND) {
        return make_token_key(kbs);
    }
    ALC_TRY(status);
    kbs->token_key = read_private(pem, size);
    OPENSSL_cleanse(pem, size);
    free(pem);
    return kbs->token_key != NULL ? ALC_OK : ALC_E_BAD_KEY;
}

static alc_status open_tokens(struct alc_kbs *kbs)
{
    ALC_TRY(open_token_key(kbs));
    kbs->token_header = alc_kbs_token_header(kbs->token_key);
    return kbs->token_header != NULL ? ALC_OK : ALC_E_BAD_KEY;
}

static alc_status open_admin_key(struct alc_kbs *kbs)
{
    const char *pem = kbs->options.admin_key_pem;
    BIO *bio = pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;
    if (pem != NULL) {
        kbs->admin_key = bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    }
    BIO_free(bio);
    ERR_clear_error();
    return pem == NULL || kbs->admin_key != NULL ? ALC_OK : ALC_E_BAD_KEY;
}

/* -- the policy -- */

static json_t *read_policy(const char *document, size_t size, struct alc_error *error)
{
    json_error_t problem;
    json_t *policy =
        size <= POLICY_MAX ? json_loadb(document, size, JSON_REJECT_DUPLICATES, &problem) : NULL;
    if (policy == NULL) {
        const bool is_small = size <= POLICY_MAX;
        (void)alc_fail_with(error, ALC_E_BAD_JSON,
                            is_small ? (uint64_t)problem.position : ALC_NO_OFFSET,
                            is_small ? problem.text : "too long");
        return NULL;
    }
    const char *words = alc_kbs_rules_problem(policy);
    if (words != NULL) {
        (void)alc_fail_with(error, ALC_E_BAD_POLICY, ALC_NO_OFFSET, words);
        json_decref(policy);
        return NULL;
    }
    return policy;
}

static void use_policy(struct alc_kbs *kbs, json_t *policy)
{
    pthread_rwlock_wrlock(&kbs->policy_lock);
    json_t *old = kbs->policy;
    kbs->policy = policy;
    pthread_rwlock_unlock(&kbs->policy_lock);
    json_decref(old);
}

alc_status alc_kbs_set_policy(struct alc_kbs *kbs, const char *document, size_t size,
                              struct alc_error *error)
{
    struct alc_error problem;
    alc_error_clear(&problem);
    json_t *policy = read_policy(document, size, &problem);
    if (policy == NULL) {
        return alc_fail_with(error, problem.status, problem.offset, problem.detail);
    }
    alc_status status = alc_kbs_store_put_setting(kbs->store, "policy", document, size);
    if (status != ALC_OK) {
        json_decref(policy);
        return alc_fail(error, status, ALC_NO_OFFSET);
    }
    use_policy(kbs, policy);
    return ALC_OK;
}

/* Without one nothing is given to anybody. */
static alc_status open_policy(struct alc_kbs *kbs, struct alc_error *error)
{
    uint8_t *document;
    size_t size;
    alc_status status = alc_kbs_store_get_setting(kbs->store, "policy", &document, &size);
    if (status == ALC_E_NOT_FOUND) {
        kbs->policy = json_pack("{s:[]}", "rules");
        return kbs->policy != NULL ? ALC_OK : alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    if (status != ALC_OK) {
        return alc_fail(error, status, ALC_NO_OFFSET);
    }
    kbs->policy = read_policy((const char *)document, size, error);
    free(document);
    return kbs->policy != NULL ? ALC_OK : ALC_E_BAD_POLICY;
}

/* -- the appraisal policy -- */

alc_status alc_kbs_set_appraisal(struct alc_kbs *kbs, const char *document, size_t size,
                                 struct alc_error *error)
{
    struct alc_kbs_appraisal *appraisal;
    ALC_TRY(
        alc_kbs_appraisal_new(document, size, kbs->options.accepts_emulated, &appraisal, error));
    alc_status status = alc_kbs_store_put_setting(kbs->store, "appraisal", document, size);
    if (status != ALC_OK) {
        alc_kbs_appraisal_free(appraisal);
        return alc_fail(error, status, ALC_NO_OFFSET);
    }
    alc_kbs_basis_judge_by(kbs->basis, appraisal);
    return ALC_OK;
}

/* One that no longer can be is an error, not the default: that may accept more. */
static alc_status open_appraisal(struct alc_kbs *kbs, struct alc_error *error)
{
    struct alc_kbs_appraisal *appraisal;
    uint8_t *document;
    size_t size;
    alc_status status = alc_kbs_store_get_setting(kbs->store, "appraisal", &document, &size);
    if (status == ALC_E_NOT_FOUND) {
        return ALC_OK;
    }
    if (status != ALC_OK) {
        return alc_fail(error, status, ALC_NO_OFFSET);
    }
    status = alc_kbs_appraisal_new((const char *)document, size, kbs->options.accepts_emulated,
                                   &appraisal, error);
    free(document);
    if (status == ALC_OK) {
        alc_kbs_basis_judge_by(kbs->basis, appraisal);
    }
    return status;
}

alc_status alc_kbs_set_collateral(struct alc_kbs *kbs, const struct alc_kbs_collateral *collateral)
{
    return alc_kbs_basis_set_collateral(kbs->basis, collateral);
}

/* -- opening -- */

static alc_status open_parts(struct alc_kbs *kbs, struct alc_error *error)
{
    ALC_TRY(alc_kbs_store_open(kbs->options.store_path, &kbs->store, error));
    alc_status status = open_tokens(kbs);
    if (status != ALC_OK) {
        return alc_fail_with(error, status, ALC_NO_OFFSET, "the key for tokens");
    }
    status = open_admin_key(kbs);
    if (status != ALC_OK) {
        return alc_fail_with(error, status, ALC_NO_OFFSET,
                             "the administrator's key is no public key in PEM");
    }
    ALC_TRY(open_policy(kbs, error));
    kbs->basis = alc_kbs_basis_new(&kbs->options.collateral);
    if (kbs->basis == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    ALC_TRY(open_appraisal(kbs, error));
    kbs->sessions = alc_kbs_sessions_new();
    kbs->known = alc_kbs_known_new();
    return kbs->sessions != NULL && kbs->known != NULL
               ? ALC_OK
               : alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
}

alc_status alc_kbs_open(const struct alc_kbs_options *options, struct alc_kbs **out,
                        struct alc_error *error)
{
    struct alc_kbs *kbs = calloc(1, sizeof *kbs);
    if (kbs == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    kbs->options = *options;
    if (kbs->options.session_seconds == 0) {
        kbs->options.session_seconds = SECONDS_DEFAULT;
    }
    if (kbs->options.token_seconds == 0) {
        kbs->options.token_seconds = SECONDS_DEFAULT;
    }
    pthread_rwlock_init(&kbs->policy_lock, NULL);
    alc_status status = open_parts(kbs, error);
    if (status != ALC_OK) {
        alc_kbs_close(kbs);
        return status;
    }
    *out = kbs;
    return ALC_OK;
}

void alc_kbs_close(struct alc_kbs *kbs)
{
    if (kbs == NULL) {
        return;
    }
    alc_kbs_sessions_free(kbs->sessions);
    alc_kbs_known_free(kbs->known);
    alc_kbs_store_close(kbs->store);
    alc_kbs_basis_free(kbs->basis);
    EVP_PKEY_free(kbs->token_key);
    free(kbs->token_header);
    EVP_PKEY_free(kbs->admin_key);
    json_decref(kbs->policy);
    pthread_rwlock_destroy(&kbs->policy_lock);
    free(kbs);
}
