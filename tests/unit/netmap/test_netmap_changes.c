/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients are sent when something changes: the minimum, once, and in an order that never misleads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <stdio.h>

#include "base/array.h"
#include "shared/client/held_map.h"
#include "shared/client/netmap_receiver.h"
#include <cmocka.h>

static void volatile_changes_are_patches(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 3);
    struct netmap_session *s = client(f, 0);
    next_message(f, s);

    put_again(f, 1, go_offline, NULL, CHANGE_ONLINE);
    test_tailnet_publish(&f->w);
    expect(next_message(f, s),
           "{\"PeersChangedPatch\":[{\"NodeID\":2,\"LastSeen\":\"2026-01-01T00:00:00Z\",\"Online\":false}]}");
    put_again(f, 2, move, NULL, CHANGE_ENDPOINTS);
    test_tailnet_publish(&f->w);
    expect(next_message(f, s),
           "{\"PeersChangedPatch\":[{\"NodeID\":3,\"DERPRegion\":901,\"Endpoints\":[\"172.20.0.3:5000\"]}]}");
    netmap_session_free(s);
}

static void changes_of_one_node_become_one_entry(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 3);
    struct netmap_session *s = client(f, 0);
    next_message(f, s);

    put_again(f, 1, move, NULL, CHANGE_ENDPOINTS);
    test_tailnet_publish(&f->w);
    put_again(f, 1, go_offline, NULL, CHANGE_ONLINE);
    put_again(f, 2, move, NULL, CHANGE_ENDPOINTS);
    test_tailnet_publish(&f->w);
    put_again(f, 2, rename_it, NULL, CHANGE_WHOLE);
    test_tailnet_publish(&f->w);
    const json_t *m = next_message(f, s);
    assert_int_equal(json_array_size(at(m, "PeersChanged")), 1);
    expect(at(peer(m, "PeersChanged", 0), "Name"), "\"renamed.tn.example.com.\"");
    expect(at(peer(m, "PeersChanged", 0), "HomeDERP"), "901");
    expect(at(m, "PeersChangedPatch"), "[{\"NodeID\":2,\"DERPRegion\":901,\"Endpoints\":[\"172.20.0.2:5000\"],"
                                       "\"LastSeen\":\"2026-01-01T00:00:00Z\",\"Online\":false}]");
    netmap_session_free(s);
}

static void new_keys_never_share_an_entry_with_offline(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    struct netmap_session *s = client(f, 0);
    next_message(f, s);

    put_again(f, 1, rotate, NULL, CHANGE_KEYS);
    put_again(f, 1, go_offline, NULL, CHANGE_ONLINE);
    test_tailnet_publish(&f->w);
    const json_t *list = at(next_message(f, s), "PeersChangedPatch");
    assert_int_equal(json_array_size(list), 2);
    assert_null(at(json_array_get(list, 0), "Online"));
    expect(at(json_array_get(list, 0), "KeyExpiry"), "\"0001-01-01T00:00:00Z\"");
    assert_non_null(at(json_array_get(list, 0), "DiscoKey"));
    expect(json_array_get(list, 1), "{\"NodeID\":2,\"LastSeen\":\"2026-01-01T00:00:00Z\",\"Online\":false}");
    netmap_session_free(s);
}

static void joining_and_leaving_are_told_with_the_owners_profile(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    struct netmap_session *s = client(f, 0);
    next_message(f, s);

    struct node_live live = test_tailnet_live(3);
    test_tailnet_user(&f->w, 2, "bob");
    test_tailnet_put(&f->w, 2, test_tailnet_node(3, "charlie", 2), &live, NULL, CHANGE_ADDED);
    node_live_release(&live);
    test_tailnet_publish(&f->w);
    const json_t *m = next_message(f, s);
    expect(at(peer(m, "PeersChanged", 0), "ID"), "3");
    expect(at(m, "UserProfiles"), "[{\"ID\":2,\"LoginName\":\"bob\",\"DisplayName\":\"bob\"}]");
    assert_null(at(m, "Peers"));

    put_again(f, 2, move, NULL, CHANGE_ENDPOINTS);
    test_tailnet_remove(&f->w, 2);
    test_tailnet_publish(&f->w);
    expect(next_message(f, s), "{\"PeersRemoved\":[3]}");
    netmap_session_free(s);
}

