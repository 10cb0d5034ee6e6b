/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings of attested sockets. Input is hostile.
 */
#include "attested/settings.h"

#include "base/cbor.h"
#include "base/limits.h"

void alc_attested_settings_write(struct alc_writer *writer, uint32_t listeners_count)
{
    alc_cbor_write_array(writer, 1);
    alc_cbor_write_uint(writer, listeners_count);
}

alc_status alc_attested_settings_read(struct alc_reader *reader, uint32_t sockets_count,
                                      uint32_t *out_listeners_count)
{
    size_t items = 0;
    uint64_t count = 0;
    if (alc_cbor_read_array(reader, 1, &items) != ALC_OK || items != 1 ||
        alc_cbor_read_uint(reader, &count) != ALC_OK || !alc_reader_at_end(reader) || count == 0 ||
        count > sockets_count || count > ALC_LIMIT_ATTESTED_SOCKETS) {
        return ALC_E_BAD_MANIFEST;
    }
    *out_listeners_count = (uint32_t)count;
    return ALC_OK;
}
