/* SPDX-License-Identifier: Apache-2.0
 *
 * What services need in the manifest; see struct cli_complete.
 */
#ifndef ALC_CLI_COMPLETE_SETTINGS_H
#define ALC_CLI_COMPLETE_SETTINGS_H

#include "cli/complete.h"

void cli_complete_prepare(struct run_options *options);
void cli_complete_add_settings(const struct run_options *options, struct alc_manifest *manifest);
void cli_complete_write_upkeep(const struct run_options *options, uint8_t *out);
void cli_complete_print_levels(const struct cli_file *manifest, bool is_native);

#endif
