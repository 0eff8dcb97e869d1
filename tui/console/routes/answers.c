/* SPDX-License-Identifier: BSD-3-Clause */
/* The question that has been due for longest is asked. What it is about may have gone when the answer comes. */
#include "console/routes/answers.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/routes/questions.h"

#define REST_MS     150    /* the cursor stays that long before it is asked about its row */
#define PATIENCE_MS 60000  /* for one answer */
#define FOLLOW_MS   1000   /* between two looks at how far clients follow */
#define SOON_MS     1000   /* until a look at all routes, where something changed */
#define AGAIN_MS    15000  /* between two of these */
#define CHECK_MS    300000 /* where nothing did: addresses of clients may have */
#define MOVES_TOLD  100

enum answer_kind {
    ASK_WATCHED,
    ASK_FOLLOW,
    ASK_DRAIN,
    ASK_HISTORY,
    ASK_NEXT,
    ASK_USE,
    ASK_CHECK,
    ASK_ALL_USE,
    ASK_FLIPS,
    QUESTIONS
};

struct route_answers {
    uint64_t id; /* of the question under way; 0: none is */
    enum answer_kind kind;
    char *about;                                  /* the prefix or node that it is about */
    int64_t sent_ms, rests_ms, due_ms[QUESTIONS]; /* due: monotonic, 0: not wanted */
    size_t next_watched;
    int64_t checked_ms; /* when the answer about all routes came */
    bool telling;       /* the model is told of answers: that asks nothing anew */
    struct prefix_answers prefix;
    struct drain_answer drain;
};

void route_answers_init(struct app *app)
{
    app->route_answers = mem_alloc(sizeof(*app->route_answers));
    route_answers_reset(app);
}

static void forget_prefix(struct prefix_answers *p)
{
    if (p->history_known)
        api_release(&api_route_history_shape, &p->history);
    if (p->follow_known)
        api_release(&api_followers_shape, &p->follow);
    if (p->use_known)
        api_release(&api_simulation_shape, &p->use);
    if (p->next_known)
        api_release(&api_simulation_shape, &p->next);
    free(p->prefix);
    *p = (struct prefix_answers){0};
}

static void forget_drain(struct drain_answer *d)
{
    if (d->known)
        api_release(&api_drain_shape, &d->drain);
    *d = (struct drain_answer){0};
}

void route_answers_reset(struct app *app)
{
    struct route_answers *a = app->route_answers;

    forget_prefix(&a->prefix);
    forget_drain(&a->drain);
    free(a->about);
    *a = (struct route_answers){.due_ms = {[ASK_CHECK] = 1, [ASK_ALL_USE] = 1}};
}

void route_answers_release(struct app *app)
{
    route_answers_reset(app);
    free(app->route_answers);
    app->route_answers = NULL;
}

const struct prefix_answers *prefix_answers(const struct app *app)
{
    return &app->route_answers->prefix;
}

const struct drain_answer *drain_answer(const struct app *app)
{
    return &app->route_answers->drain;
}

bool route_check_is_due(const struct app *app)
{
    const struct route_answers *a = app->route_answers;

    return (a->id && a->kind == ASK_CHECK) ||
           (a->due_ms[ASK_CHECK] && a->due_ms[ASK_CHECK] <= app->at.now_ms + AGAIN_MS);
}

/* ---- what is asked ---- */

static void send(struct app *app, enum answer_kind kind, const char *about, const char *method, char *path, char *body)
{
    struct route_answers *a = app->route_answers;
    struct app_request request = {.id = app->next_request++,
                                  .method = method,
                                  .path = path,
                                  .body = body ? body : "",
                                  .whole = true,
                                  .background = true,
                                  .result = ROW_KINDS};

    a->id = request.id;
    a->kind = kind;
    a->sent_ms = app->at.now_ms;
    mem_replace(&a->about, about);
    app->net.send(app->net.context, &request);
    free(path);
    free(body);
}

static bool ask_use(struct app *app, enum answer_kind kind, const char *only)
{
    char *body = question_of_use(app, only);

    if (!body)
        return false;
    send(app, kind, only ? only : "", "POST", mem_strdup("/api/headway/routes/simulate"), body);
    return true;
}

static bool ask_next(struct app *app, const char *prefix)
{
    const struct m_prefix *p = model_find(&app->model, ROW_PREFIX, prefix);

    if (!p || !p->api.primary)
        return false;
    send(app, ASK_NEXT, prefix, "POST", mem_strdup("/api/headway/routes/simulate"),
         mem_format("{\"changes\":[{\"kind\":\"down\",\"node\":\"%llu\"}]}", (unsigned long long)p->api.primary));
    return true;
}

