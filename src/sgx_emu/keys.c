/* SPDX-License-Identifier: Apache-2.0
 *
 * EREPORT and EGETKEY: AES-CMAC under keys derived from a fixed, public root. The derivation
 * depends on the same facts as a processor's, but is not Intel's; nothing made with these keys
 * means anything elsewhere, and every report names the emulator and carries the DEBUG attribute.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/bytes.h"
#include "sgx_emu/emu_internal.h"

/* Public on purpose. */
static const uint8_t root_key[16] = "alcove EMULATED";
static const uint8_t report_key_id[32] = "alcove emulated report key";

/* What a key depends on; hashed as it is, so without padding. */
struct key_material {
    uint16_t name;
    uint16_t isv_product_id;
    uint16_t isv_svn;
    uint16_t config_svn;
    uint32_t miscselect;
    uint32_t misc_mask;
    struct alc_sgx_attributes attributes;
    struct alc_sgx_attributes attributes_mask;
    uint8_t cpu_svn[16];
    uint8_t key_id[32];
    uint8_t mrenclave[32];
    uint8_t mrsigner[32];
    uint8_t config_id[64];
    uint8_t isv_extended_product_id[16];
    uint8_t isv_family_id[16];
    uint64_t policy;
};
_Static_assert(sizeof(struct key_material) == 264, "no padding");

static void cmac(const uint8_t key[16], const void *bytes, size_t size, uint8_t out[16])
{
    char cipher[] = "AES-128-CBC";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
        OSSL_PARAM_construct_end(),
    };
    size_t out_size = 0;
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "CMAC", NULL);
    EVP_MAC_CTX *context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
    bool done = context != NULL && EVP_MAC_init(context, key, 16, params) == 1 &&
                EVP_MAC_update(context, bytes, size) == 1 &&
                EVP_MAC_final(context, out, &out_size, 16) == 1 && out_size == 16;
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    ALC_ASSERT(done);
}

static struct alc_sgx_attributes reported_attributes(const struct alc_sgx_context *context)
{
    struct alc_sgx_attributes attributes = context->secs.attributes;
    attributes.flags |= ALC_SGX_ATTRIBUTE_DEBUG;
    return attributes;
}

static void fill_cpu_svn(uint8_t cpu_svn[16])
{
    _Static_assert(sizeof ALC_SGX_EMU_CPU_SVN == 16, "CPUSVN");
    alc_copy(cpu_svn, ALC_SGX_EMU_CPU_SVN, 16);
}

static void report_key(const struct alc_sgx_target_info *target, const uint8_t key_id[32],
                       uint8_t key[16])
{
    struct key_material material = {
        .name = ALC_SGX_KEY_REPORT,
        .config_svn = target->config_svn,
        .miscselect = target->miscselect,
        .attributes = target->attributes,
    };
    fill_cpu_svn(material.cpu_svn);
    alc_copy(material.key_id, key_id, sizeof material.key_id);
    alc_copy(material.mrenclave, target->measurement, sizeof material.mrenclave);
    alc_copy(material.config_id, target->config_id, sizeof material.config_id);
    cmac(root_key, &material, sizeof material, key);
}

void emu_make_report(const struct alc_sgx_context *context,
                     const struct alc_sgx_target_info *target, const uint8_t data[64],
                     struct alc_sgx_report *out)
{
    const struct alc_sgx_secs *secs = &context->secs;
    *out = (struct alc_sgx_report){0};
    struct alc_sgx_report_body *body = &out->body;
    fill_cpu_svn(body->cpu_svn);
    body->miscselect = secs->miscselect;
    body->attributes = reported_attributes(context);
    alc_copy(body->mrenclave, secs->mrenclave, sizeof body->mrenclave);
    alc_copy(body->mrsigner, secs->mrsigner, sizeof body->mrsigner);
    body->isv_product_id = secs->isv_product_id;
    body->isv_svn = secs->isv_svn;
    if ((secs->attributes.flags & ALC_SGX_ATTRIBUTE_KSS) != 0) {
        alc_copy(body->config_id, secs->config_id, sizeof body->config_id);
        body->config_svn = secs->config_svn;
        alc_copy(body->isv_extended_product_id, context->isv_extended_product_id, 16);
        alc_copy(body->isv_family_id, context->isv_family_id, 16);
    }
    alc_copy(body->report_data, data, sizeof body->report_data);
    alc_copy(out->key_id, report_key_id, sizeof out->key_id);
    uint8_t key[16];
    report_key(target, report_key_id, key);
    cmac(key, body, sizeof *body, out->mac);
}

bool alc_sgx_emu_verify_report(const struct alc_sgx_report *report,
                               const struct alc_sgx_target_info *target)
{
    uint8_t key[16];
    uint8_t mac[16];
    report_key(target, report->key_id, key);
    cmac(key, &report->body, sizeof report->body, mac);
    return alc_equal(mac, report->mac, sizeof mac);
}

/* The report key of this enclave, for checking reports made for it. */
static void own_report_key(const struct alc_sgx_context *context, const uint8_t key_id[32],
                           uint8_t key[16])
{
    const struct alc_sgx_secs *secs = &context->secs;
    struct alc_sgx_target_info self = {
        .attributes = reported_attributes(context),
        .miscselect = secs->miscselect,
    };
    alc_copy(self.measurement, secs->mrenclave, sizeof self.measurement);
    if ((secs->attributes.flags & ALC_SGX_ATTRIBUTE_KSS) != 0) {
        self.config_svn = secs->config_svn;
        alc_copy(self.config_id, secs->config_id, sizeof self.config_id);
    }
    report_key(&self, key_id, key);
}

