/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients are sent under a policy: which peers they see, with which routes and filters, and the effect of a
 * change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/hostinfo.h"
#include "policy/policy.h"
#include "shared/client/netmap_receiver.h"
#include <cmocka.h>

/* Applies a policy text (NULL: none) to the nodes as they are, and publishes that it changed. */
static void apply_policy(struct netmap_receiver *f, const char *text)
{
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
    struct policy_problems problems = {0};
    struct policy_user users[8] = {0};
    struct policy_node nodes[8] = {0};
    struct prefixes effective[8] = {0};
    struct policy_tailnet t = {.users = users, .nodes = nodes};
    struct policy *p = NULL;

    if (text && policy_parse(text, strlen(text), &p, &problems) < 0)
        fail_msg("%s", problems.items[0].text);
    for (; t.user_count < now->user_count; t.user_count++) {
        const struct user *u = now->users[t.user_count];
        users[t.user_count] = (struct policy_user){.id = u->r.id, .name = u->name, .email = "", .provider_id = ""};
    }
    for (uint32_t slot = 0; slot < 8; slot++) {
        const struct tailnet_node *n = snapshot_node(now, slot);
        if (!n)
            continue;
        node_effective(n->record, &effective[slot]);
        nodes[t.node_count++] = (struct policy_node){
            .slot = slot,
            .id = n->record->r.id,
            .user_id = n->record->user_id,
            .order = n->record->r.id,
            .name = n->record->given_name,
            .tags = (const char *const *)n->record->tags.items,
            .tag_count = n->record->tags.len,
            .ipv4 = n->record->ipv4,
            .ipv6 = n->record->ipv6,
            .routes = effective[slot].items,
            .route_count = effective[slot].len,
            .serving = n->serving.items,
            .serving_count = n->serving.len,
            .online = true,
            .healthy = true,
            .connector = peer_hostinfo_is_connector(n->record->peer_hostinfo),
        };
    }
    struct policy_view **view = tailnet_policy_write(f->w.tailnet), *before = *view;
    *view = text ? policy_view_new(p, &t, before) : NULL;
    policy_view_free(before);
    tailnet_policy_written(f->w.tailnet);
    for (size_t i = 0; i < 8; i++)
        prefixes_release(&effective[i]);
    policy_unref(p);
    policy_problems_release(&problems);
    tailnet_unpin(now);
    test_tailnet_note(&f->w, CHANGE_POLICY);
    test_tailnet_publish(&f->w);
}

/* Node 1 is alice's, 2 bob's, 3 a router of 192.168.50.0/24 that is an exit node too. */
static void three_parties(struct netmap_receiver *f)
{
    struct node_live live = test_tailnet_live(1);
    struct node *router = test_tailnet_node(3, "router", 0);

    test_tailnet_user(&f->w, 1, "alice");
    test_tailnet_user(&f->w, 2, "bob");
    test_tailnet_put(&f->w, 0, test_tailnet_node(1, "a", 1), &live, NULL, CHANGE_ADDED);
    test_tailnet_put(&f->w, 1, test_tailnet_node(2, "b", 2), &live, NULL, CHANGE_ADDED);
    strs_push(&router->tags, "tag:router");
    advertise(router, NULL);
    test_tailnet_put(&f->w, 2, router, &live, (const char *const[]){"192.168.50.0/24", NULL}, CHANGE_ADDED);
    node_live_release(&live);
    test_tailnet_publish(&f->w);
}

#define TO_SUBNET                                                                                                      \
    "{\"tagOwners\":{\"tag:router\":[\"alice@\"]},\"acls\":[{\"action\":\"accept\",\"src\":[\"alice@\"],"              \
    "\"dst\":[\"192.168.50.0/24:*\"]}]}"

static void a_policy_decides_who_is_shown_what(void **state)
{
    struct netmap_receiver *f = *state;
    three_parties(f);
    apply_policy(f, TO_SUBNET);
    struct netmap_session *a = client(f, 0), *b = client(f, 1), *r = client(f, 2);

    const json_t *m = next_message(f, a);
    assert_int_equal(json_array_size(at(m, "Peers")), 1);
    expect(at(peer(m, "Peers", 0), "AllowedIPs"), /* the route, and no exit */
           "[\"100.64.0.3/32\",\"192.168.50.0/24\",\"fd7a:115c:a1e0::3/128\"]");
    expect(at(peer(m, "Peers", 0), "PrimaryRoutes"), "[\"192.168.50.0/24\"]");
    assert_null(at(peer(m, "Peers", 0), "CapMap"));
    expect(at(m, "PacketFilters"), "{\"base\":[]}");
    m = next_message(f, b);
    assert_null(at(m, "Peers"));
    expect(at(m, "UserProfiles"), "[{\"ID\":2,\"LoginName\":\"bob\",\"DisplayName\":\"bob\"}]");
    m = next_message(f, r);
    assert_int_equal(json_array_size(at(m, "Peers")), 1);
    char *filter = json_dumps(at(m, "PacketFilters"), JSON_COMPACT);
    assert_non_null(strstr(filter, "192.168.50.0/24"));
    assert_non_null(strstr(filter, "100.64.0.1"));
    assert_null(strstr(filter, "\"*\""));
    free(filter);
    netmap_session_free(a);
    netmap_session_free(b);
    netmap_session_free(r);
}

