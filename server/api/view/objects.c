/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes objects and whole lists of a snapshot. */
#include <stdlib.h>

#include "api/request/reply.h"
#include "api/view/objects.h"
#include "api/view/operations.h"
#include "model/api_health.h"
#include "tailscale/tailscale.h"

/* headscale's pseudo user, which its lists show as the owner of tagged nodes. */
static const struct api_user tagged_devices = {.id = TAGGED_USER_ID,
                                               .name = "tagged-devices",
                                               .display_name = "Tagged Devices",
                                               .email = "",
                                               .provider_id = "",
                                               .provider = "",
                                               .picture_url = ""};

static void put_node(struct json_out *o, struct api_view *v, const struct tailnet_node *n, enum api_scope scope,
                     bool pseudo_user)
{
    struct arena a = ARENA_INIT(0);
    struct api_node out;

    show_node(v, n, &a, &out);
    if (scope != API_V1)
        show_node_routes(v, n, &a, &out);
    else if (pseudo_user && !out.user)
        out.user = &tagged_devices;
    api_write(o, &api_node_shape, &out, scope);
    arena_release(&a);
}

void write_node(struct json_out *o, struct api_view *v, const struct tailnet_node *n, enum api_scope scope)
{
    put_node(o, v, n, scope, false);
}

static void put_nodes(struct json_out *o, struct api_view *v, const struct tailnet_node **nodes, size_t count,
                      enum api_scope scope)
{
    json_open(o, '[');
    for (size_t i = 0; i < count; i++)
        put_node(o, v, nodes[i], scope, true);
    json_close(o, ']');
}

void write_nodes(struct json_out *o, struct api_view *v, enum api_scope scope)
{
    size_t count;
    const struct tailnet_node **nodes = show_nodes_by_id(v->s, &count);

    put_nodes(o, v, nodes, count, scope);
    free(nodes);
}

static int by_name(const void *a, const void *b)
{
    const struct tailnet_node *x = *(const struct tailnet_node *const *)a, *y = *(const struct tailnet_node *const *)b;

    return strverscmp(x->record->given_name, y->record->given_name);
}

void write_nodes_by_name(struct json_out *o, struct api_view *v, enum api_scope scope)
{
    size_t count;
    const struct tailnet_node **nodes = show_nodes_by_id(v->s, &count);

    qsort(nodes, count, sizeof(*nodes), by_name);
    put_nodes(o, v, nodes, count, scope);
    free(nodes);
}

void write_user(struct json_out *o, struct api_view *v, const struct user *u, enum api_scope scope)
{
    struct api_user out;

    show_user(u, &out);
    for (size_t b = 0; scope != API_V1 && b < v->s->block_count; b++)
        for (size_t i = 0; v->s->blocks[b] && i < TAILNET_BLOCK; i++)
            out.node_count += v->s->blocks[b]->nodes[i] && v->s->blocks[b]->nodes[i]->record->user_id == u->r.id;
    api_write(o, &api_user_shape, &out, scope == API_V1 ? API_V1 : API_HEADWAY_TOP);
}

void write_users(struct json_out *o, struct api_view *v, enum api_scope scope)
{
    uint64_t *counts = show_node_counts(v->s);

    (void)scope;
    json_open(o, '[');
    for (size_t i = 0; i < v->s->user_count; i++) {
        struct api_user out;
        show_user(v->s->users[i], &out);
        out.node_count = counts[i];
        api_write(o, &api_user_shape, &out, API_HEADWAY_TOP);
    }
    json_close(o, ']');
    free(counts);
}

void write_preauth_key(struct json_out *o, struct api_view *v, const struct preauth_key *k, const char *whole,
                       enum api_scope scope)
{
    struct arena a = ARENA_INIT(0);
    struct api_preauth_key out;

    show_preauth_key(v, k, &a, &out);
    if (whole)
        out.key = whole;
    api_write(o, &api_preauth_key_shape, &out, scope);
    arena_release(&a);
}

