/* SPDX-License-Identifier: BSD-3-Clause */
/* Exit nodes in messages: what makes a client with an automatic exit node (auto:any) choose again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/client/netmap_receiver.h"
#include <cmocka.h>

static const char LAN[] = "192.168.50.0/24";

static void offer_exit(struct node *n, struct node_live *live)
{
    (void)live;
    for (size_t i = 0; i < 2; i++) {
        struct prefix p = test_tailnet_prefix(i ? "::/0" : "0.0.0.0/0");
        prefixes_add(&n->available, &p);
        prefixes_add(&n->approved, &p);
    }
}

static void withdraw(struct node *n, struct node_live *live)
{
    (void)live;
    prefixes_release(&n->approved);
}

static void sicken(struct node *n, struct node_live *live)
{
    (void)n;
    live->healthy = false;
}

static void drain(struct node *n, struct node_live *live)
{
    (void)live;
    n->draining = true;
}

static void prefer(struct node *n, struct node_live *live)
{
    (void)live;
    n->priority = 200;
}

static void prefer_no_more(struct node *n, struct node_live *live)
{
    (void)live;
    n->priority = NODE_PRIORITY_DEFAULT;
}

static void come_back(struct node *n, struct node_live *live)
{
    (void)n;
    live->online = live->healthy = true;
}

static void note(struct node *n, struct node_live *live)
{
    (void)live;
    mem_replace(&n->hostinfo, "{\"OS\":\"other\"}");
}

/* A viewer in slot 0; exit nodes in slots 1 and 2, told to the viewer. */
static struct netmap_session *viewer_of_two(struct netmap_receiver *f)
{
    test_tailnet_fill(&f->w, 4);
    put_again(f, 1, offer_exit, NULL, CHANGE_WHOLE);
    put_again(f, 2, offer_exit, NULL, CHANGE_WHOLE);
    test_tailnet_publish(&f->w);
    struct netmap_session *s = client(f, 0);
    next_message(f, s);
    return s;
}

static const json_t *change(struct netmap_receiver *f, struct netmap_session *s, uint32_t slot,
                            void (*how)(struct node *n, struct node_live *live), uint32_t mask)
{
    put_again(f, slot, how, NULL, mask);
    test_tailnet_publish(&f->w);
    return next_message(f, s);
}

/* Trap 1: an exit node that is also a subnet router loses its route with its presence, so it comes whole. */
static void a_dead_exit_node_that_is_a_router_comes_with_a_patch(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 3);
    put_again(f, 1, advertise, (const char *const[]){LAN, NULL}, CHANGE_WHOLE);
    test_tailnet_publish(&f->w);
    struct netmap_session *s = client(f, 0);
    next_message(f, s);

    const json_t *m = change(f, s, 1, go_offline, CHANGE_ONLINE | CHANGE_WHOLE | CHANGE_SELF);
    expect(at(peer(m, "PeersChanged", 0), "ID"), "2");
    expect(at(peer(m, "PeersChanged", 0), "Online"), "false");
    expect(at(peer(m, "PeersChangedPatch", 0), "NodeID"), "2");
    expect(at(peer(m, "PeersChangedPatch", 0), "Online"), "false");
    expect(at(at(m, "Node"), "ID"), "1");
    netmap_session_free(s);
}

/* Trap 2: the viewer's own node goes with whatever changes its choice, and with nothing else. */
static void the_viewers_own_node_comes_with_another_choice(void **state)
{
    struct netmap_receiver *f = *state;
    struct netmap_session *s = viewer_of_two(f);
    static const struct {
        const char *what;
        uint32_t slot;
        void (*how)(struct node *n, struct node_live *live);
        uint32_t mask;
        bool own;
    } steps[] = {
        {"an exit node dies", 1, go_offline, CHANGE_ONLINE, true},
        {"it is still dead", 1, go_offline, CHANGE_ONLINE, false},
        {"a third one is approved", 3, offer_exit, CHANGE_WHOLE, true},
        {"the dead one comes back", 1, come_back, CHANGE_ONLINE, true},
        {"something else of it changes", 1, note, CHANGE_WHOLE, false},
        {"it has another priority", 1, prefer, CHANGE_WHOLE, true},
        {"its endpoints change", 1, move, CHANGE_ENDPOINTS, false},
        {"it does not answer", 1, sicken, CHANGE_WHOLE, true},
        {"it dies then", 1, go_offline, CHANGE_ONLINE, false},
        {"it comes back", 1, come_back, CHANGE_ONLINE | CHANGE_WHOLE, true},
        {"it is drained", 1, drain, CHANGE_WHOLE, true},
        {"the approval of the third is revoked", 3, withdraw, CHANGE_WHOLE, true},
    };

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        const json_t *m = change(f, s, steps[i].slot, steps[i].how, steps[i].mask);
        if (!m || !at(m, "Node") == steps[i].own)
            fail_msg("%s: %s", steps[i].what, m ? "the own node" : "no message");
    }
    test_tailnet_remove(&f->w, 2);
    test_tailnet_publish(&f->w);
    const json_t *m = next_message(f, s);
    expect(at(m, "PeersRemoved"), "[3]");
    assert_non_null(at(m, "Node"));
    netmap_session_free(s);
}

