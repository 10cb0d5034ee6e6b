/* SPDX-License-Identifier: Apache-2.0
 *
 * Carries requests to a key broker and answers back, by libcurl.
 */
#ifndef ALC_CLI_KBS_CARRY_H
#define ALC_CLI_KBS_CARRY_H

#include "broker/client.h"
#include "cli/cli.h"

struct kbs_carrier;

/* `url`: http:// or https:// and what stands before /kbs/v0; `ca_path`: certificates that are
 * trusted instead of the system's, or NULL. Both borrowed. Ends the process when libcurl fails. */
struct kbs_carrier *kbs_carrier_open(const char *url, const char *ca_path);
void kbs_carrier_close(struct kbs_carrier *carrier);

/* What is sent besides; NULL: not. */
struct kbs_extra {
    const char *method; /* instead of GET or POST */
    const char *bearer; /* token */
};

/* Carries one request. The answer is borrowed from the carrier until the next one. NULL, or why
 * nobody answers, borrowed likewise. */
ALC_MUST_CHECK const char *kbs_carry(struct kbs_carrier *carrier,
                                     const struct alc_broker_request *request,
                                     const struct kbs_extra *extra, struct alc_broker_answer *out);
/* The same, but ends the process with CLI_FAILED when nobody answers. */
void kbs_carry_or_die(struct kbs_carrier *carrier, const struct alc_broker_request *request,
                      const struct kbs_extra *extra, struct alc_broker_answer *out);

#endif
