/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests for a matrix or a list, and their answers. */
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "client/client.h"
#include "console/app/app.h"
#include "console/reach/reach.h"

#define ROWS_ASKED    200 /* of a matrix; more than anybody looks through */
#define COLUMNS_ASKED 60
#define LIST_ASKED    1000

static const struct {
    const char *from, *to;
} groupings[] = {
    {"groups,tags,users", "groups,tags,users,prefixes,exits"},
    {"tags", "tags,prefixes,exits"},
    {"groups", "groups,tags,prefixes,exits"},
    {"users", "users,tags,prefixes,exits"},
    {"nodes", "nodes,prefixes,exits"},
};

static void choice_release(struct reach_choice *c)
{
    free(c->from);
    free(c->to);
    free(c->from_in);
    free(c->to_in);
    *c = (struct reach_choice){0};
}

static struct reach_choice choice_of(const char *from, const char *to, const char *from_in, const char *to_in)
{
    return (struct reach_choice){mem_strdup(from), mem_strdup(to), mem_strdup(from_in), mem_strdup(to_in)};
}

static void forget_answer(struct reach_table *t)
{
    reach_rows_clear(&t->rows);
    for (size_t i = 0; i < t->columns.len; i++) {
        free(t->columns.items[i].kind);
        free(t->columns.items[i].name);
    }
    vec_release(&t->columns);
    free(t->trouble);
    t->trouble = NULL;
}

void reach_table_init(struct reach_table *t, enum reach_part part)
{
    *t = (struct reach_table){.part = part};
}

void reach_table_release(struct reach_table *t)
{
    forget_answer(t);
    choice_release(&t->asked);
    for (size_t i = 0; i < t->before.len; i++)
        choice_release(&t->before.items[i]);
    vec_release(&t->before);
}

struct reach_table *reach_table_shown(const struct app *app)
{
    return app->place.part == REACH_PATH || app->place.part >= REACH_TABLES ? NULL
                                                                            : &reach_of(app)->tables[app->place.part];
}

/* ---- asking ---- */

static void add_parameter(struct buf *path, const char *name, const char *value)
{
    if (!*value)
        return;
    buf_addf(path, "&%s=", name);
    client_escape(path, value);
}

static void send(struct app *app, struct reach_table *t, struct buf *path)
{
    struct app_request request = {.id = app->next_request++,
                                  .method = "GET",
                                  .path = buf_text(path),
                                  .body = "",
                                  .result = ROW_KINDS,
                                  .whole = true};

    t->call = request.id;
    app->net.send(app->net.context, &request);
    buf_release(path);
}

static void ask(struct app *app, struct reach_table *t)
{
    const struct reach_choice *q = &t->asked;
    struct buf path = BUF_INIT(0);

    if (!app->net.send)
        return;
    if (t->part == REACH_NEIGHBOURS) {
        buf_addf(&path, "/api/headway/reach/neighbours?limit=%d", LIST_ASKED);
        add_parameter(&path, "of", q->from);
        send(app, t, &path);
        return;
    }
    buf_addf(&path, "/api/headway/reach?rows=%d&columns=%d",
             t->part == REACH_TO       ? LIST_ASKED
             : t->part == REACH_MATRIX ? ROWS_ASKED
                                       : 1,
             t->part == REACH_FROM     ? LIST_ASKED
             : t->part == REACH_MATRIX ? COLUMNS_ASKED
                                       : 1);
    add_parameter(&path, "from", q->from);
    add_parameter(&path, "to", q->to);
    add_parameter(&path, "from_in", q->from_in);
    add_parameter(&path, "to_in", q->to_in);
    send(app, t, &path);
}

static bool same_choice(const struct reach_choice *a, const struct reach_choice *b)
{
    return a->from && str_eq(a->from, b->from) && str_eq(a->to, b->to) && str_eq(a->from_in, b->from_in) &&
           str_eq(a->to_in, b->to_in);
}

/* Takes ownership of the choice. */
static void choose(struct app *app, struct reach_table *t, struct reach_choice choice, bool again)
{
    if (same_choice(&t->asked, &choice) && !again) {
        choice_release(&choice);
        return;
    }
    choice_release(&t->asked);
    t->asked = choice;
    ask(app, t);
}

