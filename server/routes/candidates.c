/* SPDX-License-Identifier: BSD-3-Clause */
/* Keeping the two indexes in step with what is known of nodes, and running an election over what changed. */
#include "routes/routes.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "routes/candidates.h"

void route_moves_release(struct route_moves *moves)
{
    vec_release(moves);
}

struct routes *routes_new(const struct prefix_rule *defaults)
{
    struct routes *r = mem_alloc(sizeof(*r));

    r->defaults = *defaults;
    r->round = 1;
    r->due_ms = INT64_MAX;
    return r;
}

static void router_free(struct routes_router *router)
{
    record_unref(router->record);
    prefixes_release(&router->entitled);
    prefixes_release(&router->unreachable);
    free(router);
}

static void entry_free(struct routed_prefix *entry)
{
    vec_release(&entry->contenders);
    free(entry);
}

void routes_free(struct routes *r)
{
    if (!r)
        return;
    for (struct map_entry *m = map_first(&r->routers); m; m = map_next(&r->routers, m))
        router_free(m->value);
    for (struct map_entry *m = map_first(&r->entries); m; m = map_next(&r->entries, m))
        entry_free(m->value);
    map_release(&r->routers);
    map_release(&r->entries);
    vec_release(&r->dirty);
    vec_release(&r->waiting);
    free(r);
}

/* ---- entries and contenders ---- */

static struct routed_prefix *find_entry(const struct routes *r, const struct prefix *p)
{
    return map_get(&r->entries, p, sizeof(*p));
}

static struct routed_prefix *make_entry(struct routes *r, const struct prefix *p)
{
    struct routed_prefix *entry = find_entry(r, p);

    if (!entry) {
        entry = mem_alloc(sizeof(*entry));
        entry->prefix = *p;
        map_put(&r->entries, p, sizeof(*p), entry);
    }
    return entry;
}

static void touch(struct routes *r, struct routed_prefix *entry)
{
    if (entry->dirty)
        return;
    entry->dirty = true;
    vec_push(&r->dirty, entry);
}

static bool is_before(const struct node *a, const struct node *b)
{
    return a->created_ns != b->created_ns ? a->created_ns < b->created_ns : a->r.id < b->r.id;
}

static void add_contender(struct routes *r, struct routes_router *router, const struct prefix *p, const char *joined,
                          bool approved)
{
    struct routed_prefix *entry = make_entry(r, p);
    struct contender contender = {.unreachable = prefixes_has(&router->unreachable, p),
                                  .router = router,
                                  .joined = joined,
                                  .round = r->round,
                                  .approved = approved,
                                  .well_ms = NOT_WELL};
    size_t at;

    vec_push(&entry->contenders, contender);
    for (at = entry->contenders.len - 1; at > 0; at--) {
        if (!is_before(router->record, entry->contenders.items[at - 1].router->record))
            break;
        entry->contenders.items[at] = entry->contenders.items[at - 1];
    }
    entry->contenders.items[at] = contender;
    touch(r, entry);
}

static void remove_contender(struct routes *r, const struct routes_router *router, const struct prefix *p)
{
    struct routed_prefix *entry = find_entry(r, p);

    for (size_t i = 0; i < entry->contenders.len; i++) {
        if (entry->contenders.items[i].router == router) {
            vec_remove(&entry->contenders, i);
            break;
        }
    }
    touch(r, entry);
}

void routes_set_rule(struct routes *r, const struct prefix *p, const struct prefix_rule *rule)
{
    struct routed_prefix *entry = make_entry(r, p);

    r->nearest_rules -= entry->has_rule && entry->rule.nearest == PREFIX_NEAREST;
    r->nearest_rules += rule && rule->nearest == PREFIX_NEAREST;
    entry->has_rule = rule != NULL;
    if (rule)
        entry->rule = *rule;
    entry->rule_round = r->round;
    touch(r, entry);
}

void routes_set_defaults(struct routes *r, const struct prefix_rule *defaults)
{
    r->defaults = *defaults;
    for (struct map_entry *m = map_first(&r->entries); m; m = map_next(&r->entries, m)) {
        struct routed_prefix *entry = m->value;
        if (entry->has_rule)
            continue;
        entry->rule_round = r->round;
        touch(r, entry);
    }
}

void routes_restore(struct routes *r, const struct prefix *p, uint64_t node, int64_t since_ns)
{
    struct routed_prefix *entry = make_entry(r, p);

    entry->primary = entry->last = node;
    entry->since_ns = since_ns;
    entry->settling = true;
    touch(r, entry);
}

void routes_settled(struct routes *r)
{
    for (struct map_entry *m = map_first(&r->entries); m; m = map_next(&r->entries, m)) {
        struct routed_prefix *entry = m->value;
        if (!entry->settling)
            continue;
        entry->settling = false;
        entry->settled_round = r->round;
        touch(r, entry);
    }
}

/* ---- nodes ---- */

