/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests of clients are understood as intended, within limits, or refused with the name of the field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "control/request.h"
#include "model/hostinfo.h"
#include "shared/client/tailcfg_types.h"

#define AB16  "abababababababababababababababab"
#define NODE  "\"NodeKey\":\"nodekey:" AB16 AB16 "\""
#define DISCO "\"DiscoKey\":\"discokey:" AB16 AB16 "\""

static struct err err;

static int map(const char *text, struct map_request *m)
{
    return map_request_read(text, strlen(text), m, &err);
}

static int reg(const char *text, struct register_request *r)
{
    return register_request_read(text, strlen(text), r, &err);
}

static void registrations_are_read_as_clients_send_them(void **state)
{
    struct register_request r;

    (void)state;
    assert_int_equal(
        reg("{\"Version\":133," NODE ",\"OldNodeKey\":\"nodekey:" AB16 AB16 "\",\"NLKey\":\"nlpub:00\","
            "\"Auth\":{\"AuthKey\":\"hskey-auth-x\"},\"Expiry\":\"0001-01-01T00:00:00Z\",\"Followup\":\"\","
            "\"Hostinfo\":{\"IPNVersion\":\"1.96.4\",\"OS\":\"linux\",\"OSVersion\":\"6.1\",\"Hostname\":"
            "\"alpha\",\"RoutableIPs\":[\"10.1.2.3/8\",\"0.0.0.0/0\",\"::/0\"],\"RequestTags\":[\"tag:b\","
            "\"tag:a\"],\"NetInfo\":{\"PreferredDERP\":900,\"DERPLatency\":{\"900-v4\":0.5}}},"
            "\"NodeKeySignature\":null}",
            &r),
        0);
    assert_int_equal(r.version, 133);
    assert_int_equal(r.node_key[31], 0xab);
    assert_string_equal(r.auth_key, "hskey-auth-x");
    assert_null(r.followup);
    assert_int_equal(r.expiry_ns, 0);
    const struct client_info *i = &r.client.info;
    assert_string_equal(i->hostname, "alpha");
    assert_string_equal(i->client_version, "1.96.4");
    assert_int_equal(i->routes.len, 3);
    assert_string_equal(i->request_tags.items[0], "tag:a");
    assert_int_equal(i->home_derp, 900);
    assert_string_equal(i->net_info, "{\"DERPLatency\":{\"900-v4\":0.5},\"PreferredDERP\":900}");
    assert_null(strstr(i->hostinfo, "NetInfo"));
    assert_string_equal(i->peer_hostinfo, "{\"OS\":\"linux\",\"Hostname\":\"alpha\"}");
    register_request_release(&r);
}

static void a_past_expiry_in_any_zone_is_a_logout(void **state)
{
    struct register_request r;

    (void)state;
    assert_int_equal(reg("{" NODE ",\"Expiry\":\"1970-01-01T03:02:03+03:00\"}", &r), 0);
    assert_true(r.expiry_ns > 0 && r.expiry_ns < clock_wall_ns());
    register_request_release(&r);
    assert_int_equal(reg("{" NODE ",\"Expiry\":\"\"}", &r), ERR_INVALID);
    assert_string_equal(err.field, "Expiry");
    register_request_release(&r);
}

static void a_followup_is_the_last_part_of_its_url(void **state)
{
    struct register_request r;

    (void)state;
    assert_int_equal(
        reg("{" NODE ",\"Followup\":\"https://h/vpn/register/hskey-authreq-0123456789abcdef01234567\"}", &r), 0);
    assert_string_equal(r.followup, "hskey-authreq-0123456789abcdef01234567");
    register_request_release(&r);
    assert_int_equal(reg("{" NODE ",\"Followup\":\"https://h/register/../../x\"}", &r), 0);
    assert_string_equal(r.followup, "unknown");
    register_request_release(&r);
}

