/* SPDX-License-Identifier: BSD-3-Clause */
/* The model's tables for the past are swapped with today's; lists find their rows again by key. One request is in
 * flight at a time: of several quick steps only the last is requested. */
#include "console/past/past.h"

#include <stdio.h>

#include "base/clock.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/dialogs/prompt.h"

/* An event is published shortly after it is written: the state to request is that of its publication. */
#define SETTLED_NS (100 * NS_PER_MS)

/* ---- rows of now and of then ---- */

/* A list's cursor while its row does not exist. */
struct kept_cursor {
    enum row_kind kind;
    char *key, *node; /* node: of a route */
};

static struct kept_cursor cursor_keep(const struct list *l)
{
    const struct row *row = l->cursor;

    if (!row)
        return (struct kept_cursor){.kind = ROW_KINDS};
    return (struct kept_cursor){
        .kind = row->kind,
        .key = mem_strdup(row->key),
        .node = row->kind == ROW_ROUTE ? mem_strdup(((const struct m_route *)row)->node->row.key) : NULL};
}

static struct row *find_again(const struct model *m, const struct kept_cursor *kept)
{
    if (kept->kind == ROW_KINDS)
        return NULL;
    if (kept->kind != ROW_ROUTE)
        return model_find(m, kept->kind, kept->key);
    const struct m_node *node = model_find(m, ROW_NODE, kept->node);
    for (size_t i = 0; node && i < node->routes.len; i++)
        if (str_eq(node->routes.items[i]->row.key, kept->key))
            return &node->routes.items[i]->row;
    return NULL;
}

struct kept_cursors {
    struct kept_cursor *items;
    size_t len, cap;
};

/* For all lists, in the order of views and parts. */
static void keep_cursors(const struct app *app, struct kept_cursors *out)
{
    for (size_t i = 0; i < app->tables->view_count; i++)
        for (int part = 0; part < view_part_count(app->tables->views[i]); part++)
            vec_push(out, cursor_keep(&app->views[i].lists[part]));
}

/* Lists of swapped tables look up their rows again. */
static void restore_cursors(struct app *app, struct kept_cursors *kept)
{
    size_t at = 0;

    for (size_t i = 0; i < app->tables->view_count; i++)
        for (int part = 0; part < view_part_count(app->tables->views[i]); part++) {
            struct list *l = &app->views[i].lists[part];
            if (at >= kept->len)
                break;
            struct kept_cursor *k = &kept->items[at++];

            if (l->def->kinds & MODEL_TRADED)
                list_start_again(l, find_again(&app->model, k));
            free(k->key);
            free(k->node);
        }
    vec_release(kept);
}

static void take_state(struct app *app, struct model_delta *state)
{
    struct then *then = &app->then;
    struct kept_cursors cursors = {0};

    keep_cursors(app, &cursors);
    if (then->on)
        model_trade(&app->model, &then->other, app->at.now_ms);
    model_release(&then->other);
    then->at_ns = state->time_ns;
    then->since_ns = state->since_ns;
    free(then->policy);
    then->policy = state->policy;
    state->policy = NULL;
    model_apply(&then->other, state, app->at.now_ms);
    model_trade(&app->model, &then->other, app->at.now_ms);
    then->on = true;
    app_time_again(app);
    restore_cursors(app, &cursors);
    if (app->place.view->then)
        app_go(app, app->place.view, 0, NULL);
}

bool past_leave(struct app *app)
{
    struct then *then = &app->then;
    struct kept_cursors cursors = {0};
    const struct console_view *view = app->place.view;

    then->request = 0;
    then->want_ns = 0; /* the request in flight is obsolete */
    if (!then->on)
        return false;
    keep_cursors(app, &cursors);
    model_trade(&app->model, &then->other, app->at.now_ms);
    model_release(&then->other);
    then->on = false;
    app_time_again(app);
    restore_cursors(app, &cursors);
    if (then->instead && then->instead->then == view)
        app_go(app, then->instead, 0, NULL);
    return true;
}

/* ---- asking ---- */

static void send_wish(struct app *app)
{
    struct then *then = &app->then;
    char when[TIME_TEXT_MAX];
    int64_t at_ns = then->want_ns;

    if (!at_ns || then->request || !app->net.send)
        return;
    char *path = mem_format("/api/headway/state?at=%s", time_format(at_ns, when));
    struct app_request request = {
        .id = app->next_request++, .method = "GET", .path = path, .body = "", .decode = decode_past};
    then->request = request.id;
    then->want_ns = 0;
    app->net.send(app->net.context, &request);
    free(path);
}

