/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of a text: it is fetched when the view is opened; a review asks the server what the text would change;
 * saving names the version that the text is made from, and where the server has another one by then, the user decides
 * with both before him. Whatever happens to the connection, the typed text stays. */
#include "console/policy/policy_page.h"

#include <stdio.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"
#include "console/past/past.h"
#include "console/policy/policy_review.h"
#include "policy/policy.h"

_Static_assert(TEXTBUF_MAX == POLICY_TEXT_MAX, "the editor takes what the server takes");

static void init(struct app *app)
{
    struct policy_page *d = policy_page_of(app);

    *d = (struct policy_page){.checker = d->checker};
    editor_init(&d->editor);
    d->base = mem_strdup("");
    d->compared = d->checked = d->sent = d->editor.text.serial;
}

static void release(struct app *app)
{
    struct policy_page *d = policy_page_of(app);

    editor_release(&d->editor);
    policy_problems_release(&d->problems);
    vec_release(&d->changes);
    for (int i = 0; i < PANE_COUNT; i++)
        review_clear(&d->panes[i]);
    policy_merge_release(&d->merging);
    free(d->note);
    for (size_t i = 0; i < d->drafts.len; i++)
        draft_release(&d->drafts.items[i]);
    vec_release(&d->drafts);
    free(d->base);
    free(d->theirs);
    free(d->trouble);
    free(d->asked);
    free(d->draft);
}

static void reset(struct app *app)
{
    struct policy_page *d = policy_page_of(app);
    uint64_t serial = d->editor.text.serial + 1;

    release(app);
    init(app);
    /* An answer about the text of the server before must not pass for one about this one's. */
    d->editor.text.serial = d->compared = d->checked = d->sent = serial;
}

static unsigned where_of(const struct app *app)
{
    static const unsigned places[] = {
        [POLICY_READ] = IN_POLICY, [POLICY_EDIT] = IN_EDIT, [POLICY_REVIEW] = IN_REVIEW, [POLICY_MERGE] = IN_MERGE};

    return places[policy_page_of(app)->mode];
}

/* ---- requests ---- */

static void fetch(struct app *app, enum policy_request call)
{
    if (!policy_page_of(app)->calls[call] && app->net.send)
        policy_page_send(app, call, "GET", "/api/headway/policy", NULL);
}

static void enter(struct app *app)
{
    struct policy_page *d = policy_page_of(app);

    if (app->place.view == &policy_view && (!d->loaded || d->changed_there) && app->conn.state == CONN_LIVE)
        fetch(app, POLICY_REQUEST_GET);
}

/* ---- answers ---- */

static const json_t *answer_of(const struct reply *reply)
{
    return reply->status >= 200 && reply->status < 300 ? reply->json : NULL;
}

static void keep_theirs(struct policy_page *d, const char *text, size_t len, uint64_t version)
{
    free(d->theirs);
    d->theirs = mem_alloc(len + 1);
    memcpy(d->theirs, text, len);
    d->theirs_len = len;
    d->theirs_version = version;
}

/* A draft of this server that says something else than the server does. */
static void offer_draft(struct app *app)
{
    struct policy_page *d = policy_page_of(app);
    char *server = policy_page_server(app);

    while (d->drafts.len && !d->question && !d->file) {
        struct draft *last = &d->drafts.items[d->drafts.len - 1];

        if (!str_eq(last->server, server)) {
            draft_release(last); /* its file stays, for a console of that server */
            d->drafts.len--;
            continue;
        }
        if (last->len != d->base_len || memcmp(last->text, d->base, last->len) != 0) {
            d->question = QUESTION_DRAFT;
            break;
        }
        draft_remove(last->path);
        draft_release(last);
        d->drafts.len--;
    }
    free(server);
}

static void take_policy(struct app *app, enum policy_request call, const struct api_policy *policy)
{
    struct policy_page *d = policy_page_of(app);
    const char *text = policy->text;
    size_t len = strlen(text);

    d->file = str_eq(policy->mode, "file");
    if (call == POLICY_REQUEST_THEIRS) {
        keep_theirs(d, text, len, policy->version);
        d->behind = true;
        d->question = QUESTION_CONFLICT;
        policy_merge_foresee(app);
        return;
    }
    d->changed_there = false;
    if (!policy_page_modified(app) || textbuf_equals(&d->editor.text, text, len)) {
        if (!textbuf_equals(&d->editor.text, text, len)) {
            editor_load(&d->editor, text, len);
            policy_page_changed(app);
        }
        policy_page_base(app, text, len, policy->version);
    } else if (policy->version != d->version) {
        keep_theirs(d, text, len, policy->version);
        d->behind = true;
    }
    offer_draft(app);
    if (app->place.view == &policy_view)
        policy_page_ask(app);
}

