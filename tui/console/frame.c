/* SPDX-License-Identifier: BSD-3-Clause */
/* The frame: tabs, facts, flash or prompt, hints. The view draws the rest. */
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "console/app/asked.h"
#include "console/app/dispatch.h"
#include "console/application.h"
#include "console/dialogs/dialog.h"
#include "console/flash_line.h"
#include "console/pane.h"
#include "console/past/past.h"
#include "console/screen/screen_text.h"
#include "console/tabs.h"
#include "console/views/events.h"
#include "console/views/node.h"

static const struct {
    const char *word;
    enum role role;
} conn_words[] = {
    [CONN_CONNECTING] = {"CONNECTING", ROLE_WAIT},
    [CONN_LOADING] = {"LOADING", ROLE_WAIT},
    [CONN_LIVE] = {"LIVE", ROLE_LIVE},
    [CONN_DOWN] = {"DOWN", ROLE_BAD},
    [CONN_RESYNC] = {"RESYNC", ROLE_WAIT},
    [CONN_AUTH] = {"AUTH", ROLE_BAD},
};

/* Describes how much of a snapshot has arrived. */
static int loading_text(const struct app *app, char *text, size_t size)
{
    const struct model *m = &app->model;
    size_t read = 0;

    for (size_t i = 0; i < m->tables[ROW_NODE].rows.len; i++)
        read += m->tables[ROW_NODE].rows.items[i]->seen && !m->tables[ROW_NODE].rows.items[i]->gone_ms;
    return m->expected > read ? snprintf(text, size, "%zu of %llu nodes", read, (unsigned long long)m->expected)
                              : snprintf(text, size, "%zu node%s, next is the rest", read, read == 1 ? "" : "s");
}

static void loading_banner(const struct app *app, char *text, size_t size)
{
    int64_t silent = app->conn.heard_ms ? (app->at.now_ms - app->conn.heard_ms) / 1000 : 0;
    int used = snprintf(text, size, "reading: ");

    used += loading_text(app, text + used, size - (size_t)used);
    if (silent >= 3)
        snprintf(text + used, size - (size_t)used, "; nothing came for %llds", (long long)silent);
    else if (app->model.filled)
        snprintf(text + used, size - (size_t)used, "; what is dim is older");
}

/* Why an empty list may not really be empty. */
static const char *not_read(const struct app *app, const struct list *list)
{
    return !app->model.filled && list->def->kinds & MODEL_TRADED ? "not read yet" : NULL;
}

static void down_banner(const struct app *app, char *text, size_t size)
{
    const struct connection *conn = &app->conn;
    int64_t left = conn->retry_ms > app->at.now_ms ? (conn->retry_ms - app->at.now_ms + 999) / 1000 : 0;
    int64_t heard_ns = conn->heard_ms ? app->wall_ns - (app->at.now_ms - conn->heard_ms) * NS_PER_MS : conn->since_ns;
    char when[AGO_MAX], age[AGO_MAX];
    int used;

    if (app->model.filled) {
        used = snprintf(text, size, "data of %s, %s old, changes are disabled",
                        timestamp_text(heard_ns, app->wall_ns, when), span_text(app->wall_ns - heard_ns, age));
    } else if (app->model.filling) {
        used = snprintf(text, size, "only ");
        used += loading_text(app, text + used, size - (size_t)used);
    } else {
        used = snprintf(text, size, "no connection");
    }
    snprintf(text + used, size - (size_t)used, "; retry %u in %llds ({retry} now): %s", conn->attempt + 1,
             (long long)left, conn->why ? conn->why : "");
}

/* The text that replaces the facts in an exceptional state; false: none. */
static bool banner(struct app *app, char *text, size_t size)
{
    struct connection *conn = &app->conn;

    if (past_banner(app, text, size))
        return true;
    if (app->frozen) {
        snprintf(text, size, "FROZEN, %zu change%s waiting ({freeze} resumes)", app->held.len,
                 app->held.len == 1 ? "" : "s");
        return true;
    }
    if (conn->state == CONN_AUTH) {
        snprintf(text, size, "access denied: %s", conn->why ? conn->why : "");
        return true;
    }
    if (app_late(app)) {
        snprintf(text, size,
                 "no sign of life for %llds: what you see may be stale, changes are disabled ({retry} retries)",
                 (long long)(app->at.now_ms - conn->heard_ms) / 1000);
        return true;
    }
    if (conn->state == CONN_LOADING) {
        loading_banner(app, text, size);
        return true;
    }
    if (conn->state != CONN_DOWN)
        return false;
    down_banner(app, text, size);
    return true;
}

