/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts the services around a workload.
 */
#include "services/services.h"

alc_status alc_services_run_from_os(struct alc_os *os, const struct alc_workload_profile *profile,
                                    const struct alc_services *services,
                                    const volatile uint64_t *stop_flag)
{
    /* Static: threads of the program may outlive this function. Known by its decoder, since to name
     * the profile would bring the interpreter into images of the other executor. */
    static struct alc_workload_profile interpreted;
    if (profile->decode_manifest == alc_manifest_decode) {
        interpreted = *profile;
        interpreted.decode_manifest = alc_manifest_decode_services;
        profile = &interpreted;
    }
    return alc_mounts_run_from_os(os, profile, &services->mount_keys, stop_flag);
}

void alc_services_equip(struct alc_workload_compiled *compiled)
{
    compiled->accept_voucher = alc_workload_accept_voucher;
    compiled->profile.decode_manifest = alc_manifest_decode_native_services;
}
