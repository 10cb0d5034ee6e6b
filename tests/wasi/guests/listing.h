/* SPDX-License-Identifier: Apache-2.0
 *
 * A directory of files named entry-NNN and, behind that, NNN mod 20 hyphens.
 */
#ifndef ALC_TESTS_WASI_LISTING_H
#define ALC_TESTS_WASI_LISTING_H

#include "check.h"

enum { ENTRIES_COUNT = 300 };

/* Lists with a buffer of `size` bytes; each entry must come exactly once. */
static inline void list(__wasi_fd_t dir, __wasi_size_t size)
{
    static char seen[ENTRIES_COUNT];
    memset(seen, 0, sizeof seen);
    int count = 0;
    uint8_t buf[8192];
    __wasi_dircookie_t cookie = __WASI_DIRCOOKIE_START;
    __wasi_size_t used = size;
    while (used == size) {
        OK(__wasi_fd_readdir(dir, buf, size, cookie, &used));
        CHECK(used <= size);
        __wasi_size_t at = 0;
        __wasi_dirent_t entry;
        while (at + sizeof entry <= used) {
            memcpy(&entry, buf + at, sizeof entry);
            if (at + sizeof entry + entry.d_namlen > used) {
                break;
            }
            const char *name = (const char *)buf + at + sizeof entry;
            at += sizeof entry + entry.d_namlen;
            cookie = entry.d_next;
            count++;
            if (name[0] == '.') {
                CHECK(entry.d_type == __WASI_FILETYPE_DIRECTORY);
                continue;
            }
            int number = (name[6] - '0') * 100 + (name[7] - '0') * 10 + (name[8] - '0');
            CHECK(number >= 0 && number < ENTRIES_COUNT);
            CHECK(entry.d_namlen == 9u + (unsigned)number % 20 && !seen[number]);
            CHECK(entry.d_type == __WASI_FILETYPE_REGULAR_FILE && entry.d_ino != 0);
            seen[number] = 1;
        }
        CHECK(at > 0 || used < size);
    }
    CHECK(count == ENTRIES_COUNT + 2);
}

#endif