/* All or nothing: part of a number is another number. Nothing is drawn after what did not fit. */
static int say(struct canvas *c, int col, int limit, enum role role, const char *text)
{
    return col + canvas_width(c, text) <= limit ? col + canvas_text(c, 1, col, limit - col, role, text) : limit;
}

static int say_name(struct canvas *c, int col, int limit, enum role role, const char *name)
{
    return col < limit ? col + canvas_name(c, 1, col, limit - col, role, name) : limit;
}

static int draw_crumbs(struct app *app, struct canvas *c, int col, int limit)
{
    const struct console_view *v = app->place.view;
    /* With several servers, show which one this is. */
    const char *domain = app->servers.len > 1 ? app->servers.items[app->server]
                         : app->model.server.base_domain && *app->model.server.base_domain
                             ? app->model.server.base_domain
                             : "headway";

    char crumb[8];
    snprintf(crumb, sizeof(crumb), " %s ", glyph_text(GLYPH_CRUMB, c->ascii));
    /* The names of a view's parts are more useful than the domain. */
    if (app->servers.len > 1 || c->cols >= (v->parts[0].name ? 100 : 80)) {
        col = say_name(c, col, limit, ROLE_FAINT, domain);
        col = say(c, col, limit, ROLE_FAINT, crumb);
    }
    col = say(c, col, limit, ROLE_CRUMB, v->tab ? v->tab->name : v->name);
    if (v->crumb) {
        col = say(c, col, limit, ROLE_FAINT, crumb);
        col = say_name(c, col, limit, ROLE_CRUMB, v->crumb(app));
    }
    for (int i = 0; i < VIEW_PARTS_MAX && v->parts[i].name; i++) {
        bool on = i == app->place.part;
        char part[24];

        snprintf(part, sizeof(part), on ? "[%s]" : " %s ", v->parts[i].name);
        col = say(c, col + (i == 0 ? 2 : 0), limit, on ? ROLE_TAB_ON : ROLE_TAB, part);
    }
    return col + 3;
}

/* The size without the filter. */
static size_t total_of(const struct app *app, const struct list *l)
{
    return l->def->total ? l->def->total(&app->model) : l->total;
}

/* Counts rows of the list's subject, not headings of groups or rows that wait to become members. */
static size_t shown_of(const struct list *l)
{
    size_t count = 0;

    if (!l->def->counted)
        return l->order.len;
    for (size_t i = 0; i < l->order.len; i++)
        count += (l->def->counted & 1U << l->order.items[i]->kind) != 0;
    return count;
}

/* The size, and how much of it is shown. */
static void count_text(struct app *app, char *text, size_t size)
{
    const struct list *l = app_list(app);
    size_t total = total_of(app, l);

    if (app_part(app)->count)
        app_part(app)->count(app, text, size);
    else if (*l->filter_text)
        snprintf(text, size, "%zu of %zu", shown_of(l), total);
    else
        snprintf(text, size, "%zu %s", total, total == 1 ? l->def->one : l->def->noun);
}

static int draw_counts(struct app *app, struct canvas *c, int col, int limit)
{
    struct list *l = app_list(app);
    struct rows marked = {0};
    size_t hidden = 0;
    char text[160];

    if (app->place.view->draw_facts)
        return app->place.view->draw_facts(app, c, col, limit);
    count_text(app, text, sizeof(text));
    col = say(c, col, limit, ROLE_TEXT, text) + 3;
    int filter = *l->filter_text ? canvas_width(c, l->filter_text) + 1 : 0;
    if (app_part(app)->trouble && app_part(app)->trouble(app, text, sizeof(text)) &&
        (!filter || col + canvas_width(c, text) + 3 + filter <= limit))
        col = say(c, col, limit, ROLE_WAIT, text) + 3;
    /* An active filter is always shown. */
    if (filter && col + 1 < limit) {
        col += canvas_text(c, 1, col, 1, ROLE_MATCH, "/");
        col += canvas_text(c, 1, col, limit - col, ROLE_MATCH, l->filter_text) + 3;
    }
    app_marked(app, &marked, &hidden);
    if (marked.len) {
        snprintf(text, sizeof(text), hidden ? "%zu marked (%zu hidden)" : "%zu marked", marked.len, hidden);
        col = say(c, col, limit, ROLE_MARK, text) + 3;
    }
    vec_release(&marked);
    if (l->anchor) {
        command_text(app, "range ({escape} ends)", text, sizeof(text));
        col = say(c, col, limit, ROLE_MARK, text) + 3;
    }
    if (l->waiting && list_held(l, app->at.now_ms)) {
        snprintf(text, sizeof(text), "%zu new (held)", l->waiting);
        col = say(c, col, limit, ROLE_CHANGED, text) + 3;
    }
    if (app->place.view->mode && app->place.view->mode(app))
        col = say(c, col, limit, ROLE_LIVE, app->place.view->mode(app)) + 3;
    if (app->plan_mode)
        col = say(c, col, limit, ROLE_WAIT, "PLAN (the next action is previewed)");
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
    } else if (app->conn.state == CONN_LIVE && (app->read_only || app->then.on)) {
        word = "READ-ONLY";
        role = ROLE_WAIT;
    }
    int limit = at.cols - canvas_width(c, word) - 3;
    if (banner(app, text, sizeof(text))) {
        char said[400];

        command_text(app, text, said, sizeof(said));
        canvas_text(c, at.row, 1, limit - 1, ROLE_TEXT, said);
        canvas_role(c, (struct rect){at.row, 0, 1, at.cols}, ROLE_BANNER);
        canvas_right(c, at.row, limit, at.cols - limit - 1, ROLE_BANNER, word);
        return;
    }
    draw_counts(app, c, draw_crumbs(app, c, 1, limit), limit);
    canvas_right(c, at.row, limit, at.cols - limit - 1, role, word);
}

