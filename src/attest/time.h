/* SPDX-License-Identifier: Apache-2.0
 *
 * Dates of certificates and collateral as seconds since 1970, UTC. Each form has one length and no
 * fractions; a date that the calendar does not have is refused.
 */
#ifndef ALC_ATTEST_TIME_H
#define ALC_ATTEST_TIME_H

#include "base/compiler.h"

/* YYMMDDHHMMSSZ, 1950 to 2049 (RFC 5280, 4.1.2.5.1). */
ALC_MUST_CHECK bool alc_time_from_utc_time(const uint8_t *text, size_t size, int64_t *out_s);
/* YYYYMMDDHHMMSSZ. */
ALC_MUST_CHECK bool alc_time_from_generalized(const uint8_t *text, size_t size, int64_t *out_s);
/* YYYY-MM-DDTHH:MM:SSZ (RFC 3339). */
ALC_MUST_CHECK bool alc_time_from_rfc3339(const uint8_t *text, size_t size, int64_t *out_s);

enum { ALC_TIME_RFC3339_SIZE = 20 };

/* The same form, without a NUL. Times before 1970 and after the year 9999 become the first and the
 * last second between. */
void alc_time_to_rfc3339(int64_t seconds, char out[ALC_TIME_RFC3339_SIZE]);

#endif
