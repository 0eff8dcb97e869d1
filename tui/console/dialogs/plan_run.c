/* SPDX-License-Identifier: BSD-3-Clause */
/* A plan's way: tried without effect where it is shown, then carried out. What is done on the screen follows the
 * server's answer, never the key press. */
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/plan.h"
#include "console/dialogs/secret.h"
#include "console/model/findings.h"

static void send_call(struct app *app, struct plan_request *call, bool dry)
{
    char *path = dry ? mem_format("%s?dry_run=true", call->path) : mem_strdup(call->path);
    struct app_request request = {.id = app->next_request++,
                                  .method = call->method,
                                  .path = path,
                                  .body = call->body,
                                  .version = call->version,
                                  .whole = true,
                                  .result = dry ? ROW_KINDS : call->result};

    call->id = request.id;
    call->state = dry ? REQUEST_CHECKING : REQUEST_APPLYING;
    app->net.send(app->net.context, &request);
    free(path);
}

void plan_submit(struct app *app, struct plan *plan)
{
    bool shown = plan->risk != RISK_NONE || plan->steps.len > 1 || app->plan_mode;

    for (size_t i = 0; i < plan->calls.len; i++)
        shown |= plan->calls.items[i].warnings != NULL;
    app->plan_mode = false;
    if (!shown) {
        plan->asked_in = dialog_set_aside(app);
        plan->asked_keys = app->keys;
        plan_apply(app, plan);
        return;
    }
    plan->next = app->plans;
    app->plans = plan;
    plan->shown = true;
    plan_dialog(app, plan);
    for (size_t i = 0; i < plan->calls.len; i++)
        send_call(app, &plan->calls.items[i], true);
    plan_effects_ask(app, plan);
}

static bool listed(const struct app *app, const struct plan *plan)
{
    for (const struct plan *p = app->plans; p; p = p->next)
        if (p == plan)
            return true;
    return false;
}

static void unlink_plan(struct app *app, struct plan *plan)
{
    for (struct plan **at = &app->plans; *at; at = &(*at)->next)
        if (*at == plan) {
            *at = plan->next;
            break;
        }
}

void plan_close(struct app *app, struct plan *plan)
{
    unlink_plan(app, plan);
    dialog_drop(app, plan->asked_in);
    plan_free(plan);
}

void plans_release(struct app *app)
{
    while (app->plans)
        plan_close(app, app->plans);
}

void plan_apply(struct app *app, struct plan *plan)
{
    const char *why = app_why_not_write(app);

    if (!listed(app, plan)) {
        plan->next = app->plans;
        app->plans = plan;
    }
    if (why) {
        app_flash(app, ROLE_WARN, "%s: %s", plan->verb, why);
        if (plan->asked_in)
            dialog_put_back(app, plan->asked_in, why);
        plan->asked_in = NULL;
        plan_close(app, plan);
        return;
    }
    plan->shown = false;
    plan->sent_ms = app->at.now_ms;
    size_t sent = 0;
    for (size_t i = 0; i < plan->calls.len; i++)
        if (plan->calls.items[i].state != REQUEST_REFUSED && !plan->calls.items[i].left_out) {
            send_call(app, &plan->calls.items[i], false);
            sent++;
        }
    if (!sent)
        plan_close(app, plan);
}

#define PATIENCE_MS 1000

const struct plan *plan_unanswered(const struct app *app)
{
    const struct plan *oldest = NULL;

    for (const struct plan *p = app->plans; p; p = p->next)
        if (p->sent_ms && app->at.now_ms - p->sent_ms >= PATIENCE_MS && (!oldest || p->sent_ms < oldest->sent_ms))
            oldest = p;
    return oldest;
}

void plan_unanswered_text(const struct app *app, const struct plan *plan, char *text, size_t size)
{
    size_t left = plan_count(plan, REQUEST_APPLYING), all = plan->calls.len;
    char age[AGO_MAX];

    span_text((app->at.now_ms - plan->sent_ms) * NS_PER_MS, age);
    if (left < all)
        snprintf(text, size, "sent %s ago: %s; %zu of %zu answers are missing", age,
                 plan->title ? plan->title : plan->verb, left, all);
    else
        snprintf(text, size, "sent %s ago: %s; no answer yet", age, plan->title ? plan->title : plan->verb);
}

static struct row *step_row(struct app *app, const struct plan_step *s)
{
    struct m_node *n;

    if (s->kind != ROW_ROUTE)
        return model_find(&app->model, s->kind, s->key);
    n = model_find(&app->model, ROW_NODE, s->node);
    for (size_t i = 0; n && i < n->routes.len; i++)
        if (str_eq(n->routes.items[i]->row.key, s->key))
            return &n->routes.items[i]->row;
    return NULL;
}

