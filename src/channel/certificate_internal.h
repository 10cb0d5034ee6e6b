/* SPDX-License-Identifier: Apache-2.0
 *
 * What reading and writing certificates have in common.
 */
#ifndef ALC_CHANNEL_CERTIFICATE_INTERNAL_H
#define ALC_CHANNEL_CERTIFICATE_INTERNAL_H

#include "base/compiler.h"

enum { ALC_OID_DICE_SIZE = 6, ALC_ALGORITHM_SIZE = 12 };

extern const uint8_t alc_oid_evidence[ALC_OID_DICE_SIZE];
extern const uint8_t alc_oid_endorsements[ALC_OID_DICE_SIZE];
/* AlgorithmIdentifier, whole. */
extern const uint8_t alc_ecdsa_with_sha256[ALC_ALGORITHM_SIZE];

#endif
