/* SPDX-License-Identifier: BSD-3-Clause */
/* From a snapshot to the structs of model/api.h. */
#include <stdlib.h>

#include "api/view/view.h"
#include "model/secret.h"

#define SCANS_MAX 8

void show_init(struct api_view *v, struct api *api, const struct tailnet_snapshot *s)
{
    *v =
        (struct api_view){.s = s, .tailnet = api ? api->with.tailnet : NULL, .relays = api ? relays_get(api, s) : NULL};
}

void show_release(struct api_view *v)
{
    map_release(&v->nodes);
    relays_unref((struct relay_names *)(uintptr_t)v->relays);
}

/* ---- finding ---- */

static int node_by_id(const void *a, const void *b)
{
    const struct tailnet_node *x = *(const struct tailnet_node *const *)a, *y = *(const struct tailnet_node *const *)b;

    return x->record->r.id < y->record->r.id ? -1 : x->record->r.id > y->record->r.id;
}

const struct tailnet_node **show_nodes_by_id(const struct tailnet_snapshot *s, size_t *count)
{
    const struct tailnet_node **nodes = mem_resize(NULL, s->node_count + 1, sizeof(*nodes));

    *count = 0;
    for (size_t b = 0; b < s->block_count; b++)
        for (size_t i = 0; s->blocks[b] && i < TAILNET_BLOCK; i++)
            if (s->blocks[b]->nodes[i] && *count < s->node_count)
                nodes[(*count)++] = s->blocks[b]->nodes[i];
    qsort(nodes, *count, sizeof(*nodes), node_by_id);
    return nodes;
}

static const struct tailnet_node *scan_for(const struct tailnet_snapshot *s, uint64_t id)
{
    for (size_t b = 0; b < s->block_count; b++)
        for (size_t i = 0; s->blocks[b] && i < TAILNET_BLOCK; i++)
            if (s->blocks[b]->nodes[i] && s->blocks[b]->nodes[i]->record->r.id == id)
                return s->blocks[b]->nodes[i];
    return NULL;
}

/* Scanning for a few is cheaper than an index of all. */
const struct tailnet_node *show_find_node(struct api_view *v, uint64_t id)
{
    if (v->lookups < SCANS_MAX) {
        v->lookups++;
        return scan_for(v->s, id);
    }
    if (!v->nodes_filled) {
        v->nodes_filled = true;
        for (size_t b = 0; b < v->s->block_count; b++)
            for (size_t i = 0; v->s->blocks[b] && i < TAILNET_BLOCK; i++) {
                const struct tailnet_node *n = v->s->blocks[b]->nodes[i];
                if (n)
                    map_putu(&v->nodes, n->record->r.id, (void *)(uintptr_t)n);
            }
    }
    return map_getu(&v->nodes, id);
}

uint64_t *show_node_counts(const struct tailnet_snapshot *s)
{
    uint64_t *counts = mem_alloc((s->user_count + 1) * sizeof(*counts));
    struct map index = {0};

    for (size_t i = 0; i < s->user_count; i++)
        map_putu(&index, s->users[i]->r.id, &counts[i]);
    for (size_t b = 0; b < s->block_count; b++)
        for (size_t i = 0; s->blocks[b] && i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *n = s->blocks[b]->nodes[i];
            uint64_t *count = n && n->record->user_id ? map_getu(&index, n->record->user_id) : NULL;
            if (count)
                ++*count;
        }
    map_release(&index);
    return counts;
}

/* ---- users and keys ---- */

void show_user(const struct user *u, struct api_user *out)
{
    *out = (struct api_user){.id = u->r.id,
                             .name = *u->name ? u->name : user_login(u),
                             .display_name = u->display_name,
                             .email = u->email,
                             .provider_id = u->provider_id,
                             .provider = u->provider,
                             .picture_url = u->picture_url,
                             .created_ns = u->created_ns,
                             .role = (int)u->role,
                             .version = u->r.version,
                             .suspended_ns = u->suspended_ns,
                             .suspended_by = u->suspended_by,
                             .login_ns = u->login_ns,
                             .login_provider = u->login_provider,
                             .groups = u->groups};
}

static const struct api_user *user_copy(const struct user *u, struct arena *a)
{
    struct api_user *out = u ? arena_alloc(a, sizeof(*out)) : NULL;

    if (out)
        show_user(u, out);
    return out;
}

void show_preauth_key(struct api_view *v, const struct preauth_key *k, struct arena *a, struct api_preauth_key *out)
{
    char *shown = arena_alloc(a, SECRET_TEXT_MAX);

    *out = (struct api_preauth_key){.user = user_copy(snapshot_user(v->s, k->user_id), a),
                                    .id = k->r.id,
                                    .key = secret_masked(SECRET_PREAUTH_KEY, k->prefix, k->secret_hash, shown),
                                    .reusable = k->reusable,
                                    .ephemeral = k->ephemeral,
                                    .used = k->used,
                                    .expiration_ns = k->expiration_ns,
                                    .created_ns = k->created_ns,
                                    .tags = k->tags,
                                    .version = k->r.version,
                                    .revoked = k->revoked,
                                    .preauthorized = k->preauthorized};
}