static void wish(struct app *app, int64_t at_ns, const char *event)
{
    struct then *then = &app->then;

    if (app->frozen)
        app_thaw(app);
    then->want_ns = at_ns < app->wall_ns ? at_ns : app->wall_ns;
    mem_replace(&then->event, event);
    send_wish(app);
}

void past_go(struct app *app, int64_t at_ns)
{
    wish(app, at_ns, "");
}

void past_go_to_event(struct app *app, const struct m_event *event)
{
    wish(app, event->api.time_ns + SETTLED_NS, event->row.key);
}

static bool reply_to(struct app *app, uint64_t id, struct reply *reply)
{
    struct then *then = &app->then;

    if (id != then->request || !id)
        return false;
    then->request = 0;
    if (reply->status >= 300 || reply->e.code < 0) {
        app_flash(app, ROLE_WARN, "%s", reply->e.message);
        if (!then->on)
            then->want_ns = 0;
    } else {
        delta_release(&then->arrived);
        then->arrived = reply->read;
        reply->read = (struct model_delta){0};
    }
    send_wish(app);
    return true;
}

/* Not under a dialog, which may concern rows of now. */
static void tick(struct app *app)
{
    if (app->then.arrived.ends && !app->dialog)
        take_state(app, &app->then.arrived);
}

/* ---- steps ---- */

static int by_id(const struct m_event *a, const struct m_event *b)
{
    if (a->api.id.run != b->api.id.run)
        return a->api.id.run < b->api.id.run ? -1 : 1;
    return (a->api.id.seq > b->api.id.seq) - (a->api.id.seq < b->api.id.seq);
}

/* Whether the entry is before (with step 1: after) the shown moment. */
static bool lies_beyond(const struct app *app, const struct m_event *here, const struct m_event *e, int step)
{
    if (here)
        return by_id(e, here) * step > 0;
    return step < 0 ? e->api.time_ns < app->then.at_ns : e->api.time_ns > app->then.at_ns;
}

static void step_to(struct app *app, int step)
{
    const struct row_table *t = model_table(&app->model, ROW_EVENT);
    const struct m_event *here = *app->then.event ? model_find(&app->model, ROW_EVENT, app->then.event) : NULL;
    const struct m_event *found = NULL;

    for (size_t i = 0; i < t->rows.len; i++) {
        const struct m_event *e = (const struct m_event *)t->rows.items[i];

        if (lies_beyond(app, here, e, step) && (!found || by_id(e, found) * step < 0))
            found = e;
    }
    if (found)
        past_go_to_event(app, found);
    else
        app_flash(app, ROLE_INFO,
                  step < 0 ? "no older entry is loaded: the events ({events}) read further back"
                           : "this is the newest entry");
}

/* ---- what is said ---- */

bool past_banner(const struct app *app, char *text, size_t size)
{
    const struct then *then = &app->then;
    const struct m_event *e = then->on && *then->event ? model_find(&app->model, ROW_EVENT, then->event) : NULL;
    char when[AGO_MAX], ago[AGO_MAX];
    int64_t at_ns = e ? e->api.time_ns : then->at_ns;

    if (!then->on)
        return false;
    timestamp_text(at_ns, app->wall_ns, when);
    span_text(app->wall_ns - at_ns, ago);
    int used = snprintf(text, size, "THEN %s, %s ago   {step-back} {step-on} step  {escape} now", when, ago);
    if (then->request)
        snprintf(text + used, size - (size_t)used, "   reading ...");
    else if (e)
        snprintf(text + used, size - (size_t)used, "   event %s: %s", e->row.key, e->api.text);
    return true;
}

/* ---- commands ---- */

static void cmd_at(struct app *app, const char *arg)
{
    const struct row *row = app_list(app)->cursor;
    struct err e;
    int64_t at_ns;

    if (*arg && time_parse_past(arg, TIME_LOCAL_ZONE, app->wall_ns, &at_ns, "at", &e) < 0)
        app_flash(app, ROLE_WARN, "%s", e.message);
    else if (*arg)
        past_go(app, at_ns);
    else if (row && row->kind == ROW_EVENT)
        past_go_to_event(app, (const struct m_event *)row);
    else
        prompt_open(app, PROMPT_COMMAND, "at ");
}

static void cmd_now(struct app *app, const char *arg)
{
    (void)arg;
    if (!past_leave(app))
        app_flash(app, ROLE_INFO, "this is now");
}

static const char *refuse_step(struct app *app)
{
    return app->then.on ? NULL : "it is now: {at} looks back";
}

static void cmd_step_back(struct app *app, const char *arg)
{
    (void)arg;
    step_to(app, -1);
}

static void cmd_step_on(struct app *app, const char *arg)
{
    (void)arg;
    step_to(app, 1);
}

