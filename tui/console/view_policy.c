/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy on the screen: the text with its problems, or the review of a change. */
#include <stdio.h>

#include "console/commands.h"

#define PROBLEM_ROWS 4

static void fill_nothing(const struct row *row, const struct moment *at, struct field *out)
{
    (void)row;
    (void)at;
    (void)out;
}

static int compare_nothing(const struct row *a, const struct row *b)
{
    (void)a;
    (void)b;
    return 0;
}

static void collect_nothing(const struct model *m, struct list *list)
{
    (void)m;
    (void)list;
}

static const struct column no_columns[] = {{.title = "", .key = "", .fill = fill_nothing, .compare = compare_nothing}};

/* The view shows a text; what works on lists finds an empty one. */
const struct list_def policy_def = {
    .noun = "lines", .one = "line", .empty = "", .columns = no_columns, .column_count = 1, .collect = collect_nothing};

static struct editor_mark problem_mark(const void *context, size_t line)
{
    const struct desk *d = context;
    struct editor_mark mark = {0};

    for (size_t i = 0; i < d->problems.len; i++) {
        if (d->problems.items[i].line != line + 1)
            continue;
        if (!d->problems.items[i].warning)
            return (struct editor_mark){"E", ROLE_BAD};
        mark = (struct editor_mark){"W", ROLE_WARN};
    }
    return mark;
}

/* The problems around the cursor's line, so that the one it is on is among them. */
static void draw_problems(const struct desk *d, struct canvas *c, struct rect at)
{
    size_t first = 0, room = (size_t)at.rows - 1;
    char note[40];

    for (size_t i = 0; i < d->problems.len && d->problems.items[i].line <= d->editor.at.line + 1; i++)
        first = i;
    if (first + room > d->problems.len)
        first = d->problems.len > room ? d->problems.len - room : 0;
    snprintf(note, sizeof(note), "%zu   F8 next", d->problems.len);
    pane_section(c, at.row, at.col, at.cols, "problems", note);
    for (size_t i = 0; i < room && first + i < d->problems.len; i++) {
        const struct policy_problem *p = &d->problems.items[first + i];
        struct buf text = BUF_INIT(0);
        int row = at.row + 1 + (int)i;

        for (const char *t = desk_problem_text(p); *t; t++)
            buf_addc(&text, *t == '\n' ? ' ' : *t);
        canvas_text(c, row, at.col + 1, 1, p->warning ? ROLE_WARN : ROLE_BAD, p->warning ? "W" : "E");
        if (p->line)
            canvas_textf(c, row, at.col + 3, 12, ROLE_STRONG, "%u:%u", p->line, p->column);
        struct buf safe = BUF_INIT(0);
        str_safe(&safe, buf_text(&text), text.len);
        canvas_text(c, row, at.col + 12, at.cols - 13, p->line == d->editor.at.line + 1 ? ROLE_STRONG : ROLE_TEXT,
                    buf_text(&safe));
        buf_release(&safe);
        buf_release(&text);
    }
}

static void draw_review(struct desk *d, struct canvas *c, struct rect at)
{
    struct review *r = &d->panes[d->pane];

    if (r->top >= r->len)
        r->top = r->len ? r->len - 1 : 0;
    if (r->len <= (size_t)at.rows)
        r->top = 0;
    for (int row = 0; row < at.rows && r->top + (size_t)row < r->len; row++) {
        const struct review_line *l = &r->items[r->top + (size_t)row];

        if (l->sign[0] == '#') {
            pane_section(c, at.row + row, at.col, at.cols, l->text, "");
            continue;
        }
        canvas_text(c, at.row + row, at.col + 1, 1, l->role, l->sign);
        canvas_text(c, at.row + row, at.col + 3, at.cols - 4, l->role, l->text);
    }
}

