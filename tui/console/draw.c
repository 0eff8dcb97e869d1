/* SPDX-License-Identifier: BSD-3-Clause */
/* The frame: tabs, facts, flash or prompt, hints; what is in between is the view's. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "console/app/app.h"

static void draw_tabs(struct app *app, struct canvas *c, struct rect at)
{
    int col = 1;
    size_t waiting = app->model.tables[ROW_PENDING].index.len;
    enum view_id front = app->place.view == VIEW_NODE ? VIEW_NODES : app->place.view;

    for (int i = 0; i < VIEW_COUNT; i++) {
        const struct console_view *v = view_get((enum view_id)i);
        bool on = (enum view_id)i == front;
        char text[40];

        if (!v->digit)
            continue;
        if (i == VIEW_PENDING && waiting)
            snprintf(text, sizeof(text), "%c %s %zu", v->digit, v->title, waiting);
        else
            snprintf(text, sizeof(text), "%c %s", v->digit, v->title);
        enum role role = on ? ROLE_TAB_ON : i == VIEW_PENDING && waiting ? ROLE_WAIT : ROLE_TAB;
        int from = col;
        if (on)
            canvas_text(c, at.row, col - 1, 1, ROLE_TAB_ON, "[");
        col += canvas_text(c, at.row, col, at.cols - col - 1, role, text);
        if (on)
            canvas_text(c, at.row, col, 1, ROLE_TAB_ON, "]");
        canvas_hit(c, (struct rect){at.row, from, 1, col - from}, HIT_TAB, i);
        col += 2;
    }
    time_t now = (time_t)(app->at.now_ns / NS_PER_SECOND);
    struct tm local;
    char text[16] = "";
    if (col + 6 < at.cols && localtime_r(&now, &local))
        strftime(text, sizeof(text), "%H:%M", &local);
    canvas_right(c, at.row, at.cols - 6, 5, ROLE_FAINT, text);
}

static const struct {
    const char *word;
    enum role role;
} conn_words[] = {
    [CONN_CONNECTING] = {"CONNECTING", ROLE_WAIT}, [CONN_LIVE] = {"LIVE", ROLE_LIVE}, [CONN_DOWN] = {"DOWN", ROLE_BAD},
    [CONN_RESYNC] = {"RESYNC", ROLE_WAIT},         [CONN_AUTH] = {"AUTH", ROLE_BAD},
};

/* What replaces the facts while something is out of the ordinary; false: nothing is. */
static bool banner(struct app *app, char *text, size_t size)
{
    struct conn *conn = &app->conn;
    char since[AGO_MAX];

    timestamp_text(conn->since_ns, app->at.now_ns, since);
    if (app->frozen) {
        snprintf(text, size, "FROZEN, %zu change%s waiting (z resumes)", app->held.len, app->held.len == 1 ? "" : "s");
        return true;
    }
    if (conn->state == CONN_AUTH) {
        snprintf(text, size, "the server refused: %s", conn->why ? conn->why : "");
        return true;
    }
    if (app_late(app)) {
        snprintf(text, size, "nothing was heard for %llds: what you see may be old, nothing can be changed (R now)",
                 (long long)(app->at.now_ms - conn->heard_ms) / 1000);
        return true;
    }
    if (conn->state != CONN_DOWN)
        return false;
    int64_t left = conn->retry_ms > app->at.now_ms ? (conn->retry_ms - app->at.now_ms + 999) / 1000 : 0;
    if (app->model.filled)
        snprintf(text, size, "DOWN since %s, try %u in %llds (R now); data of then, read-only: %s", since,
                 conn->attempt + 1, (long long)left, conn->why ? conn->why : "");
    else
        snprintf(text, size, "no connection, try %u in %llds (R now): %s", conn->attempt + 1, (long long)left,
                 conn->why ? conn->why : "");
    return true;
}

static int say(struct canvas *c, int col, int limit, enum role role, const char *text)
{
    return col < limit ? col + canvas_text(c, 1, col, limit - col, role, text) : col;
}

