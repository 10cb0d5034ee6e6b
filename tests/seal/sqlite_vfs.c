/* SPDX-License-Identifier: Apache-2.0
 *
 * The VFS: files of SQLite are handles of an os table.
 */
#include "sqlite_vfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

struct file {
    sqlite3_file base;
    int32_t handle;
    bool is_temporary;
    char name[64];
};

static const struct alc_os *g_os;
static int32_t g_dir;

#define OS(name, ...) (g_os->operations->name(g_os->context, __VA_ARGS__))

static int file_close(sqlite3_file *base)
{
    struct file *file = (struct file *)base;
    if (OS(close, file->handle) < 0) {
        return SQLITE_IOERR_CLOSE;
    }
    if (file->is_temporary) {
        (void)OS(unlink_at, g_dir, (const uint8_t *)file->name, strlen(file->name));
    }
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *bytes, int size, sqlite3_int64 offset)
{
    struct file *file = (struct file *)base;
    int done = 0;
    while (done < size) {
        const struct alc_span span = {(uint8_t *)bytes + done, (size_t)(size - done)};
        int64_t count = OS(read_at, file->handle, &span, 1, (uint64_t)(offset + done));
        if (count < 0) {
            return SQLITE_IOERR_READ;
        }
        if (count == 0) {
            memset((uint8_t *)bytes + done, 0, (size_t)(size - done));
            return SQLITE_IOERR_SHORT_READ;
        }
        done += (int)count;
    }
    return SQLITE_OK;
}

static int file_write(sqlite3_file *base, const void *bytes, int size, sqlite3_int64 offset)
{
    struct file *file = (struct file *)base;
    int done = 0;
    while (done < size) {
        const struct alc_span span = {(uint8_t *)(uintptr_t)bytes + done, (size_t)(size - done)};
        int64_t count = OS(write_at, file->handle, &span, 1, (uint64_t)(offset + done));
        if (count <= 0) {
            return count == -ALC_OS_NO_SPACE ? SQLITE_FULL : SQLITE_IOERR_WRITE;
        }
        done += (int)count;
    }
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct file *file = (struct file *)base;
    return OS(set_size, file->handle, (uint64_t)size) < 0 ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static int file_sync(sqlite3_file *base, int flags)
{
    struct file *file = (struct file *)base;
    (void)flags;
    return OS(sync, file->handle, 0) < 0 ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *out)
{
    struct file *file = (struct file *)base;
    struct alc_os_stat stat;
    if (OS(stat, file->handle, &stat) < 0) {
        return SQLITE_IOERR_FSTAT;
    }
    *out = (sqlite3_int64)stat.size;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int level)
{
    (void)base, (void)level;
    return SQLITE_OK;
}

static int file_check_lock(sqlite3_file *base, int *out)
{
    (void)base;
    *out = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int op, void *argument)
{
    (void)base, (void)op, (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base)
{
    (void)base;
    return 4096;
}

static int file_characteristics(sqlite3_file *base)
{
    (void)base;
    return 0;
}

static const sqlite3_io_methods methods = {.iVersion = 1,
                                           .xClose = file_close,
                                           .xRead = file_read,
                                           .xWrite = file_write,
                                           .xTruncate = file_truncate,
                                           .xSync = file_sync,
                                           .xFileSize = file_size,
                                           .xLock = file_lock,
                                           .xUnlock = file_lock,
                                           .xCheckReservedLock = file_check_lock,
                                           .xFileControl = file_control,
                                           .xSectorSize = file_sector_size,
                                           .xDeviceCharacteristics = file_characteristics};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out)
{
    static unsigned temporaries;
    struct file *file = (struct file *)base;
    (void)vfs;
    memset(file, 0, sizeof *file);
    file->is_temporary = name == NULL;
    if (name == NULL) {
        snprintf(file->name, sizeof file->name, "temporary%u", temporaries++);
    } else {
        snprintf(file->name, sizeof file->name, "%s", name);
    }
    uint32_t wanted = ALC_OS_OPEN_READ;
    wanted |= (flags & SQLITE_OPEN_READWRITE) != 0 ? ALC_OS_OPEN_WRITE : 0;
    wanted |= (flags & SQLITE_OPEN_CREATE) != 0 ? ALC_OS_OPEN_CREATE : 0;
    int64_t handle = OS(open_at, g_dir, (const uint8_t *)file->name, strlen(file->name), wanted);
    if (handle < 0) {
        return SQLITE_CANTOPEN;
    }
    file->handle = (int32_t)handle;
    file->base.pMethods = &methods;
    if (out != NULL) {
        *out = flags;
    }
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
    (void)vfs;
    int64_t result = OS(unlink_at, g_dir, (const uint8_t *)name, strlen(name));
    if (result == -ALC_OS_NO_ENTRY) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    if (result == 0 && sync_directory != 0) {
        result = OS(sync, g_dir, 0);
    }
    return result < 0 ? SQLITE_IOERR_DELETE : SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    struct alc_os_stat stat;
    (void)vfs, (void)flags;
    int64_t result = OS(stat_at, g_dir, (const uint8_t *)name, strlen(name), 0, &stat);
    *out = result == 0 && (flags != SQLITE_ACCESS_EXISTS || stat.size != 0);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    (void)vfs;
    snprintf(out, (size_t)size, "%s", name);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    return OS(random, (uint8_t *)out, (size_t)size) < 0 ? 0 : size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, double *out)
{
    (void)vfs;
    *out = 2451545.0;
    return SQLITE_OK;
}

void sqlite_vfs_use(const struct alc_os *os, int32_t dir)
{
    static sqlite3_vfs vfs = {.iVersion = 1,
                              .szOsFile = sizeof(struct file),
                              .mxPathname = 60,
                              .zName = "alcove",
                              .xOpen = vfs_open,
                              .xDelete = vfs_delete,
                              .xAccess = vfs_access,
                              .xFullPathname = vfs_full_path,
                              .xRandomness = vfs_randomness,
                              .xSleep = vfs_sleep,
                              .xCurrentTime = vfs_time};
    g_os = os;
    g_dir = dir;
    (void)sqlite3_vfs_register(&vfs, 1);
}
