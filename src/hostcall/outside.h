/* SPDX-License-Identifier: Apache-2.0
 *
 * The only way in which code inside an enclave touches untrusted memory. Aligned 8-byte units,
 * always: a narrower store can leak stale data of the fill buffers into the untrusted line (MMIO
 * stale data, CVE-2022-21166), a narrower or unaligned load can return stale data of others
 * (CVE-2022-21233). The addresses MUST have been checked when the region was registered; what is
 * read is untrusted.
 */
#ifndef ALC_HOSTCALL_OUTSIDE_H
#define ALC_HOSTCALL_OUTSIDE_H

#include "base/compiler.h"

/* Reads each word exactly once. */
static inline uint64_t alc_outside_load(const volatile uint64_t *outside_word)
{
    return *outside_word;
}

static inline void alc_outside_store(volatile uint64_t *outside_word, uint64_t value)
{
    *outside_word = value;
}

/* Later loads and stores are not done, even speculatively, before earlier checks are decided. */
static inline void alc_speculation_barrier(void)
{
    __asm__ volatile("lfence" : : : "memory");
}

/* Appends bytes to untrusted memory; whole words leave, the last one is filled up with zeros. */
struct alc_outside_writer {
    uint8_t *outside_next; /* aligned to 8 */
    uint64_t word;         /* bytes that do not fill a word yet */
    uint32_t word_used;    /* 0 to 7 */
};

/* `outside_to` MUST be aligned to 8 and have room for all bytes, rounded up to a multiple of 8. */
void alc_outside_writer_init(struct alc_outside_writer *writer, uint8_t *outside_to);
void alc_outside_append(struct alc_outside_writer *writer, const void *bytes, size_t size);
/* Writes what is left of the last word. */
void alc_outside_finish(struct alc_outside_writer *writer);

/* Takes bytes from untrusted memory; every word is read once. */
struct alc_outside_reader {
    const uint8_t *outside_next; /* aligned to 8 */
    uint64_t word;               /* bytes of the last word that are not taken yet */
    uint32_t word_left;          /* 0 to 7 */
};

/* `outside_from` MUST be aligned to 8; whole words are read, the last one past the bytes asked for.
 */
void alc_outside_reader_init(struct alc_outside_reader *reader, const uint8_t *outside_from);
void alc_outside_take(struct alc_outside_reader *reader, void *to, size_t size);

/* The same for one piece. */
void alc_outside_write(uint8_t *outside_to, const void *bytes, size_t size);
void alc_outside_read(void *to, const uint8_t *outside_from, size_t size);

#endif
