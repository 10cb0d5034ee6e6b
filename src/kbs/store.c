/* SPDX-License-Identifier: Apache-2.0
 *
 * The SQLite file: resources, the broker's own values, the audit log. One connection with prepared
 * statements under one lock; a write-ahead log, so that a row costs no waiting for the disk: after
 * a power cut the newest rows may be missing, never half of one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/bytes.h"
#include "kbs/kbs_internal.h"

enum statement {
    GET_RESOURCE,
    PUT_RESOURCE,
    DELETE_RESOURCE,
    LIST_RESOURCES,
    GET_SETTING,
    PUT_SETTING,
    ADD_AUDIT,
    STATEMENTS,
};

struct alc_kbs_store {
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENTS];
    pthread_mutex_t lock;
};

static const char schema[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = NORMAL;"
    "PRAGMA secure_delete = ON;"
    "CREATE TABLE IF NOT EXISTS resources (path TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT "
    "ROWID;"
    "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT "
    "ROWID;"
    "CREATE TABLE IF NOT EXISTS audit (id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"
    " peer TEXT NOT NULL, action TEXT NOT NULL, resource TEXT NOT NULL, subject TEXT NOT NULL,"
    " allowed INTEGER NOT NULL, reason TEXT NOT NULL);";

static const char *const texts[STATEMENTS] = {
    [GET_RESOURCE] = "SELECT value FROM resources WHERE path = ?1",
    [PUT_RESOURCE] = "INSERT OR REPLACE INTO resources (path, value) VALUES (?1, ?2)",
    [DELETE_RESOURCE] = "DELETE FROM resources WHERE path = ?1",
    [LIST_RESOURCES] =
        "SELECT path, length(value) FROM resources WHERE path > ?1 ORDER BY path LIMIT ?2",
    [GET_SETTING] = "SELECT value FROM settings WHERE name = ?1",
    [PUT_SETTING] = "INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)",
    [ADD_AUDIT] = ("INSERT INTO audit (time, peer, action, resource, subject, allowed, reason)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
};

/* The file holds secrets: its owner's alone, from the first moment on. */
static alc_status make_file(const char *path, struct alc_error *error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET, strerror(errno));
    }
    close(fd);
    return ALC_OK;
}

static alc_status open_database(const char *path, struct alc_kbs_store *store,
                                struct alc_error *error)
{
    if (strcmp(path, ":memory:") != 0) {
        ALC_TRY(make_file(path, error));
    }
    int result =
        sqlite3_open_v2(path, &store->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (result == SQLITE_OK) {
        sqlite3_busy_timeout(store->database, 5000);
        result = sqlite3_exec(store->database, schema, NULL, NULL, NULL);
    }
    for (int i = 0; i < STATEMENTS && result == SQLITE_OK; i++) {
        result = sqlite3_prepare_v3(store->database, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &store->statements[i], NULL);
    }
    return result == SQLITE_OK ? ALC_OK
                               : alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                                               sqlite3_errmsg(store->database));
}

alc_status alc_kbs_store_open(const char *path, struct alc_kbs_store **out, struct alc_error *error)
{
    if (alc_kbs_store_memory() != ALC_OK) {
        return alc_fail_with(error, ALC_E_INTERNAL, ALC_NO_OFFSET, "SQLite was used before");
    }
    struct alc_kbs_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    pthread_mutex_init(&store->lock, NULL);
    alc_status status = open_database(path, store, error);
    if (status != ALC_OK) {
        alc_kbs_store_close(store);
        return status;
    }
    *out = store;
    return ALC_OK;
}

