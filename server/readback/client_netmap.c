/* SPDX-License-Identifier: BSD-3-Clause */
#include "readback/client_netmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/vec.h"

#define DEPTH_MAX 32

struct span_cursor {
    const char *at, *end;
};

static void skip_space(struct span_cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
        c->at++;
}

static bool take(struct span_cursor *c, char wanted)
{
    skip_space(c);
    if (c->at >= c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

/* The cursor is on its opening quote. */
static bool skip_string(struct span_cursor *c)
{
    for (c->at++; c->at < c->end; c->at++) {
        if (*c->at == '\\' && c->at + 1 < c->end)
            c->at++;
        else if (*c->at == '"') {
            c->at++;
            return true;
        }
    }
    return false;
}

static bool skip_scalar(struct span_cursor *c)
{
    const char *from = c->at;

    while (c->at<c->end && * c->at> ' ' && !strchr(",:{}[]\"", *c->at))
        c->at++;
    return c->at > from;
}

/* Matches brackets without checking what is between them: readers of a part parse it. */
static bool skip_value(struct span_cursor *c)
{
    char open[DEPTH_MAX];
    unsigned depth = 0;

    do {
        skip_space(c);
        if (c->at >= c->end)
            return false;
        char now = *c->at;
        if (now == '"') {
            if (!skip_string(c))
                return false;
        } else if (now == '{' || now == '[') {
            if (depth == DEPTH_MAX)
                return false;
            open[depth++] = now;
            c->at++;
        } else if (now == '}' || now == ']') {
            if (!depth || open[--depth] != (now == '}' ? '{' : '['))
                return false;
            c->at++;
        } else if (now == ',' || now == ':') {
            if (!depth)
                return false;
            c->at++;
        } else if (!skip_scalar(c)) {
            return false;
        }
    } while (depth);
    return true;
}

static bool take_value(struct span_cursor *c, struct json_span *out)
{
    skip_space(c);
    out->at = c->at;
    if (!skip_value(c))
        return false;
    out->len = (size_t)(c->at - out->at);
    return true;
}

bool span_member(const struct json_span *object, const char *key, struct json_span *out)
{
    struct span_cursor c = {object->at, object->at + object->len};
    size_t wanted = strlen(key);

    if (!take(&c, '{'))
        return false;
    do {
        struct json_span name;
        skip_space(&c);
        if (c.at >= c.end || *c.at != '"' || !take_value(&c, &name) || !take(&c, ':') || !take_value(&c, out))
            return false;
        if (name.len == wanted + 2 && memcmp(name.at + 1, key, wanted) == 0)
            return true;
    } while (take(&c, ','));
    return false;
}

static int read_peers(const struct json_span *list, struct client_netmap *out, struct err *e)
{
    struct span_cursor c = {list->at, list->at + list->len};
    VEC(struct json_span) peers = {0};
    struct json_span peer;
    int rc = 0;

    if (!take(&c, '['))
        return err_set(e, ERR_INVALID, "Peers is no list");
    if (take(&c, ']'))
        return 0;
    do {
        if (!take_value(&c, &peer) || *peer.at != '{')
            rc = err_set(e, ERR_INVALID, "an element of Peers is no object");
        else if (peer.len > CLIENT_PEER_MAX || peers.len >= CLIENT_PEERS_MAX)
            rc = err_set(e, ERR_TOOBIG, "Peers is larger than any tailnet");
        else
            vec_push(&peers, peer);
    } while (rc == 0 && take(&c, ','));
    out->peers = peers.items;
    out->count = peers.len;
    return rc;
}

int client_netmap_read(const char *text, size_t len, struct client_netmap *out, struct err *e)
{
    struct json_span whole = {text, len}, map, peers;

    *out = (struct client_netmap){0};
    if (len > CLIENT_NETMAP_MAX)
        return err_set(e, ERR_TOOBIG, "the network map is larger than %u MiB", CLIENT_NETMAP_MAX >> 20);
    if (!span_member(&whole, "current", &map) || *map.at != '{')
        return err_set(e, ERR_INVALID, "the answer holds no network map");
    if (!span_member(&map, "SelfNode", &out->self) || *out->self.at != '{')
        return err_set(e, ERR_INVALID, "the network map has no SelfNode");
    if (out->self.len > CLIENT_PEER_MAX)
        return err_set(e, ERR_TOOBIG, "SelfNode is larger than any node");
    if (!span_member(&map, "Peers", &peers) || *peers.at == 'n')
        return 0;
    int rc = read_peers(&peers, out, e);
    if (rc < 0)
        client_netmap_release(out);
    return rc;
}

void client_netmap_release(struct client_netmap *m)
{
    free(m->peers);
    *m = (struct client_netmap){0};
}

uint64_t client_node_id(const struct json_span *node)
{
    struct json_span value;
    char digits[24];
    uint64_t id = 0;

    if (!span_member(node, "ID", &value) || value.len >= sizeof(digits))
        return 0;
    memcpy(digits, value.at, value.len);
    digits[value.len] = '\0';
    return str_u64(digits, 1, UINT64_MAX, &id, "ID", NULL) == 0 ? id : 0;
}

int client_node_allowed(const struct json_span *node, struct prefixes *out, struct err *e)
{
    struct json_span list, item;
    char text[64];
    struct prefix p;

    prefixes_release(out);
    if (!span_member(node, "AllowedIPs", &list) || *list.at == 'n')
        return 0;
    struct span_cursor c = {list.at, list.at + list.len};
    if (!take(&c, '['))
        return err_set(e, ERR_INVALID, "AllowedIPs is no list");
    if (take(&c, ']'))
        return 0;
    do {
        if (!take_value(&c, &item) || item.len < 3 || item.len >= sizeof(text) || *item.at != '"' ||
            out->len >= CLIENT_PREFIXES_MAX)
            return err_set(e, ERR_INVALID, "AllowedIPs holds what is no prefix");
        memcpy(text, item.at + 1, item.len - 2);
        text[item.len - 2] = '\0';
        if (prefix_parse(text, &p, NULL, e) < 0)
            return ERR_INVALID;
        prefixes_add(out, &p);
    } while (take(&c, ','));
    return 0;
}
