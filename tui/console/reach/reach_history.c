/* SPDX-License-Identifier: BSD-3-Clause */
/* When the path's source gained and lost access to the destination, and by which journal entries. */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "client/client.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/reach/reach.h"

static const struct reach_row *entry_of(const struct row *row)
{
    return (const struct reach_row *)row;
}

void reach_history_release(struct reach_history *h)
{
    reach_rows_clear(&h->rows);
    free(h->asked);
    free(h->trouble);
}

/* ---- asking ---- */

static char *question_of(const struct reach_path *p)
{
    struct buf path = BUF_INIT(0);

    buf_adds(&path, "/api/headway/reach/history?src=");
    client_escape(&path, p->src);
    buf_adds(&path, "&dst=");
    client_escape(&path, p->dst);
    if (p->port)
        buf_addf(&path, "&port=%u", p->port);
    return buf_take(&path);
}

void reach_history_ask(struct app *app, bool again)
{
    const struct reach_path *p = &reach_of(app)->path;
    struct reach_history *h = &reach_of(app)->history;

    if (!*p->src || !*p->dst || !app->net.send)
        return;
    char *path = question_of(p);
    if (h->asked && str_eq(h->asked, path) && !again) {
        free(path);
        return;
    }
    struct app_request request = {
        .id = app->next_request++, .method = "GET", .path = path, .body = "", .result = ROW_KINDS, .whole = true};
    h->call = request.id;
    free(h->asked);
    h->asked = path;
    app->net.send(app->net.context, &request);
}

static void take_change(struct reach_rows *rows, const struct api_reach_change *c)
{
    struct reach_row *row = reach_rows_add(rows);
    char id[API_EVENT_ID_MAX];

    row->ok = c->allowed;
    row->line = c->line <= UINT32_MAX ? (unsigned)c->line : 0;
    row->time_ns = c->time_ns;
    row->event = c->event.run ? mem_strdup(api_event_id_format(&c->event, id)) : NULL;
    row->kind = mem_strdup(c->actor ? c->actor : "");
    row->text = mem_strdup(c->text ? c->text : "");
    row->fact = mem_strdup(c->fact);
}

void reach_history_reply(struct app *app, const struct reply *reply)
{
    struct reach_history *h = &reach_of(app)->history;
    struct list *l = view_list(app, &reach_view, REACH_HISTORY);
    struct api_reach_history answer;

    h->call = 0;
    h->at_ns = app->at.now_ns;
    /* The list refers to rows by address. */
    l->order.len = 0;
    l->cursor = l->anchor = NULL;
    l->index = l->top = 0;
    l->forced = true;
    reach_rows_clear(&h->rows);
    free(h->trouble);
    h->trouble = NULL;
    if (reply->status < 200 || reply->status >= 300) {
        h->trouble = mem_strdup(reply->e.message);
    } else if (api_read(&api_reach_history_shape, reply->json, &answer, API_FOR_TERMINAL, NULL) < 0) {
        h->trouble = mem_strdup("the server's answer cannot be read");
    } else {
        for (size_t i = 0; i < answer.changes.len; i++)
            take_change(&h->rows, api_at(&answer.changes, struct api_reach_change, i));
        h->complete = answer.complete;
        api_release(&api_reach_history_shape, &answer);
    }
}

/* ---- the list ---- */

static void fill_sign(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    out->glyph = (int)(entry_of(row)->ok ? GLYPH_DONE : GLYPH_REFUSED);
}

static void fill_state(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), entry_of(row)->ok ? "YES" : "NO");
    out->role = entry_of(row)->ok ? ROLE_OK : ROLE_BAD;
}

static void fill_since(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    char text[AGO_MAX];

    snprintf(out->text, sizeof(out->text), "%s %s", entry_of(row)->event ? "since" : "from",
             timestamp_text(entry_of(row)->time_ns, at->now_ns, text));
    out->role = ROLE_TIME;
}

static void fill_actor(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), *entry_of(row)->kind ? entry_of(row)->kind : "-");
    out->role = ROLE_USER;
}

static void fill_what(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text),
             entry_of(row)->event ? entry_of(row)->text : "the oldest moment that was looked at");
    out->role = entry_of(row)->event ? ROLE_TEXT : ROLE_FAINT;
}