static void keys_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"NodeKey\":null}",
        "{\"NodeKey\":\"\"}",
        "{\"NodeKey\":7}",
        "{\"NodeKey\":\"nodekey:00000000000000000000000000000000"
        "00000000000000000000000000000000\"}",
        "{\"NodeKey\":\"discokey:" AB16 AB16 "\"}",
        "{\"NodeKey\":\"nodekey:" AB16 "\"}",
    };
    struct register_request r;
    struct map_request m;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(reg(bad[i], &r), ERR_INVALID);
        assert_string_equal(err.field, "NodeKey");
        register_request_release(&r);
        assert_int_equal(map(bad[i], &m), ERR_INVALID);
        map_request_release(&m);
    }
    assert_int_equal(reg("[]", &r), ERR_INVALID);
    register_request_release(&r);
    assert_int_equal(reg("", &r), ERR_INVALID);
    register_request_release(&r);
}

static void the_version_of_a_request_that_is_wrong_otherwise_is_known(void **state)
{
    struct map_request m;

    (void)state;
    assert_int_equal(map("{\"Version\":109,\"NodeKey\":5}", &m), ERR_INVALID);
    assert_int_equal(m.version, 109);
    map_request_release(&m);
}

static void maps_are_read_as_clients_send_them(void **state)
{
    struct map_request m;

    (void)state;
    assert_int_equal(map("{\"Version\":142,\"Compress\":\"zstd\",\"KeepAlive\":true," NODE "," DISCO
                         ",\"Stream\":true,\"Hostinfo\":{},\"Endpoints\":[\"172.20.0.11:41641\",\"[2001:db8::1]:1\"],"
                         "\"EndpointTypes\":[1,2]}",
                         &m),
                     0);
    assert_true(m.stream && m.zstd && !m.omit_peers && m.has_endpoints && !m.client.info.no_hostinfo);
    assert_int_equal(m.endpoint_count, 2);
    assert_int_equal(m.endpoint_types[1], 2);
    assert_int_equal(m.disco_key[0], 0xab);
    assert_null(m.client.info.net_info);
    assert_int_equal(m.client.info.home_derp, 0);
    map_request_release(&m);

    assert_int_equal(map("{" NODE ",\"Stream\":true,\"Compress\":\"\",\"Endpoints\":null}", &m), 0);
    assert_false(m.has_endpoints || m.zstd);
    map_request_release(&m);
    assert_int_equal(map("{" NODE ",\"OmitPeers\":true}", &m), 0);
    assert_true(m.has_endpoints && m.endpoint_count == 0); /* complete, and it has none */
    assert_true(m.client.info.no_hostinfo);
    map_request_release(&m);
}

