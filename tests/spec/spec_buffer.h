/* SPDX-License-Identifier: Apache-2.0
 *
 * A byte buffer that grows, for the hosted half of the runner. Running out of memory ends the
 * program: there is no test to save then.
 */
#ifndef ALC_TESTS_SPEC_BUFFER_H
#define ALC_TESTS_SPEC_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct spec_buffer {
    uint8_t *bytes; /* owned; free with spec_buffer_fini */
    size_t size;
    size_t capacity;
};

void spec_buffer_add(struct spec_buffer *buffer, const void *bytes, size_t size);
void spec_buffer_add_u8(struct spec_buffer *buffer, uint8_t value);
void spec_buffer_add_u16(struct spec_buffer *buffer, uint16_t value);
void spec_buffer_add_u32(struct spec_buffer *buffer, uint32_t value);
void spec_buffer_add_u64(struct spec_buffer *buffer, uint64_t value);
/* u32 size, then the bytes. */
void spec_buffer_add_string(struct spec_buffer *buffer, const void *bytes, size_t size);
void spec_buffer_fini(struct spec_buffer *buffer);

/* Reads a whole file to the end of `out`: 0, or -1 with errno set. */
int spec_buffer_add_file(struct spec_buffer *out, const char *path);

#endif
