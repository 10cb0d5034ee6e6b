/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence as Interoperable RA-TLS tags it, which certificates carry and `alcove attest` writes:
 *
 *   tag([ bstr evidence, bstr claims-buffer ])
 *
 * A file is that item, and behind it (a CBOR sequence, RFC 8742) there may be one byte string with
 * collateral, in the form of alc_pcs_collateral_read or alc_kds_collateral_read. Input is hostile;
 * everything read is borrowed from it.
 */
#ifndef ALC_ATTEST_EVIDENCE_FILE_H
#define ALC_ATTEST_EVIDENCE_FILE_H

#include "attest/claims.h"
#include "base/reader.h"

/* Kinds of evidence by their tags; the numbers are not registered. */
enum alc_evidence_tag {
    ALC_EVIDENCE_TAG_QUOTE = 60000,      /* of an enclave or a trust domain */
    ALC_EVIDENCE_TAG_TDX_REPORT = 60001, /* not signed: for this machine alone */
    ALC_EVIDENCE_TAG_SGX_REPORT = 60002, /* the same */
    ALC_EVIDENCE_TAG_SEV_SNP = 0x1a7504, /* report of a guest */
    ALC_EVIDENCE_TAG_COCO = 0xc0c000,    /* of an attestation agent, see channel/coco.h */
};

struct alc_tagged_evidence {
    uint64_t tag; /* enum alc_evidence_tag, or one that is not known */
    struct alc_text evidence;
    struct alc_text claims; /* claims-buffer */
};

struct alc_evidence_file {
    struct alc_tagged_evidence tagged;
    struct alc_text collateral; /* empty: none */
};

enum { ALC_EVIDENCE_FILE_SIZE_MAX = 1 << 20 };

void alc_tagged_evidence_write(struct alc_writer *writer, const struct alc_tagged_evidence *tagged);
/* Reads one; what follows is the caller's business. ALC_E_BAD_CBOR. */
ALC_MUST_CHECK alc_status alc_tagged_evidence_read(struct alc_reader *reader,
                                                   struct alc_tagged_evidence *out);

void alc_evidence_file_write(struct alc_writer *writer, const struct alc_evidence_file *file);
/* Reads a whole file. */
ALC_MUST_CHECK alc_status alc_evidence_file_read(struct alc_reader *reader,
                                                 struct alc_evidence_file *out);

#endif
