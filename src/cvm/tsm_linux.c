/* SPDX-License-Identifier: Apache-2.0
 *
 * configfs-tsm over a folder of the file system. Attributes are read and written whole, each with
 * one call: the kernel takes a binary attribute when its file is closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cvm/tsm.h"

/* ENXIO: the directory is there and nobody makes reports. */
static alc_status status_of_errno(void)
{
    return errno == ENOENT || errno == ENOTDIR || errno == ENXIO ? ALC_E_NOT_FOUND
           : errno == EEXIST || errno == EINVAL                  ? ALC_E_BAD_ARGUMENT
                                                                 : ALC_E_IO_FAILED;
}

/* `attribute` NULL: the request itself. */
static bool path_of(const void *context, const char *request, const char *attribute,
                    char path[PATH_MAX])
{
    int size = snprintf(path, PATH_MAX, "%s/%s%s%s", (const char *)context, request,
                        attribute == NULL ? "" : "/", attribute == NULL ? "" : attribute);
    return size > 0 && size < PATH_MAX;
}

static alc_status make(void *context, const char *request)
{
    char path[PATH_MAX];
    return !path_of(context, request, NULL, path) ? ALC_E_IO_FAILED
           : mkdir(path, 0700) == 0               ? ALC_OK
                                                  : status_of_errno();
}

static alc_status remove_request(void *context, const char *request)
{
    char path[PATH_MAX];
    return !path_of(context, request, NULL, path) ? ALC_E_IO_FAILED
           : rmdir(path) == 0                     ? ALC_OK
                                                  : status_of_errno();
}

static alc_status write_attribute(void *context, const char *request, const char *attribute,
                                  const uint8_t *bytes, size_t size)
{
    char path[PATH_MAX];
    int fd = path_of(context, request, attribute, path) ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return status_of_errno();
    }
    ssize_t written = write(fd, bytes, size);
    alc_status status = written == (ssize_t)size ? ALC_OK
                        : written < 0            ? status_of_errno()
                                                 : ALC_E_IO_FAILED;
    if (close(fd) != 0 && status == ALC_OK) {
        status = status_of_errno();
    }
    return status;
}

static alc_status read_all(int fd, uint8_t *bytes, size_t max, size_t *out_size)
{
    uint8_t one_more;
    *out_size = 0;
    while (*out_size < max) {
        ssize_t count = read(fd, bytes + *out_size, max - *out_size);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return status_of_errno();
        }
        if (count == 0) {
            return ALC_OK;
        }
        *out_size += (size_t)count;
    }
    return read(fd, &one_more, 1) == 0 ? ALC_OK : ALC_E_IO_FAILED;
}

static alc_status read_attribute(void *context, const char *request, const char *attribute,
                                 uint8_t *bytes, size_t max, size_t *out_size)
{
    char path[PATH_MAX];
    int fd = path_of(context, request, attribute, path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return status_of_errno();
    }
    alc_status status = read_all(fd, bytes, max, out_size);
    close(fd);
    return status;
}

void alc_tsm_files_init(struct alc_tsm_files *files, const char *folder)
{
    *files = (struct alc_tsm_files){
        .make = make,
        .remove = remove_request,
        .write = write_attribute,
        .read = read_attribute,
        .context = (void *)(uintptr_t)folder,
    };
}
