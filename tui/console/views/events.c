/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal, newest entry at the bottom. */
#include "console/views/events.h"

#include <stdio.h>

#include "base/array.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/views/event_detail.h"
#include "console/views/events_back.h"
#include "console/views/events_day.h"

static const struct m_event *event_of(const struct row *row)
{
    return (const struct m_event *)row;
}

static enum role weight_role(const struct m_event *e)
{
    static const enum role roles[] = {
        [WEIGHT_INFO] = ROLE_FAINT, [WEIGHT_CHANGE] = ROLE_TEXT, [WEIGHT_WARN] = ROLE_WAIT, [WEIGHT_ALARM] = ROLE_BAD};

    return roles[e->api.weight];
}

static void fill_time(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    char text[AGO_MAX];

    str_copy(out->text, sizeof(out->text), timestamp_text(event_of(row)->api.time_ns, at->now_ns, text));
    out->role = ROLE_TIME;
}

static void fill_kind(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), event_kind_words(event_of(row)->api.kind));
    out->role = weight_role(event_of(row));
}

static void fill_actor(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)at;
    str_copy(out->text, sizeof(out->text), event_of(row)->api.actor);
    out->role = ROLE_USER;
}

static void fill_text(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    const struct m_event *e = event_of(row);

    (void)at;
    str_copy(out->text, sizeof(out->text), e->api.text);
    if (e->api.undone_by.run)
        snprintf(out->text, sizeof(out->text), "%.180s (undone)", e->api.text);
    out->role = e->api.undone_by.run ? ROLE_OFF : weight_role(e);
}

static int by_sequence(const struct row *a, const struct row *b)
{
    const struct m_event *p = event_of(a), *q = event_of(b);

    if (p->api.id.run != q->api.id.run)
        return p->api.id.run < q->api.id.run ? -1 : 1;
    return (p->api.id.seq > q->api.id.seq) - (p->api.id.seq < q->api.id.seq);
}

static const struct list_column columns[] = {
    {.title = "TIME", .key = "time", .least = 12, .wish = 12, .fill = fill_time, .compare = by_sequence},
    {.title = "ACTOR", .key = "actor", .least = 8, .wish = 10, .rank = 1, .fill = fill_actor},
    {.title = "KIND", .key = "kind", .least = 16, .wish = 20, .rank = 2, .fill = fill_kind},
    {.title = "WHAT", .key = "text", .least = 46, .wish = 60, .share = 1, .fill = fill_text},
};

static void words(const struct row *row, struct buf *out)
{
    const struct m_event *e = event_of(row);

    buf_addf(out, "%s %s %s %s %s %s", e->api.kind, event_kind_words(e->api.kind), e->api.actor, e->api.object_name,
             e->api.text, row->key);
}

#define TEXT_FIELD(name, member)                                                                                       \
    static void name(const struct row *row, struct buf *out)                                                           \
    {                                                                                                                  \
        buf_adds(out, event_of(row)->api.member);                                                                      \
    }
TEXT_FIELD(text_actor, actor)
TEXT_FIELD(text_object, object_name)

/* Filters accept the API's names as well as the words shown in the column. */
static void text_kind(const struct row *row, struct buf *out)
{
    const char *kind = event_of(row)->api.kind;

    buf_addf(out, "%s %s", kind, event_kind_words(kind));
}

static int64_t time_at(const struct row *row)
{
    return event_of(row)->api.time_ns;
}

static const struct filter_field fields[] = {
    {"kind", FILTER_TEXT, text_kind, NULL},
    {"actor", FILTER_TEXT, text_actor, NULL},
    {"object", FILTER_TEXT, text_object, NULL},
    {"age", FILTER_SINCE, NULL, time_at},
};

static void collect(const struct model *m, struct list *l)
{
    const struct row_table *t = model_table(m, ROW_EVENT);

    for (size_t i = 0; i < t->rows.len; i++)
        list_add(l, t->rows.items[i]);
}

static const struct list_def events_def = {
    .noun = "events",
    .one = "event",
    .empty = "nothing has happened yet",
    .columns = columns,
    .column_count = ARRAY_LEN(columns),
    .fields = {.items = fields, .len = ARRAY_LEN(fields), .words = words},
    .sort = 0,
    .kinds = 1U << ROW_EVENT,
    .collect = collect,
};

/* ---- the pane: what led to the entry, and to what it led ---- */

