/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes are asked whether they follow when a prefix moves: those that do, those that do not, those that cannot be
 * asked. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"
#include "control/control.h"
#include "crypto/crypto.h"
#include "netmap/netmap.h"
#include "readback/client_netmap.h"
#include "readback/moves.h"
#include "readback/readback.h"
#include "shared/daemon_fixture.h"
#include "tailnet/tailnet.h"

#define LAN "10.7.0.0/16"

static struct readback *readback;

static void begin(void)
{
    readback = readback_start(&(struct readback_options){.loops = test_daemon.loops,
                                                         .core = test_daemon.core,
                                                         .control = test_daemon.control,
                                                         .netmap = test_daemon.netmap,
                                                         .tailnet = test_daemon.tailnet,
                                                         .config = test_daemon.config});
}

/* Nobody is asked any more, and no answer is on its way. */
static void end(void)
{
    bool open = true;

    readback_stop(readback);
    while (open) {
        pthread_mutex_lock(&readback->lock);
        open = readback->asking || readback->preferences_asked;
        pthread_mutex_unlock(&readback->lock);
        sched_yield();
    }
    readback_free(readback);
}

static struct prefix lan(void)
{
    struct prefix p;

    assert_int_equal(prefix_parse(LAN, &p, NULL, NULL), 0);
    return p;
}

static void start(struct test_client *c, const char *name, unsigned version, bool router)
{
    test_client_start(c, name);
    c->version = version;
    test_client_join(c);
    test_client_poll(c, router ? ",\"RoutableIPs\":[\"" LAN "\"]" : "");
    json_decref(test_client_hear(c));
    if (!router)
        return;
    struct core_admin a = {.op = ADMIN_ROUTES_EDIT, .id = test_client_id(c), .actor = "tester"};
    struct prefix p = lan();
    prefixes_add(&a.prefixes, &p);
    assert_int_equal(test_daemon_admin(&a), 0);
    core_admin_release(&a);
}

static void move_to(const struct test_client *c)
{
    struct core_admin a = {.op = ADMIN_PRIMARY, .id = test_client_id(c), .actor = "tester"};
    struct prefix p = lan();

    prefixes_add(&a.prefixes, &p);
    assert_int_equal(test_daemon_admin(&a), 0);
    core_admin_release(&a);
}

/* The next question to the client for what: the path of its URL. */
static void hear_question(struct test_client *c, const char *what, char path[128])
{
    for (;;) {
        json_t *m = test_client_hear(c), *ping = json_object_get(m, "PingRequest");
        const char *url = ping ? json_text(ping, "URL", "") : "", *payload = ping ? json_text(ping, "Payload", "") : "";
        uint8_t bytes[512];
        long len = crypto_unbase64(payload, strlen(payload), bytes, sizeof(bytes) - 1);
        bytes[len > 0 ? len : 0] = '\0';
        bool found = str_starts(url, "https://unused/machine/c2n/") && strstr((char *)bytes, what);
        if (found)
            assert_true(str_copy(path, 128, url + strlen("https://unused")));
        json_decref(m);
        if (found)
            return;
    }
}

static void say_router(struct test_client *c, const struct test_client *uses)
{
    char path[128];

    hear_question(c, "GET /debug/netmap ", path);
    char *text = mem_format("HTTP/1.1 200 OK\r\n\r\n{\"current\":{\"SelfNode\":{\"ID\":1},\"Peers\":[{\"ID\":%llu,"
                            "\"AllowedIPs\":[\"100.64.0.9/32\",\"" LAN "\"]}]}}",
                            (unsigned long long)test_client_id(uses));
    assert_int_equal(test_client_call(c, "POST", path, text), 200);
}

static void say_preferences(struct test_client *c, const char *body)
{
    char path[128], *text = mem_format("HTTP/1.1 200 OK\r\n\r\n%s", body);

    hear_question(c, "GET /debug/prefs ", path);
    assert_int_equal(test_client_call(c, "POST", path, text), 200);
}

/* An administrator's change of the client's node. */
static void change(const struct test_client *c, struct core_admin a)
{
    a.id = test_client_id(c);
    a.actor = "test";
    assert_int_equal(test_daemon_admin(&a), 0);
    core_admin_release(&a);
}