static void ask_history(struct app *app, enum answer_kind kind, const char *prefix)
{
    char tail[40];

    snprintf(tail, sizeof(tail), "/history?limit=%d", MOVES_TOLD);
    send(app, kind, prefix, "GET", question_url(prefix, tail), NULL);
}

static bool ask_flips(struct app *app)
{
    const struct list *l = app_list(app);

    for (size_t i = l->top; i < l->order.len && i < l->top + l->height; i++) {
        const struct row *row = l->order.items[i];

        if (row->kind == ROW_PREFIX && !((const struct m_prefix *)row)->api.exit &&
            (!row->facts || !row->facts->flips_known)) {
            ask_history(app, ASK_FLIPS, row->key);
            return true;
        }
    }
    return false;
}

static bool ask_watched(struct app *app)
{
    struct route_answers *a = app->route_answers;

    if (!app->watched.len)
        return false;
    const char *what = app->watched.items[a->next_watched++ % app->watched.len], *key = strchr(what, ' ') + 1;
    bool node = str_starts(what, "node ");
    char *prefix = mem_strndup(key, strcspn(key, " "));
    send(app, ASK_WATCHED, what, "GET",
         node ? mem_format("/api/headway/nodes/%s/drain", key) : question_url(prefix, "/followers"), NULL);
    free(prefix);
    return true;
}

static bool ask(struct app *app, enum answer_kind kind)
{
    struct route_answers *a = app->route_answers;
    const char *prefix = a->prefix.prefix;

    switch (kind) {
    case ASK_WATCHED:
        return ask_watched(app);
    case ASK_FOLLOW:
        send(app, kind, prefix, "GET", question_url(prefix, "/followers"), NULL);
        return true;
    case ASK_DRAIN:
        send(app, kind, "", "GET", mem_format("/api/headway/nodes/%llu/drain", (unsigned long long)a->drain.node),
             NULL);
        return true;
    case ASK_HISTORY:
        ask_history(app, kind, prefix);
        return true;
    case ASK_NEXT:
        return ask_next(app, prefix);
    case ASK_USE:
        return ask_use(app, kind, prefix);
    case ASK_CHECK:
        send(app, kind, "", "GET", mem_strdup("/api/headway/routes/check"), NULL);
        return true;
    case ASK_ALL_USE:
        return ask_use(app, kind, NULL);
    case ASK_FLIPS:
        return ask_flips(app);
    case QUESTIONS:
        break;
    }
    return false;
}

/* ---- when ---- */

static bool in_front(const struct app *app)
{
    return str_eq(app->place.view->name, "routes");
}

static void want(struct route_answers *a, enum answer_kind kind, int64_t at_ms)
{
    if (!a->due_ms[kind] || a->due_ms[kind] > at_ms)
        a->due_ms[kind] = at_ms > 0 ? at_ms : 1;
}

static const struct row *cursor_row(const struct app *app)
{
    const struct row *row = in_front(app) ? app_list(app)->cursor : NULL;

    return row && !row->gone_ms ? row : NULL;
}

static const struct m_node *router_of(const struct app *app, const struct row *row)
{
    if (row && row->kind == ROW_ROUTE)
        return ((const struct m_route *)row)->node;
    if (row && row->kind == ROW_PREFIX)
        return model_node(&app->model, ((const struct m_prefix *)row)->api.primary);
    return row && row->kind == ROW_NODE ? (const struct m_node *)row : NULL;
}

/* What is asked about; false: the row is nothing of the kind. */
static bool subject_of(const struct row *row, char *out, size_t size)
{
    const struct m_route *r = row && row->kind == ROW_ROUTE ? (const struct m_route *)row : NULL;

    if (r && r->api.exit && r->node)
        snprintf(out, size, "exit %s", r->node->row.key);
    else if (r || (row && row->kind == ROW_PREFIX))
        str_copy(out, size, row->key);
    else
        return false;
    return true;
}

