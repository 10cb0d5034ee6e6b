/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings of attested sockets. Input is hostile.
 */
#include "attested/settings.h"

#include "base/cbor.h"
#include "base/limits.h"

enum { ITEMS = 4 };

void alc_attested_settings_write(struct alc_writer *writer,
                                 const struct alc_attested_settings *settings)
{
    alc_cbor_write_array(writer, ITEMS);
    alc_cbor_write_uint(writer, settings->listeners_count);
    alc_cbor_write_uint(writer, settings->connections_count);
    alc_cbor_write_bytes(writer, settings->policy.bytes, settings->policy.size);
    alc_cbor_write_uint(writer, settings->dialect);
}

alc_status alc_attested_settings_read(struct alc_reader *reader, uint32_t sockets_count,
                                      struct alc_attested_settings *out)
{
    const uint64_t max =
        sockets_count < ALC_LIMIT_ATTESTED_SOCKETS ? sockets_count : ALC_LIMIT_ATTESTED_SOCKETS;
    size_t items = 0;
    uint64_t listeners = 0;
    uint64_t connections = 0;
    uint64_t dialect = 0;
    *out = (struct alc_attested_settings){0};
    if (alc_cbor_read_array(reader, ITEMS, &items) != ALC_OK || items != ITEMS ||
        alc_cbor_read_uint(reader, &listeners) != ALC_OK ||
        alc_cbor_read_uint(reader, &connections) != ALC_OK ||
        alc_cbor_read_bytes(reader, &out->policy.bytes, &out->policy.size) != ALC_OK ||
        alc_cbor_read_uint(reader, &dialect) != ALC_OK || dialect >= ALC_ATTESTED_DIALECTS ||
        !alc_reader_at_end(reader) || out->policy.size > ALC_LIMIT_POLICY_SIZE || listeners > max ||
        connections > max - listeners || listeners + connections == 0) {
        return ALC_E_BAD_MANIFEST;
    }
    if (dialect == ALC_ATTESTED_TNG && (connections != 0 || out->policy.size != 0)) {
        return ALC_E_BAD_MANIFEST;
    }
    out->dialect = (enum alc_attested_dialect)dialect;
    out->listeners_count = (uint32_t)listeners;
    out->connections_count = (uint32_t)connections;
    return ALC_OK;
}
