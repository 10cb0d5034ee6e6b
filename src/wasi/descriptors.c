/* SPDX-License-Identifier: Apache-2.0
 *
 * The descriptor table: numbers, rights, types. Rights only ever shrink: a descriptor starts with
 * what its directory hands down, cut to what its type can do.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "base/limits.h"
#include "base/spin.h"
#include "wasi/wasi_internal.h"

/* Types and errors have the same numbers on both sides. */
_Static_assert((int)ALC_WASI_FILETYPE_DIRECTORY == (int)ALC_OS_TYPE_DIRECTORY, "same numbers");
_Static_assert((int)ALC_WASI_FILETYPE_REGULAR_FILE == (int)ALC_OS_TYPE_REGULAR_FILE,
               "same numbers");
_Static_assert((int)ALC_WASI_FILETYPE_SYMBOLIC_LINK == (int)ALC_OS_TYPE_MAX, "same numbers");

uint16_t alc_wasi_errno_of(int64_t raw_answer)
{
    if (raw_answer >= 0) {
        return ALC_OS_SUCCESS;
    }
    return raw_answer >= -(int64_t)ALC_OS_ERRNO_MAX ? (uint16_t)-raw_answer : ALC_OS_IO;
}

uint16_t alc_wasi_count_of(int64_t raw_answer, uint64_t max, uint64_t *out)
{
    uint16_t result = alc_wasi_errno_of(raw_answer);
    if (result != 0) {
        return result;
    }
    if ((uint64_t)raw_answer > max) {
        return ALC_OS_IO;
    }
    *out = (uint64_t)raw_answer;
    return ALC_OS_SUCCESS;
}

uint8_t alc_wasi_type_of(uint64_t raw_type)
{
    return raw_type <= ALC_OS_TYPE_MAX ? (uint8_t)raw_type : ALC_WASI_FILETYPE_UNKNOWN;
}

uint64_t alc_wasi_rights_of_type(uint8_t type)
{
    switch ((enum alc_wasi_filetype)type) {
    case ALC_WASI_FILETYPE_DIRECTORY:
        return ALC_WASI_RIGHTS_OF_DIRECTORIES;
    case ALC_WASI_FILETYPE_CHARACTER_DEVICE:
        /* C libraries take a character device that cannot seek for a terminal. */
        return ALC_WASI_RIGHTS_OF_FILES & ~(ALC_WASI_RIGHTS_FD_SEEK | ALC_WASI_RIGHTS_FD_TELL);
    case ALC_WASI_FILETYPE_SOCKET_DGRAM:
    case ALC_WASI_FILETYPE_SOCKET_STREAM:
        return ALC_WASI_RIGHTS_OF_SOCKETS;
    case ALC_WASI_FILETYPE_UNKNOWN:
    case ALC_WASI_FILETYPE_BLOCK_DEVICE:
    case ALC_WASI_FILETYPE_REGULAR_FILE:
    case ALC_WASI_FILETYPE_SYMBOLIC_LINK:
    default:
        return ALC_WASI_RIGHTS_OF_FILES;
    }
}

bool alc_wasi_is_socket(const struct alc_wasi_descriptor *descriptor)
{
    return descriptor->type == ALC_WASI_FILETYPE_SOCKET_STREAM ||
           descriptor->type == ALC_WASI_FILETYPE_SOCKET_DGRAM;
}

static const struct {
    uint16_t wasi;
    uint16_t os;
} flag_pairs[] = {
    {ALC_WASI_FDFLAGS_APPEND, ALC_OS_OPEN_APPEND},     {ALC_WASI_FDFLAGS_DSYNC, ALC_OS_OPEN_DSYNC},
    {ALC_WASI_FDFLAGS_NONBLOCK, ALC_OS_OPEN_NONBLOCK}, {ALC_WASI_FDFLAGS_RSYNC, ALC_OS_OPEN_RSYNC},
    {ALC_WASI_FDFLAGS_SYNC, ALC_OS_OPEN_SYNC},
};

uint32_t alc_wasi_flags_to_os(uint16_t flags)
{
    uint32_t os_flags = 0;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(flag_pairs); i++) {
        os_flags |= (flags & flag_pairs[i].wasi) != 0 ? flag_pairs[i].os : 0u;
    }
    return os_flags;
}

uint16_t alc_wasi_flags_from_os(uint64_t os_flags)
{
    uint16_t flags = 0;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(flag_pairs); i++) {
        if ((os_flags & flag_pairs[i].os) != 0) {
            flags |= flag_pairs[i].wasi;
        }
    }
    return flags;
}

/* With the lock held. */
static struct alc_wasi_descriptor *find_free(const struct alc_wasi *wasi)
{
    for (size_t i = 0; i < ALC_LIMIT_WASI_DESCRIPTORS; i++) {
        if (!wasi->shared->descriptors[i].is_open) {
            return &wasi->shared->descriptors[i];
        }
    }
    return NULL;
}