static void words(const struct row *row, struct buf *out)
{
    const struct reach_row *r = entry_of(row);

    buf_addf(out, "%s %s %s", r->ok ? "yes" : "no", r->kind, r->text);
}

static void collect(const struct model *m, struct list *l)
{
    const struct reach_rows *rows = (const struct reach_rows *)l->scope;

    (void)m;
    for (size_t i = 0; rows && i < rows->items.len; i++)
        list_add(l, &rows->items.items[i]->row);
}

static const struct list_column columns[] = {
    {.title = "S", .key = "state", .least = 1, .wish = 1, .fill = fill_sign},
    {.title = "", .key = "word", .least = 3, .wish = 3, .fill = fill_state},
    {.title = "SINCE", .key = "since", .least = 19, .wish = 19, .fill = fill_since},
    {.title = "BY", .key = "by", .least = 8, .wish = 12, .rank = 1, .fill = fill_actor},
    {.title = "WHAT HAPPENED", .key = "what", .least = 20, .wish = 60, .share = 1, .fill = fill_what},
};

const struct list_def reach_history_def = {
    .noun = "changes",
    .one = "change",
    .empty = "",
    .columns = columns,
    .column_count = ARRAY_LEN(columns),
    .fields = {.words = words},
    .sort = -1,
    .fixed_columns = true,
    .collect = collect,
};

/* ---- drawing ---- */

#define FACT_ROWS 4

static const char *excuse(const struct app *app, const struct reach_history *h)
{
    if (!*reach_of(app)->path.src || !*reach_of(app)->path.dst)
        return "{explain} asks whether one reaches another; here it stands since when that is so";
    if (h->call)
        return "asking the server, which looks at each moment when something changed ...";
    if (h->trouble)
        return h->trouble;
    return h->at_ns ? NULL : "not connected: the server is not asked yet";
}

static void draw_fact(const struct reach_history *h, const struct reach_row *row, struct canvas *c, struct rect at)
{
    struct buf b = BUF_INIT(0);

    canvas_section(c, at.row, at.col, at.cols, row && row->ok ? "why it was reached then" : "why it was not",
                   h->complete ? "as far back as anything is kept" : "further back was not looked");
    if (row)
        buf_addf(&b, "%s", row->fact);
    if (row && row->line)
        buf_addf(&b, " (line %u of the policy of then)", row->line);
    canvas_wrap(c, (struct rect){at.row + 1, at.col + 3, at.rows - 1, at.cols - 4}, ROLE_TEXT, buf_text(&b));
    buf_release(&b);
}

void reach_history_draw(struct app *app, struct canvas *c, struct rect at, bool focused)
{
    const struct reach_path *p = &reach_of(app)->path;
    const struct reach_history *h = &reach_of(app)->history;
    struct list_look look = {.focused = focused, .hit_rows = HIT_ROW, .hit_headers = HIT_COLUMN};
    const char *why = excuse(app, h);
    char text[400];

    if (why) {
        command_text(app, why, text, sizeof(text));
        canvas_wrap(c, (struct rect){at.row + 1, at.col + 2, at.rows - 1, at.cols - 4},
                    h->trouble && !h->call ? ROLE_BAD : ROLE_FAINT, text);
        return;
    }
    int used = canvas_name(c, at.row, at.col + 2, at.cols / 3, ROLE_STRONG, p->src);
    used += canvas_textf(c, at.row, at.col + 3 + used, 4, ROLE_FAINT, "%s", glyph_text(GLYPH_ARROW, c->ascii)) + 1;
    used += canvas_name(c, at.row, at.col + 3 + used, at.cols / 3, ROLE_STRONG, p->dst);
    if (p->port)
        canvas_textf(c, at.row, at.col + 4 + used, 12, ROLE_STRONG, "tcp %u", p->port);
    int rows = at.rows > 4 * FACT_ROWS ? FACT_ROWS : 0;
    list_draw(app_list(app), c, (struct rect){at.row + 1, at.col, 1, at.cols},
              (struct rect){at.row + 2, at.col, at.rows - 2 - rows, at.cols}, &app->at, &look);
    if (rows)
        draw_fact(h, entry_of(app_list(app)->cursor), c, (struct rect){at.row + at.rows - rows, at.col, rows, at.cols});
}
