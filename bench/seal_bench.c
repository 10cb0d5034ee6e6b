/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealed storage against the plain mount that it stands on: the same operations through the same os
 * table, in one directory of the host. Prints throughput, their ratio, and what the disk holds.
 *
 *   seal_bench DIRECTORY [MEBIBYTES] [TRANSACTIONS]
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "os_linux/os_linux.h"
#include "seal/seal.h"
#include "sqlite_vfs.h"

enum { HANDLE = ALC_OS_FIRST_MOUNT, CHUNK = 1 << 16, PAGE = 4096 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void check(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "seal_bench: %s failed\n", what);
        exit(1);
    }
}

#define OS(name, ...) (os->operations->name(os->context, __VA_ARGS__))

static int32_t open_file(const struct alc_os *os, const char *name, uint32_t flags)
{
    int64_t handle = OS(open_at, HANDLE, (const uint8_t *)name, strlen(name), flags);
    check(handle >= 0, "open");
    return (int32_t)handle;
}

/* Each gives operations or bytes in a second. */

static double write_in_order(const struct alc_os *os, size_t size)
{
    static uint8_t bytes[CHUNK];
    double start = now();
    int32_t handle = open_file(os, "large", ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE);
    for (size_t at = 0; at < size;) {
        memset(bytes, (int)(at >> 16), 64);
        const struct alc_span span = {bytes, size - at < CHUNK ? size - at : CHUNK};
        int64_t count = OS(write, handle, &span, 1);
        check(count > 0, "write");
        at += (size_t)count;
    }
    check(OS(sync, handle, 0) == 0, "sync");
    check(OS(close, handle) == 0, "close");
    return (double)size / (now() - start);
}

static double read_in_order(const struct alc_os *os, size_t size)
{
    static uint8_t bytes[CHUNK];
    double start = now();
    int32_t handle = open_file(os, "large", ALC_OS_OPEN_READ);
    for (size_t at = 0; at < size;) {
        const struct alc_span span = {bytes, CHUNK};
        int64_t count = OS(read, handle, &span, 1);
        check(count > 0, "read");
        at += (size_t)count;
    }
    check(OS(close, handle) == 0, "close");
    return (double)size / (now() - start);
}

static double read_at_random(const struct alc_os *os, size_t size)
{
    enum { COUNT = 200000 };
    static uint8_t bytes[PAGE];
    uint64_t state = 88172645463325252u;
    double start = 0;
    int32_t handle = open_file(os, "large", ALC_OS_OPEN_READ);
    for (int i = -COUNT / 4; i < COUNT; i++) { /* the first ones make the cache warm */
        if (i == 0) {
            start = now();
        }
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        const struct alc_span span = {bytes, PAGE};
        check(OS(read_at, handle, &span, 1, state % (size / PAGE) * PAGE) == PAGE, "read_at");
    }
    double elapsed = now() - start;
    check(OS(close, handle) == 0, "close");
    return COUNT / elapsed;
}

static double insert(const struct alc_os *os, unsigned transactions, const char *journal)
{
    char sql[256];
    sqlite3 *database;
    sqlite_vfs_use(os, HANDLE);
    check(sqlite3_open("bench.db", &database) == SQLITE_OK, "sqlite3_open");
    snprintf(sql, sizeof sql,
             "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = %s; PRAGMA synchronous = FULL;"
             "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT);"
             "CREATE INDEX IF NOT EXISTS i ON t (a);",
             journal);
    check(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK, "schema");
    double start = now();
    for (unsigned i = 0; i < transactions; i++) {
        check(sqlite3_exec(database, "BEGIN", NULL, NULL, NULL) == SQLITE_OK, "begin");
        for (unsigned row = 0; row < 10; row++) {
            snprintf(sql, sizeof sql, "INSERT INTO t (a, b) VALUES (%u, 'row %u of a table')",
                     (i * 10 + row) * 2654435761u, i);
            check(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK, "insert");
        }
        check(sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) == SQLITE_OK, "commit");
    }
    double elapsed = now() - start;
    check(sqlite3_close(database) == SQLITE_OK, "sqlite3_close");
    return transactions / elapsed;
}

struct figures {
    double write, read, random, journal, log;
};