static int draw_crumbs(struct app *app, struct canvas *c, int col, int limit)
{
    const struct console_view *v = view_get(app->place.view);
    /* Where one may be at several servers, it is said at which. */
    const char *domain = app->servers.len > 1 ? app->servers.items[app->server]
                         : app->model.server.base_domain && *app->model.server.base_domain
                             ? app->model.server.base_domain
                             : "headway";

    char crumb[8];
    snprintf(crumb, sizeof(crumb), " %s ", glyph_text(GLYPH_CRUMB, c->ascii));
    /* The names of a view's parts say more than the domain. */
    if (app->servers.len > 1 || c->cols >= (v->subs[0] ? 100 : 80)) {
        col = say(c, col, limit, ROLE_FAINT, domain);
        col = say(c, col, limit, ROLE_FAINT, crumb);
    }
    col = say(c, col, limit, ROLE_CRUMB, app->place.view == VIEW_NODE ? "nodes" : v->name);
    struct m_node *node = app_node(app);
    if (app->place.view == VIEW_NODE) {
        col = say(c, col, limit, ROLE_FAINT, crumb);
        col = say(c, col, limit, ROLE_CRUMB, node ? node->api.given_name : "gone");
    }
    for (int i = 0; i < SUBS_MAX && v->subs[i]; i++) {
        char sub[24];

        snprintf(sub, sizeof(sub), i == app->place.sub ? "[%s]" : " %s ", v->subs[i]);
        col = say(c, col + (i == 0 ? 2 : 0), limit, i == app->place.sub ? ROLE_TAB_ON : ROLE_TAB, sub);
    }
    return col + 3;
}

/* What there is without the filter: of the routes by node the routes, folded or not. */
static size_t total_of(struct app *app)
{
    const struct row_table *t = model_table(&app->model, ROW_NODE);
    size_t count = 0;

    if (app_list_id(app) == LIST_NODES)
        return t->index.len;
    if (app_list_id(app) != LIST_ROUTES)
        return app_list(app)->total;
    for (size_t i = 0; i < t->rows.len; i++)
        count += t->rows.items[i]->gone_ms ? 0 : ((const struct m_node *)t->rows.items[i])->routes.len;
    return count;
}

/* Rows of what the list is about: neither the nodes that only head a group, nor those that wait to become some. */
static size_t shown_of(const struct list *l)
{
    enum row_kind kind = l->def == &routes_def ? ROW_ROUTE : ROW_NODE;
    size_t count = 0;

    if (l->def != &routes_def && l->def != &nodes_def)
        return l->order.len;
    for (size_t i = 0; i < l->order.len; i++)
        count += l->order.items[i]->kind == kind;
    return count;
}

/* How much there is, and how much of it is shown. */
static void count_text(struct app *app, char *text, size_t size)
{
    const struct list *l = app_list(app);
    bool filtered = *l->filter_text;

    if (app->place.view == VIEW_NODE)
        snprintf(text, size, "%zu of %zu", list_position(&app->lists[LIST_NODES]) + 1,
                 app->lists[LIST_NODES].order.len);
    else if (filtered)
        snprintf(text, size, "%zu of %zu", shown_of(l), total_of(app));
    else
        snprintf(text, size, "%zu %s", total_of(app), total_of(app) == 1 ? l->def->one : l->def->noun);
}

/* What of the routes needs somebody; false: nothing. */
static bool trouble_text(struct app *app, char *text, size_t size)
{
    bool groups = app_list_id(app) == LIST_HA;
    const struct row_table *t = model_table(&app->model, groups ? ROW_PREFIX : ROW_NODE);
    size_t count = 0;

    for (size_t i = 0; i < t->rows.len; i++) {
        const struct row *row = t->rows.items[i];

        if (row->gone_ms)
            continue;
        count += groups ? ha_is_group(row) && ha_is_degraded(row) : ((const struct m_node *)row)->waiting;
    }
    snprintf(text, size, "%zu %s", count, groups ? "degraded" : "waiting");
    return count > 0;
}

