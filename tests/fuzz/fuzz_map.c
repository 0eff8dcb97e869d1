/* SPDX-License-Identifier: BSD-3-Clause */
/* Map requests: whatever is accepted must hold the bounds that the rest of the daemon relies on. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "control/request.h"
#include "netmap/encode.h"
#include "shared/client/tailcfg_types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

/* The entry that others are told of a node that says this. */
static void check_peer(const struct map_request *r)
{
    struct tailnet_settings settings = {.base_domain = (char[]){"t.test"}};
    struct tailnet_snapshot snapshot = {.settings = &settings};
    const struct client_info *info = &r->client.info;
    struct node *record = node_new();
    struct tailnet_node n = {.record = record};
    struct buf text = BUF_INIT(0);
    struct json_out o = JSON_OUT(&text);
    json_t *peer = NULL;

    record->r.id = 1;
    memcpy(record->node_key, r->node_key, KEY_LEN);
    memcpy(record->disco_key, r->disco_key, KEY_LEN);
    record->cap_version = r->version;
    if (info->hostname)
        mem_replace(&record->hostname, info->hostname);
    if (info->peer_hostinfo)
        mem_replace(&record->peer_hostinfo, info->peer_hostinfo);
    n.live = (struct node_live){
        .endpoints = r->endpoints, .endpoint_count = (uint16_t)r->endpoint_count, .home_derp = info->home_derp};
    encode_peer(&o, &snapshot, &n, &info->routes, false);
    check(json_read(buf_text(&text), text.len, 1 << 20, "peer", &peer, NULL) == 0);
    const char *bad = tailcfg_check_node(peer);
    if (bad)
        fprintf(stderr, "a client could not decode %s of %s\n", bad, buf_text(&text));
    check(!bad);
    json_decref(peer);
    record_unref(record);
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct map_request r;
    struct err e;
    char *body = malloc(size + 1); /* as from the connection: a NUL follows */

    memcpy(body, data, size);
    body[size] = '\0';
    if (map_request_read(body, size, &r, &e) == 0) {
        const struct client_info *info = &r.client.info;
        check(!key_is_zero(r.node_key) && r.endpoint_count <= ENDPOINTS_MAX);
        check(info->routes.len <= ROUTES_MAX && info->request_tags.len <= REQUEST_TAGS_MAX);
        check(!info->hostname || str_check(info->hostname, REQUEST_TEXT_MAX, true, "hostname", NULL) == 0);
        check(!info->hostinfo || strlen(info->hostinfo) <= HOSTINFO_MAX);
        check_peer(&r);
    }
    map_request_release(&r);
    free(body);
    return 0;
}
