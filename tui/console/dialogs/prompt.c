/* SPDX-License-Identifier: BSD-3-Clause */
/* The prompts in the line above the hints: commands with completion, and filters that apply while being typed. */
#include "console/dialogs/prompt.h"

#include <stdint.h>
#include <stdio.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/app/command_line.h"
#include "console/app/dispatch.h"

static struct strs *history(struct app *app)
{
    return &app->prompt.history[app->prompt.kind];
}

void prompt_open(struct app *app, enum prompt_kind kind, const char *text)
{
    struct prompt *p = &app->prompt;

    p->kind = kind;
    if (kind == PROMPT_COMMAND)
        line_set(&p->line, text); /* the beginning of one */
    else
        line_offer(&p->line, text);
    mem_replace(&p->before, kind == PROMPT_FILTER ? app_list(app)->filter_text : "");
    free(p->error);
    p->error = NULL;
    p->history_at = history(app)->len;
    app->flash.until_ms = 1;
}

void prompt_release(struct app *app)
{
    line_release(&app->prompt.line);
    free(app->prompt.before);
    free(app->prompt.error);
    free(app->prompt.stem);
    for (int i = 0; i < PROMPT_KINDS; i++)
        strs_release(&app->prompt.history[i]);
}

static void remember(struct app *app)
{
    struct strs *h = history(app);

    if (!app->prompt.line.len || (h->len && str_eq(h->items[h->len - 1], line_text(&app->prompt.line))))
        return;
    strs_push(h, line_text(&app->prompt.line));
    if (h->len > HISTORY_MAX) {
        free(h->items[0]);
        vec_remove(h, 0);
    }
}

/* A filter that does not parse leaves the last good one in force. */
static void try_filter(struct app *app)
{
    struct prompt *p = &app->prompt;
    struct err e;

    free(p->error);
    p->error = NULL;
    if (p->kind == PROMPT_FILTER && list_filter(app_list(app), line_text(&p->line), &p->error_at, &e) < 0)
        p->error = mem_strdup(e.message);
}

static void cancel(struct app *app)
{
    struct prompt *p = &app->prompt;

    if (p->kind == PROMPT_FILTER && list_filter(app_list(app), p->before, NULL, NULL) < 0)
        app_list(app)->forced = true;
    p->kind = PROMPT_NONE;
}

static void enter(struct app *app)
{
    struct prompt *p = &app->prompt;
    enum prompt_kind kind = p->kind;
    char *text = mem_strdup(line_text(&p->line));

    /* A filter that does not parse stays for correction, with the error beside it. */
    if (kind == PROMPT_FILTER && p->error) {
        free(text);
        return;
    }
    remember(app);
    p->kind = PROMPT_NONE;
    if (kind == PROMPT_COMMAND)
        command_run_line(app, text);
    else if (kind == PROMPT_MARK && *text)
        command_run(app, commands_find(app, "mark-by", 7), text);
    free(text);
}

static void complete(struct app *app, const char *text, struct completions *out)
{
    if (app->prompt.kind == PROMPT_COMMAND)
        command_completions(app, text, out);
    else
        filter_completions(app, text, out);
}

/* The newest line of the history that begins with the text; NULL: none. */
static const char *remembered(struct app *app, const char *text)
{
    const struct strs *h = history(app);
    size_t len = strlen(text);

    for (size_t i = h->len; i-- > 0;)
        if (strncmp(h->items[i], text, len) == 0 && h->items[i][len])
            return h->items[i];
    return NULL;
}

/* The untyped part of the completion, or "". others: how many other completions there are. */
static const char *ghost(struct app *app, size_t *others)
{
    const struct prompt *p = &app->prompt;
    struct completions words = {0};
    const char *rest = "", *old;

    *others = 0;
    if (!p->line.len || p->line.at != p->line.len)
        return "";
    complete(app, line_text(&p->line), &words);
    size_t first = words.len && !words.items[0][words.typed]; /* the typed text may be a word already */
    if (first < words.len) {
        rest = words.items[first] + words.typed;
        *others = words.len - first - 1;
    } else if ((old = remembered(app, line_text(&p->line)))) {
        rest = old + p->line.len;
    }
    vec_release(&words);
    return rest;
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
    size_t others;
    char *whole = mem_format("%s%s", line_text(&p->line), ghost(app, &others));

    line_set(&p->line, whole);
    try_filter(app);
    free(whole);
}

