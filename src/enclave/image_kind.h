/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the two parts of a runtime image meet: the main function, which brings an executor (main.c,
 * main_native.c), and what the image does for a workload (main_plain.c here, or main_complete.c of
 * enclave_complete/). An image is linked from one of each.
 */
#ifndef ALC_ENCLAVE_IMAGE_KIND_H
#define ALC_ENCLAVE_IMAGE_KIND_H

#include "workload/workload.h"

/* Runs the workload that `os` offers with the services of this image, which may put themselves into
 * the profile. */
alc_status alc_enclave_serve(struct alc_os *os, struct alc_workload_profile *profile,
                             const volatile uint64_t *stop_flag);
/* Before that, where code is compiled. */
void alc_enclave_equip(struct alc_workload_compiled *compiled);

#endif
