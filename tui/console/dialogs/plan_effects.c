/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/dialogs/plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/map.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "json/json.h"

#define REQUEST_TEXT_MAX ((size_t)1 << 20)
#define ROWS_TOLD        200 /* of each list of the answer */
#define NAMES_TOLD       2   /* of things of which the same is said */

/* ---- the question ---- */

/* A call of the API told apart: /api/headway/KIND/NAME/WHAT. */
struct call_words {
    char kind[16], name[PREFIX_TEXT_MAX], what[24];
};

static const char *take_word(const char *at, char *out, size_t size)
{
    size_t len = strcspn(at, "/?"), used = 0;

    for (size_t i = 0; i < len && used + 1 < size; i++) {
        char pair[3] = {0};

        if (at[i] == '%' && i + 2 < len) {
            memcpy(pair, at + i + 1, 2);
            out[used++] = (char)strtoul(pair, NULL, 16);
            i += 2;
        } else {
            out[used++] = at[i];
        }
    }
    out[used] = '\0';
    return at + len + (at[len] == '/');
}

static void take_words(const char *path, struct call_words *out)
{
    static const char root[] = "/api/headway/";

    *out = (struct call_words){0};
    if (!str_starts(path, root))
        return;
    path = take_word(path + sizeof(root) - 1, out->kind, sizeof(out->kind));
    path = take_word(path, out->name, sizeof(out->name));
    take_word(path, out->what, sizeof(out->what));
}

static void begin_change(struct json_out *o, const char *kind, const char *node)
{
    json_open(o, '{');
    json_put_str(o, "kind", kind);
    json_put_str(o, "node", node);
}

static void put_prefixes(struct json_out *o, const char *kind, const char *node, const json_t *prefixes)
{
    json_t *item;
    size_t i;

    if (!json_array_size(prefixes))
        return;
    begin_change(o, kind, node);
    json_key(o, "prefixes");
    json_open(o, '[');
    json_array_foreach(prefixes, i, item) json_str(o, json_string_value(item) ? json_string_value(item) : "");
    json_close(o, ']');
    json_close(o, '}');
}

static void put_plain(struct json_out *o, const char *kind, const char *node)
{
    begin_change(o, kind, node);
    json_close(o, '}');
}

/* How a prefix is to be served: the body of the call says it in the same words. */
static void put_settings(struct json_out *o, const char *prefix, const json_t *body)
{
    json_t *change = json_pack("{s:s, s:[s]}", "kind", "set", "prefixes", prefix);

    if (change && json_object_update_missing(change, (json_t *)(uintptr_t)body) == 0) {
        char *text = json_dumps(change, JSON_COMPACT);
        json_raw(o, text, strlen(text));
        free(text);
    }
    json_decref(change);
}

/* What a call of the API does, in the words of the question; nothing where routes do not depend on it. */
static void put_call(struct json_out *o, const struct model *m, const char *method, const char *path,
                     const json_t *body)
{
    struct call_words w;
    json_t *one;

    take_words(path, &w);
    const struct m_node *n = str_eq(w.kind, "nodes") ? model_find(m, ROW_NODE, w.name) : NULL;
    if (n && n->routes.len) {
        if (str_eq(w.what, "routes")) {
            put_prefixes(o, "approve", w.name, json_object_get(body, "approve"));
            put_prefixes(o, "revoke", w.name, json_object_get(body, "revoke"));
        } else if (str_eq(w.what, "drain")) {
            put_plain(o, json_is_true(json_object_get(body, "drained")) ? "drain" : "undrain", w.name);
        } else if (str_eq(w.what, "priority")) {
            begin_change(o, "priority", w.name);
            json_put_u64(o, "priority", (uint64_t)json_integer_value(json_object_get(body, "priority")));
            json_close(o, '}');
        } else if (str_eq(w.what, "authorized")) {
            put_plain(o, json_is_true(json_object_get(body, "authorized")) ? "authorize" : "unauthorize", w.name);
        } else if (str_eq(w.what, "expire")) {
            put_plain(o, "expire", w.name);
        } else if (!*w.what && str_eq(method, "DELETE")) {
            put_plain(o, "delete", w.name);
        }
    } else if (str_eq(w.kind, "prefixes") && str_eq(w.what, "primary")) {
        one = json_pack("[s]", w.name);
        put_prefixes(o, "primary", json_text(body, "node", ""), one);
        json_decref(one);
    } else if (str_eq(w.kind, "prefixes") && !*w.what && str_eq(method, "POST")) {
        put_settings(o, w.name, body);
    }
}

