/* SPDX-License-Identifier: BSD-3-Clause */
/* The questions that lie over the policy: a draft that was found, a policy that somebody else saved, and what cannot be
 * taken back.
 */
#include "base/array.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/policy/policy_page.h"

static void draft_take(struct app *app)
{
    struct policy_page *d = policy_page_of(app);
    struct draft *last = &d->drafts.items[d->drafts.len - 1];
    struct err e;

    /* Where policy changed since, saving will say so: the text is made from the version of then. */
    if (!editor_swap(&d->editor, last->text, last->len))
        return;
    d->version = last->version;
    d->mode = POLICY_EDIT;
    policy_page_changed(app);
    /* The old file goes when this console has one of its own. */
    if (d->draft && draft_write(d->draft, last->server, last->version, last->text, last->len, &e) == 0) {
        d->draft_written = true;
        draft_remove(last->path);
    }
    draft_release(last);
    d->drafts.len--;
}

static void draft_drop(struct app *app)
{
    struct policy_page *d = policy_page_of(app);
    struct draft *last = &d->drafts.items[d->drafts.len - 1];

    draft_remove(last->path);
    draft_release(last);
    d->drafts.len--;
}

static void draft_later(struct app *app)
{
    struct policy_page *d = policy_page_of(app);

    for (size_t i = 0; i < d->drafts.len; i++)
        draft_release(&d->drafts.items[i]);
    d->drafts.len = 0;
}

static void look_at(struct app *app, bool mine)
{
    struct policy_page *d = policy_page_of(app);
    size_t len;
    char *text = textbuf_copy(&d->editor.text, &len);

    review_difference(&d->panes[PANE_TEXT], mine ? d->theirs : d->base, mine ? d->theirs_len : d->base_len,
                      mine ? text : d->theirs, mine ? len : d->theirs_len);
    free(text);
    policy_page_look(app, QUESTION_CONFLICT);
}

static void see_theirs(struct app *app)
{
    look_at(app, false);
}

static void see_mine(struct app *app)
{
    look_at(app, true);
}

/* Their text becomes the one that this one is made from; what is lost of it is shown before anything is saved. */
static void keep_mine(struct app *app)
{
    struct policy_page *d = policy_page_of(app);

    policy_page_base(app, d->theirs, d->theirs_len, d->theirs_version);
    policy_page_changed(app);
    policy_page_preview(app);
}

static void take_theirs(struct app *app)
{
    struct policy_page *d = policy_page_of(app);

    if (!editor_swap(&d->editor, d->theirs, d->theirs_len))
        return;
    policy_page_base(app, d->theirs, d->theirs_len, d->theirs_version);
    policy_page_changed(app);
    app_flash(app, ROLE_INFO, "replaced by their text; {take-back} in the editor restores yours");
}

static void adopt(struct app *app)
{
    policy_page_send(app, POLICY_REQUEST_ADOPT, "POST", "/api/headway/policy/adopt", NULL);
}

static void revert(struct app *app)
{
    struct policy_page *d = policy_page_of(app);

    if (editor_swap(&d->editor, d->base, d->base_len)) {
        policy_page_changed(app);
        app_flash(app, ROLE_INFO, "restored the server's text; {take-back} in the editor brings yours back");
    }
}

struct question_answer {
    int key;
    const char *text;
    void (*act)(struct app *app); /* NULL: nothing is done */
};
static const struct policy_question_text {
    const char *title, *lines[4];
    struct question_answer answers[6];
} questions[QUESTION_KINDS] = {
    [QUESTION_DRAFT] = {"unsaved text found",
                        {"A console ended before this policy was saved."},
                        {{'r', "r  resume editing it", draft_take},
                         {'D', "D  discard it permanently", draft_drop},
                         {CK_ESC, "Esc  decide later", draft_later}}},
    [QUESTION_CONFLICT] = {"somebody else has saved the policy",
                           {"Nothing was saved; your text is unchanged."},
                           {{'m', "m  merge both: reviewed before it is saved", policy_merge_start},
                            {'t', "t  show what they changed", see_theirs},
                            {'d', "d  show how theirs and yours differ", see_mine},
                            {'k', "k  keep yours: reviewed again before it is saved", keep_mine},
                            {'x', "x  take theirs: {take-back} restores yours", take_theirs},
                            {CK_ESC, "Esc  go on editing", NULL}}},
    [QUESTION_ADOPT] = {"copy the policy from its file into the database?",
                        {"It can be edited here once policy.mode in the configuration", "is set to database."},
                        {{'y', "y  adopt", adopt}, {CK_ESC, "Esc  no", NULL}}},
    [QUESTION_REVERT] = {"discard your changes?",
                         {"The text is replaced by the server's."},
                         {{'y', "y  discard", revert}, {CK_ESC, "Esc  no", NULL}}},
};

bool policy_question_key(struct app *app, int key)
{
    struct policy_page *d = policy_page_of(app);

    if (!d->question)
        return false;
    const struct policy_question_text *q = &questions[d->question];
    for (size_t i = 0; i < ARRAY_LEN(q->answers) && q->answers[i].text; i++)
        if (key == q->answers[i].key) {
            d->question = QUESTION_NOTHING;
            if (q->answers[i].act)
                q->answers[i].act(app);
            return true;
        }
    /* Leaving is possible from everywhere. */
    return key != CK_CTRL('c') && key != CK_CTRL('l');
}

void policy_question_draw(struct app *app, struct canvas *c)
{
    const struct policy_page *d = policy_page_of(app);
    const struct policy_question_text *q = &questions[d->question];
    char stamp[AGO_MAX];
    int rows = 3, cols = c->cols < 74 ? c->cols - 2 : 72, row;

    if (!d->question || d->mode == POLICY_REVIEW)
        return;
    for (size_t i = 0; i < ARRAY_LEN(q->lines) && q->lines[i]; i++)
        rows++;
    for (size_t i = 0; i < ARRAY_LEN(q->answers) && q->answers[i].text; i++)
        rows++;
    rows += d->question == QUESTION_DRAFT || (d->question == QUESTION_CONFLICT && d->merging.overlap);
    struct rect in =
        canvas_frame(c, (struct rect){(c->rows - rows) / 2, (c->cols - cols) / 2, rows, cols}, q->title, "");
    row = in.row;
    for (size_t i = 0; i < ARRAY_LEN(q->lines) && q->lines[i]; i++)
        canvas_text(c, row++, in.col, in.cols, ROLE_TEXT, q->lines[i]);
    if (d->question == QUESTION_DRAFT)
        canvas_textf(c, row++, in.col, in.cols, ROLE_TEXT, "Kept at %s, %zu bytes.",
                     timestamp_text(d->drafts.items[d->drafts.len - 1].time_ns, app->at.now_ns, stamp),
                     d->drafts.items[d->drafts.len - 1].len);
    if (d->question == QUESTION_CONFLICT && d->merging.overlap)
        canvas_text(c, row++, in.col, in.cols, ROLE_TEXT, d->merging.overlap);
    row++;
    for (size_t i = 0; i < ARRAY_LEN(q->answers) && q->answers[i].text; i++) {
        char text[100];

        command_text(app, q->answers[i].text, text, sizeof(text));
        canvas_text(c, row++, in.col, in.cols, ROLE_KEY, text);
    }
}
