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
    struct alc_attester attester; /* for the certificate and for proofs of freshness */
    struct alc_channel_identity identity;
    struct alc_channel_demand anybody; /* what is asked of clients: nothing */
};

/* `os` is borrowed. What to run over is out->table.over.os. */
void services_sockets_init(struct services_sockets *out, const struct alc_os *os);
/* When the workload is loaded and described: makes a key for it and has the enclave prove it, if
 * its manifest names such sockets. ALC_E_BAD_MANIFEST; statuses of alc_channel_identity_init. */
ALC_MUST_CHECK alc_status services_sockets_open(struct services_sockets *sockets,
                                                struct alc_evidence *evidence,
                                                const struct alc_manifest *manifest);

#endif
