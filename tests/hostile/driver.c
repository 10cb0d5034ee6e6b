/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside, its pieces and the checks of it; see driver.h.
 */
#include "hostile/driver.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hostcall/hostcall_host.h"

enum {
    GUARD_SIZE = 64,
    PIECE_MAX = 700,
    LARGE_PIECE = 300000,
    ITEMS_MAX = 40,
    NEAR_SIZE = 1 << 15,
    THOROUGH_EVERY = 64
};

static const struct alc_os_operations operations = {ALC_HOSTCALL_OPERATIONS};
static struct hostile_driver *current;

static void leave(void)
{
    current->leaves_count++;
    if (current->answer != NULL) {
        current->answer(current);
    } else {
        hostile_serve(current);
    }
}

static uint32_t thread_index(void)
{
    return 0;
}

static void give_up(void)
{
    current->gave_up_count++;
}

static void *take_pages(size_t size)
{
    void *addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (addr == MAP_FAILED) {
        abort();
    }
    return addr;
}

void hostile_init(struct hostile_driver *driver)
{
    *driver = (struct hostile_driver){.seed = 1};
    driver->region = take_pages(ALC_RING_REGION_SIZE);
    driver->inside = take_pages(HOSTILE_INSIDE_SIZE);
    driver->saved = take_pages(HOSTILE_INSIDE_SIZE);
    current = driver;
    hostile_restart(driver);
}

void hostile_fini(struct hostile_driver *driver)
{
    munmap(driver->region, ALC_RING_REGION_SIZE);
    munmap(driver->inside, HOSTILE_INSIDE_SIZE);
    munmap(driver->saved, HOSTILE_INSIDE_SIZE);
    current = NULL;
}

void hostile_restart(struct hostile_driver *driver)
{
    struct alc_hostcall_environment environment = {.leave = leave,
                                                   .thread_index = thread_index,
                                                   .give_up = give_up,
                                                   .inside_base = (uintptr_t)driver->inside,
                                                   .inside_size = HOSTILE_INSIDE_SIZE};
    memset(&driver->region->channels[0], 0, sizeof driver->region->channels[0]);
    alc_hostcall_region_init(driver->region);
    memset(driver->inside, HOSTILE_SECRET,
           driver->client == NULL ? HOSTILE_INSIDE_SIZE : sizeof *driver->client);
    driver->client = (struct alc_hostcall_client *)(void *)driver->inside;
    driver->inside_used = sizeof *driver->client;
    if (alc_hostcall_client_init(driver->client, &environment, (uintptr_t)driver->region,
                                 ALC_RING_REGION_SIZE) != ALC_OK) {
        abort();
    }
    driver->os = (struct alc_os){.operations = &operations, .context = driver->client};
    alc_os_fake_init(&driver->honest, NULL);
    alc_hostcall_server_init(&driver->server, driver->region, 0, &driver->honest.os);
}

void hostile_serve(struct hostile_driver *driver)
{
    (void)!alc_hostcall_serve(&driver->server);
}

/* -- numbers -- */

static uint64_t next_random(struct hostile_driver *driver)
{
    driver->seed ^= driver->seed << 13;
    driver->seed ^= driver->seed >> 7;
    driver->seed ^= driver->seed << 17;
    return driver->seed;
}

uint64_t hostile_number(struct hostile_driver *driver)
{
    uint64_t number = 0;
    if (driver->data_size != 0) {
        size_t size = driver->data_size < sizeof number ? driver->data_size : sizeof number;
        memcpy(&number, driver->data, size);
        driver->data += size;
        driver->data_size -= size;
        return number;
    }
    number = next_random(driver);
    /* Small, medium and any numbers alike. */
    return (number >> 62) == 0 ? number & 7 : (number >> 62) == 1 ? number & 0xffff : number;
}

size_t hostile_count(struct hostile_driver *driver)
{
    return (size_t)(hostile_number(driver) % ITEMS_MAX);
}

/* -- pieces of the inside -- */

static uint8_t *take(struct hostile_driver *driver, size_t size, size_t alignment, uint8_t **saved)
{
    size_t start = driver->inside_used + GUARD_SIZE;
    start += (alignment - start % alignment) % alignment;
    if (start + size + GUARD_SIZE > HOSTILE_INSIDE_SIZE ||
        driver->pieces_count == HOSTILE_PIECES_MAX) {
        abort();
    }
    driver->piece_starts[driver->pieces_count++] = start;
    driver->inside_used = start + size;
    *saved = driver->saved + driver->saved_used;
    driver->saved_used += size;
    return driver->inside + start;
}

/* What a piece going out holds: anything but the secret. */
static void fill_public(struct hostile_driver *driver, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(next_random(driver) & 0x7f);
    }
}