static int draw_counts(struct app *app, struct canvas *c, int col, int limit)
{
    struct list *l = app_list(app);
    struct rows marked = {0};
    size_t hidden = 0;
    char text[160];

    if (app->place.view == VIEW_POLICY)
        return policy_page_facts(app, c, col, limit);
    count_text(app, text, sizeof(text));
    col = say(c, col, limit, ROLE_TEXT, text) + 3;
    if (app->place.view == VIEW_NODES && app->model.tables[ROW_PENDING].index.len) {
        snprintf(text, sizeof(text), "%zu waiting", app->model.tables[ROW_PENDING].index.len);
        col = say(c, col, limit, ROLE_WAIT, text) + 3;
    }
    if (app->place.view == VIEW_ROUTES && trouble_text(app, text, sizeof(text)))
        col = say(c, col, limit, ROLE_WAIT, text) + 3;
    if (*l->filter_text) {
        snprintf(text, sizeof(text), "/%s", l->filter_text);
        col = say(c, col, limit, ROLE_MATCH, text) + 3;
    }
    app_marked(app, &marked, &hidden);
    if (marked.len) {
        snprintf(text, sizeof(text), hidden ? "%zu marked (%zu hidden)" : "%zu marked", marked.len, hidden);
        col = say(c, col, limit, ROLE_MARK, text) + 3;
    }
    vec_release(&marked);
    if (l->anchor)
        col = say(c, col, limit, ROLE_MARK, "range (Esc ends)") + 3;
    if (l->waiting && list_held(l, app->at.now_ms)) {
        snprintf(text, sizeof(text), "%zu new (held)", l->waiting);
        col = say(c, col, limit, ROLE_CHANGED, text) + 3;
    }
    if (app->place.view == VIEW_EVENTS && app->follow)
        col = say(c, col, limit, ROLE_LIVE, "FOLLOW") + 3;
    if (app->plan_mode)
        col = say(c, col, limit, ROLE_WAIT, "PLAN (next action is shown first)");
    return col;
}

static void draw_facts(struct app *app, struct canvas *c, struct rect at)
{
    char text[400];
    const char *word = conn_words[app->conn.state].word;
    enum role role = conn_words[app->conn.state].role;

    if (app->frozen) {
        word = "FROZEN";
        role = ROLE_WAIT;
    } else if (app_late(app)) {
        word = "LATE";
        role = ROLE_WAIT;
    } else if (app->conn.state == CONN_LIVE && app->read_only) {
        word = "READ-ONLY";
        role = ROLE_WAIT;
    }
    int limit = at.cols - canvas_width(c, word) - 3;
    if (banner(app, text, sizeof(text))) {
        canvas_text(c, at.row, 1, limit - 1, ROLE_TEXT, text);
        canvas_role(c, (struct rect){at.row, 0, 1, at.cols}, ROLE_BANNER);
        canvas_right(c, at.row, limit, at.cols - limit - 1, ROLE_BANNER, word);
        return;
    }
    draw_counts(app, c, draw_crumbs(app, c, 1, limit), limit);
    canvas_right(c, at.row, limit, at.cols - limit - 1, role, word);
}

/* Where nothing else is to be said: why the route under the cursor is as it is. */
static void draw_reason(struct app *app, struct canvas *c, struct rect at)
{
    const struct row *row = app_list(app)->cursor;

    if (!row || row->kind != ROW_ROUTE || app->dialog.kind || !*((const struct m_route *)row)->api.reason)
        return;
    canvas_textf(c, at.row, 1, at.cols - 10, ROLE_FAINT, "%s  %s", row->key, ((const struct m_route *)row)->api.reason);
    canvas_right(c, at.row, at.cols - 8, 7, ROLE_KEY, "w why");
}

