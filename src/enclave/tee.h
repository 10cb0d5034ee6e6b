/* SPDX-License-Identifier: Apache-2.0
 *
 * What the enclave gets from the processor that it runs on: its identity, keys, randomness, pages,
 * and the way out. Nothing above this header knows SGX. Relies on entry.S and the measured layout;
 * distrusts the host, which may leave for ever, enter at any time and lie about everything else.
 *
 * Two more calls of this side are declared elsewhere: alc_abort_enclave (base/compiler.h) and the
 * page functions of enclave/pages.h, which are built on alc_tee_pages_accept and _page_extend.
 */
#ifndef ALC_ENCLAVE_TEE_H
#define ALC_ENCLAVE_TEE_H

#include "base/status.h"
#include "sgx_arch/arch.h"

/* -- the image's profile: defined by the image, not by this room -- */

/* C entry point. `ecall` is below alc_enclave_ecalls_count; the region [outside_base,
 * + outside_size) lies wholly outside the enclave, is aligned to 4096 and does not wrap, or is 0,
 * 0. Called once per EENTER, on the thread's own stack; what it returns goes out with EEXIT. */
uint64_t alc_enclave_main(uint64_t ecall, uint64_t outside_base, uint64_t outside_size);
/* Weak: 1, the RUN ecall. An image with more ecalls defines its own. */
extern const uint64_t alc_enclave_ecalls_count;

/* -- leaving -- */

/* What the host is told when the enclave refuses to go on: RSI of ALC_EXIT_REFUSED. */
enum alc_enclave_hint {
    ALC_HINT_NONE = 0,            /* the entry broke the agreement, or the enclave was dead */
    ALC_HINT_EXCEPTION = 0x10000, /* + vector: nobody handles it */
    ALC_HINT_ASSERTION = 0x20000, /* + line */
    ALC_HINT_STACK_SMASHED = 0x30000,
    ALC_HINT_IMAGE = 0x40000, /* the image's own, from here on */
};

/* Leaves to have the host serve what is in the region outside and returns when the host comes back.
 * Registers and vector state are cleared; nothing comes back in registers. Never returns in a
 * poisoned enclave. */
void alc_enclave_leave_for_host(void);
/* The same to have the host change pages: an ALC_PAGES_REQUEST of sgx_arch/entry.h. What it did is
 * seen by alc_tee_pages_accept. */
void alc_enclave_leave_for_pages(uint64_t request);
/* Marks the enclave as dead and leaves with ALC_EXIT_REFUSED: no thread gets in again, no host call
 * returns. `hint` is shown to the host; it MUST NOT depend on secrets. */
ALC_NORETURN void alc_tee_poison(uint64_t hint);
bool alc_tee_is_poisoned(void);

/* -- identity and keys -- */

/* EREPORT: about this enclave, for the enclave that `target` describes (NULL: for itself), with 64
 * bytes of the caller's choice. ALC_E_BAD_ARGUMENT when a reserved byte of `target` is not zero. */
ALC_MUST_CHECK alc_status alc_tee_report(const struct alc_sgx_target_info *target,
                                         const uint8_t data[64], struct alc_sgx_report *out);
/* EGETKEY. `request` may name any key. ALC_E_BAD_ARGUMENT when its reserved bytes or policies are
 * not as the processor wants them, ALC_E_POLICY_REFUSED when the processor refuses; *out is zero
 * then. The caller wipes *out after use. */
ALC_MUST_CHECK alc_status alc_tee_key(const struct alc_sgx_key_request *request,
                                      struct alc_sgx_key *out);
/* 64 bits from the processor's generator (RDRAND), with a health test; ALC_E_IO_FAILED when it
 * gives nothing. Raw: enclave/random.h makes a generator out of it. */
ALC_MUST_CHECK alc_status alc_tee_entropy(uint64_t *out);

/* -- pages of the enclave's range; `page` MUST be a multiple of 4096 inside it -- */

/* Accepts pages that the host added (EAUG; asked for by touching them) as `flags` says
 * (permissions, type and state bits of SECINFO). *out_accepted is how many bytes of them were. The
 * rest: ALC_E_OUT_OF_MEMORY when the host gave no page, ALC_E_POLICY_REFUSED when a page is
 * anything else than `flags` says. `size` is a multiple of 4096. */
ALC_MUST_CHECK alc_status alc_tee_pages_accept(void *first, uint64_t size, uint64_t flags,
                                               uint64_t *out_accepted);
/* Adds permissions to a page (EMODPE). The host has to map them as well. */
void alc_tee_page_extend(void *page, uint64_t permissions);

#endif
