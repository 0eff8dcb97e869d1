/* SPDX-License-Identifier: BSD-3-Clause */
/* The nearest router of each viewer: what is measured, what moves a viewer and how often, and what the viewer is
 * sent. */
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
#include "routes/routes.h"
#include "shared/client/netmap_receiver.h"
#include "shared/core_rig.h"
#include "tailnet/past.h"
#include "tailnet/publish.h"

/* ---- distances ---- */

static void latencies_are_read_by_region(void **state)
{
    static const struct {
        const char *said;
        size_t regions;
        uint32_t first_us;
    } cases[] = {
        {"{\"DERPLatency\":{\"2-v4\":0.05,\"1-v4\":0.012,\"1-v6\":0.010}}", 2, 10000}, /* the better family */
        {"{\"DERPLatency\":{\"10-v6\":0.5}}", 1, 500000},
        {"{\"DERPLatency\":{\"1\":0.1,\"x-v4\":0.1,\"0-v4\":0.1,\"-1-v4\":0.1,\"01-v4\":0.1,\"1-v5\":0.1}}", 0, 0},
        {"{\"DERPLatency\":{\"1-v4\":-1,\"2-v4\":\"3\",\"3-v4\":1e300,\"99999999999-v4\":0.1}}", 0, 0},
        {"{\"DERPLatency\":[1]}", 0, 0},
        {"{}", 0, 0},
        {"", 0, 0},
        {"{", 0, 0},
    };
    struct relay_latencies l = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        relay_latencies_read(cases[i].said, &l);
        if (l.len != cases[i].regions || (l.len && l.items[0].us != cases[i].first_us))
            fail_msg("%s: %zu regions", cases[i].said, l.len);
    }
    relay_latencies_release(&l);
}

static uint32_t distance(const char *a, const char *b)
{
    struct relay_latencies x = {0}, y = {0};

    relay_latencies_read(a, &x);
    relay_latencies_read(b, &y);
    uint32_t us = relay_distance(&x, &y);
    relay_latencies_release(&x);
    relay_latencies_release(&y);
    return us;
}

static void the_region_that_suits_both_counts(void **state)
{
    (void)state;
    assert_int_equal(distance("{\"DERPLatency\":{\"1-v4\":0.010,\"2-v4\":0.080,\"4-v4\":0.001}}",
                              "{\"DERPLatency\":{\"1-v4\":0.090,\"2-v4\":0.005,\"3-v4\":0.001}}"),
                     85000);
    assert_int_equal(distance("{\"DERPLatency\":{\"1-v4\":0.010}}", "{\"DERPLatency\":{\"2-v4\":0.010}}"),
                     DISTANCE_FAR);
    assert_int_equal(distance("{\"DERPLatency\":{\"1-v4\":0.010}}", ""), DISTANCE_UNKNOWN);
}

/* Client-features 1.5: better by a fifth and by 10 ms, at most once in ten minutes, at once where the router is lost.
 */
