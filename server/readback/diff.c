/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares what a client holds with what it would be sent now, node by node and member by member. Members that change
 * all the time (endpoints, last seen) and those that the client makes itself are left out. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "netmap/netmap.h"
#include "readback/client_netmap.h"
#include "readback/moves.h"
#include "json/json.h"

#define ROWS_MAX  1000
#define VALUE_MAX 400 /* bytes of a shown value */

static const struct {
    const char *name;
    bool self; /* compared for the own node too */
} members[] = {
    {"Name", true},
    {"User", true},
    {"Key", true},
    {"DiscoKey", false},
    {"Addresses", true},
    {"AllowedIPs", true},
    {"Tags", true},
    {"Online", false},
    {"Expired", true},
    {"PrimaryRoutes", true},
    {"MachineAuthorized", true},
};

struct map_comparison {
    const struct tailnet_snapshot *s;
    struct arena *arena;
    VEC(struct api_mismatch) rows;
    uint64_t count; /* in all, including those that are not listed */
};

/* ---- values ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Lists are compared as sets. */
static void put_list(const json_t *list, struct buf *out)
{
    VEC(const char *) texts = {0};
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item) vec_push(&texts, json_is_string(item) ? json_string_value(item) : "?");
    if (texts.len)
        qsort(texts.items, texts.len, sizeof(*texts.items), by_text);
    for (i = 0; i < texts.len; i++)
        buf_addf(out, "%s%s", i ? ", " : "", texts.items[i]);
    vec_release(&texts);
}

/* Absent, null, false, 0, "" and [] are all equal. */
static void put_value(const json_t *node, const char *name, struct buf *out)
{
    const json_t *v = json_object_get(node, name);

    if (!v && str_eq(name, "AllowedIPs")) /* if absent, they equal the addresses (capability version 112) */
        v = json_object_get(node, "Addresses");
    buf_clear(out);
    if (json_is_string(v))
        buf_adds(out, json_string_value(v));
    else if (json_is_array(v))
        put_list(v, out);
    else if (json_is_true(v))
        buf_adds(out, "true");
    else if (json_is_integer(v) && json_integer_value(v))
        buf_addf(out, "%lld", (long long)json_integer_value(v));
    else if (json_is_object(v) || json_is_real(v))
        buf_adds(out, "?");
}

static const char *kept(struct map_comparison *c, const struct buf *value)
{
    return arena_strndup(c->arena, buf_text(value), value->len < VALUE_MAX ? value->len : VALUE_MAX);
}

static void add_row(struct map_comparison *c, uint64_t id, const char *member, const char *has, const char *should)
{
    const struct tailnet_node *n = snapshot_node_by_id(c->s, id);

    c->count++;
    if (c->rows.len < ROWS_MAX)
        vec_push(&c->rows, ((struct api_mismatch){.node = id,
                                                  .name = n ? arena_strdup(c->arena, n->record->given_name) : "",
                                                  .member = member,
                                                  .has = has,
                                                  .should = should}));
}

static void compare_node(struct map_comparison *c, uint64_t id, const json_t *has, const json_t *should, bool self)
{
    struct buf a = BUF_INIT(0), b = BUF_INIT(0);

    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (self && !members[i].self)
            continue;
        put_value(has, members[i].name, &a);
        put_value(should, members[i].name, &b);
        if (a.len != b.len || memcmp(buf_text(&a), buf_text(&b), a.len) != 0)
            add_row(c, id, members[i].name, kept(c, &a), kept(c, &b));
    }
    buf_release(&a);
    buf_release(&b);
}

/* ---- nodes ---- */

static int read_span(const struct json_span *span, json_t **out, struct err *e)
{
    return json_read(span->at, span->len, CLIENT_PEER_MAX, "a node of the network map", out, e);
}

