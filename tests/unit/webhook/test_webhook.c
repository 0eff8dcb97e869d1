/* SPDX-License-Identifier: BSD-3-Clause */
/* What webhooks are sent and in which form, and where deliveries may go. */
#include <sched.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/events.h"
#include "tailnet/publish.h"
#include "webhook/state.h"
#include "json/json.h"

static struct config *configured(const char *more)
{
    char *text = mem_format("server_url: http://vpn.example.com:1\ndns: {base_domain: tail.example.com, "
                            "override_local_dns: false}\n%s",
                            more);
    struct config *c = NULL;

    assert_int_equal(config_parse(text, strlen(text), "config.yaml", &c, NULL, NULL), 0);
    free(text);
    return c;
}

/* ---- where deliveries may go ---- */

static void what_is_not_of_the_internet_is_refused(void **state)
{
    static const struct {
        const char *address;
        bool good;
    } cases[] = {
        {"8.8.8.8", true},
        {"2606:4700::1111", true},
        {"100.128.0.1", true},
        {"172.32.0.1", true},
        {"127.0.0.1", false},
        {"127.255.255.254", false},
        {"0.0.0.0", false},
        {"10.1.2.3", false},
        {"172.16.0.1", false},
        {"172.31.255.255", false},
        {"192.168.1.1", false},
        {"169.254.169.254", false},
        {"100.64.0.1", false},
        {"198.19.0.1", false},
        {"224.0.0.1", false},
        {"255.255.255.255", false},
        {"::1", false},
        {"::", false},
        {"fe80::1", false},
        {"fd7a:115c:a1e0::1", false},
        {"fc00::1", false},
        {"ff02::1", false},
        {"64:ff9b::7f00:1", false},  /* 127.0.0.1 through NAT64 */
        {"64:ff9b::808:808", true},  /* 8.8.8.8 through NAT64 */
        {"2002:7f00:1::1", false},   /* 127.0.0.1 through 6to4 */
        {"2002:a9fe:a9fe::", false}, /* 169.254.169.254 */
        {"64:ff9b:1::a00:1", false}, /* RFC 8215: local use */
        {"2001:db8::1", false},
        {"2001::1", false}, /* Teredo */
    };
    struct config *c = configured("");
    struct addr a;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(addr_parse(cases[i].address, &a, NULL), 0);
        if ((address_check(c, &a, &e) == 0) != cases[i].good)
            fail_msg("%s is %s", cases[i].address, cases[i].good ? "refused" : "allowed");
        assert_true(cases[i].good || strstr(e.message, "webhooks.allow_private"));
    }
    config_unref(c);
}

static void what_is_permitted_is_permitted_alone(void **state)
{
    struct config *c = configured("webhooks: {allow_private: [192.168.7.0/24, '::1/128']}\n"
                                  "prefixes: {v4: 198.51.0.0/16, v6: 'fd7a:115c:a1e0::/48'}\n");
    struct addr a;

    (void)state;
    assert_int_equal(addr_parse("192.168.7.9", &a, NULL), 0);
    assert_int_equal(address_check(c, &a, NULL), 0);
    assert_int_equal(addr_parse("::1", &a, NULL), 0);
    assert_int_equal(address_check(c, &a, NULL), 0);
    assert_int_equal(addr_parse("192.168.8.9", &a, NULL), 0);
    assert_int_equal(address_check(c, &a, NULL), ERR_DENIED);
    assert_int_equal(addr_parse("198.51.2.3", &a, NULL), 0);
    assert_int_equal(address_check(c, &a, NULL), ERR_DENIED); /* the tailnet's, wherever its range lies */
    config_unref(c);
}

