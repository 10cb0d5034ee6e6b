/* SPDX-License-Identifier: Apache-2.0
 *
 * Images of memory: sealed files without a name, mapped privately. A page costs nothing until it is
 * touched and a copy only when it is written; dropping the copies gives the image's contents back.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os_linux/os_linux.h"

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size != 0) {
        ssize_t written = write(fd, bytes, size);
        if (written <= 0) {
            return false;
        }
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

alc_status alc_linux_image_make(void *context, const void *addr, size_t size, uint64_t *out_image)
{
    (void)context;
    int fd = memfd_create("alcove-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return ALC_E_OUT_OF_MEMORY;
    }
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    if (!write_all(fd, addr, size) || fcntl(fd, F_ADD_SEALS, seals) != 0) {
        close(fd);
        return ALC_E_OUT_OF_MEMORY;
    }
    *out_image = (uint64_t)fd;
    return ALC_OK;
}

alc_status alc_linux_image_map(void *context, uint64_t image, void *addr, size_t size)
{
    (void)context;
    void *mapped = mmap(addr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, (int)image, 0);
    return mapped == addr ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

alc_status alc_linux_image_renew(void *context, void *addr, size_t size)
{
    (void)context;
    return madvise(addr, size, MADV_DONTNEED) == 0 ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

void alc_linux_image_drop(void *context, uint64_t image)
{
    (void)context;
    close((int)image);
}
