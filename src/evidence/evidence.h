/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence about the workload that runs here: what it is (claims), bound to what an attester can
 * prove. Three may ask for it: whoever started the runtime, the program (the host functions of
 * `alcove:attest`), and the runtime's own channel; the claims say who did (attest/claims.h).
 *
 * What a program can import of it, all from module `alcove:attest`, results numbers of errno.def
 * (docs/reference/attest-functions.md has all of that module):
 *   evidence(nonce: i32, nonce_size: i32, out: i32, out_capacity: i32, out_size: i32) -> i32
 *     An evidence item (attest/evidence_file.h) for at most ALC_CLAIMS_NONCE_SIZE_MAX bytes of the
 *     program's choice; its size goes to out_size, also when it does not fit (`overflow`).
 *     `notsup` where nothing can be proven, `io` when the machine's service failed.
 *   claims(out: i32, out_capacity: i32, out_size: i32) -> i32
 *     The claims alone, as ASKED_BY the program.
 */
#ifndef ALC_EVIDENCE_EVIDENCE_H
#define ALC_EVIDENCE_EVIDENCE_H

#include "attest/attester.h"
#include "attest/claims.h"
#include "exec/host_call.h"
#include "os/os.h"
#include "workload/workload.h"

enum {
    /* Room for any evidence item that is made here. */
    ALC_EVIDENCE_ITEM_SIZE_MAX = 80 * 1024,
};

/* Of one workload; the caller's, and stays. */
struct alc_evidence {
    struct alc_os *os;
    const struct alc_attester *attester; /* NULL: nothing can be proven */
    struct alc_claims claims;            /* but for asked_by */
    uint8_t *buffer;                     /* ALC_EVIDENCE_ITEM_SIZE_MAX, of whoever is_busy */
    uint32_t is_busy;
};

struct alc_evidence_request {
    enum alc_asked_by asked_by;
    struct alc_text nonce; /* may be empty; at most ALC_CLAIMS_NONCE_SIZE_MAX bytes */
    /* For a channel: which key it has. Empty otherwise. */
    uint64_t key_hash_kind;
    struct alc_text key_hash;
};

/* Borrows all three. ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_evidence_init(struct alc_evidence *evidence, struct alc_os *os,
                                            const struct alc_attester *attester,
                                            const char *version);
/* Says which workload it is, when it is loaded. */
void alc_evidence_describe(struct alc_evidence *evidence,
                           const uint8_t workload_id[ALC_SHA256_SIZE],
                           const struct alc_workload *workload);
/* Appends an evidence item. ALC_E_NOT_SUPPORTED where nothing can be proven, ALC_E_OUT_OF_MEMORY
 * when `out` has no room for it, and statuses of the attester. Any thread; the others wait. */
ALC_MUST_CHECK alc_status alc_evidence_make(struct alc_evidence *evidence,
                                            const struct alc_evidence_request *request,
                                            struct alc_writer *out);
/* Writes the claims of this workload as somebody asks for them; *out_size of `size` bytes. */
ALC_MUST_CHECK alc_status alc_evidence_claims(const struct alc_evidence *evidence,
                                              enum alc_asked_by asked_by, uint8_t *bytes,
                                              size_t size, size_t *out_size);
/* An attester for the runtime's channel, which writes its own claims-buffers: the same one beneath,
 * for any thread, the others wait. False where nothing can be proven. */
ALC_MUST_CHECK bool alc_evidence_attester(struct alc_evidence *evidence, struct alc_attester *out);
/* What the host asked for: reads the nonce behind ALC_OS_EVIDENCE and writes the evidence there. */
ALC_MUST_CHECK alc_status alc_evidence_answer_host(struct alc_evidence *evidence);

/* The functions; their context is a struct alc_evidence. */
const struct alc_host_module *alc_evidence_module(void);

#endif
