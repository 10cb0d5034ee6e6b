/* SPDX-License-Identifier: Apache-2.0
 *
 * The runtime image for workloads with sealed mounts: RUN and THREAD as in enclave/main.c. Keys of
 * mounts come from the processor (EGETKEY), for this image on this machine, and are bound to the
 * workload: another program in the same image, or this one with other arguments, gets another key.
 */
#include "base/bytes.h"
#include "crypto/crypto.h"
#include "enclave/os_enclave.h"
#include "enclave/tee.h"
#include "mounts/mounts.h"
#include "sgx_arch/entry.h"

const uint64_t alc_enclave_ecalls_count = 2;

static alc_status get_key(void *context, const uint8_t workload_id[ALC_SHA256_SIZE],
                          const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          uint8_t key[ALC_SEAL_KEY_SIZE])
{
    /* Security versions of 0: any later processor microcode and version of this image, if it had
     * the same measurement, makes the same key, so files outlive updates of the machine.
     * Attributes, of which one says that the host may look into the enclave, all count. */
    struct alc_sgx_key_request request = {
        .name = ALC_SGX_KEY_SEAL, .policy = ALC_SGX_POLICY_MRENCLAVE, .misc_mask = UINT32_MAX};
    struct alc_sgx_key secret;
    (void)context;
    alc_fill(&request.attributes_mask, 0xff, sizeof request.attributes_mask);
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

uint64_t alc_enclave_main(uint64_t ecall, uint64_t outside_base, uint64_t outside_size)
{
    /* One-shot: set by the first entry, before anything else, and never cleared. */
    static uint64_t is_taken;
    static const struct alc_mounts_keys keys = {.get = get_key};
    if (ecall == ALC_ENTRY_THREAD) {
        return alc_os_enclave_run_thread() ? ALC_OK : ALC_E_POLICY_REFUSED;
    }
    ALC_ASSERT(ecall == ALC_ENTRY_RUN);
    if (__atomic_exchange_n(&is_taken, 1, __ATOMIC_SEQ_CST) != 0) {
        return ALC_E_POLICY_REFUSED;
    }
    alc_status status = alc_os_enclave_init(outside_base, outside_size);
    if (status != ALC_OK) {
        return status;
    }
    return alc_mounts_run_from_os(alc_os_enclave_get(), &alc_workload_interpreted, &keys,
                                  alc_os_enclave_stop_flag());
}
