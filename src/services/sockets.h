/* SPDX-License-Identifier: Apache-2.0
 *
 * The service of attested sockets: which of a workload's sockets speak through channels, and as
 * whom. Inside the room only.
 */
#ifndef ALC_SERVICES_SOCKETS_H
#define ALC_SERVICES_SOCKETS_H

#include "attested/attested.h"
#include "evidence/evidence.h"

struct services_sockets {
    struct alc_attested_os table; /* over the others; serves nothing until there are such sockets */
    struct alc_workload *workload; /* whose sockets they are, once it is loaded */
    struct alc_attester attester;  /* for the certificate and for proofs of freshness */
    struct alc_channel_identity identity;
    /* What is asked of peers. Without a policy of the manifest's: nothing of clients, and of
     * servers what alc_policy_default asks. */
    struct alc_channel_demand of_clients;
    struct alc_channel_demand of_servers;
    struct alc_policy policy;
};

/* `os` is borrowed. What to run over is out->table.over.os. */
void services_sockets_init(struct services_sockets *out, const struct alc_os *os);
/* When the workload is loaded and described: makes a key for it and has the enclave prove it, if
 * its manifest names such sockets, and begins the connections among them. ALC_E_BAD_MANIFEST;
 * ALC_E_BAD_POLICY also for one that asks for report data; statuses of alc_policy_read,
 * alc_channel_identity_init and alc_attested_os_connect. */
ALC_MUST_CHECK alc_status services_sockets_open(struct services_sockets *sockets,
                                                struct alc_evidence *evidence,
                                                struct alc_workload *workload);
/* When the workload has ended: says farewell on what it left open. The identity stays, since
 * threads of the program may outlive this. */
void services_sockets_close(struct services_sockets *sockets);

#endif
