/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of the application and its changes: places, messages from the network, marks. */
#include "console/app/app.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

static void place_release(struct view_place *place)
{
    free(place->node);
    free(place->filter);
    place->node = place->filter = NULL;
}

void undo_release(struct undo *u)
{
    strs_release(&u->events);
    free(u->text);
}

void undos_release(struct undos *u)
{
    for (size_t i = 0; i < u->len; i++)
        undo_release(&u->items[i]);
    vec_release(u);
}

void app_time(struct app *app, int64_t wall_ns, int64_t mono_ms)
{
    app->wall_ns = wall_ns + app->clock_skew_ns;
    app->at.now_ms = mono_ms;
    app_time_again(app);
}

void app_time_again(struct app *app)
{
    app->at.now_ns = app->then.on ? app->then.at_ns : app->wall_ns;
}

/* ---- places ---- */

static size_t view_index(const struct app *app, const struct console_view *view)
{
    size_t i = 0;

    while (app->tables->views[i] != view)
        i++;
    return i;
}

struct list *view_list(const struct app *app, const struct console_view *view, int part)
{
    return &app->views[view_index(app, view)].lists[part];
}

void *view_state(const struct app *app, const struct console_view *view)
{
    return app->views[view_index(app, view)].data;
}

int view_part_count(const struct console_view *view)
{
    int count = 0;

    while (count < VIEW_PARTS_MAX && view->parts[count].def)
        count++;
    return count;
}

const struct view_part *app_part(const struct app *app)
{
    return &app->place.view->parts[app->place.part];
}

struct list *app_list(const struct app *app)
{
    return view_list(app, app->place.view, app->place.part);
}

struct m_node *app_node(const struct app *app)
{
    return app->place.node ? model_find(&app->model, ROW_NODE, app->place.node) : NULL;
}

static struct view_place place_copy(const struct view_place *place)
{
    struct view_place copy = *place;

    copy.node = place->node ? mem_strdup(place->node) : NULL;
    copy.filter = place->filter ? mem_strdup(place->filter) : NULL;
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
    if (app->then.on && place.view->then) {
        app->then.instead = place.view;
        place.view = place.view->then;
        place.part = 0;
    }
    place_release(&app->last);
    app->last = app->place;
    app->place = place;
    app_list(app)->anchor = NULL;
    if (place.view->enter)
        place.view->enter(app);
}

void app_go(struct app *app, const struct console_view *view, int part, const char *node)
{
    if (view == app->place.view && part == app->place.part &&
        (!node || (app->place.node && str_eq(node, app->place.node))))
        return;
    push(app->back, &app->back_len, place_copy(&app->place));
    while (app->forward_len)
        place_release(&app->forward[--app->forward_len]);
    enter(app, (struct view_place){.view = view, .part = part, .node = node ? mem_strdup(node) : NULL});
}

/* The number of the view's part whose name begins arg, and the rest of arg. */
static const char *find_part(const struct console_view *view, const char *arg, int *part)
{
    size_t len = strcspn(arg, " ");

    for (int i = 0; i < view_part_count(view); i++) {
        const char *name = view->parts[i].name;

        if (len && name && strlen(name) == len && strncmp(name, arg, len) == 0) {
            *part = i;
            return arg + len + strspn(arg + len, " ");
        }
    }
    return arg;
}

static void set_filter(struct app *app, struct list *l, const char *filter)
{
    struct err e;

    if (list_filter(l, filter, NULL, &e) < 0)
        app_flash(app, ROLE_WARN, "%s", e.message);
}

void app_jump(struct app *app, const struct console_view *view, const char *part, const char *filter)
{
    int to = 0;

    find_part(view, part, &to);
    bool stays = view == app->place.view && to == app->place.part;
    char *before = mem_strdup(view_list(app, view, to)->filter_text);
    app_go(app, view, to, NULL);
    set_filter(app, app_list(app), filter);
    if (!stays)
        mem_replace(&app->place.filter, before);
    free(before);
}