/* The event's inverse, where the call takes one back: it is a call, too. */
static void put_request(struct json_out *o, const struct model *m, const struct plan_request *call)
{
    struct call_words w;
    json_t *body = NULL;

    take_words(call->path, &w);
    const struct m_event *e = str_eq(w.kind, "undo") ? model_find(m, ROW_EVENT, w.name) : NULL;
    const char *text = e ? e->api.inverse : call->body;
    if (text && *text && json_read_large(text, strlen(text), REQUEST_TEXT_MAX, "request", &body, NULL) < 0)
        return;
    if (e)
        put_call(o, m, json_text(body, "method", ""), json_text(body, "path", ""), json_object_get(body, "body"));
    else
        put_call(o, m, call->method, call->path, body);
    json_decref(body);
}

char *plan_request_watch(const struct plan_request *call)
{
    struct call_words w;
    json_t *body = NULL;
    char *what = NULL;

    take_words(call->path, &w);
    bool drain = str_eq(w.kind, "nodes") && str_eq(w.what, "drain");
    bool primary = str_eq(w.kind, "prefixes") && str_eq(w.what, "primary");
    if ((!drain && !primary) || json_read(call->body, strlen(call->body), REQUEST_TEXT_MAX, "request", &body, NULL) < 0)
        return NULL;
    if (primary)
        what = mem_format("prefix %s %s", w.name, json_text(body, "node", "0"));
    else if (json_is_true(json_object_get(body, "drained")))
        what = mem_format("node %s", w.name);
    json_decref(body);
    return what;
}

void plan_effects_ask(struct app *app, struct plan *plan)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    json_open(&o, '{');
    json_key(&o, "changes");
    json_open(&o, '[');
    size_t empty = b.len;
    for (size_t i = 0; i < plan->calls.len; i++)
        if (!plan->calls.items[i].left_out && plan->calls.items[i].state != REQUEST_REFUSED)
            put_request(&o, &app->model, &plan->calls.items[i]);
    bool any = b.len > empty;
    json_close(&o, ']');
    json_close(&o, '}');
    plan->effects.wanted |= any;
    plan->effects.id = 0;
    if (plan->effects.known)
        api_release(&api_simulation_shape, &plan->effects.answer);
    plan->effects.known = false;
    if (any) {
        struct app_request request = {.id = app->next_request++,
                                      .method = "POST",
                                      .path = "/api/headway/routes/simulate",
                                      .body = b.data,
                                      .whole = true,
                                      .background = true,
                                      .result = ROW_KINDS};
        plan->effects.id = request.id;
        app->net.send(app->net.context, &request);
    }
    buf_release(&b);
    plan_effects_tell(plan);
}

/* ---- the answer ---- */

static void add_count(struct buf *b, size_t *parts, uint64_t count, const char *one, const char *many)
{
    if (count)
        buf_addf(b, "%s%llu %s", (*parts)++ ? ", " : "", (unsigned long long)count, count == 1 ? one : many);
}

static bool is_lost(const char *outcome)
{
    return str_eq(outcome, "unserved") || str_eq(outcome, "dropped");
}

