/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite on a sealed mount whose disk loses its power at every write, with the rollback journal and
 * with the write-ahead log. After each crash the database is intact, and it has every transaction
 * that was committed and none in part.
 */
#include <sqlite3.h>

#include "sqlite_vfs.h"
#include "unit/seal/seal_crash.h"

enum { TRANSACTIONS = 150, ACCOUNTS = 40, TOTAL = ACCOUNTS * 1000 };

static void run(sqlite3 *database, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s: %s", sql, message);
    }
}

static sqlite3_int64 ask(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    sqlite3_int64 value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static sqlite3 *open_database(struct mount *mount, const char *journal)
{
    char sql[128];
    sqlite3 *database;
    sqlite_vfs_use(&mount->table.over.os, MOUNT);
    assert_int_equal(sqlite3_open("bank.db", &database), SQLITE_OK);
    snprintf(sql, sizeof sql,
             "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = %s;"
             "PRAGMA synchronous = EXTRA; PRAGMA cache_size = 20;",
             journal);
    run(database, sql);
    return database;
}

static const char *g_journal;

/* How many transactions the database has, after it was found intact. */
static uint64_t count_transactions(struct mount *mount)
{
    sqlite3 *database = open_database(mount, g_journal);
    sqlite3_int64 number = 0;
    if (ask(database, "SELECT count(*) FROM sqlite_master WHERE name = 'account'") != 0) {
        assert_int_equal(ask(database, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"),
                         1);
        number = 1 + ask(database, "SELECT count(*) FROM entry");
        assert_int_equal(ask(database, "SELECT sum(balance) FROM account"), TOTAL);
        assert_int_equal(ask(database, "SELECT coalesce(sum(size), 0) FROM entry"),
                         ask(database, "SELECT coalesce(sum(length(text)), 0) FROM entry"));
    }
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    return (uint64_t)number;
}

static void make_database(sqlite3 *database)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "BEGIN; CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER);"
             "CREATE TABLE entry (id INTEGER PRIMARY KEY, size INTEGER, text BLOB);"
             "CREATE INDEX by_size ON entry (size);"
             "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
             "INSERT INTO account SELECT i, 1000 FROM n; COMMIT;",
             ACCOUNTS);
    run(database, sql);
}

static void transact(sqlite3 *database)
{
    char sql[512];
    unsigned from = (unsigned)(disk_random() % ACCOUNTS) + 1;
    unsigned to = (unsigned)(disk_random() % ACCOUNTS) + 1;
    unsigned size = (unsigned)(disk_random() % (disk_random() % 10 == 0 ? 60000 : 2000));
    snprintf(sql, sizeof sql,
             "BEGIN; UPDATE account SET balance = balance - 7 WHERE id = %u;"
             "UPDATE account SET balance = balance + 7 WHERE id = %u;"
             "INSERT INTO entry (size, text) VALUES (%u, randomblob(%u)); COMMIT;",
             from, to, size, size);
    run(database, sql);
}

static uint64_t crash_everywhere(const char *journal)
{
    struct disk disk;
    struct disk image;
    struct mount mount;
    struct mount recovered;
    struct history history;
    g_journal = journal;
    disk_init(&disk);
    disk_init(&image);
    mount_init(&mount, &disk);
    mount_init(&recovered, &image);
    assert_int_equal(mount_open(&mount), ALC_OK);
    history_begin(&history, &disk);
    history.digest = count_transactions;
    history_moment(&history, true)->digest = 0;
    sqlite3 *database = open_database(&mount, journal);
    make_database(database);
    history_moment(&history, true)->digest = 1;
    for (unsigned i = 0; i < TRANSACTIONS; i++) {
        transact(database);
        history_moment(&history, true)->digest = 2 + i;
    }
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
    history_moment(&history, true)->digest = TRANSACTIONS + 1;
    for (size_t count = 0; count <= disk.events_count; count++) {
        for (enum crash_kind kind = 0; kind < CRASH_KINDS; kind++) {
            crash(&history, count, kind, &image);
            check_recovery(&history, count, &recovered);
        }
    }
    uint64_t points_count = history.points_count;
    print_message("%s: %llu crashes\n", journal, (unsigned long long)points_count);
    history_end(&history);
    assert_int_equal(alc_seal_close(mount.seal), ALC_OK);
    mount_fini(&mount);
    mount_fini(&recovered);
    disk_fini(&disk);
    disk_fini(&image);
    return points_count;
}

static void test_rollback_journal(void **state)
{
    (void)state;
    assert_true(crash_everywhere("DELETE") >= 3000);
}

static void test_write_ahead_log(void **state)
{
    (void)state;
    assert_true(crash_everywhere("WAL") >= 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rollback_journal),
        cmocka_unit_test(test_write_ahead_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
