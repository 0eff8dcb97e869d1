/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done to nodes as a whole beyond naming and ending them: tags, draining a router, and its priority. */
#include "console/commands/node_changes.h"

#include <stdio.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/commands/targets.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/plan.h"
#include "json/json.h"

/* ---- tags ---- */

static void add_tag(struct strs *tags, const char *word, size_t len)
{
    bool whole = len > 4 && strncmp(word, "tag:", 4) == 0;
    char *tag = mem_format("%s%.*s", whole ? "" : "tag:", (int)len, word);

    if (!strs_has(tags, tag))
        strs_push(tags, tag);
    free(tag);
}

static void remove_tag(struct strs *tags, const char *word, size_t len)
{
    for (size_t i = tags->len; i-- > 0;) {
        const char *name = tags->items[i] + (str_starts(tags->items[i], "tag:") ? 4 : 0);

        if ((strlen(tags->items[i]) == len && strncmp(tags->items[i], word, len) == 0) ||
            (strlen(name) == len && strncmp(name, word, len) == 0)) {
            free(tags->items[i]);
            vec_remove(tags, i);
        }
    }
}

static bool is_relative(const char *words)
{
    char first = words[strspn(words, " ,")];

    return first == '+' || first == '-';
}

/* What the tags of a node become: words say what they shall be, +word and -word what is added and taken away. */
static void apply_words(const char *text, const struct strs *before, struct strs *out)
{
    if (is_relative(text))
        strs_copy(out, before);
    while (*(text += strspn(text, " ,"))) {
        size_t len = strcspn(text, " ,");

        if (*text == '-')
            remove_tag(out, text + 1, len - 1);
        else if (*text != '+')
            add_tag(out, text, len);
        else if (len > 1)
            add_tag(out, text + 1, len - 1);
        text += len;
    }
}

static char *join_tags(const struct strs *tags)
{
    struct buf b = BUF_INIT(0);

    for (size_t i = 0; i < tags->len; i++)
        buf_addf(&b, "%s%s", i ? " " : "", tags->items[i]);
    return buf_take(&b);
}

static char *tags_body(const struct strs *tags)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    json_open(&o, '{');
    json_key(&o, "tags");
    json_open(&o, '[');
    for (size_t i = 0; i < tags->len; i++)
        json_str(&o, tags->items[i]);
    json_close(&o, ']');
    json_close(&o, '}');
    return buf_take(&b);
}

/* Adds the tags that are taken away to the list, each once. */
static void note_removed(const struct strs *before, const struct strs *after, struct strs *out)
{
    for (size_t i = 0; i < before->len; i++)
        if (!strs_has(after, before->items[i]) && !strs_has(out, before->items[i]))
            strs_push(out, before->items[i]);
}

/* Adds the change of one node; false where nothing changes. */
static bool plan_tags(struct plan *p, const struct m_node *n, const char *words, struct strs *removed)
{
    struct strs tags = {0};

    apply_words(words, &n->api.tags, &tags);
    strs_sort(&tags);
    bool same = strs_eq(&tags, &n->api.tags);
    if (!is_relative(words)) /* who says -tag means it */
        note_removed(&n->api.tags, &tags, removed);
    if (!same) {
        char *before = n->api.tags.len ? join_tags(&n->api.tags) : mem_format("user %s", *n->owner ? n->owner : "-");
        char *after = tags.len ? join_tags(&tags) : mem_strdup("no tags");
        size_t call = plan_add_request(p, "POST", mem_format("/api/headway/nodes/%s/tags", n->row.key),
                                       tags_body(&tags), n->api.version, ROW_NODE);

        plan_add_step(p, call, &n->row, NULL, n->api.given_name, before, after);
        free(before);
        free(after);
    }
    strs_release(&tags);
    return !same;
}

static void tag_targets(struct app *app, struct rows *out)
{
    whole_targets(app, out);
    for (size_t i = out->len; i-- > 0;)
        if (out->items[i]->kind != ROW_NODE)
            vec_remove(out, i);
}

#define TAGS_TOLD 4 /* one by one, once they are set */