static void a_slot_with_a_new_owner_is_a_removal_and_an_addition(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    struct netmap_session *s = client(f, 0);
    next_message(f, s);

    test_tailnet_remove(&f->w, 1);
    struct node_live live = test_tailnet_live(9);
    test_tailnet_put(&f->w, 1, test_tailnet_node(9, "nine", 1), &live, NULL, CHANGE_ADDED);
    node_live_release(&live);
    test_tailnet_publish(&f->w);
    const json_t *m = next_message(f, s);
    expect(at(m, "PeersRemoved"), "[2]");
    assert_int_equal(json_array_size(at(m, "PeersChanged")), 1);
    expect(at(peer(m, "PeersChanged", 0), "ID"), "9");
    netmap_session_free(s);
}

static void who_never_heard_of_a_node_does_not_hear_of_its_end(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    struct netmap_session *s = client(f, 0);
    next_message(f, s);

    struct node_live live = test_tailnet_live(3);
    test_tailnet_put(&f->w, 2, test_tailnet_node(3, "short", 1), &live, NULL, CHANGE_ADDED);
    node_live_release(&live);
    test_tailnet_publish(&f->w);
    test_tailnet_remove(&f->w, 2);
    test_tailnet_publish(&f->w);
    assert_null(next_message(f, s));
    netmap_session_free(s);
}

static void an_approved_route_reaches_peers_and_the_router(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 3);
    struct netmap_session *viewer = client(f, 0), *other = client(f, 2), *router = client(f, 1);
    next_message(f, viewer);
    next_message(f, other);
    next_message(f, router);

    put_again(f, 1, advertise, (const char *const[]){"192.168.50.0/24", NULL}, CHANGE_WHOLE | CHANGE_SELF);
    test_tailnet_publish(&f->w);
    const json_t *m = next_message(f, viewer);
    assert_null(at(m, "UserProfiles"));
    assert_null(at(m, "PacketFilters"));
    expect(at(peer(m, "PeersChanged", 0), "AllowedIPs"),
           "[\"0.0.0.0/0\",\"100.64.0.2/32\",\"192.168.50.0/24\",\"::/0\",\"fd7a:115c:a1e0::2/128\"]");
    expect(at(peer(m, "PeersChanged", 0), "PrimaryRoutes"), "[\"192.168.50.0/24\"]");
    expect(at(peer(m, "PeersChanged", 0), "CapMap"), "{\"suggest-exit-node\":null}");
    next_message(f, other);

    m = next_message(f, router);
    expect(at(at(m, "Node"), "PrimaryRoutes"), "[\"192.168.50.0/24\"]");
    expect(at(at(at(m, "Node"), "Hostinfo"), "RoutableIPs"), "[\"0.0.0.0/0\",\"192.168.50.0/24\",\"::/0\"]");
    assert_null(at(m, "PeersChanged"));

    put_again(f, 1, NULL, NULL, CHANGE_WHOLE | CHANGE_SELF);
    test_tailnet_publish(&f->w);
    m = next_message(f, viewer);
    assert_null(at(peer(m, "PeersChanged", 0), "PrimaryRoutes"));
    assert_null(at(m, "Node"));
    struct chunk *bytes = chunk_ref(f->bytes);
    next_message(f, other);
    assert_ptr_equal(f->bytes, bytes); /* not made again */
    chunk_unref(bytes);
    netmap_session_free(viewer);
    netmap_session_free(other);
    netmap_session_free(router);
}

static void a_standby_is_shown_without_the_route(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    put_again(f, 1, advertise, NULL, CHANGE_WHOLE);
    test_tailnet_publish(&f->w);
    struct netmap_session *viewer = client(f, 0), *router = client(f, 1);

    const json_t *m = next_message(f, viewer);
    assert_null(at(peer(m, "Peers", 0), "PrimaryRoutes"));
    expect(at(peer(m, "Peers", 0), "AllowedIPs"),
           "[\"0.0.0.0/0\",\"100.64.0.2/32\",\"::/0\",\"fd7a:115c:a1e0::2/128\"]");
    m = next_message(f, router); /* it sees all that is approved, elected or not */
    expect(at(at(m, "Node"), "AllowedIPs"),
           "[\"0.0.0.0/0\",\"100.64.0.2/32\",\"192.168.50.0/24\",\"::/0\",\"fd7a:115c:a1e0::2/128\"]");
    assert_null(at(at(m, "Node"), "PrimaryRoutes"));
    netmap_session_free(viewer);
    netmap_session_free(router);
}

