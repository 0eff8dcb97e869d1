/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a router can be taken away: what it serves, and who would take over. */
#include "api/view/view.h"

#include <stdlib.h>

#include "policy/policy.h"
#include "readback/readback.h"

#define SUCCESSORS_SAID 5 /* per sentence */
#define USERS_SAID      5

static bool could_serve(const struct tailnet_node *n, const struct tailnet_node *without, const struct prefix *p)
{
    return n && n != without && n->live.online && n->live.healthy && !n->expired && !n->record->draining &&
           !prefixes_has(&n->live.unreachable, p) && prefixes_has(&n->record->available, p) &&
           prefixes_has(&n->record->approved, p);
}

/* In the order of an election (routes/routes.h). */
static bool is_before(const struct tailnet_node *a, const struct tailnet_node *b, bool by_priority)
{
    const struct node *x = a->record, *y = b->record;

    if (a->live.flapping != b->live.flapping)
        return b->live.flapping;
    if (by_priority && x->priority != y->priority)
        return x->priority > y->priority;
    return x->created_ns != y->created_ns ? x->created_ns < y->created_ns : x->r.id < y->r.id;
}

/* tags: "tag:a, tag:b"; NULL: any node matches. */
static bool has_tag_of(const struct node *n, const char *tags)
{
    for (size_t len; tags && *tags; tags += len + strspn(tags + len, ", ")) {
        len = strcspn(tags, ",");
        for (size_t i = 0; i < n->tags.len; i++)
            if (strlen(n->tags.items[i]) == len && strncmp(n->tags.items[i], tags, len) == 0)
                return true;
    }
    return !tags;
}

const struct tailnet_node *show_better_router(const struct tailnet_node *best, const struct tailnet_node *n,
                                              const struct tailnet_node *without, const struct prefix *p,
                                              const struct prefix_rule *rule, const char *tags)
{
    if (!could_serve(n, without, p) || !has_tag_of(n->record, tags) ||
        (best && !is_before(n, best, rule->failback != FAILBACK_OLDEST)))
        return best;
    return n;
}

static const struct tailnet_node *successor(const struct tailnet_snapshot *s, const struct tailnet_node *without,
                                            const struct prefix *p, const char *tags)
{
    struct prefix_rule rule = prefix_rule_of(snapshot_prefix_settings(s, p), &s->settings->routing);
    const struct tailnet_node *best = NULL;

    for (size_t b = 0; b < s->block_count; b++)
        for (size_t i = 0; s->blocks[b] && i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *n = s->blocks[b]->nodes[i];
            best = show_better_router(best, n, without, p, &rule, tags);
        }
    return best;
}

/* "; router2 takes over 10.0.0.0/8 when it fails, nobody 10.1.0.0/16" */
static void say_successors(const struct api_drain *d, struct buf *out)
{
    char text[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < d->serves.len && i < SUCCESSORS_SAID; i++) {
        const struct api_served *s = api_at(&d->serves, struct api_served, i);
        buf_addf(out, "%s%s %s%s%s%s", i ? ", " : "; if it fails, ", s->successor ? s->successor_name : "nobody",
                 i ? "" : "takes over ", prefix_format(&s->prefix, text), s->via ? " via " : "", s->via ? s->via : "");
    }
    if (d->serves.len > SUCCESSORS_SAID)
        buf_addf(out, " and %zu more", d->serves.len - SUCCESSORS_SAID);
}

static void say_exit(const struct api_drain *d, const char *users, struct buf *out)
{
    if (d->used_by)
        buf_addf(out, "; %llu node%s still use%s it as exit node (%s)", (unsigned long long)d->used_by,
                 d->used_by == 1 ? "" : "s", d->used_by == 1 ? "s" : "", users);
    if (d->untold)
        buf_addf(out, "; %llu node%s may use it as exit node, with clients before 1.86 that do not say",
                 (unsigned long long)d->untold, d->untold == 1 ? "" : "s");
    if (!d->used_by && !d->untold)
        buf_adds(out, ", and nobody uses it as exit node");
}

/* Why it is unknown whether clients use other routers, and what follows from that. */
static void say_unconfirmed(const struct readback_confirmation *c, struct buf *out)
{
    buf_adds(out, "; not confirmed by clients");
    if (c->behind)
        buf_addf(out, ": %zu %s not switched%s", c->behind, c->behind == 1 ? "has" : "have", c->asking ? " yet" : "");
    if (c->unsupported)
        buf_addf(out, "%s %zu cannot be asked (before 1.90)", c->behind ? "," : ":", c->unsupported);
    if (c->asking || (!c->behind && !c->unsupported))
        buf_adds(out, ": packets may still come through it for some seconds");
    else if (!c->behind)
        buf_adds(out, "; all others use other routers");
}

static void say_drained(const struct api_drain *d, const struct readback_confirmation *c, const char *users,
                        struct buf *out)
{
    char text[PREFIX_TEXT_MAX];