void reach_table_ask(struct app *app, enum reach_part part, bool again)
{
    const struct reach_path *p = &reach_of(app)->path;
    struct reach_table *t = &reach_of(app)->tables[part];

    if (part == REACH_MATRIX && t->asked.from && !again)
        return;
    if (part == REACH_MATRIX && t->asked.from)
        ask(app, t);
    else if (part == REACH_MATRIX)
        choose(app, t, choice_of(groupings[0].from, groupings[0].to, "", ""), again);
    else if (part == REACH_FROM && *p->src)
        choose(app, t, choice_of(p->src, "users,groups,tags,nodes,prefixes,exits", "", ""), again);
    else if (part == REACH_TO && *p->dst)
        choose(app, t, choice_of("users,groups,tags,nodes", p->dst, "", ""), again);
    else if (part == REACH_NEIGHBOURS && *p->src)
        choose(app, t, choice_of(p->src, "", "", ""), again);
}

void reach_table_group(struct app *app)
{
    struct reach_table *t = &reach_of(app)->tables[REACH_MATRIX];

    t->grouping = (t->grouping + 1) % ARRAY_LEN(groupings);
    while (t->before.len)
        choice_release(&t->before.items[--t->before.len]);
    choose(app, t, choice_of(groupings[t->grouping].from, groupings[t->grouping].to, "", ""), true);
}

/* ---- the cell under the cursor ---- */

static const struct reach_row *row_under_cursor(const struct app *app)
{
    return (const struct reach_row *)app_list(app)->cursor;
}

bool reach_table_cell(const struct app *app, const char **from, const char **to, const struct reach_answer **answer)
{
    const struct reach_table *t = reach_table_shown(app);
    const struct reach_row *row = row_under_cursor(app);
    size_t column = t && t->part == REACH_MATRIX ? t->column : 0;

    if (!t || !row || column >= row->answer_count || (t->part == REACH_MATRIX && column >= t->columns.len))
        return false;
    if (t->part == REACH_NEIGHBOURS) {
        /* The way there; if there is none, the way back. */
        bool there = row->answers[0].some || !row->answers[1].some;
        *from = there ? t->asked.from : row->text;
        *to = there ? row->text : t->asked.from;
        *answer = there && !row->answers[0].some ? NULL : &row->answers[there ? 0 : 1];
        return true;
    }
    *from = t->part == REACH_FROM ? t->asked.from : row->text;
    *to = t->part == REACH_FROM ? row->text : t->part == REACH_TO ? t->asked.to : t->columns.items[column].name;
    *answer = row->answers[column].some ? &row->answers[column] : NULL;
    return true;
}

bool reach_table_leads_out(const struct app *app)
{
    const struct reach_table *t = reach_table_shown(app);
    const struct reach_row *row = row_under_cursor(app);

    if (t->part == REACH_MATRIX)
        return t->column < t->columns.len && str_eq(t->columns.items[t->column].kind, "exit");
    return (t->part == REACH_FROM || t->part == REACH_NEIGHBOURS) && row && str_eq(row->kind, "exit");
}

void reach_table_column(struct reach_table *t, long columns)
{
    long to = (long)t->column + columns;

    t->column = to < 0 || !t->columns.len ? 0 : (size_t)to < t->columns.len ? (size_t)to : t->columns.len - 1;
}

/* An end of many nodes becomes its nodes; a network or an exit node stays as it is. */
static char *opened(const char *kind, const char *name, char **in)
{
    bool single = str_eq(kind, "node") || str_eq(kind, "prefix");

    *in = mem_strdup(single || str_eq(kind, "exit") ? "" : name);
    return mem_strdup(str_eq(kind, "exit") ? "exits" : single ? name : "nodes");
}

bool reach_table_members(struct app *app)
{
    struct reach_table *t = &reach_of(app)->tables[REACH_MATRIX];
    const struct reach_row *row = row_under_cursor(app);

    if (!row || t->column >= t->columns.len)
        return false;
    const struct reach_column *column = &t->columns.items[t->column];
    bool row_is_one = str_eq(row->kind, "node");
    bool column_is_one = str_eq(column->kind, "node") || str_eq(column->kind, "prefix") || str_eq(column->kind, "exit");
    if (row_is_one && column_is_one)
        return false;
    struct reach_choice choice;
    choice.from = opened(row->kind, row->text, &choice.from_in);
    choice.to = opened(column->kind, column->name, &choice.to_in);
    vec_push(&t->before, choice_of(t->asked.from, t->asked.to, t->asked.from_in, t->asked.to_in));
    choose(app, t, choice, true);
    return true;
}

bool reach_table_back(struct app *app)
{
    struct reach_table *t = reach_table_shown(app);

    if (!t || !t->before.len)
        return false;
    choose(app, t, t->before.items[--t->before.len], true);
    return true;
}