static void ip(const char *line)
{
    char *copy = mem_strdup(line), *words[12] = {(char *)(uintptr_t) "ip"}, *rest = copy;
    size_t count = 1;
    int status;
    pid_t child;

    for (char *word; count < ARRAY_LEN(words) - 1 && (word = strsep(&rest, " "));)
        words[count++] = word;
    assert_int_equal(posix_spawnp(&child, words[0], NULL, NULL, words, environ), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    free(copy);
}

/* An address of the internet leads to this machine where one of its interfaces has it. */
static void own_addresses_are_refused(void **state)
{
    static const char *const own[] = {"8.8.4.4", "2606:4700::7"}, *const others[] = {"8.8.8.8", "2606:4700::8"};
    struct config *c = configured(""), *permitted = configured("webhooks: {allow_private: [8.8.4.4/32]}\n");
    struct addr a;
    struct err e;

    (void)state;
    if (unshare(getuid() ? CLONE_NEWUSER | CLONE_NEWNET : CLONE_NEWNET) < 0)
        skip();
    ip("link set lo up");
    ip("address add 8.8.4.4/32 dev lo");
    ip("address add 2606:4700::7/128 dev lo");
    ip("route add default dev lo");
    ip("-6 route add default dev lo");
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        assert_int_equal(addr_parse(own[i], &a, NULL), 0);
        assert_int_equal(address_check(c, &a, &e), ERR_DENIED);
        assert_non_null(strstr(e.message, "this machine"));
        assert_int_equal(address_check(permitted, &a, NULL), i == 0 ? 0 : ERR_DENIED);
        assert_int_equal(addr_parse(others[i], &a, NULL), 0);
        assert_int_equal(address_check(c, &a, NULL), 0);
    }
    assert_int_equal(addr_parse("64:ff9b::808:404", &a, NULL), 0);
    assert_int_equal(address_check(c, &a, NULL), ERR_DENIED);
    config_unref(permitted);
    config_unref(c);
}

/* ---- which events ---- */

static struct webhook *subscribed(const char *to)
{
    struct webhook *w = webhook_new();

    w->r.id = 3;
    mem_replace(&w->url, "https://hooks.example.com/x");
    strs_push(&w->subscriptions, to);
    return w;
}

static struct event *happened(enum event_id id, const char *object, uint64_t object_id, const char *detail)
{
    struct event *e = event_new();

    e->run = 1;
    e->r.id = 5;
    e->time_ns = INT64_C(1800000000) * NS_PER_SECOND;
    mem_replace(&e->kind, event_kind(id));
    mem_replace(&e->actor, "alice");
    mem_replace(&e->object, object);
    mem_replace(&e->object_name, "box");
    e->object_id = object_id;
    mem_replace(&e->text, "box: it <happened> & @channel");
    mem_replace(&e->detail, detail);
    return e;
}

