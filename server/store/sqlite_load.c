/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads everything at start, in one read transaction, and checks that it fits together. What cannot be read stops the
 * start with the row's name; soft state that cannot be read is only forgotten. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "store/private.h"

static struct record *make(enum record_kind kind)
{
    switch (kind) {
    case RECORD_USER:
        return &user_new()->r;
    case RECORD_PREAUTH_KEY:
        return &preauth_key_new()->r;
    case RECORD_API_KEY:
        return &api_key_new()->r;
    case RECORD_NODE:
        return &node_new()->r;
    case RECORD_EVENT:
        return &event_new()->r;
    case RECORD_POLICY:
        return &policy_text_new()->r;
    case RECORD_PRIMARY:
        return &primary_new()->r;
    }
    return NULL;
}

/* Fills one array of the image: records is the address of its "struct T **" member. */
static int load_table(sqlite3 *db, enum record_kind kind, const char *order, void *records, size_t *count,
                      struct err *e)
{
    const struct table *t = &store_tables[kind];
    VEC(struct record *) list = {0};
    struct buf sql = BUF_INIT(0);
    sqlite3_stmt *stmt = NULL;
    int code, rc = SQLITE_DONE;

    table_sql(t, TABLE_SELECT, &sql);
    buf_addf(&sql, " ORDER BY %s", order);
    code = sql_prepare(db, buf_text(&sql), &stmt, e);
    while (code == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        vec_push(&list, make(kind));
        code = table_read(t, stmt, list.items[list.len - 1], e);
    }
    if (code == 0 && rc != SQLITE_DONE)
        code = sql_error(db, "read", e);
    sqlite3_finalize(stmt);
    buf_release(&sql);
    memcpy(records, &list.items, sizeof(list.items));
    *count = list.len;
    return code;
}

