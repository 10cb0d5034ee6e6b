/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters in SQLite. One process has the database, and a commit is on the disk before it is
 * answered for: a witness that forgets is worse than none.
 */
#include <sqlite3.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "witness_server/server.h"

struct alc_witness_database {
    sqlite3 *sqlite;
    sqlite3_stmt *find;
    sqlite3_stmt *insert;
    sqlite3_stmt *update;
    sqlite3_stmt *count;
};

static const char setup[] =
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    "PRAGMA trusted_schema = OFF;"
    "CREATE TABLE IF NOT EXISTS counters (owner BLOB PRIMARY KEY, generation INTEGER NOT NULL,"
    "  digest BLOB NOT NULL) WITHOUT ROWID;"
    "BEGIN IMMEDIATE; COMMIT;";

static alc_status refuse(struct alc_witness_database *database, struct alc_error *error)
{
    alc_status status = alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                                      database->sqlite == NULL ? "out of memory"
                                                               : sqlite3_errmsg(database->sqlite));
    alc_witness_database_close(database);
    return status;
}

static bool prepare(struct alc_witness_database *database)
{
    const struct {
        const char *text;
        sqlite3_stmt **statement;
    } statements[] = {
        {"SELECT generation, digest FROM counters WHERE owner = ?1", &database->find},
        {"INSERT INTO counters VALUES (?1, ?2, ?3)", &database->insert},
        {"UPDATE counters SET generation = ?2, digest = ?3 WHERE owner = ?1 AND generation = ?4"
         " AND digest = ?5 AND generation < ?2",
         &database->update},
        {"SELECT count(*) FROM counters", &database->count},
    };
    bool is_good = true;
    for (size_t i = 0; is_good && i < ALC_ARRAY_COUNT(statements); i++) {
        is_good =
            sqlite3_prepare_v3(database->sqlite, statements[i].text, -1, SQLITE_PREPARE_PERSISTENT,
                               statements[i].statement, NULL) == SQLITE_OK;
    }
    return is_good;
}

alc_status alc_witness_database_open(const char *path, struct alc_witness_database **out,
                                     struct alc_error *error)
{
    struct alc_witness_database *database = calloc(1, sizeof *database);
    *out = NULL;
    if (database == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    if (sqlite3_open_v2(path, &database->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                        NULL) != SQLITE_OK ||
        sqlite3_exec(database->sqlite, setup, NULL, NULL, NULL) != SQLITE_OK ||
        !prepare(database)) {
        return refuse(database, error);
    }
    *out = database;
    return ALC_OK;
}

void alc_witness_database_close(struct alc_witness_database *database)
{
    sqlite3_finalize(database->find);
    sqlite3_finalize(database->insert);
    sqlite3_finalize(database->update);
    sqlite3_finalize(database->count);
    sqlite3_close(database->sqlite);
    free(database);
}

/* -- the store -- */

static alc_status end(sqlite3_stmt *statement, alc_status status)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status;
}

static bool bind_blob(sqlite3_stmt *statement, int place, const uint8_t *bytes, int size)
{
    return sqlite3_bind_blob(statement, place, bytes, size, SQLITE_TRANSIENT) == SQLITE_OK;
}

/* Generations have 63 bits here. */
static bool bind_mark(sqlite3_stmt *statement, int place, const struct alc_seal_mark *mark)
{
    return mark->generation <= INT64_MAX &&
           sqlite3_bind_int64(statement, place, (int64_t)mark->generation) == SQLITE_OK &&
           bind_blob(statement, place + 1, mark->digest, sizeof mark->digest);
}

static alc_status read_row(sqlite3_stmt *find, struct alc_seal_mark *out)
{
    const uint8_t *digest = sqlite3_column_blob(find, 1);
    int64_t generation = sqlite3_column_int64(find, 0);
    if (generation <= 0 || digest == NULL ||
        sqlite3_column_bytes(find, 1) != (int)sizeof out->digest) {
        return ALC_E_IO_FAILED;
    }
    out->generation = (uint64_t)generation;
    alc_copy(out->digest, digest, sizeof out->digest);
    return ALC_OK;
}

static alc_status database_read(void *context, const uint8_t counter[ALC_WITNESS_KEY_SIZE],
                                struct alc_seal_mark *out)
{
    const struct alc_witness_database *database = context;
    *out = (struct alc_seal_mark){.generation = 0};
    if (!bind_blob(database->find, 1, counter, ALC_WITNESS_KEY_SIZE)) {
        return end(database->find, ALC_E_OUT_OF_MEMORY);
    }
    int result = sqlite3_step(database->find);
    alc_status status = result == SQLITE_DONE  ? ALC_OK
                        : result == SQLITE_ROW ? read_row(database->find, out)
                                               : ALC_E_IO_FAILED;
    return end(database->find, status);
}

static bool is_full(const struct alc_witness_database *database)
{
    bool has_room = sqlite3_step(database->count) == SQLITE_ROW &&
                    sqlite3_column_int64(database->count, 0) < ALC_LIMIT_WITNESS_COUNTERS;
    (void)!end(database->count, ALC_OK);
    return !has_room;
}

static alc_status database_advance(void *context, const uint8_t counter[ALC_WITNESS_KEY_SIZE],
                                   const struct alc_seal_mark *from, const struct alc_seal_mark *to)
{
    const struct alc_witness_database *database = context;
    bool is_new = from->generation == 0;
    sqlite3_stmt *statement = is_new ? database->insert : database->update;
    if (is_new && is_full(database)) {
        return ALC_E_OUT_OF_MEMORY;
    }
    if (!bind_blob(statement, 1, counter, ALC_WITNESS_KEY_SIZE) || !bind_mark(statement, 2, to) ||
        (!is_new && !bind_mark(statement, 4, from))) {
        return end(statement, ALC_E_IO_FAILED);
    }
    int result = sqlite3_step(statement);
    alc_status status = result == SQLITE_CONSTRAINT              ? ALC_E_POLICY_REFUSED
                        : result != SQLITE_DONE                  ? ALC_E_IO_FAILED
                        : sqlite3_changes(database->sqlite) == 1 ? ALC_OK
                                                                 : ALC_E_POLICY_REFUSED;
    return end(statement, status);
}

struct alc_witness_store alc_witness_database_store(struct alc_witness_database *database)
{
    return (struct alc_witness_store){
        .read = database_read, .advance = database_advance, .context = database};
}
