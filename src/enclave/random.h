/* SPDX-License-Identifier: Apache-2.0
 *
 * Random bytes inside the enclave. The host has no part in them: the source is the processor
 * (alc_tee_entropy, with its health test) and a key that only this enclave on this processor can
 * derive, whitened by a generator that forgets (fast key erasure over ChaCha20).
 */
#ifndef ALC_ENCLAVE_RANDOM_H
#define ALC_ENCLAVE_RANDOM_H

#include "base/status.h"

enum { ALC_CHACHA20_KEY_SIZE = 32, ALC_CHACHA20_BLOCK_SIZE = 64 };

/* Fills `buf`. ALC_E_IO_FAILED when the processor gives no randomness; *buf is zeroed then. Safe to
 * call from several threads. */
ALC_MUST_CHECK alc_status alc_enclave_random(uint8_t *buf, size_t buf_size);

/* One block of ChaCha20 (RFC 8439, 2.3) with a 64-bit counter and a nonce of 0. */
void alc_chacha20_block(const uint8_t key[ALC_CHACHA20_KEY_SIZE], uint64_t counter,
                        uint8_t block[ALC_CHACHA20_BLOCK_SIZE]);

#endif
