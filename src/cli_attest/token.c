/* SPDX-License-Identifier: Apache-2.0
 *
 * The verdict as a signed token.
 */
#include <stdlib.h>

#include "attest/jwt.h"
#include "base/bytes.h"
#include "cli_attest/judgement.h"
#include "keys/keys.h"

enum { CLAIMS_MAX = 256 << 10, TOKEN_MAX = 2 * CLAIMS_MAX };

static void sign(const char *key_path, const struct alc_text *claims, FILE *out)
{
    struct alc_ec_private_key key;
    struct alc_error error;
    struct alc_writer writer;
    struct cli_file pem = cli_read_file(key_path);
    alc_error_clear(&error);
    if (alc_keys_read_private((const char *)pem.bytes, pem.size, &key, &error) != ALC_OK) {
        (void)cli_report_error(key_path, &error);
        exit(CLI_USAGE);
    }
    uint8_t *token = cli_allocate(TOKEN_MAX);
    alc_writer_init(&writer, token, TOKEN_MAX);
    alc_status status = alc_jwt_sign(&writer, claims, &key, &alc_keys_random);
    alc_wipe(&key, sizeof key);
    alc_wipe((void *)(uintptr_t)pem.bytes, pem.size);
    cli_unmap(&pem);
    if (status != ALC_OK) {
        cli_die(CLI_FAILED, "%s: %s", key_path, alc_status_text(status));
    }
    fwrite(token, 1, writer.pos, out);
    fputc('\n', out);
    free(token);
}

/* A token is good for no longer than the verdict in it. */
void judgement_print_token(const struct judgement *judgement, const char *key_path,
                           enum alc_ear_dialect dialect, FILE *out)
{
    const struct alc_verdict *verdict = &judgement->verdict;
    const struct alc_ear ear = {
        .dialect = dialect,
        .verdict = verdict,
        .policy = &judgement->policy,
        .policy_id = judgement->policy_id,
        .now_s = judgement->appraisal.now_s,
        .expires_s = verdict->status == ALC_OK ? verdict->valid_until_s : 0,
    };
    struct alc_writer writer;
    uint8_t *claims = cli_allocate(CLAIMS_MAX);
    alc_writer_init(&writer, claims, CLAIMS_MAX);
    alc_ear_write(&writer, &ear);
    if (writer.overflowed) {
        cli_die(CLI_FAILED, "the verdict is too large for a token");
    }
    sign(key_path, &(struct alc_text){claims, writer.pos}, out);
    free(claims);
}
