/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker's inputs from files, which a running broker can read again. Each returns CLI_OK, or
 * another exit code and has reported what is wrong; then the broker is as it was.
 */
#ifndef ALC_CLI_KBS_LOAD_H
#define ALC_CLI_KBS_LOAD_H

#include "cli/cli.h"
#include "kbs/kbs.h"

/* Each file is collateral of Intel's or AMD's, in the form of `alcove collateral fetch`. With
 * `has_emulated`, that of the emulator is added. */
int serve_load_collateral(struct alc_kbs *kbs, const char *const *paths, size_t paths_count,
                          bool has_emulated);

typedef alc_status serve_set_function(struct alc_kbs *kbs, const char *document, size_t size,
                                      struct alc_error *error);
int serve_load_policy(struct alc_kbs *kbs, const char *path, serve_set_function *set);

/* The process keeps what it serves with. */
int serve_load_certificate(struct alc_kbs_server *server, const char *certificate_path,
                           const char *key_path);

#endif