/* Nodes are named by the id that they were told; a client that looks for an exit node says "auto:any". */
static void the_exit_node_in_use_is_an_id(void **state)
{
    static const struct {
        const char *said;
        uint64_t id;
    } cases[] = {{"\"42\"", 42},
                 {"\"auto:any\"", 0},
                 {"\"\"", 0},
                 {"\"042\"", 0},
                 {"null", 0},
                 {"\"nX1CNTRL\"", 0},
                 {"\"18446744073709551615\"", 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct map_request m;
        char text[512];
        snprintf(text, sizeof(text), "{" NODE ",\"Hostinfo\":{\"ExitNodeID\":%s}}", cases[i].said);
        assert_int_equal(map(text, &m), 0);
        assert_int_equal(m.client.info.exit_node_id, cases[i].id);
        map_request_release(&m);
    }
}

static void endpoints_that_reach_nobody_are_left_out(void **state)
{
    struct map_request m;
    struct buf text = BUF_INIT(0);

    (void)state;
    assert_int_equal(map("{" NODE
                         ",\"Endpoints\":[\"fe80::1%eth0\",\"[fe80::1]:5\",\"x\",\"192.0.2.1:5\",\"192.0.2.1:5\"],"
                         "\"EndpointTypes\":[1,1,1,2,4]}",
                         &m),
                     0);
    assert_int_equal(m.endpoint_count, 1);
    assert_int_equal(m.endpoint_types[0], 2);
    map_request_release(&m);
    buf_adds(&text, "{" NODE ",\"Endpoints\":[\"192.0.2.1:1\"");
    for (int i = 2; i < 200; i++)
        buf_addf(&text, ",\"192.0.2.1:%d\"", i);
    buf_adds(&text, "]}");
    assert_int_equal(map(text.data, &m), 0);
    assert_int_equal(m.endpoint_count, ENDPOINTS_MAX);
    assert_string_equal(m.client.cut, "endpoints");
    map_request_release(&m);
    buf_release(&text);
}

static void names_carry_no_commands_to_a_terminal(void **state)
{
    struct map_request m;

    (void)state;
    assert_int_equal(map("{" NODE ",\"Hostinfo\":{\"Hostname\":\"a\\u001b[31mb\\u202ec\\u009bd\\ne\","
                         "\"OS\":\"\\u0007li\\u2066nux\"}}",
                         &m),
                     0);
    assert_string_equal(m.client.info.hostname, "a[31mbcde");
    assert_string_equal(m.client.info.os, "linux");
    map_request_release(&m);
}

static void long_names_end_at_a_character(void **state)
{
    char *odd = str_clean("a\xb4\x80\xc3\xa4\xc3"
                          "b\xf0\x9f\x98\x80\xff",
                          100);
    assert_string_equal(odd, "a\xc3\xa4"
                             "b\xf0\x9f\x98\x80");
    free(odd);
    char *cut = str_clean("\xc3\xa4\xc3\xb6\xc3\xbc", 5);

    (void)state;
    assert_string_equal(cut, "\xc3\xa4\xc3\xb6");
    free(cut);
}

static void peers_are_told_a_part_only(void **state)
{
    struct map_request m;

    (void)state;
    assert_int_equal(
        map("{" NODE ",\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"r\",\"BackendLogID\":\"secret\",\"Services\":["
            "{\"Proto\":\"peerapi4\",\"Port\":41112},{\"Proto\":\"tcp\",\"Port\":22,\"Description\":\"sshd\"},"
            "{\"Proto\":\"peerapi-dns-proxy\",\"Port\":1}],\"sshHostKeys\":[\"ssh-ed25519 AAAA\",5],"
            "\"Location\":{\"City\":\"Bern\",\"Priority\":100,\"Secret\":1},\"AppConnector\":true}}",
            &m),
        0);
    assert_string_equal(m.client.info.peer_hostinfo,
                        "{\"OS\":\"linux\",\"Hostname\":\"r\",\"Services\":[{\"Proto\":\"peerapi4\",\"Port\":41112},"
                        "{\"Proto\":\"peerapi-dns-proxy\",\"Port\":1}],\"sshHostKeys\":[\"ssh-ed25519 AAAA\"],"
                        "\"AppConnector\":true}"); /* no Location: by its Priority clients choose exit nodes */
    map_request_release(&m);
}

/* Go's decoder refuses a whole map for one member of the wrong kind. */
static void peers_are_told_what_they_can_decode(void **state)
{
    static const char *const said[] = {
        "{\"Location\":{\"Priority\":1.5}}",
        "{\"Services\":[{\"Proto\":\"peerapi4\",\"Port\":65536},{\"Proto\":\"peerapi4\",\"Port\":1.5},7]}",
        "{\"Services\":{\"Proto\":\"peerapi4\"},\"sshHostKeys\":\"k\",\"AppConnector\":\"true\"}",
        "{\"sshHostKeys\":[{},null,7,\"\"]}",
    };
    struct map_request m;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        json_t *peer = NULL;
        char *text = mem_format("{" NODE ",\"Hostinfo\":%s}", said[i]);
        assert_int_equal(map(text, &m), 0);
        const char *told = m.client.info.peer_hostinfo;
        assert_int_equal(json_read(told, strlen(told), HOSTINFO_MAX, "peer", &peer, NULL), 0);
        const char *bad = tailcfg_check_hostinfo(peer);
        if (bad)
            fail_msg("%s of %s", bad, told);
        json_decref(peer);
        map_request_release(&m);
        free(text);
    }
    char *repaired = peer_hostinfo_repair("{\"Hostname\":\"r\",\"Location\":{\"City\":\"Bern\",\"Priority\":1.5}}");
    assert_string_equal(repaired, "{\"Hostname\":\"r\"}");
    free(repaired);
    repaired = peer_hostinfo_repair("{");
    assert_string_equal(repaired, "{}");
    free(repaired);
}

