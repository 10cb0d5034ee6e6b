/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 validity, one sequence at a time.
 */
#include "base/utf8.h"

/* Length of the valid sequence at bytes[0], or 0. The second byte's range depends on the first. */
static size_t sequence_length(const uint8_t *bytes, size_t size)
{
    uint8_t lead = bytes[0];
    if (lead < 0x80) {
        return 1;
    }
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || size < length) {
        return 0;
    }
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < low || bytes[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool alc_utf8_is_valid(const uint8_t *bytes, size_t size)
{
    size_t pos = 0;
    while (pos < size) {
        size_t length = sequence_length(bytes + pos, size - pos);
        if (length == 0) {
            return false;
        }
        pos += length;
    }
    return true;
}