static void a_viewer_moves_seldom_and_for_a_reason(void **state)
{
    static const struct {
        uint32_t distances[3];
        int64_t moved_ms, now_ms;
        size_t to;
        int64_t due_ms;
    } cases[] = {
        {{50000, 10000, 60000}, INT64_MIN, 0, 1, INT64_MAX},
        {{50000, 41000, 60000}, INT64_MIN, 0, 0, INT64_MAX},            /* less than 10 ms */
        {{100000, 85000, 90000}, INT64_MIN, 0, 0, INT64_MAX},           /* less than a fifth */
        {{50000, 40000, 60000}, INT64_MIN, 0, 1, INT64_MAX},            /* just enough */
        {{50000, 10000, 60000}, 1000, 600999, 0, 601000},               /* too early */
        {{50000, 10000, 60000}, 1000, 601000, 1, INT64_MAX},            /* ten minutes later */
        {{DISTANCE_FAR, 400000, 300000}, INT64_MIN, 0, 2, INT64_MAX},   /* no region in common with the present one */
        {{DISTANCE_UNKNOWN, 10000, 20000}, INT64_MIN, 0, 0, INT64_MAX}, /* nothing known of the present one */
        {{DISTANCE_FAR, DISTANCE_UNKNOWN, DISTANCE_FAR}, INT64_MIN, 0, 0, INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t due_ms = INT64_MAX;
        size_t to = nearest_choose(cases[i].distances, 3, 0, cases[i].moved_ms, cases[i].now_ms, &due_ms);
        if (to != cases[i].to || due_ms != cases[i].due_ms)
            fail_msg("case %zu: to %zu, due %lld", i, to, (long long)due_ms);
    }
}

/* ---- in the core ---- */

#define LAN "10.1.0.0/16"

static struct core_rig r;
static char *key;
static struct join routers[2], viewers[2];
static uint64_t router_ids[2], viewer_ids[2], sessions[2];

static const char NEAR_1[] = "{\"DERPLatency\":{\"1-v4\":0.005,\"2-v4\":0.200}}";
static const char NEAR_2[] = "{\"DERPLatency\":{\"1-v4\":0.200,\"2-v4\":0.005}}";

static void measure(const struct join *j, const char *net_info)
{
    struct core_map map = {.info = {.hostname = j->name, .net_info = net_info, .cap_version = 130}};

    memset(map.machine_key, j->machine, KEY_LEN);
    memset(map.node_key, j->node, KEY_LEN);
    if (j->route) {
        struct prefix p = sample_prefix(j->route);
        prefixes_add(&map.info.routes, &p);
    }
    if (core_rig_map(r.core, &map) < 0)
        fail_msg("%s", map.call.err.message);
    prefixes_release(&map.info.routes);
}

/* Two routers of a prefix in two regions, the first serves; a viewer in each region. */
static int begin(void **state)
{
    (void)state;
    uint64_t alice = core_rig_begin(&r, "");
    key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
    for (uint8_t i = 0; i < 2; i++) {
        routers[i] = (struct join){
            .key = key, .name = i ? "r2" : "r1", .machine = (uint8_t)(i + 1), .node = (uint8_t)(i + 1), .route = LAN};
        router_ids[i] = core_rig_node(&r, &routers[i]);
        sessions[i] = core_rig_online(&r, &routers[i]);
        core_rig_approve(&r, router_ids[i], LAN, false);
        viewers[i] =
            (struct join){.key = key, .name = i ? "v2" : "v1", .machine = (uint8_t)(i + 11), .node = (uint8_t)(i + 11)};
        viewer_ids[i] = core_rig_node(&r, &viewers[i]);
        core_rig_online(&r, &viewers[i]);
        measure(&routers[i], i ? NEAR_2 : NEAR_1);
        measure(&viewers[i], i ? NEAR_2 : NEAR_1);
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    free(key);
    key = NULL;
    return 0;
}

static void set_nearest(bool nearest)
{
    struct core_admin a = {.op = ADMIN_PREFIX_SET,
                           .given = RULE_NEAREST,
                           .rule = {.nearest = nearest ? PREFIX_NEAREST : PREFIX_ONE_FOR_ALL}};
    struct prefix p = sample_prefix(LAN);

    prefixes_add(&a.prefixes, &p);
    core_rig_admin_ok(&r, a);
}

/* The id of the router that serves the viewer, as the newest snapshot says. */
static uint64_t router_of(const struct tailnet_snapshot *s, uint64_t viewer)
{
    struct prefix p = sample_prefix(LAN);
    const struct nearest_prefix *n = tailnet_nearest_find(s->nearest, &p);
    const struct tailnet_node *router =
        n ? snapshot_node(s, nearest_router(n, snapshot_node_by_id(s, viewer)->slot)) : NULL;

    return router ? router->record->r.id : 0;
}

static void assert_routers(uint64_t of_first, uint64_t of_second)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    uint64_t first = router_of(s, viewer_ids[0]), second = router_of(s, viewer_ids[1]);

    tailnet_unpin(s);
    assert_int_equal(first, of_first);
    assert_int_equal(second, of_second);
}

static void each_viewer_has_the_nearest(void **state)
{
    (void)state;
    assert_routers(0, 0); /* nobody asked for it */
    set_nearest(true);
    assert_routers(router_ids[0], router_ids[1]);
    set_nearest(false);
    assert_routers(0, 0);
}

static void jitter_moves_nobody(void **state)
{
    static const char *const jitter[] = {"{\"DERPLatency\":{\"1-v4\":0.110,\"2-v4\":0.105}}",
                                         "{\"DERPLatency\":{\"1-v4\":0.103,\"2-v4\":0.109}}"};

    (void)state;
    set_nearest(true);
    for (size_t i = 0; i < 6; i++) {
        measure(&viewers[1], jitter[i % 2]);
        assert_routers(router_ids[0], router_ids[1]);
    }
    /* It moved once (from the primary); a good reason to move again comes within the ten minutes. */
    measure(&viewers[1], NEAR_1);
    assert_routers(router_ids[0], router_ids[1]);
}

static bool all_by_the_first(const struct tailnet_snapshot *s, void *arg)
{
    (void)arg;
    return router_of(s, viewer_ids[1]) != router_ids[1];
}

static void a_lost_router_is_left_at_once(void **state)
{
    (void)state;
    set_nearest(true);
    core_session_end(r.core, sessions[1], SESSION_SILENT);
    core_rig_until(&r, all_by_the_first, NULL);
    sessions[1] = core_rig_online(&r, &routers[1]);
    assert_routers(router_ids[0], router_ids[0]); /* and not taken again at once */
}

/* A probe target behind the prefix does not answer through it. */
static void find_unreachable(uint64_t router)
{
    struct core_admin a = {.op = ADMIN_PREFIX_SET, .given = RULE_PROBE};
    struct core_reach reach = {.router = router, .prefix = sample_prefix(LAN), .evidence = "two helpers tried"};

    assert_int_equal(addr_parse("10.1.0.7", &reach.target, NULL), 0);
    a.rule.probe = reach.target;
    prefixes_add(&a.prefixes, &reach.prefix);
    core_rig_admin_ok(&r, a);
    core_reach(r.core, &reach);
}

static void a_router_that_does_not_forward_is_left_at_once(void **state)
{
    (void)state;
    set_nearest(true);
    assert_routers(router_ids[0], router_ids[1]);
    find_unreachable(router_ids[1]);
    core_rig_until(&r, all_by_the_first, NULL);
}

static void a_deleted_viewer_is_served_by_nobody(void **state)
{
    const struct tailnet_snapshot *s;

    (void)state;
    set_nearest(true);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DELETE, .id = viewer_ids[1]});
    s = tailnet_pin(r.tailnet);
    bool serves = nearest_serves(&s->nearest->items[0], snapshot_node_by_id(s, router_ids[1])->slot);
    tailnet_unpin(s);
    assert_false(serves);
}