static const struct console_command commands[] = {
    {.name = "at",
     .keys = "@",
     .help = "show everything as it was: at the selected event, or at a time such as -2h, 14:03 or 2026-11-24 14:03",
     .args = "[TIME]",
     .where = IN_ANY,
     .run = cmd_at},
    {.name = "now", .keys = "", .help = "return from the past", .where = IN_ANY, .run = cmd_now},
    {.name = "step-back",
     .keys = "<",
     .help = "in the past: one event back",
     .where = IN_ANY,
     .run = cmd_step_back,
     .refuse = refuse_step},
    {.name = "step-on",
     .keys = ">",
     .help = "in the past: one event on",
     .where = IN_ANY,
     .run = cmd_step_on,
     .refuse = refuse_step},
};

static void init(struct app *app)
{
    mem_replace(&app->then.event, "");
}

static void reset(struct app *app)
{
    struct then *then = &app->then;

    model_release(&then->other);
    delta_release(&then->arrived);
    free(then->policy);
    free(then->event);
    *then = (struct then){.event = mem_strdup("")};
}

static void release(struct app *app)
{
    reset(app);
    free(app->then.event);
}

/* ---- the policy of then ---- */

struct past_policy_state {
    size_t top; /* line */
};

static struct past_policy_state *policy_state(const struct app *app)
{
    return view_state(app, &past_policy_view);
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;

    for (; *text; text++)
        lines += *text == '\n' || !text[1];
    return lines;
}

static void draw_policy(struct app *app, struct canvas *c, struct rect at, bool focused)
{
    const char *text = app->then.policy ? app->then.policy : "";
    struct past_policy_state *s = policy_state(app);
    size_t lines = count_lines(text), most = lines > (size_t)at.rows ? lines - (size_t)at.rows : 0, line = 0;

    (void)focused;
    s->top = s->top < most ? s->top : most;
    if (!lines)
        canvas_text(c, at.row + at.rows / 3, at.col + 3, at.cols - 4, ROLE_FAINT, "no policy was in force");
    for (size_t len; *text; text += len + (text[len] == '\n'), line++) {
        len = strcspn(text, "\n");
        if (line < s->top || line >= s->top + (size_t)at.rows)
            continue;
        struct buf safe = BUF_INIT(0);
        str_safe(&safe, text, len);
        canvas_textf(c, at.row + (int)(line - s->top), at.col, 5, ROLE_FAINT, "%4zu", line + 1);
        canvas_text(c, at.row + (int)(line - s->top), at.col + 6, at.cols - 7, ROLE_TEXT, buf_text(&safe));
        buf_release(&safe);
    }
}

static void move_policy(struct app *app, long rows)
{
    struct past_policy_state *s = policy_state(app);
    long top = (long)s->top + rows;

    s->top = top < 0 ? 0 : (size_t)top;
}

static const char *policy_crumb(const struct app *app)
{
    static const char none[] = "none";

    return app->then.policy && *app->then.policy ? "as it was then" : none;
}

static void draw_unknown(struct app *app, struct canvas *c, struct rect at, bool focused)
{
    char text[80];

    (void)focused;
    command_text(app, "this is not known of the past: {escape} returns to now", text, sizeof(text));
    canvas_text(c, at.row + at.rows / 3, at.col + 3, at.cols - 4, ROLE_FAINT, text);
}

/* ---- the views ---- */

static void fill_nothing(const struct row *row, const struct clock_reading *at, struct list_field *out)
{
    (void)row;
    (void)at;
    (void)out;
}

static void collect_nothing(const struct model *m, struct list *l)
{
    (void)m;
    (void)l;
}

static const struct list_column no_columns[] = {{.title = "", .key = "", .least = 1, .wish = 1, .fill = fill_nothing}};

static const struct list_def no_list = {.noun = "lines",
                                        .one = "line",
                                        .empty = "",
                                        .columns = no_columns,
                                        .column_count = 1,
                                        .sort = -1,
                                        .fixed_columns = true,
                                        .collect = collect_nothing};

const struct console_view past_policy_view = {
    .name = "policy then",
    .title = "Policy",
    .commands = COMMAND_TABLE(commands),
    .parts = {{.def = &no_list, .where = IN_OTHER_LISTS}},
    .no_tail = true,
    .state_size = sizeof(struct past_policy_state),
    .init = init,
    .reset = reset,
    .release = release,
    .tick = tick,
    .reply = reply_to,
    .move = move_policy,
    .draw = draw_policy,
    .crumb = policy_crumb,
};

const struct console_view past_unknown_view = {
    .name = "then",
    .title = "Then",
    .parts = {{.def = &no_list, .where = IN_OTHER_LISTS}},
    .no_tail = true,
    .draw = draw_unknown,
};