static void draw_empty(struct app *app, struct canvas *c, struct rect at)
{
    const struct desk *d = &app->desk;

    if (d->trouble && *d->trouble)
        canvas_text(c, at.row + 1, at.col + 2, at.cols - 4, ROLE_WARN, d->trouble);
    else if (!d->loaded && app->conn.state != CONN_LIVE)
        canvas_text(c, at.row + 1, at.col + 2, at.cols - 4, ROLE_FAINT, "not connected: the policy is not here yet");
    else if (!d->loaded)
        canvas_text(c, at.row + 1, at.col + 2, at.cols - 4, ROLE_FAINT, "the policy is being read ...");
    else if (d->mode == DESK_READ && !d->editor.text.bytes)
        canvas_text(c, at.row + 2, at.col + 7, at.cols - 8, ROLE_FAINT,
                    "there is no policy: everybody reaches everything; e writes one");
}

void desk_draw(struct app *app, struct canvas *c, struct rect at)
{
    struct desk *d = &app->desk;

    if (d->mode == DESK_REVIEW) {
        draw_review(d, c, at);
        return;
    }
    int below = d->problems.len && at.rows >= 12
                    ? (int)(d->problems.len < PROBLEM_ROWS ? d->problems.len : PROBLEM_ROWS) + 1
                    : 0;
    struct rect text = {at.row, at.col, at.rows - below, at.cols};
    if (d->loaded)
        editor_draw(&d->editor, c, text, d->mode == DESK_EDIT && !d->ask, problem_mark, d);
    canvas_hit(c, text, HIT_TEXT, 0);
    draw_empty(app, c, text);
    if (below)
        draw_problems(d, c, (struct rect){at.row + at.rows - below, at.col, below, at.cols});
}

static int say(struct canvas *c, int col, int limit, enum role role, const char *text)
{
    return col < limit ? col + canvas_text(c, 1, col, limit - col, role, text) + 2 : col;
}

int desk_facts(struct app *app, struct canvas *c, int col, int limit)
{
    struct desk *d = &app->desk;
    size_t errors = 0, warnings = 0;
    char text[80];

    for (size_t i = 0; i < d->problems.len; i++)
        *(d->problems.items[i].warning ? &warnings : &errors) += 1;
    if (d->mode == DESK_REVIEW) {
        col = say(c, col, limit, ROLE_CRUMB, d->look ? "compare" : "review");
        if (!d->look) {
            col = say(c, col, limit, d->pane == PANE_ACCESS ? ROLE_TAB_ON : ROLE_TAB,
                      d->pane == PANE_ACCESS ? "[access] text" : " access [text]");
            col = say(c, col, limit, d->accepted ? ROLE_OK : ROLE_BAD, d->accepted ? "Enter saves it" : "REFUSED");
        }
        return col;
    }
    if (d->mode == DESK_EDIT)
        col = say(c, col, limit, ROLE_TAB_ON, "EDIT");
    else if (d->file)
        col = say(c, col, limit, ROLE_WAIT, "read-only: of a file (a adopts it)");
    else if (app->read_only)
        col = say(c, col, limit, ROLE_WAIT, "read-only: of your key");
    if (d->loaded && d->version) {
        snprintf(text, sizeof(text), "version %llu", (unsigned long long)d->version);
        col = say(c, col, limit, ROLE_TEXT, text);
    }
    if (desk_modified(app))
        col = say(c, col, limit, ROLE_CHANGED, "MODIFIED");
    if (d->behind)
        col = say(c, col, limit, ROLE_BAD, "SAVED BY ANOTHER");
    if (errors) {
        snprintf(text, sizeof(text), "%zu error%s", errors, errors == 1 ? "" : "s");
        col = say(c, col, limit, ROLE_BAD, text);
    }
    if (warnings) {
        snprintf(text, sizeof(text), "%zu warning%s", warnings, warnings == 1 ? "" : "s");
        col = say(c, col, limit, ROLE_WARN, text);
    }
    snprintf(text, sizeof(text), "Ln %zu Col %zu", d->editor.at.line + 1, editor_column(&d->editor) + 1);
    return say(c, col, limit, ROLE_FAINT, text);
}
