/* SPDX-License-Identifier: BSD-3-Clause */
/* The past: whatever happens, the tailnet at a given time is shown as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/vec.h"
#include "shared/core_rig.h"
#include "tailnet/past.h"
#include "tailnet/publish.h"

static struct core_rig r;
static uint64_t alice;
static char *key;

struct moment {
    int64_t at_ns;
    char *text;
};
static VEC(struct moment) moments;

static void forget_moments(void)
{
    for (size_t i = 0; i < moments.len; i++)
        free(moments.items[i].text);
    vec_release(&moments);
}

static int begin(void **state)
{
    (void)state;
    alice = core_rig_begin(&r, "");
    key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
    return 0;
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    free(key);
    key = NULL;
    forget_moments();
    return 0;
}

/* ---- a tailnet as text ---- */

static int by_object(const void *a, const void *b)
{
    const struct history *x = *(struct history *const *)a, *y = *(struct history *const *)b;
    int order = (int)x->kind - (int)y->kind;

    return order ? order : strcmp(x->key, y->key);
}

static char *text_of(struct history **images, size_t count, const struct policy_text *policy)
{
    struct buf b = BUF_INIT(0);

    if (count)
        qsort(images, count, sizeof(*images), by_object);
    for (size_t i = 0; i < count; i++)
        if (images[i]->kind != HISTORY_POLICY && images[i]->kind != HISTORY_DNS) /* neither is made of records */
            buf_addf(&b, "%d %s %s\n", (int)images[i]->kind, images[i]->key, images[i]->image);
    buf_addf(&b, "policy %s\n", policy ? policy->text : "-");
    return buf_take(&b);
}

static char *text_of_snapshot(const struct tailnet_snapshot *s)
{
    struct past_images images = {0};

    past_take(s, &images);
    char *text = text_of(images.items, images.len, s->policy);
    past_release(&images);
    return text;
}

/* As the store knows the moment; and the tailnet that is made of it is the same. */
static char *text_at(int64_t at_ns)
{
    struct tailnet_settings *settings = settings_new();
    struct tailnet_snapshot *s;
    struct store_past past;
    struct err e;

    if (store_past(r.store.store, at_ns, &past, &e) < 0)
        fail_msg("%s", e.message);
    char *text = text_of(past.items, past.count, past.policy);
    if (past_snapshot(past.items, past.count, past.policy, settings, at_ns, &s, &e) < 0)
        fail_msg("%s", e.message);
    char *again = text_of_snapshot(s);
    assert_string_equal(again, text);
    free(again);
    tailnet_unpin(s);
    settings_unref(settings);
    store_past_release(&past);
    return text;
}

static void keep_moment(void)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);

    vec_push(&moments, ((struct moment){s->wall_ns, text_of_snapshot(s)}));
    tailnet_unpin(s);
}

static void check_moments(void)
{
    for (size_t i = 0; i < moments.len; i++) {
        char *text = text_at(moments.items[i].at_ns);
        assert_string_equal(text, moments.items[i].text);
        free(text);
    }
}

/* ---- random changes ---- */

#define NODES  12
#define TAGGED "\"tagOwners\":{\"tag:a\":[],\"tag:b\":[]},"
static const char *const policies[] = {
    "{\"acls\":[]}",
    "{\"acls\":[]} // again\n",
    "{" TAGGED "\"grants\":[{\"src\":[\"*\"],\"dst\":[\"10.0.0.0/8\"],\"via\":[\"tag:a\"],\"ip\":[\"*\"]}]}",
    "{" TAGGED "\"grants\":[{\"src\":[\"*\"],\"dst\":[\"10.1.0.0/16\"],\"via\":[\"tag:a\",\"tag:b\"],\"ip\":[\"*\"]},"
    "{\"src\":[\"*\"],\"dst\":[\"10.0.0.0/8\"],\"via\":[\"tag:a\"],\"ip\":[\"*\"]}]}",
};
static const char *const lans[] = {"10.1.0.0/16", "10.2.0.0/16", "0.0.0.0/0"};
static struct {
    uint64_t id, session;
    uint8_t number;
} nodes[NODES];
static uint64_t seed;

static unsigned roll(unsigned below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % below;
}

