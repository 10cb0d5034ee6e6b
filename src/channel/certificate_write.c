/* SPDX-License-Identifier: Apache-2.0
 *
 * Self-signed certificates with evidence in them, written: forward, each length put in front of its
 * content once that is there.
 */
#include "base/bytes.h"
#include "channel/certificate.h"
#include "channel/certificate_internal.h"

enum { HEAD_SIZE_MAX = 4, SERIAL_SIZE = 16 };
#define LAST_UTC_TIME_S INT64_C(2524607999) /* 2049-12-31T23:59:59Z */

/* Name { CN = alcove }: means nothing, but has to be there. */
static const uint8_t name[] = {0x30, 0x11, 0x31, 0x0f, 0x30, 0x0d, 0x06, 0x03, 0x55, 0x04,
                               0x03, 0x0c, 0x06, 'a',  'l',  'c',  'o',  'v',  'e'};
static const uint8_t version_3[] = {0xa0, 0x03, 0x02, 0x01, 0x02};

/* Begins an element, whose content is written next; gives what end_element asks for. */
static size_t begin_element(struct alc_writer *writer)
{
    size_t begin = writer->pos;
    alc_write_zeros(writer, HEAD_SIZE_MAX);
    return begin;
}

/* Puts tag and length in front of what was written since `begin`. */
static void end_element(struct alc_writer *writer, size_t begin, enum alc_der_tag tag)
{
    uint8_t head[HEAD_SIZE_MAX];
    struct alc_writer inner;
    if (writer->overflowed) {
        return;
    }
    size_t size = writer->pos - begin - HEAD_SIZE_MAX;
    ALC_ASSERT(size <= UINT16_MAX);
    alc_writer_init(&inner, head, sizeof head);
    alc_write_u8(&inner, (uint8_t)tag);
    if (size > UINT8_MAX) {
        alc_write_u8(&inner, 0x82);
        alc_write_u8(&inner, (uint8_t)(size >> 8));
    } else if (size >= 0x80) {
        alc_write_u8(&inner, 0x81);
    }
    alc_write_u8(&inner, (uint8_t)size);
    alc_copy(writer->bytes + begin, head, inner.pos);
    alc_move(writer->bytes + begin + inner.pos, writer->bytes + begin + HEAD_SIZE_MAX, size);
    writer->pos = begin + inner.pos + size;
}

static void write_element(struct alc_writer *writer, enum alc_der_tag tag, const void *bytes,
                          size_t size)
{
    size_t begin = begin_element(writer);
    alc_write_bytes(writer, bytes, size);
    end_element(writer, begin, tag);
}

/* -- dates -- */

static void write_two_digits(struct alc_writer *writer, int64_t number)
{
    alc_write_u8(writer, (uint8_t)('0' + number / 10 % 10));
    alc_write_u8(writer, (uint8_t)('0' + number % 10));
}

static bool is_leap(int64_t year) /* from 1970 to 2049 */
{
    return year % 4 == 0;
}

static void write_time(struct alc_writer *writer, int64_t time_s)
{
    static const uint8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = time_s / (24 * 3600);
    int64_t second = time_s % (24 * 3600);
    int64_t year = 1970;
    size_t month = 0;
    for (; day >= 365 + is_leap(year); year++) {
        day -= 365 + is_leap(year);
    }
    for (; day >= month_days[month] + (month == 1 && is_leap(year)); month++) {
        day -= month_days[month] + (month == 1 && is_leap(year));
    }
    size_t begin = begin_element(writer);
    write_two_digits(writer, year);
    write_two_digits(writer, (int64_t)month + 1);
    write_two_digits(writer, day + 1);
    write_two_digits(writer, second / 3600);
    write_two_digits(writer, second / 60 % 60);
    write_two_digits(writer, second % 60);
    alc_write_u8(writer, 'Z');
    end_element(writer, begin, ALC_DER_UTC_TIME);
}

/* -- the certificate -- */

