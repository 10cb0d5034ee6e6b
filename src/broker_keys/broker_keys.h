/* SPDX-License-Identifier: Apache-2.0
 *
 * The key of sealed mounts from a key broker, which gives it to those who prove what they are. What
 * a manifest says about it, as settings of the service ALC_SERVICE_MOUNT_KEY, in deterministic
 * CBOR:
 *
 *   settings = [ tstr "repository/type/tag", bstr .size 32 (SHA-256 of the key) ]
 *
 * Whoever carries the messages could answer them as well, with a key that he knows. So the manifest
 * names the key by its hash, and another one is refused: a key is 32 random bytes, which its hash
 * does not tell.
 */
#ifndef ALC_BROKER_KEYS_BROKER_KEYS_H
#define ALC_BROKER_KEYS_BROKER_KEYS_H

#include "broker/client.h"
#include "mounts/mounts.h"

struct alc_named_key {
    struct alc_text resource; /* as alc_broker_resource_read gives it */
    uint8_t sha256[ALC_SHA256_SIZE];
};

void alc_named_key_write(struct alc_writer *writer, const struct alc_named_key *key);
/* Borrows from `settings`. ALC_E_BAD_MANIFEST. */
ALC_MUST_CHECK alc_status alc_named_key_read(const struct alc_string *settings,
                                             struct alc_named_key *out);

/* Where keys are asked for; borrowed. */
struct alc_broker_keys {
    struct alc_os *os;                   /* whose ALC_OS_KEY_BROKER leads to the broker */
    const struct alc_attester *attester; /* NULL: nothing can be proven here */
    alc_broker_evidence_form *form;      /* of SEV-SNP's evidence; NULL where that cannot be */
};

/* A get_named of struct alc_mounts_keys; its context is a struct alc_broker_keys.
 * ALC_E_NOT_SUPPORTED where nothing can be proven or nobody carries, ALC_E_BROKER_REFUSED and
 * ALC_E_NOT_FOUND (what the broker said goes to the standard error stream), ALC_E_NOT_AUTHENTIC for
 * a key that is not the one the manifest names, and the statuses of alc_broker_client_answer. */
ALC_MUST_CHECK alc_status alc_broker_keys_get(void *context,
                                              const uint8_t workload_id[ALC_SHA256_SIZE],
                                              const struct alc_string *settings,
                                              uint8_t key[ALC_SEAL_KEY_SIZE]);

#endif
