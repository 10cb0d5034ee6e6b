/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the boundary. Distrusts everything that is read from the region: a slot is copied
 * once, matched with the private note of the request, and its numbers are compared with what was
 * promised. Positions, sizes and offsets used for addressing are private ones, always.
 */
#include "hostcall/client.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "hostcall/outside.h"

enum { UNIT = 8 }; /* pieces start at multiples of it */
/* User addresses of x86-64 with four-level paging; a region beyond cannot be meant. */
static const uint64_t address_limit = UINT64_C(1) << 47;

static uint64_t load_word(const uint64_t *outside_word)
{
    return alc_outside_load((const volatile uint64_t *)outside_word);
}

static bool is_region_usable(const struct alc_hostcall_environment *environment, uint64_t base,
                             uint64_t size)
{
    uint64_t end;
    uint64_t inside_end;
    if (base == 0 || base % ALC_RING_PAGE_SIZE != 0 || size < ALC_RING_REGION_SIZE ||
        !alc_add_u64(base, size, &end) || end > address_limit ||
        !alc_add_u64(environment->inside_base, environment->inside_size, &inside_end)) {
        return false;
    }
    return end <= environment->inside_base || base >= inside_end;
}

alc_status alc_hostcall_client_init(struct alc_hostcall_client *client,
                                    const struct alc_hostcall_environment *environment,
                                    uint64_t raw_base, uint64_t raw_size)
{
    *client = (struct alc_hostcall_client){.environment = *environment};
    if (!is_region_usable(environment, raw_base, raw_size)) {
        return ALC_E_HOST_LIED;
    }
    alc_speculation_barrier();
    struct alc_ring_region *outside_region = (struct alc_ring_region *)(uintptr_t)raw_base;
    if (load_word(&outside_region->header.magic) != ALC_RING_MAGIC ||
        load_word(&outside_region->header.version) != ALC_RING_VERSION ||
        load_word(&outside_region->header.threads_count) != ALC_LIMIT_ENCLAVE_THREADS ||
        load_word(&outside_region->header.channel_size) != sizeof(struct alc_ring_channel)) {
        return ALC_E_HOST_LIED;
    }
    for (uint32_t i = 0; i < ALC_LIMIT_ENCLAVE_THREADS; i++) {
        client->channels[i].outside_channel = &outside_region->channels[i];
        client->channels[i].next_seq = 1;
    }
    return ALC_OK;
}

static struct alc_hostcall_channel *find_channel(struct alc_hostcall_client *client)
{
    uint32_t index = client->environment.thread_index();
    ALC_ASSERT(index < ALC_LIMIT_ENCLAVE_THREADS);
    return &client->channels[alc_index_clamp(index, ALC_LIMIT_ENCLAVE_THREADS)];
}

void alc_hostcall_begin(struct alc_hostcall_call *call, void *context, uint16_t op)
{
    struct alc_hostcall_client *client = context;
    struct alc_hostcall_channel *channel = find_channel(client);
    ALC_ASSERT(channel->outside_channel != NULL);
    if (channel->pending_count == 0) {
        channel->payload_used = 0;
    }
    *call = (struct alc_hostcall_call){
        .client = client, .channel = channel, .op = op, .buf_offset = channel->payload_used};
    if (channel->lies_count >= ALC_LIMIT_HOSTCALL_LIES) {
        client->environment.give_up();
        call->failure = -ALC_OS_IO;
    }
}

void alc_hostcall_set_u32(struct alc_hostcall_call *call, size_t offset, uint32_t value)
{
    ALC_ASSERT(alc_range_fits(offset, sizeof value, sizeof call->args));
    alc_store_u32((uint8_t *)call->args + offset, value);
}

void alc_hostcall_set_u64(struct alc_hostcall_call *call, size_t offset, uint64_t value)
{
    ALC_ASSERT(alc_range_fits(offset, sizeof value, sizeof call->args));
    alc_store_u64((uint8_t *)call->args + offset, value);
}

uint32_t alc_hostcall_get_u32(const struct alc_hostcall_call *call, size_t offset)
{
    ALC_ASSERT(alc_range_fits(offset, sizeof(uint32_t), sizeof call->args));
    return alc_load_u32((const uint8_t *)call->args + offset);
}