static void add_outcome(const struct api_simulated_prefix *p, struct buf *out)
{
    char prefix[PREFIX_TEXT_MAX];

    buf_addf(out, "%s%s%s", prefix_format(&p->prefix, prefix), *p->via ? " via " : "", p->via);
    if (str_eq(p->outcome, "unserved"))
        buf_addf(out, ": nobody serves it any more, instead of %s", p->from_name);
    else if (str_eq(p->outcome, "dropped"))
        buf_addf(out, ": %s keeps it, and forwards nothing", *p->to_name ? p->to_name : p->from_name);
    else if (str_eq(p->outcome, "moves"))
        buf_addf(out, " moves from %s to %s", p->from_name, p->to_name);
    else if (str_eq(p->outcome, "served"))
        buf_addf(out, " is served by %s", p->to_name);
    else if (str_eq(p->outcome, "stays"))
        buf_addf(out, " stays with %s", *p->to_name ? p->to_name : p->from_name);
    else
        buf_adds(out, " is served by nobody, as now");
}

bool simulated_prefix_text(const struct api_simulated_prefix *p, struct buf *out)
{
    size_t parts = 0;
    bool served = str_eq(p->outcome, "moves") || str_eq(p->outcome, "served") || str_eq(p->outcome, "stays");

    add_outcome(p, out);
    if (p->move || p->lose || p->gain)
        buf_adds(out, ": ");
    add_count(out, &parts, p->move, "node moves", "nodes move");
    add_count(out, &parts, p->lose, "node loses it", "nodes lose it");
    add_count(out, &parts, p->gain, "node gains it", "nodes gain it");
    if (*p->later_name)
        buf_addf(out, "; %s takes over after %llu s", p->later_name, (unsigned long long)p->later_seconds);
    if (*p->covered_by)
        buf_addf(out, "; %s of %s takes its traffic", p->covered_by, p->covered_by_name);
    else if (served && p->candidates == 1 && !*p->via)
        buf_adds(out, "; no other router is left");
    return is_lost(p->outcome) || p->lose;
}

static void tell_prefixes(const struct api_list *list, struct buf *out)
{
    struct buf line = BUF_INIT(0);

    for (size_t i = 0; i < list->len && i < ROWS_TOLD; i++) {
        const struct api_simulated_prefix *p = api_at(list, struct api_simulated_prefix, i);

        if (str_eq(p->outcome, "unused"))
            continue;
        buf_clear(&line);
        bool lost = simulated_prefix_text(p, &line);
        buf_addf(out, "%s%s\n", lost ? "!" : "", buf_text(&line));
    }
    buf_release(&line);
}

static void tell_exits(const struct api_list *list, struct buf *out)
{
    for (size_t i = 0; i < list->len && i < ROWS_TOLD; i++) {
        const struct api_simulated_exit *x = api_at(list, struct api_simulated_exit, i);
        bool loses = str_eq(x->kind, "loses");
        size_t parts = 0;

        buf_addf(out, "%sexit node %s: ", loses && x->viewers ? "!" : "", x->name);
        add_count(out, &parts, x->viewers, loses ? "node loses it" : "node gains it",
                  loses ? "nodes lose it" : "nodes gain it");
        add_count(out, &parts, x->in_use, "uses it now", "use it now");
        add_count(out, &parts, loses ? x->without : 0, "has no other", "have no other");
        buf_adds(out, parts ? "\n" : "nobody notices\n");
    }
}

static const struct api_simulated_cut_off *cut_off_at(const struct api_list *list, size_t i)
{
    return api_at(list, struct api_simulated_cut_off, i);
}

static bool is_first_of_user(const struct api_list *list, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (str_eq(cut_off_at(list, i)->user, cut_off_at(list, index)->user))
            return false;
    return true;
}

static uint64_t count_users(const struct api_list *list)
{
    uint64_t count = 0;

    for (size_t i = 0; i < list->len; i++)
        count += is_first_of_user(list, i);
    return count;
}

