/* SPDX-License-Identifier: BSD-3-Clause */
/* The past, approval of machines and messages to clients in the API. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "shared/api_fixture.h"
#include "shared/core_rig.h"

#define LAN "10.0.0.0/24"

static struct api_fixture f;

static int begin(void **state)
{
    (void)state;
    return api_setup(&f);
}

static int end(void **state)
{
    (void)state;
    return api_teardown(&f);
}

/* Without the times of asking. */
static char *state_text(json_t *answer)
{
    json_object_del(answer, "since");
    char *text = json_compact(answer);
    json_decref(answer);
    return text;
}

/* Of the node with that id. */
static json_t *ask(const char *method, uint64_t id, const char *call, const char *body)
{
    char *target = mem_format("/api/headway/nodes/%llu%s", (unsigned long long)id, call);
    json_t *answer = api_expect(&f, 200, method, target, body);

    free(target);
    return answer;
}

static void a_state_is_asked_for_again_by_its_time(void **state)
{
    const char *routes[] = {LAN, NULL};
    uint64_t id = api_node(&f, "alice", "r1", routes, NULL);

    (void)state;
    json_decref(ask("POST", id, "/routes", "{\"approve\":[\"" LAN "\"]}"));
    json_t *then = api_expect(&f, 200, "GET", "/api/headway/state", NULL);
    char *target = mem_format("/api/headway/state?at=%s", json_text(then, "time", ""));
    char *before = state_text(then);
    assert_non_null(strstr(before, "\"givenName\":\"r1\""));
    assert_non_null(strstr(before, "\"state\":\"offline\""));

    json_decref(ask("POST", id, "/rename", "{\"name\":\"renamed\"}"));
    json_decref(ask("POST", id, "/authorized", "{\"authorized\":false}"));
    json_decref(api_expect(&f, 200, "PUT", "/api/headway/policy", "{\"policy\":\"{\\\"acls\\\":[]}\"}"));
    char *now = state_text(api_expect(&f, 200, "GET", "/api/headway/state", NULL));
    assert_string_not_equal(now, before);
    assert_non_null(strstr(now, "\"givenName\":\"renamed\""));
    assert_non_null(strstr(now, "\"needsApproval\":true"));
    assert_non_null(strstr(now, "acls"));
    char *again = state_text(api_expect(&f, 200, "GET", target, NULL));
    assert_string_equal(again, before);
    free(again);
    free(now);
    free(before);
    free(target);
}

/* The page's entries, oldest first, as "kind object" separated by blanks; the caller's. */
static char *entries(const json_t *page)
{
    const json_t *list = json_object_get(page, "events");
    struct buf out = BUF_INIT(0);

    for (size_t i = 0; i < json_array_size(list); i++)
        buf_addf(&out, "%s%s %s", i ? " " : "", json_text(json_array_get(list, i), "kind", "?"),
                 json_text(json_array_get(list, i), "objectName", "?"));
    return buf_take(&out);
}

static json_t *journal(const char *query, const char *expected)
{
    char *target = mem_format("/api/headway/events%s", query);
    json_t *page = api_expect(&f, 200, "GET", target, NULL);
    char *found = entries(page);

    assert_string_equal(found, expected);
    free(found);
    free(target);
    return page;
}

static void the_journal_is_searched_backwards(void **state)
{
    (void)state;
    json_decref(api_expect(&f, 200, "POST", "/api/v1/user", "{\"name\":\"bob\"}"));
    json_decref(api_expect(&f, 200, "POST", "/api/v1/user", "{\"name\":\"Bobby\"}"));
    json_decref(api_expect(&f, 200, "POST", "/api/v1/user", "{\"name\":\"carol\"}"));
    json_t *page = journal("?object=bob", "user.created bob user.created Bobby");
    assert_null(json_string_value(json_object_get(page, "next")));
    assert_non_null(json_string_value(json_object_get(page, "readTo")));
    json_decref(page);
    json_decref(journal("?kind=user&object=CAR", "user.created carol"));
    json_decref(journal("?kind=user%20created&object=CAR", "user.created carol"));
    json_decref(journal("?kind=policy", ""));
    json_decref(journal("?actor=nobody", ""));
    json_decref(journal("?text=bobby", "user.created Bobby"));
    json_decref(journal("?until=2020-01-01T00:00:00Z", ""));

    page = journal("?object=bob&limit=1", "user.created Bobby");
    const char *next = json_string_value(json_object_get(page, "next"));
    assert_non_null(next);
    char *query = mem_format("?object=bob&limit=1&before=%s", next);
    json_decref(page);
    page = journal(query, "user.created bob");
    free(query);
    json_decref(page);
    json_decref(api_expect(&f, 400, "GET", "/api/headway/events?since=1.1&kind=user", NULL));
    json_decref(api_expect(&f, 400, "GET", "/api/headway/events?until=soon", NULL));
}

