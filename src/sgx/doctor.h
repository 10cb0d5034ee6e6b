/* SPDX-License-Identifier: Apache-2.0
 *
 * What this machine offers for SGX enclaves, fact by fact, each missing one with its remedy; for
 * `alcove doctor`. Looks only, changes nothing. Everything it reports comes from the host and is
 * advice, not evidence.
 */
#ifndef ALC_SGX_DOCTOR_H
#define ALC_SGX_DOCTOR_H

#include "base/compiler.h"

enum alc_doctor_state {
    ALC_DOCTOR_OK,
    ALC_DOCTOR_MISSING,  /* needed for hardware enclaves */
    ALC_DOCTOR_OPTIONAL, /* missing, but enclaves run without it */
};

enum { ALC_DOCTOR_VALUE_SIZE = 96 };

struct alc_doctor_finding {
    const char *subject; /* static, a few words */
    enum alc_doctor_state state;
    char value[ALC_DOCTOR_VALUE_SIZE]; /* what was found */
    const char *remedy;                /* static; NULL when state is OK */
};

enum { ALC_DOCTOR_FINDINGS_MAX = 16 };

struct alc_doctor_report {
    struct alc_doctor_finding findings[ALC_DOCTOR_FINDINGS_MAX];
    size_t findings_count;
    bool hardware_usable; /* no finding is MISSING */
};

void alc_sgx_doctor(struct alc_doctor_report *report);

#endif
