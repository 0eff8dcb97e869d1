/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"

#include "control/request.h"

enum { TEXT_HOSTNAME, TEXT_OS, TEXT_OS_VERSION, TEXT_CLIENT_VERSION, TEXT_HOSTINFO, TEXT_PEER_HOSTINFO, TEXT_NET_INFO };

char *clean_text(const char *text, size_t max)
{
    struct buf out = BUF_INIT(0);

    for (const char *p = text; *p;) {
        size_t n = 1;
        while (((unsigned char)p[n] & 0xc0) == 0x80) /* the parser lets valid UTF-8 through only */
            n++;
        if (out.len + n > max)
            break;
        unsigned char c = (unsigned char)p[0];
        bool c1 = n == 2 && c == 0xc2 && (unsigned char)p[1] < 0xa0;
        /* U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069 turn the text around them */
        bool turn = n == 3 && c == 0xe2 &&
                    (((unsigned char)p[1] == 0x80 && (unsigned char)p[2] >= 0x8e &&
                      ((unsigned char)p[2] <= 0x8f || ((unsigned char)p[2] >= 0xa8 && (unsigned char)p[2] <= 0xae))) ||
                     ((unsigned char)p[1] == 0x81 && (unsigned char)p[2] >= 0xa6 && (unsigned char)p[2] <= 0xa9));
        if (c >= 0x20 && c != 0x7f && !c1 && !turn)
            buf_add(&out, p, n);
        p += n;
    }
    return buf_take(&out);
}

static int take_text(const json_t *h, const char *key, int which, const char **out, struct request_info *r,
                     struct err *e)
{
    const char *text = NULL;

    if (json_get_str(h, key, &text, e) < 0)
        return ERR_INVALID;
    if (text)
        *out = r->texts[which] = clean_text(text, REQUEST_TEXT_MAX);
    return 0;
}

static int take_routes(const json_t *h, struct request_info *r, struct err *e)
{
    json_t *list = NULL, *item;
    size_t i;

    if (json_get_array(h, "RoutableIPs", &list, e) < 0)
        return ERR_INVALID;
    json_array_foreach(list, i, item)
    {
        struct prefix p;
        if (r->info.routes.len >= ROUTES_MAX) {
            r->cut = "routes";
            break;
        }
        if (!json_is_string(item) || prefix_parse(json_string_value(item), &p, NULL, e) < 0)
            return err_field(e, ERR_INVALID, "RoutableIPs", "RoutableIPs holds something that is no prefix");
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
        char *tag = clean_text(json_string_value(item), REQUEST_TEXT_MAX);
        strs_push(&r->info.request_tags, tag);
        free(tag);
    }
    strs_sort(&r->info.request_tags);
    return 0;
}

/* peerapi4, peerapi6 and peerapi-dns-proxy: what other clients look for. */
static void put_services(struct json_out *o, const json_t *h)
{
    const json_t *list = json_object_get(h, "Services"), *item;
    size_t i, taken = 0;
    bool open = false;

    json_array_foreach(list, i, item)
    {
        const char *proto = json_text(item, "Proto", "");
        json_int_t port = json_integer_value(json_object_get(item, "Port"));
        if (!str_starts(proto, "peerapi") || strlen(proto) > 32 || port <= 0 || port > 65535 || taken == SERVICES_MAX)
            continue;
        if (!open) {
            json_key(o, "Services");
            json_open(o, '[');
            open = true;
        }
        json_open(o, '{');
        json_put_str(o, "Proto", proto);
        json_put_i64(o, "Port", port);
        json_close(o, '}');
        taken++;
    }
    if (open)
        json_close(o, ']');
}

static void put_ssh_keys(struct json_out *o, const json_t *h)
{
    const json_t *list = json_object_get(h, "sshHostKeys"), *item;
    size_t i;

    if (json_array_size(list) == 0)
        return;
    json_key(o, "sshHostKeys");
    json_open(o, '[');
    json_array_foreach(list, i, item)
    {
        if (i < SSH_KEYS_MAX && json_is_string(item) && json_string_length(item) <= 2048)
            json_str(o, json_string_value(item));
    }
    json_close(o, ']');
}

static void put_location(struct json_out *o, const json_t *h)
{
    static const char *const texts[] = {"Country", "CountryCode", "City", "CityCode"};
    static const char *const numbers[] = {"Latitude", "Longitude", "Priority"};
    const json_t *l = json_object_get(h, "Location");

    if (!json_is_object(l))
        return;
    json_key(o, "Location");
    json_open(o, '{');
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *text = json_text(l, texts[i], "");
        if (*text && strlen(text) <= REQUEST_TEXT_MAX)
            json_put_str(o, texts[i], text);
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        const json_t *v = json_object_get(l, numbers[i]);
        if (!json_is_number(v))
            continue;
        char *text = json_compact(v);
        json_key(o, numbers[i]);
        json_raw(o, text, strlen(text));
        free(text);
    }
    json_close(o, '}');
}

static char *peer_hostinfo(const json_t *h, const struct client_info *info)
{
    struct buf text = BUF_INIT(0);
    struct json_out o = JSON_OUT(&text);

    json_open(&o, '{');
    if (info->os && *info->os)
        json_put_str(&o, "OS", info->os);
    if (info->hostname && *info->hostname)
        json_put_str(&o, "Hostname", info->hostname);
    put_services(&o, h);
    put_ssh_keys(&o, h);
    put_location(&o, h);
    if (json_is_true(json_object_get(h, "AppConnector")))
        json_put_bool(&o, "AppConnector", true);
    json_close(&o, '}');
    return buf_take(&text);
}

/* The whole object without what changes all the time; where that is too much, only what peers are told. */
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

int request_info_read(const json_t *h, struct request_info *r, struct err *e)
{
    r->info.no_hostinfo = h == NULL;
    if (!h)
        return 0;
    if (take_text(h, "Hostname", TEXT_HOSTNAME, &r->info.hostname, r, e) < 0 ||
        take_text(h, "OS", TEXT_OS, &r->info.os, r, e) < 0 ||
        take_text(h, "OSVersion", TEXT_OS_VERSION, &r->info.os_version, r, e) < 0 ||
        take_text(h, "IPNVersion", TEXT_CLIENT_VERSION, &r->info.client_version, r, e) < 0 ||
        take_routes(h, r, e) < 0 || take_tags(h, r, e) < 0 || take_net_info(h, r, e) < 0)
        return ERR_INVALID;
    r->info.peer_hostinfo = r->texts[TEXT_PEER_HOSTINFO] = peer_hostinfo(h, &r->info);
    if (strlen(r->info.peer_hostinfo) > HOSTINFO_MAX) /* keys and a place of the largest sizes: nobody needs them */
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