static int by_rank(const void *a, const void *b)
{
    const struct console_command *p = **(const struct console_command **const *)a,
                                 *q = **(const struct console_command **const *)b;

    if (p->rank != q->rank)
        return p->rank < q->rank ? -1 : 1;
    return *(const struct console_command **const *)a < *(const struct console_command **const *)b ? -1 : 1;
}

/* Draws a command's key and hint; returns the column after it, or -1 if there is no room. */
static int draw_hint(struct app *app, struct canvas *c, int row, int col, int limit, size_t index, size_t marked)
{
    const struct console_command *command = app->commands.items[index];
    bool off = command_refusal(app, command) != NULL;
    struct buf keys = BUF_INIT(0);
    char label[48];

    command_keys(app, command, true, &keys);
    if (marked && (command->needs & FOR_MARKED))
        snprintf(label, sizeof(label), "%s(%zu)", command->hint, marked);
    else
        str_copy(label, sizeof(label), command->hint);
    int from = col, width = canvas_width(c, buf_text(&keys)) + 1 + canvas_width(c, label);
    if (col + width <= limit) {
        col += canvas_text(c, row, col, width, off ? ROLE_DISABLED : ROLE_KEY, buf_text(&keys)) + 1;
        col += canvas_text(c, row, col, width, off ? ROLE_DISABLED : ROLE_HINT, label);
        canvas_hit(c, (struct rect){row, from, 1, col - from}, HIT_COMMAND, (int)index);
    } else {
        col = -1;
    }
    buf_release(&keys);
    return col;
}

#define HINTS_MAX 64

/* Always at the right. Returns the column where it begins. */
static int draw_help_hint(struct app *app, struct canvas *c, struct rect at)
{
    const char *name = commands_where(app) == IN_EDIT ? "editor-help" : "help";
    struct buf keys = BUF_INIT(0);

    command_keys(app, commands_find(app, name, strlen(name)), true, &keys);
    int width = canvas_width(c, buf_text(&keys)), col = at.cols - 6 - width;
    canvas_text(c, at.row, col, width, ROLE_KEY, buf_text(&keys));
    canvas_text(c, at.row, at.cols - 5, 4, ROLE_HINT, "help");
    buf_release(&keys);
    return col;
}

static void draw_hints(struct app *app, struct canvas *c, struct rect at)
{
    const struct console_command **shown[HINTS_MAX]; /* places in the list of commands */
    size_t count = 0, hidden = 0;
    struct rows marked = {0};
    int col = 1;

    for (size_t i = 0; i < app->commands.len && count < HINTS_MAX; i++)
        if (app->commands.items[i]->hint && command_is_here(app, app->commands.items[i]))
            shown[count++] = &app->commands.items[i];
    qsort(shown, count, sizeof(*shown), by_rank);
    app_marked(app, &marked, &hidden);
    int limit = draw_help_hint(app, c, at) - 1;
    for (size_t i = 0; i < count && col >= 0; i++) {
        col = draw_hint(app, c, at.row, col, limit, (size_t)(shown[i] - app->commands.items), marked.len);
        col += col < 0 ? 0 : 2;
    }
    vec_release(&marked);
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
    canvas_textf(c, 2, 0, c->cols, waiting ? ROLE_WAIT : ROLE_TEXT, "%zu route%s waiting", waiting,
                 waiting == 1 ? "" : "s");
    canvas_textf(c, 3, 0, c->cols, ROLE_TEXT, "%zu waiting to join", app->model.tables[ROW_PENDING].index.len);
    canvas_textf(c, c->rows - 1, 0, c->cols, ROLE_HINT, "%dx%d: too small; i anyway, q quits", c->cols, c->rows);
}

