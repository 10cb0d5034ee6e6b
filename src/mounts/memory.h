/* SPDX-License-Identifier: Apache-2.0
 *
 * A disk in memory: an os table with one directory that can hold one file, for a sealed mount that
 * begins empty and is forgotten at the end. All other handles, clocks, random bytes and pages are
 * those of the table beneath.
 */
#ifndef ALC_MOUNTS_MEMORY_H
#define ALC_MOUNTS_MEMORY_H

#include "os/over.h"

enum { ALC_MEMORY_BLOCK_SIZE = 4096 };
enum { ALC_MEMORY_DIRECTORY = (7 << 28) - 2, ALC_MEMORY_FILE = (7 << 28) - 1 }; /* handles */

struct alc_memory_disk {
    struct alc_os_over over; /* first; over.os is the table */
    struct alc_os_operations operations;
    uint8_t *bytes;
    uint64_t size_max;  /* reserved; a multiple of 4096 */
    uint64_t committed; /* memory is behind these; zeros from `size` on */
    uint64_t size;
    bool exists;
};

/* Reserves `size_max` bytes of address space from `inner`, which is borrowed; memory is taken as
 * the file grows. ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_memory_disk_init(struct alc_memory_disk *disk,
                                               const struct alc_os *inner, uint64_t size_max);
/* Gives everything back. */
void alc_memory_disk_fini(struct alc_memory_disk *disk);

#endif
