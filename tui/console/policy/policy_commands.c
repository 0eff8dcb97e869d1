/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done in the policy view: its commands and the keys that type. */
#include <stdio.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/help.h"
#include "console/dialogs/plan.h"
#include "console/policy/policy_page.h"

/* ---- may it be changed? ---- */

static const char *refuse_edit(struct app *app)
{
    if (!policy_page_of(app)->loaded)
        return "the policy is not loaded yet";
    if (policy_page_of(app)->file)
        return "the policy is read from a file (policy.mode): {adopt} adopts it into the database";
    return app->read_only ? "your API key is read-only" : NULL;
}

static const char *refuse_review(struct app *app)
{
    const char *why = refuse_edit(app);

    if (!why)
        why = app_why_not_write(app);
    if (!why && !policy_page_modified(app))
        why = "nothing has changed";
    if (!why && (policy_page_of(app)->calls[POLICY_REQUEST_PREVIEW] || policy_page_of(app)->calls[POLICY_REQUEST_SAVE]))
        why = "a request is already under way";
    return why;
}

static const char *refuse_save(struct app *app)
{
    const char *why = refuse_edit(app);

    if (!why)
        why = app_why_not_write(app);
    if (!why && policy_page_of(app)->look)
        why = "this is a comparison only: {escape} goes back to the question";
    if (!why && !policy_page_of(app)->accepted)
        why = "the server would refuse it: {escape} goes back to the text";
    if (!why && policy_page_of(app)->calls[POLICY_REQUEST_SAVE])
        why = "it is being saved";
    return why;
}

static const char *refuse_adopt(struct app *app)
{
    if (!policy_page_of(app)->file)
        return "the policy is in the database";
    return app_why_not_write(app);
}

static const char *refuse_revert(struct app *app)
{
    return policy_page_modified(app) ? NULL : "nothing has changed";
}

/* ---- editing ---- */

static void cmd_edit(struct app *app, const char *arg)
{
    (void)arg;
    policy_page_of(app)->mode = POLICY_EDIT;
    if (app->conn.state != CONN_LIVE)
        app_flash(app, ROLE_WARN, "not connected: your changes are kept and can be saved later");
}

static void cmd_leave_editor(struct app *app, const char *arg)
{
    (void)arg;
    policy_page_of(app)->mode = POLICY_READ;
    if (policy_page_modified(app))
        app_flash(app, ROLE_INFO, "not saved yet: {review} reviews and saves, {revert} discards");
}

static void cmd_editor_undo(struct app *app, const char *arg)
{
    (void)arg;
    if (editor_undo(&policy_page_of(app)->editor))
        policy_page_changed(app);
    else
        app_flash(app, ROLE_INFO, "there is nothing to undo");
}

static void cmd_editor_redo(struct app *app, const char *arg)
{
    (void)arg;
    if (editor_redo(&policy_page_of(app)->editor))
        policy_page_changed(app);
    else
        app_flash(app, ROLE_INFO, "there is nothing to redo");
}

static void cmd_outside(struct app *app, const char *arg)
{
    (void)arg;
    app->want_editor = true;
}

void policy_page_edited(struct app *app, char *text, size_t len)
{
    if (!editor_swap(&policy_page_of(app)->editor, text, len))
        app_flash(app, ROLE_ERROR, "the edited text is larger than 4 MiB and was not taken");
    free(text);
    policy_page_changed(app);
}

void policy_page_move(struct app *app, long lines)
{
    struct policy_page *d = policy_page_of(app);
    struct review *r = d->mode == POLICY_MERGE ? &d->merging.shown : &d->panes[d->pane];

    if (d->mode != POLICY_REVIEW && d->mode != POLICY_MERGE) {
        editor_move(&d->editor, lines);
    } else if (lines < 0) {
        r->top -= r->top < (size_t)-lines ? r->top : (size_t)-lines;
    } else {
        size_t last = r->len ? r->len - 1 : 0;

        r->top = last - r->top < (size_t)lines ? last : r->top + (size_t)lines;
    }
}

void policy_page_click(struct app *app, int row, int col)
{
    if (!policy_page_of(app)->question && policy_page_of(app)->mode <= POLICY_EDIT)
        editor_click(&policy_page_of(app)->editor, row, col);
}