/* Each request is tried by itself: that no other router can take over is not so where the plan approves another one. */
static bool mends_itself(const struct plan *plan, const struct api_route_problem *p)
{
    char prefix[PREFIX_TEXT_MAX], id[24];

    if (!str_eq(p->code, "no-survivor"))
        return false;
    prefix_format(&p->prefix, prefix);
    snprintf(id, sizeof(id), "%llu", (unsigned long long)p->node);
    for (size_t i = 0; i < plan->steps.len; i++) {
        const struct plan_step *s = &plan->steps.items[i];
        const struct plan_request *call = &plan->calls.items[s->call];

        if (s->kind == ROW_ROUTE && s->node && str_eq(s->key, prefix) && !str_eq(s->node, id) &&
            str_starts(call->body, "{\"approve\"") && !call->left_out && call->state != REQUEST_REFUSED &&
            call->state != REQUEST_FAILED)
            return true;
    }
    return false;
}

/* What the answer says is wrong with the routes that it is about, instead of what was known before. */
static void take_warnings(const struct plan *plan, struct plan_request *call, const json_t *answer)
{
    struct api_list problems;
    struct buf b = BUF_INIT(0);

    if (api_read_list(&api_route_problem_shape, json_object_get(answer, "warnings"), &problems, API_FOR_TERMINAL,
                      NULL) < 0)
        return;
    for (size_t i = 0; i < problems.len; i++)
        if (!mends_itself(plan, api_at(&problems, struct api_route_problem, i)))
            finding_text(api_at(&problems, struct api_route_problem, i), &b);
    api_release_list(&api_route_problem_shape, &problems);
    free(call->warnings);
    call->warnings = b.len ? buf_take(&b) : NULL;
    buf_release(&b);
}

/* Routes may have been meant by a mark on their node, or on their prefix. */
static void unmark(struct app *app, const struct plan_step *s, struct row *row)
{
    struct row *node = s->node ? model_find(&app->model, ROW_NODE, s->node) : NULL,
               *prefix = s->kind == ROW_ROUTE ? model_find(&app->model, ROW_PREFIX, s->key) : NULL;

    row->marked = false;
    if (node)
        node->marked = false;
    if (prefix)
        prefix->marked = false;
}

/* What succeeded is unmarked; what failed keeps its mark and shows why. */
static void settle_rows(struct app *app, const struct plan *plan, size_t call)
{
    const struct plan_request *c = &plan->calls.items[call];

    for (size_t i = 0; i < plan->steps.len; i++) {
        struct row *row = plan->steps.items[i].call == call ? step_row(app, &plan->steps.items[i]) : NULL;

        if (!row)
            continue;
        free(row->failure);
        row->failure = NULL;
        if (c->state == REQUEST_DONE)
            unmark(app, &plan->steps.items[i], row);
        else if (plan->steps.len > 1)
            row->failure = mem_strdup(c->message ? c->message : "failed");
    }
}

static bool took_back(const struct plan *plan, const char *event)
{
    for (size_t i = 0; i < plan->calls.len; i++) {
        const struct plan_request *call = &plan->calls.items[i];
        const char *last = strrchr(call->path, '/');

        if (call->state == REQUEST_DONE && last && str_eq(last + 1, event))
            return true;
    }
    return false;
}

/* Of the change that was made (or taken back) then, what the plan took back (or did again) is forgotten; another try is
 * about the rest. */
static void forget(struct undos *all, int64_t at_ms, const struct plan *plan)
{
    for (size_t i = all->len; i-- > 0 && at_ms;) {
        struct undo *u = &all->items[i];

        if (u->at_ms != at_ms)
            continue;
        for (size_t k = u->events.len; k-- > 0;)
            if (took_back(plan, u->events.items[k])) {
                free(u->events.items[k]);
                vec_remove(&u->events, k);
            }
        if (!u->events.len) {
            undo_release(u);
            vec_remove(all, i);
        }
        return;
    }
}

/* What was done, in as many things as it was done to; the caller owns it. */
static char *done_text(const struct plan *plan)
{
    size_t done = 0;

    for (size_t i = 0; i < plan->steps.len; i++)
        done += plan->calls.items[plan->steps.items[i].call].state == REQUEST_DONE;
    if (done < plan->steps.len)
        return mem_format("%s: %zu of %zu done", plan->verb, done, plan->steps.len);
    return mem_strdup(plan->done);
}

/* That, and how many warnings came with it once all is done; the caller owns it. */
static char *result_of(const struct plan *plan)
{
    size_t warnings = 0;
    char *done = done_text(plan), *result;

    for (size_t i = 0; i < plan->calls.len; i++)
        for (const char *at = plan->calls.items[i].warnings; at && *at;
             at += at[strcspn(at, "\n")] ? strcspn(at, "\n") + 1 : 0)
            warnings += *at == '!';
    if (!warnings || !str_eq(done, plan->done))
        return done;
    result = mem_format("%s; %zu warning%s: {why} tells", done, warnings, warnings == 1 ? "" : "s");
    free(done);
    return result;
}

