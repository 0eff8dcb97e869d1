/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy on the screen: the text with its problems, or the review of a change. */
#include <stdio.h>

#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/policy/policy_page.h"

#define PROBLEM_ROWS 4

/* What stands before a line that is not as the server has it. */
static struct editor_mark change_mark(const struct policy_page *d, size_t line)
{
    size_t low = 0, high = d->modified ? d->changes.len : 0;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct policy_line_change *c = &d->changes.items[middle];

        if (c->line == line)
            return c->added ? (struct editor_mark){"+", ROLE_ADDED} : (struct editor_mark){"~", ROLE_CHANGED};
        *(c->line < line ? &low : &high) = c->line < line ? middle + 1 : middle;
    }
    return (struct editor_mark){0};
}

static struct editor_mark problem_mark(const void *context, size_t line)
{
    const struct policy_page *d = context;
    struct editor_mark mark = {0};

    for (size_t i = 0; i < d->problems.len; i++) {
        if (d->problems.items[i].line != line + 1)
            continue;
        if (!d->problems.items[i].warning)
            return (struct editor_mark){"E", ROLE_BAD};
        mark = (struct editor_mark){"W", ROLE_WARN};
    }
    return mark.sign ? mark : change_mark(d, line);
}

/* One line of text that is safe to draw; the caller owns it. */
static char *problem_line(const struct policy_problem *p)
{
    const char *text = policy_page_problem_text(p);
    struct buf safe = BUF_INIT(0);

    for (size_t len; *text; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        buf_adds(&safe, safe.len ? " " : "");
        str_safe(&safe, text, len);
    }
    return buf_take(&safe);
}

enum { PROBLEM_COL = 12 };

/* The rows that problems get: as many as the first ones take, up to a limit. */
static int problem_rows(const struct policy_page *d, const struct canvas *c, int cols)
{
    int rows = 0;

    for (size_t i = 0; i < d->problems.len && rows < PROBLEM_ROWS; i++) {
        char *text = problem_line(&d->problems.items[i]);

        rows += canvas_lines(c, cols - PROBLEM_COL - 1, text);
        free(text);
    }
    return rows < PROBLEM_ROWS ? rows : PROBLEM_ROWS;
}

/* The last problem that is not behind the cursor's line, and those after it. */
static void draw_problems(const struct app *app, const struct policy_page *d, struct canvas *c, struct rect at)
{
    size_t first = 0;
    char note[40];
    int used;

    for (size_t i = 0; i < d->problems.len && d->problems.items[i].line <= d->editor.at.line + 1; i++)
        first = i;
    if (d->problems.len <= (size_t)at.rows - 1)
        first = 0;
    snprintf(note, sizeof(note), "%zu   {problem} next", d->problems.len);
    command_section(app, c, at, "problems", note);
    for (int row = 1; row < at.rows && first < d->problems.len; row += used, first++) {
        const struct policy_problem *p = &d->problems.items[first];
        enum role role = p->line == d->editor.at.line + 1 ? ROLE_STRONG : ROLE_TEXT;
        char *text = problem_line(p);

        canvas_text(c, at.row + row, at.col + 1, 1, p->warning ? ROLE_WARN : ROLE_BAD, p->warning ? "W" : "E");
        if (p->line)
            canvas_textf(c, at.row + row, at.col + 3, PROBLEM_COL - 4, ROLE_STRONG, "%u:%u", p->line, p->column);
        used = canvas_wrap(
            c, (struct rect){at.row + row, at.col + PROBLEM_COL, at.rows - row, at.cols - PROBLEM_COL - 1}, role, text);
        used = used > 0 ? used : 1;
        free(text);
    }
}

static void draw_review(struct policy_page *d, struct canvas *c, struct rect at)
{
    struct review *r = d->mode == POLICY_MERGE ? &d->merging.shown : &d->panes[d->pane];
    bool code = d->mode == POLICY_MERGE || d->pane == PANE_TEXT;

    if (d->mode == POLICY_REVIEW && !d->look && d->note && at.rows > 4)
        canvas_textf(c, at.row + --at.rows, at.col + 1, at.cols - 2, ROLE_STRONG, "note: %s", d->note);

    if (r->top >= r->len)
        r->top = r->len ? r->len - 1 : 0;
    size_t next = r->top;
    for (int row = 0, used; row < at.rows && next < r->len; row += used) {
        const struct review_line *l = &r->items[next++];

        if (l->sign[0] == '#') {
            canvas_section(c, at.row + row, at.col, at.cols, l->text, "");
            used = 1;
            continue;
        }
        canvas_text(c, at.row + row, at.col + 1, 1, l->role, l->sign);
        /* Lines of the policy stay lines. */
        struct rect field = {at.row + row, at.col + 3, code ? 1 : at.rows - row, at.cols - 4};
        used = canvas_wrap(c, field, l->role, l->text);
        used = used > 0 ? used : 1;
    }
}