static struct join as_node(unsigned i)
{
    static char names[NODES][16];
    static uint8_t next = 1;

    if (!nodes[i].number)
        nodes[i].number = next++;
    snprintf(names[i], sizeof(names[i]), "n%u", nodes[i].number);
    return (struct join){.key = key,
                         .name = names[i],
                         .machine = nodes[i].number,
                         .node = nodes[i].number,
                         .route = i % 3 ? lans[i % ARRAY_LEN(lans)] : NULL};
}

/* What is asked at random may be refused. */
static void ask(struct core_admin a)
{
    (void)core_rig_admin(&r, &a);
    core_admin_release(&a);
}

static void administer(unsigned i)
{
    struct prefix lan;
    static unsigned names;
    char name[16];

    snprintf(name, sizeof(name), "name-%u", ++names);
    assert_int_equal(prefix_parse(lans[i % ARRAY_LEN(lans)], &lan, NULL, NULL), 0);
    struct core_admin routes = {.op = ADMIN_ROUTES_EDIT, .id = nodes[i].id};
    struct core_admin tags = {.op = ADMIN_NODE_TAGS, .id = nodes[i].id};
    switch (roll(12)) {
    case 0:
        ask((struct core_admin){.op = ADMIN_NODE_RENAME, .id = nodes[i].id, .name = name});
        break;
    case 1:
        prefixes_add(roll(2) ? &routes.prefixes : &routes.revoke, &lan);
        ask(routes);
        break;
    case 2:
        ask((struct core_admin){.op = ADMIN_NODE_DRAIN, .id = nodes[i].id, .flag = roll(2) != 0});
        break;
    case 3:
        ask((struct core_admin){.op = ADMIN_NODE_AUTHORIZE, .id = nodes[i].id, .flag = roll(3) != 0});
        break;
    case 4:
        ask((struct core_admin){.op = ADMIN_NODE_EXPIRE,
                                .id = nodes[i].id,
                                .time_ns = clock_wall_ns() + (1 + roll(9)) * 3600 * NS_PER_SECOND});
        break;
    case 5:
        ask((struct core_admin){.op = ADMIN_USER_RENAME, .id = alice, .name = name});
        break;
    case 6:
        ask((struct core_admin){.op = ADMIN_NODE_DELETE, .id = nodes[i].id});
        nodes[i].id = nodes[i].session = 0;
        nodes[i].number = 0;
        break;
    case 7:
    case 8:
    case 9:
        strs_push(&tags.tags, roll(2) ? "tag:a" : "tag:b");
        ask(tags);
        break;
    case 10:
        ask((struct core_admin){.op = ADMIN_NODE_PRIORITY, .id = nodes[i].id, .number = roll(3) * 100});
        break;
    default:
        ask((struct core_admin){.op = ADMIN_POLICY_SET, .text = policies[roll(ARRAY_LEN(policies))]});
    }
}

static void change_something(void)
{
    unsigned i = roll(NODES);
    struct join j = as_node(i);

    if (!nodes[i].id) {
        nodes[i].id = core_rig_node(&r, &j);
    } else if (roll(3) == 0 && !nodes[i].session) {
        nodes[i].session = core_rig_online(&r, &j);
    } else if (roll(4) == 0 && nodes[i].session) {
        core_session_end(r.core, nodes[i].session, SESSION_SILENT);
        nodes[i].session = 0;
    } else {
        administer(i);
    }
}

/* A router of a group of via that serves, whatever comes then. */
static void begin_with_a_group(void)
{
    struct join j = as_node(1);
    struct core_admin tags = {.op = ADMIN_NODE_TAGS}, routes = {.op = ADMIN_ROUTES_EDIT};
    struct prefix lan = sample_prefix(lans[1]);

    nodes[1].id = tags.id = routes.id = core_rig_node(&r, &j);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET, .text = policies[2]});
    strs_push(&tags.tags, "tag:a");
    core_rig_admin_ok(&r, tags);
    prefixes_add(&routes.prefixes, &lan);
    core_rig_admin_ok(&r, routes);
    nodes[1].session = core_rig_online(&r, &j);
    keep_moment();
    assert_non_null(strstr(moments.items[0].text, " 10.2.0.0/16 tag:a {"));
}