static void one_region_tells_nothing(void **state)
{
    static const char one[] = "{\"DERPLatency\":{\"1-v4\":0.2}}", near[] = "{\"DERPLatency\":{\"1-v4\":0.001}}";

    (void)state;
    measure(&routers[0], one);
    measure(&routers[1], near);
    measure(&viewers[0], near);
    measure(&viewers[1], near);
    set_nearest(true);
    assert_routers(router_ids[0], router_ids[0]);
}

static void a_router_of_the_prefix_needs_no_other(void **state)
{
    const struct tailnet_snapshot *s;

    (void)state;
    measure(&routers[1], NEAR_2);
    set_nearest(true);
    s = tailnet_pin(r.tailnet);
    assert_int_equal(router_of(s, router_ids[1]), router_ids[0]); /* the primary, as for all */
    tailnet_unpin(s);
}

/* ---- what is kept of it ---- */

/* As assert_routers, at a moment of the past. */
static void assert_routers_at(int64_t at_ns, uint64_t of_first, uint64_t of_second)
{
    struct tailnet_settings *settings = settings_new();
    struct tailnet_snapshot *s;
    struct store_past past;
    struct err e;

    measure(&viewers[0], NEAR_1); /* once that is answered, what was published before is on its way to the disk */
    if (store_past(r.store.store, at_ns, &past, &e) < 0 ||
        past_snapshot(past.items, past.count, past.policy, settings, at_ns, &s, &e) < 0) {
        fail_msg("%s", e.message);
        return;
    }
    uint64_t first = router_of(s, viewer_ids[0]), second = router_of(s, viewer_ids[1]);
    tailnet_unpin(s);
    settings_unref(settings);
    store_past_release(&past);
    assert_int_equal(first, of_first);
    assert_int_equal(second, of_second);
}

static int64_t published_ns(void)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    int64_t at_ns = s->wall_ns;

    tailnet_unpin(s);
    return at_ns;
}

static const char BETWEEN[] = "{\"DERPLatency\":{\"1-v4\":0.110,\"2-v4\":0.105}}";

static void the_router_of_each_viewer_is_known_of_each_moment(void **state)
{
    int64_t before, all, gone, ended;

    (void)state;
    before = published_ns();
    set_nearest(true);
    all = published_ns();
    core_session_end(r.core, sessions[1], SESSION_SILENT);
    core_rig_until(&r, all_by_the_first, NULL);
    gone = published_ns();
    set_nearest(false);
    ended = published_ns();
    assert_routers_at(before, 0, 0);
    assert_routers_at(all, router_ids[0], router_ids[1]);
    assert_routers_at(gone, router_ids[0], router_ids[0]);
    assert_routers_at(ended, 0, 0);
}

