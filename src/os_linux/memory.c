/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages and randomness from the kernel.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "os_linux/os_linux_internal.h"

int64_t alc_linux_random(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    while (buf_size != 0) {
        ssize_t size = getrandom(buf, buf_size, 0);
        if (size < 0 && errno != EINTR) {
            return -ALC_OS_IO;
        }
        buf += size > 0 ? size : 0;
        buf_size -= size > 0 ? (size_t)size : 0;
    }
    return 0;
}

void *alc_linux_pages_reserve(void *context, size_t size)
{
    (void)context;
    void *addr = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return addr == MAP_FAILED ? NULL : addr;
}

int64_t alc_linux_pages_commit(void *context, void *addr, size_t size)
{
    (void)context;
    return mprotect(addr, size, PROT_READ | PROT_WRITE) == 0 ? 0 : -ALC_OS_NO_MEMORY;
}

int64_t alc_linux_pages_execute(void *context, void *addr, size_t size)
{
    (void)context;
    return mprotect(addr, size, PROT_READ | PROT_EXEC) == 0 ? 0 : -ALC_OS_NO_MEMORY;
}

void alc_linux_pages_release(void *context, void *addr, size_t size)
{
    (void)context;
    ALC_ASSERT(munmap(addr, size) == 0);
}
