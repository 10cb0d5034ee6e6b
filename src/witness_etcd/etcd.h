/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters in etcd, for several witnesses over one cluster (etcd 3.4 or newer, its JSON gateway). A
 * counter is a key, "alcove/witness/" and the 128 digits of the counter's key; its value is the
 * mark in the 24 bytes of witness/witness.h. It moves by a transaction that compares the whole
 * value, and is read through the cluster's consensus, so all witnesses agree.
 *
 * The cluster is trusted to remember, as a database is. Its answers are not trusted to be well
 * made: they are bounded in size and time, and what does not fit the question is no answer.
 */
#ifndef ALC_WITNESS_ETCD_ETCD_H
#define ALC_WITNESS_ETCD_ETCD_H

#include "witness/witness.h"

enum { ALC_WITNESS_ETCD_MEMBERS_MAX = 8 };

struct alc_witness_etcd_options {
    /* "https://HOST:PORT", one for each member that may be asked, between commas; http: for this
     * machine's own addresses alone. */
    const char *urls;
    /* PEM files; NULL: the system's authorities, and no certificate of this side. */
    const char *ca_path;
    const char *certificate_path;
    const char *key_path;
    /* Told when a member begins to fail and, with `trouble` NULL, when it answers again. */
    void (*report)(const char *url, const char *trouble);
};

struct alc_witness_etcd; /* a cluster */

/* Asks the cluster once. BAD_ARGUMENT: not such URLs; IO_FAILED: nobody answers as etcd does, which
 * was reported. */
ALC_MUST_CHECK alc_status alc_witness_etcd_open(const struct alc_witness_etcd_options *options,
                                                struct alc_witness_etcd **out,
                                                struct alc_error *error);
void alc_witness_etcd_close(struct alc_witness_etcd *etcd);
/* The cluster as a store; borrowed, for one thread. A question ends after five seconds at most. */
struct alc_witness_store alc_witness_etcd_store(struct alc_witness_etcd *etcd);

#endif