/* What was done can be undone, what was undone can be done again, until there is a new change. */
static void keep_undo(struct app *app, const struct plan *plan)
{
    struct undo u = {.text = plan->what ? mem_strdup(plan->what) : done_text(plan), .at_ms = app->at.now_ms};

    for (size_t i = 0; i < plan->events.len; i++)
        strs_push(&u.events, plan->events.items[i]);
    if (plan->takes_back) {
        vec_push(&app->redos, u);
        return;
    }
    if (!plan->redoes_ms)
        undos_release(&app->redos);
    vec_push(&app->undos, u);
}

/* Routers that were drained and prefixes that were moved are watched until clients have followed. */
static void watch(struct app *app, const struct plan *plan)
{
    for (size_t i = 0; i < plan->calls.len; i++) {
        const struct plan_request *call = &plan->calls.items[i];
        char *what = call->state == REQUEST_DONE ? plan_request_watch(call) : NULL;

        if (what && !strs_has(&app->watched, what))
            strs_push(&app->watched, what);
        free(what);
    }
}

static void say_result(struct app *app, const struct plan *plan, const char *what)
{
    size_t failed = plan_count(plan, REQUEST_FAILED), done = plan_count(plan, REQUEST_DONE);
    const char *message = "";

    for (size_t i = 0; i < plan->calls.len; i++)
        if (plan->calls.items[i].state == REQUEST_FAILED && plan->calls.items[i].message)
            message = plan->calls.items[i].message;
    if (!failed)
        app_flash(app, ROLE_INFO, "%s%s", what, done < plan->calls.len ? ", the rest left out" : "");
    else if (plan->calls.len == 1)
        app_flash(app, ROLE_ERROR, "%s: %s", plan->verb, message);
    else
        app_flash(app, ROLE_ERROR, "%s, %zu failed: %s", what, failed, message);
}

static void show_secret(struct app *app, const struct plan *plan)
{
    char *command = plan->may_join ? mem_format("tailscale up --login-server %s --auth-key %s",
                                                app->model.server.url ? app->model.server.url : "URL", plan->secret)
                                   : NULL;

    dialog_secret(app, plan->done, plan->secret, command);
    free(command);
}

/* What the server did not take can be mended where it was typed, unless the user has turned to something else. */
static void ask_again(struct app *app, struct plan *plan)
{
    const struct plan_request *call = &plan->calls.items[0];

    if (!plan->asked_in || plan->asked_keys != app->keys || call->state != REQUEST_FAILED || !call->message)
        return;
    dialog_put_back(app, plan->asked_in, call->message);
    plan->asked_in = NULL;
}

static void finish(struct app *app, struct plan *plan)
{
    char *what = result_of(plan);

    if (plan->events.len && (plan->takes_back ? !plan->final : plan->undoable))
        keep_undo(app, plan);
    forget(&app->undos, plan->undoes_ms, plan);
    forget(&app->redos, plan->redoes_ms, plan);
    say_result(app, plan, what);
    watch(app, plan);
    ask_again(app, plan);
    free(what);
    if (plan->secret)
        show_secret(app, plan);
    plan_close(app, plan);
}

static void take_answer(struct app *app, struct plan *plan, size_t index, struct reply *reply)
{
    struct plan_request *call = &plan->calls.items[index];
    bool good = reply->status >= 200 && reply->status < 300;

    free(call->message);
    call->message = NULL;
    if (!good && reply->e.code == ERR_PRECONDITION)
        call->message = mem_strdup("it was changed by somebody else: check it again");
    else if (!good && reply->unknown && call->state == REQUEST_APPLYING)
        call->message = mem_format("no answer, it may have been done: look first (%s)", reply->e.message);
    else if (!good)
        call->message = mem_strdup(reply->e.message);
    take_warnings(plan, call, reply->json);
    if (call->state == REQUEST_CHECKING) {
        call->state = good ? REQUEST_READY : REQUEST_REFUSED;
        if (!good && plan->effects.wanted)
            plan_effects_ask(app, plan);
        else
            plan_effects_tell(plan);
        return;
    }
    call->state = good ? REQUEST_DONE : REQUEST_FAILED;
    if (good && reply->event)
        strs_push(&plan->events, reply->event);
    if (good && !reply->undoable) {
        plan->undoable = false;
        plan->final = true;
    }
    if (good && reply->secret) {
        mem_replace(&plan->secret, reply->secret);
        explicit_bzero(reply->secret, strlen(reply->secret));
    }
    settle_rows(app, plan, index);
    if (plan_settled(plan))
        finish(app, plan);
}

bool plan_reply(struct app *app, uint64_t id, struct reply *reply)
{
    for (struct plan *p = app->plans; p; p = p->next) {
        if (plan_effects_reply(p, id, reply) || plan_policy_reply(p, id, reply))
            return true;
        for (size_t i = 0; i < p->calls.len; i++)
            if (p->calls.items[i].id == id) {
                take_answer(app, p, i, reply);
                return true;
            }
    }
    return false;
}
