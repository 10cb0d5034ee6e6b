/* SPDX-License-Identifier: Apache-2.0
 *
 * A plain runtime image: no services.
 */
#include "enclave/image_kind.h"

alc_status alc_enclave_serve(struct alc_os *os, struct alc_workload_profile *profile,
                             const volatile uint64_t *stop_flag)
{
    return alc_workload_run_from_os(os, profile, stop_flag);
}

void alc_enclave_equip(struct alc_workload_compiled *compiled)
{
    (void)compiled;
}