static int put_line(struct canvas *c, struct rect at, int line, const char *label, const char *text)
{
    if (line >= at.rows || !*text)
        return line;
    canvas_text(c, at.row + line, at.col + 3, 9, ROLE_LABEL, label);
    return line +
           canvas_wrap(c, (struct rect){at.row + line, at.col + 12, at.rows - line, at.cols - 13}, ROLE_TEXT, text);
}

static int put_object(struct canvas *c, struct rect at, int line, const struct m_event *e)
{
    struct buf text = BUF_INIT(0);

    event_object(e->api.object, e->api.object_id, e->api.object_name, &text);
    buf_addf(&text, "   %s by %s", event_kind_words(e->api.kind), e->api.actor);
    line = put_line(c, at, line, "object", buf_text(&text));
    buf_release(&text);
    return line;
}

static int put_undo(const struct app *app, struct canvas *c, struct rect at, int line, const struct m_event *e)
{
    char id[API_EVENT_ID_MAX], text[80];

    if (e->api.undone_by.run)
        snprintf(text, sizeof(text), "undone by event %s", api_event_id_format(&e->api.undone_by, id));
    else
        command_text(app, e->api.inverse ? "{undo} undoes it" : "not possible", text, sizeof(text));
    return put_line(c, at, line, "undo", text);
}

static void draw_event(const struct app *app, struct canvas *c, struct rect at, const struct m_event *e)
{
    struct buf because = BUF_INIT(0), effect = BUF_INIT(0);
    char title[80];

    snprintf(title, sizeof(title), "event %.60s", e->row.key);
    command_section(app, c, at, title, "{at} that moment");
    event_because(e->api.detail, &because);
    event_effect(e->api.detail, &effect);
    int line = 1 + canvas_wrap(c, (struct rect){at.row + 1, at.col + 3, at.rows - 1, at.cols - 4}, weight_role(e),
                               e->api.text);
    line = put_object(c, at, line, e);
    line = put_line(c, at, line, "because", buf_text(&because));
    line = put_line(c, at, line, "effect", buf_text(&effect));
    put_undo(app, c, at, line, e);
    buf_release(&because);
    buf_release(&effect);
}

enum { PANE_ROWS = 10, DAY_ROWS = 3 };

/* ---- the view ---- */

struct events_state {
    bool follow;        /* keep the cursor on the newest event */
    struct list newest; /* for the tail of other views, independent of this view's filter */
    struct events_back back;
    struct events_day day;
};

static struct events_state *state_of(const struct app *app)
{
    return view_state(app, &events_view);
}

static void init(struct app *app)
{
    state_of(app)->follow = true;
    list_init(&state_of(app)->newest, &events_def);
}

static void reset(struct app *app)
{
    list_empty(&state_of(app)->newest);
    events_back_release(&state_of(app)->back);
    state_of(app)->day = (struct events_day){0};
}

static void release(struct app *app)
{
    list_release(&state_of(app)->newest);
    events_back_release(&state_of(app)->back);
}

static void note(struct app *app, struct row *row, enum note what)
{
    list_note(&state_of(app)->newest, row, what);
}

static bool follows(const struct app *app)
{
    return app->place.view == &events_view && state_of(app)->follow;
}

/* Whether the cursor is near the oldest entry of the list, at whichever end that is. */
static bool is_near_the_oldest(const struct list *l, size_t height)
{
    size_t at = list_position(l), from_oldest = l->reverse ? l->order.len - (l->order.len ? 1 : 0) - at : at;

    return l->order.len <= height || from_oldest < height;
}

/* The entry under the cursor, else now. */
static int64_t time_shown(const struct app *app)
{
    const struct row *row = view_list(app, &events_view, 0)->cursor;

    return row && row->kind == ROW_EVENT ? event_of(row)->api.time_ns : app->wall_ns;
}

static void tick(struct app *app)
{
    struct events_state *s = state_of(app);
    struct list *l = view_list(app, &events_view, 0);
    bool front = app->place.view == &events_view;

    if (front)
        events_day_tick(app, &s->day, time_shown(app));

    if (app->layout.tail.rows)
        list_refresh(&state_of(app)->newest, &app->model, &app->at);
    if (follows(app)) {
        l->hold_until_ms = 0; /* nobody's cursor is in the way */
        list_refresh(l, &app->model, &app->at);
        if (l->order.len)
            list_focus(l, l->order.items[l->order.len - 1]);
    }
    events_back_tick(app, &s->back, l, &s->newest, front && is_near_the_oldest(l, (size_t)app->layout.body.rows));
}

