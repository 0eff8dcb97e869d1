/* SPDX-License-Identifier: BSD-3-Clause */
/* The API of the present policy, of who reaches what, and of earlier policies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/api_past.h"
#include "shared/api_fixture.h"

static struct api_fixture f;

static int begin(void **state)
{
    (void)state;
    api_begin(&f, "");
    json_decref(api_expect(&f, 200, "POST", "/api/v1/user", "{\"name\":\"alice\"}"));
    json_decref(api_expect(&f, 200, "POST", "/api/v1/user", "{\"name\":\"bob\"}"));
    return 0;
}

static int end(void **state)
{
    (void)state;
    return api_teardown(&f);
}

static void set_policy(const char *text)
{
    struct buf body = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);

    json_open(&o, '{');
    json_put_str(&o, "policy", text);
    json_close(&o, '}');
    json_decref(api_expect(&f, 200, "PUT", "/api/headway/policy", buf_text(&body)));
    buf_release(&body);
}

static void matrix(const char *query, struct api_reach *out)
{
    char *path = mem_format("/api/headway/reach%s", query);
    json_t *j = api_expect(&f, 200, "GET", path, NULL);
    struct err e;

    if (api_read(&api_reach_shape, j, out, API_STRICT, &e) < 0)
        fail_msg("%s: %s", path, e.message);
    json_decref(j);
    free(path);
}

static const struct api_reach_cell *cell_of(const struct api_reach *r, const char *row, const char *column)
{
    for (size_t i = 0; i < r->cells.len; i++) {
        const struct api_reach_cell *c = api_at(&r->cells, struct api_reach_cell, i);
        if (strcmp(api_at(&r->rows, struct api_reach_end, c->row)->name, row) == 0 &&
            strcmp(api_at(&r->columns, struct api_reach_end, c->column)->name, column) == 0)
            return c;
    }
    return NULL;
}

static void who_reaches_what_is_a_matrix(void **state)
{
    static const char *const lan[] = {"10.20.0.0/16", NULL}, *const out[] = {"0.0.0.0/0", "::/0", NULL};
    uint64_t session;
    struct api_reach r;

    (void)state;
    uint64_t gw = api_node(&f, "1", "gw", lan, &session), x = api_node(&f, "1", "x", out, &session);
    (void)api_node(&f, "1", "a", NULL, &session);
    (void)api_node(&f, "2", "b", NULL, NULL);
    for (int i = 0; i < 2; i++) {
        char *path = mem_format("/api/headway/nodes/%llu/routes", (unsigned long long)(i ? x : gw));
        json_decref(api_expect(&f, 200, "POST", path,
                               i ? "{\"approve\":[\"0.0.0.0/0\"]}" : "{\"approve\":[\"10.20.0.0/16\"]}"));
        free(path);
    }
    set_policy("{\n"
               "  \"groups\": {\"group:ops\": [\"alice@\"]},\n"
               "  \"grants\": [\n"
               "    {\"src\": [\"group:ops\"], \"dst\": [\"10.20.4.0/24\"], \"ip\": [\"tcp:5432\", \"tcp:443\"]},\n"
               "    {\"src\": [\"bob@\"], \"dst\": [\"alice@\"], \"ip\": [\"22\", \"80-90\", \"85-95\"]},\n"
               "    {\"src\": [\"alice@\"], \"dst\": [\"autogroup:internet\"], \"ip\": [\"*\"]},\n"
               "  ],\n"
               "}\n");
    matrix("", &r);
    assert_int_equal(r.rows_total, 3);
    assert_int_equal(r.columns_total, 5);
    assert_false(r.incomplete);
    const struct api_reach_cell *c = cell_of(&r, "group:ops", "10.20.0.0/16");
    assert_non_null(c);
    assert_int_equal(c->line, 4);
    assert_string_equal(c->router, "gw");
    assert_int_equal(c->what.len, 2);
    assert_string_equal(c->what.items[0], "tcp 443");
    c = cell_of(&r, "bob", "alice");
    assert_non_null(c);
    assert_true(c->all);
    assert_int_equal(c->line, 5);
    assert_string_equal(c->from, "b");
    assert_int_equal(c->what.len, 2);
    assert_string_equal(c->what.items[1], "80-95");
    assert_non_null(cell_of(&r, "alice", "x"));
    assert_null(cell_of(&r, "bob", "x"));
    assert_null(cell_of(&r, "alice", "bob"));
    assert_null(cell_of(&r, "bob", "10.20.0.0/16"));
    api_release(&api_reach_shape, &r);
    matrix("?from=bob&to=nodes&to_in=alice", &r); /* a cell's members */
    assert_int_equal(r.rows.len, 1);
    assert_int_equal(r.columns.len, 3);
    assert_int_equal(r.cells.len, 3);
    api_release(&api_reach_shape, &r);
    matrix("?from=nodes&to=10.20.9.9/32", &r); /* the networks that hold it */
    assert_int_equal(r.columns.len, 1);
    assert_non_null(cell_of(&r, "a", "10.20.0.0/16"));
    api_release(&api_reach_shape, &r);
    matrix("?from=nodes&to=nodes&rows=2&columns=1", &r);
    assert_int_equal(r.rows.len, 2);
    assert_int_equal(r.rows_total, 4);
    api_release(&api_reach_shape, &r);
}