void write_preauth_keys(struct json_out *o, struct api_view *v, enum api_scope scope)
{
    json_open(o, '[');
    for (size_t i = 0; i < v->s->preauth_key_count; i++)
        write_preauth_key(o, v, v->s->preauth_keys[i], NULL, scope);
    json_close(o, ']');
}

void write_api_key(struct json_out *o, const struct api_key *k, const char *whole, enum api_scope scope)
{
    struct arena a = ARENA_INIT(0);
    struct api_api_key out;

    show_api_key(k, &a, &out);
    out.key = whole;
    api_write(o, &api_api_key_shape, &out, scope);
    arena_release(&a);
}

void write_api_keys(struct json_out *o, struct api_view *v, enum api_scope scope)
{
    json_open(o, '[');
    for (size_t i = 0; i < v->s->api_key_count; i++)
        write_api_key(o, v->s->api_keys[i], NULL, scope);
    json_close(o, ']');
}

void write_oauth_client(struct json_out *o, const struct oauth_client *c, const char *whole, enum api_scope scope)
{
    const struct api_oauth_client out = {.id = c->r.id,
                                         .client_id = c->client_id,
                                         .description = c->description,
                                         .scopes = c->scopes,
                                         .tags = c->tags,
                                         .created_ns = c->created_ns,
                                         .last_seen_ns = c->last_seen_ns,
                                         .version = c->r.version,
                                         .key = whole};

    api_write(o, &api_oauth_client_shape, &out, scope);
}

void write_oauth_clients(struct json_out *o, struct api_view *v, enum api_scope scope)
{
    json_open(o, '[');
    for (size_t i = 0; i < v->s->oauth_client_count; i++)
        write_oauth_client(o, v->s->oauth_clients[i], NULL, scope);
    json_close(o, ']');
}

void write_pending(struct json_out *o, struct api_view *v, const struct pending *p)
{
    struct arena a = ARENA_INIT(0);
    struct api_pending out;

    show_pending(v, p, &a, &out);
    api_write(o, &api_pending_shape, &out, API_HEADWAY);
    arena_release(&a);
}

void write_pendings(struct json_out *o, struct api_view *v, enum api_scope scope)
{
    (void)scope;
    json_open(o, '[');
    for (size_t i = 0; i < v->s->pending_count; i++)
        write_pending(o, v, v->s->pendings[i]);
    json_close(o, ']');
}

void write_prefix(struct json_out *o, struct api_view *v, const struct prefix *p,
                  const struct prefix_settings *settings)
{
    struct prefixes only = {0};
    struct arena a = ARENA_INIT(0);
    struct api_list list;

    prefixes_add(&only, p);
    show_prefixes(v, &only, &a, &list);
    struct api_prefix out = {.prefix = *p, .exit = prefix_is_exit(p)};
    if (list.len)
        out = *api_at(&list, struct api_prefix, 0);
    show_rule(v->s, settings, &a, &out);
    api_write(o, &api_prefix_shape, &out, API_HEADWAY);
    arena_release(&a);
    prefixes_release(&only);
}

/* Prefixes with settings that no node routes. */
static void write_unrouted(struct json_out *o, struct api_view *v, const struct prefix_settings *settings)
{
    struct api_prefix out = {.prefix = settings->prefix, .exit = prefix_is_exit(&settings->prefix)};
    struct arena a = ARENA_INIT(0);

    show_rule(v->s, settings, &a, &out);
    api_write(o, &api_prefix_shape, &out, API_HEADWAY);
    arena_release(&a);
}