/* One line a user. */
static void tell_cut_off(const struct api_list *list, struct buf *out)
{
    size_t len = list->len < ROWS_TOLD ? list->len : ROWS_TOLD;

    for (size_t i = 0; i < len; i++) {
        const char *user = cut_off_at(list, i)->user;
        size_t named = 0, more = 0;
        char prefix[PREFIX_TEXT_MAX];

        if (!is_first_of_user(list, i))
            continue;
        buf_addf(out, "!%s is cut off: no node of this user reaches ", user);
        for (size_t k = i; k < len; k++) {
            const struct api_simulated_cut_off *x = cut_off_at(list, k);

            if (!str_eq(x->user, user))
                continue;
            if (named == NAMES_TOLD)
                more++;
            else
                buf_addf(out, "%s%s", named++ ? ", " : "",
                         x->exit ? "the internet by an exit node" : prefix_format(&x->prefix, prefix));
        }
        if (more)
            buf_addf(out, " and %zu more", more);
        buf_addc(out, '\n');
    }
}

static void add_way(const struct api_simulated_way *w, bool more, struct buf *out)
{
    char prefix[PREFIX_TEXT_MAX];
    const char *name = *w->from_name ? w->from_name : w->to_name;

    buf_adds(out, more ? ", " : "");
    if (w->exit)
        buf_addf(out, "%s exit node %s", w->kind, name);
    else if (str_eq(w->kind, "moves"))
        buf_addf(out, "%s from %s to %s", prefix_format(&w->prefix, prefix), w->from_name, w->to_name);
    else
        buf_addf(out, "%s %s", w->kind, prefix_format(&w->prefix, prefix));
}

static void tell_viewers(const struct api_list *list, struct buf *out)
{
    if (list->len)
        buf_adds(out, "#for whom\n");
    for (size_t i = 0; i < list->len && i < ROWS_TOLD; i++) {
        const struct api_simulated_viewers *row = api_at(list, struct api_simulated_viewers, i);
        const struct strs *names = &row->viewers.names;

        for (size_t k = 0; k < names->len; k++)
            buf_addf(out, "%s%s", k ? ", " : "", names->items[k]);
        if (row->viewers.count > names->len)
            buf_addf(out, " and %llu more", (unsigned long long)(row->viewers.count - names->len));
        buf_addf(out, " (%llu online): ", (unsigned long long)row->online);
        for (size_t k = 0; k < row->changes.len; k++)
            add_way(api_at(&row->changes, struct api_simulated_way, k), k > 0, out);
        buf_adds(out, row->no_exit ? "; no exit node is left\n" : "\n");
    }
}

static void tell_answer(const struct api_simulation *s, struct buf *out)
{
    const struct api_simulated_totals *t = &s->totals;
    size_t parts = 0;

    buf_addc(out, '#');
    add_count(out, &parts, t->move, "node moves to another router", "nodes move to another router");
    add_count(out, &parts, t->lose, "node loses a way", "nodes lose a way");
    add_count(out, &parts, t->gain, "node gains a way", "nodes gain a way");
    add_count(out, &parts, t->unserved, "prefix without a router", "prefixes without a router");
    add_count(out, &parts, count_users(&s->cut_off), "user cut off", "users cut off");
    add_count(out, &parts, t->approved, "route approved by the policy", "routes approved by the policy");
    buf_adds(out, parts ? "" : "routes: no node notices");
    buf_adds(out, t->incomplete ? "; not all could be compared in time\n" : "\n");
    tell_cut_off(&s->cut_off, out);
    tell_prefixes(&s->prefixes, out);
    tell_exits(&s->exits, out);
    tell_viewers(&s->viewers, out);
}

/* What is said of several routes, once: a line is "[!]SUBJECT: TEXT". */
struct warning {
    char *text;
    struct buf subjects; /* the first few */
    size_t count;
    bool loud;
};

struct warning_list {
    struct warning *items;
    size_t len, cap;
};

static void add_warning(struct warning_list *list, struct map *known, const char *line, size_t len)
{
    bool loud = *line == '!';
    const char *from = line + loud, *colon = memmem(line, len, ": ", 2);

    if (!colon)
        colon = from;
    size_t rest = (size_t)(line + len - colon);
    uintptr_t index = (uintptr_t)map_get(known, colon, rest);
    if (!index) {
        struct warning fresh = {.text = mem_strndup(colon, rest), .loud = loud};

        vec_push(list, fresh);
        index = list->len;
        map_put(known, colon, rest, (void *)index);
    }
    struct warning *w = &list->items[index - 1];
    if (w->count++ < NAMES_TOLD) {
        buf_adds(&w->subjects, w->count > 1 ? ", " : "");
        buf_add(&w->subjects, from, (size_t)(colon - from));
    }
}