static void entitled_prefixes(const struct node *n, struct prefixes *out)
{
    size_t kept = 0;

    node_effective(n, out);
    for (size_t i = 0; i < out->len; i++)
        if (!prefix_is_exit(&out->items[i]))
            out->items[kept++] = out->items[i];
    out->len = kept;
}

/* What made a better candidate of a router, NULL: nothing did. */
static const char *rise(const struct routes_flags *before, const struct routes_flags *now)
{
    if (now->online && !before->online)
        return "came online";
    if (!now->expired && before->expired)
        return "logged in again";
    if (now->healthy && !before->healthy)
        return "answers probes again";
    return before->draining && !now->draining ? "is no longer drained" : NULL;
}

static bool same_flags(const struct routes_flags *a, const struct routes_flags *b)
{
    return a->online == b->online && a->healthy == b->healthy && a->expired == b->expired &&
           a->draining == b->draining && a->flapping == b->flapping && a->priority == b->priority;
}

/* Both sets are sorted: one walk finds who came and who went. */
static void change_contenders(struct routes *r, struct routes_router *router, const struct node *before,
                              struct prefixes *now)
{
    const struct prefixes *old = &router->entitled;
    size_t i = 0, j = 0;

    while (i < old->len || j < now->len) {
        int order = i == old->len ? 1 : j == now->len ? -1 : prefix_cmp(&old->items[i], &now->items[j]);
        if (order < 0) {
            remove_contender(r, router, &old->items[i++]);
        } else if (order > 0) {
            const struct prefix *p = &now->items[j++];
            bool approved = before && (!before->authorized || !prefixes_has(&before->approved, p));
            add_contender(r, router, p, !before ? NULL : approved ? "approved" : "advertised", approved);
        } else {
            i++;
            j++;
        }
    }
    prefixes_release(&router->entitled);
    router->entitled = *now;
    *now = (struct prefixes){0};
}

void routes_set_node(struct routes *r, const struct node *record, const struct routes_flags *flags)
{
    struct routes_router *router = map_getu(&r->routers, record->r.id);
    const struct node *before = router ? router->record : NULL;
    struct routes_flags old = {0};
    bool changed;

    if (!router) {
        router = mem_alloc(sizeof(*router));
        map_putu(&r->routers, record->r.id, router);
    } else {
        old = router->flags;
    }
    router->flags = *flags;
    changed = !same_flags(&old, flags);
    if (changed && (router->rise = rise(&old, flags)))
        router->round = r->round;
    if (before != record) {
        struct prefixes now = {0};
        router->record = record_ref(record);
        entitled_prefixes(record, &now);
        change_contenders(r, router, before, &now);
        record_unref(before);
    }
    for (size_t i = 0; changed && i < router->entitled.len; i++)
        touch(r, find_entry(r, &router->entitled.items[i]));
}

void routes_set_unreachable(struct routes *r, uint64_t node, const struct prefixes *unreachable)
{
    struct routes_router *router = map_getu(&r->routers, node);

    if (!router || prefixes_eq(&router->unreachable, unreachable))
        return;
    prefixes_copy(&router->unreachable, unreachable);
    for (size_t i = 0; i < router->entitled.len; i++) {
        struct routed_prefix *entry = find_entry(r, &router->entitled.items[i]);
        for (size_t k = 0; k < entry->contenders.len; k++) {
            struct contender *c = &entry->contenders.items[k];
            bool bad = prefixes_has(unreachable, &entry->prefix);
            if (c->router != router || c->unreachable == bad)
                continue;
            c->unreachable = bad;
            touch(r, entry);
        }
    }
}

void routes_remove_node(struct routes *r, uint64_t id)
{
    struct routes_router *router = map_delu(&r->routers, id);

    if (!router)
        return;
    for (size_t i = 0; i < router->entitled.len; i++)
        remove_contender(r, router, &router->entitled.items[i]);
    router_free(router);
}

int routes_can_serve(const struct routes *r, const struct prefix *p, uint64_t node, struct err *e)
{
    const struct routed_prefix *entry = find_entry(r, p);
    const struct routes_router *router = map_getu(&r->routers, node);
    const struct contender *contender = entry ? entry_contender(entry, node) : NULL;
    char text[PREFIX_TEXT_MAX];
    const char *name, *why = NULL;

    prefix_format(p, text);
    if (prefix_is_exit(p))
        return err_field(e, ERR_INVALID, "prefix", "%s is an exit route: every approved exit node offers it", text);
    if (!entry || entry->contenders.len == 0)
        return err_field(e, ERR_MISSING, "prefix", "%s: no node has this route advertised and approved", text);
    if (!router)
        return err_field(e, ERR_MISSING, "node", "node %llu does not exist", (unsigned long long)node);
    name = router->record->given_name;
    if (!contender)
        why = prefixes_has(&router->record->available, p) ? "is not approved for" : "does not advertise";
    else if (contender->router->flags.expired)
        why = "has an expired key and cannot serve";
    else if (!contender->router->flags.online)
        why = "is offline and cannot serve";
    else if (!contender->router->flags.healthy)
        why = "answers no probe and cannot serve";
    else if (contender->unreachable)
        why = "does not reach the probe target and cannot serve";
    else if (contender->router->flags.draining)
        why = "is being drained and does not take";
    return why ? err_field(e, ERR_PRECONDITION, "node", "%s %s %s", name, why, text) : 0;
}

