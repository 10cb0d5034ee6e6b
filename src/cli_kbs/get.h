/* SPDX-License-Identifier: Apache-2.0
 *
 * The sub-commands of a key broker's clients; each returns the exit code.
 */
#ifndef ALC_CLI_KBS_GET_H
#define ALC_CLI_KBS_GET_H

#include <string.h>

#include "attest/json.h"
#include "cli/cli.h"

int kbs_get(struct cli_arguments *arguments);
int kbs_put(struct cli_arguments *arguments);
int kbs_delete(struct cli_arguments *arguments);
int kbs_list(struct cli_arguments *arguments);
int kbs_policy(struct cli_arguments *arguments);

/* What a broker says when it refuses, on standard error; CLI_REFUSED. */
int kbs_report_refusal(const char *subject, unsigned http_status, alc_status status,
                       const uint8_t *reason, size_t reason_size);

/* On standard output, as printable ASCII: what others wrote may not move the cursor. */
void kbs_print_plain(const struct alc_text *text);

static inline struct alc_text kbs_text_of(const char *text)
{
    return (struct alc_text){(const uint8_t *)text, strlen(text)};
}

#endif