static void a_change_of_policy_is_told_as_a_difference(void **state)
{
    struct netmap_receiver *f = *state;
    three_parties(f);
    struct netmap_session *a = client(f, 0), *r = client(f, 2);
    next_message(f, a);
    next_message(f, r);

    apply_policy(f, TO_SUBNET);
    const json_t *m = next_message(f, a);
    expect(at(m, "PeersRemoved"), "[2]");
    expect(at(peer(m, "PeersChanged", 0), "AllowedIPs"),
           "[\"100.64.0.3/32\",\"192.168.50.0/24\",\"fd7a:115c:a1e0::3/128\"]");
    expect(at(m, "PacketFilters"), "{\"*\":null,\"base\":[]}");
    assert_non_null(at(m, "Node")); /* the router is no exit node for it any more */
    assert_null(at(m, "DNSConfig"));
    m = next_message(f, r);
    expect(at(m, "PeersRemoved"), "[2]");
    assert_null(at(m, "PeersChanged"));
    assert_null(at(m, "Node"));

    apply_policy(f, TO_SUBNET); /* the same again, compiled anew: no peer is told again */
    m = next_message(f, r);
    assert_null(at(m, "PeersChanged"));
    assert_null(at(m, "PeersRemoved"));

    apply_policy(f, NULL);
    m = next_message(f, a);
    assert_int_equal(json_array_size(at(m, "PeersChanged")), 2);
    expect(at(at(m, "PacketFilters"), "base"),
           "[{\"SrcIPs\":[\"*\"],\"DstPorts\":[{\"IP\":\"*\",\"Ports\":{\"First\":0,\"Last\":65535}}]}]");
    m = next_message(f, r);
    assert_true(json_object_size(at(m, "PacketFilters")) == 2); /* what there was goes */
    expect(at(at(m, "PacketFilters"), "*"), "null");
    netmap_session_free(a);
    netmap_session_free(r);
}
/* ---- the nearest router ---- */

/* A second router of the prefix (slot 3), nearest to everybody. */
static void another_router_is_nearest(struct netmap_receiver *f)
{
    struct node_live live = test_tailnet_live(4);
    struct node *router = test_tailnet_node(4, "router-2", 0);
    struct tailnet_nearest *n = tailnet_nearest_new(1);
    uint32_t *routers = mem_alloc(4 * sizeof(*routers));

    strs_push(&router->tags, "tag:other");
    advertise(router, NULL);
    test_tailnet_put(&f->w, 3, router, &live, NULL, CHANGE_ADDED);
    for (size_t i = 0; i < 4; i++)
        routers[i] = 3;
    n->items[0] = (struct nearest_prefix){
        .prefix = test_tailnet_prefix("192.168.50.0/24"), .primary = 2, .routers = routers, .viewers = 4};
    snapshot_set_nearest(f->w.next, n);
    test_tailnet_publish(&f->w);
    node_live_release(&live);
}

#define TAGS "\"tagOwners\":{\"tag:router\":[\"alice@\"],\"tag:other\":[\"alice@\"]}"

