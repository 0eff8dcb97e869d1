/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/app/dispatch.h"

#include "base/str.h"

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

bool command_each_key(const struct console_command *c, bool (*use)(const char *name, void *arg), void *arg)
{
    const char *at = c->keys;
    char name[KEY_NAME_MAX];

    while (*at) {
        size_t len = strcspn(at, " ");

        memcpy(name, at, len < sizeof(name) ? len : sizeof(name) - 1);
        name[len < sizeof(name) ? len : sizeof(name) - 1] = '\0';
        if (use(name, arg))
            return true;
        at += len + (at[len] == ' ');
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
        if (command_is_here(app, app->commands.items[i]) && command_each_key(app->commands.items[i], is_key, &key))
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

const char *command_refusal(struct app *app, const struct console_command *c)
{
    if (!command_is_here(app, c))
        return "it is not available in this view";
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

void command_keys(const struct console_command *c, bool first_only, struct buf *out)
{
    struct key_list list = {.out = out, .first_only = first_only};

    buf_clear(out);
    command_each_key(c, add_key, &list);
}

bool command_is_everywhere(const struct console_command *c)
{
    return (c->where & IN_LISTS) == IN_LISTS && !c->only;
}
