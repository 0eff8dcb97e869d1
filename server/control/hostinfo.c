/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"

#include "control/request.h"
#include "model/hostinfo.h"

enum { TEXT_HOSTNAME, TEXT_OS, TEXT_OS_VERSION, TEXT_CLIENT_VERSION, TEXT_HOSTINFO, TEXT_PEER_HOSTINFO, TEXT_NET_INFO };

static int take_text(const json_t *h, const char *key, int which, const char **out, struct request_info *r,
                     struct err *e)
{
    const char *text = NULL;

    if (json_get_str(h, key, &text, e) < 0)
        return ERR_INVALID;
    if (text)
        *out = r->texts[which] = str_clean(text, REQUEST_TEXT_MAX);
    return 0;
}

static int take_routes(const json_t *h, struct request_info *r, struct err *e)
{
    size_t max = json_is_true(json_object_get(h, "AppConnector")) ? LEARNED_MAX : ROUTES_MAX, i;
    json_t *list = NULL, *item;

    if (json_get_array(h, "RoutableIPs", &list, e) < 0)
        return ERR_INVALID;
    json_array_foreach(list, i, item)
    {
        struct prefix p;
        struct err why;
        if (r->info.routes.len >= max) {
            r->cut = "routes";
            r->routes_cut = true;
            break;
        }
        if (!json_is_string(item))
            return err_field(e, ERR_INVALID, "RoutableIPs", "RoutableIPs holds something that is no prefix");
        if (prefix_parse_route(json_string_value(item), &p, &why) < 0)
            return err_field(e, ERR_INVALID, "RoutableIPs", "RoutableIPs: %s", why.message);
        prefixes_add(&r->info.routes, &p);
    }
    return 0;
}

static int take_tags(const json_t *h, struct request_info *r, struct err *e)
{
    json_t *list = NULL, *item;
    size_t i;

    if (json_get_array(h, "RequestTags", &list, e) < 0)
        return ERR_INVALID;
    json_array_foreach(list, i, item)
    {
        if (i >= REQUEST_TAGS_MAX) {
            r->cut = "tags";
            break;
        }
        if (!json_is_string(item))
            return err_field(e, ERR_INVALID, "RequestTags", "RequestTags must hold texts");
        char *tag = str_clean(json_string_value(item), REQUEST_TEXT_MAX);
        strs_push(&r->info.request_tags, tag);
        free(tag);
    }
    strs_sort(&r->info.request_tags);
    return 0;
}

static char *for_peers(const json_t *h)
{
    struct peer_hostinfo peer;

    peer_hostinfo_read(h, &peer);
    char *text = peer_hostinfo_text(&peer);
    peer_hostinfo_release(&peer);
    return text;
}

/* The whole object without the members that change all the time; if that is too large, only what peers see. */
static void take_whole(const json_t *h, struct request_info *r)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)h);

    json_object_del(copy, "NetInfo");
    r->texts[TEXT_HOSTINFO] = json_compact(copy);
    json_decref(copy);
    if (strlen(r->texts[TEXT_HOSTINFO]) > HOSTINFO_MAX) {
        free(r->texts[TEXT_HOSTINFO]);
        r->texts[TEXT_HOSTINFO] = mem_strdup(r->texts[TEXT_PEER_HOSTINFO]);
        r->cut = "bytes of Hostinfo";
    }
    r->info.hostinfo = r->texts[TEXT_HOSTINFO];
}

static int take_net_info(const json_t *h, struct request_info *r, struct err *e)
{
    json_t *net = NULL;
    uint64_t region = 0;

    if (json_get_object(h, "NetInfo", &net, e) < 0 || (net && json_get_u64(net, "PreferredDERP", &region, e) < 0))
        return ERR_INVALID;
    if (!net)
        return 0;
    r->info.home_derp = region <= INT32_MAX ? (uint32_t)region : 0;
    char *text = json_compact(net);
    if (strlen(text) <= HOSTINFO_MAX)
        r->info.net_info = r->texts[TEXT_NET_INFO] = text;
    else
        free(text);
    return 0;
}

/* The StableID of a node, which is its id. One of another server, from before the client came here, counts as none. */
static int take_exit_node(const json_t *h, struct request_info *r, struct err *e)
{
    const char *text = NULL;

    if (json_get_str(h, "ExitNodeID", &text, e) < 0)
        return ERR_INVALID;
    if (text && str_u64(text, 1, INT64_MAX, &r->info.exit_node_id, "ExitNodeID", NULL) < 0)
        r->info.exit_node_id = 0;
    return 0;
}

int request_info_read(const json_t *h, struct request_info *r, struct err *e)
{
    r->info.no_hostinfo = h == NULL;
    if (!h)
        return 0;
    if (take_text(h, "Hostname", TEXT_HOSTNAME, &r->info.hostname, r, e) < 0 ||
        take_text(h, "OS", TEXT_OS, &r->info.os, r, e) < 0 ||
        take_text(h, "OSVersion", TEXT_OS_VERSION, &r->info.os_version, r, e) < 0 ||
        take_text(h, "IPNVersion", TEXT_CLIENT_VERSION, &r->info.client_version, r, e) < 0 ||
        take_routes(h, r, e) < 0 || take_tags(h, r, e) < 0 || take_net_info(h, r, e) < 0 || take_exit_node(h, r, e) < 0)
        return ERR_INVALID;
    r->info.peer_hostinfo = r->texts[TEXT_PEER_HOSTINFO] = for_peers(h);
    if (strlen(r->info.peer_hostinfo) >
        HOSTINFO_MAX) /* keys and a location of the largest sizes, which no real client has */
        return err_field(e, ERR_TOOBIG, "Hostinfo", "Hostinfo has more than %u bytes for peers", HOSTINFO_MAX);
    take_whole(h, r);
    return 0;
}

void request_info_release(struct request_info *r)
{
    for (size_t i = 0; i < ARRAY_LEN(r->texts); i++)
        free(r->texts[i]);
    prefixes_release(&r->info.routes);
    strs_release(&r->info.request_tags);
    *r = (struct request_info){0};
}