void show_api_key(const struct api_key *k, struct arena *a, struct api_api_key *out)
{
    char *shown = arena_alloc(a, SECRET_TEXT_MAX);

    *out = (struct api_api_key){.id = k->r.id,
                                .prefix = secret_masked(SECRET_API_KEY, k->prefix, k->secret_hash, shown),
                                .expiration_ns = k->expiration_ns,
                                .created_ns = k->created_ns,
                                .last_seen_ns = k->last_seen_ns,
                                .description = k->description,
                                .read_only = k->read_only,
                                .version = k->r.version};
}

/* ---- nodes ---- */

/* What the node serves: the prefixes that it is elected for (including by grants with via), then its effective exit
 * routes, as headscale lists them. */
static struct prefixes serving_of(const struct tailnet_snapshot *s, const struct tailnet_node *n, struct arena *a)
{
    const struct node *r = n->record;
    size_t via = 0;

    for (size_t i = 0; i < s->via_primary_count; i++)
        via += s->via_primaries[i]->r.id == r->r.id;
    struct prefixes out = {.items = arena_alloc(a, (n->serving.len + via + 2) * sizeof(struct prefix))};
    for (size_t i = 0, k = 0; i < n->serving.len || k < s->via_primary_count;) {
        const struct via_primary *p = k < s->via_primary_count ? s->via_primaries[k] : NULL;
        const struct prefix *plain = i < n->serving.len ? &n->serving.items[i] : NULL;
        int order = !p ? -1 : !plain ? 1 : prefix_cmp(plain, &p->prefix);
        bool mine = p && p->r.id == r->r.id && !prefixes_has(&n->serving, &p->prefix) &&
                    (!out.len || prefix_cmp(&out.items[out.len - 1], &p->prefix) != 0);
        if (order > 0 ? mine : plain && order < 0)
            out.items[out.len++] = order > 0 ? p->prefix : *plain;
        if (order < 0)
            i++;
        else
            k++;
    }
    size_t elected = out.len;
    for (size_t i = 0; i < r->available.len && out.len < elected + 2; i++)
        if (prefix_is_exit(&r->available.items[i]) && prefixes_has(&r->approved, &r->available.items[i]))
            out.items[out.len++] = r->available.items[i];
    return out;
}

const char *show_relay_name(const struct api_view *v, uint64_t id)
{
    for (size_t i = 0; v->relays && i < v->relays->len; i++)
        if (v->relays->items[i].id == id)
            return v->relays->items[i].name;
    return "";
}

static const char *key_text(struct arena *a, const char *start, const uint8_t key[KEY_LEN])
{
    return key_format(start, key, arena_alloc(a, KEY_TEXT_MAX));
}

static const char *fqdn_of(struct api_view *v, const struct node *n, struct arena *a)
{
    struct buf b = BUF_INIT(0);

    snapshot_fqdn(v->s, n, &b);
    const char *text = arena_strdup(a, buf_text(&b));
    buf_release(&b);
    return text;
}

static struct api_list warnings_of(const struct node_warnings *w, struct arena *a)
{
    if (!w->len)
        return (struct api_list){0};
    struct api_warning *items = arena_alloc(a, w->len * sizeof(*items));
    for (size_t i = 0; i < w->len; i++)
        items[i] = (struct api_warning){w->items[i].code, w->items[i].text, w->items[i].since_ns};
    return (struct api_list){items, w->len};
}

void show_node(struct api_view *v, const struct tailnet_node *n, struct arena *a, struct api_node *out)
{
    const struct node *r = n->record;
    const struct preauth_key *k = r->preauth_key_id ? snapshot_preauth_key(v->s, r->preauth_key_id) : NULL;
    struct api_preauth_key *key = k ? arena_alloc(a, sizeof(*key)) : NULL;

    if (key)
        show_preauth_key(v, k, a, key);
    *out = (struct api_node){.id = r->r.id,
                             .machine_key = key_text(a, "mkey:", r->machine_key),
                             .node_key = key_text(a, "nodekey:", r->node_key),
                             .disco_key = key_text(a, "discokey:", r->disco_key),
                             .addrs = {r->ipv4, r->ipv6},
                             .hostname = r->hostname,
                             .given_name = r->given_name,
                             .user = user_copy(n->user, a),
                             .last_seen_ns = n->live.last_seen_ns,
                             .expiry_ns = r->expiry_ns,
                             .created_ns = r->created_ns,
                             .preauth_key = key,
                             .method = (int)r->method,
                             .online = n->live.online,
                             .approved = r->approved,
                             .available = r->available,
                             .serving = serving_of(v->s, n, a),
                             .tags = r->tags,
                             .fqdn = fqdn_of(v, r, a),
                             .version = r->r.version,
                             .expired = n->expired,
                             .logged_out = r->logged_out,
                             .ephemeral = r->ephemeral,
                             .needs_approval = !r->authorized,
                             .approval_ns = r->authorized_ns,
                             .approval_by = *r->authorized_by ? r->authorized_by : NULL,
                             .draining = r->draining,
                             .priority = r->priority,
                             .exit_node_id = r->exit_node_id,
                             .healthy = n->live.healthy,
                             .exit_node = node_is_exit(r),
                             .since_ns = n->live.since_ns,
                             .os = r->os,
                             .os_version = r->os_version,
                             .client_version = r->client_version,
                             .cap_version = r->cap_version,
                             .endpoints = {n->live.endpoints, n->live.endpoint_count},
                             .relay = n->live.home_derp,
                             .relay_name = show_relay_name(v, n->live.home_derp),
                             .source = n->live.source,
                             .removed = r->removed,
                             .warnings = warnings_of(&n->live.warnings, a)};
}