static void tag(const struct test_client *c, const char *name)
{
    struct core_admin a = {.op = ADMIN_NODE_TAGS};

    strs_push(&a.tags, name);
    change(c, a);
}

static void set_policy(const char *text)
{
    struct core_admin a = {.op = ADMIN_POLICY_SET, .text = text, .actor = "test"};

    assert_int_equal(test_daemon_admin(&a), 0);
    core_admin_release(&a);
}

/* Of the newest entry of the journal of these kinds, once there is one: "ACTOR: TEXT". */
static char *noted; /* under test_daemon_lock */
static void on_event(void *arg, const struct event *e)
{
    if (!str_starts(e->kind, "route.followed") && !str_starts(e->kind, "route.behind"))
        return;
    pthread_mutex_lock(&test_daemon_lock);
    free(noted);
    noted = mem_format("%s: %s", e->actor, e->text);
    pthread_cond_broadcast(&test_daemon_changed);
    pthread_mutex_unlock(&test_daemon_lock);
    (void)arg;
}

static void expect_noted(const char *part)
{
    DAEMON_WAIT(noted && strstr(noted, part));
}

/* Asks again and again until it is as expected. */
/* asked: the elections that the prefix has are published one after the other. */
static void await_prefix(const char *prefix, struct api_followers *out, struct arena *a, uint64_t asked,
                         uint64_t followed, bool ended)
{
    struct prefix p;

    assert_int_equal(prefix_parse(prefix, &p, NULL, NULL), 0);
    for (int64_t end = clock_mono_ms() + DAEMON_WAIT_SECONDS * 1000; clock_mono_ms() < end;) {
        if (readback_followers(readback, &p, a, out) && out->asked == asked && out->followed == followed &&
            out->ended == ended)
            return;
        arena_release(a);
        sched_yield();
    }
    fail_msg("still: %s", readback_followers(readback, &p, a, out) ? out->text : "nothing moved");
}

static void await(struct api_followers *out, struct arena *a, uint64_t to, uint64_t followed, bool ended)
{
    struct prefix p = lan();

    for (int64_t end = clock_mono_ms() + DAEMON_WAIT_SECONDS * 1000; clock_mono_ms() < end;) {
        if (readback_followers(readback, &p, a, out) && out->to == to && out->followed == followed &&
            out->ended == ended)
            return;
        arena_release(a);
        sched_yield();
    }
    fail_msg("still: %s", readback_followers(readback, &p, a, out) ? out->text : "nothing moved");
}

static bool is_confirmed(uint64_t node)
{
    const struct tailnet_snapshot *s = tailnet_pin(test_daemon.tailnet);
    uint64_t seq = s->seq;

    tailnet_unpin(s);
    return readback_confirmed(readback, node, seq).confirmed;
}

static void nodes_are_asked_until_they_follow(void **state)
{
    static struct test_client r1, r2, quick, slow, old;
    struct arena a = ARENA_INIT(0);
    struct api_followers f;

    (void)state;
    start(&r1, "r1", 130, true);
    start(&r2, "r2", 130, true);
    start(&quick, "quick", 130, false);
    start(&slow, "slow", 130, false);
    start(&old, "old", 116, false);
    begin();
    struct prefix p = lan();
    assert_false(readback_followers(readback, &p, &a, &f));
    say_preferences(&quick, "{}");
    say_preferences(&slow, "{}");
    say_preferences(&old, "{}");
    say_preferences(&r2, "{}");
    move_to(&r2);
    say_preferences(&r1, "{}"); /* now it sees a route of another node */
    await(&f, &a, test_client_id(&r2), 0, false);
    assert_int_equal(f.viewers, 3);
    assert_string_equal(f.from_name, "r1");
    say_router(&quick, &r2);
    say_router(&slow, &r1);
    await(&f, &a, test_client_id(&r2), 1, false);
    assert_int_equal(f.unsupported, 1);
    assert_false(f.complete);
    assert_int_equal(f.behind.len, 1);
    assert_string_equal(api_at(&f.behind, struct api_behind, 0)->name, "slow");
    assert_non_null(strstr(f.text, "1 of 2 nodes has switched " LAN " to r2; 1 still uses r1 (slow, since "));
    assert_non_null(strstr(f.text, "1 cannot be asked"));
    assert_false(is_confirmed(test_client_id(&r1)));
    say_router(&slow, &r2);
    await(&f, &a, test_client_id(&r2), 2, true);
    assert_true(f.complete);
    assert_int_equal(f.behind.len, 0);
    assert_false(is_confirmed(test_client_id(&r1))); /* the old one may be behind */
    struct buf metrics = BUF_INIT(0);
    readback_metrics(readback, &metrics);
    assert_non_null(strstr(buf_text(&metrics), "headway_route_follow_seconds_count 2\n"));
    buf_release(&metrics);

    test_client_leave(&old);
    move_to(&r1);
    await(&f, &a, test_client_id(&r1), 0, false);
    say_router(&quick, &r1);
    say_router(&slow, &r1);
    await(&f, &a, test_client_id(&r1), 2, true);
    assert_true(is_confirmed(test_client_id(&r2)));
    assert_false(is_confirmed(test_client_id(&r1))); /* it serves again */
    arena_release(&a);
    end();
    test_client_leave(&slow);
    test_client_leave(&quick);
    test_client_leave(&r2);
    test_client_leave(&r1);
}