static const struct api_neighbour *neighbour(const struct api_neighbours *n, const char *name)
{
    for (size_t i = 0; i < n->neighbours.len; i++)
        if (strcmp(api_at(&n->neighbours, struct api_neighbour, i)->name, name) == 0)
            return api_at(&n->neighbours, struct api_neighbour, i);
    return NULL;
}

static void neighbours(const char *query, struct api_neighbours *out)
{
    char *path = mem_format("/api/headway/reach/neighbours?%s", query);
    json_t *j = api_expect(&f, 200, "GET", path, NULL);
    struct err e;

    if (api_read(&api_neighbours_shape, j, out, API_STRICT, &e) < 0)
        fail_msg("%s: %s", path, e.message);
    json_decref(j);
    free(path);
}

/* Both directions of each pair, networks and exit nodes; not who is out of reach. */
static void neighbours_are_those_who_reach_or_are_reached(void **state)
{
    static const char *const lan[] = {"10.20.0.0/16", NULL};
    struct api_neighbours n;
    uint64_t session;

    (void)state;
    uint64_t gw = api_node(&f, "1", "ngw", lan, &session);
    (void)api_node(&f, "1", "na", NULL, &session);
    (void)api_node(&f, "2", "nb", NULL, NULL);
    char *path = mem_format("/api/headway/nodes/%llu/routes", (unsigned long long)gw);
    json_decref(api_expect(&f, 200, "POST", path, "{\"approve\":[\"10.20.0.0/16\"]}"));
    free(path);
    set_policy("{\n"
               "  \"grants\": [\n"
               "    {\"src\": [\"bob@\"], \"dst\": [\"alice@\"], \"ip\": [\"22\"]},\n"
               "    {\"src\": [\"bob@\"], \"dst\": [\"10.20.0.0/16\"], \"ip\": [\"443\"]},\n"
               "  ],\n"
               "}\n");
    neighbours("of=nb", &n);
    assert_int_equal(n.nodes, 1);
    assert_false(n.incomplete);
    assert_int_equal(n.total, n.neighbours.len);
    const struct api_neighbour *one = neighbour(&n, "na");
    assert_non_null(one);
    assert_int_equal(one->out.len, 1);
    assert_string_equal(one->out.items[0], "22");
    assert_int_equal(one->out_line, 3);
    assert_int_equal(one->in.len, 0);
    assert_null(neighbour(&n, "nb"));
    one = neighbour(&n, "10.20.0.0/16");
    assert_non_null(one);
    assert_string_equal(one->kind, "prefix");
    assert_string_equal(one->router, "ngw");
    assert_int_equal(one->out_line, 4);
    api_release(&api_neighbours_shape, &n);
    neighbours("of=na", &n); /* the same pair from its other end */
    one = neighbour(&n, "nb");
    assert_non_null(one);
    assert_int_equal(one->out.len, 0);
    assert_int_equal(one->in_line, 3);
    assert_null(neighbour(&n, "ngw"));
    api_release(&api_neighbours_shape, &n);
    neighbours("of=bob&limit=1", &n); /* a user: all of his nodes */
    assert_int_equal(n.neighbours.len, 1);
    assert_true(n.total > 1);
    api_release(&api_neighbours_shape, &n);
    json_decref(api_expect(&f, 400, "GET", "/api/headway/reach/neighbours", NULL));
    json_decref(api_expect(&f, 404, "GET", "/api/headway/reach/neighbours?of=nobody.here", NULL));
}

