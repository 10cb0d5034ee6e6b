/* SPDX-License-Identifier: Apache-2.0
 *
 * The codec of a sealed mount's settings. The manifest is the host's word until somebody checked
 * the workload id, so decoding takes any bytes.
 */
#include "mounts/settings.h"

#include "base/bytes.h"
#include "base/cbor.h"

enum { POINT_SIZE = 64 };

void alc_mount_settings_encode(const struct alc_mount_settings *settings, struct alc_writer *writer)
{
    bool has_witness = settings->level == ALC_MOUNT_LEVEL_WITNESS;
    alc_cbor_write_array(writer, has_witness ? 3 : 2);
    alc_cbor_write_uint(writer, (uint64_t)settings->level);
    alc_cbor_write_uint(writer, (uint64_t)settings->policy);
    if (has_witness) {
        alc_cbor_write_bytes(writer, settings->witness.point, POINT_SIZE);
    }
}

alc_status alc_mount_settings_decode(const struct alc_string *bytes, struct alc_mount_settings *out)
{
    struct alc_reader reader;
    size_t count;
    uint64_t level;
    uint64_t policy;
    *out = (struct alc_mount_settings){.witness = {.curve = ALC_CURVE_P256}};
    if (bytes->size == 0) {
        return ALC_OK;
    }
    alc_reader_init(&reader, bytes->bytes, bytes->size, NULL);
    ALC_TRY(alc_cbor_read_array(&reader, 3, &count));
    ALC_TRY(alc_cbor_read_uint(&reader, &level));
    ALC_TRY(alc_cbor_read_uint(&reader, &policy));
    bool has_witness = level == ALC_MOUNT_LEVEL_WITNESS;
    if (level > ALC_MOUNT_LEVEL_WITNESS || policy > ALC_MOUNT_POLICY_MRSIGNER ||
        count != (has_witness ? 3 : 2)) {
        return ALC_E_BAD_MANIFEST;
    }
    if (has_witness) {
        const uint8_t *point;
        size_t size;
        ALC_TRY(alc_cbor_read_bytes(&reader, &point, &size));
        if (size != POINT_SIZE) {
            return ALC_E_BAD_MANIFEST;
        }
        alc_copy(out->witness.point, point, POINT_SIZE);
    }
    out->level = (enum alc_mount_level)level;
    out->policy = (enum alc_mount_policy)policy;
    /* The settings of 0 are said by nothing at all. */
    bool is_default = !has_witness && policy == ALC_MOUNT_POLICY_MRENCLAVE;
    return alc_reader_at_end(&reader) && !is_default ? ALC_OK : ALC_E_BAD_MANIFEST;
}
