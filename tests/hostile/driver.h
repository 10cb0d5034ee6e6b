/* SPDX-License-Identifier: Apache-2.0
 *
 * Drives the stubs of the host boundary against a host that a test makes up. The inside is one
 * range of memory filled with a secret byte: what the stubs may read and write is cut out of it,
 * and after each call every other byte must still be there and none of it may stand in the shared
 * region. The functions that drive single calls are generated from hostcall.host.
 */
#ifndef ALC_TESTS_HOSTILE_DRIVER_H
#define ALC_TESTS_HOSTILE_DRIVER_H

#include "hostcall/client.h"
#include "hostcall/dispatch.h"
#include "os_fake/os_fake.h"

enum {
    HOSTILE_SECRET = 0xd7,  /* fills the inside */
    HOSTILE_SECRET_RUN = 6, /* so many in a row outside are a disclosure */
    HOSTILE_SPANS_MAX = 4,
    HOSTILE_PIECES_MAX = 32,
    HOSTILE_INSIDE_SIZE = 1 << 21,
};

/* What a call is given: pieces of the inside, with copies of what they held. */
struct hostile_buffer {
    uint8_t *bytes;
    size_t count;
    uint8_t *saved;
};
struct hostile_spans {
    struct alc_span spans[HOSTILE_SPANS_MAX];
    size_t count;
    uint8_t *saved[HOSTILE_SPANS_MAX];
};
struct hostile_items {
    uint8_t *bytes;
    size_t count;
    size_t item_size;
    uint8_t *saved;
};

struct hostile_driver {
    struct alc_ring_region *region;
    struct alc_hostcall_client *client; /* in the inside */
    struct alc_os os;                   /* the stubs */
    struct alc_os_fake honest;          /* what a truthful host would answer */
    struct alc_hostcall_server server;
    uint8_t *inside;
    size_t inside_used;
    size_t piece_starts[HOSTILE_PIECES_MAX]; /* each has a guard in front */
    size_t pieces_count;
    uint8_t *saved; /* room for copies, outside of everything */
    size_t saved_used;
    /* Numbers come from `data` and, behind its end, from `seed` (0: all zero then). */
    const uint8_t *data;
    size_t data_size;
    uint64_t seed;
    /* What the host does when the inside left; NULL: serves honestly. */
    void (*answer)(struct hostile_driver *driver);
    uint64_t leaves_count;
    uint64_t gave_up_count;
    uint64_t drives_count;
    const char *failed_check; /* the first */
};

struct hostile_row {
    uint32_t op;
    const char *name;
    int64_t (*drive)(const struct alc_os *os, struct hostile_driver *driver);
};
extern const struct hostile_row hostile_rows[];
extern const size_t hostile_rows_count;

/* One driver at a time: it is what `leave` finds. */
void hostile_init(struct hostile_driver *driver);
void hostile_fini(struct hostile_driver *driver);
/* Fresh region, client and server. */
void hostile_restart(struct hostile_driver *driver);
/* Drives row `index` once and checks the inside and the region; the call's result. */
int64_t hostile_drive(struct hostile_driver *driver, size_t index);
/* Serves honestly what the ring holds. */
void hostile_serve(struct hostile_driver *driver);

/* For the generated functions. */
uint64_t hostile_number(struct hostile_driver *driver);
size_t hostile_count(struct hostile_driver *driver);
struct hostile_spans hostile_spans(struct hostile_driver *driver, bool is_out);
struct hostile_buffer hostile_buffer(struct hostile_driver *driver, bool is_out);
struct hostile_items hostile_items(struct hostile_driver *driver, size_t count, size_t item_size);
void hostile_check_spans(struct hostile_driver *driver, const struct hostile_spans *spans,
                         bool is_out, int64_t result);
/* `promised` bytes may have changed, or all when a lie may wipe them. */
void hostile_check_buffer(struct hostile_driver *driver, const struct hostile_buffer *buffer,
                          int64_t promised, bool may_wipe);
void hostile_check_at(struct hostile_driver *driver, bool holds, const char *place);
#define HOSTILE_TEXT(value) #value
#define HOSTILE_PLACE(file, line) file ":" HOSTILE_TEXT(line)
#define hostile_check(driver, holds)                                                               \
    hostile_check_at(driver, holds, HOSTILE_PLACE(__FILE__, __LINE__) " " #holds)

#endif
