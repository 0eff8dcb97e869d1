/* SPDX-License-Identifier: BSD-3-Clause */
/* What concerns the console itself: prompt, help, messages, server, settings, the screen. */
#include "console/commands/general.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/app/command_line.h"
#include "console/app/dispatch.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/help.h"
#include "console/dialogs/prompt.h"

#define SOURCE_MAX (1U << 16)

static void cmd_prompt(struct app *app, const char *arg)
{
    (void)arg;
    prompt_open(app, PROMPT_COMMAND, "");
}

static void run_action(struct app *app, const char *name)
{
    const struct console_command *c = commands_find(app, name, strlen(name));

    /* What the command asks lies over the view, not over the menu. */
    dialog_close(app);
    if (c)
        command_run(app, c, "");
}

/* Those for what is selected come first: they have a hint, or change something. */
static bool is_action(const struct console_command *c)
{
    return (c->needs & NEED_ROW) && !str_eq(c->name, "actions");
}

static void add_actions(struct app *app, bool possible)
{
    for (size_t i = 0; i < app->commands.len; i++) {
        const struct console_command *c = app->commands.items[i];
        const char *why = command_is_here(app, c) && is_action(c) ? command_refusal(app, c) : "";
        struct buf keys = BUF_INIT(0);

        if (!command_is_here(app, c) || !is_action(c) || !why != possible)
            continue;
        command_keys(app, c, true, &keys);
        char *line = why ? mem_format("%-6s %-14s not now: %s", buf_text(&keys), c->name, why)
                         : mem_format("%-6s %-14s %s", buf_text(&keys), c->name, c->help);
        dialog_add_choice(app, c->name, line);
        free(line);
        buf_release(&keys);
    }
}

static void cmd_actions(struct app *app, const char *arg)
{
    const struct row *row = app_list(app)->cursor;
    char *of = row ? row_title(row) : mem_strdup(app_node(app) ? row_label(&app_node(app)->row) : "");
    char *title = mem_format("actions: %s", of);

    (void)arg;
    dialog_choice(app, title, "Enter run   letters narrow   Esc cancel", run_action);
    app->dialog->label = "find: ";
    add_actions(app, true);
    add_actions(app, false);
    free(title);
    free(of);
}

static void cmd_help(struct app *app, const char *arg)
{
    (void)arg;
    dialog_help(app);
}

static void cmd_peek(struct app *app, const char *arg)
{
    (void)arg;
    app->peek = app->peek_chosen ? !app->peek : app->layout.peek.cols == 0;
    app->peek_chosen = true;
    if (app_part(app)->pane)
        app_flash(app, ROLE_INFO, "the pane below already shows it");
    else if (app->canvas.cols < LAYOUT_PEEK_COLS)
        app_flash(app, ROLE_WARN, "the side pane needs %d columns", LAYOUT_PEEK_COLS);
}

static void cmd_freeze(struct app *app, const char *arg)
{
    (void)arg;
    if (app->then.on)
        app_flash(app, ROLE_INFO, "the past does not move: {escape} returns to now");
    else if (app->frozen)
        app_thaw(app);
    else
        app->frozen = true;
}

static void cmd_messages(struct app *app, const char *arg)
{
    struct buf text = BUF_INIT(0);
    char stamp[AGO_MAX];

    (void)arg;
    for (size_t i = app->messages.len; i-- > 0;) {
        const struct app_message *m = &app->messages.items[i];
        char said[400];

        command_text(app, m->text, said, sizeof(said));
        buf_addf(&text, "%s\t%s", timestamp_text(m->time_ns, app->at.now_ns, stamp), said);
        if (m->count > 1)
            buf_addf(&text, " (%u times)", m->count);
        buf_addc(&text, '\n');
    }
    if (!text.len)
        buf_adds(&text, "no messages yet\n");
    dialog_text(app, "messages", buf_take(&text));
}

static void go_to_server(struct app *app, const char *name)
{
    for (size_t i = 0; i < app->servers.len; i++)
        if (str_eq(app->servers.items[i], name)) {
            app->want_server = i != app->server;
            app->server = i;
            return;
        }
    app_flash(app, ROLE_WARN, "your list has no server '%s'", name);
}

