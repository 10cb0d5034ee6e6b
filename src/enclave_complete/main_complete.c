/* SPDX-License-Identifier: Apache-2.0
 *
 * A complete runtime image: all services, with what they need of the processor. Keys of mounts come
 * from it (EGETKEY), for this image on this machine, and are bound to the workload: another program
 * in the same image, or this one with other arguments, gets another key.
 */
#include "base/bytes.h"
#include "crypto/crypto.h"
#include "enclave/image_kind.h"
#include "enclave/os_enclave.h"
#include "enclave/tee.h"
#include "evidence/quoting.h"
#include "services/services.h"

static alc_status get_key(void *context, enum alc_mount_policy policy,
                          const uint8_t workload_id[ALC_SHA256_SIZE],
                          const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          uint8_t key[ALC_SEAL_KEY_SIZE])
{
    /* Security versions of 0: any later processor microcode and version of this image, if it had
     * the same measurement, makes the same key, so files outlive updates of the machine.
     * Attributes, of which one says that the host may look into the enclave, all count, but for
     * KSS: whether there is a CONFIGID changes nothing here, since the key is made of the workload
     * id itself below. */
    struct alc_sgx_key_request request = {.name = ALC_SGX_KEY_SEAL,
                                          .policy = policy == ALC_MOUNT_POLICY_MRSIGNER
                                                        ? ALC_SGX_POLICY_MRSIGNER
                                                        : ALC_SGX_POLICY_MRENCLAVE,
                                          .misc_mask = UINT32_MAX};
    struct alc_sgx_key secret;
    (void)context;
    alc_fill(&request.attributes_mask, 0xff, sizeof request.attributes_mask);
    request.attributes_mask.flags &= ~ALC_SGX_ATTRIBUTE_KSS;
    alc_copy(request.key_id, key_id, ALC_SEAL_KEY_ID_SIZE);
    ALC_TRY(alc_tee_key(&request, &secret));
    const struct alc_hkdf_inputs inputs = {.secret = secret.bytes,
                                           .secret_size = sizeof secret.bytes,
                                           .info = workload_id,
                                           .info_size = ALC_SHA256_SIZE};
    alc_hkdf(ALC_HASH_SHA256, &inputs, key, ALC_SEAL_KEY_SIZE);
    alc_wipe(&secret, sizeof secret);
    return ALC_OK;
}

/* With KSS reports name what the host configured the enclave for. Somebody may go by that alone, so
 * it is the truth or nothing runs. Without KSS they name nothing. */
static bool is_configured_for(const uint8_t workload_id[ALC_SHA256_SIZE])
{
    static const uint8_t nothing[64];
    uint8_t expected[ALC_SGX_CONFIG_ID_SIZE] = {0};
    struct alc_sgx_report report;
    if (alc_tee_report(NULL, nothing, &report) != ALC_OK) {
        return false;
    }
    alc_copy(expected, workload_id, ALC_SHA256_SIZE);
    return (report.body.attributes.flags & ALC_SGX_ATTRIBUTE_KSS) == 0 ||
           (alc_equal(report.body.config_id, expected, sizeof expected) &&
            report.body.config_svn == 0);
}

alc_status alc_enclave_serve(struct alc_os *os, struct alc_workload_profile *profile,
                             const volatile uint64_t *stop_flag)
{
    /* Static: threads of the program may outlive this call. */
    static struct alc_quoting quoting = {.report = alc_tee_report};
    static struct alc_attester attester;
    static const struct alc_services services = {.mount_keys = {.get = get_key},
                                                 .attester = &attester,
                                                 .is_configured_for = is_configured_for};
    quoting.os = os;
    alc_quoting_attester(&quoting, &attester);
    return alc_services_run_from_os(os, profile, &services, stop_flag);
}

void alc_enclave_equip(struct alc_workload_compiled *compiled)
{
    alc_os_enclave_use_processor();
    alc_services_equip(compiled);
}
