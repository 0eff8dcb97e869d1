/* SPDX-License-Identifier: BSD-3-Clause */
/* A text that is typed and one that somebody else saved meanwhile, brought together. What only one of them changed is
 * taken by itself; the user chooses where both changed the same lines. What comes of it is reviewed like any text. */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/app/dispatch.h"
#include "console/dialogs/dialog.h"
#include "console/policy/policy_page.h"

#define AROUND 2 /* lines shown of what is the same */

enum { TEXT_BASE, TEXT_THEIRS, TEXT_MINE };

static struct merge_text text_of(const struct policy_merge *g, int which)
{
    return (struct merge_text){g->texts[which], g->lens[which]};
}

static void forget(struct policy_merge *g)
{
    merge_release(&g->merge);
    for (size_t i = 0; i < ARRAY_LEN(g->texts); i++) {
        free(g->texts[i]);
        g->texts[i] = NULL;
    }
    review_clear(&g->shown);
}

void policy_merge_release(struct policy_merge *g)
{
    forget(g);
    vec_release(&g->places);
    free(g->overlap);
    g->overlap = NULL;
}

static char *copy(const char *text, size_t len)
{
    char *c = mem_alloc(len + 1);

    if (len)
        memcpy(c, text, len);
    return c;
}

static void make(struct policy_page *d, const char *base, size_t base_len)
{
    struct policy_merge *g = &d->merging;

    forget(g);
    g->texts[TEXT_BASE] = copy(base, base_len);
    g->lens[TEXT_BASE] = base_len;
    g->texts[TEXT_THEIRS] = copy(d->theirs, d->theirs_len);
    g->lens[TEXT_THEIRS] = d->theirs_len;
    g->texts[TEXT_MINE] = textbuf_copy(&d->editor.text, &g->lens[TEXT_MINE]);
    g->version = d->theirs_version;
    g->at = 0;
    merge_make(&g->merge, text_of(g, TEXT_BASE), text_of(g, TEXT_THEIRS), text_of(g, TEXT_MINE));
}

void policy_merge_foresee(struct app *app)
{
    struct policy_page *d = policy_page_of(app);
    struct policy_merge *g = &d->merging;

    if (d->base_version != d->version) {
        mem_replace(&g->overlap, "Your text is made from an older version.");
        return;
    }
    make(d, d->base, d->base_len);
    char *text = mem_format("Changed places: %zu theirs, %zu yours, %zu by both.", g->merge.theirs, g->merge.mine,
                            g->merge.conflicts);
    mem_replace(&g->overlap, text);
    free(text);
    forget(g);
}

/* ---- showing ---- */

static size_t lines_in(struct merge_text t)
{
    size_t lines = 0;

    for (size_t i = 0; i < t.len; i++)
        lines += t.text[i] == '\n';
    return lines + (t.len && t.text[t.len - 1] != '\n');
}

static void put_lines(struct review *r, enum role role, char sign, struct merge_text t, size_t first, size_t count)
{
    size_t line = 0;

    for (size_t at = 0, len; at < t.len && line < first + count; at += len, line++) {
        const char *end = memchr(t.text + at, '\n', t.len - at);

        len = end ? (size_t)(end - t.text) + 1 - at : t.len - at;
        if (line >= first)
            review_code(r, role, sign, 0, t.text + at, len - (end != NULL));
    }
}

static void put_same(struct review *r, struct merge_text t, bool begins, bool ends)
{
    size_t lines = lines_in(t), head = begins ? 0 : AROUND, tail = ends ? 0 : AROUND;

    if (lines <= head + tail) {
        put_lines(r, ROLE_FAINT, ' ', t, 0, lines);
        return;
    }
    put_lines(r, ROLE_FAINT, ' ', t, 0, head);
    review_add(r, ROLE_FAINT, ' ', "%s", "...");
    put_lines(r, ROLE_FAINT, ' ', t, lines - tail, tail);
}

