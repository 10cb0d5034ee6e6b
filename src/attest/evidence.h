/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields of evidence that a verdict shows, from the rows of evidence.def.
 */
#ifndef ALC_ATTEST_EVIDENCE_H
#define ALC_ATTEST_EVIDENCE_H

#include "attest/appraise.h"
#include "attest/json_write.h"

struct alc_evidence_field {
    const char *name;
    uint16_t offset; /* within struct alc_verdict */
    uint16_t size;
    uint8_t kind;   /* enum alc_evidence_kind */
    bool is_number; /* little-endian, of at most 8 bytes */
};

/* All of them, in the order of the table. */
extern const struct alc_evidence_field alc_evidence_fields[];
extern const size_t alc_evidence_fields_count;
/* Of the same rows; apart, since enclaves do without. For people; "": for machines alone. */
extern const char *const alc_evidence_texts[];
/* Words with dots between them. */
extern const char *const alc_evidence_groups[];

const uint8_t *alc_evidence_bytes(const struct alc_verdict *verdict,
                                  const struct alc_evidence_field *field);
uint64_t alc_evidence_number(const struct alc_verdict *verdict,
                             const struct alc_evidence_field *field);
/* Writes what is known about the verdict's kind: members of the object that is open. Numbers as
 * numbers, without the groups. */
void alc_evidence_write(struct alc_json_writer *writer, const struct alc_verdict *verdict);
/* The same in its groups, as Trustee has it: of quotes everything hexadecimal in the order of
 * memory, of SEV-SNP's reports numbers as numbers. */
void alc_evidence_write_annotated(struct alc_json_writer *writer,
                                  const struct alc_verdict *verdict);

/* What alcove's runtime claims, as members of the object that is open. */
void alc_evidence_write_claims(struct alc_json_writer *writer, const struct alc_claims *claims);
/* "nobody", "manifest", "key": who vouches for compiled code. */
const char *alc_evidence_voucher_word(enum alc_claimed_voucher voucher);

#endif
