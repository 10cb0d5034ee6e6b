/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to a key broker, whole: bodies, tokens, policies, paths. Each gets an answer of the
 * protocol, refusals say why, and nobody gets the secret that is there. The first byte chooses.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kbs/kbs.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum target { AUTH, ATTEST, TOKEN, ADMIN_TOKEN, POLICY, PATH, PUT, TARGETS };

static const char secret[] = "a secret that nobody gets";
static const char rules[] =
    "{\"rules\":[{\"resource\":\"a/b/c\",\"tee\":[\"sgx\",\"tdx\"],\"anybody\":true}]}";
/* Of a key that nobody has any more. */
static const char admin_key[] = "-----BEGIN PUBLIC KEY-----\n"
                                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n"
                                "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n"
                                "-----END PUBLIC KEY-----\n";

static struct alc_kbs *kbs;

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void send(const struct alc_kbs_request *request, struct alc_kbs_response *out)
{
    alc_kbs_handle(kbs, request, out);
    demand(out->http_status == 200 || out->http_status == 400 || out->http_status == 401 ||
           out->http_status == 403 || out->http_status == 404 || out->http_status == 405 ||
           out->http_status == 413);
    if (out->http_status != 200) {
        demand(out->body != NULL && strstr(out->body, "\"detail\":\"") != NULL);
    }
    if (out->body != NULL) {
        demand(strlen(out->body) == out->body_size && strstr(out->body, secret) == NULL);
    }
}

static void open_broker(void)
{
    static const struct alc_kbs_options options = {.store_path = ":memory:",
                                                   .admin_key_pem = admin_key,
                                                   .has_loopback_admin = true,
                                                   .accepts_emulated = true};
    demand(alc_kbs_open(&options, &kbs, NULL) == ALC_OK);
    demand(alc_kbs_set_policy(kbs, rules, sizeof rules - 1, NULL) == ALC_OK);
    struct alc_kbs_response response;
    send(&(struct alc_kbs_request){.method = ALC_KBS_POST,
                                   .path = "/kbs/v0/resource/a/b/c",
                                   .peer = "",
                                   .is_loopback = true,
                                   .body = secret,
                                   .body_size = sizeof secret - 1},
         &response);
    free(response.body);
}

/* Text with a NUL behind it, as HTTP gives it. */
static void fuzz(enum target target, const char *text, size_t size)
{
    struct alc_kbs_request request = {.method = ALC_KBS_POST,
                                      .path = "/kbs/v0/auth",
                                      .peer = "",
                                      .body = text,
                                      .body_size = size};
    struct alc_kbs_response response;
    char session[sizeof response.session];
    if (target == ATTEST) {
        static const char auth[] = "{\"version\":\"0.4.0\",\"tee\":\"sgx\"}";
        request.body = auth;
        request.body_size = sizeof auth - 1;
        send(&request, &response);
        demand(response.http_status == 200);
        memcpy(session, response.session, sizeof session);
        free(response.body);
        request = (struct alc_kbs_request){.method = ALC_KBS_POST,
                                           .path = "/kbs/v0/attest",
                                           .session = session,
                                           .peer = "",
                                           .body = text,
                                           .body_size = size};
    } else if (target == TOKEN || target == ADMIN_TOKEN) {
        request.method = target == TOKEN ? ALC_KBS_GET : ALC_KBS_DELETE;
        request.path = "/kbs/v0/resource/a/b/c";
        request.bearer = text;
    } else if (target == POLICY) {
        request.path = "/kbs/v0/resource-policy";
        request.is_loopback = true;
    } else if (target == PATH) {
        request.method = ALC_KBS_GET;
        request.path = text;
    } else if (target == PUT) {
        request.path = "/kbs/v0/resource/d/e/f";
    }
    send(&request, &response);
    demand(target == AUTH || target == POLICY || response.http_status != 200);
    free(response.body);
    if (target == POLICY) { /* what was read holds as well as what was not */
        demand(alc_kbs_set_policy(kbs, rules, sizeof rules - 1, NULL) == ALC_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (kbs == NULL) {
        open_broker();
    }
    if (size == 0) {
        return 0;
    }
    char *text = malloc(size);
    demand(text != NULL);
    memcpy(text, bytes + 1, size - 1);
    text[size - 1] = '\0';
    fuzz((enum target)(bytes[0] % TARGETS), text, size - 1);
    free(text);
    return 0;
}