/* What the cursor is on is asked about when it has rested there. */
static void look_at_cursor(struct app *app)
{
    struct route_answers *a = app->route_answers;
    const struct row *row = cursor_row(app);
    const struct m_node *n = router_of(app, row);
    uint64_t drained = n && n->api.draining ? n->api.id : 0;
    int64_t at = app->at.now_ms + REST_MS;
    char subject[PREFIX_TEXT_MAX + 8];

    if (drained != a->drain.node) {
        forget_drain(&a->drain);
        a->drain.node = drained;
        a->due_ms[ASK_DRAIN] = drained ? at : 0;
    }
    bool any = subject_of(row, subject, sizeof(subject));
    if (any ? a->prefix.prefix && str_eq(a->prefix.prefix, subject) : !a->prefix.prefix)
        return;
    forget_prefix(&a->prefix);
    a->prefix.prefix = any ? mem_strdup(subject) : NULL;
    for (int kind = ASK_FOLLOW; kind <= ASK_USE; kind++)
        if (kind != ASK_DRAIN)
            a->due_ms[kind] = any && (kind == ASK_USE || !str_starts(subject, "exit ")) ? at : 0;
}

/* Whether the question makes sense where the user is. */
static bool fits(const struct app *app, enum answer_kind kind)
{
    switch (kind) {
    case ASK_WATCHED:
    case ASK_CHECK:
        return true;
    case ASK_FLIPS:
        return in_front(app) && str_eq(app_part(app)->name, "ha");
    default:
        return in_front(app);
    }
}

/* The question that has been due for longest, by urgency among equals; QUESTIONS: none is. */
static int next_due(const struct app *app)
{
    const int64_t *due = app->route_answers->due_ms;
    int next = QUESTIONS;

    for (int kind = 0; kind < QUESTIONS; kind++)
        if (due[kind] && due[kind] <= app->at.now_ms && fits(app, (enum answer_kind)kind) &&
            (next == QUESTIONS || due[kind] < due[next]))
            next = kind;
    return next;
}

void route_answers_tick(struct app *app)
{
    struct route_answers *a = app->route_answers;
    int64_t now = app->at.now_ms;

    look_at_cursor(app);
    if (a->id && now - a->sent_ms < PATIENCE_MS)
        return;
    a->id = 0;
    if (app->conn.state != CONN_LIVE || !app->model.filled || app->frozen || app->then.on)
        return;
    if (app->watched.len && !a->due_ms[ASK_WATCHED])
        a->due_ms[ASK_WATCHED] = now;
    if (!a->due_ms[ASK_FLIPS])
        a->due_ms[ASK_FLIPS] = now + REST_MS;
    for (int kind = next_due(app); kind < QUESTIONS && !a->id; kind = next_due(app)) {
        a->due_ms[kind] = 0;
        (void)ask(app, (enum answer_kind)kind);
    }
}

int64_t route_answers_next_ms(const struct app *app)
{
    const struct route_answers *a = app->route_answers;
    int64_t next = 0;

    for (int kind = 0; kind < QUESTIONS && !a->id && app->conn.state == CONN_LIVE; kind++)
        if (a->due_ms[kind] > app->at.now_ms && fits(app, (enum answer_kind)kind) && (!next || a->due_ms[kind] < next))
            next = a->due_ms[kind];
    return next;
}

void route_answers_note(struct app *app, struct row *row, enum note what)
{
    struct route_answers *a = app->route_answers;
    int64_t soon = app->at.now_ms + SOON_MS;

    if (a->telling || row->kind != ROW_PREFIX || what == NOTE_FREED)
        return;
    want(a, ASK_CHECK, a->checked_ms && soon < a->checked_ms + AGAIN_MS ? a->checked_ms + AGAIN_MS : soon);
    want(a, ASK_ALL_USE, app->at.now_ms + AGAIN_MS);
    if (row->facts)
        row->facts->flips_known = false;
    if (a->prefix.prefix && str_eq(a->prefix.prefix, row->key)) {
        want(a, ASK_FOLLOW, app->at.now_ms);
        want(a, ASK_HISTORY, app->at.now_ms);
        want(a, ASK_NEXT, app->at.now_ms + REST_MS);
        want(a, ASK_USE, app->at.now_ms + REST_MS);
    }
}

/* ---- the answers ---- */

/* Replaces what was known by what the answer says; nothing, where it is none. */
static void take_object(const struct api_shape *shape, void *object, bool *known, bool good, const json_t *json)
{
    if (*known)
        api_release(shape, object);
    *known = good && api_read(shape, json, object, API_FOR_TERMINAL, NULL) == 0;
}

