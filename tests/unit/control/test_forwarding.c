/* SPDX-License-Identifier: BSD-3-Clause */
/* A router that is online but does not forward is detected through other nodes; its prefix moves to one that forwards,
 * or to none. */
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
#include "control/control.h"
#include "health/health.h"
#include "shared/daemon_fixture.h"

static const struct prefix lan = {{32, {10, 0, 0, 0}}, 24};

static struct {
    bool unreached, reached, moved, carried;
    char evidence[512]; /* of the last one that was not reached */
} heard;

static void hear_event(void *arg, const struct event *e)
{
    (void)arg;
    if (str_eq(e->kind, "route.unreached")) {
        pthread_mutex_lock(&test_daemon_lock);
        str_copy(heard.evidence, sizeof(heard.evidence), e->text);
        pthread_mutex_unlock(&test_daemon_lock);
        test_daemon_set(&heard.unreached);
    }
    if (str_eq(e->kind, "route.reached"))
        test_daemon_set(&heard.reached);
    if (str_eq(e->kind, "route.carried"))
        test_daemon_set(&heard.carried);
    if (str_eq(e->kind, "route.failover"))
        test_daemon_set(&heard.moved);
}

/* ---- the tailnet: two routers, two helpers ---- */

static struct test_client routers[2], helpers[2];
static bool forwards[2];  /* the routers */
static bool helpers_live; /* answer an echo */
static bool helpers_fail; /* say at once that a ping was in vain, where clients say nothing */
static bool led;          /* the helpers are led through the second router by a grant with via */
static bool near;         /* they go through the router that is the nearest */
static unsigned answered; /* pings */
static struct health *health;

static void approve(const struct test_client *c)
{
    struct core_admin a = {.op = ADMIN_NODE_ROUTES, .id = test_client_id(c)};

    prefixes_add(&a.prefixes, &lan);
    assert_int_equal(test_daemon_admin(&a), 0);
    core_admin_release(&a);
}

static void set_probe(const char *address)
{
    struct core_admin a = {.op = ADMIN_PREFIX_SET};

    prefixes_add(&a.prefixes, &lan);
    if (address) {
        a.given = RULE_PROBE;
        assert_int_equal(addr_parse(address, &a.rule.probe, NULL), 0);
    } else {
        a.reset = RULE_PROBE;
    }
    assert_int_equal(test_daemon_admin(&a), 0);
    core_admin_release(&a);
}

