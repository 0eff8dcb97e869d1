/* SPDX-License-Identifier: BSD-3-Clause */
/* Why somebody reaches something or not, and what another policy would change. Both look at a view of their own over
 * the request's snapshot, on a thread that may take its time, so nobody else waits for the answer. */
#include <stdlib.h>

#include "http/private.h"
#include "policy/policy.h"

#define PREVIEW_ROWS 1000 /* with the totals, what a person can still look through */

struct world {
    struct policy_user *users;
    struct policy_node *nodes;
    struct prefixes *effective; /* one set a node */
    struct prefix pools[2];
    struct policy_tailnet tailnet;
};

static void add_node(struct world *w, const struct tailnet_node *n)
{
    const struct node *record = n->record;
    struct prefixes *effective = &w->effective[w->tailnet.node_count];

    node_effective(record, effective);
    w->nodes[w->tailnet.node_count++] = (struct policy_node){.slot = n->slot,
                                                             .id = record->r.id,
                                                             .user_id = record->user_id,
                                                             .order = record->r.id,
                                                             .name = record->given_name,
                                                             .tags = (const char *const *)record->tags.items,
                                                             .tag_count = record->tags.len,
                                                             .ipv4 = record->ipv4,
                                                             .ipv6 = record->ipv6,
                                                             .routes = effective->items,
                                                             .route_count = effective->len,
                                                             .serving = n->serving.items,
                                                             .serving_count = n->serving.len,
                                                             .online = n->live.online,
                                                             .healthy = n->live.healthy};
}

static void world_init(struct world *w, struct http *h, const struct tailnet_snapshot *s)
{
    static const enum policy_role roles[] = {
        [ROLE_MEMBER] = POLICY_MEMBER, [ROLE_ADMIN] = POLICY_ADMIN, [ROLE_OWNER] = POLICY_OWNER};

    *w = (struct world){.users = mem_alloc((s->user_count + 1) * sizeof(*w->users)),
                        .nodes = mem_alloc((s->node_count + 1) * sizeof(*w->nodes)),
                        .effective = mem_alloc((s->node_count + 1) * sizeof(*w->effective))};
    for (size_t i = 0; i < s->user_count; i++)
        w->users[i] = (struct policy_user){.id = s->users[i]->r.id,
                                           .name = s->users[i]->name,
                                           .email = s->users[i]->email,
                                           .provider_id = s->users[i]->provider_id,
                                           .role = roles[s->users[i]->role]};
    for (uint32_t slot = 0; slot < s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *n = snapshot_node(s, slot);
        if (n)
            add_node(w, n);
    }
    const struct config *c = http_config(h);
    if (c->prefixes.v4.addr.bits)
        w->pools[w->tailnet.pool_count++] = c->prefixes.v4;
    if (c->prefixes.v6.addr.bits)
        w->pools[w->tailnet.pool_count++] = c->prefixes.v6;
    config_unref(c);
    w->tailnet.pools = w->pools;
    w->tailnet.users = w->users;
    w->tailnet.user_count = s->user_count;
    w->tailnet.nodes = w->nodes;
}

static void world_release(struct world *w)
{
    for (size_t i = 0; i < w->tailnet.node_count; i++)
        prefixes_release(&w->effective[i]);
    free(w->effective);
    free(w->nodes);
    free(w->users);
}

/* The policy in force, NULL: none. One that cannot be read allows nothing, as the core has it. */
static struct policy *policy_in_force(const struct tailnet_snapshot *s)
{
    static const char nothing[] = "{\"acls\": []}";
    struct policy_problems problems = {0};
    struct policy *p = NULL;

    if (s->policy && *s->policy->text && policy_parse(s->policy->text, strlen(s->policy->text), &p, &problems) < 0 &&
        policy_parse(nothing, sizeof(nothing) - 1, &p, &problems) < 0)
        p = NULL;
    policy_problems_release(&problems);
    return p;
}

static enum flow explain(struct request *r)
{
    const char *src = arg_query(r, "src"), *dst = arg_query(r, "dst"), *port_text = arg_query(r, "port");
    struct policy *p = policy_in_force(r->s);
    struct buf out = BUF_INIT(0);
    struct world w;
    uint64_t port = 0;
    bool allowed;
    int rc = port_text ? str_u64(port_text, 0, 65535, &port, "port", &r->err) : 0;

    world_init(&w, r->h, r->s);
    struct policy_view *v = policy_view_new(p, &w.tailnet, NULL);
    if (rc == 0)
        rc = policy_explain(v, src, dst, -1, (uint16_t)port, &allowed, &out, &r->err);
    if (rc < 0) {
        reply_error(r, &r->err);
    } else {
        struct json_out o = reply_json(r);
        json_raw(&o, buf_text(&out), out.len);
    }
    policy_view_free(v);
    world_release(&w);
    policy_unref(p);
    buf_release(&out);
    return DONE;
}

enum flow ours_explain(struct request *r)
{
    static const char *const needed[] = {"src", "dst"};

    for (size_t i = 0; i < 2; i++)
        if (!arg_query(r, needed[i]) || !*arg_query(r, needed[i])) {
            err_field(&r->err, ERR_INVALID, needed[i], "%s is missing: a node, user, tag, group, host or address",
                      needed[i]);
            return reply_error(r, &r->err);
        }
    return request_later(r, &r->h->disk, explain);
}

static enum flow preview(struct request *r)
{
    const char *text = r->admin.text;
    struct policy_problems problems = {0};
    struct policy *now = policy_in_force(r->s), *then = NULL;
    struct buf out = BUF_INIT(0);
    struct world w;

    if (policy_parse(text, strlen(text), &then, &problems) < 0) {
        policy_problems_text(&problems, &out);
        err_field(&r->err, ERR_INVALID, "policy", "%.200s", buf_text(&out));
        reply_error(r, &r->err);
    } else {
        world_init(&w, r->h, r->s);
        struct policy_view *before = policy_view_new(now, &w.tailnet, NULL);
        struct policy_view *after = policy_view_new(then, &w.tailnet, before);
        policy_preview(before, after, PREVIEW_ROWS, &out);
        struct json_out o = reply_json(r);
        json_raw(&o, buf_text(&out), out.len);
        policy_view_free(after);
        policy_view_free(before);
        world_release(&w);
    }
    policy_problems_release(&problems);
    policy_unref(now);
    policy_unref(then);
    buf_release(&out);
    return DONE;
}

enum flow ours_policy_preview(struct request *r)
{
    r->admin.text = NULL;
    if (arg_text(r, "policy", &r->admin.text) < 0)
        return reply_error(r, &r->err);
    if (!r->admin.text) {
        err_field(&r->err, ERR_INVALID, "policy", "policy is missing: the text of the policy");
        return reply_error(r, &r->err);
    }
    return request_later(r, &r->h->disk, preview);
}