static void draw_flash(struct app *app, struct canvas *c, struct rect at)
{
    struct flash *f = &app->flash;
    struct undo *undo = app->undos.len ? &app->undos.items[app->undos.len - 1] : NULL;
    int width = at.cols - 2;

    if (app->prompt.kind) {
        prompt_draw(app, c, at);
        return;
    }
    if (!f->text || (f->until_ms && f->until_ms <= app->at.now_ms)) {
        draw_reason(app, c, at);
        return;
    }
    if (undo && undo->at_ms + UNDO_MS > app->at.now_ms && f->role == ROLE_INFO && str_eq(f->text, undo->text)) {
        int64_t left = (undo->at_ms + UNDO_MS - app->at.now_ms) / 1000;
        char text[24];

        snprintf(text, sizeof(text), "u undo (%d:%02d)", (int)(left / 60), (int)(left % 60));
        canvas_right(c, at.row, 1, width, ROLE_KEY, text);
        width -= (int)strlen(text) + 2;
    }
    const char *sign = f->role == ROLE_ERROR ? "E " : f->role == ROLE_WARN ? "! " : "";
    int used = canvas_text(c, at.row, 1, width, f->role, sign);
    canvas_text(c, at.row, 1 + used, width - used, f->role, f->text);
}

static int by_rank(const void *a, const void *b)
{
    const struct console_command *p = *(const struct console_command *const *)a,
                                 *q = *(const struct console_command *const *)b;

    return (p->rank > q->rank) - (p->rank < q->rank);
}

static void draw_hints(struct app *app, struct canvas *c, struct rect at)
{
    const struct console_command *shown[64];
    size_t count = 0, hidden = 0;
    unsigned where = commands_where(app);
    struct rows marked = {0};
    int col = 1, limit = at.cols - 8;

    for (size_t i = 0; i < commands_count() && count < 64; i++)
        if (commands_at(i)->hint && (commands_at(i)->where & where))
            shown[count++] = commands_at(i);
    qsort(shown, count, sizeof(*shown), by_rank);
    app_marked(app, &marked, &hidden);
    for (size_t i = 0; i < count; i++) {
        struct buf keys = BUF_INIT(0);
        char label[48];
        bool off = command_refusal(app, shown[i]) != NULL;

        command_keys(shown[i], true, &keys);
        if (marked.len && (shown[i]->needs & FOR_MARKED))
            snprintf(label, sizeof(label), "%s(%zu)", shown[i]->hint, marked.len);
        else
            str_copy(label, sizeof(label), shown[i]->hint);
        int width = canvas_width(c, buf_text(&keys)) + 1 + canvas_width(c, label);
        if (col + width > limit) {
            buf_release(&keys);
            break;
        }
        int from = col;
        col += canvas_text(c, at.row, col, width, off ? ROLE_DISABLED : ROLE_KEY, buf_text(&keys)) + 1;
        col += canvas_text(c, at.row, col, width, off ? ROLE_DISABLED : ROLE_HINT, label);
        canvas_hit(c, (struct rect){at.row, from, 1, col - from}, HIT_COMMAND, (int)(shown[i] - commands_at(0)));
        col += 2;
        buf_release(&keys);
    }
    vec_release(&marked);
    canvas_right(c, at.row, at.cols - 8, 2, ROLE_KEY, commands_where(app) == IN_EDIT ? "F1" : "?");
    canvas_text(c, at.row, at.cols - 5, 4, ROLE_HINT, "help");
}

static void draw_small(struct app *app, struct canvas *c)
{
    const struct row_table *nodes = model_table(&app->model, ROW_NODE);
    size_t online = 0, waiting = 0;

    for (size_t i = 0; i < nodes->rows.len; i++) {
        const struct m_node *n = (const struct m_node *)nodes->rows.items[i];

        online += n->api.online && !n->row.gone_ms;
        waiting += n->row.gone_ms ? 0 : n->waiting;
    }
    canvas_textf(c, 0, 0, c->cols, conn_words[app->conn.state].role, "%s", conn_words[app->conn.state].word);
    canvas_textf(c, 1, 0, c->cols, ROLE_TEXT, "%zu nodes, %zu online", nodes->index.len, online);
    canvas_textf(c, 2, 0, c->cols, waiting ? ROLE_WAIT : ROLE_TEXT, "%zu routes wait", waiting);
    canvas_textf(c, 3, 0, c->cols, ROLE_TEXT, "%zu wait to join", app->model.tables[ROW_PENDING].index.len);
    canvas_textf(c, c->rows - 1, 0, c->cols, ROLE_HINT, "%dx%d is small: i tries, q quits", c->cols, c->rows);
}