static void a_drained_exit_node_is_not_suggested(void **state)
{
    struct netmap_receiver *f = *state;
    struct netmap_session *s = viewer_of_two(f);

    const json_t *m = change(f, s, 1, drain, CHANGE_WHOLE);
    assert_null(at(peer(m, "PeersChanged", 0), "CapMap"));
    assert_int_equal(json_array_size(at(peer(m, "PeersChanged", 0), "AllowedIPs")), 4); /* who uses it may go on */
    netmap_session_free(s);
}

/* The administrator's word, whatever the node's client says. */
static void exit_nodes_carry_their_priority(void **state)
{
    struct netmap_receiver *f = *state;
    struct netmap_session *s = viewer_of_two(f);
    const json_t *m = change(f, s, 1, prefer, CHANGE_WHOLE);

    expect(at(at(peer(m, "PeersChanged", 0), "Hostinfo"), "Location"), "{\"Priority\":200}");
    m = change(f, s, 3, prefer, CHANGE_WHOLE);
    assert_null(at(at(peer(m, "PeersChanged", 0), "Hostinfo"), "Location")); /* it is no exit node */
    netmap_session_free(s);
}

static bool is_steered(const json_t *m)
{
    return json_object_get(at(at(m, "Node"), "CapMap"), "traffic-steering") != NULL;
}

/* While any exit node has a priority of its own, all clients are to choose by it. */
static void who_is_told_of_no_priority_does_not_choose_by_it(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 4);
    put_again(f, 1, offer_exit, NULL, CHANGE_WHOLE);
    put_again(f, 3, prefer, NULL, CHANGE_WHOLE); /* no exit node */
    test_tailnet_publish(&f->w);
    struct netmap_session *exit = client(f, 1), *other = client(f, 0);
    assert_false(is_steered(next_message(f, exit)));
    assert_false(is_steered(next_message(f, other)));

    put_again(f, 1, prefer, NULL, CHANGE_WHOLE);
    test_tailnet_note(&f->w, CHANGE_STEERING);
    test_tailnet_publish(&f->w);
    assert_true(is_steered(next_message(f, other)));
    assert_true(is_steered(next_message(f, exit))); /* which sees no exit node, and whose choice has not changed */
    put_again(f, 1, prefer_no_more, NULL, CHANGE_WHOLE);
    test_tailnet_note(&f->w, CHANGE_STEERING);
    test_tailnet_publish(&f->w);
    const json_t *m = next_message(f, exit);
    assert_non_null(at(m, "Node"));
    assert_false(is_steered(m));
    netmap_session_free(exit);
    netmap_session_free(other);
}

/* Who fell behind compares, and hears of it in the same way. */
static void a_slow_viewer_gets_its_own_node_too(void **state)
{
    struct netmap_receiver *f = *state;
    struct netmap_session *s = viewer_of_two(f);

    put_again(f, 1, go_offline, NULL, CHANGE_ONLINE);
    test_tailnet_publish(&f->w);
    for (size_t i = 0; i < 70; i++) {
        for (size_t k = 0; k < TAILNET_LOG / 64; k++)
            put_again(f, 3, note, NULL, CHANGE_ENDPOINTS);
        test_tailnet_publish(&f->w);
    }
    assert_non_null(at(next_message(f, s), "Node"));
    netmap_session_free(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, netmap_receiver_start, netmap_receiver_stop)
    const struct CMUnitTest tests[] = {
        TEST(a_dead_exit_node_that_is_a_router_comes_with_a_patch),
        TEST(the_viewers_own_node_comes_with_another_choice),
        TEST(a_drained_exit_node_is_not_suggested),
        TEST(exit_nodes_carry_their_priority),
        TEST(who_is_told_of_no_priority_does_not_choose_by_it),
        TEST(a_slow_viewer_gets_its_own_node_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