static size_t piece_size(struct hostile_driver *driver)
{
    uint64_t number = hostile_number(driver);
    return number % 61 == 0 ? LARGE_PIECE + number % 100 : (size_t)(number % PIECE_MAX);
}

struct hostile_buffer hostile_buffer(struct hostile_driver *driver, bool is_out)
{
    struct hostile_buffer buffer = {.count = piece_size(driver)};
    buffer.bytes = take(driver, buffer.count, 1, &buffer.saved);
    if (!is_out) {
        fill_public(driver, buffer.bytes, buffer.count);
    }
    memcpy(buffer.saved, buffer.bytes, buffer.count);
    return buffer;
}

struct hostile_spans hostile_spans(struct hostile_driver *driver, bool is_out)
{
    struct hostile_spans spans = {.count =
                                      (size_t)(hostile_number(driver) % (HOSTILE_SPANS_MAX + 1))};
    for (size_t i = 0; i < spans.count; i++) {
        struct hostile_buffer buffer = hostile_buffer(driver, is_out);
        spans.spans[i] = (struct alc_span){.bytes = buffer.bytes, .size = buffer.count};
        spans.saved[i] = buffer.saved;
    }
    return spans;
}

struct hostile_items hostile_items(struct hostile_driver *driver, size_t count, size_t item_size)
{
    struct hostile_items items = {.count = count, .item_size = item_size};
    items.bytes = take(driver, count * item_size, 8, &items.saved);
    fill_public(driver, items.bytes, count * item_size);
    memcpy(items.saved, items.bytes, count * item_size);
    return items;
}

/* -- checks -- */

void hostile_check_at(struct hostile_driver *driver, bool holds, const char *place)
{
    if (!holds && driver->failed_check == NULL) {
        driver->failed_check = place;
    }
}

void hostile_check_buffer(struct hostile_driver *driver, const struct hostile_buffer *buffer,
                          int64_t promised, bool may_wipe)
{
    size_t changed = promised > 0 ? (size_t)promised : 0;
    hostile_check(driver, promised <= (int64_t)buffer->count);
    if (promised <= (int64_t)buffer->count && !(may_wipe && promised == -ALC_OS_IO)) {
        hostile_check(driver, memcmp(buffer->bytes + changed, buffer->saved + changed,
                                     buffer->count - changed) == 0);
    }
}

void hostile_check_spans(struct hostile_driver *driver, const struct hostile_spans *spans,
                         bool is_out, int64_t result)
{
    uint64_t left = is_out && result > 0 ? (uint64_t)result : 0;
    uint64_t total = 0;
    for (size_t i = 0; i < spans->count; i++) {
        size_t size = spans->spans[i].size;
        size_t changed = left < size ? (size_t)left : size;
        hostile_check(driver, memcmp(spans->spans[i].bytes + changed, spans->saved[i] + changed,
                                     size - changed) == 0);
        left -= changed;
        total += size;
    }
    hostile_check(driver, result < 0 || (uint64_t)result <= total);
}

/* Whether the secret stands in [from, from + size). */
static bool holds_secret(const uint8_t *from, size_t size)
{
    uint8_t secret[HOSTILE_SECRET_RUN];
    memset(secret, HOSTILE_SECRET, sizeof secret);
    return memmem(from, size, secret, sizeof secret) != NULL;
}

static bool is_all_secret(const uint8_t *from, size_t size)
{
    return size == 0 || (from[0] == HOSTILE_SECRET && memcmp(from, from + 1, size - 1) == 0);
}

int64_t hostile_drive(struct hostile_driver *driver, size_t index)
{
    size_t mark = driver->inside_used;
    driver->saved_used = 0;
    driver->pieces_count = 0;
    int64_t result = hostile_rows[index].drive(&driver->os, driver);
    /* Behind the pieces, and in front of each. */
    size_t behind = HOSTILE_INSIDE_SIZE - driver->inside_used;
    bool is_thorough = ++driver->drives_count % THOROUGH_EVERY == 0;
    hostile_check(driver, is_all_secret(driver->inside + driver->inside_used,
                                        is_thorough || behind < NEAR_SIZE ? behind : NEAR_SIZE));
    for (size_t i = 0; i < driver->pieces_count; i++) {
        hostile_check(driver, is_all_secret(driver->inside + driver->piece_starts[i] - GUARD_SIZE,
                                            GUARD_SIZE));
    }
    hostile_check(driver, !holds_secret((const uint8_t *)&driver->region->channels[0],
                                        sizeof driver->region->channels[0]));
    memset(driver->inside + mark, HOSTILE_SECRET, driver->inside_used - mark);
    driver->inside_used = mark;
    return result;
}
