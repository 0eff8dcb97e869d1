/* SPDX-License-Identifier: BSD-3-Clause */
/* The first message to clients: the form of nodes, whole maps. */
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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, netmap_receiver_start, netmap_receiver_stop)
    const struct CMUnitTest tests[] = {
        T(peers_have_the_protocols_form),
        T(a_first_map_is_complete),
        T(a_lonely_node_gets_no_peers_at_all),
        T(compressed_maps_of_many_blocks_read_as_one_object),
        T(old_clients_are_not_given_a_pin_they_cannot_check),
        T(old_clients_get_the_pin_where_the_configuration_wants_it),
        T(clients_that_would_wait_are_told_to_dial_often),
    };
#undef T
    return cmocka_run_group_tests_name("netmap_first", tests, NULL, NULL);
}
