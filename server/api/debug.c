/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be looked into from this machine, without a key: /debug of the metrics listener. */
#include <stdlib.h>

#include "http/private.h"

static bool may_look(struct request *r)
{
    if (r->peer_is_local && !r->forwarded_for)
        return true;
    reply_text(r, 403, "debug access denied\n");
    return false;
}

enum flow debug_index(struct request *r)
{
    if (!may_look(r))
        return DONE;
    reply_text(r, 200, "%s", "");
    for (size_t i = 0; i < http_route_count; i++)
        if (http_routes[i].doors & DOOR_METRICS)
            buf_addf(&r->out, "%-18s %s\n", http_routes[i].path, http_routes[i].help);
    return DONE;
}

enum flow debug_overview(struct request *r)
{
    const struct tailnet_snapshot *s = r->s;
    size_t expired = 0, ephemeral = 0;

    if (!may_look(r))
        return DONE;
    for (size_t b = 0; b < s->block_count; b++)
        for (size_t i = 0; s->blocks[b] && i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *n = s->blocks[b]->nodes[i];
            expired += n && n->expired;
            ephemeral += n && n->record->ephemeral;
        }
    uint64_t *counts = show_node_counts(s);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "nodes");
    json_open(&o, '{');
    json_put_u64(&o, "total", s->node_count);
    json_put_u64(&o, "online", s->online_count);
    json_put_u64(&o, "expired", expired);
    json_put_u64(&o, "ephemeral", ephemeral);
    json_close(&o, '}');
    json_key(&o, "users");
    json_open(&o, '{');
    for (size_t i = 0; i < s->user_count; i++)
        json_put_u64(&o, s->users[i]->name, counts[i]);
    json_close(&o, '}');
    json_put_u64(&o, "total_users", s->user_count);
    json_put_u64(&o, "primary_routes", s->primary_count);
    write_event_id(&o, "event", s->event_run, s->event_seq);
    json_close(&o, '}');
    free(counts);
    return DONE;
}

enum flow debug_routes(struct request *r)
{
    return may_look(r) ? headway_prefixes(r) : DONE;
}

static enum flow reply_raw(struct request *r, const char *type, const char *text)
{
    buf_clear(&r->out);
    buf_adds(&r->out, text);
    r->status = 200;
    r->content_type = type;
    return DONE;
}

enum flow debug_derp(struct request *r)
{
    if (!may_look(r))
        return DONE;
    return reply_raw(r, TYPE_JSON,
                     r->s->settings && r->s->settings->derp_json ? r->s->settings->derp_json : "{\"Regions\":{}}");
}

enum flow debug_policy(struct request *r)
{
    if (!may_look(r))
        return DONE;
    return reply_raw(r, TYPE_TEXT, r->s->policy ? r->s->policy->text : "");
}