void alc_kbs_store_close(struct alc_kbs_store *store)
{
    if (store == NULL) {
        return;
    }
    for (int i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(store->statements[i]);
    }
    sqlite3_close(store->database);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

/* -- values -- */

static const char *column(sqlite3_stmt *statement, int index)
{
    const unsigned char *text = sqlite3_column_text(statement, index);
    return text != NULL ? (const char *)text : "";
}

static alc_status copy_value(sqlite3_stmt *statement, uint8_t **out, size_t *out_size)
{
    const void *bytes = sqlite3_column_blob(statement, 0);
    const size_t size = (size_t)sqlite3_column_bytes(statement, 0);
    *out = malloc(size + 1);
    if (*out == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    if (size != 0) {
        alc_copy(*out, bytes, size);
    }
    (*out)[size] = '\0';
    *out_size = size;
    return ALC_OK;
}

static alc_status get(struct alc_kbs_store *store, enum statement which, const char *name,
                      uint8_t **out, size_t *out_size)
{
    sqlite3_stmt *statement = store->statements[which];
    pthread_mutex_lock(&store->lock);
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    const int result = sqlite3_step(statement);
    alc_status status = result == SQLITE_ROW    ? copy_value(statement, out, out_size)
                        : result == SQLITE_DONE ? ALC_E_NOT_FOUND
                                                : ALC_E_IO_FAILED;
    sqlite3_reset(statement);
    pthread_mutex_unlock(&store->lock);
    return status;
}

static alc_status put(struct alc_kbs_store *store, enum statement which, const char *name,
                      const void *bytes, size_t size)
{
    sqlite3_stmt *statement = store->statements[which];
    pthread_mutex_lock(&store->lock);
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(statement, 2, size != 0 ? bytes : "", size, SQLITE_STATIC);
    const int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    pthread_mutex_unlock(&store->lock);
    return result == SQLITE_DONE ? ALC_OK : ALC_E_IO_FAILED;
}

alc_status alc_kbs_store_get(struct alc_kbs_store *store, const char *resource, uint8_t **out,
                             size_t *out_size)
{
    return get(store, GET_RESOURCE, resource, out, out_size);
}

alc_status alc_kbs_store_put(struct alc_kbs_store *store, const char *resource, const void *bytes,
                             size_t size)
{
    return put(store, PUT_RESOURCE, resource, bytes, size);
}

alc_status alc_kbs_store_get_setting(struct alc_kbs_store *store, const char *name, uint8_t **out,
                                     size_t *out_size)
{
    return get(store, GET_SETTING, name, out, out_size);
}

alc_status alc_kbs_store_put_setting(struct alc_kbs_store *store, const char *name,
                                     const void *bytes, size_t size)
{
    return put(store, PUT_SETTING, name, bytes, size);
}

alc_status alc_kbs_store_delete(struct alc_kbs_store *store, const char *resource)
{
    sqlite3_stmt *statement = store->statements[DELETE_RESOURCE];
    pthread_mutex_lock(&store->lock);
    sqlite3_bind_text(statement, 1, resource, -1, SQLITE_STATIC);
    const int result = sqlite3_step(statement);
    const int count = sqlite3_changes(store->database);
    sqlite3_reset(statement);
    pthread_mutex_unlock(&store->lock);
    return result != SQLITE_DONE ? ALC_E_IO_FAILED : count == 0 ? ALC_E_NOT_FOUND : ALC_OK;
}

alc_status alc_kbs_store_list(struct alc_kbs_store *store, const char *after, unsigned max,
                              void (*visit)(void *context, const char *resource, uint64_t size),
                              void *context)
{
    sqlite3_stmt *statement = store->statements[LIST_RESOURCES];
    int result;
    pthread_mutex_lock(&store->lock);
    sqlite3_bind_text(statement, 1, after, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, max);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        visit(context, column(statement, 0), (uint64_t)sqlite3_column_int64(statement, 1));
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    pthread_mutex_unlock(&store->lock);
    return result == SQLITE_DONE ? ALC_OK : ALC_E_IO_FAILED;
}

/* -- the audit log -- */

alc_status alc_kbs_store_audit(struct alc_kbs_store *store, const struct alc_kbs_audit_row *row)
{
    sqlite3_stmt *statement = store->statements[ADD_AUDIT];
    pthread_mutex_lock(&store->lock);
    sqlite3_bind_int64(statement, 1, row->time_s);
    sqlite3_bind_text(statement, 2, row->peer, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, row->action, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, row->resource, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 5, row->subject, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 6, row->is_allowed);
    sqlite3_bind_text(statement, 7, row->reason, -1, SQLITE_STATIC);
    const int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    pthread_mutex_unlock(&store->lock);
    return result == SQLITE_DONE ? ALC_OK : ALC_E_IO_FAILED;
}

static int visit_rows(sqlite3_stmt *statement,
                      void (*visit)(void *context, const struct alc_kbs_audit_row *row),
                      void *context)
{
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        const struct alc_kbs_audit_row row = {
            .time_s = sqlite3_column_int64(statement, 0),
            .peer = column(statement, 1),
            .action = column(statement, 2),
            .resource = column(statement, 3),
            .subject = column(statement, 4),
            .is_allowed = sqlite3_column_int(statement, 5) != 0,
            .reason = column(statement, 6),
        };
        visit(context, &row);
    }
    return result;
}

alc_status alc_kbs_read_audit(const char *store_path,
                              void (*visit)(void *context, const struct alc_kbs_audit_row *row),
                              void *context, struct alc_error *error)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    if (alc_kbs_store_memory() != ALC_OK) {
        return alc_fail_with(error, ALC_E_INTERNAL, ALC_NO_OFFSET, "SQLite was used before");
    }
    int result = sqlite3_open_v2(store_path, &database, SQLITE_OPEN_READWRITE, NULL);
    if (result == SQLITE_OK) {
        result = sqlite3_prepare_v2(database,
                                    "SELECT time, peer, action, resource, subject, allowed, reason"
                                    " FROM audit ORDER BY id",
                                    -1, &statement, NULL);
    }
    if (result == SQLITE_OK) {
        result = visit_rows(statement, visit, context);
    }
    alc_status status = result == SQLITE_DONE ? ALC_OK
                                              : alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET,
                                                              sqlite3_errmsg(database));
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return status;
}
