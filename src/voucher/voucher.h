/* SPDX-License-Identifier: Apache-2.0
 *
 * A voucher: what the owner of a program says about native code made from it, and his signature.
 * The verifier proves that code stays in its memory, not that it is a translation of the program; a
 * voucher is the word of somebody who translated it or trusts who did. It travels in the native
 * image; inside the enclave it is hostile input until its signature was verified.
 *
 *   voucher   = { 0: 1 (version), 1: bstr .cbor statement,
 *                 2: bstr (the signer's SubjectPublicKeyInfo, P-256), 3: bstr .size 64 (r || s) }
 *   statement = { 0: bstr .size 32 (SHA-256 of the module), 1: bstr .size 32 (SHA-256 of the native
 *                 image without its voucher), 2: [* [tstr module, tstr name]] (imports, in the
 *                 module's order), 3: { ? 0: fuel, ? 1: memory bytes, ? 2: timeout ns } (limits) }
 *
 * Deterministic CBOR; a voucher has one form. Signed is the SHA-256 of ALC_VOUCHER_CONTEXT, its NUL
 * included, and the statement's bytes, with ECDSA (FIPS 186-4). The context keeps a signature over
 * anything else from being a voucher.
 */
#ifndef ALC_VOUCHER_VOUCHER_H
#define ALC_VOUCHER_VOUCHER_H

#include "base/arena.h"
#include "crypto/crypto.h"

#define ALC_VOUCHER_CONTEXT "alcove voucher for native code 1"

/* Counted UTF-8, borrowed. */
struct alc_voucher_text {
    const uint8_t *bytes;
    size_t size;
};

struct alc_voucher_import {
    struct alc_voucher_text module;
    struct alc_voucher_text name;
};

/* The most that a run of the code may be given; 0: the owner does not say. */
struct alc_voucher_limits {
    uint64_t fuel;
    uint64_t memory_size; /* bytes that each linear memory may grow to */
    uint64_t timeout_ns;
};

struct alc_voucher_statement {
    uint8_t module_sha256[ALC_SHA256_SIZE];
    uint8_t native_sha256[ALC_SHA256_SIZE];
    const struct alc_voucher_import *imports;
    size_t imports_count;
    struct alc_voucher_limits limits;
};

/* A voucher whose signature is good. */
struct alc_voucher {
    struct alc_voucher_statement statement;
    struct alc_ec_public_key key;
    uint8_t vouched_by[ALC_SHA256_SIZE]; /* SHA-256 of the key's SubjectPublicKeyInfo */
};

/* Writes the voucher for `statement`; *out_size is the size needed, also when `size` was too small
 * (ALC_E_BAD_VOUCHER, as for one above ALC_LIMIT_VOUCHER_SIZE). Equal input gives equal bytes;
 * `random` blinds. ALC_E_BAD_KEY when the key is not one of P-256. Names MUST be UTF-8. */
ALC_MUST_CHECK alc_status alc_voucher_sign(const struct alc_voucher_statement *statement,
                                           const struct alc_ec_private_key *key,
                                           const struct alc_random *random, uint8_t *bytes,
                                           size_t size, size_t *out_size);

/* Reads a voucher and verifies its signature. Imports come from `arena`, text is borrowed from
 * `bytes`. ALC_E_BAD_VOUCHER or an error of CBOR at the offset of what is not in the form above,
 * ALC_E_BAD_KEY, ALC_E_BAD_SIGNATURE. Says nothing about who signed: see vouched_by. */
ALC_MUST_CHECK alc_status alc_voucher_verify(struct alc_arena *arena, const uint8_t *bytes,
                                             size_t size, struct alc_voucher *out,
                                             struct alc_error *error);

/* Whether the voucher is for this module and this native image: ALC_E_VOUCHER_FOR_OTHER_MODULE,
 * ALC_E_VOUCHER_FOR_OTHER_CODE. */
ALC_MUST_CHECK alc_status alc_voucher_check_hashes(const struct alc_voucher *voucher,
                                                   const uint8_t module_sha256[ALC_SHA256_SIZE],
                                                   const uint8_t native_sha256[ALC_SHA256_SIZE],
                                                   struct alc_error *error);

/* What whoever is about to run code asks. All is borrowed. */
struct alc_voucher_question {
    const uint8_t *bytes; /* the voucher, as it stands in the image */
    size_t size;
    const uint8_t *module_sha256; /* of what is about to run */
    const uint8_t *native_sha256;
    const uint8_t *key_sha256; /* the one signer who is trusted */
    struct alc_voucher_limits wanted;
};

/* All of it at once: form, signature, signer (ALC_E_NATIVE_NOT_VOUCHED for another one, and when
 * there is no voucher), module and code. *out_limits are the tighter of the owner's and the wanted
 * ones, for the caller to keep. `arena` is only used during the call. */
typedef alc_status alc_voucher_accept_function(struct alc_arena *arena,
                                               const struct alc_voucher_question *question,
                                               struct alc_voucher_limits *out_limits,
                                               struct alc_error *error);
ALC_MUST_CHECK alc_voucher_accept_function alc_voucher_accept;

/* The tighter of what the owner allows and what a run asks for; 0 is no limit on either side. */
struct alc_voucher_limits alc_voucher_limits_tighten(const struct alc_voucher_limits *allowed,
                                                     const struct alc_voucher_limits *wanted);

/* What vouched_by will be for a key. */
void alc_voucher_key_sha256(const struct alc_ec_public_key *key, uint8_t digest[ALC_SHA256_SIZE]);

#endif