static void draw_empty(struct app *app, struct canvas *c, struct rect at)
{
    const struct policy_page *d = policy_page_of(app);

    if (d->trouble && *d->trouble)
        canvas_text(c, at.row + 1, at.col + 2, at.cols - 4, ROLE_WARN, d->trouble);
    else if (!d->loaded && app->conn.state != CONN_LIVE)
        canvas_text(c, at.row + 1, at.col + 2, at.cols - 4, ROLE_FAINT, "not connected: the policy is not loaded yet");
    else if (!d->loaded)
        canvas_text(c, at.row + 1, at.col + 2, at.cols - 4, ROLE_FAINT, "loading the policy ...");
    else if (d->mode == POLICY_READ && !d->editor.text.bytes)
        canvas_text(c, at.row + 2, at.col + 7, at.cols - 8, ROLE_FAINT,
                    "no policy: everybody can reach everything; e writes one");
}

void policy_page_draw(struct app *app, struct canvas *c, struct rect at, bool focused)
{
    struct policy_page *d = policy_page_of(app);

    (void)focused;
    if (d->mode == POLICY_REVIEW || d->mode == POLICY_MERGE) {
        draw_review(d, c, at);
        return;
    }
    int below = d->problems.len && at.rows >= 12 ? problem_rows(d, c, at.cols) + 1 : 0;
    struct rect text = {at.row, at.col, at.rows - below, at.cols};
    if (d->loaded)
        editor_draw(&d->editor, c, text, d->mode == POLICY_EDIT && !d->question, problem_mark, d);
    canvas_hit(c, text, HIT_TEXT, 0);
    draw_empty(app, c, text);
    if (below)
        draw_problems(app, d, c, (struct rect){at.row + at.rows - below, at.col, below, at.cols});
}

static int say(struct canvas *c, int col, int limit, enum role role, const char *text)
{
    /* Whole, or not at all. */
    return col + canvas_width(c, text) <= limit ? col + canvas_text(c, 1, col, limit - col, role, text) + 2 : limit;
}

static int review_facts(const struct app *app, const struct policy_page *d, struct canvas *c, int col, int limit)
{
    char text[80];
    static const char *const panes[PANE_COUNT] = {
        [PANE_ACCESS] = "[access] text  tests  routes  cost", [PANE_TEXT] = " access [text] tests  routes  cost",
        [PANE_TESTS] = " access  text [tests] routes  cost",  [PANE_ROUTES] = " access  text  tests [routes] cost",
        [PANE_COST] = " access  text  tests  routes [cost]",
    };

    col = say(c, col, limit, ROLE_CRUMB, d->look ? "compare" : "review");
    if (d->look)
        return col;
    if (!d->accepted)
        col = say(c, col, limit, ROLE_BAD, "REFUSED");
    col = say(c, col, limit, ROLE_TAB_ON, panes[d->pane]);
    command_text(app, "{save} saves it", text, sizeof(text));
    return d->accepted ? say(c, col, limit, ROLE_OK, text) : col;
}

int policy_page_facts(struct app *app, struct canvas *c, int col, int limit)
{
    struct policy_page *d = policy_page_of(app);
    size_t errors = 0, warnings = 0;
    char text[80];

    for (size_t i = 0; i < d->problems.len; i++)
        *(d->problems.items[i].warning ? &warnings : &errors) += 1;
    if (d->mode == POLICY_REVIEW)
        return review_facts(app, d, c, col, limit);
    if (d->mode == POLICY_MERGE) {
        size_t open = merge_open(&d->merging.merge);
        col = say(c, col, limit, ROLE_CRUMB, "merge");
        snprintf(text, sizeof(text), "%zu of %zu to choose", open, d->merging.merge.conflicts);
        if (!open)
            command_text(app, "all chosen: {merge-take} reviews it", text, sizeof(text));
        return say(c, col, limit, open ? ROLE_WAIT : ROLE_OK, text);
    }
    if (d->mode == POLICY_EDIT)
        col = say(c, col, limit, ROLE_TAB_ON, "EDIT");
    else if (d->file) {
        command_text(app, "read-only: from a file ({adopt} adopts it)", text, sizeof(text));
        col = say(c, col, limit, ROLE_WAIT, text);
    } else if (app->read_only)
        col = say(c, col, limit, ROLE_WAIT, "read-only key");
    if (d->loaded && d->version) {
        snprintf(text, sizeof(text), "version %llu", (unsigned long long)d->version);
        col = say(c, col, limit, ROLE_TEXT, text);
    }
    if (policy_page_modified(app))
        col = say(c, col, limit, ROLE_CHANGED, "MODIFIED");
    if (d->behind)
        col = say(c, col, limit, ROLE_BAD, "OUTDATED");
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
