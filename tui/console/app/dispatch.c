/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/app/dispatch.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"

#define PLACES_NAMED 4 /* in one line */

static void add_table(struct command_list *out, const struct command_table *table)
{
    for (size_t i = 0; table && i < table->len; i++)
        vec_push(out, &table->items[i]);
}

void commands_collect(const struct console_tables *tables, struct command_list *out)
{
    for (size_t i = 0; i < tables->view_count; i++)
        add_table(out, tables->views[i]->commands);
    for (size_t i = 0; i < tables->command_tables; i++)
        add_table(out, tables->commands[i]);
}

const char *command_bound(const struct app *app, const struct console_command *c)
{
    for (size_t i = 0; i < app->bindings.len; i++)
        if (app->bindings.items[i].command == c)
            return app->bindings.items[i].keys;
    return c->keys;
}

bool keys_each(const char *keys, bool (*use)(const char *name, void *arg), void *arg)
{
    char name[KEY_NAME_MAX];

    while (*keys) {
        size_t len = strcspn(keys, " ");

        memcpy(name, keys, len < sizeof(name) ? len : sizeof(name) - 1);
        name[len < sizeof(name) ? len : sizeof(name) - 1] = '\0';
        if (use(name, arg))
            return true;
        keys += len + (keys[len] == ' ');
    }
    return false;
}

static bool is_key(const char *name, void *arg)
{
    return key_named(name) == *(int *)arg;
}

unsigned commands_where(const struct app *app)
{
    return app->place.view->where ? app->place.view->where(app) : app_part(app)->where;
}

bool command_is_here(const struct app *app, const struct console_command *c)
{
    return (c->where & commands_where(app)) && (!c->only || c->only == app->place.view);
}

const struct console_command *commands_for_key(const struct app *app, int key)
{
    for (size_t i = 0; i < app->commands.len; i++)
        if (command_is_here(app, app->commands.items[i]) &&
            keys_each(command_bound(app, app->commands.items[i]), is_key, &key))
            return app->commands.items[i];
    return NULL;
}

const struct console_command *commands_find(const struct app *app, const char *name, size_t len)
{
    const struct console_command *found = NULL, *here = NULL;
    size_t count = 0, count_here = 0;

    for (size_t i = 0; i < app->commands.len; i++) {
        const struct console_command *c = app->commands.items[i];

        if (strncmp(c->name, name, len) != 0)
            continue;
        if (!c->name[len])
            return c;
        found = c;
        count++;
        if (command_is_here(app, c)) {
            here = c;
            count_here++;
        }
    }
    if (!len)
        return NULL;
    return count == 1 ? found : count_here == 1 ? here : NULL;
}

/* The command named by "{name}" at the start of a text, and the length of that; NULL: there is none. */
static const struct console_command *named_in(const struct app *app, const char *text, size_t *len)
{
    size_t name = *text == '{' ? strcspn(text + 1, "} ") : 0;
    const struct console_command *c = name && text[name + 1] == '}' ? commands_find(app, text + 1, name) : NULL;

    *len = name + 2;
    return c && strlen(c->name) == name ? c : NULL;
}

void command_text(const struct app *app, const char *text, char *out, size_t size)
{
    struct buf b = BUF_INIT(0), keys = BUF_INIT(0);
    size_t len;

    while (*text) {
        const struct console_command *c = named_in(app, text, &len);

        if (!c) {
            buf_addc(&b, *text++);
            continue;
        }
        command_keys(app, c, true, &keys);
        buf_addf(&b, "%s%s", keys.len ? "" : ":", keys.len ? keys.data : c->name);
        text += len;
    }
    str_copy(out, size, buf_text(&b));
    buf_release(&keys);
    buf_release(&b);
}

void command_section(const struct app *app, struct canvas *c, struct rect at, const char *left, const char *right)
{
    char text[80];

    command_text(app, right, text, sizeof(text));
    canvas_section(c, at.row, at.col, at.cols, left, text);
}

/* Names each view once, or those of its lists in which the command works. */
static void add_view(const struct console_view *view, const struct console_command *c, struct buf *out, size_t *count)
{
    int parts = view_part_count(view), works = 0;

    for (int part = 0; part < parts; part++)
        works += (view->parts[part].where & c->where) != 0;
    for (int part = 0; part < parts && works; part++) {
        if (!(view->parts[part].where & c->where))
            continue;
        if ((*count)++ < PLACES_NAMED)
            buf_addf(out, "%s:%s", *count > 1 ? ", " : "", view->name);
        if (*count <= PLACES_NAMED && works < parts)
            buf_addf(out, " %s", view->parts[part].name);
        else if (*count <= PLACES_NAMED && view->digit)
            buf_addf(out, " (%c)", view->digit);
        if (works == parts)
            return;
    }
}

char *command_places(const struct app *app, const struct console_command *c)
{
    struct buf places = BUF_INIT(0);
    size_t count = 0;

    for (size_t i = 0; i < app->tables->view_count; i++)
        if (!c->only || c->only == app->tables->views[i])
            add_view(app->tables->views[i], c, &places, &count);
    if (count > PLACES_NAMED)
        buf_adds(&places, ", ...");
    return count ? buf_take(&places) : NULL;
}

