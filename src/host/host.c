/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of guest pointers and copies of what they point to. All arithmetic is 64-bit over 32-bit
 * addresses and counts; the range is judged once, by alc_memory_at, and each guest byte is read
 * once.
 */
#include "host/host.h"

#include "base/bytes.h"
#include "base/checked.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "exec/memory.h"

enum { SPAN_GUEST_SIZE = 8 }; /* address and size, 4 bytes each */

static struct alc_arena *scratch_of(const struct alc_host_call *call)
{
    const struct alc_host_context *context = call->context;
    return context->scratch;
}

/* NULL: not inside the memory. */
static uint8_t *guest_range(const struct alc_host_call *call, uint32_t guest_addr, uint64_t size)
{
    return call->memory != NULL ? alc_memory_at(call->memory, guest_addr, 0, size) : NULL;
}

enum alc_host_fault alc_host_borrow(const struct alc_host_call *call, uint32_t guest_addr,
                                    uint64_t count, size_t item_size, struct alc_guest_buffer *out)
{
    ALC_ASSERT(item_size > 0);
    uint64_t size = 0;
    if (!alc_mul_u64(count, item_size, &size)) {
        return ALC_HOST_FAULT_POINTER;
    }
    uint8_t *bytes = guest_range(call, guest_addr, size);
    if (bytes == NULL) {
        return ALC_HOST_FAULT_POINTER;
    }
    *out = (struct alc_guest_buffer){bytes, size, guest_addr};
    return ALC_HOST_FAULT_NONE;
}

enum alc_host_fault alc_host_copy(const struct alc_host_call *call, uint32_t guest_addr,
                                  uint64_t count, size_t item_size, struct alc_guest_bytes *out)
{
    struct alc_guest_buffer range;
    enum alc_host_fault fault = alc_host_borrow(call, guest_addr, count, item_size, &range);
    if (fault != ALC_HOST_FAULT_NONE) {
        return fault;
    }
    uint8_t *copy = alc_arena_take(scratch_of(call), range.size, 8);
    if (copy == NULL) {
        return ALC_HOST_FAULT_NO_ROOM;
    }
    alc_copy(copy, range.bytes, range.size);
    *out = (struct alc_guest_bytes){copy, range.size};
    return ALC_HOST_FAULT_NONE;
}

enum alc_host_fault alc_host_copy_path(const struct alc_host_call *call, uint32_t guest_addr,
                                       uint32_t size, struct alc_guest_bytes *out)
{
    if (size > ALC_LIMIT_WASI_PATH_SIZE) {
        return ALC_HOST_FAULT_TOO_LONG;
    }
    enum alc_host_fault fault = alc_host_copy(call, guest_addr, size, 1, out);
    if (fault != ALC_HOST_FAULT_NONE) {
        return fault;
    }
    for (size_t i = 0; i < size; i++) {
        if (out->bytes[i] == 0) {
            return ALC_HOST_FAULT_VALUE;
        }
    }
    return alc_utf8_is_valid(out->bytes, size) ? ALC_HOST_FAULT_NONE : ALC_HOST_FAULT_TEXT;
}

enum alc_host_fault alc_host_copy_spans(const struct alc_host_call *call, uint32_t guest_addr,
                                        uint32_t count, struct alc_guest_spans *out)
{
    if (count > ALC_LIMIT_WASI_IOVECS) {
        return ALC_HOST_FAULT_VALUE;
    }
    struct alc_guest_buffer pairs;
    enum alc_host_fault fault = alc_host_borrow(call, guest_addr, count, SPAN_GUEST_SIZE, &pairs);
    if (fault != ALC_HOST_FAULT_NONE) {
        return fault;
    }
    struct alc_guest_span *spans = ALC_ARENA_ARRAY(scratch_of(call), struct alc_guest_span, count);
    if (spans == NULL) {
        return ALC_HOST_FAULT_NO_ROOM;
    }
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t addr = alc_load_u32(pairs.bytes + i * SPAN_GUEST_SIZE);
        const uint32_t size = alc_load_u32(pairs.bytes + i * SPAN_GUEST_SIZE + 4);
        uint8_t *bytes = guest_range(call, addr, size);
        if (bytes == NULL) {
            return ALC_HOST_FAULT_POINTER;
        }
        const uint64_t room = UINT32_MAX - total;
        spans[i] = (struct alc_guest_span){bytes, size <= room ? size : room};
        total += spans[i].size;
    }
    *out = (struct alc_guest_spans){spans, count, total};
    return ALC_HOST_FAULT_NONE;
}

enum alc_host_fault alc_host_take_results(const struct alc_host_call *call, uint64_t count,
                                          size_t item_size, void **out)
{
    ALC_ASSERT(item_size > 0);
    *out = alc_arena_take_array(scratch_of(call), count, item_size, 8);
    return *out != NULL ? ALC_HOST_FAULT_NONE : ALC_HOST_FAULT_NO_ROOM;
}

alc_status alc_host_stop(const struct alc_host_call *call, alc_status status)
{
    return status != ALC_OK ? alc_fail(call->error, status, ALC_NO_OFFSET) : ALC_OK;
}