bool policy_page_key(struct app *app, int key)
{
    struct policy_page *d = policy_page_of(app);
    bool full = false;

    if (d->mode == POLICY_REVIEW || d->mode == POLICY_MERGE)
        return false;
    if (d->mode == POLICY_READ)
        return editor_move_key(&d->editor, key);
    if (refuse_edit(app)) { /* the key lost its rights, the mode changed */
        d->mode = POLICY_READ;
        return true;
    }
    uint64_t before = d->editor.text.serial;
    bool taken = editor_key(&d->editor, key, &full);
    if (full)
        app_flash(app, ROLE_WARN, "a policy has at most 4 MiB");
    if (d->editor.text.serial != before)
        policy_page_changed(app);
    return taken;
}

/* ---- finding ---- */

static void find(struct app *app, const char *text, bool backwards)
{
    struct editor *e = &policy_page_of(app)->editor;

    if (!text || !*text)
        app_flash(app, ROLE_INFO, "there is no search to repeat: / searches");
    else if (!editor_find(e, text, backwards))
        dialog_refuse(app, "'%s' was not found", text);
}

static void find_typed(struct app *app, const char *text)
{
    find(app, text, false);
}

static void cmd_find(struct app *app, const char *arg)
{
    if (*arg)
        find(app, arg, false);
    else
        dialog_input(app, "find", "Enter find   Esc cancel",
                     policy_page_of(app)->editor.find ? policy_page_of(app)->editor.find : "", find_typed);
}

static void cmd_find_next(struct app *app, const char *arg)
{
    (void)arg;
    find(app, policy_page_of(app)->editor.find, false);
}

static void cmd_find_previous(struct app *app, const char *arg)
{
    (void)arg;
    find(app, policy_page_of(app)->editor.find, true);
}

static void go_typed(struct app *app, const char *text)
{
    struct err e;
    uint64_t line;

    if (str_u64(text, 1, SIZE_MAX, &line, "line", &e) < 0)
        dialog_refuse(app, "%s", e.message);
    else
        editor_go(&policy_page_of(app)->editor, (size_t)line, 1);
}

static void cmd_go_line(struct app *app, const char *arg)
{
    if (*arg)
        go_typed(app, arg);
    else
        dialog_input(app, "go to line", "Enter go   Esc cancel", "", go_typed);
}

const char *policy_page_problem_text(const struct policy_problem *p)
{
    char place[64];
    int len = snprintf(place, sizeof(place), "line %u, column %u: ", p->line, p->column);
    const char *found = p->line ? strstr(p->text, place) : NULL;

    return found && found[len] ? found + len : p->text;
}

/* The first problem behind the cursor, else the first of all. */
void policy_page_next_problem(struct app *app)
{
    struct policy_page *d = policy_page_of(app);
    const struct policy_problem *best = NULL;
    size_t line = d->editor.at.line + 1, column = d->editor.at.at + 1;

    for (int again = 0; again < 2 && !best; again++)
        for (size_t i = 0; i < d->problems.len; i++) {
            const struct policy_problem *p = &d->problems.items[i];
            bool behind = again || p->line > line || (p->line == line && p->column > column);

            if (p->line && behind &&
                (!best || p->line < best->line || (p->line == best->line && p->column < best->column)))
                best = p;
        }
    if (!best) {
        app_flash(app, ROLE_INFO, "%s", d->problems.len ? "the problem has no position" : "no known problems");
        return;
    }
    editor_go(&d->editor, best->line, best->column);
    const char *text = policy_page_problem_text(best);
    struct buf safe = BUF_INIT(0);
    str_safe(&safe, text, strlen(text));
    app_flash(app, ROLE_WARN, "line %u: %s", best->line, buf_text(&safe));
    buf_release(&safe);
}

static void cmd_next_problem(struct app *app, const char *arg)
{
    (void)arg;
    policy_page_next_problem(app);
}

/* ---- saving ---- */

static void cmd_review(struct app *app, const char *arg)
{
    struct policy_page *d = policy_page_of(app);

    (void)arg;
    if (d->checked == d->editor.text.serial && d->broken) {
        policy_page_next_problem(app);
        return;
    }
    app_flash(app, ROLE_INFO, "asking the server what it would change ...");
    policy_page_preview(app);
}

static void save_now(struct app *app)
{
    app_flash(app, ROLE_INFO, "saving ...");
    policy_page_save(app);
}

/* What has to be typed before it is saved: where somebody loses access, or where much is opened at once, a quarter of
 * all pairs of devices. NULL: nothing. */
static const char *word_for(const struct app *app)
{
    const struct review_pairs *pairs = &policy_page_of(app)->pairs;
    uint64_t nodes = model_table(&app->model, ROW_NODE)->index.len;

    if (pairs->lost)
        return "LOST";
    return policy_opens_much(pairs->gained, nodes) ? "OPEN" : NULL;
}

