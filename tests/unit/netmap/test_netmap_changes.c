/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients are told: the form of nodes, first maps, and the least afterwards. */
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

static void peers_have_the_protocols_form(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    put_again(f, 1, advertise, (const char *const[]){"192.168.50.0/24", NULL}, CHANGE_WHOLE);
    test_tailnet_publish(&f->w);
    struct netmap_session *s = client(f, 0);

    const json_t *m = next_message(f, s);
    expect(
        peer(m, "Peers", 0),
        "{\"ID\":2,\"StableID\":\"2\",\"Name\":\"node-2.tn.example.com.\",\"User\":1,\"Key\":\"nodekey:ccbd8d838d174077"
        "dd6ac3752b49cacd33d28731a543ccfe9c917ec306be06dc\",\"DiscoKey\":\"discokey:9246386068e08597a1365fc4"
        "220b14387d88a292a3da79c88e9b8bbf31595872\",\"Addresses\":[\"100.64.0.2/32\",\"fd7a:115c:a1e0::2/128\"]"
        ",\"AllowedIPs\":[\"0.0.0.0/0\",\"100.64.0.2/32\",\"192.168.50.0/24\",\"::/0\",\"fd7a:115c:a1e0::2/128\"],\"E"
        "ndpoints\":[\"172.20.0.2:41641\"],\"HomeDERP\":900,\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"node-2\","
        "\"Ser"
        "vices\":[{\"Proto\":\"peerapi4\",\"Port\":40002},{\"Proto\":\"peerapi6\",\"Port\":41014}],\"Location\":{"
        "\"Priority\":100}},\"Created\":\"2026-"
        "0"
        "1-01T00:00:02Z\",\"Cap\":133,\"PrimaryRoutes\":[\"192.168.50.0/24\"],\"Online\":true,\"CapMap\":{\"suggest-"
        "exit-node\":null}}");
    netmap_session_free(s);
}

static void a_first_map_is_complete(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 3);
    struct netmap_session *s = client(f, 0);

    const json_t *m = next_message(f, s);
    assert_int_equal(f->next, NETMAP_MESSAGE);
    expect(at(at(m, "Node"), "ID"), "1");
    expect(at(at(m, "Node"), "AllowedIPs"), "[\"100.64.0.1/32\",\"fd7a:115c:a1e0::1/128\"]");
    expect(at(at(m, "Node"), "MachineAuthorized"), "true");
    expect(at(at(m, "Node"), "CapMap"),
           "{\"https://tailscale.com/cap/is-admin\":null,\"https://tailscale.com/cap/is-owner\":null,"
           "\"https://tailscale.com/cap/ssh\":null,\"https://tailscale.com/cap/file-sharing\":null,"
           "\"default-auto-update\":[false]}");
    assert_int_equal(json_array_size(at(m, "Peers")), 2);
    expect(at(peer(m, "Peers", 0), "Online"), "true");
    assert_null(at(peer(m, "Peers", 0), "AllowedIPs"));
    assert_null(at(peer(m, "Peers", 0), "Machine"));
    expect(at(m, "PacketFilters"), "{\"base\":[{\"SrcIPs\":[\"*\"],\"DstPorts\":[{\"IP\":\"*\",\"Ports\":{\"First\":0,"
                                   "\"Last\":65535}}]}]}");
    expect(at(m, "UserProfiles"), "[{\"ID\":1,\"LoginName\":\"alice\",\"DisplayName\":\"alice\"}]");
    expect(at(m, "SSHPolicy"), "{\"rules\":[]}");
    expect(at(m, "Debug"), "{\"DisableLogTail\":true}");
    expect(at(m, "CollectServices"), "false");
    expect(at(m, "Domain"), "\"127.0.0.1\"");
    assert_non_null(at(m, "ControlTime"));
    expect(at(at(m, "DNSConfig"), "Proxied"), "true");
    assert_non_null(at(at(at(m, "DERPMap"), "Regions"), "900"));
    assert_null(next_message(f, s));
    netmap_session_free(s);
}

