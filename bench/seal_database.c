/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite with its database in /data, for bench/seal.py: 500 transactions of ten rows with a
 * rollback journal and full syncs, 200,000 rows in one transaction, and 20,000 rows searched at
 * random among the first 30,000 with hardly a cache of SQLite's own, so that each asks for pages of
 * 4 KiB. Prints, after each, the seconds of processor time that its host process as a whole took.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <wasi/api.h>

#include "sqlite3.h"

enum { TRANSACTIONS = 500, ROWS = 10, MANY_ROWS = 200000, SEARCHES = 20000, WARM_ROWS = 30000 };

static double now(void)
{
    __wasi_timestamp_t time = 0;
    bool is_good = __wasi_clock_time_get(__WASI_CLOCKID_PROCESS_CPUTIME_ID, 1, &time) == 0;
    return is_good ? (double)time * 1e-9 : 0;
}

static void say(double seconds)
{
    printf("%.4f\n", seconds);
    fflush(stdout);
}

static void check(sqlite3 *database, bool is_good)
{
    if (!is_good) {
        fprintf(stderr, "seal_database: %s\n", sqlite3_errmsg(database));
        exit(1);
    }
}

static void run(sqlite3 *database, const char *text)
{
    check(database, sqlite3_exec(database, text, NULL, NULL, NULL) == SQLITE_OK);
}

static void insert(sqlite3 *database, int first, int count)
{
    sqlite3_stmt *statement;
    const char *text = "INSERT INTO t VALUES (?1, ?1 * 2654435761 % 1000003, "
                       "printf('row %d of a table, and some more text for it', ?1))";
    check(database, sqlite3_prepare_v2(database, text, -1, &statement, NULL) == SQLITE_OK);
    run(database, "BEGIN");
    for (int i = first; i < first + count; i++) {
        sqlite3_bind_int(statement, 1, i);
        check(database, sqlite3_step(statement) == SQLITE_DONE);
        sqlite3_reset(statement);
    }
    run(database, "COMMIT");
    sqlite3_finalize(statement);
}

static void search(sqlite3 *database)
{
    sqlite3_stmt *statement;
    unsigned random = 1;
    run(database, "PRAGMA cache_size = 10");
    check(database, sqlite3_prepare_v2(database, "SELECT b FROM t WHERE id = ?1", -1, &statement,
                                       NULL) == SQLITE_OK);
    for (int i = 0; i < SEARCHES; i++) {
        random = random * 1664525 + 1013904223;
        sqlite3_bind_int(statement, 1, (int)((random >> 8) % WARM_ROWS));
        check(database, sqlite3_step(statement) == SQLITE_ROW);
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
}

int main(void)
{
    sqlite3 *database;
    check(NULL, sqlite3_open("/data/database", &database) == SQLITE_OK);
    run(database, "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;"
                  "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT);"
                  "CREATE INDEX i ON t (a)");
    double start = now();
    for (int i = 0; i < TRANSACTIONS; i++) {
        insert(database, i * ROWS, ROWS);
    }
    say(now() - start);
    start = now();
    insert(database, TRANSACTIONS * ROWS, MANY_ROWS);
    say(now() - start);
    start = now();
    search(database);
    say(now() - start);
    return sqlite3_close(database) == SQLITE_OK ? 0 : 1;
}