/* A group of routers that a grant names with via moves by itself, and only those that it leads are asked. */
static void those_of_a_via_group_are_asked(void **state)
{
    static struct test_client r1, r2, led, free_one;
    struct arena a = ARENA_INIT(0);
    struct api_followers f;
    const struct core_listener listener = {.event = on_event, .arg = &a};

    (void)state;
    start(&r1, "r1", 130, true);
    start(&r2, "r2", 130, true);
    start(&led, "led", 130, false);
    start(&free_one, "free", 130, false);
    set_policy("{\"tagOwners\":{\"tag:r\":[\"alice@\"],\"tag:led\":[\"alice@\"],\"tag:free\":[\"alice@\"]},"
               "\"grants\":[{\"src\":[\"tag:led\"],\"dst\":[\"" LAN "\"],\"via\":[\"tag:r\"],\"ip\":[\"*\"]},"
               "{\"src\":[\"tag:free\"],\"dst\":[\"" LAN "\"],\"ip\":[\"*\"]}]}");
    tag(&r1, "tag:r");
    tag(&r2, "tag:r");
    tag(&led, "tag:led");
    tag(&free_one, "tag:free");
    core_listen(test_daemon.core, &listener);
    begin();
    change(&r1, (struct core_admin){.op = ADMIN_NODE_DRAIN, .flag = true});
    await_prefix(LAN, &f, &a, 2, 0, false); /* one of each election */
    assert_string_equal(f.actor, "test");
    assert_non_null(strstr(f.text, "0 of 1 node have switched " LAN " via tag:r to r2"));
    assert_non_null(strstr(f.text, "0 of 1 node have switched " LAN " to r2"));
    say_router(&led, &r2);
    await_prefix(LAN, &f, &a, 2, 1, false);
    expect_noted("test: 1 of 1 node has switched " LAN " via tag:r to r2");
    assert_false(is_confirmed(test_client_id(&r1))); /* the other one still uses it */
    say_router(&free_one, &r2);
    await_prefix(LAN, &f, &a, 2, 2, true);
    expect_noted("test: 1 of 1 node has switched " LAN " to r2");
    assert_true(is_confirmed(test_client_id(&r1)));
    core_unlisten(test_daemon.core, listener.arg);
    arena_release(&a);
    end();
    set_policy("");
    test_client_leave(&free_one);
    test_client_leave(&led);
    test_client_leave(&r2);
    test_client_leave(&r1);
}

static void measure(struct test_client *c, bool router, bool east)
{
    char *body = test_client_request(c,
                                     ",\"OmitPeers\":true,\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"%s\"%s,"
                                     "\"NetInfo\":{\"DERPLatency\":{\"1-v4\":%s,\"2-v4\":%s}}}",
                                     c->name, router ? ",\"RoutableIPs\":[\"" LAN "\"]" : "", east ? "0.2" : "0.005",
                                     east ? "0.005" : "0.2");

    assert_int_equal(test_client_call(c, "POST", "/machine/map", body), 200);
}