static void the_policy_stands_above_the_nearest_router(void **state)
{
    static const struct {
        const char *policy, *of_first, *of_second; /* what the viewer is shown of the two routers' prefixes */
    } cases[] = {
        /* Plain rules let the viewer to the network, wherever it is. */
        {"{" TAGS ",\"grants\":[{\"src\":[\"alice@\"],\"dst\":[\"192.168.50.0/24\"],\"ip\":[\"*\"]}]}", "(absent)",
         "[\"192.168.50.0/24\"]"},
        /* A grant with via leads it to the routers of its tag. */
        {"{" TAGS ",\"grants\":[{\"src\":[\"alice@\"],\"dst\":[\"192.168.50.0/24\"],\"via\":[\"tag:router\"],"
         "\"ip\":[\"*\"]}]}",
         "[\"192.168.50.0/24\"]", "(absent)"},
        /* The routers themselves are open to it, and no network behind them. */
        {"{" TAGS ",\"grants\":[{\"src\":[\"alice@\"],\"dst\":[\"tag:router\",\"tag:other\"],\"ip\":[\"22\"]}]}",
         "(absent)", "(absent)"},
    };
    struct netmap_receiver *f = *state;

    three_parties(f);
    another_router_is_nearest(f);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        apply_policy(f, cases[i].policy);
        struct netmap_session *viewer = client(f, 0);
        const json_t *m = next_message(f, viewer), *p;
        for (size_t k = 0; (p = peer(m, "Peers", k)); k++)
            expect(at(p, "PrimaryRoutes"),
                   json_integer_value(at(p, "ID")) == 3 ? cases[i].of_first : cases[i].of_second);
        netmap_session_free(viewer);
    }
}

/* ---- NextDNS ---- */

static void set_resolvers(struct netmap_receiver *f, const char *dns)
{
    const struct tailnet_snapshot *now = tailnet_pin(f->w.tailnet);
    struct tailnet_settings *set = settings_edit(now->settings);

    f->w.next = snapshot_edit(now);
    tailnet_unpin(now);
    mem_replace(&set->dns_json, dns);
    set->dns_version = f->w.seq + 1;
    snapshot_set_settings(f->w.next, set);
    settings_unref(set);
    test_tailnet_note(&f->w, CHANGE_DNS);
    test_tailnet_publish(&f->w);
}

static void another_name(struct node *n, struct node_live *live)
{
    (void)live;
    mem_replace(&n->hostname, "Alice's PC");
}

static const json_t *first_resolver(const json_t *message)
{
    return at(json_array_get(at(at(message, "DNSConfig"), "Resolvers"), 0), "Addr");
}

/* headscale: hscontrol/mapper/mapper_test.go, TestGenerateDNSConfigNextDNS */
static void resolvers_of_nextdns_are_told_who_asks_and_by_which_profile(void **state)
{
    struct netmap_receiver *f = *state;

    three_parties(f);
    set_resolvers(f, "{\"Resolvers\":[{\"Addr\":\"https://dns.nextdns.io/global?x=1&device_ip=9\"},{\"Addr\":"
                     "\"https://dns.nextdns.io.example/x\"}],\"Routes\":{\"a.test\":[{\"Addr\":"
                     "\"https://dns.nextdns.io\"}],\"b.test\":[]}}");
    struct netmap_session *s = client(f, 0), *other = client(f, 1);
    const json_t *m = next_message(f, s);
    expect(at(m, "DNSConfig"), "{\"Resolvers\":[{\"Addr\":\"https://dns.nextdns.io/"
                               "global?device_ip=100.64.0.1&device_model=&device_name=a&x=1\"},{\"Addr\":\"https://"
                               "dns.nextdns.io.example/x\"}],\"Routes\":{\"a.test\":[{\"Addr\":\"https://"
                               "dns.nextdns.io?device_ip=100.64.0.1&device_model=&device_name=a\"}],\"b.test\":[]}}");
    m = next_message(f, other);
    expect(first_resolver(m), "\"https://dns.nextdns.io/global?device_ip=100.64.0.2&device_model=&device_name=b&x=1\"");

    /* What it says of the node follows the node. */
    put_again(f, 0, another_name, NULL, CHANGE_SELF);
    test_tailnet_publish(&f->w);
    expect(first_resolver(next_message(f, s)),
           "\"https://dns.nextdns.io/global?device_ip=100.64.0.1&device_model=&device_name=Alice%27s+PC&x=1\"");
    assert_null(at(next_message(f, other), "DNSConfig"));

    apply_policy(f, "{\"nodeAttrs\":[{\"target\":[\"alice@\"],\"attr\":[\"nextdns:zz\",\"nextdns:abc\"]},"
                    "{\"target\":[\"bob@\"],\"attr\":[\"nextdns:no-device-info\"]}]}");
    expect(first_resolver(next_message(f, s)),
           "\"https://dns.nextdns.io/abc?device_ip=100.64.0.1&device_model=&device_name=Alice%27s+PC\"");
    expect(first_resolver(next_message(f, other)), "\"https://dns.nextdns.io/global?x=1&device_ip=9\"");

    /* And without NextDNS everybody is sent the same again. */
    set_resolvers(f, "{\"Resolvers\":[{\"Addr\":\"9.9.9.9\"}]}");
    expect(first_resolver(next_message(f, s)), "\"9.9.9.9\"");
    expect(first_resolver(next_message(f, other)), "\"9.9.9.9\"");
    netmap_session_free(s);
    netmap_session_free(other);
}