static void tagged(struct app *app, const char *words)
{
    struct rows rows = {0};
    struct plan *p = plan_new(RISK_NONE, "tags");
    struct strs removed = {0};
    bool owned = false;

    app_repeat_with(app, words);
    p->undoable = true;
    tag_targets(app, &rows);
    for (size_t i = 0; i < rows.len; i++) {
        const struct m_node *n = (const struct m_node *)rows.items[i];

        owned |= plan_tags(p, n, words, &removed) && !n->tagged;
    }
    vec_release(&rows);
    if (!p->steps.len) {
        app_flash(app, ROLE_INFO, "tags: nothing to change");
        plan_free(p);
        return;
    }
    if (owned) {
        p->risk = RISK_ASK;
        p->undoable = false;
        p->note = mem_strdup("a tagged node no longer belongs to a user; this cannot be undone");
    }
    if (removed.len) {
        char *names = join_tags(&removed);

        p->risk = RISK_ASK;
        char *note = mem_format("removes %s%s%s", names, p->note ? "; " : "", p->note ? p->note : "");
        free(p->note);
        p->note = note;
        free(names);
    }
    strs_release(&removed);
    const struct plan_step *first = &p->steps.items[0];
    if (p->steps.len == 1) {
        p->title = mem_format("tags of %s", first->what);
        size_t count = 1;
        for (const char *c = first->after; *c; c++)
            count += *c == ' ';
        p->done = count > TAGS_TOLD ? mem_format("%s now has %zu tags", first->what, count)
                                    : mem_format("%s now has %s", first->what, first->after);
    } else {
        p->title = mem_format("tags of %zu nodes", p->steps.len);
        p->done = mem_format("tags of %zu nodes changed", p->steps.len);
    }
    plan_submit(app, p);
}

static const char *refuse_tags(struct app *app)
{
    struct rows rows = {0};

    tag_targets(app, &rows);
    size_t count = rows.len;
    vec_release(&rows);
    return count ? NULL : "it is not a node yet: approve it first";
}

/* A word that is both is the node: who means the tag says so with "tag:". */
static bool takes_tags(const struct app *app, const char *words)
{
    return *words == '+' || *words == '-' || str_starts(words, "tag:") ||
           (!names_row(app, ROW_NODE, words) && !strpbrk(words, "*?"));
}

static void cmd_tags(struct app *app, const char *arg)
{
    struct rows rows = {0};

    if (*arg) {
        tagged(app, arg);
        return;
    }
    tag_targets(app, &rows);
    bool one = rows.len == 1;
    const struct m_node *n = (const struct m_node *)rows.items[0];
    char *title = one ? mem_format("tags of %s", n->api.given_name) : mem_format("tags of %zu nodes", rows.len);
    char *now = one ? join_tags(&n->api.tags) : mem_strdup("+");
    dialog_input(app, title, "Enter set   Esc cancel", now, tagged);
    app->dialog->text = mem_strdup("words replace all tags; +word adds one, -word removes one\n");
    free(title);
    free(now);
    vec_release(&rows);
}

/* ---- draining ---- */

/* A prefix stands for the router that serves it. */
static struct m_node *node_of_row(struct app *app, struct row *row)
{
    if (row->kind == ROW_ROUTE)
        return ((struct m_route *)row)->node;
    if (row->kind == ROW_PREFIX)
        return model_node(&app->model, ((struct m_prefix *)row)->api.primary);
    return row->kind == ROW_NODE ? (struct m_node *)row : NULL;
}

static void drain_targets(struct app *app, struct rows *out)
{
    struct rows rows = {0};

    if (app_node(app))
        vec_push(&rows, &app_node(app)->row);
    else
        app_targets(app, &rows);
    for (size_t i = 0; i < rows.len; i++) {
        struct m_node *n = node_of_row(app, rows.items[i]);
        bool known = !n || n->row.gone_ms || !n->routes.len;

        for (size_t j = 0; j < out->len && !known; j++)
            known = out->items[j] == &n->row;
        if (!known)
            vec_push(out, &n->row);
    }
    vec_release(&rows);
}