static void set_nearest(bool on)
{
    struct core_admin a = {.op = ADMIN_PREFIX_SET, .given = RULE_NEAREST, .actor = "tester"};
    struct prefix p = lan();

    prefixes_add(&a.prefixes, &p);
    a.rule.nearest = on ? PREFIX_NEAREST : PREFIX_ONE_FOR_ALL;
    assert_int_equal(test_daemon_admin(&a), 0);
    core_admin_release(&a);
}

/* Nobody but the viewer moves, and the primary stays what it is. */
static void who_moves_to_a_nearer_router_is_asked(void **state)
{
    static struct test_client r1, r2, east, west;
    struct arena a = ARENA_INIT(0);
    struct api_followers f;

    (void)state;
    start(&r1, "r1", 130, true);
    start(&r2, "r2", 130, true);
    start(&east, "east", 130, false);
    start(&west, "west", 130, false);
    measure(&r1, true, false);
    measure(&r2, true, true);
    measure(&east, false, true);
    measure(&west, false, false);
    begin();
    set_nearest(true);
    await(&f, &a, test_client_id(&r2), 0, false);
    assert_int_equal(f.viewers, 1);
    say_router(&east, &r2);
    await(&f, &a, test_client_id(&r2), 1, true);
    assert_string_equal(f.text, "1 of 1 node has switched " LAN " to r2, by nearness");
    assert_true(is_confirmed(test_client_id(&r2)) == false); /* it serves */
    /* The nearest one goes: its viewer is served by the primary again. */
    change(&r2, (struct core_admin){.op = ADMIN_NODE_DRAIN, .flag = true});
    await(&f, &a, test_client_id(&r1), 0, false);
    assert_false(is_confirmed(test_client_id(&r2)));
    say_router(&east, &r1);
    await(&f, &a, test_client_id(&r1), 1, true);
    assert_string_equal(f.text, "1 of 1 node has switched " LAN " to r1, by nearness");
    assert_true(is_confirmed(test_client_id(&r2)));
    set_nearest(false);
    end();
    arena_release(&a);
    test_client_leave(&west);
    test_client_leave(&east);
    test_client_leave(&r2);
    test_client_leave(&r1);
}

/* Whose change it was, NULL: nobody's, that viewers went to the router. */
static void await_actor(uint64_t to, const char *actor)
{
    struct arena a = ARENA_INIT(0);
    struct api_followers f = {0};
    struct prefix p = lan();
    bool found = false;

    for (int64_t end = clock_mono_ms() + DAEMON_WAIT_SECONDS * 1000; !found && clock_mono_ms() < end; sched_yield()) {
        arena_release(&a);
        found = readback_followers(readback, &p, &a, &f) && f.to == to &&
                str_eq(f.actor ? f.actor : "nobody", actor ? actor : "nobody");
    }
    if (!found)
        fail_msg("still by %s: %s", f.actor ? f.actor : "nobody", f.text);
    arena_release(&a);
}

static void who_let_the_nearest_router_serve_is_told(void **state)
{
    static struct test_client r1, r2, east, late;

    (void)state;
    start(&r1, "r1", 130, true);
    start(&r2, "r2", 130, true);
    start(&east, "east", 130, false);
    start(&late, "late", 130, false);
    measure(&r1, true, false);
    measure(&r2, true, true);
    measure(&east, false, true);
    begin();
    set_nearest(true);
    await_actor(test_client_id(&r2), "test");
    measure(&late, false, true); /* by itself */
    await_actor(test_client_id(&r2), NULL);
    set_nearest(false);
    await_actor(test_client_id(&r1), "test");
    end();
    test_client_leave(&late);
    test_client_leave(&east);
    test_client_leave(&r2);
    test_client_leave(&r1);
}

static void approve_lan(const struct test_client *c, bool on)
{
    struct core_admin a = {.op = ADMIN_ROUTES_EDIT};
    struct prefix p = lan();

    prefixes_add(on ? &a.prefixes : &a.revoke, &p);
    change(c, a);
}