static void tell_warnings(const struct plan *plan, struct buf *out)
{
    struct warning_list list = {0};
    struct map known = {0};

    for (size_t i = 0; i < plan->calls.len; i++)
        for (const char *at = plan->calls.items[i].left_out ? NULL : plan->calls.items[i].warnings; at && *at;) {
            size_t len = strcspn(at, "\n");

            add_warning(&list, &known, at, len);
            at += len + (at[len] == '\n');
        }
    for (size_t i = 0; i < list.len; i++) {
        struct warning *w = &list.items[i];

        buf_addf(out, "%s%s", w->loud ? "!" : "", buf_text(&w->subjects));
        if (w->count > NAMES_TOLD)
            buf_addf(out, " and %zu more", w->count - NAMES_TOLD);
        buf_addf(out, "%s\n", w->text);
        buf_release(&w->subjects);
        free(w->text);
    }
    vec_release(&list);
    map_release(&known);
}

void plan_effects_tell(struct plan *plan)
{
    struct plan_effects *e = &plan->effects;
    struct buf b = BUF_INIT(0);

    tell_warnings(plan, &b);
    if (e->known)
        tell_answer(&e->answer, &b);
    else if (e->refused)
        buf_addf(&b, "#what changes for whom is not known: %s\n", e->refused);
    else if (e->id)
        buf_adds(&b, "#asking what changes for whom ...\n");
    free(e->text);
    e->text = b.len ? buf_take(&b) : NULL;
    buf_release(&b);
    e->top = 0;
}

static const struct api_simulated_prefix *find_prefix(const struct api_simulation *s, const char *prefix)
{
    for (size_t i = 0; i < s->prefixes.len; i++) {
        const struct api_simulated_prefix *p = api_at(&s->prefixes, struct api_simulated_prefix, i);
        char text[PREFIX_TEXT_MAX];

        if (!*p->via && str_eq(prefix_format(&p->prefix, text), prefix))
            return p;
    }
    return NULL;
}

/* Steps about a route say who serves it then. */
static void tell_steps(struct plan *plan)
{
    for (size_t i = 0; i < plan->steps.len; i++) {
        struct plan_step *s = &plan->steps.items[i];
        const struct api_simulated_prefix *p =
            s->kind == ROW_ROUTE && plan->effects.known ? find_prefix(&plan->effects.answer, s->key) : NULL;
        char id[24];

        free(s->outcome);
        s->outcome = NULL;
        if (!p)
            continue;
        snprintf(id, sizeof(id), "%llu", (unsigned long long)p->to);
        s->outcome = !p->to || is_lost(p->outcome)    ? mem_strdup("nobody serves it")
                     : s->node && str_eq(s->node, id) ? mem_strdup("serves it")
                                                      : mem_format("%s serves it", p->to_name);
    }
}

bool plan_effects_reply(struct plan *plan, uint64_t id, struct reply *reply)
{
    struct plan_effects *e = &plan->effects;
    struct err why = {0};

    if (!e->id || e->id != id)
        return false;
    e->id = 0;
    free(e->refused);
    e->refused = NULL;
    if (reply->json && reply->status >= 200 && reply->status < 300)
        e->known = api_read(&api_simulation_shape, reply->json, &e->answer, API_FOR_TERMINAL, &why) == 0;
    if (!e->known)
        e->refused = mem_strdup(*reply->e.message ? reply->e.message : "the server did not say");
    tell_steps(plan);
    plan_effects_tell(plan);
    return true;
}

void plan_effects_release(struct plan_effects *e)
{
    if (e->known)
        api_release(&api_simulation_shape, &e->answer);
    free(e->refused);
    free(e->text);
    *e = (struct plan_effects){0};
}
