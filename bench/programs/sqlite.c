/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite on a database in memory: rows are inserted in transactions, indexed, joined, grouped,
 * searched and deleted. No file system: it is given a layer that has no files.
 */
#include "harness.h"

#include "sqlite3.h"

#include <stdio.h>
#include <stdlib.h>

static int refuse_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs, (void)name, (void)flags, (void)out;
    file->pMethods = NULL;
    return SQLITE_CANTOPEN;
}

static int take_name(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    (void)vfs;
    snprintf(out, (size_t)size, "%s", name);
    return SQLITE_OK;
}

static int same_random(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    memset(out, 0x5a, (size_t)size);
    return size;
}

static int same_time(sqlite3_vfs *vfs, double *day)
{
    (void)vfs;
    *day = 2461000.5;
    return SQLITE_OK;
}

int sqlite3_os_init(void)
{
    static sqlite3_vfs vfs = {.iVersion = 1,
                              .szOsFile = sizeof(sqlite3_file),
                              .mxPathname = 64,
                              .zName = "none",
                              .xOpen = refuse_open,
                              .xFullPathname = take_name,
                              .xRandomness = same_random,
                              .xCurrentTime = same_time};
    return sqlite3_vfs_register(&vfs, 1);
}

int sqlite3_os_end(void)
{
    return SQLITE_OK;
}

static void run(sqlite3 *database, const char *text)
{
    char *message = NULL;
    if (sqlite3_exec(database, text, NULL, NULL, &message) != SQLITE_OK) {
        fprintf(stderr, "sqlite: %s\n", message);
        abort();
    }
}

static uint64_t ask(sqlite3 *database, const char *text)
{
    sqlite3_stmt *statement = NULL;
    uint64_t sum = 0;
    if (sqlite3_prepare_v2(database, text, -1, &statement, NULL) != SQLITE_OK) {
        fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(database));
        abort();
    }
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            sum = mix(sum, (uint64_t)sqlite3_column_int64(statement, i));
            sum = mix(sum, (uint64_t)sqlite3_column_bytes(statement, i));
        }
    }
    sqlite3_finalize(statement);
    return sum;
}

static void insert(sqlite3 *database, uint32_t count, uint32_t *state)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(database, "INSERT INTO item VALUES(?,?,?,?)", -1, &statement, NULL);
    run(database, "BEGIN");
    for (uint32_t i = 0; i < count; i++) {
        char name[32];
        uint32_t random = random_next(state);
        snprintf(name, sizeof(name), "item %u", random % 5000);
        sqlite3_bind_int(statement, 1, (int)i);
        sqlite3_bind_int(statement, 2, (int)(random >> 8 & 63));
        sqlite3_bind_text(statement, 3, name, -1, SQLITE_TRANSIENT);
        sqlite3_bind_double(statement, 4, (double)(random & 1023) / 8.0);
        sqlite3_step(statement);
        sqlite3_reset(statement);
    }
    run(database, "COMMIT");
    sqlite3_finalize(statement);
}

uint64_t sqlite(uint32_t rounds)
{
    uint64_t sum = 0;
    uint32_t state = 23;
    for (uint32_t round = 0; round < rounds; round++) {
        sqlite3 *database = NULL;
        if (sqlite3_open(":memory:", &database) != SQLITE_OK) {
            abort();
        }
        run(database, "CREATE TABLE kind(id INTEGER PRIMARY KEY, label TEXT);"
                      "CREATE TABLE item(id INTEGER PRIMARY KEY, kind INT, name TEXT, price REAL);"
                      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 63)"
                      " INSERT INTO kind SELECT i, 'kind ' || i FROM n;");
        insert(database, 1500, &state);
        run(database, "CREATE INDEX by_name ON item(name);"
                      "UPDATE item SET price = price * 1.25 WHERE kind % 3 = 1;"
                      "DELETE FROM item WHERE id % 7 = 3;");
        sum += ask(database, "SELECT label, count(*), CAST(sum(price) AS INT) FROM item JOIN kind"
                             " ON item.kind = kind.id GROUP BY label ORDER BY 2 DESC, 1");
        sum += ask(database, "SELECT id FROM item WHERE name BETWEEN 'item 2' AND 'item 4'"
                             " AND price > 40 ORDER BY name, id");
        sum += ask(database, "SELECT count(*) FROM item WHERE name LIKE '%77%' OR price < 3");
        sum += ask(database, "SELECT a.id, b.id FROM item a, item b WHERE a.name = b.name"
                             " AND a.id < b.id AND a.kind = 5");
        sqlite3_close(database);
    }
    return sum;
}
