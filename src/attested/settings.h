/* SPDX-License-Identifier: Apache-2.0
 *
 * What a manifest says about attested sockets: settings of the service
 * ALC_SERVICE_ATTESTED_SOCKETS, in deterministic CBOR.
 *
 *   settings = [uint]    how many of the listening sockets, the last ones, are attested: 1 or more
 */
#ifndef ALC_ATTESTED_SETTINGS_H
#define ALC_ATTESTED_SETTINGS_H

#include "base/reader.h"
#include "base/writer.h"

void alc_attested_settings_write(struct alc_writer *writer, uint32_t listeners_count);
/* Reads exactly one. ALC_E_BAD_MANIFEST unless the number is in 1 to `sockets_count` and to
 * ALC_LIMIT_ATTESTED_SOCKETS. */
ALC_MUST_CHECK alc_status alc_attested_settings_read(struct alc_reader *reader,
                                                     uint32_t sockets_count,
                                                     uint32_t *out_listeners_count);

#endif
