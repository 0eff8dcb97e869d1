/* SPDX-License-Identifier: BSD-3-Clause */
/* The prompts in the line above the hints: commands with what could follow, and filters that work while they are
 * typed. */
#include <stdio.h>

#include "base/mem.h"
#include "console/app/app.h"

static struct strs *history(struct app *app)
{
    return &app->prompt.history[app->prompt.kind != PROMPT_COMMAND];
}

void prompt_open(struct app *app, enum prompt_kind kind, const char *text)
{
    struct prompt *p = &app->prompt;

    p->kind = kind;
    line_set(&p->line, text);
    mem_replace(&p->before, kind == PROMPT_FILTER ? app_list(app)->filter_text : "");
    free(p->error);
    p->error = NULL;
    p->history_at = history(app)->len;
    app->flash.until_ms = 1;
}

void prompt_release(struct app *app)
{
    free(app->prompt.before);
    free(app->prompt.error);
    strs_release(&app->prompt.history[0]);
    strs_release(&app->prompt.history[1]);
}

static void remember(struct app *app)
{
    struct strs *h = history(app);

    if (!app->prompt.line.len || (h->len && str_eq(h->items[h->len - 1], app->prompt.line.text)))
        return;
    strs_push(h, app->prompt.line.text);
    if (h->len > HISTORY_MAX) {
        free(h->items[0]);
        vec_remove(h, 0);
    }
}

/* A filter that does not parse leaves the last good one as it is. */
static void try_filter(struct app *app)
{
    struct prompt *p = &app->prompt;
    struct err e;

    free(p->error);
    p->error = NULL;
    if (p->kind == PROMPT_FILTER && list_filter(app_list(app), p->line.text, &p->error_at, &e) < 0)
        p->error = mem_strdup(e.message);
}

static void cancel(struct app *app)
{
    struct prompt *p = &app->prompt;

    if (p->kind == PROMPT_FILTER && list_filter(app_list(app), p->before, NULL, NULL) < 0)
        app_list(app)->forced = true;
    p->kind = PROMPT_NONE;
}

static void run_command(struct app *app, const char *text)
{
    text += strspn(text, " ");
    size_t len = strcspn(text, " ");
    const struct console_command *c = commands_find(text, len);

    if (!len)
        return;
    if (len == 1 && *text == 'q')
        c = commands_find("quit", 4);
    if (!c) {
        app_flash(app, ROLE_WARN, "there is no command '%.*s'; ? lists them", (int)len, text);
        return;
    }
    text += len;
    command_run(app, c, text + strspn(text, " "));
}

static void enter(struct app *app)
{
    struct prompt *p = &app->prompt;
    enum prompt_kind kind = p->kind;
    char *text = mem_strdup(p->line.text);

    remember(app);
    if (kind == PROMPT_FILTER && p->error)
        app_flash(app, ROLE_WARN, "%s", p->error);
    p->kind = PROMPT_NONE;
    if (kind == PROMPT_COMMAND)
        run_command(app, text);
    else if (kind == PROMPT_MARK && *text)
        command_run(app, commands_find("mark-by", 7), text);
    free(text);
}

/* The names that may follow the command at the prompt, one by one; NULL after the last. */
static const char *argument_at(struct app *app, const struct console_command *c, size_t i)
{
    static const char *const settings[] = {"theme dark", "theme light", "theme mono", "mouse on", "mouse off"};
    const struct list_def *def = app_list(app)->def;

    if (str_eq(c->name, "node")) {
        const struct row_table *t = model_table(&app->model, ROW_NODE);

        return i < t->rows.len ? ((const struct m_node *)t->rows.items[i])->api.given_name : NULL;
    }
    if (str_eq(c->name, "server"))
        return i < app->servers.len ? app->servers.items[i] : NULL;
    if (str_eq(c->name, "set"))
        return i < 5 ? settings[i] : NULL;
    if (str_eq(c->name, "sort"))
        return (int)i < def->column_count ? def->columns[i].compare ? def->columns[i].key : "" : NULL;
    if (str_eq(c->name, "columns"))
        return (int)i < def->column_count ? def->columns[i].key : NULL;
    if (str_eq(c->name, "routes"))
        return i < SUBS_MAX ? view_get(VIEW_ROUTES)->subs[i] : NULL;
    if (str_eq(c->name, "keys"))
        return i < 2 ? view_get(VIEW_KEYS)->subs[i] : NULL;
    return NULL;
}