/* ---- the answer ---- */

static char *joined(const struct strs *texts)
{
    struct buf b = BUF_INIT(0);

    for (size_t i = 0; i < texts->len; i++)
        buf_addf(&b, "%s%s", i ? ", " : "", texts->items[i]);
    return buf_take(&b);
}

static char *copy_or_null(const char *text)
{
    return text && *text ? mem_strdup(text) : NULL;
}

static void take_answer(struct reach_answer *a, const struct api_reach_cell *cell)
{
    if (a->some) /* a duplicate cell */
        return;
    *a = (struct reach_answer){.some = true,
                               .all = cell->all,
                               .line = cell->line <= UINT32_MAX ? (unsigned)cell->line : 0,
                               .what = joined(&cell->what),
                               .from = copy_or_null(cell->from),
                               .to = copy_or_null(cell->router && *cell->router ? cell->router : cell->to)};
}

static void add_rows(struct reach_table *t, const struct api_list *ends, size_t answers)
{
    for (size_t i = 0; i < ends->len; i++) {
        const struct api_reach_end *end = api_at(ends, struct api_reach_end, i);
        struct reach_row *row = reach_rows_add(&t->rows);

        row->kind = mem_strdup(end->kind);
        row->text = mem_strdup(end->name);
        row->nodes = end->nodes;
        row->online = end->online;
        row->answers = mem_alloc((answers + 1) * sizeof(*row->answers));
        row->answer_count = answers;
    }
}

static void take_reach(struct reach_table *t, const struct api_reach *r)
{
    bool matrix = t->part == REACH_MATRIX, across = t->part == REACH_FROM;

    add_rows(t, across ? &r->columns : &r->rows, matrix ? r->columns.len : 1);
    for (size_t i = 0; matrix && i < r->columns.len; i++) {
        const struct api_reach_end *end = api_at(&r->columns, struct api_reach_end, i);
        vec_push(&t->columns, ((struct reach_column){mem_strdup(end->kind), mem_strdup(end->name)}));
    }
    for (size_t i = 0; i < r->cells.len; i++) {
        const struct api_reach_cell *cell = api_at(&r->cells, struct api_reach_cell, i);
        uint64_t row = across ? cell->column : cell->row, column = matrix ? cell->column : 0;

        if (row < t->rows.items.len && column < t->rows.items.items[row]->answer_count)
            take_answer(&t->rows.items.items[row]->answers[column], cell);
    }
    t->rows_total = across ? r->columns_total : r->rows_total;
    t->columns_total = r->columns_total;
    t->incomplete = r->incomplete;
}

/* Moves the cursor back to the same end, if it still exists. */
static void keep_cursor(struct app *app, struct reach_table *t, const char *name)
{
    struct list *l = view_list(app, &reach_view, (int)t->part);

    l->forced = true;
    for (size_t i = 0; i < t->rows.items.len && name; i++)
        if (str_eq(t->rows.items.items[i]->text, name)) {
            l->cursor = &t->rows.items.items[i]->row;
            l->index = i;
            return;
        }
    l->index = l->top = 0;
}

void reach_table_reply(struct app *app, struct reach_table *t, const struct reply *reply)
{
    struct list *l = view_list(app, &reach_view, (int)t->part);
    char *name = l->cursor ? mem_strdup(((const struct reach_row *)l->cursor)->text) : NULL;
    struct api_neighbours near;
    struct api_reach r;

    t->call = 0;
    t->at_ns = app->at.now_ns;
    /* The list refers to rows by address. */
    l->order.len = 0;
    l->cursor = l->anchor = NULL;
    forget_answer(t);
    if (reply->status < 200 || reply->status >= 300) {
        t->trouble = mem_strdup(reply->e.message);
    } else if (t->part == REACH_NEIGHBOURS) {
        if (api_read(&api_neighbours_shape, reply->json, &near, API_FOR_TERMINAL, NULL) < 0) {
            t->trouble = mem_strdup("the server's answer cannot be read");
        } else {
            reach_neighbours_take(t, &near);
            api_release(&api_neighbours_shape, &near);
        }
    } else if (api_read(&api_reach_shape, reply->json, &r, API_FOR_TERMINAL, NULL) < 0) {
        t->trouble = mem_strdup("the server's answer cannot be read");
    } else {
        take_reach(t, &r);
        api_release(&api_reach_shape, &r);
    }
    reach_table_column(t, 0);
    keep_cursor(app, t, name);
    free(name);
}
