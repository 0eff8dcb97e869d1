/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables as rows independent of the database that holds them: copied, and summed up for comparison. */
#include <stdlib.h>

#include "base/mem.h"
#include "crypto/crypto.h"
#include "store/tables/sql.h"

struct copying {
    const struct store_table *table;
    struct store_sql *to;
    struct table_sum *sum;
};

/* Chains the hash of the rows so far with this row. */
static void add_row(struct table_sum *sum, const struct store_table *t, const void *record)
{
    struct arena arena = ARENA_INIT(0);
    struct buf b = BUF_INIT(0);

    buf_add(&b, sum->hash, sizeof(sum->hash));
    for (size_t i = 0; i < t->count; i++) {
        const struct member *c = &t->columns[i];
        const char *why = NULL, *text = column_text(c, (const char *)record + c->at, &arena, &why);
        size_t len = !text ? 0 : c->type == MEMBER_KEY ? KEY_LEN : strlen(text);
        buf_addf(&b, "%c%zu:", text ? 't' : 'n', len);
        buf_add(&b, text ? text : "", len);
    }
    crypto_sha256(b.data, b.len, sum->hash);
    sum->rows++;
    buf_release(&b);
    arena_release(&arena);
}

static int take(struct copying *c, const void *record, struct err *e)
{
    add_row(c->sum, c->table, record);
    return c->to ? c->to->calls->put(c->to, c->table, record, e) : 0;
}

static int copy_record(struct store_sql *db, void *arg, struct err *e)
{
    struct copying *c = arg;
    struct record *r = record_new((enum record_kind)(c->table - store_tables));
    int code = db->calls->read(db, c->table, r, e);

    if (code == 0)
        code = take(c, r, e);
    record_unref(r);
    return code;
}

static int copy_live(struct store_sql *db, void *arg, struct err *e)
{
    struct live_row row = {.live = {.net_info = mem_strdup(""), .source = mem_strdup("")}};
    struct copying *c = arg;
    int code = db->calls->read(db, c->table, &row, e);

    if (code == 0)
        code = take(c, &row, e);
    node_live_release(&row.live);
    return code;
}

static int copy_counter(struct store_sql *db, void *arg, struct err *e)
{
    struct counter_row row = {.name = mem_strdup("")};
    struct copying *c = arg;
    int code = db->calls->read(db, c->table, &row, e);

    if (code == 0 && !str_eq(row.name, "run"))
        code = take(c, &row, e);
    free(row.name);
    return code;
}

int sql_copy_table(struct store_sql *from, const struct store_table *t, struct store_sql *to, struct table_sum *out,
                   struct err *e)
{
    struct copying c = {.table = t, .to = to, .sum = out};
    struct buf order = BUF_INIT(0);
    store_row *row = t == &store_tables[TABLE_NODE_LIVE] ? copy_live
                     : t == &store_tables[TABLE_COUNTER] ? copy_counter
                                                         : copy_record;

    *out = (struct table_sum){0};
    for (size_t i = 0; i < t->key_count; i++)
        buf_addf(&order, "%s\"%s\"", i ? "," : "", t->columns[i].name);
    char *sql = sql_select(from, t, " ORDER BY %s", buf_text(&order));
    int code = from->calls->run(from, sql, row, &c, e);
    free(sql);
    buf_release(&order);
    if (code == 0 && to)
        code = to->calls->put_end(to, e);
    return code;
}