static int set_up_with(int64_t timeout_ms)
{
    assert_int_equal(test_daemon_set_up(NULL), 0);
    heard.unreached = heard.reached = heard.moved = heard.carried = false;
    forwards[0] = forwards[1] = helpers_live = true;
    helpers_fail = led = near = false;
    answered = 0;
    struct config *c = (struct config *)(uintptr_t)test_daemon.config;
    c->node.probe.interval = 100000000; /* less than an administrator may say */
    c->node.probe.timeout = timeout_ms * NS_PER_MS;
    c->node.probe.control_lost = 600 * NS_PER_SECOND;
    c->node.ha.probe_interval = 0; /* these routers answer nothing */
    core_listen(test_daemon.core, &(struct core_listener){.event = hear_event, .arg = &heard});
    health = health_start(&(struct health_options){.loops = test_daemon.loops,
                                                   .core = test_daemon.core,
                                                   .control = test_daemon.control,
                                                   .tailnet = test_daemon.tailnet,
                                                   .config = test_daemon.config});
    for (size_t i = 0; i < 2; i++) {
        test_client_start(&routers[i], i ? "r2" : "r1");
        test_client_join(&routers[i]);
        test_client_poll(&routers[i], ",\"RoutableIPs\":[\"10.0.0.0/24\"]");
        json_decref(test_client_hear(&routers[i]));
        approve(&routers[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        test_client_start(&helpers[i], i ? "c2" : "c1");
        test_client_join(&helpers[i]);
        test_client_poll(&helpers[i], "");
        json_decref(test_client_hear(&helpers[i]));
    }
    set_probe("10.0.0.7");
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return set_up_with(300);
}

static int set_up_patient(void **state)
{
    (void)state;
    return set_up_with(60000);
}

static int tear_down(void **state)
{
    (void)state;
    set_probe(NULL);
    for (size_t i = 0; i < 2; i++) {
        test_client_leave(&routers[i]);
        test_client_leave(&helpers[i]);
    }
    core_unlisten(test_daemon.core, &heard);
    health_stop(health);
    /* The last questions end before what they tell goes. */
    control_free(test_daemon.control);
    test_daemon.control = NULL;
    health_free(health);
    return test_daemon_tear_down(NULL);
}

/* ---- what the helpers do ---- */

static const struct tailnet_node *node_of(const struct tailnet_snapshot *s, const struct test_client *c)
{
    return snapshot_node_by_id(s, test_client_id(c));
}

/* The router that the helper is served by because it is nearer than the primary. */
static size_t nearer(const struct tailnet_snapshot *s, const struct test_client *helper)
{
    const struct nearest_prefix *n = tailnet_nearest_find(s->nearest, &lan);
    uint32_t router = n ? nearest_router(n, node_of(s, helper)->slot) : TAILNET_SLOT_NONE;

    return router == node_of(s, &routers[1])->slot;
}

/* As a client would route the ping: the longest prefix wins. */
static bool target_answers(const struct test_client *helper)
{
    const struct tailnet_snapshot *s = tailnet_pin(test_daemon.tailnet);
    bool answers = false;

    for (size_t i = 0; i < 2; i++)
        if (led ? i == 1 : near ? i == nearer(s, helper) : prefixes_has(&node_of(s, &routers[i])->serving, &lan))
            answers = forwards[i];
    for (size_t i = 0; i < 2; i++)
        if (node_of(s, &routers[i])->live.probe_helper == test_client_id(helper))
            answers = forwards[i];
    tailnet_unpin(s);
    return answers;
}

static void answer_ping(struct test_client *c, const json_t *ping)
{
    const char *types = json_text(ping, "Types", ""), *url = json_text(ping, "URL", "");
    char path[128];

    if (!str_starts(url, "https://unused/machine/c2n/"))
        return;
    assert_true(str_copy(path, sizeof(path), url + strlen("https://unused")));
    if (str_eq(types, "ICMP")) {
        assert_string_equal(json_text(ping, "IP", ""), "10.0.0.7");
        if (target_answers(c)) {
            test_client_call(c, "POST", path, mem_strdup("{\"IP\":\"10.0.0.7\"}"));
            answered++;
        } else if (helpers_fail) {
            test_client_call(c, "POST", path, mem_strdup("no"));
        }
    } else if (helpers_live) {
        test_client_call(c, "POST", path, mem_strdup("HTTP/1.1 200 OK\r\n\r\n"));
    }
}

static bool unread(struct test_client *c)
{
    return c->read < c->messages.len;
}

/* Plays the helpers until something has become true. */
#define PLAY_UNTIL(condition)                                                                                          \
    for (bool done = false; !done;) {                                                                                  \
        DAEMON_WAIT((condition) || unread(&helpers[0]) || unread(&helpers[1]));                                        \
        for (size_t i = 0; i < 2; i++) {                                                                               \
            pthread_mutex_lock(&test_daemon_lock);                                                                     \
            bool more = unread(&helpers[i]);                                                                           \
            pthread_mutex_unlock(&test_daemon_lock);                                                                   \
            if (!more)                                                                                                 \
                continue;                                                                                              \
            json_t *m = test_client_hear(&helpers[i]);                                                                 \
            if (json_object_get(m, "PingRequest"))                                                                     \
                answer_ping(&helpers[i], json_object_get(m, "PingRequest"));                                           \
            json_decref(m);                                                                                            \
        }                                                                                                              \
        pthread_mutex_lock(&test_daemon_lock);                                                                         \
        done = (condition);                                                                                            \
        pthread_mutex_unlock(&test_daemon_lock);                                                                       \
    }

static bool serves(size_t router)
{
    const struct tailnet_snapshot *s = tailnet_pin(test_daemon.tailnet);
    bool found = prefixes_has(&node_of(s, &routers[router])->serving, &lan);

    tailnet_unpin(s);
    return found;
}

static void a_prefix_moves_to_a_router_that_forwards_and_only_there(void **state)
{
    (void)state;
    assert_true(serves(0));
    PLAY_UNTIL(answered >= 8);
    assert_false(heard.unreached);
    /* helpers that went away are no evidence */
    forwards[0] = false;
    helpers_live = false;
    answered = 0;
    for (unsigned i = 0, asked = 0; asked < 30 && i < 1000; i++) {
        json_t *m = test_client_hear(&helpers[0]);
        asked += json_object_get(m, "PingRequest") != NULL;
        json_decref(m);
    }
    assert_false(heard.unreached);
    assert_true(serves(0));
    /* the router is */
    helpers_live = true;
    PLAY_UNTIL(heard.moved);
    assert_true(heard.unreached);
    assert_true(serves(1));
    heard.moved = heard.unreached = false;
    /* neither forwards: nothing moves */
    forwards[1] = false;
    PLAY_UNTIL(heard.unreached);
    assert_true(serves(1));
    assert_false(heard.moved);
    /* the one that does not serve is tested on, and takes over when it forwards again */
    forwards[0] = true;
    PLAY_UNTIL(heard.moved);
    assert_true(heard.reached);
    assert_true(serves(0));
}

static void reconnect(struct test_client *c)
{
    test_client_connect(c);
    test_client_poll(c, ",\"RoutableIPs\":[\"10.0.0.0/24\"]");
    json_decref(test_client_hear(c));
}

/* routes.md 7.5: its packets arrive, so nothing is won by a move; until they do not. */
static void a_router_without_control_connection_keeps_what_it_forwards(void **state)
{
    (void)state;
    helpers_fail = true;
    PLAY_UNTIL(answered >= 8);
    assert_true(serves(0));
    test_client_disconnect(&routers[0]);
    PLAY_UNTIL(heard.carried);
    answered = 0;
    PLAY_UNTIL(answered >= 8);
    assert_true(serves(0));
    assert_false(heard.moved);
    /* the packets do not arrive any more */
    forwards[0] = false;
    PLAY_UNTIL(heard.moved);
    assert_true(serves(1));
    reconnect(&routers[0]);
    forwards[0] = true;
}

/* There is no evidence for it. */
static void one_that_is_lost_with_its_packets_does_not(void **state)
{
    (void)state;
    helpers_fail = true;
    PLAY_UNTIL(answered >= 8);
    assert_true(serves(0));
    forwards[0] = false;
    test_client_disconnect(&routers[0]);
    PLAY_UNTIL(heard.moved);
    assert_true(serves(1));
    assert_false(heard.carried);
    reconnect(&routers[0]);
}

/* The key is off. */
static void or_loses_it_at_once(void **state)
{
    (void)state;
    ((struct config *)(uintptr_t)test_daemon.config)->node.probe.control_lost = 0;
    PLAY_UNTIL(answered >= 8);
    test_client_disconnect(&routers[0]);
    PLAY_UNTIL(heard.moved);
    assert_true(serves(1));
    assert_false(heard.carried);
    reconnect(&routers[0]);
}

static void tag(const struct test_client *c, const char *name)
{
    struct core_admin a = {.op = ADMIN_NODE_TAGS, .id = test_client_id(c)};

    strs_push(&a.tags, name);
    assert_int_equal(test_daemon_admin(&a), 0);
    core_admin_release(&a);
}

/* The first router serves everybody else, of whom nobody is there. */
static void one_that_serves_only_a_via_group_is_probed_by_whom_it_leads(void **state)
{
    struct core_admin policy = {.op = ADMIN_POLICY_SET,
                                .text =
                                    "{\"tagOwners\":{\"tag:r\":[\"alice@\"],\"tag:led\":[\"alice@\"]},"
                                    "\"grants\":[{\"src\":[\"tag:led\"],\"dst\":[\"10.0.0.0/24\"],\"via\":[\"tag:r\"],"
                                    "\"ip\":[\"*\"]}]}"};

    (void)state;
    led = true;
    assert_int_equal(test_daemon_admin(&policy), 0);
    core_admin_release(&policy);
    tag(&routers[1], "tag:r");
    tag(&helpers[0], "tag:led");
    tag(&helpers[1], "tag:led");
    assert_true(serves(0));
    answered = 0;
    PLAY_UNTIL(answered > 2);
    forwards[1] = false;
    PLAY_UNTIL(heard.unreached);
    const struct tailnet_snapshot *s = tailnet_pin(test_daemon.tailnet);
    assert_true(prefixes_has(&node_of(s, &routers[1])->live.unreachable, &lan));
    assert_false(prefixes_has(&node_of(s, &routers[0])->live.unreachable, &lan));
    tailnet_unpin(s);
    assert_false(heard.reached);
    forwards[1] = true;
    PLAY_UNTIL(heard.reached);
    policy.text = "";
    assert_int_equal(test_daemon_admin(&policy), 0);
    core_admin_release(&policy);
}

/* ---- the nearest router ---- */

static void measure(struct test_client *c, bool router, bool east)
{
    char *body = test_client_request(c,
                                     ",\"OmitPeers\":true,\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"%s\"%s,"
                                     "\"NetInfo\":{\"DERPLatency\":{\"1-v4\":%s,\"2-v4\":%s}}}",
                                     c->name, router ? ",\"RoutableIPs\":[\"10.0.0.0/24\"]" : "",
                                     east ? "0.2" : "0.005", east ? "0.005" : "0.2");

    assert_int_equal(test_client_call(c, "POST", "/machine/map", body), 200);
}

static bool all_near_second(void)
{
    const struct tailnet_snapshot *s = tailnet_pin(test_daemon.tailnet);
    bool all = nearer(s, &helpers[0]) && nearer(s, &helpers[1]);

    tailnet_unpin(s);
    return all;
}

static void set_nearest(bool on)
{
    struct core_admin a = {.op = ADMIN_PREFIX_SET, .given = RULE_NEAREST};

    prefixes_add(&a.prefixes, &lan);
    a.rule.nearest = on ? PREFIX_NEAREST : PREFIX_ONE_FOR_ALL;
    assert_int_equal(test_daemon_admin(&a), 0);
    core_admin_release(&a);
}

/* Nobody goes through the primary, so that nobody can tell whether it forwards. */
static void the_nearest_router_is_probed_by_those_whom_it_serves(void **state)
{
    (void)state;
    near = true;
    set_nearest(true);
    for (size_t i = 0; i < 2; i++) {
        measure(&routers[i], true, i == 1);
        measure(&helpers[i], false, true);
    }
    assert_true(serves(0));
    assert_true(all_near_second());
    answered = 0;
    PLAY_UNTIL(answered > 2);
    assert_false(heard.unreached);
    forwards[1] = false;
    PLAY_UNTIL(heard.unreached);
    assert_non_null(strstr(heard.evidence, "r2"));
    assert_false(all_near_second()); /* they are served by the primary now */
    assert_true(serves(0));
    assert_false(heard.moved);
    forwards[1] = true;
    PLAY_UNTIL(heard.reached);
    set_nearest(false);
}

/* ---- what the configuration says ---- */

static unsigned long rounds_of_evidence(void)
{
    static const char words[] = "pinged it in ";
    const char *at = strstr(heard.evidence, words);

    assert_non_null(at);
    return strtoul(at + sizeof(words) - 1, NULL, 10);
}

static void reload_with(char *target)
{
    static char name[] = "10.0.0.0/24";
    static struct config_pair pair = {.name = name};
    struct config *c = (struct config *)(uintptr_t)test_daemon.config;

    pair.value = target;
    struct config_pairs none = {0}, one = {.items = &pair, .len = 1};
    c->node.probe.targets = target ? one : none; /* nobody else holds any: the core copies them */
    core_reload(test_daemon.core, test_daemon.config);
}

static void a_configured_target_is_probed_as_often_as_configured(void **state)
{
    struct config *c = (struct config *)(uintptr_t)test_daemon.config;

    (void)state;
    set_probe(NULL);
    answered = 0;
    c->node.probe.fall = 5;
    c->node.probe.rise = 10; /* more than one test of a standby has time for */
    static char target[] = "10.0.0.7";
    reload_with(target);
    PLAY_UNTIL(answered > 2);
    forwards[0] = false;
    helpers_fail = true;
    PLAY_UNTIL(heard.moved);
    assert_true(rounds_of_evidence() >= 5);
    assert_true(serves(1));
    forwards[0] = true;
    answered = 0;
    PLAY_UNTIL(heard.reached);
    assert_true(answered >= 10); /* one in each round, at least */
    reload_with(NULL);
}

static unsigned long long pings(void)
{
    static const char name[] = "\nheadway_route_pings_total ";
    struct buf b = BUF_INIT(0);

    health_metrics(health, &b);
    const char *at = strstr(buf_text(&b), name);
    assert_non_null(at);
    unsigned long long count = strtoull(at + sizeof(name) - 1, NULL, 10);
    buf_release(&b);
    return count;
}

static bool is_blamed(void)
{
    const struct tailnet_snapshot *s = tailnet_pin(test_daemon.tailnet);
    bool blamed = false;

    for (size_t i = 0; i < 2; i++)
        blamed = blamed || prefixes_has(&node_of(s, &routers[i])->live.unreachable, &lan);
    tailnet_unpin(s);
    return blamed;
}

/* node.routes.probe.enabled: what probes found is no longer held against anybody, and none is sent. */
static void one_key_ends_all_probes(void **state)
{
    struct config *c = (struct config *)(uintptr_t)test_daemon.config;

    (void)state;
    helpers_fail = true;
    PLAY_UNTIL(answered > 2);
    forwards[0] = forwards[1] = false;
    PLAY_UNTIL(heard.unreached);
    c->node.probe.enabled = false;
    health_reload(health, test_daemon.config);
    for (int64_t stop = clock_mono_ms() + DAEMON_WAIT_SECONDS * 1000; is_blamed() && clock_mono_ms() < stop;)
        sched_yield();
    assert_false(is_blamed()); /* though none forwards */
    unsigned long long sent = pings();
    heard.unreached = false;
    set_probe("10.0.0.8"); /* changes that would be a reason */
    set_probe("10.0.0.7");
    assert_int_equal(pings(), sent);
    forwards[0] = true;
    answered = 0;
    c->node.probe.enabled = true;
    health_reload(health, test_daemon.config);
    PLAY_UNTIL(answered > 2);
    assert_true(pings() > sent);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_that_serves_only_a_via_group_is_probed_by_whom_it_leads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_nearest_router_is_probed_by_those_whom_it_serves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_configured_target_is_probed_as_often_as_configured, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_key_ends_all_probes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_prefix_moves_to_a_router_that_forwards_and_only_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_router_without_control_connection_keeps_what_it_forwards, set_up_patient,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_lost_with_its_packets_does_not, set_up_patient, tear_down),
        cmocka_unit_test_setup_teardown(or_loses_it_at_once, set_up_patient, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