static void cmd_server(struct app *app, const char *arg)
{
    if (app->plans) {
        app_flash(app, ROLE_WARN, "server: a change is still being sent");
    } else if (app_unsaved(app)) {
        app_flash(app, ROLE_WARN, "server: %s; save or drop them first", app_unsaved(app));
    } else if (*arg) {
        go_to_server(app, arg);
    } else if (app->servers.len < 2) {
        app_flash(app, ROLE_INFO, "your list has no other server: see headway-console(1)");
    } else {
        dialog_choice(app, "servers", "Enter connect   Esc cancel", go_to_server);
        app->dialog->label = "server: ";
        for (size_t i = 0; i < app->servers.len; i++) {
            char *line = mem_format("%s%s", app->servers.items[i], i == app->server ? "  (here)" : "");

            dialog_add_choice(app, app->servers.items[i], line);
            free(line);
        }
    }
}

static void use_theme(struct app *app, const char *name)
{
    struct err e = {0};
    int theme = theme_choose(name, &e);

    if (theme < 0) {
        app_flash(app, ROLE_WARN, "%s", e.message);
        return;
    }
    app->theme = theme;
    app->colour_changes++;
}

static const char *theme_names(struct app *app, size_t index)
{
    (void)app;
    return theme_name((int)index);
}

static void cmd_theme(struct app *app, const char *arg)
{
    if (!*arg)
        app_flash(app, ROLE_INFO, "the theme is %s", theme_name(app->theme));
    else
        use_theme(app, arg);
}

static void cmd_set(struct app *app, const char *arg)
{
    const char *value = arg + strcspn(arg, " ");
    size_t len = (size_t)(value - arg);

    value += strspn(value, " ");
    if (len == 5 && strncmp(arg, "theme", 5) == 0 && *value) {
        use_theme(app, value);
    } else if (len == 5 && strncmp(arg, "mouse", 5) == 0 && (str_eq(value, "on") || str_eq(value, "off"))) {
        app->mouse = str_eq(value, "on");
    } else {
        app_flash(app, ROLE_WARN, "usage: set theme NAME, or set mouse on|off");
    }
}

static bool is_no_key(const char *name, void *arg)
{
    mem_replace((char **)arg, name);
    return key_named(name) < 0;
}

/* Names beside the command name no keys: it then has none. */
static void cmd_bind(struct app *app, const char *arg)
{
    size_t len = strcspn(arg, " ");
    const char *keys = arg + len + strspn(arg + len, " ");
    char *name = mem_strndup(arg, len), *key = NULL;
    struct err e;

    if (!*name)
        app_flash(app, ROLE_WARN, "usage: bind COMMAND KEY...");
    else if (keys_each(keys, is_no_key, &key))
        app_flash(app, ROLE_WARN, "there is no key '%.40s'", key);
    else if (command_bind(app, name, keys, &e) < 0 || commands_check_bindings(app, &e) < 0)
        app_flash(app, ROLE_WARN, "%s", e.message);
    else
        app_flash(app, ROLE_INFO, "%s: %s", name, *keys ? keys : "no key");
    free(name);
    free(key);
}

/* Runs each line of a file that is neither empty nor begins with '#', until one asks something. */
static void run_lines(struct app *app, char *text)
{
    char *next;

    for (char *line = text; line && *line && !app->dialog; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        line += strspn(line, " \t:");
        if (*line && *line != '#')
            command_run_line(app, line);
    }
}

static void cmd_source(struct app *app, const char *arg)
{
    struct buf text = BUF_INIT(SOURCE_MAX);
    struct err e;

    if (!*arg) {
        app_flash(app, ROLE_WARN, "source: which file?");
    } else if (app->sourcing) {
        app_flash(app, ROLE_WARN, "a file that is run cannot run another one");
    } else if (file_read(arg, FILE_REGULAR, &text, &e) < 0) {
        app_flash(app, ROLE_ERROR, "source: %s", e.message);
    } else {
        app->sourcing = true;
        run_lines(app, text.data);
        app->sourcing = false;
    }
    buf_release(&text);
}

static void cmd_retry(struct app *app, const char *arg)
{
    (void)arg;
    if (app->conn.state == CONN_LIVE && !app_late(app))
        app_flash(app, ROLE_INFO, "already connected: what you see is current");
    else if (app->net.retry)
        app->net.retry(app->net.context);
}