/* What a copy was made of, with the lock held; NULL when it is no longer that. */
static struct alc_wasi_descriptor *find_original(const struct alc_wasi *wasi,
                                                 const struct alc_wasi_descriptor *copy)
{
    struct alc_wasi_descriptor *original = &wasi->shared->descriptors[copy->number];
    return original->is_open && original->handle == copy->handle ? original : NULL;
}

bool alc_wasi_descriptor_is_free(struct alc_wasi *wasi)
{
    alc_spin_lock(&wasi->shared->lock);
    bool is_free = find_free(wasi) != NULL;
    alc_spin_unlock(&wasi->shared->lock);
    return is_free;
}

int64_t alc_wasi_find_handle(struct alc_wasi *wasi, uint32_t descriptor)
{
    int64_t result = -ALC_OS_BAD_DESCRIPTOR;
    if (descriptor >= ALC_LIMIT_WASI_DESCRIPTORS) {
        return result;
    }
    descriptor = (uint32_t)alc_index_clamp(descriptor, ALC_LIMIT_WASI_DESCRIPTORS);
    alc_spin_lock(&wasi->shared->lock);
    if (wasi->shared->descriptors[descriptor].is_open) {
        result = wasi->shared->descriptors[descriptor].handle;
    }
    alc_spin_unlock(&wasi->shared->lock);
    return result;
}

static uint16_t close_handle(const struct alc_wasi *wasi, int32_t handle)
{
    if (handle <= ALC_OS_STDERR) {
        return ALC_OS_SUCCESS; /* alcove itself may still have to say something there */
    }
    return alc_wasi_errno_of(alc_wasi_os(wasi)->close(alc_wasi_os_context(wasi), handle));
}

uint16_t alc_wasi_descriptor_insert(struct alc_wasi *wasi, const struct alc_wasi_descriptor *opened,
                                    uint32_t *out_number)
{
    alc_spin_lock(&wasi->shared->lock);
    struct alc_wasi_descriptor *descriptor = find_free(wasi);
    if (descriptor != NULL) {
        *descriptor = *opened;
        *out_number = (uint32_t)(descriptor - wasi->shared->descriptors);
    }
    alc_spin_unlock(&wasi->shared->lock);
    if (descriptor == NULL) {
        (void)close_handle(wasi, opened->handle);
        return ALC_OS_TOO_MANY_OPEN;
    }
    return ALC_OS_SUCCESS;
}

uint16_t alc_wasi_descriptor_check(const struct alc_wasi_descriptor *descriptor, uint64_t rights)
{
    const uint64_t missing = rights & ~descriptor->rights_base;
    if (missing == 0) {
        return ALC_OS_SUCCESS;
    }
    const bool is_directory = descriptor->type == ALC_WASI_FILETYPE_DIRECTORY;
    if (is_directory && (missing & (ALC_WASI_RIGHTS_FD_READ | ALC_WASI_RIGHTS_FD_WRITE)) != 0) {
        return ALC_OS_IS_DIRECTORY;
    }
    const uint64_t sockets_only = ALC_WASI_RIGHTS_SOCK_SHUTDOWN | ALC_WASI_RIGHTS_SOCK_ACCEPT;
    if ((missing & sockets_only) != 0 && !alc_wasi_is_socket(descriptor)) {
        return ALC_OS_NOT_SOCKET;
    }
    const uint64_t directories_only = ALC_WASI_RIGHTS_OF_DIRECTORIES & ~ALC_WASI_RIGHTS_OF_FILES;
    if ((missing & directories_only) != 0 && !is_directory) {
        return ALC_OS_NOT_DIRECTORY;
    }
    const uint64_t position = ALC_WASI_RIGHTS_FD_SEEK | ALC_WASI_RIGHTS_FD_TELL;
    if ((missing & position) != 0 && (descriptor->type == ALC_WASI_FILETYPE_CHARACTER_DEVICE ||
                                      alc_wasi_is_socket(descriptor))) {
        return ALC_OS_NO_SEEK;
    }
    return ALC_OS_NOT_CAPABLE;
}

uint16_t alc_wasi_fd_get(struct alc_wasi *wasi, uint32_t number, uint64_t rights,
                         struct alc_wasi_descriptor **out)
{
    if (number >= ALC_LIMIT_WASI_DESCRIPTORS) {
        return ALC_OS_BAD_DESCRIPTOR;
    }
    number = (uint32_t)alc_index_clamp(number, ALC_LIMIT_WASI_DESCRIPTORS);
    struct alc_wasi_descriptor *copy = &wasi->copies[wasi->copies_next++ % ALC_WASI_COPIES];
    alc_spin_lock(&wasi->shared->lock);
    *copy = wasi->shared->descriptors[number];
    alc_spin_unlock(&wasi->shared->lock);
    copy->number = (uint16_t)number;
    if (!copy->is_open) {
        return ALC_OS_BAD_DESCRIPTOR;
    }
    *out = copy;
    return alc_wasi_descriptor_check(copy, rights);
}