static void what_a_client_said_of_itself_is_not_told_back(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    struct netmap_session *s = client(f, 0);
    next_message(f, s);
    assert_true(netmap_session_self_changed(s));

    put_again(f, 0, move, NULL, CHANGE_ENDPOINTS | CHANGE_WHOLE);
    test_tailnet_publish(&f->w);
    assert_null(next_message(f, s));
    assert_true(netmap_session_self_changed(s));
    put_again(f, 0, rename_it, NULL, CHANGE_WHOLE);
    test_tailnet_publish(&f->w);
    expect(at(at(next_message(f, s), "Node"), "Name"), "\"renamed.tn.example.com.\"");
    put_again(f, 1, move, NULL, CHANGE_ENDPOINTS);
    test_tailnet_publish(&f->w);
    next_message(f, s);
    assert_false(netmap_session_self_changed(s));
    netmap_session_free(s);
}

static void a_deleted_node_is_told_that_its_key_has_expired(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    struct netmap_session *s = client(f, 0);
    next_message(f, s);

    test_tailnet_remove(&f->w, 0);
    test_tailnet_publish(&f->w);
    const json_t *m = next_message(f, s);
    assert_int_equal(f->next, NETMAP_DELETED);
    expect(at(at(m, "Node"), "KeyExpiry"), "\"2020-01-01T00:00:00Z\"");
    expect(at(at(m, "Node"), "ID"), "1");
    assert_null(next_message(f, s));
    netmap_session_free(s);
}

static void who_fell_out_of_the_log_gets_the_difference(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 5);
    struct netmap_session *s = client(f, 0);
    next_message(f, s);

    test_tailnet_remove(&f->w, 1);
    put_again(f, 2, rename_it, NULL, CHANGE_WHOLE);
    test_tailnet_publish(&f->w);
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < TAILNET_LOG / 2; k++)
            test_tailnet_note(&f->w, CHANGE_USERS);
        test_tailnet_publish(&f->w);
    }
    struct node_live live = test_tailnet_live(9);
    test_tailnet_put(&f->w, 1, test_tailnet_node(9, "nine", 1), &live, NULL, CHANGE_ADDED);
    node_live_release(&live);
    test_tailnet_publish(&f->w);

    const json_t *m = next_message(f, s);
    expect(at(m, "PeersRemoved"), "[2]");
    assert_int_equal(json_array_size(at(m, "PeersChanged")), 2);
    expect(at(peer(m, "PeersChanged", 0), "ID"), "3");
    expect(at(peer(m, "PeersChanged", 1), "ID"), "9");
    assert_null(at(m, "Peers"));
    assert_null(at(m, "Node"));
    netmap_session_free(s);
}

static void a_renamed_user_is_told_to_those_who_know_him(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    struct netmap_session *s = client(f, 0);
    next_message(f, s);

    struct user *u = user_edit(f->w.users.items[0]);
    mem_replace(&u->name, "alicia");
    record_unref(f->w.users.items[0]);
    f->w.users.items[0] = u;
    test_tailnet_user(&f->w, 7, "zoe"); /* new, owns nothing: nobody hears of her */
    test_tailnet_publish(&f->w);
    expect(next_message(f, s), "{\"UserProfiles\":[{\"ID\":1,\"LoginName\":\"alicia\",\"DisplayName\":\"alicia\"}]}");
    netmap_session_free(s);
}