static uint64_t total(const char *query)
{
    char *target = mem_format("/api/headway/events/counts%s", query);
    json_t *answer = api_expect(&f, 200, "GET", target, NULL);
    const json_t *counts = json_object_get(answer, "counts");
    uint64_t sum = 0;

    for (size_t i = 0; i < json_array_size(counts); i++)
        sum += (uint64_t)json_integer_value(json_object_get(json_array_get(counts, i), "count"));
    json_decref(answer);
    free(target);
    return sum;
}

static void how_busy_the_journal_was_is_counted(void **state)
{
    (void)state;
    json_t *page = api_expect(&f, 200, "GET", "/api/headway/events?limit=1000", NULL);
    uint64_t all = json_array_size(json_object_get(page, "events"));

    json_decref(page);
    assert_true(all > 0);
    assert_int_equal(total(""), all);
    assert_int_equal(total("?from=2020-01-01T00:00:00Z"), 0);
    json_decref(api_expect(&f, 400, "GET", "/api/headway/events/counts?step=0", NULL));
    json_decref(api_expect(&f, 400, "GET", "/api/headway/events/counts?from=2262-04-11T00:00:00Z", NULL));
}

static void the_last_hour_is_there_in_samples(void **state)
{
    json_t *answer;

    (void)state;
    while (!json_array_size(json_object_get(answer = api_expect(&f, 200, "GET", "/api/headway/samples", NULL),
                                            "samples"))) /* the first one is taken as the daemon starts */
        json_decref(answer);
    const json_t *sample = json_array_get(json_object_get(answer, "samples"), 0);
    assert_int_equal(json_integer_value(json_object_get(answer, "interval")), 60);
    assert_true(json_is_true(json_object_get(sample, "databaseOk")));
    assert_int_equal(json_integer_value(json_object_get(sample, "failovers")), 0);
    assert_int_equal(json_integer_value(json_object_get(sample, "pushes")), 0);
    assert_int_equal(json_integer_value(json_object_get(sample, "medianUs")), 0);
    assert_non_null(json_string_value(json_object_get(sample, "time")));
    assert_int_equal(json_integer_value(json_object_get(sample, "pushP99Us")), 0);
    assert_true(json_integer_value(json_object_get(sample, "walBytes")) > 0);
    assert_null(json_string_value(json_object_get(answer, "lastBackup")));
    json_decref(answer);
    char *copy = mem_format("%s.copy", f.socket);
    assert_int_equal(store_backup(f.store.store, copy, NULL), 0);
    unlink(copy);
    free(copy);
    answer = api_expect(&f, 200, "GET", "/api/headway/samples", NULL);
    assert_non_null(json_string_value(json_object_get(answer, "lastBackup")));
    json_decref(answer);
}

static void round_trips_are_asked_for_by_nodes(void **state)
{
    uint64_t id = api_node(&f, "alice", "r1", (const char *[]){NULL}, NULL);
    char *target = mem_format("/api/headway/roundtrips?nodes=%llu,999", (unsigned long long)id);
    json_t *answer = api_expect(&f, 200, "GET", target, NULL);
    const json_t *nodes = json_object_get(answer, "nodes"), *node = json_array_get(nodes, 0);

    (void)state;
    assert_int_equal(json_array_size(nodes), 1);
    assert_true(json_is_array(json_object_get(node, "roundTrips")));
    assert_int_equal(json_array_size(json_object_get(node, "roundTrips")), 0);
    assert_true(json_is_null(json_object_get(json_object_get(node, "last"), "time")));
    json_decref(answer);
    free(target);
    answer = api_expect(&f, 200, "GET", "/api/headway/roundtrips", NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "nodes")), 1);
    json_decref(answer);
    json_decref(api_expect(&f, 400, "GET", "/api/headway/roundtrips?nodes=1,x", NULL));
    json_decref(api_expect(&f, 400, "GET", "/api/headway/roundtrips?nodes=,", NULL));
    json_decref(api_expect(&f, 400, "GET", "/api/headway/roundtrips?nodes=00000000000000000000000001", NULL));
}

