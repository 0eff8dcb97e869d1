/* SPDX-License-Identifier: BSD-3-Clause */
/* Why a source reaches a destination or not, and what another policy would change. Both use a view of their own over
 * the request's snapshot, on a thread that may take its time, so nobody else waits for the answer. */
#include <stdlib.h>

#include "api/change/change.h"
#include "api/request/args.h"
#include "api/request/heavy.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/policy.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"
#include "base/clock.h"
#include "policy/policy.h"
#include "tailnet/policy_input.h"

#define PREVIEW_ROWS 1000 /* besides the totals: as many as a person can look through */

void policy_input_init(struct tailnet_policy_input *w, struct rest_request *r)
{
    const struct config *c = api_config(r->api);

    tailnet_policy_input_init(w, r->s, &c->prefixes.v4, &c->prefixes.v6);
    w->tailnet.cancel = http_stopping(r->api->http);
    config_unref(c);
}

/* The policy in force, NULL: none. One that cannot be parsed allows nothing, as in the core. */
struct policy *policy_in_force(const struct tailnet_snapshot *s)
{
    static const char nothing[] = "{\"acls\": []}";
    struct policy_problems problems = {0};
    struct policy *p = NULL;

    if (s->policy && *s->policy->text && policy_parse(s->policy->text, strlen(s->policy->text), &p, &problems) < 0 &&
        policy_parse(nothing, sizeof(nothing) - 1, &p, &problems) < 0)
        p = NULL;
    policy_problems_release(&problems);
    return p;
}

/* Over the request's snapshot. The routers of via groups are taken from the view in use. NULL: too expensive. */
struct policy_view *policy_view_now(struct rest_request *r, const struct policy *p,
                                    const struct tailnet_policy_input *w, struct policy_problems *problems)
{
    struct policy_view *v = policy_view_bounded(p, &w->tailnet, NULL, problems);
    const struct policy_view *used = tailnet_policy_read(r->api->with.tailnet);

    if (v && used)
        policy_view_succeed(v, used);
    tailnet_policy_done(r->api->with.tailnet);
    return v;
}

static const struct tailnet_node *node_called(const struct tailnet_snapshot *s, const char *name)
{
    struct prefix p;
    bool address = prefix_parse(name, &p, NULL, NULL) == 0 && p.bits == p.addr.bits;

    for (size_t b = 0; b < s->block_count; b++)
        for (size_t i = 0; i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *n = s->blocks[b]->nodes[i];
            if (n && (str_eq(n->record->given_name, name) ||
                      (address && (addr_eq(&n->record->ipv4, &p.addr) || addr_eq(&n->record->ipv6, &p.addr)))))
                return n;
        }
    return NULL;
}

/* If the source is one node and the nearest router serves the route to the destination: adds which router, and why. A
 * grant with via takes precedence. */
static void add_nearest(const struct tailnet_snapshot *s, const struct policy_view *v, const char *src, json_t *answer)
{
    const struct tailnet_node *viewer = node_called(s, src), *router;
    struct buf why = BUF_INIT(0);
    struct prefix route;

    if (!s->nearest || !viewer || prefix_parse(json_text(answer, "route", ""), &route, NULL, NULL) < 0 ||
        policy_leads(v, viewer->slot, &route))
        return;
    router = show_nearest(s, viewer, &route, &why);
    if (router) {
        json_object_set_new(answer, "router", json_string(router->record->given_name));
        json_array_append_new(json_object_get(answer, "steps"),
                              json_pack("{s:b,s:s}", "ok", 1, "text", buf_text(&why)));
    }
    buf_release(&why);
}

/* A machine that awaits approval is in no view. NULL: none has the name. */
static const struct node *find_waiting(const struct tailnet_snapshot *s, const char *name)
{
    const struct tailnet_node *n = node_called(s, name);

    return n && !n->record->authorized ? n->record : NULL;
}

