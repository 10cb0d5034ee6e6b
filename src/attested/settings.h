/* SPDX-License-Identifier: Apache-2.0
 *
 * What a manifest says about attested sockets: settings of the service
 * ALC_SERVICE_ATTESTED_SOCKETS, in deterministic CBOR. They are part of the workload id, so a host
 * that changes which sockets are attested, or whom they accept, runs another workload.
 *
 *   settings = [ uint listeners, uint connections, bstr policy, uint dialect ]
 *
 * Of the manifest's sockets the last ones are attested: first `listeners` that listen, then
 * `connections` that are connected. `policy` is the document of attest/policy.h by which all of
 * their peers are judged; empty: there is none. `dialect` is what all of them speak; TNG's has
 * neither connections nor a policy: such peers bring no collateral, so there is nothing to judge
 * them by.
 */
#ifndef ALC_ATTESTED_SETTINGS_H
#define ALC_ATTESTED_SETTINGS_H

#include "attest/json.h"
#include "base/reader.h"
#include "base/writer.h"

enum alc_attested_dialect { ALC_ATTESTED_OWN, ALC_ATTESTED_TNG, ALC_ATTESTED_DIALECTS };

struct alc_attested_settings {
    uint32_t listeners_count;
    uint32_t connections_count;
    struct alc_text policy; /* borrowed; size 0: none */
    enum alc_attested_dialect dialect;
};

void alc_attested_settings_write(struct alc_writer *writer,
                                 const struct alc_attested_settings *settings);
/* Reads exactly one. ALC_E_BAD_MANIFEST unless there are some of both kinds together, at most
 * `sockets_count` and ALC_LIMIT_ATTESTED_SOCKETS, and the document is not larger than
 * ALC_LIMIT_POLICY_SIZE, and the dialect is known and allows the rest. The document is not read
 * here. */
ALC_MUST_CHECK alc_status alc_attested_settings_read(struct alc_reader *reader,
                                                     uint32_t sockets_count,
                                                     struct alc_attested_settings *out);

#endif