static void any_moment_is_as_it_was(void **state)
{
    const char *text = getenv("HEADWAY_TEST_SEED");

    (void)state;
    seed = text ? strtoull(text, NULL, 10) : (uint64_t)clock_wall_ns();
    print_message("HEADWAY_TEST_SEED=%llu\n", (unsigned long long)seed);
    memset(nodes, 0, sizeof(nodes));
    begin_with_a_group();
    for (unsigned i = 0; i < 400; i++) {
        change_something();
        if (roll(4) == 0)
            keep_moment();
    }
    keep_moment();
    check_moments();
    assert_true(moments.len > 50);

    /* A restart changes nothing of it, and what comes after it is known as well. */
    core_rig_stop(&r);
    core_rig_start(&r);
    for (unsigned i = 0; i < NODES; i++)
        nodes[i].session = 0;
    check_moments();
    for (unsigned i = 0; i < 60; i++)
        change_something();
    check_moments();
}

/* The daemon was away for a moment, and so was everybody; but nothing of the tailnet changed. */
static void a_restart_leaves_no_trace(void **state)
{
    struct join j = {.key = key, .name = "a", .machine = 1, .node = 1};
    struct store_past before, after;
    struct err e;

    (void)state;
    core_rig_node(&r, &j);
    core_rig_online(&r, &j);
    keep_moment();
    core_rig_stop(&r);
    core_rig_start(&r);
    assert_int_equal(store_past(r.store.store, INT64_MAX, &before, &e), 0);
    core_rig_online(&r, &j);
    assert_int_equal(store_past(r.store.store, INT64_MAX, &after, &e), 0);
    assert_int_equal(before.count, after.count);
    uint64_t newest[2] = {0};
    for (size_t i = 0; i < before.count; i++) {
        newest[0] = before.items[i]->r.id > newest[0] ? before.items[i]->r.id : newest[0];
        newest[1] = after.items[i]->r.id > newest[1] ? after.items[i]->r.id : newest[1];
    }
    assert_int_equal(newest[0], newest[1]);
    char *now = text_at(INT64_MAX);
    assert_string_equal(now, moments.items[0].text);
    free(now);
    store_past_release(&before);
    store_past_release(&after);
}

static void what_is_from_before_the_beginning_is_unknown(void **state)
{
    struct store_past past;
    struct err e;

    (void)state;
    assert_int_equal(store_past(r.store.store, NS_PER_SECOND, &past, &e), 0);
    assert_true(past.since_ns > NS_PER_SECOND && past.since_ns <= clock_wall_ns());
    assert_int_equal(past.count, 0);
    store_past_release(&past);
}

/* A client that changes what it advertises all the time fills no disk. */
static void a_client_cannot_fill_it(void **state)
{
    struct join j = {.key = key, .name = "a", .machine = 1, .node = 1};
    struct store_past past;
    struct err e;

    (void)state;
    uint64_t id = core_rig_node(&r, &j), first;
    assert_int_equal(store_past(r.store.store, INT64_MAX, &past, &e), 0);
    first = 0;
    for (size_t i = 0; i < past.count; i++)
        first = past.items[i]->r.id > first ? past.items[i]->r.id : first;
    store_past_release(&past);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t session = core_rig_online(&r, &j);
        core_session_end(r.core, session, SESSION_SILENT);
    }
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_USER_CREATE, .name = "bob"});
    assert_int_equal(store_past(r.store.store, INT64_MAX, &past, &e), 0);
    for (size_t i = 0; i < past.count; i++)
        if (past.items[i]->kind == HISTORY_USER) /* bob's is the newest image there is */
            assert_true(past.items[i]->r.id < first + 400);
    store_past_release(&past);
    (void)id;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_moment_is_as_it_was, begin, end),
        cmocka_unit_test_setup_teardown(a_restart_leaves_no_trace, begin, end),
        cmocka_unit_test_setup_teardown(what_is_from_before_the_beginning_is_unknown, begin, end),
        cmocka_unit_test_setup_teardown(a_client_cannot_fill_it, begin, end),
    };
    return cmocka_run_group_tests_name("core_past", tests, NULL, NULL);
}