static void a_subscription_says_what_is_told(void **state)
{
    static const struct {
        const char *to;
        enum event_id id;
        const char *object, *detail, *type; /* type NULL: it is not told */
        uint64_t object_id;
    } cases[] = {
        {"nodeCreated", EVENT_NODE_REGISTERED, "node", "", "nodeCreated", 7},
        {"nodeCreated", EVENT_NODE_DELETED, "node", "", NULL, 7},
        {"nodeCreated", EVENT_NODE_ONLINE, "node", "", NULL, 7},
        {"categoryTailnetManagement", EVENT_NODE_EXPIRING, "node", "", "nodeKeyExpiringInOneDay", 7},
        {"categoryTailnetManagement", EVENT_ROUTE_FAILOVER, "prefix", "", NULL, 0},
        {"categoryRoutes", EVENT_ROUTE_FAILOVER, "prefix", "", "routeFailover", 0},
        {"categoryRoutes", EVENT_ROUTE_UNSERVED, "prefix", "", "prefixUnserved", 0},
        {"exitNodeDown", EVENT_EXIT_ENDED, "node", "", "exitNodeDown", 7},
        {"routeNeedsApproval", EVENT_ROUTE_ADVERTISED, "node", "{\"prefixes\":[\"10.0.0.0/8\"]}", NULL, 7},
        {"routeNeedsApproval", EVENT_ROUTE_ADVERTISED, "node",
         "{\"prefixes\":[\"10.0.0.0/8\"],\"waiting\":[\"10.0.0.0/8\"]}", "routeNeedsApproval", 7},
        {"routeNeedsApproval", EVENT_ROUTE_ADVERTISED, "node", "", NULL, 7},
        {"categoryDeviceMisconfigurations", EVENT_NODE_WARNING, "node",
         "{\"code\":\"ip-forwarding-off\",\"subnet\":true,\"exit\":false}", "subnetIPForwardingNotEnabled", 7},
        {"categoryDeviceMisconfigurations", EVENT_NODE_WARNING, "node",
         "{\"code\":\"ip-forwarding-off\",\"subnet\":false,\"exit\":true}", "exitNodeIPForwardingNotEnabled", 7},
        {"exitNodeIPForwardingNotEnabled", EVENT_NODE_WARNING, "node",
         "{\"code\":\"ip-forwarding-off\",\"subnet\":true,\"exit\":true}", "exitNodeIPForwardingNotEnabled", 7},
        {"categoryDeviceMisconfigurations", EVENT_NODE_WARNING, "node",
         "{\"code\":\"other\",\"subnet\":true,\"exit\":true}", NULL, 7},
        {"categoryDeviceMisconfigurations", EVENT_NODE_WARNING, "node", "", NULL, 7},
        {"nodeCreated", EVENT_WEBHOOK_TESTED, "webhook", "", "test", 3},
        {"nodeCreated", EVENT_WEBHOOK_TESTED, "webhook", "", NULL, 4}, /* another one */
        {"nodeCreated", EVENT_WEBHOOK_CHANGED, "webhook", "", "webhookUpdated", 3},
        {"nodeCreated", EVENT_WEBHOOK_ROTATED, "webhook", "", "webhookUpdated", 3},
        {"nodeCreated", EVENT_WEBHOOK_FAILING, "webhook", "", NULL, 3},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct webhook *w = subscribed(cases[i].to);
        struct event *e = happened(cases[i].id, cases[i].object, cases[i].object_id, cases[i].detail);
        const struct webhook_type *t = compose_type(w, e);
        const char *type = t ? t->name : "nothing";
        if (!str_eq(type, cases[i].type ? cases[i].type : "nothing"))
            fail_msg("case %zu: %s is told as %s", i, e->kind, type);
        record_unref(w);
        record_unref(e);
    }
}

static void one_that_was_deleted_is_told_that_alone(void **state)
{
    struct webhook *w = subscribed("categoryTailnetManagement");
    struct event *end = happened(EVENT_WEBHOOK_DELETED, "webhook", 3, ""),
                 *other = happened(EVENT_NODE_REGISTERED, "node", 7, "");

    (void)state;
    assert_null(compose_type(w, end));
    assert_non_null(compose_type(w, other));
    w->deleted_ns = 1;
    assert_string_equal(compose_type(w, end)->name, "webhookDeleted");
    assert_null(compose_type(w, other));
    record_unref(w);
    record_unref(end);
    record_unref(other);
}

static void subscriptions_are_refused_by_name(void **state)
{
    static const char *const bad[] = {"nodeSigned", "userApproved", "test", "webhookDeleted", "", "nodecreated"};
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct strs list = {0};
        strs_push(&list, "nodeCreated");
        strs_push(&list, bad[i]);
        assert_int_equal(webhook_check("https://x/", "", &list, &e), ERR_INVALID);
        assert_string_equal(e.field, "subscriptions");
        assert_non_null(strstr(e.message, bad[i]));
        strs_release(&list);
    }
    for (size_t i = 0; i < webhook_type_count; i++) {
        struct strs list = {0};
        strs_push(&list, webhook_types[i].name);
        assert_int_equal(webhook_check("http://x:1/", "discord", &list, NULL),
                         webhook_types[i].category ? 0 : ERR_INVALID);
        strs_release(&list);
    }
}