static void write_extension(struct alc_writer *writer, const uint8_t oid[ALC_OID_DICE_SIZE],
                            const struct alc_text *value)
{
    if (value->bytes == NULL) {
        return;
    }
    size_t begin = begin_element(writer);
    write_element(writer, ALC_DER_OBJECT_IDENTIFIER, oid, ALC_OID_DICE_SIZE);
    write_element(writer, ALC_DER_OCTET_STRING, value->bytes, value->size);
    end_element(writer, begin, ALC_DER_SEQUENCE);
}

static void write_extensions(struct alc_writer *writer,
                             const struct alc_own_certificate_content *content)
{
    if (content->evidence.bytes == NULL && content->endorsements.bytes == NULL) {
        return;
    }
    size_t wrapper = begin_element(writer);
    size_t extensions = begin_element(writer);
    write_extension(writer, alc_oid_evidence, &content->evidence);
    write_extension(writer, alc_oid_endorsements, &content->endorsements);
    end_element(writer, extensions, ALC_DER_SEQUENCE);
    end_element(writer, wrapper, ALC_DER_CONTEXT_3);
}

/* What is signed. */
static alc_status write_inner(struct alc_writer *writer,
                              const struct alc_own_certificate_content *content)
{
    uint8_t serial[SERIAL_SIZE];
    ALC_TRY(content->random->fill(content->random->context, serial, sizeof serial));
    serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and in its shortest form */
    size_t begin = begin_element(writer);
    alc_write_bytes(writer, version_3, sizeof version_3);
    write_element(writer, ALC_DER_INTEGER, serial, sizeof serial);
    alc_write_bytes(writer, alc_ecdsa_with_sha256, ALC_ALGORITHM_SIZE);
    alc_write_bytes(writer, name, sizeof name);
    size_t validity = begin_element(writer);
    write_time(writer, content->not_before_s);
    write_time(writer, content->not_after_s);
    end_element(writer, validity, ALC_DER_SEQUENCE);
    alc_write_bytes(writer, name, sizeof name);
    alc_ec_write_spki(writer, content->public_key);
    write_extensions(writer, content);
    end_element(writer, begin, ALC_DER_SEQUENCE);
    return alc_writer_finish(writer);
}

alc_status alc_own_certificate_write(struct alc_writer *writer,
                                     const struct alc_own_certificate_content *content)
{
    uint8_t digest[ALC_SHA256_SIZE];
    uint8_t signature_der[1 + ALC_ECDSA_DER_SIZE_MAX];
    struct alc_ecdsa_signature signature;
    struct alc_writer inner;
    ALC_ASSERT(content->private_key->curve == ALC_CURVE_P256);
    ALC_ASSERT(content->not_before_s >= 0 && content->not_after_s <= LAST_UTC_TIME_S);
    if (content->evidence.size + content->endorsements.size > ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE) {
        return ALC_E_CERTIFICATE_SIZE;
    }
    size_t begin = begin_element(writer);
    size_t signed_begin = writer->pos;
    ALC_TRY(write_inner(writer, content));
    alc_sha256(writer->bytes + signed_begin, writer->pos - signed_begin, digest);
    ALC_TRY(
        alc_ecdsa_sign(content->private_key, ALC_HASH_SHA256, digest, content->random, &signature));
    alc_write_bytes(writer, alc_ecdsa_with_sha256, ALC_ALGORITHM_SIZE);
    alc_writer_init(&inner, signature_der, sizeof signature_der);
    alc_write_u8(&inner, 0); /* no unused bits */
    alc_ecdsa_write_der(&inner, ALC_CURVE_P256, &signature);
    write_element(writer, ALC_DER_BIT_STRING, signature_der, inner.pos);
    end_element(writer, begin, ALC_DER_SEQUENCE);
    ALC_TRY(alc_writer_finish(writer));
    return writer->pos - begin > ALC_LIMIT_CHANNEL_CERTIFICATE_SIZE ? ALC_E_CERTIFICATE_SIZE
                                                                    : ALC_OK;
}
