/* SPDX-License-Identifier: BSD-3-Clause */
#include "import/node_host.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/hostinfo.h"

/* The same limits as for clients (server/control/request.h). */
#define STORED_MAX (16u << 10)
#define ROUTES_MAX 1000
#define TAGS_MAX   64
#define TEXT_MAX   255

static void take_text(const json_t *host, const char *key, char **out)
{
    free(*out);
    *out = str_clean(json_text(host, key, ""), TEXT_MAX);
}

static void take_routes(const json_t *host, struct node *n)
{
    const json_t *list = json_object_get(host, "RoutableIPs"), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        struct prefix p;
        if (n->available.len < ROUTES_MAX && json_is_string(item) &&
            prefix_parse_route(json_string_value(item), &p, NULL) == 0)
            prefixes_add(&n->available, &p);
    }
}

static void take_tags(const json_t *host, struct node *n)
{
    const json_t *list = json_object_get(host, "RequestTags"), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (i < TAGS_MAX && json_is_string(item) && str_starts(json_string_value(item), "tag:") &&
            str_check(json_string_value(item), TEXT_MAX, false, "", NULL) == 0)
            strs_push(&n->request_tags, json_string_value(item));
    }
    strs_sort(&n->request_tags);
}

static void take_net_info(const json_t *host, struct node_live *live)
{
    const json_t *net = json_object_get(host, "NetInfo");
    json_int_t region = json_integer_value(json_object_get(net, "PreferredDERP"));

    if (!json_is_object(net))
        return;
    live->home_derp = region > 0 && region <= INT32_MAX ? (uint32_t)region : 0;
    char *text = json_compact(net);
    if (strlen(text) <= STORED_MAX) {
        free(live->net_info);
        live->net_info = text;
    } else {
        free(text);
    }
}

/* Takes the whole, without what changes all the time, and the part for peers; if that is too much, only the latter. */
static void take_whole(const json_t *host, struct node *n)
{
    struct peer_hostinfo peer;
    json_t *copy = json_copy((json_t *)(uintptr_t)host);

    peer_hostinfo_read(host, &peer);
    free(n->peer_hostinfo);
    n->peer_hostinfo = peer_hostinfo_text(&peer);
    peer_hostinfo_release(&peer);
    if (strlen(n->peer_hostinfo) > STORED_MAX)
        mem_replace(&n->peer_hostinfo, "{}");
    json_object_del(copy, "NetInfo");
    free(n->hostinfo);
    n->hostinfo = json_compact(copy);
    json_decref(copy);
    if (strlen(n->hostinfo) > STORED_MAX)
        mem_replace(&n->hostinfo, n->peer_hostinfo);
}

void node_host_read(const json_t *host, struct node *n, struct node_live *live)
{
    take_text(host, "OS", &n->os);
    take_text(host, "OSVersion", &n->os_version);
    take_text(host, "IPNVersion", &n->client_version);
    take_routes(host, n);
    take_tags(host, n);
    take_net_info(host, live);
    take_whole(host, n);
    if (str_u64(json_text(host, "ExitNodeID", ""), 1, INT64_MAX, &n->exit_node_id, "", NULL) < 0)
        n->exit_node_id = 0;
}
