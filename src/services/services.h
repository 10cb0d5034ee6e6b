/* SPDX-License-Identifier: Apache-2.0
 *
 * What a complete image does for a workload beyond running it. This is the one place where services
 * plug in: a workload whose manifest asks for one is given it, any other runs as it would without.
 * The same code outside and inside an enclave; a plain image has none of it and refuses manifests
 * that need it.
 */
#ifndef ALC_SERVICES_SERVICES_H
#define ALC_SERVICES_SERVICES_H

#include "broker_keys/broker_keys.h"
#include "evidence/evidence.h"
#include "mounts/mounts.h"

/* What services need from where they run; borrowed. */
struct alc_services {
    struct alc_mounts_keys mount_keys;   /* of sealed mounts */
    const struct alc_attester *attester; /* NULL: nothing can be proven here */
    /* How evidence of SEV-SNP goes to a key broker, for places that can have it; else NULL. */
    alc_broker_evidence_form *broker_form;
    /* Whether what runs here was configured, outside, for this workload and no other; NULL: that
     * cannot be said here. What was configured for another one neither opens mounts nor runs. */
    bool (*is_configured_for)(const uint8_t workload_id[ALC_SHA256_SIZE]);
};

/* As alc_workload_run_from_os, with all services, which put themselves into `profile`. Where the os
 * has ALC_OS_EVIDENCE the workload is loaded and proven, and not run. */
alc_status alc_services_run_from_os(struct alc_os *os, struct alc_workload_profile *profile,
                                    const struct alc_services *services,
                                    const volatile uint64_t *stop_flag);

/* Gives compiled code its part: vouchers are verified, and the manifest may have settings of
 * services. */
void alc_services_equip(struct alc_workload_compiled *compiled);

#endif