bool app_back(struct app *app)
{
    if (!app->back_len)
        return false;
    if (app->place.filter)
        set_filter(app, app_list(app), app->place.filter);
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

void app_places_release(struct app *app)
{
    while (app->back_len)
        place_release(&app->back[--app->back_len]);
    while (app->forward_len)
        place_release(&app->forward[--app->forward_len]);
    place_release(&app->place);
    place_release(&app->last);
}

void view_open(struct app *app, const struct console_view *view, const char *arg)
{
    int part = app->place.view == view ? app->place.part : 0;
    const char *filter = find_part(view, arg, &part);

    app_go(app, view, part, NULL);
    if (*filter && view->words && view->words(app, filter != arg, filter))
        return;
    /* ":nodes @prod /web": a filter may have the slash that starts one elsewhere. */
    if (*filter) {
        char *words = mem_strdup(filter), *blank = strstr(words, " /");
        char *slash = *words == '/' ? words : blank ? blank + 1 : NULL;

        if (slash)
            memmove(slash, slash + 1, strlen(slash));
        set_filter(app, app_list(app), words);
        free(words);
    }
}

const char *app_unsaved(struct app *app)
{
    const char *what = NULL;

    for (size_t i = 0; i < app->tables->view_count && !what; i++)
        if (app->tables->views[i]->unsaved)
            what = app->tables->views[i]->unsaved(app);
    return what;
}

/* ---- what the user is told ---- */

#define MESSAGES_MAX 200

/* A repeated message is counted, not listed again. */
static void keep_message(struct app *app, const char *text)
{
    if (app->messages.len > 0) {
        struct app_message *last = &app->messages.items[app->messages.len - 1];
        if (str_eq(last->text, text)) {
            last->count++;
            last->time_ns = app->wall_ns;
            return;
        }
    }
    vec_push(&app->messages, ((struct app_message){.text = mem_strdup(text), .time_ns = app->wall_ns, .count = 1}));
    if (app->messages.len > MESSAGES_MAX) {
        free(app->messages.items[0].text);
        vec_remove(&app->messages, 0);
    }
}

void app_flash(struct app *app, enum role role, const char *format, ...)
{
    char text[FLASH_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    mem_replace(&app->flash.text, text);
    app->flash.role = role;
    app->flash.until_ms = role == ROLE_ERROR ? 0 : app->at.now_ms + FLASH_MS;
    keep_message(app, text);
}

void app_copy(struct app *app, const char *text, const char *what)
{
    if (app->clipboard)
        explicit_bzero(app->clipboard, strlen(app->clipboard));
    mem_replace(&app->clipboard, text);
    app_flash(app, ROLE_INFO, "sent to the terminal's clipboard: %s", what);
}

void app_repeat_with(struct app *app, const char *arg)
{
    mem_replace(&app->repeat_arg, arg);
}

bool app_late(const struct app *app)
{
    return app->conn.state == CONN_LIVE && app->conn.heard_ms && app->at.now_ms - app->conn.heard_ms > LATE_MS;
}

const char *app_why_not_write(const struct app *app)
{
    if (app->read_only)
        return "your API key is read-only: changes need one with full access";
    if (app->then.on)
        return "this is the past: {escape} returns to now";
    if (app->frozen)
        return "the screen is frozen: {freeze} resumes";
    if (app_late(app))
        return "the server does not respond: what you see may be stale";
    if (app->conn.state == CONN_LOADING)
        return "the tailnet is still being read";
    return app->conn.state == CONN_LIVE ? NULL : "not connected: what you see may be stale";
}

/* ---- what comes in ---- */

/* In the past: journal entries are added to the others; the rest is applied to the objects of now. */
static struct applied apply_behind(struct app *app, struct model_delta *delta)
{
    struct model_delta events = {0};
    size_t kept = 0;

    for (size_t i = 0; i < delta->rows.len; i++)
        if (delta->rows.items[i]->kind == ROW_EVENT)
            vec_push(&events.rows, delta->rows.items[i]);
        else
            delta->rows.items[kept++] = delta->rows.items[i];
    delta->rows.len = kept;
    model_apply(&app->model, &events, app->at.now_ms);
    struct applied done = model_apply(&app->then.other, delta, app->at.now_ms);
    model_sweep(&app->then.other, app->at.now_ms);
    return done;
}

void app_apply(struct app *app, struct model_delta *delta)
{
    if (app->then.on)
        apply_behind(app, delta);
    else
        model_apply(&app->model, delta, app->at.now_ms);
}

/* Until the user moves, the cursor starts at the top, whatever is sorted in above it. */
static void stay_at_top(struct app *app)
{
    for (size_t i = 0; i < app->tables->view_count; i++)
        for (int part = 0; part < view_part_count(app->tables->views[i]); part++)
            list_stay_at_top(&app->views[i].lists[part]);
}

static void apply(struct app *app, struct model_delta *delta)
{
    bool begins = delta->begins, ends = delta->ends, filled = app->model.filled;

    if (delta->time_ns && begins)
        app->clock_skew_ns += delta->time_ns - app->wall_ns;
    if (begins)
        app->loaded = (struct applied){0};
    struct applied done = app->then.on ? apply_behind(app, delta) : model_apply(&app->model, delta, app->at.now_ms);
    app->loaded.added += done.added;
    app->loaded.changed += done.changed;
    app->loaded.gone += done.gone;
    done = app->loaded;
    if (ends && filled && (done.added || done.changed || done.gone))
        app_flash(app, ROLE_INFO, "reconnected: %zu new, %zu changed, %zu gone meanwhile", done.added, done.changed,
                  done.gone);
    if (!filled)
        stay_at_top(app);
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

/* ---- marks and targets ---- */

static void add_marked(struct rows *out, struct row *row)
{
    if (row->marked && !row->gone_ms)
        vec_push(out, row);
}

void app_marked(const struct app *app, struct rows *out, size_t *hidden)
{
    const struct list *l = app_list(app);
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

/* In screen order; those hidden by a filter come last. */
static void order_as_shown(const struct list *l, struct rows *rows)
{
    struct rows sorted = {0};
    struct map marked = {0};

    for (size_t i = 0; i < rows->len; i++)
        map_putu(&marked, (uintptr_t)rows->items[i], rows->items[i]);
    for (size_t i = 0; i < l->order.len; i++)
        if (map_delu(&marked, (uintptr_t)l->order.items[i]))
            vec_push(&sorted, l->order.items[i]);
    for (size_t i = 0; i < rows->len; i++)
        if (map_getu(&marked, (uintptr_t)rows->items[i]))
            vec_push(&sorted, rows->items[i]);
    map_release(&marked);
    vec_release(rows);
    *rows = sorted;
}

void app_targets(struct app *app, struct rows *out)
{
    struct list *l = app_list(app);
    size_t hidden;

    app_marked(app, out, &hidden);
    if (out->len > 1)
        order_as_shown(l, out);
    if (!out->len && l->cursor)
        vec_push(out, l->cursor);
}
