/* SPDX-License-Identifier: Apache-2.0
 *
 * What a crash may leave, and what has to come out of it. The disk's record is replayed up to any
 * event; what was written after the last sync before it arrives whole, torn, in part or not at all.
 * The mount that is opened on it has to be in a state that the program had, not before the last one
 * that it knew to be durable.
 */
#ifndef ALC_TESTS_SEAL_CRASH_H
#define ALC_TESTS_SEAL_CRASH_H

#include "base/bytes.h"
#include "seal_disk.h"

enum { SECTOR = 512, MOMENTS_MAX = 20000 };

/* The program between two operations. */
struct moment {
    size_t events_count; /* that the disk had seen */
    bool is_durable;     /* the program was told that everything is */
    uint64_t digest;
};

struct history {
    struct disk *disk;
    uint64_t (*digest)(struct mount *mount);
    struct disk base;   /* what is certainly there: everything before the last sync considered */
    size_t base_events; /* that made it */
    struct moment *moments;
    size_t moments_count;
    uint64_t points_count; /* crashes tried */
};

/* -- the state of a mount as one number -- */

/* Not for adversaries: states of a test are told apart. */
static void mix(uint64_t *hash, const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    *hash = (*hash ^ size) * UINT64_C(0x9e3779b97f4a7c15);
    for (; at + 8 <= size; at += 8) {
        *hash = (*hash ^ alc_load_u64(bytes + at)) * UINT64_C(0x9e3779b97f4a7c15);
        *hash ^= *hash >> 29;
    }
    for (; at < size; at++) {
        *hash = (*hash ^ bytes[at]) * UINT64_C(0x100000001b3);
    }
}

static void digest_file(struct mount *mount, uint64_t *hash, const char *path)
{
    static uint8_t bytes[1 << 16];
    int64_t handle = open_file(mount, path, ALC_OS_OPEN_READ);
    assert_true(handle >= 0);
    uint64_t at = 0;
    while (true) {
        int64_t count = read_at(mount, handle, bytes, sizeof bytes, at);
        assert_true(count >= 0);
        if (count == 0) {
            break;
        }
        mix(hash, bytes, (size_t)count);
        at += (uint64_t)count;
    }
    assert_int_equal(close_file(mount, handle), 0);
}

static void digest_directory(struct mount *mount, uint64_t *hash, const char *path)
{
    static uint8_t buf[4][1 << 16];
    static int depth;
    uint8_t *entries = buf[depth];
    assert_true(depth < 4);
    int64_t handle = open_file(mount, path, ALC_OS_OPEN_READ | ALC_OS_OPEN_DIRECTORY);
    assert_true(handle >= 0);
    int64_t size = CALL(mount, read_directory, (int32_t)handle, 0, entries, sizeof buf[0]);
    assert_true(size >= 0);
    assert_int_equal(close_file(mount, handle), 0);
    for (int64_t at = 0; at < size;) {
        struct alc_os_directory_entry entry;
        char inner[512];
        memcpy(&entry, entries + at, sizeof entry);
        snprintf(inner, sizeof inner, "%s/%.*s", path, (int)entry.name_size,
                 (const char *)entries + at + sizeof entry);
        at += (int64_t)sizeof entry + entry.name_size;
        if (entry.next <= 2) {
            continue;
        }
        mix(hash, (const uint8_t *)inner, strlen(inner));
        if (entry.type == ALC_OS_TYPE_DIRECTORY) {
            depth++;
            digest_directory(mount, hash, inner);
            depth--;
        } else {
            digest_file(mount, hash, inner);
        }
    }
}

static inline uint64_t digest_mount(struct mount *mount)
{
    uint64_t hash = 1;
    digest_directory(mount, &hash, ".");
    return hash;
}

/* -- recording -- */

static inline void history_begin(struct history *history, struct disk *disk)
{
    *history = (struct history){.disk = disk, .digest = digest_mount};
    history->moments = calloc(MOMENTS_MAX, sizeof *history->moments);
    assert_non_null(history->moments);
    disk_init(&history->base);
    if (disk->size != 0) {
        disk_set(&history->base, disk->bytes, disk->size);
    }
    disk_forget_events(disk);
    disk->is_recording = true;
}

static inline void history_end(struct history *history)
{
    history->disk->is_recording = false;
    disk_fini(&history->base);
    free(history->moments);
}