static void plan_drain(struct plan *p, const struct m_node *n, bool drain)
{
    size_t call = plan_add_request(p, "POST", mem_format("/api/headway/nodes/%s/drain", n->row.key),
                                   mem_format("{\"drained\":%s}", drain ? "true" : "false"), n->api.version, ROW_NODE);
    char *before = n->api.draining ? mem_strdup("drained")
                                   : mem_format("serves %u route%s", n->serving, n->serving == 1 ? "" : "s");

    plan_add_step(p, call, &n->row, NULL, n->api.given_name, before, drain ? "drained" : "may serve again");
    free(before);
}

static void cmd_drain(struct app *app, const char *arg)
{
    struct rows rows = {0};
    bool drain = false;

    (void)arg;
    drain_targets(app, &rows);
    for (size_t i = 0; i < rows.len; i++)
        drain |= !((const struct m_node *)rows.items[i])->api.draining;
    struct plan *p = plan_new(RISK_ASK, drain ? "drain" : "undrain");
    p->undoable = true;
    for (size_t i = 0; i < rows.len; i++)
        if (((const struct m_node *)rows.items[i])->api.draining != drain)
            plan_drain(p, (const struct m_node *)rows.items[i], drain);
    const char *name = ((const struct m_node *)rows.items[0])->api.given_name,
               *past = drain ? "drained" : "back in service";
    if (p->calls.len == 1) {
        p->title = drain ? mem_format("drain %s", name) : mem_format("put %s back into service", name);
        p->done = mem_format("%s is %s", name, past);
    } else {
        p->title = mem_format("%s: %zu nodes", p->verb, p->calls.len);
        p->done = mem_format("%zu nodes are %s", p->calls.len, past);
    }
    vec_release(&rows);
    plan_submit(app, p);
}

static const char *refuse_drain(struct app *app)
{
    struct rows rows = {0};

    drain_targets(app, &rows);
    size_t count = rows.len;
    vec_release(&rows);
    return count ? NULL : "the selection is not a router";
}

/* ---- approval of machines ---- */

static const struct m_node *node_at(const struct rows *rows, size_t i)
{
    return (const struct m_node *)rows->items[i];
}

bool approval_waits(struct app *app)
{
    struct rows rows = {0};
    bool waits = false;

    tag_targets(app, &rows);
    for (size_t i = 0; i < rows.len; i++)
        waits = waits || node_at(&rows, i)->api.needs_approval;
    vec_release(&rows);
    return waits;
}

void approve_machines(struct app *app)
{
    bool approve = approval_waits(app);
    struct rows rows = {0};
    struct plan *p = plan_new(approve ? RISK_NONE : RISK_ASK, approve ? "approve" : "unapprove");

    p->undoable = true;
    tag_targets(app, &rows);
    for (size_t i = 0; i < rows.len; i++) {
        const struct m_node *n = node_at(&rows, i);
        if (n->api.needs_approval != approve)
            continue;
        size_t call =
            plan_add_request(p, "POST", mem_format("/api/headway/nodes/%s/authorized", n->row.key),
                             mem_format("{\"authorized\":%s}", approve ? "true" : "false"), n->api.version, ROW_NODE);
        plan_add_step(p, call, &n->row, NULL, n->api.given_name, approve ? "waits for approval" : "approved",
                      approve ? "takes part in the tailnet" : "reaches nobody, and nobody reaches it");
    }
    const char *what = p->steps.items[0].what;
    if (p->steps.len == 1) {
        p->title = mem_format(approve ? "approve %s" : "take the approval of %s back", what);
        p->done = mem_format(approve ? "%s is approved" : "%s is no longer approved", what);
    } else {
        p->title = mem_format("%s %zu machines", p->verb, p->steps.len);
        p->done = mem_format("%zu machines are %s approved", p->steps.len, approve ? "now" : "no longer");
    }
    vec_release(&rows);
    plan_submit(app, p);
}

static void cmd_approve_node(struct app *app, const char *arg)
{
    (void)arg;
    approve_machines(app);
}

/* ---- priority ---- */

static bool read_priority(const char *text, uint64_t *out, struct err *e)
{
    *out = NODE_PRIORITY_DEFAULT;
    return !*text || str_u64(text, 0, NODE_PRIORITY_MAX, out, "priority", e) == 0;
}