/* What would complete the line: the part that is not typed yet, or "". */
static const char *ghost(struct app *app)
{
    const struct prompt *p = &app->prompt;
    const char *text = p->line.text;
    size_t len = strcspn(text, " ");

    if (p->kind != PROMPT_COMMAND || !p->line.len || p->line.at != p->line.len)
        return "";
    if (!text[len]) {
        for (size_t i = 0; i < commands_count(); i++)
            if (strncmp(commands_at(i)->name, text, len) == 0)
                return commands_at(i)->name + len;
        return "";
    }
    const struct console_command *c = commands_find(text, len);
    text += len + strspn(text + len, " ");
    len = strlen(text);
    const char *best = NULL, *word;
    for (size_t i = 0; c && (word = argument_at(app, c, i)); i++)
        if (strncmp(word, text, len) == 0 && (!best || strverscmp(word, best) < 0) && *word)
            best = word;
    return best ? best + len : "";
}

static void recall(struct app *app, int step)
{
    struct prompt *p = &app->prompt;
    struct strs *h = history(app);

    if (step < 0 ? !p->history_at : p->history_at >= h->len)
        return;
    p->history_at = step < 0 ? p->history_at - 1 : p->history_at + 1;
    line_set(&p->line, p->history_at < h->len ? h->items[p->history_at] : "");
    try_filter(app);
}

static void take_ghost(struct app *app)
{
    struct prompt *p = &app->prompt;
    char *whole = mem_format("%s%s", p->line.text, ghost(app));

    line_set(&p->line, whole);
    free(whole);
}

void prompt_key(struct app *app, int key)
{
    struct prompt *p = &app->prompt;

    if (key == CK_ESC || key == CK_CTRL('c')) {
        cancel(app);
    } else if (key == CK_ENTER) {
        enter(app);
    } else if (key == CK_UP || key == CK_DOWN) {
        recall(app, key == CK_UP ? -1 : 1);
    } else if (key == CK_TAB || (key == CK_RIGHT && p->line.at == p->line.len)) {
        take_ghost(app);
    } else if (key == CK_BACKSPACE && !p->line.len) {
        cancel(app);
    } else if (line_key(&p->line, key)) {
        try_filter(app);
    }
}

void prompt_draw(struct app *app, struct canvas *c, struct rect at)
{
    static const char *const signs[] = {[PROMPT_COMMAND] = ":", [PROMPT_FILTER] = "/", [PROMPT_MARK] = "+"};
    const struct prompt *p = &app->prompt;
    char right[160] = "";

    if (p->error)
        snprintf(right, sizeof(right), "%.100s (column %zu)", p->error, p->error_at + 1);
    else if (p->kind == PROMPT_FILTER)
        snprintf(right, sizeof(right), "%zu of %zu   Enter keep  Esc drop", app_list(app)->order.len,
                 app_list(app)->total);
    else if (p->kind == PROMPT_COMMAND) {
        const struct console_command *cmd = commands_find(p->line.text, strcspn(p->line.text, " "));

        if (cmd)
            snprintf(right, sizeof(right), "%s%s%s", cmd->args ? cmd->args : "", cmd->args ? "   " : "", cmd->help);
    }
    int used = canvas_width(c, right), width = at.cols - 3;
    if (used > width / 2)
        used = width / 2;
    canvas_text(c, at.row, 1, 1, ROLE_PROMPT, signs[p->kind]);
    canvas_right(c, at.row, at.cols - used - 1, used, p->error ? ROLE_ERROR : ROLE_FAINT, right);
    width -= used + 2;
    line_draw(&p->line, c, at.row, 2, width);
    const char *rest = ghost(app);
    if (*rest)
        canvas_text(c, at.row, c->cursor_col, width - (c->cursor_col - 2), ROLE_GHOST, rest);
}
