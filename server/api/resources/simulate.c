/* SPDX-License-Identifier: BSD-3-Clause */
/* Simulates changes to routes. The core hands out a copy of its elections; the rest is computed over the request's
 * snapshot, on a thread that may take its time. */
#include <stdlib.h>

#include "api/request/args.h"
#include "api/request/heavy.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/policy.h"
#include "api/resources/tables.h"
#include "whatif/whatif.h"

struct simulate_state {
    struct whatif_change *changes;
    size_t count;
    const char *policy; /* NULL: the one in force */
};

/* ---- what is asked ---- */

static int read_kind(const json_t *object, int *out, struct err *e)
{
    const char *word = json_text(object, "kind", "");

    for (int i = 0; i < WHATIF_KINDS; i++)
        if (str_eq(whatif_kind_name(i), word)) {
            *out = i;
            return 0;
        }
    struct buf known = BUF_INIT(0);
    for (int i = 0; i < WHATIF_KINDS; i++)
        buf_addf(&known, "%s%s", i ? ", " : "", whatif_kind_name(i));
    int rc = err_field(e, ERR_INVALID, "kind", "'%.40s' is no kind of change: %s", word, buf_text(&known));
    buf_release(&known);
    return rc;
}

/* Passes each text of a list to take. */
static int read_texts(const json_t *object, const char *key, int (*take)(void *to, const char *text, struct err *e),
                      void *to, struct err *e)
{
    json_t *list = NULL, *item;
    size_t i;
    int rc = json_get_array(object, key, &list, e);

    if (rc == 0 && json_array_size(list) > WHATIF_CHANGES)
        rc = err_field(e, ERR_TOOBIG, key, "%s: more than %d in one change", key, WHATIF_CHANGES);
    if (rc < 0)
        return rc;
    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(item);
        if (!text || strlen(text) != json_string_length(item))
            return err_field(e, ERR_INVALID, key, "%s must be a list of texts", key);
        if ((rc = take(to, text, e)) < 0)
            return rc;
    }
    return 0;
}

static int take_prefix(void *to, const char *text, struct err *e)
{
    struct prefix p;
    int rc = prefix_parse_route(text, &p, e);

    if (rc == 0)
        prefixes_add(to, &p);
    return rc;
}

static int take_tag(void *to, const char *text, struct err *e)
{
    if (!str_starts(text, "tag:") || str_check(text, 128, false, "tag", NULL) < 0)
        return err_field(e, ERR_INVALID, "tags", "%.100s: a tag starts with 'tag:'", text);
    if (!strs_has(to, text))
        strs_push(to, text);
    return 0;
}

static int read_rule(const json_t *object, struct whatif_change *out, struct err *e)
{
    struct core_admin set = {0};
    int rc = core_rule_read(object, &set, e);

    out->rule = set.rule;
    out->given = set.given;
    out->reset = set.reset;
    return rc;
}

static int read_change(const json_t *object, struct whatif_change *out, struct err *e)
{
    int rc = read_kind(object, &out->kind, e);

    if (rc == 0)
        rc = json_get_str(object, "node", &out->node, e);
    if (rc == 0 && !out->node && out->kind != WHATIF_SET)
        rc =
            err_field(e, ERR_INVALID, "node", "%s: name the node, by id, name or address", whatif_kind_name(out->kind));
    if (rc == 0 && out->node)
        rc = str_check(out->node, 63, false, "node", e);
    if (rc == 0)
        rc = json_get_str(object, "user", &out->user, e);
    if (rc == 0)
        rc = json_get_str(object, "via", &out->via, e);
    out->priority = NODE_PRIORITY_DEFAULT;
    if (rc == 0)
        rc = json_get_u64(object, "priority", &out->priority, e);
    if (rc == 0)
        rc = read_texts(object, "prefixes", take_prefix, &out->prefixes, e);
    if (rc == 0)
        rc = read_texts(object, "tags", take_tag, &out->tags, e);
    return rc == 0 && out->kind == WHATIF_SET ? read_rule(object, out, e) : rc;
}

static int read_changes(struct rest_request *r, struct simulate_state *s)
{
    json_t *list = arg_json(r, "changes"), *item;
    size_t i;

    if (list && !json_is_array(list))
        return err_field(&r->err, ERR_INVALID, "changes", "changes must be a list");
    if (json_array_size(list) > WHATIF_CHANGES)
        return err_field(&r->err, ERR_TOOBIG, "changes", "more than %d changes in one question", WHATIF_CHANGES);
    if (!json_array_size(list) && !s->policy)
        return err_field(&r->err, ERR_INVALID, "changes", "name at least one change, or a policy");
    s->changes = arena_alloc(&r->http.arena, (json_array_size(list) + 1) * sizeof(*s->changes));
    json_array_foreach(list, i, item)
    {
        s->count = i + 1;
        if (read_change(item, &s->changes[i], &r->err) < 0)
            return r->err.code;
    }
    return 0;
}