static void a_lonely_node_gets_no_peers_at_all(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 1);
    struct netmap_session *s = client(f, 0);

    const json_t *m = next_message(f, s);
    assert_non_null(at(m, "Node"));
    assert_null(at(m, "Peers"));
    netmap_session_free(s);
}

static void compressed_maps_of_many_blocks_read_as_one_object(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 300);
    for (uint32_t slot = 0; slot < 300; slot += 63) {
        struct netmap_session *s =
            netmap_session_new(f->nm, &(struct netmap_client){slot + 1, slot, 133, true, false, false});
        const json_t *m = next_message_form(f, s, true), *p;
        size_t i;
        json_int_t last = 0;

        assert_int_equal(json_array_size(at(m, "Peers")), 299);
        json_array_foreach(at(m, "Peers"), i, p)
        {
            assert_true(json_integer_value(at(p, "ID")) > last);
            last = json_integer_value(at(p, "ID"));
            assert_int_not_equal(last, slot + 1);
        }
        netmap_session_free(s);
    }
    struct netmap_counters c;
    netmap_counters(f->nm, &c);
    assert_int_equal(c.nodes_encoded, 300); /* each once, whoever asks */
    assert_true(c.chunks_shared >= 15);
}

static void old_clients_are_not_given_a_pin_they_cannot_check(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 1);
    struct netmap_session *s = netmap_session_new(f->nm, &(struct netmap_client){1, 0, 113, false, false, false});

    const json_t *node = json_array_get(at(at(at(at(next_message(f, s), "DERPMap"), "Regions"), "900"), "Nodes"), 0);
    assert_null(at(node, "CertName"));
    expect(at(node, "InsecureForTests"), "true");
    netmap_session_free(s);
}

static void old_clients_get_the_pin_where_the_configuration_wants_it(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 1);
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
    struct tailnet_settings *set = settings_edit(now->settings);
    set->strict_relay = true;
    f->w.next = snapshot_edit(now);
    tailnet_unpin(now);
    snapshot_set_settings(f->w.next, set);
    settings_unref(set);
    test_tailnet_publish(&f->w);
    struct netmap_session *s = netmap_session_new(f->nm, &(struct netmap_client){1, 0, 113, false, false, false});

    const json_t *node = json_array_get(at(at(at(at(next_message(f, s), "DERPMap"), "Regions"), "900"), "Nodes"), 0);
    assert_non_null(strstr(json_string_value(at(node, "CertName")), "sha256-raw:"));
    assert_null(at(node, "InsecureForTests"));
    netmap_session_free(s);
}

static void clients_that_would_wait_are_told_to_dial_often(void **state)
{
    struct netmap_receiver *f = *state;
    test_tailnet_fill(&f->w, 2);
    struct netmap_session *s = netmap_session_new(f->nm, &(struct netmap_client){2, 1, 133, false, false, true});

    const json_t *tries = at(at(next_message(f, s), "ControlDialPlan"), "Candidates");
    double last = 0;
    assert_int_equal(json_array_size(tries), 10);
    expect(json_array_get(tries, 0), "{\"DialTimeoutSec\":10}");
    for (size_t i = 1; i < 10; i++) {
        double start = json_number_value(at(json_array_get(tries, i), "DialStartDelaySec"));
        assert_true(start > last && start < last + 4.5);
        last = start;
        expect(at(json_array_get(tries, i), "DialTimeoutSec"), "5");
    }
    netmap_session_free(s);
    s = client(f, 0);
    assert_null(at(next_message(f, s), "ControlDialPlan"));
    netmap_session_free(s);
}

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
/* ---- every field there and back ---- */

struct peer_state {
    struct node *record;
    struct node_live live;
    struct prefixes serving;
    bool expired;
};

static void set_key(uint8_t key[KEY_LEN], uint8_t byte)
{
    memset(key, byte, KEY_LEN);
}