static void explain_waiting(struct rest_request *r, const struct node *n, const char *src, const char *dst,
                            uint64_t port)
{
    char *text = mem_format("%s is not approved, so it reaches nobody and nobody reaches it: headway nodes approve %s",
                            n->given_name, n->given_name);
    struct api_step step = {.ok = false, .text = text};
    struct api_explanation why = {.src = src, .dst = dst, .port = port, .steps = {.items = &step, .len = 1}};
    struct json_out o = reply_json(r);

    api_write(&o, &api_explanation_shape, &why, API_HEADWAY);
    free(text);
}

static enum http_flow explain(struct rest_request *r)
{
    const char *src = arg_query(r, "src"), *dst = arg_query(r, "dst"), *port_text = arg_query(r, "port");
    struct policy *p = policy_in_force(r->s);
    struct policy_problems problems = {0};
    struct buf out = BUF_INIT(0);
    struct tailnet_policy_input w;
    uint64_t port = 0;
    bool allowed;
    int rc = port_text ? str_u64(port_text, 0, 65535, &port, "port", &r->err) : 0;
    const struct node *waiting = find_waiting(r->s, src);

    if (!waiting)
        waiting = find_waiting(r->s, dst);
    if (rc == 0 && waiting) {
        explain_waiting(r, waiting, src, dst, port);
        policy_unref(p);
        return HTTP_DONE;
    }
    policy_input_init(&w, r);
    struct policy_view *v = policy_view_now(r, p, &w, &problems);
    if (rc == 0 && !v)
        rc = err_set(&r->err, ERR_TOOBIG, "%.200s", problems.items[0].text);
    if (rc == 0)
        rc = policy_explain(v, src, dst, -1, (uint16_t)port, &allowed, &out, &r->err);
    if (rc < 0) {
        reply_error(r, &r->err);
    } else {
        struct json_out o = reply_json(r);
        json_t *answer = NULL;
        if (r->s->nearest && json_read(buf_text(&out), out.len, UINT32_MAX, "explanation", &answer, NULL) == 0) {
            add_nearest(r->s, v, src, answer);
            char *text = json_compact(answer);
            json_raw(&o, text, strlen(text));
            free(text);
            json_decref(answer);
        } else {
            json_raw(&o, buf_text(&out), out.len);
        }
    }
    policy_view_free(v);
    tailnet_policy_input_release(&w);
    policy_unref(p);
    policy_problems_release(&problems);
    buf_release(&out);
    return HTTP_DONE;
}

static enum http_flow explain_call(struct rest_request *r)
{
    static const char *const needed[] = {"src", "dst"};

    for (size_t i = 0; i < 2; i++)
        if (!arg_query(r, needed[i]) || !*arg_query(r, needed[i])) {
            err_field(&r->err, ERR_INVALID, needed[i], "%s is missing: a node, user, tag, group, host or address",
                      needed[i]);
            return reply_error(r, &r->err);
        }
    return heavy_later(r, explain);
}

#define TESTS_SHOWN 500

static void write_tests(struct json_out *o, const struct policy_outcomes *tests)
{
    json_key(o, "tests");
    json_open(o, '[');
    /* Failed tests first. */
    size_t shown = 0;
    for (int passed = 0; passed < 2; passed++)
        for (size_t i = 0; i < tests->len && shown < TESTS_SHOWN; i++) {
            const struct policy_outcome *t = &tests->items[i];
            struct api_preview_test test = {.line = t->line,
                                            .kind = t->ssh ? "sshTest" : "test",
                                            .want = t->want,
                                            .source = t->source,
                                            .target = t->target,
                                            .passed = t->passed};
            if (t->passed != (passed == 1))
                continue;
            api_write(o, &api_preview_test_shape, &test, API_HEADWAY);
            shown++;
        }
    json_close(o, ']');
    json_put_u64(o, "tests_passed", tests->passed);
    json_put_u64(o, "tests_failed", tests->failed);
}

static void compare(struct rest_request *r, const struct policy *now, const struct policy *then,
                    struct policy_problems *problems)
{
    struct policy_approvals approvals = {0};
    struct policy_outcomes tests = {0};
    struct tailnet_policy_input w;

