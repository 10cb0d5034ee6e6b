/* SPDX-License-Identifier: Apache-2.0
 *
 * Word-wise copies to and from untrusted memory. The bulk goes by `rep movsq`, which moves aligned
 * 8-byte units; at most 7 bytes before and after it are gathered in a private word.
 */
#include "hostcall/outside.h"

#include "base/bytes.h"

enum { WORD_SIZE = 8 };

static bool is_aligned(const void *addr)
{
    return (uintptr_t)addr % WORD_SIZE == 0;
}

static void move_words(void *to, const void *from, size_t words_count)
{
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words_count) : : "memory");
}

void alc_outside_writer_init(struct alc_outside_writer *writer, uint8_t *outside_to)
{
    ALC_ASSERT(is_aligned(outside_to));
    *writer = (struct alc_outside_writer){.outside_next = outside_to};
}

static void store_word(struct alc_outside_writer *writer)
{
    alc_outside_store((volatile uint64_t *)(void *)writer->outside_next, writer->word);
    writer->outside_next += WORD_SIZE;
    writer->word = 0;
    writer->word_used = 0;
}

static void append_byte(struct alc_outside_writer *writer, uint8_t byte)
{
    writer->word |= (uint64_t)byte << (8 * writer->word_used);
    writer->word_used++;
    if (writer->word_used == WORD_SIZE) {
        store_word(writer);
    }
}

void alc_outside_append(struct alc_outside_writer *writer, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    while (size != 0 && writer->word_used != 0) {
        append_byte(writer, *from++);
        size--;
    }
    size_t words_count = size / WORD_SIZE;
    move_words(writer->outside_next, from, words_count);
    writer->outside_next += words_count * WORD_SIZE;
    from += words_count * WORD_SIZE;
    for (size -= words_count * WORD_SIZE; size != 0; size--) {
        append_byte(writer, *from++);
    }
}

void alc_outside_finish(struct alc_outside_writer *writer)
{
    if (writer->word_used != 0) {
        store_word(writer);
    }
}

void alc_outside_reader_init(struct alc_outside_reader *reader, const uint8_t *outside_from)
{
    ALC_ASSERT(is_aligned(outside_from));
    *reader = (struct alc_outside_reader){.outside_next = outside_from};
}

static uint8_t take_byte(struct alc_outside_reader *reader)
{
    if (reader->word_left == 0) {
        reader->word =
            alc_outside_load((const volatile uint64_t *)(const void *)reader->outside_next);
        reader->outside_next += WORD_SIZE;
        reader->word_left = WORD_SIZE;
    }
    uint8_t byte = (uint8_t)reader->word;
    reader->word >>= 8;
    reader->word_left--;
    return byte;
}

void alc_outside_take(struct alc_outside_reader *reader, void *to, size_t size)
{
    uint8_t *next = to;
    while (size != 0 && reader->word_left != 0) {
        *next++ = take_byte(reader);
        size--;
    }
    size_t words_count = size / WORD_SIZE;
    move_words(next, reader->outside_next, words_count);
    reader->outside_next += words_count * WORD_SIZE;
    next += words_count * WORD_SIZE;
    for (size -= words_count * WORD_SIZE; size != 0; size--) {
        *next++ = take_byte(reader);
    }
}

void alc_outside_write(uint8_t *outside_to, const void *bytes, size_t size)
{
    struct alc_outside_writer writer;
    alc_outside_writer_init(&writer, outside_to);
    alc_outside_append(&writer, bytes, size);
    alc_outside_finish(&writer);
}

void alc_outside_read(void *to, const uint8_t *outside_from, size_t size)
{
    struct alc_outside_reader reader;
    alc_outside_reader_init(&reader, outside_from);
    alc_outside_take(&reader, to, size);
}