/* Each changes the fields that it names. */
static void change_name(struct peer_state *p)
{
    mem_replace(&p->record->given_name, "another");
}

static void change_owner(struct peer_state *p)
{
    p->record->user_id = 2;
}

static void change_tags(struct peer_state *p)
{
    p->record->user_id = 0;
    strs_push(&p->record->tags, "tag:a");
}

static void change_node_key(struct peer_state *p)
{
    set_key(p->record->node_key, 77);
}

static void change_disco_key(struct peer_state *p)
{
    set_key(p->record->disco_key, 78);
}

static void lose_disco_key(struct peer_state *p)
{
    set_key(p->record->disco_key, 0);
}

static void end_key_later(struct peer_state *p)
{
    p->record->expiry_ns = INT64_C(4102444800000000000);
}

static void end_key_by_date(struct peer_state *p)
{
    p->record->expiry_ns = INT64_C(1600000000000000000);
    p->expired = true;
}

static void log_out(struct peer_state *p)
{
    p->record->logged_out = p->expired = true;
}

static void change_addresses(struct peer_state *p)
{
    p->record->ipv4 = test_tailnet_prefix("100.64.9.9/32").addr;
}

static void lose_ipv4(struct peer_state *p)
{
    p->record->ipv4 = (struct addr){0};
}

static void serve(struct peer_state *p)
{
    struct prefix route = test_tailnet_prefix("192.168.50.0/24");

    prefixes_add(&p->record->available, &route);
    prefixes_add(&p->record->approved, &route);
    prefixes_add(&p->serving, &route);
}

static void be_exit_node(struct peer_state *p)
{
    struct prefix v4 = test_tailnet_prefix("0.0.0.0/0"), v6 = test_tailnet_prefix("::/0");

    prefixes_add(&p->record->available, &v4);
    prefixes_add(&p->record->available, &v6);
    prefixes_add(&p->record->approved, &v4);
    prefixes_add(&p->record->approved, &v6);
}

static void be_sick_exit_node(struct peer_state *p)
{
    be_exit_node(p);
    p->live.healthy = false;
}

static void change_endpoints(struct peer_state *p)
{
    p->live.endpoints[0].port = 5;
}

static void lose_endpoints(struct peer_state *p)
{
    p->live.endpoint_count = 0;
}

static void change_relay(struct peer_state *p)
{
    p->live.home_derp = 905;
}

static void change_hostinfo(struct peer_state *p)
{
    mem_replace(&p->record->peer_hostinfo, "{\"OS\":\"windows\"}");
}

static void change_version(struct peer_state *p)
{
    p->record->cap_version = 140;
}

static void leave(struct peer_state *p)
{
    p->live.online = false;
    p->live.last_seen_ns = INT64_C(1767225600000000000);
}

static void leave_with_another_key(struct peer_state *p)
{
    leave(p);
    change_disco_key(p);
    change_node_key(p);
}

static void leave_for_good(struct peer_state *p)
{
    leave(p);
    log_out(p);
}

/* The state of a peer with every field that there is. */
static struct peer_state full_state(void)
{
    struct peer_state p = {.record = test_tailnet_node(2, "peer", 1), .live = test_tailnet_live(2)};

    return p;
}

static void put_state(struct netmap_receiver *f, struct peer_state *p)
{
    test_tailnet_change(&f->w, 1, p->record, &p->live, &p->serving, p->expired);
    test_tailnet_publish(&f->w);
    node_live_release(&p->live);
    prefixes_release(&p->serving);
}

/* A client that was told each change, and one that comes now, hold the same. */
static void hear_and_compare(struct netmap_receiver *f, struct netmap_session *s, struct held_map *held,
                             const char *after)
{
    const json_t *m = next_message(f, s);

    if (m)
        held_map_apply(held, m);
    struct netmap_session *fresh = client(f, 0);
    held_map_compare(held, next_message(f, fresh), after);
    netmap_session_free(fresh);
}