static void a_huge_hostinfo_is_cut_down(void **state)
{
    struct map_request m;
    struct buf text = BUF_INIT(0);

    (void)state;
    buf_adds(&text, "{" NODE ",\"Hostinfo\":{\"Hostname\":\"big\",\"DeviceModel\":\"");
    for (int i = 0; i < 20000; i++)
        buf_addc(&text, 'x');
    buf_adds(&text, "\",\"RoutableIPs\":[\"10.0.0.0/24\"");
    for (int i = 1; i < 3000; i++)
        buf_addf(&text, ",\"10.%d.%d.0/24\"", i / 256, i % 256);
    buf_adds(&text, "]}}");
    assert_int_equal(map(text.data, &m), 0);
    assert_int_equal(m.client.info.routes.len, ROUTES_MAX);
    assert_string_equal(m.client.info.hostinfo, "{\"Hostname\":\"big\"}");
    assert_non_null(m.client.cut);
    map_request_release(&m);
    buf_release(&text);
}

static bool warns(const struct map_request *m)
{
    return strs_has(&m->flags, "warn-too-many-routes");
}

/* Whoever advertises more than is taken is warned of; an app connector advertises each address that it learns. */
static void routes_have_a_largest_number(void **state)
{
    static const struct {
        bool connector;
        size_t said, taken;
    } cases[] = {{false, 1000, 1000}, {false, 1001, 1000}, {true, 4096, 4096}, {true, 4097, 4096}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct map_request m;
        struct buf text = BUF_INIT(0);
        buf_addf(&text, "{" NODE ",\"Hostinfo\":{\"AppConnector\":%s,\"RoutableIPs\":[",
                 cases[i].connector ? "true" : "false");
        for (size_t k = 0; k < cases[i].said; k++)
            buf_addf(&text, "%s\"198.51.%zu.%zu/32\"", k ? "," : "", k / 256, k % 256);
        buf_adds(&text, "]}}");
        assert_int_equal(map(text.data, &m), 0);
        assert_int_equal(m.client.info.routes.len, cases[i].taken);
        assert_true(warns(&m) == (cases[i].said > cases[i].taken));
        map_request_release(&m);
        buf_release(&text);
    }
}

static void fields_of_the_wrong_kind_are_named(void **state)
{
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"{" NODE ",\"Hostinfo\":5}", "Hostinfo"},
        {"{" NODE ",\"Hostinfo\":{\"Hostname\":{}}}", "Hostname"},
        {"{" NODE ",\"Hostinfo\":{\"RoutableIPs\":[\"10.0.0.0/99\"]}}", "RoutableIPs"},
        {"{" NODE ",\"Hostinfo\":{\"RoutableIPs\":[\"10.0.0.0\"]}}", "RoutableIPs"},
        {"{" NODE ",\"Hostinfo\":{\"RoutableIPs\":{}}}", "RoutableIPs"},
        {"{" NODE ",\"Hostinfo\":{\"RequestTags\":[1]}}", "RequestTags"},
        {"{" NODE ",\"Hostinfo\":{\"NetInfo\":[]}}", "NetInfo"},
        {"{" NODE ",\"Endpoints\":[5]}", "Endpoints"},
        {"{" NODE ",\"Stream\":\"yes\"}", "Stream"},
        {"{" NODE ",\"DiscoKey\":\"\"}", "DiscoKey"},
    };
    struct map_request m;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(map(cases[i].text, &m), ERR_INVALID);
        assert_string_equal(err.field, cases[i].field);
        map_request_release(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registrations_are_read_as_clients_send_them),
        cmocka_unit_test(a_past_expiry_in_any_zone_is_a_logout),
        cmocka_unit_test(a_followup_is_the_last_part_of_its_url),
        cmocka_unit_test(keys_that_are_none_are_refused),
        cmocka_unit_test(the_version_of_a_request_that_is_wrong_otherwise_is_known),
        cmocka_unit_test(maps_are_read_as_clients_send_them),
        cmocka_unit_test(the_exit_node_in_use_is_an_id),
        cmocka_unit_test(endpoints_that_reach_nobody_are_left_out),
        cmocka_unit_test(names_carry_no_commands_to_a_terminal),
        cmocka_unit_test(long_names_end_at_a_character),
        cmocka_unit_test(peers_are_told_a_part_only),
        cmocka_unit_test(peers_are_told_what_they_can_decode),
        cmocka_unit_test(a_huge_hostinfo_is_cut_down),
        cmocka_unit_test(routes_have_a_largest_number),
        cmocka_unit_test(fields_of_the_wrong_kind_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
