/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program can ask about the peers of its attested sockets: host functions of `alcove:attest`
 * (docs/reference/attest-functions.md). Inside the room only.
 *
 *   peer_claims(fd: i32, out: i32, out_capacity: i32, out_size: i32) -> i32
 *   peer_verdict(fd: i32, out: i32, out_capacity: i32, out_size: i32) -> i32
 */
#ifndef ALC_SERVICES_PEERS_H
#define ALC_SERVICES_PEERS_H

#include "exec/host_call.h"

/* The functions; their context is a struct services_sockets of a workload that was loaded. */
const struct alc_host_module *services_peers_module(void);

#endif