static void read_reach_history(const char *query, struct api_reach_history *out)
{
    char *path = mem_format("/api/headway/reach/history?%s", query);
    json_t *j = api_expect(&f, 200, "GET", path, NULL);
    struct err e;

    if (api_read(&api_reach_history_shape, j, out, API_STRICT, &e) < 0)
        fail_msg("%s: %s", path, e.message);
    json_decref(j);
    free(path);
}

static const struct api_reach_change *change_at(const struct api_reach_history *h, size_t i)
{
    return api_at(&h->changes, struct api_reach_change, i);
}

/* Each entry of the journal by which the pair gained or lost its way, and nothing that changed nothing for it. */
static void a_pair_has_a_history(void **state)
{
    static const char open[] = "{\"grants\": [{\"src\": [\"bob@\"], \"dst\": [\"alice@\"], \"ip\": [\"22\"]}]}";
    static const char shut[] = "{\"grants\": [], \"groups\": {\"group:other\": []}}";
    struct api_reach_history h;

    (void)state;
    set_policy("{\"grants\": []}");
    (void)api_node(&f, "1", "ha", NULL, NULL);
    (void)api_node(&f, "2", "hb", NULL, NULL);
    set_policy(open);
    set_policy("{\"grants\": [{\"src\": [\"bob@\"], \"dst\": [\"alice@\"], \"ip\": [\"22\"]}], \"hosts\": {}}");
    set_policy(shut);
    read_reach_history("src=hb&dst=ha&port=22", &h);
    assert_false(h.allowed);
    assert_true(h.changes.len >= 3);
    assert_false(change_at(&h, 0)->allowed);
    assert_non_null(change_at(&h, 0)->text);
    assert_non_null(strstr(change_at(&h, 0)->text, "policy was changed"));
    assert_true(change_at(&h, 1)->allowed);
    assert_non_null(strstr(change_at(&h, 1)->text, "+1 grant"));
    assert_false(change_at(&h, 2)->allowed);
    assert_true(change_at(&h, 0)->time_ns > change_at(&h, 1)->time_ns);
    assert_int_equal(change_at(&h, h.changes.len - 1)->event.run, 0);
    assert_int_equal(change_at(&h, h.changes.len - 1)->time_ns, h.back_to_ns);
    api_release(&api_reach_history_shape, &h);
    read_reach_history("src=hb&dst=ha&port=23", &h); /* never open: one line */
    assert_int_equal(h.changes.len, 1);
    api_release(&api_reach_history_shape, &h);
    json_decref(api_expect(&f, 400, "GET", "/api/headway/reach/history?src=hb", NULL));
}

