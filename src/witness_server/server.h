/* SPDX-License-Identifier: Apache-2.0
 *
 * A witness as a service: counters in an SQLite database, questions over TCP. Whoever connects is
 * distrusted: requests have one size, connections and their patience are limited.
 */
#ifndef ALC_WITNESS_SERVER_SERVER_H
#define ALC_WITNESS_SERVER_SERVER_H

#include "witness/witness.h"

/* -- counters in a database -- */

struct alc_witness_database; /* an open file */

/* Opens or makes the database at `path`. IO_FAILED: it is none, another process has it, or the disk
 * does not take it; error->detail says what SQLite says. */
ALC_MUST_CHECK alc_status alc_witness_database_open(const char *path,
                                                    struct alc_witness_database **out,
                                                    struct alc_error *error);
void alc_witness_database_close(struct alc_witness_database *database);
/* The database as a store; borrowed, for one thread. */
struct alc_witness_store alc_witness_database_store(struct alc_witness_database *database);

/* -- the service -- */

struct alc_witness_service {
    const struct alc_witness_store *store; /* borrowed, as everything here */
    const struct alc_ec_private_key *key;
    const struct alc_random *random;
    const volatile uint32_t *stop; /* ends the service when it is not 0 */
};

/* Serves a listening socket, which it makes non-blocking, until it is told to stop. IO_FAILED when
 * the system refuses to wait. */
ALC_MUST_CHECK alc_status alc_witness_serve(int listener,
                                            const struct alc_witness_service *service);

#endif
