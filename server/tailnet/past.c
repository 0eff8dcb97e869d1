/* SPDX-License-Identifier: BSD-3-Clause */
#include "tailnet/past.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/vec.h"
#include "tailnet/publish.h"
#include "json/json.h"

#define IMAGE_MAX (1u << 20)

/* ---- fields ---- */

enum image_type { IMAGE_TEXT, IMAGE_TEXTS, IMAGE_PREFIXES, IMAGE_BOOL, IMAGE_TIME, IMAGE_ID, IMAGE_NUMBER };

struct image_field {
    const char *name;
    enum image_type type;
    size_t at;
};

#define NODE(name, type, member)                                                                                       \
    {                                                                                                                  \
        name, IMAGE_##type, offsetof(struct node, member)                                                              \
    }
#define USER(name, type, member)                                                                                       \
    {                                                                                                                  \
        name, IMAGE_##type, offsetof(struct user, member)                                                              \
    }

/* Members with a zero value are left out. */
static const struct image_field node_fields[] = {
    NODE("hostname", TEXT, hostname),
    NODE("name", TEXT, given_name),
    NODE("user", ID, user_id),
    NODE("tags", TEXTS, tags),
    NODE("ephemeral", BOOL, ephemeral),
    NODE("loggedOut", BOOL, logged_out),
    NODE("authorized", BOOL, authorized),
    NODE("authorizedAt", TIME, authorized_ns),
    NODE("authorizedBy", TEXT, authorized_by),
    NODE("created", TIME, created_ns),
    NODE("expiry", TIME, expiry_ns),
    NODE("available", PREFIXES, available),
    NODE("approved", PREFIXES, approved),
    NODE("approvedBy", TEXTS, approved_by),
    NODE("removed", PREFIXES, removed),
    NODE("draining", BOOL, draining),
    NODE("priority", NUMBER, priority),
    NODE("exitNode", ID, exit_node_id),
    NODE("os", TEXT, os),
    NODE("osVersion", TEXT, os_version),
    NODE("clientVersion", TEXT, client_version),
};

static const struct image_field user_fields[] = {
    USER("name", TEXT, name),
    USER("displayName", TEXT, display_name),
    USER("email", TEXT, email),
    USER("provider", TEXT, provider),
    USER("providerId", TEXT, provider_id),
    USER("created", TIME, created_ns),
    USER("suspended", TIME, suspended_ns),
    USER("suspendedBy", TEXT, suspended_by),
    USER("groups", TEXTS, groups),
};

static void put_texts(struct json_out *o, const struct strs *texts)
{
    json_open(o, '[');
    for (size_t i = 0; i < texts->len; i++)
        json_str(o, texts->items[i]);
    json_close(o, ']');
}

static void put_prefixes(struct json_out *o, const struct prefixes *prefixes)
{
    char text[PREFIX_TEXT_MAX];

    json_open(o, '[');
    for (size_t i = 0; i < prefixes->len; i++)
        json_str(o, prefix_format(&prefixes->items[i], text));
    json_close(o, ']');
}

static void put_field(struct json_out *o, const struct image_field *f, const void *object)
{
    const void *at = (const char *)object + f->at;

    switch (f->type) {
    case IMAGE_TEXT:
        if (**(char *const *)at)
            json_put_str(o, f->name, *(char *const *)at);
        break;
    case IMAGE_TEXTS:
        if (((const struct strs *)at)->len)
            json_key(o, f->name), put_texts(o, at);
        break;
    case IMAGE_PREFIXES:
        if (((const struct prefixes *)at)->len)
            json_key(o, f->name), put_prefixes(o, at);
        break;
    case IMAGE_BOOL:
        if (*(const bool *)at)
            json_put_bool(o, f->name, true);
        break;
    case IMAGE_TIME:
        if (*(const int64_t *)at)
            json_put_i64(o, f->name, *(const int64_t *)at);
        break;
    case IMAGE_ID:
        if (*(const uint64_t *)at)
            json_put_u64(o, f->name, *(const uint64_t *)at);
        break;
    case IMAGE_NUMBER:
        if (*(const uint32_t *)at)
            json_put_u64(o, f->name, *(const uint32_t *)at);
        break;
    }
}

static int get_i64(const json_t *object, const char *name, int64_t *out, struct err *e)
{
    const json_t *value = json_object_get(object, name);

    if (value && !json_is_integer(value))
        return err_field(e, ERR_IO, name, "%s is no number", name);
    *out = value ? json_integer_value(value) : 0;
    return 0;
}