static void what_cannot_be_asked_is_named(void **state)
{
    static const struct {
        int status;
        const char *path, *message;
    } wrong[] = {
        {404, "/api/headway/reach?from=nobody", "\"nobody\" is no node"},
        {404, "/api/headway/reach?to_in=group:none", "\"group:none\" is no node"},
        {400, "/api/headway/reach?from=users,nobody", "\"nobody\" is no kind of source"},
        {400, "/api/headway/reach?from=users,prefixes", "\"prefixes\" is no kind of source"},
        {400, "/api/headway/reach?rows=0", "rows"},
        {400, "/api/headway/reach?columns=1001", "columns"},
        {413, "/api/headway/reach?rows=1000&columns=1000", "rows times columns"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        json_t *j = api_expect(&f, wrong[i].status, "GET", wrong[i].path, NULL);
        const char *message = json_text(json_object_get(j, "error"), "message", "");
        if (!strstr(message, wrong[i].message))
            fail_msg("%s: %s", wrong[i].path, message);
        json_decref(j);
    }
}

/* Everybody reaches everybody where there is no policy, and no line says so. */
static void without_a_policy_everything_is_open(void **state)
{
    struct api_reach r;

    (void)state;
    (void)api_node(&f, "1", "a", NULL, NULL);
    (void)api_node(&f, "2", "b", NULL, NULL);
    matrix("?from=nodes&to=nodes", &r);
    assert_int_equal(r.cells.len, 2);
    const struct api_reach_cell *c = cell_of(&r, "a", "b");
    assert_non_null(c);
    assert_string_equal(c->what.items[0], "any");
    assert_int_equal(c->line, 0);
    api_release(&api_reach_shape, &r);
}

/* ---- versions ---- */

static void versions(const char *query, struct api_policy_versions *out)
{
    char *path = mem_format("/api/headway/policy/versions%s", query);
    json_t *j = api_expect(&f, 200, "GET", path, NULL);

    assert_int_equal(api_read(&api_policy_versions_shape, j, out, API_STRICT, NULL), 0);
    json_decref(j);
    free(path);
}

static const struct api_policy_version *version_at(const struct api_policy_versions *v, size_t i)
{
    return api_at(&v->versions, struct api_policy_version, i);
}

/* Why a policy is saved is kept with its text, and stands in the journal. */
static void a_note_is_kept_with_the_text(void **state)
{
    struct api_policy_versions v;
    char *path, *body;

    (void)state;
    json_decref(api_expect(&f, 200, "PUT", "/api/headway/policy",
                           "{\"policy\":\"{\\\"acls\\\": []}\",\"note\":\"ticket 12\"}"));
    versions("?limit=1", &v);
    assert_string_equal(version_at(&v, 0)->note, "ticket 12");
    path = mem_format("/api/headway/policy/versions/%llu/restore", (unsigned long long)version_at(&v, 0)->version);
    api_release(&api_policy_versions_shape, &v);
    set_policy("");
    json_decref(api_expect(&f, 200, "POST", path, "{\"note\":\"too much was open\"}"));
    versions("?limit=2", &v);
    assert_string_equal(version_at(&v, 0)->note, "too much was open");
    assert_string_equal(version_at(&v, 1)->note, "");
    api_release(&api_policy_versions_shape, &v);
    json_t *events = api_expect(&f, 200, "GET", "/api/headway/events?limit=1", NULL);
    assert_non_null(strstr(json_text(json_array_get(json_object_get(events, "events"), 0), "text", ""),
                           "The policy was changed: too much was open"));
    json_decref(events);
    /* Where it is too long or holds what a terminal would obey, nothing is saved. */
    body = mem_format("{\"policy\":\"{}\",\"note\":\"%0301d\"}", 0);
    json_decref(api_expect(&f, 400, "PUT", "/api/headway/policy", body));
    json_decref(api_expect(&f, 400, "PUT", "/api/headway/policy", "{\"policy\":\"{}\",\"note\":\"a\\u001b[2J\"}"));
    versions("?limit=1", &v);
    assert_string_equal(version_at(&v, 0)->note, "too much was open");
    api_release(&api_policy_versions_shape, &v);
    free(path);
    free(body);
    /* The journal says what changed. */
    set_policy("{\"acls\": [], \"groups\": {\"group:new\": []}}");
    events = api_expect(&f, 200, "GET", "/api/headway/events?limit=1", NULL);
    assert_string_equal(json_text(json_array_get(json_object_get(events, "events"), 0), "text", ""),
                        "The policy was changed (+group:new)");
    json_decref(events);
}

static const struct api_preview_test *outcome_at(const struct api_preview *p, size_t i)
{
    return api_at(&p->tests, struct api_preview_test, i);
}

/* A preview says what became of each test, what it costs, and which rules open nothing. */
static void a_preview_tells_tests_and_cost(void **state)
{
    static const char policy[] =
        "{\"tagOwners\": {\"tag:t\": []},\n\"acls\": [\n"
        "{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [\"*:22\"]},\n"
        "{\"action\": \"accept\", \"src\": [\"alice@\"], \"dst\": [\"bob@:22\"]},\n],\n"
        "\"tests\": [\n"
        "{\"src\": \"alice@\", \"accept\": [\"bob@:22\"], \"deny\": [\"bob@:22\", \"bob@:23\"]},\n],\n"
        "\"sshTests\": [\n{\"src\": \"alice@\", \"dst\": [\"bob@\"], \"deny\": [\"root\"], \"accept\": "
        "[\"bob\"]},\n]}";
    struct buf body = BUF_INIT(0);
    struct json_out o = JSON_OUT(&body);
    struct api_preview p;
    uint64_t session;

    (void)state;
    (void)api_node(&f, "1", "ta", NULL, &session);
    (void)api_node(&f, "2", "tb", NULL, &session);
    set_policy("");
    json_open(&o, '{');
    json_put_str(&o, "policy", policy);
    json_close(&o, '}');
    json_t *j = api_expect(&f, 200, "POST", "/api/headway/policy/preview", buf_text(&body));
    assert_int_equal(api_read(&api_preview_shape, j, &p, API_STRICT, NULL), 0);
    json_decref(j);
    assert_false(p.ok);
    assert_int_equal(p.tests_passed, 3);
    assert_int_equal(p.tests_failed, 2);
    assert_int_equal(p.tests.len, 5);
    assert_false(outcome_at(&p, 0)->passed); /* those that failed come first */
    assert_string_equal(outcome_at(&p, 0)->kind, "test");
    assert_string_equal(outcome_at(&p, 0)->want, "deny");
    assert_string_equal(outcome_at(&p, 0)->target, "bob@:22");
    assert_int_equal(outcome_at(&p, 0)->line, 7);
    assert_false(outcome_at(&p, 1)->passed);
    assert_string_equal(outcome_at(&p, 1)->kind, "sshTest");
    assert_string_equal(outcome_at(&p, 1)->want, "accept");
    assert_string_equal(outcome_at(&p, 1)->target, "bob on bob@");
    assert_int_equal(outcome_at(&p, 1)->line, 10);
    assert_true(outcome_at(&p, 2)->passed);
    assert_true(p.cost.nodes >= 2);
    assert_int_equal(p.cost.changed, p.cost.nodes);
    assert_int_equal(p.cost.filters, p.cost.nodes);
    assert_true(p.cost.bytes > 0);
    /* Only what is lost in part says what is kept. */
    bool told = false;
    for (size_t i = 0; i < p.findings.len; i++) {
        const struct api_finding *found = api_at(&p.findings, struct api_finding, i);
        told |= found->line == 4 && strstr(found->message, "opens nothing more: line 3");
    }
    assert_true(told);
    bool kept = false;
    for (size_t i = 0; i < p.rows.len; i++) {
        const struct api_access *row = api_at(&p.rows, struct api_access, i);
        for (size_t k = 0; k < row->kept.len; k++)
            kept |= strstr(row->kept.items[k], "port 22") != NULL;
    }
    assert_true(kept);
    api_release(&api_preview_shape, &p);
    buf_release(&body);
}

static void every_text_that_was_the_policy_is_kept_and_restored(void **state)
{
    struct api_policy_versions v;

    (void)state;
    versions("", &v);
    assert_int_equal(v.versions.len, 0);
    api_release(&api_policy_versions_shape, &v);
    set_policy("{\"acls\": []}");
    set_policy("{\"grants\": []}");
    set_policy("");
    versions("", &v);
    assert_int_equal(v.versions.len, 3);
    assert_int_equal(version_at(&v, 0)->version, 3);
    assert_true(version_at(&v, 0)->current);
    assert_false(version_at(&v, 1)->current);
    assert_true(*version_at(&v, 0)->author);
    assert_true(version_at(&v, 0)->updated_ns >= version_at(&v, 2)->updated_ns);
    api_release(&api_policy_versions_shape, &v);
    versions("?limit=2", &v);
    assert_int_equal(v.next, 2);
    api_release(&api_policy_versions_shape, &v);
    versions("?limit=2&before=2", &v);
    assert_int_equal(v.versions.len, 1);
    assert_int_equal(version_at(&v, 0)->version, 1);
    api_release(&api_policy_versions_shape, &v);

    json_t *j = api_expect(&f, 200, "GET", "/api/headway/policy/versions/1", NULL);
    assert_string_equal(json_text(j, "policy", ""), "{\"acls\": []}");
    json_decref(j);
    json_decref(api_expect(&f, 404, "GET", "/api/headway/policy/versions/9", NULL));
    json_decref(api_expect(&f, 400, "GET", "/api/headway/policy/versions/x", NULL));
    json_decref(api_expect(&f, 404, "POST", "/api/headway/policy/versions/9/restore", NULL));
    json_decref(api_expect(&f, 200, "POST", "/api/headway/policy/versions/1/restore?dry_run=true", NULL));
    j = api_expect(&f, 200, "GET", "/api/headway/policy", NULL);
    assert_string_equal(json_text(j, "policy", "x"), "");
    json_decref(j);
    json_decref(api_expect(&f, 200, "POST", "/api/headway/policy/versions/1/restore", NULL));
    j = api_expect(&f, 200, "GET", "/api/headway/policy", NULL);
    assert_string_equal(json_text(j, "policy", ""), "{\"acls\": []}");
    assert_int_equal(json_integer_value(json_object_get(j, "version")), 4);
    json_decref(j);
}

#define V2 "/api/v2/tailnet/-/acl"
#define RULES                                                                                                          \
    "{\n\"groups\": {\"group:ops\": [\"alice@\"]},\n"                                                                  \
    "\"acls\": [\n"                                                                                                    \
    " {\"action\": \"accept\", \"src\": [\"group:ops\"], \"dst\": [\"10.0.0.0/24:22,8000-8080\"]},\n"                  \
    " {\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [\"fd00::/64:443\"]}],\n"                                    \
    "\"grants\": [\n {\"src\": [\"bob@\"], \"dst\": [\"10.0.0.9\"], \"ip\": [\"tcp:443\", \"53\"]}]}\n"

/* What is answered to a text as body. */
static char *said(int status, const char *target, const char *body)
{
    json_t *j = api_expect(&f, status, "POST", target, body);
    char *text = json_compact(j);

    json_decref(j);
    return text;
}

static void expect_said(int status, const char *target, const char *body, const char *words)
{
    char *text = said(status, target, body);

    if (!strstr(text, words))
        fail_msg("%s %s: %s", target, body, text);
    free(text);
}

/* A list of tests is of the policy in force, whose own tests are not looked at. */
static void tests_alone_are_checked(void **state)
{
    static const char passes[] =
        "[{\"src\": \"10.1.0.1\", \"accept\": [\"10.2.0.1:80\"], \"deny\": [\"10.2.0.1:81\"]},]",
                      fails[] = " // one\n[{\"user\": \"10.1.0.1\", \"allow\": [\"10.2.0.1:81\"]}]";

    (void)state;
    expect_said(200, V2 "/validate", passes,
                "got DENIED"); /* none is stored: everything is open to the tailnet's own */
    set_policy("{\"acls\": [{\"action\": \"accept\", \"src\": [\"10.1.0.1\"], \"dst\": [\"10.2.0.1:80\"]}],\n"
               "\"tests\": [{\"src\": \"10.1.0.1\", \"accept\": [\"10.2.0.1:80\"]}]}");
    expect_said(200, V2 "/validate", passes, "{}");
    expect_said(200, V2 "/validate", fails + 8, "expected ALLOWED, got DENIED");
    expect_said(200, V2 "/validate", "[]", "{}");
    expect_said(400, V2 "/validate", "[{\"src\":", "no list of tests");
    expect_said(400, V2 "/validate", "[], \"acls\": []", "no list of tests");
    expect_said(200, V2 "/validate", "[7]", "\"message\":\"test(s) failed\"");
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/policy", NULL);
    assert_non_null(strstr(json_text(j, "policy", ""), "\"tests\"")); /* it is as it was */
    json_decref(j);
}

static void the_rules_about_somebody_are_listed(void **state)
{
    (void)state;
    expect_said(
        200, V2 "/preview?type=user&previewFor=alice", RULES,
        "{\"matches\":[{\"lineNumber\":4,\"ports\":[\"10.0.0.0/24:22,8000-8080\"],\"postures\":[],\"users\":"
        "[\"group:ops\"]},{\"lineNumber\":5,\"ports\":[\"[fd00::/64]:443\"],\"postures\":[],\"users\":[\"*\"]}],"
        "\"previewFor\":\"alice\",\"type\":\"user\"}");
    expect_said(
        200, V2 "/preview?type=user&previewFor=bob@", RULES,
        "{\"matches\":[{\"lineNumber\":7,\"ports\":[\"10.0.0.9:443\",\"10.0.0.9:53\"],\"postures\":[],\"users\":"
        "[\"bob@\"]},{\"lineNumber\":5");
    expect_said(200, V2 "/preview?type=ipport&previewFor=10.0.0.9:443", RULES, "[{\"lineNumber\":7");
    expect_said(200, V2 "/preview?type=ipport&previewFor=10.0.0.9:8001", RULES, "[{\"lineNumber\":4");
    expect_said(200, V2 "/preview?type=ipport&previewFor=[fd00::1]:443", RULES, "[{\"lineNumber\":5");
    expect_said(200, V2 "/preview?type=ipport&previewFor=10.0.1.1:22", RULES, "{\"matches\":[],");
    expect_said(400, V2 "/preview?type=user&previewFor=carol", RULES, "no user is called 'carol'");
    expect_said(400, V2 "/preview?type=ipport&previewFor=10.0.0.1", RULES, "not an address and a port");
    expect_said(400, V2 "/preview?type=node&previewFor=x", RULES, "type=user or type=ipport");
    expect_said(400, V2 "/preview?type=user&previewFor=alice", "{\"acls\": [7]}", "message");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(neighbours_are_those_who_reach_or_are_reached, begin, end),
        cmocka_unit_test_setup_teardown(a_pair_has_a_history, begin, end),
        cmocka_unit_test_setup_teardown(who_reaches_what_is_a_matrix, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_asked_is_named, begin, end),
        cmocka_unit_test_setup_teardown(every_text_that_was_the_policy_is_kept_and_restored, begin, end),
        cmocka_unit_test_setup_teardown(a_note_is_kept_with_the_text, begin, end),
        cmocka_unit_test_setup_teardown(a_preview_tells_tests_and_cost, begin, end),
        cmocka_unit_test_setup_teardown(tests_alone_are_checked, begin, end),
        cmocka_unit_test_setup_teardown(the_rules_about_somebody_are_listed, begin, end),
        cmocka_unit_test_setup_teardown(without_a_policy_everything_is_open, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