static void word_typed(struct app *app, const char *typed)
{
    const char *why = refuse_save(app), *word = word_for(app);

    if (word && !str_eq(typed, word))
        dialog_refuse(app, "type %s, exactly, or cancel", word);
    else if (why || policy_page_of(app)->mode != POLICY_REVIEW)
        app_flash(app, ROLE_WARN, "not saved: %s", why ? why : "the review was closed");
    else
        save_now(app);
}

static void cmd_save(struct app *app, const char *arg)
{
    const struct review_pairs *pairs = &policy_page_of(app)->pairs;
    const char *word = word_for(app);
    uint64_t count = pairs->lost ? pairs->lost : pairs->gained;

    (void)arg;
    if (!word) {
        save_now(app);
        return;
    }
    char *title = mem_format("%llu pair%s of devices %s%s access: type %s to save it", (unsigned long long)count,
                             count == 1 ? "" : "s", pairs->lost ? "lose" : "gain", count == 1 ? "s" : "", word);
    dialog_input(app, title, "Enter save   Esc cancel", "", word_typed);
    free(title);
}

/* The list is a ring. */
static void step_pane(struct app *app, int by)
{
    struct policy_page *d = policy_page_of(app);

    if (!d->look)
        d->pane = (enum review_pane)(((int)d->pane + by + PANE_COUNT) % PANE_COUNT);
}

static void cmd_pane(struct app *app, const char *arg)
{
    (void)arg;
    step_pane(app, 1);
}

static void cmd_pane_before(struct app *app, const char *arg)
{
    (void)arg;
    step_pane(app, -1);
}

static void note_typed(struct app *app, const char *text)
{
    struct err e;

    if (str_check(text, 300, true, "the note", &e) < 0) {
        dialog_refuse(app, "%s", e.message);
        return;
    }
    free(policy_page_of(app)->note);
    policy_page_of(app)->note = *text ? mem_strdup(text) : NULL;
}

static void cmd_note(struct app *app, const char *arg)
{
    if (*arg)
        note_typed(app, arg);
    else
        dialog_input(app, "why is it changed?", "Enter keep it for the save   Esc cancel",
                     policy_page_of(app)->note ? policy_page_of(app)->note : "", note_typed);
}

static const char *refuse_note(struct app *app)
{
    return policy_page_of(app)->look ? "this is a comparison only: nothing is saved" : NULL;
}

bool policy_page_escape(struct app *app)
{
    struct policy_page *d = policy_page_of(app);

    if (policy_merge_escape(app))
        return true;
    if (d->mode != POLICY_REVIEW)
        return false;
    if (d->calls[POLICY_REQUEST_SAVE]) {
        app_flash(app, ROLE_INFO, "it is being saved; the server has not answered yet");
        return true;
    }
    d->mode = d->before;
    if (d->look)
        d->question = d->look_for;
    d->look = false;
    return true;
}

static void cmd_edit_again(struct app *app, const char *arg)
{
    bool looked = policy_page_of(app)->look;

    (void)arg;
    if (policy_page_escape(app) && policy_page_of(app)->mode != POLICY_REVIEW && !looked)
        policy_page_of(app)->mode = POLICY_EDIT;
}

static void cmd_adopt(struct app *app, const char *arg)
{
    (void)arg;
    policy_page_of(app)->question = QUESTION_ADOPT;
}

static void cmd_revert(struct app *app, const char *arg)
{
    (void)arg;
    policy_page_of(app)->question = QUESTION_REVERT;
}

void policy_page_show_line(struct app *app, unsigned line)
{
    app_go(app, &policy_view, 0, NULL);
    editor_go(&policy_page_of(app)->editor, line, 1);
}

static void cmd_help(struct app *app, const char *arg)
{
    (void)arg;
    dialog_help(app);
}

static const char *policy_words(struct app *app, size_t index)
{
    static const char *const words[] = {"log", "diff", "restore"};

    (void)app;
    return index < sizeof(words) / sizeof(*words) ? words[index] : NULL;
}