/* The text must be exactly what the server has: saving sends it back. */
static void take_text(struct app *app, enum policy_request call, const json_t *answer)
{
    struct policy_page *d = policy_page_of(app);
    struct api_policy policy;

    if (api_read(&api_policy_shape, answer, &policy, API_STRICT, NULL) < 0 || strlen(policy.text) > TEXTBUF_MAX) {
        mem_replace(&d->trouble, "the server's policy cannot be read: it has no version or is larger than 4 MiB");
    } else {
        mem_replace(&d->trouble, "");
        take_policy(app, call, &policy);
    }
    api_release(&api_policy_shape, &policy);
}

static void take_preview(struct app *app, const struct reply *reply)
{
    struct policy_page *d = policy_page_of(app);
    size_t len;

    if (!answer_of(reply)) {
        app_flash(app, ROLE_ERROR, "review: %s", reply->e.message);
        return;
    }
    if (d->reviewed != d->editor.text.serial || d->mode == POLICY_REVIEW || d->mode == POLICY_MERGE) {
        app_flash(app, ROLE_INFO, "the text has changed: review it again");
        return;
    }
    d->accepted = review_preview(&(struct review_panes){&d->panes[PANE_ACCESS], &d->panes[PANE_TESTS],
                                                        &d->panes[PANE_ROUTES], &d->panes[PANE_COST]},
                                 answer_of(reply), &d->pairs);
    if (d->checked == d->reviewed)
        review_findings(answer_of(reply), &d->problems);
    char *text = textbuf_copy(&d->editor.text, &len);
    review_difference(&d->panes[PANE_TEXT], d->base, d->base_len, text, len);
    free(text);
    app->flash.until_ms = 1;
    d->before = d->mode;
    d->mode = POLICY_REVIEW;
    d->pane = PANE_ACCESS;
    d->look = false;
}

static void saved(struct app *app, struct reply *reply)
{
    struct policy_page *d = policy_page_of(app);
    uint64_t version = 0;
    size_t len;

    if (json_get_u64(reply->json, "version", &version, NULL) < 0)
        d->changed_there = true;
    /* Nobody can have typed since it was sent: the review is in front until the answer is here. */
    char *text = textbuf_copy(&d->editor.text, &len);
    policy_page_base(app, text, len, version);
    free(text);
    d->mode = POLICY_READ;
    free(d->note);
    d->note = NULL;
    char *said = mem_format("policy saved as version %llu", (unsigned long long)version);
    if (reply->event && reply->undoable) {
        struct undo u = {.text = mem_strdup(said), .at_ms = app->at.now_ms};

        strs_push(&u.events, reply->event);
        undos_release(&app->redos);
        vec_push(&app->undos, u);
    }
    app_flash(app, ROLE_INFO, "%s", said);
    free(said);
}

static void take_save(struct app *app, struct reply *reply)
{
    struct policy_page *d = policy_page_of(app);

    if (answer_of(reply)) {
        saved(app, reply);
        return;
    }
    app->flash.until_ms = 1;
    d->mode = d->before == POLICY_REVIEW ? POLICY_READ : d->before;
    if (reply->status == 412 || reply->status == 409) {
        fetch(app, POLICY_REQUEST_THEIRS);
        return;
    }
    /* Where no answer came it may be saved all the same: the server's text will tell. */
    d->changed_there |= reply->status == 0;
    app_flash(app, ROLE_ERROR, "not saved: %s", reply->e.message);
}

static void take_version(struct app *app, const struct reply *reply, enum policy_request call)
{
    if (!answer_of(reply))
        app_flash(app, ROLE_ERROR, "versions: %s", reply->e.message);
    else if (app->place.view != &policy_view || app->dialog || policy_page_of(app)->mode == POLICY_REVIEW ||
             policy_page_of(app)->mode == POLICY_MERGE)
        app_flash(app, ROLE_INFO, "the versions of the policy are here: ask again in its view");
    else if (call == POLICY_REQUEST_LOG)
        policy_versions_list(app, answer_of(reply));
    else
        policy_versions_take(app, answer_of(reply));
}

static void take_adoption(struct app *app, const struct reply *reply)
{
    if (answer_of(reply))
        dialog_text(
            app, "adopt",
            mem_strdup("#The policy was copied from its file into the database.\nSet policy.mode to database in the "
                       "configuration\nand restart the daemon to edit it here.\n"));
    else
        app_flash(app, ROLE_ERROR, "adopt: %s", reply->e.message);
}