static void urls_name_a_host_and_a_port(void **state)
{
    static const struct {
        const char *url;
        bool good;
    } cases[] = {
        {"https://hooks.example.com/x?y=z", true},
        {"https://xn--bcher-kva.example:8443/", true},
        {"https://a_b.example.com.:443", true},
        {"https://192.0.2.1:1/", true},
        {"https://[2001:db8::1]:65535/", true},
        {"https://[::ffff:192.0.2.1]/", true},
        {"https://x:", true}, /* RFC 3986 has it so */
        {"https://x?y", true},
        {"https://x:0/", false},
        {"https://x:65536/", false},
        {"https://x:abc/", false},
        {"https://x:1:2/", false},
        {"https://x:+1/", false},
        {"https://x:99999999999999999999/", false},
        {"https://[::1/", false},
        {"https://[]/", false},
        {"https://[zz]/", false},
        {"https://[192.0.2.1]/", false},
        {"https://[::1]x/", false},
        {"https://a..b/", false},
        {"https://./", false},
        {"https://%2f/", false},
        {"https://%31%32%37.0.0.1/", false},
        {"https://a,b/", false},
        {"https:///x", false},
        {"https://:80/", false},
        {"https://u:p@x/", false},
        {"https://u%40x/", false},
    };
    struct strs list = {0};
    char *text = mem_alloc(400);
    struct err e;

    (void)state;
    strs_push(&list, "nodeCreated");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if ((webhook_check(cases[i].url, "", &list, &e) == 0) != cases[i].good)
            fail_msg("%s is %s", cases[i].url, cases[i].good ? "refused" : "taken");
        assert_true(cases[i].good || str_eq(e.field, "endpointUrl"));
    }
    snprintf(text, 400, "https://%0300d/", 0);
    assert_int_equal(webhook_check(text, "", &list, NULL), ERR_INVALID);
    snprintf(text, 400, "https://%064d.example/", 0);
    assert_int_equal(webhook_check(text, "", &list, NULL), ERR_INVALID);
    free(text);
    strs_release(&list);
}

/* ---- in which form ---- */

static char *composed_of(const char *provider, const struct event *e, uint64_t dropped, size_t copies, size_t *events)
{
    struct config *c = configured("");
    struct tailnet *t = tailnet_new();
    const struct tailnet_snapshot *s = tailnet_pin(t);
    struct webhook *w = subscribed("nodeCreated");
    struct composed out = {.body = BUF_INIT(0)};
    const struct compose_item item = {e, compose_type(w, e)};
    struct compose_item items[COMPOSE_EVENTS_MAX];

    assert_non_null(item.type);
    for (size_t i = 0; i < copies; i++)
        items[i] = item;
    mem_replace(&w->provider, provider);
    compose(w, c, s, items, copies, dropped, &out);
    *events = out.events;
    tailnet_unpin(s);
    tailnet_free(t);
    config_unref(c);
    record_unref(w);
    return buf_take(&out.body);
}

static json_t *read_list(const char *text)
{
    json_t *list = NULL;

    assert_int_equal(json_read(text, strlen(text), 1 << 20, "a body", &list, NULL), 0);
    return list;
}