static void put_conflict(const struct app *app, struct policy_merge *g, const struct merge_piece *p, size_t number)
{
    static const char *const chosen[] = {"choose: {merge-theirs} theirs, {merge-mine} yours, {merge-both} both",
                                         "theirs", "yours", "both, theirs first"};
    bool theirs = p->choice == CHOICE_THEIRS || p->choice == CHOICE_BOTH;
    bool mine = p->choice == CHOICE_MINE || p->choice == CHOICE_BOTH;

    char said[80];

    vec_push(&g->places, g->shown.len);
    command_text(app, chosen[p->choice], said, sizeof(said));
    review_add(&g->shown, ROLE_SECTION, '#', "%s%zu of %zu changed by both, line %zu: %s", number == g->at ? "> " : "",
               number + 1, g->merge.conflicts, p->line, said);
    if (!p->theirs.len)
        review_add(&g->shown, theirs ? ROLE_ADDED : ROLE_FAINT, 't', "%s", "(theirs: deleted)");
    put_lines(&g->shown, theirs ? ROLE_ADDED : p->choice ? ROLE_TAKEN : ROLE_CHANGED, 't', p->theirs, 0, SIZE_MAX / 2);
    if (!p->mine.len)
        review_add(&g->shown, mine ? ROLE_ADDED : ROLE_FAINT, 'm', "%s", "(yours: deleted)");
    put_lines(&g->shown, mine ? ROLE_ADDED : p->choice ? ROLE_TAKEN : ROLE_CHANGED, 'm', p->mine, 0, SIZE_MAX / 2);
}

static void put_change(struct review *r, const char *whose, const struct merge_piece *p, struct merge_text fresh)
{
    review_add(r, ROLE_SECTION, '#', "%s, line %zu", whose, p->line);
    put_lines(r, ROLE_TAKEN, '-', p->base, 0, SIZE_MAX / 2);
    put_lines(r, ROLE_ADDED, '+', fresh, 0, SIZE_MAX / 2);
}

static void show(const struct app *app, struct policy_merge *g)
{
    size_t conflict = 0, top = g->shown.top;

    review_clear(&g->shown);
    g->places.len = 0;
    for (size_t i = 0; i < g->merge.len; i++) {
        const struct merge_piece *p = &g->merge.items[i];

        switch (p->kind) {
        case MERGE_SAME:
            put_same(&g->shown, p->mine, i == 0, i + 1 == g->merge.len);
            break;
        case MERGE_THEIRS:
            put_change(&g->shown, "theirs", p, p->theirs);
            break;
        case MERGE_MINE:
            put_change(&g->shown, "yours", p, p->mine);
            break;
        case MERGE_ALIKE:
            put_change(&g->shown, "both alike", p, p->mine);
            break;
        case MERGE_CONFLICT:
            put_conflict(app, g, p, conflict++);
            break;
        }
    }
    g->shown.top = top;
}

static void go(const struct app *app, struct policy_merge *g, size_t conflict)
{
    g->at = conflict;
    show(app, g);
    g->shown.top = g->at < g->places.len && g->places.items[g->at] > AROUND ? g->places.items[g->at] - AROUND : 0;
}

/* ---- doing ---- */

/* Their text is what the merged one is made from. The mode is one that a review may be opened from. */
static void finish(struct app *app)
{
    struct policy_page *d = policy_page_of(app);
    struct policy_merge *g = &d->merging;
    size_t len;
    char *text = merge_result(&g->merge, &len);

    if (!editor_swap(&d->editor, text, len)) {
        app_flash(app, ROLE_WARN, "not merged: the text would be larger than 4 MiB");
        d->mode = POLICY_READ;
    } else {
        d->mode = POLICY_READ;
        policy_page_base(app, g->texts[TEXT_THEIRS], g->lens[TEXT_THEIRS], g->version);
        policy_page_changed(app);
        app_flash(app, ROLE_INFO, "merged; asking the server what it would change ...");
        if (policy_page_modified(app))
            policy_page_preview(app);
        else
            app_flash(app, ROLE_INFO, "merged: theirs holds all of yours");
    }
    free(text);
    forget(g);
}

static void begin(struct app *app, const char *base, size_t base_len)
{
    struct policy_page *d = policy_page_of(app);

    if (!d->theirs)
        return;
    make(d, base, base_len);
    if (!d->merging.merge.conflicts) {
        finish(app);
        return;
    }
    d->mode = POLICY_MERGE;
    go(app, &d->merging, 0);
}

void policy_merge_start(struct app *app)
{
    struct policy_page *d = policy_page_of(app);
    char path[80];

    if (d->base_version == d->version) {
        begin(app, d->base, d->base_len);
        return;
    }
    /* A draft of an older version: what it was made from is asked for. */
    snprintf(path, sizeof(path), "/api/headway/policy/versions/%llu", (unsigned long long)d->version);
    policy_page_send(app, POLICY_REQUEST_ANCESTOR, "GET", path, NULL);
}

void policy_merge_ancestor(struct app *app, const json_t *answer, const char *trouble)
{
    struct api_policy policy;

    if (!answer || api_read(&api_policy_shape, answer, &policy, API_STRICT, NULL) < 0) {
        policy_page_of(app)->question = QUESTION_CONFLICT;
        app_flash(app, ROLE_ERROR, "not merged, as what your text is made from cannot be read: %s", trouble);
        return;
    }
    begin(app, policy.text, strlen(policy.text));
    api_release(&api_policy_shape, &policy);
}

