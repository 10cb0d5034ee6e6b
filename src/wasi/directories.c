/* SPDX-License-Identifier: Apache-2.0
 *
 * fd_readdir: entries from the system are read in chunks, judged one by one and packed anew for the
 * program. A lying host gets an I/O error, not a name with a slash into the program.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "wasi/wasi_internal.h"

enum {
    CHUNK_SIZE_MIN = 512, /* holds the longest entry, so OVERFLOW is a lie */
    CHUNK_SIZE_MAX = 16384,
    NAME_SIZE_MAX = 255,
};
_Static_assert(sizeof(struct alc_os_directory_entry) + NAME_SIZE_MAX <= CHUNK_SIZE_MIN,
               "an entry fits");

/* One fd_readdir in progress. */
struct listing {
    struct alc_guest_buffer buf;
    size_t used; /* bytes of buf; == buf.size when full */
    uint64_t cookie;
};

/* Appends what fits: the last entry of a full buffer is cut. */
static void append(struct listing *listing, const void *bytes, size_t size)
{
    ALC_ASSERT(listing->used <= listing->buf.size);
    const size_t room = listing->buf.size - listing->used;
    const size_t taken = size < room ? size : room;
    alc_copy(listing->buf.bytes + listing->used, bytes, taken);
    listing->used += taken;
}

static bool name_is_possible(const uint8_t *name, size_t size)
{
    if (size == 0 || size > NAME_SIZE_MAX) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (name[i] == 0 || name[i] == '/') {
            return false;
        }
    }
    return true;
}

static void append_entry(struct listing *listing, const struct alc_os_directory_entry *entry,
                         const uint8_t *name)
{
    uint8_t header[ALC_WASI_DIRENT_GUEST_SIZE] = {0};
    alc_store_u64(header, entry->next);
    alc_store_u64(header + 8, entry->inode);
    alc_store_u32(header + 16, entry->name_size);
    header[20] = alc_wasi_type_of(entry->type);
    append(listing, header, sizeof header);
    append(listing, name, entry->name_size);
}

/* Packs the entries of one chunk until the buffer is full. */
static uint16_t take_chunk(struct listing *listing, const uint8_t *chunk, size_t size)
{
    size_t offset = 0;
    while (offset < size && listing->used < listing->buf.size) {
        struct alc_os_directory_entry entry;
        if (!alc_range_fits(offset, sizeof entry, size)) {
            return ALC_OS_IO;
        }
        alc_copy(&entry, chunk + offset, sizeof entry);
        offset += sizeof entry;
        if (!alc_range_fits(offset, entry.name_size, size) ||
            !name_is_possible(chunk + offset, entry.name_size) || entry.next == 0) {
            return ALC_OS_IO; /* a cookie of 0 would start over for ever */
        }
        append_entry(listing, &entry, chunk + offset);
        listing->cookie = entry.next;
        offset += entry.name_size;
    }
    return ALC_OS_SUCCESS;
}

uint16_t alc_wasi_fd_readdir(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                             struct alc_guest_buffer buf, uint64_t cookie, uint32_t *out_used)
{
    uint8_t *chunk = alc_arena_take(wasi->host.scratch, CHUNK_SIZE_MAX, 8);
    if (chunk == NULL) {
        return ALC_OS_NO_MEMORY;
    }
    struct listing listing = {.buf = buf, .cookie = cookie};
    while (listing.used < buf.size) {
        size_t wanted = buf.size - listing.used;
        wanted = wanted < CHUNK_SIZE_MIN ? CHUNK_SIZE_MIN : wanted;
        wanted = wanted > CHUNK_SIZE_MAX ? CHUNK_SIZE_MAX : wanted;
        uint64_t size = 0;
        uint16_t result = alc_wasi_count_of(
            alc_wasi_os(wasi)->read_directory(alc_wasi_os_context(wasi), fd->handle, listing.cookie,
                                              chunk, wanted),
            wanted, &size);
        result = result != 0 ? result : take_chunk(&listing, chunk, size);
        if (result != 0) {
            return result;
        }
        if (size == 0) {
            break; /* the end: fewer bytes than the buffer holds say so */
        }
    }
    *out_used = (uint32_t)listing.used;
    return ALC_OS_SUCCESS;
}