/* An approval that is taken back at once, for instance. */
static void nobody_is_asked_about_what_nobody_serves(void **state)
{
    static struct test_client r1, viewer;
    struct arena a = ARENA_INIT(0);
    struct api_followers f;
    struct prefix p = lan();
    bool told = true;

    (void)state;
    start(&viewer, "viewer", 130, false);
    begin();
    start(&r1, "r1", 130, true);
    await(&f, &a, test_client_id(&r1), 0, false);
    assert_string_equal(f.text, "0 of 1 node have switched " LAN " to r1; 1 has not answered (viewer, since 0 s)");
    approve_lan(&r1, false);
    for (int64_t until = clock_mono_ms() + DAEMON_WAIT_SECONDS * 1000; told && clock_mono_ms() < until; sched_yield())
        told = readback_followers(readback, &p, &a, &f);
    assert_false(told);
    approve_lan(&r1, true);
    await(&f, &a, test_client_id(&r1), 0, false);
    say_router(&viewer, &r1);
    await(&f, &a, test_client_id(&r1), 1, true);
    end();
    arena_release(&a);
    test_client_leave(&viewer);
    test_client_leave(&r1);
}

static void reload(bool read_back)
{
    ((struct config *)(uintptr_t)test_daemon.config)->node.probe.read_back = read_back;
    readback_reload(readback, test_daemon.config);
}

static uint64_t questions(void)
{
    pthread_mutex_lock(&readback->lock);
    uint64_t count = readback->questions;
    pthread_mutex_unlock(&readback->lock);
    return count;
}

static void wait_for_look(void)
{
    const struct tailnet_snapshot *s = tailnet_pin(test_daemon.tailnet);

    for (bool looked = false; !looked; sched_yield()) {
        pthread_mutex_lock(&readback->lock);
        looked = readback->seen >= s->seq;
        pthread_mutex_unlock(&readback->lock);
    }
    tailnet_unpin(s);
}

/* node.routes.probe.read_back: the first question that the client hears is of what moves once it is on. */
static void one_key_ends_all_questions(void **state)
{
    static struct test_client r1, r2, viewer;
    struct arena a = ARENA_INIT(0);
    struct api_followers f;
    struct prefix p = lan();

    (void)state;
    start(&r1, "r1", 130, true);
    start(&r2, "r2", 130, true);
    start(&viewer, "viewer", 130, false);
    begin();
    reload(false);
    uint64_t before = questions();
    move_to(&r2);
    move_to(&r1);
    assert_false(readback_followers(readback, &p, &a, &f));
    assert_int_equal(questions(), before);
    assert_false(is_confirmed(test_client_id(&r2))); /* nobody knows */
    reload(true);
    wait_for_look();
    move_to(&r2);
    await(&f, &a, test_client_id(&r2), 0, false);
    say_router(&viewer, &r2);
    await(&f, &a, test_client_id(&r2), 1, true);
    assert_int_equal(questions(), before + 1);
    end();
    arena_release(&a);
    test_client_leave(&viewer);
    test_client_leave(&r2);
    test_client_leave(&r1);
}

static void start_exit(struct test_client *c, const char *name)
{
    struct core_admin a = {.op = ADMIN_ROUTES_EDIT};
    struct prefix p;

    test_client_start(c, name);
    c->version = 130;
    test_client_join(c);
    test_client_poll(c, ",\"RoutableIPs\":[\"0.0.0.0/0\",\"::/0\"]");
    json_decref(test_client_hear(c));
    assert_int_equal(prefix_parse("0.0.0.0/0", &p, NULL, NULL), 0);
    prefixes_add(&a.prefixes, &p);
    change(c, a);
}

/* As clients do once they use another exit node. */
static void use_exit(struct test_client *c, const struct test_client *exit)
{
    char *body = test_client_request(c,
                                     ",\"OmitPeers\":true,\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"%s\","
                                     "\"ExitNodeID\":\"%llu\"}",
                                     c->name, (unsigned long long)test_client_id(exit));

    assert_int_equal(test_client_call(c, "POST", "/machine/map", body), 200);
}

