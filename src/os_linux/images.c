/* SPDX-License-Identifier: Apache-2.0
 *
 * Images of memory: sealed files without a name, mapped privately. A page costs nothing until it is
 * touched and a copy only when it is written. Dropping the copies gives the image's contents back,
 * but a page that is written again is copied anew, which costs more than all the rest: where few
 * were written, and the kernel tells which (PAGEMAP_SCAN, Linux 6.7), these are written over and
 * stay.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
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

/* What an image's number means. */
struct image {
    int fd;
    uint8_t *bytes; /* to be read */
    size_t size;
};

static struct image *image_of(uint64_t image)
{
    return (struct image *)(uintptr_t)image;
}

static int make_file(const void *bytes, size_t size)
{
    int fd = memfd_create("alcove-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    if (fd >= 0 && (!write_all(fd, bytes, size) || fcntl(fd, F_ADD_SEALS, seals) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

alc_status alc_linux_image_make(void *context, const void *addr, size_t size, uint64_t *out_image)
{
    (void)context;
    struct image *image = malloc(sizeof *image);
    int fd = image == NULL ? -1 : make_file(addr, size);
    void *bytes = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        if (fd >= 0) {
            close(fd);
        }
        free(image);
        return ALC_E_OUT_OF_MEMORY;
    }
    *image = (struct image){.fd = fd, .bytes = bytes, .size = size};
    *out_image = (uint64_t)(uintptr_t)image;
    return ALC_OK;
}

alc_status alc_linux_image_map(void *context, uint64_t image, void *addr, size_t size)
{
    (void)context;
    void *mapped =
        mmap(addr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, image_of(image)->fd, 0);
    return mapped == addr ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

/* -- pages that were written -- */

/* As in linux/fs.h, which may be older than the kernel. */
struct page_region {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};
struct scan {
    uint64_t size;
    uint64_t flags;
    uint64_t start;
    uint64_t end;
    uint64_t walk_end;
    uint64_t regions;
    uint64_t regions_count;
    uint64_t pages_max;
    uint64_t category_inverted;
    uint64_t category_mask;
    uint64_t category_anyof_mask;
    uint64_t return_mask;
};
enum { IS_FILE = 1 << 2, IS_PRESENT = 1 << 3, IS_SWAPPED = 1 << 4, IS_ZERO = 1 << 5 };
#define PAGEMAP_SCAN_REQUEST _IOWR('f', 16, struct scan)

/* More than that is dropped: pages that stay are written over each time, wanted or not. */
enum { PAGES_KEPT = 16, REGIONS_KEPT = 8, PAGE_SIZE = 4096 };

void alc_linux_images_init(struct alc_linux_images *images)
{
    void *page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    images->pagemap = NULL;
    if (page == MAP_FAILED) {
        return;
    }
    if (madvise(page, PAGE_SIZE, MADV_WIPEONFORK) != 0) {
        munmap(page, PAGE_SIZE);
        return;
    }
    images->pagemap = page;
    *images->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC) + 1;
}

void alc_linux_images_fini(struct alc_linux_images *images)
{
    if (images->pagemap == NULL) {
        return;
    }
    if (*images->pagemap != 0) {
        close(*images->pagemap - 1);
    }
    munmap(images->pagemap, PAGE_SIZE);
    images->pagemap = NULL;
}

/* Private pages of a range, neither the image's nor the zero page; false when the system does not
 * say or there are too many. */
static bool find_written(const struct alc_linux_images *images, const uint8_t *addr, size_t size,
                         struct page_region regions[REGIONS_KEPT], unsigned *count)
{
    struct scan scan = {
        .size = sizeof scan,
        .start = (uint64_t)(uintptr_t)addr,
        .end = (uint64_t)(uintptr_t)addr + size,
        .regions = (uint64_t)(uintptr_t)regions,
        .regions_count = REGIONS_KEPT,
        .pages_max = PAGES_KEPT,
        .category_inverted = IS_FILE | IS_ZERO,
        .category_mask = IS_FILE | IS_ZERO,
        .category_anyof_mask = IS_PRESENT | IS_SWAPPED,
        .return_mask = IS_PRESENT,
    };
    if (images->pagemap == NULL || *images->pagemap == 0) {
        return false;
    }
    int found = ioctl(*images->pagemap - 1, PAGEMAP_SCAN_REQUEST, &scan);
    *count = found < 0 ? 0 : (unsigned)found;
    return found >= 0 && scan.walk_end == scan.end;
}

/* [offset, end) of the range at `addr` as it was first. */
static void write_over(const struct image *image, uint8_t *addr, size_t offset, size_t end)
{
    size_t image_size = image == NULL ? 0 : image->size;
    size_t image_end = image_size < end ? image_size : end;
    if (offset < image_end) {
        alc_copy(addr + offset, image->bytes + offset, image_end - offset);
        offset = image_end;
    }
    if (offset < end) {
        alc_fill(addr + offset, 0, end - offset);
    }
}

alc_status alc_linux_image_renew(void *context, uint64_t image, size_t image_size, void *addr,
                                 size_t size)
{
    struct page_region regions[REGIONS_KEPT];
    unsigned count;
    uint64_t base = (uint64_t)(uintptr_t)addr;
    if (!find_written(context, addr, size, regions, &count)) {
        return madvise(addr, size, MADV_DONTNEED) == 0 ? ALC_OK : ALC_E_OUT_OF_MEMORY;
    }
    for (unsigned i = 0; i < count; i++) {
        write_over(image_size != 0 ? image_of(image) : NULL, addr, regions[i].start - base,
                   regions[i].end - base);
    }
    return ALC_OK;
}

void alc_linux_image_drop(void *context, uint64_t image)
{
    (void)context;
    close(image_of(image)->fd);
    munmap(image_of(image)->bytes, image_of(image)->size);
    free(image_of(image));
}