static void prioritised(struct app *app, const char *text)
{
    struct rows rows = {0};
    struct plan *p;
    uint64_t value;
    struct err e;

    if (!read_priority(text, &value, &e)) {
        dialog_refuse(app, "%s", e.message);
        return;
    }
    app_repeat_with(app, text);
    p = plan_new(RISK_NONE, "priority");
    p->undoable = true;
    drain_targets(app, &rows);
    for (size_t i = 0; i < rows.len; i++) {
        const struct m_node *n = (const struct m_node *)rows.items[i];
        char before[32], after[32];

        if (n->api.priority == value)
            continue;
        snprintf(before, sizeof(before), "priority %llu", (unsigned long long)n->api.priority);
        snprintf(after, sizeof(after), "priority %llu", (unsigned long long)value);
        size_t call =
            plan_add_request(p, "POST", mem_format("/api/headway/nodes/%s/priority", n->row.key),
                             mem_format("{\"priority\":%llu}", (unsigned long long)value), n->api.version, ROW_NODE);
        plan_add_step(p, call, &n->row, NULL, n->api.given_name, before, after);
    }
    vec_release(&rows);
    if (!p->steps.len) {
        app_flash(app, ROLE_INFO, "priority: nothing to change");
        plan_free(p);
        return;
    }
    if (p->steps.len == 1) {
        p->title = mem_format("priority of %s", p->steps.items[0].what);
        p->done = mem_format("%s now has the priority %llu", p->steps.items[0].what, (unsigned long long)value);
    } else {
        p->title = mem_format("priority of %zu nodes", p->steps.len);
        p->done = mem_format("%zu nodes now have the priority %llu", p->steps.len, (unsigned long long)value);
    }
    plan_submit(app, p);
}

static bool takes_priority(const struct app *app, const char *words)
{
    (void)app;
    return strspn(words, "0123456789") == strlen(words);
}

static void cmd_priority(struct app *app, const char *arg)
{
    struct rows rows = {0};

    if (*arg) {
        prioritised(app, arg);
        return;
    }
    drain_targets(app, &rows);
    if (!rows.len) {
        vec_release(&rows);
        return;
    }
    bool one = rows.len == 1;
    const struct m_node *n = (const struct m_node *)rows.items[0];
    char *title = one ? mem_format("priority of %s", n->api.given_name) : mem_format("priority of %zu nodes", rows.len);
    char *now = mem_format("%llu", (unsigned long long)n->api.priority);
    dialog_input(app, title, "Enter set   Esc cancel", now, prioritised);
    app->dialog->text = mem_strdup("0 to 1000, the higher is preferred; empty for the default of 100\n");
    free(title);
    free(now);
    vec_release(&rows);
}

static const struct console_command commands[] = {
    {.name = "tags",
     .keys = "t",
     .hint = "tags",
     .help = "set the node's tags; +TAG adds one, -TAG removes one",
     .args = "[NAME] [TAG ...]",
     .takes = takes_tags,
     .where = IN_NODES | IN_NODE,
     .needs = CHANGES,
     .rank = 7,
     .run = cmd_tags,
     .refuse = refuse_tags},
    {.name = "drain",
     .keys = "o",
     .hint = "drain",
     .help = "drain the router so that others serve its prefixes, or put it back into service",
     .where = ROUTES_OF_ANY,
     .needs = CHANGES,
     .risk = RISK_ASK,
     .rank = 3,
     .run = cmd_drain,
     .refuse = refuse_drain},
    {.name = "approve-node",
     .keys = "m",
     .help = "approve the machine, or take its approval back",
     .where = IN_NODES | IN_NODE | IN_MACHINES,
     .needs = CHANGES,
     .risk = RISK_ASK,
     .rank = 13,
     .run = cmd_approve_node,
     .refuse = refuse_tags},
    {.name = "priority",
     .keys = "b",
     .hint = "priority",
     .help = "set the priority of the router or exit node",
     .args = "[NAME] [0-1000]",
     .takes = takes_priority,
     .where = ROUTES_OF_ANY,
     .needs = CHANGES,
     .rank = 12,
     .run = cmd_priority,
     .refuse = refuse_drain},
};

const struct command_table node_change_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};
