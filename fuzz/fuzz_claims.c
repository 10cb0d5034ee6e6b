/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence files, claims-buffers and claims sets: no input gives more than it has, what is read is
 * inside the input, and a claims set that is read is written as the same bytes again. Each is tried
 * with the whole input, and the inner ones with what the outer ones found.
 */
#include <stdlib.h>
#include <string.h>

#include "attest/evidence_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void demand_inside(const struct alc_text *text, const struct alc_text *whole)
{
    demand(text->size == 0 || (text->bytes >= whole->bytes && text->size <= whole->size &&
                               (size_t)(text->bytes - whole->bytes) <= whole->size - text->size));
}

static void fuzz_claims(const struct alc_text *text)
{
    static uint8_t again[ALC_CLAIMS_SIZE_MAX];
    struct alc_reader reader;
    struct alc_writer writer;
    struct alc_claims claims;
    alc_reader_init(&reader, text->bytes, text->size, NULL);
    if (alc_claims_read(&reader, &claims) == ALC_OK) {
        alc_writer_init(&writer, again, sizeof again);
        alc_claims_write(&writer, &claims);
        demand(writer.pos == text->size);
        demand(writer.overflowed || memcmp(again, text->bytes, text->size) == 0);
    }
}

static void fuzz_buffer(const struct alc_text *text)
{
    struct alc_reader reader;
    struct alc_claims_buffer buffer;
    alc_reader_init(&reader, text->bytes, text->size, NULL);
    if (alc_claims_buffer_read(&reader, &buffer) == ALC_OK) {
        demand_inside(&buffer.nonce, text);
        demand_inside(&buffer.alcove, text);
        demand_inside(&buffer.key_hash, text);
        fuzz_claims(&buffer.alcove);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct alc_text text = {bytes, size};
    struct alc_evidence_file file;
    struct alc_reader reader;
    alc_reader_init(&reader, bytes, size, NULL);
    if (alc_evidence_file_read(&reader, &file) == ALC_OK) {
        demand_inside(&file.tagged.evidence, &text);
        demand_inside(&file.tagged.claims, &text);
        demand_inside(&file.collateral, &text);
        fuzz_buffer(&file.tagged.claims);
    }
    fuzz_buffer(&text);
    fuzz_claims(&text);
    return 0;
}