/* Those who used an exit node say by themselves that they have left it. */
static void users_of_an_exit_node_are_seen_to_leave_it(void **state)
{
    static struct test_client x1, x2, quick, fixed, other;
    struct arena a = ARENA_INIT(0);
    struct api_followers f;
    struct buf metrics = BUF_INIT(0);
    const struct core_listener listener = {.event = on_event, .arg = &a};

    (void)state;
    start_exit(&x1, "x1");
    start_exit(&x2, "x2");
    start(&quick, "quick", 130, false);
    start(&fixed, "fixed", 130, false);
    start(&other, "other", 130, false);
    use_exit(&quick, &x1);
    use_exit(&fixed, &x1);
    use_exit(&other, &x2);
    core_listen(test_daemon.core, &listener);
    begin();
    change(&x1, (struct core_admin){.op = ADMIN_NODE_DRAIN, .flag = true});
    use_exit(&quick, &x2); /* before anybody looks */
    await_prefix("::/0", &f, &a, 2, 1, false);
    assert_string_equal(f.from_name, "x1");
    assert_null(f.to_name);
    assert_string_equal(f.actor, "test");
    await_prefix("0.0.0.0/0", &f, &a, 2, 1, false);
    assert_non_null(strstr(f.text, "1 of 2 nodes has left the exit node x1, which was drained: 1 uses x2; 1 still uses "
                                   "x1 (fixed, since "));
    assert_string_equal(api_at(&f.behind, struct api_behind, 0)->uses, "x1");
    use_exit(&fixed, &x2);
    await_prefix("0.0.0.0/0", &f, &a, 2, 2, true);
    expect_noted("test: 2 of 2 nodes have left the exit node x1, which was drained: 2 use x2");
    readback_metrics(readback, &metrics);
    assert_non_null(strstr(buf_text(&metrics), "headway_exit_leave_seconds_count 2\n"));
    buf_release(&metrics);

    /* One that goes away by itself is nobody's doing. */
    test_client_disconnect(&x2);
    for (struct prefix p = f.prefix; f.from != test_client_id(&x2);) {
        assert_true(readback_followers(readback, &p, &a, &f));
        sched_yield();
    }
    assert_null(f.actor);
    assert_non_null(strstr(f.text, "0 of 3 nodes have left the exit node x2, which went offline; 3 still use x2"));
    core_unlisten(test_daemon.core, listener.arg);
    arena_release(&a);
    end();
    test_client_leave(&other);
    test_client_leave(&fixed);
    test_client_leave(&quick);
    test_client_leave(&x2);
    test_client_leave(&x1);
}

/* However short somebody used one before it ended, and however soon it left it: no look is needed in between. */
static void who_uses_an_exit_node_for_a_moment_is_seen_to_leave_it(void **state)
{
    static struct test_client x1, x2, a, b;
    struct arena arena = ARENA_INIT(0);
    struct api_followers f;

    (void)state;
    start_exit(&x1, "x1");
    start_exit(&x2, "x2");
    start(&a, "a", 130, false);
    start(&b, "b", 130, false);
    begin();
    for (int turn = 0; turn < 5; turn++) {
        use_exit(&a, &x1);
        use_exit(&b, &x1);
        change(&x1, (struct core_admin){.op = ADMIN_NODE_DRAIN, .flag = true});
        use_exit(&a, &x2);
        use_exit(&b, &x2);
        await_prefix("0.0.0.0/0", &f, &arena, 2, 2, true);
        assert_string_equal(f.text, "2 of 2 nodes have left the exit node x1, which was drained: 2 use x2");
        assert_string_equal(f.actor, "test");
        arena_release(&arena);
        change(&x1, (struct core_admin){.op = ADMIN_NODE_DRAIN, .flag = false});
    }
    end();
    test_client_leave(&b);
    test_client_leave(&a);
    test_client_leave(&x2);
    test_client_leave(&x1);
}

static enum accepts_routes accepted_by(const struct test_client *c)
{
    struct map known = {0};

    readback_preferences(readback, &known);
    enum accepts_routes says = (enum accepts_routes)(uintptr_t)map_getu(&known, test_client_id(c));
    map_release(&known);
    return says;
}