static void take_reply(struct app *app, enum policy_request call, struct reply *reply)
{
    switch (call) {
    case POLICY_REQUEST_GET:
    case POLICY_REQUEST_THEIRS:
        if (answer_of(reply))
            take_text(app, call, answer_of(reply));
        else if (call == POLICY_REQUEST_THEIRS)
            app_flash(app, ROLE_ERROR, "not saved, and the server's policy cannot be read: %s", reply->e.message);
        else
            mem_replace(&policy_page_of(app)->trouble, reply->e.message);
        break;
    case POLICY_REQUEST_PREVIEW:
        take_preview(app, reply);
        break;
    case POLICY_REQUEST_SAVE:
        take_save(app, reply);
        break;
    case POLICY_REQUEST_ADOPT:
        take_adoption(app, reply);
        break;
    case POLICY_REQUEST_LOG:
    case POLICY_REQUEST_VERSION:
        take_version(app, reply, call);
        break;
    case POLICY_REQUEST_ANCESTOR:
        policy_merge_ancestor(app, answer_of(reply), reply->e.message);
        break;
    case POLICY_REQUEST_KINDS:
        break;
    }
}

static bool reply_to(struct app *app, uint64_t id, struct reply *reply)
{
    struct policy_page *d = policy_page_of(app);

    for (int i = 0; i < POLICY_REQUEST_KINDS; i++)
        if (id && d->calls[i] == id) {
            d->calls[i] = 0;
            take_reply(app, (enum policy_request)i, reply);
            return true;
        }
    return false;
}

/* ---- time ---- */

static void tick(struct app *app)
{
    struct policy_page *d = policy_page_of(app);
    int64_t now = app->at.now_ms;

    if (d->check_ms && d->check_ms <= now)
        policy_page_check(app);
    if (d->loaded && d->changed_there && !d->calls[POLICY_REQUEST_SAVE] && app->conn.state == CONN_LIVE)
        fetch(app, POLICY_REQUEST_GET);
}

static int64_t next_ms(const struct app *app)
{
    return policy_page_of(app)->check_ms;
}

static void note(struct app *app, struct row *row, enum note what)
{
    if (row->kind == ROW_EVENT && what == NOTE_NEW && str_eq(((const struct m_event *)row)->api.object, "policy"))
        policy_page_of(app)->changed_there = true;
}

void policy_page_set_checker(struct app *app, struct checker *checker)
{
    policy_page_of(app)->checker = checker;
}

static bool paste(struct app *app, const char *text, size_t len)
{
    struct policy_page *d = policy_page_of(app);

    if (d->mode != POLICY_EDIT || d->question)
        return false;
    if (!editor_paste(&d->editor, text, len))
        app_flash(app, ROLE_WARN, "not pasted: a policy has at most 4 MiB");
    policy_page_changed(app);
    return true;
}

static const char *unsaved(struct app *app)
{
    return policy_page_modified(app) ? "the policy ({policy}) has unsaved changes" : NULL;
}

/* ---- the view ---- */

/* The view shows a text; what works on lists finds an empty one. */
static void fill_nothing(const struct row *row, const struct clock_reading *at, struct list_field *out)
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

static const struct list_column no_columns[] = {
    {.title = "", .key = "", .fill = fill_nothing, .compare = compare_nothing}};

static const struct list_def no_list = {
    .noun = "lines", .one = "line", .empty = "", .columns = no_columns, .column_count = 1, .collect = collect_nothing};

const struct console_view policy_view = {
    .name = "policy",
    .title = "Policy",
    .digit = '4',
    .then = &past_policy_view,
    .commands = &policy_page_commands,
    .sections = {{IN_POLICY, "Policy"},
                 {IN_EDIT, "Policy, in its editor"},
                 {IN_REVIEW, "Policy, before it is saved"},
                 {IN_MERGE, "Policy, merged with somebody else's"}},
    .parts = {{.def = &no_list, .where = IN_POLICY}},
    .no_tail = true,
    .state_size = sizeof(struct policy_page),
    .init = init,
    .reset = reset,
    .release = release,
    .enter = enter,
    .tick = tick,
    .next_ms = next_ms,
    .reply = reply_to,
    .note = note,
    .unsaved = unsaved,
    .where = where_of,
    .first_key = policy_question_key,
    .key = policy_page_key,
    .paste = paste,
    .escape = policy_page_escape,
    .words = policy_page_words,
    .move = policy_page_move,
    .click = policy_page_click,
    .draw = policy_page_draw,
    .draw_over = policy_question_draw,
    .draw_facts = policy_page_facts,
    .draw_quiet = policy_page_quiet,
};
