/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of the application and what changes it: places, messages from the network, marks. */
#include "console/app/app.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"

static const struct list_def *const list_defs[LIST_COUNT] = {
    [LIST_NODES] = &nodes_def,     [LIST_ROUTES] = &routes_def, [LIST_PREFIXES] = &prefixes_def,
    [LIST_EVENTS] = &events_def,   [LIST_USERS] = &users_def,   [LIST_PREAUTH] = &preauth_def,
    [LIST_PENDING] = &pending_def, [LIST_API] = &api_def,       [LIST_DETAIL] = &detail_def,
    [LIST_HA] = &ha_def,           [LIST_EXIT] = &exit_def,     [LIST_POLICY] = &policy_def,
};

static const struct console_view views[VIEW_COUNT] = {
    [VIEW_NODES] = {"nodes", "Nodes", '1', {LIST_NODES}, {NULL}, {0}, NULL},
    [VIEW_ROUTES] = {"routes",
                     "Routes",
                     '2',
                     {LIST_ROUTES, LIST_PREFIXES, LIST_HA, LIST_EXIT},
                     {"node", "prefix", "ha", "exit"},
                     {0, 7, PANE_LARGE, 4},
                     pane_routes},
    [VIEW_POLICY] = {"policy", "Policy", '4', {LIST_POLICY}, {NULL}, {0}, NULL},
    [VIEW_EVENTS] = {"events", "Events", '5', {LIST_EVENTS}, {NULL}, {5}, pane_event},
    [VIEW_USERS] = {"users", "Users", '6', {LIST_USERS}, {NULL}, {0}, NULL},
    [VIEW_KEYS] = {"keys", "Keys", '7', {LIST_PREAUTH, LIST_API}, {"pre-auth", "api"}, {0}, NULL},
    [VIEW_PENDING] = {"pending", "Pending", '8', {LIST_PENDING}, {NULL}, {7}, pane_pending},
    [VIEW_NODE] = {"node", "Node", 0, {LIST_DETAIL}, {NULL}, {0}, NULL},
};

const struct console_view *view_get(enum view_id id)
{
    return &views[id];
}

static void note_row(void *context, struct row *row, enum note what)
{
    struct app *app = context;

    for (int i = 0; i < LIST_COUNT; i++)
        list_note(&app->lists[i], row, what);
    if (row->kind == ROW_EVENT && what == NOTE_NEW && str_eq(((const struct m_event *)row)->api.object, "policy"))
        app->policy.changed_there = true;
}

static void listen_to_model(struct app *app)
{
    app->model.note = note_row;
    app->model.context = app;
    app->place.view = app->last.view = VIEW_NODES;
    app->place.sub = app->last.sub = 0;
}

void app_init(struct app *app)
{
    for (int i = 0; i < LIST_COUNT; i++)
        list_init(&app->lists[i], list_defs[i]);
    listen_to_model(app);
    app->follow = true;
    app->next_request = 1;
    policy_page_init(app);
}

static void place_release(struct view_place *place)
{
    free(place->node);
    place->node = NULL;
}

void undo_release(struct undo *u)
{
    strs_release(&u->events);
    free(u->text);
}

/* All that belongs to one server. */
static void forget_server(struct app *app)
{
    dialog_close(app);
    policy_page_release(app);
    while (app->plans) {
        struct plan *next = app->plans->next;

        plan_free(app->plans);
        app->plans = next;
    }
    for (size_t i = 0; i < app->undos.len; i++)
        undo_release(&app->undos.items[i]);
    for (size_t i = 0; i < app->held.len; i++)
        delta_release(&app->held.items[i]);
    for (size_t i = 0; i < app->back_len; i++)
        place_release(&app->back[i]);
    for (size_t i = 0; i < app->forward_len; i++)
        place_release(&app->forward[i]);
    place_release(&app->place);
    place_release(&app->last);
    vec_release(&app->undos);
    vec_release(&app->held);
    model_release(&app->model);
    free(app->conn.why);
    free(app->actor);
    app->actor = NULL;
    app->conn = (struct conn){0};
    app->back_len = app->forward_len = 0;
}

void app_reset(struct app *app)
{
    uint64_t serial = app->policy.editor.text.serial + 1;

    forget_server(app);
    for (int i = 0; i < LIST_COUNT; i++)
        list_empty(&app->lists[i]);
    policy_page_init(app);
    /* An answer about the text of the server before must not pass for one about this one's. */
    app->policy.editor.text.serial = app->policy.compared = app->policy.checked = app->policy.sent = serial;
    listen_to_model(app);
    app->at.now_ns -= app->clock_skew_ns;
    app->clock_skew_ns = 0;
    app->read_only = app->frozen = app->plan_mode = false;
    app->repeat = NULL;
    app->flash.until_ms = 1;
}