static struct node_live *live_of(struct store_image *image, uint64_t id)
{
    size_t low = 0, high = image->node_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (image->nodes[middle]->r.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < image->node_count && image->nodes[low]->r.id == id ? &image->lives[low] : NULL;
}

static int load_lives(sqlite3 *db, struct store_image *image, struct err *e)
{
    sqlite3_stmt *stmt = NULL;
    int code =
        sql_prepare(db, "SELECT id,last_seen_ns,home_derp,endpoints,net_info FROM node_live ORDER BY id", &stmt, e);
    int rc = SQLITE_DONE;
    struct err why;

    image->lives = mem_alloc((image->node_count + 1) * sizeof(*image->lives));
    for (size_t i = 0; i < image->node_count; i++)
        image->lives[i] = (struct node_live){.healthy = true, .net_info = mem_strdup(""), .source = mem_strdup("")};
    while (code == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct node_live *live = live_of(image, (uint64_t)sqlite3_column_int64(stmt, 0));
        const char *info = (const char *)sqlite3_column_text(stmt, 4);

        if (!live)
            continue;
        live->last_seen_ns = sqlite3_column_int64(stmt, 1);
        live->home_derp = (uint32_t)sqlite3_column_int64(stmt, 2);
        if (str_utf8(info, strlen(info)))
            mem_replace(&live->net_info, info);
        if (endpoints_parse((const char *)sqlite3_column_text(stmt, 3), live, &why) < 0)
            log_warn("store", "node %lld: %s; they are forgotten", (long long)sqlite3_column_int64(stmt, 0),
                     why.message);
    }
    if (code == 0 && rc != SQLITE_DONE)
        code = sql_error(db, "read", e);
    sqlite3_finalize(stmt);
    return code;
}

static int load_policy(sqlite3 *db, struct store_image *image, struct err *e)
{
    struct policy_text **list = NULL;
    size_t count = 0;
    int code = load_table(db, RECORD_POLICY, "id DESC LIMIT 1", &list, &count, e);

    if (count > 0)
        image->policy = list[0];
    free(list);
    return code;
}

int store_read_counters(sqlite3 *db, uint64_t next_id[STORE_KINDS], struct err *e)
{
    int code = 0;

    for (size_t i = 0; i < STORE_KINDS && code == 0; i++) {
        const char *table = store_tables[i].name;
        int64_t counted = 1, used = 0;
        char *sql = mem_format("SELECT value FROM counter WHERE name='next.%s'", table);

        code = sql_number(db, sql, 1, &counted, e);
        free(sql);
        if (code < 0 || i == RECORD_PRIMARY)
            continue;
        sql = mem_format("SELECT max(%s) FROM %s", i == RECORD_EVENT ? "seq" : "id", table);
        code = sql_number(db, sql, 0, &used, e);
        free(sql);
        next_id[i] = (uint64_t)(counted > used ? counted : used + 1);
    }
    return code;
}

/* ---- what must fit together ---- */

static bool has_id(const void *records, size_t count, uint64_t id)
{
    struct record *const *list = records;
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (list[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && list[low]->id == id;
}

static int check_node(struct store_image *image, struct node *n, struct err *e)
{
    unsigned long long id = n->r.id;

    if (n->user_id != 0 && !has_id(image->users, image->user_count, n->user_id))
        return err_field(e, ERR_IO, "user_id", "table node, row %llu (%.63s): its user %llu does not exist", id,
                         n->given_name, (unsigned long long)n->user_id);
    if (n->user_id == 0 && n->tags.len == 0)
        log_error("store", "table node, row %llu (%s): it has neither a user nor tags, so nothing applies to it", id,
                  n->given_name);
    if (n->preauth_key_id != 0 && !has_id(image->preauth_keys, image->preauth_key_count, n->preauth_key_id))
        n->preauth_key_id = 0;
    return 0;
}

static int check_image(struct store_image *image, struct err *e)
{
    size_t kept = 0;
    int code = 0;

    for (size_t i = 0; i < image->preauth_key_count; i++) {
        const struct preauth_key *k = image->preauth_keys[i];
        if (k->user_id != 0 && !has_id(image->users, image->user_count, k->user_id))
            return err_field(e, ERR_IO, "user_id", "table preauth_key, row %llu: its user %llu does not exist",
                             (unsigned long long)k->r.id, (unsigned long long)k->user_id);
    }
    for (size_t i = 0; i < image->node_count && code == 0; i++)
        code = check_node(image, image->nodes[i], e);
    for (size_t i = 0; i < image->primary_count; i++) {
        struct primary *p = image->primaries[i];
        char text[PREFIX_TEXT_MAX];
        if (has_id(image->nodes, image->node_count, p->r.id)) {
            image->primaries[kept++] = p;
            continue;
        }
        log_warn("store", "the router of %s, node %llu, does not exist: the prefix is elected anew",
                 prefix_format(&p->prefix, text), (unsigned long long)p->r.id);
        record_unref(p);
    }
    image->primary_count = kept;
    return code;
}

static int by_node(const void *a, const void *b)
{
    const struct primary *x = *(struct primary *const *)a, *y = *(struct primary *const *)b;

    return x->r.id != y->r.id ? (x->r.id < y->r.id ? -1 : 1) : prefix_cmp(&x->prefix, &y->prefix);
}

static int load_all(sqlite3 *db, struct store_image *out, struct err *e)
{
    int code;

    if ((code = load_table(db, RECORD_USER, "id", &out->users, &out->user_count, e)) < 0 ||
        (code = load_table(db, RECORD_PREAUTH_KEY, "id", &out->preauth_keys, &out->preauth_key_count, e)) < 0 ||
        (code = load_table(db, RECORD_API_KEY, "id", &out->api_keys, &out->api_key_count, e)) < 0 ||
        (code = load_table(db, RECORD_NODE, "id", &out->nodes, &out->node_count, e)) < 0 ||
        (code = load_table(db, RECORD_PRIMARY, "prefix", &out->primaries, &out->primary_count, e)) < 0 ||
        (code = load_policy(db, out, e)) < 0 || (code = load_lives(db, out, e)) < 0)
        return code;
    if (out->primary_count > 1)
        qsort(out->primaries, out->primary_count, sizeof(struct primary *), by_node);
    return store_read_counters(db, out->next_id, e);
}

int store_load(struct store *s, struct store_image *out, struct err *e)
{
    int code;

    *out = (struct store_image){.run = s->run};
    pthread_mutex_lock(s->reader_lock);
    code = sql_exec(s->reader, "BEGIN", e);
    if (code == 0) {
        code = load_all(s->reader, out, e);
        sqlite3_exec(s->reader, "COMMIT", NULL, NULL, NULL);
    }
    pthread_mutex_unlock(s->reader_lock);
    if (code == 0)
        code = check_image(out, e);
    if (code < 0) {
        err_prefix(e, "%s", s->path);
        store_image_release(out);
    }
    return code;
}

static void release_records(void *records, size_t count)
{
    struct record **list = records;

    for (size_t i = 0; i < count; i++)
        record_unref(list[i]);
    free(list);
}

void store_image_release(struct store_image *image)
{
    if (image->lives)
        for (size_t i = 0; i < image->node_count; i++)
            node_live_release(&image->lives[i]);
    free(image->lives);
    release_records(image->users, image->user_count);
    release_records(image->preauth_keys, image->preauth_key_count);
    release_records(image->api_keys, image->api_key_count);
    release_records(image->nodes, image->node_count);
    release_records(image->primaries, image->primary_count);
    record_unref(image->policy);
    *image = (struct store_image){0};
}
