/* SPDX-License-Identifier: Apache-2.0
 *
 * The report key of this enclave makes the MAC of every report for it (SDM, EREPORT and EGETKEY).
 */
#include "evidence/local.h"

#include "base/bytes.h"
#include "crypto/crypto.h"

void alc_local_target(const struct alc_sgx_report_body *self, struct alc_sgx_target_info *out)
{
    alc_fill(out, 0, sizeof *out);
    alc_copy(out->measurement, self->mrenclave, sizeof out->measurement);
    out->attributes = self->attributes;
    out->cet_attributes = self->cet_attributes;
    out->config_svn = self->config_svn;
    out->miscselect = self->miscselect;
    alc_copy(out->config_id, self->config_id, sizeof out->config_id);
}

alc_status alc_local_verify(const struct alc_sgx_report *report, alc_local_key_function *key)
{
    struct alc_sgx_key_request request = {.name = ALC_SGX_KEY_REPORT};
    struct alc_sgx_key secret;
    uint8_t mac[ALC_AES_BLOCK_SIZE];
    alc_copy(request.key_id, report->key_id, sizeof request.key_id);
    ALC_TRY(key(&request, &secret));
    alc_aes_cmac(secret.bytes, &report->body, sizeof report->body, mac);
    alc_wipe(&secret, sizeof secret);
    return alc_secret_equal(mac, report->mac, sizeof mac) ? ALC_OK : ALC_E_REPORT_MISMATCH;
}