void app_release(struct app *app)
{
    forget_server(app);
    prompt_release(app);
    strs_release(&app->messages);
    strs_release(&app->servers);
    for (int i = 0; i < LIST_COUNT; i++)
        list_release(&app->lists[i]);
    canvas_release(&app->canvas);
    free(app->flash.text);
    free(app->repeat_arg);
    free(app->clipboard);
    free(app->state_dir);
}

void app_time(struct app *app, int64_t wall_ns, int64_t mono_ms)
{
    app->at = (struct clock_reading){.now_ns = wall_ns + app->clock_skew_ns, .now_ms = mono_ms};
}

/* ---- places ---- */

enum list_id app_list_id(const struct app *app)
{
    return views[app->place.view].lists[app->place.sub];
}

struct list *app_list(struct app *app)
{
    return &app->lists[app_list_id(app)];
}

struct m_node *app_node(const struct app *app)
{
    return app->place.view == VIEW_NODE && app->place.node ? model_find(&app->model, ROW_NODE, app->place.node) : NULL;
}

static struct view_place place_copy(const struct view_place *place)
{
    struct view_place copy = *place;

    copy.node = place->node ? mem_strdup(place->node) : NULL;
    return copy;
}

static void push(struct view_place *stack, size_t *len, struct view_place place)
{
    if (*len == PLACES_MAX) {
        place_release(&stack[0]);
        memmove(stack, stack + 1, (PLACES_MAX - 1) * sizeof(*stack));
        (*len)--;
    }
    stack[(*len)++] = place;
}

static void enter(struct app *app, struct view_place place)
{
    place_release(&app->last);
    app->last = app->place;
    app->place = place;
    app_list(app)->anchor = NULL;
    struct list *detail = &app->lists[LIST_DETAIL];
    struct m_node *node = app_node(app);
    if (node && detail->scope != &node->row) {
        detail->scope = &node->row;
        detail->cursor = NULL;
        detail->index = detail->top = 0;
        detail->forced = true;
    }
    policy_page_enter(app);
}

void app_go(struct app *app, enum view_id view, int sub, const char *node)
{
    if (view == app->place.view && sub == app->place.sub &&
        (!node || (app->place.node && str_eq(node, app->place.node))))
        return;
    push(app->back, &app->back_len, place_copy(&app->place));
    while (app->forward_len)
        place_release(&app->forward[--app->forward_len]);
    enter(app, (struct view_place){.view = view, .sub = sub, .node = node ? mem_strdup(node) : NULL});
}

bool app_back(struct app *app)
{
    if (!app->back_len)
        return false;
    push(app->forward, &app->forward_len, place_copy(&app->place));
    enter(app, app->back[--app->back_len]);
    return true;
}

void app_forward(struct app *app)
{
    if (!app->forward_len)
        return;
    push(app->back, &app->back_len, place_copy(&app->place));
    enter(app, app->forward[--app->forward_len]);
}

void app_last(struct app *app)
{
    struct view_place to = place_copy(&app->last);

    push(app->back, &app->back_len, place_copy(&app->place));
    enter(app, to);
}

/* ---- what is said to the user ---- */

