/* SPDX-License-Identifier: Apache-2.0
 *
 * The growing buffer of the runner's hosted half.
 */
#include "spec/spec_buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

static void reserve(struct spec_buffer *buffer, size_t more)
{
    if (more <= buffer->capacity - buffer->size) {
        return;
    }
    size_t capacity = buffer->capacity == 0 ? 4096 : buffer->capacity;
    while (capacity - buffer->size < more) {
        capacity *= 2;
    }
    uint8_t *bytes = realloc(buffer->bytes, capacity);
    if (bytes == NULL) {
        fputs("spec: out of memory\n", stderr);
        exit(1);
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
}

void spec_buffer_add(struct spec_buffer *buffer, const void *bytes, size_t size)
{
    if (size == 0) {
        return;
    }
    reserve(buffer, size);
    alc_copy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
}

void spec_buffer_add_u8(struct spec_buffer *buffer, uint8_t value)
{
    spec_buffer_add(buffer, &value, sizeof value);
}

void spec_buffer_add_u16(struct spec_buffer *buffer, uint16_t value)
{
    spec_buffer_add(buffer, &value, sizeof value);
}

void spec_buffer_add_u32(struct spec_buffer *buffer, uint32_t value)
{
    spec_buffer_add(buffer, &value, sizeof value);
}

void spec_buffer_add_u64(struct spec_buffer *buffer, uint64_t value)
{
    spec_buffer_add(buffer, &value, sizeof value);
}

void spec_buffer_add_string(struct spec_buffer *buffer, const void *bytes, size_t size)
{
    spec_buffer_add_u32(buffer, (uint32_t)size);
    spec_buffer_add(buffer, bytes, size);
}

void spec_buffer_fini(struct spec_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct spec_buffer){0};
}

int spec_buffer_add_file(struct spec_buffer *out, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return -1;
    }
    size_t got;
    do {
        reserve(out, 65536);
        got = fread(out->bytes + out->size, 1, out->capacity - out->size, file);
        out->size += got;
    } while (got != 0);
    int failed = ferror(file) ? EIO : 0;
    fclose(file);
    errno = failed;
    return failed == 0 ? 0 : -1;
}