    buf_adds(out, d->serves.len ? " is drained, but still serves " : " is drained and serves no prefix");
    for (size_t i = 0; i < d->serves.len; i++) {
        const struct api_served *s = api_at(&d->serves, struct api_served, i);
        buf_addf(out, "%s%s%s%s", i ? ", " : "", prefix_format(&s->prefix, text), s->via ? " via " : "",
                 s->via ? s->via : "");
    }
    if (d->serves.len)
        buf_adds(out, ": no other router can");
    if (d->exit_node)
        say_exit(d, users, out);
    if (d->safe)
        buf_adds(out, ": it is safe to reboot");
    else if (!d->serves.len && !d->used_by && !d->untold)
        say_unconfirmed(c, out);
}

static void say(const struct api_drain *d, const struct readback_confirmation *c, const char *users, struct buf *out)
{
    buf_adds(out, d->name);
    if (d->draining) {
        say_drained(d, c, users, out);
        return;
    }
    buf_addf(out, " is in service and serves %zu prefix%s", d->serves.len, d->serves.len == 1 ? "" : "es");
    say_successors(d, out);
    if (d->exit_node)
        buf_addf(out, "; %llu node%s use%s it as exit node%s%s%s", (unsigned long long)d->used_by,
                 d->used_by == 1 ? "" : "s", d->used_by == 1 ? "s" : "", d->used_by ? " (" : "", users,
                 d->used_by ? ")" : "");
}

static void add_served(struct api_view *v, const struct tailnet_node *n, const struct prefix *p, const char *tags,
                       struct api_list *list)
{
    const struct tailnet_node *next = successor(v->s, n, p, tags);

    *api_at(list, struct api_served, list->len) =
        (struct api_served){.prefix = *p,
                            .via = tags,
                            .successor = next ? next->record->r.id : 0,
                            .successor_name = next ? next->record->given_name : NULL};
    list->len++;
}

/* For everybody, and within via groups. */
static void list_served(struct api_view *v, const struct tailnet_node *n, struct arena *a, struct api_list *out)
{
    size_t count = n->serving.len;

    for (size_t i = 0; i < v->s->via_primary_count; i++)
        count += v->s->via_primaries[i]->r.id == n->record->r.id;
    out->items = arena_alloc(a, (count + 1) * sizeof(struct api_served));
    out->len = 0;
    for (size_t i = 0; i < n->serving.len; i++)
        add_served(v, n, &n->serving.items[i], NULL, out);
    for (size_t i = 0; i < v->s->via_primary_count; i++)
        if (v->s->via_primaries[i]->r.id == n->record->r.id)
            add_served(v, n, &v->s->via_primaries[i]->prefix, v->s->via_primaries[i]->tags, out);
}

static bool may_use(const struct policy_view *v, const struct tailnet_node *user, const struct tailnet_node *exit)
{
    struct prefixes routes = {0};

    if (!v)
        return true;
    if (!policy_sees(v, user->slot, exit->slot))
        return false;
    policy_routes(v, user->slot, exit->slot, &routes);
    bool may = prefixes_has_exit(&routes);
    prefixes_release(&routes);
    return may;
}

/* Counts the users of the exit node; names has the first of them. */
static void count_users(struct api_view *v, struct tailnet *t, const struct tailnet_node *exit, struct api_drain *out,
                        struct buf *names)
{
    const struct policy_view *policy = tailnet_policy_read(t);

    for (size_t b = 0; b < v->s->block_count; b++)
        for (size_t i = 0; v->s->blocks[b] && i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *n = v->s->blocks[b]->nodes[i];
            if (!n || n == exit || !n->live.online || !n->record->authorized)
                continue;
            if (n->record->cap_version < TAILNET_CAP_SAYS_EXIT) {
                out->untold += may_use(policy, n, exit);
            } else if (n->record->exit_node_id == exit->record->r.id && ++out->used_by <= USERS_SAID) {
                buf_addf(names, "%s%s", out->used_by > 1 ? ", " : "", n->record->given_name);
            }
        }
    tailnet_policy_done(t);
    if (out->used_by > USERS_SAID)
        buf_adds(names, ", ...");
}

void show_drain(struct api_view *v, struct tailnet *t, const struct tailnet_node *n,
                const struct readback_confirmation *c, struct arena *a, struct api_drain *out)
{
    struct buf text = BUF_INIT(0), users = BUF_INIT(0);

    *out = (struct api_drain){.node = n->record->r.id,
                              .name = n->record->given_name,
                              .draining = n->record->draining,
                              .exit_node = node_is_exit(n->record)};
    list_served(v, n, a, &out->serves);
    if (out->exit_node)
        count_users(v, t, n, out, &users);
    out->confirmed = c->confirmed && !out->used_by && !out->untold;
    out->asking = out->draining && c->asking;
    out->safe = out->draining && !out->serves.len && (out->confirmed || !n->live.online);
    say(out, c, buf_text(&users), &text);
    out->text = arena_strdup(a, buf_text(&text));
    buf_release(&text);
    buf_release(&users);
}