/* More viewers than are kept one by one. */
static void many_viewers_are_kept_together(void **state)
{
    struct join many[80];
    char names[80][8];
    uint64_t last = 0;

    (void)state;
    for (uint8_t i = 0; i < 80; i++) {
        snprintf(names[i], sizeof(names[i]), "m%d", i);
        many[i] = (struct join){.key = key, .name = names[i], .machine = (uint8_t)(i + 50), .node = (uint8_t)(i + 50)};
        last = core_rig_node(&r, &many[i]);
        core_rig_online(&r, &many[i]);
    }
    set_nearest(true);
    for (size_t i = 0; i < 80; i++)
        measure(&many[i], NEAR_2);
    int64_t at_ns = published_ns();
    uint64_t second = viewer_ids[1];
    viewer_ids[1] = last;
    assert_routers(router_ids[0], router_ids[1]);
    assert_routers_at(at_ns, router_ids[0], router_ids[1]);
    measure(&viewers[1], BETWEEN);
    viewer_ids[1] = second;
    assert_routers_at(published_ns(), router_ids[0], router_ids[1]);
}

static bool is_by_the_first(const struct tailnet_snapshot *s, void *arg)
{
    (void)arg;
    return router_of(s, viewer_ids[1]) == router_ids[0];
}

/* What was measured before would lead the viewer to the primary by now, were it chosen anew. */
static void a_restart_moves_no_viewer(void **state)
{
    (void)state;
    set_nearest(true);
    measure(&viewers[1], BETWEEN);
    assert_routers(router_ids[0], router_ids[1]);
    for (int i = 0; i < 2; i++) {
        core_rig_stop(&r);
        core_rig_start(&r);
        assert_routers(router_ids[0], router_ids[1]); /* although no router is back yet */
    }
    sessions[0] = core_rig_online(&r, &routers[0]);
    core_rig_online(&r, &viewers[1]);
    assert_routers(router_ids[0], router_ids[1]);
    sessions[1] = core_rig_online(&r, &routers[1]);
    assert_routers(router_ids[0], router_ids[1]);
    core_session_end(r.core, sessions[1], SESSION_SILENT);
    core_rig_until(&r, is_by_the_first, NULL);
}

/* Its viewers are not left to it beyond the settle time. */
static void a_router_that_does_not_come_back_is_left(void **state)
{
    (void)state;
    set_nearest(true);
    core_rig_stop(&r);
    r.config->node.ha.settle_time = 50 * NS_PER_MS;
    core_rig_start(&r);
    sessions[0] = core_rig_online(&r, &routers[0]);
    core_rig_until(&r, is_by_the_first, NULL);
}

/* ---- what viewers are told ---- */

static void serve(struct netmap_receiver *f, uint32_t slot, const char *const *serving)
{
    put_again(f, slot, advertise, serving, CHANGE_WHOLE);
}

static void publish_nearest(struct netmap_receiver *f, uint32_t of_viewer)
{
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
    struct tailnet_nearest *n = of_viewer == TAILNET_SLOT_NONE ? NULL : tailnet_nearest_new(1);

    if (n) {
        uint32_t *routers_by_slot = mem_alloc(4 * sizeof(uint32_t));
        for (size_t i = 0; i < 4; i++)
            routers_by_slot[i] = TAILNET_SLOT_NONE;
        routers_by_slot[0] = of_viewer;
        n->items[0] = (struct nearest_prefix){
            .prefix = test_tailnet_prefix("192.168.50.0/24"), .primary = 1, .routers = routers_by_slot, .viewers = 4};
    }
    f->w.next = snapshot_edit(now);
    tailnet_unpin(now);
    snapshot_set_nearest(f->w.next, n);
    test_tailnet_note(&f->w, CHANGE_NEAREST);
    test_tailnet_publish(&f->w);
}

static const json_t *peer_of(const json_t *m, const char *list, json_int_t id)
{
    const json_t *p = NULL;

    for (size_t i = 0; (p = peer(m, list, i)); i++)
        if (json_integer_value(at(p, "ID")) == id)
            break;
    return p;
}