/* Called when the request ends, also if the server stops before it has run. */
static void state_release(void *state)
{
    struct simulate_state *s = state;

    for (size_t i = 0; i < s->count; i++) {
        prefixes_release(&s->changes[i].prefixes);
        strs_release(&s->changes[i].tags);
    }
    s->count = 0;
}

/* ---- the answer ---- */

static void list_findings(struct rest_request *r, const struct policy_problems *found, struct api_list *out)
{
    struct api_finding *list = arena_alloc(&r->http.arena, (found->len + 1) * sizeof(*list));

    for (size_t i = 0; i < found->len; i++)
        list[i] = (struct api_finding){.line = found->items[i].line,
                                       .column = found->items[i].column,
                                       .severity = found->items[i].warning ? "warning" : "error",
                                       .message = found->items[i].text};
    *out = (struct api_list){list, found->len};
}

/* Reasons to refuse the policy other than its form; false: too expensive. */
static bool check_policy(struct rest_request *r, const struct policy *p, const struct tailnet_policy_input *w,
                         struct policy_problems *found)
{
    struct policy_view *v = policy_view_now(r, p, w, found);

    if (v && policy_view_check(v, true, found) < 0)
        log_debug("http", "a simulated policy would be refused");
    policy_view_free(v);
    return v != NULL;
}

static int answer_over(struct rest_request *r, const struct whatif_question *q, const struct policy_problems *found)
{
    struct api_simulation out;
    int rc = whatif_answer(q, &r->http.arena, &out, &r->err);

    if (rc == 0) {
        struct json_out o = reply_json(r);
        list_findings(r, found, &out.findings);
        api_write(&o, &api_simulation_shape, &out, API_HEADWAY);
    }
    return rc;
}

static int answer(struct rest_request *r, const struct simulate_state *s, const struct policy *other,
                  struct policy_problems *found)
{
    struct policy *now = policy_in_force(r->s);
    struct tailnet_policy_input w;
    int rc;

    policy_input_init(&w, r);
    bool fits = !s->policy || check_policy(r, other, &w, found);
    struct policy_view *before = fits ? policy_view_now(r, now, &w, found) : NULL;
    struct whatif_question q = {.s = r->s,
                                .input = &w,
                                .elections = r->elections.routes,
                                .before = before,
                                .policy = s->policy ? other : now,
                                .other_policy = s->policy != NULL,
                                .changes = s->changes,
                                .count = s->count};
    if (before)
        rc = answer_over(r, &q, found);
    else
        rc = err_field(&r->err, ERR_TOOBIG, "policy", "%.200s", found->items[found->len - 1].text);
    policy_view_free(before);
    tailnet_policy_input_release(&w);
    policy_unref(now);
    return rc;
}

static enum http_flow compute(struct rest_request *r)
{
    struct simulate_state *s = r->state;
    struct policy_problems found = {0};
    struct policy *other = NULL;

    if (s->policy && policy_parse(s->policy, strlen(s->policy), &other, &found) < 0) {
        err_field(&r->err, ERR_INVALID, "policy", "the policy cannot be read");
        reply_problems(r, &r->err, &found);
    } else if (answer(r, s, other, &found) < 0) {
        reply_error(r, &r->err);
    }
    policy_problems_release(&found);
    policy_unref(other);
    return HTTP_DONE;
}

/* The newest snapshot is at least as new as the copy. */
static enum http_flow copied(struct rest_request *r)
{
    tailnet_unpin(r->s);
    r->s = tailnet_ref(r->after);
    return heavy_later(r, compute);
}

static enum http_flow simulate(struct rest_request *r)
{
    struct simulate_state *s = arena_alloc(&r->http.arena, sizeof(*s));

    r->state = s;
    r->release = state_release;
    if (policy_arg(r, &s->policy) < 0 || read_changes(r, s) < 0)
        return reply_error(r, &r->err);
    return request_elections(r, copied);
}

static const struct api_endpoint rows[] = {
    {HEADWAY("POST", "/routes/simulate"), .http.body_max = POLICY_BODY_MAX, .run = simulate, .need = NEED_READ,
     .scope = SCOPE_ALL, .body = "changes:object[] policy:text", .answer = "Simulation",
     .help = "What changes of routers, approvals and policy would do to routes"},
};
const struct http_table simulate_table = API_TABLE(rows);
