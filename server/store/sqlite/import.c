/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes a whole database from records, in one transaction, and reads it back before anyone relies on it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/sqlite/sqlite.h"

#define ORIGIN "imported from "

static int put(sqlite3_stmt *stmt, const struct store_table *t, const void *record, uint64_t id, struct err *e)
{
    int code = sqlite_bind(t, stmt, record, false, e);

    if (code == 0)
        code = sqlite_run(stmt, "write", e);
    if (code < 0)
        err_prefix(e, "%s %llu", t->name, (unsigned long long)id);
    return code;
}

static int prepare_put(sqlite3 *db, const struct store_table *t, sqlite3_stmt **out, struct err *e)
{
    struct buf sql = BUF_INIT(0);

    table_statement(t, &sqlite_dialect, STATEMENT_PUT, &sql);
    int code = sqlite_prepare(db, buf_text(&sql), out, e);
    buf_release(&sql);
    return code;
}

static int put_kind(sqlite3 *db, const struct store_table *t, const struct store_image *image, struct err *e)
{
    struct record **items;
    sqlite3_stmt *stmt = NULL;
    size_t count;
    int code = prepare_put(db, t, &stmt, e);

    memcpy(&items, (const char *)image + t->items, sizeof(items));
    memcpy(&count, (const char *)image + t->length, sizeof(count));
    for (size_t i = 0; i < count && code == 0; i++)
        code = put(stmt, t, items[i], items[i]->id, e);
    sqlite3_finalize(stmt);
    return code;
}

static int put_lives(sqlite3 *db, const struct store_image *image, struct err *e)
{
    const struct store_table *t = &store_tables[TABLE_NODE_LIVE];
    sqlite3_stmt *stmt = NULL;
    int code = prepare_put(db, t, &stmt, e);

    for (size_t i = 0; i < image->node_count && code == 0; i++) {
        struct live_row row = {.id = image->nodes[i]->r.id, .live = image->lives[i]};
        code = put(stmt, t, &row, row.id, e);
    }
    sqlite3_finalize(stmt);
    return code;
}

static int put_event(sqlite3 *db, const struct event *event, struct err *e)
{
    sqlite3_stmt *stmt = NULL;
    int code = prepare_put(db, &store_tables[RECORD_EVENT], &stmt, e);

    if (code == 0)
        code = put(stmt, &store_tables[RECORD_EVENT], event, event->r.id, e);
    sqlite3_finalize(stmt);
    return code;
}

static int put_counters(sqlite3 *db, const struct store_image *image, const char *origin, int64_t now, struct err *e)
{
    sqlite3_stmt *stmt = NULL;
    int code = prepare_put(db, &store_tables[TABLE_COUNTER], &stmt, e);

    for (size_t i = 0; i <= RECORD_KINDS && code == 0; i++) {
        bool last = i == RECORD_KINDS;
        if (!last && image->next_id[i] == 0)
            continue;
        char *name = last ? mem_format(ORIGIN "%s", origin) : mem_format("next.%s", store_tables[i].name);
        sqlite3_bind_text(stmt, 1, name, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(stmt, 2, last ? now : (int64_t)image->next_id[i]);
        code = sqlite_run(stmt, "write", e);
        free(name);
    }
    sqlite3_finalize(stmt);
    return code;
}

static int put_all(sqlite3 *db, const struct store_image *image, const char *origin, const struct event *event,
                   struct err *e)
{
    int code = sqlite_execute(db, "BEGIN IMMEDIATE", e);

    for (size_t kind = 0; kind < RECORD_KINDS && code == 0; kind++)
        if (store_tables[kind].length)
            code = put_kind(db, &store_tables[kind], image, e);
    if (code == 0)
        code = put_lives(db, image, e);
    if (code == 0)
        code = put_event(db, event, e);
    if (code == 0)
        code = put_counters(db, image, origin, event->time_ns, e);
    return code == 0 ? sqlite_execute(db, "COMMIT", e) : code;
}

/* Reads it as the first start will. */
static int read_again(sqlite3 *db, struct err *e)
{
    struct sqlite_lent lent = sqlite_lend(db);
    struct store_image image = {0};
    int code = sql_load(&lent.sql, &image, e);

    if (code == 0)
        code = image_check(&image, e);
    store_image_release(&image);
    return code;
}

int store_import(const char *path, const struct store_image *image, const char *origin, const struct event *event,
                 struct err *e)
{
    bool memory = str_eq(path, ":memory:");
    sqlite3 *db = NULL;
    int fd = memory ? -1 : open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), code;

    if (!memory && fd < 0)
        return err_set(e, errno == EEXIST ? ERR_CONFLICT : ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    code = sqlite_connect(path, SQLITE_OPEN_READWRITE | (memory ? SQLITE_OPEN_MEMORY : 0), &db, e);
    if (code == 0)
        code = sqlite_upgrade(db, path, sqlite_schema, schema_newest(), e);
    if (code == 0)
        code = put_all(db, image, origin, event, e);
    if (code == 0)
        code = read_again(db, e);
    sqlite_disconnect(db);
    if (code == 0 && !memory && fsync(fd) < 0)
        code = err_set(e, ERR_UNAVAILABLE, "%s: cannot sync: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (code < 0 && !memory)
        unlink(path);
    return code;
}

bool store_imported(const char *path, char **origin, int64_t *when_ns)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    bool found = false;

    if (sqlite_connect(path, SQLITE_OPEN_READONLY, &db, NULL) == 0 &&
        sqlite_prepare(db, "SELECT substr(name,1+length(?1)),value FROM counter WHERE substr(name,1,length(?1))=?1",
                       &stmt, NULL) == 0) {
        sqlite3_bind_text(stmt, 1, ORIGIN, -1, SQLITE_STATIC);
        if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_text(stmt, 0)) {
            *origin = mem_strdup((const char *)sqlite3_column_text(stmt, 0));
            *when_ns = sqlite3_column_int64(stmt, 1);
            found = true;
        }
    }
    sqlite_disconnect(db);
    return found;
}