static void what_cannot_be_known_is_said(void **state)
{
    (void)state;
    json_t *j = api_expect(&f, 410, "GET", "/api/headway/state?at=2020-01-01T00:00:00Z", NULL);
    assert_non_null(strstr(json_text(json_object_get(j, "error"), "message", ""), "nothing is known from before "));
    json_decref(j);
    json_decref(api_expect(&f, 400, "GET", "/api/headway/state?at=2190-01-01T00:00:00Z", NULL));
    json_decref(api_expect(&f, 400, "GET", "/api/headway/state?at=noon", NULL));
}

static json_t *history(const char *query)
{
    char *target = mem_format("/api/headway/prefixes/10.0.0.0%%2F24/history%s", query);
    json_t *answer = api_expect(&f, 200, "GET", target, NULL);

    free(target);
    return answer;
}

static const json_t *move(const json_t *history, size_t i)
{
    return json_array_get(json_object_get(history, "moves"), i);
}

static void a_prefix_has_a_history_with_causes(void **state)
{
    const char *routes[] = {LAN, NULL};
    uint64_t session[2], one = api_node(&f, "alice", "r1", routes, &session[0]),
                         two = api_node(&f, "alice", "r2", routes, &session[1]);

    (void)state;
    json_decref(ask("POST", one, "/routes", "{\"approve\":[\"" LAN "\"]}"));
    json_decref(ask("POST", two, "/routes", "{\"approve\":[\"" LAN "\"]}"));
    core_session_end(f.core, session[0], SESSION_SILENT);
    json_t *h;
    while (json_array_size(json_object_get(h = history(""), "moves")) < 2) /* it is written behind */
        json_decref(h);
    assert_int_equal(json_integer_value(json_object_get(h, "flips")), 1);
    assert_true(json_is_null(json_object_get(h, "next")));
    assert_string_equal(json_text(move(h, 0), "fromName", ""), "r1");
    assert_string_equal(json_text(move(h, 0), "toName", ""), "r2");
    assert_string_equal(json_text(move(h, 0), "cause", ""), "went offline");
    assert_true(json_is_null(json_object_get(move(h, 1), "from")));
    assert_string_equal(json_text(move(h, 1), "cause", ""), "approved");
    json_decref(h);

    struct prefix lan;
    struct prefixes moved = {0};
    assert_int_equal(prefix_parse(LAN, &lan, NULL, NULL), 0);
    prefixes_add(&moved, &lan);
    core_note_followers(
        f.core, &(struct core_followers){
                    .node = two, .prefixes = &moved, .all_follow = true, .after_ms = 321, .text = "all follow"});
    prefixes_release(&moved);
    while (json_integer_value(json_object_get(move(h = history(""), 0), "convergenceMs")) != 321)
        json_decref(h);
    assert_int_equal(json_integer_value(json_object_get(move(h, 1), "convergenceMs")), 0);
    json_decref(h);

    h = history("?limit=1");
    assert_int_equal(json_array_size(json_object_get(h, "moves")), 1);
    char *query = mem_format("?before=%s", json_text(h, "next", ""));
    json_t *older = history(query);
    assert_int_equal(json_array_size(json_object_get(older, "moves")), 1);
    assert_string_equal(json_text(move(older, 0), "cause", ""), "approved");
    json_decref(older);
    json_decref(h);
    free(query);
    json_decref(api_expect(&f, 400, "GET", "/api/headway/prefixes/10.0.0.0/history", NULL));
    h = history("?since=2190-01-01T00:00:00Z");
    assert_int_equal(json_array_size(json_object_get(h, "moves")), 0);
    json_decref(h);
}