static struct figures measure(const struct alc_os *os, size_t size, unsigned transactions)
{
    struct figures figures;
    figures.write = write_in_order(os, size);
    figures.read = read_in_order(os, size);
    size_t warm = size < 6 << 20 ? size : 6 << 20;
    figures.random = read_at_random(os, warm);
    figures.journal = insert(os, transactions, "DELETE");
    check(OS(unlink_at, HANDLE, (const uint8_t *)"bench.db", 8) == 0, "unlink");
    figures.log = insert(os, transactions, "WAL");
    return figures;
}

static alc_status get_key(void *context, const uint8_t key_id[ALC_SEAL_KEY_ID_SIZE],
                          uint8_t key[ALC_SEAL_KEY_SIZE])
{
    (void)context, (void)key_id;
    memset(key, 1, ALC_SEAL_KEY_SIZE);
    return ALC_OK;
}

static const struct alc_os *host_of(const char *base, const char *name)
{
    char path[512];
    struct alc_os_linux *system;
    snprintf(path, sizeof path, "%s/%s", base, name);
    check(mkdir(path, 0700) == 0, "mkdir");
    check(alc_os_linux_new(NULL, &system) == ALC_OK, "alc_os_linux_new");
    check(alc_os_linux_grant_directory(system, HANDLE, path, 0) == HANDLE, "grant");
    return alc_os_linux_get_os(system);
}

static void print_row(const char *what, double plain, double sealed, double unit, const char *name)
{
    printf("%-32s %10.0f %10.0f %-8s %5.1f %%\n", what, plain / unit, sealed / unit, name,
           100 * sealed / plain);
}

int main(int argc, char **argv)
{
    static struct alc_seal_os table;
    struct alc_seal *seal;
    struct alc_arena arena;
    struct alc_error error = {0};
    size_t size = (argc > 2 ? strtoul(argv[2], NULL, 10) : 256) << 20;
    unsigned transactions = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 500;
    check(argc > 1, "a directory is needed: opening it");
    const struct alc_os *plain = host_of(argv[1], "plain");
    const struct alc_os *host = host_of(argv[1], "sealed");
    const struct alc_seal_options options = {
        .host = host, .directory = HANDLE, .flags = ALC_SEAL_CREATE, .key = {.get = get_key}};
    size_t memory_size = alc_seal_memory_size(&options);
    void *memory = malloc(memory_size);
    check(memory != NULL, "malloc");
    alc_arena_init(&arena, memory, memory_size);
    check(alc_seal_open(&arena, &options, &seal, &error) == ALC_OK, "alc_seal_open");
    alc_seal_os_init(&table, host);
    check(alc_seal_os_add(&table, HANDLE, seal) == ALC_OK, "alc_seal_os_add");

    struct figures figures[2];
    figures[0] = measure(plain, size, transactions);
    figures[1] = measure(&table.over.os, size, transactions);
    check(alc_seal_close(seal) == ALC_OK, "alc_seal_close");
    printf("%-32s %10s %10s\n", "", "plain", "sealed");
    print_row("written in order, synced", figures[0].write, figures[1].write, 1 << 20, "MiB/s");
    print_row("read in order", figures[0].read, figures[1].read, 1 << 20, "MiB/s");
    print_row("4 KiB read at random, warm", figures[0].random, figures[1].random, 1, "/s");
    print_row("SQLite commits, rollback journal", figures[0].journal, figures[1].journal, 1, "/s");
    print_row("SQLite commits, log", figures[0].log, figures[1].log, 1, "/s");
    char path[512];
    struct stat info[2];
    snprintf(path, sizeof path, "%s/sealed/alcove.seal", argv[1]);
    check(stat(path, &info[0]) == 0, "stat");
    snprintf(path, sizeof path, "%s/plain/bench.db", argv[1]);
    check(stat(path, &info[1]) == 0, "stat");
    double content = (double)size + (double)info[1].st_size;
    printf("%-32s %10.0f %10.0f %-8s %5.2f %% more\n", "on disk", content / 1024,
           (double)info[0].st_size / 1024, "KiB", 100 * ((double)info[0].st_size / content - 1));
    return 0;
}
