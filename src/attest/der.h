/* SPDX-License-Identifier: Apache-2.0
 *
 * DER (X.690) as certificates and revocation lists use it: one-byte tags, definite lengths in their
 * shortest form. Input is hostile; everything read is borrowed from it.
 */
#ifndef ALC_ATTEST_DER_H
#define ALC_ATTEST_DER_H

#include "base/reader.h"

enum alc_der_tag {
    ALC_DER_BOOLEAN = 0x01,
    ALC_DER_INTEGER = 0x02,
    ALC_DER_BIT_STRING = 0x03,
    ALC_DER_OCTET_STRING = 0x04,
    ALC_DER_OBJECT_IDENTIFIER = 0x06,
    ALC_DER_UTC_TIME = 0x17,
    ALC_DER_GENERALIZED_TIME = 0x18,
    ALC_DER_SEQUENCE = 0x30,
    ALC_DER_SET = 0x31,
    ALC_DER_CONTEXT_0 = 0xa0, /* constructed, context-specific */
    ALC_DER_CONTEXT_1 = 0xa1,
    ALC_DER_CONTEXT_3 = 0xa3,
};

/* One element. */
struct alc_der {
    const uint8_t *bytes; /* with tag and length */
    size_t size;
    struct alc_reader content;
    uint8_t tag;
};

/* Reads the next element: ALC_E_BAD_DER at its offset when it is malformed. */
ALC_MUST_CHECK alc_status alc_der_read_any(struct alc_reader *reader, struct alc_der *out);
/* The same, and it must have this tag. */
ALC_MUST_CHECK alc_status alc_der_read(struct alc_reader *reader, enum alc_der_tag tag,
                                       struct alc_der *out);
/* Whether another element with this tag follows. */
bool alc_der_is_next(const struct alc_reader *reader, enum alc_der_tag tag);
/* Whether the element's content is these bytes. */
bool alc_der_has_content(const struct alc_der *element, const void *bytes, size_t size);
/* A non-negative INTEGER below 2^32. */
ALC_MUST_CHECK alc_status alc_der_read_u32(struct alc_reader *reader, uint32_t *out);
/* UTCTime or GeneralizedTime as RFC 5280 allows them, in seconds since 1970. */
ALC_MUST_CHECK alc_status alc_der_read_time(struct alc_reader *reader, int64_t *out_s);
/* Nothing may follow: ALC_E_BAD_DER. */
ALC_MUST_CHECK alc_status alc_der_end(const struct alc_reader *reader);

#endif