/* Tab takes the first completion, then the next; step -1: the previous one. */
static void turn(struct app *app, int step)
{
    struct prompt *p = &app->prompt;
    struct completions words = {0};

    if (p->stem) {
        p->turn += (size_t)step; /* may wrap: see below */
    } else {
        p->stem = mem_strdup(line_text(&p->line));
        p->turn = 0;
    }
    complete(app, p->stem, &words);
    if (words.len && p->line.at == p->line.len) {
        /* Below zero is the last one. */
        p->turn = p->turn == SIZE_MAX ? words.len - 1 : p->turn % words.len;
        size_t typed = strlen(p->stem) - words.typed;
        char *whole = mem_format("%.*s%s", (int)typed, p->stem, words.items[p->turn]);

        line_set(&p->line, whole);
        free(whole);
    } else {
        take_ghost(app);
    }
    vec_release(&words);
    try_filter(app);
}

void prompt_key(struct app *app, int key)
{
    struct prompt *p = &app->prompt;

    if (key != CK_TAB && key != CK_BACKTAB) {
        free(p->stem);
        p->stem = NULL;
    }
    if (key == CK_ESC || key == CK_CTRL('c')) {
        cancel(app);
    } else if (key == CK_ENTER) {
        enter(app);
    } else if (key == CK_UP || key == CK_DOWN) {
        recall(app, key == CK_UP ? -1 : 1);
    } else if (key == CK_TAB || key == CK_BACKTAB) {
        turn(app, key == CK_TAB ? 1 : -1);
    } else if (key == CK_RIGHT && p->line.at == p->line.len) {
        take_ghost(app);
    } else if (key == CK_BACKSPACE && !p->line.len) {
        cancel(app);
    } else if (line_key(&p->line, key)) {
        try_filter(app);
    }
}

/* A caret in the line below points at the word that is wrong. */
static void draw_caret(const struct prompt *p, struct canvas *c, int row, int cols)
{
    const struct line *l = &p->line;
    size_t from = p->error_at < l->at ? p->error_at : l->at;
    char *between = mem_strndup(line_text(l) + from, l->at - from);
    int col = c->cursor_col - canvas_width(c, between);

    free(between);
    if (row >= c->rows || col < 2)
        return;
    canvas_clear(c, (struct rect){row, 0, 1, cols});
    canvas_text(c, row, col, 1, ROLE_ERROR, "^");
}

void prompt_draw(struct app *app, struct canvas *c, struct rect at)
{
    static const char *const signs[] = {[PROMPT_COMMAND] = ":", [PROMPT_FILTER] = "/", [PROMPT_MARK] = "+"};
    const struct prompt *p = &app->prompt;
    char right[240] = "";
    size_t others;
    const char *rest = ghost(app, &others);

    if (p->error)
        snprintf(right, sizeof(right), "%.180s (column %zu)", p->error, p->error_at + 1);
    else if (p->kind == PROMPT_FILTER)
        snprintf(right, sizeof(right), "%zu of %zu   Enter keep  Esc cancel", app_list(app)->order.len,
                 app_list(app)->total);
    else if (p->kind == PROMPT_COMMAND) {
        const struct console_command *cmd = commands_find(app, line_text(&p->line), strcspn(line_text(&p->line), " "));

        if (others)
            snprintf(right, sizeof(right), "%zu more: Tab", others);
        else if (cmd)
            snprintf(right, sizeof(right), "%s%s%s", cmd->args ? cmd->args : "", cmd->args ? "   " : "", cmd->help);
    }
    int used = canvas_width(c, right), width = at.cols - 3;
    int most = p->error ? width - canvas_width(c, line_text(&p->line)) - 3 : width / 2;
    most = most > width / 2 ? most : width / 2;
    if (used > most)
        used = most;
    canvas_text(c, at.row, 1, 1, ROLE_PROMPT, signs[p->kind]);
    canvas_right(c, at.row, at.cols - used - 1, used, p->error ? ROLE_ERROR : ROLE_FAINT, right);
    width -= used + 2;
    line_draw(&p->line, c, at.row, 2, width);
    if (p->error)
        draw_caret(p, c, at.row + 1, at.cols);
    if (*rest)
        canvas_text(c, at.row, c->cursor_col, width - (c->cursor_col - 2), ROLE_GHOST, rest);
}