void write_prefixes(struct json_out *o, struct api_view *v, enum api_scope scope)
{
    const struct tailnet_snapshot *s = v->s;
    struct arena a = ARENA_INIT(0);
    struct api_list list;
    size_t k = 0;

    (void)scope;
    show_prefixes(v, NULL, &a, &list);
    json_open(o, '[');
    for (size_t i = 0; i < list.len || k < s->prefix_settings_count;) {
        const struct api_prefix *p = i < list.len ? api_at(&list, struct api_prefix, i) : NULL;
        const struct prefix_settings *set = k < s->prefix_settings_count ? s->prefix_settings[k] : NULL;
        int order = !p ? 1 : !set ? -1 : prefix_cmp(&p->prefix, &set->prefix);
        if (set && order > 0)
            write_unrouted(o, v, set);
        else if (p)
            api_write(o, &api_prefix_shape, p, API_HEADWAY);
        i += order <= 0;
        k += order >= 0;
    }
    json_close(o, ']');
    arena_release(&a);
}

void write_event(struct json_out *o, const struct event *e)
{
    struct buf inverse = BUF_INIT(0);
    struct api_event out;

    show_event(e, &out);
    out.inverse = operation_as_call(e->inverse, &inverse) ? buf_text(&inverse) : NULL;
    api_write(o, &api_event_shape, &out, API_HEADWAY);
    buf_release(&inverse);
}

void write_event_id(struct json_out *o, const char *key, uint64_t run, uint64_t seq)
{
    char text[API_EVENT_ID_MAX];

    json_key(o, key);
    if (run)
        json_str(o, api_event_id_format(&(struct api_event_id){run, seq}, text));
    else
        json_nil(o);
}

/* ---- lists ---- */

enum api_scope scope_of(const struct rest_request *r)
{
    return r->endpoint->dialect == DIALECT_V1 ? API_V1 : API_HEADWAY;
}

enum http_flow reply_list(struct rest_request *r, const char *name, write_list *write)
{
    struct json_out o = reply_json(r);
    struct api_view v;

    show_init(&v, r->api, r->s);
    json_open(&o, '{');
    json_key(&o, name);
    write(&o, &v, scope_of(r));
    json_close(&o, '}');
    show_release(&v);
    return HTTP_DONE;
}

/* DNS values as shown. split: holds the text of its member. */
static struct api_dns_values shown_dns(const struct dns_values *v, struct buf *split)
{
    struct json_out o = JSON_OUT(split);

    dns_split_write(&o, &v->split, json_str);
    return (struct api_dns_values){v->magic_dns, v->override_local, v->nameservers, buf_text(split), v->search};
}

void write_dns(struct json_out *o, const struct config *c, const struct dns_settings *own)
{
    struct dns_values now = {0}, configured = {0};
    struct buf split = BUF_INIT(0), configured_split = BUF_INIT(0);
    const char *name;
    unsigned member;

    core_dns_values(c, own, &now);
    core_dns_values(c, NULL, &configured);
    struct api_dns shown = {.now = shown_dns(&now, &split),
                            .configured = shown_dns(&configured, &configured_split),
                            .base_domain = c->dns.base_domain,
                            .extra_records = c->dns.extra_records.len,
                            .extra_records_path = c->dns.extra_records_path,
                            .updated_ns = own ? own->updated_ns : 0,
                            .version = own ? own->r.version : 0};
    for (size_t i = 0; own && (name = core_dns_member(i, &member)); i++)
        if (own->set & member)
            strs_push(&shown.set, name);
    api_write(o, &api_dns_shape, &shown, API_HEADWAY);
    strs_release(&shown.set);
    dns_values_release(&now);
    dns_values_release(&configured);
    buf_release(&split);
    buf_release(&configured_split);
}

void write_message(struct json_out *o, const struct server_message *m, enum api_scope scope)
{
    struct api_message shown = {.text = m ? m->text : "",
                                .severity = m ? (int)m->severity : SEVERITY_MEDIUM,
                                .url = m ? m->url : "",
                                .updated_ns = m ? m->updated_ns : 0,
                                .version = m ? m->r.version : 0};

    api_write(o, &api_message_shape, &shown, scope);
}
