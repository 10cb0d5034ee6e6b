/* SPDX-License-Identifier: Apache-2.0
 *
 * Encodings of crypto/: whatever is read as a key, a signature or a PEM block is written as the
 * same bytes again, and errors lie within the input. The first byte chooses.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { PEM_MAX = 4096 };

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void fuzz_spki(struct alc_reader *reader)
{
    struct alc_ec_public_key key;
    uint8_t again[ALC_EC_SPKI_SIZE_MAX];
    struct alc_writer writer;
    if (alc_ec_read_spki(reader, &key) != ALC_OK) {
        return;
    }
    alc_writer_init(&writer, again, sizeof again);
    alc_ec_write_spki(&writer, &key);
    demand(writer.pos == reader->size && memcmp(again, reader->bytes, writer.pos) == 0);
}

static void fuzz_signature(struct alc_reader *reader, enum alc_curve curve)
{
    struct alc_ecdsa_signature signature;
    uint8_t again[ALC_ECDSA_DER_SIZE_MAX];
    struct alc_writer writer;
    if (alc_ecdsa_read_der(reader, curve, &signature) != ALC_OK) {
        return;
    }
    alc_writer_init(&writer, again, sizeof again);
    alc_ecdsa_write_der(&writer, curve, &signature);
    demand(writer.pos == reader->size && memcmp(again, reader->bytes, writer.pos) == 0);
}

static void fuzz_pem(struct alc_reader *reader)
{
    static uint8_t block[PEM_MAX];
    static uint8_t again[PEM_MAX];
    static uint8_t text[2 * PEM_MAX];
    size_t size;
    size_t again_size;
    while (alc_pem_read(reader, "CERTIFICATE", block, sizeof block, &size) == ALC_OK) {
        struct alc_writer writer;
        struct alc_reader text_reader;
        alc_writer_init(&writer, text, sizeof text);
        alc_pem_write(&writer, "CERTIFICATE", block, size);
        demand(alc_writer_finish(&writer) == ALC_OK);
        alc_reader_init(&text_reader, text, writer.pos, NULL);
        demand(alc_pem_read(&text_reader, "CERTIFICATE", again, sizeof again, &again_size) ==
               ALC_OK);
        demand(again_size == size && memcmp(again, block, size) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct alc_reader reader;
    struct alc_error error;
    if (size == 0) {
        return 0;
    }
    alc_error_clear(&error);
    alc_reader_init(&reader, bytes + 1, size - 1, &error);
    switch (bytes[0] % 4) {
    case 0:
        fuzz_spki(&reader);
        break;
    case 1:
    case 2:
        fuzz_signature(&reader, bytes[0] % 4 - 1);
        break;
    default:
        fuzz_pem(&reader);
    }
    demand(error.status == ALC_OK || error.offset <= size);
    return 0;
}