static size_t room_left(const struct alc_hostcall_call *call)
{
    return ALC_LIMIT_HOSTCALL_BUFFER - call->buf_offset - call->buf_used;
}

struct alc_hostcall_room alc_hostcall_offer(struct alc_hostcall_call *call, size_t size)
{
    size_t left = room_left(call);
    size_t given = size < left ? size : left;
    struct alc_hostcall_room room = {.offset = call->buf_offset + call->buf_used,
                                     .size = (uint32_t)given};
    /* The arena is a multiple of UNIT, so rounding up stays inside. */
    call->buf_used += (uint32_t)((given + UNIT - 1) & ~(size_t)(UNIT - 1));
    return room;
}

static size_t total_size(const struct alc_span *spans, size_t spans_count)
{
    size_t total = 0;
    for (size_t i = 0; i < spans_count && total < ALC_LIMIT_HOSTCALL_BUFFER; i++) {
        if (!alc_add_size(total, spans[i].size, &total)) {
            return ALC_LIMIT_HOSTCALL_BUFFER;
        }
    }
    return total;
}

struct alc_hostcall_room alc_hostcall_offer_spans(struct alc_hostcall_call *call,
                                                  const struct alc_span *spans, size_t spans_count)
{
    return alc_hostcall_offer(call, total_size(spans, spans_count));
}

struct alc_hostcall_room alc_hostcall_need(struct alc_hostcall_call *call, size_t count,
                                           size_t size)
{
    size_t total;
    if (!alc_mul_size(count, size, &total) || total > room_left(call)) {
        call->failure = call->failure != 0 ? call->failure : -ALC_OS_TOO_BIG;
        return (struct alc_hostcall_room){.offset = call->buf_offset};
    }
    return alc_hostcall_offer(call, total);
}

struct alc_hostcall_room alc_hostcall_put_path(struct alc_hostcall_call *call, const uint8_t *path,
                                               size_t path_size)
{
    if (path_size > ALC_LIMIT_WASI_PATH_SIZE) {
        call->failure = call->failure != 0 ? call->failure : -ALC_OS_NAME_TOO_LONG;
        return (struct alc_hostcall_room){.offset = call->buf_offset};
    }
    struct alc_hostcall_room room = alc_hostcall_need(call, path_size, 1);
    alc_hostcall_put_at(call, room, 0, path, room.size);
    return room;
}

struct alc_hostcall_room alc_hostcall_put_spans(struct alc_hostcall_call *call,
                                                const struct alc_span *spans, size_t spans_count)
{
    struct alc_hostcall_room room = alc_hostcall_offer_spans(call, spans, spans_count);
    if (call->failure != 0) {
        return room;
    }
    struct alc_outside_writer writer;
    alc_outside_writer_init(&writer, call->channel->outside_channel->payload + room.offset);
    size_t left = room.size;
    for (size_t i = 0; i < spans_count && left != 0; i++) {
        size_t size = spans[i].size < left ? spans[i].size : left;
        alc_outside_append(&writer, spans[i].bytes, size);
        left -= size;
    }
    alc_outside_finish(&writer);
    return room;
}

void alc_hostcall_put_at(struct alc_hostcall_call *call, struct alc_hostcall_room room,
                         size_t offset, const void *bytes, size_t size)
{
    if (call->failure != 0) {
        return;
    }
    ALC_ASSERT(alc_range_fits(offset, size, room.size));
    alc_outside_write(call->channel->outside_channel->payload + room.offset + offset, bytes, size);
}

uint32_t alc_hostcall_push(struct alc_hostcall_call *call)
{
    struct alc_hostcall_channel *channel = call->channel;
    if (call->failure != 0 || channel->pending_count == ALC_RING_SLOTS) {
        return 0;
    }
    struct alc_ring_slot slot = {.seq = channel->next_seq,
                                 .op = call->op,
                                 .buf_offset = call->buf_offset,
                                 .buf_size = call->buf_used};
    alc_copy(slot.args, call->args, sizeof slot.args);
    uint64_t index = channel->request_tail & (ALC_RING_SLOTS - 1);
    alc_outside_write((uint8_t *)&channel->outside_channel->control.requests[index], &slot,
                      sizeof slot);
    channel->pending[channel->pending_count++] =
        (struct alc_hostcall_pending){.seq = slot.seq, .op = slot.op, .result = -ALC_OS_IO};
    channel->unserved_count++;
    channel->request_tail++;
    channel->payload_used += call->buf_used;
    channel->next_seq = channel->next_seq == UINT32_MAX ? 1 : channel->next_seq + 1;
    return slot.seq;
}