void app_flash(struct app *app, enum role role, const char *format, ...)
{
    char text[400], stamp[AGO_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    mem_replace(&app->flash.text, text);
    app->flash.role = role;
    app->flash.until_ms = role == ROLE_ERROR ? 0 : app->at.now_ms + FLASH_MS;
    char *line = mem_format("%s\t%s", timestamp_text(app->at.now_ns, app->at.now_ns, stamp), text);
    strs_push(&app->messages, line);
    free(line);
    if (app->messages.len > 200) {
        free(app->messages.items[0]);
        vec_remove(&app->messages, 0);
    }
}

void app_copy(struct app *app, const char *text, const char *what)
{
    if (app->clipboard)
        explicit_bzero(app->clipboard, strlen(app->clipboard));
    mem_replace(&app->clipboard, text);
    app_flash(app, ROLE_INFO, "copied: %s", what);
}

void app_repeat_with(struct app *app, const char *arg)
{
    mem_replace(&app->repeat_arg, arg);
}

void app_heard(struct app *app, int64_t at_ms)
{
    app->conn.heard_ms = at_ms;
}

bool app_late(const struct app *app)
{
    return app->conn.state == CONN_LIVE && app->conn.heard_ms && app->at.now_ms - app->conn.heard_ms > LATE_MS;
}

const char *app_why_not_write(const struct app *app)
{
    if (app->read_only)
        return "your key may only read: changes need one that may do all";
    if (app->frozen)
        return "the screen is frozen: z resumes";
    if (app_late(app))
        return "the server is silent: what you see may be old";
    return app->conn.state == CONN_LIVE ? NULL : "not connected: what you see may be old";
}

/* ---- what comes in ---- */

static void apply(struct app *app, struct model_delta *delta)
{
    bool full = delta->full, filled = app->model.filled;

    if (delta->time_ns && full)
        app->clock_skew_ns += delta->time_ns - app->at.now_ns;
    struct applied done = model_apply(&app->model, delta, app->at.now_ms);
    if (full && filled && (done.added || done.changed || done.gone))
        app_flash(app, ROLE_INFO, "back: %zu new, %zu changed, %zu gone while away", done.added, done.changed,
                  done.gone);
}

void app_delta(struct app *app, struct model_delta *delta)
{
    if (app->frozen) {
        vec_push(&app->held, *delta);
        *delta = (struct model_delta){0};
        return;
    }
    apply(app, delta);
}

void app_thaw(struct app *app)
{
    app->frozen = false;
    for (size_t i = 0; i < app->held.len; i++)
        apply(app, &app->held.items[i]);
    app->held.len = 0;
}

void app_conn(struct app *app, enum conn_state state, const char *why, int64_t retry_in_ms)
{
    struct conn *c = &app->conn;

    if (state != c->state) {
        if (c->state == CONN_LIVE || !c->since_ns)
            c->since_ns = app->at.now_ns;
        c->since_ms = app->at.now_ms;
    }
    c->attempt = state == CONN_DOWN ? c->attempt + 1 : 0;
    c->state = state;
    c->retry_ms = retry_in_ms > 0 ? app->at.now_ms + retry_in_ms : 0;
    mem_replace(&c->why, why);
    policy_page_enter(app);
}

void app_whoami(struct app *app, const char *actor, bool read_only)
{
    mem_replace(&app->actor, actor);
    app->read_only = read_only;
}

void app_reply(struct app *app, uint64_t id, struct reply *reply)
{
    if (reply->delta.rows.len)
        model_apply(&app->model, &reply->delta, app->at.now_ms);
    if (!plan_reply(app, id, reply))
        policy_page_reply(app, id, reply);
    reply_release(reply);
}

/* ---- marks and targets ---- */

static void add_marked(struct rows *out, struct row *row)
{
    if (row->marked && !row->gone_ms)
        vec_push(out, row);
}

void app_marked(const struct app *app, struct rows *out, size_t *hidden)
{
    const struct list *l = &app->lists[app_list_id(app)];
    bool routes = l->def->kinds & 1U << ROW_ROUTE;
    size_t shown = 0;

    for (int kind = 0; kind < ROW_KINDS; kind++) {
        const struct row_table *t = &app->model.tables[kind];

        for (size_t i = 0; i < t->rows.len && (l->def->kinds & 1U << kind); i++) {
            struct row *row = t->rows.items[i];

            if (!routes)
                add_marked(out, row);
            else if (kind == ROW_NODE && (!l->scope || l->scope == row))
                for (size_t j = 0; j < ((struct m_node *)row)->routes.len; j++)
                    add_marked(out, &((struct m_node *)row)->routes.items[j]->row);
        }
    }
    for (size_t i = 0; i < l->order.len; i++)
        shown += l->order.items[i]->marked && (!routes || l->order.items[i]->kind == ROW_ROUTE);
    *hidden = out->len > shown ? out->len - shown : 0;
}

void app_targets(struct app *app, struct rows *out)
{
    struct list *l = app_list(app);
    size_t hidden;

    app_marked(app, out, &hidden);
    if (!out->len && l->cursor)
        vec_push(out, l->cursor);
}

int64_t app_next_ms(const struct app *app)
{
    int64_t next = app->at.now_ms - app->at.now_ms % 1000 + 1000;
    const struct list *l = &app->lists[app_list_id(app)];

    if ((l->dirty || l->touched.len) && l->hold_until_ms > app->at.now_ms && l->hold_until_ms < next)
        next = l->hold_until_ms;
    if (app->flash.text && app->flash.until_ms > app->at.now_ms && app->flash.until_ms < next)
        next = app->flash.until_ms;
    return policy_page_next_ms(app, next);
}