static void draw_view(struct app *app, struct canvas *c)
{
    struct layout *l = &app->layout;
    const struct console_view *v = view_get(app->place.view);
    struct list *list = app_list(app);
    bool focused = !app->dialog.kind || app->dialog.kind == DIALOG_PLAN;

    if (app->place.view == VIEW_NODE) {
        node_view_draw(app, c, l->body, focused);
    } else if (app->place.view == VIEW_POLICY) {
        policy_page_draw(app, c, l->body);
    } else {
        struct list_look look = {.focused = true, .hit_rows = HIT_ROW, .hit_headers = HIT_COLUMN};

        list_draw(list, c, l->header, l->body, &app->at, &look);
    }
    if (l->pane.rows && v->draw_pane)
        v->draw_pane(app, c, l->pane);
    if (l->peek.cols) {
        for (int i = 0; i < l->peek.rows; i++)
            canvas_glyph(c, l->peek.row + i, l->peek.col - 1, GLYPH_BAR);
        node_peek_draw(app, c, l->peek, list->cursor);
    }
    if (l->tail.rows)
        tail_draw(app, c, l->tail);
}

static void refresh(struct app *app)
{
    struct list *l = app_list(app);

    model_sweep(&app->model, app->at.now_ms);
    policy_page_tick(app);
    if (app->place.view == VIEW_EVENTS && app->follow)
        l->hold_until_ms = 0;
    list_refresh(l, &app->model, &app->at);
    if (app->place.view == VIEW_EVENTS && app->follow && l->order.len)
        list_focus(l, l->order.items[l->order.len - 1]);
    if (app->layout.tail.rows) {
        app->lists[LIST_EVENTS].hold_until_ms = 0;
        list_refresh(&app->lists[LIST_EVENTS], &app->model, &app->at);
    }
}

void app_draw(struct app *app, int rows, int cols)
{
    struct canvas *c = &app->canvas;
    const struct console_view *v = view_get(app->place.view);
    bool listing = app->place.view != VIEW_NODE && app->place.view != VIEW_POLICY;
    bool roomy = cols >= 140 && rows >= 30;
    int pane = v->panes[app->place.sub];

    struct layout_wish wish = {
        .header = listing,
        .pane = pane == PANE_LARGE ? (rows * 2 / 5 > 8 ? rows * 2 / 5 : 8) : pane,
        .peek = listing && !pane && (app->peek_chosen ? app->peek : roomy),
        .tail = !app->tail_off && cols >= 140 && app->place.view != VIEW_EVENTS && app->place.view != VIEW_POLICY,
        .force = app->force_small,
    };
    app->layout = layout_make(rows, cols, &wish);
    canvas_start(c, rows, cols);
    refresh(app);
    if (app->layout.too_small) {
        draw_small(app, c);
        return;
    }
    draw_view(app, c);
    if (app->conn.state != CONN_LIVE || app->frozen || app_late(app))
        canvas_flag(c, (struct rect){2, 0, rows - 4, cols}, CANVAS_DIM);
    draw_tabs(app, c, app->layout.tabs);
    draw_facts(app, c, app->layout.facts);
    if (app->dialog.kind)
        dialog_draw(app);
    else if (app->place.view == VIEW_POLICY)
        policy_page_draw_question(app, c);
    draw_hints(app, c, app->layout.hints);
    draw_flash(app, c, app->layout.flash);
}