static int get_list(const json_t *object, const struct image_field *f, void *at, struct err *e)
{
    json_t *list = NULL;
    int code = json_get_array(object, f->name, &list, e);

    for (size_t i = 0; code == 0 && i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        struct prefix p;
        if (!text || (f->type == IMAGE_PREFIXES && prefix_parse(text, &p, NULL, NULL) < 0))
            code = err_field(e, ERR_IO, f->name, "%s holds what it cannot", f->name);
        else if (f->type == IMAGE_PREFIXES)
            prefixes_add(at, &p);
        else
            strs_push(at, text);
    }
    return code;
}

static int get_field(const json_t *object, const struct image_field *f, void *to, struct err *e)
{
    void *at = (char *)to + f->at;
    const char *text = NULL;
    uint64_t number = 0;
    int code = 0;

    switch (f->type) {
    case IMAGE_TEXT:
        code = json_get_str(object, f->name, &text, e);
        mem_replace((char **)at, text ? text : "");
        break;
    case IMAGE_TEXTS:
    case IMAGE_PREFIXES:
        code = get_list(object, f, at, e);
        break;
    case IMAGE_BOOL:
        *(bool *)at = false;
        code = json_get_bool(object, f->name, at, e);
        break;
    case IMAGE_TIME:
        code = get_i64(object, f->name, at, e);
        break;
    case IMAGE_ID:
        *(uint64_t *)at = 0;
        code = json_get_u64(object, f->name, at, e);
        break;
    case IMAGE_NUMBER:
        code = json_get_u64(object, f->name, &number, e);
        *(uint32_t *)at = (uint32_t)number;
        break;
    }
    return code;
}

/* ---- images ---- */

void past_node(const struct tailnet_node *n, struct buf *out)
{
    const struct node *r = n->record;
    struct json_out o = JSON_OUT(out);
    char text[PREFIX_TEXT_MAX];

    json_open(&o, '{');
    for (size_t i = 0; i < ARRAY_LEN(node_fields); i++)
        put_field(&o, &node_fields[i], r);
    if (r->ipv4.bits)
        json_put_str(&o, "ipv4", addr_format(&r->ipv4, text));
    if (r->ipv6.bits)
        json_put_str(&o, "ipv6", addr_format(&r->ipv6, text));
    if (n->live.online)
        json_put_bool(&o, "online", true);
    if (!n->live.healthy)
        json_put_bool(&o, "unhealthy", true);
    json_close(&o, '}');
}

void past_user(const struct user *u, struct buf *out)
{
    struct json_out o = JSON_OUT(out);

    json_open(&o, '{');
    for (size_t i = 0; i < ARRAY_LEN(user_fields); i++)
        put_field(&o, &user_fields[i], u);
    json_put_str(&o, "role", user_role_name((int)u->role));
    json_close(&o, '}');
}

static void put_server(uint64_t node, int64_t since_ns, struct buf *out)
{
    struct json_out o = JSON_OUT(out);

    json_open(&o, '{');
    json_put_u64(&o, "node", node);
    json_put_i64(&o, "since", since_ns);
    json_close(&o, '}');
}

void past_primary(const struct primary *p, struct buf *out)
{
    put_server(p->r.id, p->since_ns, out);
}

void past_via_primary(const struct via_primary *p, struct buf *out)
{
    put_server(p->r.id, p->since_ns, out);
}

void past_via_key(const struct prefix *p, const char *tags, struct buf *out)
{
    char text[PREFIX_TEXT_MAX];

    buf_clear(out);
    buf_addf(out, "%s %s", prefix_format(p, text), tags);
}

static void take(struct past_images *out, enum history_kind kind, const char *key, struct buf *image)
{
    struct history *h = history_new();

    h->kind = kind;
    mem_replace(&h->key, key);
    mem_replace(&h->image, buf_text(image));
    buf_clear(image);
    vec_push(out, h);
}