/* ---- waiting decisions and events ---- */

void show_pending(struct api_view *v, const struct pending *p, struct arena *a, struct api_pending *out)
{
    struct buf command = BUF_INIT(0);
    const struct tailnet_node *source = p->ssh ? show_find_node(v, p->ssh_source_id) : NULL;
    const struct tailnet_node *target = p->ssh ? show_find_node(v, p->ssh_target_id) : NULL;

    buf_addf(&command,
             p->ssh ? "headway auth approve --auth-id %s" : "headway auth register --auth-id %s --user USERNAME",
             p->auth_id);
    *out = (struct api_pending){.auth_id = p->auth_id,
                                .kind = p->ssh ? API_PENDING_SSH : API_PENDING_REGISTER,
                                .machine_key = key_text(a, "mkey:", p->machine_key),
                                .node_key = key_text(a, "nodekey:", p->node_key),
                                .hostname = p->hostname,
                                .os = p->os,
                                .client_version = p->client_version,
                                .source = p->source,
                                .request_tags = p->request_tags,
                                .routes = p->routes,
                                .created_ns = p->created_ns,
                                .expires_ns = p->expires_ns,
                                .command = arena_strdup(a, buf_text(&command)),
                                .ssh_source = source ? source->record->given_name : NULL,
                                .ssh_target = target ? target->record->given_name : NULL,
                                .ssh_user = p->ssh ? p->ssh_user : NULL};
    const struct login_progress *login = v->logins ? map_gets(v->logins, p->auth_id) : NULL;
    const struct user *user = login && login->user_id ? snapshot_user(v->s, login->user_id) : NULL;
    if (login) {
        out->login_provider = login->provider;
        out->login_user = user ? user->name : NULL;
        out->login_since_ns = login->since_ns;
    }
    buf_release(&command);
}

void show_event(const struct event *e, struct api_event *out)
{
    *out = (struct api_event){.id = {e->run, e->r.id},
                              .time_ns = e->time_ns,
                              .kind = e->kind,
                              .weight = (int)event_weight(e->kind),
                              .actor = e->actor,
                              .object = e->object,
                              .object_id = e->object_id,
                              .object_name = e->object_name,
                              .text = e->text,
                              .detail = *e->detail ? e->detail : NULL,
                              .undone_by = {e->undone_run, e->undone_by}};
}

/* ---- relays ---- */

static void relay_add(struct relay_names *relays, const json_t *region)
{
    uint64_t id = 0;

    if (json_get_u64(region, "RegionID", &id, NULL) < 0)
        return;
    relays->items = mem_resize(relays->items, relays->len + 1, sizeof(*relays->items));
    relays->items[relays->len++] = (struct relay_name){id, mem_strdup(json_text(region, "RegionCode", "")),
                                                       mem_strdup(json_text(region, "RegionName", ""))};
}

static int relay_by_id(const void *a, const void *b)
{
    const struct relay_name *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

static struct relay_names *relays_read(const struct tailnet_snapshot *s)
{
    struct relay_names *relays = mem_alloc(sizeof(*relays));
    const char *text = s->settings ? s->settings->derp_json : NULL;
    json_t *map = NULL, *regions, *region;
    const char *key;

    atomic_store(&relays->refs, 1);
    relays->version = s->settings ? s->settings->derp_version : 0;
    if (!text || json_read_large(text, strlen(text), 8 << 20, "DERP map", &map, NULL) < 0)
        return relays;
    regions = json_object_get(map, "Regions");
    json_object_foreach(regions, key, region) relay_add(relays, region);
    json_decref(map);
    if (relays->len)
        qsort(relays->items, relays->len, sizeof(*relays->items), relay_by_id);
    return relays;
}

void relays_unref(struct relay_names *relays)
{
    if (!relays || atomic_fetch_sub(&relays->refs, 1) != 1)
        return;
    for (size_t i = 0; i < relays->len; i++) {
        free(relays->items[i].code);
        free(relays->items[i].name);
    }
    free(relays->items);
    free(relays);
}

struct relay_names *relays_get(struct api *api, const struct tailnet_snapshot *s)
{
    struct relay_names *old = NULL, *fresh;

    pthread_mutex_lock(&api->lock);
    if (!api->relays || (s->settings && api->relays->version != s->settings->derp_version)) {
        old = api->relays;
        api->relays = relays_read(s);
    }
    fresh = api->relays;
    atomic_fetch_add(&fresh->refs, 1);
    pthread_mutex_unlock(&api->lock);
    relays_unref(old);
    return fresh;
}
