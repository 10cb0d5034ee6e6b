/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading directories. The first read (cookie 0) takes the whole listing; a cookie is an index into
 * it, so that no entry is told twice or left out because others come and go meanwhile, whatever the
 * file system does with its own offsets.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "os_linux/os_linux_internal.h"

/* Entries of one directory: a bound for the memory that a listing takes (about 100 MiB). */
enum { LISTING_ENTRIES_MAX = 1 << 20, FIRST_CAPACITY = 64, RECORD_GUESS = 64 };

static uint32_t type_of(int dir_fd, const struct dirent *found)
{
    switch (found->d_type) {
    case DT_BLK:
        return ALC_OS_TYPE_BLOCK_DEVICE;
    case DT_CHR:
        return ALC_OS_TYPE_CHARACTER_DEVICE;
    case DT_DIR:
        return ALC_OS_TYPE_DIRECTORY;
    case DT_REG:
        return ALC_OS_TYPE_REGULAR_FILE;
    case DT_SOCK:
        return ALC_OS_TYPE_SOCKET_STREAM;
    case DT_LNK:
        return ALC_OS_TYPE_SYMBOLIC_LINK;
    case DT_FIFO:
        return ALC_OS_TYPE_UNKNOWN;
    default:
        break;
    }
    /* This file system does not say in the listing. */
    struct stat info;
    struct alc_os_stat filled;
    if (fstatat(dir_fd, found->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return ALC_OS_TYPE_UNKNOWN;
    }
    alc_linux_fill_stat(&info, &filled);
    return (uint32_t)filled.type;
}

static bool grow_listing(struct alc_linux_listing *listing, size_t record_size)
{
    if (listing->entries_count == listing->entries_capacity) {
        size_t capacity =
            listing->entries_capacity == 0 ? FIRST_CAPACITY : 2 * listing->entries_capacity;
        size_t *offsets = realloc(listing->offsets, capacity * sizeof *offsets);
        if (offsets == NULL) {
            return false;
        }
        listing->offsets = offsets;
        listing->entries_capacity = capacity;
    }
    if (listing->records_capacity - listing->records_size < record_size) {
        size_t capacity = 2 * listing->records_capacity + FIRST_CAPACITY * RECORD_GUESS;
        uint8_t *records = realloc(listing->records, capacity);
        if (records == NULL) {
            return false;
        }
        listing->records = records;
        listing->records_capacity = capacity;
    }
    return true;
}

static int64_t add_entry(struct alc_linux_listing *listing, int dir_fd, const struct dirent *found)
{
    size_t name_size = strlen(found->d_name);
    struct alc_os_directory_entry entry = {.next = listing->entries_count + 1,
                                           .inode = found->d_ino,
                                           .name_size = (uint32_t)name_size,
                                           .type = type_of(dir_fd, found)};
    if (listing->entries_count == LISTING_ENTRIES_MAX) {
        return -ALC_OS_OVERFLOW;
    }
    if (!grow_listing(listing, sizeof entry + name_size)) {
        return -ALC_OS_NO_MEMORY;
    }
    uint8_t *record = listing->records + listing->records_size;
    alc_copy(record, &entry, sizeof entry);
    alc_copy(record + sizeof entry, found->d_name, name_size);
    listing->offsets[listing->entries_count++] = listing->records_size;
    listing->records_size += sizeof entry + name_size;
    return 0;
}

static int64_t fill_listing(struct alc_linux_listing *listing, int dir_fd)
{
    int own_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own_fd < 0 ? NULL : fdopendir(own_fd);
    int64_t result = 0;
    if (stream == NULL) {
        result = alc_linux_error(errno);
        if (own_fd >= 0) {
            close(own_fd);
        }
        return result;
    }
    while (result == 0) {
        errno = 0;
        const struct dirent *found = readdir(stream);
        if (found == NULL) {
            result = errno == 0 ? 0 : alc_linux_error(errno);
            break;
        }
        result = add_entry(listing, dir_fd, found);
    }
    closedir(stream);
    return result;
}

/* Gives the handle a new listing; its old one goes. */
static int64_t renew_listing(struct alc_os_linux *system, int32_t dir, int dir_fd)
{
    struct alc_linux_listing *listing = calloc(1, sizeof *listing);
    if (listing == NULL) {
        return -ALC_OS_NO_MEMORY;
    }
    int64_t result = fill_listing(listing, dir_fd);
    if (result < 0) {
        alc_linux_free_listing(listing);
        return result;
    }
    pthread_mutex_lock(&system->lock);
    struct alc_linux_listing *old = system->handles[dir].listing;
    system->handles[dir].listing = listing;
    pthread_mutex_unlock(&system->lock);
    alc_linux_free_listing(old);
    return 0;
}

/* Copies whole entries from `cookie` on; the lock is held. */
static int64_t copy_entries(const struct alc_linux_listing *listing, uint64_t cookie, uint8_t *buf,
                            size_t buf_size)
{
    if (cookie >= listing->entries_count) {
        return 0;
    }
    size_t start = listing->offsets[cookie];
    size_t end = start;
    for (size_t i = (size_t)cookie; i < listing->entries_count; i++) {
        size_t next =
            i + 1 < listing->entries_count ? listing->offsets[i + 1] : listing->records_size;
        if (next - start > buf_size) {
            break;
        }
        end = next;
    }
    alc_copy(buf, listing->records + start, end - start);
    return end == start ? -ALC_OS_OVERFLOW : (int64_t)(end - start);
}

int64_t alc_linux_read_directory(void *context, int32_t dir, uint64_t cookie, uint8_t *buf,
                                 size_t buf_size)
{
    struct alc_os_linux *system = context;
    int dir_fd = alc_linux_use(system, dir);
    if (dir_fd < 0) {
        return dir_fd;
    }
    pthread_mutex_lock(&system->lock);
    bool is_listed = system->handles[dir].listing != NULL;
    pthread_mutex_unlock(&system->lock);
    int64_t result = cookie == 0 || !is_listed ? renew_listing(system, dir, dir_fd) : 0;
    if (result == 0) {
        pthread_mutex_lock(&system->lock);
        result = copy_entries(system->handles[dir].listing, cookie, buf, buf_size);
        pthread_mutex_unlock(&system->lock);
    }
    alc_linux_leave(system, dir);
    return result;
}
