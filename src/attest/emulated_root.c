/* SPDX-License-Identifier: Apache-2.0
 *
 * The emulator's root. The emulator makes no evidence yet, so no certificate has this digest.
 */
#include "attest/appraise.h"

const uint8_t alc_emulated_root_sha256[ALC_SHA256_SIZE] = {0};