static const struct console_command commands[] = {
    {.name = "policy",
     .keys = "4",
     .help = "the access policy",
     .args = "[log|diff VERSION|restore VERSION]",
     .where = IN_ANY,
     .complete = policy_words,
     .opens = &policy_view},
    {.name = "edit",
     .keys = "e Enter",
     .hint = "edit",
     .help = "edit the policy",
     .where = IN_POLICY,
     .rank = 1,
     .run = cmd_edit,
     .refuse = refuse_edit},
    {.name = "review",
     .keys = "Ctrl-S",
     .hint = "review, save",
     .help = "review what the changed policy would do, then save it",
     .where = IN_POLICY | IN_EDIT,
     .rank = 2,
     .run = cmd_review,
     .refuse = refuse_review},
    {.name = "save",
     .keys = "Enter",
     .hint = "save",
     .help = "save the policy; asks for a word where access is lost or much is opened",
     .where = IN_REVIEW,
     .needs = NEED_WRITE,
     .rank = 1,
     .run = cmd_save,
     .refuse = refuse_save},
    {.name = "pane",
     .keys = "Tab",
     .hint = "pane",
     .help = "the next pane: access, text, tests, routes, cost",
     .where = IN_REVIEW,
     .rank = 2,
     .run = cmd_pane},
    {.name = "pane-before", .keys = "Shift-Tab", .help = "the pane before", .where = IN_REVIEW, .run = cmd_pane_before},
    {.name = "note",
     .keys = "n",
     .hint = "note",
     .help = "say why: kept with the version and shown in the journal",
     .args = "TEXT",
     .where = IN_REVIEW,
     .needs = NO_REPEAT,
     .rank = 4,
     .run = cmd_note,
     .refuse = refuse_note},
    {.name = "edit-again",
     .keys = "e",
     .hint = "edit",
     .help = "back to the text",
     .where = IN_REVIEW,
     .rank = 3,
     .run = cmd_edit_again},
    {.name = "editor",
     .keys = "Ctrl-E",
     .hint = "$EDITOR",
     .help = "edit the policy with $VISUAL, $EDITOR or vi",
     .where = IN_POLICY | IN_EDIT,
     .rank = 6,
     .run = cmd_outside,
     .refuse = refuse_edit},
    {.name = "problem",
     .keys = "F8 Ctrl-N",
     .hint = "problem",
     .help = "the next problem of the policy",
     .where = IN_POLICY | IN_EDIT,
     .rank = 4,
     .run = cmd_next_problem},
    {.name = "find",
     .keys = "/",
     .hint = "find",
     .help = "search the policy",
     .args = "TEXT",
     .where = IN_POLICY,
     .rank = 5,
     .run = cmd_find},
    {.name = "find-next", .keys = "n F3", .help = "next match", .where = IN_POLICY, .run = cmd_find_next},
    {.name = "find-previous", .keys = "N", .help = "previous match", .where = IN_POLICY, .run = cmd_find_previous},
    {.name = "find-text",
     .keys = "Ctrl-F",
     .hint = "find",
     .help = "search the policy",
     .where = IN_EDIT,
     .rank = 5,
     .run = cmd_find},
    {.name = "find-again", .keys = "F3", .help = "next match", .where = IN_EDIT, .run = cmd_find_next},
    {.name = "line",
     .keys = "Ctrl-G",
     .help = "go to a line of the policy",
     .args = "NUMBER",
     .where = IN_POLICY | IN_EDIT,
     .run = cmd_go_line},
    {.name = "adopt",
     .keys = "a",
     .hint = "adopt",
     .help = "copy the policy from its file into the database",
     .where = IN_POLICY,
     .needs = NEED_WRITE,
     .risk = RISK_ASK,
     .rank = 7,
     .run = cmd_adopt,
     .refuse = refuse_adopt},
    {.name = "revert",
     .keys = "D",
     .hint = "discard",
     .help = "discard unsaved changes",
     .where = IN_POLICY,
     .risk = RISK_ASK,
     .rank = 8,
     .run = cmd_revert,
     .refuse = refuse_revert},
    {.name = "leave",
     .keys = "Esc Ctrl-C",
     .hint = "leave",
     .help = "leave the editor; the text is kept",
     .where = IN_EDIT,
     .rank = 1,
     .run = cmd_leave_editor},
    {.name = "take-back",
     .keys = "Ctrl-Z",
     .hint = "undo",
     .help = "undo typing",
     .where = IN_EDIT,
     .rank = 3,
     .run = cmd_editor_undo},
    {.name = "again", .keys = "Ctrl-Y", .help = "redo typing", .where = IN_EDIT, .run = cmd_editor_redo},
    {.name = "editor-help", .keys = "F1", .help = "show the keys of the editor", .where = IN_EDIT, .run = cmd_help},
};

const struct command_table policy_page_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};