static bool reply_to(struct app *app, uint64_t id, struct reply *reply)
{
    struct events_state *s = state_of(app);

    return events_back_reply(app, &s->back, view_list(app, &events_view, 0), id, reply) ||
           events_day_reply(&s->day, id, reply);
}

static void pane(struct app *app, struct canvas *c, struct rect at)
{
    const struct row *row = app_list(app)->cursor;

    if (row && row->kind == ROW_EVENT)
        draw_event(app, c, at, event_of(row));
}

static void foot(struct app *app, struct canvas *c, struct rect at)
{
    events_day_draw(app, &state_of(app)->day, c, at, time_shown(app));
}

static void count(const struct app *app, char *text, size_t size)
{
    const struct list *l = view_list(app, &events_view, 0);
    char back[60];
    int used;

    if (*l->filter_text)
        used = snprintf(text, size, "%zu of %zu", l->order.len, l->total);
    else
        used = snprintf(text, size, "%zu event%s", l->total, l->total == 1 ? "" : "s");
    if (events_back_text(app, &state_of(app)->back, back, sizeof(back)))
        snprintf(text + used, size - (size_t)used, ", %s", back);
}

static bool empty(const struct app *app, char *text, size_t size)
{
    const struct events_back *b = &state_of(app)->back;
    char back[60];

    if (!*view_list(app, &events_view, 0)->filter_text || !events_back_text(app, b, back, sizeof(back)))
        return false;
    snprintf(text, size, "nothing matches%s %s", str_starts(back, "back") ? ", read" : " in", back);
    return true;
}

/* The newest events, below any view on a large screen. */
void events_draw_tail(struct app *app, struct canvas *c, struct rect at)
{
    const struct list *l = &state_of(app)->newest;
    size_t rows = at.rows > 1 ? (size_t)at.rows - 1 : 0;
    size_t from = l->order.len > rows ? l->order.len - rows : 0;

    command_section(app, c, at, "events", "{events} all");
    for (size_t i = from; i < l->order.len; i++) {
        const struct m_event *e = event_of(l->order.items[i]);
        int row = at.row + 1 + (int)(i - from);
        char text[AGO_MAX];

        canvas_text(c, row, at.col + 3, 12, ROLE_TIME, timestamp_text(e->api.time_ns, app->at.now_ns, text));
        canvas_text(c, row, at.col + 16, 12, ROLE_USER, e->api.actor);
        canvas_text(c, row, at.col + 29, 22, weight_role(e), event_kind_words(e->api.kind));
        canvas_text(c, row, at.col + 52, at.cols - 54, weight_role(e), e->api.text);
    }
}

static void moved(struct app *app)
{
    state_of(app)->follow = false;
}

static const char *mode(const struct app *app)
{
    return state_of(app)->follow ? "FOLLOW" : NULL;
}

static void cmd_follow(struct app *app, const char *arg)
{
    struct events_state *s = state_of(app);

    (void)arg;
    s->follow = !s->follow;
    if (s->follow)
        events_back_stop(app, &s->back, view_list(app, &events_view, 0), &s->newest);
}

static const struct console_command commands[] = {
    {.name = "events", .keys = "5", .help = "the journal", .args = "[FILTER]", .where = IN_ANY, .opens = &events_view},
    {.name = "follow",
     .keys = "F",
     .hint = "follow",
     .help = "follow the newest event",
     .where = IN_EVENTS,
     .rank = 3,
     .run = cmd_follow},
};

const struct console_view events_view = {
    .name = "events",
    .title = "Events",
    .digit = '5',
    .commands = COMMAND_TABLE(commands),
    .sections = {{IN_EVENTS, "Journal"}},
    .parts = {{.def = &events_def,
               .where = IN_EVENTS,
               .pane = PANE_ROWS,
               .pane_scrolls = true,
               .draw_pane = pane,
               .foot = DAY_ROWS,
               .draw_foot = foot,
               .count = count,
               .empty = empty}},
    .no_tail = true,
    .state_size = sizeof(struct events_state),
    .init = init,
    .reset = reset,
    .release = release,
    .tick = tick,
    .reply = reply_to,
    .note = note,
    .moved = moved,
    .mode = mode,
};