static void approval_is_given_taken_and_undone(void **state)
{
    uint64_t id = api_node(&f, "alice", "a", NULL, NULL);

    (void)state;
    json_t *j = ask("POST", id, "/authorized", "{\"authorized\":false}");
    assert_true(json_is_true(json_object_get(json_object_get(j, "result"), "needsApproval")));
    json_t *why = api_expect(&f, 200, "GET", "/api/headway/explain?src=alice&dst=a", NULL);
    assert_true(json_is_false(json_object_get(why, "allowed")));
    const json_t *step = json_array_get(json_object_get(why, "steps"), 0);
    assert_non_null(strstr(json_text(step, "text", ""), "headway nodes approve a"));
    json_decref(why);
    char *undo = mem_format("/api/headway/undo/%s", json_text(j, "event", ""));
    assert_string_equal(json_text(json_object_get(j, "inverse"), "path", ""), "/api/headway/nodes/1/authorized");
    json_decref(j);
    json_decref(api_expect(&f, 200, "POST", undo, NULL));
    j = ask("GET", id, "", NULL);
    assert_true(json_is_false(json_object_get(json_object_get(j, "node"), "needsApproval")));
    json_decref(j);
    free(undo);
    j = api_expect(&f, 200, "POST", "/api/v1/preauthkey", "{\"user\":\"1\",\"preauthorized\":false}");
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/preauthkeys", NULL);
    const json_t *keys = json_object_get(j, "preAuthKeys");
    assert_true(json_is_false(json_object_get(json_array_get(keys, json_array_size(keys) - 1), "preauthorized")));
    json_decref(j);
}

static void a_message_is_set_read_and_taken_back(void **state)
{
    (void)state;
    json_t *j = api_expect(&f, 200, "PUT", "/api/headway/message", "{\"text\":\"At six\",\"severity\":\"high\"}");
    assert_string_equal(json_text(json_object_get(j, "result"), "text", ""), "At six");
    char *undo = mem_format("/api/headway/undo/%s", json_text(j, "event", ""));
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/message", NULL);
    assert_string_equal(json_text(j, "severity", ""), "high");
    json_decref(j);
    json_decref(api_expect(&f, 200, "POST", undo, NULL));
    free(undo);
    j = api_expect(&f, 200, "GET", "/api/headway/message", NULL);
    assert_string_equal(json_text(j, "text", "x"), "");
    json_decref(j);
    json_decref(api_expect(&f, 400, "PUT", "/api/headway/message", "{\"text\":\"a\",\"url\":\"ftp://x\"}"));
}

static void the_page_for_those_who_wait_names_the_command(void **state)
{
    struct buf body = BUF_INIT(0);
    static const char request[] = "GET /admin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    int fd = api_connect(&f, true);

    (void)state;
    api_send(fd, request, sizeof(request) - 1);
    assert_int_equal(api_answer(fd, NULL, &body), 200);
    assert_non_null(strstr(buf_text(&body), "headway nodes approve NAME"));
    buf_release(&body);
}

/* The member suspendedAt of alice in the answer of a state; NULL: she is not suspended. */
static const char *suspended_in(const json_t *answer)
{
    const json_t *alice = json_array_get(json_object_get(answer, "users"), 0);

    assert_string_equal(json_text(alice, "name", ""), "alice");
    return json_string_value(json_object_get(alice, "suspendedAt"));
}

static void the_past_knows_who_was_suspended(void **state)
{
    json_t *users = api_expect(&f, 200, "GET", "/api/headway/users", NULL);
    const char *id = json_text(json_array_get(json_object_get(users, "users"), 0), "id", "");
    char *target = mem_format("/api/headway/users/%s/suspended", id);

    (void)state;
    json_decref(api_expect(&f, 200, "POST", target, "{\"suspended\":true}"));
    json_t *then = api_expect(&f, 200, "GET", "/api/headway/state", NULL);
    char *at = mem_format("/api/headway/state?at=%s", json_text(then, "time", ""));
    assert_non_null(suspended_in(then));
    json_decref(api_expect(&f, 200, "POST", target, "{\"suspended\":false}"));
    json_t *now = api_expect(&f, 200, "GET", "/api/headway/state", NULL), *again = api_expect(&f, 200, "GET", at, NULL);
    assert_null(suspended_in(now));
    assert_string_equal(suspended_in(again), suspended_in(then));
    json_decref(now);
    json_decref(again);
    json_decref(then);
    json_decref(users);
    free(target);
    free(at);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_state_is_asked_for_again_by_its_time),
        CASE(what_cannot_be_known_is_said),
        CASE(round_trips_are_asked_for_by_nodes),
        CASE(a_prefix_has_a_history_with_causes),
        CASE(approval_is_given_taken_and_undone),
        CASE(the_journal_is_searched_backwards),
        CASE(the_last_hour_is_there_in_samples),
        CASE(how_busy_the_journal_was_is_counted),
        CASE(a_message_is_set_read_and_taken_back),
        CASE(the_past_knows_who_was_suspended),
        CASE(the_page_for_those_who_wait_names_the_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