static void nodes_that_see_a_route_are_asked_whether_they_accept_it(void **state)
{
    static struct test_client r1, willing, unwilling, odd;
    struct map none = {0};

    (void)state;
    start(&r1, "r1", 130, true);
    start(&willing, "willing", 130, false);
    start(&unwilling, "unwilling", 116, false);
    start(&odd, "odd", 130, false);
    begin();
    say_preferences(&odd, "{\"RouteAll\":\"yes\"}");
    say_preferences(&willing, "{\"RouteAll\":true}");
    say_preferences(&unwilling, "{\"ControlURL\":\"x\",\"RouteAll\":false}");
    for (int64_t end = clock_mono_ms() + DAEMON_WAIT_SECONDS * 1000; accepted_by(&unwilling) == ACCEPTS_UNKNOWN;) {
        assert_true(clock_mono_ms() < end);
        sched_yield();
    }
    assert_int_equal(accepted_by(&willing), ACCEPTS_ROUTES);
    assert_int_equal(accepted_by(&unwilling), REFUSES_ROUTES);
    assert_int_equal(accepted_by(&odd), ACCEPTS_UNKNOWN);
    assert_int_equal(accepted_by(&r1), ACCEPTS_UNKNOWN); /* it sees no route of another node */
    readback_preferences(NULL, &none);
    assert_int_equal(none.len, 0);
    end();
    test_client_leave(&odd);
    test_client_leave(&unwilling);
    test_client_leave(&willing);
    test_client_leave(&r1);
}

/* What the server would send, as a client says it: it fills in AllowedIPs where they are the addresses. */
static char *as_client(const json_t *map)
{
    json_t *peers = json_deep_copy(json_object_get(map, "Peers")), *peer;
    size_t i;

    json_array_foreach(peers, i, peer) if (!json_object_get(peer, "AllowedIPs"))
        json_object_set(peer, "AllowedIPs", json_object_get(peer, "Addresses"));
    json_t *answer = json_pack("{s:{s:O, s:O}}", "current", "SelfNode", json_object_get(map, "Node"), "Peers", peers);
    char *text = json_compact(answer);
    json_decref(answer);
    json_decref(peers);
    return text;
}

static void expect_diff(uint64_t node, const json_t *map, uint64_t count, const char *member)
{
    struct arena a = ARENA_INIT(0);
    struct api_diff d;
    struct err e;
    char *text = as_client(map);

    assert_int_equal(readback_compare(readback, node, text, strlen(text), &a, &d, &e), 0);
    assert_int_equal(d.differences, count);
    if (count)
        assert_string_equal(api_at(&d.rows, struct api_mismatch, 0)->member, member);
    arena_release(&a);
    free(text);
}

static void what_a_client_holds_is_compared(void **state)
{
    static struct test_client r1, viewer;
    struct buf text = BUF_INIT(0);
    json_t *map;

    (void)state;
    start(&r1, "r1", 130, true);
    start(&viewer, "viewer", 130, false);
    begin();
    const struct tailnet_snapshot *s = tailnet_pin(test_daemon.tailnet);
    assert_true(netmap_whole(test_daemon.netmap, s, test_client_id(&r1), &text));
    tailnet_unpin(s);
    assert_int_equal(json_read(buf_text(&text), text.len, text.len, "a map", &map, NULL), 0);
    expect_diff(test_client_id(&r1), map, 0, "");
    json_t *peer = json_array_get(json_object_get(map, "Peers"), 0);
    json_object_set_new(peer, "AllowedIPs", json_pack("[s]", "10.0.0.0/8"));
    expect_diff(test_client_id(&r1), map, 1, "AllowedIPs");
    json_array_clear(json_object_get(map, "Peers"));
    expect_diff(test_client_id(&r1), map, 1, "");
    json_decref(map);
    buf_release(&text);
    end();
    test_client_leave(&viewer);
    test_client_leave(&r1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_asked_until_they_follow),
        cmocka_unit_test(those_of_a_via_group_are_asked),
        cmocka_unit_test(who_moves_to_a_nearer_router_is_asked),
        cmocka_unit_test(who_let_the_nearest_router_serve_is_told),
        cmocka_unit_test(nobody_is_asked_about_what_nobody_serves),
        cmocka_unit_test(one_key_ends_all_questions),
        cmocka_unit_test(users_of_an_exit_node_are_seen_to_leave_it),
        cmocka_unit_test(who_uses_an_exit_node_for_a_moment_is_seen_to_leave_it),
        cmocka_unit_test(nodes_that_see_a_route_are_asked_whether_they_accept_it),
        cmocka_unit_test(what_a_client_holds_is_compared),
    };

    return cmocka_run_group_tests(tests, test_daemon_set_up, test_daemon_tear_down);
}
