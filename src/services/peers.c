/* SPDX-License-Identifier: Apache-2.0
 *
 * Peers as programs see them. The program is hostile: descriptors and addresses are checked, and a
 * descriptor that another thread closes and opens anew meanwhile is one of its own either way.
 */
#include "services/peers.h"

#include "attest/verdict.h"
#include "base/bytes.h"
#include "evidence/place.h"
#include "services/sockets.h"

/* A peer is larger than a stack frame should be. */
enum { PEER_PAGES_SIZE = (sizeof(struct alc_channel_peer) + 4095) & ~(size_t)4095 };

/* Waits for the peer to be accepted, as reading from the socket would. */
static int32_t find_peer(struct services_sockets *sockets, uint32_t descriptor,
                         struct alc_channel_peer *out)
{
    int64_t handle = alc_workload_find_handle(sockets->workload, descriptor);
    if (handle < 0) {
        return ALC_OS_BAD_DESCRIPTOR;
    }
    int64_t result = alc_attested_get_peer(&sockets->table, (int32_t)handle, out);
    if (result == -ALC_OS_BAD_DESCRIPTOR) {
        return ALC_OS_NOT_SOCKET;
    }
    if (result < 0) {
        return (int32_t)-result;
    }
    return out->is_attested ? ALC_OS_SUCCESS : ALC_OS_NO_ENTRY;
}

/* The claims set of alcove's runtime in the buffer that the evidence binds. */
static bool find_claims(const struct alc_channel_peer *peer, struct alc_text *out)
{
    struct alc_claims_buffer buffer;
    struct alc_reader reader;
    alc_reader_init(&reader, peer->claims, peer->claims_size, NULL);
    if (alc_claims_buffer_read(&reader, &buffer) != ALC_OK || buffer.alcove.size == 0) {
        return false;
    }
    *out = buffer.alcove;
    return true;
}

static int32_t write_claims(const struct alc_channel_peer *peer, struct alc_writer *writer)
{
    struct alc_text claims;
    if (!find_claims(peer, &claims)) {
        return ALC_OS_NO_ENTRY;
    }
    alc_write_bytes(writer, claims.bytes, claims.size);
    return ALC_OS_SUCCESS;
}

static int32_t write_verdict(const struct alc_channel_peer *peer, struct alc_writer *writer)
{
    const struct alc_verdict_form form = {.now_s = -1};
    struct alc_verdict verdict = peer->verdict;
    struct alc_json_writer json;
    struct alc_reader reader;
    struct alc_text claims;
    verdict.has_claims = find_claims(peer, &claims);
    if (verdict.has_claims) { /* with the texts that the verdict had to give back */
        alc_reader_init(&reader, claims.bytes, claims.size, NULL);
        verdict.has_claims = alc_claims_read(&reader, &verdict.claims) == ALC_OK;
    }
    alc_json_writer_init(&json, writer, false);
    alc_json_open_object(&json, NULL);
    alc_verdict_write_outcome(&json, &verdict);
    alc_json_write_bool(&json, "fresh", peer->is_fresh);
    alc_verdict_write_findings(&json, &verdict, &form);
    alc_json_close_object(&json);
    return ALC_OS_SUCCESS;
}

static alc_status answer_about(struct alc_host_call *call,
                               int32_t (*write)(const struct alc_channel_peer *peer,
                                                struct alc_writer *writer))
{
    struct services_sockets *sockets = call->context;
    const struct alc_os *os = sockets->table.over.inner;
    struct alc_guest_place place;
    struct alc_writer writer;
    if (!alc_guest_place_find(call, 1, &place)) {
        return alc_guest_answer(call, ALC_OS_FAULT);
    }
    struct alc_channel_peer *peer = os->operations->pages_reserve(os->context, PEER_PAGES_SIZE);
    if (peer == NULL) {
        return alc_guest_answer(call, ALC_OS_NO_MEMORY);
    }
    int32_t result = os->operations->pages_commit(os->context, peer, PEER_PAGES_SIZE) == 0
                         ? find_peer(sockets, (uint32_t)call->slots[0], peer)
                         : ALC_OS_NO_MEMORY;
    if (result == ALC_OS_SUCCESS) {
        alc_guest_place_writer(&place, &writer);
        result = write(peer, &writer);
    }
    if (result == ALC_OS_SUCCESS) {
        alc_guest_place_finish(&place, &writer);
        result = writer.overflowed ? ALC_OS_OVERFLOW : ALC_OS_SUCCESS;
    }
    os->operations->pages_release(os->context, peer, PEER_PAGES_SIZE);
    return alc_guest_answer(call, result);
}

static alc_status call_peer_claims(struct alc_host_call *call)
{
    return answer_about(call, write_claims);
}

static alc_status call_peer_verdict(struct alc_host_call *call)
{
    return answer_about(call, write_verdict);
}

const struct alc_host_module *services_peers_module(void)
{
    static const struct alc_host_export exports[] = {
        {"peer_claims", "iiii:i", call_peer_claims},
        {"peer_verdict", "iiii:i", call_peer_verdict},
    };
    static const struct alc_host_module module = {"alcove:attest", exports,
                                                  ALC_ARRAY_COUNT(exports)};
    return &module;
}
