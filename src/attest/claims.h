/* SPDX-License-Identifier: Apache-2.0
 *
 * What evidence is bound to: the claims-buffer of Interoperable RA-TLS, a CBOR map with text keys
 *
 *   { ? "nonce": bstr, ? "alcove": bstr (claims.def),
 *     ? "pubkey-hash": bstr ([hash-alg-id, bstr]), * text: bstr }
 *
 * and REPORTDATA = SHA-256(claims-buffer) || 32 zeros. The same bytes stand in certificates of
 * attested channels and in evidence files (evidence_file.h).
 *
 * Who may choose what. The runtime alone writes claims-buffers; nobody else's bytes become
 * REPORTDATA. A nonce is its asker's: of whoever started the runtime, or of the program. `asked_by`
 * says of which, since a host can ask for evidence about any program with any nonce: who wants to
 * hear from the program itself MUST insist on ALC_ASKED_BY_PROGRAM. "pubkey-hash" is written for
 * the runtime's own channel only.
 *
 * Input of the readers is hostile.
 */
#ifndef ALC_ATTEST_CLAIMS_H
#define ALC_ATTEST_CLAIMS_H

#include "attest/json.h"
#include "attest/policy.h"
#include "base/sha256.h"
#include "base/writer.h"
#include "crypto/crypto.h"

enum alc_claim {
#define CLAIM(ident, label, form, presence, text) ALC_CLAIM_##ident,
#include "attest/claims.def"
#undef CLAIM
    ALC_CLAIMS
};

enum alc_asked_by { ALC_ASKED_BY_HOST, ALC_ASKED_BY_PROGRAM, ALC_ASKED_BY_CHANNEL, ALC_ASKED_BYS };

/* As workload's enum alc_workload_voucher. */
enum alc_claimed_voucher {
    ALC_CLAIMED_VOUCHER_NOBODY,
    ALC_CLAIMED_VOUCHER_MANIFEST,
    ALC_CLAIMED_VOUCHER_KEY,
    ALC_CLAIMED_VOUCHERS,
};

/* Of sealed mounts, the weakest first (docs/sealed-storage.md, Rollback levels). */
enum alc_claimed_rollback {
    ALC_CLAIMED_ROLLBACK_NONE,
    ALC_CLAIMED_ROLLBACK_SESSION,
    ALC_CLAIMED_ROLLBACK_WITNESS,
    ALC_CLAIMED_ROLLBACKS,
};

/* The runtime's claims about its program; texts are borrowed. */
struct alc_claims {
    struct alc_text software;
    struct alc_text version;
    uint8_t workload_id[ALC_SHA256_SIZE];
    uint8_t module_sha256[ALC_SHA256_SIZE];
    bool is_compiled; /* then: */
    uint8_t native_sha256[ALC_SHA256_SIZE];
    bool is_verified;
    enum alc_claimed_voucher vouched_by;
    uint8_t voucher_key_sha256[ALC_SHA256_SIZE]; /* with ALC_CLAIMED_VOUCHER_KEY */
    enum alc_asked_by asked_by;
    bool has_sealed_mounts;             /* then: */
    enum alc_claimed_rollback rollback; /* the weakest of their levels */
};

enum { ALC_CLAIMS_NONCE_SIZE_MAX = 64, ALC_CLAIMS_SIZE_MAX = 4096 };

/* IANA's "Named Information Hash Algorithm Registry". */
enum alc_named_hash { ALC_NAMED_SHA256 = 1, ALC_NAMED_SHA384 = 7, ALC_NAMED_SHA512 = 8 };
/* ALC_HASH_KINDS: none of these. */
enum alc_hash_kind alc_named_hash_kind(uint64_t name);

/* Parts of a claims-buffer; borrowed. Empty texts: not there. */
struct alc_claims_buffer {
    struct alc_text nonce;
    struct alc_text alcove; /* encoded claims, alc_claims_read reads them */
    uint64_t key_hash_kind; /* enum alc_named_hash, or one that is not known */
    struct alc_text key_hash;
};

/* -- writing -- */

/* Appends the claims set. */
void alc_claims_write(struct alc_writer *writer, const struct alc_claims *claims);
/* Appends the claims-buffer. */
void alc_claims_buffer_write(struct alc_writer *writer, const struct alc_claims_buffer *buffer);
/* What a claims-buffer of these bytes makes of REPORTDATA. */
void alc_claims_bind(const void *bytes, size_t size,
                     uint8_t out_report_data[ALC_EVIDENCE_REPORT_DATA_SIZE]);

/* -- reading -- */

/* Reads a whole claims-buffer; members that are not known are skipped if they are byte strings.
 * ALC_E_BAD_CBOR at the offset of what is malformed, there twice, or behind the end. Keys may come
 * in any order, since others write such maps, too. */
ALC_MUST_CHECK alc_status alc_claims_buffer_read(struct alc_reader *reader,
                                                 struct alc_claims_buffer *out);
/* Reads a whole claims set: exactly what alc_claims_write writes. ALC_E_BAD_CLAIMS for claims that
 * are missing, unknown or contradict each other. */
ALC_MUST_CHECK alc_status alc_claims_read(struct alc_reader *reader, struct alc_claims *out);

/* The word of policies and verdicts for who asked: "host", "program", "channel". */
const char *alc_asked_by_word(enum alc_asked_by asker);
/* And for rollback levels: "none", "session", "witness". */
const char *alc_claimed_rollback_word(enum alc_claimed_rollback level);
/* Name of a claim, as it is called in policies and documents: "WORKLOAD_ID". */
const char *alc_claim_name(enum alc_claim claim);

#endif
