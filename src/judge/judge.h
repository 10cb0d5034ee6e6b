/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs judge evidence of others by themselves, where nobody else can look: the host function
 * `verify` of `alcove:attest`. docs/reference/attest-functions.md is its description for programs.
 *
 *   verify(evidence: i32, evidence_size: i32, collateral: i32, collateral_size: i32,
 *          policy: i32, policy_size: i32, nonce: i32, nonce_size: i32, now_s: i64,
 *          out: i32, out_capacity: i32, out_size: i32) -> i32
 *
 * The judgement is attest/appraise.h's, inputs are in the forms of `alcove verify`, the verdict is
 * its JSON (attest/verdict.h). The result is 0 for accepted evidence and nothing else.
 */
#ifndef ALC_JUDGE_JUDGE_H
#define ALC_JUDGE_JUDGE_H

#include "exec/host_call.h"
#include "os/os.h"

/* Bytes that each input may have; that of policies is ALC_LIMIT_POLICY_SIZE, of nonces
 * ALC_CLAIMS_NONCE_SIZE_MAX. */
enum { ALC_JUDGE_EVIDENCE_SIZE_MAX = 1 << 20, ALC_JUDGE_COLLATERAL_SIZE_MAX = 1 << 20 };

/* The function; its context is a struct alc_os, for memory and the clock. Any thread. */
const struct alc_host_module *alc_judge_module(void);

#endif
