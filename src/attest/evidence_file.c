/* SPDX-License-Identifier: Apache-2.0
 *
 * Tagged evidence and files of it.
 */
#include "attest/evidence_file.h"

#include "base/cbor.h"

void alc_tagged_evidence_write(struct alc_writer *writer, const struct alc_tagged_evidence *tagged)
{
    alc_cbor_write_tag(writer, tagged->tag);
    alc_cbor_write_array(writer, 2);
    alc_cbor_write_bytes(writer, tagged->evidence.bytes, tagged->evidence.size);
    alc_cbor_write_bytes(writer, tagged->claims.bytes, tagged->claims.size);
}

alc_status alc_tagged_evidence_read(struct alc_reader *reader, struct alc_tagged_evidence *out)
{
    const struct alc_reader start = *reader;
    size_t count;
    ALC_TRY(alc_cbor_read_tag(reader, &out->tag));
    ALC_TRY(alc_cbor_read_array(reader, 2, &count));
    if (count != 2) {
        return alc_reader_fail(&start, ALC_E_BAD_CBOR);
    }
    ALC_TRY(alc_cbor_read_bytes(reader, &out->evidence.bytes, &out->evidence.size));
    return alc_cbor_read_bytes(reader, &out->claims.bytes, &out->claims.size);
}

void alc_evidence_file_write(struct alc_writer *writer, const struct alc_evidence_file *file)
{
    alc_tagged_evidence_write(writer, &file->tagged);
    if (file->collateral.size != 0) {
        alc_cbor_write_bytes(writer, file->collateral.bytes, file->collateral.size);
    }
}

alc_status alc_evidence_file_read(struct alc_reader *reader, struct alc_evidence_file *out)
{
    *out = (struct alc_evidence_file){0};
    if (alc_reader_remaining(reader) > ALC_EVIDENCE_FILE_SIZE_MAX) {
        return alc_reader_fail(reader, ALC_E_LENGTH_OUT_OF_BOUNDS);
    }
    ALC_TRY(alc_tagged_evidence_read(reader, &out->tagged));
    if (alc_reader_at_end(reader)) {
        return ALC_OK;
    }
    ALC_TRY(alc_cbor_read_bytes(reader, &out->collateral.bytes, &out->collateral.size));
    return alc_reader_at_end(reader) ? ALC_OK : alc_reader_fail(reader, ALC_E_BAD_CBOR);
}