#define APPS                                                                                                           \
    "{\"tagOwners\":{\"tag:router\":[\"alice@\"]},\"acls\":[],\"nodeAttrs\":[{\"target\":[\"alice@\"],\"app\":{"       \
    "\"tailscale.com/app-connectors\":[{\"name\":\"x\",\"connectors\":[\"tag:router\"],\"domains\":[\"example.com\","  \
    "\"*.example.com\",\"a.test\"]}]}}]}"

static void is_connector(struct node *n, struct node_live *live)
{
    (void)live;
    mem_replace(&n->peer_hostinfo, "{\"Services\":[{\"Proto\":\"peerapi4\",\"Port\":4711}],\"AppConnector\":true}");
}

static void another_port(struct node *n, struct node_live *live)
{
    (void)live;
    mem_replace(&n->peer_hostinfo, "{\"Services\":[{\"Proto\":\"peerapi4\",\"Port\":4712}],\"AppConnector\":true}");
}

static void goes_offline(struct node *n, struct node_live *live)
{
    (void)n;
    live->online = false;
}

static void comes_back(struct node *n, struct node_live *live)
{
    (void)n;
    live->online = true;
}

/* Who uses an app asks its connectors for the domains; the connector is told the app; others are told nothing of it. */
static void app_connectors_resolve_the_domains_of_their_apps(void **state)
{
#define RESOLVER(port) "[{\"Addr\":\"http://100.64.0.3:" port "/dns-query\"}]"
    struct netmap_receiver *f = *state;

    three_parties(f);
    set_resolvers(f, "{\"Resolvers\":[{\"Addr\":\"9.9.9.9\"}]}");
    put_again(f, 2, is_connector, NULL, CHANGE_WHOLE);
    test_tailnet_publish(&f->w);
    struct netmap_session *s = client(f, 0), *other = client(f, 1), *c = client(f, 2);
    const json_t *m = next_message(f, s);
    assert_null(at(at(m, "DNSConfig"), "Routes"));
    next_message(f, other);
    next_message(f, c);
    apply_policy(f, APPS);
    m = next_message(f, s);
    expect(at(m, "DNSConfig"), "{\"Resolvers\":[{\"Addr\":\"9.9.9.9\"}],\"Routes\":{\"a.test\":" RESOLVER(
                                   "4711") ",\"example.com\":" RESOLVER("4711") "}}");
    m = next_message(f, other);
    assert_null(at(at(m, "DNSConfig"), "Routes"));
    m = next_message(f, c);
    assert_null(at(at(m, "DNSConfig"), "Routes"));
    expect(at(at(at(m, "Node"), "CapMap"), "tailscale.com/app-connectors"),
           "[{\"name\":\"x\",\"connectors\":[\"tag:router\"],\"domains\":[\"example.com\",\"*.example.com\","
           "\"a.test\"]}]");

    put_again(f, 2, another_port, NULL, CHANGE_WHOLE); /* its client was started again */
    test_tailnet_publish(&f->w);
    m = next_message(f, s);
    expect(at(at(at(m, "DNSConfig"), "Routes"), "a.test"), RESOLVER("4712"));
    put_again(f, 2, goes_offline, NULL, CHANGE_ONLINE);
    test_tailnet_publish(&f->w);
    m = next_message(f, s);
    expect(at(m, "DNSConfig"), "{\"Resolvers\":[{\"Addr\":\"9.9.9.9\"}]}");
    put_again(f, 2, comes_back, NULL, CHANGE_ONLINE);
    test_tailnet_publish(&f->w);
    assert_non_null(at(at(next_message(f, s), "DNSConfig"), "Routes"));

    apply_policy(f, NULL); /* without apps it gets what everybody has */
    expect(at(next_message(f, s), "DNSConfig"), "{\"Resolvers\":[{\"Addr\":\"9.9.9.9\"}]}");
    netmap_session_free(s);
    netmap_session_free(other);
    netmap_session_free(c);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, netmap_receiver_start, netmap_receiver_stop)
    const struct CMUnitTest tests[] = {
        T(a_policy_decides_who_is_shown_what),
        T(a_change_of_policy_is_told_as_a_difference),
        T(the_policy_stands_above_the_nearest_router),
        T(app_connectors_resolve_the_domains_of_their_apps),
        T(resolvers_of_nextdns_are_told_who_asks_and_by_which_profile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
