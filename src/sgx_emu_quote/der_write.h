/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes DER. Nested elements are begun and ended; their lengths are filled in at the end.
 */
#ifndef ALC_SGX_EMU_QUOTE_DER_WRITE_H
#define ALC_SGX_EMU_QUOTE_DER_WRITE_H

#include "base/compiler.h"

struct der_writer {
    uint8_t bytes[2048]; /* no certificate here comes near */
    size_t size;
};

void der_put(struct der_writer *writer, const void *bytes, size_t size);
/* A whole element. */
void der_element(struct der_writer *writer, uint8_t tag, const void *content, size_t size);
/* Begins an element: what der_end wants. */
size_t der_begin(struct der_writer *writer, uint8_t tag);
void der_end(struct der_writer *writer, size_t begun);

#endif