static inline struct moment *history_moment(struct history *history, bool is_durable)
{
    assert_true(history->moments_count < MOMENTS_MAX);
    struct moment *moment = &history->moments[history->moments_count++];
    moment->events_count = history->disk->events_count;
    moment->is_durable = is_durable;
    return moment;
}

static inline void history_note(struct history *history, struct mount *mount, bool is_durable)
{
    history_moment(history, is_durable)->digest = history->digest(mount);
}

/* -- crashing -- */

enum crash_kind { CRASH_PREFIX, CRASH_TORN, CRASH_SECTORS, CRASH_BLOCKS, CRASH_KINDS };

/* Writes those pieces of an event that arrived. */
static void apply_pieces(struct disk *disk, const struct disk_event *event, size_t piece)
{
    for (size_t at = 0; at < event->size; at += piece) {
        size_t left = event->size - at;
        if (disk_random() % 2 == 0) {
            disk_write(disk, event->offset + at, event->bytes + at, left < piece ? left : piece);
        }
    }
}

static void apply(struct disk *disk, const struct disk_event *event, size_t size)
{
    if (event->kind == DISK_SIZE) {
        disk_resize(disk, (size_t)event->offset);
    } else if (event->kind == DISK_WRITE && size != 0) {
        disk_write(disk, event->offset, event->bytes, size);
    }
}

/* The disk after a crash before event `count`, which MUST NOT be less than in the call before. */
static inline void crash(struct history *history, size_t count, enum crash_kind kind,
                         struct disk *out)
{
    const struct disk_event *events = history->disk->events;
    for (size_t i = history->base_events; i < count; i++) {
        if (events[i].kind == DISK_SYNC) {
            for (; history->base_events <= i; history->base_events++) {
                apply(&history->base, &events[history->base_events],
                      events[history->base_events].size);
            }
        }
    }
    out->size = 0;
    out->exists = history->base.exists || count != 0;
    if (history->base.size != 0) {
        disk_set(out, history->base.bytes, history->base.size);
    }
    for (size_t i = history->base_events; i < count; i++) {
        const struct disk_event *event = &events[i];
        bool is_write = event->kind == DISK_WRITE;
        if (is_write && (kind == CRASH_SECTORS || kind == CRASH_BLOCKS)) {
            apply_pieces(out, event, kind == CRASH_SECTORS ? SECTOR : ALC_SEAL_BLOCK_SIZE);
        } else if (is_write && kind == CRASH_TORN && i + 1 == count) {
            apply(out, event, (size_t)(disk_random() % (event->size / SECTOR)) * SECTOR);
        } else {
            apply(out, event, event->size);
        }
    }
}

/* The moments that may be found after a crash before event `count`: *out_first to *out_last. */
static void find_allowed(const struct history *history, size_t count, size_t *out_first,
                         size_t *out_last)
{
    *out_first = 0;
    *out_last = history->moments_count - 1;
    for (size_t i = 0; i < history->moments_count; i++) {
        const struct moment *moment = &history->moments[i];
        if (moment->events_count <= count && moment->is_durable) {
            *out_first = i;
        }
        if (moment->events_count >= count) {
            *out_last = i;
            break;
        }
    }
}

static bool is_allowed(const struct history *history, size_t count, uint64_t digest)
{
    size_t first;
    size_t last;
    find_allowed(history, count, &first, &last);
    for (size_t i = first; i <= last; i++) {
        if (history->moments[i].digest == digest) {
            return true;
        }
    }
    return false;
}

/* Opens what a crash left; the mount is open afterwards. */
static inline void check_recovery(struct history *history, size_t count, struct mount *mount)
{
    assert_int_equal(mount_open(mount), ALC_OK);
    assert_false(alc_seal_is_damaged(mount->seal));
    assert_int_equal(mount->damages_count, 0);
    assert_true(is_allowed(history, count, history->digest(mount)));
    history->points_count++;
}

/* A mount that was recovered works, and what it writes stays. */
static inline void check_use(struct mount *mount)
{
    static uint8_t bytes[20000];
    put_file(mount, "after the crash", bytes, sizeof bytes);
    uint64_t digest = digest_mount(mount);
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    assert_int_equal(mount_open(mount), ALC_OK);
    assert_int_equal(digest_mount(mount), digest);
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
}

#endif
