/* SPDX-License-Identifier: Apache-2.0
 *
 * Lengths in their shortest form, as DER wants them.
 */
#include "sgx_emu_quote/der_write.h"

#include "base/bytes.h"

void der_put(struct der_writer *writer, const void *bytes, size_t size)
{
    ALC_ASSERT(size <= sizeof writer->bytes - writer->size);
    alc_copy(writer->bytes + writer->size, bytes, size);
    writer->size += size;
}

size_t der_begin(struct der_writer *writer, uint8_t tag)
{
    der_put(writer, &tag, 1);
    return writer->size;
}

void der_end(struct der_writer *writer, size_t begun)
{
    uint8_t head[3];
    size_t size = writer->size - begun;
    size_t head_size = 1;
    if (size < 0x80) {
        head[0] = (uint8_t)size;
    } else if (size < 0x100) {
        head[0] = 0x81;
        head[1] = (uint8_t)size;
        head_size = 2;
    } else {
        head[0] = 0x82;
        head[1] = (uint8_t)(size >> 8);
        head[2] = (uint8_t)size;
        head_size = 3;
    }
    ALC_ASSERT(head_size <= sizeof writer->bytes - writer->size);
    alc_move(writer->bytes + begun + head_size, writer->bytes + begun, size);
    alc_copy(writer->bytes + begun, head, head_size);
    writer->size += head_size;
}

void der_element(struct der_writer *writer, uint8_t tag, const void *content, size_t size)
{
    size_t begun = der_begin(writer, tag);
    der_put(writer, content, size);
    der_end(writer, begun);
}