int routes_prefer(struct routes *r, const struct prefix *p, uint64_t node, struct err *e)
{
    int code = routes_can_serve(r, p, node, e);

    if (code < 0)
        return code;
    struct routed_prefix *entry = find_entry(r, p);
    entry->chosen = node;
    entry->chosen_round = r->round;
    entry->settling = false;
    touch(r, entry);
    return 0;
}

/* ---- elections ---- */

static int by_prefix(const void *a, const void *b)
{
    return prefix_cmp(&((const struct route_move *)a)->prefix, &((const struct route_move *)b)->prefix);
}

static void move(struct routes *r, struct routed_prefix *entry, uint64_t to, const struct routes_time *now,
                 struct route_moves *moves)
{
    struct route_move m = {entry->prefix, entry->primary, to, entry_cause(r, entry, to)};

    vec_push(moves, m);
    entry->primary = to;
    entry->since_ns = now->wall_ns;
    if (!to)
        return;
    if (entry->last && entry->last != to)
        entry->held_ms = now->mono_ms + entry_rule(r, entry)->hold_down_ns / NS_PER_MS;
    entry->last = to;
}

static void list_waiting(struct routes *r, struct routed_prefix *entry)
{
    if (!entry->due_ms)
        return;
    if (entry->due_ms < r->due_ms)
        r->due_ms = entry->due_ms;
    if (!entry->listed)
        vec_push(&r->waiting, entry);
    entry->listed = true;
}

/* Those whose wait is over take part. */
static void end_waits(struct routes *r, int64_t now_ms)
{
    size_t kept = 0;

    if (r->due_ms > now_ms)
        return;
    r->due_ms = INT64_MAX;
    for (size_t i = 0; i < r->waiting.len; i++) {
        struct routed_prefix *entry = r->waiting.items[i];
        if (entry->due_ms && entry->due_ms > now_ms) {
            r->waiting.items[kept++] = entry;
            r->due_ms = entry->due_ms < r->due_ms ? entry->due_ms : r->due_ms;
            continue;
        }
        entry->listed = false;
        if (entry->due_ms)
            touch(r, entry);
    }
    r->waiting.len = kept;
}

static void drop_entry(struct routes *r, struct routed_prefix *entry)
{
    for (size_t i = 0; entry->listed && i < r->waiting.len; i++)
        if (r->waiting.items[i] == entry) {
            vec_remove(&r->waiting, i);
            break;
        }
    map_del(&r->entries, &entry->prefix, sizeof(entry->prefix));
    entry_free(entry);
}

void routes_elect(struct routes *r, const struct routes_time *now, struct route_moves *moves)
{
    size_t first = moves->len;

    end_waits(r, now->mono_ms);
    for (size_t i = 0; i < r->dirty.len; i++) {
        struct routed_prefix *entry = r->dirty.items[i];
        uint64_t to = entry_decide(r, entry, now->mono_ms);

        entry->dirty = false;
        if (to != entry->primary)
            move(r, entry, to, now, moves);
        if (entry->contenders.len == 0 && entry->primary == 0 && !entry->has_rule)
            drop_entry(r, entry);
        else
            list_waiting(r, entry);
    }
    r->dirty.len = 0;
    r->round++;
    if (moves->len - first > 1)
        qsort(moves->items + first, moves->len - first, sizeof(moves->items[0]), by_prefix);
}

int64_t routes_due(const struct routes *r)
{
    return r->due_ms;
}

/* ---- questions ---- */

uint64_t routes_primary(const struct routes *r, const struct prefix *p, int64_t *since_ns)
{
    const struct routed_prefix *entry = find_entry(r, p);

    if (since_ns)
        *since_ns = entry && entry->primary ? entry->since_ns : 0;
    return entry ? entry->primary : 0;
}

void routes_serving(const struct routes *r, uint64_t node, struct prefixes *out)
{
    const struct routes_router *router = map_getu(&r->routers, node);

    prefixes_release(out);
    for (size_t i = 0; router && i < router->entitled.len; i++)
        if (find_entry(r, &router->entitled.items[i])->primary == node)
            prefixes_add(out, &router->entitled.items[i]);
}

void routes_count(const struct routes *r, const struct prefix *p, size_t *entitled, size_t *candidates)
{
    const struct routed_prefix *entry = find_entry(r, p);
    size_t count = 0;

    for (size_t i = 0; entry && i < entry->contenders.len; i++)
        count += contender_is_candidate(&entry->contenders.items[i]);
    if (entitled)
        *entitled = entry ? entry->contenders.len : 0;
    if (candidates)
        *candidates = count;
}