static void take_about_prefix(struct app *app, bool good, const json_t *json)
{
    struct route_answers *a = app->route_answers;
    struct prefix_answers *p = &a->prefix;
    bool following = p->follow_known && !p->follow.ended;

    if (!p->prefix || !str_eq(p->prefix, a->about))
        return;
    if (a->kind == ASK_FOLLOW) {
        take_object(&api_followers_shape, &p->follow, &p->follow_known, good, json);
        if (p->follow_known && !p->follow.ended)
            want(a, ASK_FOLLOW, app->at.now_ms + FOLLOW_MS);
        else if (p->follow_known && following) /* the history says how long that took */
            want(a, ASK_HISTORY, app->at.now_ms + REST_MS);
    } else if (a->kind == ASK_HISTORY) {
        take_object(&api_route_history_shape, &p->history, &p->history_known, good, json);
        if (good)
            count_flips(app, p->prefix, json);
    } else if (a->kind == ASK_NEXT) {
        take_object(&api_simulation_shape, &p->next, &p->next_known, good, json);
    } else {
        take_object(&api_simulation_shape, &p->use, &p->use_known, good, json);
    }
}

static void take_drain(struct app *app, bool good, const json_t *json)
{
    struct route_answers *a = app->route_answers;

    if (!a->drain.node)
        return;
    take_object(&api_drain_shape, &a->drain.drain, &a->drain.known, good, json);
    if (a->drain.known && a->drain.drain.node != a->drain.node) {
        api_release(&api_drain_shape, &a->drain.drain);
        a->drain.known = false;
    }
    if (!a->drain.known || !a->drain.drain.safe)
        want(a, ASK_DRAIN, app->at.now_ms + FOLLOW_MS);
}

static void stop_watching(struct app *app, const char *what)
{
    for (size_t i = app->watched.len; i-- > 0;)
        if (str_eq(app->watched.items[i], what)) {
            free(app->watched.items[i]);
            vec_remove(&app->watched, i);
        }
}

static void take_watched_node(struct app *app, const json_t *json)
{
    struct api_drain d;

    if (api_read(&api_drain_shape, json, &d, API_FOR_TERMINAL, NULL) < 0)
        return;
    /* What does not become safe by waiting: a prefix that nobody else can serve, clients that choose another exit node
     * only when their users do. */
    if (d.safe || !d.draining || d.used_by || d.untold || d.serves.len) {
        if (d.draining)
            app_flash(app, d.safe ? ROLE_INFO : ROLE_WARN, "%s", d.text);
        stop_watching(app, app->route_answers->about);
    }
    api_release(&api_drain_shape, &d);
}

static void take_watched_prefix(struct app *app, const json_t *json)
{
    struct api_followers f;

    if (api_read(&api_followers_shape, json, &f, API_FOR_TERMINAL, NULL) < 0)
        return;
    /* Until the move is seen, the one before is told of. */
    if (f.to == strtoull(strrchr(app->route_answers->about, ' '), NULL, 10) && (f.complete || f.ended)) {
        app_flash(app, f.complete ? ROLE_INFO : ROLE_WARN, "%s", f.text);
        stop_watching(app, app->route_answers->about);
    }
    api_release(&api_followers_shape, &f);
}

static void take_watched(struct app *app, bool good, const json_t *json)
{
    struct route_answers *a = app->route_answers;

    if (!good)
        stop_watching(app, a->about);
    else if (str_starts(a->about, "node "))
        take_watched_node(app, json);
    else
        take_watched_prefix(app, json);
    if (app->watched.len)
        want(a, ASK_WATCHED, app->at.now_ms + FOLLOW_MS);
}

static void take(struct app *app, bool good, const json_t *json)
{
    struct route_answers *a = app->route_answers;

    switch (a->kind) {
    case ASK_WATCHED:
        take_watched(app, good, json);
        break;
    case ASK_DRAIN:
        take_drain(app, good, json);
        break;
    case ASK_CHECK:
        if (good)
            take_findings(app, json);
        a->checked_ms = app->at.now_ms;
        want(a, ASK_CHECK, app->at.now_ms + CHECK_MS);
        break;
    case ASK_ALL_USE:
        if (good)
            take_all_use(app, json);
        break;
    case ASK_FLIPS:
        count_flips(app, a->about, good ? json : NULL);
        break;
    default:
        take_about_prefix(app, good, json);
        break;
    }
}

bool route_answers_reply(struct app *app, uint64_t id, struct reply *reply)
{
    struct route_answers *a = app->route_answers;

    if (!a->id || id != a->id)
        return false;
    a->id = 0;
    /* Rows of the past have no facts of now. */
    if (app->then.on && (a->kind == ASK_CHECK || a->kind == ASK_ALL_USE)) {
        want(a, a->kind, app->at.now_ms);
        return true;
    }
    a->telling = true;
    take(app, reply->json && reply->status >= 200 && reply->status < 300, reply->json);
    a->telling = false;
    return true;
}