static struct alc_hostcall_pending *find_pending(struct alc_hostcall_channel *channel, uint32_t seq)
{
    for (uint32_t i = 0; i < channel->pending_count; i++) {
        if (channel->pending[i].seq == seq) {
            return &channel->pending[i];
        }
    }
    return NULL;
}

/* Notes one completion; false when it answers nothing that was asked. */
static bool note_answer(struct alc_hostcall_channel *channel, const struct alc_ring_slot *slot)
{
    struct alc_hostcall_pending *pending = find_pending(channel, slot->seq);
    if (pending == NULL || pending->answered || pending->op != slot->op ||
        slot->result < -(int64_t)ALC_OS_ERRNO_MAX) {
        return false;
    }
    alc_speculation_barrier();
    pending->answered = true;
    pending->result = slot->result;
    alc_copy(pending->args, slot->args, sizeof pending->args);
    return true;
}

void alc_hostcall_flush(struct alc_hostcall_client *client)
{
    struct alc_hostcall_channel *channel = find_channel(client);
    struct alc_ring_control *outside_control = &channel->outside_channel->control;
    uint32_t count = channel->unserved_count;
    channel->unserved_count = 0;
    /* x86 keeps the order of stores; the compiler must, too. */
    __asm__ volatile("" : : : "memory");
    alc_outside_store((volatile uint64_t *)&outside_control->request_tail, channel->request_tail);
    client->environment.leave();
    for (uint32_t i = 0; i < count; i++) {
        struct alc_ring_slot slot;
        uint64_t index = channel->completion_head & (ALC_RING_SLOTS - 1);
        alc_outside_read(&slot, (const uint8_t *)&outside_control->completions[index], sizeof slot);
        channel->completion_head++;
        if (!note_answer(channel, &slot)) {
            channel->lies_count++;
        }
    }
    alc_outside_store((volatile uint64_t *)&outside_control->completion_head,
                      channel->completion_head);
}

int64_t alc_hostcall_take(struct alc_hostcall_call *call, uint32_t seq)
{
    struct alc_hostcall_channel *channel = call->channel;
    struct alc_hostcall_pending *pending = find_pending(channel, seq);
    if (pending == NULL) {
        return call->failure != 0 ? call->failure : -ALC_OS_IO;
    }
    int64_t result = pending->answered ? pending->result : -ALC_OS_IO;
    alc_copy(call->args, pending->args, sizeof call->args);
    *pending = channel->pending[--channel->pending_count];
    return result;
}

int64_t alc_hostcall_submit(struct alc_hostcall_call *call)
{
    uint32_t seq = alc_hostcall_push(call);
    if (seq != 0) {
        alc_hostcall_flush(call->client);
    }
    return alc_hostcall_take(call, seq);
}

bool alc_hostcall_judge(struct alc_hostcall_call *call, bool is_truthful)
{
    if (!is_truthful) {
        call->channel->lies_count++;
        return false;
    }
    alc_speculation_barrier();
    return true;
}

void alc_hostcall_fetch(struct alc_hostcall_call *call, struct alc_hostcall_room room,
                        size_t offset, void *to, size_t size)
{
    ALC_ASSERT(offset % UNIT == 0 && alc_range_fits(offset, size, room.size));
    alc_outside_read(to, call->channel->outside_channel->payload + room.offset + offset, size);
}

void alc_hostcall_fetch_spans(struct alc_hostcall_call *call, struct alc_hostcall_room room,
                              size_t size, const struct alc_span *spans, size_t spans_count)
{
    ALC_ASSERT(size <= room.size);
    struct alc_outside_reader reader;
    alc_outside_reader_init(&reader, call->channel->outside_channel->payload + room.offset);
    for (size_t i = 0; i < spans_count && size != 0; i++) {
        size_t part = spans[i].size < size ? spans[i].size : size;
        alc_outside_take(&reader, spans[i].bytes, part);
        size -= part;
    }
}
