/* SPDX-License-Identifier: Apache-2.0
 *
 * An os table over another one that changes nothing. Who wants to serve some handles itself copies
 * the operations and puts its own in their places.
 */
#ifndef ALC_OS_OVER_H
#define ALC_OS_OVER_H

#include "os/os.h"

/* The context of these operations MUST begin with this. */
struct alc_os_over {
    struct alc_os os;           /* the table over `inner` */
    const struct alc_os *inner; /* borrowed */
};

/* Each hands its arguments to the table beneath. `pages_execute` answers NOT_SUPPORTED where that
 * has none. */
extern const struct alc_os_operations alc_os_over_operations;

/* A table's poll when its own handles are always ready, for something or for being none. `poll_own`
 * fills in the entry of such a handle; false: the handle is the table's beneath, and nothing was
 * touched. */
int64_t alc_os_over_poll(void *context, struct alc_os_poll *polls, size_t polls_count,
                         int64_t timeout_ns,
                         bool (*poll_own)(void *context, struct alc_os_poll *poll));

#endif