static void note_changed(json_t *seen, const json_t *before, const json_t *after)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)after, name, value)
    {
        if (!json_equal(value, json_object_get(before, name)))
            json_object_set_new(seen, name, json_true());
    }
}

static const struct {
    const char *name;
    void (*make)(struct peer_state *p);
} peer_changes[] = {
#define CHANGE(function)                                                                                               \
    {                                                                                                                  \
#function, function                                                                                            \
    }
    CHANGE(change_name),
    CHANGE(change_owner),
    CHANGE(change_tags),
    CHANGE(change_node_key),
    CHANGE(change_disco_key),
    CHANGE(lose_disco_key),
    CHANGE(end_key_later),
    CHANGE(end_key_by_date),
    CHANGE(log_out),
    CHANGE(change_addresses),
    CHANGE(lose_ipv4),
    CHANGE(serve),
    CHANGE(be_exit_node),
    CHANGE(be_sick_exit_node),
    CHANGE(change_endpoints),
    CHANGE(lose_endpoints),
    CHANGE(change_relay),
    CHANGE(change_hostinfo),
    CHANGE(change_version),
    CHANGE(leave),
    CHANGE(leave_with_another_key),
    CHANGE(leave_for_good),
#undef CHANGE
};

/* From each state to each: what one change needs must not hide behind another one. */
static void every_field_goes_there_and_back(void **state)
{
    static const char *const members[] = {
        "Name",     "User", "Key",  "KeyExpiry",     "DiscoKey", "Addresses", "AllowedIPs", "Endpoints", "HomeDERP",
        "Hostinfo", "Cap",  "Tags", "PrimaryRoutes", "Online",   "LastSeen",  "Expired",    "CapMap"};
    struct netmap_receiver *f = *state;
    struct held_map held;
    json_t *seen = json_object(), *plain;
    char after[128];

    test_tailnet_fill(&f->w, 2);
    test_tailnet_user(&f->w, 2, "bob");
    test_tailnet_publish(&f->w);
    held_map_init(&held);
    struct netmap_session *s = client(f, 0);
    struct peer_state p = full_state();
    put_state(f, &p);
    hear_and_compare(f, s, &held, "the start");
    plain = json_deep_copy(held_map_peer(&held, "2"));
    for (size_t i = 0; i < ARRAY_LEN(peer_changes); i++)
        for (size_t k = 0; k <= ARRAY_LEN(peer_changes); k++) {
            p = full_state();
            peer_changes[i].make(&p);
            put_state(f, &p);
            snprintf(after, sizeof(after), "%s", peer_changes[i].name);
            hear_and_compare(f, s, &held, after);
            note_changed(seen, plain, held_map_peer(&held, "2"));
            p = full_state();
            if (k < ARRAY_LEN(peer_changes))
                peer_changes[k].make(&p);
            put_state(f, &p);
            snprintf(after, sizeof(after), "%s and then %s", peer_changes[i].name,
                     k < ARRAY_LEN(peer_changes) ? peer_changes[k].name : "back");
            hear_and_compare(f, s, &held, after);
        }
    /* And each member that a peer can have was among them, but those that never change. */
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (!json_object_get(seen, members[i]))
            fail_msg("no change was of %s", members[i]);
    assert_int_equal(json_object_size(seen), ARRAY_LEN(members));
    json_decref(seen);
    json_decref(plain);
    held_map_release(&held);
    netmap_session_free(s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, netmap_receiver_start, netmap_receiver_stop)
    const struct CMUnitTest tests[] = {
        T(every_field_goes_there_and_back),
        T(peers_have_the_protocols_form),
        T(a_first_map_is_complete),
        T(a_lonely_node_gets_no_peers_at_all),
        T(compressed_maps_of_many_blocks_read_as_one_object),
        T(old_clients_are_not_given_a_pin_they_cannot_check),
        T(old_clients_get_the_pin_where_the_configuration_wants_it),
        T(clients_that_would_wait_are_told_to_dial_often),
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

    return cmocka_run_group_tests(tests, NULL, NULL);
}
