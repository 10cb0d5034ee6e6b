/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence of SEV-SNP guests in the protocol's form: the report taken apart into members, and
 * the certificates that the platform gave with it (snp_form.def). For a broker, evidence of such
 * a guest is a report and, behind it, what its platform has in `auxblob`: the table of
 * certificates of the GHCB specification (56421, SNP extended guest request), or nothing.
 *
 * What the form has no member for is zero in every report that there is; a report with anything
 * else there cannot be carried, and its signature would not be good at the other end.
 */
#ifndef ALC_BROKER_SNP_FORM_H
#define ALC_BROKER_SNP_FORM_H

#include "attest/snp.h"
#include "base/writer.h"

enum alc_snp_member_form {
    ALC_SNP_MEMBER_NUMBER,
    ALC_SNP_MEMBER_BYTES,
    ALC_SNP_MEMBER_TCB,
    ALC_SNP_MEMBER_VERSION,
};

struct alc_snp_member {
    const char *name;
    enum alc_snp_member_form form;
    uint32_t since; /* version of the report */
    uint16_t at;    /* in the report, as `size` in bytes */
    uint16_t size;
};

enum { ALC_SNP_MEMBERS = 28, ALC_SNP_HALVES = 2, ALC_SNP_PARTS = 5, ALC_SNP_NO_PART = 0xff };

extern const struct alc_snp_member alc_snp_members[ALC_SNP_MEMBERS];
extern const struct alc_snp_member alc_snp_halves[ALC_SNP_HALVES]; /* of the signature */

struct alc_snp_part {
    const char *name;
    uint8_t before_turin; /* which byte of a TCB version, or ALC_SNP_NO_PART; so the next */
    uint8_t turin;
};

extern const struct alc_snp_part alc_snp_parts[ALC_SNP_PARTS];

/* Appends evidence as above as JSON: {"attestation_report":…,"cert_chain":[…]}, the latter null
 * when there is no table. What is no report or no table is written as if there were none, and
 * refused by whoever judges it: the platform's words are not looked at here. At most four bytes
 * for one of evidence, and 8 KiB. */
void alc_broker_write_snp(struct alc_writer *writer, const struct alc_text *evidence);

#endif
