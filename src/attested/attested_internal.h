/* SPDX-License-Identifier: Apache-2.0
 *
 * Sockets with their channels (socket.c), for the table over them (table.c).
 */
#ifndef ALC_ATTESTED_ATTESTED_INTERNAL_H
#define ALC_ATTESTED_ATTESTED_INTERNAL_H

#include "attested/attested.h"

#define INNER(table, name, ...)                                                                    \
    ((table)->over.inner->operations->name((table)->over.inner->context, __VA_ARGS__))

/* The socket of a handle, locked; NULL when it is none of ours. */
struct alc_attested_socket *alc_attested_enter(struct alc_attested_os *table, int32_t handle);
void alc_attested_leave(struct alc_attested_socket *socket);

/* Makes a socket of a handle beneath: the program's handle, or minus an error number; then the
 * handle beneath is still the caller's. `handle`: that, or -1 to choose one. */
int64_t alc_attested_open(struct alc_attested_os *table, int32_t handle, int32_t inner_handle,
                          enum alc_channel_role role, const struct alc_channel_demand *demand);
/* Says farewell, closes beneath, and wipes. `socket` is locked, and free afterwards. */
int64_t alc_attested_close(struct alc_attested_os *table, struct alc_attested_socket *socket);
/* Moves bytes between channel and socket as far as that goes without waiting. */
void alc_attested_pump(struct alc_attested_os *table, struct alc_attested_socket *socket);
/* What can be done now: enum alc_os_poll_events; *available: bytes to read. */
uint16_t alc_attested_ready(struct alc_attested_socket *socket, uint64_t *available);
/* What has to happen beneath before more can be done. */
uint16_t alc_attested_awaits(const struct alc_attested_socket *socket);

#endif