static void cmd_repaint(struct app *app, const char *arg)
{
    (void)arg;
    app->want_repaint = true;
}

static void cmd_suspend(struct app *app, const char *arg)
{
    (void)arg;
    app->want_suspend = true;
}

static void cmd_quit(struct app *app, const char *arg)
{
    (void)arg;
    app->quit = true;
}

static void cmd_save_display(struct app *app, const char *arg)
{
    if (*arg)
        mem_replace(&app->save_display, arg);
    else
        app_flash(app, ROLE_WARN, "save-display: which file?");
}

static void cmd_plan(struct app *app, const char *arg)
{
    (void)arg;
    app->plan_mode = !app->plan_mode;
}

static const char *server_names(struct app *app, size_t index)
{
    return index < app->servers.len ? app->servers.items[index] : NULL;
}

static const char *settings(struct app *app, size_t index)
{
    static const char *const words[] = {"theme default",      "theme light",      "theme high-contrast",
                                        "theme deuteranopia", "theme tritanopia", "theme mono",
                                        "mouse on",           "mouse off"};

    (void)app;
    return index < sizeof(words) / sizeof(*words) ? words[index] : NULL;
}

static const char *command_names(struct app *app, size_t index)
{
    return index < app->commands.len ? app->commands.items[index]->name : NULL;
}

static const struct console_command commands[] = {
    {.name = "plan",
     .keys = "P",
     .help = "preview the next action before it is carried out",
     .where = IN_ANY,
     .run = cmd_plan},
    {.name = "editor-repaint", .keys = "Ctrl-L", .help = "redraw the screen", .where = IN_EDIT, .run = cmd_repaint},
    {.name = "peek",
     .keys = "p",
     .help = "show or hide the side pane on wide screens",
     .where = IN_ANY,
     .run = cmd_peek},
    {.name = "freeze", .keys = "z", .help = "freeze the screen, or resume", .where = IN_ANY, .run = cmd_freeze},
    {.name = "retry", .keys = "R", .help = "reconnect now", .where = IN_ANY, .run = cmd_retry},
    {.name = "command",
     .keys = ":",
     .hint = "cmd",
     .help = "open the command prompt",
     .where = IN_ANY,
     .rank = 13,
     .run = cmd_prompt},
    {.name = "actions",
     .keys = "F2",
     .help = "list what can be done with the selected object, as the right mouse button does",
     .where = IN_LISTS | IN_NODE,
     .needs = NEED_ROW,
     .run = cmd_actions},
    {.name = "help", .keys = "? F1", .help = "show the keys of this view", .where = IN_ANY, .run = cmd_help},
    {.name = "messages", .keys = "", .help = "show the messages of this session", .where = IN_ANY, .run = cmd_messages},
    {.name = "server",
     .keys = "",
     .help = "connect to another server on your list",
     .args = "[NAME]",
     .where = IN_ANY,
     .run = cmd_server,
     .complete = server_names},
    {.name = "set",
     .keys = "",
     .help = "theme NAME, mouse on or off: for this session",
     .args = "OPTION VALUE",
     .where = IN_ANY,
     .run = cmd_set,
     .complete = settings},
    {.name = "bind",
     .keys = "",
     .help = "give a command other keys, or none: for this session",
     .args = "COMMAND [KEY...]",
     .where = IN_ANY,
     .run = cmd_bind,
     .complete = command_names},
    {.name = "source",
     .keys = "",
     .help = "run the commands in a file, one a line",
     .args = "FILE",
     .where = IN_ANY,
     .run = cmd_source},
    {.name = "theme",
     .keys = "",
     .help = "change the colours",
     .args = "[NAME]",
     .where = IN_ANY,
     .run = cmd_theme,
     .complete = theme_names},
    {.name = "save-display",
     .keys = "",
     .help = "write the screen to a new file, as text",
     .args = "FILE",
     .where = IN_ANY,
     .run = cmd_save_display},
    {.name = "repaint", .keys = "Ctrl-L", .help = "redraw the screen", .where = IN_ANY, .run = cmd_repaint},
    {.name = "suspend", .keys = "Ctrl-Z", .help = "suspend the console", .where = IN_ANY, .run = cmd_suspend},
    {.name = "quit", .keys = "Ctrl-C", .help = "quit the console", .where = IN_ANY, .run = cmd_quit},
};

const struct command_table general_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};
