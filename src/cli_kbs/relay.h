/* SPDX-License-Identifier: Apache-2.0
 *
 * Carries for a client inside an enclave.
 */
#ifndef ALC_CLI_KBS_RELAY_H
#define ALC_CLI_KBS_RELAY_H

/* As struct cli_kbs.relay. */
int kbs_relay(const char *url, const char *ca_path);

#endif