static const char *why_empty(const struct app *app, const struct list *list, char *text, size_t size)
{
    if (app->then.on && (list->def->kinds & MODEL_TRADED) && !(list->def->kinds & MODEL_PAST))
        return "not known of the past: {escape} returns to now";
    if (not_read(app, list))
        return not_read(app, list);
    if (asked_missing(app, text, size))
        return text;
    if (app_part(app)->empty && app_part(app)->empty(app, text, size))
        return text;
    return *list->filter_text ? "nothing matches the filter; {escape} clears it" : list->def->empty;
}

static void draw_view(struct app *app, struct canvas *c)
{
    struct layout *l = &app->layout;
    const struct console_view *v = app->place.view;
    struct list *list = app_list(app);

    if (v->draw) {
        v->draw(app, c, l->body, !app->dialog || app->dialog->kind->list_focused);
    } else {
        char empty[120], said[160];
        struct list_look look = {.focused = true, .hit_rows = HIT_ROW, .hit_headers = HIT_COLUMN};

        look.empty = why_empty(app, list, empty, sizeof(empty));
        command_text(app, look.empty, said, sizeof(said));
        look.empty = said;
        list_draw(list, c, l->header, l->body, &app->at, &look);
    }
    pane_draw(app, c);
    if (l->peek.cols) {
        for (int i = 0; i < l->peek.rows; i++)
            canvas_glyph(c, l->peek.row + i, l->peek.col - 1, GLYPH_BAR);
        node_peek_draw(app, c, l->peek, list->cursor);
    }
    if (l->tail.rows)
        events_draw_tail(app, c, l->tail);
}

static void refresh(struct app *app)
{
    model_sweep(&app->model, app->at.now_ms);
    app_paste_tick(app);
    asked_tick(app);
    app->ticked_ms = app->at.now_ms;
    for (size_t i = 0; i < app->tables->view_count; i++)
        if (app->tables->views[i]->tick)
            app->tables->views[i]->tick(app);
    list_refresh(app_list(app), &app->model, &app->at);
}

static struct layout_wish layout_wish(const struct app *app, int rows, int cols)
{
    const struct console_view *v = app->place.view;
    bool listing = !v->draw, roomy = cols >= 140 && rows >= 30;
    int pane = app_part(app)->pane;

    return (struct layout_wish){
        .header = listing,
        .pane = pane == PANE_LARGE ? (rows * 2 / 5 > 8 ? rows * 2 / 5 : 8) : pane,
        .peek = listing && pane != PANE_LARGE && !app->canvas.plain && (app->peek_chosen ? app->peek : roomy),
        .tail = cols >= 140 && !v->no_tail && !app->canvas.plain,
        .force = app->force_small,
    };
}

static void draw_screen(struct app *app, int rows, int cols)
{
    struct canvas *c = &app->canvas;
    struct layout_wish wish = layout_wish(app, rows, cols);

    app->layout = layout_make(rows, cols, &wish);
    canvas_start(c, rows, cols);
    refresh(app);
    if (app->layout.too_small) {
        draw_small(app, c);
        return;
    }
    draw_view(app, c);
    bool first_read = app->conn.state == CONN_LOADING && !app->model.filled;
    if ((app->conn.state != CONN_LIVE && !first_read) || app->frozen || app_late(app) ||
        (app->then.on && app->then.request))
        canvas_flag(c, (struct rect){2, 0, rows - 4, cols}, CANVAS_DIM);
    tabs_draw(app, c, app->layout.tabs);
    draw_facts(app, c, app->layout.facts);
    if (app->dialog)
        app->dialog->kind->draw(app);
    else if (app->place.view->draw_over)
        app->place.view->draw_over(app, c);
    draw_hints(app, c, app->layout.hints);
    flash_line_draw(app, c, app->layout.flash);
}

static void save_display(struct app *app)
{
    struct buf text = BUF_INIT(0);
    struct err e;
    char *path = app->save_display;

    app->save_display = NULL;
    screen_text(&app->canvas, &text);
    if (file_create(path, buf_text(&text), text.len, 0600, &e) < 0)
        app_flash(app, ROLE_ERROR, "save-display: %s", e.message);
    else
        app_flash(app, ROLE_INFO, "the screen is in %s", path);
    buf_release(&text);
    free(path);
}

void app_draw(struct app *app, int rows, int cols)
{
    struct canvas *c = &app->canvas;

    draw_screen(app, rows, cols);
    /* On a narrow screen text that does not fit may extend beyond it. */
    c->cursor_col = c->cursor_col < c->cols ? c->cursor_col : c->cols - 1;
    c->cursor_row = c->cursor_row < c->rows ? c->cursor_row : c->rows - 1;
    if (app->save_display)
        save_display(app);
}
