/* SPDX-License-Identifier: Apache-2.0
 *
 * Ecalls of the image with channel/, and the pages outside through which bytes travel.
 */
#ifndef ALC_TESTS_INSIDE_CHANNEL_CALLS_H
#define ALC_TESTS_INSIDE_CHANNEL_CALLS_H

#include <stdint.h>

enum channel_ecall {
    CHANNEL_START, /* makes a key and a certificate, and waits for a client */
    CHANNEL_PUMP,  /* in: from the network; out: to it. What the client says comes back to it. */
    CHANNEL_END,
    CHANNEL_ECALLS_COUNT
};

struct channel_page {
    uint64_t in_size;  /* those not taken are left */
    uint64_t out_size; /* what was written */
    uint64_t state;    /* enum alc_channel_state */
    uint64_t status;   /* alc_status */
    uint8_t in[8176];
    uint8_t out[8176];
};
_Static_assert(sizeof(struct channel_page) == 4 * 4096, "four pages");

#endif