static void events_have_the_form_of_tailscale(void **state)
{
    struct event *e = happened(EVENT_NODE_REGISTERED, "node", 7, "");
    size_t events;
    char *text = composed_of("", e, 2, 2, &events);
    json_t *list = read_list(text);
    const json_t *dropped = json_array_get(list, 0), *first = json_array_get(list, 1);

    (void)state;
    assert_int_equal(events, 2);
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(json_text(dropped, "type", ""), "eventsDropped");
    assert_string_equal(json_text(json_object_get(dropped, "data"), "count", ""), "2");
    assert_string_equal(json_text(first, "timestamp", ""), "2027-01-15T08:00:00Z");
    assert_int_equal(json_integer_value(json_object_get(first, "version")), 1);
    assert_string_equal(json_text(first, "type", ""), "nodeCreated");
    assert_string_equal(json_text(first, "tailnet", ""), "tail.example.com");
    assert_string_equal(json_text(first, "message", ""), "box: it <happened> & @channel");
    const json_t *data = json_object_get(first, "data");
    assert_string_equal(json_text(data, "nodeID", ""), "7");
    assert_string_equal(json_text(data, "deviceName", ""), "box.tail.example.com");
    assert_string_equal(json_text(data, "actor", ""), "alice");
    json_decref(list);
    free(text);
    record_unref(e);
}

/* A name of a node calls nobody and makes no link. */
static void chat_services_get_texts_without_effect(void **state)
{
    static const struct {
        const char *provider, *member, *text;
    } cases[] = {
        {"slack", "text", "nodeCreated: box: it &lt;happened&gt; &amp; @channel"},
        {"googlechat", "text", "nodeCreated: box: it &lt;happened&gt; &amp; @channel"},
        {"mattermost", "text",
         "nodeCreated: box: it <happened> & @\xe2\x80\x8b"
         "channel"},
        {"discord", "content",
         "nodeCreated: box: it <happened> & @\xe2\x80\x8b"
         "channel"},
    };
    struct event *e = happened(EVENT_NODE_REGISTERED, "node", 7, "");
    size_t events;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = composed_of(cases[i].provider, e, 0, 1, &events);
        json_t *message = read_list(text);
        assert_string_equal(json_text(message, cases[i].member, ""), cases[i].text);
        assert_int_equal(json_object_get(message, "allowed_mentions") != NULL, str_eq(cases[i].provider, "discord"));
        json_decref(message);
        free(text);
    }
    record_unref(e);
}

static void what_is_sent_at_once_is_bounded(void **state)
{
    struct event *e = happened(EVENT_NODE_REGISTERED, "node", 7, "");
    char *longer = mem_alloc(20001);
    size_t events;

    (void)state;
    memset(longer, 'x', 20000);
    free(composed_of("discord", e, 0, COMPOSE_EVENTS_MAX, &events));
    assert_in_range(events, 20, COMPOSE_EVENTS_MAX - 1);
    mem_replace(&e->text, longer);
    char *text = composed_of("", e, 0, COMPOSE_EVENTS_MAX, &events);
    assert_in_range(events, 5, 20);
    assert_true(strlen(text) <= COMPOSE_BYTES_MAX + 2);
    free(text);
    free(longer);
    record_unref(e);
}

static void the_manual_names_each_type(void **state)
{
    struct buf manual = BUF_INIT(0);

    (void)state;
    assert_int_equal(file_read("man/headway-api.7", FILE_ANY, &manual, NULL), 0);
    for (size_t i = 0; i < webhook_type_count; i++) {
        char *item = mem_format("\n.It Li %s\n", webhook_types[i].name);
        if (!strstr(buf_text(&manual), item))
            fail_msg("headway-api(7) does not name %s", webhook_types[i].name);
        free(item);
    }
    buf_release(&manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_of_the_internet_is_refused),
        cmocka_unit_test(what_is_permitted_is_permitted_alone),
        cmocka_unit_test(own_addresses_are_refused),
        cmocka_unit_test(a_subscription_says_what_is_told),
        cmocka_unit_test(one_that_was_deleted_is_told_that_alone),
        cmocka_unit_test(subscriptions_are_refused_by_name),
        cmocka_unit_test(urls_name_a_host_and_a_port),
        cmocka_unit_test(events_have_the_form_of_tailscale),
        cmocka_unit_test(chat_services_get_texts_without_effect),
        cmocka_unit_test(what_is_sent_at_once_is_bounded),
        cmocka_unit_test(the_manual_names_each_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