static void no_message_is_as_long_as_a_keepalive(void **state)
{
    struct netmap_receiver *f = *state;
    struct chunk *keepalive = netmap_keepalive(f->nm, true);
    struct netmap_message m = {0};

    assert_memory_equal(keepalive->data + 4, "\x28\xb5\x2f\xfd", 4);
    test_tailnet_fill(&f->w, 1);
    struct netmap_session *s = netmap_session_new(f->nm, &(struct netmap_client){1, 0, 133, true, false, false});
    next_message_form(f, s, true);

    /* {"DNSConfig":{  }} and {"KeepAlive":true} are equally long, and neither can be compressed. */
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
    struct tailnet_settings *set = settings_edit(now->settings);
    mem_replace(&set->dns_json, "{  }");
    mem_replace(&set->domain, "");
    set->logtail = true;
    set->dns_version = f->w.seq + 1;
    f->w.next = snapshot_edit(now);
    tailnet_unpin(now);
    snapshot_set_settings(f->w.next, set);
    settings_unref(set);
    test_tailnet_note(&f->w, CHANGE_DNS);
    test_tailnet_publish(&f->w);

    now = tailnet_pin(f->w.tailnet);
    assert_int_equal(netmap_session_next(s, now, &m), NETMAP_MESSAGE);
    assert_int_equal(m.items[1]->len + 4, keepalive->len);
    assert_true(m.bytes + 4 > keepalive->len);
    netmap_receiver_forget(f);
    netmap_receiver_read(f, &m, true);
    tailnet_unpin(now);
    chunk_unref(keepalive);
    netmap_session_free(s);
}

static void rounds_gather_what_may_wait(void **state)
{
    struct netmap_receiver *f = *state;
    struct netmap_rounds r = {0};
    test_tailnet_fill(&f->w, 3);

    assert_int_equal(netmap_rounds_look(f->nm, &r, f->w.seq, 10, false, 1000), 0);
    assert_int_equal(netmap_rounds_look(f->nm, &r, f->w.seq, 10, false, 1001), -1);
    put_again(f, 1, move, NULL, CHANGE_ENDPOINTS);
    test_tailnet_publish(&f->w);
    assert_int_equal(netmap_rounds_look(f->nm, &r, f->w.seq, 10, false, 1010), 40);
    assert_int_equal(netmap_rounds_look(f->nm, &r, f->w.seq, 10, false, 1050), 0);
    assert_int_equal(netmap_rounds_look(f->nm, &r, f->w.seq, 10, false, 1200), -1);
    put_again(f, 1, move, NULL, CHANGE_ENDPOINTS);
    test_tailnet_publish(&f->w);
    assert_int_equal(netmap_rounds_look(f->nm, &r, f->w.seq, 10, false, 1200), 0); /* quiet for long: at once */
    put_again(f, 1, move, NULL, CHANGE_ENDPOINTS);
    test_tailnet_publish(&f->w);
    assert_int_equal(netmap_rounds_look(f->nm, &r, f->w.seq, 10, true, 1300), 900); /* while many are filled */
    put_again(f, 1, advertise, (const char *const[]){"192.168.50.0/24", NULL}, CHANGE_WHOLE);
    test_tailnet_publish(&f->w);
    assert_int_equal(netmap_rounds_look(f->nm, &r, f->w.seq, 10, true, 1301), 0); /* routes never wait */
    /* A first home relay does not either, but when there is much to tell. */
    static const struct {
        size_t sessions;
        bool busy;
        int64_t wait;
    } cases[] = {{10, false, 9}, {10000, false, 358}, {10, true, 997}};
    for (unsigned i = 0; i < 3; i++) {
        put_again(f, 1, move, NULL, CHANGE_ENDPOINTS);
        f->w.changes.items[f->w.changes.len - 1].reachable = true;
        test_tailnet_publish(&f->w);
        assert_int_equal(netmap_rounds_look(f->nm, &r, f->w.seq, cases[i].sessions, cases[i].busy, 1302 + i),
                         cases[i].wait);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, netmap_receiver_start, netmap_receiver_stop)
    const struct CMUnitTest tests[] = {
        T(volatile_changes_are_patches),
        T(changes_of_one_node_become_one_entry),
        T(new_keys_never_share_an_entry_with_offline),
        T(joining_and_leaving_are_told_with_the_owners_profile),
        T(a_slot_with_a_new_owner_is_a_removal_and_an_addition),
        T(who_never_heard_of_a_node_does_not_hear_of_its_end),
        T(an_approved_route_reaches_peers_and_the_router),
        T(a_standby_is_shown_without_the_route),
        T(what_a_client_said_of_itself_is_not_told_back),
        T(a_deleted_node_is_told_that_its_key_has_expired),
        T(who_fell_out_of_the_log_gets_the_difference),
        T(a_renamed_user_is_told_to_those_who_know_him),
        T(no_message_is_as_long_as_a_keepalive),
        T(rounds_gather_what_may_wait),
    };
#undef T
    return cmocka_run_group_tests_name("netmap_changes", tests, NULL, NULL);
}