void past_take(const struct tailnet_snapshot *s, struct past_images *out)
{
    struct buf image = BUF_INIT(0), name = BUF_INIT(0);
    char key[PREFIX_TEXT_MAX];

    for (uint32_t slot = 0; slot < s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *n = snapshot_node(s, slot);
        if (!n)
            continue;
        past_node(n, &image);
        snprintf(key, sizeof(key), "%llu", (unsigned long long)n->record->r.id);
        take(out, HISTORY_NODE, key, &image);
    }
    for (size_t i = 0; i < s->user_count; i++) {
        past_user(s->users[i], &image);
        snprintf(key, sizeof(key), "%llu", (unsigned long long)s->users[i]->r.id);
        take(out, HISTORY_USER, key, &image);
    }
    for (size_t i = 0; i < s->primary_count; i++) {
        past_primary(s->primaries[i], &image);
        take(out, HISTORY_PRIMARY, prefix_format(&s->primaries[i]->prefix, key), &image);
    }
    for (size_t i = 0; i < s->via_primary_count; i++) {
        past_via_primary(s->via_primaries[i], &image);
        past_via_key(&s->via_primaries[i]->prefix, s->via_primaries[i]->tags, &name);
        take(out, HISTORY_VIA_PRIMARY, buf_text(&name), &image);
    }
    for (size_t i = 0; s->nearest && i < s->nearest->len; i++) {
        past_nearest(s, &s->nearest->items[i], &image);
        take(out, HISTORY_NEAREST, prefix_format(&s->nearest->items[i].prefix, key), &image);
    }
    buf_release(&name);
    buf_release(&image);
}

void past_release(struct past_images *images)
{
    for (size_t i = 0; i < images->len; i++)
        record_unref(images->items[i]);
    vec_release(images);
}

/* ---- the tailnet at a past time ---- */

struct past_nearness {
    struct prefix prefix;
    VEC(struct past_viewer) viewers; /* later ones override earlier ones */
};

struct past_builder {
    int64_t at_ns;
    VEC(struct user *) users;
    VEC(struct node *) nodes;
    VEC(struct node_live) lives; /* by node */
    VEC(struct primary *) primaries;
    VEC(struct via_primary *) via_primaries;
    VEC(struct past_nearness) nearest; /* by prefix */
};

static int read_address(const json_t *object, const char *name, struct addr *out, struct err *e)
{
    const char *text = NULL;
    int code = json_get_str(object, name, &text, e);

    return code == 0 && text ? addr_parse(text, out, e) : code;
}

static int read_node(struct past_builder *b, uint64_t id, const json_t *image, struct err *e)
{
    struct node *n = node_new();
    struct node_live live = {.net_info = mem_strdup(""), .source = mem_strdup("")};
    bool unhealthy = false;
    int code = 0;

    n->r.id = id;
    vec_push(&b->nodes, n);
    for (size_t i = 0; i < ARRAY_LEN(node_fields) && code == 0; i++)
        code = get_field(image, &node_fields[i], n, e);
    if (code == 0 && (code = read_address(image, "ipv4", &n->ipv4, e)) == 0 &&
        (code = read_address(image, "ipv6", &n->ipv6, e)) == 0 &&
        (code = json_get_bool(image, "online", &live.online, e)) == 0)
        code = json_get_bool(image, "unhealthy", &unhealthy, e);
    live.healthy = !unhealthy;
    vec_push(&b->lives, live);
    return code;
}

static int read_user(struct past_builder *b, uint64_t id, const json_t *image, struct err *e)
{
    const char *role = json_text(image, "role", "");
    struct user *u = user_new();
    int code = 0;

    u->r.id = id;
    vec_push(&b->users, u);
    for (size_t i = 0; i < ARRAY_LEN(user_fields) && code == 0; i++)
        code = get_field(image, &user_fields[i], u, e);
    for (int x = ROLE_MEMBER; x <= ROLE_OWNER; x++)
        if (str_eq(role, user_role_name(x)))
            u->role = (enum user_role)x;
    return code;
}

static int read_primary(struct past_builder *b, const char *key, const json_t *image, struct err *e)
{
    struct primary *p = primary_new();
    int code;

    vec_push(&b->primaries, p);
    if ((code = prefix_parse(key, &p->prefix, NULL, e)) == 0 && (code = json_get_u64(image, "node", &p->r.id, e)) == 0)
        code = get_i64(image, "since", &p->since_ns, e);
    return code;
}

static int read_via_primary(struct past_builder *b, const char *key, const json_t *image, struct err *e)
{
    struct via_primary *p = via_primary_new();
    const char *tags = strchr(key, ' ');
    char text[PREFIX_TEXT_MAX] = "";
    int code;

    vec_push(&b->via_primaries, p);
    if (!tags || (size_t)(tags - key) >= sizeof(text))
        return err_field(e, ERR_IO, "key", "it names no group");
    memcpy(text, key, (size_t)(tags - key));
    mem_replace(&p->tags, tags + 1);
    if ((code = prefix_parse(text, &p->prefix, NULL, e)) == 0 && (code = json_get_u64(image, "node", &p->r.id, e)) == 0)
        code = get_i64(image, "since", &p->since_ns, e);
    return code;
}

