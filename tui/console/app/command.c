/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/app/command.h"

#include <ctype.h>

#include "base/str.h"
#include "console/app/app.h"

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

/* Calls use for each key of the command until it returns true. */
static bool each_key(const struct console_command *c, bool (*use)(const char *name, void *arg), void *arg)
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
        if (command_is_here(app, app->commands.items[i]) && each_key(app->commands.items[i], is_key, &key))
            return app->commands.items[i];
    return NULL;
}

const struct console_command *commands_find(const struct app *app, const char *name, size_t len)
{
    const struct console_command *found = NULL;

    for (size_t i = 0; i < app->commands.len; i++) {
        const struct console_command *c = app->commands.items[i];

        if (strncmp(c->name, name, len) != 0)
            continue;
        if (!c->name[len])
            return c;
        if (found)
            return NULL;
        found = c;
    }
    return len ? found : NULL;
}

const char *command_refusal(struct app *app, const struct console_command *c)
{
    if (!command_is_here(app, c))
        return "it does not work in this view";
    if (c->needs & NEED_ROW) {
        const struct row *row = app_list(app)->cursor;

        if (!row && !app_node(app))
            return "there is nothing here to do it with";
        if (row && row->gone_ms && (c->needs & NEED_WRITE))
            return "it was deleted a moment ago";
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

void command_run_line(struct app *app, const char *line)
{
    line += strspn(line, " ");
    size_t len = strcspn(line, " ");
    const struct console_command *c = commands_find(app, line, len);

    if (!len)
        return;
    if (len == 1 && *line == 'q')
        c = commands_find(app, "quit", 4);
    if (!c) {
        app_flash(app, ROLE_WARN, "there is no command '%.*s'; ? lists them", (int)len, line);
        return;
    }
    line += len;
    command_run(app, c, line + strspn(line, " "));
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
    each_key(c, add_key, &list);
}

/* What works in every list is told once. */
static bool is_everywhere(const struct console_command *c)
{
    return (c->where & IN_LISTS) == IN_LISTS && !c->only;
}

static bool add_macro_key(const char *name, void *arg)
{
    struct buf *out = arg;

    /* In mdoc a backslash is written \e, and punctuation on its own would not be set as a word. */
    const char *between = out->data[out->len - 1] == ' ' ? "" : ", ";
    buf_addf(out, "%s%s%s", between, strlen(name) == 1 && ispunct((unsigned char)*name) ? "\\&" : "",
             str_eq(name, "\\") ? "\\e" : name);
    return false;
}

static void manual_item(const struct console_command *c, struct buf *out)
{
    buf_adds(out, ".It Sy ");
    if (*c->keys)
        each_key(c, add_macro_key, out);
    else
        buf_addf(out, "\\&:%s", c->name);
    buf_addf(out, "\n%s%s.\n", c->help,
             c->risk == RISK_TYPE  ? " (asks, and a word has to be typed)"
             : c->risk == RISK_ASK ? " (asks first)"
                                   : "");
}

/* where 0: everywhere. */
static void manual_section(const struct command_list *all, const char *title, unsigned where, struct buf *out)
{
    buf_addf(out, ".Ss %s\n.Bl -tag -width Ds -compact\n", title);
    for (size_t i = 0; i < all->len; i++)
        if (where ? (all->items[i]->where & where) && !is_everywhere(all->items[i]) : is_everywhere(all->items[i]))
            manual_item(all->items[i], out);
    buf_adds(out, ".El\n");
}

void commands_manual(const struct console_tables *tables, struct buf *out)
{
    struct command_list all = {0};

    commands_collect(tables, &all);
    buf_adds(out, ".Sh KEYS\n");
    manual_section(&all, "Everywhere", 0, out);
    for (size_t i = 0; i < tables->view_count; i++)
        for (int k = 0; k < VIEW_SECTIONS_MAX && tables->views[i]->sections[k].title; k++)
            manual_section(&all, tables->views[i]->sections[k].title, tables->views[i]->sections[k].where, out);
    buf_adds(out, ".Sh COMMANDS\nA colon opens the prompt; Tab and the right arrow take what is suggested.\n"
                  "A unique beginning of a name is enough.\n.Bl -tag -width Ds -compact\n");
    for (size_t i = 0; i < all.len; i++)
        buf_addf(out, ".It Ic %s%s%s\n%s.\n", all.items[i]->name, all.items[i]->args ? " " : "",
                 all.items[i]->args ? all.items[i]->args : "", all.items[i]->help);
    buf_adds(out, ".El\n");
    vec_release(&all);
}