static void seal_key(const struct alc_sgx_context *context,
                     const struct alc_sgx_key_request *request, uint8_t key[16])
{
    const struct alc_sgx_secs *secs = &context->secs;
    const struct alc_sgx_attributes own = reported_attributes(context);
    const uint64_t always = ALC_SGX_ATTRIBUTE_INIT | ALC_SGX_ATTRIBUTE_DEBUG;
    uint64_t flags_mask = request->attributes_mask.flags | always;
    uint64_t xfrm_mask = request->attributes_mask.xfrm;
    uint16_t policy = request->policy;
    struct key_material material = {
        .name = request->name,
        .isv_svn = request->isv_svn,
        .miscselect = secs->miscselect & request->misc_mask,
        .misc_mask = request->misc_mask,
        .attributes = {.flags = own.flags & flags_mask, .xfrm = own.xfrm & xfrm_mask},
        .attributes_mask = {.flags = flags_mask, .xfrm = xfrm_mask},
        .policy = policy,
    };
    if ((policy & ALC_SGX_POLICY_NOISVPRODID) == 0) {
        material.isv_product_id = secs->isv_product_id;
    }
    alc_copy(material.cpu_svn, request->cpu_svn, sizeof material.cpu_svn);
    alc_copy(material.key_id, request->key_id, sizeof material.key_id);
    if ((policy & ALC_SGX_POLICY_MRENCLAVE) != 0) {
        alc_copy(material.mrenclave, secs->mrenclave, sizeof material.mrenclave);
    }
    if ((policy & ALC_SGX_POLICY_MRSIGNER) != 0) {
        alc_copy(material.mrsigner, secs->mrsigner, sizeof material.mrsigner);
    }
    if ((policy & ALC_SGX_POLICY_CONFIGID) != 0) {
        alc_copy(material.config_id, secs->config_id, sizeof material.config_id);
        material.config_svn = request->config_svn;
    }
    if ((policy & ALC_SGX_POLICY_ISVFAMILYID) != 0) {
        alc_copy(material.isv_family_id, context->isv_family_id, 16);
    }
    if ((policy & ALC_SGX_POLICY_ISVEXTPRODID) != 0) {
        alc_copy(material.isv_extended_product_id, context->isv_extended_product_id, 16);
    }
    cmac(root_key, &material, sizeof material, key);
}

static bool is_cpu_svn_known(const uint8_t cpu_svn[16])
{
    uint8_t zero[16] = {0};
    uint8_t own[16];
    fill_cpu_svn(own);
    return alc_equal(cpu_svn, zero, 16) || alc_equal(cpu_svn, own, 16);
}

/* Reserved bits: #GP (SDM, EGETKEY). */
static bool is_request_legal(const struct alc_sgx_context *context,
                             const struct alc_sgx_key_request *request)
{
    const uint16_t without_kss = ALC_SGX_POLICY_MRENCLAVE | ALC_SGX_POLICY_MRSIGNER;
    bool has_kss = (context->secs.attributes.flags & ALC_SGX_ATTRIBUTE_KSS) != 0;
    uint16_t allowed = has_kss ? ALC_SGX_POLICY_ALL : without_kss;
    uint8_t any = request->reserved_7;
    for (size_t i = 0; i < sizeof request->reserved_78; i++) {
        any |= request->reserved_78[i];
    }
    return any == 0 && (request->policy & ~allowed) == 0 && (has_kss || request->config_svn == 0);
}

enum alc_sgx_error emu_make_key(const struct alc_sgx_context *context,
                                const struct alc_sgx_key_request *request, uint8_t key[16],
                                bool *faults)
{
    uint64_t flags = context->secs.attributes.flags;
    *faults = !is_request_legal(context, request);
    if (*faults) {
        return ALC_SGX_SUCCESS;
    }
    switch (request->name) {
    case ALC_SGX_KEY_REPORT:
        own_report_key(context, request->key_id, key);
        return ALC_SGX_SUCCESS;
    case ALC_SGX_KEY_SEAL:
        break;
    case ALC_SGX_KEY_PROVISION:
    case ALC_SGX_KEY_PROVISION_SEAL:
        if ((flags & ALC_SGX_ATTRIBUTE_PROVISION) == 0) {
            return ALC_SGX_INVALID_ATTRIBUTE;
        }
        break;
    case ALC_SGX_KEY_EINITTOKEN:
        if ((flags & ALC_SGX_ATTRIBUTE_EINITTOKEN) == 0) {
            return ALC_SGX_INVALID_ATTRIBUTE;
        }
        break;
    default:
        return ALC_SGX_INVALID_KEYNAME;
    }
    if (!is_cpu_svn_known(request->cpu_svn)) {
        return ALC_SGX_INVALID_CPUSVN;
    }
    if (request->isv_svn > context->secs.isv_svn) {
        return ALC_SGX_INVALID_ISVSVN;
    }
    seal_key(context, request, key);
    return ALC_SGX_SUCCESS;
}