static struct past_nearness *nearness_of(struct past_builder *b, const struct prefix *p)
{
    size_t at = 0;

    while (at < b->nearest.len && prefix_cmp(&b->nearest.items[at].prefix, p) < 0)
        at++;
    if (at == b->nearest.len || prefix_cmp(&b->nearest.items[at].prefix, p) != 0)
        *vec_insert(&b->nearest, at) = (struct past_nearness){.prefix = *p};
    return &b->nearest.items[at];
}

static void add_viewer(void *arg, uint64_t viewer, uint64_t router)
{
    struct past_nearness *n = arg;

    vec_push(&n->viewers, ((struct past_viewer){viewer, router}));
}

static int read_nearest(struct past_builder *b, const struct history *h, struct err *e)
{
    struct prefix p;
    int code = prefix_parse(h->key, &p, NULL, e);

    return code == 0 ? past_nearest_read(h->image, add_viewer, nearness_of(b, &p), e) : code;
}

static int damaged(const struct history *h, struct err *e)
{
    e->code = ERR_IO;
    err_prefix(e, "history, row %llu (%.60s)", (unsigned long long)h->r.id, h->key);
    return ERR_IO;
}

/* Images of moves come after images of all viewers. */
static int read_nearness(struct past_builder *b, struct history *const *images, size_t count, struct err *e)
{
    for (enum history_kind kind = HISTORY_NEAREST; kind <= HISTORY_NEAREST_MOVES; kind++)
        for (size_t i = 0; i < count; i++)
            if (images[i]->kind == kind && *images[i]->image && read_nearest(b, images[i], e) < 0)
                return damaged(images[i], e);
    return 0;
}

static int read_image(struct past_builder *b, const struct history *h, struct err *e)
{
    json_t *image = NULL;
    uint64_t id = 0;
    int code;

    if (!*h->image)
        return 0;
    if ((code = json_read_large(h->image, strlen(h->image), IMAGE_MAX, "image", &image, e)) == 0) {
        if (h->kind == HISTORY_PRIMARY)
            code = read_primary(b, h->key, image, e);
        else if (h->kind == HISTORY_VIA_PRIMARY)
            code = read_via_primary(b, h->key, image, e);
        else if ((code = str_u64(h->key, 1, INT64_MAX, &id, "key", e)) == 0)
            code = h->kind == HISTORY_NODE ? read_node(b, id, image, e) : read_user(b, id, image, e);
    }
    json_decref(image);
    return code < 0 ? damaged(h, e) : 0;
}

static int by_id(const void *a, const void *b)
{
    const struct record *x = *(struct record *const *)a, *y = *(struct record *const *)b;

    return x->id < y->id ? -1 : x->id > y->id;
}

static int by_prefix(const void *a, const void *b)
{
    return prefix_cmp(&(*(struct primary *const *)a)->prefix, &(*(struct primary *const *)b)->prefix);
}

static int by_group(const void *a, const void *b)
{
    const struct via_primary *x = *(struct via_primary *const *)a, *y = *(struct via_primary *const *)b;
    int order = prefix_cmp(&x->prefix, &y->prefix);

    return order ? order : strcmp(x->tags, y->tags);
}

/* places: node -> its slot + 1. */
static uint32_t slot_in(const struct map *places, uint64_t id)
{
    uintptr_t place = id ? (uintptr_t)map_getu(places, id) : 0;

    return place ? (uint32_t)place - 1 : TAILNET_SLOT_NONE;
}

static void build_viewers(const struct past_builder *b, const struct past_nearness *from, const struct map *places,
                          struct nearest_prefix *to)
{
    *to = (struct nearest_prefix){.prefix = from->prefix,
                                  .primary = TAILNET_SLOT_NONE,
                                  .routers = mem_alloc((b->nodes.len + 1) * sizeof(*to->routers)),
                                  .viewers = b->nodes.len};
    for (size_t i = 0; i < b->nodes.len; i++)
        to->routers[i] = TAILNET_SLOT_NONE;
    for (size_t i = 0; i < b->primaries.len; i++)
        if (prefix_cmp(&b->primaries.items[i]->prefix, &from->prefix) == 0)
            to->primary = slot_in(places, b->primaries.items[i]->r.id);
    for (size_t i = 0; i < from->viewers.len; i++) {
        uint32_t slot = slot_in(places, from->viewers.items[i].viewer);
        if (slot != TAILNET_SLOT_NONE)
            to->routers[slot] = slot_in(places, from->viewers.items[i].router);
    }
}