static void a_viewer_is_shown_the_prefix_at_its_router(void **state)
{
    struct netmap_receiver *f = *state;
    static const char *const lan[] = {"192.168.50.0/24", NULL};

    test_tailnet_fill(&f->w, 4);
    serve(f, 1, lan);
    serve(f, 2, NULL);
    test_tailnet_publish(&f->w);
    struct netmap_session *viewer = client(f, 0), *other = client(f, 3);
    next_message(f, viewer);
    next_message(f, other);

    publish_nearest(f, 2);
    const json_t *m = next_message(f, viewer);
    assert_null(at(peer_of(m, "PeersChanged", 2), "PrimaryRoutes"));
    expect(at(peer_of(m, "PeersChanged", 3), "PrimaryRoutes"), "[\"192.168.50.0/24\"]");
    assert_null(at(m, "Node"));
    m = next_message(f, other); /* it is served by the primary, and told so once more at most */
    assert_null(peer_of(m, "PeersChanged", 3));

    struct netmap_session *late = client(f, 0), *also = client(f, 3);
    m = next_message(f, late);
    assert_null(at(peer_of(m, "Peers", 2), "PrimaryRoutes"));
    expect(at(peer_of(m, "Peers", 3), "PrimaryRoutes"), "[\"192.168.50.0/24\"]");
    m = next_message(f, also);
    expect(at(peer_of(m, "Peers", 2), "PrimaryRoutes"), "[\"192.168.50.0/24\"]");
    assert_null(at(peer_of(m, "Peers", 3), "PrimaryRoutes"));

    publish_nearest(f, TAILNET_SLOT_NONE);
    m = next_message(f, viewer);
    expect(at(peer_of(m, "PeersChanged", 2), "PrimaryRoutes"), "[\"192.168.50.0/24\"]");
    assert_null(at(peer_of(m, "PeersChanged", 3), "PrimaryRoutes"));
    netmap_session_free(viewer);
    netmap_session_free(other);
    netmap_session_free(late);
    netmap_session_free(also);
}

/* BIRD hooks of clients look at what their own node is the primary of. */
static void the_nearest_router_is_told_that_it_serves(void **state)
{
    struct netmap_receiver *f = *state;
    static const char *const lan[] = {"192.168.50.0/24", NULL};

    test_tailnet_fill(&f->w, 4);
    serve(f, 1, lan);
    serve(f, 2, NULL);
    test_tailnet_publish(&f->w);
    struct netmap_session *primary = client(f, 1), *router = client(f, 2);
    const json_t *m = next_message(f, primary);
    expect(at(at(m, "Node"), "PrimaryRoutes"), "[\"192.168.50.0/24\"]");
    m = next_message(f, router);
    assert_null(at(at(m, "Node"), "PrimaryRoutes"));

    publish_nearest(f, 2);
    m = next_message(f, router);
    expect(at(at(m, "Node"), "PrimaryRoutes"), "[\"192.168.50.0/24\"]");
    struct netmap_session *late = client(f, 2);
    m = next_message(f, late);
    expect(at(at(m, "Node"), "PrimaryRoutes"), "[\"192.168.50.0/24\"]");
    publish_nearest(f, 1);
    m = next_message(f, router);
    assert_non_null(at(m, "Node"));
    assert_null(at(at(m, "Node"), "PrimaryRoutes"));
    m = next_message(f, primary);
    assert_null(at(m, "Node"));
    netmap_session_free(primary);
    netmap_session_free(router);
    netmap_session_free(late);
}

int main(void)
{
#define CORE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latencies_are_read_by_region),
        cmocka_unit_test(the_region_that_suits_both_counts),
        cmocka_unit_test(a_viewer_moves_seldom_and_for_a_reason),
        CORE(each_viewer_has_the_nearest),
        CORE(jitter_moves_nobody),
        CORE(a_lost_router_is_left_at_once),
        CORE(a_router_that_does_not_forward_is_left_at_once),
        CORE(a_deleted_viewer_is_served_by_nobody),
        CORE(one_region_tells_nothing),
        CORE(a_router_of_the_prefix_needs_no_other),
        CORE(the_router_of_each_viewer_is_known_of_each_moment),
        CORE(many_viewers_are_kept_together),
        CORE(a_restart_moves_no_viewer),
        CORE(a_router_that_does_not_come_back_is_left),
        cmocka_unit_test_setup_teardown(a_viewer_is_shown_the_prefix_at_its_router, netmap_receiver_start,
                                        netmap_receiver_stop),
        cmocka_unit_test_setup_teardown(the_nearest_router_is_told_that_it_serves, netmap_receiver_start,
                                        netmap_receiver_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