const struct console_command *commands_elsewhere(const struct app *app, int key)
{
    for (size_t i = 0; i < app->commands.len; i++)
        if (keys_each(command_bound(app, app->commands.items[i]), is_key, &key))
            return app->commands.items[i];
    return NULL;
}

const char *command_not_here(struct app *app, const struct console_command *c)
{
    char *places = command_places(app, c);

    snprintf(app->refusal, sizeof(app->refusal), "it is not available in this view%s%s", places ? ", but in " : "",
             places ? places : "");
    free(places);
    return app->refusal;
}

static const char *refusal(struct app *app, const struct console_command *c)
{
    if (!command_is_here(app, c))
        return command_not_here(app, c);
    if (c->needs & NEED_ROW) {
        const struct row *row = app_list(app)->cursor;

        if (!row && !app_node(app))
            return "nothing is selected";
        if (row && row->gone_ms && (c->needs & NEED_WRITE))
            return "it has just been deleted";
        if (row && (c->needs & NEED_SHOWN) && app_list(app)->cursor_hidden)
            return "the selected row is not on the screen";
    }
    if (c->needs & NEED_WRITE) {
        const char *why = app_why_not_write(app);

        if (why)
            return why;
    }
    return c->refuse ? c->refuse(app) : NULL;
}

const char *command_refusal(struct app *app, const struct console_command *c)
{
    const char *why = refusal(app, c);

    if (!why || !strchr(why, '{'))
        return why;
    command_text(app, why, app->refusal, sizeof(app->refusal));
    return app->refusal;
}

void command_run(struct app *app, const struct console_command *c, const char *arg)
{
    const char *why = command_refusal(app, c);

    if (why) {
        app_flash(app, ROLE_WARN, "%s: %s", c->name, why);
        return;
    }
    if ((c->needs & NEED_WRITE) && !(c->needs & NO_REPEAT)) {
        app->repeat = c;
        app_repeat_with(app, arg);
    }
    if (c->opens)
        view_open(app, c->opens, arg);
    else
        c->run(app, arg);
}

const char *command_completion(struct app *app, const struct console_command *c, size_t index)
{
    if (c->complete)
        return c->complete(app, index);
    return c->opens && index < VIEW_PARTS_MAX ? c->opens->parts[index].name : NULL;
}

struct key_list {
    struct buf *out;
    bool first_only;
};

static bool add_key(const char *name, void *arg)
{
    struct key_list *list = arg;

    buf_addf(list->out, "%s%s", list->out->len ? " " : "", str_eq(name, "Space") ? "Spc" : name);
    return list->first_only;
}

void command_keys(const struct app *app, const struct console_command *c, bool first_only, struct buf *out)
{
    struct key_list list = {.out = out, .first_only = first_only};

    buf_clear(out);
    keys_each(command_bound(app, c), add_key, &list);
}

bool command_is_everywhere(const struct console_command *c)
{
    return (c->where & IN_LISTS) == IN_LISTS && !c->only;
}

/* ---- keys of the user's own ---- */

static void unbind(struct app *app, const struct console_command *c)
{
    for (size_t i = app->bindings.len; i-- > 0;)
        if (app->bindings.items[i].command == c) {
            free(app->bindings.items[i].keys);
            vec_remove(&app->bindings, i);
        }
}

static bool meet(const struct console_command *a, const struct console_command *b)
{
    return (a->where & b->where) && (!a->only || !b->only || a->only == b->only);
}

struct collision {
    const struct app *app;
    const struct console_command *command, *other;
    char key[KEY_NAME_MAX];
};

static bool collides(const char *name, void *arg)
{
    struct collision *c = arg;
    int key = key_named(name);

    for (size_t i = 0; i < c->app->commands.len; i++) {
        const struct console_command *other = c->app->commands.items[i];

        if (other != c->command && meet(other, c->command) && keys_each(command_bound(c->app, other), is_key, &key)) {
            c->other = other;
            str_copy(c->key, sizeof(c->key), name);
            return true;
        }
    }
    return false;
}

/* In the editor letters are text. */
static bool is_letter(const char *name, void *arg)
{
    int key = key_named(name);

    (void)arg;
    return key >= 0x20 && key < 0x7f;
}

int command_bind(struct app *app, const char *name, const char *keys, struct err *e)
{
    const struct console_command *c = commands_find(app, name, strlen(name));

    if (!c || !str_eq(c->name, name))
        return err_set(e, ERR_INVALID, "there is no command '%.60s'", name);
    if ((c->where & IN_EDIT) && keys_each(keys, is_letter, NULL))
        return err_set(e, ERR_INVALID, "%s works where letters are typed: its keys cannot be letters", name);
    unbind(app, c);
    vec_push(&app->bindings, ((struct key_binding){.command = c, .keys = mem_strdup(keys)}));
    return 0;
}

int commands_check_bindings(struct app *app, struct err *e)
{
    for (size_t i = 0; i < app->bindings.len; i++) {
        struct collision c = {.app = app, .command = app->bindings.items[i].command};

        if (!keys_each(app->bindings.items[i].keys, collides, &c))
            continue;
        unbind(app, c.command);
        return err_set(e, ERR_CONFLICT, "%s and %s would share the key %s", c.command->name, c.other->name, c.key);
    }
    return 0;
}

void commands_unbind(struct app *app)
{
    while (app->bindings.len)
        unbind(app, app->bindings.items[0].command);
    vec_release(&app->bindings);
}
