/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions that alcove gives to programs as module `alcove:attest`, for C. What they do is in
 * docs/reference/attest-functions.md. Results are numbers of WASI's errno.
 */
#ifndef ATTEST_H
#define ATTEST_H

#include <stdint.h>

#define ALCOVE_ATTEST(name) __attribute__((import_module("alcove:attest"), import_name(name)))

ALCOVE_ATTEST("evidence")
int attest_evidence(const void *nonce, uint32_t nonce_size, void *out, uint32_t out_capacity,
                    uint32_t *out_size);
ALCOVE_ATTEST("claims") int attest_claims(void *out, uint32_t out_capacity, uint32_t *out_size);
ALCOVE_ATTEST("peer_claims")
int attest_peer_claims(int fd, void *out, uint32_t out_capacity, uint32_t *out_size);
ALCOVE_ATTEST("peer_verdict")
int attest_peer_verdict(int fd, void *out, uint32_t out_capacity, uint32_t *out_size);
ALCOVE_ATTEST("verify")
int attest_verify(const void *evidence, uint32_t evidence_size, const void *collateral,
                  uint32_t collateral_size, const void *policy, uint32_t policy_size,
                  const void *nonce, uint32_t nonce_size, int64_t now_s, void *out,
                  uint32_t out_capacity, uint32_t *out_size);

#endif