uint16_t alc_wasi_descriptor_close(struct alc_wasi *wasi,
                                   const struct alc_wasi_descriptor *descriptor)
{
    alc_spin_lock(&wasi->shared->lock);
    struct alc_wasi_descriptor *original = find_original(wasi, descriptor);
    if (original != NULL) {
        *original = (struct alc_wasi_descriptor){.preopen_index = ALC_WASI_NO_PREOPEN};
    }
    alc_spin_unlock(&wasi->shared->lock);
    return original == NULL ? ALC_OS_BAD_DESCRIPTOR : close_handle(wasi, descriptor->handle);
}

uint16_t alc_wasi_fd_close(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd)
{
    return alc_wasi_descriptor_close(wasi, fd);
}

uint16_t alc_wasi_fd_renumber(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                              struct alc_wasi_descriptor *to)
{
    if (fd->number == to->number) {
        return ALC_OS_SUCCESS;
    }
    alc_spin_lock(&wasi->shared->lock);
    struct alc_wasi_descriptor *from = find_original(wasi, fd);
    struct alc_wasi_descriptor *target = find_original(wasi, to);
    bool is_moved = from != NULL && target != NULL;
    if (is_moved) {
        *target = *from;
        *from = (struct alc_wasi_descriptor){.preopen_index = ALC_WASI_NO_PREOPEN};
    }
    alc_spin_unlock(&wasi->shared->lock);
    if (!is_moved) {
        return ALC_OS_BAD_DESCRIPTOR;
    }
    /* As with dup2, what closing the old file says is nobody's business any more. */
    (void)close_handle(wasi, to->handle);
    return ALC_OS_SUCCESS;
}

uint16_t alc_wasi_fd_fdstat_get(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                                struct alc_wasi_fdstat *out_stat)
{
    uint64_t os_flags = 0;
    uint16_t result =
        alc_wasi_count_of(alc_wasi_os(wasi)->get_flags(alc_wasi_os_context(wasi), fd->handle),
                          ALC_OS_OPEN_ALL, &os_flags);
    *out_stat = (struct alc_wasi_fdstat){
        .filetype = fd->type,
        .flags = alc_wasi_flags_from_os(os_flags),
        .rights_base = fd->rights_base,
        .rights_inheriting = fd->rights_inheriting,
    };
    return result;
}

uint16_t alc_wasi_fd_fdstat_set_flags(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                                      uint16_t flags)
{
    return alc_wasi_errno_of(alc_wasi_os(wasi)->set_flags(alc_wasi_os_context(wasi), fd->handle,
                                                          alc_wasi_flags_to_os(flags)));
}

uint16_t alc_wasi_fd_fdstat_set_rights(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                                       uint64_t rights_base, uint64_t rights_inheriting)
{
    uint16_t result = ALC_OS_BAD_DESCRIPTOR;
    alc_spin_lock(&wasi->shared->lock);
    struct alc_wasi_descriptor *original = find_original(wasi, fd);
    if (original != NULL) {
        bool shrinks = (rights_base & ~original->rights_base) == 0 &&
                       (rights_inheriting & ~original->rights_inheriting) == 0;
        if (shrinks) {
            original->rights_base = rights_base;
            original->rights_inheriting = rights_inheriting;
        }
        result = shrinks ? ALC_OS_SUCCESS : ALC_OS_NOT_CAPABLE;
    }
    alc_spin_unlock(&wasi->shared->lock);
    return result;
}

/* Only these functions tell preopened directories from others. */
static const struct alc_wasi_text *preopen_name(const struct alc_wasi *wasi,
                                                const struct alc_wasi_descriptor *fd)
{
    if (fd->preopen_index == ALC_WASI_NO_PREOPEN) {
        return NULL;
    }
    return &wasi->options.preopens[fd->preopen_index].guest_path;
}

uint16_t alc_wasi_fd_prestat_get(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                                 struct alc_wasi_prestat *out_stat)
{
    const struct alc_wasi_text *name = preopen_name(wasi, fd);
    if (name == NULL) {
        return ALC_OS_BAD_DESCRIPTOR; /* C libraries stop looking for preopens at this answer */
    }
    *out_stat = (struct alc_wasi_prestat){.tag = ALC_WASI_PREOPENTYPE_DIR,
                                          .name_size = (uint32_t)name->size};
    return ALC_OS_SUCCESS;
}

uint16_t alc_wasi_fd_prestat_dir_name(struct alc_wasi *wasi, struct alc_wasi_descriptor *fd,
                                      struct alc_guest_buffer path)
{
    const struct alc_wasi_text *name = preopen_name(wasi, fd);
    if (name == NULL) {
        return ALC_OS_BAD_DESCRIPTOR;
    }
    if (path.size < name->size) {
        return ALC_OS_NAME_TOO_LONG;
    }
    alc_copy(path.bytes, name->bytes, name->size);
    return ALC_OS_SUCCESS;
}