    policy_input_init(&w, r);
    struct policy_view *before = policy_view_now(r, now, &w, problems);
    int64_t began = clock_mono_ms();
    struct policy_view *after = before ? policy_view_bounded(then, &w.tailnet, before, problems) : NULL;
    int64_t took = clock_mono_ms() - began;
    if (!after) {
        err_field(&r->err, ERR_TOOBIG, "policy", "%.200s", problems->items[problems->len - 1].text);
        reply_problems(r, &r->err, problems);
        policy_view_free(before);
        tailnet_policy_input_release(&w);
        return;
    }
    bool ok = policy_view_check_telling(after, &tests, problems) ==
              0; /* reports problems, so that they are known before it is saved */
    policy_warn_unreachable(then, problems);
    tailnet_policy_input_approve(&w, after, &approvals);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_put_bool(&o, "ok", ok);
    write_findings(&o, problems);
    write_tests(&o, &tests);
    policy_preview(before, after, &approvals, PREVIEW_ROWS, &o);
    json_put_u64(&o, "compile_ms", took > 0 ? (uint64_t)took : 0);
    json_close(&o, '}');
    vec_release(&approvals);
    policy_outcomes_release(&tests);
    policy_view_free(after);
    policy_view_free(before);
    tailnet_policy_input_release(&w);
}

void policy_examine(struct rest_request *r, struct policy_problems *problems, int *code)
{
    struct tailnet_policy_input w;
    struct policy *p = NULL;

    *code = policy_parse(r->admin.text, strlen(r->admin.text), &p, problems);
    if (*code < 0 || !p)
        return;
    policy_input_init(&w, r);
    struct policy_view *v = policy_view_now(r, p, &w, problems);
    *code = v ? policy_view_check(v, true, problems) : ERR_TOOBIG;
    policy_warn_unreachable(p, problems);
    policy_view_free(v);
    tailnet_policy_input_release(&w);
    policy_unref(p);
}

static enum http_flow preview(struct rest_request *r)
{
    const char *text = r->admin.text;
    struct policy_problems problems = {0};
    struct policy *now = NULL, *then = NULL;

    if (policy_parse(text, strlen(text), &then, &problems) < 0) {
        err_field(&r->err, ERR_INVALID, "policy", "the policy cannot be read");
        reply_problems(r, &r->err, &problems);
    } else {
        now = policy_in_force(r->s);
        compare(r, now, then, &problems);
    }
    policy_problems_release(&problems);
    policy_unref(now);
    policy_unref(then);
    return HTTP_DONE;
}

int policy_arg(struct rest_request *r, const char **out)
{
    *out = NULL;
    if (arg_text(r, "policy", out) < 0)
        return r->err.code;
    if (*out && strlen(*out) > POLICY_TEXT_MAX)
        return err_field(&r->err, ERR_TOOBIG, "policy", "the policy is larger than 4 MiB: %zu bytes", strlen(*out));
    return 0;
}

static enum http_flow preview_call(struct rest_request *r)
{
    if (policy_arg(r, &r->admin.text) < 0)
        return reply_error(r, &r->err);
    if (!r->admin.text) {
        err_field(&r->err, ERR_INVALID, "policy", "policy is missing: the text of the policy");
        return reply_error(r, &r->err);
    }
    return heavy_later(r, preview);
}

static const struct api_endpoint rows[] = {
    {HEADWAY("POST", "/policy/preview"), .http.body_max = POLICY_BODY_MAX, .run = preview_call, .need = NEED_READ,
     .scope = SCOPE_ALL, .body = "policy:text", .answer = "Preview", .help = "Who would gain and lose access to what"},
    {HEADWAY("GET", "/explain"), .run = explain_call, .need = NEED_READ, .scope = SCOPE_ALL,
     .query = "src:text dst:text port:number", .answer = "Explanation", .help = "Whether one reaches another, and why"},
};
const struct http_table explain_table = API_TABLE(rows);