static void build_nearest(const struct past_builder *b, struct tailnet_snapshot *s)
{
    struct map places = {0};

    if (!b->nearest.len)
        return;
    for (size_t i = 0; i < b->nodes.len; i++)
        map_putu(&places, b->nodes.items[i]->r.id, (void *)(uintptr_t)(i + 1));
    struct tailnet_nearest *all = tailnet_nearest_new(b->nearest.len);
    for (size_t i = 0; i < b->nearest.len; i++)
        build_viewers(b, &b->nearest.items[i], &places, &all->items[i]);
    map_release(&places);
    snapshot_set_nearest(s, all);
}

static void build(struct past_builder *b, struct tailnet_snapshot *s)
{
    struct map serving = {0}; /* node -> struct prefixes */

    if (b->users.len)
        qsort(b->users.items, b->users.len, sizeof(*b->users.items), by_id);
    snapshot_set_users(s, (const struct user *const *)b->users.items, b->users.len);
    if (b->primaries.len)
        qsort(b->primaries.items, b->primaries.len, sizeof(*b->primaries.items), by_prefix);
    snapshot_set_primaries(s, (const struct primary *const *)b->primaries.items, b->primaries.len);
    if (b->via_primaries.len)
        qsort(b->via_primaries.items, b->via_primaries.len, sizeof(*b->via_primaries.items), by_group);
    snapshot_set_via_primaries(s, (const struct via_primary *const *)b->via_primaries.items, b->via_primaries.len);
    for (size_t i = 0; i < b->primaries.len; i++) {
        struct prefixes *of = map_getu(&serving, b->primaries.items[i]->r.id);
        if (!of) {
            of = mem_alloc(sizeof(*of));
            map_putu(&serving, b->primaries.items[i]->r.id, of);
        }
        prefixes_add(of, &b->primaries.items[i]->prefix);
    }
    for (size_t i = 0; i < b->nodes.len; i++) {
        const struct node *n = b->nodes.items[i];
        const struct prefixes none = {0}, *of = map_getu(&serving, n->r.id);
        struct tailnet_node *x = tailnet_node_new((uint32_t)i, i + 1, n, snapshot_user(s, n->user_id),
                                                  &b->lives.items[i], of ? of : &none, node_is_expired(n, b->at_ns));
        snapshot_set_node(s, (uint32_t)i, x, i + 1);
    }
    for (struct map_entry *m = map_first(&serving); m; m = map_next(&serving, m)) {
        prefixes_release(m->value);
        free(m->value);
    }
    map_release(&serving);
    build_nearest(b, s);
}

static void builder_release(struct past_builder *b)
{
    for (size_t i = 0; i < b->users.len; i++)
        record_unref(b->users.items[i]);
    for (size_t i = 0; i < b->nodes.len; i++)
        record_unref(b->nodes.items[i]);
    for (size_t i = 0; i < b->lives.len; i++)
        node_live_release(&b->lives.items[i]);
    for (size_t i = 0; i < b->primaries.len; i++)
        record_unref(b->primaries.items[i]);
    for (size_t i = 0; i < b->via_primaries.len; i++)
        record_unref(b->via_primaries.items[i]);
    for (size_t i = 0; i < b->nearest.len; i++)
        vec_release(&b->nearest.items[i].viewers);
    vec_release(&b->nearest);
    vec_release(&b->via_primaries);
    vec_release(&b->users);
    vec_release(&b->nodes);
    vec_release(&b->lives);
    vec_release(&b->primaries);
}

int past_snapshot(struct history *const *images, size_t count, const struct policy_text *policy,
                  struct tailnet_settings *settings, int64_t at_ns, struct tailnet_snapshot **out, struct err *e)
{
    struct past_builder b = {.at_ns = at_ns};
    int code = 0;

    for (size_t i = 0; i < count && code == 0; i++)
        if (images[i]->kind <= HISTORY_VIA_PRIMARY && images[i]->kind != HISTORY_POLICY)
            code = read_image(&b, images[i], e);
    if (code == 0)
        code = read_nearness(&b, images, count, e);
    *out = NULL;
    if (code == 0) {
        *out = snapshot_edit(NULL);
        (*out)->wall_ns = at_ns;
        snapshot_set_settings(*out, settings);
        snapshot_set_policy(*out, policy);
        build(&b, *out);
    }
    builder_release(&b);
    return code;
}
