/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a router can be taken away: what it serves, and who would. */
#include "api/view/view.h"

#include <stdlib.h>

#define SUCCESSORS_SAID 5 /* in a sentence */

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

/* tags: "tag:a, tag:b"; NULL: everybody will do. */
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

static void say(const struct api_drain *d, struct buf *out)
{
    char text[PREFIX_TEXT_MAX];

    buf_adds(out, d->name);
    if (!d->draining) {
        buf_addf(out, " is in service and serves %zu prefix%s", d->serves.len, d->serves.len == 1 ? "" : "es");
        say_successors(d, out);
        return;
    }
    if (!d->serves.len)
        buf_adds(out, " is drained and serves no prefix");
    else
        buf_adds(out, " is drained, but still serves ");
    for (size_t i = 0; i < d->serves.len; i++) {
        const struct api_served *s = api_at(&d->serves, struct api_served, i);
        buf_addf(out, "%s%s%s%s", i ? ", " : "", prefix_format(&s->prefix, text), s->via ? " via " : "",
                 s->via ? s->via : "");
    }
    if (d->serves.len)
        buf_adds(out, ": no other router can");
    if (d->exit_node)
        buf_adds(out, "; as an exit node it still carries the traffic of clients that chose it");
    else if (!d->serves.len)
        buf_adds(out, d->safe ? ": it is safe to reboot"
                              : "; not confirmed by clients: packets may still come through it for some seconds");
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

/* For everybody, and within groups of via. */
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

void show_drain(struct api_view *v, const struct tailnet_node *n, bool confirmed, struct arena *a,
                struct api_drain *out)
{
    struct buf text = BUF_INIT(0);

    *out = (struct api_drain){.node = n->record->r.id,
                              .name = n->record->given_name,
                              .draining = n->record->draining,
                              .confirmed = confirmed,
                              .exit_node = node_is_exit(n->record)};
    list_served(v, n, a, &out->serves);
    out->safe = out->draining && !out->serves.len && !out->exit_node && (out->confirmed || !n->live.online);
    say(out, &text);
    out->text = arena_strdup(a, buf_text(&text));
    buf_release(&text);
}
