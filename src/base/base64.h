/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64 (RFC 4648) in the two forms that JSON carries bytes in. Strict: one text for each value.
 */
#ifndef ALC_BASE_BASE64_H
#define ALC_BASE_BASE64_H

#include "base/writer.h"

enum alc_base64_form {
    ALC_BASE64,     /* + and /, padded */
    ALC_BASE64_URL, /* - and _, not padded: JSON Web Signature and Encryption */
};

/* Characters that `size` bytes become. */
size_t alc_base64_size(enum alc_base64_form form, size_t size);
void alc_base64_write(struct alc_writer *writer, enum alc_base64_form form, const void *bytes,
                      size_t size);
/* Decodes all of `text` into at most `out_max` bytes; `out` may be `text` itself. False when it is
 * anything else: another alphabet, spaces, missing or superfluous padding, unused bits. */
ALC_MUST_CHECK bool alc_base64_read(enum alc_base64_form form, const uint8_t *text,
                                    size_t text_size, uint8_t *out, size_t out_max,
                                    size_t *out_size);

#endif
