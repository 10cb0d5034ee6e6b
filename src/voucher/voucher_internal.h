/* SPDX-License-Identifier: Apache-2.0
 *
 * The codec without the signature, for tests and fuzzing too.
 */
#ifndef ALC_VOUCHER_VOUCHER_INTERNAL_H
#define ALC_VOUCHER_VOUCHER_INTERNAL_H

#include "voucher/voucher.h"

enum { ALC_VOUCHER_SIGNATURE_SIZE = 64 };

/* The parts of a voucher as they stand there, borrowed. */
struct alc_voucher_parts {
    const uint8_t *statement;
    size_t statement_size;
    uint64_t statement_offset;
    const uint8_t *key; /* SubjectPublicKeyInfo */
    size_t key_size;
    uint64_t key_offset;
    const uint8_t *signature; /* ALC_VOUCHER_SIGNATURE_SIZE bytes */
};

void alc_voucher_write_statement(struct alc_writer *writer,
                                 const struct alc_voucher_statement *statement);
ALC_MUST_CHECK alc_status alc_voucher_read_statement(struct alc_arena *arena,
                                                     struct alc_reader *reader,
                                                     struct alc_voucher_statement *out);
/* Writes a voucher with key and signature of `parts` around `statement`, which takes
 * parts->statement_size bytes, at offset *out_statement_offset. */
void alc_voucher_write(struct alc_writer *writer, const struct alc_voucher_parts *parts,
                       const struct alc_voucher_statement *statement, size_t *out_statement_offset);
ALC_MUST_CHECK alc_status alc_voucher_read_parts(struct alc_reader *reader,
                                                 struct alc_voucher_parts *out);

#endif