/* Indexes by id the peers of the map that the node should have. */
static void index_peers(const json_t *map, struct map *out)
{
    json_t *peer;
    size_t i;

    json_array_foreach(json_object_get(map, "Peers"), i, peer)
        map_putu(out, (uint64_t)json_integer_value(json_object_get(peer, "ID")), peer);
}

static const char *name_in(struct map_comparison *c, const json_t *node)
{
    const char *name = json_text(node, "Name", "?");

    return arena_strndup(c->arena, name, strnlen(name, VALUE_MAX));
}

static int compare_peers(struct map_comparison *c, const struct client_netmap *has, struct map *should, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < has->count; i++) {
        json_t *peer = NULL;
        rc = read_span(&has->peers[i], &peer, e);
        if (rc < 0)
            break;
        uint64_t id = client_node_id(&has->peers[i]);
        const json_t *wanted = map_delu(should, id);
        if (wanted)
            compare_node(c, id, peer, wanted, false);
        else
            add_row(c, id, "", name_in(c, peer), NULL);
        json_decref(peer);
    }
    for (const struct map_entry *m = map_first(should); rc == 0 && m; m = map_next(should, m)) {
        const json_t *wanted = m->value;
        add_row(c, (uint64_t)json_integer_value(json_object_get(wanted, "ID")), "", NULL, name_in(c, wanted));
    }
    return rc;
}

static int compare_maps(struct map_comparison *c, uint64_t node, const struct client_netmap *has, const json_t *should,
                        struct err *e)
{
    struct map peers = {0};
    json_t *self = NULL;
    int rc = read_span(&has->self, &self, e);

    if (rc == 0) {
        compare_node(c, node, self, json_object_get(should, "Node"), true);
        index_peers(should, &peers);
        rc = compare_peers(c, has, &peers, e);
    }
    json_decref(self);
    map_release(&peers);
    return rc;
}

static void say(const struct map_comparison *c, const char *name, size_t peers, struct api_diff *out)
{
    struct buf text = BUF_INIT(0);

    if (c->count)
        buf_addf(&text, "%s differs in %llu place%s from what it should hold", name, (unsigned long long)c->count,
                 c->count == 1 ? "" : "s");
    else
        buf_addf(&text, "%s holds what it should: itself and %zu peer%s", name, peers, peers == 1 ? "" : "s");
    out->text = arena_strdup(c->arena, buf_text(&text));
    buf_release(&text);
}

int readback_compare(struct readback *r, uint64_t node, const char *text, size_t len, struct arena *a,
                     struct api_diff *out, struct err *e)
{
    const struct tailnet_snapshot *s = tailnet_pin(r->options.tailnet);
    struct map_comparison c = {.s = s, .arena = a};
    struct client_netmap has = {0};
    struct buf whole = BUF_INIT(0);
    json_t *should = NULL;
    const struct tailnet_node *n = snapshot_node_by_id(s, node);
    int rc = n && netmap_whole(r->options.netmap, s, node, &whole)
                 ? client_netmap_read(text, len, &has, e)
                 : err_set(e, ERR_MISSING, "node not found: %llu", (unsigned long long)node);

    if (rc == 0)
        rc = json_read_large(buf_text(&whole), whole.len, whole.len, "the network map", &should, e);
    if (rc == 0)
        rc = compare_maps(&c, node, &has, should, e);
    *out = (struct api_diff){.node = node, .peers = has.count, .differences = c.count};
    if (rc == 0) {
        struct api_mismatch *list = arena_alloc(a, (c.rows.len + 1) * sizeof(*list));
        if (c.rows.len)
            memcpy(list, c.rows.items, c.rows.len * sizeof(*list));
        out->rows = (struct api_list){list, c.rows.len};
        out->name = arena_strdup(a, n->record->given_name);
        say(&c, n->record->given_name, has.count, out);
    }
    vec_release(&c.rows);
    client_netmap_release(&has);
    json_decref(should);
    buf_release(&whole);
    tailnet_unpin(s);
    return rc;
}
