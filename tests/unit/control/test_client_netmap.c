/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client may answer when asked for its network map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "readback/client_netmap.h"

static void a_network_map_is_cut_into_its_nodes(void **state)
{
    static const char text[] =
        " {\"x\":[{\"current\":1},\"\\\"}\"], \"current\" : {\"Peers\":[ {\"ID\": 7 ,\"Name\":\"a}\\\"\","
        "\"AllowedIPs\":[\"10.0.0.0/8\", \"fd00::/8\"]},{\"ID\":8,\"AllowedIPs\":null}],"
        "\"SelfNode\":{\"ID\":1}} }";
    struct client_netmap m;
    struct prefixes allowed = {0};
    struct err e;

    (void)state;
    assert_int_equal(client_netmap_read(text, sizeof(text) - 1, &m, &e), 0);
    assert_int_equal(m.count, 2);
    assert_int_equal(client_node_id(&m.self), 1);
    assert_int_equal(client_node_id(&m.peers[0]), 7);
    assert_int_equal(client_node_allowed(&m.peers[0], &allowed, &e), 0);
    assert_int_equal(allowed.len, 2);
    assert_int_equal(client_node_allowed(&m.peers[1], &allowed, &e), 0);
    assert_int_equal(allowed.len, 0);
    client_netmap_release(&m);
    for (size_t cut = 0; cut < sizeof(text) - 2; cut++)
        if (client_netmap_read(text, cut, &m, &e) == 0) {
            assert_true(cut > 150); /* only what stands behind the map may be missing */
            client_netmap_release(&m);
        }
}

static void what_is_no_network_map_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"current\":null}",
        "{\"current\":{}}",
        "{\"current\":{\"SelfNode\":[]}}",
        "{\"current\":{\"SelfNode\":{},\"Peers\":{}}}",
        "{\"current\":{\"SelfNode\":{},\"Peers\":[1]}}",
        "{\"current\":{\"SelfNode\":{},\"Peers\":[{]}}",
        "{\"current\":{\"SelfNode\":{},\"Peers\":[{}",
        "{\"current\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    };
    struct client_netmap m;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (client_netmap_read(texts[i], strlen(texts[i]), &m, &e) == 0)
            fail_msg("taken: %s", texts[i]);
    struct prefixes allowed = {0};
    const char bad[] = "{\"AllowedIPs\":[\"10.0.0.0/8\",\"x\"]}";
    assert_int_not_equal(client_node_allowed(&(struct json_span){bad, sizeof(bad) - 1}, &allowed, &e), 0);
    prefixes_release(&allowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_map_is_cut_into_its_nodes),
        cmocka_unit_test(what_is_no_network_map_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
