/* SPDX-License-Identifier: Apache-2.0
 *
 * Serves the two handles from measured memory. Everything else is as it was: the host is asked.
 */
#include "enclave/payload.h"

#include "base/bytes.h"
#include "enclave/thread.h"
#include "sgx_arch/layout.h"
#include "sgx_arch/payload.h"

static struct alc_payload g_payload;
static int64_t (*g_stat)(void *context, int32_t handle, struct alc_os_stat *out);
static int64_t (*g_read_at)(void *context, int32_t handle, const struct alc_span *spans,
                            size_t spans_count, uint64_t offset);

/* The handle's bytes, NULL when it is not one of the two. */
static const uint8_t *find(int32_t handle, uint64_t *out_size)
{
    *out_size = handle == ALC_OS_MANIFEST ? g_payload.manifest_size : g_payload.program_size;
    return handle == ALC_OS_MANIFEST ? g_payload.manifest
           : handle == ALC_OS_MODULE ? g_payload.program
                                     : NULL;
}

static int64_t stat_payload(void *context, int32_t handle, struct alc_os_stat *out)
{
    uint64_t size;
    if (find(handle, &size) == NULL) {
        return g_stat(context, handle, out);
    }
    *out = (struct alc_os_stat){.size = size};
    return 0;
}

static int64_t read_payload_at(void *context, int32_t handle, const struct alc_span *spans,
                               size_t spans_count, uint64_t offset)
{
    uint64_t size;
    const uint8_t *bytes = find(handle, &size);
    if (bytes == NULL) {
        return g_read_at(context, handle, spans, spans_count, offset);
    }
    if (spans_count == 0 || offset >= size) {
        return 0;
    }
    uint64_t left = size - offset; /* one span at a time: a short read is no error */
    uint64_t count = spans->size < left ? spans->size : left;
    alc_copy(spans->bytes, bytes + offset, count);
    return (int64_t)count;
}

void alc_enclave_payload_serve(struct alc_os_operations *operations)
{
    const struct alc_enclave_layout *layout = &alc_enclave_layout;
    if (layout->payload_size != 0) {
        const uint8_t *bytes = alc_enclave_base() + layout->payload_offset;
        ALC_ASSERT(alc_payload_read(bytes, layout->payload_size, &g_payload)); /* measured */
        g_stat = operations->stat;
        g_read_at = operations->read_at;
        operations->stat = stat_payload;
        operations->read_at = read_payload_at;
    }
}
