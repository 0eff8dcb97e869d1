/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads everything at start, in one read transaction. Unreadable data stops the start, with the row's name; unreadable
 * soft state is merely dropped. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/tables/sql.h"

static char *select_all(struct store_sql *db, const struct store_table *t)
{
    struct buf order = BUF_INIT(0);

    if (t->order)
        buf_adds(&order, t->order);
    for (size_t i = 0; i < t->key_count && !t->order; i++)
        buf_addf(&order, "%s\"%s\"", i ? "," : "", t->columns[i].name);
    char *sql = sql_select(db, t, " ORDER BY %s", buf_text(&order));
    buf_release(&order);
    return sql;
}

struct loading {
    struct store_image *image;
    enum record_kind kind;
};

static int load_record(struct store_sql *db, void *arg, struct err *e)
{
    struct loading *l = arg;

    return db->calls->read(db, &store_tables[l->kind], image_add(l->image, l->kind), e);
}

static int load_live(struct store_sql *db, void *arg, struct err *e)
{
    struct live_row row = {.live = {.healthy = true, .net_info = mem_strdup(""), .source = mem_strdup("")}};
    struct store_image *image = arg;
    int64_t id = db->calls->number(db, 0);
    struct node_live *live = image_live(image, (uint64_t)id);
    struct err why;

    (void)e;
    if (live && db->calls->read(db, &store_tables[TABLE_NODE_LIVE], &row, &why) < 0)
        log_warn("store", "node %lld: %s; it is forgotten, and what stands after it", (long long)id, why.message);
    node_live_release(live ? live : &row.live);
    if (live)
        *live = row.live;
    return 0;
}

int sql_read_ids(struct store_sql *db, struct store_ids *out, struct err *e)
{
    int code = 0;

    for (size_t i = 0; i < RECORD_KINDS && code == 0; i++) {
        const struct store_table *t = &store_tables[i];
        int64_t counted = 1, used = 0;
        if (!table_is_numbered(t))
            continue;
        code = sql_number(db, 1, &counted, e, "SELECT value FROM counter WHERE name='next.%s'", t->name);
        /* numbers a record of this kind; journal entries have theirs beside the run */
        if (code == 0)
            code = sql_number(db, 0, &used, e, "SELECT coalesce(max(%s),0) FROM \"%s\"",
                              t->columns[t->key_count - 1].name, t->name);
        out->next[i] = (uint64_t)(counted > used ? counted : used + 1);
    }
    return code;
}

int sql_load(struct store_sql *db, struct store_image *image, struct err *e)
{
    struct store_ids ids = {0};
    int code = 0;

    for (size_t kind = 0; kind < RECORD_KINDS && code == 0; kind++) {
        struct loading l = {.image = image, .kind = (enum record_kind)kind};
        if (!store_tables[kind].length)
            continue;
        char *sql = select_all(db, &store_tables[kind]);
        code = db->calls->run(db, sql, load_record, &l, e);
        free(sql);
    }
    image_make_lives(image);
    if (code == 0) {
        char *sql = select_all(db, &store_tables[TABLE_NODE_LIVE]);
        code = db->calls->run(db, sql, load_live, image, e);
        free(sql);
    }
    if (code == 0)
        code = sql_read_ids(db, &ids, e);
    memcpy(image->next_id, ids.next, sizeof(ids.next));
    return code;
}