bool policy_merge_escape(struct app *app)
{
    struct policy_page *d = policy_page_of(app);

    if (d->mode != POLICY_MERGE)
        return false;
    forget(&d->merging);
    d->mode = POLICY_READ;
    d->question = QUESTION_CONFLICT;
    return true;
}

static struct merge_piece *conflict_at(struct policy_merge *g, size_t number)
{
    for (size_t i = 0; i < g->merge.len; i++)
        if (g->merge.items[i].kind == MERGE_CONFLICT && number-- == 0)
            return &g->merge.items[i];
    return NULL;
}

/* On to the next one that is open, if there is any. */
static void choose(struct app *app, enum merge_choice choice)
{
    struct policy_merge *g = &policy_page_of(app)->merging;
    struct merge_piece *p = conflict_at(g, g->at);
    size_t next = g->at;

    if (!p)
        return;
    p->choice = choice;
    for (size_t i = 1; i <= g->merge.conflicts && merge_open(&g->merge); i++) {
        next = (g->at + i) % g->merge.conflicts;
        if (!conflict_at(g, next)->choice)
            break;
    }
    go(app, g, next);
    if (!merge_open(&g->merge))
        app_flash(app, ROLE_INFO, "all are chosen: {merge-take} reviews the merged text");
}

static void cmd_theirs(struct app *app, const char *arg)
{
    (void)arg;
    choose(app, CHOICE_THEIRS);
}

static void cmd_mine(struct app *app, const char *arg)
{
    (void)arg;
    choose(app, CHOICE_MINE);
}

static void cmd_both(struct app *app, const char *arg)
{
    (void)arg;
    choose(app, CHOICE_BOTH);
}

static void cmd_next(struct app *app, const char *arg)
{
    struct policy_merge *g = &policy_page_of(app)->merging;

    (void)arg;
    go(app, g, (g->at + 1) % g->merge.conflicts);
}

static void cmd_previous(struct app *app, const char *arg)
{
    struct policy_merge *g = &policy_page_of(app)->merging;

    (void)arg;
    go(app, g, (g->at + g->merge.conflicts - 1) % g->merge.conflicts);
}

static void cmd_take(struct app *app, const char *arg)
{
    (void)arg;
    finish(app);
}

static const char *refuse_take(struct app *app)
{
    return merge_open(&policy_page_of(app)->merging.merge) ? "not all are chosen yet: {merge-next} goes to the next"
                                                           : app_why_not_write(app);
}

static void cmd_merge(struct app *app, const char *arg)
{
    (void)arg;
    policy_page_send(app, POLICY_REQUEST_THEIRS, "GET", "/api/headway/policy", NULL);
}

static const char *refuse_merge(struct app *app)
{
    struct policy_page *d = policy_page_of(app);

    return !d->behind                        ? "nobody else has saved another policy"
           : d->calls[POLICY_REQUEST_THEIRS] ? "it is being asked for"
                                             : app_why_not_write(app);
}

static const struct console_command commands[] = {
    {.name = "merge",
     .keys = "M",
     .help = "bring your text together with the one that somebody else saved",
     .where = IN_POLICY,
     .run = cmd_merge,
     .refuse = refuse_merge},
    {.name = "merge-theirs",
     .keys = "t",
     .hint = "theirs",
     .help = "take their lines",
     .where = IN_MERGE,
     .rank = 1,
     .run = cmd_theirs},
    {.name = "merge-mine",
     .keys = "m",
     .hint = "yours",
     .help = "take your lines",
     .where = IN_MERGE,
     .rank = 2,
     .run = cmd_mine},
    {.name = "merge-both",
     .keys = "b",
     .hint = "both",
     .help = "take both, theirs first",
     .where = IN_MERGE,
     .rank = 3,
     .run = cmd_both},
    {.name = "merge-next",
     .keys = "n Tab",
     .hint = "next",
     .help = "the next place that both changed",
     .where = IN_MERGE,
     .rank = 4,
     .run = cmd_next},
    {.name = "merge-previous",
     .keys = "N Shift-Tab",
     .help = "the previous place that both changed",
     .where = IN_MERGE,
     .run = cmd_previous},
    {.name = "merge-take",
     .keys = "Enter",
     .hint = "review",
     .help = "take over the merged text and review it",
     .where = IN_MERGE,
     .rank = 5,
     .run = cmd_take,
     .refuse = refuse_take},
};

const struct command_table policy_merge_commands = {.items = commands, .len = ARRAY_LEN(commands)};
