/* SPDX-License-Identifier: BSD-3-Clause */
/* Every text that was the policy, and how many of them stay: the newest, and those that looking back may need. */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/vec.h"
#include "store/sqlite.h"

#define POLICIES_KEPT 500
#define POLICIES_STEP 20 /* removed in one transaction; a text may have 4 MiB */

int sqlite_prepare_policies(struct sqlite_engine *s, struct err *e)
{
    struct buf whole = BUF_INIT(0);
    int code;

    table_statement(&store_tables[RECORD_POLICY], &sqlite_dialect, STATEMENT_SELECT, &whole);
    char *one = mem_format("%s WHERE version=?1 ORDER BY id DESC LIMIT 1", buf_text(&whole));
    const struct {
        sqlite3_stmt **stmt;
        const char *sql;
    } all[] = {
        {&s->policy_one, one},
        /* In the order of the table's columns, without the text. */
        {&s->policy_list,
         "SELECT id,version,'' AS text,updated_ns,author,note FROM policy WHERE version<?1 ORDER BY version "
         "DESC LIMIT ?2"},
    };
    code = 0;
    for (size_t i = 0; i < ARRAY_LEN(all) && code == 0; i++)
        code = sqlite_prepare(s->reader, all[i].sql, all[i].stmt, e);
    buf_release(&whole);
    free(one);
    return code;
}

static int read_rows(sqlite3_stmt *stmt, struct policy_text ***out, size_t *count, struct err *e)
{
    VEC(struct policy_text *) list = {0};
    int code = 0, rc = SQLITE_DONE;

    while (code == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        vec_push(&list, policy_text_new());
        code = sqlite_read(&store_tables[RECORD_POLICY], stmt, list.items[list.len - 1], e);
    }
    if (code == 0 && rc != SQLITE_DONE)
        code = sqlite_error(sqlite3_db_handle(stmt), "read", e);
    sqlite3_reset(stmt);
    *out = list.items;
    *count = list.len;
    return code;
}

int sqlite_policies(struct engine *engine, uint64_t version, uint64_t before, size_t limit, struct policy_text ***out,
                    size_t *count, struct err *e)
{
    struct sqlite_engine *s = (struct sqlite_engine *)engine;
    sqlite3_stmt *stmt = version ? s->policy_one : s->policy_list;
    uint64_t number = version ? version : before;
    int code;

    pthread_mutex_lock(s->reader_lock);
    sqlite3_bind_int64(stmt, 1, number < INT64_MAX ? (int64_t)number : INT64_MAX);
    if (!version)
        sqlite3_bind_int64(stmt, 2, (int64_t)limit);
    code = read_rows(stmt, out, count, e);
    pthread_mutex_unlock(s->reader_lock);
    return code;
}

int sqlite_prune_policies(struct sqlite_engine *s, bool *more, struct err *e)
{
    char sql[400];

    snprintf(sql, sizeof(sql),
             "DELETE FROM policy WHERE id IN (SELECT id FROM policy AS p WHERE id<=(SELECT id FROM policy ORDER BY id "
             "DESC LIMIT 1 OFFSET %d) AND NOT EXISTS (SELECT 1 FROM history AS h WHERE h.kind=%d AND h.\"key\"='' AND "
             "h.image=CAST(p.id AS TEXT)) ORDER BY id LIMIT %d)",
             POLICIES_KEPT, HISTORY_POLICY, POLICIES_STEP);
    int code = sqlite_execute(s->writer, sql, e);
    *more |= code == 0 && sqlite3_changes(s->writer) == POLICIES_STEP;
    return code;
}
