/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of struct cli_complete that are about the owner's key; see cli/complete.h.
 */
#ifndef ALC_CLI_COMPLETE_VOUCH_H
#define ALC_CLI_COMPLETE_VOUCH_H

#include "cli/complete.h"

void cli_complete_name_key(const char *key_path, uint8_t digest[ALC_SHA256_SIZE]);
struct cli_file cli_complete_sign(const char *key_path, const struct alc_native_image *image,
                                  const struct alc_module *module,
                                  const struct alc_workload_limits *limits);
void cli_complete_make_key(const char *key_path);

#endif
