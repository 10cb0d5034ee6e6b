/* SPDX-License-Identifier: Apache-2.0
 *
 * Serving one channel. What each call does is generated from hostcall.host; here are the ring and
 * the bounds of the payload.
 */
#include "hostcall/dispatch.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "hostcall/hostcall_host.h"

void alc_hostcall_region_init(struct alc_ring_region *region)
{
    region->header = (struct alc_ring_header){.magic = ALC_RING_MAGIC,
                                              .version = ALC_RING_VERSION,
                                              .threads_count = ALC_LIMIT_ENCLAVE_THREADS,
                                              .channel_size = sizeof(struct alc_ring_channel)};
}

void alc_hostcall_server_init(struct alc_hostcall_server *server, struct alc_ring_region *region,
                              uint32_t thread_index, const struct alc_os *os)
{
    ALC_ASSERT(thread_index < ALC_LIMIT_ENCLAVE_THREADS);
    *server = (struct alc_hostcall_server){.channel = &region->channels[thread_index], .os = os};
}

uint32_t alc_hostcall_arg_u32(const struct alc_hostcall_request *request, size_t offset)
{
    ALC_ASSERT(alc_range_fits(offset, sizeof(uint32_t), sizeof request->args));
    return alc_load_u32((const uint8_t *)request->args + offset);
}

uint64_t alc_hostcall_arg_u64(const struct alc_hostcall_request *request, size_t offset)
{
    ALC_ASSERT(alc_range_fits(offset, sizeof(uint64_t), sizeof request->args));
    return alc_load_u64((const uint8_t *)request->args + offset);
}

void alc_hostcall_answer_u32(struct alc_hostcall_request *request, size_t offset, uint32_t value)
{
    ALC_ASSERT(alc_range_fits(offset, sizeof value, sizeof request->out_args));
    alc_store_u32((uint8_t *)request->out_args + offset, value);
}

uint8_t *alc_hostcall_piece(struct alc_hostcall_request *request, uint64_t size)
{
    uint64_t rounded;
    if (!alc_align_up(size, 8, &rounded) ||
        !alc_range_fits(request->payload_used, rounded, request->payload_size)) {
        request->is_malformed = true;
        return NULL;
    }
    uint8_t *piece = request->payload + request->payload_used;
    request->payload_used += (uint32_t)rounded;
    return piece;
}

/* Copies the slot once: the other side may still be writing it. */
static struct alc_ring_slot copy_slot(const struct alc_ring_slot *shared_slot)
{
    union {
        struct alc_ring_slot slot;
        uint64_t words[ALC_RING_SLOT_WORDS];
    } copy;
    const volatile uint64_t *shared_words = (const volatile uint64_t *)(const void *)shared_slot;
    for (size_t i = 0; i < ALC_RING_SLOT_WORDS; i++) {
        copy.words[i] = shared_words[i];
    }
    return copy.slot;
}

static struct alc_ring_slot answer_slot(struct alc_hostcall_server *server,
                                        const struct alc_ring_slot *slot)
{
    struct alc_ring_slot answer = {.seq = slot->seq, .op = slot->op, .result = -ALC_OS_INVALID};
    struct alc_hostcall_request request = {.os = server->os};
    if (slot->buf_offset % 8 != 0 ||
        !alc_range_fits(slot->buf_offset, slot->buf_size, ALC_LIMIT_HOSTCALL_BUFFER)) {
        return answer;
    }
    alc_copy(request.args, slot->args, sizeof request.args);
    request.payload = server->channel->payload + slot->buf_offset;
    request.payload_size = slot->buf_size;
    answer.result = alc_hostcall_dispatch(&request, slot->op);
    alc_copy(answer.args, request.out_args, sizeof answer.args);
    return answer;
}

alc_status alc_hostcall_serve(struct alc_hostcall_server *server)
{
    struct alc_ring_control *control = &server->channel->control;
    uint64_t request_tail = __atomic_load_n(&control->request_tail, __ATOMIC_ACQUIRE);
    if (request_tail - server->request_head > ALC_RING_SLOTS) {
        return ALC_E_BAD_ARGUMENT;
    }
    while (server->request_head != request_tail) {
        uint64_t index = server->request_head & (ALC_RING_SLOTS - 1);
        struct alc_ring_slot slot = copy_slot(&control->requests[index]);
        server->request_head++;
        __atomic_store_n(&control->request_head, server->request_head, __ATOMIC_RELEASE);
        struct alc_ring_slot answer = answer_slot(server, &slot);
        control->completions[server->completion_tail & (ALC_RING_SLOTS - 1)] = answer;
        server->completion_tail++;
        __atomic_store_n(&control->completion_tail, server->completion_tail, __ATOMIC_RELEASE);
    }
    return ALC_OK;
}
